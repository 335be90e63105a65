from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from .engine import ENGINE
from .in_person import check_in_person
from .security_texts import CATALOGUE, say

SEVERITIES = [("high", "Critical"), ("medium", "Important"), ("note", "To consider")]
WEIGHT = {"note": 0, "medium": 1, "high": 2}
ACCEPTED_FOR = relativedelta(years=1)  # then somebody has to say so again


class BankSecurityFinding(models.Model):
    """One thing that a review found: a code and facts, told in the reader's language.

    The same thing found again keeps its identity, so that it is known since when it is there, and
    that somebody accepted it. It opens again after a year, or when it got worse.
    """

    _name = "bank.security.finding"
    _description = "Finding of a Security Review"
    _inherit = ["bank.engine.only"]
    _order = "review_id desc, severity, state desc, id"  # high, medium, note

    review_id = fields.Many2one(
        "bank.security.review", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="review_id.company_id", store=True, index=True)
    code = fields.Char(required=True, readonly=True, help="Of the catalogue in security_texts.")
    severity = fields.Selection(SEVERITIES, required=True, readonly=True)
    # What it is about. Not followed by the database: a finding outlives its record.
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    identity = fields.Char(readonly=True, help="The same in every review that finds it.")
    facts = fields.Json(readonly=True, help="The values of the sentence.")
    # Numbers as text: who is concerned is remembered although users may go.
    concerned = fields.Char(readonly=True)
    text = fields.Text(string="What was found", compute="_compute_text")
    cure = fields.Text(string="What to do", compute="_compute_text")
    first_found = fields.Datetime(string="Known since", readonly=True)
    trend = fields.Selection(
        [("new", "Newly found"), ("still", "Known"), ("closed", "Closed")],
        required=True, readonly=True,
    )
    # open ──► accepted ──(a year, or worse)──► open;  closed by the next review
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted risk"), ("closed", "Closed")],
        required=True, readonly=True,
    )
    accepted_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    accepted_on = fields.Datetime(readonly=True)
    accepted_until = fields.Date(readonly=True)
    reason = fields.Text(string="Why it is accepted", readonly=True)
    may_accept = fields.Boolean(compute="_compute_may_accept")

    @api.depends("code")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for finding in self:
            # What an older version found may have no text any more.
            entry = CATALOGUE.get(finding.code)
            finding.display_name = say(self.env, entry.title) if entry else finding.code

    @api.depends("code", "facts")
    @api.depends_context("lang")
    def _compute_text(self):
        for finding in self:
            entry = CATALOGUE.get(finding.code)
            finding.text = entry and say(self.env, entry.sentence, finding._spoken_facts())
            finding.cure = entry and say(self.env, entry.cure)

    def _spoken_facts(self):
        """The facts in the reader's words: dates, and what happened, by their language."""
        facts = dict(self.facts or {})
        for name in {"date", "since"} & facts.keys():
            # Where there is no date, its place holds a dash.
            if facts[name][:1].isdigit():
                facts[name] = format_date(self.env, facts[name][:10])
        if "kinds" in facts:
            labels = self.env["bank.audit.event"]._fields["kind"]
            labels = dict(labels._description_selection(self.env))
            facts["kinds"] = ", ".join(
                f"{labels.get(kind, kind)}: {count}" for kind, count in facts["kinds"].items()
            )
        return facts

    # -- from review to review --------------------------------------------------------------------

    @api.model
    def _of_review(self, review, found):
        """Write down what was found, compared with the review before.

        :param found: list of ``bank_security_check.Found``
        """
        before = {
            each.identity: each
            for each in review.previous_id.finding_ids
            if each.state != "closed"
        }
        rows = {each.identity(): self._row(review, each, before) for each in found}
        gone = [
            each._closed_row(review)
            for identity, each in before.items()
            if identity not in rows and each.code in CATALOGUE and not CATALOGUE[each.code].past
        ]
        return self.create([*rows.values(), *gone])

    @api.model
    def _row(self, review, found, before):
        severity = found.severity or CATALOGUE[found.code].severity
        known = before.get(found.identity())
        row = {
            "review_id": review.id,
            "code": found.code,
            "severity": severity,
            "res_model": found.record._name if found.record else False,
            "res_id": found.record.id if found.record else False,
            "identity": found.identity(),
            "facts": found.facts,
            "concerned": " ".join(str(number) for number in found.people),
            "first_found": known.first_found if known else fields.Datetime.now(),
            "trend": "still" if known else "new",
            "state": "open",
        }
        if known and known._still_accepted(severity):
            row |= {
                "state": "accepted",
                "accepted_by_id": known.accepted_by_id.id,
                "accepted_on": known.accepted_on,
                "accepted_until": known.accepted_until,
                "reason": known.reason,
            }
        return row

    def _still_accepted(self, severity):
        return (
            self.state == "accepted"
            and self.accepted_until >= fields.Date.today()
            and WEIGHT[severity] <= WEIGHT[self.severity]
        )

    def _closed_row(self, review):
        return {
            "review_id": review.id,
            "state": "closed",
            "trend": "closed",
            **{
                name: self[name]
                for name in (
                    "code", "severity", "res_model", "res_id", "identity", "facts", "concerned",
                    "first_found",
                )
            },
        }

    # -- accepting ------------------------------------------------------------------------------

    @api.depends_context("uid")
    @api.depends("state", "concerned")
    def _compute_may_accept(self):
        entitled = self._entitled()
        for finding in self:
            finding.may_accept = (
                entitled and finding.state == "open" and not finding._concerns(self.env.user)
                and finding.review_id.is_last
            )

    @api.model
    def _entitled(self):
        return self.env.user.has_groups(
            "account_bank_connect.group_admin,account_bank_connect.group_auditor"
        )

    def _concerns(self, user):
        """Whether it is about this person; a second login of theirs counts as them."""
        numbers = [int(number) for number in (self.concerned or "").split()]
        # sudo: only whose logins these are is looked at.
        people = self.env["res.users"].sudo().browse(numbers).exists().partner_id
        return user.id in numbers or user.sudo().partner_id in people

    def action_accept(self, reason):
        """Say why findings may stay as they are, for a year, as somebody whom they don't concern.

        :raises AccessError: you may not, or one of them is about you
        :raises UserError: no reason, or not open in the latest review
        """
        self.check_access("read")
        if not self._entitled() or self.env.user._is_superuser():
            raise AccessError(
                self.env._("Only an auditor or a bank administrator may accept a finding.")
            )
        check_in_person(self.env)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why it is accepted: auditors read it."))
        for finding in self:
            if finding._concerns(self.env.user):
                raise AccessError(
                    self.env._("“%s” is about you: somebody else has to accept it.", finding.text)
                )
            if finding.state != "open" or not finding.review_id.is_last:
                raise UserError(
                    self.env._("Only what is open in the latest review can be accepted.")
                )
        # sudo: findings are nobody's to edit; an acceptance is written here only.
        self.sudo().with_context(bank_engine=ENGINE).write(
            {
                "state": "accepted",
                "accepted_by_id": self.env.user.id,
                "accepted_on": fields.Datetime.now(),
                "accepted_until": fields.Date.today() + ACCEPTED_FOR,
                "reason": reason.strip(),
            }
        )
        for finding in self:
            self.env["bank.audit.event"]._record(
                "finding_accepted", finding.review_id,
                code=finding.code, facts=finding.facts, reason=reason.strip(),
            )

    def action_open_record(self):
        """What the finding is about."""
        self.ensure_one()
        if not self.res_model or self.res_model not in self.env:
            raise UserError(self.env._("This is about the whole installation."))
        record = self.env[self.res_model].browse(self.res_id).exists()
        if not record:
            raise UserError(self.env._("It was removed meanwhile."))
        return record.get_formview_action()

    # -- kept -----------------------------------------------------------------------------------

    def _engine_sentence(self):
        return self.env._("A finding is made by looking, not by hand.")
