"""A SOAP contract (Bank Web Services): who we are in each request, and whose word counts."""

from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..connectors import profiles
from ..connectors.interface import SettingsError
from ..connectors.soap_contract import load
from . import connector_texts

# What a profile of this protocol calls it → the connection's field.
VALUES = {
    "sender_id": "soap_sender",
    "customer_id": "soap_customer",
    "receiver_id": "soap_receiver",
    "target_id": "soap_target",
    "environment": "soap_environment",
}
# Banks that give out one number only: it stands for the others, as the connector takes it.
STAND_IN = {"sender_id": ("contract_code",), "customer_id": ("soap_sender", "contract_code")}


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    def _wanted_values(self):
        wanted = super()._wanted_values()
        return wanted - set(VALUES) if self.protocol == "soap" else wanted

    def _soap_fields(self):
        """The connection's fields that this bank needs and its profile has no value for."""
        profile = self._read_profile()
        return [
            field
            for name, field in VALUES.items()
            if name in profile.variables() - set(profile.defaults)
        ]

    def _needs(self):
        if self.protocol != "soap":
            return super()._needs()
        shown = self.env["bank.connection"]._fields
        named = [shown[name]._description_string(self.env) for name in self._soap_fields()]
        return [*named, *super()._needs()]


class BankConnection(models.Model):
    _inherit = "bank.connection"

    soap_sender = fields.Char(
        string="Sender id", tracking=True,
        help="Who sends the files (user id). Empty: the contract number.",
    )
    soap_customer = fields.Char(
        string="Customer id", size=16, tracking=True,
        help="Whose files they are. Empty: the sender id.",
    )
    soap_receiver = fields.Char(
        string="Receiver id", tracking=True,
        help="The bank: its BIC, or a code of its own. Empty: what the bank profile proposes.",
    )
    soap_target = fields.Char(
        string="Target id", tracking=True, help="The user group, where the bank uses one."
    )
    soap_environment = fields.Selection(
        [("PRODUCTION", "Production"), ("TEST", "Test")],
        string="Environment", tracking=True,
        help="Of a file sent for a test the bank checks the form only. Empty: as the bank profile "
        "says.",
    )
    soap_language = fields.Selection(
        [("EN", "English"), ("FI", "Finnish"), ("SV", "Swedish")],
        string="Language of the bank's answers",
        help="Empty: as the bank profile says.",
    )
    soap_wsdl = fields.Text(
        string="The bank's own WSDL", copy=False,
        help="Takes the place of the description of the service that ships with this module.",
    )

    @api.constrains("soap_wsdl")
    def _check_soap_wsdl(self):
        for connection in self.filtered("soap_wsdl"):
            if not connection.soap_wsdl.lstrip("\ufeff \r\n\t").startswith("<"):
                # What is no XML would be taken for the path of a file on this server.
                raise ValidationError(self.env._("Paste the WSDL itself: it begins with “<”."))
            try:
                load(connection.soap_wsdl, None)
            except SettingsError as error:
                raise ValidationError(connector_texts.settings_error(self.env, error)) from error

    def _activation_problems(self):
        problems = super()._activation_problems()
        if self.protocol == "soap":
            problems += self._soap_problems()
        return problems

    def _soap_problems(self):
        problems = []
        # sudo: certificates are the system administrator's; that there is one is no secret.
        connection = self.sudo()
        if not (connection.signing_certificate_id or connection.certificate_id):
            problems.append(
                self.env._("Import or make the certificate that signs this company's files.")
            )
        if not self.bank_signers:
            problems.append(
                self.env._("Add the certificate that the bank signs its answers with.")
            )
        if self.profile_id._read_profile().encryption and not self.bank_encryption:
            problems.append(
                self.env._("This bank wants sealed files: add its certificate for sealing.")
            )
        given = {name for name, field in VALUES.items() if self[field]}
        for name, field in VALUES.items():
            if field in self.profile_id._soap_fields() and name not in given:
                if any(self[other] for other in STAND_IN.get(name, ())):
                    continue
                problems.append(
                    self.env._(
                        "Enter the %s that the bank gave you.",
                        self._fields[field]._description_string(self.env),
                    )
                )
        return problems

    def _connector_settings(self):
        settings = super()._connector_settings()
        if self.protocol != "soap":
            return settings
        values = {name: self[field] for name, field in VALUES.items() if self[field]}
        profile = settings.profile
        if self.soap_language:
            data = profiles.profile(profile) if isinstance(profile, str) else profile
            profile = {**data, "header": {**data["header"], "language": self.soap_language}}
        return replace(
            settings,
            profile=profile,
            variables={**settings.variables, **values},
            wsdl=self.soap_wsdl or None,
        )
