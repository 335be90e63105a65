from odoo import models


class BasePartnerMerge(models.TransientModel):
    """Merging moves contacts and their accounts by SQL."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        partners = self.env["res.partner"].browse(partner_ids).exists()
        accounts = partners._bank_accounts_below()
        # Accounts of the merged partners themselves are moved through the ORM, and noted there.
        accounts = accounts.filtered(lambda account: account.partner_id not in partners)
        before = accounts._bank_snapshot()
        result = super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
        accounts.invalidate_recordset()
        accounts._bank_note_since(before, "payee")
        return result
