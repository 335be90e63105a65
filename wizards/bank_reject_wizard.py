from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class BankRejectWizard(models.TransientModel):
    _name = "bank.reject.wizard"
    _description = "Reject payments with a reason"

    batch_ids = fields.Many2many(
        "bank.payment.batch", required=True, default=lambda self: self._default_batches()
    )
    batch_count = fields.Integer(compute="_compute_batch_count")
    scope = fields.Selection(
        [("all", "The whole batch"), ("some", "Some payments")],
        string="What",
        required=True,
        default="all",
    )
    payment_ids = fields.Many2many(
        "account.payment",
        string="Payments to reject",
        domain="[('bank_batch_id', 'in', batch_ids)]",
    )
    reason = fields.Text(required=True)

    @api.model
    def _default_batches(self):
        if self.env.context.get("active_model") not in (None, "bank.payment.batch"):
            return []
        return [Command.set(self.env.context.get("active_ids") or [])]

    @api.depends("batch_ids")
    def _compute_batch_count(self):
        for wizard in self:
            wizard.batch_count = len(wizard.batch_ids)

    def action_reject(self):
        """Everything is checked again in the batch's own methods."""
        self.ensure_one()
        if self.scope == "all":
            self.batch_ids.action_reject(self.reason)
        elif len(self.batch_ids) != 1 or not self.payment_ids:
            raise UserError(self.env._("Choose payments of one batch."))
        else:
            self.batch_ids.action_reject_payments(self.payment_ids.ids, self.reason)
        return {"type": "ir.actions.act_window_close"}
