"""The bank's statements (camt.053), taken in as Odoo's bank statements.

Only an end-of-day statement makes statement lines: advices (camt.054) and intraday reports
(camt.052) speak of the same bookings earlier, and only move the payments' status.
"""

import hashlib
from collections import Counter

from odoo import fields, models

from ..formats.account_reports import account_reports
from .bank_message_receive import Quarantine

OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _process_statement(self, stream):
        """Take in every statement of one camt.053.

        :return: notes on what was tolerated
        :raises Quarantine: an account is unknown, or the statement does not add up
        """
        notes = []
        for report in account_reports(stream, self.kind):
            journal = self._journal_of(report.account)
            entries = [entry for entry in report.entries if entry.status == "BOOK"]
            faults = report.check()
            if faults:
                raise Quarantine(
                    self.env._("The statement does not add up: %s", "; ".join(faults))
                )
            notes += list(report.notes)
            notes += self._take_in(report, journal, entries)
        return notes

    def _process_advice(self, stream):
        """Take in an advice or an intraday report: it moves statuses, and books nothing."""
        notes = []
        for report in account_reports(stream, self.kind):
            journal = self._journal_of(report.account)
            booked = [
                entry for entry in report.entries
                if entry.status == "BOOK" and entry.amount < 0 and not entry.reversal
            ]
            match = self.env["bank.statement.match"]._find(journal, booked, sent_only=True)
            payments = self.env["account.payment"].union(*match.executed.values())
            notes += list(report.notes)
            notes += payments._bank_apply({pay: {"status": "ACSC"} for pay in payments})
        return notes

    def _journal_of(self, account):
        """The journal that keeps the bank's account.

        :raises Quarantine: none does
        """
        number = (account.iban or account.other or "").replace(" ", "").upper()
        journal = self.connection_id.journal_ids.filtered(
            lambda journal: journal.bank_account_id.sanitized_acc_number == number
        )
        if len(journal) != 1:
            raise Quarantine(
                self.env._("The document speaks of account %s, which belongs to no journal of this "
                  "connection.", number)
            )
        currency = journal._bank_currency().name
        if account.currency and account.currency != currency:
            raise Quarantine(
                self.env._("The document is in %(theirs)s, but the journal %(journal)s is kept in "
                  "%(ours)s.", theirs=account.currency, journal=journal.display_name,
                  ours=currency)
            )
        return journal

    # -- lines ------------------------------------------------------------------------------

    def _take_in(self, report, journal, entries):
        """Make a statement of the entries that are new, and match them."""
        opening = next((bal.amount for bal in report.balances if bal.type in OPENING), None)
        keyed = self._keyed(entries, opening)
        known = self._known_keys(journal, list(keyed))
        fresh = {key: entry for key, entry in keyed.items() if key not in known}
        notes = []
        if known:
            notes.append(
                self.env._("%(known)s of %(all)s bookings were on an earlier statement already.",
                  known=len(known), all=len(entries))
            )
        matcher = self.env["bank.statement.match"].with_company(journal.company_id)
        match = matcher._find(journal, list(fresh.values()))
        values = [
            self._line_values(journal, key, entry, match) for key, entry in fresh.items()
        ]
        lines = self.env["account.bank.statement.line"].with_company(journal.company_id)
        if values:
            lines = lines.with_context(**lines.env["account.move"]._bank_quietly())
            lines = lines._bank_create_lines(values)
            told = sum(entry.amount for key, entry in keyed.items() if key in known)
            self._make_statement(report, journal, lines, told)
            notes += matcher._settle(match, dict(zip(map(id, fresh.values()), lines, strict=True)))
        return notes

    def _keyed(self, entries, opening):
        """Each entry under what makes it unmistakable.

        The bank's own reference where it gives one; else a digest of what the entry says and of
        the balance that it found: two equal bookings on one day are two, on one statement or on
        two in a row, but the same booking told again finds the same balance.
        """
        keyed, seen = {}, Counter()
        balance = opening
        for entry in entries:
            reference = entry.bank_reference or entry.reference
            if entry.bank_reference:
                base = f"ref:{reference}:{entry.booking_date}:{entry.amount}"
            else:
                details = [
                    (
                        detail.end_to_end_id,
                        detail.uetr,
                        detail.transaction_id,
                        detail.bank_reference,
                        detail.amount and str(detail.amount.normalize()),
                        detail.remittance_unstructured,
                    )
                    for detail in entry.details
                ]
                batch = entry.batch
                said = (
                    str(entry.booking_date),
                    str(entry.value_date),
                    str(entry.amount.normalize()),
                    entry.currency,
                    reference,
                    entry.additional_information,
                    batch and (batch.message_id, batch.payment_information_id),
                    details,
                    balance and str(balance.normalize()),
                )
                base = "sum:" + hashlib.sha256(repr(said).encode()).hexdigest()[:32]
            seen[base] += 1
            keyed[f"{base}:{seen[base]}"] = entry
            balance = None if balance is None else balance + entry.amount
        return keyed

    def _known_keys(self, journal, keys):
        found = self.env["account.bank.statement.line"].search_fetch(
            [("journal_id", "=", journal.id), ("bank_entry_key", "in", keys)], ["bank_entry_key"]
        )
        return set(found.mapped("bank_entry_key"))

    def _line_values(self, journal, key, entry, match):
        detail = entry.details[0] if len(entry.details) == 1 else None
        partner = match.partner_of(entry)
        other, account = None, None
        if detail:
            # On a debit the other side is the creditor, on a credit the debtor.
            other = detail.creditor if entry.amount < 0 else detail.debtor
            account = detail.creditor_account if entry.amount < 0 else detail.debtor_account
        values = {
            "journal_id": journal.id,
            "date": fields.Date.to_string(entry.booking_date or entry.value_date),
            "amount": float(entry.amount),
            "payment_ref": self._label(entry, detail),
            "partner_id": partner.id if partner else False,
            "partner_name": other.name if other else False,
            "account_number": (account.iban or account.other) if account else False,
            "transaction_type": self._code(entry.transaction_code),
            "bank_entry_key": key,
            "bank_reference": entry.bank_reference or entry.reference,
            "bank_booking_date": entry.booking_date,
            "bank_value_date": entry.value_date,
            "bank_message_id": self.id,
        }
        counterpart = match.counterpart_account(entry)
        if counterpart:
            values["counterpart_account_id"] = counterpart.id
        return values

    def _label(self, entry, detail):
        words = []
        if detail:
            words += [detail.creditor_reference, *detail.remittance_unstructured]
        elif entry.batch:
            words.append(entry.batch.message_id or entry.batch.payment_information_id)
        words = [word for word in words if word]
        words = words or [entry.additional_information or (detail and detail.end_to_end_id) or "/"]
        return " ".join(words)

    def _code(self, code):
        if not code:
            return False
        return "/".join(
            part for part in (code.domain, code.family, code.subfamily) if part
        ) or code.proprietary or False

    def _make_statement(self, report, journal, lines, told):
        """Make Odoo's statement of the lines that are new.

        :param told: sum of the bookings that an earlier statement told already
        """
        opening = next((b for b in report.balances if b.type in OPENING), None)
        closing = next((b for b in report.balances if b.type in CLOSING), None)
        number = report.electronic_sequence or report.legal_sequence
        values = {
            "name": " ".join(
                str(part)
                for part in (journal.code, self.env._("Statement"), report.id or number)
                if part
            ),
            "line_ids": [fields.Command.set(lines.ids)],
            "bank_message_id": self.id,
            "bank_sequence": str(number) if number else False,
        }
        if opening and closing:
            values |= {
                "balance_start": float(opening.amount + told),
                "balance_end_real": float(closing.amount),
            }
        return self.env["account.bank.statement"].with_company(journal.company_id).create(values)
