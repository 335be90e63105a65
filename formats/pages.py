"""A statement that the bank delivers in pages: what each page tells, and whether all make it up.

A page with balances of its own proves itself. Where the first has just the opening balance and the
last the closing one, or each repeats those of the whole, the pages can only be proven together:
what is kept of each until then is plain data (``as_json``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from .arithmetic import BALANCED, stated
from .errors import Fault
from .report import Report


@dataclass(frozen=True, slots=True)
class Page:
    """What a page tells.

    - ``first``, ``number``: its number, of pages joined already the first and the last one
    - ``last``: whether it is the last page; ``None`` where the bank does not say
    - ``opening``, ``closing``: balances as given, of the page or of the whole statement
    - ``booked``: sum of its booked entries
    - ``totals``: counts and sums as stated, by side; ``counted``: the same of its entries
    """

    first: int
    number: int
    last: bool | None
    opening: Decimal | None
    closing: Decimal | None
    booked: Decimal
    totals: dict[str, tuple[int | None, Decimal | None]]
    counted: dict[str, list[tuple[int, Decimal]]]

    def as_json(self) -> dict[str, Any]:
        """As plain data: amounts as texts."""
        return {
            "first": self.first,
            "number": self.number,
            "last": self.last,
            "opening": _text(self.opening),
            "closing": _text(self.closing),
            "booked": str(self.booked),
            "totals": {name: [n, _text(total)] for name, (n, total) in self.totals.items()},
            "counted": {
                name: [[n, str(total)] for n, total in ways] for name, ways in self.counted.items()
            },
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Page:
        return cls(
            first=kept["first"],
            number=kept["number"],
            last=kept["last"],
            opening=_number(kept["opening"]),
            closing=_number(kept["closing"]),
            booked=Decimal(kept["booked"]),
            totals={name: (n, _number(total)) for name, (n, total) in kept["totals"].items()},
            counted={
                name: [(n, Decimal(total)) for n, total in ways]
                for name, ways in kept["counted"].items()
            },
        )


def page_of(report: Report) -> Page | None:
    """What ``report``, read to its end, tells as one page of several; None where it is whole."""
    if not report.final or report.page is None or report.is_whole:
        return None
    opening, closing = report.opening, report.closing
    currency = (opening or closing).currency if opening or closing else report.account.currency
    return Page(
        first=report.first_page or report.page,
        number=report.page,
        last=report.last_page,
        opening=opening.amount if opening else None,
        closing=closing.amount if closing else None,
        booked=report.booked(currency),
        totals=dict(report.summary),
        counted=report.counted(),
    )


def may_be_proven_together(faults: Iterable[Fault]) -> bool:
    """Whether other pages could cure what doesn't add up on one."""
    return all(fault.code in BALANCED or fault.code.startswith(("count_", "total_"))
               for fault in faults)


def is_page_of_advice(report: Report, faults: Iterable[Fault]) -> bool:
    """Whether just the totals of an advice or intraday report differ, being of all its pages."""
    return (
        not report.final
        and not report.is_whole
        and all(fault.code.startswith(("count_", "total_")) for fault in faults)
    )


def missing(pages: Iterable[Page]) -> list[int]:
    """The numbers of the pages that are not here; of those behind the last one just the first.

    Where the bank does not say which page is the last, it is the one with which all adds up.
    """
    pages = sorted(pages, key=lambda page: page.number)
    here = {number for page in pages for number in range(page.first, page.number + 1)}
    end = pages[-1]
    found = [number for number in range(1, end.number) if number not in here]
    unsaid = end.last is None and bool(faults(pages))
    return found + ([end.number + 1] if end.last is False or unsaid else [])


def faults(pages: Iterable[Page]) -> list[Fault]:
    """What doesn't add up in pages that are all there, in words."""
    pages = sorted(pages, key=lambda page: page.number)
    opening, closing = pages[0].opening, pages[-1].closing
    for side, balance in (("opening", opening), ("closing", closing)):
        if balance is None:
            return [Fault.of(f"no_{side}", f"the statement has no {side} balance")]
    found = []
    together: dict[str, list[tuple[int, Decimal]]] = {}
    for page in pages:
        for name, ways in page.counted.items():
            before = together.get(name) or [(0, Decimal(0))] * len(ways)
            together[name] = [
                (count + more, total + sums)
                for (count, total), (more, sums) in zip(before, ways, strict=True)
            ]
    for page in pages:
        for name, said in page.totals.items():
            # of the page or of the whole statement
            if stated(name, said, page.counted[name]):
                found += stated(name, said, together[name])
    booked = sum((page.booked for page in pages), Decimal(0))
    if opening + booked != closing:
        text = (
            f"opening balance {opening} plus booked entries {booked} on pages 1 to"
            f" {pages[-1].number} make {opening + booked}, the closing balance is {closing}"
        )
        facts = {"opening": opening, "booked": booked, "pages": pages[-1].number}
        facts |= {"expected": opening + booked, "closing": closing}
        found.append(Fault.of("sum_of_pages", text, **facts))
    return found


def balances(pages: Iterable[Page]) -> list[tuple[Page, Decimal, Decimal]]:
    """Each page of a proven statement with the balances before and after its entries."""
    pages = sorted(pages, key=lambda page: page.number)
    steps = accumulate((page.booked for page in pages), initial=pages[0].opening)
    return [(page, *both) for page, both in zip(pages, pairwise(steps), strict=True)]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
