from odoo import Command, fields, models


class BankFindingWizard(models.TransientModel):
    _name = "bank.finding.wizard"
    _description = "Accept findings with a reason"

    finding_ids = fields.Many2many(
        "bank.security.finding", required=True,
        default=lambda self: [Command.set(self.env.context.get("active_ids") or [])],
    )
    reason = fields.Text(required=True)

    def action_accept(self):
        """Everything is checked again in the findings' own method."""
        self.ensure_one()
        self.finding_ids.action_accept(self.reason)
        return {"type": "ir.actions.act_window_close"}
