from odoo import api, fields, models
from odoo.exceptions import UserError


class BankApproval(models.Model):
    """One person's decision about one seal. Never changed, never removed."""

    _name = "bank.approval"
    _description = "Bank Approval"
    _order = "id desc"

    batch_id = fields.Many2one(
        "bank.payment.batch", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    decision = fields.Selection(
        [("approved", "Approved"), ("rejected", "Rejected")], required=True, readonly=True
    )
    reason = fields.Text(readonly=True)
    seal = fields.Char(
        required=True,
        readonly=True,
        help="SHA-256 of exactly what was approved: payees, accounts, amounts, dates and texts.",
    )

    _one_decision = models.UniqueIndex(
        "(batch_id, user_id, seal)", "You have decided about this batch already."
    )

    @api.depends("user_id", "decision")
    def _compute_display_name(self):
        labels = dict(self._fields["decision"]._description_selection(self.env))
        for approval in self:
            approval.display_name = f"{approval.user_id.name}: {labels.get(approval.decision)}"

    # It never writes, so there is nothing to hand on.
    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("A decision can't be changed once it is made."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A decision can't be removed once it is made."))
