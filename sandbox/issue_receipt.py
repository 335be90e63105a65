"""Issue a receipt (PDF) for each executed payment, for contracts that have it so."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime

from . import documents, money, options, receipt_pdf
from .store import get_setting, next_number

SELECT = """
SELECT payment.*, entry.reference, entry.value_date, detail.amount AS booked,
    account.iban, account.currency AS account_currency, account.name AS holder,
    account.contract_id
FROM entry_detail AS detail
JOIN entry ON entry.id = detail.entry_id
JOIN account ON account.id = entry.account_id
JOIN payment ON payment.id = detail.payment_id
WHERE detail.role = 'executed' AND entry.id BETWEEN ? AND ?
ORDER BY detail.id
"""


def issue(connection: sqlite3.Connection, entry_ids: list[int], created: datetime) -> None:
    """Receipts for the payments that these entries executed.

    ``entry_ids`` are those of one business step: they follow each other without a gap.
    """
    if not entry_ids:
        return
    agreed: dict[str, bool] = {}
    for row in connection.execute(SELECT, (min(entry_ids), max(entry_ids))).fetchall():
        contract_id = row["contract_id"]
        if contract_id not in agreed:
            agreed[contract_id] = options.chosen(connection, contract_id, "receipts") == "pdf"
        if agreed[contract_id]:
            number = next_number(connection, "receipts")
            # The name says nothing of the payment, as with most banks: the page does.
            documents.issue(connection, contract_id, "pdf",
                            f"RCPT-{created:%Y%m%d}-{number:010d}.pdf",
                            _write(connection, row, number, created), created)


def _write(connection: sqlite3.Connection, row: sqlite3.Row, number: int,
           created: datetime) -> bytes:
    remittance = re.sub(r"<[^>]+>", " ", row["remittance"] or "")
    return receipt_pdf.write(f"{get_setting(connection, 'bank_name')}: payment receipt", [
        ("Receipt number", f"{number:010d}"),
        ("Issued", f"{created:%Y-%m-%d %H:%M} UTC"),
        ("Paid by", row["holder"]),
        ("From account", row["iban"]),
        ("Paid to", row["creditor_name"] or ""),
        ("To account", row["creditor_account"] or ""),
        ("Amount", f"{money.text(row['amount'], row['currency'])} {row['currency']}"),
        ("Debited", f"{money.text(-row['booked'], row['account_currency'])}"
                    f" {row['account_currency']}"),
        ("Value date", row["value_date"]),
        ("End-to-end reference", row["end_to_end_id"]),
        ("Booking reference", row["reference"]),
        ("Text", remittance[:90])])
