"""The text of a PDF, read where it can do no harm, and the references in it.

A PDF is a program in disguise: readers loop, recurse and unpack without end on files made for it.
So one is read by a process of its own (``pdf_child``) with little time and memory, and of what it
says only the first pages count.
"""

import re
import subprocess
import sys
from pathlib import Path

from .errors import FormatError

MAX_BYTES = 10 * 1024 * 1024
SECONDS = 30  # of the clock; the child's own bound on computing time is tighter
MAX_WORDS = 20_000

_HEAD = 1024  # bytes in which a PDF has to say that it is one
_CHILD = Path(__file__).with_name("pdf_child.py")
# As references are made: letters and digits, with the signs that banks put between them.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9/+.:_-]{4,63}")
_BETWEEN = re.compile(r"[/+.:_]")
_MOST_HYPHENS = 8  # a reference may hold hyphens, and stand between hyphens


def text(content: bytes) -> str:
    """The text of the first pages.

    Raises ``FormatError``: too large, not a PDF, locked, or not to be read within the bounds.
    """
    if len(content) > MAX_BYTES:
        raise FormatError(f"the PDF has more than {MAX_BYTES // 1024 // 1024} MB", code="limits")
    if b"%PDF-" not in content[:_HEAD]:
        raise FormatError("this is no PDF", code="kind")
    try:
        # Isolated: neither the environment nor the working directory decides what is imported.
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(_CHILD)],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FormatError("the PDF can't be read in reasonable time", code="too_slow") from None
    except OSError as error:
        text = f"no reader for PDFs can be started: {error}"
        raise FormatError(text, code="no_reader") from error
    if done.returncode != 0:
        # The last line of the trace says what was wrong; what a file says of itself is bounded.
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it crashed"]
        raise FormatError(f"the PDF can't be read: {said[0][:200]}", code="malformed")
    return done.stdout.decode("utf-8", "replace")


def references(said: str) -> list[str]:
    """Everything in a text or file name that may be a reference, each once, in order.

    Whole words first, then the parts that signs separate: a name such as
    ``receipt_E2E-77_20261123.pdf`` holds one between others.
    """
    words = _WORD.findall(said)[:MAX_WORDS]
    parts = [part for word in words for part in _BETWEEN.split(word)]
    found = (word.strip(".:/-") for word in (*words, *parts, *_between_hyphens(parts)))
    return list(dict.fromkeys(word for word in found if len(word) > 4))


def _between_hyphens(parts: list[str]) -> list[str]:
    """``receipt-E2E-77-copy``: every run of what hyphens separate."""
    found = []
    for part in parts:
        pieces = part.split("-")
        if 1 < len(pieces) <= _MOST_HYPHENS:
            found += [
                "-".join(pieces[first:last])
                for first in range(len(pieces))
                for last in range(first + 1, len(pieces) + 1)
                if last - first < len(pieces)
            ]
    return found
