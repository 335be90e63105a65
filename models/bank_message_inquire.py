"""Asking the bank what became of a message: the only way out of uncertainty, besides people."""

from datetime import timedelta

from odoo import api, fields, models

from ..connectors.interface import FetchError
from . import connector_texts
from .exchange_log import exchanges_of


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model
    def _due_inquiries(self, connection):
        """Messages whose fate the bank should be asked about now."""
        due = [
            ("connection_id", "=", connection.id),
            ("direction", "=", "out"),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]
        uncertain = self.search([*due, ("state", "=", "uncertain")])
        if not connection.profile_id.poll_status:
            return uncertain
        return uncertain | self.search([*due, *self._awaiting_fate()])

    @api.model
    def _awaiting_fate(self):
        """Domain of the payment messages that the bank has and has not finished with."""
        return [
            ("purpose", "=", "payment"),
            ("state", "=", "delivered"),
            ("batch_id.state", "in", ("sent", "accepted")),
        ]

    @api.model
    def _wake_for_inquiries(self):
        """Come back when the next message is due to be asked about.

        Of those only that `_due_inquiries` takes up: a moment that stays past would wake the
        scheduled action again and again.
        """
        message = self.search(
            [
                ("direction", "=", "out"),
                ("next_attempt", "!=", False),
                ("connection_id.state", "=", "active"),
                ("connection_id.by_hand", "=", False),
                "|",
                ("state", "=", "uncertain"),
                "&",
                "&",
                "&",
                ("connection_id.profile_id.poll_status", "=", True),
                *self._awaiting_fate(),
            ],
            order="next_attempt",
            limit=1,
        )
        if message:
            at = max(filter(None, (message.next_attempt, message.connection_id.paused_until)))
            self.env.ref("account_bank_connect.cron_fetch")._trigger(at)

    def action_ask_bank(self):
        """Ask about these messages in the next moments, not at their scheduled time."""
        self.check_access("read")
        # sudo: messages are written by the engine only.
        self.filtered(lambda message: message.state in ("uncertain", "delivered")).sudo().write(
            {"next_attempt": fields.Datetime.now()}
        )
        return self.env["bank.connection"]._run_soon(
            "account_bank_connect.cron_fetch", self.env._("The bank is being asked.")
        )

    def _inquire(self, connector):
        """Ask the bank what became of this message, and write the answer down."""
        self.ensure_one()
        document, key, attempt = self._document(), self.key, self.attempts
        self._commit()
        try:
            with exchanges_of("ask", self.id):
                receipt = connector.inquire(key, document)
        except FetchError as outcome:
            self._record(self._ask_later, connector.resend_window, outcome)
            return
        if receipt is not None:
            self._record(self._end_known, receipt)
        else:
            self._record(self._end_unknown, attempt)

    def _end_known(self, receipt):
        """The bank has it."""
        if self.state in ("refused", "withdrawn"):
            self._tell_administrators(
                self.env._("the bank has the message, which was taken for refused or withdrawn.")
            )
        elif self.state != "sending":
            self._end_delivered(receipt)
            self.next_attempt = self._next_question()

    def _end_unknown(self, attempt):
        """The bank says that it does not have it.

        :param attempt: the attempt after which it was asked; of a later one this says nothing
        """
        if self.state == "uncertain" and self.attempts == attempt:
            self.write(
                {
                    "state": "queued",
                    "doubt": False,
                    "next_attempt": fields.Datetime.now(),
                    "error": self.env._("The bank does not have the message: it is sent again."),
                }
            )
            self._follow()
            self._wake_senders()
        elif self.state == "delivered":
            self.next_attempt = self._next_question()
            self._tell_administrators(
                self.env._("the bank gave a receipt, but says now that it does not know it.")
            )

    def _ask_later(self, resend_window=None, outcome=None):
        """The bank could not be asked now, or offers no way to."""
        now = fields.Datetime.now()
        if (
            outcome is not None
            and outcome.code == "cannot_inquire"
            and self.state == "uncertain"
            and resend_window
            and self.first_attempt
            and now < self.first_attempt + resend_window - timedelta(minutes=10)
        ):
            # This bank knows a message again by its key: the same bytes under the same key can't
            # be executed twice. The doubt stays until it answers.
            self.write({"state": "queued", "next_attempt": now})
            self._follow()
            self._wake_senders()
            return
        values = {"next_attempt": self._next_question()}
        if outcome is not None:
            text = connector_texts.message(self.env, outcome)
            values |= self._error_values(outcome.code, text, outcome)
            self.connection_id._note_outcome(text, outcome)
        self.write(values)

    def _next_question(self):
        age = fields.Datetime.now() - (self.sent_date or self.first_attempt or self.create_date)
        pause = max(age / 10, self._seconds("first_pause_seconds"))
        return fields.Datetime.now() + min(pause, self._seconds("longest_pause_seconds"))
