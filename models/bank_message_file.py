"""A file for the bank that a person carries there.

The bytes are frozen like those of every message. Once they have left this system nobody knows
whether the bank has them, until it answers, a statement shows the payments, or two people say so
with evidence. So a file that was taken out once is not withdrawn any more, and can only be taken
out again unchanged.

    queued ──take out──► sending ──handed over, or not──► uncertain ──► delivered | queued | refused
"""

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from psycopg2.errors import ReadOnlySqlTransaction

from .bank_batch_seal import Altered

CARRIERS = "account_bank_connect.group_preparer,account_bank_connect.group_admin"
# What a bank says only of payments that it has.
SEEN = ("RCVD", "ACTC", "ACCP", "ACSP", "ACWC", "ACSC", "ACCC", "PDNG")


class BankMessage(models.Model):
    _inherit = "bank.message"

    by_hand = fields.Boolean(related="connection_id.by_hand")
    taken_by_id = fields.Many2one(
        "res.users", string="First downloaded by", readonly=True, help="For the bank, by hand."
    )
    taken_on = fields.Datetime(string="First downloaded on", readonly=True)
    handed_by_id = fields.Many2one("res.users", string="Handed over by", readonly=True)
    handed_on = fields.Datetime(string="Handed over on", readonly=True)
    uploaded_by_id = fields.Many2one(
        "res.users", string="Brought in by", readonly=True, help="A person, not the channel."
    )

    # -- taking out -----------------------------------------------------------------------

    def action_download(self):
        self.ensure_one()
        if self._is_carried() and self.state == "queued":
            self._take_out()
        return super().action_download()

    def _is_carried(self):
        return self.direction == "out" and self.by_hand

    def _note_reading(self, way):
        # However the exact bytes leave, somebody may bring them to the bank from then on.
        if way != "screen":
            for message in self.filtered(lambda each: each.state == "queued"):
                if message._is_carried():
                    message._take_out()
        return super()._note_reading(way)

    def _check_carrier(self):
        self.check_access("read")
        if not self.env.user.has_groups(CARRIERS):
            raise AccessError(
                self.env._("Only a preparer or a bank administrator may carry files to the bank.")
            )

    def _take_out(self):
        """Note that the file leaves for the bank, in the hands of this user.

        :raises UserError: it may not leave now, and why
        """
        self._check_carrier()
        if self.env.cr.readonly:
            # Odoo then asks again, with a cursor that can write.
            raise ReadOnlySqlTransaction("what leaves is written down")
        # sudo: messages are written by the engine only; who may do this was checked.
        message = self.sudo()
        if not message.try_lock_for_update():
            raise UserError(self.env._("Somebody else is at this file. Try again."))
        message.invalidate_recordset()
        if message.state != "queued":
            return
        connection, company = message.connection_id, message.company_id
        if connection.state != "active":
            raise UserError(self.env._("The connection %s is not active.", connection.name))
        if connection.bank_stopped or company.bank_stopped:
            raise UserError(self.env._("Payments are stopped: the file may not leave now."))
        try:
            message.batch_id._check_before_leaving(message)
        except Altered as error:
            raise UserError(str(error)) from error
        now = fields.Datetime.now()
        message.write(
            {
                "state": "sending",
                "doubt": True,
                "attempts": message.attempts + 1,
                "first_attempt": message.first_attempt or now,
                "last_attempt": now,
                "next_attempt": False,
                "lease_until": False,
                "taken_by_id": self.env.uid,
                "taken_on": now,
                "handed_by_id": False,
                "handed_on": False,
                "error": False,
                "error_code": False,
            }
        )
        message._follow()
        self.env["bank.audit.event"]._record("message_taken", message, sha256=message.sha256)

    # -- handing over ---------------------------------------------------------------------

    def action_handed_over(self):
        """The file was given to the bank, which has not answered yet."""
        for message in self:
            message._end_carrying(True)

    def action_not_handed_over(self):
        """The file was downloaded and did not go to the bank: for two people to confirm."""
        for message in self:
            message._end_carrying(False)

    def _end_carrying(self, handed):
        self._check_carrier()
        # sudo: messages are written by the engine only; who may do this was checked.
        message = self.sudo()
        message.lock_for_update()
        message.invalidate_recordset()
        if not message._is_carried() or message.state != "sending":
            raise UserError(self.env._("%s is not in anybody's hands.", message.name))
        now, user = fields.Datetime.now(), self.env.user
        if handed:
            said = self.env._(
                "%s handed the file to the bank. Upload the bank's answer or statement, or let "
                "two people confirm what the bank's portal shows.",
                user.name,
            )
        else:
            said = self.env._(
                "%s says that the file did not go to the bank. A second person has to confirm "
                "this (Resolve) before it can be downloaded again or given up.",
                user.name,
            )
        message.write(
            {
                "state": "uncertain",
                "uncertain_since": message.uncertain_since or now,
                "next_attempt": False,
                "handed_by_id": user.id if handed else False,
                "handed_on": now if handed else False,
                "error": said,
                "error_code": "handed_over" if handed else "not_handed_over",
            }
        )
        message._follow()
        self.env["bank.audit.event"]._record(
            "message_handed", message, handed=handed, sha256=message.sha256
        )

    # -- proof ------------------------------------------------------------------------------

    def _prove_delivery(self):
        # A file that is in somebody's hands and answered by the bank has been handed over.
        carried = self.filtered(lambda each: each.state == "sending" and each._is_carried())
        carried.write({"state": "uncertain", "uncertain_since": fields.Datetime.now()})
        return super()._prove_delivery()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_apply(self, answers):
        # What the bank has booked, it has: also where its statement is its only answer.
        seen = self.browse(
            payment.id for payment, answer in answers.items() if answer["status"] in SEEN
        )
        # sudo: messages are written by the engine only.
        carried = seen.sudo().bank_batch_id.message_ids_bank.filtered(
            lambda message: message._is_carried()
            and message.purpose == "payment"
            and message.state in ("sending", "uncertain")
        )
        carried._prove_delivery()
        return super()._bank_apply(answers)


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    by_hand = fields.Boolean(related="connection_id.by_hand")

    def _recall_later(self):
        if self.by_hand:
            return self.env._(
                "The file of %s was downloaded. Say on its message first whether it was handed to "
                "the bank.",
                self.name,
            )
        return super()._recall_later()
