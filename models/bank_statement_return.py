"""Payments that came back: the bill is open again, and people are told."""

from odoo import Command, models

from .account_bulk import IN_FULL
from .audit_mask import masked
from .engine import ENGINE


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    def _book_return(self, line, payment, back, code, text):
        """Money that came back: the bill is open again, the payment rejected after the fact.

        :param back: the item of the line that is this payment's, or None if it has only one
        """
        payment = payment.with_context(bank_engine=ENGINE)
        bills = payment.bank_instalment_ids.move_line_id
        payable = payment.destination_account_id
        paid = payment.move_id.line_ids or self._booking_of(payment, line).line_ids
        paid = paid.filtered(lambda item: item.account_id == payable)
        # Free the bills from what paid them, and let the two movements of money cancel out.
        (paid.matched_debit_ids + paid.matched_credit_ids).filtered(
            lambda partial: (partial.debit_move_id + partial.credit_move_id) & bills
        ).unlink()
        _liquidity, suspense, other = line._seek_for_lines()
        back = (back or suspense or other).with_env(paid.env)
        self._take_back_discount(back, payment)
        (paid + back).filtered(lambda item: not item.reconciled).reconcile()
        payment.write(
            {
                "bank_returned": True,
                "bank_return_line_id": line.id,
                "bank_reason": code or False,
                "bank_reason_text": masked(text or "") or False,
            }
        )
        payment.bank_instalment_ids._release()
        payment.action_reject()
        payment._bank_hold_accounts()
        payment._bank_tell_accountant(
            self.env._("The payment to %(payee)s came back: %(reason)s",
              payee=payment.partner_id.display_name,
              reason=payment._bank_explanation() or self.env._("no reason was given."))
        )

    def _take_back_discount(self, back, payment):
        """What came back was paid less a discount: that ends, as the bill is owed in full again.

        It is booked in the return's own entry, so undoing the return brings the discount back.

        :param back: the return's item on the payee's account; grows by the discount
        """
        entry = back.move_id
        if back.currency_id != payment.currency_id or entry.inalterable_hash:
            return  # for people to correct, with an entry of its own
        discounts = payment._bank_discount_lines()
        if not discounts:
            return
        larger = {
            name: back[name] + sum(item[name] for item in discounts)
            for name in ("amount_currency", "balance")
        }
        ended = [
            item | {"amount_currency": -item["amount_currency"], "balance": -item["balance"]}
            for item in discounts
        ]
        entry.with_context(skip_readonly_check=True, **IN_FULL).write(
            {
                "line_ids": [
                    Command.update(back.id, larger), *(Command.create(item) for item in ended)
                ]
            }
        )

    def _booking_of(self, payment, line):
        return self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payment.ids), ("amount", "<", 0), ("id", "!=", line.id)],
            limit=1,
        ).move_id
