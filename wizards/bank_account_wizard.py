from odoo import api, fields, models


class BankAccountWizard(models.TransientModel):
    """Shows what changed about accounts, and takes the second person's word on it."""

    _name = "bank.account.wizard"
    _description = "Confirm or refuse bank accounts"

    # What was looked at: a change that comes in meanwhile is not decided along with it.
    change_ids = fields.Many2many("bank.account.change", readonly=True)
    comparison = fields.Html(compute="_compute_comparison")
    count = fields.Integer(compute="_compute_comparison")
    method = fields.Selection(
        selection=lambda self: self.env["bank.account.change"]._fields["method"].selection,
        string="How it was verified",
    )
    note = fields.Text(string="What was said")
    evidence_ids = fields.Many2many("ir.attachment")

    @api.depends("change_ids")
    def _compute_comparison(self):
        for wizard in self:
            wizard.count = len(wizard.change_ids.account_id)
            wizard.comparison = wizard.change_ids[:100]._as_table()

    def action_confirm(self):
        self.change_ids.action_confirm(self.method, self.note, self.evidence_ids.ids)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        self.change_ids.action_refuse(self.note, self.evidence_ids.ids)
        return {"type": "ir.actions.act_window_close"}
