"""How much of its exchanges a connection logs."""

import dataclasses
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .exchange_log import ExchangeLog

MOST_BODY_DAYS = 14


class BankConnection(models.Model):
    _inherit = "bank.connection"

    log_level = fields.Selection(
        [
            ("line", "One line each"),
            ("headers", "With headers"),
            ("bodies", "With masked bodies, for some days"),
        ],
        string="Log of exchanges",
        default="headers",
        required=True,
        help="Time, size, status and number of each exchange are always kept. Secrets and whole "
        "account numbers are in none of it. Bodies hold names and amounts: log them while a fault "
        "is looked for, no longer.",
    )
    log_body_days = fields.Integer(
        string="Bodies for (days)", default=3,
        help="So long bodies are logged from the moment they are switched on, and so long each is "
        "kept.",
    )
    log_bodies_until = fields.Datetime(readonly=True, copy=False)

    @api.constrains("log_body_days")
    def _check_log_body_days(self):
        for connection in self:
            if not 1 <= connection.log_body_days <= MOST_BODY_DAYS:
                raise ValidationError(
                    self.env._("Bodies are logged for 1 to %s days.", MOST_BODY_DAYS)
                )

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        connections.filtered(lambda each: each.log_level == "bodies")._log_bodies_from_now()
        return connections

    def write(self, vals):
        result = super().write(vals)
        if {"log_level", "log_body_days"} & set(vals):
            self._log_bodies_from_now()
        return result

    def _log_bodies_from_now(self):
        for connection in self:
            until = connection.log_level == "bodies" and (
                fields.Datetime.now() + timedelta(days=connection.log_body_days)
            )
            connection.log_bodies_until = until

    def _log_level_now(self):
        """The level that holds at this moment."""
        if self.log_level == "bodies" and (
            not self.log_bodies_until or self.log_bodies_until < fields.Datetime.now()
        ):
            return "headers"
        return self.log_level

    def _connector_settings(self):
        level = self._log_level_now()
        # sudo: which values are secret is needed to mask them.
        secrets = self.sudo().variable_ids.filtered("is_secret").mapped("name")
        return dataclasses.replace(
            super()._connector_settings(),
            observer=ExchangeLog(self.env.cr.dbname, self.id, level),
            record_bodies=level == "bodies",
            secrets=frozenset(secrets),
        )

    def action_view_exchanges(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_exchange"
        )
        return {**action, "domain": [("connection_id", "=", self.id)]}
