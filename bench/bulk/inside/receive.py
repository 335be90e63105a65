"""Runs in Odoo's shell: a camt.053 of N bookings to reconciled payments and paid bills."""

import os
import sys
from datetime import date
from decimal import Decimal

from lxml import etree

sys.path.insert(0, os.environ["BENCH_FOLDER"])
from meter import Meter

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
payments = env["account.payment"].search([("end_to_end_id", "!=", False)], order="id")
assert len(payments) == int(os.environ["BENCH_N"])
amounts = [
    (pay.end_to_end_id, Decimal(f"{pay.amount:.2f}"), pay.partner_id.name) for pay in payments
]
account = payments.journal_id.bank_account_id.sanitized_acc_number
day = date.today().isoformat()


def add(parent, path, text=None, **attributes):
    """Add elements named by a path; the last one gets the text."""
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    parent.text = text
    for key, value in attributes.items():
        parent.set(key, value)
    return parent


def balance(statement, kind, amount):
    element = add(statement, "Bal")
    add(element, "Tp/CdOrPrtry/Cd", kind)
    add(element, "Amt", str(amount), Ccy="EUR")
    add(element, "CdtDbtInd", "CRDT")
    add(element, "Dt/Dt", day)


def write():
    """The bank's statement, written here by lxml alone."""
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})
    body = add(root, "BkToCstmrStmt")
    header = add(body, "GrpHdr")
    add(header, "MsgId", "BENCH")
    add(header, "CreDtTm", f"{day}T18:00:00Z")
    statement = add(body, "Stmt")
    add(statement, "Id", "BENCH-1")
    add(statement, "ElctrncSeqNb", "1")
    own = add(statement, "Acct")
    add(own, "Id/IBAN", account)
    add(own, "Ccy", "EUR")
    opening = Decimal("100000000.00")
    balance(statement, "OPBD", opening)
    balance(statement, "CLBD", opening - sum(amount for _reference, amount, _name in amounts))
    for number, (reference, amount, name) in enumerate(amounts):
        entry = add(statement, "Ntry")
        add(entry, "Amt", str(amount), Ccy="EUR")
        add(entry, "CdtDbtInd", "DBIT")
        add(entry, "Sts/Cd", "BOOK")
        add(entry, "BookgDt/Dt", day)
        add(entry, "ValDt/Dt", day)
        add(entry, "AcctSvcrRef", f"BANK{number:09d}")
        code = add(entry, "BkTxCd/Domn")
        add(code, "Cd", "PMNT")
        family = add(code, "Fmly")
        add(family, "Cd", "ICDT")
        add(family, "SubFmlyCd", "ESCT")
        details = add(entry, "NtryDtls/TxDtls")
        add(details, "Refs/EndToEndId", reference)
        add(details, "RltdPties/Cdtr/Pty/Nm", name)
        add(details, "RmtInf/Ustrd", f"Invoice {number}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


content = write()
# What the bank books, it has been sent.
payments.bank_batch_id.message_ids_bank._prove_delivery()
messages = env["bank.message"]
with Meter(env) as meter:
    message = messages._store(
        payments.bank_batch_id.connection_id, content, name="bench.xml", remote_id="bench"
    )
    messages._cron_process()

assert message.state == "processed", message.error
lines = env["account.bank.statement.line"].search([("bank_message_id", "=", message.id)])
assert len(lines) == len(amounts) and all(lines.mapped("is_reconciled"))
bills = payments.bank_instalment_ids.move_id
assert set(bills.mapped("payment_state")) == {"paid"}
assert set(payments.mapped("state")) == {"paid"}
assert lines.statement_id.is_complete
assert not env["bank.discrepancy"].search_count([])

meter.tell(write)
