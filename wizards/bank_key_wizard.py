from cryptography import x509
from cryptography.x509.oid import NameOID
from odoo import api, fields, models

from ..models.bank_certificate import ROLES

PARTS = {
    "common_name": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "country": NameOID.COUNTRY_NAME,
    "serial_number": NameOID.SERIAL_NUMBER,
}


class BankKeyWizard(models.TransientModel):
    """Make a key for a bank, and the request for its certificate.

    The key is made and sealed in one step and never leaves: there is nothing secret here.
    """

    _name = "bank.key.wizard"
    _description = "New Key for a Bank"

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    role = fields.Selection(ROLES, string="Used for", required=True, default="tls")
    algorithm = fields.Selection(
        [("rsa3072", "RSA, 3072 bits"), ("rsa4096", "RSA, 4096 bits"), ("ec256", "EC, P-256")],
        string="Kind of key", required=True, default="rsa3072",
        help="Take what the bank's papers say; RSA with 3072 bits where they say nothing.",
    )
    common_name = fields.Char(string="Name", required=True, size=64)
    organization = fields.Char(string="Company", size=64)
    country = fields.Char(size=2, help="Two letters, as DE.")
    serial_number = fields.Char(
        string="Number in the name", size=64,
        help="Only where the bank asks for one, as its user number (X.520 serialNumber).",
    )

    @api.model
    def default_get(self, names):
        values = super().default_get(names)
        connection = self.env["bank.connection"].browse(values.get("connection_id"))
        company = connection.company_id
        subject = {
            "common_name": (connection.contract_code or company.name or "")[:64],
            "organization": (company.name or "")[:64],
            "country": company.partner_id.country_id.code,
        }
        # A renewal keeps the name that the bank knows.
        if known := self.env.context.get("subject"):
            name = x509.Name.from_rfc4514_string(known)
            subject = {
                part: found[0].value
                for part, place in PARTS.items()
                if (found := name.get_attributes_for_oid(place))
            }
        return {**values, **{name: subject[name] for name in subject if name in names}}

    def action_make(self):
        self.ensure_one()
        row = self.env["bank.certificate"]._request(
            self.connection_id,
            self.role,
            self.algorithm,
            {
                "common_name": self.common_name.strip(),
                "organization": (self.organization or "").strip(),
                "country": (self.country or "").strip().upper(),
                "serial_number": (self.serial_number or "").strip(),
            },
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Certificate request"),
            "res_model": row._name,
            "res_id": row.id,
            "view_mode": "form",
            "views": [(self.env.ref("account_bank_connect.view_certificate_request").id, "form")],
            "target": "new",
        }
