"""Where access tokens wait between calls, so that many workers fetch one together and not each."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """A bearer token, which is a secret."""

    value: str = field(repr=False)
    expires: datetime  # aware


class Busy(Exception):
    """Somebody else has been fetching this token for too long."""


class TokenStore(Protocol):
    """Keeps the tokens of one connection by name; one store may serve many processes.

    A store that fails costs a fetch, never a payment: its errors are logged and passed over.
    """

    def get(self, name: str) -> Token | None:
        """Return the token last put under `name`."""

    def put(self, name: str, token: Token) -> None:
        """Keep a token, in place of an older one."""

    def drop(self, name: str, value: str) -> None:
        """Forget the token of this value; a newer one stays."""

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Let one caller in at a time.

        :raises Busy: after a while
        """


class MemoryTokens:
    """A store for one process: for tests, tools, and as the default."""

    def __init__(self, patience: float = 60.0) -> None:
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()
        self._patience = patience

    def get(self, name: str) -> Token | None:
        return self._tokens.get(name)

    def put(self, name: str, token: Token) -> None:
        self._tokens[name] = token

    def drop(self, name: str, value: str) -> None:
        token = self._tokens.get(name)
        if token and token.value == value:
            del self._tokens[name]

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._patience):
            raise Busy
        try:
            yield
        finally:
            self._lock.release()
