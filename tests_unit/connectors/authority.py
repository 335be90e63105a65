"""Certificate authorities for the tests: real certificates, made on the spot."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


def _new_key(bits):
    if bits:
        return rsa.generate_private_key(65537, bits)
    return ec.generate_private_key(ec.SECP256R1())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Pair:
    """A certificate (with chain) and its key."""

    certificate: bytes
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    def key_pem(self, password: str | None = None) -> bytes:
        protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)

    @property
    def fingerprint(self) -> str:
        leaf = x509.load_pem_x509_certificate(self.certificate)
        return leaf.fingerprint(hashes.SHA256()).hex()


class Authority:
    def __init__(self, name: str, *, bits: int | None = None) -> None:
        self.name = _name(name)
        self.key = _new_key(bits)
        self.pem = self._sign(self.name, self.key, ca=True).public_bytes(Encoding.PEM)

    def _sign(self, subject, key, *, ca=False, hosts=(), start=-1, days=90):
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=start))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if hosts:
            names = []
            for host in hosts:
                try:
                    names.append(x509.IPAddress(ipaddress.ip_address(host)))
                except ValueError:
                    names.append(x509.DNSName(host))
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name: str, *, bits: int | None = None, **options) -> Pair:
        """Issue a certificate; options: hosts, start and days (validity, days from now), ca.

        :param bits: make an RSA key of that size instead of one on a curve
        """
        key = _new_key(bits)
        leaf = self._sign(_name(name), key, **options)
        return Pair(leaf.public_bytes(Encoding.PEM), key)

    def revoke(self, *pairs: Pair, start=-1, days=7) -> bytes:
        """Return a revocation list (PEM) of these certificates; start and days: its validity."""
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(now + timedelta(days=start))
            .next_update(now + timedelta(days=days))
        )
        for pair in pairs:
            leaf = x509.load_pem_x509_certificate(pair.certificate)
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(leaf.serial_number)
                .revocation_date(now - timedelta(days=2))
                .build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
