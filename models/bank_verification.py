"""Comparing what was approved, what the bank says and what the ledger says: when, and how far.

A run goes through a company in steps, each committed by the scheduled action, so that a large
company holds nobody up and a run that was cut off goes on where it stopped.
"""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from psycopg2 import InterfaceError, OperationalError

from .bank_discrepancy_check import SLICE
from .bank_message_send import COLLISIONS
from .engine import ENGINE

_logger = logging.getLogger(__name__)

AT_ONCE = 20_000  # so many are verified while somebody waits; more in the background
STEPS = ("batches", "accounts", "payments", "bookings")


class BankVerification(models.Model):
    """One verification of one company: proof that somebody looked, and how far it got."""

    _name = "bank.verification"
    _description = "Verification of Bank and Ledger"
    _inherit = ["bank.engine.only"]
    _order = "id desc"
    _rec_name = "started_on"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", string="Asked by", readonly=True)
    started_on = fields.Datetime(readonly=True)
    finished_on = fields.Datetime(readonly=True)
    payments = fields.Integer(string="Payments verified", readonly=True, aggregator=None)
    bookings = fields.Integer(string="Bookings verified", readonly=True, aggregator=None)
    found = fields.Integer(string="New or reopened", readonly=True, aggregator=None)
    closed = fields.Integer(string="Gone by themselves", readonly=True, aggregator=None)
    remaining = fields.Integer(string="Unexplained after it", readonly=True, aggregator=None)
    position = fields.Json(readonly=True, help="Where an unfinished run goes on.")

    _unfinished = models.UniqueIndex(
        "(company_id) WHERE finished_on IS NULL", "This company is being verified."
    )

    # -- asked for --------------------------------------------------------------------------------

    @api.model
    def action_verify_now(self):
        """Verify the companies that the user works in, now."""
        self._check_may_verify()
        companies = self.env.companies.filtered(lambda each: each in self.env.user.company_ids)
        return self._verify_now(companies)

    @api.model
    def _check_may_verify(self):
        if not self.env.user.has_groups(
            "account_bank_connect.group_preparer,account_bank_connect.group_approver,"
            "account_bank_connect.group_admin,account_bank_connect.group_auditor"
        ):
            raise AccessError(self.env._("You may not verify bank and ledger."))

    @api.model
    def _verify_now(self, companies):
        # sudo: a verification looks at everything, so that none leaves out what somebody chose.
        engine = self.sudo()._engine()
        if any(engine._size(company) > AT_ONCE for company in companies):
            return self.env["bank.connection"]._run_soon(
                "account_bank_connect.cron_verify", self.env._("The verification starts now.")
            )
        for company in companies:
            run = engine._begin(company, self.env.user)
            while run._step():
                pass
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_discrepancy"
        )
        return action | {"target": "main"}

    # -- by itself --------------------------------------------------------------------------------

    @api.model
    def _cron_verify(self):
        """Scheduled action: go on with what was cut off, else verify every company anew."""
        engine = self._engine()
        runs = engine.search([("finished_on", "=", False)])
        if not runs:
            runs = engine.union(
                *(engine._begin(company) for company in engine._companies())
            )
        cron = self.env["ir.cron"]
        cron._commit_progress(0, remaining=len(runs))
        for run in runs:
            more, collisions = True, 0
            while more:
                try:
                    more = run._step()
                except COLLISIONS:
                    # Another worker came between: the step is as it was.
                    self.env.cr.rollback()
                    self.env.invalidate_all()
                    collisions += 1
                    if collisions > 3:
                        raise
                    continue
                collisions = 0
                if not cron._commit_progress(0 if more else 1):
                    self.env.ref("account_bank_connect.cron_verify")._trigger()
                    return

    @api.model
    def _companies(self):
        """Companies with a connected bank account."""
        journals = self.env["account.journal"].search([("bank_connection_id", "!=", False)])
        return journals.company_id

    # -- step by step -----------------------------------------------------------------------------

    @api.model
    def _engine(self):
        return self.with_context(bank_engine=ENGINE, tracking_disable=True)

    @api.model
    def _begin(self, company, user=None):
        """A run of this company; one that was cut off goes on."""
        run = self.search([("company_id", "=", company.id), ("finished_on", "=", False)], limit=1)
        return run or self.create(
            {
                "company_id": company.id,
                "user_id": user and user.id,
                "started_on": fields.Datetime.now(),
                "position": {"step": 0, "after": 0},
            }
        )

    def _step(self):
        """Verify the next part.

        :return: whether there is more
        """
        self.ensure_one()
        number, after = self.position["step"], self.position["after"]
        company = self.company_id
        check = self.env["bank.discrepancy.check"].with_company(company).with_context(
            allowed_company_ids=company.ids, lang=company.partner_id.lang or "en_US",
        )
        step = STEPS[number]
        values = {}
        if step in ("payments", "bookings"):
            ids = self._next(step, after)
            if ids:
                news, closed = check._verify(step, company, ids)
                values[step] = self[step] + len(ids)
                position = {"step": number, "after": ids[-1]}
            if len(ids) < SLICE:
                position = {"step": number + 1, "after": 0}
            if not ids:
                news, closed = check.env["bank.discrepancy"], 0
        else:
            news, closed = check._verify(step, company)
            position = {"step": number + 1, "after": 0}
        news._tell()
        values |= {
            "position": position, "found": self.found + len(news), "closed": self.closed + closed,
        }
        more = position["step"] < len(STEPS)
        if not more:
            values |= {
                "position": False,
                "finished_on": fields.Datetime.now(),
                "remaining": self.env["bank.discrepancy"].search_count(
                    [("company_id", "=", company.id), ("state", "=", "open")]
                ),
            }
        self.write(values)
        self.env.flush_all()
        # Memory stays flat, however many slices there are.
        self.env.invalidate_all()
        return more

    def _horizon(self):
        """What was last touched before this is not looked at again, unless it is still open."""
        days = self.company_id.bank_verify_days
        return self.started_on - timedelta(days=days) if days else fields.Datetime.to_datetime(
            "1970-01-01"
        )

    def _next(self, step, after):
        """Numbers of the next slice of payments or bookings."""
        self.env.flush_all()
        query = self._query_payments if step == "payments" else self._query_bookings
        rows = self.env.execute_query(query(after, SLICE))
        return [row[0] for row in rows]

    @api.model
    def _size(self, company):
        """How much there is to look at."""
        run = self.new({"company_id": company.id, "started_on": fields.Datetime.now()})
        self.env.flush_all()
        size = 0
        for query in (run._query_payments, run._query_bookings):
            count = SQL("SELECT count(*) FROM (%s) part", query(0, AT_ONCE + 1))
            size += self.env.execute_query(count)[0][0]
        return size

    def _query_payments(self, after, limit):
        return SQL(
            """
            SELECT payment.id
              FROM account_payment payment
              JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
             WHERE payment.id > %(after)s AND batch.company_id = %(company)s
               AND (batch.state IN ('sending', 'uncertain', 'sent', 'accepted')
                    OR payment.write_date >= %(horizon)s
                    OR payment.id IN (
                        SELECT payment_id FROM bank_discrepancy
                         WHERE company_id = %(company)s AND (state = 'open' OR present)))
          ORDER BY payment.id
             LIMIT %(limit)s
            """,
            after=after, company=self.company_id.id, horizon=self._horizon(), limit=limit,
        )

    def _query_bookings(self, after, limit):
        return SQL(
            """
            SELECT line.id
              FROM account_bank_statement_line line
              JOIN account_journal journal ON journal.id = line.journal_id
             WHERE line.id > %(after)s AND line.company_id = %(company)s
               AND journal.bank_connection_id IS NOT NULL
               AND (line.create_date >= %(horizon)s
                    OR line.id IN (
                        SELECT line_id FROM bank_discrepancy
                         WHERE company_id = %(company)s AND (state = 'open' OR present)))
          ORDER BY line.id
             LIMIT %(limit)s
            """,
            after=after, company=self.company_id.id, horizon=self._horizon(), limit=limit,
        )

    # -- kept -------------------------------------------------------------------------------------

    def _engine_sentence(self):
        return self.env._("A verification is made by looking, not by hand.")


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _process_steps(self):
        yield from super()._process_steps()
        self._verify_bookings()

    def _verify_bookings(self):
        """Look at what a document booked, at once: money that nobody ordered can't wait.

        Whatever goes wrong here is no reason to lose the bank's document: the next verification
        looks again.
        """
        try:
            with self.env.cr.savepoint():
                self.env["bank.discrepancy.check"]._verify_document(self)
                self.env.flush_all()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            self.env.invalidate_all()
            _logger.exception("The bookings of %s could not be verified", self.name)


class BankConnection(models.Model):
    _inherit = "bank.connection"

    def action_verify_now(self):
        """Verify payments, bookings and balances of the connected accounts' companies."""
        self.env["bank.verification"]._check_may_verify()
        self.check_access("read")
        # sudo: only whose accounts these are is asked.
        companies = self.sudo().journal_ids.company_id
        companies &= self.env.user.company_ids
        return self.env["bank.verification"]._verify_now(companies)
