"""Write camt.052, camt.053 and camt.054, versions .02 and .08.

Source: ISO 20022, BankToCustomerAccountReport, BankToCustomerStatement and
BankToCustomerDebitCreditNotification, versions .02 (2009) and .08 (2019). The two differ in
few places; ``old`` marks them.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from . import money
from .xmltext import leaf, tag

ROOTS = {"camt.052": ("BkToCstmrAcctRpt", "Rpt"), "camt.053": ("BkToCstmrStmt", "Stmt"),
         "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}


@dataclass
class Frame:
    """What surrounds the entries. ``number`` is the sequence number, None for none."""

    message_name: str
    message_id: str
    number: int | None
    created: datetime
    start: datetime
    end: datetime
    iban: str
    currency: str
    owner: str
    bank_bic: str
    bank_name: str

    @property
    def old(self) -> bool:
        """Whether the version is .02."""
        return self.message_name.endswith(".02")


@dataclass(frozen=True)
class Balance:
    """A balance in minor units, credit positive; ``kind`` is OPBD, PRCD, ITBD, CLBD or CLAV."""

    kind: str
    amount: int
    day: date


def write(frame: Frame, entries: Iterable[list[sqlite3.Row]],
          balances: Iterable[Balance] = ()) -> bytes:
    """Write one document for one account.

    :param entries: each entry as its details; see issue_camt.SELECT for their columns.
    """
    body, summary = io.BytesIO(), _Summary()
    for number, details in enumerate(entries, 1):
        summary.add(details[0]["entry_amount"])
        body.write(_entry(frame, number, details).encode())
    outer, inner = ROOTS[frame.message_name[:8]]
    out = io.BytesIO()
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{frame.message_name}">'.encode())
    out.write(f"<{outer}>".encode())
    out.write(tag("GrpHdr", leaf("MsgId", frame.message_id),
                  leaf("CreDtTm", _moment(frame.created))).encode())
    out.write(f"<{inner}>{_head(frame)}".encode())
    for balance in balances:
        out.write(_balance(balance, frame.currency).encode())
    out.write(summary.xml(frame).encode())
    out.write(body.getbuffer())
    out.write(f"</{inner}></{outer}></Document>\n".encode())
    return out.getvalue()


class _Summary:
    def __init__(self) -> None:
        self.credits = self.debits = self.credit_sum = self.debit_sum = 0

    def add(self, amount: int) -> None:
        if amount >= 0:
            self.credits, self.credit_sum = self.credits + 1, self.credit_sum + amount
        else:
            self.debits, self.debit_sum = self.debits + 1, self.debit_sum - amount

    def xml(self, frame: Frame) -> str:
        def plain(name: str, minor: int) -> str:
            return leaf(name, money.text(minor, frame.currency))

        net = self.credit_sum - self.debit_sum
        if frame.old:
            total = plain("TtlNetNtryAmt", net) + _sign(net)
        else:
            total = tag("TtlNetNtry", plain("Amt", net), _sign(net))
        return tag(
            "TxsSummry",
            tag("TtlNtries", leaf("NbOfNtries", self.credits + self.debits),
                plain("Sum", self.credit_sum + self.debit_sum), total),
            tag("TtlCdtNtries", leaf("NbOfNtries", self.credits), plain("Sum", self.credit_sum)),
            tag("TtlDbtNtries", leaf("NbOfNtries", self.debits), plain("Sum", self.debit_sum)))


def _moment(moment: datetime | str) -> str:
    return (moment if isinstance(moment, str) else moment.strftime("%Y-%m-%dT%H:%M:%S")) + "Z"


def _sign(amount: int) -> str:
    return leaf("CdtDbtInd", "CRDT" if amount >= 0 else "DBIT")


def _amount(name: str, minor: int, currency: str) -> str:
    return leaf(name, money.text(minor, currency), Ccy=currency)


def _code(code: str) -> str:
    domain, family, sub_family = code.split("/")
    return tag("Domn", leaf("Cd", domain),
               tag("Fmly", leaf("Cd", family), leaf("SubFmlyCd", sub_family)))


def _agent(bic: str | None, old: bool, name: str | None = None) -> str:
    return tag("FinInstnId", leaf("BIC" if old else "BICFI", bic), leaf("Nm", name, 140))


def _head(frame: Frame) -> str:
    return "".join([
        leaf("Id", frame.message_id),
        leaf("ElctrncSeqNb", frame.number), leaf("LglSeqNb", frame.number),
        leaf("CreDtTm", _moment(frame.created)),
        tag("FrToDt", leaf("FrDtTm", _moment(frame.start)), leaf("ToDtTm", _moment(frame.end))),
        tag("Acct", tag("Id", leaf("IBAN", frame.iban)), leaf("Ccy", frame.currency),
            tag("Ownr", leaf("Nm", frame.owner, 140)),
            tag("Svcr", _agent(frame.bank_bic, frame.old, frame.bank_name)))])


def _balance(balance: Balance, currency: str) -> str:
    return tag(
        "Bal", tag("Tp", tag("CdOrPrtry", leaf("Cd", balance.kind))),
        _amount("Amt", balance.amount, currency), _sign(balance.amount),
        tag("Dt", leaf("Dt", balance.day.isoformat())))


def _entry(frame: Frame, number: int, details: list[sqlite3.Row]) -> str:
    first = details[0]
    batch = ""
    if first["batch"]:
        batch = tag(
            "Btch", leaf("MsgId", first["message_id"]),
            leaf("PmtInfId", first["payment_information_id"]),
            leaf("NbOfTxs", len(details)),
            _amount("TtlAmt", first["entry_amount"], frame.currency),
            _sign(first["entry_amount"]))
    booked = "BOOK" if frame.old else tag("Cd", "BOOK")
    return tag(
        "Ntry",
        leaf("NtryRef", number),
        _amount("Amt", first["entry_amount"], frame.currency), _sign(first["entry_amount"]),
        tag("Sts", booked),
        tag("BookgDt", leaf("Dt", first["booking_date"])),
        tag("ValDt", leaf("Dt", first["value_date"])),
        leaf("AcctSvcrRef", first["reference"]),
        tag("BkTxCd", _code(first["code"])),
        tag("NtryDtls", batch, *(_transaction(frame, row) for row in details
                                 if row["role"] != "other")),
        leaf("AddtlNtryInf", first["information"], 500))


def _transaction(frame: Frame, row: sqlite3.Row) -> str:
    data = json.loads(row["data"]) if row["data"] else {}
    old = frame.old
    references = tag(
        "Refs", leaf("MsgId", row["message_id"]), leaf("AcctSvcrRef", row["reference"]),
        leaf("PmtInfId", row["payment_information_id"]),
        leaf("InstrId", row["instruction_id"]),
        leaf("EndToEndId", row["end_to_end_id"] or data.get("end_to_end_id") or "NOTPROVIDED", 35),
        "" if old else leaf("UETR", row["uetr"]))
    plain = "" if old else _amount("Amt", row["amount"], frame.currency) + _sign(row["amount"])
    remittance = row["remittance"] or tag("RmtInf", leaf("Ustrd", data.get("remittance"), 140))
    returned = ""
    if row["role"] == "returned":
        returned = tag(
            "RtrInf", tag("OrgnlBkTxCd", _code("PMNT/ICDT/ESCT")),
            tag("Rsn", leaf("Cd", row["reason"])), leaf("AddtlInf", data.get("text"), 105))
    return tag(
        "TxDtls", references, plain, _amount_details(frame, row),
        tag("BkTxCd", _code(row["code"])), _charges(frame, row), _parties(row, data, old),
        tag("RltdAgts", tag("DbtrAgt", _agent(frame.bank_bic, old)) if row["instructed"] else "",
            tag("CdtrAgt", _agent(row["creditor_agent"], old))),
        remittance, tag("RltdDts", leaf("AccptncDtTm", _moment(row["booked_at"]))), returned)


def _amount_details(frame: Frame, row: sqlite3.Row) -> str:
    booked = abs(row["amount"]) - row["charges"]
    transaction = tag("TxAmt", _amount("Amt", booked, frame.currency))
    if row["instructed"] is None:
        return tag("AmtDtls", transaction)
    currency = row["instructed_currency"]
    exchange = ""
    if currency != frame.currency:
        rate: Decimal = money.rate(frame.currency, currency)
        exchange = tag("CcyXchg", leaf("SrcCcy", currency), leaf("TrgtCcy", frame.currency),
                       leaf("UnitCcy", frame.currency), leaf("XchgRate", format(rate, "f")))
    return tag("AmtDtls",
               tag("InstdAmt", _amount("Amt", row["instructed"], currency), exchange),
               transaction)


def _charges(frame: Frame, row: sqlite3.Row) -> str:
    if not row["charges"]:
        return ""
    charge = _amount("Amt", row["charges"], frame.currency) + leaf("CdtDbtInd", "DBIT")
    if frame.old:
        return tag("Chrgs", charge)
    return tag("Chrgs", _amount("TtlChrgsAndTaxAmt", row["charges"], frame.currency),
               tag("Rcrd", charge, leaf("ChrgInclInd", "true")))


def _account_id(number: str | None) -> str:
    if not number:
        return ""
    if number[:2].isalpha() and number[2:4].isdigit():
        return tag("Id", leaf("IBAN", number))
    return tag("Id", tag("Othr", leaf("Id", number, 34)))


def _parties(row: sqlite3.Row, data: dict, old: bool) -> str:
    if row["instructed"] is not None:
        debtor = (row["debtor_name"] or row["debtor_account_name"], row["debtor_iban"])
        creditor = (row["creditor_name"], row["creditor_account"])
    else:
        other = (data.get("name"), data.get("iban"))
        debtor, creditor = (other, (None, None)) if row["amount"] > 0 else ((None, None), other)

    def party(name: str, value: str | None) -> str:
        inner = leaf("Nm", value, 140)
        return tag(name, inner if old else tag("Pty", inner))

    return tag("RltdPties",
               party("Dbtr", debtor[0]), tag("DbtrAcct", _account_id(debtor[1])),
               party("Cdtr", creditor[0]), tag("CdtrAcct", _account_id(creditor[1])))
