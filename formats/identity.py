"""Once and only once: which entries of a bank's documents speak of one and the same booking.

A booking is told several times: by an advice, by intraday reports, by the statement, by a file
that is delivered again, renamed, overlapping or cut anew. What is told differs between kinds of
documents, so no single field can serve as a key. The rule (``docs/statements.md`` says it for
accountants):

- Within one report every entry is another booking.
- Two entries can be one booking only if their amounts are equal, and nothing contradicts it: both
  name an end-to-end id, a UETR or a batch, and not the same one; or two documents of one kind give
  different references of the bank.
- Of two statements the balances tell whether one follows the other (then no booking is common),
  whether they tell the same days (then entries of one day and amount are the same), or neither
  (then a common reference, or the same balance before the booking, is asked for).
- An advice or intraday report tells in advance what one statement will tell: a common reference,
  the day or, for want of better, a near day is enough.

What this module decides on is plain data, so that thousands of schedules of delivery can be tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .incoming import Entry

#: Days by which an advice may be ahead of the statement.
NEAR = 5
MOST_REFERENCES = 50  # kept of an entry for many payments
FOLLOWS, OVERLAPS, UNKNOWN = "follows", "overlaps", "unknown"
# References that a payment keeps on all its way: two that differ are two payments.
_LASTING = ("uetr", "e2e", "pmt")
_SHORTENED = 16  # characters that MT documents leave of a reference


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of an account that a report covers.

    - ``id``: of the report; ``kind``: such as ``camt.053``; ``final``: an end-of-day statement
    - ``number``: the bank's running number
    - ``pages``: first and last page of a statement that it is a part of
    - ``opening``, ``closing``: its balances; ``last``: the day of the closing balance
    """

    id: Hashable
    kind: str
    final: bool
    number: int | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    last: date | None = None
    pages: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """What a report says of one booking.

    - ``found``: the balance before the booking, where the report has an opening balance
    """

    extent: Extent
    amount: Decimal
    booking_date: date | None = None
    value_date: date | None = None
    bank_reference: str | None = None
    references: frozenset[str] = frozenset()
    text: str = ""
    found: Decimal | None = None

    @property
    def days(self) -> set[date]:
        return {day for day in (self.booking_date, self.value_date) if day}


@dataclass(slots=True)
class Known:
    """A booking that is here, and all that was said of it so far."""

    id: Hashable
    mentions: list[Mention]

    @property
    def final(self) -> bool:
        """Whether an end-of-day statement told it."""
        return any(mention.extent.final for mention in self.mentions)


def mention(entry: Entry, extent: Extent, found: Decimal | None) -> Mention:
    """What ``entry``, of the report with this ``extent``, says."""
    references = set()
    if entry.batch and entry.batch.payment_information_id:
        references.add(f"pmt:{entry.batch.payment_information_id}")
    words = [entry.additional_information]
    for detail in entry.details:
        named = {
            "uetr": detail.uetr,
            "e2e": detail.end_to_end_id,
            "tx": detail.transaction_id,
            "svc": detail.bank_reference,
            "clr": detail.clearing_reference,
        }
        references |= {f"{name}:{value}" for name, value in named.items() if value}
        words += detail.remittance_unstructured
    text = "".join(char for word in words if word for char in word.casefold() if char.isalnum())
    return Mention(
        extent=extent,
        amount=entry.amount,
        booking_date=entry.booking_date,
        value_date=entry.value_date,
        bank_reference=entry.bank_reference,
        references=frozenset(sorted(references)[:MOST_REFERENCES]),
        text=text[:60],
        found=found,
    )


def relation(one: Extent, other: Extent) -> str:
    """How two statements of one account lie to each other.

    ``FOLLOWS``: one begins where the other ends, they have nothing in common. ``OVERLAPS``: they
    tell the same stretch, or one of them a part of it. ``UNKNOWN``: nothing tells.
    """
    if None in (one.opening, one.closing, other.opening, other.closing):
        return UNKNOWN
    numbered = one.kind == other.kind and None not in (one.number, other.number)
    if numbered and one.number == other.number and one.last == other.last:
        if not one.pages and not other.pages:
            return OVERLAPS
        if one.pages and other.pages:
            apart = one.pages[1] < other.pages[0] or other.pages[1] < one.pages[0]
            return FOLLOWS if apart else OVERLAPS
    begins, ends = one.opening == other.opening, one.closing == other.closing
    dated = None not in (one.last, other.last)
    after = one.opening == other.closing and not (dated and one.last < other.last)
    before = one.closing == other.opening and not (dated and one.last > other.last)
    if after or before:
        if not begins and not ends:
            return FOLLOWS
        # One of them, or both, left the balance as it was: numbers tell, else days.
        if numbered and one.number != other.number:
            return FOLLOWS
        return OVERLAPS if one.last == other.last else FOLLOWS
    return OVERLAPS if begins or (ends and one.last == other.last) else UNKNOWN


def contradict(one: Mention, other: Mention) -> bool:
    """Whether two mentions can't be of one booking, by their references."""
    if one.extent.kind == other.extent.kind and one.bank_reference and other.bank_reference:
        if one.bank_reference != other.bank_reference:
            return True
    for name in _LASTING:
        mine = {ref for ref in one.references if ref.startswith(f"{name}:")}
        theirs = {ref for ref in other.references if ref.startswith(f"{name}:")}
        if mine and theirs and not any(_alike(a, b) for a in mine for b in theirs):
            return True
    return False


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter.partition(":")[2]) >= _SHORTENED and longer.startswith(shorter)


def _share_reference(one: Mention, other: Mention) -> bool:
    if one.bank_reference and one.bank_reference == other.bank_reference:
        return True
    return bool(one.references & other.references)


def _same_day(one: Mention, other: Mention) -> bool:
    if one.booking_date and other.booking_date:
        return one.booking_date == other.booking_date
    return bool(one.days & other.days) or not (one.days and other.days)


def _common_day(one: Mention, other: Mention) -> bool:
    return bool(one.days & other.days) or not (one.days and other.days)


def _near(one: Mention, other: Mention) -> bool:
    return any(abs((a - b).days) <= NEAR for a in one.days for b in other.days)


#: What speaks for one booking, the strongest first: something that is the booking's own, the
#: balance before it, a common reference, a common day, how many of two days are the same, the text.
#: Compared as tuples.
Evidence = tuple[bool, bool, bool, bool, int, bool]


def evidence(told: Mention, known: Known) -> Evidence | None:
    """What speaks for ``told`` being of the booking ``known``; None if it is another one."""
    mentions = known.mentions
    if any(contradict(told, other) for other in mentions):
        return None
    shared = any(_share_reference(told, other) for other in mentions)
    text = bool(told.text) and any(told.text == other.text for other in mentions)
    days = max(
        (told.booking_date == other.booking_date) + (told.value_date == other.value_date)
        for other in mentions
    )
    statements = [other for other in mentions if other.extent.final]
    if not (told.extent.final and statements):
        # One of the two tells in advance. Statements tell each booking once, so a near day is
        # enough: what is taken for another of the same amount, its own statement brings.
        common = any(_common_day(told, other) for other in mentions)
        ahead = told.extent.final or bool(statements)
        if not common and not (ahead and any(_near(told, other) for other in mentions)):
            return None
        return shared, False, shared, common, days, text
    relations = [relation(told.extent, other.extent) for other in statements]
    if FOLLOWS in relations or not any(_same_day(told, other) for other in statements):
        return None
    placed = told.found is not None and any(told.found == other.found for other in statements)
    own = placed or (shared and _believed(told, known))
    if own or OVERLAPS in relations:
        return own, placed, shared, True, days, text
    return None


def _believed(told: Mention, known: Known) -> bool:
    """Whether a common reference counts although the balances before the bookings differ.

    The payment's own does, where a statement gave it: an advice may have been taken for another
    of its amount. The bank's does not: some banks use one again and again.
    """
    statements = [other for other in known.mentions if other.extent.final]
    if told.found is None or any(other.found is None for other in statements):
        return True
    return any(told.references & other.references for other in statements)


class Recogniser:
    """Finds the bookings that the entries of one report speak of.

    First :meth:`reserve` sees all its entries, in slices, so that no entry takes a booking for
    which a later entry of the report has better evidence; then :meth:`decide` says for each.

    :param lookup: bookings that are here whose amounts are those of some mentions, and whose
        days are near
    :ivar reserved: position of an entry in the report → booking; may be kept and given again
    """

    def __init__(
        self,
        extent: Extent,
        lookup: Callable[[Sequence[Mention]], Iterable[Known]],
        reserved: dict[int, Hashable] | None = None,
    ) -> None:
        self.extent = extent
        self._lookup = lookup
        self.reserved = reserved or {}
        self._taken = set(self.reserved.values())

    def reserve(self, mentions: Sequence[Mention], positions: Sequence[int]) -> None:
        """Hold the bookings that a reference or a balance tells."""
        found = self._pairs(mentions, range(len(mentions)), self._candidates(mentions), True)
        self.reserved |= {positions[index]: known.id for index, known in found.items()}

    def decide(
        self, mentions: Sequence[Mention], positions: Sequence[int]
    ) -> list[Known | None]:
        """The booking of each entry; None: it is a new one."""
        candidates = self._candidates(mentions)
        held = {known.id: known for group in candidates.values() for known in group}
        open_ = [i for i, position in enumerate(positions) if position not in self.reserved]
        found: dict[int, Known] = {}
        for strong in (True, False):
            open_ = [index for index in open_ if index not in found]
            found |= self._pairs(mentions, open_, candidates, strong)
        return [
            # One that was reserved may have been removed since.
            held.get(self.reserved.get(position)) or found.get(index)
            for index, position in enumerate(positions)
        ]

    def _candidates(self, mentions: Sequence[Mention]) -> dict[Decimal, list[Known]]:
        """Bookings by amount, but those that this report told already."""
        candidates = defaultdict(list)
        for known in self._lookup(mentions):
            if all(other.extent.id != self.extent.id for other in known.mentions):
                candidates[known.mentions[0].amount].append(known)
        return candidates

    def _pairs(
        self,
        mentions: Sequence[Mention],
        indexes: Iterable[int],
        candidates: dict[Decimal, list[Known]],
        strong: bool,
    ) -> dict[int, Known]:
        pairs = []
        for index in indexes:
            told = mentions[index]
            for order, known in enumerate(candidates.get(told.amount, ())):
                found = known.id not in self._taken and evidence(told, known)
                if found and found[0] is strong:
                    # Of equal evidence the first entry takes the first booking.
                    pairs.append((tuple(-each for each in found), index, order, known))
        pairs.sort(key=lambda pair: pair[:3])
        chosen: dict[int, Known] = {}
        for _evidence, index, _order, known in pairs:
            if index not in chosen and known.id not in self._taken:
                chosen[index] = known
                self._taken.add(known.id)
        return chosen
