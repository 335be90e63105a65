from cryptography import x509
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..connectors.interface import FetchError
from ..connectors.peek import peek
from ..connectors.settings import Timeouts
from ..models import certificate_files as files
from ..models import connector_texts


class BankPinWizard(models.TransientModel):
    """Look at the certificate that the bank's address shows, and trust it only by its own word.

    What is fetched is shown and nothing more. It is pinned when the administrator types the
    fingerprint as the bank says it, on the telephone or on paper, and both are the same.
    """

    _name = "bank.pin.wizard"
    _description = "Bank's Certificate"

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    url = fields.Char(related="connection_id.url")
    certificate = fields.Text(readonly=True)
    subject = fields.Char(readonly=True)
    issuer = fields.Char(readonly=True)
    date_start = fields.Datetime(string="Valid from", readonly=True)
    date_end = fields.Datetime(string="Valid until", readonly=True)
    fingerprint = fields.Char(string="Fingerprint shown", readonly=True, help="SHA-256")
    told = fields.Char(
        string="Fingerprint as the bank says it",
        help="From the bank itself, on the telephone or on paper: not copied from above.",
    )

    def action_look(self):
        """Fetch the certificate. Reads only, and is believed nowhere."""
        self._check_right()
        connection = self.connection_id
        try:
            shown = peek(
                connection.url or "",
                allow_private=connection.allow_private_address
                and connection.profile_id.is_sandbox,
                timeouts=Timeouts(connect=10, read=10, total=20),
            )
            leaf = x509.load_der_x509_certificate(shown)
        except FetchError as error:
            raise UserError(connector_texts.message(self.env, error)) from error
        except ValueError as error:
            raise UserError(
                self.env._("The bank's certificate can't be read: %s", error)
            ) from error
        start, end = files.utc(leaf)
        # sudo: what was seen is written by this step alone, so that no other certificate can be
        # put in its place.
        self.sudo().write(
            {
                "certificate": files.pem_of([leaf]).decode(),
                "subject": leaf.subject.rfc4514_string(),
                "issuer": leaf.issuer.rfc4514_string(),
                "date_start": start,
                "date_end": end,
                "fingerprint": files.spoken(files.certificate_digest(leaf)),
            }
        )
        return self._again()

    def action_pin(self):
        """Trust the certificate that was looked at, if it is the one the bank speaks of."""
        self._check_right()
        if not self.certificate:
            raise UserError(self.env._("Look at the bank's certificate first."))
        leaf = x509.load_pem_x509_certificate(self.certificate.encode())
        digest = files.certificate_digest(leaf)
        if files.plain_digits(self.told) != digest:
            raise UserError(
                self.env._(
                    "This is not the fingerprint of the certificate that the address shows. Type "
                    "all 64 digits as the bank says them. If they differ, somebody may stand in "
                    "between: do not go on, and tell the bank."
                )
            )
        connection = self.connection_id
        pins = {files.plain_digits(pin) for pin in (connection.pinned_fingerprints or "").split()}
        values = {"pinned_fingerprints": " ".join(sorted(pins | {digest}))}
        if not connection.trusted_certificates:
            # Without an authority of the bank's the certificate itself is what is trusted.
            values["trusted_certificates"] = self.certificate
        connection.write(values)
        return {"type": "ir.actions.act_window_close"}

    def _check_right(self):
        self.ensure_one()
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may do this."))
        self.connection_id.check_access("write")

    def write(self, vals):
        if not self.env.su and set(vals) - {"told"}:
            raise AccessError(self.env._("What was seen can't be changed."))
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        seen = {"certificate", "subject", "issuer", "date_start", "date_end", "fingerprint"}
        return super().create(
            [{name: vals[name] for name in vals if name not in seen} for vals in vals_list]
        )

    def _again(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bank's certificate"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
