"""Where customers want to be called when a document has been issued; webhook_caller.py calls."""

from __future__ import annotations

import json
import secrets
import sqlite3

FORMS = ("hmac", "jws")


def add(connection: sqlite3.Connection, contract_id: str, url: str, form: str,
        secret: str | None = None, ca: str | None = None,
        headers: dict[str, str] | None = None) -> None:
    """Call this address from now on; one that was given before is replaced.

    :param secret: of an HMAC; None: the bank makes one.
    :param ca: PEM of who may have signed the address's certificate; None: public authorities.
    :raises ValueError: it is no http or https address.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no http or https address")
    connection.execute(
        "INSERT OR REPLACE INTO webhook (contract_id, url, form, secret, ca, headers)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (contract_id, url, form, secret or secrets.token_urlsafe(32), ca,
         json.dumps(headers or {})))


def find(connection: sqlite3.Connection, contract_id: str) -> sqlite3.Row | None:
    """A contract's webhook."""
    return connection.execute(
        "SELECT * FROM webhook WHERE contract_id = ?", (contract_id,)).fetchone()


def describe(row: sqlite3.Row) -> dict:
    """The part ``webhook`` of contract.json."""
    told = {"url": row["url"], "form": row["form"]}
    if row["form"] == "hmac":
        return {**told, "secret": row["secret"], "timestampHeader": "X-Timestamp",
                "signatureHeader": "X-Signature", "between": "."}
    return {**told, "signatureHeader": "X-JWS-Signature", "algorithm": "PS256",
            "certificate": "bank-signing.pem"}
