"""Whether statements join, whatever the order in which they came."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from formats.continuity import Statement, gaps, in_order

DAY = date(2026, 11, 23)


@st.composite
def statements(draw):
    """Statements that join, one or two on a day, with numbers or without."""
    amounts = draw(st.lists(st.integers(-50, 50).filter(bool), min_size=3, max_size=8))
    balances = list(accumulate(amounts, initial=1000))
    assume(len(set(balances)) == len(balances))
    numbered, days = draw(st.booleans()), draw(st.integers(1, 2))
    return [
        Statement(
            id=number, kind="camt.053", number=number if numbered else None,
            opening=Decimal(opening), closing=Decimal(closing),
            last=DAY + timedelta(days=number // days), booked=1,
        )
        for number, (opening, closing) in enumerate(pairwise(balances), 1)
    ]


@given(statements(), st.data())
def test_in_whatever_order_they_came(chain, data):
    came = data.draw(st.permutations(chain))
    assert in_order(came) == chain
    assert gaps(came) == []


@given(statements(), st.data())
def test_one_that_is_missing_is_one_gap_until_it_comes(chain, data):
    missing = data.draw(st.sampled_from(chain[1:-1]))
    came = data.draw(st.permutations([each for each in chain if each != missing]))
    (gap,) = gaps(came)
    assert (gap.expected, gap.found) == (missing.opening, missing.closing)
    assert gaps([*came, missing]) == []


@given(statements(), st.data())
def test_repetitions_and_statements_cut_anew_are_no_gap(chain, data):
    start = data.draw(st.integers(0, len(chain) - 2))
    first, last = chain[start], chain[data.draw(st.integers(start + 1, len(chain) - 1))]
    whole = Statement(
        id="whole", kind="camt.053", number=None, opening=first.opening, closing=last.closing,
        last=last.last, booked=9,
    )
    again = data.draw(st.lists(st.sampled_from(chain), max_size=3))
    assert gaps(data.draw(st.permutations([*chain, *again, whole]))) == []


def page(number, opening, closing, *, last=False, of=7, day=DAY, **values):
    return Statement(
        id=(of, number), kind="camt.053", number=of, opening=Decimal(opening),
        closing=Decimal(closing), last=day, booked=2, page=number, more=not last, **values,
    )


@given(st.permutations([page(1, 100, 90), page(2, 90, 90), page(3, 90, 70, last=True)]))
def test_pages_are_one_statement_in_whatever_order_they_came(came):
    """Also where one leaves the balance as it was: their numbers tell."""
    others = [
        Statement(id=number, kind="camt.053", number=number, opening=Decimal(100 if number < 7
                  else 70), closing=Decimal(100 if number < 7 else 70), booked=0,
                  last=DAY + timedelta(days=number - 7))
        for number in (5, 6, 8, 9)
    ]
    assert gaps([*came, *others]) == []
    ordered = in_order([*came, *others])
    assert [each.page for each in ordered if each.page] == [1, 2, 3]


def test_a_page_that_is_missing_at_the_end_is_noticed_before_the_next_statement():
    first, second = page(1, 100, 90), page(2, 90, 70, last=True)
    assert [(gap.kind, gap.before) for gap in gaps([first])] == [("page", first)]
    assert gaps([first, second]) == []
    # The statement delivered again in one piece has it as well.
    whole = Statement(id="whole", kind="camt.053", number=7, opening=Decimal(100),
                      closing=Decimal(70), last=DAY, booked=4)
    assert gaps([first, whole]) == []
    # When the next statement does not join, that is told, and once.
    later = page(1, 70, 60, last=True, of=8, day=DAY + timedelta(days=1))
    assert [gap.kind for gap in gaps([first, later])] == ["missing"]
