"""The library's fields, with patterns that take an amount as a whole or not at all.

The library would read ``1.000,00`` as 1 and a field 61 without a type as part of the one before;
it writes what it can't read to the log, account numbers included. Here whatever doubt there is
about money ends in a ``FormatError`` that names the field.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from mt940 import models, tags
from mt940.options import Options

from ..currency import decimals
from ..errors import FormatError
from ..values import certain
from .structured import prepared

# digits, a comma and decimals; no separator of thousands, nothing cut off behind it
_AMOUNT = r"(?P<amount>[0-9]{1,15}(?:[,.][0-9]{0,5})?)(?![0-9,.])"
_DAY = r"(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"

_BALANCE = rf"(?P<status>[DC]){_DAY}(?P<currency>[A-Z]{{3}})[ ]?{_AMOUNT}\s*"
_LINE = rf"""
    {_DAY}
    (?P<entry_month>[0-9]{{2}}|[ ]{{2}})?(?P<entry_day>[0-9]{{2}}|[ ]{{2}})?
    (?P<expected>E)?(?P<status>R?[DC])(?P<funds_code>[A-Z])?
    [\n ]?{_AMOUNT}
    (?:(?P<id>(?-i:[A-Z][A-Z0-9 ]{{3}}))|(?=//|\n|$))
    (?P<customer_reference>(?:(?!//)[^\n])*)
    (?://(?P<bank_reference>[^\n]*))?
    (?:\n(?P<extra_details>[\s\S]*))?
"""
_SUM = rf"(?P<number>[0-9]{{0,5}})(?P<currency>[A-Z]{{3}})[ ]?{_AMOUNT}\s*"
# mark and amount say from which amount on the bank reports an entry: nothing is booked by them
_LIMIT = r"(?P<currency>[A-Z]{3})(?P<status>[DC ]?)[ ]?(?P<amount>[0-9]+,?[0-9]*)[\s\S]*"


class _Strict:
    """A field of money: read whole, or refused."""

    re: re.Pattern[str]
    id: Any
    pattern: str

    def __init__(self) -> None:
        self.re = re.compile(self.pattern, re.VERBOSE | re.IGNORECASE | re.ASCII)

    def parse(self, transactions: models.Transactions, value: str) -> dict[str, Any]:
        """The field's parts.

        Raises ``FormatError`` when the field is not what SWIFT defines, or its amount has more
        decimals than its currency.
        """
        found = self.re.fullmatch(value)
        if found is None:
            raise FormatError(f"{value[:28]!r} can't be read as field :{self.id}:", code="amount")
        given = found.groupdict()
        given["status"] = (given.get("status") or "").upper()
        if given.get("currency"):
            given["currency"] = given["currency"].upper()
        currency = given.get("currency") or transactions.currency
        if not currency:
            raise FormatError(f"nothing tells the currency of {given['amount']}", code="currency")
        if self.pattern is not _LIMIT:
            _check_decimals(given["amount"], currency)
        return given


def _check_decimals(amount: str, currency: str) -> None:
    whole, mark, fraction = amount.replace(",", ".").partition(".")
    most = decimals(currency)
    if len(fraction.rstrip("0")) > most:
        raise FormatError(f"the amount {amount} has more decimals than {currency}", code="decimals")
    certain(Decimal(f"{whole}.{fraction or 0}"), currency)
    # SWIFT writes a comma; a point may part thousands, unless just the cents follow it
    if "." in amount and mark and len(fraction) != most:
        raise FormatError(f"{amount!r} may be two different amounts", code="amount")


class _Lenient:
    """A field that no money hangs on: what the library can't read is left out."""

    re: re.Pattern[str]

    def parse(self, transactions: models.Transactions, value: str) -> dict[str, Any]:
        found = self.re.match(value)
        return found.groupdict() if found else dict.fromkeys(self.re.groupindex)


def _made(base: type[tags.Tag], kind: type, pattern: str | None = None) -> tags.Tag:
    # the library files what it read under the name of the class
    return type(base.__name__, (kind, base), {"pattern": pattern} if pattern else {})()


TAGS: dict[int | str, tags.Tag] = {
    tag.id: tag
    for tag in (
        *(
            _made(base, _Strict, _BALANCE)
            for base in (
                tags.OpeningBalance,
                tags.FinalOpeningBalance,
                tags.IntermediateOpeningBalance,
                tags.ClosingBalance,
                tags.FinalClosingBalance,
                tags.IntermediateClosingBalance,
                tags.AvailableBalance,
                tags.ForwardAvailableBalance,
            )
        ),
        _made(tags.Statement, _Strict, _LINE),
        _made(tags.SumDebitEntries, _Strict, _SUM),
        _made(tags.SumCreditEntries, _Strict, _SUM),
        _made(tags.FloorLimitIndicator, _Strict, _LIMIT),
        _made(tags.StatementNumber, _Lenient),
        _made(tags.TransactionReferenceNumber, _Lenient),
        _made(tags.RelatedReference, _Lenient),
        _made(tags.AccountIdentification, _Lenient),
    )
}
_OPTIONS = Options.all()
_PREPARED = {"pre_transaction_details": [prepared]}


class Fields(models.Transactions):
    """The library's collection, given one field or one entry at a time and emptied again."""

    def __init__(self) -> None:
        super().__init__(processors=_PREPARED, tags=TAGS, options=_OPTIONS)
        self.fallback: str | None = None

    @property
    def currency(self) -> str | None:
        """The statement's currency: of a balance or limit, else of the account."""
        return super().currency or self.fallback

    @staticmethod
    def strip(lines: list[str]) -> list[str]:
        """Leave lines as they are: a blank at the end of one may part two words."""
        return lines

    def of(self, tag: str, text: str) -> dict[str, Any]:
        """What a field of the statement says."""
        self._take(f":{tag}:{text}")
        return self.data

    def entry(self, line: str, *information: str) -> dict[str, Any]:
        """What a field 61 and the fields 86 behind it say of an entry."""
        self._take("\n".join([f":61:{line}", *(f":86:{text}" for text in information)]))
        return self.transactions.pop().data

    def _take(self, text: str) -> None:
        self.transactions.clear()
        try:
            self.parse(text)
        except FormatError:
            raise
        except (ValueError, ArithmeticError) as error:
            # a day that the calendar doesn't have
            raise FormatError(f"{text[:16]!r} can't be read: {error}", code="day") from error
