from odoo import api, fields, models
from odoo.exceptions import UserError

from . import approval_facts
from .approval_matching import short_of_people
from .audit_mask import ROLES


class BankPaymentBatch(models.Model):
    """What a batch needs to be approved, written down at the moment it is sealed."""

    _inherit = "bank.payment.batch"

    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    approval_amount = fields.Monetary(
        string="Total for approval",
        currency_field="company_currency_id",
        readonly=True,
        copy=False,
        help="The total in the company's currency, by which the approval rules were chosen.",
    )
    approval_rate = fields.Float(
        string="Exchange rate", digits=(16, 10), readonly=True, copy=False,
        help="Units of the company's currency for one of the batch's.",
    )
    approval_rate_date = fields.Date(string="Rate of", readonly=True, copy=False)
    approval_requirement = fields.Char(
        readonly=True, copy=False, help="SHA-256 of the steps that have to be approved."
    )
    step_ids = fields.One2many(
        "bank.approval.step", "batch_id", readonly=True, groups=ROLES
    )
    current_step_ids = fields.Many2many(
        "bank.approval.step", string="Who has to approve", compute="_compute_current_step_ids",
        groups=ROLES,
    )

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {
            "approval_amount",
            "approval_rate",
            "approval_rate_date",
            "approval_requirement",
            "step_ids",
        }

    @api.depends("step_ids", "approval_requirement", "seal")
    def _compute_current_step_ids(self):
        for batch in self:
            batch.current_step_ids = batch._current_steps()

    def _current_steps(self):
        """The steps for what is sealed now; those of an earlier seal are history."""
        return self.step_ids.filtered(
            lambda step: (
                step.seal == self.seal and step.requirement == self.approval_requirement
            )
        ).sorted("number")

    def _seal_now(self):
        # A new seal needs approval anew, by the rules of now.
        result = super()._seal_now()
        for batch in self:
            batch._engine()._require_approval()
        return result

    def _required_content(self):
        return [*super()._required_content(), self.approval_requirement, self._plain_steps()]

    def _plain_steps(self):
        # sudo: the signature covers all of them, whoever asks.
        return self.sudo()._current_steps()._plain()

    def _require_approval(self):
        """Write down which people have to approve what is sealed.

        :raises UserError: no rule applies, or there are not enough people for those that do
        """
        self.ensure_one()
        facts, factor, day = approval_facts.of_batch(self)
        rules = self.env["bank.approval.rule"]._matching(facts)
        if not rules:
            raise UserError(self._no_rule_text(facts))
        levels = rules._levels()
        self._check_enough_people(levels)
        rows = [
            {
                "batch_id": self.id,
                "seal": self.seal,
                "number": step.number,
                "rule_id": level.rule_id.id,
                "rule_name": level.rule_id.name,
                "level_name": level.name,
                "chain": step.chain,
                "position": step.position,
                "people": step.need,
                "step_up": level.rule_id.step_up,
                "group_id": level.group_id.id,
                "user_ids": level.user_ids.ids,
            }
            for step, level in levels
        ]
        steps = self.env["bank.approval.step"]
        requirement = steps._digest(rows)
        self.write(
            {
                "approval_amount": facts.total,
                "approval_rate": factor,
                "approval_rate_date": day,
                "approval_requirement": requirement,
            }
        )
        # Sealed again without any change: what was approved before still counts.
        if not self._current_steps():
            for row in rows:
                row["requirement"] = requirement
                row["user_ids"] = [fields.Command.set(row["user_ids"])]
            steps.with_env(self.env).create(rows)

    def _no_rule_text(self, facts):
        amount = self.currency_id.format(self.amount_total)
        if self.currency_id != self.company_currency_id:
            amount = f"{amount} ({self.company_currency_id.format(facts.total)})"
        return self.env._(
            "No approval rule applies to %(amount)s from %(journal)s, so nobody could approve it. "
            "Ask a bank administrator for a rule that does.",
            amount=amount, journal=self.journal_id.display_name,
        )

    def _check_enough_people(self, levels):
        """Refuse when the levels can't all be approved, each by different people.

        :param levels: list of (step, level), as :meth:`bank.approval.rule._levels` gives them
        """
        kept_out = self._kept_out()[self]
        people = {}
        for step, level in levels:
            for user in level._people(self.company_id):
                if user not in kept_out:
                    # By person: who has two logins is one.
                    people.setdefault(user.partner_id, set()).add(step.number)
        short = short_of_people(
            [step for step, _level in levels],
            [(person, frozenset(numbers)) for person, numbers in people.items()],
        )
        if not short:
            return
        names = {
            step.number: self.env._(
                "“%(level)s” of “%(rule)s”", level=level.name, rule=level.rule_id.name
            )
            for step, level in levels
        }
        need = {step.number: step.need for step, _level in levels}
        lines = []
        for numbers, users in dict.fromkeys(short):
            lines.append(
                self.env._(
                    "%(levels)s: %(need)s different people are needed. There are: %(people)s.",
                    levels=", ".join(names[number] for number in sorted(numbers)),
                    need=sum(need[number] for number in numbers),
                    people=", ".join(sorted(user.name for user in users)) or self.env._("none"),
                )
            )
        raise UserError(
            self.env._(
                "%s can't be sent to approval: too few people may approve it. Whoever prepared it, "
                "or created or changed a payee's account in it, doesn't count.",
                self.name,
            )
            + "\n"
            + "\n".join(lines)
        )
