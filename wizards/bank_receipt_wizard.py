from odoo import fields, models

from ..formats import pdf_text
from ..models.bank_receipt import KIND


class BankReceiptWizard(models.TransientModel):
    _name = "bank.receipt.wizard"
    _description = "Which payment a receipt is for"

    message_id = fields.Many2one("bank.message", required=True, readonly=True, ondelete="cascade")
    journal_ids = fields.One2many(related="message_id.connection_id.journal_ids")
    payment_id = fields.Many2one(
        "account.payment",
        required=True,
        ondelete="cascade",
        domain="[('journal_id', 'in', journal_ids), ('bank_batch_id', '!=', False)]",
    )

    def action_assign(self):
        self.message_id._assign_receipt(self.payment_id)
        return {"type": "ir.actions.act_window_close"}


class BankUpload(models.TransientModel):
    _inherit = "bank.upload"

    def _named_in(self, stream, kind, connections):
        if kind != KIND:
            return super()._named_in(stream, kind, connections)
        words = pdf_text.references(pdf_text.text(stream.read()))
        return connections.filtered(
            lambda connection: self.env["bank.message"]._payment_named(connection, words)
        )
