"""The list of an account's transactions: one page, or several in one file."""

from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

from .. import strict_json
from ..arithmetic import balances
from ..errors import Fault, FormatError
from ..incoming import Balance, Entry
from ..model import Account
from ..notes import Notes
from ..report import Report
from ..safety import Limits
from ..values import certain
from .entry import entry
from .values import Item

KIND = "berlin.transactions"
_LISTS = (("booked", "BOOK"), ("pending", "PDNG"), ("information", "INFO"))
_BALANCES = {
    "openingBooked": "OPBD",
    "closingBooked": "CLBD",
    "interimBooked": "ITBD",
    "interimAvailable": "ITAV",
    "forwardAvailable": "FWAV",
    "expected": "XPCD",
}


class JsonReport(Report):
    """What ``report.Report`` says, out of the JSON of one account.

    ``last_page`` is False where the bank has more to say than the file holds.
    """

    def __init__(self, position: int, account: Account) -> None:
        super().__init__(KIND, KIND, f"report[{position}]", Notes())
        self.account = account
        self.last_page = True

    def check(self) -> list[Fault]:
        """As for any report; where the list is whole and has both balances, they are proven."""
        found = super().check()
        kinds = {balance.type for balance in self.balances}
        if self.last_page and kinds >= {"OPBD", "CLBD"}:
            found += balances(self, self._tally)
        return found

    def _page(self, page: Item) -> None:
        for item in page.items("balances"):
            if (balance := _balance(item)) is not None:
                self.balances.append(balance)
        links = [page.given.get("_links"), page.given["transactions"].get("_links")]
        self.last_page = not any(isinstance(each, dict) and each.get("next") for each in links)

    def _read(self, pages: list[Item]) -> Iterator[Entry]:
        position = 0
        for page in pages:
            lists = page.item("transactions")
            for key, status in _LISTS:
                for item in lists.items(key):
                    position += 1
                    found = entry(item, status, self.account, position)
                    self._tally.add(found)
                    yield found
        self.complete = True


def reports(stream: BinaryIO, limits: Limits | None = None) -> Iterator[JsonReport]:
    """The reports in a JSON document: a page, a list of pages, or one under ``pages``.

    Pages of one account in a row are one report, also where just the first names it.

    Entries that the caller leaves are still read, and judged, when the next report is asked for.
    Raises ``FormatError`` for what is unsafe, is no such list or can't be told for certain, when
    the reading reaches it.
    """
    most = min(limits.max_bytes, strict_json.MAX_BYTES) if limits else strict_json.MAX_BYTES
    document = strict_json.read(stream, most)
    if isinstance(document, dict) and isinstance(document.get("pages"), list):
        document = document["pages"]
    elif not isinstance(document, list):
        document = [document]
    report, pages, number = None, [], 0
    for position, given in enumerate(document, 1):
        notes = Notes()
        page = Item(given, f"page[{position}]", notes)
        if not isinstance(page.given.get("transactions"), dict):
            raise FormatError(
                "the document contains no list of transactions", page.path, code="kind"
            )
        account = page.account("account") or (report.account if report else None)
        if account is None:
            raise FormatError(
                "the list names no account", f"{page.path}/account", code="no_account"
            )
        if report is not None and account != report.account:
            yield from _given(report, pages)
            report = None
        if report is None:
            number += 1
            report, pages = JsonReport(number, account), []
        page.notes = report.notes
        report._page(page)
        pages.append(page)
    if report is None:
        raise FormatError("the document contains no list of transactions", code="kind")
    yield from _given(report, pages)


def _given(report: JsonReport, pages: list[Item]) -> Iterator[JsonReport]:
    report.entries = report._read(pages)
    yield report
    for _entry in report.entries:
        pass


def _balance(item: Item) -> Balance | None:
    """A balance; one without a day can't be placed and is noted."""
    money = item.amount("balanceAmount")
    name = item.text("balanceType")
    if money is None or not name:
        raise FormatError("the balance has no amount or no type", item.path, code="balance")
    certain(*money, f"{item.path}/balanceAmount")
    day: date | None = item.day("referenceDate") or item.day("lastChangeDateTime")
    if day is None:
        item.odd("no_day", "referenceDate", "is missing from a balance, which was left out")
        return None
    return Balance(type=_BALANCES.get(name, name), amount=money[0], currency=money[1], date=day)
