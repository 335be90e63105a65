from odoo import fields, models


class BankRejectWizard(models.TransientModel):
    _name = "bank.reject.wizard"
    _description = "Reject payments with a reason"

    batch_ids = fields.Many2many(
        "bank.payment.batch",
        required=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    reason = fields.Text(required=True)

    def action_reject(self):
        self.batch_ids.action_reject(self.reason)
        return {"type": "ir.actions.act_window_close"}
