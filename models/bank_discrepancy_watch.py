"""Urgent discrepancies that nobody explains become an alert, of which people are reminded."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .bank_watch import Finding


class BankWatch(models.AbstractModel):
    _inherit = "bank.watch"

    @api.model
    def _findings(self):
        return [*super()._findings(), *self._unexplained()]

    @api.model
    def _unexplained(self):
        hours = self._limit("alert_discrepancy_hours")
        if hours <= 0:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT connection_id, count(*), min(found_on)
                  FROM bank_discrepancy
                 WHERE state = 'open' AND severity = 'high' AND connection_id IS NOT NULL
                   AND found_on < %s
              GROUP BY connection_id
                """,
                fields.Datetime.now() - timedelta(hours=hours),
            )
        )
        return [Finding(connection, "discrepancy", 0, *row) for connection, *row in rows]


class BankAlert(models.Model):
    _inherit = "bank.alert"

    def _sentence(self):
        if self.code != "discrepancy":
            return super()._sentence()
        since = fields.Datetime.context_timestamp(self, self.since or fields.Datetime.now())
        return self.env._(
            "Urgent discrepancies that nobody has explained: %(count)s, the oldest found on "
            "%(since)s. See what they are, and what to do.",
            count=self.count, since=f"{since:%Y-%m-%d %H:%M}",
        )

    def action_view_trouble(self):
        self.ensure_one()
        if self.code != "discrepancy":
            return super().action_view_trouble()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_discrepancy"
        )
        return action | {
            "domain": [("connection_id", "=", self.connection_id.id), ("severity", "=", "high")]
        }
