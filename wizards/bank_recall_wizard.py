from odoo import api, fields, models

from ..models.bank_message_recall import REASONS


class BankRecallWizard(models.TransientModel):
    _name = "bank.recall.wizard"
    _description = "Recall a batch"

    batch_id = fields.Many2one(
        "bank.payment.batch",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.context.get("active_id"),
    )
    reason = fields.Selection(REASONS, required=True)
    note = fields.Text(string="In your own words")
    left = fields.Boolean(compute="_compute_left", help="Whether the bank may have the batch.")

    @api.depends("batch_id")
    def _compute_left(self):
        for wizard in self:
            wizard.left = wizard.batch_id.state != "approved"

    def action_recall(self):
        self.batch_id.action_recall(self.reason, self.note)
        return {"type": "ir.actions.act_window_close"}
