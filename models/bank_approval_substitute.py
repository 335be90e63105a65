from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .in_person import check_in_person, same_person


class BankApprovalSubstitute(models.Model):
    """Who may approve on behalf of whom, from when to when.

    The substitute uses the other one's authority: each of the two counts for one batch only once,
    whoever of them acts.
    """

    _name = "bank.approval.substitute"
    _description = "Approval Substitute"
    _order = "date_from desc, id desc"

    principal_id = fields.Many2one(
        "res.users", string="Who is away", required=True, ondelete="restrict", index=True,
        default=lambda self: self.env.user, domain="[('share', '=', False)]",
    )
    substitute_id = fields.Many2one(
        "res.users", required=True, ondelete="restrict", index=True,
        domain="[('share', '=', False)]",
    )
    company_id = fields.Many2one(
        "res.company", help="Empty: in every company for which both may approve."
    )
    date_from = fields.Date(string="First day", required=True, default=fields.Date.context_today)
    date_to = fields.Date(string="Last day", required=True)
    reason = fields.Char(required=True, help="For instance: on holiday.")
    active = fields.Boolean(default=True)

    _dates = models.Constraint("CHECK(date_to >= date_from)", "The last day is before the first.")
    _two_people = models.Constraint(
        "CHECK(principal_id <> substitute_id)", "Nobody is their own substitute."
    )

    @api.depends("principal_id", "substitute_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = self.env._(
                "%(substitute)s for %(principal)s",
                substitute=row.substitute_id.name, principal=row.principal_id.name,
            )

    @api.constrains("principal_id", "substitute_id")
    def _check_approvers(self):
        for row in self:
            if same_person(row.principal_id, row.substitute_id):
                raise ValidationError(self.env._("Nobody is their own substitute."))
            # sudo: users' groups are the administrator's to read; only our own one is asked.
            for user in (row.principal_id + row.substitute_id).sudo():
                if not user.has_group("account_bank_connect.group_approver"):
                    raise ValidationError(
                        self.env._("%s is not an approver, so can't be one here.", user.name)
                    )

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._check_who_appoints()
        return rows

    def write(self, vals):
        if set(vals) - {"date_to", "active", "reason"}:
            raise UserError(
                self.env._("Only the last day and the reason can be changed. Make a new one.")
            )
        self._check_who_appoints()
        return super().write(vals)

    def _check_who_appoints(self):
        """Authority is handed on by its owner, or by an administrator to somebody else."""
        user = self.env.user
        if user.id != SUPERUSER_ID:
            check_in_person(self.env)
        for row in self:
            if row.principal_id == user:
                continue
            if not user.has_group("account_bank_connect.group_admin"):
                raise AccessError(
                    self.env._("You can appoint a substitute for yourself only, not for others.")
                )
            if same_person(row.substitute_id, user):
                raise AccessError(
                    self.env._(
                        "An administrator can't take over %s's authority. Somebody else has to "
                        "appoint you.", row.principal_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Substitutes stay on record. Set an earlier last day instead."))

    @api.model
    def _in_force(self, company, principals=None, substitute=None):
        """Substitutions of today, where the person is who is away.

        The day is not the caller's: a time zone in the context, or one that the substitute sets
        for themselves, would begin it early or end it late.

        :param principals, substitute: of these users only
        """
        around = fields.Date.today()
        domain = [
            ("date_from", "<=", around + timedelta(days=1)),
            ("date_to", ">=", around - timedelta(days=1)),
            ("company_id", "in", (False, company.id)),
        ]
        if principals is not None:
            domain.append(("principal_id", "in", principals.ids))
        if substitute is not None:
            domain.append(("substitute_id", "=", substitute.id))
        # sudo: whoever waits for an approval may know who may give it.
        rows = self.sudo().search(domain, order="id")
        return rows.filtered(
            lambda row: row.date_from <= row._today_there() <= row.date_to
        )

    def _today_there(self):
        """Today, where the person lives whose authority is handed on."""
        zone = self.principal_id.tz
        return fields.Date.context_today(self.with_context(tz=zone or "UTC"))
