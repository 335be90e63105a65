"""An amount fits what it is for to the cent, and is shared out without a cent lost or made."""

import importlib.util
import sys
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

# By its path: the package around it imports odoo.
_path = Path(__file__).parents[2] / "models" / "bank_booking_amounts.py"
_spec = importlib.util.spec_from_file_location("bank_booking_amounts", _path)
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module  # dataclasses look their module up
_spec.loader.exec_module(_module)
Offer, Terms, fit, split = _module.Offer, _module.Terms, _module.fit, _module.split

cents = st.integers(1, 10**9).map(lambda number: D(number) / 100)
signed = st.builds(lambda amount, sign: amount * sign, cents, st.sampled_from([1, -1]))


@given(signed, st.lists(cents, min_size=1, max_size=20))
def test_nothing_is_lost_by_splitting(amount, weights):
    shares = split(amount, weights)
    assert sum(shares) == amount
    unit = D(1).scaleb(amount.as_tuple().exponent)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - amount * weight / sum(weights)) <= unit


@st.composite
def cases(draw):
    sign = draw(st.sampled_from([1, -1]))
    amounts = draw(st.lists(cents, min_size=1, max_size=5))
    offers = [
        Offer(
            number, sign * amount, "EUR",
            draw(st.none() | st.just(sign * (amount * D("0.98")).quantize(D("0.01")))),
        )
        for number, amount in enumerate(amounts)
    ]
    total = sum(offer.amount for offer in offers)
    difference = draw(st.sampled_from([0, 1, -1, 3, -3, 250, -250])) * D("0.01")
    discounted = sum(o.amount if o.discounted is None else o.discounted for o in offers)
    amount = draw(st.sampled_from([total, discounted, draw(signed)])) + difference
    assume(amount)
    return Terms(
        amount, "EUR",
        charges=draw(st.sampled_from([D(0), D("-2.50"), D("0.03")])),
        instructed=draw(st.none() | st.just(abs(total))),
        instructed_currency="EUR",
        tolerance=draw(st.sampled_from([D(0), D("0.03")])),
    ), offers


@given(cases())
def test_whatever_fits_adds_up(case):
    terms, offers = case
    outcome = fit(terms, offers)
    if outcome is None:
        assert sum(o.amount for o in offers) != terms.amount
        return
    assert sum(share.amount for share in outcome.shares) + outcome.rest == terms.amount
    for share in outcome.shares:
        assert abs(share.amount) <= abs(share.offer.amount)
        assert (share.amount > 0) == (share.offer.amount > 0)
        if not share.discount and outcome.kind != "partial":
            assert share.amount == share.offer.amount
        if share.discount:
            assert share.amount == share.offer.discounted
    if outcome.kind == "difference":
        assert abs(outcome.rest) <= terms.tolerance
    elif outcome.kind == "partial":
        assert outcome.rest == terms.charges
    elif outcome.kind in ("exact", "discount"):
        assert not outcome.rest


@given(cents, st.lists(cents, min_size=1, max_size=5))
def test_a_converted_amount_closes_what_was_ordered(amount, opens):
    offers = [Offer(number, -value, "USD") for number, value in enumerate(opens)]
    terms = Terms(-amount, "EUR", instructed=sum(opens), instructed_currency="USD")
    outcome = fit(terms, offers)
    assert outcome.kind == "exchange"
    assert sum(share.amount for share in outcome.shares) == -amount
    assert [share.paid for share in outcome.shares] == [-value for value in opens]


def test_a_converted_amount_may_be_less_the_discount():
    offers = [Offer(1, D("-1000"), "USD", D("-980")), Offer(2, D("-20"), "USD")]
    terms = Terms(D("-613.50"), "EUR", D("-1"), D("1000"), "USD")
    outcome = fit(terms, offers)
    assert (outcome.kind, outcome.rest) == ("exchange", D("-1"))
    assert [(share.paid, share.discount) for share in outcome.shares] == [
        (D("-980"), True), (D("-20"), False),
    ]
    assert sum(share.amount for share in outcome.shares) == D("-612.50")
    assert fit(Terms(D("-613.50"), "EUR", D(0), D("999"), "USD"), offers) is None


@pytest.mark.parametrize(("amount", "meant"), [("40", "42.50"), ("-40", "-37.50")])
def test_charges_are_no_part_of_a_partial_payment(amount, meant):
    """A customer paid what the bank kept as well; a vendor did not get it."""
    terms = Terms(D(amount), "EUR", D("-2.50"))
    outcome = fit(terms, [Offer(1, D(amount) * 2, "EUR")])
    assert (outcome.kind, outcome.rest) == ("partial", D("-2.50"))
    assert [share.paid for share in outcome.shares] == [D(meant)]


@pytest.mark.parametrize(
    ("terms", "opens"),
    [
        (Terms(D("100"), "EUR"), [D("-100")]),  # the other direction
        (Terms(D("-100"), "USD"), [D("-100")]),  # another currency
        (Terms(D("-80"), "EUR", instructed=D("99"), instructed_currency="USD"), [D("-100")]),
        (Terms(D("-100.01"), "EUR"), [D("-100")]),  # more than is open
        (Terms(D("-120"), "EUR"), [D("-100"), D("-50")]),  # which of the two?
        (Terms(D("-100"), "EUR"), []),
        (Terms(D("0"), "EUR"), [D("-100")]),
        (Terms(D("20"), "EUR"), [D("-100"), D("100")]),
    ],
)
def test_what_does_not_fit(terms, opens):
    currency = "USD" if terms.instructed else "EUR"
    offers = [Offer(number, value, currency) for number, value in enumerate(opens)]
    assert fit(terms, offers) is None
