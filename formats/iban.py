"""Whether a number is an IBAN (ISO 13616), and whether two numbers say the same account."""

import importlib.machinery
import re
from functools import lru_cache

import stdnum

from .model import Account

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)


def _find_data_files() -> None:
    # A host may put its own loader around a package that it patches on import, as Odoo does with
    # this one; Python then can't find the data files that lie beside the package's modules.
    if not hasattr(stdnum.__spec__.loader, "get_resource_reader"):
        stdnum.__spec__ = importlib.machinery.PathFinder.find_spec("stdnum") or stdnum.__spec__


_find_data_files()

from stdnum import iban as _stdnum_iban  # noqa: E402 - reads a data file on import


@lru_cache(maxsize=65536)
def is_iban(number: str) -> bool:
    """An IBAN in electronic form: right length for its country, check digits right."""
    return _IBAN.fullmatch(number) is not None and _stdnum_iban.is_valid(
        number, check_country=False
    )


# digits of the account's own number, which end the IBAN in these countries
_OWN_DIGITS = {
    **dict.fromkeys(("GB", "IE"), 8),
    **dict.fromkeys(("DE", "NL", "DK"), 10),
    "AT": 11,
    **dict.fromkeys(("CH", "LI"), 12),
    "LU": 13,
}


def is_account(account: Account, number: str) -> bool:
    """Whether a bank that names ``account`` means the one with ``number``, mostly an IBAN.

    Banks call an account by its IBAN, by what follows the IBAN's check digits, or by the number
    alone, with or without leading zeros and the bank's code before it.
    """
    number = _compact(number)
    if account.iban:
        return account.iban == number
    theirs = _compact(account.other or "")
    if not theirs or not is_iban(number):
        return bool(theirs) and theirs == number
    domestic = number[4:]
    if theirs in (number, domestic):
        return True
    bank, _slash, own = (account.other or "").rpartition("/")
    bank, own = _compact(bank), _compact(own).lstrip("0")
    digits = _OWN_DIGITS.get(number[:2], 0)
    return (
        own.isdigit()
        and 5 <= len(own) <= digits
        and domestic[-digits:] == own.rjust(digits, "0")
        and domestic.startswith(bank)
    )


def _compact(number: str) -> str:
    return re.sub(r"[\W_]", "", number).upper()
