"""Execute, hold, reject, return and cancel payments.

Every function here runs inside one transaction of the store, with the event that caused it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from . import (
    irregular,
    issue_camt,
    issue_pain002,
    issue_receipt,
    ledger,
    mistakes,
    money,
    triggers,
)
from .calendar import OPENING, add_business_days, booking_date
from .clock import stamp
from .intake import CROSS_BORDER, INSTANT, TARGET, schedule

CODES = {CROSS_BORDER: "PMNT/ICDT/XBCT", INSTANT: "PMNT/IRCT/ESCT", TARGET: "PMNT/ICDT/DMCT"}
BATCH_CODE = "PMNT/ICDT/ESCT"
RETURN_CODE = "PMNT/ICDT/RRTN"
OPEN = ("ACCP", "ACSP", "PDNG")


@dataclass(frozen=True)
class Ready:
    """A payment that is about to be booked, in minor units of the debtor account."""

    row: sqlite3.Row
    amount: int
    charges: int
    error: int = 0  # what the bank debits by mistake

    @property
    def total(self) -> int:
        """What leaves the debtor's account."""
        return self.amount + self.charges + self.error


def execute_block(connection: sqlite3.Connection, block_id: int, at: datetime,
                  created: datetime) -> None:
    """Execute the accepted payments of one payment information block."""
    block = connection.execute(
        "SELECT block.*, product FROM block JOIN submission ON submission.id = submission_id"
        " WHERE block.id = ?", (block_id,)).fetchone()
    payments = connection.execute(
        "SELECT * FROM payment WHERE block_id = ? AND status = 'ACCP' ORDER BY id",
        (block_id,)).fetchall()
    if payments:
        _execute(connection, block, payments, at, created, steered=True)


def execute_payment(connection: sqlite3.Connection, payment_id: int, at: datetime,
                    created: datetime) -> None:
    """Execute one payment that waited (slow, or held and then released)."""
    payment = connection.execute(
        "SELECT * FROM payment WHERE id = ? AND status IN ('ACSP', 'PDNG')",
        (payment_id,)).fetchone()
    if payment:
        block = connection.execute(
            "SELECT block.*, product FROM block JOIN submission ON submission.id = submission_id"
            " WHERE block.id = ?", (payment["block_id"],)).fetchone()
        _execute(connection, block, [payment], at, created, steered=False)


def _execute(connection: sqlite3.Connection, block: sqlite3.Row, payments: list[sqlite3.Row],
             at: datetime, created: datetime, steered: bool) -> None:
    account = connection.execute(
        "SELECT * FROM account WHERE id = ?", (block["account_id"],)).fetchone()
    ready: list[Ready] = []
    for payment in payments:
        trigger = triggers.find(payment["creditor_account"])
        if steered and trigger and trigger.action == "reject":
            set_status(connection, [payment["id"]], "RJCT", at, trigger.reason, trigger.text)
        elif steered and trigger and trigger.action == "pending":
            set_status(connection, [payment["id"]], "PDNG", at)
        elif steered and trigger and trigger.action == "slow":
            set_status(connection, [payment["id"]], "ACSP", at)
            next_day = add_business_days(booking_date(at), 1)
            schedule(connection, datetime.combine(next_day, OPENING), "pay", payment["id"])
        else:
            charges = triggers.CHARGE_MINOR if trigger and trigger.action == "charge" else 0
            mistake = None if trigger else mistakes.take(
                connection, "wrong_amount", payment["end_to_end_id"])
            ready.append(Ready(payment, money.convert(
                payment["amount"], payment["currency"], account["currency"]), charges,
                mistake["value"] if mistake else 0))
    entries: list[int] = []
    batch = block["batch_booking"] and len(ready) > 1
    groups = [ready] if batch else [[item] for item in ready]
    available = account["balance"]
    for group in groups:
        total = sum(item.total for item in group)
        if total > available:
            set_status(connection, [item.row["id"] for item in group], "RJCT", at, "AM04",
                       "Insufficient funds on the debtor account")
            continue
        available -= total
        entries += _book(connection, block, account, group, at)
    issue_pain002.refresh_status(connection, block["submission_id"])
    issue_pain002.issue(connection, block["submission_id"], created,
                        [payment["id"] for payment in payments])
    issue_camt.notify(connection, entries, created)
    issue_receipt.issue(connection, entries, created)


def _book(connection: sqlite3.Connection, block: sqlite3.Row, account: sqlite3.Row,
          group: list[Ready], at: datetime) -> list[int]:
    """Book one entry of the debtor, and one for each creditor who is a customer here."""
    lines = [ledger.Line(account["id"], account["currency"], -sum(i.total for i in group))]
    clearing: dict[str, int] = {}
    received: list[tuple[sqlite3.Row, Ready, int]] = []
    for item in group:
        creditor = connection.execute(
            "SELECT * FROM account WHERE iban = ? AND kind = 'customer'",
            (item.row["creditor_account"],)).fetchone()
        currency, amount = item.row["currency"], item.row["amount"]
        if creditor:
            credit = money.convert(amount, currency, creditor["currency"])
            lines.append(ledger.Line(creditor["id"], creditor["currency"], credit))
            received.append((creditor, item, credit))
        else:
            clearing[currency] = clearing.get(currency, 0) + amount
    for currency, amount in clearing.items():
        lines.append(ledger.Line(
            ledger.bank_account(connection, "clearing", currency), currency, amount))
    charges = sum(item.charges for item in group)
    if charges:
        fees = ledger.bank_account(connection, "fees", account["currency"])
        lines.append(ledger.Line(fees, account["currency"], charges))
    error = sum(item.error for item in group)
    if error:
        lines.append(ledger.Line(irregular.error_account(connection, account["currency"]),
                                 account["currency"], error))
    journal = ledger.post(connection, "payment", at, lines)
    code = CODES.get(block["product"], BATCH_CODE)
    entries = [ledger.enter(
        connection, journal, account["id"], -sum(item.total for item in group), code,
        [ledger.Detail("executed", item.row["id"], -item.total, item.charges) for item in group],
        batch=len(group) > 1)]
    for number, (creditor, item, credit) in enumerate(received, 1):
        entries.append(ledger.enter(
            connection, journal._replace(reference=f"{journal.reference}/{number}"),
            creditor["id"], credit, "PMNT/RCDT/ESCT",
            [ledger.Detail("received", item.row["id"], credit)]))
    set_status(connection, [item.row["id"] for item in group], "ACSC", at)
    for item in group:
        trigger = triggers.find(item.row["creditor_account"])
        if trigger and trigger.action == "return":
            day = add_business_days(journal.booking_date, trigger.days)
            schedule(connection, datetime.combine(day, OPENING), "return", item.row["id"])
    return entries


def set_status(connection: sqlite3.Connection, payment_ids: Iterable[int], status: str,
               at: datetime, reason: str | None = None, information: str | None = None) -> None:
    """Write a new status on payments."""
    connection.executemany(
        "UPDATE payment SET status = ?, reason = ?, information = ?, changed_at = ?"
        " WHERE id = ?",
        [(status, reason, information, stamp(at), payment_id) for payment_id in payment_ids])


def return_payment(connection: sqlite3.Connection, payment_id: int, at: datetime,
                   created: datetime) -> None:
    """The creditor's bank sends the money back: a credit entry with the reason.

    The payment's status stays ACSC: it was settled, and the return is a transaction of its own.
    """
    executed = connection.execute(
        "SELECT payment.*, account_id, entry_detail.amount AS booked, entry_detail.charges"
        " FROM entry_detail JOIN payment ON payment.id = payment_id"
        " JOIN block ON block.id = block_id WHERE payment_id = ? AND role = 'executed'",
        (payment_id,)).fetchone()
    if executed is None:
        raise ValueError(f"payment {payment_id} was never executed")
    trigger = triggers.find(executed["creditor_account"])
    account = connection.execute(
        "SELECT * FROM account WHERE id = ?", (executed["account_id"],)).fetchone()
    amount = -executed["booked"] - executed["charges"]
    clearing = ledger.bank_account(connection, "clearing", executed["currency"])
    journal = ledger.post(connection, "return", at, [
        ledger.Line(clearing, executed["currency"], -executed["amount"]),
        ledger.Line(account["id"], account["currency"], amount)])
    reason = trigger.reason if trigger else "MS03"
    entry = ledger.enter(connection, journal, account["id"], amount, RETURN_CODE, [
        ledger.Detail("returned", payment_id, amount, reason=reason,
                      data={"text": trigger.text if trigger else "Returned"})])
    issue_camt.notify(connection, [entry], created)


def release(connection: sqlite3.Connection, payment_id: int, at: datetime, created: datetime,
            reason: str | None = None) -> None:
    """End the wait of a held payment: execute it, or reject it for a reason.

    :raises ValueError: there is no such payment, or it is not held.
    """
    payment = connection.execute(
        "SELECT payment.id, submission_id FROM payment JOIN block ON block.id = block_id"
        " WHERE payment.id = ? AND status = 'PDNG'", (payment_id,)).fetchone()
    if payment is None:
        raise ValueError(f"payment {payment_id} is not held")
    if reason is None:
        schedule(connection, at, "pay", payment_id)
        return
    set_status(connection, [payment_id], "RJCT", at, reason, "Rejected after a check")
    issue_pain002.refresh_status(connection, payment["submission_id"])
    issue_pain002.issue(connection, payment["submission_id"], created, [payment_id])


def cancel(connection: sqlite3.Connection, submission_id: str, at: datetime,
           created: datetime) -> bool:
    """Cancel a whole file, if nothing of it has been executed or refused for good.

    :returns: whether it is cancelled now; a file cancelled before stays so.
    """
    status = connection.execute(
        "SELECT status FROM submission WHERE id = ?", (submission_id,)).fetchone()["status"]
    if status == "CANC":
        return True
    rows = connection.execute(
        "SELECT payment.id, payment.status FROM payment JOIN block ON block.id = block_id"
        " WHERE submission_id = ?", (submission_id,)).fetchall()
    live = [row["id"] for row in rows if row["status"] in OPEN]
    if not live or any(row["status"] == "ACSC" for row in rows):
        return False
    set_status(connection, live, "CANC", at, "DS02", "Cancelled by the customer")
    issue_pain002.refresh_status(connection, submission_id)
    issue_pain002.issue(connection, submission_id, created, live)
    return True
