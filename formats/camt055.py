"""The recall: camt.055.001.08, customer payment cancellation request, written as a stream.

::

    faults = camt055.problems(request)          # all of them, before anything
    summary = camt055.write(request, stream)
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from .cancellation import CancellationRequest, CancelledBlock, CancelledTransfer
from .charset import to_charset
from .currency import decimals, is_code, written
from .elements import Digest, add, optional, root
from .errors import FormatError
from .model import Problem, Summary
from .pain001.fields import Fields
from .pain001.versions import version_of

VERSION = "camt.055.001.08"
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{VERSION}"
# pain.001.001.09 is of the same release, and so has the same rules for single fields.
_FORM = version_of("pain.001.001.09")
_UETR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NOTE = 105  # characters in one AddtlInf

# Why a customer cancels: the common ones of ``ExternalCancellationReason1Code`` (2nd quarter 2026).
REASONS: dict[str, str] = {
    "CUST": "At the customer's request",
    "DUPL": "Duplicate payment",
    "AM09": "Wrong amount",
    "AC03": "Wrong account of the payee",
    "UPAY": "Payment not justified",
    "FRAD": "Fraud",
    "TECH": "Technical problem",
}


def problems(request: CancellationRequest, charset: str = "sepa") -> list[Problem]:
    """All that keeps ``request`` from being written; empty when it can be.

    Takes what ``write`` takes and finds all that ``write`` would refuse.
    """
    return _Check(charset).request(request)


def write(request: CancellationRequest, stream: BinaryIO, charset: str = "sepa") -> Summary:
    """Write ``request`` to ``stream`` as UTF-8 XML.

    ``charset`` (one of ``charset.CHARSETS``) is what the bank's channel carries; names and notes
    are brought into it. Nothing is written, and ``FormatError`` raised with every problem found,
    unless the whole request is right.
    """
    check = _Check(charset)
    if faults := check.request(request):
        others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise FormatError(f"{faults[0].message}{others}", faults[0].path, problems=faults)
    sink = Digest(stream)
    with etree.xmlfile(sink, encoding="UTF-8", buffered=True) as out:
        out.write_declaration()
        with out.element("Document", nsmap={None: _NAMESPACE}), out.element("CstmrPmtCxlReq"):
            out.write(_assignment(request, charset))
            if check.count is not None:
                control = root("CtrlData")
                add(control, "NbOfTxs", str(check.count))
                if check.total is not None:
                    add(control, "CtrlSum", format(check.total, "f"))
                out.write(control)
            with out.element("Undrlyg"):
                out.write(_group(request, charset))
                for block in request.blocks:
                    with out.element("OrgnlPmtInfAndCxl"):
                        out.write(root("OrgnlPmtInfId", block.original_id))
                        for transfer in block.transfers:
                            out.write(_transfer(transfer, request, charset))
    return Summary(
        count=check.count or 0,
        control_sum=check.total or Decimal(0),
        sha256=sink.digest.hexdigest(),
        size=sink.size,
    )


class _Check:
    """Judges a request; afterwards ``count`` and ``total`` are what the message states."""

    def __init__(self, charset: str) -> None:
        self.fields = Fields(_FORM, charset)
        self.count: int | None = None
        self.total: Decimal | None = None

    def request(self, item: CancellationRequest) -> list[Problem]:
        fields = self.fields
        fields.identifier("id", "the recall's id", item.id)
        if not isinstance(item.created, datetime) or item.created.utcoffset() is None:
            fields.add("created", "time_zone", "the time of creation has no time zone")
        fields.text("requester.name", "the requester's name", item.requester.name, 70, needed=True)
        fields.agent("agent", "the bank", item.agent)
        where = "original_message_id"
        fields.identifier(where, "the original message's id", item.original_message_id)
        where = "original_message_name"
        fields.identifier(where, "the original message's name", item.original_message_name)
        fields.code("reason", "the reason", item.reason or "", 4)
        fields.text("note", "the note", item.note, 10 * _NOTE)
        self.count, self.total = item.number_of_transactions, item.control_sum
        if item.blocks:
            self.count, self.total = 0, Decimal(0)
        for index, block in enumerate(item.blocks):
            self.block(block, f"blocks[{index}]")
        return fields.found

    def block(self, item: CancelledBlock, path: str) -> None:
        fields = self.fields
        fields.end_to_end_id = None
        fields.identifier(f"{path}.original_id", "the batch id", item.original_id)
        before = self.count
        for index, transfer in enumerate(item.transfers):
            self.transfer(transfer, f"{path}.transfers[{index}]")
            self.count += 1
        fields.end_to_end_id = None
        if self.count == before:
            fields.add(f"{path}.transfers", "empty", f"batch {item.original_id} has no payments")

    def transfer(self, item: CancelledTransfer, path: str) -> None:
        fields = self.fields
        fields.end_to_end_id = item.end_to_end_id
        fields.identifier(f"{path}.end_to_end_id", "the end-to-end id", item.end_to_end_id)
        for name, label in (("id", "the cancellation's id"), ("instruction_id", "the instruction")):
            if getattr(item, name) is not None:
                fields.identifier(f"{path}.{name}", label, getattr(item, name))
        if item.uetr is not None and not _UETR.fullmatch(item.uetr):
            fields.add(f"{path}.uetr", "uetr", f"{item.uetr!r} is not a UETR")
        if not isinstance(item.execution_date, date) or isinstance(item.execution_date, datetime):
            fields.add(f"{path}.execution_date", "date", "the execution date is not a date")
        if faults := list(_amount_faults(item)):
            for code, text in faults:
                fields.add(f"{path}.amount", code, text)
        else:
            self.total += item.amount


def _amount_faults(item: CancelledTransfer) -> Iterator[tuple[str, str]]:
    amount, currency = item.amount, item.currency
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        yield "amount", f"the amount {amount!r} is not a decimal number above zero"
    elif not isinstance(currency, str) or not is_code(currency):
        yield "currency", f"{currency!r} is not a currency code"
    elif amount.normalize().as_tuple().exponent < -decimals(currency):
        yield "decimals", f"{amount} has more decimals than {currency} has"


def _assignment(request: CancellationRequest, charset: str) -> etree._Element:
    assignment = root("Assgnmt")
    add(assignment, "Id", request.id)
    name = to_charset(request.requester.name, charset).strip()
    add(add(add(assignment, "Assgnr"), "Pty"), "Nm", name)
    bank = add(add(add(assignment, "Assgne"), "Agt"), "FinInstnId")
    agent = request.agent
    if agent is not None and agent.bic:
        add(bank, "BICFI", agent.bic)
    elif agent is not None and agent.member_id:
        member = add(bank, "ClrSysMmbId")
        if agent.clearing_system:
            add(add(member, "ClrSysId"), "Cd", agent.clearing_system)
        add(member, "MmbId", agent.member_id)
    elif agent is not None and agent.name:
        add(bank, "Nm", to_charset(agent.name, charset).strip())
    else:
        add(add(bank, "Othr"), "Id", "NOTPROVIDED")
    add(assignment, "CreDtTm", request.created.isoformat(timespec="seconds"))
    return assignment


def _group(request: CancellationRequest, charset: str) -> etree._Element:
    group = root("OrgnlGrpInfAndCxl")
    add(group, "OrgnlMsgId", request.original_message_id)
    add(group, "OrgnlMsgNmId", request.original_message_name)
    if not request.blocks:
        if request.number_of_transactions is not None:
            add(group, "NbOfTxs", str(request.number_of_transactions))
        if request.control_sum is not None:
            add(group, "CtrlSum", format(request.control_sum, "f"))
        add(group, "GrpCxl", "true")
        _reason(group, request, charset)
    return group


def _transfer(
    transfer: CancelledTransfer, request: CancellationRequest, charset: str
) -> etree._Element:
    payment = root("TxInf")
    optional(payment, "CxlId", transfer.id)
    optional(payment, "OrgnlInstrId", transfer.instruction_id)
    add(payment, "OrgnlEndToEndId", transfer.end_to_end_id)
    optional(payment, "OrgnlUETR", transfer.uetr)
    money = add(payment, "OrgnlInstdAmt", written(transfer.amount, transfer.currency))
    money.set("Ccy", transfer.currency)
    add(add(payment, "OrgnlReqdExctnDt"), "Dt", transfer.execution_date.isoformat())
    _reason(payment, request, charset)
    return payment


def _reason(parent: etree._Element, request: CancellationRequest, charset: str) -> None:
    why = add(parent, "CxlRsnInf")
    add(add(why, "Rsn"), "Cd", request.reason)
    note = to_charset(request.note, charset).strip() if request.note else ""
    for start in range(0, len(note), _NOTE):
        add(why, "AddtlInf", note[start : start + _NOTE])
