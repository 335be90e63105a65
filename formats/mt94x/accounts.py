"""Field 25: which account a statement is of, in the forms that banks give it."""

import re

from ..iban import is_iban
from ..model import Account, Agent

_CURRENCY = re.compile(r"[/ ]?([A-Z]{3})", re.ASCII)
_BIC = re.compile(r"([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)[/ ](.+)", re.ASCII)
_GERMAN = re.compile(r"([0-9]{8})/0*([0-9]{1,10})", re.ASCII)


def identified(text: str) -> tuple[Account | None, Agent | None]:
    """The account, and its bank where that stands before it.

    An IBAN, ``BIC/account``, a German ``bank code/number`` (brought into the IBAN that says the
    same), or whatever else the bank calls it; a currency may follow.
    """
    number, currency, bank = text.strip().upper(), None, None
    found = _BIC.fullmatch(number)
    if found and not is_iban(number.replace(" ", "")):
        bank, number = Agent(bic=found.group(1)), found.group(2).strip()
    number, currency = _without_currency(number)
    compact = number.replace(" ", "")
    if is_iban(compact):
        return Account(iban=compact, currency=currency), bank
    if german := _GERMAN.fullmatch(compact):
        iban = _german_iban(*german.groups())
        return Account(iban=iban, currency=currency), bank
    if not compact:
        return None, bank
    return Account(other=number, currency=currency), bank


def _without_currency(number: str) -> tuple[str, str | None]:
    found = _CURRENCY.fullmatch(number[-4:]) or _CURRENCY.fullmatch(number[-3:])
    if found is None:
        return number, None
    rest = number[: -len(found.group())].strip()
    # letters belong to the number unless what stands before them is one
    if is_iban(rest.replace(" ", "")) or re.fullmatch(r"[0-9/ -]+", rest):
        return rest, found.group(1)
    return number, None


def _german_iban(bank_code: str, number: str) -> str:
    account = f"{bank_code}{number:0>10}"
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02}{account}"
