"""Statements out of messages: header, entries, balances; pages that continue one another joined."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import BinaryIO

from ..errors import FormatError
from ..incoming import Balance, Entry
from ..notes import Note, Notes
from ..report import Report
from ..safety import Limits
from .accounts import identified
from .entry import entry
from .fields import Field
from .fields import fields as fields_of
from .strict import Fields

# MT950 is an MT940 without field 86
_KINDS = {"940": "mt940", "942": "mt942", "950": "mt940"}
_HEAD = ("13", "20", "21", "25", "28", "34", "60")
_BALANCES = {
    "60": ("opening_balance", "OPBD", None),
    "60F": ("final_opening_balance", "OPBD", None),
    "60M": ("intermediate_opening_balance", "OPBD", "INTM"),
    "62": ("closing_balance", "CLBD", None),
    "62F": ("final_closing_balance", "CLBD", None),
    "62M": ("intermediate_closing_balance", "CLBD", "INTM"),
    "64": ("available_balance", "CLAV", None),
    "65": ("forward_available_balance", "FWAV", None),
}
_SUMS = {"90C": ("sum_credit_entries", "credit"), "90D": ("sum_debit_entries", "debit")}
# what stands where a reference should, the same on every statement
_NO_REFERENCE = re.compile(r"START\w*|NONREF|0*", re.I)
_MOMENT = re.compile(r"[0-9]{10}(?:[+-][0-9]{4})?", re.ASCII)


class MtReport(Report):
    """What ``report.Report`` says, out of messages MT940 or MT942.

    ``message_id``: ``:20:``; ``id``: the same, or the statement's number where that says nothing;
    ``electronic_sequence`` and ``page``: both numbers of ``:28C:``; ``created``: ``:13D:``;
    ``summary``: ``:90C:`` and ``:90D:``; ``to``: the day of the closing balance. An intermediate
    balance, which a page alone has, is of the subtype ``INTM``.
    """

    def __init__(self, kind: str, message: int) -> None:
        super().__init__(kind, kind, f"message[{message}]", Notes())
        self.message = message
        self.fields = Fields()

    def _balance(self, kind: str) -> Balance | None:
        return next((item for item in self.balances if item.type == kind), None)

    def _head(self, item: Field) -> None:
        """Take in a field before the first entry."""
        number, text = item.tag[:2], item.text.strip()
        if number == "20":
            self.message_id = self.fields.of("20", text).get("transaction_reference") or None
        elif number == "25":
            found, bank = identified(text.partition("\n")[0])
            if found is None:
                raise FormatError("the account has no number", code="no_account")
            self.account, self.servicer = found, bank
            self.fields.fallback = found.currency
        elif number == "28":
            given = self.fields.of("28", text)
            numbers = [given.get(name) for name in ("statement_number", "sequence_number")]
            self.electronic_sequence = int(numbers[0] or 0) or None
            self.page = int(numbers[1]) if numbers[1] else None
            if not numbers[0]:
                said = repr(text[:40])
                words = f"{said} is no number of a statement"
                self.notes.append(Note.of("no_number", words, line=item.line, text=said))
        elif number == "34":
            self.fields.of(item.tag, text)
        elif number == "13":
            self._moment(item, text)
        elif number == "60":
            if self._balance("OPBD"):
                raise FormatError("a second opening balance", code="order")
            self._take_balance(item)

    def _moment(self, item: Field, text: str) -> None:
        if not _MOMENT.fullmatch(text):
            said = repr(text[:40])
            words = f"{said} is not a date and time"
            self.notes.append(Note.of("moment", words, line=item.line, text=said))
            return
        made = self.fields.of("13", text)["date"]
        zone = timezone(made.utcoffset()) if made.tzinfo else None
        self.created = datetime(
            made.year, made.month, made.day, made.hour, made.minute, tzinfo=zone
        )

    def _headed(self) -> None:
        """The head is complete."""
        if not (self.account.iban or self.account.other):
            raise FormatError("the message names no account", code="no_account")
        useful = self.message_id and not _NO_REFERENCE.fullmatch(self.message_id)
        number = self.electronic_sequence
        self.id = self.message_id if useful or not number else str(number)
        if not self.account.currency and self.fields.currency:
            self.account = replace(self.account, currency=self.fields.currency)

    def _tail(self, item: Field) -> None:
        """Take in a field among or after the entries that belongs to none of them."""
        tag = item.tag
        if tag[:2] == "62" and self._balance("CLBD"):
            raise FormatError("a second closing balance", code="order")
        if tag in ("62", "62F", "62M", "64", "65"):
            self._take_balance(item)
        elif tag in _SUMS:
            name, side = _SUMS[tag]
            found = self.fields.of(tag, item.text.strip())[name]
            self.summary[side] = (int(found.number) if found.number else None, abs(found.amount))
        elif tag == "86":
            words = filter(None, (self.additional_information, " ".join(item.text.split())))
            self.additional_information = " ".join(words) or None
        elif tag[:2] in ("25", "60"):
            raise FormatError(f"field :{tag}: stands where no statement begins", code="order")
        else:
            words = f"field :{tag}: was passed over"
            self.notes.append(Note.of("field", words, line=item.line, tag=tag))

    def _take_balance(self, item: Field) -> None:
        name, kind, subtype = _BALANCES[item.tag]
        found = self.fields.of(item.tag, item.text.strip())[name]
        day = date(found.date.year, found.date.month, found.date.day)
        self.balances.append(
            Balance(
                type=kind,
                amount=found.amount.amount,
                currency=found.amount.currency,
                date=day,
                subtype=subtype,
            )
        )
        if kind == "CLBD":
            self.to = day

    def _is_continued_by(self, page: "MtReport") -> bool:
        """Whether ``page``, of which the head is read, is the next page of this statement."""
        closing, opening = self._balance("CLBD"), page._balance("OPBD")
        return (
            opening is not None
            and closing is not None
            and (opening.subtype, closing.subtype) == ("INTM", "INTM")
            and (opening.amount, opening.currency) == (closing.amount, closing.currency)
            and (page.kind, page.account) == (self.kind, self.account)
            and page.electronic_sequence == self.electronic_sequence
            and self.page is not None
            and page.page == self.page + 1
        )

    def _continue(self, page: "MtReport") -> None:
        """Go on with the entries of ``page`` as this statement's own."""
        self.balances = [item for item in self.balances if item.type == "OPBD"]
        self.first_page = self.first_page or self.page
        self.message, self.page = page.message, page.page
        self.notes += page.notes


def reports(stream: BinaryIO, limits: Limits | None = None) -> Iterator[MtReport]:
    """The statements in a file of MT940 or MT942 messages, one after the other.

    Entries that the caller leaves are still read, and judged, when the next report is asked for.
    Raises ``FormatError`` for what can't be told for certain, when the reading reaches it.
    """
    source = _Source(stream, limits or Limits())
    report = source.head()
    if report is None:
        raise FormatError("the document contains no message", code="kind")
    while report is not None:
        report.entries = source.entries(report)
        yield report
        for _entry in report.entries:
            pass
        report = source.following


class _Source:
    """The fields of a file, one looked at ahead, read by message."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.found = Notes()
        self.stream = fields_of(stream, limits, self.found)
        self.next: Field | None = next(self.stream, None)
        self.following: MtReport | None = None

    def take(self, report: MtReport, tags: tuple[str, ...] | None = None) -> Field | None:
        """The next field of the report's message, if its tag begins like one of ``tags``."""
        taken = self.next
        if taken is None or taken.message != report.message:
            return None
        if tags is not None and not taken.tag.startswith(tags):
            return None
        self.next = next(self.stream, None)
        report.notes += self.found
        self.found.clear()
        return taken

    def head(self) -> MtReport | None:
        """The next message up to its first entry; None at the end of the file."""
        first = self.next
        if first is None:
            return None
        if first.type is not None and first.type not in _KINDS:
            raise FormatError(
                f"messages MT{first.type} are not read", None, first.line, code="kind"
            )
        report = MtReport(_KINDS.get(first.type or "", ""), first.message)
        seen = set()
        while (item := self.take(report, _HEAD)) is not None:
            seen.add(item.tag[:2])
            with _at(report, item):
                report._head(item)
        if not report.kind:
            intraday = "60" not in seen and seen & {"13", "34"}
            report.kind = report.message_name = "mt942" if intraday else "mt940"
        with _at(report, first):
            report._headed()
        return report

    def entries(self, report: MtReport) -> Iterator[Entry]:
        position = 0
        while True:
            while (item := self.take(report)) is not None:
                if item.tag != "61":
                    with _at(report, item):
                        report._tail(item)
                    continue
                if report._balance("CLBD"):
                    raise FormatError(
                        "an entry behind the closing balance", report.path, item.line, code="order"
                    )
                information = []
                while (more := self.take(report, ("86", "NS"))) is not None:
                    information.append(more.text)
                position += 1
                with _at(report, item, f"[{position}]"):
                    found = entry(
                        report.fields,
                        item.text,
                        information,
                        position=position,
                        path=f"{report.path}/:61:[{position}]",
                    )
                report._tally.add(found)
                yield found
            self.following = self.head()
            if self.following is None or not report._is_continued_by(self.following):
                break
            report._continue(self.following)
        closing = report._balance("CLBD")
        report.last_page = closing.subtype != "INTM" if closing else None
        report.complete = True


@contextmanager
def _at(report: MtReport, item: Field, number: str = "") -> Iterator[None]:
    """Tell the place of what is wrong with a field."""
    try:
        yield
    except FormatError as error:
        error.path = error.path or f"{report.path}/:{item.tag}:{number}"
        error.line = error.line or item.line
        raise
