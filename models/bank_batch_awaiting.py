"""How many batches wait for the user: the counter in the menu."""

from odoo import api, fields, models


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    may_approve = fields.Boolean(string="Waits for me", search="_search_may_approve")

    def _search_may_approve(self, operator, value):
        if operator not in ("in", "not in") or list(value) not in ([True], [False]):
            return NotImplemented
        wanted = (operator == "in") == (True in value)
        waiting = self._waiting_for_me()
        return [("id", "in" if wanted else "not in", waiting.ids)]

    @api.model
    def _waiting_for_me(self):
        return self.search([("state", "=", "to_approve")]).filtered("may_approve")

    @api.model
    def count_waiting_for_me(self):
        """The number of batches that the user may decide about, in the companies chosen."""
        if not self.env.user.has_group("account_bank_connect.group_approver"):
            return 0
        return len(self._waiting_for_me())
