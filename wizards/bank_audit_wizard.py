import base64
import binascii

from odoo import fields, models
from odoo.exceptions import UserError


class BankAuditWizard(models.TransientModel):
    """Compares the audit trail with a head that was kept outside Odoo."""

    _name = "bank.audit.wizard"
    _description = "Compare with a Head of the Audit Trail"

    head = fields.Binary(help="The file that was exported or mailed earlier.")
    head_name = fields.Char()

    def action_verify(self):
        """Verify the whole trail, and that it still holds the head."""
        self.ensure_one()
        checks = self.env["bank.audit.check"]
        checks._check_auditor()
        try:
            text = base64.b64decode(self.with_context(bin_size=False).head or b"").decode()
        except (ValueError, binascii.Error):
            text = ""
        if not text:
            raise UserError(self.env._("Choose the file of the head."))
        # sudo: see `bank.audit.check`.
        check = checks.sudo()._verify(self.env["bank.audit.event"]._read_head(text))
        return {
            "type": "ir.actions.act_window",
            "res_model": check._name,
            "res_id": check.id,
            "view_mode": "form",
        }
