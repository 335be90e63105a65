from odoo import fields, models


class BankStopWizard(models.TransientModel):
    _name = "bank.stop.wizard"
    _description = "Stop all payments"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    stopped = fields.Boolean(related="company_id.bank_stopped")
    stop_reason = fields.Char(related="company_id.bank_stop_reason")
    stop_user_id = fields.Many2one(related="company_id.bank_stop_user_id")
    stop_date = fields.Datetime(related="company_id.bank_stop_date")
    reason = fields.Text()

    def action_stop(self):
        self.company_id.action_bank_stop(self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_resume(self):
        self.company_id.action_bank_resume()
        return {"type": "ir.actions.act_window_close"}
