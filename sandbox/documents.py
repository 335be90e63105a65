"""The mailbox: documents that the bank has issued, kept for good."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import uuid
from datetime import datetime

from . import faults
from .clock import stamp
from .store import next_number

FOR_EVER = 1e12  # seconds since 1970
# What the fault plan turns round: it says of a settled payment that it was rejected.
SETTLED = b"<TxSts>ACSC</TxSts>"
REJECTED = (b"<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>NARR</Cd></Rsn>"
            b"<AddtlInf>Said in error</AddtlInf></StsRsnInf>")


def new_message_id(connection: sqlite3.Connection, prefix: str, moment: datetime) -> str:
    """A message id that the bank has never used, at most 35 characters."""
    return f"{prefix}-{moment:%Y%m%d}-{next_number(connection, 'messages'):010d}"


def issue(connection: sqlite3.Connection, contract_id: str, message_name: str, name: str,
          content: bytes, moment: datetime) -> str:
    """Put a document into a customer's mailbox and return its id.

    :param message_name: such as ``camt.053.001.08``; its first two parts are the kind.
    :param name: the file's name, without folder.
    """
    kind = ".".join(message_name.split(".")[:2])
    before = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM document").fetchone()[0]
    document_id = _put(connection, contract_id, kind, message_name, name, content, moment)
    without = set() if SETTLED in content else {"contradict"}
    for rule in faults.for_document(connection, kind, before, without):
        if rule["action"] == "duplicate":
            _put(connection, contract_id, kind, message_name, name, content, moment)
        elif rule["action"] == "contradict":
            other = content.replace(SETTLED, REJECTED).replace(b">ACSC<", b">RJCT<")
            _put(connection, contract_id, kind, message_name, f"again-{name}", other, moment)
        elif rule["action"] == "hold":
            connection.execute("INSERT INTO held (document_id, until) VALUES (?, ?)",
                               (document_id, time.time() + rule.get("seconds", 5)))
    return document_id


def _put(connection: sqlite3.Connection, contract_id: str, kind: str, message_name: str, name: str,
         content: bytes, moment: datetime) -> str:
    document_id = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO document (id, contract_id, kind, message_name, name, created_at, size,"
        " sha256, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (document_id, contract_id, kind, message_name, name,
         stamp(moment), len(content), hashlib.sha256(content).hexdigest(), content))
    connection.execute(
        "INSERT INTO notification (contract_id, document_id)"
        " SELECT contract_id, ? FROM webhook WHERE contract_id = ?", (document_id, contract_id))
    return document_id


def keep_back(connection: sqlite3.Connection, document_id: str) -> None:
    """Do not show a document to the customer, until somebody finds it again."""
    connection.execute(
        "INSERT INTO held (document_id, until) VALUES (?, ?)"
        " ON CONFLICT (document_id) DO UPDATE SET until = excluded.until",
        (document_id, FOR_EVER))


def find(connection: sqlite3.Connection, contract_id: str, *, kinds: list[str] | None = None,
         since: datetime | None = None, unread: bool = True, after: int = 0,
         limit: int = 100) -> list[sqlite3.Row]:
    """Documents in the order of their issue, without their content.

    :param kinds: such as ``["pain.002", "camt.053"]``; None for all.
    :param since: the bank's time from which on they were issued.
    :param after: the ``seq`` of the last one seen, for paging.
    """
    sql = ("SELECT seq, id, kind, message_name, name, created_at, size, sha256, acknowledged_at"
           " FROM document WHERE contract_id = ? AND seq > ?"
           " AND id NOT IN (SELECT document_id FROM held WHERE until > ?)")
    values: list[object] = [contract_id, after, time.time()]
    if kinds:
        sql += f" AND kind IN ({', '.join('?' * len(kinds))})"
        values += kinds
    if since:
        sql += " AND created_at >= ?"
        values.append(stamp(since))
    if unread:
        sql += " AND acknowledged_at IS NULL"
    return connection.execute(sql + " ORDER BY seq LIMIT ?", (*values, limit)).fetchall()


def get(connection: sqlite3.Connection, contract_id: str, document_id: str) -> sqlite3.Row | None:
    """One document with its content, if the customer has it."""
    return connection.execute(
        "SELECT * FROM document WHERE contract_id = ? AND id = ?",
        (contract_id, document_id)).fetchone()


def acknowledge(connection: sqlite3.Connection, contract_id: str, document_id: str,
                moment: datetime) -> bool:
    """Mark as received by the customer; doing so again changes nothing.

    :returns: whether the customer has such a document.
    """
    connection.execute(
        "UPDATE document SET acknowledged_at = ? WHERE contract_id = ? AND id = ?"
        " AND acknowledged_at IS NULL", (stamp(moment), contract_id, document_id))
    return connection.execute(
        "SELECT 1 FROM document WHERE contract_id = ? AND id = ?",
        (contract_id, document_id)).fetchone() is not None
