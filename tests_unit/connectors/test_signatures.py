"""Requests signed as the bank can verify, and answers believed only when the bank signed them."""

import base64
import hashlib
import json
import re
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from connectors import Identity, NotSent, SettingsError, Trust, Uncertain
from connectors.http_signature import _parameters, signing_string
from connectors.interface import FetchError
from tests_unit.connectors.kinds import RsaPair, check_jws, make_jws
from tests_unit.connectors.server import reply

PAID = {"transactionStatus": "RCVD", "paymentId": "pay-1"}
HTTP = {
    "kind": "http", "algorithm": "rsa-sha256",
    "key_id": "SN={certificate_serial_hex},CA={certificate_issuer}",
    "headers": ["(request-target)", "digest", "x-request-id", "date"],
    "read_headers": ["(request-target)", "x-request-id"],
    "certificate_header": "TPP-Signature-Certificate",
}  # fmt: skip
JWS = {
    "kind": "jws", "algorithm": "PS256", "key_id": "kid-1",
    "members": {"http://openbanking.org.uk/iat": "number:{now}",
                "http://openbanking.org.uk/iss": "CN={contract_id}"},
    "critical": ["http://openbanking.org.uk/iat", "http://openbanking.org.uk/iss"],
}  # fmt: skip


@pytest.fixture(scope="module")
def ours():
    return RsaPair("our signing key")


@pytest.fixture(scope="module")
def theirs():
    return RsaPair("the bank")


@pytest.fixture
def call(bank, dial_up, data, ours, theirs):
    """Return a function that connects under a signature's settings."""

    def make(signature, **changes):
        data["signature"] = signature
        settings = {
            "signing": Identity(ours.certificate, ours.key_pem),
            "signers": Trust(theirs.certificate),
            **changes,
        }
        return dial_up(bank.url, profile=data, **settings)

    return make


def signature_of(request):
    """Read the Signature header by hand."""
    return dict(re.findall(r'(\w+)="([^"]*)"', request.headers["signature"]))


def signed_text(request, names):
    lines = []
    for name in names.split():
        target = f"{request.method.lower()} {request.path}"
        value = target if name == "(request-target)" else request.headers[name]
        lines.append(f"{name}: {value}")
    return "\n".join(lines).encode()


def test_a_payment_is_signed_with_its_digest(bank, call, ours, document, key):
    bank.script = lambda request, sock: reply(request, 201, PAID)
    call(HTTP).submit(document, key)
    (request,) = bank.requests
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    assert request.headers["digest"] == f"SHA-256={digest}"
    parts = signature_of(request)
    assert parts["headers"] == "(request-target) digest x-request-id date"
    assert parts["algorithm"] == "rsa-sha256"
    assert parts["keyId"] == "SN=A1B2C3,CA=CN=our signing key"
    ours.key.public_key().verify(
        base64.b64decode(parts["signature"]), signed_text(request, parts["headers"]),
        padding.PKCS1v15(), hashes.SHA256(),
    )  # fmt: skip
    sent = base64.b64decode(request.headers["tpp-signature-certificate"])
    assert sent in base64.b64decode(b"".join(ours.certificate.split(b"\n")[1:-2]))


def test_a_question_is_signed_too(bank, call, ours, document, key):
    """Its target as it goes over the wire, query and all."""
    bank.script = lambda request, sock: reply(request, 200, {"documents": []})
    list(call(HTTP).list(["camt.053"]))
    (request,) = bank.requests
    assert "?" in request.path
    parts = signature_of(request)
    ours.key.public_key().verify(
        base64.b64decode(parts["signature"]),
        signed_text(request, "(request-target) x-request-id"),
        padding.PKCS1v15(), hashes.SHA256(),
    )  # fmt: skip
    assert "digest" not in request.headers


def test_where_the_bank_wants_the_digest_of_nothing(bank, call, document):
    bank.script = lambda request, sock: reply(request, 200, {"documents": []})
    list(call({**HTTP, "read_headers": ["date", "digest"], "digest": "SHA-512"}).list([]))
    (request,) = bank.requests
    nothing = base64.b64encode(hashlib.sha512(b"").digest()).decode()
    assert request.headers["digest"] == f"SHA-512={nothing}"
    assert request.headers["date"].endswith(" GMT")


def test_pss_for_hs2019(bank, call, ours, document, key):
    bank.script = lambda request, sock: reply(request, 201, PAID)
    call({**HTTP, "algorithm": "hs2019"}).submit(document, key)
    parts = signature_of(bank.requests[0])
    ours.key.public_key().verify(
        base64.b64decode(parts["signature"]), signed_text(bank.requests[0], parts["headers"]),
        padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512(),
    )  # fmt: skip


def test_a_header_that_is_to_be_signed_and_is_not_there(bank, call, document, key):
    with pytest.raises(NotSent) as caught:
        call({**HTTP, "headers": ["digest", "psu-device"]}).submit(document, key)
    assert caught.value.code == "request_invalid"
    assert not bank.requests


def bank_signs(theirs, **spoilt):
    """Answer signed by the bank over digest and X-Request-ID; `spoilt` replaces parts."""

    def script(request, sock):
        body = json.dumps(PAID).encode()
        digest = base64.b64encode(hashlib.sha256(spoilt.get("body", body)).digest()).decode()
        headers = {
            "X-Request-ID": request.headers["x-request-id"],
            "Digest": f"SHA-256={digest}",
            "Content-Type": "application/json",
        }
        names = spoilt.get("names", "digest x-request-id")
        small = {name.lower(): value for name, value in headers.items()}
        text = "\n".join(f"{name}: {small[name]}" for name in names.split())
        key = spoilt.get("key", theirs.key)
        signature = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
        headers["Signature"] = (
            f'keyId="bank",algorithm="{spoilt.get("algorithm", "rsa-sha256")}",'
            f'headers="{names}",signature="{signature.decode()}"'
        )
        for name in spoilt.get("without", ()):
            del headers[name]
        headers |= spoilt.get("extra", {})
        return reply(request, spoilt.get("status", 201), body, headers)

    return script


VERIFIED = {**HTTP, "verify": ["digest", "x-request-id"]}


def test_the_banks_signature_is_believed(bank, call, theirs, document, key):
    bank.script = bank_signs(theirs)
    assert call(VERIFIED).submit(document, key).status == "RCVD"
    bank.script = bank_signs(theirs, status=200)
    assert call(VERIFIED).inquire(key, document).status == "RCVD"


def spoilt_answers(ours):
    return {
        "unsigned": {"without": ["Signature"]},
        "without digest": {"without": ["Digest"]},
        "another body": {"body": b"{}"},
        "another key": {"key": ours.key},
        "too little signed": {"names": "x-request-id"},
        "an algorithm of the sender's choice": {"algorithm": "hmac-sha256"},
        "a second digest": {"extra": {"Digest": "SHA-256=AAAA"}},
        "junk": {"extra": {"Signature": 'signature="%%%",headers="digest"'}},
        "twice the signature": {"extra": {"Signature": 'signature="a",signature="b"'}},
    }


@pytest.mark.parametrize("name", spoilt_answers(RsaPair("names only")))
def test_any_other_answer_is_no_receipt_and_no_refusal(
    bank, call, ours, theirs, document, key, name
):
    spoilt = spoilt_answers(ours)[name]
    for status in (201, 400):
        bank.script = bank_signs(theirs, **spoilt, status=status)
        with pytest.raises(Uncertain) as caught:
            call(VERIFIED).submit(document, key)
        assert caught.value.code == "wrong_signature"
    bank.script = bank_signs(theirs, **spoilt, status=200)
    with pytest.raises(FetchError) as caught:
        call(VERIFIED).inquire(key, document)
    assert caught.value.code == "wrong_signature"
    assert not call(VERIFIED).check().ok


def test_an_unsigned_word_that_the_bank_does_not_know_a_message_frees_nothing(
    bank, call, document, key
):
    unknown = {"tppMessages": [{"code": "RESOURCE_UNKNOWN"}]}
    bank.script = lambda request, sock: reply(request, 404, unknown)
    assert call(HTTP).inquire(key, document) is None
    with pytest.raises(FetchError) as caught:
        call(VERIFIED).inquire(key, document)
    assert caught.value.code == "wrong_signature"


# Detached JWS


@pytest.mark.parametrize("encoded", [True, False])
def test_a_detached_jws_over_the_body(bank, call, ours, document, key, encoded):
    bank.script = lambda request, sock: reply(request, 201, PAID)
    call({**JWS, "b64": encoded}).submit(document, key)
    (request,) = bank.requests
    header, _ = check_jws(
        request.headers["x-jws-signature"], ours.key.public_key(), request.body, encoded
    )
    critical = ["http://openbanking.org.uk/iat", "http://openbanking.org.uk/iss"]
    assert header["crit"] == ([] if encoded else ["b64"]) + critical
    assert ("b64" in header) is not encoded
    assert abs(header["http://openbanking.org.uk/iat"] - time.time()) < 10
    assert header["http://openbanking.org.uk/iss"] == "CN=CORP-001"
    assert header["kid"] == "kid-1"


def test_a_question_has_nothing_to_sign(bank, call, document, key):
    bank.script = lambda request, sock: reply(request, 200, PAID)
    call(JWS).inquire(key, document)
    assert "x-jws-signature" not in bank.requests[0].headers


def jws_answer(make, status=201):
    def script(request, sock):
        body = json.dumps(PAID).encode()
        return reply(request, status, body, {
            "Content-Type": "application/json", "x-jws-signature": make(body)})  # fmt: skip

    return script


@pytest.mark.parametrize("b64", [{}, {"b64": False, "crit": ["b64"]}])
def test_the_banks_jws_is_believed(bank, call, theirs, document, key, b64):
    bank.script = jws_answer(lambda body: make_jws(theirs.key, body, b64, detached=True))
    assert call({**JWS, "verify": True}).submit(document, key).status == "RCVD"


@pytest.mark.parametrize(
    "make",
    [
        lambda ours, theirs: lambda body: "",
        lambda ours, theirs: lambda body: "a.b.c",
        lambda ours, theirs: lambda body: make_jws(ours.key, body, {}, detached=True),
        lambda ours, theirs: lambda body: make_jws(theirs.key, b"{}", {}, detached=True),
        lambda ours, theirs: lambda body: make_jws(theirs.key, body, {}),
        lambda ours, theirs: lambda body: make_jws(
            theirs.key, body, {"alg": "RS256"}, detached=True),
        lambda ours, theirs: lambda body: make_jws(
            theirs.key, body, {"crit": ["exp"], "exp": 1}, detached=True),
        lambda ours, theirs: lambda body: make_jws(theirs.key, body, {"b64": False}, detached=True),
        lambda ours, theirs: lambda body: "eyJhbGciOiJub25lIn0..",
        lambda ours, theirs: lambda body: "." * 100_000,
    ],
)  # fmt: skip
def test_any_other_jws_is_no_receipt(bank, call, ours, theirs, document, key, make):
    bank.script = jws_answer(make(ours, theirs))
    with pytest.raises(Uncertain) as caught:
        call({**JWS, "verify": True}).submit(document, key)
    assert caught.value.code in ("wrong_signature", "half_answer", "protocol", "reset")


def test_a_key_in_the_signature_itself_is_not_looked_at(bank, call, ours, document, key):
    numbers = ours.key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    jwk = {
        "kty": "RSA",
        "e": "AQAB",
        "n": base64.urlsafe_b64encode(numbers.n.to_bytes(size, "big")).decode().rstrip("="),
    }
    bank.script = jws_answer(lambda body: make_jws(ours.key, body, {"jwk": jwk}, detached=True))
    with pytest.raises(Uncertain) as caught:
        call({**JWS, "verify": True}).submit(document, key)
    assert caught.value.code == "wrong_signature"


# Settings


@pytest.mark.parametrize(
    ("signature", "changes", "code", "said"),
    [
        (VERIFIED, {"signers": None}, "signers", "is missing"),
        (VERIFIED, {"signers": Trust(b"junk")}, "signers", "cannot be used"),
        (HTTP, {"signing": None}, "key", "cannot sign with rsa-sha256"),  # TLS's key is EC
        (JWS, {"signing": None}, "key", "cannot sign with PS256"),
        ({**HTTP, "headers": ["date"]}, {}, "profile", "signature.headers must hold digest"),
        ({**HTTP, "headers": ["Digest"]}, {}, "profile", "small letters"),
        ({**HTTP, "headers": ["digest", "digest"]}, {}, "profile", "names a header twice"),
        ({**HTTP, "verify": ["date"]}, {}, "profile", "signature.verify must hold digest"),
        ({**HTTP, "algorithm": "hmac-sha256"}, {}, "profile", "signature.algorithm must be one"),
        ({**JWS, "algorithm": "HS256"}, {}, "profile", "signature.algorithm must be one of"),
        ({**JWS, "algorithm": "none"}, {}, "profile", "signature.algorithm must be one of"),
        ({**JWS, "critical": ["x"]}, {}, "profile", "which is not in members"),
        ({**JWS, "members": {"alg": "x"}, "critical": []}, {}, "profile", "cannot hold alg"),
        ({"kind": "seal"}, {}, "profile", "signature.kind must be one of"),
    ],
)
def test_a_mistake_is_named_before_anything_is_sent(call, signature, changes, code, said):
    with pytest.raises(SettingsError) as caught:
        call(signature, **changes)
    assert caught.value.code == code
    assert said in caught.value.message


def test_short_keys_of_the_bank_are_not_trusted(call):
    with pytest.raises(SettingsError) as caught:
        call(VERIFIED, signers=Trust(RsaPair("short", 1024).certificate))
    assert "2048" in caught.value.message


# The signed text


names = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), unique=True, min_size=1)
values = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(names, st.data())
def test_different_headers_are_never_signed_as_the_same_text(listed, draw):
    """The text can be read back: each line one header, in the given order."""
    given_headers = {name: draw.draw(values) for name in listed}
    text = signing_string(listed, given_headers, None).decode()
    assert [line.split(": ", 1) for line in text.split("\n")] == [
        [name, given_headers[name]] for name in listed
    ]


@given(st.text())
def test_no_signature_header_breaks_the_reader(text):
    found = _parameters(text)
    assert found is None or "signature" in found
