"""Certificates of Bank Web Services: those with which the bank signs and decrypts, and the
customers'. None of them opens a TLS connection: these are others, with keys of their own."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import clock, pki
from .pki import Authority, fingerprint, key_pem, pem_of, write_private
from .xmlsig import Signer

KINDS = {"signing": pki.SIGNS_DOCUMENTS, "encryption": pki.DECRYPTS}


class Unknown(Exception):
    """A certificate that the bank does not accept now; the text says why."""


class BankKeys:
    """The bank's own signing and encryption keys, in the folder of its authority.

    They are made when the first contract needs them: most banks in tests have none that does.
    """

    def __init__(self, authority: Authority, bank: str) -> None:
        self.authority, self.bank = authority, bank
        self._loaded: dict[str, Signer] = {}
        self._lock = threading.RLock()

    def create(self) -> None:
        """Make what is missing."""
        with self._lock:
            for kind in KINDS:
                if not self.certificate(kind).exists():
                    self._make(kind)

    def certificate(self, kind: str) -> Path:
        """The file of the bank's certificate of a kind."""
        return self.authority.folder / f"{kind}.pem"

    def _make(self, kind: str) -> None:
        key = rsa.generate_private_key(65537, 2048)
        expired = datetime.now(timezone.utc) - timedelta(days=pki.LEAF_DAYS + 1)
        write_private(self.authority.folder / f"{kind}.key", key_pem(key))
        write_private(self.certificate(f"{kind}-expired"),
                      pem_of(self._issue(kind, key, expired)))
        # Last, for it says that all is there.
        write_private(self.certificate(kind), pem_of(self._issue(kind, key)))

    def _issue(self, kind: str, key: rsa.RSAPrivateKey,
               signed: datetime | None = None) -> x509.Certificate:
        return self.authority.issue_document(f"{self.bank} {kind}", self.bank, key.public_key(),
                                             KINDS[kind], signed)

    def load(self, kind: str) -> Signer:
        """Certificate and key: ``signing``, ``encryption``, ``signing-expired``, or
        ``stranger`` (self-signed, with the name of the right one)."""
        with self._lock:
            if kind not in self._loaded:
                self.create()
                self._loaded[kind] = self._stranger() if kind == "stranger" else self._read(kind)
            return self._loaded[kind]

    def _read(self, kind: str) -> Signer:
        key = self.authority.folder / f"{kind.removesuffix('-expired')}.key"
        return Signer(x509.load_pem_x509_certificate(self.certificate(kind).read_bytes()),
                      serialization.load_pem_private_key(key.read_bytes(), None))

    def _stranger(self) -> Signer:
        key, now = rsa.generate_private_key(65537, 2048), datetime.now(timezone.utc)
        name = self.load("signing").certificate.subject
        return Signer(
            x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=30))
            .add_extension(KINDS["signing"], True).sign(key, hashes.SHA256()), key)

    def renew(self, connection: sqlite3.Connection) -> bytes:
        """A new key and certificate for signing; the old one is revoked. Returns the new PEM."""
        old = self.load("signing").certificate
        record(connection, None, "signing", old)
        connection.execute("UPDATE soap_certificate SET revoked_at = ? WHERE fingerprint = ?",
                           (clock.stamp(clock.wall()), _digest(old)))
        with self._lock:  # nobody is to load a certificate without its key
            self._make("signing")
            self._loaded.clear()
        return self.certificate("signing").read_bytes()


def _digest(certificate: x509.Certificate) -> str:
    return fingerprint(certificate.public_bytes(serialization.Encoding.DER))


def record(connection: sqlite3.Connection, contract_id: str | None, kind: str,
           certificate: x509.Certificate) -> None:
    """Let a certificate act for a contract (None: for the bank)."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    connection.execute(
        "INSERT OR IGNORE INTO soap_certificate (fingerprint, contract_id, kind, serial, der,"
        " not_after) VALUES (?, ?, ?, ?, ?, ?)",
        (fingerprint(der), contract_id, kind, f"{certificate.serial_number:x}", der,
         certificate.not_valid_after_utc.strftime(clock.FORMAT)))


def issue(connection: sqlite3.Connection, authority: Authority, contract_id: str, customer: str,
          kind: str, public_key: rsa.RSAPublicKey) -> x509.Certificate:
    """Issue a customer's certificate for a key and record it."""
    certificate = authority.issue_document(contract_id, customer, public_key, KINDS[kind])
    record(connection, contract_id, kind, certificate)
    return certificate


def standing(connection: sqlite3.Connection, contract_id: str,
             kind: str) -> list[x509.Certificate]:
    """A contract's certificates of a kind that are not revoked, the newest first."""
    rows = connection.execute(
        "SELECT der FROM soap_certificate WHERE contract_id = ? AND kind = ?"
        " AND revoked_at IS NULL ORDER BY id DESC", (contract_id, kind)).fetchall()
    return [x509.load_der_x509_certificate(row["der"]) for row in rows]


def recipient(connection: sqlite3.Connection, contract_id: str) -> x509.Certificate:
    """For whom answers to a contract are encrypted.

    A customer who fetched the first certificate with a transfer key has only that one.
    """
    return (standing(connection, contract_id, "encryption")
            or standing(connection, contract_id, "signing"))[0]


def holder(connection: sqlite3.Connection, certificate: x509.Certificate) -> str:
    """Which contract a certificate signs for, if it is valid now.

    :raises Unknown: the bank did not issue it for signing, or it is revoked or out of date.
    """
    row = connection.execute(
        "SELECT * FROM soap_certificate WHERE fingerprint = ? AND kind = 'signing'"
        " AND contract_id IS NOT NULL", (_digest(certificate),)).fetchone()
    if row is None:
        raise Unknown("It was not issued by this bank for signing.")
    if row["revoked_at"]:
        raise Unknown("It is revoked.")
    if not (certificate.not_valid_before_utc <= datetime.now(timezone.utc)
            <= certificate.not_valid_after_utc):
        raise Unknown("It is out of date.")
    return row["contract_id"]


def revoke(connection: sqlite3.Connection, contract_id: str) -> int:
    """Revoke all certificates of a contract that sign or decrypt; return how many."""
    return connection.execute(
        "UPDATE soap_certificate SET revoked_at = ? WHERE contract_id = ? AND revoked_at IS NULL",
        (clock.stamp(clock.wall()), contract_id)).rowcount


def revocation_list(connection: sqlite3.Connection, authority: Authority) -> bytes:
    """What is revoked of all that signs or decrypts, as DER."""
    rows = connection.execute("SELECT serial, revoked_at FROM soap_certificate"
                              " WHERE revoked_at IS NOT NULL").fetchall()
    return authority.revocation_list([
        (int(row["serial"], 16), clock.parse(row["revoked_at"]).replace(tzinfo=timezone.utc))
        for row in rows])
