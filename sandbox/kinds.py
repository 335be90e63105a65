"""The kinds of REST channel that a contract can have instead of the Berlin Group's.

Banks differ in the form of a body, in how they know who calls, in what is signed, in how a repeated
request is known. Each kind is one usual combination; each choice can be made otherwise. Ledger,
mailbox and fault plan are the same for all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sqlite3
from dataclasses import asdict, dataclass, fields, replace

from .store import next_number

PREFIXES = ("/api/", "/oauth2/", "/open-banking/")
OBIE = "/open-banking/v4.0/pisp"
TRUST_ANCHOR = "openbanking.org.uk"  # of the directory that the standard is made for
CHOICES = {
    "auth": ("certificate", "api_key", "secret_basic", "secret_post", "tls", "private_key_jwt"),
    "signature": ("none", "http", "jws"),
    "bearer_form": ("opaque", "jwt"),
    "bearer_clock": ("real", "bank"),
    "duplicate": ("same", "refuse"),
    "paging": ("link", "next", "cursor"),
    "approval": ("none", "desk"),
}


@dataclass(frozen=True)
class Terms:
    """What is agreed of a channel.

    :ivar body: ``xml``, ``multipart``, ``xml_base64``, ``json``, ``sealed`` or ``files`` (consent,
        upload, order).
    :ivar auth: beside the client certificate: nothing, an API key, or OAuth 2.0 with one way for
        the client to show who it is.
    :ivar key: the header with the idempotency key; empty: the bank does not know any.
    :ivar key_length: most characters of a key.
    :ivar duplicate: a repeated key gets the same answer, or is refused.
    :ivar errors: ``tpp``, ``xml``, ``problem`` (RFC 9457) or ``obie``.
    :ivar bearer_seconds: how long a token is good, by the real time or the bank's clock.
    :ivar approval: whether somebody at the desk authorises a consent.
    """

    kind: str
    body: str
    auth: str
    signature: str = "none"
    key: str = ""
    key_length: int = 64
    duplicate: str = "same"
    errors: str = "tpp"
    paging: str = "next"
    page_size: int = 50
    bearer_form: str = "opaque"
    bearer_seconds: int = 300
    bearer_clock: str = "real"
    approval: str = "none"

    @property
    def oauth(self) -> bool:
        """Whether requests need a token."""
        return self.auth not in ("certificate", "api_key")


KINDS = {terms.kind: terms for terms in (
    Terms("multipart", "multipart", "secret_basic", "http", "X-Request-ID", bearer_form="jwt"),
    Terms("obie", "files", "private_key_jwt", "jws", "x-idempotency-key", 40, errors="obie"),
    Terms("xml_base64", "xml_base64", "secret_post", key="Idempotency-Id", duplicate="refuse",
          errors="xml", paging="cursor"),
    Terms("json", "json", "api_key", key="Idempotency-Key", duplicate="refuse",
          errors="problem", paging="cursor"),
    Terms("sealed", "sealed", "private_key_jwt", key="x-Message-Id", errors="problem",
          bearer_form="jwt"),
    Terms("bearer", "xml", "tls", paging="link"),
)}


def make(kind: str, choices: dict[str, object]) -> Terms:
    """The terms of a kind, with what is wanted otherwise; None leaves it as it is.

    :raises ValueError: what does not go together.
    """
    terms = replace(KINDS[kind], **{k: v for k, v in choices.items() if v is not None})
    if terms.signature == "http" and terms.key != "X-Request-ID":
        terms = replace(terms, key="X-Request-ID")  # one number, signed, for both purposes
    if not 1 <= terms.bearer_seconds <= 86400:
        raise ValueError("a token is good for 1 to 86400 seconds")
    if not 1 <= terms.page_size <= 1000:
        raise ValueError("a page has 1 to 1000 items")
    return terms


def add(connection: sqlite3.Connection, contract_id: str, terms: Terms) -> None:
    """Give a contract its kind of channel; one that has one keeps it."""
    number = next_number(connection, "channels")
    # A secret with what has to be encoded before it goes into an Authorization header.
    secret = f"{secrets.token_urlsafe(18)}+/%:&{secrets.token_urlsafe(6)}"
    connection.execute(
        "INSERT OR IGNORE INTO channel (contract_id, terms, client_id, client_secret, api_key)"
        " VALUES (?, ?, ?, ?, ?)",
        (contract_id, json.dumps(asdict(terms)), f"client:{number:06d}", secret,
         secrets.token_urlsafe(32)))


def read(text: str) -> Terms:
    """Terms as they are stored."""
    known = {field.name for field in fields(Terms)}
    return Terms(**{key: value for key, value in json.loads(text).items() if key in known})


def find(connection: sqlite3.Connection, contract_id: str) -> sqlite3.Row | None:
    """A contract's channel: ``terms`` (text), ``client_id``, ``client_secret``, ``api_key``."""
    return connection.execute(
        "SELECT channel.*, customer FROM channel JOIN contract ON contract.id = contract_id"
        " WHERE contract_id = ?", (contract_id,)).fetchone()


def thumbprint(der: bytes) -> str:
    """``x5t#S256`` of a certificate (RFC 8705, section 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def describe(channel: sqlite3.Row, key_id: str | None, port: int | None) -> dict:
    """The part ``channel`` of contract.json.

    :param key_id: of the newest signing certificate; None when all are revoked.
    :param port: of the REST face, if the bank has run.
    """
    terms = read(channel["terms"])
    host = f"https://localhost:{port}" if port else None
    paths = {"accounts": "/api/accounts", "reports": "/api/reports"}
    if terms.oauth:
        paths["token"] = "/oauth2/token"  # noqa: S105
    if terms.body == "files":
        paths.update(consents=f"{OBIE}/file-payment-consents", orders=f"{OBIE}/file-payments")
    else:
        paths["payments"] = "/api/payments"
        if terms.key:
            paths["keys"] = "/api/keys/{key}"
    told: dict[str, object] = {
        **{_camel(name): value for name, value in asdict(terms).items()},
        "url": host, "paths": paths}
    if terms.oauth:
        told["clientId"] = channel["client_id"]
        told["tokenUrl"] = host and host + paths["token"]
    if terms.auth.startswith("secret_"):
        told["clientSecret"] = channel["client_secret"]
    if terms.auth == "api_key":
        told["apiKey"] = {"header": "X-Api-Key", "value": channel["api_key"]}
    if terms.signature == "jws" or terms.body == "sealed" or terms.auth == "private_key_jwt":
        told["keyId"] = key_id
    if terms.signature == "jws":
        told["jws"] = {"issuer": channel["client_id"], "trustAnchor": TRUST_ANCHOR}
    return told
