"""The accountant enters and posts vendor bills, over the public API."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from .bills import Bill, Order, values
from .stage import Scene

CHUNK = 100  # bills per request


def enter(scene: Scene, orders: list[Order], day: date) -> None:
    """Create and post the bills of all orders; ids and names are put into them."""
    accountant = scene.people["accountant"]
    wanted: list[tuple[Bill, dict]] = []
    for (vendor, currency), bills in _by_vendor(orders).items():
        wanted += zip(
            bills,
            values(
                bills, scene.found["vendors"][vendor], scene.found["currencies"][currency], day,
                scene.found["discount_term"], scene.found["net_term"],
            ),
            strict=True,
        )
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        ids = accountant.create("account.move", [entry for _bill, entry in part])
        accountant.call("account.move", "action_post", ids)
        names = accountant.read("account.move", ids, ["name"])
        for (bill, _entry), shown in zip(part, names, strict=True):
            bill.id, bill.name = shown["id"], shown["name"]


def _by_vendor(orders: list[Order]) -> dict[tuple[str, str], list[Bill]]:
    groups: dict[tuple[str, str], list[Bill]] = defaultdict(list)
    for order in orders:
        groups[order.vendor, order.currency] += order.bills
    return groups
