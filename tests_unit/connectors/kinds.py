"""What the tests of a bank's kind share: our own RSA identity, and checks of signatures by hand.

Nothing here uses the libraries that the connectors sign and seal with.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class RsaPair:
    """A self-signed certificate with an RSA key."""

    def __init__(self, name: str, bits: int = 2048) -> None:
        self.key = rsa.generate_private_key(65537, bits)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(timezone.utc)
        self.leaf = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .serial_number(0xA1B2C3)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )
        self.certificate = self.leaf.public_bytes(Encoding.PEM)
        self.key_pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def unbase64(text: str) -> bytes:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def tobase64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def check_jws(text, public, payload=None, encoded=True):
    """Verify an RSA JWS by hand; returns its header and what it signs."""
    head, middle, signature = text.split(".")
    header = json.loads(unbase64(head))
    if payload is not None:
        assert middle == "", "a detached signature holds no payload"
        middle_bytes = tobase64(payload).encode() if encoded else payload
    else:
        middle_bytes = middle.encode()
    scheme = {
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), 32),
        "RS256": padding.PKCS1v15(),
    }[header["alg"]]
    signed = head.encode() + b"." + middle_bytes
    public.verify(unbase64(signature), signed, scheme, hashes.SHA256())
    return header, payload if payload is not None else unbase64(middle)


def make_jws(private, payload, header, detached=False):
    """Sign with PS256 or RS256 by hand, as a bank does."""
    header = {"alg": "PS256", **header}
    scheme = padding.PKCS1v15()
    if header["alg"] == "PS256":
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    head, middle = tobase64(json.dumps(header).encode()), tobase64(payload)
    if header.get("b64") is False:
        signed = head.encode() + b"." + payload
    else:
        signed = f"{head}.{middle}".encode()
    signature = tobase64(private.sign(signed, scheme, hashes.SHA256()))
    return f"{head}.{'' if detached else middle}.{signature}"


def open_jwe(text, private):
    """Open a JWE of RSA-OAEP-256 and A256GCM by hand; returns its header and its content."""
    head, key, nonce, content, tag = text.split(".")
    header = json.loads(unbase64(head))
    assert (header["alg"], header["enc"]) == ("RSA-OAEP-256", "A256GCM")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    cipher = AESGCM(private.decrypt(unbase64(key), oaep))
    return header, cipher.decrypt(unbase64(nonce), unbase64(content) + unbase64(tag), head.encode())


def thumbprint(certificate: bytes) -> str:
    leaf = x509.load_pem_x509_certificate(certificate)
    return tobase64(hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest())
