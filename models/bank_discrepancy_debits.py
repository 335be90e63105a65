"""Debits without an instruction: money that left and that nobody here ordered.

Ordinary are debits of kinds and to others that are known (``bank.debit.known``), between the
company's own accounts, by which the bank takes back what it credited before, that the ledger had a
payment for, and that were matched with an open bill or payment. What a person merely books on some
account stays an alarm until somebody says whose it is.
"""

from odoo import api, models
from odoo.tools import SQL

from .audit_mask import masked
from .bank_discrepancy_check import _ends


class BankDiscrepancyCheck(models.AbstractModel):
    _inherit = "bank.discrepancy.check"

    def _checks_of_bookings(self):
        return [*super()._checks_of_bookings(), (("unknown_debit",), self._find_unknown_debits)]

    def _find_unknown_debits(self, company, ids):
        named = self._payments_named(ids)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id
                  FROM account_bank_statement_line line
                  JOIN account_journal journal ON journal.id = line.journal_id
                 WHERE line.id IN %(ids)s AND line.amount < 0
                   AND line.bank_message_id IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM bank_statement_line_payment link
                                    WHERE link.line_id = line.id)
                   AND NOT %(booked)s AND NOT %(ours)s AND NOT %(known)s AND NOT %(reversal)s
                   AND NOT %(matched)s AND NOT line.id IN (%(waiting)s)
                """,
                ids=tuple(ids), booked=self._is_booked_by_rule(),
                ours=self._is_between_own_accounts(),
                known=self.env["bank.debit.known"]._is_known(), reversal=self._is_reversal(),
                matched=self._is_matched(), waiting=self._query_waiting_payments(ids),
            )
        )
        lines = self.env["account.bank.statement.line"].browse(
            [row[0] for row in rows if row[0] not in named]
        )
        return [self._found_debit(line) for line in lines]

    def _found_debit(self, line):
        amount = self._money(-line.amount, line.currency_id)
        day = str(line.bank_booking_date or line.date)
        payee = masked(line.partner_name or line.payment_ref or "") or None
        counterpart = line.move_id.line_ids.filtered(
            lambda item: item.account_id != line.journal_id.default_account_id
        )
        return self._found_in(
            "unknown_debit", line, line.bank_booking_date or line.date, self._refs(None, line),
            {
                "about": line.move_id.name, "amount": amount, "date": day,
                "account": line.journal_id.display_name, "payee": payee,
            },
            [
                {"what": "amount", "approved": None, "bank": amount, "ledger": None,
                 "differs": True},
                {"what": "payee", "approved": None, "bank": masked(line.partner_name or ""),
                 "ledger": line.partner_id.display_name or None},
                {"what": "account", "approved": None, "bank": _ends(line.account_number),
                 "ledger": None},
                {"what": "date", "approved": None, "bank": day, "ledger": str(line.move_id.date)},
                {"what": "reference", "approved": None, "bank": line.bank_reference,
                 "ledger": line.move_id.name},
                {"what": "text", "approved": None, "bank": masked(line.payment_ref or ""),
                 "ledger": ", ".join(counterpart.account_id.mapped("display_name"))},
            ],
            mark="debit",
        )

    # -- what is ordinary ---------------------------------------------------------------------

    def _is_booked_by_rule(self):
        """Booked as it came in, by a rule that an approver or a bank administrator made.

        Who books it by hand, or by a rule of theirs, does not end the alarm.
        """
        return SQL("COALESCE(line.bank_by_rule AND line.is_reconciled, false)")

    def _is_between_own_accounts(self):
        return SQL(
            """
            EXISTS (
                SELECT 1
                  FROM account_journal own
                  JOIN res_partner_bank account ON account.id = own.bank_account_id
                 WHERE own.company_id = line.company_id AND own.id <> line.journal_id
                   AND account.sanitized_acc_number
                     = upper(regexp_replace(line.account_number, '[^[:alnum:]]', '', 'g')))
            """
        )

    def _is_reversal(self):
        """The bank takes back what it had credited by mistake."""
        return SQL(
            """
            (COALESCE(line.transaction_details->>'reversal', '') = 'true' AND EXISTS (
                SELECT 1 FROM account_bank_statement_line credit
                 WHERE credit.journal_id = line.journal_id AND credit.amount = -line.amount
                   AND credit.internal_index <= line.internal_index))
            """
        )

    def _is_matched(self):
        """Reconciled with what the ledger had open: a bill, a payment. With all of it, but for
        charges that the bank tells of and what the company lets go: a cent explains no debit."""
        return SQL(
            r"""
            EXISTS (
                SELECT 1
                  FROM (
                    SELECT sum(item.balance) AS debit,
                           sum((SELECT sum(part.amount) FROM account_partial_reconcile part
                                 WHERE part.debit_move_id = item.id)) AS matched
                      FROM account_move_line item
                     WHERE item.move_id = line.move_id
                       AND item.account_id <> journal.default_account_id) entry
                  JOIN res_company company ON company.id = line.company_id
                 WHERE entry.matched > 0
                   AND entry.debit <= 0.005 + entry.matched
                     + COALESCE(company.bank_match_tolerance, 0)
                     + %s * entry.debit / -line.amount)
            """,
            self._charges_told(),
        )

    def _charges_told(self):
        """What the bank kept for itself, in the account's currency: as it says, or what it took
        beyond the amount that it was asked for."""
        return SQL(
            r"""
            COALESCE((
                SELECT GREATEST(
                    (SELECT sum((charge->>'amount')::numeric)
                       FROM jsonb_array_elements(
                            CASE WHEN jsonb_typeof(line.transaction_details->'charges') = 'array'
                                 THEN line.transaction_details->'charges' ELSE '[]' END) charge
                      WHERE charge->>'amount' ~ '^\d+(\.\d+)?$'
                        AND charge->>'currency' = currency.name
                        AND COALESCE(charge->>'included', '') <> 'false'),
                    (SELECT -line.amount - (instructed->>'amount')::numeric
                       FROM (SELECT line.transaction_details->'instructed' AS instructed) said
                      WHERE instructed->>'amount' ~ '^\d+(\.\d+)?$'
                        AND instructed->>'currency' = currency.name))
                  FROM res_currency currency WHERE currency.id = line.currency_id), 0)
            """
        )

    @api.model
    def _query_waiting_payments(self, ids):
        """Debits for which a payment was entered in Odoo before they came in.

        Each payment explains one debit: of equal ones the first explains the first.
        """
        return SQL(
            """
            SELECT debit.id
              FROM (
                SELECT line.id, line.journal_id, line.amount, line.create_date,
                       COALESCE(line.bank_booking_date, line.create_date::date) AS day,
                       row_number() OVER (PARTITION BY line.journal_id, line.amount
                                              ORDER BY line.id) AS place
                  FROM account_bank_statement_line line
                 WHERE line.is_reconciled IS NOT TRUE AND line.amount < 0
                   AND (line.journal_id, line.amount) IN (
                        SELECT journal_id, amount FROM account_bank_statement_line
                         WHERE id IN %(ids)s)
                   AND NOT EXISTS (SELECT 1 FROM bank_statement_line_payment link
                                    WHERE link.line_id = line.id)
                   ) debit
              JOIN (
                SELECT payment.journal_id, payment.amount, payment.create_date, payment.date,
                       row_number() OVER (PARTITION BY payment.journal_id, payment.amount
                                              ORDER BY payment.id) AS place
                  FROM account_payment payment
                 WHERE payment.payment_type = 'outbound' AND payment.bank_batch_id IS NULL
                   AND payment.state = 'in_process' AND payment.is_matched IS NOT TRUE
                   AND (payment.journal_id, -payment.amount) IN (
                        SELECT journal_id, amount FROM account_bank_statement_line
                         WHERE id IN %(ids)s)
                   ) payment
                ON payment.journal_id = debit.journal_id AND payment.amount = -debit.amount
               AND payment.place = debit.place
             WHERE payment.create_date <= debit.create_date
               AND payment.date BETWEEN debit.day - 60 AND debit.day + 7
            """,
            ids=tuple(ids),
        )
