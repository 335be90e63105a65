"""Recalling a batch that was approved: withdrawn while it is here, else the bank is asked."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..formats import codes
from .bank_message_recall import REASONS

ENTITLED = (
    "account_bank_connect.group_preparer,account_bank_connect.group_approver,"
    "account_bank_connect.group_admin"
)


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    recall_id = fields.Many2one("bank.message", compute="_compute_recall", compute_sudo=True)
    recall_text = fields.Char(compute="_compute_recall", compute_sudo=True)
    may_recall = fields.Boolean(compute="_compute_may_recall")

    @api.depends("message_ids_bank.state", "state")
    @api.depends_context("lang", "tz")
    def _compute_recall(self):
        for batch in self:
            recalls = batch.message_ids_bank.filtered(lambda message: message.purpose == "recall")
            recall = recalls.sorted("id")[-1:]
            batch.recall_id = recall
            batch.recall_text = batch._recall_sentence(recall) if recall else False

    def _recall_sentence(self, recall):
        asked = self.env._(
            "%(user)s asked on %(date)s for this batch to be recalled: %(reason)s.",
            user=recall.recall_user_id.name,
            date=fields.Datetime.context_timestamp(self, recall.create_date).strftime(
                "%Y-%m-%d %H:%M"
            ),
            reason=recall._recall_why(),
        )
        if self.state == "cancelled":
            now = self.env._("The bank cancelled the payments.")
        else:
            now = {
                "queued": self.env._("The recall is about to leave."),
                "sending": self.env._("The recall is being sent."),
                "uncertain": self.env._(
                    "Nobody knows yet whether the bank has the recall; it is being asked."
                ),
                "delivered": self.env._("The bank has the recall; its decision is awaited."),
                "refused": self.env._("The bank refused: the payments go on as planned."),
                "withdrawn": self.env._("There was nothing left to recall."),
            }[recall.state]
        return f"{asked} {now}"

    @api.depends("state", "recall_id")
    @api.depends_context("uid")
    def _compute_may_recall(self):
        entitled = self.env.user.has_groups(ENTITLED)
        for batch in self:
            batch.may_recall = (
                entitled
                and batch.state in ("approved", "sent", "accepted")
                # sudo: as above, the recall's state is no secret of the message.
                and batch.sudo().recall_id.state in (False, "refused", "withdrawn")
            )

    # -- asking ---------------------------------------------------------------------------

    def action_recall(self, reason, note=None):
        """Take an approved batch back.

        What has not left is withdrawn here and now; what the bank has, the bank is asked to
        cancel, and it may refuse.

        :param str reason: ISO code of the reason (``bank_message_recall.REASONS``)
        :param str note: in own words; needed where the code says nothing
        :raises UserError: the batch can't be recalled, and why
        """
        self.check_access("read")
        if not self.env.user.has_groups(ENTITLED):
            raise AccessError(
                self.env._(
                    "Only a preparer, an approver or a bank administrator may recall a batch."
                )
            )
        note = (note or "").strip()
        if reason not in dict(REASONS) or (reason == "CUST" and not note):
            raise UserError(self.env._("Say why the batch is recalled."))
        for batch in self:
            batch._engine()._recall(reason, note)
        # sudo: messages are written and woken by the engine only.
        self.env["bank.message"].sudo()._wake_senders()

    def _recall(self, reason, note):
        self.ensure_one()
        message = self._payment_message()
        if not message:
            raise UserError(
                self.env._(
                    "%s is not on its way: withdraw or reject it instead of recalling it.",
                    self.name,
                )
            )
        # With the lock no worker can take the message, nor has one taken it.
        if not message.try_lock_for_update():
            raise UserError(self._recall_later())
        message.invalidate_recordset()
        self.invalidate_recordset()
        if message.state == "queued" and not message.doubt:
            self._withdraw(message, reason, note)
        else:
            self._check_can_recall(message)
            recall = self.env["bank.message"]._create_recall(self, reason, note)
            self.message_post(
                body=self.env._("Recall asked for: %s.", recall._recall_why()),
                partner_ids=(self.preparer_id - self.env.user).partner_id.ids,
            )

    def _recall_later(self):
        return self.env._("%s is being sent this very moment. Try again in a minute.", self.name)

    def _check_can_recall(self, message):
        """Refuse to ask the bank where that can't help.

        :raises UserError: says why
        """
        recall = self.recall_id
        if message.state == "sending":
            raise UserError(self._recall_later())
        if message.state in ("queued", "uncertain"):
            raise UserError(
                self.env._(
                    "Nobody knows yet whether the bank has %s. The bank is being asked; recall it "
                    "when that is known.",
                    self.name,
                )
            )
        if message.state != "delivered" or not self._open_payments():
            raise UserError(
                self.env._("Nothing of %s can be recalled: it has come to its end.", self.name)
            )
        if recall and recall.state not in ("refused", "withdrawn"):
            raise UserError(self.recall_text)
        if not self.connection_id.profile_id._can_recall():
            raise UserError(
                self.env._(
                    "%s takes no recall over the connection. Telephone the bank.",
                    self.connection_id.name,
                )
            )

    def _open_payments(self):
        """Payments of which the bank has not said the last word."""
        return self.payment_ids.filtered(
            lambda pay: not codes.is_final(pay.bank_status or None) and not pay.bank_booked
        )

    # -- what becomes of it ---------------------------------------------------------------

    def _withdraw(self, message, reason, note):
        """Nothing has left: the payments are undone and the bills are free again."""
        why = dict(message._fields["recall_reason"]._description_selection(self.env))[reason]
        text = self.env._(
            "Withdrawn by %(user)s before it left: %(reason)s.",
            user=self.env.user.name,
            reason=f"{why}; {note}" if note else why,
        )
        message.write(
            {
                "state": "withdrawn",
                "next_attempt": False,
                "recall_reason": reason,
                "recall_note": note,
                "recall_user_id": self.env.user.id,
            }
        )
        self.payment_ids._bank_undo()
        self.write({"state": "cancelled", "note": text})
        self.message_post(body=text, partner_ids=(self.preparer_id - self.env.user).partner_id.ids)

    def _recall_refused(self, recall, text):
        """The payments go on; whoever wanted them back has to know."""
        said = self.env._(
            "%(batch)s could not be recalled: %(reason)s The payments go on as planned.",
            batch=self.name,
            reason=text if text.endswith((".", "!", "?")) else f"{text}.",
        )
        self.message_post(body=said)
        self._recall_task(recall.recall_user_id, said)

    def _recall_task(self, users, text):
        for user in users:
            self.activity_schedule(
                "account_bank_connect.activity_recall",
                user_id=user.id,
                summary=text[:200],
                note=text,
            )


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _recall_why(self):
        """The reason of a recall in words."""
        why = dict(self._fields["recall_reason"]._description_selection(self.env))
        return "; ".join(filter(None, (why.get(self.recall_reason), self.recall_note)))


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_failed(self):
        recalled = self.filtered(
            lambda pay: pay.bank_status == "CANC" and pay.bank_batch_id.recall_id
        )
        result = super(AccountPayment, self - recalled)._bank_failed()
        for batch, payments in recalled.grouped("bank_batch_id").items():
            payments._bank_recalled(batch)
        return result

    def _bank_recalled(self, batch):
        """The bank cancelled these because we asked: no fault, so one task for all of them."""
        self._bank_undo()
        text = self.env._("The payment was recalled; the bank cancelled it.")
        self._message_log_batch(dict.fromkeys(self.ids, text))
        bills = self.bank_instalment_ids.move_id
        bills._message_log_batch(dict.fromkeys(bills.ids, text))
        text = self.env._(
            "The bank cancelled %(count)s payments of %(batch)s as asked. Their bills are open "
            "again.",
            count=len(self),
            batch=batch.name,
        )
        batch = batch._engine()
        batch.message_post(body=text)
        batch._recall_task(batch.recall_id.recall_user_id | batch.preparer_id, text)

    def _bank_explanation(self):
        if self.bank_status == "CANC" and not self.bank_reason:
            # sudo: who sees the payment may know that it was recalled.
            recall = self.bank_batch_id.sudo().recall_id
            if recall:
                return self.env._("recalled by %s", recall.recall_user_id.name)
        return super()._bank_explanation()
