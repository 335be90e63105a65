"""Tells the observer of a connection about each exchange over SFTP."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Iterator

from .exchange import Exchange, mask_text
from .interface import Outcome
from .settings import Settings

_logger = logging.getLogger(__name__)


class Entry:
    """One exchange while it runs."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        self.received = 0
        self.fingerprint: str | None = None


class Log:
    """Masks and reports exchanges; does nothing where nobody observes."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self.observer = settings.observer
        self.now = settings.now
        self.place = f"sftp://{host}:{port}/"
        self.secrets = [value for value in settings.variables.values() if len(value) >= 4]

    def mask(self, text: str) -> str:
        """Blank out all secrets in a text that may be logged."""
        return mask_text(text, self.secrets)

    @contextlib.contextmanager
    def entry(self, method: str, path: str, key: str = "", sent: int = 0) -> Iterator[Entry]:
        """Report what happens inside, with the code of its outcome."""
        entry, started, clock = Entry(sent), self.now(), time.monotonic()
        error: str | None = None
        try:
            yield entry
        except Outcome as outcome:
            error = outcome.code
            outcome.detail = self.mask(outcome.detail)
            raise
        finally:
            if self.observer is not None:
                exchange = Exchange(
                    direction="out",
                    method=method,
                    url=self.mask(self.place + path.lstrip("/")),
                    started=started,
                    duration=time.monotonic() - clock,
                    correlation_id=key or str(uuid.uuid4()),
                    request_size=entry.sent,
                    response_size=entry.received,
                    request_headers={},
                    response_headers={},
                    error=error,
                    peer_fingerprint=entry.fingerprint,
                )
                try:
                    self.observer(exchange)
                except Exception:
                    # A log that fails must not turn a delivered payment into a failed one.
                    _logger.exception("The observer of bank exchanges failed")
