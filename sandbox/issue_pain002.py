"""Write the payment status report: pain.002.001.03 for a pain.001.001.03, else .10.

Source: ISO 20022, CustomerPaymentStatusReport, versions .03 (2009) and .10 (2019); status
reasons from the external code set ExternalStatusReason1Code.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

from . import documents, money
from .store import get_setting
from .xmltext import leaf, tag

REFUSED = {"RJCT", "CANC"}


def aggregate(statuses: Iterable[str]) -> str:
    """The status of a group from those of its transactions."""
    found = set(statuses)
    if len(found) == 1:
        return found.pop()
    if found <= REFUSED:
        return "RJCT"
    if found & REFUSED or "PDNG" in found:
        return "PART"
    return "ACSP"


def refresh_status(connection: sqlite3.Connection, submission_id: str) -> str:
    """Set a submission's status from its payments, and return it."""
    status = aggregate(row["status"] for row in connection.execute(
        "SELECT DISTINCT payment.status FROM payment JOIN block ON block.id = block_id"
        " WHERE submission_id = ?", (submission_id,)))
    connection.execute("UPDATE submission SET status = ? WHERE id = ?", (status, submission_id))
    return status


def issue(connection: sqlite3.Connection, submission_id: str, created: datetime,
          payment_ids: Collection[int] = ()) -> str:
    """Put a status report into the customer's mailbox.

    :param payment_ids: the payments that are listed one by one.
    :returns: the document's id.
    """
    submission = connection.execute(
        "SELECT * FROM submission WHERE id = ?", (submission_id,)).fetchone()
    name, message_id, content = render(connection, submission, created, payment_ids)
    return documents.issue(connection, submission["contract_id"], name,
                           f"{message_id}.{name}.xml", content, created)


def render(connection: sqlite3.Connection, submission: sqlite3.Row, created: datetime,
           payment_ids: Collection[int] | None = None) -> tuple[str, str, bytes]:
    """Write a status report; return its message name, its message id and its bytes.

    :param payment_ids: as in ``issue``; None lists every payment.
    """
    old = submission["message_name"] == "pain.001.001.03"
    name = "pain.002.001.03" if old else "pain.002.001.10"
    message_id = documents.new_message_id(connection, "PSR", created)
    bic = leaf("BIC" if old else "BICFI", get_setting(connection, "bank_bic"))
    out = io.BytesIO()
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><CstmrPmtStsRpt>'.encode())
    out.write(tag("GrpHdr", leaf("MsgId", message_id), leaf("CreDtTm", _moment(created)),
                  tag("DbtrAgt", tag("FinInstnId", bic))).encode())
    out.write(_group(submission, old).encode())
    wanted = None if payment_ids is None else set(payment_ids)
    for block in connection.execute(
            "SELECT * FROM block WHERE submission_id = ? ORDER BY id",
            (submission["id"],)).fetchall():
        _write_block(connection, out, block, wanted, old)
    out.write(b"</CstmrPmtStsRpt></Document>\n")
    return name, message_id, out.getvalue()


def _moment(moment: datetime | str) -> str:
    return (moment if isinstance(moment, str) else moment.strftime("%Y-%m-%dT%H:%M:%S")) + "Z"


def _status(status: str, old: bool) -> str:
    # Version .03 has no status for a cancellation: it is a rejection with reason DS02.
    return "RJCT" if old and status == "CANC" else status


def _reason(reason: str | None, information: str | None) -> str:
    if not reason:
        return ""
    information = information or ""
    lines = [information[at:at + 105] for at in range(0, min(len(information), 420), 105)]
    return tag("StsRsnInf", tag("Rsn", leaf("Cd", reason)),
               *(leaf("AddtlInf", line) for line in lines))


def _group(submission: sqlite3.Row, old: bool) -> str:
    control_sum = submission["control_sum"]
    return tag(
        "OrgnlGrpInfAndSts",
        leaf("OrgnlMsgId", submission["message_id"] or "NOTPROVIDED", 35),
        leaf("OrgnlMsgNmId", submission["message_name"] or "pain.001", 35),
        leaf("OrgnlCreDtTm", submission["created"]),
        leaf("OrgnlNbOfTxs", submission["transactions"]),
        leaf("OrgnlCtrlSum", control_sum and format(Decimal(control_sum), "f")),
        leaf("GrpSts", _status(submission["status"], old)),
        _reason(submission["reason"], submission["information"]))


def _write_block(connection: sqlite3.Connection, out: io.BytesIO, block: sqlite3.Row,
                 wanted: set[int] | None, old: bool) -> None:
    counts = connection.execute(
        "SELECT status, COUNT(*) AS number FROM payment WHERE block_id = ? GROUP BY status"
        " ORDER BY status", (block["id"],)).fetchall()
    status = _status(aggregate(row["status"] for row in counts), old)
    per_status: dict[str, int] = {}
    for row in counts:
        code = _status(row["status"], old)
        per_status[code] = per_status.get(code, 0) + row["number"]
    head = "".join([
        leaf("OrgnlPmtInfId", block["payment_information_id"]),
        leaf("OrgnlNbOfTxs", block["transactions"]),
        leaf("OrgnlCtrlSum", block["control_sum"]),
        leaf("PmtInfSts", status), _reason(block["reason"], block["information"]),
        *(tag("NbOfTxsPerSts", leaf("DtldNbOfTxs", number), leaf("DtldSts", code))
          for code, number in per_status.items())])
    out.write(f"<OrgnlPmtInfAndSts>{head}".encode())
    if wanted is None or wanted:
        for payment in connection.execute(
                "SELECT payment.*, entry.reference FROM payment LEFT JOIN entry_detail"
                " ON payment_id = payment.id AND role = 'executed' LEFT JOIN entry"
                " ON entry.id = entry_id WHERE block_id = ? ORDER BY payment.id",
                (block["id"],)):
            if wanted is None or payment["id"] in wanted:
                out.write(_transaction(payment, old).encode())
    out.write(b"</OrgnlPmtInfAndSts>")


def _transaction(payment: sqlite3.Row, old: bool) -> str:
    currency = payment["currency"]
    amount = leaf("InstdAmt", money.text(payment["amount"], currency), Ccy=currency)
    settled = payment["status"] == "ACSC"
    return tag(
        "TxInfAndSts",
        leaf("OrgnlInstrId", payment["instruction_id"]),
        leaf("OrgnlEndToEndId", payment["end_to_end_id"]),
        leaf("OrgnlUETR", payment["uetr"]) if not old else "",
        leaf("TxSts", _status(payment["status"], old)),
        _reason(payment["reason"], payment["information"]),
        leaf("AccptncDtTm", _moment(payment["changed_at"])) if settled else "",
        leaf("AcctSvcrRef", payment["reference"]),
        tag("OrgnlTxRef", tag("Amt", amount)))
