"""The main job: Send to Bank, approve, send, acknowledge, book, reconcile.

The accountant and the manager act through Odoo's public API; Odoo's own scheduled actions do the
rest. The demo only presses the buttons that wake them, moves the bank's clock, and looks.
"""

from __future__ import annotations

import time
from datetime import date

from . import cast
from .api import Refusal
from .bills import Order
from .progress import DemoError, Progress, wait_for
from .stage import Scene

PATIENCE = 60  # seconds for a scheduled action to do its first thing
PER_PAYMENT = 0.5  # seconds more for each payment
# The bank has not decided about a payment yet.
UNDECIDED = {False, "RCVD", "ACTC", "ACCP", "ACSP"}


class Road:
    def __init__(self, scene: Scene, progress: Progress, orders: list[Order]):
        self._scene = scene
        self._say = progress.say
        self._orders = orders
        self._accountant = scene.people["accountant"]
        self._manager = scene.people["manager"]
        self.within = PATIENCE + PER_PAYMENT * len(orders)
        self.batches: list[int] = []

    # Payees' accounts ----------------------------------------------------------------------------

    def confirm_accounts(self) -> None:
        """The manager's part: what the bank sent back in an earlier run put accounts on hold."""
        waiting = self._manager.search(
            "bank.account.change", [["state", "=", "pending"], ["own", "=", False]], ["payee"]
        )
        if waiting:
            self._manager.call(
                "bank.account.change", "action_confirm", [row["id"] for row in waiting],
                method="call", note="The payee says that the account is right.",
            )
            self._say(f"{self._manager.name} (manager) confirmed {len(waiting)} accounts on hold")

    # Send to Bank --------------------------------------------------------------------------------

    def send_to_bank(self, day: date) -> None:
        """The accountant's part, in three goes as a person would choose the bills."""
        together = [order for order in self._orders if order.vendor in ("grouped", "netted")]
        second = [order for order in self._orders if order.account == "second"]
        apart = [order for order in self._orders if order not in together + second]
        self.batches = [
            *self.send(apart, day),
            *self.send(together, day, group_payments=True, net_credit_notes=True),
            *self.send(second, day, journal_id=self._scene.found["journals"]["second"]),
        ]
        self._find_payments()

    def send(self, orders: list[Order], day: date, **choices) -> list[int]:
        """Fill the wizard as the accountant, with ``choices`` of its fields; the new batches."""
        bills = {bill.id: order for order in orders for bill in order.bills}
        wizard = self._open_wizard(list(bills))
        self._accountant.write(
            "bank.send.wizard", [wizard], {"execution_date": str(day), **choices}
        )
        lines = self._lines(wizard)
        for line in lines:
            order = bills[line["move_id"][0]]
            if order.part is not None:
                self._accountant.write(
                    "bank.send.wizard.line", [line["id"]], {"amount": order.part}
                )
        if any(bills[line["move_id"][0]].part is not None for line in lines):
            lines = self._lines(wizard)
        problems = [f"{line['display_name']}: {line['problem']}" for line in lines
                    if line["problem"]]
        if problems:
            raise DemoError("Send to Bank shows problems:\n  " + "\n  ".join(problems[:10]))
        action = self._accountant.call("bank.send.wizard", "action_send", [wizard])
        created = self._accountant.search(
            "bank.payment.batch", action["domain"],
            ["name", "payment_count", "amount_total", "currency_id", "journal_id"],
        )
        for batch in created:
            self._say(
                f"{self._accountant.name} (accountant) sent {batch['name']}: "
                f"{batch['payment_count']} payments, "
                f"{batch['amount_total']:,.2f} {batch['currency_id'][1]} "
                f"from {batch['journal_id'][1]}"
            )
        return [batch["id"] for batch in created]

    def _open_wizard(self, bills: list[int]) -> int:
        return self._accountant.call("account.move", "action_send_to_bank", bills)["res_id"]

    def _lines(self, wizard: int) -> list[dict]:
        return self._accountant.search(
            "bank.send.wizard.line", [["wizard_id", "=", wizard]],
            ["display_name", "move_id", "amount", "problem"],
        )

    def _find_payments(self) -> None:
        """Which payment pays which bills, as Odoo's instalments say."""
        found = self._accountant.search(
            "bank.payment.instalment", [["payment_id.bank_batch_id", "in", self.batches]],
            ["payment_id", "move_id"],
        )
        by_bill = {row["move_id"][0]: row["payment_id"][0] for row in found}
        for order in self._orders:
            payments = {by_bill.get(bill.id) for bill in order.bills}
            if len(payments) != 1 or None in payments:
                raise DemoError(
                    f"{', '.join(bill.name for bill in order.bills)} ({order.case}): expected one "
                    f"payment in Odoo, found {len(payments - {None})}."
                )
            order.payment = {"id": payments.pop()}

    def try_what_is_forbidden(self) -> None:
        """Nobody approves what he prepared; a bill on its way can't be sent again.

        :raises DemoError: Odoo allowed one of them
        """
        try:
            self._accountant.call("bank.payment.batch", "action_approve", self.batches[:1])
        except Refusal:
            self._say(f"{self._accountant.name} may not approve her own batch: Odoo refused")
        else:
            raise DemoError("Odoo let the accountant approve her own batch.")
        again = self._open_wizard([self._orders[0].bills[0].id])
        problem = self._lines(again)[0]["problem"]
        try:
            self._accountant.call("bank.send.wizard", "action_send", [again])
        except Refusal:
            self._say(f"The same bill once more: “{problem}”")
        else:
            raise DemoError("Odoo let the same bill be sent a second time.")

    # Approval and sending ------------------------------------------------------------------------

    def approve(self) -> None:
        for batch in self._manager.read("bank.payment.batch", self.batches, ["name", "state"]):
            started = time.monotonic()
            self._manager.call("bank.payment.batch", "action_approve", [batch["id"]])
            self._say(
                f"{self._manager.name} (manager) approved {batch['name']} "
                f"({time.monotonic() - started:.1f} s)"
            )

    def wait_until_sent(self) -> None:
        """Odoo's scheduled action sends by itself; the approval woke it."""
        self._scene.channel.hand_over(self._accountant, self.batches)
        wait_for(
            self._all_sent,
            self.within,
            lambda: "Not every batch was sent: " + self._messages(),
        )
        self._say(f"{len(self.batches)} messages reached the bank, its receipts are in hand")

    def _all_sent(self) -> bool:
        if self._scene.channel.name == "file":
            # Nobody but the bank can say that it has what was carried there.
            self._fetch()
        return all(self._is_sent(batch) for batch in self._batches())

    def _fetch(self) -> None:
        self._scene.channel.fetch(self._accountant, self._scene.found["connection"])

    def _is_sent(self, batch: dict) -> bool:
        if batch["state"] == "uncertain" and self._scene.channel.name == "file":
            return False
        if batch["state"] in ("uncertain", "refused", "rejected", "cancelled"):
            raise DemoError(f"{batch['name']} is {batch['state']}: {self._messages()}")
        return batch["state"] in ("sent", "accepted", "settled")

    def _batches(self) -> list[dict]:
        return self._accountant.read("bank.payment.batch", self.batches, ["name", "state"])

    def _messages(self) -> str:
        found = self._accountant.search(
            "bank.message", [["batch_id", "in", self.batches], ["direction", "=", "out"]],
            ["name", "state", "error"],
        )
        return "; ".join(f"{row['name']} {row['state']} {row['error'] or ''}" for row in found)

    # What comes back -----------------------------------------------------------------------------

    def let_the_bank_execute(self) -> None:
        """Move the bank's clock until it has decided about every payment."""
        desk, references = self._scene.desk, self._references()
        desk.catch_up()
        # On a weekend, or a holiday of TARGET, the bank waits for its next business day.
        for _day in range(7):
            waiting = [
                payment for payment in desk.payments(cast.CONTRACT)
                if payment["endToEndId"] in references and payment["status"] in UNDECIDED
            ]
            if not waiting:
                break
            desk.next_morning()
        else:
            raise DemoError(f"The bank left {len(waiting)} payments undecided for a week.")
        self.fetch_until("the bank's status reports", lambda: all(
            payment["bank_status"] not in UNDECIDED for payment in self._payments()))
        shown = self._payments()
        counts = {
            words: sum(payment["bank_status"] == status for payment in shown)
            for status, words in (("ACSC", "executed"), ("RJCT", "rejected"), ("PDNG", "pending"))
        }
        self._say("The bank's answers are in Odoo: " + ", ".join(
            f"{count} {words}" for words, count in counts.items()))

    def end_the_day(self) -> None:
        """The end of the bank's day: statements, bookings, bills paid."""
        day = self._scene.desk.end_of_day()
        self._say(f"The bank closed its books of {day:%A %d %B %Y}")
        executed = {order.payment["id"] for order in self._orders if order.expected.executed}
        self.fetch_until("the bank's statements", lambda: all(
            payment["bank_booked"] for payment in self._payments() if payment["id"] in executed))
        self._say(f"Statements are in Odoo, {len(executed)} payments are reconciled with them")

    def next_day(self) -> None:
        """Another day at the bank: what comes back comes back."""
        day = self._scene.desk.end_of_day()
        back = {order.payment["id"] for order in self._orders if order.expected.returned}
        self.fetch_until("the statement of the next day", lambda: all(
            payment["bank_returned"] for payment in self._payments() if payment["id"] in back))
        self._say(f"The bank closed its books of {day:%A %d %B %Y}: {len(back)} payment came back")

    def finish(self) -> None:
        """Wait until no document waits to be processed."""
        wait_for(
            lambda: not self._accountant.call(
                "bank.message", "search_count", domain=[["state", "=", "stored"]]
            ),
            self.within,
            "Documents of the bank wait to be processed",
        )

    def fetch_until(self, what: str, ready) -> None:
        """Fetch, as an impatient person would, until it is there."""
        deadline = time.monotonic() + self.within
        while time.monotonic() < deadline:
            self._fetch()
            pause = time.monotonic() + 10
            while time.monotonic() < pause:
                if ready():
                    return
                time.sleep(0.5)
        raise DemoError(
            f"Odoo does not have {what} after {self.within:g} s. {self._quarantined()}"
        )

    def _quarantined(self) -> str:
        found = self._accountant.search(
            "bank.message", [["state", "=", "quarantined"]], ["name", "kind", "error"], limit=5
        )
        return "; ".join(f"{row['name']} ({row['kind']}): {row['error']}" for row in found)

    def _payments(self) -> list[dict]:
        return self._accountant.read(
            "account.payment", [order.payment["id"] for order in self._orders],
            ["bank_status", "bank_booked", "bank_returned"],
        )

    def _references(self) -> set[str]:
        shown = self._accountant.read(
            "account.payment", [order.payment["id"] for order in self._orders], ["end_to_end_id"]
        )
        return {payment["end_to_end_id"] for payment in shown}
