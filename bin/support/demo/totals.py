"""Three counts of the same money: Odoo's ledger, the messages exchanged, the bank's own ledger."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from . import cast, documents
from .bills import CENT
from .stage import Scene
from .table import table

# A batch in one of these was never given to the bank.
NOT_SENT = ("draft", "to_approve", "approved", "sending", "rejected", "cancelled")


@dataclass(frozen=True)
class Count:
    """One quantity of one account, counted thrice."""

    account: str
    what: str
    currency: str
    ledger: Decimal
    messages: Decimal
    bank: Decimal

    @property
    def agrees(self) -> bool:
        return self.ledger == self.messages == self.bank


def show(counts: list[Count]) -> list[str]:
    """A table of the counts; a line that does not agree is marked."""
    rows = [
        [
            count.account,
            count.what,
            count.currency,
            *(f"{value:,.2f}" for value in (count.ledger, count.messages, count.bank)),
            "agrees" if count.agrees else "DIFFERS",
        ]
        for count in counts
    ]
    head = ("Account", "", "", "Odoo’s ledger", "Messages", "Bank’s ledger", "")
    return table(head, rows, "   >>>")


def faults(counts: list[Count]) -> list[str]:
    return [
        f"{count.account}, {count.what}: Odoo's ledger says {count.ledger}, the messages "
        f"{count.messages}, the bank {count.bank}."
        for count in counts
        if not count.agrees
    ]


def count(scene: Scene) -> tuple[list[Count], list[str]]:
    """Count everything since the database was made, read as the auditor.

    :return: the counts, and what the bank itself finds wrong with its books
    """
    odoo, messages, bank = _in_odoo(scene), _in_messages(scene), _at_bank(scene)
    counts = []
    for account in cast.ACCOUNTS:
        for what in ("ordered", "paid out", "came back", "balance"):
            counts.append(
                Count(
                    account.journal,
                    what,
                    account.currency,
                    odoo[account.key][what],
                    messages[account.key][what],
                    bank[account.key][what],
                )
            )
    ledger = scene.desk.ledger()
    return counts, [f"The bank's ledger: {fault}" for fault in ledger["faults"]]


def _in_odoo(scene: Scene) -> dict[str, dict[str, Decimal]]:
    """Payments given to the bank, and the journal items on each bank account."""
    auditor, found = scene.people["auditor"], {}
    for key, journal in scene.found["journals"].items():
        sent = auditor.search(
            "account.payment",
            [
                ["journal_id", "=", journal],
                ["bank_batch_id", "!=", False],
                ["bank_batch_id.state", "not in", NOT_SENT],
            ],
            ["amount"],
        )
        account = auditor.read_one("account.journal", journal, ["default_account_id"])
        items = auditor.search(
            "account.move.line",
            [
                ["account_id", "=", account["default_account_id"][0]],
                ["parent_state", "=", "posted"],
            ],
            ["amount_currency", "move_id"],
        )
        opening = scene.found["openings"][key]
        moved = [item["amount_currency"] for item in items if item["move_id"][0] != opening]
        found[key] = _exact(
            {
                "ordered": sum(payment["amount"] for payment in sent),
                "paid out": -sum(amount for amount in moved if amount < 0),
                "came back": sum(amount for amount in moved if amount > 0),
                "balance": sum(item["amount_currency"] for item in items),
            }
        )
    return found


def _in_messages(scene: Scene) -> dict[str, dict[str, Decimal]]:
    """What the exact bytes say: orders delivered, statements received."""
    ordered = documents.ordered(
        _contents(
            scene,
            [["direction", "=", "out"], ["purpose", "=", "payment"], ["state", "=", "delivered"]],
        )
    )
    booked = documents.booked(
        _contents(scene, [["direction", "=", "in"], ["kind", "=like", "camt.053%"]])
    )
    return {
        key: _exact(
            {
                "ordered": ordered.get(iban, 0),
                "paid out": booked[iban].out,
                "came back": booked[iban].back,
                "balance": booked[iban].closing[1],
            }
        )
        for key, iban in scene.accounts.items()
    }


def _contents(scene: Scene, domain: list) -> list[bytes]:
    auditor = scene.people["auditor"]
    ids = auditor.call("bank.message", "search", domain=domain, order="id")
    # One at a time: a message may have many megabytes.
    return [
        base64.b64decode(auditor.read_one("bank.message", message, ["content"])["content"])
        for message in ids
    ]


def _at_bank(scene: Scene) -> dict[str, dict[str, Decimal]]:
    """The bank's payments as received, and its trial balance."""
    ordered: dict[str, Decimal] = defaultdict(Decimal)
    for payment in scene.desk.payments(cast.CONTRACT):
        ordered[payment["debtorAccount"]] += Decimal(payment["amount"])
    books = {account["iban"]: account for account in scene.desk.ledger()["accounts"]}
    found = {}
    for account in cast.ACCOUNTS:
        iban = scene.accounts[account.key]
        found[account.key] = _exact(
            {
                "ordered": ordered[iban],
                "paid out": Decimal(books[iban]["debits"]),
                # The opening balance came in as a credit too.
                "came back": Decimal(books[iban]["credits"]) - Decimal(account.opening),
                "balance": Decimal(books[iban]["balance"]),
            }
        )
    return found


def _exact(values: dict) -> dict[str, Decimal]:
    return {key: Decimal(value).quantize(CENT) for key, value in values.items()}
