"""What is signed and sealed: requests are verified, answers are the bank's."""

import email.utils
import time
import uuid

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto.jws import InvalidJWSSignature

from sandbox import jose

PATH, REPORTS = "/api/payments", "/api/reports"
STRANGER = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
CLAIM = "http://openbanking.org.uk/"


def post_signed(client, content, tamper=lambda headers: headers, **options):
    """A multipart payment whose signature may be made wrong; ``tamper`` changes what is sent."""
    body, media = client.pack(content)
    headers = {"Content-Type": media, "X-Request-ID": str(uuid.uuid4()), **client.identity(),
               **options.pop("headers", {})}
    signed = client.http_signature("POST", PATH, headers, options.pop("body", body), **options)
    return client.request("POST", PATH, body, sign=tamper({"Content-Type": media, **signed}))


def test_requests_and_answers_are_signed(channel, transfer):
    client = channel("multipart")
    answer = post_signed(client, transfer(client))
    assert answer.status_code == 201, answer.text
    client.check_http(answer)
    client.check_http(client.request("GET", REPORTS))
    refusal = client.request("GET", "/api/payments/nothing")
    assert refusal.status_code == 404
    client.check_http(refusal)


@pytest.mark.parametrize("options", [
    {"body": b"another body"}, {"key": STRANGER}, {"names": ["date", "x-request-id"]},
    {"names": ["date", "digest"]}, {"names": ["digest", "x-request-id"]},
    {"names": ["date", "date", "digest", "x-request-id"]},
    {"names": ["date", "digest", "x-request-id", "x-nothing"]},
    {"headers": {"Date": email.utils.formatdate(time.time() - 900, usegmt=True)}},
    {"headers": {"Date": email.utils.formatdate(time.time() + 900, usegmt=True)}},
    {"headers": {"Date": "yesterday"}}, {"headers": {"Digest": "MD5=AAAA"}},
    {"algorithm": "hmac-sha256"}, {"algorithm": "rsa-sha512"}, {"key_id": "SN=1,CA=CN=x"},
    {"tamper": lambda h: {**h, "X-Request-ID": str(uuid.uuid4())}},
    {"tamper": lambda h: {**h, "Signature": h["Signature"].replace("keyId", "keyID")}},
    {"tamper": lambda h: {**h, "Signature": h["Signature"] + ',keyId="x"'}},
    {"tamper": lambda h: {**h, "Signature": "," + h["Signature"]}},
    {"tamper": lambda h: {**h, "TPP-Signature-Certificate": None}},
    {"tamper": lambda h: {**h, "TPP-Signature-Certificate": "AAAA"}},
    {"tamper": lambda h: {**h, "Signature": None}}])
def test_a_request_whose_signature_is_off_is_not_carried_out(shared_bank, channel, transfer,
                                                             options):
    client = channel("multipart")
    answer = post_signed(client, transfer(client), **options)
    assert answer.status_code == 401, answer.text
    assert answer.json()["tppMessages"][0]["code"].startswith("SIGNATURE_")
    client.check_http(answer)
    stored = shared_bank.desk("GET", "/admin/submissions")["submissions"]
    assert client.contract["contractId"] not in {row["contract"] for row in stored}


def test_what_is_signed_for_one_address_is_not_good_for_another(channel):
    client = channel("multipart")
    headers = {"X-Request-ID": str(uuid.uuid4()), **client.identity()}
    signed = client.http_signature("GET", REPORTS, headers, None)
    assert client.request("GET", REPORTS, sign=signed).status_code == 200
    assert client.request("GET", REPORTS + "?status=all", sign=signed).status_code == 401


def test_another_contracts_signature_is_not_good(channel, transfer):
    client, other = channel("multipart"), channel("multipart")
    answer = post_signed(client, transfer(client), key=other.key, certificate=other.certificate)
    assert answer.status_code == 401


def consent_body():
    return (b'{"Data": {"Initiation": {"FileType": "UK.OBIE.pain.001.001.09", "FileHash": '
            b'"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "NumberOfTransactions": "1", '
            b'"ControlSum": 12.5}}}')


def post_jws(client, mark, body=None):
    body = body or consent_body()
    return client.request("POST", "/open-banking/v4.0/pisp/file-payment-consents", body, {
        "Content-Type": "application/json", "x-idempotency-key": uuid.uuid4().hex},
        sign={"x-jws-signature": mark})


@pytest.mark.parametrize("encoded", [True, False])
def test_a_detached_jws_signs_requests_and_answers(channel, encoded):
    """Encoded as version 4.0 wants it, and as the versions before: b64 false, in crit."""
    client = channel("obie")
    answer = post_jws(client, client.jws_signature(consent_body(), encoded=encoded))
    assert answer.status_code == 201, answer.text
    assert abs(client.check_jws(answer)[f"{CLAIM}iat"] - time.time()) < 60


def crit(*names):
    return [f"{CLAIM}{name}" for name in ("iat", "iss", "tan", *names)]


@pytest.mark.parametrize(("code", "members"), [
    ("U016", {"alg": "none"}), ("U016", {"alg": "RS256"}), ("U016", {"kid": "other"}),
    ("U017", {"kid": None}), ("U017", {f"{CLAIM}iat": None}), ("U017", {f"{CLAIM}tan": None}),
    ("U016", {f"{CLAIM}iat": 1}), ("U016", {f"{CLAIM}iat": "now"}),
    ("U016", {f"{CLAIM}iss": "somebody"}), ("U016", {f"{CLAIM}tan": "other.example"}),
    ("U017", {"crit": crit()[:2]}), ("U017", {"crit": None}), ("U016", {"crit": []}),
    ("U016", {"crit": [*crit(), "http://example.com/x"], "http://example.com/x": 1}),
    ("U016", {"crit": [*crit(), crit()[0]]}), ("U016", {"b64": False}),
    ("U015", {"key": STRANGER})])
def test_a_jws_whose_header_is_off_is_refused(channel, code, members):
    client = channel("obie")
    answer = post_jws(client, client.jws_signature(consent_body(), **members))
    assert answer.status_code == 400, answer.text
    assert answer.json()["Errors"][0]["ErrorCode"] == code
    client.check_jws(answer)


def test_a_jws_is_of_this_body_and_detached(channel):
    client = channel("obie")
    right = client.jws_signature(consent_body())
    head, _nothing, mark = right.split(".")
    for given, code in ((client.jws_signature(b"{}"), "U015"), (f"{head}.e30.{mark}", "U018"),
                       (f"{head}.{mark}", "U018"), (right + "=", "U018"), (None, "U019")):
        answer = post_jws(client, given)
        assert answer.status_code == 400
        assert answer.json()["Errors"][0]["ErrorCode"] == code, given


@pytest.mark.parametrize("members", [
    {"zip": "DEF"}, {"kid": "other"}, {"enc": "A128CBC-HS256"}, {"crit": ["x"], "x": 1}])
def test_a_sealed_payload_is_sealed_as_agreed(channel, transfer, members):
    client = channel("sealed")
    body = f'{{"payload": "{client.seal(transfer(client), **members)}"}}'.encode()
    answer = client.request("POST", PATH, body, {
        "Content-Type": "application/json", "x-Message-Id": str(uuid.uuid4())})
    assert answer.status_code == 400


def test_a_sealed_payload_is_signed_by_the_contract_and_whole(channel, transfer):
    client, other = channel("sealed"), channel("sealed")
    sealed = client.seal(transfer(client))
    parts = sealed.split(".")
    changed = ".".join([*parts[:3], ("A" if parts[3][0] != "A" else "B") + parts[3][1:], parts[4]])
    for payload in (client.seal(transfer(client), signed_by=STRANGER), changed,
                    client.seal(transfer(client), signed_by=other.key)):
        answer = client.request("POST", PATH, payload.encode(), {
            "Content-Type": "application/jose", "x-Message-Id": str(uuid.uuid4())})
        assert answer.status_code == 400, answer.text
    assert client.request("POST", PATH, sealed.encode(), {
        "Content-Type": "application/jose+jwe",
        "x-Message-Id": str(uuid.uuid4())}).status_code == 201


@pytest.mark.parametrize("action", ["content_signature", "stranger"])
def test_the_fault_plan_signs_wrongly(bank, channel_at, action):
    """A customer who verifies sees it; one who does not would not."""
    for kind, mark in (("multipart", InvalidSignature), ("obie", InvalidJWSSignature)):
        client = channel_at(bank, kind)
        check = client.check_http if kind == "multipart" else client.check_jws
        check(client.request("GET", REPORTS))
        bank.fault(point="after_commit", action=action, times=1)
        answer = client.request("GET", REPORTS)
        assert answer.status_code == 200
        with pytest.raises(mark):
            check(answer)


def test_the_fault_plan_does_not_sign_and_answers_for_another(bank, channel_at):
    client = channel_at(bank, "multipart")
    bank.fault(point="after_commit", action="unsigned", method="GET", times=1)
    assert "Signature" not in client.request("GET", REPORTS).headers
    bank.fault(point="after_commit", action="other", method="GET", times=1)
    first = client.request("GET", REPORTS)
    # The answer of before, signed by the bank with the number of before.
    assert first.headers["X-Request-ID"] != first.request.headers["X-Request-ID"]
    client.check_http(first)


@pytest.mark.parametrize("text", ["", "a", "a=", "AAB", "a b", "é", "-_-"])
def test_base64url_has_one_form(text):
    """The empty text is nothing; the others are cut off, padded or have bits that do not count."""
    if text == "":
        assert jose.decode(text) == b""
    else:
        with pytest.raises(jose.BadJose):
            jose.decode(text)
