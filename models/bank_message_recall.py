"""A recall on its way: a message that asks the bank to cancel a batch which it has.

It leaves through the same engine as a payment message, but its fate is its own: a refused recall
leaves the payments as they are.
"""

import io
import json
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..formats import camt055, codes
from ..formats.cancellation import CancellationRequest, CancelledBlock, CancelledTransfer
from ..formats.errors import FormatError
from ..formats.model import Agent, Party
from . import connector_texts, format_texts

REASONS = [
    ("DUPL", "Paid twice"),
    ("AM09", "Wrong amount"),
    ("AC03", "Wrong account"),
    ("UPAY", "Not owed"),
    ("FRAD", "Fraud"),
    ("TECH", "Technical mistake"),
    ("CUST", "Another reason"),
]
# Outcomes that no later attempt can change: this bank can't be asked over this connection.
HOPELESS = ("cannot_recall", "no_reference")


class BankMessage(models.Model):
    _inherit = "bank.message"

    recall_reason = fields.Selection(REASONS, readonly=True)
    recall_note = fields.Text(readonly=True)
    recall_user_id = fields.Many2one("res.users", string="Asked for by", readonly=True)

    _one_recall = models.UniqueIndex(
        "(batch_id) WHERE purpose = 'recall' "
        "AND state IN ('queued', 'sending', 'uncertain', 'delivered')",
        "The recall of this batch was asked for already.",
    )

    # -- writing --------------------------------------------------------------------------

    @api.model
    def _create_recall(self, batch, reason, note):
        """Freeze the bytes of a recall and queue them.

        :param str reason: one of ``REASONS``
        :raises UserError: the bytes can't be written
        """
        original = batch._payment_message()
        earlier = batch.message_ids_bank.filtered(lambda message: message.purpose == "recall")
        number = f"{batch.reference}-R{len(earlier) + 1}"
        stream = io.BytesIO()
        try:
            camt055.write(
                self._recall_request(batch, original, number, reason, note),
                stream,
                charset=batch.connection_id.profile_id.charset,
            )
        except FormatError as error:
            raise UserError(
                self.env._(
                    "The recall of %(batch)s can't be written: %(error)s",
                    batch=batch.name,
                    error=format_texts.error_text(self.env, error),
                )
            ) from error
        return self.create(
            {
                "name": f"{number}.xml",
                "connection_id": batch.connection_id.id,
                "direction": "out",
                "purpose": "recall",
                "kind": camt055.VERSION,
                "state": "queued",
                "batch_id": batch.id,
                "key": str(uuid.uuid4()),
                "next_attempt": fields.Datetime.now(),
                "bank_reference": original.bank_reference,
                "recall_reason": reason,
                "recall_note": note,
                "recall_user_id": self.env.user.id,
                **self._content_values(stream.getvalue()),
            }
        )

    @api.model
    def _recall_request(self, batch, original, number, reason, note):
        """What is asked: the whole message or, where some of it has ended, what is still open.

        Like the payment message it is made from what was approved, not from live records.
        """
        sealed = json.loads(batch.sealed_content)
        still_open = set(batch._open_payments().mapped("end_to_end_id"))
        payments = [pay for pay in sealed["payments"] if pay["end_to_end_id"] in still_open]
        blocks = ()
        if len(payments) < len(sealed["payments"]):
            transfers = [
                CancelledTransfer(
                    end_to_end_id=payment["end_to_end_id"],
                    instruction_id=payment["end_to_end_id"],
                    uetr=payment["uetr"],
                    amount=Decimal(payment["amount"]),
                    currency=payment["currency"],
                    execution_date=date.fromisoformat(sealed["execution_date"]),
                )
                for payment in payments
            ]
            name = f"{sealed['reference']}-1"
            blocks = [CancelledBlock(original_id=name, transfers=transfers)]
        return CancellationRequest(
            id=number,
            created=datetime.now(timezone.utc).replace(microsecond=0),
            requester=Party(name=sealed["debtor"]["name"]),
            agent=Agent(bic=sealed["bic"]) if sealed["bic"] else None,
            original_message_id=sealed["reference"],
            original_message_name=original.kind,
            reason=reason,
            note=note or None,
            blocks=blocks,
            number_of_transactions=len(payments),
            control_sum=sum((Decimal(payment["amount"]) for payment in payments), Decimal(0)),
        )

    # -- what becomes of it ---------------------------------------------------------------

    def _send(self):
        if self.purpose == "recall" and not self.batch_id._open_payments():
            self._record(self._end_needless)
            return
        super()._send()

    def _end_needless(self):
        """Every payment came to its end before the recall had left."""
        text = self.env._("Nothing was left to recall: every payment has its final answer.")
        self.write({"state": "withdrawn", "next_attempt": False, "error": text})
        self.batch_id._engine().message_post(body=text)

    def _end_not_sent(self, outcome):
        if self.purpose == "recall" and outcome.code in HOPELESS:
            text = connector_texts.message(self.env, outcome)
            values = self._error_values(outcome.code, text, outcome)
            self.write({"state": "refused", **values})
            hint = connector_texts.hint(self.env, outcome)
            self._follow(outcome.code, " ".join((text, hint)))
            return
        super()._end_not_sent(outcome)

    def _end_known(self, receipt):
        if self.purpose != "recall" or not self.bank_reference:
            super()._end_known(receipt)
            return
        # What the bank was asked for is the fate of the payments.
        if receipt.status == "CANC":
            self._end_delivered(receipt)
            return
        self._keep_answer(receipt)
        if receipt.status is None:
            self.next_attempt = self._next_question()
        elif codes.is_final(receipt.status):
            text = self.env._("The bank had finished with the payments before.")
            self.write({"state": "refused", "doubt": False, **self._error_values("final", text)})
            self._follow("final", text)
        else:
            # They stand as before. A recall that comes twice cancels once, and moves no money:
            # it can be sent again without knowing whether it arrived.
            self.write(
                {
                    "state": "queued",
                    "doubt": False,
                    "next_attempt": fields.Datetime.now() + self._back_off(),
                    "error": self.env._("The payments are not cancelled: it is sent again."),
                }
            )
            self._wake_senders(self.next_attempt)

    def _follow(self, code=None, text=None):
        if self.purpose != "recall":
            return super()._follow(code, text)
        if self.state == "refused":
            self.batch_id._engine()._recall_refused(self, text)
        elif self.state == "delivered":
            # The bank's decision is in the payments' statuses: ask for them soon.
            soon = fields.Datetime.now() + self._seconds("first_pause_seconds")
            self.batch_id._payment_message().next_attempt = soon
            self.env.ref("account_bank_connect.cron_fetch")._trigger(soon)
        return None
