from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .engine import ENGINE


class BankApprovalRule(models.Model):
    """Who must approve which batches.

    Every rule that applies to a batch asks for its levels: more rules can only ask for more
    people. What is asked is written down when a batch goes to approval, so a change here is for
    batches that come later.
    """

    _name = "bank.approval.rule"
    _description = "Approval Rule"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="Empty: for every company, with the amounts in each company's own currency.",
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id")
    # -- which batches; empty is any, and all that is set must be true of a batch --------------
    journal_ids = fields.Many2many(
        "account.journal",
        string="Bank accounts",
        domain="[('type', '=', 'bank'), ('company_id', '=?', company_id)]",
    )
    currency_ids = fields.Many2many("res.currency", string="Currencies")
    amount_from = fields.Monetary(
        string="Total from",
        currency_field="company_currency_id",
        help="The batch's total in the company's currency. This amount is part of the range.",
    )
    amount_below = fields.Monetary(
        string="Total below",
        currency_field="company_currency_id",
        help="This amount is not part of the range any more. 0: no limit.",
    )
    payment_from = fields.Monetary(
        string="Largest payment from",
        currency_field="company_currency_id",
        help="The largest single payment of the batch, in the company's currency.",
    )
    payment_below = fields.Monetary(
        string="Largest payment below",
        currency_field="company_currency_id",
        help="This amount is not part of the range any more. 0: no limit.",
    )
    new_payee = fields.Boolean(
        string="First payment to a payee", help="Somebody who was never paid over the bank before."
    )
    account_days = fields.Integer(
        string="Account younger than",
        help="Days since the payee's account was entered or last changed. 0: of any age.",
    )
    account_changed = fields.Boolean(
        string="Account changed since the last payment",
        help="The payee was paid before, but to another account, or this one was changed since. "
        "Together with an age, either of the two is enough.",
    )
    country_ids = fields.Many2many(
        "res.country",
        string="Payee's countries",
        help="The payee's address or the country of the account number.",
    )
    urgent = fields.Boolean(string="Urgent or instant")
    # -- who ------------------------------------------------------------------------------------
    in_order = fields.Boolean(
        string="Levels in order",
        default=True,
        help="A level is asked when the one before it has approved. Otherwise all are asked at "
        "once.",
    )
    step_up = fields.Boolean(
        string="Confirm identity",
        help="Whoever approves confirms with password, code or passkey.",
    )
    level_ids = fields.One2many("bank.approval.level", "rule_id", string="Levels", copy=True)
    condition_text = fields.Char(string="Applies to", compute="_compute_condition_text")
    level_text = fields.Char(string="Who approves", compute="_compute_level_text")

    @api.constrains(
        "amount_from", "amount_below", "payment_from", "payment_below", "account_days"
    )
    def _check_ranges(self):
        for rule in self:
            for low, below in (
                (rule.amount_from, rule.amount_below),
                (rule.payment_from, rule.payment_below),
            ):
                if low < 0 or below < 0 or (below and below <= low):
                    raise ValidationError(
                        self.env._("“%s”: the upper amount must be above the lower.", rule.name)
                    )
            if rule.account_days < 0:
                raise ValidationError(self.env._("“%s”: days can't be negative.", rule.name))

    @api.constrains("level_ids", "active")
    def _check_levels(self):
        for rule in self:
            if rule.active and not rule.level_ids:
                raise ValidationError(
                    self.env._("“%s” needs at least one level of people who approve.", rule.name)
                )

    def write(self, vals):
        # Levels may be replaced in one go: what counts is what is there at the end.
        return super(BankApprovalRule, self.with_context(bank_rule_levels=ENGINE)).write(vals)

    @api.depends(
        "journal_ids", "currency_ids", "amount_from", "amount_below", "payment_from",
        "payment_below", "new_payee", "account_days", "account_changed", "country_ids", "urgent",
    )
    @api.depends_context("lang")
    def _compute_condition_text(self):
        for rule in self:
            rule.condition_text = " · ".join(rule._conditions()) or self.env._("Every batch")

    def _conditions(self):
        """The rule's conditions, one short text each."""
        self.ensure_one()
        texts = [
            self._range_text(self.env._("Total"), self.amount_from, self.amount_below),
            self._range_text(self.env._("Largest payment"), self.payment_from, self.payment_below),
            # sudo: an approver may not read every account by which a rule is narrowed.
            ", ".join(self.sudo().journal_ids.mapped("display_name")),
            ", ".join(self.currency_ids.mapped("name")),
            self.new_payee and self.env._("First payment to a payee"),
            self.account_days and self.env._("Account younger than %s days", self.account_days),
            self.account_changed and self.env._("Account changed since the last payment"),
            ", ".join(self.country_ids.mapped("name")),
            self.urgent and self.env._("Urgent or instant"),
        ]
        return [text for text in texts if text]

    def _range_text(self, what, low, below):
        low_text, below_text = self._amount_text(low), self._amount_text(below)
        if low and below:
            return self.env._(
                "%(what)s from %(low)s to below %(below)s",
                what=what, low=low_text, below=below_text,
            )
        if low:
            return self.env._("%(what)s from %(low)s", what=what, low=low_text)
        if below:
            return self.env._("%(what)s below %(below)s", what=what, below=below_text)
        return ""

    def _amount_text(self, amount):
        currency = self.company_currency_id
        return currency.format(amount) if currency else f"{amount:,.2f}"

    @api.depends("level_ids.name", "level_ids.people", "in_order")
    def _compute_level_text(self):
        for rule in self:
            joint = " → " if rule.in_order else " + "
            rule.level_text = joint.join(
                f"{level.people} × {level.name}" for level in rule.level_ids
            )


class BankApprovalLevel(models.Model):
    """One level of a rule: so many people of a group, or of those named."""

    _name = "bank.approval.level"
    _description = "Approval Level"
    _order = "sequence, id"

    rule_id = fields.Many2one("bank.approval.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    people = fields.Integer(
        string="How many", default=1, required=True, help="So many different people must approve."
    )
    group_id = fields.Many2one(
        "res.groups",
        string="Of the group",
        ondelete="set null",
        help="Whoever is in this group and is an approver of the batch's company.",
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Or these people",
        domain="[('share', '=', False)]",
        help="They must be approvers of the batch's company as well.",
    )

    _people_positive = models.Constraint(
        "CHECK(people > 0)", "A level needs at least one person."
    )

    @api.constrains("group_id", "user_ids")
    def _check_who(self):
        for level in self:
            if not level.group_id and not level.user_ids:
                raise ValidationError(
                    self.env._("“%s”: choose a group or name the people.", level.name)
                )

    def unlink(self):
        rules = self.rule_id
        result = super().unlink()
        if self.env.context.get("bank_rule_levels") is not ENGINE:
            rules.exists()._check_levels()
        return result
