from odoo import api, fields, models


class BankStopWizard(models.TransientModel):
    """Stop all payments of a company, or those over one connection."""

    _name = "bank.stop.wizard"
    _description = "Stop payments"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    connection_id = fields.Many2one(
        "bank.connection",
        string="Only over",
        domain="[('company_id', 'parent_of', company_id)]",
        help="Empty: every bank of the company.",
    )
    stopped = fields.Boolean(compute="_compute_stopped")
    stop_reason = fields.Char(compute="_compute_stopped")
    stop_user_id = fields.Many2one("res.users", compute="_compute_stopped")
    stop_date = fields.Datetime(compute="_compute_stopped")
    reason = fields.Text()

    @api.depends("company_id", "connection_id")
    def _compute_stopped(self):
        for wizard in self:
            target = wizard._target()
            wizard.stopped = target.bank_stopped
            wizard.stop_reason = target.bank_stop_reason
            wizard.stop_user_id = target.bank_stop_user_id
            wizard.stop_date = target.bank_stop_date

    def _target(self):
        return self.connection_id or self.company_id

    def action_stop(self):
        self._target().action_bank_stop(self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_resume(self):
        self._target().action_bank_resume()
        return {"type": "ir.actions.act_window_close"}
