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
from datetime import timedelta, timezone
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
                   AND connection.by_hand IS NOT TRUE
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
            first_sent=self.first_attempt and self.first_attempt.replace(tzinfo=timezone.utc),
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

    def _commit(self):
        """Make an outcome durable before anything else happens."""
        self.env["ir.cron"]._commit_progress(0)
