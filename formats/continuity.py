"""Do an account's statements join without a gap?

Plain data in, plain data out. A gap is nothing that is kept: whoever asks after the missing
statement has come is told of none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

MISSING, BALANCE, SEQUENCE, CORRECTED = "missing", "balance", "sequence", "corrected"
PAGE = "page"


@dataclass(frozen=True, slots=True)
class Statement:
    """An end-of-day statement.

    - ``last``: the day of its closing balance
    - ``booked``: how many entries
    - ``page``: its last page, where it is a part of a statement; ``more``: pages follow
    - ``joined``: its first entry is on another statement too, so it begins within that one
    """

    id: Hashable
    kind: str
    number: int | None
    opening: Decimal
    closing: Decimal
    last: date
    booked: int
    joined: bool = False
    page: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Where two statements do not join.

    - ``kind``: ``missing``: one between them; ``balance``: numbers follow, balances do not;
      ``sequence``: balances follow, numbers do not; ``corrected``: the bank told one statement
      twice, and not the same; ``page``: the page after this one (before and after are the same)
    - ``before``, ``after``: the statements; of a corrected one the first and the last version
    - ``expected``, ``found``: the closing balance before, the opening balance after (of a
      corrected one: its closing balances)
    """

    kind: str
    before: Statement
    after: Statement
    expected: Decimal
    found: Decimal


def in_order(statements: Iterable[Statement]) -> list[Statement]:
    """By day, by the bank's number, and where there is none by balance."""
    days = defaultdict(list)
    for statement in statements:
        days[statement.last].append(statement)
    ordered: list[Statement] = []
    for _day, group in sorted(days.items()):
        balance = ordered[-1].closing if ordered else None
        if len(group) > 1 and any(each.number is None for each in group):
            ordered += _linked(group, balance)
        else:
            ordered += sorted(group, key=lambda each: (each.number or 0, each.page or 0))
    return ordered


def _linked(group: list[Statement], balance: Decimal | None) -> list[Statement]:
    """Statements of one day, each after the one that ends where it begins."""
    waiting, ordered = list(group), []
    while waiting:
        closings = {each.closing for each in waiting}
        following = next((each for each in waiting if each.opening == balance), None) or next(
            (each for each in waiting if each.opening not in closings), waiting[0]
        )
        waiting.remove(following)
        ordered.append(following)
        balance = following.closing
    return ordered


def gaps(statements: Iterable[Statement]) -> list[Gap]:
    """Where the statements of one account do not join, in their order."""
    ordered, found = _without_repetitions(in_order(statements))
    closings = {statement.closing for statement in ordered}
    openings: set[Decimal] = set()
    numbers = {(each.kind, each.number) for each in ordered}
    counting = _counting(ordered)
    for before, after in pairwise([None, *ordered]):
        joins = (
            before is None or after.joined or after.opening in openings
            or after.opening == before.closing
            # Statements cut in different ways: another one may end here.
            or (after.opening in closings and _ends_before(ordered, after))
        )
        openings.add(after.opening)
        if before is None:
            continue
        follows = after.number is not None and (after.kind, after.number - 1) in numbers
        if not joins:
            numbered = before.number is not None and after.number == before.number + 1
            kind = BALANCE if numbered and counting and not before.more else MISSING
            found.append(Gap(kind, before, after, before.closing, after.opening))
        elif counting and not follows and _skips(before, after):
            found.append(Gap(SEQUENCE, before, after, before.closing, after.opening))
    return found + _pages_missing(ordered, found)


def _pages_missing(ordered: list[Statement], found: list[Gap]) -> list[Gap]:
    """Pages after which nothing goes on, unless a statement is missing there anyway."""
    told = {gap.before.id for gap in found if gap.kind != SEQUENCE}
    return [
        Gap(PAGE, each, each, each.closing, each.closing)
        for each in ordered
        if each.more and each.id not in told and not any(_goes_on(each, other) for other in ordered)
    ]


def _goes_on(page: Statement, other: Statement) -> bool:
    """Whether ``other`` is the next page of the same statement, or the statement whole."""
    if other.id == page.id or (other.kind, other.number) != (page.kind, page.number):
        return False
    return other.page is None or (other.page > page.page and other.opening == page.closing)


def _ends_before(ordered: list[Statement], after: Statement) -> bool:
    return any(
        each.closing == after.opening and each.last <= after.last and each.id != after.id
        for each in ordered
    )


def _skips(before: Statement, after: Statement) -> bool:
    if before.kind != after.kind or None in (before.number, after.number):
        return False
    if before.number == after.number and before.page and after.page:
        return False
    # Many banks begin anew with each year.
    anew = after.last.year > before.last.year and after.number == 1
    return after.number != before.number + 1 and not anew


def _counting(ordered: list[Statement]) -> bool:
    """Whether the bank numbers this account's statements one by one: some do not."""
    steps = [
        after.number - before.number
        for before, after in pairwise(ordered)
        if before.kind == after.kind and None not in (before.number, after.number)
        and not (before.page and after.page and before.number == after.number)
    ]
    return steps.count(1) * 2 > len(steps)


def _without_repetitions(ordered: list[Statement]) -> tuple[list[Statement], list[Gap]]:
    """The statements without those that only repeat one, and those that tell one otherwise."""
    kept: list[Statement] = []
    seen: dict[tuple, Statement] = {}
    corrected: list[Gap] = []
    for statement in ordered:
        facts = (statement.opening, statement.closing, statement.booked)
        name = (statement.kind, statement.number, statement.last, statement.page)
        earlier = seen.get(name) if statement.number is not None else None
        if earlier and facts == (earlier.opening, earlier.closing, earlier.booked):
            continue
        if earlier and earlier.opening == statement.opening:
            corrected.append(
                Gap(CORRECTED, earlier, statement, earlier.closing, statement.closing)
            )
            kept.remove(earlier)
        seen[name] = statement
        kept.append(statement)
    return kept, corrected
