"""After the road: payees are told, the bank makes a mistake, and two people sign for the balance.

The bank is told at its desk what to do wrong; Odoo has to notice by itself. What was found, who
settled it and why is then read back over the public API.
"""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

from . import cast
from .api import Refusal
from .bills import Order
from .progress import DemoError, Progress, wait_for
from .road import PATIENCE, Road
from .stage import Scene

# Of so many payments the bank gives no receipts: a person who looks on has no use for them.
MOST_RECEIPTS = 100
THIEF = "Fast Invoices Ltd"
REASON = "Called the bank: a transfer keyed at the branch to the wrong account. It gives it back."


class Proof:
    def __init__(self, scene: Scene, progress: Progress, road: Road, orders: list[Order]):
        self._scene = scene
        self._say = progress.say
        self._road = road
        self._orders = orders
        self._people = scene.people
        self._receipts = len(orders) <= MOST_RECEIPTS

    # Receipts and advice -------------------------------------------------------------------------

    def agree_on_receipts(self) -> None:
        """The bank gives a receipt (PDF) for each payment from now on."""
        wanted = "pdf" if self._receipts else "none"
        self._scene.desk.choose(cast.CONTRACT, receipts=wanted)
        treasurer, connection = self._people["treasurer"], self._scene.found["connection"]
        profile = treasurer.read_one("bank.connection", connection, ["profile_id"])["profile_id"][0]
        kinds = treasurer.read_one("bank.connection.profile", profile, ["document_kinds"])
        found = [kind for kind in kinds["document_kinds"].split(",") if kind != "pdf"]
        found += ["pdf"] if self._receipts else []
        if ",".join(found) != kinds["document_kinds"]:
            treasurer.write("bank.connection.profile", [profile],
                            {"document_kinds": ",".join(found)})

    def payees_are_told(self) -> None:
        """Each payee of an executed payment has one mail; with the bank's receipt, if it gave one.

        :raises DemoError: somebody was told too often, or of a payment that was not executed
        """
        paid = {order.payment["id"] for order in self._orders if order.expected.executed}
        wait_for(
            lambda: self._told(paid) == paid, PATIENCE + self._road.within,
            lambda: f"{len(paid - self._told(paid))} payees were not told of their payments",
        )
        every = [order.payment["id"] for order in self._orders]
        shown = self._people["accountant"].search(
            "bank.remittance.advice", [["payment_id", "in", every]],
            ["payment_id", "state", "email"], order="id",
        )
        sent = [row for row in shown if row["state"] == "sent"]
        told = [row["payment_id"][0] for row in sent]
        if len(told) != len(set(told)) or set(told) - paid:
            raise DemoError("A payee was told twice, or of a payment that was not executed.")
        subject = self._people["accountant"].search(
            "mail.message",
            [["model", "=", "account.payment"], ["res_id", "=", told[0]],
             ["subject", "like", "%"]], ["subject"], limit=1, order="id desc",
        )
        self._say(
            f"{len(told)} payees have a remittance advice in Odoo's mail queue; the first, to "
            f"{sent[0]['email']}: “{subject[0]['subject']}”"
        )
        if self._receipts:
            papers = self._people["auditor"].search(
                "bank.message",
                [["kind", "=", "pdf"], ["receipt_payment_id", "in", list(paid)]],
                ["receipt_payment_id"],
            )
            missing = paid - {row["receipt_payment_id"][0] for row in papers}
            if missing:
                raise DemoError(f"{len(missing)} executed payments have no receipt of the bank.")
            self._say(f"{len(papers)} receipts (PDF) of the bank are found at their payments")

    def _told(self, payments: set[int]) -> set[int]:
        found = self._people["accountant"].search(
            "bank.remittance.advice",
            [["payment_id", "in", list(payments)], ["state", "=", "sent"]], ["payment_id"],
        )
        return {row["payment_id"][0] for row in found}

    # The bank's mistake --------------------------------------------------------------------------

    def a_mistake_is_found(self) -> None:
        """The bank books a debit that nobody ordered. Odoo says so, people settle it."""
        iban = self._scene.accounts["main"]
        # Another sum in each run, so that it can be told from the last.
        amount = Decimal(1240) + self._scene.run
        self._scene.desk.irregular(
            "stray_debit", iban=iban, amount=str(amount), name=THIEF, remittance="Order 8812"
        )
        self._scene.desk.end_of_day()
        self._say(f"The bank took {amount} EUR for {THIEF}: nobody here ordered it")
        self._road.fetch_until("the bank's statement with the debit",
                               lambda: bool(self._bookings(-amount)))
        started = time.monotonic()
        wait_for(lambda: bool(self._alarm(amount)), PATIENCE,
                 "Odoo raised no alarm about the debit that nobody ordered")
        alarm = self._alarm(amount)
        self._say(f"Odoo's alarm, {time.monotonic() - started:.0f} s after the booking came in: "
                  f"“{alarm['sentence']}”")
        self._settle(alarm["id"])
        self._give_back(iban, amount)

    def _bookings(self, amount: Decimal) -> list[dict]:
        return self._people["accountant"].search(
            "account.bank.statement.line",
            [["journal_id", "=", self._scene.found["journals"]["main"]],
             ["amount", "=", amount], ["bank_payment_ids", "=", False]],
            ["move_id", "is_reconciled"], order="id desc", limit=1,
        )

    def _alarm(self, amount: Decimal) -> dict | None:
        line = self._bookings(-amount)[0]["id"]
        found = self._people["treasurer"].search(
            "bank.discrepancy", [["line_id", "=", line], ["state", "=", "open"]],
            ["kind", "severity", "sentence"],
        )
        return next((row for row in found if row["kind"] == "unknown_debit"), None)

    def _settle(self, alarm: int) -> None:
        treasurer, auditor = self._people["treasurer"], self._people["auditor"]
        tasks = treasurer.call(
            "mail.activity", "search_count",
            domain=[["res_model", "=", "bank.discrepancy"], ["res_id", "=", alarm],
                    ["user_id.login", "=", treasurer.login]],
        )
        if not tasks:
            raise DemoError(f"{treasurer.name} has no task about the alarm.")
        day = treasurer.search("bank.day", [["code", "=", "discrepancies"]], ["count", "title"])
        if not day:
            raise DemoError("The page “Today” does not show the alarm.")
        treasurer.call(
            "bank.discrepancy", "action_resolve", [alarm], verdict="claimed", reason=REASON
        )
        kept = auditor.read_one(
            "bank.discrepancy", alarm, ["state", "verdict", "reason", "resolver_id"]
        )
        events = auditor.call(
            "bank.audit.event", "search_count",
            domain=[["kind", "=", "discrepancy_resolved"], ["res_id", "=", alarm]],
        )
        if (kept["state"], kept["reason"]) != ("resolved", REASON) or not events:
            raise DemoError(f"The explanation was not kept: {kept}")
        self._say(f"{treasurer.name} (treasurer) settled it: “{kept['reason']}”; the auditor "
                  f"reads who, when and why")

    def _give_back(self, iban: str, amount: Decimal) -> None:
        """The bank returns the money, and the accountant sets the two bookings off."""
        self._scene.desk.credit(iban, amount, name=THIEF, remittance="Return of order 8812")
        self._scene.desk.end_of_day()
        self._road.fetch_until("the money that the bank gave back",
                               lambda: bool(self._bookings(amount)))
        accountant = self._people["accountant"]
        for sign in (-1, 1):
            self._book_on_claim(self._bookings(sign * amount)[0]["id"])
        if not all(self._bookings(sign * amount)[0]["is_reconciled"] for sign in (-1, 1)):
            raise DemoError("The stray debit and its return could not be reconciled.")
        self._say(f"The bank gave the money back; {accountant.name} reconciled both bookings")

    def _book_on_claim(self, line: int) -> None:
        """As the reconciliation screen does it: against what the bank owes us meanwhile."""
        accountant = self._people["accountant"]
        claims = accountant.search(
            "account.account",
            [["account_type", "=", "asset_current"], ["reconcile", "=", False],
             ["name", "ilike", "current assets"]], ["id"], limit=1,
        )
        (shown,) = accountant.call("bank.reconcile.screen", "read_lines", line_ids=[line])
        done = accountant.call(
            "bank.reconcile.screen", "apply", line_id=line, stamp=shown["stamp"],
            parts=[{"account_id": claims[0]["id"], "amount": shown["open"],
                    "name": f"Claim on the bank: {THIEF}"}],
        )
        if done["conflict"]:
            raise DemoError(f"A booking could not be reconciled: {done['conflict']}")

    # The balance ---------------------------------------------------------------------------------

    def the_balance_is_signed(self) -> None:
        """The statement that explains the bank's balance and the ledger's, signed by two people."""
        accountant, manager = self._people["accountant"], self._people["manager"]
        (wizard,) = accountant.create("bank.reconciliation.wizard", [
            {"journal_id": self._scene.found["journals"]["main"], "date": str(date.today())}
        ])
        action = accountant.call("bank.reconciliation.wizard", "action_open", [wizard])
        sheet = action["res_id"]
        if self._state(sheet) == "reviewed":
            self._say("The reconciliation statement as of today was signed in an earlier run")
            return
        try:
            accountant.call("bank.reconciliation", "action_prepare", [sheet])
        except Refusal as refusal:
            # The bank has closed no books yet that are older than today.
            self._say(f"No reconciliation statement as of today: {refusal}")
            return
        figures = accountant.read_one(
            "bank.reconciliation", sheet,
            ["name", "bank_balance", "ledger_balance", "difference", "state"],
        )
        manager.call(
            "bank.reconciliation", "action_countersign", [sheet], reason="Compared in the demo."
        )
        if self._state(sheet) != "reviewed":
            raise DemoError(f"The reconciliation statement is {self._state(sheet)}, not reviewed.")
        self._say(
            f"{figures['name']}: bank {figures['bank_balance']:,.2f}, ledger "
            f"{figures['ledger_balance']:,.2f}, unexplained {figures['difference']:,.2f}; "
            f"prepared by {accountant.name}, reviewed by {manager.name}"
        )

    def _state(self, sheet: int) -> str:
        return self._people["auditor"].read_one("bank.reconciliation", sheet, ["state"])["state"]
