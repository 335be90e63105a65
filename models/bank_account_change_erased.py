from odoo import fields, models

from .engine import ENGINE


class BankAccountChange(models.Model):
    """A change whose retention has ended: names and numbers are gone, who decided when stays."""

    _inherit = "bank.account.change"

    erased_date = fields.Datetime(string="Erased on", readonly=True)
    erased_sha256 = fields.Char(
        string="SHA-256 of what was erased",
        readonly=True,
        help="Of payee, number, old and new values, reason and note, as canonical JSON.",
    )

    def _erase_values(self):
        """Erase what names a payee, and the evidence that was attached; its digest stays."""
        for change in self.with_context(bank_account_engine=ENGINE):
            said, digest = change._content(), change._content_digest()
            attachments = change.evidence_ids
            change.write(
                {
                    **dict.fromkeys(said, False),
                    "evidence_ids": [fields.Command.clear()],
                    "erased_date": fields.Datetime.now(),
                    "erased_sha256": digest,
                }
            )
            # One attachment may belong to the decision about several changes.
            used = self.search([("evidence_ids", "in", attachments.ids)]).evidence_ids
            (attachments - used).unlink()
