from datetime import timedelta

from odoo import fields, models


class BankReconciliationWizard(models.TransientModel):
    """Choose the bank account and the day of a reconciliation statement."""

    _name = "bank.reconciliation.wizard"
    _description = "New Bank Reconciliation Statement"

    journal_id = fields.Many2one(
        "account.journal", string="Bank account", required=True,
        domain="[('type', '=', 'bank'), ('company_id', 'in', allowed_company_ids)]",
        default=lambda self: self._default_journal(),
    )
    date = fields.Date(
        string="As of", required=True,
        default=lambda self: fields.Date.context_today(self).replace(day=1) - timedelta(days=1),
    )

    def _default_journal(self):
        journals = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "in", self.env.companies.ids)]
        )
        return journals.filtered("bank_connection_id")[:1] or journals[:1]

    def action_open(self):
        """Everything is checked again in the statement's own method."""
        self.ensure_one()
        return self.env["bank.reconciliation"]._open(self.journal_id, self.date)._shown()


class BankReconciliationReason(models.TransientModel):
    """Sign a reconciliation statement as its reviewer, or send it back, and say why."""

    _name = "bank.reconciliation.reason"
    _description = "Review with a reason"

    reconciliation_id = fields.Many2one(
        "bank.reconciliation", required=True, readonly=True, ondelete="cascade",
        default=lambda self: self.env.context.get("active_id"),
    )
    currency_id = fields.Many2one(related="reconciliation_id.currency_id")
    difference = fields.Monetary(related="reconciliation_id.difference")
    books_changed = fields.Boolean(related="reconciliation_id.books_changed")
    reason = fields.Text(required=True)

    def action_countersign(self):
        """Everything is checked again in the statement's own methods."""
        self.ensure_one()
        self.reconciliation_id.action_countersign(self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_send_back(self):
        self.ensure_one()
        self.reconciliation_id.action_send_back(self.reason)
        return {"type": "ir.actions.act_window_close"}


class BankSettings(models.TransientModel):
    _inherit = "bank.settings"

    bank_reconciliation_monthly = fields.Boolean(string="Reconciliation statement each month")
    bank_reconciliation_old_days = fields.Integer(string="Mark items open for (days)")
