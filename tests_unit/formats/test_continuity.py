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
