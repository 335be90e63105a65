"""What the demo says while it works, and how it says that something went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable


class DemoError(Exception):
    """The demo can't go on; the text is a sentence for whoever runs it."""


class Progress:
    """Short lines with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, words: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {words}", flush=True)

    def chapter(self, title: str) -> None:
        print(f"\n{title}", flush=True)


def wait_for(
    ready: Callable[[], bool], within: float, otherwise: str | Callable[[], str], every: float = 0.2
) -> bool:
    """Ask until ``ready()``; True, so that it reads well.

    :param within: seconds
    :param otherwise: what to say when the time is over; a function is asked then
    :raises DemoError: the time is over
    """
    deadline = time.monotonic() + within
    while not ready():
        if time.monotonic() > deadline:
            said = otherwise() if callable(otherwise) else otherwise
            raise DemoError(f"{said} (waited {within:g} s)")
        time.sleep(every)
    return True
