"""Sending over SOAP: what goes out is right, and every answer ends in the right outcome."""

import re
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from lxml import etree

import connectors
from connectors import Document, Identity, NotSent, Refused, SettingsError, Trust, Uncertain
from connectors.soap_request import ORDER, Stamps
from connectors.wsdl import contract, request_schema
from tests_unit.connectors.server import BankServer, reply
from tests_unit.connectors.soap_bank import DS, NS, WSSE, XD


def test_the_bank_gets_the_very_bytes_under_both_signatures(dial_soap, teller, soap_document, key):
    """The bank's script verifies both signatures with another library before it answers."""
    receipt = dial_soap().submit(soap_document, key)
    assert receipt.status == "RCVD"
    assert not receipt.duplicate
    number = key.replace("-", "")
    assert teller.uploads == {number: soap_document.content}
    assert receipt.bank_reference == {"request_id": number}
    assert receipt.key == key
    (call,) = teller.calls
    assert call["header"]["SenderId"] == "CORP-001"
    assert call["header"]["ReceiverId"] == "BANKFIHH"
    assert call["header"]["Language"] == "EN"
    values = call["values"]
    assert values["CustomerId"] == "CORP-001"
    assert values["Environment"] == "PRODUCTION"
    assert values["FileType"] == "pain.001.001.09"
    assert values["UserFilename"] == f"{number}.xml"


def test_the_receipt_is_the_banks_signed_word(dial_soap, soap_document, key):
    """What is kept as evidence still carries the bank's signature."""
    receipt = dial_soap().submit(soap_document, key)
    root = etree.fromstring(receipt.content)
    assert root.tag == f"{{{XD}}}ApplicationResponse"
    assert root.find("ds:Signature/ds:SignatureValue", NS) is not None


def test_the_request_follows_its_schema(dial_soap, teller, soap_data, soap_document, key):
    soap_data["request"] |= {"totals": True, "target_id": "T-1", "service_id": "S-1"}
    document = Document(
        b"<D/>", "pain.001.001.09", transactions=3, control_sum=Decimal("1234567890.10")
    )
    bank = dial_soap()
    bank.submit(document, key)
    list(bank.list(["camt.053"]))
    bank.check()
    schema = etree.XMLSchema(etree.fromstring(request_schema()))
    assert len(teller.calls) >= 3
    for call in teller.calls:
        root = etree.fromstring(call["raw"])
        schema.assertValid(root)
        names = [etree.QName(one).localname for one in root]
        assert names.pop() == "Signature"
        assert names == sorted(names, key=ORDER.index)
    assert teller.calls[0]["values"]["AmountTotal"] == "1234567890.10"
    assert teller.calls[0]["values"]["TransactionCount"] == "3"


def test_nothing_is_signed_with_sha1(dial_soap, teller, soap_document, key):
    dial_soap().submit(soap_document, key)
    for content in (teller.calls[0]["raw"], teller.calls[0]["envelope"]):
        signature = next(etree.fromstring(content).iter(f"{{{DS}}}Signature"))
        used = {one.get("Algorithm") for one in signature.iter() if one.get("Algorithm")}
        assert not [one for one in used if one.endswith("sha1")]
        assert "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" in used


def test_the_same_key_is_the_same_request_and_another_time(dial_soap, teller, soap_document, key):
    """A second attempt is recognised by its RequestId, and never collides by its time."""
    bank = dial_soap()
    bank.submit(soap_document, key)
    bank.submit(soap_document, key)
    first, second = teller.calls
    assert first["header"]["RequestId"] == second["header"]["RequestId"]
    assert len(first["header"]["RequestId"]) <= 35
    assert first["values"]["Timestamp"] != second["values"]["Timestamp"]


def test_no_two_requests_share_a_millisecond():
    clock = datetime(2031, 1, 1, 12, tzinfo=timezone.utc)
    stamps = [Stamps(lambda: clock).next() for _ in range(50)]
    assert len({f"{stamp:%H:%M:%S}.{stamp.microsecond // 1000}" for stamp in stamps}) == 50
    # A clock put right again is followed.
    assert Stamps(lambda: clock - timedelta(days=1)).next() == clock - timedelta(days=1)


# What each code of the description means: none of them may surprise the caller.
DOOR = ["02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "30"]
NO = ["12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "25", "29"]
NOBODY_KNOWS = ["24", "26", "27", "28", "601", "99", "XY"]


@pytest.mark.parametrize(
    ("codes", "kind"), [(DOOR, NotSent), (NO, Refused), (NOBODY_KNOWS, Uncertain)]
)
def test_a_code_becomes_its_outcome_with_the_banks_words(
    dial_soap, teller, soap_document, codes, kind
):
    bank = dial_soap()
    for code in codes:
        teller.codes = [code]
        with pytest.raises(kind) as caught:
            bank.submit(soap_document, str(uuid.uuid4()))
        assert type(caught.value) is kind
        assert [str(reason) for reason in caught.value.reasons] == [f"{code}: Said {code}."]
        assert code in caught.value.message
        assert b"ApplicationResponse" in caught.value.content


@pytest.mark.parametrize("code", ["00", "0", "01"])
def test_success_has_several_spellings(dial_soap, teller, soap_document, key, code):
    teller.codes = [code]
    assert dial_soap().submit(soap_document, key).status == "RCVD"


@pytest.mark.parametrize("code", ["31", "32"])
def test_the_bank_has_it_already_is_good_news(dial_soap, teller, soap_document, key, code):
    """A time-out, then the same message again: the bank says that it had it."""
    bank = dial_soap()
    teller.codes = ["00"]
    teller.tamper = lambda content: b""  # the answer is lost on the way
    with pytest.raises(Uncertain):
        bank.submit(soap_document, key)
    teller.tamper = lambda content: content
    teller.codes = [code]
    receipt = bank.submit(soap_document, key)
    assert receipt.duplicate
    assert receipt.bank_reference == {"request_id": key.replace("-", "")}
    assert receipt.reasons[0].code == code


@pytest.mark.parametrize("code", ["07", "12", "31", "26"])
def test_an_error_without_inner_answer_is_understood(dial_soap, teller, soap_document, key, code):
    """A bank that refuses at the door signs the envelope only."""
    teller.bare = True
    teller.codes = [code]
    expected = {"07": NotSent, "12": Refused, "26": Uncertain}.get(code)
    if expected is None:
        assert dial_soap().submit(soap_document, key).duplicate
        return
    with pytest.raises(expected):
        dial_soap().submit(soap_document, key)


def test_success_at_the_door_and_refusal_inside_is_a_refusal(dial_soap, teller, soap_document, key):
    teller.codes, teller.header_code = ["12"], "00"
    with pytest.raises(Refused):
        dial_soap().submit(soap_document, key)


def test_success_without_inner_answer_is_no_receipt(dial_soap, teller, soap_document, key):
    teller.signed_response = lambda root: b""
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(soap_document, key)
    assert caught.value.code == "answer_unreadable"


def test_a_profile_can_know_a_code_better(dial_soap, teller, soap_data, soap_document, key):
    soap_data["answers"] = {"23": "uncertain", "32": "uncertain"}
    for code in ("23", "32"):
        teller.codes = [code]
        with pytest.raises(Uncertain):
            dial_soap().submit(soap_document, str(uuid.uuid4()))


# What never reaches the bank


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content": b""}, "empty_content"),
        ({"content": b"x" * 2000}, "too_large"),
        ({"message_name": "pain.008.001.08"}, "no_product"),
        ({"message_name": "camt.055.001.08"}, "cannot_recall"),
    ],
)
def test_what_cannot_go_out_does_not(dial_soap, teller, soap_data, key, changes, code):
    soap_data["limits"] = {"bytes": 1000}
    values = {"content": b"<D/>", "message_name": "pain.001.001.09"}
    with pytest.raises(NotSent) as caught:
        dial_soap().submit(Document(**{**values, **changes}), key)
    assert caught.value.code == code
    assert teller.calls == []


@pytest.mark.parametrize("bad", ["", "abc", "x" * 36, "{12345678-1234-5678-1234-567812345678}"])
def test_a_key_that_is_no_uuid_is_refused_here(dial_soap, teller, soap_document, bad):
    with pytest.raises(NotSent) as caught:
        dial_soap().submit(soap_document, bad)
    assert caught.value.code == "bad_key"
    assert teller.calls == []


def test_an_expired_signing_certificate_is_noticed_before(
    dial_soap, teller, soap_document, key, signing_authority
):
    old = signing_authority.issue("CORP-001", bits=2048, start=-20, days=-10)
    bank = dial_soap(signing=Identity(old.certificate, old.key_pem()))
    with pytest.raises(NotSent) as caught:
        bank.submit(soap_document, key)
    assert caught.value.code == "certificate_expired"
    assert teller.calls == []


# TLS, address, WSDL


def test_a_bank_may_know_us_by_signature_alone(server_pair, teller, dial_soap, soap_document, key):
    """Server-only TLS: no client certificate is shown, and none is needed."""
    with BankServer(server_pair, None, script=teller) as server:
        bank = dial_soap(url=f"{server.url}/x", identity=None)
        assert bank.submit(soap_document, key).status == "RCVD"
        assert next(check.step for check in bank.check().checks) == "signing"


def test_the_rest_channel_still_needs_its_certificate(make_settings):
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", identity=None))
    assert caught.value.code == "certificate"


def test_one_certificate_may_serve_for_both(
    server_pair, signing_authority, own_signing, teller, dial_soap, soap_document, key
):
    with BankServer(server_pair, signing_authority.pem, script=teller) as server:
        identity = Identity(own_signing.certificate, own_signing.key_pem())
        bank = dial_soap(url=server.url, identity=identity, signing=None)
        assert bank.submit(soap_document, key).status == "RCVD"


def test_private_addresses_are_guarded_here_too(dial_soap, teller, soap_document, key):
    with pytest.raises(NotSent) as caught:
        dial_soap(allow_private=False).submit(soap_document, key)
    assert caught.value.code == "address_refused"
    assert teller.calls == []


def test_a_pinned_tls_certificate_counts_here_too(dial_soap, teller, authority, soap_document, key):
    with pytest.raises(NotSent) as caught:
        dial_soap(trust=Trust(authority.pem, ("00" * 32,))).submit(soap_document, key)
    assert caught.value.code == "tls_pin"
    assert teller.calls == []


@pytest.mark.parametrize("how", ["hang", "hang_up", "reset"])
def test_silence_after_the_request_leaves_a_doubt(dial_soap, soap_server, soap_document, key, how):
    soap_server.script = getattr(soap_server, how)
    timeouts = connectors.Timeouts(connect=2, read=0.5, total=2)
    with pytest.raises(Uncertain):
        dial_soap(timeouts=timeouts).submit(soap_document, key)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 502, 503])
def test_a_gateways_word_is_not_the_banks(dial_soap, soap_server, soap_document, key, status):
    soap_server.script = lambda request, sock: reply(
        request,
        status,
        b"<html>no</html>",
        {"Content-Type": "text/html", "Location": "https://evil.example/"},
    )
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(soap_document, key)
    assert caught.value.code in ("redirected", f"http_{status}")
    assert len(soap_server.requests) == 1


def test_a_profile_may_trust_a_gateways_no(dial_soap, soap_server, soap_data, soap_document, key):
    soap_data["http"] = {"429": "not_sent", "403": "refused"}
    for status, kind in ((429, NotSent), (403, Refused)):
        soap_server.script = lambda request, sock, status=status: reply(request, status, b"no")
        with pytest.raises(kind):
            dial_soap().submit(soap_document, key)


FAULT = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    f'<faultcode xmlns:w="{WSSE}">w:FailedCheck</faultcode><faultstring>No good</faultstring>'
    "</s:Fault></s:Body></s:Envelope>"
).encode()


@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_is_told_and_leaves_a_doubt(
    dial_soap, soap_server, soap_data, soap_document, key, status
):
    soap_server.script = lambda request, sock: reply(
        request, status, FAULT, {"Content-Type": "text/xml"}
    )
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(soap_document, key)
    assert caught.value.code == "soap_fault"
    assert str(caught.value.reasons[0]) == "FailedCheck: No good"
    soap_data["faults"] = {"FailedCheck": "not_sent"}
    with pytest.raises(NotSent):
        dial_soap().submit(soap_document, key)


def test_a_banks_own_wsdl_is_used(dial_soap, soap_document, key, tmp_path, soap_data):
    own = re.sub(r"<!--.*?-->", "", contract().decode(), flags=re.DOTALL)
    own = own.replace(
        '<xsd:element name="UserAgent"', '<xsd:element name="UserAgent" minOccurs="0"'
    )
    path = tmp_path / "bank.wsdl"
    path.write_text(own)
    assert dial_soap(wsdl=str(path)).submit(soap_document, key)
    assert dial_soap(wsdl=own).submit(soap_document, key)
    soap_data["wsdl"] = own
    assert dial_soap().submit(soap_document, key)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + text,
        lambda text: text.replace(
            '<xsd:import namespace="http://model.bxd.fi"/>',
            '<xsd:import namespace="urn:x" schemaLocation="file:///etc/passwd"/>',
        ),
        lambda text: text.replace(
            "<wsdl:types>",
            '<wsdl:import namespace="urn:x" location="http://127.0.0.1:1/x"/><wsdl:types>',
        ),
        lambda text: text.replace("uploadFile", "otherFile"),
        lambda text: text[:500],
        lambda text: "<a/>",
    ],
)
def test_a_wsdl_that_reaches_out_or_lacks_something_is_refused(dial_soap, change):
    own = contract().decode().partition("?>")[2]
    with pytest.raises(SettingsError) as caught:
        dial_soap(wsdl=change(own))
    assert caught.value.code == "wsdl"


def test_the_log_names_the_request_and_shows_no_secret(soap_settings, soap_document, key):
    seen = []
    with connectors.connect("soap", soap_settings(observer=seen.append)) as bank:
        bank.submit(soap_document, key)
    (exchange,) = seen
    assert exchange.correlation_id == key.replace("-", "")
    assert exchange.status == 200
    assert exchange.request_size > len(soap_document.content)
    assert "CORP-001" not in repr(exchange)


def test_a_bank_that_wants_gzip_gets_it(dial_soap, teller, soap_data, soap_document, key):
    soap_data["compress"] = True
    soap_data["request"]["compression_method"] = "gzip"
    dial_soap().submit(soap_document, key)
    values = teller.calls[0]["values"]
    assert values["Compression"] == "true"
    assert values["CompressionMethod"] == "gzip"
    assert list(teller.uploads.values()) == [soap_document.content]


def test_large_files_pass(dial_soap, teller, key):
    """Ten megabytes, more than an XML parser takes in one text unless told so."""
    content = b"<D>" + b"x" * (9 * 1024 * 1024) + b"</D>"
    dial_soap(timeouts=connectors.Timeouts(5, 30, 60)).submit(
        Document(content, "pain.001.001.09"), key
    )
    assert list(teller.uploads.values()) == [content]
