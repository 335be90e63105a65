"""One HTTP request to a bank, bounded in time and size, and honest about how far it came."""

from __future__ import annotations

import http.client
import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote, quote_plus, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from .exchange import Exchange, mask_headers, mask_text
from .interface import Outcome
from .masking import masked, masked_text, without
from .problems import build
from .settings import Settings
from .tls import Transport, bank_session, is_certificate_alert
from .trace import Peer, Trace, TransportError

_logger = logging.getLogger(__name__)

OutcomeType = TypeVar("OutcomeType", bound=Outcome)

MAX_ANSWER = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST_PAUSE = 24 * 3600.0

# What the HTTP libraries raise, with and without requests' wrapping.
_ERRORS = (
    requests.RequestException
    | urllib3.exceptions.HTTPError
    | http.client.HTTPException
    | OSError
    | ValueError
)


class Failure(Exception):
    """An exchange without a usable answer.

    :ivar code: a key of :data:`.problems.PROBLEMS`
    :ivar sent: ``False`` only where it is certain that the bank processed nothing
    """

    def __init__(
        self,
        code: str,
        *,
        sent: bool,
        detail: str = "",
        content: bytes = b"",
        status: int | None = None,
        marks: tuple[str, ...] = (),
        peer: Peer | None = None,
        retry_after: float | None = None,
        **facts: object,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.sent = sent
        self.detail = detail
        self.content = content
        self.status = status
        self.marks = marks
        self.peer = peer
        self.retry_after = retry_after
        self.facts = facts

    def outcome(self, kind: type[OutcomeType]) -> OutcomeType:
        """Return the same as an outcome of `kind`."""
        return build(
            kind,
            self.code,
            detail=self.detail,
            content=self.content,
            http_status=self.status,
            retry_after=self.retry_after,
            **self.facts,
        )


@dataclass(frozen=True)
class ErrorForm:
    """Where a bank puts its errors in an answer: dotted paths, into the answer or into an item."""

    items: str  # a list of errors, or one; empty: the answer itself
    code: str
    text: str
    path: str


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    content: bytes = field(repr=False)
    content_type: str  # media type, lower case, without parameters
    url: str
    correlation_id: str
    received_at: datetime  # aware, UTC
    clock_skew: float | None  # seconds the bank's clock is ahead of ours, to about a second
    peer: Peer | None
    said: ErrorForm | None = None  # how this bank words its errors, where the profile says so

    @property
    def retry_after(self) -> float | None:
        """Seconds the bank asks to wait (RFC 9110, section 10.2.3), a day at most."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            seconds = float(text[:9])
        else:
            moment = _http_date(text)
            if moment is None:
                return None
            seconds = (moment - self.received_at).total_seconds()
        return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _media_type(headers: Mapping[str, str]) -> str:
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    return message.get_content_type() if headers.get("Content-Type") else ""


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


class HttpChannel:
    """Exchanges with one bank address."""

    def __init__(self, settings: Settings, *, max_answer: int = MAX_ANSWER) -> None:
        """:raises SettingsError: where certificates, keys or proxy cannot work"""
        self.transport = Transport(settings)
        self.session = bank_session(self.transport)
        self.host = _host(settings.url)
        self.max_answer = max_answer
        self.observer: Callable[[Exchange], None] | None = settings.observer
        self.now = settings.now
        # Masked in everything that may be logged, as they stand and as they read in a URL.
        # An address is none: where a request went is what a log is for.
        values = [
            value
            for name, value in settings.variables.items()
            if len(value) >= 4 and (name in settings.secrets or not value.startswith("https://"))
        ]
        values += [value for value in settings.accounts.values() if len(value) >= 4]
        self.secrets = tuple({*values, *(quote(value, safe="") for value in values)})
        self.record_bodies = settings.record_bodies
        # Blanked out in what the bank says about an error, too: a careless bank repeats it.
        self.hidden: tuple[str, ...] = ()
        for name in settings.secrets:
            if len(settings.variables.get(name, "")) >= 4:
                self.hide(settings.variables[name])

    def hide(self, secret: str) -> None:
        """Mask `secret` from now on, as the variables are, and in the bank's errors."""
        forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        self.secrets = tuple({*self.secrets, *forms})
        self.hidden = tuple({*self.hidden, *forms})

    def mask(self, text: str) -> str:
        """Blank out all secrets in a text that may be logged."""
        return mask_text(text, self.secrets)

    def close(self) -> None:
        """Close all sockets."""
        self.session.close()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Send one request, follow nothing, and return the complete answer.

        :param fresh: use a new connection, so that a stale one cannot make the result unclear
        :raises Failure: without a complete answer
        """
        if fresh:
            self.session.get_adapter(url).forget_idle()
        headers = {"User-Agent": "account_bank_connect", **headers}
        trace = self.transport.begin()
        started, clock = self.now(), time.monotonic()
        answer: Answer | None = None
        failure: Failure | None = None
        try:
            answer = self._exchange(method, url, request_id, headers, body, trace)
            return answer
        except Failure as error:
            failure = error
            raise
        finally:
            self._observe(
                Exchange(
                    direction="out",
                    method=method,
                    url=mask_text(url, self.secrets),
                    started=started,
                    duration=time.monotonic() - clock,
                    correlation_id=request_id,
                    request_size=len(body or b""),
                    response_size=len(answer.content) if answer else trace.received,
                    request_headers=mask_headers(headers),
                    response_headers=mask_headers(answer.headers) if answer else {},
                    status=answer.status if answer else failure.status if failure else None,
                    error=failure.code if failure else None,
                    peer_fingerprint=trace.peer.fingerprint if trace.peer else None,
                    tls_version=trace.peer.tls_version if trace.peer else None,
                    request_body=self._recorded(body),
                    response_body=self._recorded(
                        answer.content if answer else failure.content if failure else b""
                    ),
                )
            )

    def _recorded(self, body: bytes | None) -> str:
        return masked(body, self.secrets) if self.record_bodies and body else ""

    def _exchange(
        self,
        method: str,
        url: str,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes | None,
        trace: Trace,
    ) -> Answer:
        asked = self.now()
        response = None
        try:
            response = self.session.request(
                method, url, headers=headers, data=body, stream=True, allow_redirects=False
            )
            answered = self.now()
            content = self._read(response)
            if response.status_code >= 400:
                content = without(content, self.hidden)
        except Failure as error:
            error.content = without(error.content, self.hidden)
            error.marks, error.peer = tuple(trace.marks), trace.peer
            error.facts.setdefault("host", _host(url))
            raise
        except Exception as error:
            if not isinstance(error, TransportError | _ERRORS):
                # Its text and trace may repeat headers and body: not `exception`, which shows all.
                trail = "".join(traceback.format_exception(error))
                _logger.error(
                    "Unexpected error in an exchange with %s\n%s",
                    _host(url),
                    masked_text(trail, self.secrets),
                )
            status = None if response is None else response.status_code
            raise self._failure(error, trace, status, _host(url)) from None
        finally:
            if response is not None:
                response.close()
        date = _http_date(response.headers.get("Date", ""))
        skew = (date - (asked + (answered - asked) / 2)).total_seconds() if date else None
        return Answer(
            status=response.status_code,
            headers=CaseInsensitiveDict(response.headers),
            content=content,
            content_type=_media_type(response.headers),
            url=url,
            correlation_id=request_id,
            received_at=self.now(),
            clock_skew=skew,
            peer=trace.peer,
        )

    def _read(self, response: requests.Response) -> bytes:
        """Read the body within bounds, as sent: decompression would escape them."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Failure(
                "answer_encoded", sent=True, status=response.status_code, encoding=encoding[:40]
            )
        content = bytearray()
        while chunk := response.raw.read(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > self.max_answer:
                raise Failure(
                    "answer_too_large",
                    sent=True,
                    status=response.status_code,
                    content=bytes(content[:_CHUNK]),
                    limit=self.max_answer,
                )
        # urllib3 1.26 does not compare for us.
        length = response.headers.get("Content-Length", "")
        bodiless = response.status_code in (204, 304)
        if length.isascii() and length.isdigit() and int(length) != len(content) and not bodiless:
            raise Failure(
                "half_answer",
                sent=True,
                status=response.status_code,
                content=bytes(content[:_CHUNK]),
                detail=f"{len(content)} of {length} bytes",
            )
        return bytes(content)

    def _failure(
        self, error: BaseException, trace: Trace, status: int | None, host: str
    ) -> Failure:
        """Name what happened, from the socket's own evidence rather than from wrapped errors."""
        facts = {"host": host, "marks": tuple(trace.marks), "peer": trace.peer}
        if isinstance(error, TransportError):
            detail = mask_text(error.detail, self.secrets)
            return Failure(error.code, sent=False, detail=detail, **facts, **error.facts)
        if not trace.writing:
            # Only the type: the libraries' texts repeat header values.
            return Failure("request_invalid", sent=False, detail=type(error).__name__, **facts)
        detail = "; ".join(dict.fromkeys(str(e) for e in trace.errors)) or type(error).__name__
        detail = mask_text(detail, self.secrets)
        if (
            trace.peer.tls_version == "TLSv1.3"
            and not trace.peer.vouched
            and not trace.received
            and any(is_certificate_alert(e) for e in trace.errors)
        ):
            # A TLS 1.3 server that turns our certificate down is still in its handshake: the
            # keys for reading the request come after it (RFC 8446, 4.4.4), and we offer neither
            # post-handshake authentication nor renegotiation.  So it has read nothing.  A session
            # ticket seen before would show the handshake done, and the alert would prove nothing.
            return Failure("tls_client_rejected", sent=False, detail=detail, **facts)
        if any(isinstance(e, TimeoutError) for e in trace.errors):
            code = "total_timeout" if trace.remaining() <= 0 else "read_timeout"
        elif not trace.received:
            code = "reset"
        elif status is not None or trace.errors:
            code = "half_answer"
        else:
            code = "protocol"
        return Failure(code, sent=True, detail=detail, status=status, **facts)

    def _observe(self, exchange: Exchange) -> None:
        if self.observer is None:
            return
        try:
            self.observer(exchange)
        except Exception:
            # A log that fails must not turn a delivered payment into a failed one.
            _logger.exception("The observer of bank exchanges failed")
