"""What a contract for Bank Web Services agrees: ids, file types, compression, encryption.

The same customer, accounts and mailbox as over REST; only the way there is another.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from .store import get_setting, next_number

ALL_OPERATIONS = ("uploadFile", "downloadFileList", "downloadFile", "deleteFile", "getUserInfo")
PAIN_001 = ("pain.001.001.03", "pain.001.001.09")
PAIN_002 = {"pain.001.001.03": "pain.002.001.03", "pain.001.001.09": "pain.002.001.10"}
KINDS = ("pain.002", "camt.052", "camt.053", "camt.054")
# what a bank gives that is no ISO 20022 message, where the contract has it so (options)
OTHERS = ("pdf", "mt940", "mt942")
ENVIRONMENTS = ("TEST", "PRODUCTION")
COMPRESSION = ("none", "optional", "required")
TRANSFER_KEYS = ("hmac", "luhn")


@dataclass(frozen=True)
class Flavour:
    """How one group of banks names things.

    :ivar upload: file type → the messages that may come under it.
    :ivar download: kind of document → file type; None: the message's own name.
    :ivar receiver_id: the bank's id; empty: its BIC.
    """

    upload: dict[str, tuple[str, ...]]
    download: dict[str, str] | None
    operations: tuple[str, ...] = ALL_OPERATIONS
    receiver_id: str = ""


FLAVOURS = {
    "iso": Flavour({name: (name,) for name in PAIN_001}, None),
    "codes": Flavour({"NDCORPAYS": PAIN_001},
                     {"pain.002": "NDCORPAYL", "camt.052": "NDCAMT52L",
                      "camt.053": "NDCAMT53L", "camt.054": "NDCAMT54L",
                      "pdf": "NDRCPTPDF", "mt940": "NDMT940L", "mt942": "NDMT942L"}),
    "short": Flavour({"XL": PAIN_001},
                     {"pain.002": "XP", "camt.053": "XT", "camt.054": "XE", "pdf": "XR",
                      "mt940": "XM"},
                     ALL_OPERATIONS[:3], "SANDBOX"),
}


@dataclass(frozen=True)
class Terms:
    """What is ordered at the desk when a contract is signed.

    :ivar transfer: ``hmac`` or ``luhn``: the first certificate is fetched with a transfer key;
        empty: the bank hands out certificate and key.
    """

    flavour: str = "iso"
    environment: str = "TEST"
    compression: str = "optional"
    encryption: bool = False
    client_certificate: bool = False
    transfer: str = ""


def luhn(digits: str) -> bool:
    """Whether a number's last digit is its check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def transfer_key(kind: str) -> str:
    """A new transfer key: ten digits for an HMAC, or sixteen with a check digit."""
    if kind == "hmac":
        return "".join(secrets.choice("0123456789") for _place in range(10))
    start = "".join(secrets.choice("0123456789") for _place in range(15))
    return next(start + digit for digit in "0123456789" if luhn(start + digit))


def add(connection: sqlite3.Connection, contract_id: str, terms: Terms) -> None:
    """Add Bank Web Services to a contract; one that has them keeps its terms."""
    if find(connection, contract_id):
        return
    number = next_number(connection, "soap_contracts")
    receiver = FLAVOURS[terms.flavour].receiver_id or get_setting(connection, "bank_bic")
    connection.execute(
        "INSERT INTO soap_contract (contract_id, sender_id, receiver_id, customer_id, target_id,"
        " flavour, environment, compression, encryption, client_certificate, transfer,"
        " transfer_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (contract_id, f"10{number:08d}", receiver, f"20{number:08d}", f"30{number:08d}A1",
         terms.flavour, terms.environment, terms.compression, int(terms.encryption),
         int(terms.client_certificate), terms.transfer,
         transfer_key(terms.transfer) if terms.transfer else None))


_SELECT = ("SELECT soap_contract.*, contract.customer, contract.camt_version FROM soap_contract"
           " JOIN contract ON contract.id = contract_id WHERE ")


def find(connection: sqlite3.Connection, contract_id: str) -> sqlite3.Row | None:
    """The terms of a contract, with ``customer`` and ``camt_version``."""
    return connection.execute(_SELECT + "contract_id = ?", (contract_id,)).fetchone()


def by_sender(connection: sqlite3.Connection, sender_id: str) -> sqlite3.Row | None:
    """The terms of the contract that a SenderId stands for."""
    return connection.execute(_SELECT + "sender_id = ?", (sender_id,)).fetchone()


def by_customer(connection: sqlite3.Connection, customer_id: str) -> sqlite3.Row | None:
    """The terms of the contract that a CustomerId stands for."""
    return connection.execute(_SELECT + "customer_id = ?", (customer_id,)).fetchone()


def file_type(flavour: Flavour, message_name: str) -> str | None:
    """The file type under which a document is listed; None: this flavour does not offer it."""
    kind = ".".join(message_name.split(".")[:2])
    return message_name if flavour.download is None else flavour.download.get(kind)


def messages(terms: sqlite3.Row) -> dict[str, list[tuple[str, str]]]:
    """File types with their messages: ``upload`` and ``download``, lists of (type, message)."""
    flavour = FLAVOURS[terms["flavour"]]
    names = [*dict.fromkeys(PAIN_002.values()), *OTHERS] + [
        f"{kind}.001.{terms['camt_version']}" for kind in KINDS[1:]]
    down = [(file_type(flavour, name), name) for name in names]
    return {"upload": [(kind, name) for kind, many in flavour.upload.items() for name in many],
            "download": [(kind, name) for kind, name in down if kind]}


def describe(terms: sqlite3.Row, port: int | None) -> dict:
    """The part ``soap`` of contract.json.

    :param port: of the SOAP face, if the bank runs.
    """
    flavour = FLAVOURS[terms["flavour"]]
    host = f"https://localhost:{port}" if port else None

    def address(path: str) -> dict:
        return {"path": path, "url": host and host + path}

    return {
        **address("/ws/CorporateFileService"),
        "senderId": terms["sender_id"], "receiverId": terms["receiver_id"],
        "customerId": terms["customer_id"], "targetId": terms["target_id"],
        "environment": terms["environment"], "flavour": terms["flavour"],
        "operations": list(flavour.operations),
        "fileTypes": {way: [{"fileType": kind, "message": name} for kind, name in pairs]
                      for way, pairs in messages(terms).items()},
        "compression": terms["compression"], "encryption": bool(terms["encryption"]),
        "clientCertificate": bool(terms["client_certificate"]),
        "certificateService": address("/ws/CertificateService"),
        "revocationList": address("/ws/revoked.crl"),
        "transferKey": terms["transfer_key"] and {
            "kind": terms["transfer"], "key": terms["transfer_key"]},
        "bankSigningCertificate": "bank-signing.pem",
        "bankEncryptionCertificate": "bank-encryption.pem", "ca": "ca.pem"}
