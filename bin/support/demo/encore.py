"""What is left for a visitor to do: bills to pay, a batch to approve, bookings to explain."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .bills import Bill, Order
from .entering import enter
from .road import Road
from .stage import Scene

SENT, OPEN = 6, 7  # bills
STRANGER = "Fast Invoices Ltd"
CUSTOMER = "Kundin Meier KG"


@dataclass(frozen=True)
class Encore:
    batch: int  # waits for the manager
    sent_bills: list[int]  # those in the batch
    open_bills: list[int]  # wait for the accountant
    alarm: int  # a debit that nobody ordered


def prepare(scene: Scene, road: Road, vendors: list[str], day: date) -> Encore:
    """Enter new bills; the accountant sends some to the bank, and nobody approves them yet."""
    chance = random.Random(f"encore {scene.run}")  # noqa: S311  (amounts, not secrets)
    orders = [
        Order("encore", vendors[index % len(vendors)], [
            Bill(f"{day:%y%m}{scene.run:03d}-E{index:02d}",
                 Decimal(chance.randrange(4000, 90000)).scaleb(-2))
        ])
        for index in range(SENT + OPEN)
    ]
    enter(scene, orders, day)
    (batch,) = road.send(orders[:SENT], day)
    ids = [order.bills[0].id for order in orders]
    alarm = _bookings(scene, road)
    return Encore(batch, ids[:SENT], ids[SENT:], alarm)


def _bookings(scene: Scene, road: Road) -> int:
    """Let the bank book what people have to look at; the alarm about one of the bookings."""
    iban = scene.accounts["main"]
    stray = Decimal("480.20") + scene.run  # another sum in each run
    scene.desk.irregular("stray_debit", iban=iban, amount=str(stray), name=STRANGER,
                         remittance="Order 8840")
    scene.desk.credit(iban, Decimal("1190.00"), name=CUSTOMER, remittance="Thank you")
    scene.desk.end_of_day()
    treasurer = scene.people["treasurer"]

    def alarms() -> list[dict]:
        lines = [["line_id.amount", "=", str(-stray)], ["state", "=", "open"]]
        return treasurer.search("bank.discrepancy", lines, ["kind"], order="id desc")

    road.fetch_until("the alarm about a debit that nobody ordered", lambda: bool(alarms()))
    return alarms()[0]["id"]
