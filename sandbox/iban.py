"""Valid IBANs for tests and training, with national check digits, and the bank's own.

The bank codes are invented: no account made here exists. Source of the layouts: SWIFT, IBAN
Registry. In a layout ``T`` stands for the digits that may carry a trigger, ``i`` for the
index, ``a`` for the index in letters, ``c`` for check digits and ``C`` for a check letter that
are found by trying; other characters stand for themselves.
"""

from __future__ import annotations

import itertools
import string
from functools import cache

import schwifty
from schwifty.exceptions import SchwiftyException
from stdnum import iban as stdnum_iban

from . import triggers

LAYOUTS = {
    "AT": "99iii000TTTTTTTT",
    "BE": "iiTTTTTTTTcc",
    "CH": "99iii0000TTTTTTTT",
    "DE": "9999iiiiiiTTTTTTTT",
    "DK": "99iiiTTTTTTTTc",
    "EE": "99iiiiiTTTTTTTTc",
    "ES": "9999iiiicciiTTTTTTTT",
    "FI": "9iiiiTTTTTTTTc",
    "FR": "99999iiiii000TTTTTTTTcc",
    "GB": "SNDX99iiiiTTTTTTTT",
    "IE": "SNDX99iiiiTTTTTTTT",
    "IT": "C99999iiiii0000TTTTTTTT",
    "LU": "9iiTTTTTTTT00000",
    "NL": "SNaaccTTTTTTTT",
    "PL": "9999iiic00000000TTTTTTTT",
    "PT": "9999iiii000TTTTTTTTcc",
}
# Without C, which marks a check letter.
LETTERS = "ABDEFGHIJKLMNOPQRSTUVWXYZ"
BANK_COUNTRY = "DE"
BANK_CODE = "90090042"


def check_digits(country: str, bban: str) -> str:
    """The two check digits of an IBAN (ISO 13616: modulo 97)."""
    number = "".join(str(int(char, 36)) for char in bban + country + "00")
    return f"{98 - int(number) % 97:02d}"


def is_valid(value: str) -> bool:
    """Whether a text is an IBAN: country, length, structure and check digits.

    National check digits are not looked at: the bank of the creditor does that.
    """
    return stdnum_iban.is_valid(value, check_country=False)


def _is_nationally_valid(value: str) -> bool:
    try:
        schwifty.IBAN(value, validate_bban=True)
    except SchwiftyException:
        return False
    return stdnum_iban.is_valid(value)


def _index_digits(index: int, width: int) -> str:
    if index >= 10 ** width:
        raise ValueError(f"index {index} is too high: this country has {10 ** width} of them")
    return f"{index:0{width}d}"


def make(country: str, trigger: str | None = None, index: int = 0) -> str:
    """A valid IBAN, the same for the same arguments.

    :param country: one of LAYOUTS.
    :param trigger: a name from triggers.BY_NAME; None for an account that is paid normally.
    :param index: different numbers give different accounts.
    :raises ValueError: unknown country or trigger, or index too high for the country.
    """
    layout = LAYOUTS.get(country.upper())
    if layout is None:
        raise ValueError(f"no IBANs are made for {country!r}; choose from {', '.join(LAYOUTS)}")
    if trigger is not None and trigger not in triggers.BY_NAME:
        raise ValueError(f"unknown trigger {trigger!r}; choose from {', '.join(triggers.BY_NAME)}")
    wanted = triggers.BY_NAME.get(trigger)
    if country.upper() == "BE" and wanted:
        index = _belgian_index(index)
    value = _complete(country.upper(), _fill(layout, wanted, index), wanted)
    if value is None:
        raise ValueError(f"no valid IBAN for {country}, {trigger}, {index}")
    return value


def _complete(country: str, filled: str, wanted: triggers.Trigger | None) -> str | None:
    """Find the check characters."""
    free = [position for position, char in enumerate(filled) if char in "cC"]
    choices = [string.digits if filled[position] == "c" else string.ascii_uppercase
               for position in free]
    for combination in itertools.product(*choices):
        candidate = list(filled)
        for position, char in zip(free, combination, strict=True):
            candidate[position] = char
        bban = "".join(candidate)
        value = country + check_digits(country, bban) + bban
        if triggers.find(value) == wanted and _is_nationally_valid(value):
            return value
    return None


@cache
def _belgian_prefixes() -> list[int]:
    # Only Belgium's register of bank codes is known well enough to be checked; with a trigger the
    # index is part of the bank code, and not every code is given out.
    mark = next(iter(triggers.BY_NAME.values()))
    return [number for number in range(100)
            if _complete("BE", _fill(LAYOUTS["BE"], mark, number), mark)]


def _belgian_index(index: int) -> int:
    known = _belgian_prefixes()
    if index >= len(known):
        raise ValueError(f"index {index} is too high: this country has {len(known)} of them")
    return known[index]


def _fill(layout: str, wanted: triggers.Trigger | None, index: int) -> str:
    if wanted is None:
        account, letters = f"7{_index_digits(index, 7)}", "DD"
        index_digits = "0" * layout.count("i")
    elif "a" in layout:
        account, index_digits = triggers.mark(wanted), ""
        if index >= len(LETTERS) ** 2:
            raise ValueError(f"index {index} is too high: this country has {len(LETTERS) ** 2}")
        letters = LETTERS[index // len(LETTERS)] + LETTERS[index % len(LETTERS)]
    else:
        account, letters = triggers.mark(wanted), ""
        index_digits = _index_digits(index, layout.count("i"))
    take = {"T": iter(account), "i": iter(index_digits), "a": iter(letters)}
    return "".join(next(take[char]) if char in take else char for char in layout)


def own(number: int) -> str:
    """The IBAN of the bank's own account with a serial number."""
    bban = f"{BANK_CODE}{number:010d}"
    return BANK_COUNTRY + check_digits(BANK_COUNTRY, bban) + bban
