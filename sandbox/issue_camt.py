"""Choose what statements, reports and notifications contain, and put them into mailboxes.

How they are written is in camt_writer.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

from . import documents, mistakes, mt940_writer, options
from .camt_writer import Balance, Frame, write
from .store import get_setting

SELECT = """
SELECT entry.id AS entry_id, entry.amount AS entry_amount, entry.booked_at, entry.booking_date,
    entry.value_date, entry.reference, entry.code, entry.batch, entry.information,
    detail.role, detail.amount, detail.charges, detail.reason, detail.data,
    payment.instruction_id, payment.end_to_end_id, payment.uetr, payment.amount AS instructed,
    payment.currency AS instructed_currency, payment.creditor_name, payment.creditor_account,
    payment.creditor_agent, payment.remittance, block.payment_information_id,
    block.debtor_name, submission.message_id, account.currency, debtor.iban AS debtor_iban,
    debtor.name AS debtor_account_name
FROM entry
JOIN account ON account.id = entry.account_id
JOIN entry_detail AS detail ON detail.entry_id = entry.id
LEFT JOIN payment ON payment.id = detail.payment_id
LEFT JOIN block ON block.id = payment.block_id
LEFT JOIN submission ON submission.id = block.submission_id
LEFT JOIN account AS debtor ON debtor.id = block.account_id
"""
KINDS = {"053": "statement_number", "054": "notice_number", "052": "report_number"}


def entries(connection: sqlite3.Connection, where: str,
            values: Iterable[object]) -> Iterator[list[sqlite3.Row]]:
    """Entries in booking order, each as the list of its details.

    :param where: a condition in SQL with placeholders for ``values``; never from outside.
    """
    sql = f"{SELECT} WHERE {where} ORDER BY entry.id, detail.id"
    rows = connection.execute(sql, tuple(values))
    for _entry_id, details in groupby(rows, key=lambda row: row["entry_id"]):
        yield list(details)


def _frame(connection: sqlite3.Connection, account: sqlite3.Row, kind: str,
           created: datetime, start: datetime, end: datetime, numbered: bool = True) -> Frame:
    column = KINDS[kind]
    number = account[column] + 1 if numbered else None
    if numbered:
        connection.execute(f"UPDATE account SET {column} = ? WHERE id = ?",  # noqa: S608
                           (number, account["id"]))
    return Frame(
        message_name=f"camt.{kind}.001.{account['camt_version']}",
        message_id=documents.new_message_id(connection, f"C{kind[1:]}", created),
        number=number, created=created, start=start, end=end, iban=account["iban"],
        currency=account["currency"], owner=account["name"],
        bank_bic=get_setting(connection, "bank_bic"),
        bank_name=get_setting(connection, "bank_name"))


def _account(connection: sqlite3.Connection, account_id: str) -> sqlite3.Row:
    return connection.execute(
        "SELECT account.*, camt_version, empty_statements FROM account JOIN contract"
        " ON contract.id = contract_id WHERE account.id = ?", (account_id,)).fetchone()


def _issue(connection: sqlite3.Connection, account: sqlite3.Row, frame: Frame,
           content: bytes) -> str:
    name = f"{frame.message_id}.{account['iban']}.{frame.message_name}.xml"
    return documents.issue(connection, account["contract_id"], frame.message_name, name,
                           content, frame.created)


def _in_swift(connection: sqlite3.Connection, account: sqlite3.Row) -> bool:
    contract_id = account["contract_id"]
    return bool(contract_id) and options.chosen(connection, contract_id, "statements") == "mt940"


def _issue_swift(connection: sqlite3.Connection, account: sqlite3.Row, frame: Frame, kind: str,
                 content: bytes) -> str:
    return documents.issue(connection, account["contract_id"], kind,
                           f"{frame.message_id}.{account['iban']}.{kind}.txt", content,
                           frame.created)


def notify(connection: sqlite3.Connection, entry_ids: list[int], created: datetime) -> None:
    """Issue a camt.054 for each account that these entries moved.

    ``entry_ids`` are those of one business step: they follow each other without a gap.
    """
    if not entry_ids:
        return
    span = (min(entry_ids), max(entry_ids))
    for row in connection.execute(
            "SELECT DISTINCT account_id FROM entry WHERE id BETWEEN ? AND ?", span).fetchall():
        account = _account(connection, row["account_id"])
        frame = _frame(connection, account, "054", created, created, created)
        content = write(frame, entries(
            connection, "entry.account_id = ? AND entry.id BETWEEN ? AND ?",
            (account["id"], *span)))
        _issue(connection, account, frame, content)


def balance_before(connection: sqlite3.Connection, account_id: str, day: date) -> int:
    """An account's balance when a booking day begins, in minor units."""
    return connection.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM entry WHERE account_id = ?"
        " AND (opening = 1 OR booking_date < ?)", (account_id, day.isoformat())).fetchone()[0]


def state(connection: sqlite3.Connection, day: date, moment: datetime,
          created: datetime) -> None:
    """End of day: issue every account's camt.053 of all that no statement has shown yet."""
    for row in connection.execute(
            "SELECT id FROM account WHERE kind = 'customer' ORDER BY rowid").fetchall():
        account = _account(connection, row["id"])
        if account["statement_until"] and account["statement_until"] >= day.isoformat():
            continue
        where = ("entry.account_id = ? AND statement_id IS NULL AND opening = 0"
                 " AND entry.booking_date <= ?")
        values = (account["id"], day.isoformat())
        movement = connection.execute(
            f"SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM entry WHERE {where}",  # noqa: S608
            values).fetchone()
        if not movement[0] and not account["empty_statements"]:
            continue
        last = account["statement_until"]
        opening = connection.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM entry WHERE account_id = ?"
            " AND (opening = 1 OR statement_id IS NOT NULL)", (account["id"],)).fetchone()[0]
        start_day = (date.fromisoformat(last) + timedelta(days=1)) if last else min(
            day, date.fromisoformat(account["opened_at"][:10]))
        frame = _frame(connection, account, "053", created,
                       datetime.combine(start_day, datetime.min.time()), moment)
        before = date.fromisoformat(last) if last else start_day
        balances = [Balance("OPBD", opening, start_day), Balance("PRCD", opening, before),
                    Balance("CLBD", opening + movement[1], day),
                    Balance("CLAV", opening + movement[1], day)]
        found = entries(connection, where, values)
        if _in_swift(connection, account):
            document_id = _issue_swift(connection, account, frame, "mt940", mt940_writer.write(
                connection, account, frame.number, start_day, day, opening, found))
        else:
            document_id = _issue(connection, account, frame, write(frame, found, balances))
        mistake = mistakes.take(connection, "missing_statement", account["iban"])
        if mistake:
            documents.keep_back(connection, document_id)
            connection.execute("UPDATE mistake SET document_id = ? WHERE id = ?",
                               (document_id, mistake["id"]))
        connection.execute(f"UPDATE entry SET statement_id = ? WHERE {where}",  # noqa: S608
                           (document_id, *values))
        connection.execute("UPDATE account SET statement_until = ? WHERE id = ?",
                           (day.isoformat(), account["id"]))


def restate(connection: sqlite3.Connection, account_id: str, document_id: str, day: date,
            created: datetime) -> str:
    """Issue the account's last statement again, under its number, as its entries are now.

    :param document_id: of the statement as it was issued; its entries are the new one's.
    :returns: the new document's id.
    """
    account = _account(connection, account_id)
    frame = replace(
        _frame(connection, account, "053", created, datetime.combine(day, datetime.min.time()),
               datetime.combine(day, datetime.max.time().replace(microsecond=0)),
               numbered=False),
        number=account["statement_number"])
    opening = connection.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM entry WHERE account_id = ? AND"
        " (opening = 1 OR (statement_id IS NOT NULL AND statement_id <> ?))",
        (account_id, document_id)).fetchone()[0]
    where, values = "entry.statement_id = ? AND entry.account_id = ?", (document_id, account_id)
    movement = connection.execute(
        f"SELECT COALESCE(SUM(amount), 0) FROM entry WHERE {where}",  # noqa: S608
        values).fetchone()[0]
    found = entries(connection, where, values)
    if _in_swift(connection, account):
        issued = _issue_swift(connection, account, frame, "mt940", mt940_writer.write(
            connection, account, frame.number, day, day, opening, found))
    else:
        issued = _issue(connection, account, frame, write(frame, found, [
            Balance("OPBD", opening, day), Balance("PRCD", opening, day),
            Balance("CLBD", opening + movement, day), Balance("CLAV", opening + movement, day)]))
    connection.execute(f"UPDATE entry SET statement_id = ? WHERE {where}",  # noqa: S608
                       (issued, *values))
    return issued


def report(connection: sqlite3.Connection, account_id: str, day: date,
           created: datetime) -> tuple[Frame, bytes]:
    """The camt.052 of one booking day so far, as bytes."""
    account = _account(connection, account_id)
    frame = _frame(connection, account, "052", created,
                   datetime.combine(day, datetime.min.time()), created)
    opening = balance_before(connection, account_id, day)
    interim = balance_before(connection, account_id, day + timedelta(days=1))
    content = write(frame, entries(
        connection, "entry.account_id = ? AND opening = 0 AND entry.booking_date = ?",
        (account_id, day.isoformat())),
        [Balance("OPBD", opening, day), Balance("ITBD", interim, day)])
    return frame, content


def report_noon(connection: sqlite3.Connection, day: date, created: datetime) -> None:
    """Noon: issue a camt.052 for each account with movement on that day."""
    for row in connection.execute(
            "SELECT DISTINCT account_id FROM entry WHERE opening = 0 AND booking_date = ?",
            (day.isoformat(),)).fetchall():
        account = _account(connection, row["account_id"])
        if _in_swift(connection, account):
            frame = _frame(connection, account, "052", created, created, created)
            content = mt940_writer.interim(
                connection, account, frame.number, created, entries(
                    connection, "entry.account_id = ? AND opening = 0 AND entry.booking_date = ?",
                    (account["id"], day.isoformat())))
            _issue_swift(connection, account, frame, "mt942", content)
            continue
        frame, content = report(connection, row["account_id"], day, created)
        _issue(connection, account, frame, content)


def history(connection: sqlite3.Connection, account_id: str, start: date, end: date,
            created: datetime) -> tuple[Frame, bytes]:
    """A camt.053 over any past days, on request; only the statements of ``state`` are numbered."""
    account = _account(connection, account_id)
    frame = _frame(connection, account, "053", created,
                   datetime.combine(start, datetime.min.time()),
                   datetime.combine(end, datetime.max.time().replace(microsecond=0)),
                   numbered=False)
    opening = balance_before(connection, account_id, start)
    closing = balance_before(connection, account_id, end + timedelta(days=1))
    content = write(frame, entries(
        connection, "entry.account_id = ? AND opening = 0 AND entry.booking_date BETWEEN ? AND ?",
        (account_id, start.isoformat(), end.isoformat())),
        [Balance("OPBD", opening, start), Balance("CLBD", closing, end)])
    return frame, content
