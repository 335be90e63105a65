"""Decimals of currencies (ISO 4217:2015, list one, amendment of 2025)."""

import re
from decimal import Decimal

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_DECIMALS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def is_code(code: str) -> bool:
    """Whether ``code`` has the form of an ISO 4217 code."""
    return _CODE.fullmatch(code) is not None


def decimals(code: str) -> int:
    """How many decimals an amount in this currency has: two unless ISO 4217 says otherwise."""
    return _DECIMALS.get(code, 2)


def written(amount: Decimal, code: str) -> str:
    """``amount`` with exactly its currency's decimals, as a message writes it.

    Raises ``ValueError`` where that would round.
    """
    exact = amount.quantize(Decimal(1).scaleb(-decimals(code)))
    if exact != amount:
        raise ValueError(f"{amount} has more decimals than {code}")
    return format(exact, "f")
