"""Sending: commit, call, commit.

A message is taken by one worker (``FOR UPDATE SKIP LOCKED``), marked as sending and committed
before the first byte leaves. The call ends in one of four outcomes, and each is written down and
committed before anything else happens. Nothing here ever sends a message again unless it is
certain that the bank does not have it.
"""

import logging
import random
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..connectors.interface import Document, FetchError, NotSent, Refused, Uncertain

_logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # longer than any call: the connector's total time-out is shorter
FIRST_PAUSE, LONGEST_PAUSE = 30, 3600  # seconds between attempts
# A bank that does not know a message may still be reading it: do not believe it too early.
SETTLE_TIME = timedelta(minutes=2)
COMPLAIN_AFTER = 5  # failed attempts before a person is told


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model
    def _cron_send(self):
        """Scheduled action: send what is queued, one message at a time."""
        self._find_abandoned()
        while message := self._take():
            message._send()
            if not self.env["ir.cron"]._commit_progress(1):
                self.env.ref("account_bank_connect.cron_send")._trigger()
                break

    @api.model
    def _find_abandoned(self):
        """A message still marked as sending after its lease was left by a crash: uncertain."""
        abandoned = self.search(
            [("state", "=", "sending"), ("lease_until", "<", fields.Datetime.now())]
        )
        for message in abandoned:
            message._end_uncertain(
                "abandoned", self.env._("The server stopped while the message was being sent.")
            )
        if abandoned:
            self.env["ir.cron"]._commit_progress(0)

    @api.model
    def _take(self):
        """Claim one due message and commit the claim; an empty recordset when there is none."""
        self.flush_model(["state", "next_attempt"])
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT message.id
                  FROM bank_message message
                  JOIN bank_connection connection ON connection.id = message.connection_id
                 WHERE message.direction = 'out'
                   AND message.state = 'queued'
                   AND message.next_attempt <= %s
                   AND connection.state = 'active'
              ORDER BY message.id
                 LIMIT 1
            FOR UPDATE OF message SKIP LOCKED
                """,
                now,
            )
        )
        message = self.browse([row[0] for row in rows])
        if message:
            message.invalidate_recordset()
            message.write(
                {
                    "state": "sending",
                    "attempts": message.attempts + 1,
                    "last_attempt": now,
                    "lease_until": now + LEASE,
                }
            )
            message.batch_id._engine().write({"state": "sending"})
            self.env["ir.cron"]._commit_progress(0)
        return message

    def _send(self):
        """One attempt for a message that this worker holds."""
        self.ensure_one()
        try:
            document, key = self._document(), self.key
            with self.connection_id._connector() as connector:
                # Nothing is locked or half-written from here on: what precedes is committed.
                self._commit()
                try:
                    receipt = connector.submit(document, key)
                finally:
                    # The call may have taken minutes: look at the records afresh.
                    self.env.invalidate_all()
        except UserError as error:
            self._end_not_sent(NotSent("settings", str(error)))
        except NotSent as outcome:
            self._end_not_sent(outcome)
        except Refused as outcome:
            self._end_refused(outcome)
        except Uncertain as outcome:
            self._end_uncertain(outcome.code, outcome.message, outcome)
        else:
            self._end_delivered(receipt)

    def _document(self):
        batch = self.batch_id
        return Document(
            content=self._raw(),
            message_name=self.kind,
            service_level=batch.service_level or None,
            instant=batch.instant,
            batch=True,
            name=self.name,
            transactions=batch.payment_count,
            control_sum=Decimal(str(batch.currency_id.round(batch.amount_total))),
            reference=self.bank_reference or {},
        )

    # -- the four outcomes --------------------------------------------------------------------

    def _end_delivered(self, receipt):
        """The bank's receipt is in hand."""
        now = fields.Datetime.now()
        self.write(
            {
                "state": "delivered",
                "bank_reference": dict(receipt.bank_reference),
                "sent_date": self.sent_date or now,
                "next_attempt": now + timedelta(seconds=FIRST_PAUSE),
                "error": False,
                "error_code": False,
            }
        )
        self.connection_id._note_outcome()
        if self.batch_id.state in ("approved", "sending", "uncertain"):
            self.batch_id._engine().write({"state": "sent"})
        self._keep_answer(receipt)
        self._commit()

    def _end_not_sent(self, outcome):
        """Certain that the bank has nothing: back into the queue, a little later each time."""
        pause = min(FIRST_PAUSE * 2 ** (self.attempts - 1), LONGEST_PAUSE)
        pause = max(outcome.retry_after or 0, pause * random.uniform(0.8, 1.2))  # noqa: S311
        self.write(
            {
                "state": "queued",
                "next_attempt": fields.Datetime.now() + timedelta(seconds=pause),
                **self._error_values(outcome.code, outcome.message, outcome),
            }
        )
        self.batch_id._engine().write({"state": "approved"})
        self.connection_id._note_outcome(outcome.message)
        self.env.ref("account_bank_connect.cron_send")._trigger(self.next_attempt)
        if self.attempts == COMPLAIN_AFTER:
            self._tell_administrators(outcome.message)
        self._commit()

    def _end_refused(self, outcome):
        """The bank said no to the whole message: every bill is open again."""
        self.write(
            {"state": "refused", **self._error_values(outcome.code, outcome.message, outcome)}
        )
        reasons = outcome.reasons or ()
        code = reasons[0].code if reasons else outcome.code
        text = "; ".join(reason.text for reason in reasons if reason.text) or outcome.message
        self._keep_outcome_answer(outcome)
        batch = self.batch_id._engine()
        batch.payment_ids._bank_apply(
            {payment: {"status": "RJCT", "reason": code, "text": text}
             for payment in batch.payment_ids}
        )
        batch.write({"state": "refused", "note": text})
        self._commit()

    def _end_uncertain(self, code, text, outcome=None):
        """Nobody knows: ask the bank, never send again on a guess."""
        now = fields.Datetime.now()
        self.write(
            {
                "state": "uncertain",
                "next_attempt": now + SETTLE_TIME,
                **self._error_values(code, text, outcome),
            }
        )
        if outcome is not None:
            self._keep_outcome_answer(outcome)
        self.batch_id._engine().write({"state": "uncertain"})
        self.connection_id._note_outcome(text)
        self.env.ref("account_bank_connect.cron_fetch")._trigger(now + SETTLE_TIME)
        self._tell_administrators(text)
        self._commit()

    # -- asking ---------------------------------------------------------------------------------

    @api.model
    def _due_inquiries(self, connection):
        """Messages whose fate the bank should be asked about now."""
        now = fields.Datetime.now()
        due = [("connection_id", "=", connection.id), ("direction", "=", "out"),
               ("next_attempt", "<=", now)]
        uncertain = self.search([*due, ("state", "=", "uncertain")])
        if not connection.profile_id.poll_status:
            return uncertain
        return uncertain | self.search(
            [*due, ("state", "=", "delivered"), ("batch_id.state", "in", ("sent", "accepted"))]
        )

    def _inquire(self, connector):
        """Ask the bank what became of this message, and write the answer down."""
        self.ensure_one()
        document = self._document()
        key = self.key
        self._commit()
        try:
            receipt = connector.inquire(key, document)
        except FetchError as outcome:
            self._ask_later(outcome)
            return
        if receipt is not None:
            self._end_delivered(receipt)
            self._ask_later()
        elif self.state == "uncertain":
            # The bank was asked and does not have it: the same bytes may go under the same key.
            self.write(
                {
                    "state": "queued",
                    "next_attempt": fields.Datetime.now(),
                    "error": self.env._("The bank does not have the message: it is sent again."),
                }
            )
            self.batch_id._engine().write({"state": "approved"})
            self.env.ref("account_bank_connect.cron_send")._trigger()
        else:
            self._ask_later()
            self._tell_administrators(
                self.env._("The bank gave a receipt for %s, but says now that it does not know it.",
                  self.name)
            )
        self._commit()

    def _ask_later(self, outcome=None):
        age = fields.Datetime.now() - (self.sent_date or self.create_date)
        pause = min(max(age.total_seconds() / 10, FIRST_PAUSE), LONGEST_PAUSE)
        values = {"next_attempt": fields.Datetime.now() + timedelta(seconds=pause)}
        if outcome is not None:
            values |= self._error_values(outcome.code, outcome.message, outcome)
            self.connection_id._note_outcome(outcome.message)
        self.write(values)
        self._commit()

    # -- small parts ------------------------------------------------------------------------------

    def _keep_answer(self, receipt):
        """Keep the bank's answer as a message of its own, to be processed like any document."""
        if receipt.content:
            answer = self._store(
                self.connection_id, receipt.content, name=self.env._("Answer to %s", self.name),
                parent=self,
            )
            if answer.state == "stored" and "json" in receipt.content_type:
                # A JSON receipt was read by the connector already: its status is known here.
                answer.write({"kind": "receipt", "state": "processed",
                              "processed_date": fields.Datetime.now()})
        if receipt.status:
            batch = self.batch_id._engine()
            batch._apply_message_status(receipt.status)

    def _keep_outcome_answer(self, outcome):
        if outcome.content:
            answer = self._store(
                self.connection_id, outcome.content, name=self.env._("Answer to %s", self.name), parent=self
            )
            answer.write({"kind": "receipt", "state": "processed", "error": outcome.message,
                          "processed_date": fields.Datetime.now()})

    def _error_values(self, code, text, outcome=None):
        parts = [text]
        if outcome is not None:
            parts += [str(reason) for reason in outcome.reasons]
            parts.append(outcome.hint)
        return {"error_code": code, "error": "\n".join(part for part in parts if part)}

    def _tell_administrators(self, text):
        """Open a task for each bank administrator of the company, once."""
        self.ensure_one()
        group = self.env.ref("account_bank_connect.group_admin")
        connection = self.connection_id
        for user in group.all_user_ids.filtered(
            lambda user: user.active and connection.company_id in user.company_ids
            and not user._is_superuser()
        ):
            summary = self.env._("%(message)s: %(text)s", message=self.name, text=text)
            if not connection.activity_ids.filtered(
                lambda activity, user=user, summary=summary: activity.user_id == user
                and activity.summary == summary
            ):
                connection.activity_schedule(
                    "account_bank_connect.activity_connection", user_id=user.id, summary=summary
                )

    def _commit(self):
        """Make an outcome durable before anything else happens."""
        self.env["ir.cron"]._commit_progress(0)
