"""What a channel needs beyond TLS: keys to sign and seal with, values, tokens, account names."""

from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..connectors.keys import public_keys
from ..connectors.settings import Identity, Trust
from . import keyring
from .bank_connection_token import DatabaseTokens


class BankConnection(models.Model):
    _inherit = "bank.connection"

    signing_certificate_id = fields.Many2one(
        "certificate.certificate",
        string="Signing certificate",
        check_company=True,
        copy=False,
        groups="account_bank_connect.group_admin",
        domain=[("scope", "=", "bank_connect")],
        help="Signs messages and assertions, where the bank wants another certificate for this "
        "than the one that we show in TLS.",
    )
    bank_signers = fields.Text(
        string="Bank's signing certificates",
        tracking=False,
        help="The certificates or public keys that the bank signs its answers with, as PEM.",
    )
    bank_encryption = fields.Text(
        string="Bank's certificate for sealing",
        tracking=False,
        help="The certificate that messages are encrypted for, as PEM, where the bank wants this.",
    )

    @api.constrains("bank_signers", "bank_encryption")
    def _check_bank_keys(self):
        for connection in self:
            for name in ("bank_signers", "bank_encryption"):
                connection._check_keys(name)

    def _check_keys(self, name):
        """Check a field with certificates or public keys."""
        if not self[name]:
            return
        try:
            public_keys(self[name].encode())
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "“%(field)s” can't be read: %(error)s.",
                    field=self._fields[name]._description_string(self.env),
                    error=error,
                )
            ) from error

    def _connector_settings(self):
        settings = super()._connector_settings()
        # sudo: see `_connector_settings` of the connection: needed for the call, never shown.
        certificate = self.sudo().signing_certificate_id
        signing = None
        try:
            if certificate:
                signing = Identity(
                    certificate=certificate._bank_chain(),
                    private_key=certificate.private_key_id._bank_private_key(),
                )
            values = {each.name: each._open() for each in self.sudo().variable_ids}
        except keyring.KeyringError as error:
            raise UserError(self._keyring_message(error)) from error
        return replace(
            settings,
            variables={**values, **settings.variables},
            accounts=self._bank_resources(),
            signing=signing,
            signers=Trust((self.bank_signers or "").encode()) if self.bank_signers else None,
            encrypt_for=(self.bank_encryption or "").encode() or None,
            token_store=DatabaseTokens(self.env.cr.dbname, self.id),
        )

    def _bank_resources(self):
        """IBAN → what the bank's channel calls this account."""
        return {
            journal.bank_account_id.sanitized_acc_number: journal.bank_resource
            or journal.bank_account_id.sanitized_acc_number
            for journal in self.journal_ids
            if journal.bank_account_id
        }


class AccountJournal(models.Model):
    _inherit = "account.journal"

    bank_resource = fields.Char(
        string="Account at the bank's channel",
        copy=False,
        help="What the bank's channel calls this account, where it is not the account number.",
    )
