"""Amounts, dates and indicators out of a received document: exact, or an error with the place."""

import re
from datetime import date, datetime
from decimal import Decimal

from dateutil.parser import isoparse

from .currency import decimals
from .errors import FormatError
from .notes import Note, Notes
from .safety import Node

_AMOUNT = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,17})?|[+-]?\.\d{1,17}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[Tt Z+-])", re.ASCII)
# no booking is of another year, and days near it can still be reckoned
_YEARS = range(1900, 2200)
_DIGITS = 15  # that a double, which Odoo keeps amounts in, carries for certain
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def number(text: str, path: str) -> Decimal:
    """A decimal number as XML Schema writes it; no thousands separator, no comma."""
    if not _AMOUNT.fullmatch(text):
        raise FormatError(f"{text[:40]!r} is not a number", path, code="amount")
    return Decimal(text)


def amount(node: Node, path: str) -> tuple[Decimal, str]:
    """Amount and currency of an ``ActiveOrHistoricCurrencyAndAmount`` element."""
    value = number(node.text, path)
    currency = node.attributes.get("Ccy") if node.attributes else None
    if not currency or not _CURRENCY.fullmatch(currency.strip()):
        raise FormatError(f"the amount {node.text} has no currency", path, code="currency")
    return value, currency.strip()


def certain(value: Decimal, currency: str, path: str | None = None) -> Decimal:
    """``value``, money of an account: not finer than its currency, and to be kept to the cent.

    Raises ``FormatError`` for what would be rounded on its way into the books.
    """
    _sign, digits, exponent = value.normalize().as_tuple()
    if -int(exponent) > decimals(currency):
        text = f"the amount {value} has more decimals than {currency}"
        raise FormatError(text, path, code="decimals")
    if len(digits) > _DIGITS:
        raise FormatError(f"the amount {value} is too large", path, code="too_large")
    return value


def signed(value: Decimal, node: Node, path: str) -> Decimal:
    """``value`` with the sign of the ``CdtDbtInd`` beside it: credit positive, debit negative.

    Zero needs no sign. Raises ``FormatError`` when the indicator is missing or unknown.
    """
    indicator = node.value("CdtDbtInd")
    if indicator == "CRDT":
        return value
    if indicator == "DBIT":
        return -value if value else value
    if indicator is None and not value:
        return value
    found = f"{indicator!r} is neither CRDT nor DBIT" if indicator else "is missing"
    raise FormatError(f"the credit or debit indicator {found}", f"{path}/CdtDbtInd", code="sign")


def once(node: Node, *tags: str) -> None:
    """Refuse an element that has one of ``tags`` twice: which one counts would be a guess."""
    for tag in tags:
        if len(node.all(tag)) > 1:
            raise FormatError(f"{tag} is given twice", node.path, code="twice")


def day(text: str, path: str) -> date:
    """The day of an ISO date or date-time, as its writer's clock had it."""
    try:
        if not _DATE.match(text):
            raise ValueError
        found = date.fromisoformat(text[:10])
        if found.year not in _YEARS:
            raise ValueError
        return found
    except ValueError:
        raise FormatError(f"{text[:40]!r} is not a date", path, code="day") from None


def day_of(node: Node | None, path: str) -> date | None:
    """The day in a ``DateAndDateTimeChoice`` (``Dt`` or ``DtTm``), or in the element itself."""
    if node is None:
        return None
    text = node.value("Dt") or node.value("DtTm") or node.text
    return day(text, path) if text else None


def moment(text: str | None, path: str, notes: Notes) -> datetime | None:
    """An ISO date-time; what can't be read is noted, for no money hangs on it."""
    if not text:
        return None
    try:
        return isoparse(text)
    except (ValueError, OverflowError):
        said = repr(text[:40])
        notes.append(Note.of("moment", f"{said} is not a date and time", path, text=said))
        return None


def count(text: str | None, path: str, notes: Notes) -> int | None:
    """A count; what can't be read is noted."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    said = repr(text[:40])
    notes.append(Note.of("count", f"{said} is not a count", path, text=said))
    return None


def unnamed(path: str, namespace: str) -> Note:
    """That a document's namespace does not say which message it is."""
    said = repr(namespace[:80])
    text = f"namespace {said} does not name the message"
    return Note.of("namespace", text, path, namespace=said)


def flag(text: str | None) -> bool | None:
    """An XML Schema boolean; None when absent or neither true nor false."""
    return {"true": True, "1": True, "false": False, "0": False}.get((text or "").lower())
