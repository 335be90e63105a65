"""What a bank does wrong now and then, on command: to see whether anybody notices.

Each is a real event in the books, which stay balanced: a mistake of a bank is booked like
everything else.
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from . import clock, customers, iban, issue_camt, ledger, mistakes, money

STRAY_CODE = "PMNT/ICDT/ESCT"


def make(connection: sqlite3.Connection, order: dict) -> dict:
    """Make the mistake that ``kind`` names, or order it for its time.

    :raises ValueError: the order is wrong.
    """
    kind = KINDS.get(str(order.get("kind", "")))
    if kind is None:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    return kind(connection, order)


def stray_debit(connection: sqlite3.Connection, order: dict) -> dict:
    """A transfer leaves the account that nobody ordered."""
    account = _account(connection, order)
    data = {"name": str(order.get("name") or "Unknown Trading Ltd")[:140],
            "iban": str(order.get("toIban") or iban.make("NL", None, 4711)),
            "remittance": str(order.get("remittance") or "Order 8812")[:140],
            "end_to_end_id": str(order.get("endToEndId") or "")[:35]}
    return _book(connection, account, -_minor(order, account), data)


def double_booking(connection: sqlite3.Connection, order: dict) -> dict:
    """A payment that was executed is booked once more."""
    row = _executed(connection, order)
    account = connection.execute(
        "SELECT * FROM account WHERE id = ?", (row["account_id"],)).fetchone()
    data = {"name": row["creditor_name"], "iban": row["creditor_account"],
            "end_to_end_id": row["end_to_end_id"]}
    return _book(connection, account, row["booked"],
                 {key: value for key, value in data.items() if value})


def wrong_amount(connection: sqlite3.Connection, order: dict) -> dict:
    """A payment that waits for its execution is booked with another amount than ordered."""
    reference = str(order.get("endToEndId", ""))
    row = connection.execute(
        "SELECT account.currency FROM payment JOIN block ON block.id = block_id"
        " JOIN account ON account.id = account_id"
        " WHERE end_to_end_id = ? AND status IN ('ACCP', 'ACSP', 'PDNG')",
        (reference,)).fetchone()
    if row is None:
        raise ValueError(f"{reference!r} does not wait for its execution")
    minor = money.to_minor(_number(order, "difference", negative=True), row["currency"])
    return {"id": mistakes.order(connection, "wrong_amount", reference, minor)}


def missing_statement(connection: sqlite3.Connection, order: dict) -> dict:
    """The account's next statement is made, numbered and not sent."""
    account = _account(connection, order)
    return {"id": mistakes.order(connection, "missing_statement", account["iban"])}


def found_statement(connection: sqlite3.Connection, order: dict) -> dict:
    """Statements of the account that were kept back are sent after all."""
    account = _account(connection, order)
    rows = connection.execute(
        "SELECT document_id FROM mistake WHERE kind = 'missing_statement' AND ref = ?"
        " AND document_id IS NOT NULL", (account["iban"],)).fetchall()
    connection.executemany("DELETE FROM held WHERE document_id = ?",
                           [(row["document_id"],) for row in rows])
    return {"documents": [row["document_id"] for row in rows]}


def corrected_statement(connection: sqlite3.Connection, order: dict) -> dict:
    """The account's last statement is issued again under its number, with one entry more."""
    account = _account(connection, order)
    last = connection.execute(
        "SELECT statement_id, MAX(booking_date) AS day FROM entry WHERE account_id = ?"
        " AND statement_id IS NOT NULL", (account["id"],)).fetchone()
    if not last["day"] or last["day"] != account["statement_until"]:
        raise ValueError("the account's last statement has no entries")
    day = date.fromisoformat(last["day"])
    sign = -1 if order.get("debit", True) else 1
    moment = datetime.combine(day, time(17, 30))
    entry = customers.credit(
        connection, account["id"], sign * _minor(order, account), moment, "fees",
        str(order.get("text") or "Correction of charges")[:140])
    connection.execute("UPDATE entry SET statement_id = ? WHERE id = ?",
                       (last["statement_id"], entry))
    document = issue_camt.restate(connection, account["id"], last["statement_id"], day,
                                  clock.now(connection))
    return {"document": document, "reference": _reference(connection, entry)}


KINDS = {each.__name__: each for each in (
    stray_debit, double_booking, wrong_amount, missing_statement, found_statement,
    corrected_statement)}


def _book(connection: sqlite3.Connection, account: sqlite3.Row, minor: int, data: dict) -> dict:
    present = clock.now(connection)
    entry = customers.credit(connection, account["id"], minor, present, "clearing", "",
                             {key: value for key, value in data.items() if value}, STRAY_CODE)
    issue_camt.notify(connection, [entry], present)
    return {"reference": _reference(connection, entry)}


def _reference(connection: sqlite3.Connection, entry: int) -> str:
    return connection.execute(
        "SELECT reference FROM entry WHERE id = ?", (entry,)).fetchone()["reference"]


def _account(connection: sqlite3.Connection, order: dict) -> sqlite3.Row:
    row = connection.execute("SELECT * FROM account WHERE kind = 'customer' AND iban = ?",
                             (str(order.get("iban", "")),)).fetchone()
    if row is None:
        raise ValueError(f"{order.get('iban')!r} is no customer's account of this bank")
    return row


def _executed(connection: sqlite3.Connection, order: dict) -> sqlite3.Row:
    reference = str(order.get("endToEndId", ""))
    row = connection.execute(
        "SELECT payment.*, block.account_id, entry_detail.amount AS booked FROM entry_detail"
        " JOIN payment ON payment.id = payment_id JOIN block ON block.id = block_id"
        " WHERE role = 'executed' AND end_to_end_id = ?", (reference,)).fetchone()
    if row is None:
        raise ValueError(f"{reference!r} was never executed")
    return row


def _minor(order: dict, account: sqlite3.Row) -> int:
    return money.to_minor(_number(order, "amount"), account["currency"])


def _number(order: dict, name: str, *, negative: bool = False) -> Decimal:
    try:
        amount = Decimal(str(order.get(name, "")))
    except InvalidOperation:
        raise ValueError(f"{name} must be a number") from None
    if not amount.is_finite() or not amount or abs(amount) > money.MOST or (
            amount < 0 and not negative):
        raise ValueError(f"{name} must not be zero, and at most {money.MOST}")
    return amount


def error_account(connection: sqlite3.Connection, currency: str) -> str:
    """Where the difference of a wrong amount lies until somebody claims it."""
    return ledger.bank_account(connection, "errors", currency)
