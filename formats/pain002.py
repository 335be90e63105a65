"""The bank's answer to an instruction: pain.002, every version from .02 to .15."""

from decimal import Decimal
from typing import BinaryIO

from .codes import STATUSES
from .detect import message_name
from .errors import FormatError
from .incoming import BlockStatus, Reason, StatusReport, TransactionStatus
from .notes import Notes
from .parts import account, party, reason
from .safety import Limits, Node, events
from .values import amount, count, day_of, moment, number, unnamed

# the first release: its element is called as it is, and payments stand in no block
_FIRST = "pain.002.001.02"
_REPORTS = ("CstmrPmtStsRpt", _FIRST)
_CONTAINERS = (("Document",), _REPORTS, ("OrgnlPmtInfAndSts",))


def read(stream: BinaryIO, limits: Limits | None = None) -> StatusReport:
    """The status report in ``stream``, with every block and payment it names.

    Raises ``FormatError`` for what is unsafe, is no pain.002, carries a status that ISO 20022
    doesn't know or names no original message.
    """
    notes = Notes()
    given: dict = {}
    blocks: list[BlockStatus] = []
    block: _Block | None = None
    loose: list[_Block] = []  # payments outside any block, by the block that they name
    namespace = ""
    for event in events(stream, _CONTAINERS, limits, notes):
        node = event.node
        if event.kind == "start":
            if event.tag == "Document":
                if given:
                    raise FormatError(
                        "a second document follows the first", event.path, code="order"
                    )
                namespace = event.namespace
            elif event.tag in _REPORTS:
                given["message_name"] = message_name(namespace, event.tag)
            else:
                block = _Block()
        elif event.kind == "end":
            if block is not None:
                blocks.append(block.built())
                block = None
        elif block is not None:
            block.read(node, notes)
        elif node.tag == "TxInfAndSts":
            if not loose or loose[-1].given["original_id"] != node.value("OrgnlPmtInfId"):
                loose.append(_Block(node.value("OrgnlPmtInfId")))
            loose[-1].read(node, notes)
        elif node.tag == "GrpHdr":
            given["message_id"] = node.value("MsgId")
            given["created"] = moment(node.value("CreDtTm"), f"{node.path}/CreDtTm", notes)
        elif node.tag == "OrgnlGrpInfAndSts":
            given |= _group(node, notes)
    if given.get("message_name") == "pain.002":
        notes.append(unnamed("Document", namespace))
    if not given.get("original_message_id"):
        raise FormatError(
            "the status report does not say which message it answers",
            "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlMsgId",
            code="unanswered",
        )
    blocks += [item.built() for item in loose]
    return StatusReport(**given, blocks=tuple(blocks), notes=tuple(notes))


class _Block:
    """Gathers an ``OrgnlPmtInfAndSts`` while it passes by."""

    def __init__(self, original_id: str | None = None) -> None:
        self.given: dict = {"original_id": original_id}
        self.reasons: list[Reason] = []
        self.transactions: list[TransactionStatus] = []

    def read(self, node: Node, notes: Notes) -> None:
        if node.tag == "TxInfAndSts":
            self.transactions.append(_transaction(node, notes))
        elif node.tag == "OrgnlPmtInfId":
            self.given["original_id"] = node.text or None
        elif node.tag == "PmtInfSts":
            self.given["status"] = _status(node, node.path)
        elif node.tag == "StsRsnInf":
            self.reasons.append(reason(node))
        elif node.tag == "OrgnlNbOfTxs":
            self.given["number_of_transactions"] = count(node.text, node.path, notes)
        elif node.tag == "OrgnlCtrlSum" and node.text:
            self.given["control_sum"] = number(node.text, node.path)

    def built(self) -> BlockStatus:
        return BlockStatus(
            **self.given, reasons=tuple(self.reasons), transactions=tuple(self.transactions)
        )


def _status(node: Node | None, path: str) -> str | None:
    if node is None or not node.text:
        return None
    if node.text not in STATUSES:
        raise FormatError(
            f"{node.text[:40]!r} is not an ISO 20022 payment status", path, code="status"
        )
    return node.text


def _group(node: Node, notes: Notes) -> dict:
    path = node.path
    total = node.value("OrgnlCtrlSum")
    return {
        "original_message_id": node.value("OrgnlMsgId"),
        "original_message_name": node.value("OrgnlMsgNmId"),
        "group_status": _status(node.first("GrpSts"), f"{path}/GrpSts"),
        "reasons": tuple(reason(item) for item in node.all("StsRsnInf")),
        "number_of_transactions": count(node.value("OrgnlNbOfTxs"), f"{path}/OrgnlNbOfTxs", notes),
        "control_sum": number(total, f"{path}/OrgnlCtrlSum") if total else None,
    }


def _transaction(node: Node, notes: Notes) -> TransactionStatus:
    path = node.path
    original = node.first("OrgnlTxRef")
    value, currency = _amount(original, f"{path}/OrgnlTxRef")
    creditor = party(original.first("Cdtr")) if original else None
    uetr = node.value("OrgnlUETR")
    return TransactionStatus(
        status=_status(node.first("TxSts"), f"{path}/TxSts"),
        reasons=tuple(reason(item) for item in node.all("StsRsnInf")),
        original_end_to_end_id=node.value("OrgnlEndToEndId"),
        original_instruction_id=node.value("OrgnlInstrId"),
        original_uetr=uetr.lower() if uetr else None,
        bank_reference=node.value("AcctSvcrRef"),
        clearing_reference=node.value("ClrSysRef"),
        status_id=node.value("StsId"),
        amount=value,
        currency=currency,
        creditor_name=creditor.name if creditor else None,
        creditor_account=account(original.first("CdtrAcct")) if original else None,
        accepted_at=moment(node.value("AccptncDtTm"), f"{path}/AccptncDtTm", notes),
        executed_on=(
            day_of(original.first("IntrBkSttlmDt"), f"{path}/OrgnlTxRef/IntrBkSttlmDt")
            if original
            else None
        ),
    )


def _amount(original: Node | None, path: str) -> tuple[Decimal | None, str | None]:
    if original is None:
        return None, None
    for way in (("Amt", "InstdAmt"), ("Amt", "EqvtAmt", "Amt"), ("IntrBkSttlmAmt",)):
        found = original.first(*way)
        if found is not None:
            return amount(found, "/".join((path, *way)))
    return None, None
