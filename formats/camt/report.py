"""One report on one account, its entries streamed: ``Rpt``, ``Stmt`` or ``Ntfctn``."""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from ..detect import message_name
from ..errors import FormatError
from ..incoming import Balance, Entry
from ..model import Account
from ..notes import Note, Notes
from ..parts import account, agent, party
from ..report import Report
from ..safety import Event, Limits, Node, events
from ..values import (
    amount,
    certain,
    count,
    day_of,
    flag,
    moment,
    number,
    once,
    signed,
    unnamed,
)
from .entry import compact, entry

_BODIES = {
    "BkToCstmrAcctRpt": ("camt.052", "Rpt"),
    "BkToCstmrStmt": ("camt.053", "Stmt"),
    "BkToCstmrDbtCdtNtfctn": ("camt.054", "Ntfctn"),
}
_CONTAINERS = (
    ("Document",),
    # the first version put its number into the element's name
    [name + version for name in _BODIES for version in ("", "V01")],
    [report for _kind, report in _BODIES.values()],
)


class CamtReport(Report):
    """What ``report.Report`` says, out of a ``Rpt``, ``Stmt`` or ``Ntfctn``."""

    def __init__(self, kind: str, name: str, path: str, group: "_Group", notes: Notes):
        super().__init__(kind, name, path, notes)
        self.message_id = group.message_id
        self.message_created = group.created
        self.page = group.page
        self.last_page = group.last_page

    def _header(self, node: Node) -> None:
        """Take in one element of the report that is not an entry."""
        tag, path, notes = node.tag, node.path, self.notes
        if tag == "Id":
            self.id = node.text or None
        elif tag == "CreDtTm":
            self.created = moment(node.text, path, notes)
        elif tag == "ElctrncSeqNb":
            self.electronic_sequence = count(node.text, path, notes)
        elif tag == "LglSeqNb":
            self.legal_sequence = count(node.text, path, notes)
        elif tag == "FrToDt":
            self.from_ = day_of(node.first("FrDtTm") or node.first("FrDt"), path)
            self.to = day_of(node.first("ToDtTm") or node.first("ToDt"), path)
        elif tag == "CpyDplctInd":
            self.copy_duplicate = node.text or None
        elif tag == "Acct":
            self._account(node)
        elif tag == "Bal":
            self.balances.append(_balance(node))
        elif tag in ("StmtPgntn", "RptPgntn", "NtfctnPgntn"):
            self.page, self.last_page = _page(node, notes)
        elif tag in ("AddtlStmtInf", "AddtlRptInf", "AddtlNtfctnInf"):
            self.additional_information = node.text or None
        elif tag == "TxsSummry":
            self._summary(node)

    def _account(self, node: Node) -> None:
        found = account(node)
        if found is None:
            raise FormatError("the account has no number", f"{node.path}/Id", code="no_account")
        self.account = found
        self.account_owner = party(node.first("Ownr"))
        self.servicer = agent(node.first("Svcr"))

    def _summary(self, node: Node) -> None:
        tags = (("all", "TtlNtries"), ("credit", "TtlCdtNtries"), ("debit", "TtlDbtNtries"))
        for name, tag in tags:
            part = node.first(tag)
            if part is None:
                continue
            path = f"{node.path}/{tag}"
            total = part.first("Sum")
            self.summary[name] = (
                count(part.value("NbOfNtries"), f"{path}/NbOfNtries", self.notes),
                number(total.text, f"{path}/Sum") if total is not None else None,
            )

    def _read(self, steps: Iterator[Event]) -> Node | None:
        """Read on to the next entry; None at the end of the report."""
        for event in steps:
            if event.node is None:
                break
            if event.tag == "Ntry":
                return event.node
            self._header(event.node)
        self.complete = True
        return None

    def _entries(self, first: Node | None, steps: Iterator[Event]) -> Iterator[Entry]:
        node, position = first, 0
        while node is not None:
            position += 1
            found = entry(node, self.kind, position, self.notes)
            self._tally.add(found)
            yield found
            node = self._read(steps)


class _Group:
    """The group header, common to all reports of a message."""

    def __init__(self) -> None:
        self.message_id: str | None = None
        self.created: datetime | None = None
        self.page: int | None = None
        self.last_page: bool | None = None

    def read(self, node: Node, notes: Notes) -> None:
        self.message_id = node.value("MsgId")
        self.created = moment(node.value("CreDtTm"), f"{node.path}/CreDtTm", notes)
        if (page := node.first("MsgPgntn")) is not None:
            self.page, self.last_page = _page(page, notes)


def reports(stream: BinaryIO, limits: Limits | None = None) -> Iterator[CamtReport]:
    """The reports in a camt.052, camt.053 or camt.054 document, one after the other.

    Entries that the caller leaves are still read, and judged, when the next report is asked for.
    Raises ``FormatError`` for what is unsafe, is no such document or can't be told for certain,
    when the reading reaches it: what came before belongs to a document that must be refused as
    a whole.
    """
    shared = Notes()
    steps = events(stream, _CONTAINERS, limits, shared, ("TxDtls", compact))
    namespace, kind, name, group = "", "", "", _Group()
    for event in steps:
        if event.kind == "start" and event.tag == "Document":
            namespace = event.namespace
        elif event.kind == "start" and event.tag.removesuffix("V01") in _BODIES:
            kind = _BODIES[event.tag.removesuffix("V01")][0]
            name = message_name(namespace, event.tag) or kind
            group = _Group()
            if name == kind:
                shared.append(unnamed(event.path, namespace))
        elif event.kind == "start":
            report = CamtReport(kind, name, event.path, group, shared)
            first = report._read(steps)
            if report.account == Account():
                raise FormatError(
                    "the report names no account", f"{event.path}/Acct", code="no_account"
                )
            if report.id is None:
                text = "the report has no identification"
                shared.append(Note.of("no_identification", text, event.path))
            report.entries = report._entries(first, steps)
            yield report
            for _entry in report.entries:
                pass
            shared = Notes()
        elif event.kind == "node" and event.tag == "GrpHdr":
            group.read(event.node, shared)
    if not kind:
        raise FormatError("the document contains no account report", "Document", code="kind")


def _page(node: Node, notes: Notes) -> tuple[int | None, bool | None]:
    return count(node.value("PgNb"), f"{node.path}/PgNb", notes), flag(node.value("LastPgInd"))


def _balance(node: Node) -> Balance:
    path = node.path
    kind = node.first("Tp")
    name = None
    if kind is not None:
        # version .01 has the code directly in Tp
        name = kind.value("CdOrPrtry", "Cd") or kind.value("CdOrPrtry", "Prtry")
        name = name or kind.value("Cd") or kind.value("Prtry") or kind.text or None
    if not name:
        raise FormatError("the balance has no type", f"{path}/Tp", code="balance")
    money = node.first("Amt")
    if money is None:
        raise FormatError("the balance has no amount", path, code="balance")
    once(node, "Amt", "CdtDbtInd")
    value, currency = amount(money, f"{path}/Amt")
    certain(value, currency, f"{path}/Amt")
    when = day_of(node.first("Dt"), f"{path}/Dt")
    if when is None:
        raise FormatError("the balance has no date", f"{path}/Dt", code="balance")
    subtype = kind.value("SubTp", "Cd") or kind.value("SubTp", "Prtry")
    return Balance(
        type=name,
        amount=signed(value, node, path),
        currency=currency,
        date=when,
        subtype=subtype,
    )
