from odoo import models
from odoo.exceptions import UserError


class BankPaymentBatch(models.Model):
    """Whether every payee's account of a batch may be paid to, now."""

    _inherit = "bank.payment.batch"

    def _check_payees(self):
        """Refuse while somebody has yet to confirm one of the accounts."""
        # sudo: all of the batch is looked at, whatever the user may see of it.
        accounts = self.sudo().payment_ids.partner_bank_id
        problems = accounts._bank_hold_problems(self.company_id)
        if problems:
            raise UserError(
                self.env._("%s can't go on before these accounts are confirmed:", self.name)
                + "\n"
                + "\n".join(f"• {sentence}" for sentence in problems.values())
            )
