"""Is every payment where it should be? Odoo's word and the bank's ledger, payment by payment."""

from __future__ import annotations

from collections import defaultdict

from . import cast
from .bills import Bill, Order
from .stage import Scene
from .table import short, table

PAYMENT = ["name", "end_to_end_id", "amount", "currency_id", "partner_id", "state", "bank_status",
           "bank_status_text", "bank_reason", "bank_returned", "move_id"]
BILL = ["name", "payment_state", "amount_total", "amount_residual", "bank_status_text"]
BILL_STATES = {"paid": "paid", "partial": "partly paid", "not_paid": "open",
               "in_payment": "in payment", "reversed": "reversed"}
SHOWN = 60  # rows; of more payments only the special ones and the first ordinary are shown


class Verdict:
    """Reads as the auditor, who may see everything and change nothing."""

    def __init__(self, scene: Scene, orders: list[Order]):
        self._scene = scene
        self._orders = orders
        auditor = scene.people["auditor"]
        payments = auditor.read(
            "account.payment", [order.payment["id"] for order in orders], PAYMENT
        )
        for order, payment in zip(orders, payments, strict=True):
            order.payment = payment
        ids = [bill.id for order in orders for bill in order.bills]
        self._bills = {bill["id"]: bill for bill in auditor.read("account.move", ids, BILL)}
        self._lines: dict[int, list[dict]] = defaultdict(list)
        for line in auditor.search(
            "account.bank.statement.line",
            [["bank_payment_ids", "in", [payment["id"] for payment in payments]]],
            ["date", "journal_id", "amount", "is_reconciled", "bank_payment_ids"],
            order="id",
        ):
            for payment in line["bank_payment_ids"]:
                self._lines[payment].append(line)

    def faults(self) -> list[str]:
        """What is not as it should be, a sentence each; nothing when all is well."""
        found = []
        for order in self._orders:
            label = f"{', '.join(bill.name for bill in order.bills)} ({order.case})"
            found += [f"{label}: {fault}" for fault in self._faults_of(order)]
        quarantined = self._scene.people["auditor"].search(
            "bank.message", [["state", "not in", ["delivered", "processed"]]],
            ["name", "state", "error"],
        )
        return found + [
            f"Document {row['name']} is {row['state']}: {row['error']}" for row in quarantined
        ]

    def _faults_of(self, order: Order) -> list[str]:
        expected, payment = order.expected, order.payment
        faults = []

        def must_be(what: str, found: object, wanted: object) -> None:
            if found != wanted:
                faults.append(f"{what} is {found}, not {wanted}")

        bank = self._scene.desk.executions(payment["end_to_end_id"])
        for count in ("executed", "returned", "rejected"):
            must_be(f"times {count} at the bank", bank[count], getattr(expected, count))
        must_be("amount", payment["amount"], order.amount)
        must_be("bank status", payment["bank_status"], expected.status)
        if expected.executed and not expected.returned:
            must_be("journal entry of its own", bool(payment["move_id"]),
                    self._account(order).booked)
        lines = self._lines[payment["id"]]
        must_be("number of statement lines", len(lines), expected.lines)
        must_be("sum of statement lines", sum(line["amount"] for line in lines),
                -order.amount * (expected.executed - expected.returned))
        for line in lines:
            must_be(f"statement line of {line['date']} reconciled", line["is_reconciled"], True)
        for bill in order.bills:
            shown = self._bills[bill.id]
            must_be(f"state of {bill.name}", shown["payment_state"], expected.bill_state)
            rest = {"paid": 0, "partial": bill.amount - order.amount,
                    "in_payment": None, "not_paid": bill.amount}[expected.bill_state]
            if rest is not None:
                must_be(f"open amount of {bill.name}", shown["amount_residual"], rest)
        if expected.bill_state == "not_paid":
            faults += self._faults_of_failure(order)
        return faults

    def _faults_of_failure(self, order: Order) -> list[str]:
        """The accountant must be told: state, reason in words, a task."""
        payment, faults = order.payment, []
        if payment["state"] != "rejected":
            faults.append(f"the payment's state is {payment['state']}, not rejected")
        if payment["bank_reason"] != "AC04":
            faults.append(f"the reason is {payment['bank_reason']}, not AC04")
        accountant = self._scene.people["accountant"]
        for bill in order.bills:
            for where, shown in (("payment", payment), (bill.name, self._bills[bill.id])):
                if "account is closed" not in (shown["bank_status_text"] or ""):
                    faults.append(f"{where} does not say why: {shown['bank_status_text']}")
            tasks = accountant.search(
                "mail.activity",
                [["res_model", "=", "account.move"], ["res_id", "=", bill.id],
                 ["user_id.login", "=", accountant.login]],
                ["summary"],
            )
            if len(tasks) != 1 or "closed" not in tasks[0]["summary"]:
                faults.append(f"{accountant.name} has {len(tasks)} tasks about it, not one")
        return faults

    # The table -----------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The table, one row for each payment, and below it the reasons in full."""
        chosen, left = self._orders, 0
        if len(chosen) > SHOWN:
            ordinary = [order for order in chosen if order.case == "ordinary"]
            hidden = {id(order) for order in ordinary[SHOWN // 2 :]}
            hidden |= {id(order) for order in chosen[SHOWN:] if order.case != "ordinary"}
            chosen = [order for order in chosen if id(order) not in hidden]
            left = len(self._orders) - len(chosen)
        head = ("Bill", "Payee", "Case", "Amount", "At the bank", "On the statement", "Bill is")
        shown = table(head, [self._row(order) for order in chosen], "   >")
        if left:
            shown.append(f"… and {left} more of the same kinds.")
        for order in self._orders:
            text = order.payment["bank_status_text"] or ""
            if ": " in text:
                shown.append(f"{_number(order.bills[0])}: “{text}”")
        return shown

    def bill_of(self, fate: str) -> int:
        """The id of the bill whose payment had this fate."""
        return next(order.bills[0].id for order in self._orders if order.fate == fate)

    @staticmethod
    def _account(order: Order) -> cast.Account:
        return next(account for account in cast.ACCOUNTS if account.key == order.account)

    def _row(self, order: Order) -> list[str]:
        payment = order.payment
        account = self._account(order)
        # Newest last; a payment that came back has two.
        lines = [
            f"{account.code} {line['date']} {line['amount']:+,.2f}"
            for line in self._lines[payment["id"]]
        ]
        states = {self._bills[bill.id]["payment_state"] for bill in order.bills}
        return [
            " + ".join(map(_number, order.bills)),
            short(payment["partner_id"][1], 28),
            order.case,
            f"{payment['amount']:,.2f} {payment['currency_id'][1]}",
            short((payment["bank_status_text"] or "").split(": ")[0], 36),
            ", ".join(lines) or "–",
            ", ".join(sorted(BILL_STATES.get(state, state) for state in states)),
        ]


def _number(bill: Bill) -> str:
    """A bill's number without the word that all of them begin with."""
    return bill.name.removeprefix("BILL/")
