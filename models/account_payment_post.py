"""Posting many payments at once.

Odoo posts payments one by one, about twenty queries and three writes each. A batch is posted as
a set: one creation of all entries, one posting, one reconciliation plan.
"""

from odoo import api, models
from odoo.tools import SQL

from . import bulk_rows
from .account_bulk import OF_ENTRIES
from .engine import ENGINE

# What follows from a payment's entry and matters to nothing until all is reconciled.
OF_PAYMENTS = ("amount_company_currency_signed", "is_matched", "is_reconciled", "name", "state")


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_post(self):
        """Post the drafts among these payments, and reconcile their bills.

        Payments with an outstanding account get their journal entry now; the others are only
        marked as being processed, and the bank's statement books them.
        """
        drafts = self.with_context(bank_engine=ENGINE).filtered(lambda pay: pay.state == "draft")
        booked = drafts.filtered("outstanding_account_id")
        if booked:
            booked._bank_book()
        unbooked = drafts - booked
        if unbooked:
            unbooked = unbooked._bank_quietly()
            with unbooked.bank_instalment_ids.move_id._bank_noting():
                unbooked.write({"state": "in_process"})
        return drafts

    @api.depends("move_id.name", "state")
    def _compute_name(self):
        unnamed = self.filtered(
            lambda pay: pay.id and pay.bank_batch_id and not (pay.name or pay.move_id)
        ).filtered(lambda pay: pay.state in ("in_process", "paid"))
        for payments in unnamed.grouped("company_id").values():
            payments._bank_draw_names()
        return super()._compute_name()

    def _bank_draw_names(self):
        """Names of payments without an entry, drawn at once; Odoo draws one after another."""
        sequence = self.env["ir.sequence"].search(
            [("code", "=", "account.payment"), ("company_id", "in", [*self.company_id.ids, False])],
            order="company_id",
            limit=1,
        )
        if sequence.implementation != "standard" or sequence.use_date_range:
            return
        numbers = self.env.execute_query(
            SQL(
                "SELECT nextval(%s::regclass) FROM generate_series(1, %s)",
                f"ir_sequence_{sequence.id:03d}",
                len(self),
            )
        )
        for payment, (number,) in zip(self, numbers, strict=True):
            payment.name = sequence.get_next_char(number)

    def _bank_book(self):
        payments = self._bank_quietly()
        moves = payments.env["account.move"]._bank_create_entries(
            [payment._bank_entry_values() for payment in payments]
        )
        bulk_rows.read_at_once(moves, moves.line_ids)
        with (
            payments.bank_instalment_ids.move_id._bank_noting(),
            bulk_rows.postponed((moves, OF_ENTRIES), (payments, OF_PAYMENTS)),
        ):
            payments._bank_link(moves)
            payments.write({"state": "in_process"})  # posts the entries
            payments._bank_reconcile_bills()

    def _bank_quietly(self):
        payments = self.with_company(self.company_id)
        return payments.with_context(**payments.env["account.move"]._bank_quietly())

    def _bank_link(self, moves):
        """Give each payment its entry; both in the same order."""
        self._write_multi([{"move_id": move.id} for move in moves])
        self.invalidate_recordset(["move_id"])
        self.modified(["move_id"])
        self._validate_fields(["move_id"])

    def _bank_entry_values(self):
        """The journal entry of one payment, with its discount written off."""
        self.ensure_one()
        return self._generate_move_vals(write_off_line_vals=self._bank_discount_lines())

    def _bank_discount_lines(self):
        """Journal items for the early-payment discount taken, as Odoo's own wizard books them."""
        discounted = self.bank_instalment_ids.filtered("discount")
        if not discounted:
            return []
        company_currency = self.company_id.currency_id
        items = []
        for line in discounted.move_line_id:
            items.append(
                {
                    "aml": line,
                    "amount_currency": -line.amount_residual_currency,
                    "balance": self.currency_id._convert(
                        -line.amount_residual_currency, company_currency, self.company_id, self.date
                    ),
                }
            )
        open_amount = -sum(discounted.mapped("discount"))
        open_balance = self.currency_id._convert(
            open_amount, company_currency, self.company_id, self.date
        )
        values = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(
            items, open_balance
        )
        return [line for lines in values.values() for line in lines]

    def _bank_reconcile_bills(self):
        """Reconcile each payment's entry with its own bills, in one plan."""
        bulk_rows.read_at_once(self.move_id.line_ids | self.bank_instalment_ids.move_line_id)
        plan = []
        for payment in self:
            targets = payment.bank_instalment_ids.filtered("live").move_line_id
            if not targets:
                continue
            counterpart = payment.move_id.line_ids.filtered(
                lambda line, targets=targets: line.account_id in targets.account_id
            )
            plan.append(counterpart + targets.filtered(lambda line: not line.reconciled))
        if plan:
            self.env["account.move.line"]._reconcile_plan(plan)

    def _bank_undo(self):
        """The bank did not pay: undo the entry, free the bills, keep the payment as rejected."""
        payments = self.with_context(bank_engine=ENGINE)
        payments.bank_instalment_ids._release()
        posted = payments.move_id.filtered(lambda move: move.state == "posted")
        if posted:
            posted.line_ids.remove_move_reconcile()
            # An entry that law or a lock forbids to cancel is reversed instead.
            fixed = posted.filtered(
                lambda move: (
                    move.inalterable_hash or move._get_violated_lock_dates(move.date, False)
                )
            )
            (posted - fixed).button_cancel()
            if fixed:
                fixed._reverse_moves([{"ref": move.name} for move in fixed], cancel=True)
        payments.action_reject()
