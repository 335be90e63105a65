"""From a payment to its bill and the bill's document, for the approver's page."""

from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_bill_text = fields.Char(string="Bill", compute="_compute_bank_bill_text")

    @api.depends("bank_instalment_ids.move_id.ref", "bank_instalment_ids.move_id.name")
    def _compute_bank_bill_text(self):
        for payment in self:
            # sudo: a bill's number is on the payment's text anyway.
            bills = payment.sudo()._bank_bills()
            names = [bill.ref or bill.name for bill in bills[:3]]
            more = len(bills) - len(names)
            payment.bank_bill_text = (
                ", ".join(names) + (f" + {more}" if more else "") if names else False
            )

    def _bank_bills(self):
        return self.bank_instalment_ids.move_id or self.invoice_ids

    def action_bank_open_document(self):
        """Open the bill's document, or the bill where there is not exactly one document."""
        self.ensure_one()
        bills = self._bank_bills()
        if not bills:
            raise UserError(self.env._("There is no bill behind this payment."))
        document = bills.message_main_attachment_id
        if len(bills) == 1 and not document:
            document = self.env["ir.attachment"].search(
                [("res_model", "=", "account.move"), ("res_id", "=", bills.id)], limit=2
            )
        if len(bills) == 1 and len(document) == 1:
            return {
                "type": "ir.actions.act_url",
                "url": f"/web/content/{document.id}",
                "target": "new",
            }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bills"),
            "res_model": "account.move",
            "view_mode": "form" if len(bills) == 1 else "list,form",
            "res_id": bills.id if len(bills) == 1 else False,
            "domain": [("id", "in", bills.ids)],
            "context": {"create": False},
        }

    def action_bank_reject(self):
        """Open the wizard that rejects this payment alone."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_reject_wizard"
        )
        return action | {
            "context": {
                "default_batch_ids": self.bank_batch_id.ids,
                "default_payment_ids": self.ids,
                "default_scope": "some",
            }
        }
