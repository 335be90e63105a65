"""Each month's statement: made as a draft, asked for, and looked at again every day."""

from datetime import timedelta

from odoo import api, fields, models

from .bank_reconciliation import PREPARERS, REVIEWERS

ACTIVITY = "account_bank_connect.activity_reconciliation"
LOOK_BACK = timedelta(days=400)  # signed statements of this time are compared with the books


class ResCompany(models.Model):
    _inherit = "res.company"

    bank_reconciliation_monthly = fields.Boolean(
        string="Reconciliation statement each month", default=True,
        help="At the start of a month a draft is made for each bank account, and its preparer is "
        "reminded.",
    )
    bank_reconciliation_old_days = fields.Integer(
        string="Mark items open for (days)", default=30,
        help="Items in transit that are older are marked on bank reconciliation statements.",
    )


class BankReconciliation(models.Model):
    _inherit = "bank.reconciliation"

    # -- the scheduled action ---------------------------------------------------------------------

    @api.model
    def _cron_reconciliation(self):
        """Scheduled action: draft last month's statements; compare signed ones with the books."""
        today = fields.Date.context_today(self)
        day = today.replace(day=1) - timedelta(days=1)
        wanted = self._journals_without(day)
        signed = self.search(
            [
                ("state", "in", ("prepared", "reviewed")),
                ("date", ">=", today - LOOK_BACK),
            ],
            order="id",
        )
        crons = self.env["ir.cron"]
        remaining = len(wanted) + len(signed)
        for journal in wanted:
            sheet = self.with_company(journal.company_id)._make(journal, day)
            sheet._ask_to_prepare()
            remaining -= 1
            crons._commit_progress(1, remaining=remaining)
        for sheet in signed:
            sheet._look_for_changes()
            remaining -= 1
            crons._commit_progress(1, remaining=remaining)

    @api.model
    def _journals_without(self, day):
        """Bank accounts that have bookings of the bank, and no statement of a day."""
        companies = self.env["res.company"].search([("bank_reconciliation_monthly", "=", True)])
        journals = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "in", companies.ids)]
        )
        made = self.search([("journal_id", "in", journals.ids), ("date", "=", day)]).journal_id
        booked = self.env["account.bank.statement.line"]._read_group(
            [("journal_id", "in", (journals - made).ids), ("date", "<=", day)], ["journal_id"]
        )
        return journals.browse(journal.id for (journal,) in booked)

    # -- asking people ----------------------------------------------------------------------------

    def _ask_to_prepare(self):
        last = self.previous_id.prepared_by_id
        people = self._people(PREPARERS)
        self._ask(last & people or people, lambda env: env._("Prepare and sign the statement"))

    def _ask_to_review(self):
        """The preparer's task is done; somebody else has one."""
        self._stop_asking()
        last = self.previous_id.reviewed_by_id
        people = self._people(REVIEWERS).filtered(
            lambda user: user.partner_id != self.prepared_by_id.partner_id
        )
        self._ask(last & people or people, lambda env: env._("Review and sign the statement"))

    def _tell_preparer(self, text):
        """A task for whoever signed first.

        :param text: in the language of whoever caused it
        """
        self._ask(self.prepared_by_id.filtered("active"), lambda _env: text)

    def _ask(self, users, what):
        self.ensure_one()
        for user in users:
            # sudo: nobody has the right to write statements; a task is written beside one.
            sheet = self.sudo().with_context(lang=user.lang, tz=user.tz)
            sheet.activity_schedule(ACTIVITY, user_id=user.id, summary=what(sheet.env))

    def _stop_asking(self):
        # sudo: as above
        self.sudo().activity_unlink([ACTIVITY])

    def _people(self, groups):
        """Who has one of these rights in the company, and audits nothing."""
        auditors = self.env.ref("account_bank_connect.group_auditor").sudo().all_user_ids
        # sudo: who they are is no secret, but users' groups are the administrator's to read.
        users = self.env["res.users"].sudo().union(
            *(self.env.ref(group).sudo().all_user_ids for group in groups.split(","))
        )
        return users.filtered(
            lambda user: user.active
            and not user.share
            and user not in auditors
            and self.company_id in user.company_ids
            and not user._is_superuser()
        )
