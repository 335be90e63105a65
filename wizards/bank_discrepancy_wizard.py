from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.discrepancy_texts import VERDICTS


class BankDiscrepancyWizard(models.TransientModel):
    _name = "bank.discrepancy.wizard"
    _description = "Explain discrepancies"

    discrepancy_ids = fields.Many2many(
        "bank.discrepancy", required=True,
        default=lambda self: [Command.set(self.env.context.get("active_ids") or [])],
    )
    reopen = fields.Boolean(readonly=True)
    verdict = fields.Selection(VERDICTS)
    reason = fields.Text(string="Explanation", required=True)
    can_remember = fields.Boolean(compute="_compute_can_remember")
    remember = fields.Boolean(
        string="Remember the other side",
        help="Debits by it raise no alarm any more. What a preparer remembers counts when an "
        "approver or bank administrator has confirmed it.",
    )

    @api.depends("discrepancy_ids", "verdict")
    def _compute_can_remember(self):
        for wizard in self:
            wizard.can_remember = (
                wizard.verdict == "ours"
                and set(wizard.discrepancy_ids.mapped("code")) == {"unknown_debit"}
            )

    def action_explain(self):
        """Everything is checked again in the discrepancies' own methods."""
        self.ensure_one()
        self.discrepancy_ids.action_resolve(self.verdict, self.reason)
        if self.remember:
            if not self.can_remember:
                raise UserError(
                    self.env._("Only the other side of a debit that is yours can be remembered.")
                )
            seen = set()
            for each in self.discrepancy_ids:
                # sudo: only told apart.
                line = each.sudo().line_id
                side = (line.account_number, line.partner_name)
                if side not in seen:
                    seen.add(side)
                    self.env["bank.debit.known"]._remember(each, self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_open_again(self):
        self.ensure_one()
        self.discrepancy_ids.action_reopen(self.reason)
        return {"type": "ir.actions.act_window_close"}
