"""Whether the mails to payees left: a mail server may refuse one, and a mail may come back."""

from odoo import models


class BankRemittanceAdvice(models.Model):
    _inherit = "bank.remittance.advice"

    def _not_delivered(self, reason):
        """The mails of these were written, and their payees did not get them.

        :param str reason: the mail server's, or what came back
        """
        told = self.filtered(lambda advice: advice.state in ("sent", "unsent"))
        told.write({"state": "unsent", "error": reason[:500]})

    def _withdraw_mails(self):
        """Take mails that could not be sent out of the queue, before others are written.

        Who tried the old one again in Odoo's mail queue would tell the payee twice.
        """
        # sudo: the mails are the engine's own; a row being sent is locked until that is done.
        self.env["mail.mail"].sudo().search(
            [("mail_message_id", "in", self.mail_message_id.ids)]
        ).unlink()


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        # sudo: advices are written by the engine only; found before Odoo deletes what was sent.
        advices = self.env["bank.remittance.advice"].sudo().search(
            [("mail_message_id", "in", self.mail_message_id.ids)]
        )
        result = super()._postprocess_sent_message(
            success_pids, success_emails,
            failure_reason=failure_reason, failure_type=failure_type,
        )
        if failure_type:
            advices._not_delivered(failure_reason or failure_type)
        else:
            # Tried again in Odoo's own mail queue.
            advices.filtered(lambda advice: advice.state == "unsent").write(
                {"state": "sent", "error": False}
            )
        return result


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _message_receive_bounce(self, email, partner):
        result = super()._message_receive_bounce(email, partner)
        # sudo: advices are written by the engine only.
        advices = self.env["bank.remittance.advice"].sudo().search(
            [("payment_id", "in", self.ids), ("email", "=ilike", email or "")]
        )
        if advices:
            advices._not_delivered(self.env._("The mail to %s came back.", email))
        return result
