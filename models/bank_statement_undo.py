"""Undoing a match: the booking is open again, and everything else as it was before."""

from odoo import models
from odoo.exceptions import UserError

from .engine import ENGINE


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def action_bank_undo(self):
        """Take back what these bookings were matched with.

        Bills are open again. Payments that went through the bank wait for their booking again;
        one that a booking brought back counts as executed again.

        :raises UserError: what was built on the match forbids it; says what
        """
        self.check_access("write")
        self._bank_check_undo()
        for line in self.with_company(self.company_id[:1]):
            returned = line._bank_brought_back()
            executed = line.bank_payment_ids.filtered("bank_booked") - returned
            # sudo: who may undo a booking lets payments and bills follow it.
            executed, returned = (
                payments.sudo().with_context(bank_engine=ENGINE)
                for payments in (executed, returned)
            )
            bills = (executed | returned).bank_instalment_ids.move_line_id
            bills._bank_touch()
            # Without its payments, a booking is one that Odoo's own undo takes whole.
            line.sudo().write({"bank_payment_ids": False, "bank_by_rule": False})
            line.action_undo_reconciliation()
            executed._bank_wait_again()
            returned._bank_stay_paid(line)
        self.env["bank.audit.event"]._record_each(
            "booking_undone",
            [(line, {"entry": line.move_id.name, "amount": str(line.amount)}) for line in self],
        )
        return True

    def action_undo_reconciliation(self):
        """Odoo's own undo: payments that went through the bank, and their bills, follow."""
        ours = self.filtered("bank_payment_ids")
        if ours:
            ours.action_bank_undo()
        return super(AccountBankStatementLine, self - ours).action_undo_reconciliation()

    def _bank_brought_back(self):
        """The payments that this booking brought back."""
        self.ensure_one()
        return self.bank_payment_ids.filtered(
            lambda pay: pay.bank_returned and pay.bank_return_line_id == self
        )

    def _bank_check_undo(self):
        """
        :raises UserError: a lock, a hash or a later event forbids to undo these
        """
        hashed = self.move_id.filtered("inalterable_hash")
        if hashed:
            raise UserError(
                self.env._(
                    "%s is secured by a hash: its journal lets no entry be changed. Correct it "
                    "with an entry of its own.", hashed[0].name,
                )
            )
        self.move_id._check_fiscal_lock_dates()
        for line in self:
            for payment in line.sudo().bank_payment_ids - line._bank_brought_back():
                if payment.bank_returned:
                    raise UserError(
                        self.env._(
                            "The payment to %s came back since: undo the booking that brought it "
                            "back first.", payment.partner_id.display_name,
                        )
                    )
            for payment in line._bank_brought_back():
                instalments = payment.sudo().bank_instalment_ids
                items = instalments.move_line_id
                # A credit note that was netted is settled with its bill, and stays so.
                due = payment.amount + sum(instalments.mapped("discount"))
                left = abs(sum(items.mapped("amount_residual_currency")))
                if items._bank_holders() or payment.currency_id.compare_amounts(left, due) < 0:
                    raise UserError(
                        self.env._(
                            "The payment to %s came back, and its bill is being paid or was paid "
                            "again since: the return can't be undone.",
                            payment.partner_id.display_name,
                        )
                    )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_wait_again(self):
        """The booking was another's: these wait for their own, and hold their bills again."""
        for status, payments in self.grouped("bank_status_before").items():
            payments.write(
                {
                    "bank_booked": False,
                    "bank_status": status or False,
                    "bank_status_before": False,
                    "state": "in_process",
                }
            )
        self.bank_instalment_ids.write({"live": True})
        self.bank_batch_id._engine()._follow_payments()

    def _bank_stay_paid(self, back):
        """The money did not come back after all: these are executed, and pay their bills.

        :param back: the statement line that was taken for their return
        """
        for payment in self:
            payment.write(
                {
                    "bank_returned": False,
                    "bank_return_line_id": False,
                    "bank_reason": False,
                    "bank_reason_text": False,
                    "state": "paid",
                }
            )
            items = payment.bank_instalment_ids.move_line_id
            payable = payment.destination_account_id
            booking = self.env["bank.statement.match"]._booking_of(payment, back)
            paid = (payment.move_id or booking).line_ids.filtered(
                lambda item, payable=payable, payment=payment: (
                    item.account_id == payable
                    and not item.reconciled
                    and (item.move_id == payment.move_id or item.name == payment.end_to_end_id
                         or len(payment.bank_instalment_ids) == 1)
                )
            )
            (paid + items.filtered(lambda item: not item.reconciled)).reconcile()
        self.bank_batch_id._engine()._follow_payments()
