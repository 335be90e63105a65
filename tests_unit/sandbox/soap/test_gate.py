"""Who gets in over SOAP: every code where it belongs, and a hostile client turned away."""

import base64
import gzip
import re
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from sandbox import pki, soap_keys
from sandbox.bank import Bank

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MODEL = "http://model.bxd.fi"


@pytest.fixture
def made(shared, message):
    """A right request for a list, signed, to be taken apart by the test."""
    def work(**more):
        application = shared.application("downloadFileList", Status="ALL")
        header = more.pop("header", {})
        return message(shared.content("downloadFileList", application, **header),
                       more.pop("identity", shared.identity), **more)
    return work


def code(shared, data):
    answer = shared.post(data)
    assert answer.status_code == 200, answer.text
    return shared.reply(answer).code


def test_a_right_request_gets_in(shared, made):
    assert code(shared, made().sign().envelope()) == "24"


def test_wrapping_the_body_is_seen(shared, made):
    """The signed body moved aside, another in its place: with another id, or with the same."""
    signed = made().sign()
    other = made(body_id="B2").body
    moved = f'<x:Old xmlns:x="urn:x">{signed.body}</x:Old>'
    same = other.replace('wsu:Id="B2"', 'wsu:Id="B"')
    bare = other.replace(' wsu:Id="B2"', "")
    for body in (other, same, bare):
        assert code(shared, signed.envelope(body=body, after=moved)) == "02"
        header = signed.envelope().split(b"<s:Header>")[1].split(b"</s:Header>")[0].decode()
        assert code(shared, signed.envelope(header=header + moved, body=body)) == "02"


def test_a_second_body_is_no_envelope(shared, made):
    signed = made().sign()
    for body in (signed.body + made(body_id="C").body, made(body_id="C").body + signed.body):
        answer = shared.post(signed.envelope(body=body))
        assert answer.status_code == 500
        assert fault_code(answer) == "12"


def fault_code(answer):
    root = etree.fromstring(answer.content)
    return root.findtext(f".//{{{MODEL}}}code")


def test_a_changed_body_is_seen(shared, made):
    """A wrong digest: one letter of what was signed is another."""
    signed = made().sign()
    body = signed.body.replace("<m:Language>EN", "<m:Language>SV")
    assert code(shared, signed.envelope(body=body)) == "02"


def test_a_changed_signature_is_seen(shared, made):
    signed = made().sign()
    value = re.search("<ds:SignatureValue>(.*?)</", signed.signature)[1]
    octets = bytearray(base64.b64decode(value))
    octets[7] ^= 4
    signed.signature = signed.signature.replace(value, base64.b64encode(octets).decode())
    assert code(shared, signed.envelope()) == "02"


def test_a_key_of_another_is_seen(shared, made, tmp_path, identity):
    """The customer's certificate, signed with somebody's key."""
    stranger = self_signed(tmp_path, identity)
    signed, right = made(identity=stranger).sign(), made().sign()
    signed.token = right.token
    assert code(shared, signed.envelope()) == "02"


@pytest.mark.parametrize("parts", [("T",), ("B",), ("B", "B"), ("T", "T", "B")])
def test_body_and_timestamp_must_be_signed_once(shared, made, parts):
    assert code(shared, made().sign(*parts).envelope()) == "02"


def test_two_of_anything_are_refused(shared, made):
    """A second timestamp, token, signature or security header, and an id used twice."""
    signed = made().sign()
    for more in (signed.timestamp.replace('"T"', '"T2"'), signed.token.replace('"X"', '"X2"'),
                 signed.signature, '<x Id="B"/>', '<x xml:id="T"/>', '<x ID="X"/>'):
        assert code(shared, signed.envelope(after=more)) == "02", more
    header = re.search(b"<s:Header>(.*)</s:Header>", signed.envelope())[1].decode()
    second = header.replace('Id="X"', 'Id="X9"').replace('Id="T"', 'Id="T9"')
    assert code(shared, signed.envelope(header=header + second)) == "02"


def test_no_security_at_all(shared, made):
    assert code(shared, made().envelope(header="")) == "02"
    body = made().body
    assert code(shared, f'<s:Envelope xmlns:s="{SOAP}">{body}</s:Envelope>'.encode()) == "02"


@pytest.mark.parametrize("method", [
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "none", ""])
def test_weak_algorithms_are_refused(shared, made, method):
    assert code(shared, made(method=method).sign().envelope()) == "02"


def test_what_other_clients_send_is_taken_too(shared, made):
    """Prefixes that are canonicalised inclusively, and fractions of a second."""
    assert code(shared, made(inclusive=True).sign().envelope()) == "24"
    fraction = made(created=moment(0)[:-1] + ".1234567Z", expires=moment(60)[:-1] + "+00:00")
    assert code(shared, fraction.sign().envelope()) == "24"


def test_deep_and_wide_documents_are_survived(shared):
    deep = b"<a>" * 200_000 + b"</a>" * 200_000
    wide = b"<a>" + b"<b/>" * 300_000 + b"</a>"
    for junk in (deep, wide):
        assert shared.post(junk).status_code == 500
        envelope = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode() + junk
        assert shared.post(envelope + b"</s:Body></s:Envelope>").status_code == 500
    for junk in (deep, wide):
        assert shared.reply(shared.send("getUserInfo", junk)).code == "12"


def test_a_stale_or_early_timestamp_is_refused(shared, made):
    ago, ahead = (lambda m: moment(-m)), moment
    for created, expires in ((ago(30), ago(20)), (ago(30 * 60), ahead(60 * 24)),
                             (ahead(30), ahead(40)), ("yesterday", ahead(5))):
        assert code(shared, made(created=created, expires=expires).sign().envelope()) == "02"
    late = made(created=ago(4), expires=ago(1))
    assert code(shared, late.sign().envelope()) == "24", "clocks may differ by five minutes"


def moment(minutes):
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("junk", [
    b"", b"not xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    f'<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>'.encode(),
    f'<s:Envelope xmlns:s="{SOAP}"><s:Body><!-- a --><b/></s:Body></s:Envelope>'.encode(),
    "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16")])
def test_what_is_no_envelope_gets_a_fault(shared, junk):
    answer = shared.post(junk)
    assert answer.status_code == 500
    assert fault_code(answer) == "12" or b"operation" in answer.content


def test_another_content_type_is_refused(shared, made):
    answer = shared.session.post(shared.url(), data=made().sign().envelope(), timeout=10,
                                 headers={"Content-Type": "application/json"})
    assert answer.status_code == 415


def test_an_unknown_operation(shared, message):
    content = shared.content("stealFile", b"<a/>")
    answer = shared.post(message(content, shared.identity).sign().envelope())
    assert (answer.status_code, fault_code(answer)) == (500, "05")


@pytest.mark.parametrize("header", [
    {"RequestId": "x" * 36}, {"RequestId": ""}, {"RequestId": None}, {"Timestamp": "now"},
    {"ReceiverId": None}, {"Extra": "1"}])
def test_a_header_that_is_not_as_described(shared, made, header):
    answer = shared.post(made(header=header).sign().envelope())
    assert (answer.status_code, fault_code(answer)) == (500, "12")


def test_language_and_agent_may_be_missing(shared, made):
    header = {"Language": None, "UserAgent": None}
    assert code(shared, made(header=header).sign().envelope()) == "24"


def test_the_sender_must_be_who_signed(shared, made, soap_enrol, shared_bank, tmp_path, identity):
    other = soap_enrol(shared_bank, f"SOAP-{uuid.uuid4().hex[:6]}")
    assert code(shared, made(header={"SenderId": "4711"}).sign().envelope()) == "07"
    assert code(shared, made(header={"SenderId": other.soap["senderId"]}).sign()
                .envelope()) == "03"
    assert code(shared, made(identity=other.identity).sign().envelope()) == "03"
    assert code(shared, made(identity=self_signed(tmp_path, identity)).sign().envelope()) == "04"
    assert code(shared, made(header={"ReceiverId": "OTHER"}).sign().envelope()) == "29"


def self_signed(folder: Path, identity):
    """A certificate of nobody, with its key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(key.public_key()).serial_number(1).not_valid_before(now)
                   .not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256()))
    (folder / "n.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "n.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return identity(folder / "n.pem", folder / "n.key")


def test_encryption_and_tls_certificates_do_not_sign(shared, made, identity):
    for name in ("encryption", "client"):
        wrong = identity(shared.folder / f"{name}.pem", shared.folder / f"{name}.key")
        assert code(shared, made(identity=wrong).sign().envelope()) == "04"


def test_a_signing_certificate_opens_no_tls(shared):
    with pytest.raises(requests.exceptions.ConnectionError):
        shared.session.get(shared.url() + "?wsdl", timeout=10, cert=(
            str(shared.folder / "ca.pem"), str(shared.folder / "signing.key")))
    rest = f"https://localhost:{shared.bank.ports['port']}/v1/contract"
    answer = shared.session.get(rest, timeout=10, cert=(
        str(shared.folder / "signing.pem"), str(shared.folder / "signing.key")))
    assert answer.status_code == 401


def test_a_revoked_certificate_is_refused_and_listed(shared_bank, soap_enrol):
    customer = soap_enrol(shared_bank, "SOAP-REVOKED")
    assert customer.call("getUserInfo").code == "00"
    crl = customer.session.get(customer.url("/ws/revoked.crl"), timeout=10).content
    serial = customer.identity.certificate.serial_number
    before = x509.load_der_x509_crl(crl)
    assert before.get_revoked_certificate_by_serial_number(serial) is None
    shared_bank.desk("POST", "/admin/contracts/SOAP-REVOKED/revoke-certificate", json={})
    assert customer.call("getUserInfo").code == "04"
    after = x509.load_der_x509_crl(
        customer.session.get(customer.url("/ws/revoked.crl"), timeout=10).content)
    assert after.get_revoked_certificate_by_serial_number(serial)
    ca = x509.load_pem_x509_certificate((customer.folder / "ca.pem").read_bytes())
    assert after.is_signature_valid(ca.public_key())


@pytest.mark.parametrize("state", ["08", "09", "10", "11", "14", "15", "16", "17", "06"])
def test_the_desk_can_lock_a_contract(shared_bank, shared, state):
    path = "/admin/contracts/SOAP-SHARED/soap"
    shared_bank.desk("POST", path, json={"state": state})
    assert shared.call("getUserInfo").code == state
    shared_bank.desk("POST", path, json={"state": ""})
    assert shared.call("getUserInfo").code == "00"
    shared_bank.desk("POST", path, expect=400, json={"state": "99"})


def test_a_contract_may_need_the_tls_certificate(shared_bank, soap_enrol):
    customer = soap_enrol(shared_bank, "SOAP-TLS", client_certificate=True)
    other = soap_enrol(shared_bank, "SOAP-TLS2")
    assert customer.call("getUserInfo").code == "30"
    for whose, expected in ((other, "30"), (customer, "00")):
        customer.session.close()  # the next request makes its own connection
        customer.session.cert = (str(whose.folder / "client.pem"),
                                 str(whose.folder / "client.key"))
        assert customer.call("getUserInfo").code == expected


@pytest.mark.parametrize("style", ["exclusive", "inclusive"])
def test_both_canonicalisations_are_taken(shared, style):
    reply = shared.reply(shared.send("getUserInfo", shared.application("getUserInfo", style)))
    assert reply.code == "00"


@pytest.mark.parametrize(("style", "expected"), [("sha1", "18"), ("unsigned", "18")])
def test_a_weak_or_missing_content_signature(shared, style, expected):
    application = shared.application("getUserInfo", style)
    assert shared.reply(shared.send("getUserInfo", application)).code == expected


def test_hostile_content_signatures(shared):
    """Changed after signing, signed twice, signed elsewhere, with a comment slipped in."""
    right = shared.application("getUserInfo").decode()
    signature = re.search("<ds:Signature.*</ds:Signature>", right)[0]
    for wrong, expected in (
            (right.replace("test 1", "test 2"), "18"),
            (right.replace(signature, signature + signature), "12"),
            (right.replace('URI=""', 'URI="#a"'), "18"),
            (right.replace(signature, f"<CustomerExtension>{signature}</CustomerExtension>"), "18"),
            (right.replace("</SoftwareId>", "</SoftwareId><CustomerExtension>" + signature
                           + "</CustomerExtension>").replace(signature + "</App", "</App"), "18"),
            (right.replace("test 1", "te<!-- -->st 1"), "12"),
            (right.replace("enveloped-signature", "base64"), "18"),
            (right.replace("<Command>", "<Command >").replace("test 1", "test&#32;1"), "00")):
        reply = shared.reply(shared.send("getUserInfo", wrong.encode()))
        assert reply.code == expected, wrong[:200]


def test_content_signed_by_another(shared, shared_bank, soap_enrol, tmp_path, identity):
    other = soap_enrol(shared_bank, f"SOAP-{uuid.uuid4().hex[:6]}")
    own = shared.identity
    try:
        for stranger in (other.identity, self_signed(tmp_path, identity)):
            shared.identity = stranger
            application = shared.application("getUserInfo")
            shared.identity = own
            assert shared.reply(shared.send("getUserInfo", application)).code == "19"
    finally:
        shared.identity = own


@pytest.mark.parametrize(("fields", "expected"), [
    ({"CustomerId": "4711"}, "13"), ({"CustomerId": "1" * 17}, "12"),
    ({"Environment": "PRODUCTION"}, "29"), ({"Environment": "LIVE"}, "12"),
    ({"SoftwareId": None}, "12"), ({"Timestamp": None}, "12"), ({"Timestamp": "soon"}, "12"),
    ({"TargetId": "other"}, "29"), ({"Command": "UploadFile"}, "29"),
    ({"Status": "OLD"}, "29"), ({"Status": "01234567890"}, "12"), ({"FileType": "MT940"}, "29"),
    ({"StartDate": "2026-11-24", "EndDate": "2026-11-23"}, "29"), ({"StartDate": "today"}, "12"),
])
def test_a_list_with_wrong_parameters(shared, fields, expected):
    assert shared.call("downloadFileList", **fields).code == expected


def packed(octets):
    return base64.b64encode(gzip.compress(octets)).decode()


@pytest.mark.parametrize(("fields", "expected"), [
    ({"FileType": None}, "29"), ({"UserFilename": None}, "29"), ({"Content": None}, "29"),
    ({"Content": "***"}, "12"), ({"FileType": "MT101"}, "20"),
    ({"FileType": "camt.053.001.08"}, "25"), ({"FileType": "NDCORPAYS"}, "25"),
    ({"FileType": "pain.001.001.09"}, "20"), ({"Content": "bm90IHhtbA=="}, "23"),
    ({"Content": packed(b"not xml"), "Compression": "true"}, "23"),
    ({"Compression": "true"}, "21"),
    ({"Content": packed(b"<a/>")[:-12] + "AAAAAAAAAAA=", "Compression": "true"}, "21"),
    ({"Content": packed(b"<a/>"), "Compression": "true", "CompressionMethod": "ZIP"}, "21"),
    ({"Content": packed(b" " * 60_000_000), "Compression": "true"}, "21"),
])
def test_an_upload_that_is_not_taken(shared, pain001, iban, fields, expected):
    """Nothing of it is stored; a gzip bomb is not unpacked beyond the limit."""
    before = shared.bank.desk("GET", "/admin/submissions")
    document = pain001(shared.iban, [("NO", iban("DE"), "1.00")]).bytes()
    assert shared.upload(document, **fields).code == expected
    assert shared.bank.desk("GET", "/admin/submissions") == before


def test_a_certificate_that_ran_out(shared, shared_bank, made, identity, tmp_path):
    """The bank issued it to this customer, but its time is over: on either layer."""
    bank = Bank(shared_bank.folder)
    key = rsa.generate_private_key(65537, 2048)
    old = bank.authority.issue_document(
        "SOAP-SHARED", "Example GmbH", key.public_key(), pki.SIGNS_DOCUMENTS,
        datetime.now(timezone.utc) - timedelta(days=pki.LEAF_DAYS + 1))
    with bank.store.write() as connection:
        soap_keys.record(connection, "SOAP-SHARED", "signing", old)
    (tmp_path / "o.pem").write_bytes(old.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "o.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    expired, own = identity(tmp_path / "o.pem", tmp_path / "o.key"), shared.identity
    assert code(shared, made(identity=expired).sign().envelope()) == "04"
    shared.identity = expired
    try:
        application = shared.application("getUserInfo")
    finally:
        shared.identity = own
    assert shared.reply(shared.send("getUserInfo", application)).code == "19"
