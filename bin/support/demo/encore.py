"""What is left for a visitor to do: open bills, and a batch that waits for approval."""

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


@dataclass(frozen=True)
class Encore:
    batch: int  # waits for the manager
    sent_bills: list[int]  # those in the batch
    open_bills: list[int]  # wait for the accountant


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
    return Encore(batch, ids[:SENT], ids[SENT:])
