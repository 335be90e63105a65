"""What is looked at, and how what is found is written down.

Each check is a few queries over all records of a slice, never one for each. The checks by idea:
``bank_discrepancy_payments``, ``bank_discrepancy_bookings``, ``bank_discrepancy_debits``,
``bank_discrepancy_account``, ``bank_discrepancy_statement``.
"""

import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .audit_mask import masked
from .bank_discrepancy_follow import Found
from .bank_watch import business_days_between

SLICE = 2000  # payments or bookings looked at by one step
AT_ONCE = 500  # bookings of a document, of which many may be taken in


class BankDiscrepancyCheck(models.AbstractModel):
    _name = "bank.discrepancy.check"
    _description = "Checks of Bank and Ledger"

    # -- running them -------------------------------------------------------------------------

    @api.model
    def _verify(self, step, company, ids=None):
        """Verify one part of a company.

        :param step: one of ``bank_verification.STEPS``
        :param ids: payments or bookings, for these steps
        :return: the discrepancies that are news, and how many were closed
        """
        self.env.flush_all()
        # sudo: see `bank.verification`: everything is looked at.
        check, news, closed = self.sudo(), self.env["bank.discrepancy"].sudo(), 0
        for codes, look in getattr(check, f"_checks_of_{step}")():
            found = look(company, ids) if ids is not None else look(company)
            subject = {"payments": "payment_id", "bookings": "line_id"}.get(step)
            new, gone = news._follow(company, found, codes, subject, ids)
            news, closed = news | new, closed + gone
        return news._engine(), closed

    @api.model
    def _checks_of_batches(self):
        """Checks of whole companies: list of (codes, method that finds them)."""
        return []

    @api.model
    def _checks_of_accounts(self):
        return []

    @api.model
    def _checks_of_payments(self):
        return []

    @api.model
    def _checks_of_bookings(self):
        return []

    @api.model
    def _verify_document(self, message):
        """Look at the bookings of one document, slice by slice, and at payments that it says were
        executed after all."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT company_id, array_agg(id ORDER BY id)
                  FROM account_bank_statement_line WHERE bank_message_id = %s GROUP BY company_id
                """,
                message.id,
            )
        )
        news = self.env["bank.discrepancy"].sudo()._engine()
        for company_id, ids in rows:
            company = self.env["res.company"].browse(company_id)
            check = self.with_company(company)
            for start in range(0, len(ids), AT_ONCE):
                news |= check._verify("bookings", company, ids[start : start + AT_ONCE])[0]
                # Memory stays flat, however long the document is.
                self.env.flush_all()
                self.env.invalidate_all()
        for payment in self._executed_after_all(message):
            check = self.with_company(payment.company_id)
            news |= check._verify("payments", payment.company_id, payment.ids)[0]
        news._tell()
        if rows:
            self.env.ref("account_bank_connect.cron_verify").sudo()._trigger()

    @api.model
    def _executed_after_all(self, message):
        """Payments that the bank had rejected, and of which this document speaks."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM account_payment
                 WHERE bank_rejected_first
                   AND (bank_batch_id = %(batch)s OR id IN (
                        SELECT link.payment_id
                          FROM bank_statement_line_payment link
                          JOIN account_bank_statement_line line ON line.id = link.line_id
                         WHERE line.bank_message_id = %(message)s))
                """,
                message=message.id, batch=message.batch_id.id or None,
            )
        )
        return self.env["account.payment"].browse([row[0] for row in rows])

    # -- days ---------------------------------------------------------------------------------

    @api.model
    def _business_day_before(self, days):
        """The latest day of which so many business days have passed since."""
        day = today = fields.Date.today()
        while business_days_between(day, today) < days:
            day -= timedelta(days=1)
        return day

    # -- writing down -------------------------------------------------------------------------

    @api.model
    def _found_in(self, code, record, since, refs, values, rows=(), mark="", **more):
        """One finding about a record, as the discrepancies take it."""
        return Found(
            f"{code}:{record._table}:{record.id}", code, since or fields.Date.today(), refs,
            {"values": values, "rows": list(rows), **more}, mark,
        )

    @api.model
    def _refs(self, payment=None, line=None, batch=None, journal=None):
        """The links of a finding."""
        batch = batch or (payment and payment.bank_batch_id) or None
        journal = journal or (line and line.journal_id) or (payment and payment.journal_id)
        journal = journal or (batch and batch.journal_id)
        connection = (batch and batch.connection_id) or (journal and journal.bank_connection_id)
        return {
            "payment_id": payment and payment.id,
            "line_id": line and line.id,
            "batch_id": batch and batch.id,
            "journal_id": journal and journal.id,
            "connection_id": connection and connection.id,
            "message_id": line and line.bank_message_id.id,
            "move_id": (line and line.move_id.id) or (payment and payment.move_id.id),
            "owner_id": batch and batch.preparer_id.id,
        }

    @api.model
    def _money(self, amount, currency):
        """An amount as the evidence holds it: exact decimals and the currency."""
        if amount is None or not currency:
            return None
        return f"{currency.round(amount):.{currency.decimal_places}f} {currency.name}"

    @api.model
    def _sealed(self, payments):
        """What was approved of each payment: its id → the sealed copy's words.

        Each batch's copy is read once.
        """
        found = {}
        for batch, those in payments.grouped("bank_batch_id").items():
            try:
                sealed = json.loads(batch.sealed_content or "{}")
            except ValueError:
                continue  # altered: there is a check for that
            by_number = {each.get("end_to_end_id"): each for each in sealed.get("payments", ())}
            for payment in those:
                said = by_number.get(payment.end_to_end_id)
                if said:
                    found[payment.id] = {**said, "execution_date": sealed.get("execution_date")}
        return found

    @api.model
    def _three_ways(self, payment, sealed=None, line=None, detail=None):
        """The rows of the table: approved, bank, ledger.

        :param sealed: the payment's part of the sealed copy
        :param detail: what the bank said of this payment inside its booking
        """
        sealed, detail = sealed or {}, detail or {}
        number = (sealed.get("account") or {}).get("iban") or (sealed.get("account") or {}).get(
            "other"
        )
        entry = payment.move_id
        booked = self._bank_amount(line, detail)
        rows = [
            {
                "what": "amount",
                "approved": sealed and f"{sealed.get('amount')} {sealed.get('currency')}",
                "bank": booked,
                "ledger": payment and self._money(payment.amount, payment.currency_id),
            },
            {
                "what": "payee",
                "approved": (sealed.get("payee") or {}).get("name"),
                "bank": line and line.partner_name,
                "ledger": payment and payment.partner_id.display_name,
            },
            {
                "what": "account",
                "approved": _ends(number),
                "bank": line and _ends(line.account_number),
                "ledger": payment and _ends(payment.partner_bank_id.acc_number),
            },
            {
                "what": "date",
                "approved": sealed.get("execution_date"),
                "bank": line and str(line.bank_booking_date or line.date),
                "ledger": payment and str(payment.date),
            },
            {
                "what": "status",
                "approved": payment and payment.bank_batch_id.state,
                "bank": payment and payment.bank_status,
                "ledger": payment and payment.state,
            },
            {
                "what": "reference",
                "approved": payment and payment.end_to_end_id,
                "bank": detail.get("end_to_end_id") or (line and line.bank_reference),
                "ledger": (entry.name if entry else None) or (line and line.move_id.name),
            },
        ]
        if line:
            rows.append({"what": "text", "bank": masked(line.payment_ref or "")})
        for row in rows:
            for side in ("approved", "bank", "ledger"):
                row[side] = row.get(side) or None
            said = {row[side] for side in ("approved", "bank", "ledger") if row[side]}
            row["differs"] = row["what"] in ("amount", "account") and len(said) > 1
        return rows

    @api.model
    def _bank_amount(self, line, detail):
        if detail.get("amount") and detail.get("currency"):
            return f"{detail['amount'].lstrip('-')} {detail['currency']}"
        return line and self._money(abs(line.amount), line.currency_id)


def _ends(number):
    """A number's first and last characters, by which a person knows it again."""
    number = "".join((number or "").split()).upper()
    if not number:
        return None
    return f"{number[:4]}…{number[-4:]}" if len(number) > 10 else number
