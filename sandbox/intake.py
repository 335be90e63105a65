"""What happens to a file that a customer sends: refused at the door, or taken and checked.

At the door (``admit``) only what no bank could file is refused. What is taken is stored first
and checked afterwards (``check``); the answer is a pain.002 in the customer's mailbox.
"""

from __future__ import annotations

import hashlib
import io
import re
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from lxml import etree

from . import iban as ibans
from . import issue_pain002, money
from .calendar import execution_moment
from .clock import stamp
from .pain001_reader import PARSER, Block, FileFault, Message, Transfer, message_name
from .store import get_setting

MAX_BYTES = 100 * 1024 * 1024
MAX_TRANSACTIONS = 100_000
DAYS_PAST = 5
DAYS_AHEAD = 365
SERVICES = ("payments", "bulk-payments")
SEPA = "pain.001-sepa-credit-transfers"
INSTANT = "pain.001-instant-sepa-credit-transfers"
TARGET = "pain.001-target-2-payments"
CROSS_BORDER = "pain.001-cross-border-credit-transfers"
PRODUCTS = (SEPA, INSTANT, TARGET, CROSS_BORDER)


class Inadmissible(Exception):
    """A body that the bank does not take: a FORMAT_ERROR."""


@dataclass(frozen=True)
class Head:
    """What the door reads of a file."""

    message_name: str
    message_id: str | None
    transactions: int


def admit(body: bytes) -> Head:
    """Look at a file without checking it.

    :raises Inadmissible: no XML, a document type declaration, not UTF-8, too many transactions.
    """
    if b"\x00" in body or re.match(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", body,
                                   re.IGNORECASE):
        raise Inadmissible("The document must be in UTF-8")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Inadmissible("A document type declaration or an entity is not allowed")
    name, message_id, transactions = "", None, 0
    try:
        for _event, element in etree.iterparse(
                io.BytesIO(body), tag=("{*}MsgId", "{*}CdtTrfTxInf"), **PARSER):
            if element.tag.endswith("}MsgId"):
                message_id = message_id or (element.text or "").strip()[:35] or None
                continue
            transactions += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
            if transactions > MAX_TRANSACTIONS:
                raise Inadmissible(f"More than {MAX_TRANSACTIONS} transactions in one file")
        root = next(etree.iterparse(io.BytesIO(body), events=("start",), **PARSER))[1]
        name = message_name(root.tag)
    except etree.XMLSyntaxError as error:
        raise Inadmissible(f"Not well-formed XML: {error.msg}"[:400]) from error
    return Head(name, message_id, transactions)


def file(connection: sqlite3.Connection, contract_id: str, request_id: str, service: str,
         product: str, head: Head, body: bytes, moment: datetime) -> str:
    """Store a file as received and order its check; return the payment id."""
    submission_id = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO submission (id, contract_id, request_id, service, product, message_id,"
        " message_name, sha256, body, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (submission_id, contract_id, request_id, service, product, head.message_id,
         head.message_name, hashlib.sha256(body).hexdigest(), body, stamp(moment)))
    schedule(connection, moment, "check", submission_id)
    return submission_id


def schedule(connection: sqlite3.Connection, due: datetime, kind: str, ref: object) -> None:
    """Put something into the bank's diary (see engine.py for the kinds)."""
    connection.execute("INSERT INTO event (due_at, kind, ref) VALUES (?, ?, ?)",
                       (stamp(due), kind, str(ref)))


def check(connection: sqlite3.Connection, submission: sqlite3.Row,
          message: Message | FileFault, at: datetime, created: datetime) -> None:
    """Check a stored file, record its payments, order their execution and answer.

    :param message: the file as read, or why it could not be.
    :param at: the moment of the check in the bank's business.
    :param created: the date that the answer bears.
    """
    fault = message if isinstance(message, FileFault) else _group_fault(
        connection, submission, message)
    if isinstance(message, Message):
        connection.execute(
            "UPDATE submission SET message_id = ?, created = ?, transactions = ?,"
            " control_sum = ? WHERE id = ?",
            (message.head["MsgId"], message.head["CreDtTm"],
             sum(len(block.transfers) for block in message.blocks), message.head["CtrlSum"],
             submission["id"]))
    if fault:
        connection.execute(
            "UPDATE submission SET status = 'RJCT', reason = ?, information = ? WHERE id = ?",
            (fault.reason, fault.text, submission["id"]))
        issue_pain002.issue(connection, submission["id"], created)
        return
    rejected: list[int] = []
    for block in message.blocks:
        rejected += _record_block(connection, submission, block, at)
    issue_pain002.refresh_status(connection, submission["id"])
    issue_pain002.issue(connection, submission["id"], created, rejected)


def _group_fault(connection: sqlite3.Connection, submission: sqlite3.Row,
                 message: Message) -> FileFault | None:
    count = sum(len(block.transfers) for block in message.blocks)
    total = sum((Decimal(transfer.amount) for block in message.blocks
                 for transfer in block.transfers), Decimal(0))
    head = message.head
    if connection.execute(
            "SELECT 1 FROM submission WHERE contract_id = ? AND message_id = ? AND seq < ?"
            " AND status <> 'RJCT'",
            (submission["contract_id"], head["MsgId"], submission["seq"])).fetchone():
        return FileFault("DU01", f"Message id {head['MsgId']} was used before", head)
    if int(head["NbOfTxs"] or 0) != count:
        return FileFault("AM18", f"NbOfTxs says {head['NbOfTxs']}, the file has {count}", head)
    if head["CtrlSum"] is not None and Decimal(head["CtrlSum"]) != total:
        return FileFault("AM10", f"CtrlSum says {head['CtrlSum']}, the sum is {total}", head)
    return None


def _block_fault(connection: sqlite3.Connection, contract_id: str, block: Block,
                 account: sqlite3.Row | None, requested: date,
                 at: datetime) -> tuple[str, str] | None:
    total = sum((Decimal(transfer.amount) for transfer in block.transfers), Decimal(0))
    bic = get_setting(connection, "bank_bic")
    if block.transactions is not None and int(block.transactions) != len(block.transfers):
        return "AM18", f"NbOfTxs says {block.transactions}, there are {len(block.transfers)}"
    if block.control_sum is not None and Decimal(block.control_sum) != total:
        return "AM10", f"CtrlSum says {block.control_sum}, the sum is {total}"
    if block.method != "TRF":
        return "AG02", f"Payment method {block.method} is not offered"
    if account is None or account["contract_id"] != contract_id:
        return "AC02", f"Debtor account {block.debtor_account} is not one of this contract"
    if block.debtor_currency and block.debtor_currency != account["currency"]:
        return "AM03", f"The debtor account is in {account['currency']}"
    if block.debtor_agent and block.debtor_agent[:8] != bic[:8]:
        return "RC01", f"Debtor agent {block.debtor_agent} is not this bank ({bic})"
    if requested < at.date() - timedelta(days=DAYS_PAST):
        return "DT01", f"The requested date {requested} is more than {DAYS_PAST} days past"
    if requested > at.date() + timedelta(days=DAYS_AHEAD):
        return "CH03", f"The requested date {requested} is more than {DAYS_AHEAD} days ahead"
    return None


def _record_block(connection: sqlite3.Connection, submission: sqlite3.Row, block: Block,
                  at: datetime) -> list[int]:
    """Write a block with its payments; return the ids of those that are rejected."""
    requested = date.fromisoformat(block.requested_date[:10])
    account = connection.execute("SELECT * FROM account WHERE iban = ? AND kind = 'customer'",
                                 (block.debtor_account,)).fetchone()
    fault = _block_fault(connection, submission["contract_id"], block, account, requested, at)
    due = execution_moment(requested, at, submission["product"] == INSTANT)
    block_id = connection.execute(
        "INSERT INTO block (submission_id, payment_information_id, account_id, debtor_name,"
        " requested_date, execution_date, batch_booking, transactions, control_sum, reason,"
        " information) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (submission["id"], block.payment_information_id,
         account["id"] if account and not fault else None, block.debtor_name,
         requested.isoformat(), None if fault else due.date().isoformat(),
         int(block.batch_booking), len(block.transfers), block.control_sum,
         *(fault or (None, None)))).lastrowid
    next_id = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM payment").fetchone()[0]
    rows, rejected = [], []
    for payment_id, transfer in enumerate(block.transfers, next_id):
        wrong = fault or _transfer_fault(submission["product"], transfer)
        if wrong:
            rejected.append(payment_id)
        rows.append((payment_id, block_id, transfer.instruction_id, transfer.end_to_end_id,
                     transfer.uetr, _minor_or_zero(transfer), transfer.currency,
                     transfer.creditor_name, transfer.creditor_iban or transfer.creditor_other,
                     transfer.creditor_agent, transfer.remittance,
                     "RJCT" if wrong else "ACCP", *(wrong or (None, None)), stamp(at)))
    connection.executemany(
        "INSERT INTO payment (id, block_id, instruction_id, end_to_end_id, uetr, amount,"
        " currency, creditor_name, creditor_account, creditor_agent, remittance, status, reason,"
        " information, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if len(rejected) < len(rows):
        schedule(connection, due, "execute", block_id)
    return rejected


def _minor_or_zero(transfer: Transfer) -> int:
    try:
        if Decimal(transfer.amount) > money.MOST:
            return 0
        return money.to_minor(Decimal(transfer.amount), transfer.currency)
    except ValueError:
        return 0


def _transfer_fault(product: str, transfer: Transfer) -> tuple[str, str] | None:
    if Decimal(transfer.amount) > money.MOST:
        return "AM02", f"The amount is more than {money.MOST}"
    try:
        if money.to_minor(Decimal(transfer.amount), transfer.currency) <= 0:
            return "AM01", "The amount is zero"
    except ValueError as error:
        return "AM12", str(error)
    if transfer.currency not in money.EURO_RATES:
        return "AM03", f"This bank does not deal in {transfer.currency}"
    if product != CROSS_BORDER and transfer.currency != "EUR":
        return "AM03", f"{product} is for EUR only"
    if transfer.creditor_iban:
        if not ibans.is_valid(transfer.creditor_iban):
            return "AC01", f"Creditor account {transfer.creditor_iban} is not a valid IBAN"
    elif product in (SEPA, INSTANT):
        return "AC01", "A SEPA payment needs the creditor's IBAN"
    elif not transfer.creditor_other:
        return "AC01", "The creditor's account is missing"
    elif not transfer.creditor_agent:
        return "RC04", "An account without IBAN needs the BIC of the creditor's bank"
    return None
