"""Customers, their contracts, certificates and accounts."""

from __future__ import annotations

import re
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from . import iban as ibans
from . import ledger, money
from .clock import stamp
from .store import get_setting, next_number


@dataclass(frozen=True)
class AccountOrder:
    """An account to open: own IBAN or None for the bank's next one, currency, opening balance."""

    iban: str | None
    currency: str
    opening: int

    @classmethod
    def parse(cls, value: str) -> AccountOrder:
        """Read ``IBAN:EUR:100000.00``; the IBAN may be empty and the amount left out.

        :raises ValueError: with what is wrong.
        """
        parts = value.replace(" ", "").split(":")
        if not 2 <= len(parts) <= 3:
            raise ValueError(f"{value!r}: write IBAN:CUR:AMOUNT, with or without the IBAN")
        number, currency = parts[0].upper() or None, parts[1].upper()
        if number and not ibans.is_valid(number):
            raise ValueError(f"{number} is not a valid IBAN")
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is not a currency code")
        try:
            amount = Decimal(parts[2]) if len(parts) == 3 else Decimal(0)
            if not amount.is_finite() or not 0 <= amount <= money.MOST:
                raise ValueError(f"{parts[2]}: an opening balance is from 0 to {money.MOST}")
            return cls(number, currency, money.to_minor(amount, currency))
        except InvalidOperation as error:
            raise ValueError(f"{parts[2]!r} is not an amount") from error


def add_contract(connection: sqlite3.Connection, contract_id: str, customer: str,
                 moment: datetime, camt_version: str = "08",
                 empty_statements: bool = True) -> None:
    """Sign a contract; one that is there already keeps its data.

    :raises ValueError: the contract id is not 1 to 35 letters, digits or ``-_.``.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", contract_id):
        raise ValueError(f"{contract_id!r}: a contract id is 1 to 35 letters, digits, - _ or .")
    connection.execute(
        "INSERT OR IGNORE INTO contract (id, customer, consent_id, camt_version,"
        " empty_statements, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (contract_id, customer, str(uuid.uuid4()), camt_version, int(empty_statements),
         stamp(moment)))


def add_certificate(connection: sqlite3.Connection, contract_id: str, fingerprint: str,
                    not_after: str) -> None:
    """Let a certificate act for a contract."""
    connection.execute(
        "INSERT INTO certificate (fingerprint, contract_id, not_after) VALUES (?, ?, ?)",
        (fingerprint, contract_id, not_after))


def add_account(connection: sqlite3.Connection, contract_id: str, order: AccountOrder,
                moment: datetime) -> dict:
    """Open an account and book its opening balance against the bank's equity.

    :returns: ``resourceId``, ``iban``, ``currency``, ``name``.
    :raises ValueError: unknown contract, or the IBAN has an account already.
    """
    contract = connection.execute(
        "SELECT customer FROM contract WHERE id = ?", (contract_id,)).fetchone()
    if contract is None:
        raise ValueError(f"there is no contract {contract_id}")
    number = order.iban or ibans.own(next_number(connection, "accounts"))
    if connection.execute("SELECT 1 FROM account WHERE iban = ?", (number,)).fetchone():
        raise ValueError(f"{number} is an account of this bank already")
    account_id = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO account (id, kind, contract_id, iban, currency, name, opened_at)"
        " VALUES (?, 'customer', ?, ?, ?, ?, ?)",
        (account_id, contract_id, number, order.currency, contract["customer"], stamp(moment)))
    if order.opening:
        entry_id = credit(connection, account_id, order.opening, moment, "equity",
                          "Opening balance")
        connection.execute("UPDATE entry SET opening = 1 WHERE id = ?", (entry_id,))
    return {"resourceId": account_id, "iban": number, "currency": order.currency,
            "name": contract["customer"]}


def credit(connection: sqlite3.Connection, account_id: str, amount: int, moment: datetime,
           against: str, information: str, data: dict | None = None,
           code: str | None = None) -> int:
    """Book an amount that is not a customer's payment order; negative amounts are debits.

    :param against: the bank's own account on the other side (see ledger.bank_account).
    :param data: what is known of the other party: ``name``, ``iban``, ``remittance``,
        ``end_to_end_id``.
    :param code: another bank transaction code than the one that fits ``against``.
    :returns: the entry's id.
    """
    currency = connection.execute(
        "SELECT currency FROM account WHERE id = ?", (account_id,)).fetchone()["currency"]
    other = ledger.bank_account(connection, against, currency)
    journal = ledger.post(connection, against, moment, [
        ledger.Line(account_id, currency, amount), ledger.Line(other, currency, -amount)])
    code = code or {"clearing": "PMNT/RCDT/ESCT" if amount > 0 else "PMNT/IDDT/ESDD",
            "fees": "ACMT/MDOP/CHRG"}.get(against, "ACMT/MCOP/OTHR")
    detail = ledger.Detail("received" if against == "clearing" else "other", None, amount,
                           data=data)
    return ledger.enter(connection, journal, account_id, amount, code, [detail],
                        information=information)


def describe(connection: sqlite3.Connection, contract_id: str) -> dict:
    """What a customer needs to know of the own contract; the content of contract.json.

    :raises ValueError: unknown contract.
    """
    contract = connection.execute(
        "SELECT * FROM contract WHERE id = ?", (contract_id,)).fetchone()
    if contract is None:
        raise ValueError(f"there is no contract {contract_id}")
    accounts = [
        {"resourceId": row["id"], "iban": row["iban"], "currency": row["currency"],
         "name": row["name"]}
        for row in connection.execute(
            "SELECT * FROM account WHERE contract_id = ? ORDER BY rowid", (contract_id,))]
    return {"contractId": contract["id"], "customer": contract["customer"],
            "consentId": contract["consent_id"],
            "bank": {"name": get_setting(connection, "bank_name"),
                     "bic": get_setting(connection, "bank_bic")},
            "camtVersion": contract["camt_version"], "accounts": accounts}
