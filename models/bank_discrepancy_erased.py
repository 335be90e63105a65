from odoo import api, fields, models
from odoo.tools import SQL

from .engine import ENGINE


class BankDiscrepancy(models.Model):
    """One whose retention has ended: that it was there, and who settled it when, stays."""

    _inherit = "bank.discrepancy"

    erased_date = fields.Datetime(string="Erased on", readonly=True)

    def _erase_values(self):
        """Erase what names people, figures and reasons."""
        found = self.with_context(bank_engine=ENGINE)
        found.message_ids.unlink()
        found.write({"facts": False, "reason": False, "erased_date": fields.Datetime.now()})


class BankRetentionDue(models.AbstractModel):
    _inherit = "bank.retention.due"

    @api.model
    def _queries(self):
        return super()._queries() | {
            "discrepancy": ("bank.discrepancy", "discrepancy", SQL(
                """
                SELECT discrepancy.id
                  FROM bank_discrepancy discrepancy
                  JOIN res_company company ON company.id = discrepancy.company_id
                 WHERE discrepancy.erased_date IS NULL AND discrepancy.state <> 'open'
                """
            ), SQL("discrepancy.resolved_on")),
        }

    @api.model
    def _erase(self, kind, records):
        if kind == "discrepancy":
            return records._erase_values()
        return super()._erase(kind, records)
