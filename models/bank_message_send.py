"""Sending: commit, call, commit.

A message is taken by one worker (``FOR UPDATE SKIP LOCKED``), marked as sending and committed
before the first byte leaves. The call ends in one of four outcomes, and each is written down and
committed before anything else happens. Nothing here ever sends a message again unless it is
certain that the bank does not have it, or that the bank will recognise it by its key.
"""

import json
import logging
import random
import time
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from psycopg2.errors import (
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

from ..connectors.interface import Document, NotSent, Refused, Uncertain
from . import connector_texts
from .bank_batch_seal import Altered
from .exchange_log import exchanges_of

_logger = logging.getLogger(__name__)

COLLISIONS = (SerializationFailure, LockNotAvailable, DeadlockDetected)
# Seconds; each can be tuned by a system parameter, see ``_seconds``.
PERIODS = {
    "first_pause_seconds": 30,  # between attempts, then doubled up to the longest
    "longest_pause_seconds": 3600,
    "lease_seconds": 600,  # a message still “sending” after this was left by a crash
    "settle_seconds": 120,  # before a bank is asked about what it may still be working on
    "read_timeout_seconds": 60,  # between two parts of a bank's answer
    "total_timeout_seconds": 300,  # for one call
    "first_rest_seconds": 60,  # of a failing line, then doubled up to the longest
    "longest_rest_seconds": 1800,
}
COMPLAIN_AFTER = 5  # failed attempts before a person is told
# What a payment message's state makes of its batch.
BATCH_STATES = {
    "queued": "approved",
    "sending": "sending",
    "uncertain": "uncertain",
    "delivered": "sent",
}
LANES = ("cron_send", "cron_send_2", "cron_send_3", "cron_send_4")


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model
    def _seconds(self, name):
        """One of PERIODS, as the administrator has tuned it."""
        value = self.env["ir.config_parameter"].sudo().get_param(f"account_bank_connect.{name}")
        return timedelta(seconds=int(value or PERIODS[name]))

    @api.model
    def _wake_senders(self, at=None):
        """Start every lane: several scheduled actions, so that several workers can send."""
        for lane in LANES:
            cron = self.env.ref(f"account_bank_connect.{lane}", raise_if_not_found=False)
            if cron:
                # sudo: waking a scheduled action of ours changes nothing in it.
                cron.sudo()._trigger(at)

    @api.model
    def _cron_send(self):
        """Scheduled action: send what is queued, one message at a time."""
        self._find_abandoned()
        while message := self._persist(self._take):
            message._send()
            if not self.env["ir.cron"]._commit_progress(1):
                self._wake_senders()
                break

    @api.model
    def _persist(self, work, *arguments):
        """Do what touches the database only, again if another worker's commit came between.

        :return: what ``work`` returns; None if others came between every time
        """
        for attempt in range(10):
            # What precedes may have taken minutes: look at the records afresh.
            self.env.invalidate_all()
            try:
                return work(*arguments)
            except (*COLLISIONS, UniqueViolation):
                # Two who add the same follower, say: the second finds it there next time.
                self.env.cr.rollback()
                self._pause_a_little(attempt)
        _logger.warning("Given up for now, for others' work: %s", work.__name__)
        return None

    @api.model
    def _pause_a_little(self, attempt):
        time.sleep(random.uniform(0.01, 0.1) * (attempt + 1))  # noqa: S311

    # -- taking ---------------------------------------------------------------------------

    @api.model
    def _find_abandoned(self):
        """A message still marked as sending after its lease was left by a crash: uncertain."""
        overdue = [("state", "=", "sending"), ("lease_until", "<", fields.Datetime.now())]
        for message in self.search(overdue):
            message = message._in_company_language()
            message._record(message._end_abandoned)

    def _end_abandoned(self):
        if self.state == "sending" and self.lease_until < fields.Datetime.now():
            self._end_uncertain(
                "abandoned", self.env._("The server stopped while the message was being sent.")
            )

    @api.model
    def _take(self, only=None):
        """Claim one due message and commit the claim; an empty recordset when there is none.

        :param only: the message to claim, where it has to be this one
        """
        self.env.flush_all()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT message.id
                  FROM bank_message message
                  JOIN bank_connection connection ON connection.id = message.connection_id
                  JOIN res_company company ON company.id = message.company_id
                 WHERE message.direction = 'out'
                   AND message.state = 'queued'
                   AND message.next_attempt <= %(now)s
                   AND connection.state = 'active'
                   -- A recall moves no money: who stops everything may need it most.
                   AND (message.purpose = 'recall' OR (company.bank_stopped IS NOT TRUE
                                                       AND connection.bank_stopped IS NOT TRUE))
                   AND %(only)s
                   AND (connection.paused_until IS NULL OR connection.paused_until <= %(now)s)
                   -- After failures one message tries the line, before all do.
                   AND (COALESCE(connection.failure_count, 0) = 0 OR NOT EXISTS (
                           SELECT 1 FROM bank_message busy
                            WHERE busy.connection_id = connection.id AND busy.state = 'sending'))
              ORDER BY message.purpose = 'recall' DESC, message.id
                 LIMIT 1
            FOR UPDATE OF message SKIP LOCKED
                """,
                now=now,
                only=SQL("message.id = %s", only.id) if only else SQL("TRUE"),
            )
        )
        message = self.browse([row[0] for row in rows])
        if message:
            message.invalidate_recordset()
            # No call may still be going on when its message is thought abandoned.
            lease = max(
                self._seconds("lease_seconds"), 2 * self._seconds("total_timeout_seconds")
            )
            message.write(
                {
                    "state": "sending",
                    "attempts": message.attempts + 1,
                    "first_attempt": message.first_attempt or now,
                    "last_attempt": now,
                    "lease_until": now + lease,
                }
            )
            message._follow()
        self._commit()
        return message._in_company_language()

    def _in_company_language(self):
        """What a scheduled action notes down is read by the company's people."""
        return self.with_context(lang=self.connection_id._company_language())

    # -- one attempt ------------------------------------------------------------------------

    def _send(self):
        """One attempt for a message that this worker holds."""
        self.ensure_one()
        attempt = self.attempts
        try:
            if self.purpose == "payment":
                self.batch_id._check_before_leaving(self)
            document, key = self._document(), self.key
            with self.connection_id._connector() as connector:
                # Nothing is locked or half-written from here on: what precedes is committed.
                self._commit()
                with exchanges_of("send", self.id):
                    end, *outcome = self._end_delivered, connector.submit(document, key)
        except Altered as error:
            end, *outcome = self._end_not_sent, NotSent("altered", str(error), permanent=True)
        except UserError as error:
            end, *outcome = self._end_not_sent, NotSent("settings", str(error), permanent=True)
        except NotSent as error:
            end, *outcome = self._end_not_sent, error
        except Refused as error:
            end, *outcome = self._end_refused, error
        except Uncertain as error:
            text = connector_texts.message(self.env, error)
            end, *outcome = self._end_uncertain, error.code, text, error
        self._record(self._end_attempt, attempt, end, *outcome)

    def _end_attempt(self, attempt, end, *outcome):
        """Write down how an attempt ended, unless it was given up for dead meanwhile.

        Then another worker may have asked the bank, or be sending again: what this attempt
        learned late must not undo that.
        """
        if end == self._end_delivered and self._is_of_another(*outcome):
            text = self.env._("The bank answered with the number of another message.")
            end, outcome = self._end_uncertain, ("other_answer", text, None)
        if self.state == "sending" and self.attempts == attempt:
            end(*outcome)
        elif end == self._end_delivered:
            self._end_known(*outcome)
        elif end == self._end_uncertain:
            self._end_doubtful(*outcome)
        else:
            _logger.info("%s: an attempt given up ended late, in %s", self.name, outcome[0].code)

    def _is_of_another(self, receipt):
        """Whether the bank's receipt names what an earlier payment message is known by."""
        if self.purpose != "payment" or not receipt.bank_reference:
            return False
        return bool(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM bank_message WHERE connection_id = %s AND id <> %s "
                    "AND purpose = 'payment' AND direction = 'out' AND bank_reference = %s::jsonb "
                    "LIMIT 1",
                    self.connection_id.id, self.id, json.dumps(dict(receipt.bank_reference)),
                )
            )
        )

    def _end_doubtful(self, code, text, outcome):
        """An attempt that nobody waits for any more may yet reach the bank."""
        if self.state == "queued":
            self._end_uncertain(code, text, outcome)
        elif self.state == "sending":
            self.doubt = True

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

    def _record(self, write_down, *outcome):
        """Write an outcome down and commit, again if another worker's commit came between.

        Only the database is touched here, so repeating it is harmless; the call to the bank is
        never repeated. If it can't be written down, the message is found by its lease and asked
        about: slow, never wrong.

        :return: whether it is committed
        """

        def work():
            write_down(*outcome)
            self._commit()
            return True

        return bool(self._persist(work))

    # -- the four outcomes --------------------------------------------------------------------

    def _end_delivered(self, receipt):
        """The bank's receipt is in hand."""
        now = fields.Datetime.now()
        self.write(
            {
                "state": "delivered",
                "doubt": False,
                "bank_reference": dict(receipt.bank_reference),
                "sent_date": self.sent_date or now,
                "next_attempt": now + self._seconds("first_pause_seconds"),
                "error": False,
                "error_code": False,
            }
        )
        self._follow()
        self._keep_answer(receipt)
        self.connection_id._note_outcome()

    def _end_not_sent(self, outcome):
        """Certain that this attempt reached nobody: back into the queue, later each time."""
        text = connector_texts.message(self.env, outcome)
        if self.doubt:
            # An earlier attempt may have reached the bank: this one says nothing about it.
            self._end_uncertain(outcome.code, text, outcome)
            return
        pause = self._seconds("longest_pause_seconds") if outcome.permanent else self._back_off()
        pause = pause.total_seconds() * random.uniform(0.8, 1.2)  # noqa: S311
        pause = max(outcome.retry_after or 0, pause)
        self.write(
            {
                "state": "queued",
                "next_attempt": fields.Datetime.now() + timedelta(seconds=pause),
                **self._error_values(outcome.code, text, outcome),
            }
        )
        self._follow()
        self._wake_senders(self.next_attempt)
        if outcome.permanent or self.attempts == COMPLAIN_AFTER:
            self._tell_administrators(text)
        self.connection_id._note_outcome(text, outcome)

    def _back_off(self):
        """How long to wait before the next attempt: longer each time."""
        pause = self._seconds("first_pause_seconds") * 2 ** min(self.attempts - 1, 20)
        return min(pause, self._seconds("longest_pause_seconds"))

    def _end_refused(self, outcome):
        """The bank said no to the whole message."""
        self._keep_outcome_answer(outcome)
        said = connector_texts.message(self.env, outcome)
        if self.doubt:
            # It may have said no to the repetition of a message that it has.
            self._end_uncertain(outcome.code, said, outcome)
            return
        self.write({"state": "refused", **self._error_values(outcome.code, said, outcome)})
        reasons = outcome.reasons or ()
        code = reasons[0].code if reasons else outcome.code
        text = "; ".join(reason.text for reason in reasons if reason.text) or said
        self._follow(code, text)
        self.connection_id._note_outcome()

    def _follow(self, code=None, text=None):
        """Let the batch follow the state that this message has reached.

        :param code, text: why, where the bank refused the message
        """
        batch = self.batch_id._engine()
        if self.state == "refused":
            self._fail_batch(code, text)
        # A batch that the bank has accepted or settled meanwhile does not go back to “sent”.
        elif self.state != "delivered" or batch.state in ("approved", "sending", "uncertain"):
            batch.write({"state": BATCH_STATES[self.state]})

    def _fail_batch(self, code, text):
        """No payment of the batch is made: every bill is open again."""
        batch = self.batch_id._engine()
        batch.payment_ids._bank_apply(
            {pay: {"status": "RJCT", "reason": code, "text": text} for pay in batch.payment_ids}
        )
        batch.write({"state": "refused", "note": text})

    def _end_uncertain(self, code, text, outcome=None):
        """Nobody knows: ask the bank, never send again on a guess."""
        ask = fields.Datetime.now() + self._seconds("settle_seconds")
        self.write(
            {
                "state": "uncertain",
                "doubt": True,
                "uncertain_since": self.uncertain_since or fields.Datetime.now(),
                "next_attempt": ask,
                **self._error_values(code, text, outcome),
            }
        )
        if outcome is not None:
            self._keep_outcome_answer(outcome)
        self._follow()
        self.env.ref("account_bank_connect.cron_fetch")._trigger(ask)
        self._tell_administrators(text)
        self.connection_id._note_outcome(text, outcome)

    # -- small parts ------------------------------------------------------------------------------

    def _keep_answer(self, receipt):
        """Keep the bank's answer as a message of its own, to be processed like any document."""
        if receipt.content:
            answer = self._store(
                self.connection_id,
                receipt.content,
                name=self.env._("Answer to %s", self.name),
                parent=self,
            )
            read = receipt.status or "json" in receipt.content_type
            if answer.state == "stored" and read:
                # The connector has read this receipt already: its status is known here.
                answer.write(
                    {
                        "kind": "receipt",
                        "state": "processed",
                        "processed_date": fields.Datetime.now(),
                    }
                )
            elif answer.state == "stored":
                self.env.ref("account_bank_connect.cron_process")._trigger()
        if receipt.status:
            self.batch_id._engine()._apply_message_status(receipt.status)

    def _keep_outcome_answer(self, outcome):
        if outcome.content:
            answer = self._store(
                self.connection_id,
                outcome.content,
                name=self.env._("Answer to %s", self.name),
                parent=self,
            )
            answer.write(
                {
                    "kind": "receipt",
                    "state": "processed",
                    "error": connector_texts.message(self.env, outcome),
                    "processed_date": fields.Datetime.now(),
                }
            )

    def _error_values(self, code, text, outcome=None):
        parts = [text]
        if outcome is not None:
            parts += [str(reason) for reason in outcome.reasons]
            parts.append(connector_texts.hint(self.env, outcome))
        values = {"error_code": code, "error": "\n".join(part for part in parts if part)}
        if outcome is not None and outcome.bank_reference:
            # A consent, say, that the bank gave before the order: the next attempt goes on there.
            values["bank_reference"] = {**(self.bank_reference or {}), **outcome.bank_reference}
        return values

    def _tell_administrators(self, text):
        """Open a task for each bank administrator of the company, once for each message."""
        self.ensure_one()
        self.connection_id._tell_administrators(
            self.env._("%(message)s: %(text)s", message=self.name, text=text)
        )

    def _commit(self):
        """Make an outcome durable before anything else happens."""
        self.env["ir.cron"]._commit_progress(0)
