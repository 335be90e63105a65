"""Amounts beside an entry or a payment: charges, instructed amounts, exchange."""

from decimal import Decimal

from ..incoming import Charge, Exchange
from ..safety import Node
from ..values import amount, flag, number, signed


def charges(node: Node, path: str) -> tuple[Charge, ...]:
    """Every ``Chrgs``: one element each until version .03, one with ``Rcrd`` after it."""
    found = []
    for chunk in node.all("Chrgs"):
        where = f"{path}/Chrgs"
        for record in chunk.all("Rcrd") or (chunk,):
            value = record.first("Amt")
            if value is None:
                continue
            money, currency = amount(value, f"{where}/Amt")
            # a charge without an indicator is one that the bank takes
            if record.first("CdtDbtInd") is None:
                money = -money if money else money
            else:
                money = signed(money, record, where)
            found.append(
                Charge(
                    amount=money,
                    currency=currency,
                    bearer=record.value("Br"),
                    type=(
                        record.value("Tp", "Cd")
                        or record.value("Tp", "Prtry", "Id")
                        or record.value("Tp", "Prtry")
                    ),
                    included=flag(record.value("ChrgInclInd")),
                )
            )
    return tuple(found)


class AmountDetails:
    """``AmtDtls`` of an entry or a payment.

    ``instructed`` is the ``InstdAmt``; ``exchange`` the first ``CcyXchg`` of any amount;
    ``amounts`` all amounts by tag, each with its currency, as the bank gives them (unsigned).
    """

    __slots__ = ("amounts", "exchange", "instructed")

    def __init__(self, node: Node | None, path: str) -> None:
        self.amounts: dict[str, tuple[Decimal, str]] = {}
        self.exchange: Exchange | None = None
        if node is not None:
            for tag in ("InstdAmt", "TxAmt", "CntrValAmt"):
                part = node.first(tag)
                if part is None:
                    continue
                value = part.first("Amt")
                if value is not None:
                    self.amounts[tag] = amount(value, f"{path}/AmtDtls/{tag}/Amt")
                if self.exchange is None:
                    self.exchange = exchange(part, f"{path}/AmtDtls/{tag}")
        self.instructed = self.amounts.get("InstdAmt", (None, None))


def exchange(node: Node, path: str) -> Exchange | None:
    """The ``CcyXchg`` of an amount."""
    rate = node.first("CcyXchg")
    if rate is None or (text := rate.value("XchgRate")) is None:
        return None
    return Exchange(
        rate=number(text, f"{path}/CcyXchg/XchgRate"),
        source=rate.value("SrcCcy"),
        target=rate.value("TrgtCcy"),
        unit=rate.value("UnitCcy"),
        contract=rate.value("CtrctId"),
    )
