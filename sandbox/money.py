"""Money in whole minor units, and the bank's fixed exchange rates."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 exponents that are not 2.
EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

# Units of the currency for one euro. Invented and fixed, so that every amount can be recomputed.
EURO_RATES = {
    "EUR": Decimal("1"), "USD": Decimal("1.10"), "GBP": Decimal("0.85"), "CHF": Decimal("0.95"),
    "CNY": Decimal("7.80"), "JPY": Decimal("160"), "SEK": Decimal("11.20"),
    "NOK": Decimal("11.60"), "DKK": Decimal("7.46"), "PLN": Decimal("4.30"),
    "CZK": Decimal("25.00"), "HUF": Decimal("395"), "CAD": Decimal("1.50"),
    "AUD": Decimal("1.65"), "HKD": Decimal("8.60"), "SGD": Decimal("1.45"),
}


# More than this is no payment, and sums of such amounts stay within the database's integers.
MOST = Decimal("999999999999")


def exponent(currency: str) -> int:
    """Decimal places of a currency."""
    return EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount.

    :raises ValueError: the amount has more decimals than its currency.
    """
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency} allows")
    return int(scaled)


def to_decimal(minor: int, currency: str) -> Decimal:
    """The amount with exactly the decimals of its currency; the sign is kept."""
    return Decimal(minor).scaleb(-exponent(currency))


def text(minor: int, currency: str) -> str:
    """The absolute amount as the message standards write it: ``1234.50``."""
    return format(to_decimal(abs(minor), currency), "f")


def rate(unit: str, quoted: str) -> Decimal:
    """Units of ``quoted`` for one of ``unit``: at most 11 digits, as ISO 20022 allows for a rate.

    :raises KeyError: the bank does not deal in one of the two.
    """
    exact = EURO_RATES[quoted] / EURO_RATES[unit]
    return exact.quantize(Decimal(1).scaleb(max(exact.adjusted(), 0) - 10))


def convert(minor: int, source: str, target: str) -> int:
    """Exchange minor units at the bank's rate for one unit of ``target``, rounded half up."""
    if source == target:
        return minor
    amount = to_decimal(minor, source) / rate(target, source)
    return int(amount.scaleb(exponent(target)).quantize(Decimal("1"), ROUND_HALF_UP))
