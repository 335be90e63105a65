"""An SFTP contract: our key to log in with, and the host key that the bank's server must show."""

from dataclasses import replace

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..connectors.interface import SettingsError
from ..connectors.settings import Identity, Trust
from ..connectors.ssh import HostKeys
from . import connector_texts, keyring

KEY_BITS = 3072  # RSA, which every bank's server knows


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    protocol = fields.Selection(
        selection_add=[("sftp", "SFTP (folders at the bank)")], ondelete={"sftp": "cascade"}
    )


class BankConnection(models.Model):
    _inherit = "bank.connection"

    ssh_host_keys = fields.Text(
        string="Bank's host keys",
        tracking=False,
        help="One a line: the public key as the bank gives it (ssh-ed25519 AAAA…), or its "
        "fingerprint (SHA256:…). No other server is believed, and none is learned.",
    )
    ssh_key_id = fields.Many2one(
        "certificate.key",
        string="Own SSH key",
        check_company=True,
        copy=False,
        readonly=True,
        groups="account_bank_connect.group_admin",
        help="Logs in at the bank. It is kept sealed.",
    )
    ssh_public_key = fields.Text(
        string="Own public key",
        readonly=True,
        copy=False,
        help="Give this to the bank, to be registered for our user name.",
    )

    @api.constrains("ssh_host_keys")
    def _check_ssh_host_keys(self):
        for connection in self.filtered("ssh_host_keys"):
            try:
                HostKeys.read(connection._ssh_trust())
            except SettingsError as error:
                raise ValidationError(connector_texts.settings_error(self.env, error)) from error

    def _ssh_trust(self):
        lines = [line.strip() for line in (self.ssh_host_keys or "").splitlines() if line.strip()]
        pins = tuple(line for line in lines if line.startswith("SHA256:"))
        keys = "\n".join(line for line in lines if not line.startswith("SHA256:"))
        return Trust(ca_pem=keys.encode(), fingerprints=pins)

    def action_make_ssh_key(self):
        """Make a new key pair; the private half is sealed and never shown."""
        self.ensure_one()
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may make a key."))
        self.check_access("write")
        if self.state == "active":
            raise UserError(
                self.env._("Suspend the connection first: the bank does not know a new key yet.")
            )
        private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        # sudo: Odoo's keys are the system administrator's; a bank administrator adds the one of
        # this connection, and can't read it.
        key = self.env["certificate.key"].sudo()._bank_create_sealed(
            pem, name=self.env._("SSH key of %s", self.name), company=self.company_id
        )
        self.sudo().write({"ssh_key_id": key.id, "ssh_public_key": public.decode()})
        self.env["bank.audit.event"]._record("key_made", self, key="ssh")

    def _activation_problems(self):
        problems = super()._activation_problems()
        if self.protocol == "sftp":
            # sudo: that there are a key and a password is no secret.
            connection = self.sudo()
            if not self.ssh_host_keys:
                problems.append(self.env._("Add the host key of the bank's server."))
            password = connection.variable_ids.filtered(lambda each: each.name == "password")
            if not connection.ssh_key_id and not password:
                problems.append(
                    self.env._(
                        "Make an SSH key and give its public half to the bank, or add the value "
                        "“password” as a secret."
                    )
                )
            user = connection.variable_ids.filtered(lambda each: each.name == "user_name")
            if not self.contract_code and not user:
                problems.append(
                    self.env._("Enter the user name at the bank as the contract number.")
                )
        return problems

    def _trust_problems(self):
        return [] if self.protocol == "sftp" else super()._trust_problems()

    def _certificate_problems(self):
        return [] if self.protocol == "sftp" else super()._certificate_problems()

    def _tls_identity(self):
        if self.protocol != "sftp":
            return super()._tls_identity()
        # sudo: as for certificates: needed for the call, never shown.
        key = self.sudo().ssh_key_id
        if not key:
            return None
        try:
            return Identity(certificate=b"", private_key=key._bank_private_key())
        except keyring.KeyringError as error:
            raise UserError(self._keyring_message(error)) from error

    def _connector_settings(self):
        settings = super()._connector_settings()
        if self.protocol != "sftp":
            return settings
        return replace(settings, trust=self._ssh_trust())
