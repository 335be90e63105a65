"""Values out of the Berlin Group's JSON: amounts exact or refused, all else noted where odd."""

from datetime import date
from decimal import Decimal
from typing import Any

from ..currency import is_code
from ..errors import FormatError
from ..iban import is_iban
from ..model import Account
from ..notes import Note, Notes
from ..strict_json import Number, clean
from ..values import day as iso_day
from ..values import number


class Item:
    """An object of the document with its place; ``notes`` collects what was odd in it."""

    __slots__ = ("given", "notes", "path")

    def __init__(self, given: Any, path: str, notes: Notes) -> None:
        if not isinstance(given, dict):
            raise FormatError("an object is expected here", path, code="malformed")
        self.given = given
        self.path = path
        self.notes = notes

    def text(self, key: str) -> str | None:
        """A text; None where there is none, and noted where it is something else."""
        value = self.given.get(key)
        if value is None or isinstance(value, str):
            return clean(value).strip() or None if value else None
        self.odd("not_text", key, "is not a text")
        return None

    def texts(self, key: str) -> list[str]:
        """One text or several."""
        value = self.given.get(key)
        if isinstance(value, list):
            return [clean(text).strip() for text in value if isinstance(text, str) and text.strip()]
        one = self.text(key)
        return [one] if one else []

    def items(self, key: str) -> "list[Item]":
        """Objects in a list, or one alone; anything else is refused."""
        value = self.given.get(key)
        if value is None:
            return []
        if isinstance(value, dict):
            return [Item(value, f"{self.path}/{key}", self.notes)]
        if not isinstance(value, list):
            raise FormatError("a list is expected here", f"{self.path}/{key}", code="malformed")
        return [
            Item(each, f"{self.path}/{key}[{number}]", self.notes)
            for number, each in enumerate(value, 1)
        ]

    def item(self, key: str) -> "Item | None":
        """An object; None where there is none."""
        value = self.given.get(key)
        return None if value is None else Item(value, f"{self.path}/{key}", self.notes)

    def day(self, key: str) -> date | None:
        """A day: money hangs on it, so it is right or refused."""
        value = self.given.get(key)
        if value is None or value == "":
            return None
        return iso_day(value if isinstance(value, str) else repr(value), f"{self.path}/{key}")

    def flag(self, key: str) -> bool:
        value = self.given.get(key)
        if isinstance(value, str):
            return value.lower() == "true"
        return value is True

    def amount(self, key: str) -> tuple[Decimal, str] | None:
        """An amount with its currency; None where there is none.

        Raises ``FormatError`` where it can't be told for certain.
        """
        found = self.item(key)
        if found is None:
            return None
        value, currency = found.given.get("amount"), found.given.get("currency")
        if not isinstance(value, str):
            raise FormatError("the amount is missing or no number", found.path, code="amount")
        if isinstance(value, Number):
            self.odd("number", key, "has its amount as a number, not as a text")
        if not isinstance(currency, str) or not is_code(currency.strip()):
            raise FormatError(
                f"the amount {value[:40]} has no currency", found.path, code="currency"
            )
        return number(value.strip(), f"{found.path}/amount"), currency.strip()

    def account(self, key: str) -> Account | None:
        """An ``accountReference``."""
        found = self.item(key)
        if found is None:
            return None
        currency = found.text("currency")
        if iban := (found.text("iban") or "").replace(" ", "").upper():
            if is_iban(iban):
                return Account(iban=iban, currency=currency)
            return Account(other=iban, currency=currency)
        for name in ("bban", "pan", "maskedPan", "msisdn"):
            if value := found.text(name):
                scheme = "BBAN" if name == "bban" else name
                return Account(other=value, other_scheme=scheme, currency=currency)
        other = found.given.get("other")
        value = found.item("other").text("identification") if isinstance(other, dict) else other
        if isinstance(value, str) and value.strip():
            return Account(other=clean(value).strip(), currency=currency)
        return None

    def odd(self, code: str, key: str, what: str) -> None:
        """Note something odd, once for each key and document."""
        if not any((each.code, each.facts.get("key")) == (code, key) for each in self.notes):
            self.notes.append(Note.of(code, f"{key} {what}", self.path, key=key))
