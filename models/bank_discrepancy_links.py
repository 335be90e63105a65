from odoo import fields, models


class BankDiscrepancyLinks(models.AbstractModel):
    """The way from a document to the discrepancies about it."""

    _name = "bank.discrepancy.links"
    _description = "Way to Discrepancies"

    bank_discrepancy_count = fields.Integer(compute="_compute_bank_discrepancy_count")

    def _bank_discrepancy_paths(self):
        """The fields of a discrepancy that lead to a document of this kind."""
        return ()

    def _compute_bank_discrepancy_count(self):
        discrepancies = self.env["bank.discrepancy"]
        found = {record.id: set() for record in self}
        if discrepancies.has_access("read"):
            for path in self._bank_discrepancy_paths():
                for each in discrepancies.search([(path, "in", self.ids)]):
                    # sudo: only which document it is about is read.
                    for about in each.sudo().mapped(path).ids:
                        if about in found:
                            found[about].add(each.id)
        for record in self:
            record.bank_discrepancy_count = len(found[record.id])

    def action_view_bank_discrepancies(self):
        """Every discrepancy about this, explained or not."""
        self.ensure_one()
        self.check_access("read")
        paths = self._bank_discrepancy_paths()
        domain = fields.Domain.OR([[(path, "=", self.id)] for path in paths])
        found = self.env["bank.discrepancy"].search(domain)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_discrepancy"
        )
        action |= {"domain": [("id", "in", found.ids)], "context": {}}
        if len(found) == 1:
            action |= {"views": [(False, "form")], "view_mode": "form", "res_id": found.id}
        return action


class BankPaymentBatch(models.Model):
    _name = "bank.payment.batch"
    _inherit = ["bank.payment.batch", "bank.discrepancy.links"]

    def _bank_discrepancy_paths(self):
        return ("batch_id", "payment_id.bank_batch_id")


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "bank.discrepancy.links"]

    def _bank_discrepancy_paths(self):
        return ("payment_id",)


class AccountBankStatementLine(models.Model):
    _name = "account.bank.statement.line"
    _inherit = ["account.bank.statement.line", "bank.discrepancy.links"]

    def _bank_discrepancy_paths(self):
        return ("line_id",)
