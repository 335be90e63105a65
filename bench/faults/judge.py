"""The verdict: what the bank's own ledger says, beside what Odoo says.

Everything is read from outside: the bank's desk over HTTP, Odoo's tables by SQL. Nothing of the
module takes part.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import requests

from .recovery import KINDS
from .stage import ACCOUNTS, CONTRACT, Stage

CENT = Decimal("0.01")


@dataclass
class Verdict:
    """Sentences by what they are; only ``doubles``, ``losses`` and ``faults`` fail a run."""

    doubles: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def good(self) -> bool:
        return not (self.doubles or self.losses or self.faults)


class Judge:
    def __init__(self, stage: Stage, approved: set[int]) -> None:
        """:param approved: batches of which Odoo told a manager that they are approved"""
        self._stage = stage
        self._approved = approved
        self.verdict = Verdict()

    def judge(self) -> Verdict:
        self._read()
        self._payments()
        self._bills()
        self._messages()
        self._documents()
        self._ledgers()
        return self.verdict

    # Reading -------------------------------------------------------------------------------------

    def _bank(self, what: str) -> dict:
        answer = requests.get(f"{self._stage.desk.url}/admin/{what}", timeout=300)
        answer.raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)

    def _read(self) -> None:
        self._at_bank = defaultdict(list)
        for payment in self._bank("payments")["payments"]:
            self._at_bank[payment["endToEndId"]].append(payment)
        self._rows = self._stage.rows(
            "SELECT payment.id, end_to_end_id, payment.amount, payment.bank_status, bank_booked,"
            " bank_returned, batch.id, batch.name, batch.state, EXISTS (SELECT 1 FROM"
            " bank_approval WHERE batch_id = batch.id AND decision = 'approved')"
            " FROM account_payment payment JOIN bank_payment_batch batch"
            " ON batch.id = payment.bank_batch_id ORDER BY payment.id")
        self._instalments = defaultdict(list)  # bill → (payment, amount)
        for bill, payment, amount in self._stage.rows(
                "SELECT move_id, payment_id, amount FROM bank_payment_instalment"):
            self._instalments[bill].append((payment, Decimal(amount)))
        self._moved: dict[int, bool] = {}  # payment → whether the bank's money is gone for good

    # Payments ------------------------------------------------------------------------------------

    def _payments(self) -> None:
        known = set()
        recorded = {row[6] for row in self._rows if row[9]}
        for batch in sorted(self._approved - recorded):
            self.verdict.losses.append(f"The approval of batch {batch} was told and is not there.")
        for payment, e2e, amount, status, booked, returned, _batch, name, state, approved in (
                self._rows):
            known.add(e2e)
            where = f"{e2e} ({name}, {state})"
            found = self._at_bank.get(e2e, [])
            executed = sum(item["executed"] for item in found)
            back = sum(item["returned"] for item in found)
            self._moved[payment] = executed > back
            if not approved:
                if found:
                    self.verdict.faults.append(f"{where} is at the bank and was never approved.")
                continue
            self.verdict.counts["payments approved"] += 1
            if executed > 1:
                self.verdict.doubles.append(f"{where} was executed {executed} times.")
            elif executed == 1:
                self._executed(where, found, Decimal(amount), status, booked, returned, back)
            elif found and all(item["status"] in ("RJCT", "CANC") for item in found):
                self.verdict.counts["payments rejected by the bank"] += 1
                if status not in ("RJCT", "CANC"):
                    self.verdict.faults.append(f"{where} was rejected; Odoo says {status}.")
            elif not found and status == "RJCT":
                self.verdict.counts["payments refused with their message"] += 1
            else:
                said = ", ".join(item["status"] for item in found) or "nothing"
                self.verdict.losses.append(f"{where}: the bank has {said}, Odoo says {status}.")
        for e2e in sorted(set(self._at_bank) - known):
            self.verdict.faults.append(f"{e2e} is at the bank and not in Odoo.")

    def _executed(self, where: str, found: list[dict], amount: Decimal, status: str | None,
                  booked: bool, returned: bool, back: int) -> None:
        self.verdict.counts["payments executed"] += 1
        self.verdict.counts["payments returned later"] += back
        paid = next(item for item in found if item["executed"])
        if Decimal(paid["amount"]) != amount.quantize(CENT):
            self.verdict.faults.append(f"{where}: {paid['amount']} left, {amount} was approved.")
        if status != "ACSC" or not booked:
            self.verdict.faults.append(
                f"{where} was executed; Odoo says {status}, {'' if booked else 'not '}booked.")
        if bool(back) != bool(returned):
            self.verdict.faults.append(f"{where}: returned {back} times; Odoo says {returned}.")

    def _bills(self) -> None:
        by_hand = dict(self._stage.rows(
            "SELECT bill.move_id, sum(partial.amount) FROM account_partial_reconcile partial"
            " JOIN account_move_line bill ON bill.id = partial.credit_move_id"
            " JOIN account_move_line other ON other.id = partial.debit_move_id"
            " JOIN account_move entry ON entry.id = other.move_id"
            " JOIN account_journal journal ON journal.id = entry.journal_id"
            " WHERE journal.type = 'cash' GROUP BY 1"))
        for bill, name, total, residual, state in self._stage.rows(
                "SELECT id, name, amount_total, amount_residual, payment_state FROM account_move"
                " WHERE move_type = 'in_invoice' AND state = 'posted'"):
            through_bank = sum((amount for payment, amount in self._instalments[bill]
                                if self._moved.get(payment)), Decimal(0))
            paid = through_bank + Decimal(by_hand.get(bill, 0))
            self.verdict.counts["bills"] += 1
            self.verdict.counts["bills paid by hand"] += bill in by_hand
            if paid.quantize(CENT) > Decimal(total).quantize(CENT):
                self.verdict.doubles.append(f"Bill {name} of {total} was paid with {paid}.")
            left = (Decimal(total) - paid).quantize(CENT)
            if left != Decimal(residual).quantize(CENT):
                self.verdict.faults.append(f"Bill {name}: {left} is open, Odoo says {residual}.")
            expected = "paid" if not left else "partial" if paid else "not_paid"
            if state != expected:
                self.verdict.faults.append(f"Bill {name} is {expected}, Odoo says {state}.")

    # Messages ------------------------------------------------------------------------------------

    def _messages(self) -> None:
        sent = {}
        for name, direction, state, key, digest, error in self._stage.rows(
                "SELECT name, direction, state, key, sha256, error FROM bank_message ORDER BY id"):
            self.verdict.counts[f"messages {direction}, {state}"] += 1
            if key:
                sent[key] = (name, digest)
            if state in ("queued", "sending", "stored"):
                self.verdict.losses.append(f"Message {name} is still {state}: {error}")
            elif state == "uncertain":
                self.verdict.faults.append(f"Message {name} is uncertain: {error}")
            elif state == "quarantined":
                self.verdict.faults.append(f"Document {name} is in quarantine: {error}")
        counted = defaultdict(int)
        for item in self._bank("submissions")["submissions"]:
            name, digest = sent.get(item["key"], (None, None))
            if digest != item["sha256"]:
                self.verdict.faults.append(
                    f"The bank has {item['messageId']} with bytes that Odoo did not freeze.")
            if item["status"] != "RJCT":
                counted[item["messageId"]] += 1
            self.verdict.counts["submissions stored by the bank"] += 1
        for message, count in counted.items():
            if count > 1:
                self.verdict.doubles.append(f"Message {message} was taken {count} times.")

    def _documents(self) -> None:
        here = dict(self._stage.rows(
            "SELECT remote_id, sha256 FROM bank_message WHERE remote_id IS NOT NULL"))
        for item in self._bank("documents")["documents"]:
            if item["contract"] != CONTRACT or item["kind"] not in KINDS:
                continue
            self.verdict.counts["documents issued by the bank"] += 1
            if here.get(item["id"]) != item["sha256"]:
                self.verdict.losses.append(f"The bank's document {item['name']} is not in Odoo.")

    def _ledgers(self) -> None:
        ledger = self._bank("ledger")
        if not ledger["balanced"]:
            self.verdict.faults.append(f"The bank's ledger does not balance: {ledger['faults']}")
        balances = {account["iban"]: Decimal(account["balance"])
                    for account in ledger["accounts"] if account.get("iban")}
        rows = self._stage.rows(
            "SELECT number.sanitized_acc_number, COALESCE(sum(line.balance), 0)"
            " FROM account_journal journal"
            " JOIN res_partner_bank number ON number.id = journal.bank_account_id"
            " JOIN account_move_line line ON line.account_id = journal.default_account_id"
            " AND line.parent_state = 'posted' GROUP BY 1")
        if len(rows) != len(ACCOUNTS):
            self.verdict.faults.append(f"Odoo has {len(rows)} bank accounts with bookings.")
        for iban, balance in rows:
            if Decimal(balance).quantize(CENT) != balances.get(iban):
                self.verdict.faults.append(
                    f"Account {iban}: {balance} in Odoo, {balances.get(iban)} at the bank.")
