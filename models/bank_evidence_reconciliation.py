from odoo import models
from odoo.exceptions import UserError

from . import bank_payment_seal as seal
from .evidence_plain import plain, slices
from .evidence_zip import safe_name

SHEET = (
    "id name state version date journal_id replaces_id digest prepared_by_id prepared_on "
    "prepared_moment prepared_from reviewed_by_id reviewed_on reviewed_moment reviewed_from "
    "review_reason changed_on"
).split()


class BankEvidenceContent(models.AbstractModel):
    """Signed bank reconciliation statements of a pack's period.

    ``sheet.json`` is the canonical text that was signed: its SHA-256 is the digest on the paper.
    """

    _inherit = "bank.evidence.content"

    def _parts(self):
        return [*super()._parts(), self._write_reconciliations]

    def _write_reconciliations(self, pack, scope, batches):
        if scope.batch_id:
            return
        sheets = self.env["bank.reconciliation"].search(
            [
                ("company_id", "=", scope.company_id.id),
                ("date", ">=", scope.date_from),
                ("date", "<=", scope.date_to),
                ("digest", "!=", False),
            ],
            order="id",
        )
        for sheet in slices(sheets, 1):
            folder = f"reconciliations/{sheet.id}-{safe_name(sheet.name)}"
            content = sheet._canonical()
            pack.add(f"{folder}/sheet.json", content.encode())
            pack.add(f"{folder}/sheet.xlsx", sheet._spreadsheet())
            pack.add_json(f"{folder}/signatures.json", self._reconciliation(sheet, content))

    def _reconciliation(self, sheet, content):
        try:
            faults = sheet._faults()
        except UserError:
            faults = None  # the key that signed is not configured here any more
        return {
            **plain(sheet, SHEET),
            "prepared_signature": sheet.prepared_signature or None,
            "reviewed_signature": sheet.reviewed_signature or None,
            "content_sha256": seal.digest(content),
            "signatures_valid": None if faults is None else not faults,
        }
