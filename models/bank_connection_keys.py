"""A connection's keys: one certificate for each purpose, and whether the master key opens them."""

import dataclasses

from cryptography import x509
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..connectors.settings import Identity
from . import keyring
from .bank_certificate import BANKS, OURS


class BankConnection(models.Model):
    _inherit = "bank.connection"

    decryption_certificate_id = fields.Many2one(
        "certificate.certificate",
        string="Own encryption certificate",
        check_company=True,
        copy=False,
        groups="account_bank_connect.group_admin",
        domain=[("scope", "=", "bank_connect")],
        help="What the bank encrypts for, where that is not the signing certificate.",
    )
    revocation_list = fields.Text(
        string="Revocation list for signatures",
        help="PEM, where the bank publishes one for its signing certificates.",
    )
    tls_revocation_list = fields.Text(
        string="Revocation list for the connection",
        help="PEM, from the authority of the bank's TLS certificate. With one, a bank whose "
        "authority's list is out of date is not believed either: renew it in time.",
    )
    bank_certificate_ids = fields.One2many(
        "bank.certificate", "connection_id", string="All certificates", readonly=True,
        groups="account_bank_connect.group_admin,account_bank_connect.group_auditor",
    )
    certificate_expires = fields.Datetime(
        compute="_compute_certificate_expires",
        help="When the first of our certificates in use runs out.",
    )
    certificate_days_left = fields.Integer(compute="_compute_certificate_days_left")
    key_trouble = fields.Char(compute="_compute_key_trouble")

    @api.depends(*(f"{name}.date_end" for name in OURS.values()))
    def _compute_certificate_expires(self):
        for connection in self:
            # sudo: the date is no secret, but certificates are the system administrator's.
            dates = [connection.sudo()[name].date_end for name in OURS.values()]
            connection.certificate_expires = min(filter(None, dates), default=False)

    @api.depends("bank_certificate_ids.state", "bank_certificate_ids.date_end")
    def _compute_certificate_days_left(self):
        for connection in self:
            # sudo: how long certificates hold is told to everybody who sees the connection.
            days = connection.sudo().bank_certificate_ids.filtered(
                lambda row: row.state == "current"
            ).mapped("days_left")
            connection.certificate_days_left = min(days, default=0)

    def _compute_key_trouble(self):
        known = keyring.key_ids()
        for connection in self:
            lost = connection._master_keys_used() - set(known)
            connection.key_trouble = bool(lost) and self.env._(
                "The private keys of this connection are sealed under the master key “%(keys)s”, "
                "which this server does not have. Was the database restored elsewhere? Give the "
                "server that key, or import the certificates again. Nothing can be sent or "
                "fetched until then.",
                keys=", ".join(sorted(lost)),
            )

    def _master_keys_used(self):
        """The names of the master keys that what is in use was sealed under."""
        # sudo: names of master keys are no secret; the sealed rows are nobody's to read.
        connection = self.sudo()
        keys = set(filter(None, (
            connection[name].private_key_id.bank_master_key for name in OURS.values()
        )))
        if connection.webhook_sealed:
            keys.add(keyring.key_id_of(connection.webhook_sealed))
        return keys - {None}

    # -- what is in force ---------------------------------------------------------------------

    @api.constrains("trusted_certificates")
    def _check_trusted_certificates(self):
        for connection in self:
            text = (connection.trusted_certificates or "").strip()
            if text and not connection._bank_certificates("trusted_certificates"):
                raise ValidationError(
                    self.env._("The bank's certificates: this is no certificate. Paste it as PEM, "
                               "with its first and last line.")
                )

    def _bank_certificates(self, name):
        """The certificates in one of the fields that hold the bank's, as PEM."""
        text = self[name] or ""
        try:
            return x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            # Empty, or bare public keys, which some banks sign with: they have no dates.
            return []

    @api.constrains("revocation_list", "tls_revocation_list")
    def _check_revocation_list(self):
        for text in filter(None, (*self.mapped("revocation_list"),
                                  *self.mapped("tls_revocation_list"))):
            try:
                x509.load_pem_x509_crl(text.encode())
            except ValueError:
                raise ValidationError(
                    self.env._("The revocation list can't be read. Paste it as PEM.")
                ) from None

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        connections._follow_certificates(
            {name for vals in vals_list for name, value in vals.items() if value}
        )
        return connections

    def write(self, vals):
        result = super().write(vals)
        self._follow_certificates(set(vals))
        return result

    def _follow_certificates(self, names):
        # sudo: the rows are written by nobody but this.
        rows = self.env["bank.certificate"].sudo()
        for connection in self.sudo():
            for role, name in OURS.items():
                if name in names:
                    rows._follow(connection, role)
            for role, name in BANKS.items():
                if name in names:
                    rows._follow_bank(connection, role)

    # -- for the connector --------------------------------------------------------------------

    def _connector_settings(self):
        settings = super()._connector_settings()
        # sudo: as for the certificate for TLS.
        connection = self.sudo()
        return dataclasses.replace(
            settings,
            decryption=self._identity(connection.decryption_certificate_id),
            crl=(self.revocation_list or "").encode() or None,
            trust=dataclasses.replace(
                settings.trust, crl=(self.tls_revocation_list or "").encode()
            ),
            retired=tuple(
                self._identity(row.certificate_id)
                for row in connection.bank_certificate_ids
                if row.owner == "ours" and row.role != "tls" and row.state == "old" and row.has_key
            ),
        )

    def _tls_identity(self):
        """What we show when the line is opened; ``None`` where the bank asks for nothing."""
        # sudo: certificates are readable by system administrators only, and whoever may use this
        # connection needs its certificate for the call, never to see it.
        certificate = self.sudo().certificate_id
        if not certificate and self.profile_id.client_certificate:
            raise UserError(self.env._("The connection %s has no certificate.", self.display_name))
        return self._identity(certificate)

    def _certificate_problems(self):
        """What is wrong with our certificates, in sentences."""
        # sudo: see `_tls_identity`.
        connection = self.sudo()
        problems = []
        if not connection.certificate_id and self.profile_id.client_certificate:
            problems.append(self.env._("Choose this company's certificate for the bank."))
        for certificate in dict.fromkeys(connection[name] for name in OURS.values()):
            if not certificate:
                continue
            if not certificate.private_key_id:
                problems.append(
                    self.env._("The certificate “%s” has no private key.", certificate.name)
                )
            elif not certificate.private_key_id.bank_sealed:
                problems.append(
                    self.env._(
                        "The private key of the certificate “%s” is stored unprotected. Import it "
                        "again through the connection, so that it is sealed.",
                        certificate.name,
                    )
                )
        return problems

    def _identity(self, certificate):
        if not certificate:
            return None
        if not certificate.private_key_id:
            raise UserError(self.env._("The certificate %s has no key.", certificate.name))
        try:
            key = certificate.private_key_id._bank_private_key()
        except keyring.KeyringError as error:
            raise UserError(self._keyring_message(error)) from error
        return Identity(certificate=certificate._bank_chain(), private_key=key)

    # -- screens ------------------------------------------------------------------------------

    def action_view_certificates(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_certificate"
        )
        return {**action, "domain": [("connection_id", "=", self.id)], "context": {}}

    def action_make_key(self):
        return self._action_make_key("tls")

    def _action_make_key(self, role, subject=None):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New key"),
            "res_model": "bank.key.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_connection_id": self.id, "default_role": role, "subject": subject,
            },
        }
