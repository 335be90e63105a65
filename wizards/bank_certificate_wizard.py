import base64
import json

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models import keyring

PEM = b"-----BEGIN"
PURPOSE = "certificate-import"
SECRET = ("certificate_file", "key_file", "password")


class BankCertificateWizard(models.TransientModel):
    """Bring a certificate and its private key in.

    Even the wizard's own row, which lives for minutes, never holds a secret in the clear: what is
    typed or uploaded is sealed before it reaches the database.
    """

    _name = "bank.certificate.wizard"
    _description = "Import a certificate"

    connection_id = fields.Many2one(
        "bank.connection",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.context.get("active_id"),
    )
    use = fields.Selection(
        [("tls", "Shows who we are (TLS)"), ("signing", "Signs messages")],
        default="tls",
        required=True,
        help="Many banks take one certificate for both: then only the first is needed.",
    )
    certificate_file = fields.Binary(
        string="Certificate",
        attachment=False,
        help="PEM, DER or PKCS#12 (.pem, .crt, .cer, .p12, .pfx).",
    )
    certificate_name = fields.Char()
    key_file = fields.Binary(
        string="Private key",
        attachment=False,
        help="PEM or DER. Not needed where the certificate file holds it (PKCS#12).",
    )
    key_name = fields.Char()
    password = fields.Char(help="Opens the key or the PKCS#12 file. It is not kept.")
    sealed = fields.Text(readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._without_secrets(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._without_secrets(vals))

    def _without_secrets(self, vals):
        secret = {name: vals[name] for name in SECRET if vals.get(name)}
        if not secret:
            return vals
        secret = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in secret.items()
        }
        try:
            sealed = keyring.seal(json.dumps(secret).encode(), PURPOSE)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        return {**vals, **dict.fromkeys(SECRET, False), "sealed": sealed}

    def action_import(self):
        self.ensure_one()
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may import certificates."))
        self.connection_id.check_access("write")
        chain, key, password = self._read_files()
        # sudo: Odoo's certificates are the system administrator's; a bank administrator adds
        # the one of this connection.
        certificate = (
            self.env["certificate.certificate"]
            .sudo()
            ._bank_create(
                chain,
                key,
                password=password,
                name=self.connection_id.name,
                company=self.connection_id.company_id,
            )
        )
        field = "certificate_id" if self.use == "tls" else "signing_certificate_id"
        self.connection_id.sudo()[field] = certificate
        self.connection_id.message_post(
            body=self.env._(
                "New certificate %(subject)s, valid until %(end)s, SHA-256 %(print)s.",
                subject=certificate.subject_common_name,
                end=certificate.date_end,
                print=certificate._get_fingerprint_bytes(formatting="raw").hex(),
            )
        )
        return {"type": "ir.actions.act_window_close"}

    def _read_files(self):
        """The certificate chain as PEM, the key, and the key's password or ``None``."""
        if not self.sealed:
            raise UserError(self.env._("Choose the file with the certificate."))
        try:
            secret = json.loads(keyring.unseal(self.sealed, PURPOSE))
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        if not secret.get("certificate_file"):
            raise UserError(self.env._("Choose the file with the certificate."))
        content = base64.b64decode(secret["certificate_file"])
        key = base64.b64decode(secret.get("key_file") or "")
        password = secret.get("password")
        if PEM in content:
            # One PEM file often holds both.
            return content, key or content, password
        try:
            bundle = pkcs12.load_pkcs12(content, password.encode() if password else None)
        except ValueError:
            bundle = None
        if bundle and bundle.cert and bundle.key:
            certificates = [bundle.cert, *bundle.additional_certs]
            chain = b"".join(
                item.certificate.public_bytes(serialization.Encoding.PEM) for item in certificates
            )
            plain = bundle.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            return chain, plain, None
        try:
            leaf = x509.load_der_x509_certificate(content)
        except ValueError:
            raise UserError(
                self.env._("The certificate could not be read. Is the password right?")
            ) from None
        return leaf.public_bytes(serialization.Encoding.PEM), key, password
