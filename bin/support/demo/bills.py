"""Which bills there are, how each is paid, and how each shall end."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
DISCOUNT = Decimal("0.02")  # of the payment term that the stage makes


@dataclass(frozen=True)
class Fate:
    """How a payment ends: counts in the bank's ledger, status in Odoo, lines on statements."""

    executed: int
    returned: int
    rejected: int
    status: str
    lines: int
    bill_state: str


FATES = {
    "paid": Fate(1, 0, 0, "ACSC", 1, "paid"),
    "partly": Fate(1, 0, 0, "ACSC", 1, "partial"),
    "rejected": Fate(0, 0, 1, "RJCT", 0, "not_paid"),
    "returned": Fate(1, 1, 0, "ACSC", 2, "not_paid"),
    "pending": Fate(0, 0, 0, "PDNG", 0, "in_payment"),
}


@dataclass
class Bill:
    """A vendor's bill, or a credit note, as it is to be entered."""

    reference: str
    amount: Decimal  # what the document says; positive on a credit note too
    credit_note: bool = False
    discount: bool = False
    payment_reference: str = ""
    id: int = 0  # given by Odoo
    name: str = ""


@dataclass
class Order:
    """One payment to be made: the bills it pays and what shall become of it."""

    case: str
    vendor: str
    bills: list[Bill]
    account: str = "main"
    fate: str = "paid"
    part: Decimal | None = None  # pay only so much
    currency: str = "EUR"
    payment: dict = field(default_factory=dict)  # as Odoo shows it, once it exists

    @property
    def amount(self) -> Decimal:
        """What must leave the account, to the cent."""
        if self.part is not None:
            return self.part
        total = Decimal(0)
        for bill in self.bills:
            reduced = bill.amount - (bill.amount * DISCOUNT if bill.discount else 0)
            total += -reduced if bill.credit_note else reduced
        # Odoo rounds half a cent up.
        return total.quantize(CENT, ROUND_HALF_UP)

    @property
    def expected(self) -> Fate:
        return FATES[self.fate]


SPECIAL_BILLS = 10


def plan(count: int, day: date, run: int, ordinary_vendors: list[str]) -> list[Order]:
    """Orders with ``count`` bills altogether (at least SPECIAL_BILLS), and one credit note.

    Nine special orders, the rest ordinary: of these one in ten from the dollar account, one in
    ten from the account that books nothing before the statement.

    :param run: makes references and amounts of this run its own
    """
    chance = random.Random(f"{day} {run}")  # noqa: S311  (amounts, not secrets)
    numbers = itertools.count(1)

    def bill(low: int = 40, high: int = 900, **more) -> Bill:
        amount = Decimal(chance.randrange(low * 100, high * 100)).scaleb(-2)
        return Bill(f"{day:%y%m}{run:03d}-{next(numbers):05d}", amount, **more)

    grouped = [bill(), bill()]
    netted = [bill(500, 900), bill(50, 200, credit_note=True)]
    partial = bill(500, 900)
    orders = [
        Order("closed account", "rejected", [bill()], fate="rejected"),
        Order("sent back", "returned", [bill()], fate="returned"),
        Order("held by the bank", "pending", [bill()], fate="pending"),
        Order("two bills, one payment", "grouped", grouped),
        Order("less a credit note", "netted", netted),
        Order("a part of the bill", "partial", [partial], fate="partly",
              part=(partial.amount / 2).quantize(CENT)),
        Order("early-payment discount", "discount", [bill(discount=True)]),
        Order("in dollars", "dollars", [bill()], account="usd", currency="USD"),
        Order("booked by statement", "unbooked", [bill()], account="second"),
    ]
    for index in range(max(0, count - SPECIAL_BILLS)):
        vendor = ordinary_vendors[index % len(ordinary_vendors)]
        entered = bill()
        if index % 5 == 0:
            entered.payment_reference = creditor_reference(entered.reference)
        if index % 10 == 4:
            orders.append(Order("in dollars", vendor, [entered], "usd", currency="USD"))
        elif index % 10 == 9:
            orders.append(Order("booked by statement", vendor, [entered], "second"))
        else:
            orders.append(Order("ordinary", vendor, [entered]))
    return orders


def creditor_reference(text: str) -> str:
    """An RF creditor reference (ISO 11649) made of the letters and digits of ``text``."""
    body = "".join(char for char in text if char.isalnum()).upper()
    number = "".join(str(int(char, 36)) for char in f"{body}RF00")
    return f"RF{98 - int(number) % 97:02d}{body}"


def values(
    bills: Iterable[Bill], partner: int, currency: int, day: date, term: int, net_term: int
) -> list[dict]:
    """What Odoo needs to enter bills of one vendor.

    :param term: id of the payment term with the discount; ``net_term``: of the one without
    """
    return [
        {
            "move_type": "in_refund" if bill.credit_note else "in_invoice",
            "partner_id": partner,
            "currency_id": currency,
            "invoice_date": str(day),
            "date": str(day),
            "ref": bill.reference,
            "payment_reference": bill.payment_reference or False,
            "invoice_payment_term_id": term if bill.discount else net_term,
            "invoice_line_ids": [
                [0, 0, {"name": "Goods and services", "quantity": 1, "price_unit": bill.amount,
                        "tax_ids": [[6, 0, []]]}]
            ],
        }
        for bill in bills
    ]

