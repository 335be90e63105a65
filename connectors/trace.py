"""What is known about one exchange while it runs: the evidence for certain or uncertain."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class TransportError(Exception):
    """A connection could not be made; certain that no byte of a request was written.

    Not an OSError on purpose: the HTTP libraries wrap those and would blur the cause.
    """

    def __init__(self, code: str, detail: str = "", **facts: object) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.facts = facts


@dataclass
class Peer:
    """The bank's end of a TLS connection."""

    address: str
    certificate: bytes  # leaf, DER
    fingerprint: str  # SHA-256, lower-case hex
    tls_version: str
    vouched: bool = False  # a session ticket showed that the server finished its handshake


@dataclass
class Trace:
    """Counts and marks, set by the socket at the moment they become true."""

    deadline: float = float("inf")  # time.monotonic()
    read_timeout: float = 60.0
    writing: bool = False  # set before the first byte of a request is handed to TLS
    written: int = 0
    received: int = 0
    ended: bool = False  # TLS's closing alert was read: nothing more will come
    errors: list[OSError] = field(default_factory=list)  # the socket's own, before any wrapping
    peer: Peer | None = None
    marks: list[str] = field(default_factory=list)  # "resolved", "connected", "secured"

    def remaining(self) -> float:
        return self.deadline - time.monotonic()
