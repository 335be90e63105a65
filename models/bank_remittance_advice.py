"""Telling payees what was paid: a mail for each payment, once, when the bank has executed it.

Nothing of this happens while a statement is taken in: the import only wakes the scheduled action,
which writes the mails into Odoo's mail queue, many at once, and commits them together with the
note that they were written.
"""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .evidence_plain import plain

_logger = logging.getLogger(__name__)

CRON = "account_bank_connect.cron_advice"
TEMPLATE = "account_bank_connect.mail_template_advice"
AT_ONCE = 200  # payments in one transaction
EXECUTED = ("ACSC", "ACCC")
# Days after which an advice would only puzzle its reader.
LATEST_DAYS = 30
RECEIPT_HOURS = "account_bank_connect.advice_waits_hours"
RECEIPT_HOURS_DEFAULT = 24


class BankRemittanceAdvice(models.Model):
    """That a payee was told of one payment, or why not. The database refuses a second one."""

    _name = "bank.remittance.advice"
    _description = "Remittance Advice"
    _order = "id desc"
    _rec_name = "payment_id"
    _check_company_auto = True

    payment_id = fields.Many2one(
        "account.payment", required=True, readonly=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(related="payment_id.partner_id", string="Payee")
    recipient_id = fields.Many2one("res.partner", string="Told", readonly=True)
    email = fields.Char(string="Mail address", readonly=True)
    # waiting ─► sent ◄─► unsent (the mail server's word)
    #    ▲ └───► missing | declined | failed | withheld
    #    └──────────┴─ by hand, and from unsent
    state = fields.Selection(
        [
            ("waiting", "To write"),
            ("sent", "In the mail queue"),
            ("missing", "No mail address"),
            ("declined", "Not wanted"),
            ("failed", "Could not be written"),
            ("unsent", "Could not be sent"),
            ("withheld", "Withheld"),
        ],
        required=True,
        readonly=True,
        index=True,
        help="Withheld: the bank had rejected the payment, or it came back before anything was "
        "written.",
    )
    error = fields.Char(string="What happened", readonly=True)
    sent_date = fields.Datetime(string="Written on", readonly=True)
    mail_message_id = fields.Many2one(
        "mail.message", string="Mail", readonly=True, ondelete="set null", index="btree_not_null"
    )

    _one_each = models.UniqueIndex("(payment_id)", "This payment has its remittance advice.")

    # -- scheduled action -----------------------------------------------------------------------

    @api.model
    def _cron_write(self):
        """Scheduled action: write to the payees of what the bank has executed."""
        while True:
            taken = self._take()
            taken._write_mails()
            left = 1 if len(taken) == AT_ONCE else 0
            if not self.env["ir.cron"]._commit_progress(len(taken), remaining=left) or not left:
                break

    @api.model
    def _take(self):
        """Claim executed payments that nobody was told of, and what is to be tried again.

        The row of each is inserted here: where two workers want the same one, the database lets
        the second wait, and then find it taken.
        """
        self.env.flush_all()
        left = AT_ONCE
        again = self.search([("state", "=", "waiting")], limit=left, order="id")
        again = again.try_lock_for_update(limit=left)
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO bank_remittance_advice
                            (payment_id, company_id, state,
                             create_uid, create_date, write_uid, write_date)
                SELECT payment.id, payment.company_id,
                       CASE WHEN COALESCE(
                                 payee.bank_advice ->> payment.company_id::text,
                                 CASE WHEN company.bank_advice THEN 'send' ELSE 'none' END
                            ) = 'send' THEN 'waiting' ELSE 'declined' END,
                       %(user)s, %(now)s, %(user)s, %(now)s
                  FROM account_payment payment
                  JOIN res_company company ON company.id = payment.company_id
                  JOIN account_journal journal ON journal.id = payment.journal_id
             LEFT JOIN bank_connection connection ON connection.id = journal.bank_connection_id
             LEFT JOIN bank_connection_profile profile ON profile.id = connection.profile_id
             LEFT JOIN res_partner partner ON partner.id = payment.partner_id
             LEFT JOIN res_partner payee ON payee.id = partner.commercial_partner_id
                 WHERE payment.bank_batch_id IS NOT NULL
                   AND payment.bank_status IN %(executed)s
                   AND payment.state IN ('in_process', 'paid')
                   AND payment.bank_returned IS NOT TRUE
                   AND payment.bank_status_date >= company.bank_advice_since
                   AND payment.bank_status_date >= %(oldest)s
                   AND NOT EXISTS (SELECT 1 FROM bank_remittance_advice advice
                                    WHERE advice.payment_id = payment.id)
                   -- A bank that gives receipts may lay this one out a little later.
                   AND (COALESCE(position('pdf' IN profile.document_kinds), 0) = 0
                        OR payment.bank_status_date < %(patience)s
                        OR EXISTS (SELECT 1 FROM bank_message receipt
                                    WHERE receipt.receipt_payment_id = payment.id))
              ORDER BY payment.id
                 LIMIT %(limit)s
           ON CONFLICT DO NOTHING
             RETURNING id, state
                """,
                user=self.env.uid,
                now=fields.Datetime.now(),
                executed=EXECUTED,
                oldest=fields.Datetime.now() - timedelta(days=LATEST_DAYS),
                patience=fields.Datetime.now() - timedelta(hours=self._receipt_hours()),
                limit=left,
            )
        )
        self.invalidate_model()
        return again | self.browse([number for number, state in rows if state == "waiting"])

    @api.model
    def _receipt_hours(self):
        # sudo: a system parameter; any value but a number falls back to the default.
        setting = self.env["ir.config_parameter"].sudo().get_param(RECEIPT_HOURS, "")
        return int(setting) if setting.isdigit() else RECEIPT_HOURS_DEFAULT

    # -- writing ----------------------------------------------------------------------------------

    def _write_mails(self):
        """Write these mails into the mail queue, or note why not."""
        stale = self.filtered(lambda advice: not advice._is_due())
        stale.write({"state": "withheld"})
        due = self - stale
        # The contacts of all, before the payments are looked at one by one.
        due.payment_id.mapped("bank_advice_partner_id")
        missing = due.filtered(lambda advice: not advice.payment_id.bank_advice_partner_id)
        missing.write({"state": "missing", "error": False})
        for company, advices in (due - missing).grouped("company_id").items():
            try:
                with self.env.cr.savepoint():
                    advices._write_mails_of(company)
            except Exception as error:
                # The template is the company's own; a mistake in it stops nobody else's mail.
                _logger.warning(
                    "Remittance advice of %s can't be written", company.name, exc_info=True
                )
                advices.invalidate_recordset()
                advices.write({"state": "failed", "error": str(error)[:500]})

    def _is_due(self):
        payment = self.payment_id
        return (
            payment.bank_status in EXECUTED
            and not payment.bank_returned
            and payment.state in ("in_process", "paid")
        )

    def _write_mails_of(self, company):
        template = company.bank_advice_template_id or self.env.ref(TEMPLATE)
        payments = self.payment_id
        # A notification: it stays on the payment's page when the mail itself has left the queue.
        mails = template.with_company(company).send_mail_batch(
            payments.ids, email_values={"is_notification": True, "auto_delete": True}
        )
        receipts = payments.bank_receipt_ids.grouped("receipt_payment_id")
        now = fields.Datetime.now()
        for advice, mail in zip(self, mails, strict=True):
            papers = receipts.get(advice.payment_id)
            if papers:
                mail.attachment_ids = papers._as_attachments()
            advice.write(
                {
                    "state": "sent",
                    "error": False,
                    "sent_date": now,
                    "recipient_id": advice.payment_id.bank_advice_partner_id.id,
                    "email": advice.payment_id.bank_advice_partner_id.email_normalized,
                    "mail_message_id": mail.mail_message_id.id,
                }
            )
        # sudo: waking Odoo's own mail queue changes nothing in it.
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    @api.model
    def _withhold(self, payments):
        """Payments that the bank rejected: whatever it says later, people have a look first."""
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                INSERT INTO bank_remittance_advice
                            (payment_id, company_id, state,
                             create_uid, create_date, write_uid, write_date)
                SELECT payment.id, payment.company_id, 'withheld',
                       %(user)s, %(now)s, %(user)s, %(now)s
                  FROM account_payment payment
                 WHERE payment.id = ANY(%(payments)s)
           ON CONFLICT (payment_id) DO UPDATE SET state = 'withheld'
                 WHERE bank_remittance_advice.state <> 'sent'
             RETURNING id
                """,
                user=self.env.uid, now=fields.Datetime.now(), payments=payments.ids,
            )
        )
        self.invalidate_model()

    # -- by hand ----------------------------------------------------------------------------------

    def action_write_again(self):
        """Try again: an address was added, the template put right, or the payee wants it now."""
        if not self.env.user.has_group("account_bank_connect.group_preparer"):
            raise UserError(self.env._("Only a preparer may do this."))
        self.check_access("read")
        for advice in self:
            if advice.state in ("sent", "waiting"):
                raise UserError(
                    self.env._("%s was told already.", advice.partner_id.display_name)
                )
            if not advice._is_due():
                raise UserError(
                    self.env._(
                        "The payment to %s is not executed: there is nothing to tell.",
                        advice.partner_id.display_name,
                    )
                )
        self._withdraw_mails()
        # sudo: advices are written by the engine only; who may do this was checked.
        self.sudo().write({"state": "waiting", "error": False})
        return self.env["bank.connection"]._run_soon(CRON, self.env._("The mails are written now."))

    def action_open_payment(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.payment",
            "res_id": self.payment_id.id,
            "view_mode": "form",
        }


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_apply(self, answers):
        notes = super()._bank_apply(answers)
        if any(answer["status"] in EXECUTED for answer in answers.values()):
            # sudo: waking a scheduled action of ours changes nothing in it.
            self.env.ref(CRON).sudo()._trigger()
        return notes

    def _bank_failed(self):
        # sudo: advices are written by the engine only.
        self.env["bank.remittance.advice"].sudo()._withhold(self)
        return super()._bank_failed()


class BankPrivacy(models.AbstractModel):
    _inherit = "bank.privacy"

    @api.model
    def _advices(self, partner):
        # sudo: who asks for a person's data was checked; advices are the engine's.
        return self.env["bank.remittance.advice"].sudo().search(
            [("payment_id", "in", self._payments(partner).ids)], order="id"
        )

    @api.model
    def _held(self, partner):
        held = super()._held(partner)
        held["remittance_advice"] = [
            plain(advice, ("payment_id", "state", "recipient_id", "email", "sent_date"))
            for advice in self._advices(partner)
        ]
        return held

    @api.model
    def _erase(self, partner):
        told = super()._erase(partner)
        # That a payment was told of stays, so that nobody is told twice; whom it was told goes.
        self._advices(partner).write({"email": False, "recipient_id": False})
        return told
