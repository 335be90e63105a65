"""HTTP signatures with a digest of the body, as banks use them.

Sources: draft-cavage-http-signatures-12; RFC 3230 (Digest) with SHA-256 and SHA-512 of RFC 5843;
``keyId`` as ``SN=serial,CA=issuer``: Berlin Group, NextGenPSD2 Implementation Guidelines 1.3,
section 12. No library: those on offer can't be told what must be signed, nor do they look at
what is said twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

LEEWAY_SECONDS = 300
DIGESTS = {"SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
_PARAMETER = re.compile(r'\s*([A-Za-z]+)=(?:"([^"]*)"|(\d+))\s*(?:,|$)')


class BadSignature(Exception):
    """``missing`` says that there is none at all."""

    def __init__(self, text: str, missing: bool = False) -> None:
        super().__init__(text)
        self.missing = missing


def parameters(value: str) -> dict[str, str]:
    """The parameters of a Signature header.

    :raises BadSignature: another grammar, or one named twice.
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(value):
        match = _PARAMETER.match(value, at)
        if not match or match[1] in found:
            raise BadSignature("The Signature header is malformed")
        found[match[1]] = match[2] if match[2] is not None else match[3]
        at = match.end()
    for name in ("keyId", "headers", "signature"):
        if not found.get(name):
            raise BadSignature(f"The Signature header has no {name}")
    return found


def signing_string(names: list[str], method: str, target: str,
                   headers: Mapping[str, str]) -> bytes:
    """What is signed (section 2.3).

    :raises BadSignature: something is named that is not there, or twice.
    """
    if len(set(names)) != len(names):
        raise BadSignature("headers names something twice")
    lines = []
    for name in names:
        if name == "(request-target)":
            lines.append(f"{name}: {method.lower()} {target}")
            continue
        if name != name.lower() or name.startswith("("):
            raise BadSignature(f"{name} can't be signed here")
        values = getall(headers, name)
        if not values:
            raise BadSignature(f"{name} is signed and not there")
        lines.append(f"{name}: {', '.join(value.strip() for value in values)}")
    return "\n".join(lines).encode("latin-1")


def getall(headers: Mapping[str, str], name: str) -> list[str]:
    """All values of a header, in their order."""
    return [value for key, value in headers.items() if key.lower() == name]


def check_digest(value: str, body: bytes) -> None:
    """:raises BadSignature: it does not fit the body, or is of another kind."""
    for part in value.split(","):
        name, _equals, text = part.strip().partition("=")
        if name.upper() not in DIGESTS:
            raise BadSignature("Digest must be SHA-256 or SHA-512")
        if text != base64.b64encode(DIGESTS[name.upper()](body).digest()).decode():
            raise BadSignature("The Digest header does not fit the body")


def check_date(value: str) -> None:
    """:raises BadSignature: it is not a date, or more than five minutes off the real time."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError as error:
        raise BadSignature("Date is not a date") from error
    if moment.tzinfo is None:
        raise BadSignature("Date has no time zone")
    if abs((datetime.now(timezone.utc) - moment).total_seconds()) > LEEWAY_SECONDS:
        raise BadSignature("Date is more than five minutes off: the signature is stale")


def _key_fits(key_id: str, certificate: x509.Certificate) -> bool:
    match = re.fullmatch(r"SN=([0-9A-Fa-f]+),CA=(.+)", key_id)
    if not match or int(match[1], 16) != certificate.serial_number:
        return False
    issuer = {part.strip() for part in certificate.issuer.rfc4514_string().split(",")}
    return {part.strip() for part in unquote(match[2]).split(",")} == issuer


def _verify_bytes(algorithm: str, key: rsa.RSAPublicKey, signature: bytes, data: bytes) -> None:
    hash_algorithm = hashes.SHA256() if algorithm == "rsa-sha256" else hashes.SHA512()
    scheme = padding.PKCS1v15() if algorithm.startswith("rsa") else padding.PSS(
        padding.MGF1(hash_algorithm), hash_algorithm.digest_size)
    try:
        key.verify(signature, data, scheme, hash_algorithm)
    except InvalidSignature as error:
        raise BadSignature("The signature does not fit") from error


def verify(method: str, target: str, headers: Mapping[str, str], body: bytes,
           certificates: list[x509.Certificate]) -> x509.Certificate:
    """Verify a request: Date and X-Request-ID must be signed, with a body also its Digest.

    :param target: path and query, as on the request's first line.
    :param certificates: of the contract; the right one also comes with the request.
    :returns: the certificate.
    :raises BadSignature: in any doubt.
    """
    values = getall(headers, "signature")
    if len(values) != 1:
        raise BadSignature("One Signature header is needed", missing=not values)
    given = parameters(values[0])
    algorithm = given.get("algorithm", "")
    if algorithm not in ("rsa-sha256", "rsa-sha512", "hs2019"):
        raise BadSignature("algorithm must be rsa-sha256, rsa-sha512 or hs2019")
    if "created" in given or "expires" in given:
        raise BadSignature("created and expires are not agreed: Date is signed")
    names = given["headers"].split(" ")
    for needed in ("date", "x-request-id", *(["digest"] if body else [])):
        if needed not in names:
            raise BadSignature(f"{needed} must be signed")
        if len(getall(headers, needed)) != 1:
            raise BadSignature(f"{needed} must be there once")
    if "digest" in names:
        check_digest(getall(headers, "digest")[0], body)
    check_date(getall(headers, "date")[0])
    certificate = _sent_certificate(headers, certificates)
    if not _key_fits(given["keyId"], certificate):
        raise BadSignature("keyId must be SN=serial in hexadecimal,CA=issuer of the certificate")
    try:
        signature = base64.b64decode(given["signature"], validate=True)
    except binascii.Error as error:
        raise BadSignature("The signature is not base64") from error
    _verify_bytes(algorithm, certificate.public_key(), signature,
                  signing_string(names, method, target, headers))
    return certificate


def _sent_certificate(headers: Mapping[str, str],
                      certificates: list[x509.Certificate]) -> x509.Certificate:
    sent = "".join(getall(headers, "tpp-signature-certificate"))
    text = re.sub(r"-----[A-Z ]+-----|\s", "", unquote(sent))
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise BadSignature("TPP-Signature-Certificate is missing or no certificate") from error
    if found not in certificates:
        raise BadSignature("The certificate is not one of this contract, or it is revoked")
    return found


def sign(names: list[str], headers: Mapping[str, str], certificate: x509.Certificate,
         key: rsa.RSAPrivateKey) -> str:
    """The Signature header of an answer, rsa-sha256."""
    signature = key.sign(signing_string(names, "", "", headers), padding.PKCS1v15(),
                         hashes.SHA256())
    key_id = f"SN={certificate.serial_number:x},CA={certificate.issuer.rfc4514_string()}"
    return (f'keyId="{key_id}",algorithm="rsa-sha256",headers="{" ".join(names)}",'
            f'signature="{base64.b64encode(signature).decode()}"')


def digest(body: bytes) -> str:
    """The Digest header of a body."""
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"
