from odoo import fields, models
from odoo.exceptions import UserError


class BankEvidenceWizard(models.TransientModel):
    """Ask for the evidence of a batch, or of a company's period."""

    _name = "bank.evidence.wizard"
    _description = "Evidence Pack"

    batch_id = fields.Many2one("bank.payment.batch", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    date_from = fields.Date(
        string="First day",
        default=lambda self: fields.Date.start_of(fields.Date.context_today(self), "year"),
        help="By the day on which the bank was asked to pay, the day of the booking and the day "
        "on which a document was exchanged.",
    )
    date_to = fields.Date(string="Last day", default=fields.Date.context_today)
    purpose = fields.Char(help="What it is wanted for. It is noted in the audit trail.")

    def action_request(self):
        self.ensure_one()
        packs = self.env["bank.evidence.pack"]
        if self.batch_id:
            self.batch_id.check_access("read")
            pack = packs._request(
                self.batch_id.company_id, batch=self.batch_id, purpose=self.purpose
            )
        else:
            if not self.date_from or not self.date_to or self.date_from > self.date_to:
                raise UserError(self.env._("Choose a first and a last day, in this order."))
            pack = packs._request(
                self.company_id,
                date_from=self.date_from,
                date_to=self.date_to,
                purpose=self.purpose,
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.evidence.pack",
            "res_id": pack.id,
            "view_mode": "form",
        }
