"""A bank without a channel: people carry the files, and nothing here calls the bank."""

import contextlib

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    protocol = fields.Selection(
        selection_add=[("file", "Files by hand (no channel)")], ondelete={"file": "cascade"}
    )


class BankConnection(models.Model):
    _inherit = "bank.connection"

    by_hand = fields.Boolean(
        string="Carried by hand",
        compute="_compute_by_hand",
        store=True,
        help="People bring the files to the bank and its answers here.",
    )
    url = fields.Char(required=False)

    @api.depends("profile_id.protocol")
    def _compute_by_hand(self):
        for connection in self:
            connection.by_hand = connection.profile_id.protocol == "file"

    @api.constrains("url", "profile_id")
    def _check_url(self):
        for connection in self:
            if not connection.url and not connection.by_hand:
                raise ValidationError(self.env._("Enter the bank's address."))

    @contextlib.contextmanager
    def _connector(self):
        if self.by_hand:
            raise UserError(
                self.env._("%s has no channel: its files are carried by hand.", self.display_name)
            )
        with super()._connector() as connector:
            yield connector

    def _trust_problems(self):
        return [] if self.by_hand else super()._trust_problems()

    def _certificate_problems(self):
        return [] if self.by_hand else super()._certificate_problems()

    def _settings_problems(self):
        return [] if self.by_hand else super()._settings_problems()
