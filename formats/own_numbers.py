"""Our own numbers inside a text: what a payment was sent with, as banks repeat it in words.

A batch has a number like ``BC261129-KD7QXM4T``. Its message carries it, its payment block the same
with ``-1``, and its payments with ``-00001`` and so on; a UETR is a version 4 UUID. Banks drop the
dashes, write capitals small, cut lines in the middle of a number and put words before it, attached
to it or not. A number is found only as a whole: nothing that could belong to a longer one is
attached to it. What may be read in two ways is given in both: the caller knows which one exists.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from .remittance import GENERIC, GLUE

# Words that stand before and after our numbers, besides those of anybody's.
WORDS = GENERIC | frozenset(
    """
    ABWA ABWE BENM BIC BREF CNTP CRED DEBT E2E EE END2END ENDTOEND ENDTOENDID EREF ID IBAN INSTRID
    MARF MREF MSGID NAME ORDP PMTINFID PREF PURP TRTP UETR
    """.split()
)
MOST_DIGITS = 7  # of a payment's place in its batch; five at least

_NOISE = r"[\s/._+\\-]{0,8}"
_BATCH = re.compile(
    "(?=(" + _NOISE.join([*"BC", *["[0-9]"] * 6, *["[A-HJ-NP-Z2-9]"] * 8]) + "))"
)
_UETR = re.compile(
    "(?=("
    + _NOISE.join([*["[0-9A-F]"] * 12, "4", *["[0-9A-F]"] * 3, "[89AB]", *["[0-9A-F]"] * 15])
    + "))"
)
_DIGIT = re.compile(_NOISE + "([0-9])")
_BEFORE = re.compile(f"([A-Z0-9]*)[{re.escape(GLUE)}]*$")
_AFTER = re.compile(f"[{re.escape(GLUE)}]*([A-Z]*)([0-9]?)")


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """What could be numbers of ours in a text, written as we write them.

    - ``payments``: end-to-end numbers, and UETRs in small letters
    - ``batches``: numbers of batches
    """

    payments: frozenset[str] = frozenset()
    batches: frozenset[str] = frozenset()


def own_numbers(text: str | None) -> OwnNumbers:
    """Every stretch of the text that could be a number of ours."""
    folded = unicodedata.normalize("NFKD", text or "").upper()
    payments, batches = set(), set()
    for start, end in _places(_BATCH, folded):
        bare = _bare(folded[start:end])
        batch = f"{bare[:8]}-{bare[8:]}"
        for digits in _endings(folded, end):
            if digits in ("", "1"):
                batches.add(batch)
            elif len(digits) == 5 or (len(digits) > 5 and digits[0] != "0"):
                payments.add(f"{batch}-{digits}")
    for start, end in _places(_UETR, folded):
        if not _attached(folded, end):
            bare = _bare(folded[start:end]).lower()
            payments.add("-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:])))
    return OwnNumbers(frozenset(payments), frozenset(batches))


def _places(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        before = _BEFORE.search(text, max(0, match.start() - 40), match.start())
        if before is None or before[1] in WORDS | {""}:
            yield match.span(1)


def _endings(text: str, end: int) -> Iterator[str]:
    """The digits that may end a number, as far as they go: none, the first, the first two…"""
    digits = ""
    while True:
        if not _attached(text, end):
            yield digits
        following = _DIGIT.match(text, end)
        if not following or len(digits) == MOST_DIGITS:
            return
        digits, end = digits + following[1], following.end()


def _attached(text: str, end: int) -> bool:
    """Whether what follows makes the number a piece of something longer."""
    letters, digit = _AFTER.match(text, end).groups()
    return bool(digit and not letters) or bool(letters and letters not in WORDS)


def _bare(text: str) -> str:
    return re.sub("[^A-Z0-9]", "", text)
