"""Whether a booking's amount fits what it may be for, and how it is shared out.

Plain Python and ``Decimal``: to the cent, or not at all. Amounts carry the account's sign: what is
open of a bill is negative, of a customer's invoice positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that is open.

    - ``of``: whatever it is to the caller
    - ``amount``, ``currency``: what is open
    - ``discounted``: what is enough while its early-payment discount lasts
    """

    of: Any
    amount: Decimal
    currency: str
    discounted: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the bank says of the amount.

    - ``amount``, ``currency``: what the account was moved by
    - ``charges``: fees that the amount contains, negative where they lessen the account
    - ``instructed``, ``instructed_currency``: what the payer ordered, without sign
    - ``tolerance``: what may be missing or too much and is still let go
    """

    amount: Decimal
    currency: str
    charges: Decimal = ZERO
    instructed: Decimal | None = None
    instructed_currency: str | None = None
    tolerance: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Share:
    """What of the amount one offer gets.

    - ``paid``: the same in the offer's own currency
    - ``discount``: the offer is closed with its discount
    """

    offer: Offer
    amount: Decimal
    paid: Decimal
    discount: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """How an amount fits.

    - ``kind``: ``exact``, ``discount``, ``charges``, ``exchange``, ``difference`` or ``partial``
    - ``rest``: what belongs to no offer: charges, whatever the kind, or a difference within the
      tolerance
    """

    kind: str
    shares: tuple[Share, ...] = field(default=())
    rest: Decimal = ZERO


def fit(terms: Terms, offers: Sequence[Offer]) -> Fit | None:
    """How the amount fits these offers together, or None."""
    currencies = {offer.currency for offer in offers}
    if not offers or len(currencies) > 1 or not terms.amount:
        return None
    total = sum(offer.amount for offer in offers)
    if not total or (total > 0) != (terms.amount > 0):
        return None
    if currencies == {terms.currency}:
        return _fit_same(terms, offers, total)
    if currencies == {terms.instructed_currency} and terms.instructed:
        return _fit_exchanged(terms, offers, total)
    return None


def _fit_same(terms, offers, total):
    amount, rest = terms.amount, terms.amount - total
    whole = tuple(Share(offer, offer.amount, offer.amount) for offer in offers)
    if not rest:
        return Fit("exact", whole)
    less = tuple(
        Share(offer, offer.discounted, offer.amount, discount=True)
        if offer.discounted is not None
        else Share(offer, offer.amount, offer.amount)
        for offer in offers
    )
    discounted = sum(share.amount for share in less)
    if discounted != total and (discounted > 0) == (amount > 0):
        if discounted == amount:
            return Fit("discount", less)
        if terms.charges and amount - discounted == terms.charges:
            return Fit("charges", less, terms.charges)
    if terms.charges and rest == terms.charges:
        return Fit("charges", whole, rest)
    ordered = terms.instructed if terms.instructed_currency == terms.currency else None
    if ordered and ordered == abs(total) and rest < 0:
        # The payer ordered all of it, and a bank on the way kept something.
        return Fit("charges", whole, rest)
    if abs(rest) <= terms.tolerance and abs(rest) < abs(total):
        return Fit("difference", whole, rest)
    # What a bank kept was paid, or was not meant for the bill.
    meant = amount - terms.charges
    if len(offers) == 1 and abs(meant) < abs(total) and meant * amount > 0:
        return Fit("partial", (Share(offers[0], meant, meant),), terms.charges)
    return None


def _fit_exchanged(terms, offers, total):
    """The bank converted: what was ordered, in the offers' currency, has to fit to the cent."""
    ordered = abs(terms.instructed) * (1 if terms.amount > 0 else -1)
    due = [offer.amount for offer in offers]
    if total != ordered:
        due = [offer.discounted or offer.amount for offer in offers]
    if sum(due) != ordered:
        return None
    amount = terms.amount - terms.charges
    if not amount or (amount > 0) != (terms.amount > 0):
        return None
    shares = split(amount, due)
    return Fit(
        "exchange",
        tuple(
            Share(offer, share, paid, discount=paid != offer.amount)
            for offer, share, paid in zip(offers, shares, due, strict=True)
        ),
        terms.charges,
    )


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out in proportion, to its own last digit; nothing is lost or made."""
    unit = Decimal(1).scaleb(amount.as_tuple().exponent)
    total, shares, given, weighed = sum(weights), [], ZERO, ZERO
    for weight in weights:
        # Rounded cumulatively: no share is off by more than one unit.
        weighed += weight
        due = (amount * weighed / total).quantize(unit, ROUND_HALF_UP)
        shares.append(due - given)
        given = due
    return shares
