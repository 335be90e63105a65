"""Reading pain.001 back: what a message really says, to be compared with what was approved.

Written on its own, from the schema, so that it does not share the writer's mistakes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from dateutil.parser import isoparse

from ..detect import message_name
from ..errors import FormatError
from ..model import Account, Agent, CreditTransfer, Party, Remittance
from ..parts import account, agent, party
from ..safety import Event, Limits, Node, events
from ..values import amount, day_of, flag, number

_CONTAINERS = (("Document",), ("CstmrCdtTrfInitn",), ("PmtInf",))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What a ``PmtInf`` says before its payments; fields as in ``model.PaymentBlock``."""

    id: str
    execution_date: date
    debtor: Party
    debtor_account: Account
    debtor_agent: Agent | None
    number_of_transactions: int | None
    control_sum: Decimal | None
    service_level: str | None
    local_instrument: str | None
    category_purpose: str | None
    batch_booking: bool | None
    charge_bearer: str | None


class Message:
    """A pain.001 that is being read: its header is known, its payments come while iterated.

    - ``message_name``: such as ``pain.001.001.09``; ``message_id``, ``created``,
      ``initiating_party``: as in ``model.Instruction``
    - ``number_of_transactions``, ``control_sum``: as the group header states them
    - ``transfers``: iterator of (``BlockHeader``, ``CreditTransfer``), to be iterated once; at
      its end the stated counts and sums are compared with those read, and ``FormatError``
      raised where they differ
    """

    def __init__(self, name: str, header: Node, steps: Iterator[Event]) -> None:
        self.message_name = name
        self.message_id = _needed(header, "MsgId")
        self.created = isoparse(_needed(header, "CreDtTm"))
        self.initiating_party = party(header.first("InitgPty")) or Party()
        self.number_of_transactions = int(_needed(header, "NbOfTxs"))
        self.control_sum = _sum(header)
        self.transfers = self._transfers(steps)

    def _transfers(self, steps: Iterator[Event]) -> Iterator[tuple[BlockHeader, CreditTransfer]]:
        whole = _Tally()
        above: dict[str, Node] = {}
        block: BlockHeader | None = None
        part = _Tally()
        path = ""
        for event in steps:
            if event.kind == "start":
                above, block, part, path = {}, None, _Tally(), event.path
            elif event.kind == "end" and event.tag == "PmtInf":
                if block is None:
                    raise FormatError("the block has no payments", path)
                part.compare(block.number_of_transactions, block.control_sum, path)
            elif event.kind == "node" and event.tag == "CdtTrfTxInf":
                block = block or _block(above, path)
                transfer = _transfer(event.node)
                part.add(transfer.amount)
                whole.add(transfer.amount)
                yield block, transfer
            elif event.kind == "node" and block is not None:
                raise FormatError("a field of the block follows its payments", event.path)
            elif event.kind == "node":
                above[event.tag] = event.node
        whole.compare(self.number_of_transactions, self.control_sum, "GrpHdr")


class _Tally:
    def __init__(self) -> None:
        self.count, self.sum = 0, Decimal(0)

    def add(self, value: Decimal) -> None:
        self.count += 1
        self.sum += value

    def compare(self, count: int | None, total: Decimal | None, path: str) -> None:
        if count is not None and count != self.count:
            text = f"{count} payments are stated, {self.count} were read"
            raise FormatError(text, f"{path}/NbOfTxs")
        if total is not None and total != self.sum:
            text = f"a control sum of {total} is stated, the payments make {self.sum}"
            raise FormatError(text, f"{path}/CtrlSum")


def read(stream: BinaryIO, limits: Limits | None = None) -> Message:
    """The message in ``stream``, its payments still to be iterated.

    Raises ``FormatError`` for what is unsafe or is no pain.001, at once or while iterating.
    """
    steps = events(stream, _CONTAINERS, limits)
    namespace = ""
    for event in steps:
        if event.kind == "start" and event.tag == "Document":
            namespace = event.namespace
        elif event.kind == "node" and event.tag == "GrpHdr":
            name = message_name(namespace, "CstmrCdtTrfInitn") or "pain.001"
            return Message(name, event.node, steps)
        elif event.kind != "start" or event.tag == "PmtInf":
            break
    raise FormatError("the message has no group header", "Document/CstmrCdtTrfInitn/GrpHdr")


def read_transfers(
    stream: BinaryIO, limits: Limits | None = None
) -> Iterator[tuple[BlockHeader, CreditTransfer]]:
    """The payments in ``stream``, each with its block; see ``Message.transfers``."""
    return read(stream, limits).transfers


def _needed(node: Node, *way: str) -> str:
    value = node.value(*way)
    if value is None:
        raise FormatError("the element is missing", "/".join((node.path or node.tag, *way)))
    return value


def _sum(node: Node) -> Decimal | None:
    value = node.value("CtrlSum")
    return number(value, f"{node.path}/CtrlSum") if value is not None else None


def _block(above: dict[str, Node], path: str) -> BlockHeader:
    def text(tag: str) -> str | None:
        return above[tag].text or None if tag in above else None

    kind = above.get("PmtTpInf")
    when = day_of(above.get("ReqdExctnDt"), f"{path}/ReqdExctnDt")
    debtor_account = account(above.get("DbtrAcct"))
    name, debtor = text("PmtInfId"), party(above.get("Dbtr"))
    if not (name and when and debtor and debtor_account):
        raise FormatError("the block lacks its id, date, debtor or debtor account", path)
    stated, total = text("NbOfTxs"), text("CtrlSum")
    return BlockHeader(
        id=name,
        execution_date=when,
        debtor=debtor,
        debtor_account=debtor_account,
        debtor_agent=agent(above.get("DbtrAgt")),
        number_of_transactions=int(stated) if stated else None,
        control_sum=number(total, f"{path}/CtrlSum") if total else None,
        service_level=kind.value("SvcLvl", "Cd") if kind else None,
        local_instrument=kind.value("LclInstrm", "Cd") if kind else None,
        category_purpose=kind.value("CtgyPurp", "Cd") if kind else None,
        batch_booking=flag(text("BtchBookg")),
        charge_bearer=text("ChrgBr"),
    )


def _transfer(node: Node) -> CreditTransfer:
    path = node.path
    money = node.first("Amt", "InstdAmt")
    if money is None:
        raise FormatError("the payment has no instructed amount", path)
    value, currency = amount(money, f"{path}/Amt/InstdAmt")
    creditor, creditor_account = party(node.first("Cdtr")), account(node.first("CdtrAcct"))
    if creditor is None or creditor_account is None:
        raise FormatError("the payment lacks its creditor or the creditor's account", path)
    report = node.first("RgltryRptg")
    return CreditTransfer(
        end_to_end_id=_needed(node, "PmtId", "EndToEndId"),
        instruction_id=node.value("PmtId", "InstrId"),
        uetr=node.value("PmtId", "UETR"),
        amount=value,
        currency=currency,
        creditor=creditor,
        creditor_account=creditor_account,
        creditor_agent=agent(node.first("CdtrAgt")),
        ultimate_debtor=party(node.first("UltmtDbtr")),
        ultimate_creditor=party(node.first("UltmtCdtr")),
        purpose=node.value("Purp", "Cd"),
        charge_bearer=node.value("ChrgBr"),
        remittance=_remittance(node.first("RmtInf")),
        regulatory_code=report.value("Dtls", "Cd") if report else None,
        regulatory_text=report.value("Dtls", "Inf") if report else None,
        regulatory_country=report.value("Authrty", "Ctry") if report else None,
    )


def _remittance(node: Node | None) -> Remittance | None:
    if node is None:
        return None
    reference = node.first("Strd", "CdtrRefInf")
    texts = [item.text for item in node.all("Ustrd")]
    return Remittance(
        unstructured=" ".join(texts) or None,
        creditor_reference=reference.value("Ref") if reference else None,
        creditor_reference_issuer=reference.value("Tp", "Issr") if reference else None,
        creditor_reference_type=(
            reference.value("Tp", "CdOrPrtry", "Prtry") if reference else None
        ),
    )
