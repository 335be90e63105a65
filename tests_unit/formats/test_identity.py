"""Each booking once, whatever documents tell it, in whatever order."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, count, pairwise

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from formats.identity import Extent, Known, Mention, Recogniser

MONDAY = date(2026, 11, 23)
SLICE = 3
OPENING = Decimal(1000)


@dataclass(frozen=True)
class Booking:
    """What truly happened on the account."""

    number: int
    day: date
    amount: Decimal
    e2e: bool  # whether it has an end-to-end id


class Books:
    """A journal in memory, which takes reports in as the product does."""

    def __init__(self, from_advices=False):
        self.lines = []
        self.from_advices = from_advices
        self._ids = count(1)

    def take(self, extent, mentions):
        recogniser = Recogniser(extent, self._lookup)
        slices = [range(i, min(i + SLICE, len(mentions))) for i in range(0, len(mentions), SLICE)]
        for part in slices:
            recogniser.reserve([mentions[i] for i in part], part)
        for part in slices:
            told = [mentions[i] for i in part]
            for mention, known in zip(told, recogniser.decide(told, part), strict=True):
                if known:
                    known.mentions.append(mention)
                elif extent.final or self.from_advices:
                    self.lines.append(Known(next(self._ids), [mention]))

    def _lookup(self, mentions):
        amounts = {mention.amount for mention in mentions}
        return [line for line in self.lines if line.mentions[0].amount in amounts]

    @property
    def amounts(self):
        return self.count(self.lines)

    def count(self, lines):
        return Counter(line.mentions[0].amount for line in lines)


@dataclass(frozen=True)
class Bank:
    """What its documents say: a kind of document → how it names bookings."""

    statement_reference: str  # none, own, shared (with advices), constant
    advice_reference: str
    e2e_in_statement: bool
    e2e_in_advice: bool
    numbered: bool
    ahead: bool  # advices come a day before the booking, with its value date

    def tells_apart(self, bookings):
        """Whether advice and statement call every booking by one name."""
        same = self.statement_reference == self.advice_reference == "shared"
        named = self.e2e_in_statement and self.e2e_in_advice
        return same or (named and all(booking.e2e for booking in bookings))

    def mention(self, booking, extent, found):
        final = extent.final
        reference = {
            "none": None,
            "own": f"{extent.kind} {booking.number}",
            "shared": f"REF {booking.number}",
            "constant": "NONREF",
        }[self.statement_reference if final else self.advice_reference]
        value_day = booking.day - timedelta(days=self.ahead)
        told = self.e2e_in_statement if final else self.e2e_in_advice
        return Mention(
            extent=extent,
            amount=booking.amount,
            booking_date=booking.day if final else value_day,
            value_date=value_day,
            bank_reference=reference,
            references=frozenset([f"e2e:PAYMENT-{booking.number}"] if booking.e2e and told else []),
            text=f"{extent.kind} says so",
            found=found if final else None,
        )


banks = st.builds(
    Bank,
    statement_reference=st.sampled_from(["none", "own", "shared", "constant"]),
    advice_reference=st.sampled_from(["none", "own", "shared"]),
    e2e_in_statement=st.booleans(),
    e2e_in_advice=st.booleans(),
    numbered=st.booleans(),
    ahead=st.booleans(),
)


@st.composite
def accounts(draw):
    """Bookings of a few days, of few amounts: many are equal in all but their place."""
    facts = draw(st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([-5, -5, -7, 40]), st.booleans()),
        min_size=1, max_size=9,
    ))
    facts.sort(key=lambda fact: fact[0])
    bookings = []
    for number, (day, amount, e2e) in enumerate(facts):
        bookings.append(Booking(number, MONDAY + timedelta(days=day), Decimal(amount), e2e))
    balances = [OPENING, *accumulate((b.amount for b in bookings), initial=OPENING)][1:]
    # Where an account comes back to an earlier balance only numbers tell statements apart, and
    # not every bank gives them: see the tests below.
    assume(len(set(balances)) == len(balances))
    return bookings, balances


def cut(draw, bookings, balances, bank, kind, first):
    """The account's bookings as statements, cut where the bank likes."""
    edges = draw(st.sets(st.integers(1, max(1, len(bookings) - 1)), max_size=4))
    edges = sorted({0, len(bookings), *(edge for edge in edges if edge < len(bookings))})
    for number, (start, end) in enumerate(pairwise(edges), first):
        extent = Extent(
            id=f"{kind} {first} {number}", kind=kind, final=True,
            number=number if bank.numbered else None,
            opening=balances[start], closing=balances[end], last=bookings[end - 1].day,
        )
        yield extent, [
            bank.mention(bookings[i], extent, balances[i]) for i in range(start, end)
        ]


@st.composite
def deliveries(draw):
    """All documents of a few days, told as often and in whatever order."""
    bookings, balances = draw(accounts())
    from_advices = draw(st.booleans())
    # Of many equal bookings that advices date otherwise, nobody could say which is which.
    bank = draw(banks.filter(lambda bank: not (from_advices and bank.ahead)))
    reports = list(cut(draw, bookings, balances, bank, "camt.053", 1))
    if draw(st.booleans()):
        # The same list cut anew; a bank does not give its numbers again to other stretches.
        reports += cut(draw, bookings, balances, bank, "camt.053", 100)
    if draw(st.booleans()):
        reports += cut(draw, bookings, balances, bank, "mt940", 1)
    for number, kind in enumerate(draw(st.lists(st.sampled_from(["camt.054", "camt.052"]),
                                                max_size=4))):
        told = draw(st.lists(st.sampled_from(bookings), unique=True, max_size=len(bookings)))
        extent = Extent(id=f"{kind} {number}", kind=kind, final=False)
        reports.append((extent, [bank.mention(booking, extent, None) for booking in told]))
    again = draw(st.lists(st.sampled_from(reports), max_size=3))
    for number, (extent, mentions) in enumerate(again):
        anew = replace(extent, id=f"again {number}")
        reports.append((anew, [replace(mention, extent=anew) for mention in mentions]))
    certain = not from_advices or bank.tells_apart(bookings)
    return bookings, draw(st.permutations(reports)), from_advices, certain


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(deliveries())
def test_every_booking_is_one_line(given_):
    """Advices, intraday reports, statements, cut anew, in two formats, repeated, in any order."""
    bookings, reports, from_advices, certain = given_
    books = Books(from_advices)
    for extent, mentions in reports:
        books.take(extent, mentions)
        note(f"{extent.id}: " + ", ".join(str(line.mentions) for line in books.lines))
    told = [line for line in books.lines if line.final]
    assert books.count(told) == Counter(booking.amount for booking in bookings)
    # Of equal bookings without a name, told in advance, nobody can say which a statement tells:
    # a line may be left over, which no statement confirms and which is shown as that.
    assert told == books.lines or not certain, "nothing is left that no statement told"
    for line in books.lines:
        named = {ref for mention in line.mentions for ref in mention.references}
        assert len(named) <= 1, "two payments on one line"


def statement(number, opening, *amounts, day=MONDAY, **values):
    """A statement without any reference; returns its extent and mentions."""
    balances = list(accumulate(map(Decimal, amounts), initial=Decimal(opening)))
    extent = Extent(id=number, kind="camt.053", final=True, number=number, opening=balances[0],
                    closing=balances[-1], last=day, **values)
    return extent, [
        Mention(extent=extent, amount=Decimal(amount), booking_date=day, value_date=day,
                found=found)
        for amount, found in zip(amounts, balances, strict=False)
    ]


def test_numbers_tell_statements_apart_that_leave_the_balance_as_it_was():
    """A fee is taken, given back and taken again; also an account that is emptied every day."""
    books = Books()
    for number, amounts in ((1, (-5, 5)), (2, (-5, 5)), (3, (-5,)), (1, (-5, 5)), (2, (-5, 5))):
        extent, mentions = statement(number, 100, *amounts)
        extent = replace(extent, id=object())
        books.take(extent, [replace(mention, extent=extent) for mention in mentions])
    assert books.amounts == {Decimal(-5): 3, Decimal(5): 2}


def test_days_tell_statements_apart_that_have_no_numbers():
    books = Books()
    for day in (0, 1, 0, 1):
        extent, mentions = statement(None, 0, 7, -7, day=MONDAY + timedelta(days=day))
        books.take(replace(extent, id=object()), mentions)
    assert len(books.lines) == 4


@pytest.mark.parametrize("late", [False, True])
def test_a_standing_order_with_one_reference_is_booked_every_week(late):
    books = Books(from_advices=True)
    for week in range(3):
        day = MONDAY + timedelta(weeks=week)
        extent, mentions = statement(week, 100 - 5 * week, -5, day=day)
        advice = Extent(id=f"advice {week}", kind="camt.054", final=False)
        told = [replace(mention, bank_reference="RENT") for mention in mentions]
        reports = [(extent, told), (advice, [replace(each, extent=advice, found=None)
                                             for each in told])]
        for each in reports if late else reports[::-1]:
            books.take(*each)
    assert len(books.lines) == 3


def test_what_differs_is_another_booking():
    """Two payments of one amount and day, each told by an advice of its own."""
    books = Books(from_advices=True)
    for number in (1, 2, 1):
        extent = Extent(id=object(), kind="camt.054", final=False)
        books.take(extent, [Mention(
            extent=extent, amount=Decimal(-5), booking_date=MONDAY,
            references=frozenset([f"e2e:PAYMENT-{number}"]))])
    assert len(books.lines) == 2
