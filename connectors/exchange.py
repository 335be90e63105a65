"""The record of one HTTP exchange for the log: who, when, how long, how large; no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

# All other headers are shown as present only: a new one is masked until someone decides.
_HARMLESS = frozenset(
    "accept content-type content-length content-digest date digest retry-after server "
    "user-agent x-request-id".split()
)
_MASK = "***"
_IBAN = re.compile(r"(?<![A-Z0-9])([A-Z]{2}\d{2})[A-Z0-9]{7,26}([A-Z0-9]{4})(?![A-Z0-9])")


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it.  Sizes are of the bodies, in bytes."""

    direction: str  # "out": we asked
    method: str
    url: str  # account numbers and secrets masked
    started: datetime  # aware, UTC
    duration: float  # seconds
    correlation_id: str  # the X-Request-ID we sent
    request_size: int
    response_size: int
    request_headers: Mapping[str, str]  # masked
    response_headers: Mapping[str, str]  # masked; empty without an answer
    status: int | None = None  # HTTP status, None without an answer
    error: str | None = None  # problem code, where the exchange itself failed
    peer_fingerprint: str | None = None
    tls_version: str | None = None
    request_body: str = field(default="", repr=False)  # masked; empty unless asked for
    response_body: str = field(default="", repr=False)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Show harmless headers, and of the others only that they were there."""
    return {name: value if name.lower() in _HARMLESS else _MASK for name, value in headers.items()}


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Blank out `secrets` and the middle of account numbers in `text`."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _IBAN.sub(rf"\1{_MASK}\2", text)
