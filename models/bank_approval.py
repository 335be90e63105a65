from odoo import api, fields, models
from odoo.exceptions import UserError


class BankApproval(models.Model):
    """One person's decision about one seal. Never changed, never removed."""

    _name = "bank.approval"
    _description = "Bank Approval"
    _inherit = ["bank.engine.mixin"]
    _order = "id desc"

    batch_id = fields.Many2one(
        "bank.payment.batch", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    on_behalf_of_id = fields.Many2one(
        "res.users",
        readonly=True,
        ondelete="restrict",
        help="Whose authority the substitute used.",
    )
    superuser = fields.Boolean(
        string="With the rights of the system",
        readonly=True,
        help="The decision was made by code that ran past the user's own rights.",
    )
    decision = fields.Selection(
        [("approved", "Approved"), ("rejected", "Rejected")], required=True, readonly=True
    )
    reason = fields.Text(readonly=True)
    seal = fields.Char(
        required=True,
        readonly=True,
        help="SHA-256 of exactly what was approved: payees, accounts, amounts, dates and texts.",
    )
    requirement = fields.Char(
        readonly=True, help="SHA-256 of the steps that were asked for when this was decided."
    )
    counts_for = fields.Char(
        readonly=True,
        help="Numbers of the steps that this approval may be counted for: those that its giver "
        "belongs to and that were open at that moment.",
    )

    _one_decision = models.UniqueIndex(
        "(batch_id, user_id, seal, requirement) WHERE decision = 'approved'",
        "You have decided about this batch already.",
    )
    _one_authority = models.UniqueIndex(
        "(batch_id, on_behalf_of_id, seal, requirement) WHERE decision = 'approved'",
        "This authority was used for this batch already.",
    )

    @api.depends("user_id", "on_behalf_of_id", "decision")
    def _compute_display_name(self):
        labels = dict(self._fields["decision"]._description_selection(self.env))
        for approval in self:
            approval.display_name = f"{approval._who()}: {labels.get(approval.decision)}"

    def _who(self):
        """The person, and for whom."""
        if not self.on_behalf_of_id:
            return self.user_id.name
        return self.env._(
            "%(substitute)s for %(principal)s",
            substitute=self.user_id.name,
            principal=self.on_behalf_of_id.name,
        )

    def _authority(self):
        """The user whose authority was used."""
        return self.on_behalf_of_id or self.user_id

    def _choices(self):
        """Numbers of the steps that this approval may be counted for."""
        return frozenset(int(number) for number in (self.counts_for or "").split())

    # It never writes, so there is nothing to hand on.
    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("A decision can't be changed once it is made."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A decision can't be removed once it is made."))
