"""An instruction as the channel carries it: every text in the bank's character set.

What is sealed, written and read back must be compared in this form. Identifiers and references
are never changed: they must fit as they are.
"""

from dataclasses import replace
from functools import partial

from ..charset import to_charset
from ..model import Address, Agent, CreditTransfer, Instruction, Party, PaymentBlock, Remittance


def carried(instruction: Instruction, charset: str) -> Instruction:
    """``instruction`` with its texts as the bank will see them.

    Raises ``CharsetError`` for a text that the channel can't carry.
    """
    return replace(
        instruction,
        initiating_party=party(instruction.initiating_party, charset),
        blocks=tuple(
            replace(block(item, charset), transfers=_Carried(item.transfers, charset))
            for item in instruction.blocks
        ),
    )


class _Carried:
    """The transfers of a block, converted one at a time and as often as asked for."""

    def __init__(self, transfers, charset: str) -> None:
        self.transfers = transfers
        self.charset = charset

    def __iter__(self):
        return map(partial(transfer, charset=self.charset), self.transfers)


def block(item: PaymentBlock, charset: str) -> PaymentBlock:
    """The block's own texts; its transfers as they are."""
    return replace(
        item,
        debtor=party(item.debtor, charset),
        debtor_agent=agent(item.debtor_agent, charset),
    )


def transfer(item: CreditTransfer, charset: str) -> CreditTransfer:
    """One payment."""
    changes = {}
    for field, convert in (
        ("creditor", party),
        ("creditor_agent", agent),
        ("ultimate_debtor", party),
        ("ultimate_creditor", party),
        ("remittance", remittance),
        ("regulatory_text", text),
    ):
        old = getattr(item, field)
        new = convert(old, charset)
        if new is not old:
            changes[field] = new
    return replace(item, **changes) if changes else item


def text(value: str | None, charset: str) -> str | None:
    """A free text: converted, without blanks around it."""
    if value is None:
        return None
    new = to_charset(value, charset).strip()
    return value if new == value else new


def party(item: Party | None, charset: str) -> Party | None:
    """Name and address of a party."""
    if item is None:
        return None
    name, where = text(item.name, charset), address(item.address, charset)
    if name is item.name and where is item.address:
        return item
    return replace(item, name=name, address=where)


def agent(item: Agent | None, charset: str) -> Agent | None:
    """Name and address of a bank."""
    if item is None or (item.name is None and item.address is None):
        return item
    return replace(item, name=text(item.name, charset), address=address(item.address, charset))


def address(item: Address | None, charset: str) -> Address | None:
    """Every line and field of an address."""
    if item is None:
        return None
    fields = ("town", "post_code", "street", "building", "subdivision")
    changes: dict = {}
    for field in fields:
        old = getattr(item, field)
        new = text(old, charset)
        if new is not old:
            changes[field] = new
    lines = tuple(text(line, charset) for line in item.lines)
    if lines != item.lines:
        changes["lines"] = lines
    return replace(item, **changes) if changes else item


def remittance(item: Remittance | None, charset: str) -> Remittance | None:
    """The free text; the creditor reference as it is."""
    if item is None:
        return None
    new = text(item.unstructured, charset)
    return item if new is item.unstructured else replace(item, unstructured=new)
