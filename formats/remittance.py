"""Which documents a remittance text names: numbers of bills, through the noise that banks add.

Banks change case, drop or add spaces and dashes, cut lines at 27, 35 or 140 characters in the
middle of a number, and add words of their own. A number is found only as a whole: its parts stand
next to each other, and nothing that could belong to a longer number is attached to them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

# Words that are put before anybody's number, attached to it or not.
GENERIC = frozenset(
    """
    BILL DOC DOCUMENT EREF FA FACT FACTURA FACTURE FAKTURA FATTURA FT INV INVOICE KD KREF NO NR NUM
    NUMBER RE RECH RECHNUNG REF REFERENCE REMI RFB RG RN RNR ROC SVWZ TXT URI USTRD
    """.split()
)
GLUE = "/-._+\\"
MOST_TOKENS = 12  # parts of one number: BILL/2026/11/0001 has four, cut lines make more
MOST_CHARACTERS = 40

_TOKEN = re.compile(r"[A-Z]+|[0-9]+")


class Strength(IntEnum):
    """How much a number that was found says.

    - ``WEAK``: short, or told by its digits alone: it takes other evidence of whose it is
    - ``SURE``: long enough to be nobody else's by chance
    """

    WEAK = 1
    SURE = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names a number, counted in tokens, and how sure that is."""

    strength: Strength
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters or of digits; ``gap`` is what stands before it: nothing, ``/``, a space."""

    text: str
    gap: str

    @property
    def digits(self) -> bool:
        return self.text[0].isdigit()


@dataclass(frozen=True, slots=True)
class Run:
    """Some tokens of a text that stand next to each other, from ``start`` up to ``end``."""

    tokens: tuple[Token, ...]
    start: int
    end: int
    before: Token | None
    after: Token | None

    @property
    def key(self) -> str:
        return "".join(token.text for token in self.tokens)


def compact(text: str | None) -> str:
    """A reference without case, spaces and punctuation; digits and Latin letters are left."""
    return "".join(token.text for token in tokens(text or ""))


def block(text: str | None) -> str:
    """What noise leaves of a number: its digits but zero. The key under which it is looked up.

    PostgreSQL computes the same: ``regexp_replace(text, '[^1-9]', '', 'g')``.
    """
    return re.sub("[^1-9]", "", text or "")


def tokens(text: str) -> list[Token]:
    folded = unicodedata.normalize("NFKD", text).upper()
    folded = "".join(char for char in folded if not unicodedata.combining(char))
    found, last = [], 0
    for match in _TOKEN.finditer(folded):
        found.append(Token(match[0], folded[last : match.start()]))
        last = match.end()
    return found


def runs(text: str) -> Iterator[Run]:
    """Every stretch of the text that could be a number."""
    found = tokens(text)
    for start, first in enumerate(found):
        if _attached(found[start - 1] if start else None, first):
            continue
        if start > 1 and first.digits and _glued(first.gap):
            # The letters before a number may be its prefix; they are whole as well.
            if _attached(found[start - 2], found[start - 1]):
                continue
        length, has_digits = 0, False
        for end in range(start + 1, min(start + MOST_TOKENS, len(found)) + 1):
            last = found[end - 1]
            length += len(last.text)
            has_digits = has_digits or last.digits
            if length > MOST_CHARACTERS:
                break
            after = found[end] if end < len(found) else None
            if not has_digits or _attached_after(after):
                continue
            yield Run(
                tuple(found[start:end]), start, end, found[start - 1] if start else None, after
            )


def blocks(texts: Iterable[str]) -> set[str]:
    """The keys of all numbers that could stand in the texts."""
    return {
        block(run.key) for text in texts for run in runs(text)
    } - {""}


def find(text: str, references: Iterable[str]) -> dict[str, Mention]:
    """Which of these references the text names.

    :return: reference → where, and how sure; of two, one inside the other, the longer one
    """
    by_block = {}
    for reference in references:
        by_block.setdefault(block(reference), []).append(reference)
    by_block.pop("", None)
    found = []
    for run in runs(text):
        for reference in by_block.get(block(run.key), ()):
            strength = _names(run, reference)
            if strength:
                found.append((run, reference, strength))
    named = {}
    for run, reference, strength in found:
        if any(
            other.start <= run.start and run.end <= other.end
            and other.end - other.start > run.end - run.start
            for other, _reference, _strength in found
        ):
            continue
        if reference not in named or strength > named[reference].strength:
            named[reference] = Mention(strength, run.start, run.end)
    return named


def resembles(text: str, references: Iterable[str]) -> bool:
    """Whether the text has a number of the same make as one of these, but another one.

    RE-2026-0816 resembles RE-2026-0815: it is the next bill of the same payee.
    """
    makes, series = set(), set()
    for reference in references:
        own = tokens(reference)
        for form in (own, own[1:] if own and not own[0].digits else own):
            makes.add(_make(form))
            series.add(tuple(_stripped(form)[:-1]))
    makes.discard("")
    series.discard(())
    return any(
        _make(run.tokens) in makes
        or (run.tokens[-1].digits and tuple(_stripped(run.tokens)[:-1]) in series)
        for run in runs(text)
    )


def same_reference(one: str | None, other: str | None) -> bool:
    """Whether two structured references are the same: ornaments, zeros and RF's frame aside."""
    return bool(one and other) and _bare(one) == _bare(other) != ""


def _bare(reference: str) -> str:
    text = compact(reference)
    if re.fullmatch(r"RF\d\d[A-Z0-9]+", text):
        text = text[4:]
    return text.lstrip("0")


def _attached(before: Token | None, first: Token) -> bool:
    """Whether what stands before makes the run a piece of something longer."""
    if before is None or not _glued(first.gap):
        return False
    return before.digits or (before.text not in GENERIC and not first.digits)


def _attached_after(after: Token | None) -> bool:
    if after is None or not _glued(after.gap):
        return False
    return after.digits or after.text not in GENERIC


def _glued(gap: str) -> bool:
    return all(char in GLUE for char in gap)


def _names(run: Run, reference: str) -> Strength | None:
    """Whether the run is the reference, and how sure that is."""
    own = tokens(reference)
    prefix = own[0].text if own and not own[0].digits else None
    key, text = "".join(token.text for token in own), run.key
    if text == key or _stripped(run.tokens) == _stripped(own):
        whole = True
    elif prefix and (
        text == key[len(prefix) :] or _stripped(run.tokens) == _stripped(own[1:])
    ):
        whole = False
    else:
        return None
    before = run.before
    if before and not before.digits and _glued(run.tokens[0].gap):
        # ABC-2026-42 is not INV/2026/42, whatever their digits say.
        if before.text not in GENERIC | {prefix}:
            return None
    digits = min(
        sum(len(token.text) for token in those if token.digits) for those in (run.tokens, own)
    )
    letters = whole and prefix
    if _joined_over_space(run, own):
        return Strength.SURE if letters and digits >= 6 else Strength.WEAK
    if (letters and digits >= 3 and digits + len(prefix) >= 5) or digits >= 6:
        return Strength.SURE
    return Strength.WEAK


def _stripped(found) -> list[str]:
    """Tokens without leading zeros: what people leave away, and systems fill up."""
    return [token.text.lstrip("0") or "0" if token.digits else token.text for token in found]


def _make(found) -> str:
    """How a number is made: letters as they are, digits by their count."""
    return re.sub("[0-9]", "0", "".join(token.text for token in found))


def _joined_over_space(run: Run, own: list[Token]) -> bool:
    """Whether digits were put together over a space that the reference itself has nothing at."""
    return len(run.tokens) > len(own)
