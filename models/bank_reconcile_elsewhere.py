"""Where another reconciliation screen is installed, ours stays out of the way.

OCA's ``account_reconcile_oca`` and Odoo Enterprise's ``account_accountant`` bring a screen of their
own. Ours then has no menu and no link on the journal's card, and who opens it by an address of
before is taken to theirs.
"""

from odoo import api, models

# Module → its action, tried in this order.
OTHERS = {
    "account_accountant": "account_accountant.action_bank_statement_line_transactions",
    "account_reconcile_oca": "account_reconcile_oca.action_bank_statement_line_reconcile",
}


class BankReconcileScreen(models.AbstractModel):
    _inherit = "bank.reconcile.screen"

    @api.model
    def _elsewhere(self):
        """The action of another screen that is installed; else nothing."""
        for module, action in OTHERS.items():
            if module in self.env.registry._init_modules:
                if self.env.ref(action, raise_if_not_found=False):
                    return action
                return "account.open_account_journal_dashboard_kanban"
        return False


class IrUiMenu(models.Model):
    _inherit = "ir.ui.menu"

    def _load_menus_blacklist(self):
        hidden = super()._load_menus_blacklist()
        if self.env["bank.reconcile.screen"]._elsewhere():
            menu = self.env.ref("account_bank_connect.menu_reconcile", raise_if_not_found=False)
            hidden += menu.ids if menu else []
        return hidden


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        result = super()._fill_bank_cash_dashboard_data(dashboard_data)
        if not self.env["bank.reconcile.screen"]._elsewhere():
            for journal in self:
                data = dashboard_data[journal.id]
                data["bank_to_reconcile"] = data.get("number_to_reconcile") or 0
        return result

    def action_bank_reconcile(self):
        """Open the reconciliation screen with this account's bookings."""
        self.ensure_one()
        self.check_access("read")
        elsewhere = self.env["bank.reconcile.screen"]._elsewhere()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            elsewhere or "account_bank_connect.action_reconcile"
        )
        return action | {
            "context": {
                "search_default_to_treat": 1,
                "search_default_journal_id": self.id,
                "default_journal_id": self.id,
            }
        }


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def action_bank_reconcile(self):
        """Open the reconciliation screen with this booking."""
        self.ensure_one()
        action = self.journal_id.action_bank_reconcile()
        if action.get("res_model") == self._name:
            action |= {"domain": [("id", "=", self.id)], "context": {}}
        return action
