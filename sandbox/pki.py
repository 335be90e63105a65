"""The bank's certificates: its own authority, its server, its customers.

Keys never leave the bank's folder, except a customer's when the customer brought no request.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_YEARS = 10
LEAF_DAYS = 730
LOOPBACK = x509.SubjectAlternativeName([
    x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
SIGNS_DOCUMENTS = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
DECRYPTS = x509.KeyUsage(False, False, True, False, False, False, False, False, False)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate's DER form, hexadecimal: how the bank knows a customer."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex()


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(subject: x509.Name, issuer: x509.Name, public_key, days: int,
             now: datetime | None = None):
    now = now or datetime.now(timezone.utc)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days)))


def _name(common_name: str, organisation: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


class Authority:
    """The bank's certificate authority, kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.ca_key = folder / "ca.key"
        self.server = folder / "server.pem"
        self.server_key = folder / "server.key"
        self.expired = folder / "server-expired.pem"

    def create(self, bank: str) -> None:
        """Make what is missing: the authority, then the server's certificate."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.ca.exists():
            self._create_authority(bank)
        if not self.server.exists():
            self._create_server(bank)
        if not self.expired.exists():
            self._create_expired(bank)

    def _create_authority(self, bank: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{bank} CA", bank)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = (
            _builder(name, name, key.public_key(), AUTHORITY_YEARS * 365)
            .add_extension(x509.BasicConstraints(True, 0), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256()))
        write_private(self.ca_key, key_pem(key))
        write_private(self.ca, pem_of(certificate))

    def _create_server(self, bank: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(_name("localhost", bank), key.public_key(),
                                  ExtendedKeyUsageOID.SERVER_AUTH, LOOPBACK)
        write_private(self.server_key, key_pem(key))
        write_private(self.server, pem_of(certificate))

    def _create_expired(self, bank: str) -> None:
        """A certificate for the same key that ran out yesterday, for the fault plan."""
        key = serialization.load_pem_private_key(self.server_key.read_bytes(), None)
        signed = datetime.now(timezone.utc) - timedelta(days=LEAF_DAYS + 1)
        write_private(self.expired, pem_of(self._issue(
            _name("localhost", bank), key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH, LOOPBACK,
            signed)))

    def _issue(self, subject: x509.Name, public_key, usage: x509.ObjectIdentifier | None,
               names: x509.SubjectAlternativeName | None = None,
               signed: datetime | None = None,
               key_usage: x509.KeyUsage = SIGNS) -> x509.Certificate:
        authority = x509.load_pem_x509_certificate(self.ca.read_bytes())
        signer = serialization.load_pem_private_key(self.ca_key.read_bytes(), None)
        builder = (
            _builder(subject, authority.subject, public_key, LEAF_DAYS, signed)
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(key_usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                signer.public_key()), False))
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        if names is not None:
            builder = builder.add_extension(names, False)
        return builder.sign(signer, hashes.SHA256())

    def issue_client(self, contract_id: str, customer: str,
                     csr: bytes | None = None) -> tuple[x509.Certificate, bytes | None]:
        """A customer's certificate, and its key if the bank made it.

        :param csr: a PKCS#10 request in PEM; its public key is used, its names are not.
        :raises ValueError: the request is not one, is signed wrongly, or its key is too weak.
        """
        private = None
        if csr is None:
            # RSA: the kind of key that every customer's software can read.
            key = rsa.generate_private_key(65537, 2048)
            private, public_key = key_pem(key), key.public_key()
        else:
            public_key = requested_key(csr)
        certificate = self._issue(_name(contract_id, customer), public_key,
                                  ExtendedKeyUsageOID.CLIENT_AUTH)
        return certificate, private

    def issue_document(self, name: str, organisation: str,
                       public_key: rsa.RSAPublicKey, key_usage: x509.KeyUsage,
                       signed: datetime | None = None) -> x509.Certificate:
        """A certificate that signs or decrypts documents, and opens no TLS connection."""
        return self._issue(_name(name, organisation), public_key, None, None, signed, key_usage)

    def revocation_list(self, serials: list[tuple[int, datetime]]) -> bytes:
        """The list of revoked certificates, DER, good for a day.

        :param serials: serial numbers, and when (UTC) each was revoked.
        """
        authority = x509.load_pem_x509_certificate(self.ca.read_bytes())
        signer = serialization.load_pem_private_key(self.ca_key.read_bytes(), None)
        now = datetime.now(timezone.utc)
        builder = (x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
                   .last_update(now - timedelta(minutes=5)).next_update(now + timedelta(days=1))
                   .add_extension(x509.CRLNumber(int(now.timestamp())), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       signer.public_key()), False))
        for serial, moment in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial)
                .revocation_date(moment).build())
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def requested_key(csr: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key for which a certificate is requested.

    :param csr: PKCS#10, as PEM or DER.
    :raises ValueError: it is none, it is signed wrongly, or its key is too weak.
    """
    pem = csr.lstrip().startswith(b"-----")
    try:
        request = x509.load_pem_x509_csr(csr) if pem else x509.load_der_x509_csr(csr)
        if not request.is_signature_valid:
            raise ValueError("the certificate request's signature is wrong")
        key = request.public_key()
    except InvalidSignature as error:
        raise ValueError("the certificate request's signature is wrong") from error
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256)
    if not strong:
        raise ValueError("the key must be RSA of 2048 bits or more, or EC of 256 or more")
    return key


def certificate_files(certificate: x509.Certificate) -> tuple[bytes, str, str]:
    """A certificate as PEM, its fingerprint, and its last moment (ISO 8601, UTC)."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return (pem_of(certificate), fingerprint(der),
            certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S"))
