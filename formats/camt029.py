"""The bank's answer to a recall: camt.029, resolution of investigation, versions .03 to .14."""

from typing import BinaryIO

from .cancellation import (
    CANCELLATION_STATUSES,
    BlockCancellation,
    CancellationDetails,
    CancellationStatus,
    Resolution,
)
from .detect import message_name
from .errors import FormatError
from .notes import Notes
from .parts import reason
from .safety import Limits, Node, events
from .values import moment, unnamed

_CONTAINERS = (("Document",), ("RsltnOfInvstgtn",), ("CxlDtls",), ("OrgnlPmtInfAndSts",))


def read(stream: BinaryIO, limits: Limits | None = None) -> Resolution:
    """The resolution in ``stream``, with every message, block and payment it names.

    Raises ``FormatError`` for what is unsafe, is no camt.029, carries a cancellation status that
    ISO 20022 doesn't know or says nothing at all about a cancellation.
    """
    notes = Notes()
    given: dict = {}
    details: list[CancellationDetails] = []
    message = block = None
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
            elif event.tag == "RsltnOfInvstgtn":
                given["message_name"] = message_name(namespace, event.tag)
            elif event.tag == "CxlDtls":
                message = _Message()
            else:
                block = _Block()
        elif event.kind == "end":
            if block is not None:
                message.blocks.append(block.built())
                block = None
            elif message is not None:
                details.append(message.built())
                message = None
        elif block is not None:
            block.read(node)
        elif message is not None:
            message.read(node)
        elif node.tag == "Assgnmt":
            given["id"] = node.value("Id")
            given["created"] = moment(node.value("CreDtTm"), f"{node.path}/CreDtTm", notes)
        elif node.tag == "RslvdCase":
            given["case_id"] = node.value("Id")
        elif node.tag == "Sts":
            given["confirmation"] = node.value("Conf")
    if given.get("message_name") == "camt.029":
        notes.append(unnamed("Document", namespace))
    if not details and not given.get("confirmation"):
        raise FormatError(
            "the resolution says nothing about a cancellation",
            "Document/RsltnOfInvstgtn/Sts",
            code="unanswered",
        )
    return Resolution(**given, details=tuple(details), notes=tuple(notes))


class _Block:
    """Gathers an ``OrgnlPmtInfAndSts`` while it passes by."""

    def __init__(self) -> None:
        self.given: dict = {}
        self.reasons: list = []
        self.transactions: list[CancellationStatus] = []

    def read(self, node: Node) -> None:
        if node.tag == "TxInfAndSts":
            self.transactions.append(_transaction(node)[0])
        elif node.tag == "OrgnlPmtInfId":
            self.given["original_id"] = node.text or None
        elif node.tag == "OrgnlGrpInf":
            self.given["original_message_id"] = node.value("OrgnlMsgId")
        elif node.tag == "PmtInfCxlSts":
            self.given["status"] = _status(node, node.path)
        elif node.tag == "CxlStsRsnInf":
            self.reasons.append(reason(node))

    def built(self) -> BlockCancellation:
        return BlockCancellation(
            **self.given, reasons=tuple(self.reasons), transactions=tuple(self.transactions)
        )


class _Message:
    """Gathers a ``CxlDtls`` while it passes by."""

    def __init__(self) -> None:
        self.given: dict = {}
        self.named: list[str] = []  # original messages that payments name by themselves
        self.blocks: list[BlockCancellation] = []
        self.transactions: list[CancellationStatus] = []

    def read(self, node: Node) -> None:
        if node.tag == "OrgnlGrpInfAndSts":
            self.given = {
                "original_message_id": node.value("OrgnlMsgId"),
                "status": _status(node.first("GrpCxlSts"), f"{node.path}/GrpCxlSts"),
                "reasons": tuple(reason(item) for item in node.all("CxlStsRsnInf")),
            }
        elif node.tag == "TxInfAndSts":
            transaction, original = _transaction(node)
            self.transactions.append(transaction)
            if original:
                self.named.append(original)

    def built(self) -> CancellationDetails:
        if not self.given.get("original_message_id"):
            blocks = [item.original_message_id for item in self.blocks if item.original_message_id]
            named = {*self.named, *blocks}
            if len(named) > 1:
                raise FormatError(
                    f"one cancellation names several messages: {', '.join(sorted(named))}",
                    "Document/RsltnOfInvstgtn/CxlDtls",
                    code="unanswered",
                )
            self.given["original_message_id"] = next(iter(named), None)
        return CancellationDetails(
            **self.given, blocks=tuple(self.blocks), transactions=tuple(self.transactions)
        )


def _status(node: Node | None, path: str) -> str | None:
    if node is None or not node.text:
        return None
    if node.text not in CANCELLATION_STATUSES:
        raise FormatError(
            f"{node.text[:40]!r} is not an ISO 20022 cancellation status", path, code="status"
        )
    return node.text


def _transaction(node: Node) -> tuple[CancellationStatus, str | None]:
    """The payment's status, and the message it names as its original."""
    uetr = node.value("OrgnlUETR") or node.value("UETR")
    status = CancellationStatus(
        status=_status(node.first("TxCxlSts"), f"{node.path}/TxCxlSts"),
        reasons=tuple(reason(item) for item in node.all("CxlStsRsnInf")),
        original_end_to_end_id=node.value("OrgnlEndToEndId"),
        original_instruction_id=node.value("OrgnlInstrId"),
        original_uetr=uetr.lower() if uetr else None,
    )
    return status, node.value("OrgnlGrpInf", "OrgnlMsgId")
