"""The line to a bank: its health, the circuit breaker, and the switch that stops everything."""

import random
from datetime import timedelta

from odoo import fields, models

from .bank_message_send import COLLISIONS

# Faults of the line, not of one message: after some in a row the bank is left in peace a while.
TRIP_AFTER = 3


class BankConnection(models.Model):
    _inherit = "bank.connection"

    failure_count = fields.Integer(
        string="Failures in a row",
        readonly=True,
        copy=False,
        help="Calls that failed one after another; the next success sets it to zero.",
    )
    paused_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="After several failures, or at the bank's own request, nothing is sent before this.",
    )

    def _note_outcome(self, error=None, outcome=None):
        """Keep the health of the line: ``error`` is a sentence, ``outcome`` what was raised."""
        self.ensure_one()
        now = fields.Datetime.now()
        # sudo: the finding is the system's, whoever's action made the call.
        self.env["bank.connection.call"].sudo().create(
            {
                "connection_id": self.id, "date": now, "failed": bool(error),
                "code": getattr(outcome, "code", False),
            }
        )
        if not error:
            values = {
                "last_success": now,
                "last_error": False,
                "failure_count": 0,
                "paused_until": False,
            }
        else:
            values = {"last_error": error, "last_error_date": now}
            values |= self._breaker_values(outcome, now)
        # What is pending must not fail within the "try": it would pass for a collision of ours,
        # and leave an aborted transaction behind.
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                # Another worker may be noting its own finding this very moment, and one of them
                # is enough. It is no fault, so the server's log is spared.
                self.env.cr.execute(
                    "SELECT id FROM bank_connection WHERE id = %s FOR NO KEY UPDATE NOWAIT",
                    (self.id,),
                    log_exceptions=False,
                )
                # sudo: the finding is the system's, whoever's action made the call.
                self.sudo().write(values)
                self.env.flush_all()
        except COLLISIONS:
            self.invalidate_recordset()
        if values.get("paused_until"):
            # Whatever falls due while the line rests is taken up when it ends.
            self.env["bank.message"]._wake_senders(values["paused_until"])
            self.env.ref("account_bank_connect.cron_fetch").sudo()._trigger(values["paused_until"])

    def _rests(self):
        """Whether the line is left in peace for now."""
        self.ensure_one()
        return bool(self.paused_until) and self.paused_until > fields.Datetime.now()

    def _breaker_values(self, outcome, now):
        if outcome is None or getattr(outcome, "permanent", False):
            return {}
        count = self.failure_count + 1
        rest = outcome.retry_after or 0
        if count >= TRIP_AFTER:
            seconds = self.env["bank.message"]._seconds
            pause = seconds("first_rest_seconds").total_seconds() * 2 ** min(count - TRIP_AFTER, 20)
            pause = min(pause, seconds("longest_rest_seconds").total_seconds())
            rest = max(rest, pause * random.uniform(0.8, 1.2))  # noqa: S311
        return {
            "failure_count": count,
            "paused_until": now + timedelta(seconds=rest) if rest else self.paused_until,
        }

    def _tell_administrators(self, summary):
        """Open a task for each bank administrator of the company, once for each sentence."""
        self.ensure_one()
        summary = summary[:250]
        known = self.activity_ids.filtered(lambda activity: activity.summary == summary).user_id
        for user in self._administrators() - known:
            self.activity_schedule(
                "account_bank_connect.activity_connection", user_id=user.id, summary=summary
            )

    def _administrators(self):
        """The people who look after this connection."""
        group = self.env.ref("account_bank_connect.group_admin")
        # sudo: who they are is no secret, but users' groups are the administrator's to read.
        return group.sudo().all_user_ids.filtered(
            lambda user: user.active
            and self.company_id in user.company_ids
            and not user._is_superuser()
        )
