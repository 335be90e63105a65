"""Double entry. Credit is positive, debit is negative; a customer's deposit is the bank's debt.

The database itself refuses a journal that does not sum to zero in each currency (schema.sql).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from .calendar import booking_date
from .clock import stamp


class Line(NamedTuple):
    """One posting of a journal, in minor units of the account's currency."""

    account_id: str
    currency: str
    amount: int


class Journal(NamedTuple):
    """A journal that has been written and sealed."""

    id: int
    reference: str
    booked_at: datetime
    booking_date: date


class Detail(NamedTuple):
    """One transaction behind an entry; see the table ``entry_detail``."""

    role: str
    payment_id: int | None
    amount: int
    charges: int = 0
    reason: str | None = None
    data: dict | None = None


def bank_account(connection: sqlite3.Connection, purpose: str, currency: str) -> str:
    """The bank's own account for a purpose and currency, opened when first needed.

    :param purpose: ``equity`` (opening balances), ``clearing`` (money at other banks),
        ``exchange`` (currency position), ``fees`` (income).
    """
    account_id = f"bank-{purpose}-{currency}"
    connection.execute(
        "INSERT OR IGNORE INTO account (id, kind, currency, name, opened_at)"
        " VALUES (?, 'bank', ?, ?, '')",
        (account_id, currency, f"{purpose.capitalize()} {currency}"))
    return account_id


def balance(connection: sqlite3.Connection, account_id: str) -> int:
    """An account's present balance in minor units."""
    row = connection.execute("SELECT balance FROM account WHERE id = ?", (account_id,)).fetchone()
    return row["balance"]


def post(connection: sqlite3.Connection, kind: str, moment: datetime,
         lines: Iterable[Line]) -> Journal:
    """Write one journal and seal it.

    Lines in several currencies are balanced through the bank's exchange accounts.

    :raises sqlite3.IntegrityError: the lines don't sum to zero.
    """
    lines = list(lines)
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, 0) + line.amount
    if len(totals) > 1:
        lines += [Line(bank_account(connection, "exchange", currency), currency, -total)
                  for currency, total in totals.items() if total]
    day = booking_date(moment)
    number = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM journal").fetchone()[0]
    journal = Journal(number, f"SB{day:%y%m%d}{number:010d}", moment, day)
    connection.execute(
        "INSERT INTO journal (id, reference, kind, booked_at, booking_date)"
        " VALUES (?, ?, ?, ?, ?)",
        (number, journal.reference, kind, stamp(moment), day.isoformat()))
    connection.executemany(
        "INSERT INTO posting (journal_id, account_id, currency, amount) VALUES (?, ?, ?, ?)",
        [(number, *line) for line in lines])
    connection.execute("UPDATE journal SET sealed = 1 WHERE id = ?", (number,))
    return journal


def enter(connection: sqlite3.Connection, journal: Journal, account_id: str, amount: int,
          code: str, details: Iterable[Detail], *, batch: bool = False,
          information: str | None = None) -> int:
    """Show a journal on a customer's account as one entry, and return the entry's id.

    :param amount: minor units, credit positive; the sum of the details.
    :param code: bank transaction code as ``PMNT/ICDT/ESCT``.
    """
    reference = journal.reference + ("C" if amount > 0 else "D")
    cursor = connection.execute(
        "INSERT INTO entry (journal_id, account_id, amount, booked_at, booking_date, value_date,"
        " reference, code, batch, information) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (journal.id, account_id, amount, stamp(journal.booked_at),
         journal.booking_date.isoformat(), journal.booking_date.isoformat(), reference, code,
         int(batch), information))
    connection.executemany(
        "INSERT INTO entry_detail (entry_id, role, payment_id, amount, charges, reason, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(cursor.lastrowid, detail.role, detail.payment_id, detail.amount, detail.charges,
          detail.reason, json.dumps(detail.data) if detail.data else None)
         for detail in details])
    return cursor.lastrowid


def trial_balance(connection: sqlite3.Connection) -> dict:
    """Every account's debits, credits and balance, recomputed from the postings.

    ``balanced`` says that each currency sums to zero, that each cached balance equals its
    postings, and that each customer account equals its entries. Amounts are minor units.
    """
    accounts = [dict(row) for row in connection.execute(
        "SELECT account.id, account.kind, account.iban, account.name, account.currency,"
        " account.balance, account.contract_id,"
        " COALESCE(SUM(CASE WHEN amount < 0 THEN -amount END), 0) AS debits,"
        " COALESCE(SUM(CASE WHEN amount > 0 THEN amount END), 0) AS credits"
        " FROM account LEFT JOIN posting ON posting.account_id = account.id"
        " GROUP BY account.id ORDER BY account.kind DESC, account.id")]
    entered = dict(connection.execute(
        "SELECT account_id, SUM(amount) FROM entry GROUP BY account_id").fetchall())
    sums: dict[str, int] = {}
    faults = []
    for account in accounts:
        net = account["credits"] - account["debits"]
        sums[account["currency"]] = sums.get(account["currency"], 0) + net
        if net != account["balance"]:
            faults.append(f"{account['id']}: balance differs from postings")
        if account["kind"] == "customer" and entered.get(account["id"], 0) != net:
            faults.append(f"{account['id']}: entries differ from postings")
    faults += [f"{currency}: does not sum to zero" for currency, total in sums.items() if total]
    return {"balanced": not faults, "faults": faults, "sums": sums, "accounts": accounts}
