"""Does a report add up? Balances against entries, entries against the stated totals."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from .errors import Fault
from .incoming import Balance, Entry

if TYPE_CHECKING:
    from .report import Report

# PRCD is the closing balance of the statement before; ITBD with INTM stands for a page's end
OPENING = ("OPBD", "PRCD")
CLOSING = ("CLBD", "ITBD")
# faults of the balances alone
BALANCED = frozenset({"no_opening", "no_closing", "sum"})
# every entry by what it does to the account; the booked ones; reversals on the side they undo
_WAYS = ("every", "booked", "origin")


class Tally:
    """Counts and sums of the entries read so far."""

    def __init__(self) -> None:
        self.booked: dict[str, Decimal] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sums: Counter[tuple[str, str]] = Counter()

    def add(self, entry: Entry) -> None:
        booked = entry.status == "BOOK"
        if booked:
            self.booked[entry.currency] = self.booked.get(entry.currency, 0) + entry.amount
        credit = entry.credit_debit == "CRDT"
        size = entry.amount if credit else -entry.amount
        self._count("every", credit, size)
        if booked:
            self._count("booked", credit, size)
        # a credit taken back may be counted among the credits, as less of them
        turned = entry.reversal
        self._count("origin", credit != turned, -size if turned else size)

    def ways(self, name: str) -> list[tuple[int, Decimal]]:
        """Count and sum of all, credit or debit entries in each way of counting."""
        return [(self.counts[name, way], Decimal(self.sums[name, way])) for way in _WAYS]

    def _count(self, way: str, credit: bool, size: Decimal) -> None:
        for name in ("all", "credit" if credit else "debit"):
            self.counts[name, way] += 1
            self.sums[name, way] += size


def faults(report: Report, tally: Tally) -> list[Fault]:
    """What doesn't add up in ``report``, in words."""
    found = _totals(report, tally)
    currencies = {balance.currency for balance in report.balances}
    currency = report.account.currency
    if currency and currencies - {currency}:
        others = ", ".join(sorted(currencies - {currency}))
        found.append(
            Fault.of(
                "balance_currency",
                f"the account is kept in {currency}, a balance is given in {others}",
                ours=currency,
                theirs=others,
            )
        )
    strange = set(tally.booked) - (currencies or set(tally.booked))
    if strange:
        others = ", ".join(sorted(strange))
        text = f"entries are booked in {others}, unlike the balances"
        found.append(Fault.of("entry_currency", text, theirs=others))
    if report.final:
        found += balances(report, tally)
    return found


def balances(report: Report, tally: Tally) -> list[Fault]:
    """Opening balance and booked entries against the closing balance."""
    opening, closing = report.opening, report.closing
    missing = [
        name for name, balance in (("opening", opening), ("closing", closing)) if balance is None
    ]
    if missing:
        return [Fault.of(f"no_{name}", f"the statement has no {name} balance") for name in missing]
    if opening.currency != closing.currency:
        return [
            Fault.of(
                "two_currencies",
                f"it opens in {opening.currency} and closes in {closing.currency}",
                first=opening.currency,
                last=closing.currency,
            )
        ]
    booked = tally.booked.get(opening.currency, Decimal(0))
    expected = opening.amount + booked
    if expected != closing.amount:
        return [
            Fault.of(
                "sum",
                f"opening balance {opening.amount} plus booked entries {booked} make {expected}"
                f" {opening.currency}, the closing balance is {closing.amount}:"
                f" a difference of {closing.amount - expected}",
                opening=opening.amount,
                booked=booked,
                expected=expected,
                currency=opening.currency,
                closing=closing.amount,
                difference=closing.amount - expected,
            )
        ]
    return []


def first_of(balances: list[Balance], types: tuple[str, ...]) -> Balance | None:
    for kind in types:
        # by day, for a statement over several days may give one for each
        found = [balance for balance in balances if balance.type == kind]
        if found:
            return min(found, key=lambda balance: balance.date)
    return None


def last_of(balances: list[Balance], types: tuple[str, ...]) -> Balance | None:
    for kind in types:
        found = [balance for balance in balances if balance.type == kind]
        if found:
            return max(found, key=lambda balance: balance.date)
    return None


def _totals(report: Report, tally: Tally) -> list[Fault]:
    """Totals as stated, in any of the ways in which banks count."""
    found = []
    for name, said in report.summary.items():
        found += stated(name, said, tally.ways(name))
    return found


def stated(
    name: str, said: tuple[int | None, Decimal | None], ways: list[tuple[int, Decimal]]
) -> list[Fault]:
    """What is wrong with a count and a sum as stated, against each way of counting."""
    number, total = said
    counts, sums = [way[0] for way in ways], [way[1] for way in ways]
    words = {"all": "entries", "credit": "credit entries", "debit": "debit entries"}[name]
    found = []
    if number is not None and number not in counts:
        text = f"it states {number} {words}, it has {counts[0]}"
        found.append(Fault.of(f"count_{name}", text, stated=number, found=counts[0]))
    if total is not None and total not in sums:
        text = f"it states {total} as sum of {words}, it is {sums[0]}"
        found.append(Fault.of(f"total_{name}", text, stated=total, found=sums[0]))
    return found
