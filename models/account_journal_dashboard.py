from odoo import models

# What the card of a connected bank account tells: name → states of batches.
FIGURES = {
    "bank_to_approve": ("to_approve",),
    "bank_on_way": ("approved", "sending", "sent", "accepted"),
    "bank_uncertain": ("uncertain",),
}


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _fill_bank_cash_dashboard_data(self, dashboard_data):
        result = super()._fill_bank_cash_dashboard_data(dashboard_data)
        connected = self.filtered("bank_connection_id")
        batches = self.env["bank.payment.batch"]
        if not connected or not batches.has_access("read"):
            return result
        counts = {
            (journal.id, state): count
            for journal, state, count in batches._read_group(
                [("journal_id", "in", connected.ids)],
                ["journal_id", "state"],
                ["payment_count:sum"],
            )
        }
        for journal in connected:
            dashboard_data[journal.id].update(
                {
                    name: sum(counts.get((journal.id, state), 0) for state in states)
                    for name, states in FIGURES.items()
                }
                | {"bank_gaps": journal.bank_gap_count}
            )
        return result

    def action_view_bank_batches(self):
        """Open this account's batches; the context says which filter is on."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_bank_connect.action_batch")
        chosen = {
            name: value
            for name, value in self.env.context.items()
            if name.startswith("search_default_")
        }
        return action | {"domain": [("journal_id", "=", self.id)], "context": chosen}
