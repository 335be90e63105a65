"""Writing a bank profile: a built-in one to start from, and mistakes told while one types."""

import json

from odoo import api, fields, models

from ..connectors import profiles
from ..connectors.interface import SettingsError
from . import connector_texts


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    start_from = fields.Selection(
        selection="_selection_start_from",
        store=False,
        help="Puts a copy of this profile into the settings, to be changed to what the bank's own "
        "paper says.",
    )
    settings_problem = fields.Char(compute="_compute_settings_problem")
    settings_needs = fields.Char(
        string="A connection has to say",
        compute="_compute_settings_problem",
        help="The values that each connection to this bank has to give.",
    )

    @api.model
    def _selection_start_from(self):
        built_in = [(name, profiles.profile(name)) for name in profiles.profile_names()]
        return [(name, data.get("title") or name) for name, data in built_in]

    @api.onchange("start_from")
    def _onchange_start_from(self):
        if self.start_from:
            data = profiles.profile(self.start_from)
            self.protocol = data.get("protocol", "rest")
            self.settings = json.dumps(data, indent=2, ensure_ascii=False)
            self.start_from = False

    @api.depends("settings", "protocol")
    def _compute_settings_problem(self):
        for profile in self:
            profile.settings_problem = profile.settings_needs = False
            if not profile.settings:
                continue
            try:
                needs = profile._needs()
            except SettingsError as error:
                profile.settings_problem = connector_texts.settings_error(self.env, error)
            except ValueError as error:
                profile.settings_problem = str(error)
            else:
                profile.settings_needs = ", ".join(needs)

    def action_check_settings(self):
        """Say that the settings can be used, and what they ask for; saving has refused others."""
        self.ensure_one()
        self.check_access("read")
        problem = self.settings_problem
        needs = self.settings_needs
        said = self.env._("Every field is understood.")
        if needs:
            said = self.env._("Every field is understood. A connection has to say: %s.", needs)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if problem else "success",
                "title": self.env._("Bank profile"),
                "message": problem or said,
                "sticky": bool(problem),
            },
        }
