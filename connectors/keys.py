"""Keys for signatures and sealed payloads, from PEM, for `joserfc` and `cryptography` alike."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from .identity import load_leaf
from .interface import SettingsError
from .settings import Identity

# What a bank's key or ours may be: JOSE algorithm → kind of key (RFC 7518, 8037, 9864).  Neither
# "none" nor an HMAC ("HS…") is ever among them.
ALGORITHMS: Mapping[str, type] = {
    "RS256": rsa.RSAPublicKey,
    "PS256": rsa.RSAPublicKey,
    "ES256": ec.EllipticCurvePublicKey,
    "EdDSA": ed25519.Ed25519PublicKey,
    "Ed25519": ed25519.Ed25519PublicKey,  # the same, as RFC 9864 calls it
}
_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_SMALLEST_RSA = 2048  # bits; NIST SP 800-131A


def jose_key(key: Any) -> Key:
    """Return a `cryptography` key, private or public, as `joserfc` takes it.

    :raises ValueError: for a kind of key that no allowed algorithm uses
    """
    if hasattr(key, "private_bytes"):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key()
    else:
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        public = key
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < _SMALLEST_RSA:
            raise ValueError("an RSA key shorter than 2048 bits")
        return RSAKey.import_key(pem)
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1":
        return ECKey.import_key(pem)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return OKPKey.import_key(pem)
    raise ValueError("neither RSA, P-256 nor Ed25519")


def fits(algorithm: str, public: Any) -> bool:
    """Tell whether `algorithm` is allowed, and for this kind of key."""
    kind = ALGORITHMS.get(algorithm)
    return kind is not None and isinstance(public, kind)


def public_keys(pem: bytes) -> list[Any]:
    """Return the public keys of all certificates and public keys in `pem`.

    :raises ValueError: where there is none, one cannot be read, or one is of no use
    """
    keys = []
    for match in _PEM.finditer(pem):
        if match[1] == b"CERTIFICATE":
            key = x509.load_pem_x509_certificate(match[0]).public_key()
        elif match[1] in (b"PUBLIC KEY", b"RSA PUBLIC KEY"):
            key = load_pem_public_key(match[0])
        else:
            raise ValueError("only certificates and public keys belong here")
        jose_key(key)
        keys.append(key)
    if not keys:
        raise ValueError("neither a certificate nor a public key")
    return keys


@dataclass(frozen=True)
class SigningKey:
    """Our certificate and key for signatures, and what a profile may say of them."""

    leaf: x509.Certificate
    private: Any = field(repr=False)

    @classmethod
    def load(cls, identity: Identity) -> SigningKey:
        """:raises SettingsError: where certificate and key cannot be used, or not together"""
        leaf = load_leaf(identity)
        password = identity.password.encode() if identity.password else None
        return cls(leaf, load_pem_private_key(identity.private_key, password))

    @cached_property
    def jose(self) -> Key:
        """:raises SettingsError: ``key``"""
        try:
            return jose_key(self.private)
        except ValueError as error:
            raise SettingsError("key", f"The private key cannot sign: it is {error}.") from None

    def demand(self, algorithm: str) -> None:
        """:raises SettingsError: ``key``, where `algorithm` is not for this key"""
        if not fits(algorithm, self.private.public_key()):
            raise SettingsError("key", f"The private key cannot sign with {algorithm}.")

    @cached_property
    def values(self) -> dict[str, str]:
        """What a profile's templates may say of the certificate."""
        der = self.leaf.public_bytes(Encoding.DER)
        digest = hashlib.sha256(der).digest()
        serial = self.leaf.serial_number
        return {
            "certificate_serial": str(serial),
            "certificate_serial_hex": f"{serial:X}",
            "certificate_issuer": self.leaf.issuer.rfc4514_string(),
            "certificate_subject": self.leaf.subject.rfc4514_string(),
            "certificate_base64": base64.b64encode(der).decode(),
            "certificate_sha256": digest.hex(),
            "certificate_thumbprint": thumbprint(self.leaf),
        }


CERTIFICATE_FIELDS = frozenset(
    "certificate_serial certificate_serial_hex certificate_issuer certificate_subject "
    "certificate_base64 certificate_sha256 certificate_thumbprint".split()
)


def thumbprint(certificate: x509.Certificate) -> str:
    """Return the certificate's ``x5t#S256`` (RFC 7515, 4.1.8; RFC 8705, 3.1)."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
