import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .engine import ENGINE

_logger = logging.getLogger(__name__)

ACTIVITY = "account_bank_connect.activity_security"
FIRST_PERIOD = timedelta(days=90)  # that the first review looks back for what was done


class BankSecurityReview(models.Model):
    """What somebody who wanted to steal would look for, in one company and its branches.

    Made once a month, and whenever somebody asks. Each review is compared with the one before it.
    """

    _name = "bank.security.review"
    _description = "Security Review"
    _inherit = ["bank.engine.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "create_date"
    _mail_post_access = "read"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    create_date = fields.Datetime(string="Made on", readonly=True)
    create_uid = fields.Many2one("res.users", string="Made by", readonly=True)
    since = fields.Datetime(
        string="Looks back to", readonly=True, help="For what was done: the review before."
    )
    previous_id = fields.Many2one("bank.security.review", string="Review before", readonly=True)
    finding_ids = fields.One2many("bank.security.finding", "review_id", readonly=True)
    high = fields.Integer(string="Critical", readonly=True, aggregator=None)
    medium = fields.Integer(string="Important", readonly=True, aggregator=None)
    note = fields.Integer(string="To consider", readonly=True, aggregator=None)
    new = fields.Integer(
        string="Newly found", readonly=True, aggregator=None,
        help="Not there at the review before.",
    )
    still = fields.Integer(string="Still open", readonly=True, aggregator=None)
    closed = fields.Integer(readonly=True, aggregator=None, help="There before, and mended.")
    accepted = fields.Integer(
        string="Accepted risk",
        compute="_compute_accepted", help="Somebody else than the one concerned said why it stays."
    )
    is_last = fields.Boolean(compute="_compute_is_last")

    @api.depends("company_id", "create_date")
    def _compute_display_name(self):
        for review in self:
            day = fields.Datetime.context_timestamp(review, review.create_date or review._now())
            review.display_name = f"{review.company_id.name}, {day:%Y-%m-%d}"

    @api.depends("finding_ids.state")
    def _compute_accepted(self):
        for review in self:
            review.accepted = sum(each.state == "accepted" for each in review.finding_ids)

    @api.depends("company_id")
    def _compute_is_last(self):
        newest = dict(
            self._read_group(
                [("company_id", "in", self.company_id.ids)], ["company_id"], ["id:max"]
            )
        )
        for review in self:
            review.is_last = newest.get(review.company_id) == review.id

    @api.model
    def _now(self):
        return fields.Datetime.now()

    def action_print(self):
        """Open the review as a PDF: at its own address, which asks no browser for a printer."""
        self.check_access("read")
        report = self.env.ref("account_bank_connect.action_report_security_review")
        numbers = ",".join(map(str, self.ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/report/pdf/{report.report_name}/{numbers}",
            "target": "new",
        }

    # -- making one -----------------------------------------------------------------------------

    @api.model
    def action_review(self):
        """Review the companies that the user works in, now."""
        if not self.env.user.has_groups(
            "account_bank_connect.group_admin,account_bank_connect.group_auditor"
        ):
            raise AccessError(
                self.env._("Only an auditor or a bank administrator may ask for a security review.")
            )
        companies = self.env.companies.filtered(lambda each: each in self.env.user.company_ids)
        # sudo: reviews are made here only, so that none leaves out what somebody chose.
        reviews = self.sudo()._review(companies.root_id & companies or companies)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Security review"),
            "res_model": self._name,
            "view_mode": "form" if len(reviews) == 1 else "list,form",
            "res_id": reviews.id if len(reviews) == 1 else False,
            "domain": [("id", "in", reviews.ids)],
        }

    @api.model
    def _cron_review(self):
        """Scheduled action: review every company that has a bank connection."""
        connections = self.env["bank.connection"].search([])  # pylint: disable=no-search-all
        companies = connections.company_id.root_id
        for review in self._review(companies):
            review._tell()

    @api.model
    def _review(self, companies):
        reviews = self.browse()
        for company in companies:
            # Facts are kept as they are; only the sentences about them speak a language.
            reviews |= self._engine()._review_one(company)
        return reviews

    @api.model
    def _engine(self):
        """The right to write reviews, which no remote call can carry."""
        return self.with_context(bank_engine=ENGINE, tracking_disable=True)

    @api.model
    def _review_one(self, company):
        previous = self.search([("company_id", "=", company.id)], limit=1)
        since = previous.create_date or self._now() - FIRST_PERIOD
        found = self.env["bank.security.check"]._look(company, since)
        review = self.create(
            {"company_id": company.id, "since": since, "previous_id": previous.id}
        )
        findings = self.env["bank.security.finding"]._of_review(review, found)
        active = findings.filtered(lambda each: each.state != "closed")
        review.write(
            {
                **{
                    weight: sum(
                        each.severity == weight and each.state == "open" for each in active
                    )
                    for weight in ("high", "medium", "note")
                },
                "new": sum(each.trend == "new" for each in active),
                "still": sum(each.trend == "still" for each in active),
                "closed": len(findings - active),
            }
        )
        self.env["bank.audit.event"]._record(
            "review_made", review,
            high=review.high, medium=review.medium, note=review.note, new=review.new,
            closed=review.closed,
        )
        return review

    def _tell(self):
        """Give those who can mend it one task, where there is something urgent."""
        self.ensure_one()
        self.env["bank.security.review"].search(
            [("company_id", "=", self.company_id.id), ("id", "!=", self.id)]
        ).activity_unlink([ACTIVITY])
        if not self.high:
            return
        for user in self._people_to_tell():
            review = self.with_context(lang=user.lang, tz=user.tz)
            review.activity_schedule(
                ACTIVITY, user_id=user.id,
                summary=review.env._("Critical findings of the security review: %s", review.high),
            )

    def _people_to_tell(self):
        group = self.env.ref("account_bank_connect.group_admin")
        # sudo: who they are is no secret, but users' groups are the administrator's to read.
        return group.sudo().all_user_ids.filtered(
            lambda user: user.active
            and self.company_id in user.company_ids
            and not user._is_superuser()
        )

    # -- the report -----------------------------------------------------------------------------

    def _report_parts(self):
        """What the printed review shows: list of (title, findings), without what is empty."""
        self.ensure_one()
        parts = [
            (self.env._("Newly found"), lambda each: each.trend == "new" and each.state == "open"),
            (self.env._("Still open"), lambda each: each.trend == "still" and each.state == "open"),
            (self.env._("Accepted risk"), lambda each: each.state == "accepted"),
            (self.env._("Closed since the review before"), lambda each: each.state == "closed"),
        ]
        found = [(title, self.finding_ids.filtered(test)) for title, test in parts]
        return [(title, findings) for title, findings in found if findings]

    # -- kept -----------------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._check_engine()
        return super().create(vals_list)

    def write(self, vals):
        # The chatter's and the tasks' own columns are nobody's secret.
        if not set(vals) <= {"activity_ids", "message_follower_ids", "message_ids"}:
            self._check_engine()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._check_engine()

    def _check_engine(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self.env._("A security review is made by looking, not by hand."))
