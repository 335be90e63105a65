import base64
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models import certificate_files as files
from ..models import keyring
from ..models.bank_certificate import ROLES

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
    certificate_file = fields.Binary(
        string="Certificate",
        attachment=False,
        help="PEM, DER, PKCS#7 or PKCS#12 (.pem, .crt, .cer, .p7b, .p12, .pfx).",
    )
    certificate_name = fields.Char()
    key_file = fields.Binary(
        string="Private key",
        attachment=False,
        help="PEM or DER. Not needed where the certificate file holds it (PKCS#12), nor where the "
        "key was made here and waits for this answer.",
    )
    key_name = fields.Char()
    password = fields.Char(help="Opens the key or the PKCS#12 file. It is not kept.")
    sealed = fields.Text(readonly=True)
    role = fields.Selection(
        ROLES, string="Used for", required=True, default="tls",
        help="An answer to a request made here is for what was asked, whatever is chosen.",
    )
    start = fields.Selection(
        [
            ("now", "At once"),
            ("date", "From a moment on"),
            ("later", "When I say so"),
        ],
        string="Use it", required=True, compute="_compute_start", store=True, readonly=False,
        precompute=True,
        help="Banks often register a new certificate some days before it may be used.",
    )
    switch_on = fields.Datetime(string="In use from")

    @api.depends("connection_id", "role")
    def _compute_start(self):
        rows = self.env["bank.certificate"]
        for wizard in self:
            ours = rows.search([
                ("connection_id", "=", wizard.connection_id.id), ("owner", "=", "ours"),
                ("state", "in", ("requested", "current")),
            ])
            # The file may answer any request that waits, whatever is chosen here.
            waiting = ours.filtered(lambda row: row.state == "requested").mapped("role")
            used = {wizard.role, *waiting} & set(ours.filtered(
                lambda row: row.state == "current"
            ).mapped("role"))
            wizard.start = "later" if used else "now"

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
        row = self._import(*self._read_files())
        if self.start == "now":
            row.action_switch()
        elif self.start == "date":
            row._switch_at(self.switch_on or fields.Datetime.now())
        return {"type": "ir.actions.act_window_close"}

    def _import(self, certificates, key):
        """Keep what was read; returns the ``bank.certificate`` row, ready to be used."""
        connection = self.connection_id
        if key is not None:
            chain = files.chain_of(key.public_key(), certificates)
            if not chain:
                raise UserError(
                    self.env._("No certificate in the file belongs to the private key.")
                )
            self._check_dates(chain[0])
            # sudo: Odoo's certificates are the system administrator's; a bank administrator adds
            # the one of this connection.
            certificate = self.env["certificate.certificate"].sudo()._bank_create(
                files.pem_of(chain), files.key_pem(key),
                name=connection.name, company=connection.company_id,
            )
            return self.env["bank.certificate"]._add_next(connection, self.role, certificate)
        waiting = connection.bank_certificate_ids.filtered(lambda row: row.state == "requested")
        for row in waiting:
            for certificate in certificates:
                if files.digest(files.public_der(certificate.public_key())) == row.key_fingerprint:
                    chain = files.chain_of(certificate.public_key(), certificates)
                    self._check_dates(chain[0])
                    return row._answer(chain)
        raise UserError(
            self.env._(
                "The file holds no private key, and no key that waits here belongs to its "
                "certificate. Choose the file with the key as well, or the certificate that the "
                "bank issued for the request made here."
            )
        )

    def _check_dates(self, leaf):
        _start, end = files.utc(leaf)
        if end <= fields.Datetime.now():
            raise UserError(self.env._("This certificate has expired on %s.", end))

    def _read_files(self):
        """What the files hold: certificates, and the private key or ``None``."""
        if not self.sealed:
            raise UserError(self.env._("Choose the file with the certificate."))
        try:
            secret = json.loads(keyring.unseal(self.sealed, PURPOSE))
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        if not secret.get("certificate_file"):
            raise UserError(self.env._("Choose the file with the certificate."))
        password = secret.get("password")
        try:
            bundle = files.read(base64.b64decode(secret["certificate_file"]), password)
            key = bundle.key
            if secret.get("key_file"):
                key = files.read(base64.b64decode(secret["key_file"]), password).key
        except files.FileError as error:
            raise UserError(self._file_message(error)) from None
        if not bundle.certificates:
            raise UserError(self.env._("The file holds no certificate."))
        return bundle.certificates, key

    def _file_message(self, error):
        return {
            "empty": self.env._("The file is empty."),
            "password": self.env._("The file could not be opened. Is the password right?"),
            "unreadable": self.env._(
                "The file could not be read. PEM, DER, PKCS#7 and PKCS#12 are known here."
            ),
        }[error.code]
