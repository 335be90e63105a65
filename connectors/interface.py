"""What every bank channel offers: six methods, and outcomes that leave nothing to guess.

Sending ends in exactly one of four ways: a :class:`Receipt` is returned, or :class:`NotSent`,
:class:`Refused` or :class:`Uncertain` is raised.  Reading (``inquire``, ``list``, ``fetch``,
``acknowledge``) moves no money, so it knows only success and :class:`FetchError`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType


@dataclass(frozen=True)
class Document:
    """A message to send: the frozen bytes, and the hints a channel needs to address them.

    The channel never looks inside ``content``; what it must know is told beside it.
    """

    content: bytes
    message_name: str  # ISO 20022 message name, e.g. "pain.001.001.09"
    service_level: str | None = None  # ISO external service level code: "SEPA", "URGP", "NURG"
    instant: bool = False  # instant credit transfer (local instrument INST)
    batch: bool = True  # True: several payments or a bulk file; False: one single payment
    name: str | None = None  # file name, for channels that carry one
    transactions: int | None = None  # number of payments, for channels that ask beforehand
    control_sum: Decimal | None = None  # sum of the instructed amounts, likewise
    first_sent: datetime | None = None  # aware; when the first attempt to send it was made
    reference: Mapping[str, str] = field(default_factory=dict)
    """What the bank called this message so far: a :attr:`Receipt.bank_reference`, or empty."""

    @property
    def sha256(self) -> str:
        """Lower-case hexadecimal SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Reason:
    """One reason the bank gave: its own or ISO code, text, and the place it points at."""

    code: str
    text: str = ""
    path: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.text) if part)


@dataclass(frozen=True)
class Receipt:
    """The bank's answer to a submission or an inquiry: it has the message."""

    key: str
    status: str | None  # ISO 20022 status ("RCVD", "ACCP", …); None: read it from `content`
    bank_reference: Mapping[str, str]  # keep it, and hand it back in Document.reference
    content: bytes  # the raw answer (JSON, or a pain.002 where the profile asks for one)
    content_type: str  # media type of `content`, without parameters
    received_at: datetime  # aware, UTC
    duplicate: bool = False  # the bank says it already had this message
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    http_status: int | None = None


class Outcome(Exception):
    """A call that did not succeed, told so that both a person and a program can act.

    :ivar code: stable identifier, e.g. ``"tls_expired"`` (see :mod:`.problems` for all of them)
    :ivar message: one plain English sentence
    :ivar facts: the values in ``message``, for a caller who says it in another language
    :ivar hint: what to do about it, or empty
    :ivar detail: technical detail for the log; never holds a secret
    :ivar reasons: what the bank itself said, as :class:`Reason` tuples
    :ivar retry_after: seconds the bank asked to wait, or ``None``
    :ivar content: raw bytes of the bank's answer, perhaps truncated, or empty
    :ivar content_type: media type of ``content``, or empty
    :ivar http_status: HTTP status of the answer, or ``None``
    :ivar permanent: trying again without changing settings or content cannot help
    :ivar bank_reference: what the bank called this message before the attempt ended; keep it,
        and hand it back in :attr:`Document.reference` so that the next attempt goes on from there
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        reasons: tuple[Reason, ...] = (),
        retry_after: float | None = None,
        content: bytes = b"",
        content_type: str = "",
        http_status: int | None = None,
        permanent: bool = False,
        facts: Mapping[str, object] | None = None,
        bank_reference: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.reasons = reasons
        self.retry_after = retry_after
        self.content = content
        self.content_type = content_type
        self.http_status = http_status
        self.permanent = permanent
        self.facts = dict(facts or {})
        self.bank_reference = dict(bank_reference or {})

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class NotSent(Outcome):
    """Certain that the bank accepted no part of the message: sending it later is safe."""


class Refused(Outcome):
    """The bank read the message and said no; it will not act on it."""


class Uncertain(Outcome):
    """The bank may or may not have the message: ask it, never resend blindly."""


class FetchError(Outcome):
    """Reading failed (``inquire``, ``list``, ``fetch``, ``acknowledge``); nothing was changed."""


class Unavailable(FetchError):
    """Reading failed for now (network, overload, rate limit): try again later."""


class SettingsError(Exception):
    """The settings of a connection cannot work; raised while connecting, before any attempt.

    :ivar code: ``url``, ``certificate``, ``key``, ``key_password``, ``key_mismatch``, ``trust``,
        ``proxy``, ``profile``, ``variable``, ``protocol``, ``signers``, ``encryption`` or ``wsdl``
    :ivar message: one plain English sentence
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


@dataclass(frozen=True)
class RemoteDocument:
    """A document that waits at the bank."""

    id: str
    kind: str  # "pain.002", "camt.053", …
    message_name: str | None = None  # "camt.053.001.08", where the bank says so
    name: str | None = None  # file name
    created: datetime | None = None  # aware
    size: int | None = None  # bytes
    sha256: str | None = None  # lower-case hexadecimal
    href: str | None = None  # where to fetch it, always on the bank's own origin
    media_type: str | None = None  # what to ask for, where the channel negotiates


@dataclass(frozen=True)
class Check:
    """One line of a connection test.

    ``step`` says which line it is, ``finding`` what was found there (also the code of a problem),
    and ``facts`` the values in ``detail``, for a caller who says it in another language.
    """

    code: str
    ok: bool | None  # None: could not be tried, or only worth a remark
    title: str
    detail: str = ""
    cure: str = ""
    step: str = ""
    finding: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """The result of a connection test."""

    checks: tuple[Check, ...] = ()
    clock_skew: float | None = None  # seconds the bank's clock is ahead of ours
    certificate_expires: datetime | None = None  # the first of our certificates, aware UTC
    peer_certificate_expires: datetime | None = None  # the bank's certificate, aware UTC
    peer_fingerprint: str | None = None
    """SHA-256 of the bank's leaf certificate, lower-case hexadecimal, or of its SSH host key, as
    OpenSSH writes it."""

    permissions: Mapping[str, object] = field(default_factory=dict)  # as told by the bank

    @property
    def ok(self) -> bool:
        """No check failed, and at least one succeeded."""
        results = [check.ok for check in self.checks]
        return False not in results and True in results


class Connector(ABC):
    """One contract with one bank over one protocol.  Use as a context manager.

    A connector keeps no state that matters between calls: everything durable is the caller's.
    It is not safe for use by several threads at once.
    """

    resend_window: timedelta | None = None
    """How long the bank promises to recognise a key, counted from the first attempt: within it
    the same bytes under the same key are safe to send again.  ``None``: no promise."""

    max_bytes: int | None = None
    """The largest message the bank takes, where known."""

    @abstractmethod
    def check(self) -> Health:
        """Try address, TLS, certificates, clock and contract.  Never raises an Outcome."""

    @abstractmethod
    def submit(self, document: Document, key: str) -> Receipt:
        """Send a message once, under `key` (a UUID; the same on every attempt).

        The outcome speaks of this attempt alone: after an uncertain one, a later `NotSent` does
        not undo the doubt about the first.

        A camt.055 recalls the message that `document.reference` names; a receipt with the status
        "CANC" says that its payments are cancelled.

        :raises NotSent: no part of the message was accepted
        :raises Refused: the bank said no
        :raises Uncertain: anything else
        """

    @abstractmethod
    def inquire(self, key: str, document: Document) -> Receipt | None:
        """Ask what became of a message.  ``None``: the bank says that it does not know it.

        :raises FetchError: the bank could not be asked; code ``cannot_inquire`` where it
            offers no way to
        """

    @abstractmethod
    def list(self, kinds: Iterable[str], since: datetime | None = None) -> Iterable[RemoteDocument]:
        """List what waits at the bank, oldest first as the bank orders it, page by page.

        :param kinds: document kinds such as ``"camt.053"``; empty means all
        :param since: aware; only documents made at or after this instant
        :raises FetchError: while iterating
        """

    @abstractmethod
    def fetch(self, remote: RemoteDocument) -> bytes:
        """Return the document's exact bytes, checked against the size and digest the bank gave.

        :raises FetchError:
        """

    @abstractmethod
    def acknowledge(self, remote: RemoteDocument) -> None:
        """Tell the bank that the document is safe here; call only after its bytes are committed.

        Acknowledging twice is harmless.

        :raises FetchError:
        """

    def close(self) -> None:  # noqa: B027 - optional to override
        """Release sockets."""

    def __enter__(self) -> Connector:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
