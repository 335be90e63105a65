"""Each built-in kind of bank, played by a server that knows nothing of the profiles."""

import base64
import email
import email.policy
import json
from datetime import datetime, timezone
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from connectors import Document, Identity, NotSent, Refused, Uncertain, profile
from connectors.interface import FetchError
from tests_unit.connectors.kinds import RsaPair, check_jws, open_jwe
from tests_unit.connectors.server import reply

PAIN = b"<Document>pay</Document>"
REPORT = b"<Document>report</Document>"
VALUES = {"client_id": "cid", "client_secret": "secret-1", "token_scope": "pay",
          "bank_key_id": "bank-7"}  # fmt: skip


@pytest.fixture(scope="module")
def ours():
    return RsaPair("our signing key")


@pytest.fixture(scope="module")
def theirs():
    return RsaPair("the bank")


@pytest.fixture
def call(bank, dial_up, ours, theirs):
    def make(kind, answers, **changes):
        """:param answers: (method, path without query) → (status, body, headers)"""

        def script(request, sock):
            if request.path == "/token":
                return reply(request, 200, {"access_token": "tok", "token_type": "bearer",
                                            "expires_in": 99})  # fmt: skip
            assert request.headers["authorization"] == "Bearer tok"
            answer = answers[request.method, urlsplit(request.path).path]
            return reply(request, *(answer(request) if callable(answer) else answer))

        bank.script = script
        return dial_up(
            bank.url, profile=kind, encrypt_for=theirs.certificate,
            signing=Identity(ours.certificate, ours.key_pem),
            variables={**VALUES, "token_url": f"{bank.url}/token"}, **changes,
        )  # fmt: skip

    return make


@pytest.fixture
def document():
    return Document(PAIN, "pain.001.001.09", service_level="SEPA", name="B00001")


XML = {"Content-Type": "application/xml"}


def test_multipart_and_http_signature(bank, call, document, key):
    path = "/bulk-payments/pain.001-sepa-credit-transfers"
    connector = call("multipart_signed", {
        ("POST", path): (201, {"paymentId": "p 1", "transactionStatus": "RCVD"}),
        ("GET", f"{path}/p%201/status"): (200, REPORT, XML),
    })  # fmt: skip
    receipt = connector.submit(document, key)
    sent = bank.requests[-1]
    head = f"Content-Type: {sent.headers['content-type']}\r\n\r\n".encode()
    (part,) = email.message_from_bytes(head + sent.body, policy=email.policy.HTTP).iter_parts()
    assert part.get_filename() == "B00001.xml"
    assert 'algorithm="rsa-sha512"' in sent.headers["signature"]
    told = connector.inquire(
        key, Document(PAIN, "pain.001.001.09", reference=receipt.bank_reference)
    )
    assert (told.content, told.status) == (REPORT, None), "a pain.002 is handed over unread"
    assert bank.requests[-1].headers["signature"], "questions are signed as well"


def test_base64_in_xml_with_the_key_as_reference(bank, call, document, key):
    inside = base64.b64encode(REPORT)
    connector = call("xml_base64", {
        ("POST", "/payments/initiation"): (200, b"<Response><status>OK</status></Response>", XML),
        ("GET", f"/payments/inquiry/{key}"): (
            200, b"<Response><statusBase64>%s</statusBase64></Response>" % inside, XML),
    })  # fmt: skip
    receipt = connector.submit(document, key)
    sent = bank.requests[-1]
    assert base64.b64decode(ElementTree.fromstring(sent.body).findtext("paymentBase64")) == PAIN
    assert sent.headers["idempotency-id"] == key
    assert receipt.bank_reference == {"key": key}
    assert receipt.status is None, "the bank's own word is no ISO status"
    known = Document(PAIN, "pain.001.001.09", reference=receipt.bank_reference)
    for asked in (known, document):
        told = connector.inquire(key, asked)
        assert (told.content, told.content_type) == (REPORT, "application/xml")


def test_a_4xx_that_may_be_a_duplicate_is_asked_about(call, document, key):
    """CitiConnect's kind answers a duplicate with a 4xx: which one, its paper says."""
    error = b"<error><code>DUP01</code><message>twice</message></error>"
    said = b"<Response><errors>%s</errors></Response>" % error
    connector = call("xml_base64", {("POST", "/payments/initiation"): (400, said, XML)})
    with pytest.raises(Uncertain) as caught:
        connector.submit(document, key)
    assert [str(reason) for reason in caught.value.reasons] == ["DUP01: twice"]
    data = profile("xml_base64")
    data["submit"]["answers"].insert(0, {"status": "4xx", "codes": ["DUP01"], "means": "duplicate"})
    connector = call(data, {("POST", "/payments/initiation"): (400, said, XML)})
    receipt = connector.submit(document, key)
    assert receipt.duplicate
    assert receipt.bank_reference == {"key": key}


def test_a_duplicate_may_be_told_by_the_body(call, document, key):
    data = profile("xml_base64")
    rule = {"status": 409, "where": {"Response.why": ["again"]}, "means": "duplicate"}
    data["submit"]["answers"].insert(0, rule)
    post = ("POST", "/payments/initiation")
    again = b"<Response><why>again</why></Response>"
    assert call(data, {post: (409, again, XML)}).submit(document, key).duplicate
    other = again.replace(b"again", b"other")
    with pytest.raises(Uncertain):
        call(data, {post: (409, other, XML)}).submit(document, key)


@pytest.mark.parametrize("evil", [
    b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><Response><status>&e;</status></Response>',
    b"<a>" * 5000, b"<Response>", b"", b"\x00",
])  # fmt: skip
def test_hostile_xml_is_no_status(call, document, key, evil):
    data = profile("xml_base64")
    data["submit"]["fields"] = {"payment_id": "Response.id"}
    connector = call(data, {("POST", "/payments/initiation"): (200, evil, XML)})
    with pytest.raises(Uncertain):
        connector.submit(document, key)


def test_a_sealed_and_signed_payload(bank, call, ours, theirs, document, key):
    connector = call("sealed_payload", {
        ("POST", "/files"): (202, {"status": "RECEIVED"}),
        ("GET", f"/files/{key}/status"): (200, {"status": "COMPLETED"}),
    })  # fmt: skip
    receipt = connector.submit(document, key)
    sent = bank.requests[-1]
    header, inner = open_jwe(sent.body.decode(), theirs.key)
    assert header["kid"] == "bank-7"
    assert check_jws(inner.decode(), ours.key.public_key())[1] == PAIN
    assert sent.headers["x-message-id"] == key
    assert (receipt.status, receipt.bank_reference) == ("RCVD", {"key": key})
    known = Document(PAIN, "pain.001.001.09", reference=receipt.bank_reference)
    assert connector.inquire(key, known).status == "ACSC", "the bank's word, as ISO says it"


def test_a_message_nobody_confirms_stays_uncertain(call, document, key):
    """A bare 404 is no proof that the bank does not have it."""
    connector = call("sealed_payload", {("GET", f"/files/{key}/status"): (404, {})})
    with pytest.raises(FetchError):
        connector.inquire(key, document)


def test_plain_xml_with_a_bearer_and_reports(bank, call, document, key):
    def listing(request):
        if "page=2" in request.path:
            return 200, {"data": [{"id": "r2", "attributes": {"fileFormat": "CODA"}}]}
        item = {"id": "r1", "attributes": {"fileFormat": "CAMT053", "fileSize": len(REPORT)}}
        return 200, {"data": [item], "links": {"next": f"{bank.url}/account-reports?page=2"}}

    connector = call("bearer_reports", {
        ("POST", "/bulk-payment-initiation-requests"): (
            201, {"data": {"id": "b1", "attributes": {"status": "draft"}}},
            {"Content-Type": "application/vnd.api+json"}),
        ("GET", "/account-reports"): listing,
        ("GET", "/account-reports/r1"): (200, REPORT, XML),
        ("DELETE", "/bulk-payment-initiation-requests/b1"): (204, b""),
    })  # fmt: skip
    receipt = connector.submit(document, key)
    assert bank.requests[-1].headers["content-disposition"] == "inline; filename=B00001.xml"
    assert (receipt.status, receipt.bank_reference["payment_id"]) == ("RCVD", "b1")
    since = datetime(2026, 3, 2, 10, tzinfo=timezone.utc)
    (remote,) = connector.list(["camt.053"], since)
    asked = [r for r in bank.requests if r.path.startswith("/account-reports?")]
    assert parse_qs(urlsplit(asked[0].path).query) == {"from": ["2026-03-02"]}
    assert (remote.id, remote.kind) == ("r1", "camt.053")
    assert connector.fetch(remote) == REPORT
    recall = Document(b"<x/>", "camt.055.001.08", reference=receipt.bank_reference)
    assert connector.submit(recall, key).status == "CANC"


@pytest.mark.parametrize(
    "kind", ["multipart_signed", "xml_base64", "sealed_payload", "bearer_reports"]
)
def test_every_kind_tells_a_refusal_from_an_overload(call, document, key, kind):
    post = {"multipart_signed": "/bulk-payments/pain.001-sepa-credit-transfers",
            "xml_base64": "/payments/initiation", "sealed_payload": "/files",
            "bearer_reports": "/bulk-payment-initiation-requests"}[kind]  # fmt: skip
    for status, outcome in ((403, Refused), (429, NotSent), (500, Uncertain), (302, Uncertain)):
        with pytest.raises(outcome):
            call(kind, {("POST", post): (status, {})}).submit(document, key)


# Statements, pages, acknowledgement


@pytest.fixture
def reader(bank, dial_up, data):
    def make(statements=None, documents=None, **changes):
        del data["documents"]
        if statements:
            data["statements"] = {"path": "/accounts/{account}/transactions", "query": {
                "dateFrom": "{date_from}", "dateTo": "{date_to}"}, **statements}  # fmt: skip
        if documents:
            data["documents"] = documents
        return dial_up(bank.url, profile=data, accounts={"DE00": "acc-1"},
                       now=lambda: datetime.now(timezone.utc), **changes)  # fmt: skip

    return make


def test_each_kind_of_statement_is_asked_for_in_its_own_form(bank, reader):
    forms = {
        "application/json": b'{"booked": []}',
        "text/plain": b":20:X",
        "application/xml": REPORT,
    }

    def script(request, sock):
        accept = request.headers["accept"]
        return reply(request, 200, forms[accept], {"Content-Type": f"{accept}; charset=utf-8"})

    bank.script = script
    connector = reader({"kinds": {
        "camt.053": {"accept": "application/xml", "message_name": "camt.053.001.08"},
        "mt940": "text/plain",
        "transactions": {"accept": "application/json", "query": {"bookingStatus": "booked"}},
    }})  # fmt: skip
    found = {remote.kind: remote for remote in connector.list([])}
    assert {kind: connector.fetch(remote) for kind, remote in found.items()} == {
        "camt.053": REPORT, "mt940": b":20:X", "transactions": b'{"booked": []}'}  # fmt: skip
    assert found["camt.053"].message_name == "camt.053.001.08"
    assert "bookingStatus=booked" in found["transactions"].href
    assert "bookingStatus" not in found["camt.053"].href
    bank.script = lambda request, sock: reply(
        request, 200, b"<html/>", {"Content-Type": "text/html"}
    )
    for remote in found.values():
        with pytest.raises(FetchError):
            connector.fetch(remote)


def test_a_long_period_is_asked_for_in_parts_without_gap_or_overlap(reader):
    connector = reader({"kinds": {"camt.053": "application/xml"}, "span_days": 10, "days": 25})
    spans = [remote.id.split("/")[2:] for remote in connector.list([])]
    days = [tuple(datetime.fromisoformat(day).date() for day in span) for span in spans]
    assert len(days) == 3
    assert all((end - start).days <= 9 for start, end in days)
    assert [(after[0] - before[1]).days for before, after in pairwise(days)] == [
        1,
        1,
    ]
    assert (days[-1][1] - days[0][0]).days == 25


@pytest.mark.parametrize("paging", [
    {"link": "_links.next"}, {"header": True}, {"cursor": "cursor", "parameter": "after"}
])  # fmt: skip
def test_pages_of_a_json_statement_are_joined_exactly(bank, reader, paging):
    raw = {"": b'{"n": 1.10, "_links": {"next": "?after=b"}, "cursor": "b"}', "b": b' {"n":2} '}

    def script(request, sock):
        after = parse_qs(urlsplit(request.path).query).get("after", [""])[0]
        headers = {"Content-Type": "application/json"}
        if not after:
            headers["Link"] = '<?after=b>; rel="next", </first>; rel="first"'
        return reply(request, 200, raw[after], headers)

    bank.script = script
    connector = reader({"kinds": {"transactions": {"accept": "application/json", "next": paging}}})
    (remote,) = connector.list([])
    assert connector.fetch(remote) == b'{"pages":[%s,%s]}' % (raw[""], raw["b"].strip())


@pytest.mark.parametrize("link", ["https://evil.example/x", "//evil.example", "http://127.0.0.1/x"])
def test_no_page_leads_to_another_server(bank, reader, link):
    bank.script = lambda request, sock: reply(
        request, 200, b"{}", {"Content-Type": "application/json", "Link": f"<{link}>; rel=next"}
    )
    connector = reader({"kinds": {"t": {"accept": "application/json", "next": {"header": True}}}})
    (remote,) = connector.list([])
    with pytest.raises(FetchError) as caught:
        connector.fetch(remote)
    assert caught.value.code == "foreign_link"


def test_a_cursor_that_does_not_move_ends_the_reading(bank, reader):
    bank.script = lambda request, sock: reply(request, 200, {"c": "same"})
    connector = reader({"kinds": {"t": {"accept": "application/json",
                                        "next": {"cursor": "c", "parameter": "p"}}}})  # fmt: skip
    (remote,) = connector.list([])
    with pytest.raises(FetchError) as caught:
        connector.fetch(remote)
    assert caught.value.code == "listing_endless"


def test_documents_inside_json_and_an_acknowledgement_with_a_body(bank, reader):
    def script(request, sock):
        if request.method == "PUT":
            assert json.loads(request.body) == {"ids": ["d1"], "state": "read"}
            assert request.headers["content-type"] == "application/json"
            return reply(request, 200, {})
        if request.path.startswith("/inbox/d1"):
            return reply(request, 200, {"file": {"data": base64.b64encode(REPORT).decode()}})
        return reply(request, 200, [{"id": "d1", "type": "STM", "size": len(REPORT)}])

    bank.script = script
    connector = reader(documents={
        "list": {"path": "/inbox", "query": {"types": "{kinds}"}, "items": ".",
                 "fields": {"id": "id", "kind": "type", "size": "size"},
                 "kinds": {"STM": "camt.053"}},
        "fetch": {"path": "/inbox/{id}", "accept": "application/json", "content": "file.data"},
        "acknowledge": {"path": "/inbox/{id}/state", "method": "PUT",
                        "body": {"ids": ["{id}"], "state": "read"}},
    })  # fmt: skip
    (remote,) = connector.list(["camt.053"])
    assert "types=STM" in bank.requests[0].path, "the bank is asked in its own words"
    assert connector.fetch(remote) == REPORT
    connector.acknowledge(remote)
    assert bank.requests[-1].method == "PUT"


def test_a_key_without_hyphens(bank, dial_up, data, document, key):
    data["key"] |= {"header": "Idem", "format": "hex"}
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "p"})
    dial_up(bank.url, profile=data).submit(document, key)
    assert bank.requests[0].headers["idem"] == key.replace("-", "")
