"""How an attempt to send ended: delivered, refused, not sent, or uncertain.

Each end is written down here and committed by whoever made the attempt. Only a receipt in hand is
*delivered*, and only certainty is *not sent*: everything else is asked about.
"""

import random
from datetime import timedelta

from odoo import fields, models

from . import connector_texts

COMPLAIN_AFTER = 5  # failed attempts before a person is told
# What a payment message's state makes of its batch.
BATCH_STATES = {
    "queued": "approved",
    "sending": "sending",
    "uncertain": "uncertain",
    "delivered": "sent",
}


class BankMessage(models.Model):
    _inherit = "bank.message"

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
