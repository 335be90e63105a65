from odoo import fields, models


class BankResolveWizard(models.TransientModel):
    _name = "bank.resolve.wizard"
    _description = "Propose what became of a message"

    message_id = fields.Many2one(
        "bank.message",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.context.get("active_id"),
    )
    verdict = fields.Selection(
        [
            ("delivered", "The bank has it"),
            ("resend", "The bank does not have it: send it again"),
            ("give_up", "The bank does not have it: give the batch up"),
        ],
        required=True,
    )
    note = fields.Text(string="How it was found out", required=True)
    evidence_ids = fields.Many2many("ir.attachment")

    def action_propose(self):
        self.env["bank.resolution"]._propose(
            self.message_id, self.verdict, self.note, self.evidence_ids
        )
        return {"type": "ir.actions.act_window_close"}
