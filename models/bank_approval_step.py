import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .approval_matching import Step
from .engine import ENGINE


class BankApprovalStep(models.Model):
    """One level that one batch has to pass, as the rules stood when it went to approval.

    A copy, so that a rule changed later changes no batch on its way. Never changed, never removed:
    a batch that is sealed again gets steps of its own, and the old ones stay as evidence.
    """

    _name = "bank.approval.step"
    _description = "Approval Step"
    _inherit = ["bank.engine.mixin"]
    _order = "batch_id, id"

    batch_id = fields.Many2one(
        "bank.payment.batch", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    seal = fields.Char(required=True, readonly=True, help="The seal that this was asked for.")
    requirement = fields.Char(
        required=True, readonly=True, help="SHA-256 of all steps that were asked for together."
    )
    number = fields.Integer(readonly=True, aggregator=None)
    rule_id = fields.Many2one(
        "bank.approval.rule", string="Approval Rule", readonly=True, ondelete="set null"
    )
    rule_name = fields.Char(string="Rule", readonly=True)
    level_name = fields.Char(string="Level", readonly=True)
    chain = fields.Integer(readonly=True, aggregator=None, help="Steps of one rule share it.")
    position = fields.Integer(
        readonly=True, aggregator=None, help="Steps of one rule with a smaller one come first."
    )
    people = fields.Integer(string="Needed", readonly=True, aggregator=None)
    step_up = fields.Boolean(string="Confirm identity", readonly=True)
    group_id = fields.Many2one("res.groups", readonly=True, ondelete="set null")
    user_ids = fields.Many2many("res.users", string="Named people", readonly=True)
    state = fields.Selection(
        [("waiting", "Later"), ("open", "Now"), ("done", "Complete")],
        compute="_compute_standing",
    )
    given = fields.Integer(string="Approved", compute="_compute_standing")
    given_names = fields.Char(string="Approved by", compute="_compute_standing")
    next_names = fields.Char(string="Who may approve", compute="_compute_standing")

    @api.depends("rule_name", "level_name")
    def _compute_display_name(self):
        for step in self:
            step.display_name = f"{step.rule_name}: {step.level_name}"

    @api.depends("batch_id.approval_ids", "batch_id.state", "batch_id.approval_requirement")
    def _compute_standing(self):
        for batch, steps in self.grouped("batch_id").items():
            standing = batch._standing()
            for step in steps:
                shown = standing.of_step(step)
                step.state = shown["state"]
                step.given = len(shown["given"])
                step.given_names = ", ".join(shown["given"])
                step.next_names = ", ".join(shown["next"])

    def _as_step(self):
        """The step as the matching of people takes it."""
        self.ensure_one()
        return Step(self.number, self.people, self.chain, self.position)

    def _people(self):
        """Who belongs to this step: approvers of the company in its group or named."""
        self.ensure_one()
        return self.env["bank.approval.level"]._people_of(
            self.sudo().group_id, self.sudo().user_ids, self.company_id
        )

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("What has to be approved follows from the rules only."))
        return super().create(vals_list)

    # It never writes, so there is nothing to hand on.
    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What a batch needs can't be changed once it was asked for."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What a batch needs can't be removed once it was asked for."))

    @api.model
    def _plain_rows(self, rows):
        return [
            [
                row["number"],
                row["rule_name"],
                row["level_name"],
                row["chain"],
                row["position"],
                row["people"],
                row["step_up"],
                row["group_id"] or 0,
                sorted(row["user_ids"]),
            ]
            for row in rows
        ]

    @api.model
    def _digest(self, rows):
        """The fingerprint of what is asked for together.

        :param rows: values of the steps, as :meth:`create` takes them
        :return: SHA-256, hexadecimal
        """
        text = json.dumps(self._plain_rows(rows), separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def _plain(self):
        """These steps as plain values, for a signature to cover."""
        return self._plain_rows(
            [
                {
                    "number": step.number,
                    "rule_name": step.rule_name,
                    "level_name": step.level_name,
                    "chain": step.chain,
                    "position": step.position,
                    "people": step.people,
                    "step_up": step.step_up,
                    "group_id": step.group_id.id,
                    "user_ids": step.with_context(active_test=False).user_ids.ids,
                }
                for step in self.sorted("number")
            ]
        )
