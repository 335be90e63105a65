import re
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from ..formats import codes
from .common import BankConnectCommon
from .documents import camt, paid, pain002, returned


@tagged("post_install", "-at_install")
class TestRemittanceAdvice(BankConnectCommon):
    """Who is paid is told so: once, when the bank has executed the payment, and never otherwise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor.email = "office@mueller.example"
        # What other tests' payments did is none of this one's business.
        cls.company.bank_advice_since = fields.Datetime.now() - timedelta(minutes=1)

    # -- what happens -----------------------------------------------------------------------------

    def answer(self, batch, status, reason=None):
        payments = [(pay.end_to_end_id, status, reason) for pay in batch.payment_ids]
        return self.received(pain002(batch.reference, payments))

    def executed(self, bills, **options):
        batch = self.sent(bills, **options)
        self.answer(batch, "ACSC")
        return batch.payment_ids

    def advices(self, payments):
        return self.env["bank.remittance.advice"].search([("payment_id", "in", payments.ids)])

    def mails(self, payments):
        return self.env["mail.mail"].search(
            [("model", "=", "account.payment"), ("res_id", "in", payments.ids)]
        )

    def tried(self, mails, **outcome):
        """Odoo's own way of sending, up to the mail server's word."""
        server = type(self.env["ir.mail_server"])
        with patch.object(server, "_disable_send", return_value=False), \
                patch.object(server, "_connect__", return_value=None), \
                patch.object(server, "send_email", **outcome):
            mails.send()

    # -- when -------------------------------------------------------------------------------------

    def test_a_mail_when_the_bank_has_executed(self):
        """Acceptance is no payment: the mail is written when the bank says it has paid."""
        batch = self.sent(self.new_bill(125.5, ref="RE-2026-77"))
        for status in ("RCVD", "ACCP", "ACSP"):
            self.answer(batch, status)
            self.run_cron("advice")
            self.assertFalse(self.mails(batch.payment_ids), status)
        self.answer(batch, "ACSC")
        self.assertFalse(self.mails(batch.payment_ids), "a mail written by the import itself")
        self.run_cron("advice")
        mail = self.mails(batch.payment_ids)
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.state, "outgoing", "Odoo's own queue sends it")
        self.assertEqual(mail.recipient_ids, self.vendor)
        payment = batch.payment_ids
        said = re.sub(r"<[^>]+>|\s+", " ", mail.body_html)
        for word in ("RE-2026-77", "125.50", payment.end_to_end_id, "Our bank"):
            self.assertIn(word, said)
        number = self.vendor.bank_ids.sanitized_acc_number
        self.assertNotIn(number, said)
        self.assertIn(f"{number[:4]}…{number[-4:]}", said)
        self.assertIn(mail.mail_message_id, payment.message_ids, "seen on the payment's page")
        self.assertEqual(self.advices(payment).state, "sent")

    def test_once_whatever_comes_after(self):
        """Receipts twice, late, out of order, and the statement: one mail."""
        payments = self.executed(self.new_bill(80))
        self.run_cron("advice")
        batch = payments.bank_batch_id
        self.answer(batch, "ACSC")
        self.answer(batch, "ACCP")
        self.received(camt(paid(payments)))
        self.assertTrue(payments.bank_booked)
        self.run_cron("advice")
        self.run_cron("advice")
        self.assertEqual(len(self.mails(payments)), 1)
        self.assertEqual(len(self.advices(payments)), 1)
        # The database refuses a second row, whoever writes it.
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), \
                self.env.cr.savepoint():
            self.advices(payments).copy({"state": "waiting"})

    def test_the_statement_alone_is_enough(self):
        """A bank that sends no receipts: the booking is what tells."""
        payment = self.sent(self.new_bill(64)).payment_ids
        self.received(camt(paid(payment)))
        self.run_cron("advice")
        self.assertEqual(len(self.mails(payment)), 1)

    def test_a_crash_before_the_commit_writes_nothing_and_the_next_run_one(self):
        payments = self.executed(self.new_bill(81))
        advice = type(self.env["bank.remittance.advice"])
        with self.env.cr.savepoint() as savepoint:
            self.env["bank.remittance.advice"]._take()._write_mails()
            self.assertEqual(len(self.mails(payments)), 1)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertFalse(self.mails(payments))
        with patch.object(advice, "_write_mails_of", side_effect=ValueError("a broken template")), \
                mute_logger("odoo.addons.account_bank_connect.models.bank_remittance_advice"):
            self.run_cron("advice")
        self.assertEqual(self.advices(payments).state, "failed")
        self.assertEqual(self.advices(payments).error, "a broken template")
        self.advices(payments).with_user(self.preparer).action_write_again()
        self.run_cron("advice")
        self.assertEqual(self.advices(payments).state, "sent")
        self.assertEqual(len(self.mails(payments)), 1)

    def test_never_after_a_rejection(self):
        """Also where the bank says afterwards that it did pay: people look first."""
        payment = self.sent(self.new_bill(82)).payment_ids
        self.answer(payment.bank_batch_id, "RJCT", "AC04")
        self.run_cron("advice")
        self.assertFalse(self.mails(payment))
        self.assertTrue(codes.advances("RJCT", "ACSC"))
        self.answer(payment.bank_batch_id, "ACSC")
        self.assertEqual(payment.bank_status, "ACSC")
        self.run_cron("advice")
        self.assertFalse(self.mails(payment))
        self.assertEqual(self.advices(payment).state, "withheld")

    def test_what_came_back_is_not_told_any_more(self):
        """Returned before the mail was written: none. Returned after it: no second one."""
        first, second = self.new_bill(83), self.new_bill(84)
        told = self.executed(first)
        self.run_cron("advice")
        other = self.executed(second)
        self.received(camt(paid(told), paid(other)))
        self.received(camt(returned(told), returned(other), opening="833.00"))
        self.assertEqual((told + other).mapped("bank_returned"), [True, True])
        self.run_cron("advice")
        self.assertEqual(len(self.mails(told)), 1)
        self.assertFalse(self.mails(other))
        self.assertEqual(self.advices(told).state, "sent")

    # -- what -------------------------------------------------------------------------------------

    def test_bills_discounts_and_credit_notes(self):
        """Each bill by the vendor's own number, what was deducted, and the sum."""
        bills = self.new_bill(100, ref="ONE") + self.new_bill(60, ref="TWO")
        bills += self.new_bill(25, ref="CREDIT", move_type="in_refund")
        payment = self.executed(bills, group_payments=True, net_credit_notes=True)
        self.assertEqual(payment.amount, 135)
        lines = {line["reference"]: line for line in payment._bank_advice_lines()}
        self.assertEqual(
            {name: line["paid"] for name, line in lines.items()},
            {"ONE": 100, "TWO": 60, "CREDIT": -25},
        )
        payment.bank_instalment_ids.filtered(lambda part: part.move_id.ref == "ONE").discount = 2
        (one,) = [line for line in payment._bank_advice_lines() if line["reference"] == "ONE"]
        self.assertEqual((one["gross"], one["discount"], one["paid"]), (102, 2, 100))
        self.run_cron("advice")
        said = re.sub(r"<[^>]+>|\s+", " ", self.mails(payment).body_html)
        for word in ("ONE", "TWO", "CREDIT", "135.00", "-25.00", "2.00"):
            self.assertIn(word, said.replace("\ufeff", ""))

    def test_in_the_payees_language_to_the_contact_for_invoices(self):
        """The template is translated, dates and amounts are written as the payee writes them."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env.ref("account_bank_connect.mail_template_advice").with_context(
            lang="fr_FR"
        ).subject = "Avis de paiement : {{ format_amount(object.amount, object.currency_id) }}"
        contact = self.env["res.partner"].create(
            {
                "name": "Comptabilité", "type": "invoice", "parent_id": self.vendor.id,
                "email": "compta@mueller.example", "lang": "fr_FR",
            }
        )
        payment = self.executed(self.new_bill(1234.5))
        self.run_cron("advice")
        mail = self.mails(payment)
        self.assertEqual(mail.recipient_ids, contact)
        self.assertRegex(mail.subject, r"^Avis de paiement : 1.234,50")
        self.assertEqual(self.advices(payment).email, "compta@mueller.example")

    # -- who --------------------------------------------------------------------------------------

    def test_who_does_not_want_it(self):
        """The company decides, and the payee otherwise."""
        self.vendor.bank_advice = "none"
        unwanted = self.executed(self.new_bill(85))
        self.run_cron("advice")
        self.assertFalse(self.mails(unwanted))
        self.assertEqual(self.advices(unwanted).state, "declined")
        self.company.bank_advice = False
        self.vendor.bank_advice = False
        still = self.executed(self.new_bill(86))
        self.vendor.bank_advice = "send"
        wanted = self.executed(self.new_bill(87))
        self.run_cron("advice")
        self.assertEqual(len(self.mails(still + wanted)), 2, "what counts is today's word")
        self.vendor.bank_advice = False
        none = self.executed(self.new_bill(88))
        self.run_cron("advice")
        self.assertFalse(self.mails(none))

    def test_no_address_is_no_error_and_listed(self):
        self.vendor.email = False
        payment = self.executed(self.new_bill(89))
        self.run_cron("advice")
        advice = self.advices(payment)
        self.assertEqual(advice.state, "missing")
        self.assertFalse(self.mails(payment))
        day = self.env["bank.day"].with_user(self.preparer).search([("code", "=", "addresses")])
        self.assertEqual(day.count, 1)
        self.vendor.email = "now@mueller.example"
        with self.assertRaises(UserError):
            advice.with_user(self.auditor).action_write_again()
        advice.with_user(self.preparer).action_write_again()
        self.run_cron("advice")
        self.assertEqual(self.mails(payment).recipient_ids.email, "now@mueller.example")
        with self.assertRaises(UserError):
            advice.with_user(self.preparer).action_write_again()

    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_a_mail_that_does_not_leave_is_noticed_and_written_again_once(self):
        payment = self.executed(self.new_bill(90))
        self.run_cron("advice")
        refused = self.mails(payment)
        self.tried(refused, side_effect=OSError("550 unknown user"))
        advice = self.advices(payment)
        self.assertEqual(advice.state, "unsent")
        self.assertIn("550 unknown user", advice.error)
        day = self.env["bank.day"].with_user(self.preparer).search([("code", "=", "advice_unsent")])
        self.assertEqual(day.count, 1)
        advice.with_user(self.preparer).action_write_again()
        self.assertFalse(refused.exists(), "nobody can send the old one as well")
        self.run_cron("advice")
        self.assertEqual(advice.state, "sent")
        self.assertFalse(advice.error)
        self.assertEqual(len(self.mails(payment)), 1)

    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_tried_again_in_the_mail_queue(self):
        payment = self.executed(self.new_bill(91))
        self.run_cron("advice")
        mail, advice = self.mails(payment), self.advices(payment)
        self.tried(mail, side_effect=OSError("try later"))
        self.assertEqual(advice.state, "unsent")
        mail.action_retry()
        self.tried(mail, return_value="<id@mail.example>")
        self.assertRecordValues(advice, [{"state": "sent", "error": False}])

    def test_a_mail_that_comes_back_is_noticed(self):
        payment = self.executed(self.new_bill(92))
        self.run_cron("advice")
        advice = self.advices(payment)
        payment._message_receive_bounce("Someone.Else@mueller.example", None)
        self.assertEqual(advice.state, "sent")
        payment._message_receive_bounce("Office@mueller.example", self.vendor)
        self.assertEqual(advice.state, "unsent")
        self.assertIn("came back", advice.error)

    def test_what_was_paid_before_is_not_told(self):
        payment = self.executed(self.new_bill(90))
        self.company.bank_advice_since = fields.Datetime.now() + timedelta(hours=1)
        self.run_cron("advice")
        self.assertFalse(self.advices(payment))

    def test_a_template_of_the_companys_own(self):
        own = self.env.ref("account_bank_connect.mail_template_advice").copy(
            {"subject": "Paid by {{ object.company_id.name }}"}
        )
        with Form(self.env["bank.settings"].with_user(self.admin)) as form:
            form.bank_advice_template_id = own
        form.record.action_save()
        self.assertEqual(self.company.bank_advice_template_id, own)
        payment = self.executed(self.new_bill(91))
        self.run_cron("advice")
        self.assertEqual(self.mails(payment).subject, "Paid by Payer GmbH")

    # -- how many ---------------------------------------------------------------------------------

    def test_many_payments_cost_few_queries_more(self):
        """Four times the payments: only the writing of each mail grows, not looking things up."""
        counts = []
        for number in (10, 40):
            bills = self.env["account.move"].concat(
                *(self.new_bill(10 + index) for index in range(number))
            )
            self.executed(bills)
            self.env.flush_all()
            self.env.invalidate_all()
            taken = self.env["bank.remittance.advice"]._take()
            self.assertEqual(len(taken), number)
            before = self.env.cr.sql_log_count
            taken._write_mails()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(taken.mapped("state")), {"sent"})
        self.assertLess(counts[1] - counts[0], 30 * 12, counts)


@tagged("post_install", "-at_install")
class TestAdviceOfOthers(BankConnectCommon):
    def test_companies_apart(self):
        """Nobody sees whom another company told."""
        self.company.bank_advice_since = fields.Datetime.now() - timedelta(minutes=1)
        batch = self.sent(self.new_bill(77))
        self.received(
            pain002(batch.reference, [(batch.payment_ids.end_to_end_id, "ACSC", None)])
        )
        self.run_cron("advice")
        other = self.new_company("Other GmbH")
        stranger = self.new_user(
            "stranger", "account_bank_connect.group_preparer", companies=other
        )
        stranger.write({"company_id": other.id, "company_ids": [Command.set(other.ids)]})
        found = self.env["bank.remittance.advice"].with_user(stranger).with_context(
            allowed_company_ids=other.ids
        )
        self.assertFalse(found.search([("payment_id", "in", batch.payment_ids.ids)]))
        self.assertTrue(self.env["bank.remittance.advice"].with_user(self.preparer).search(
            [("payment_id", "in", batch.payment_ids.ids)]
        ))
