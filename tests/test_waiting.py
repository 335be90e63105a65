from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestWaiting(BankConnectCommon):
    """Who has to decide is told: by a task, by mail as they prefer, by a counter; and reminded."""

    def waiting(self, user):
        return self.env["bank.payment.batch"].with_user(user).count_waiting_for_me()

    def mails(self, batch, user=None):
        return self.env["mail.message"].search(
            [
                ("partner_ids", "in", (user or self.approver).partner_id.ids),
                ("model", "=", "bank.payment.batch"),
                ("res_id", "=", batch.id),
            ]
        )

    # -- counter ----------------------------------------------------------------------------

    def test_counter_counts_what_the_user_may_decide_and_nothing_else(self):
        self.assertEqual(self.waiting(self.approver), 0)
        batches = self.prepare(self.new_bill(1)) + self.prepare(self.new_bill(2))
        self.assertEqual(self.waiting(self.approver), 2)
        for user in (self.preparer, self.auditor, self.admin, self.clerk):
            self.assertEqual(self.waiting(user), 0, user.name)
        self.preparer.group_ids += self.env.ref("account_bank_connect.group_approver")
        self.assertEqual(self.waiting(self.preparer), 0, "own batches wait for somebody else")
        self.approve(batches[0])
        self.assertEqual(self.waiting(self.approver), 1)

    def test_list_shows_what_waits_for_the_user(self):
        batch = self.prepare(self.new_bill())
        self.prepare(self.new_bill()).with_user(self.preparer).action_cancel()
        model = self.env["bank.payment.batch"]
        mine = [("may_approve", "=", True), ("company_id", "=", self.company.id)]
        self.assertEqual(model.with_user(self.approver).search(mine), batch)
        self.assertFalse(model.with_user(self.auditor).search(mine))
        others = [("may_approve", "=", False), ("company_id", "=", self.company.id)]
        self.assertNotIn(batch, model.with_user(self.approver).search(others))

    def test_open_windows_are_told_that_the_number_changed(self):
        def told(do):
            self.env.cr.precommit.run()
            self.env["bus.bus"].search([]).unlink()
            do()
            self.env.cr.precommit.run()
            return self.env["bus.bus"].search([("message", "like", "bank_connect/awaiting")])

        self.assertTrue(told(lambda: setattr(self, "batch", self.prepare(self.new_bill()))))
        messages = told(lambda: self.approve(self.batch))
        self.assertTrue(messages)
        self.assertNotIn("BATCH", "".join(messages.mapped("message")), "it says nothing but: ask")

    # -- mail -------------------------------------------------------------------------------

    def test_one_mail_without_payee_account_or_amount(self):
        vendor = self.new_vendor("Geheimrat OHG", 44)
        batch = self.prepare(self.new_bill(12345, vendor=vendor))
        mail = self.mails(batch)
        self.assertEqual(len(mail), 1)
        self.assertIn(batch.name, mail.body)
        self.assertIn(self.preparer.name, mail.body)
        text = f"{mail.subject} {mail.body} {self.activities(batch, 'approve').summary}"
        for secret in ("12345", "12,345", "Geheimrat", iban(44), iban(44)[-4:]):
            self.assertNotIn(secret, text)
        self.assertIn("deserve a look", mail.body, "a first payment")

    def test_one_payment_is_spoken_of_as_one(self):
        one = self.prepare(self.new_bill())
        two = self.prepare(self.new_bill() + self.new_bill(), group_payments=False)
        self.assertEqual(self.activities(one, "approve").summary, "Approve one payment")
        self.assertEqual(self.activities(two, "approve").summary, "Approve 2 payments")

    def test_people_are_told_as_they_prefer(self):
        second = self.new_user("inbox", "account_bank_connect.group_approver")
        second.notification_type = "inbox"
        batch = self.prepare(self.new_bill())
        notified = {
            notification.res_partner_id: notification.notification_type
            for notification in self.mails(batch, second).notification_ids
            + self.mails(batch).notification_ids
        }
        self.assertEqual(notified[self.approver.partner_id], "email")
        self.assertEqual(notified[second.partner_id], "inbox")

    # -- reminder ---------------------------------------------------------------------------

    def remind(self, batch, hours):
        """Let time pass, and the scheduled action run."""
        batch._engine().write(
            {
                field: batch[field] - timedelta(hours=hours)
                for field in ("asked_date", "reminded_date")
                if batch[field]
            }
        )
        before = len(self.mails(batch))
        self.env["bank.payment.batch"]._cron_remind_approvers()
        return len(self.mails(batch)) - before

    def test_reminder_after_a_day_and_then_daily(self):
        batch = self.prepare(self.new_bill())
        self.assertEqual(self.remind(batch, 23), 0)
        self.assertEqual(self.remind(batch, 2), 1)
        self.assertEqual(self.remind(batch, 20), 0)
        self.assertEqual(self.remind(batch, 5), 1)
        self.assertIn("still waits", self.mails(batch)[0].body)
        self.approve(batch)
        self.assertEqual(self.remind(batch, 100), 0)

    def test_reminder_can_be_later_or_never(self):
        batch = self.prepare(self.new_bill())
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("account_bank_connect.remind_after_hours", "48")
        self.assertEqual(self.remind(batch, 30), 0)
        self.assertEqual(self.remind(batch, 30), 1)
        parameters.set_param("account_bank_connect.remind_after_hours", "0")
        self.assertEqual(self.remind(batch, 999), 0)

    def test_when_it_was_asked_is_not_written_by_hand(self):
        batch = self.prepare(self.new_bill())
        for field in ("asked_date", "reminded_date"):
            with self.assertRaises(AccessError):
                batch.with_user(self.preparer).write({field: fields.Datetime.now()})


@tagged("post_install", "-at_install")
class TestBillDocument(BankConnectCommon):
    """The bill behind a payment is one click away."""

    def attach(self, bill, name="invoice.pdf"):
        return self.env["ir.attachment"].create(
            {"name": name, "raw": b"%PDF-1.4", "res_model": "account.move", "res_id": bill.id}
        )

    def opened(self, payment):
        return payment.with_user(self.approver).action_bank_open_document()

    def test_document_is_opened(self):
        bill = self.new_bill()
        document = self.attach(bill)
        action = self.opened(self.prepare(bill).payment_ids)
        self.assertEqual(action["url"], f"/web/content/{document.id}")

    def test_bill_is_opened_where_there_is_no_document_or_there_are_several(self):
        bill = self.new_bill(ref="INV-7")
        payment = self.prepare(bill).payment_ids
        self.assertEqual(self.opened(payment)["res_id"], bill.id)
        self.assertEqual(payment.with_user(self.approver).bank_bill_text, "INV-7")
        self.attach(bill)
        self.attach(bill, "timesheet.pdf")
        self.assertEqual(self.opened(payment)["res_id"], bill.id)

    def test_all_bills_of_a_payment_are_listed(self):
        bills = self.new_bill(1) + self.new_bill(2)
        payment = self.prepare(bills, group_payments=True).payment_ids
        self.assertEqual(len(payment), 1)
        action = self.opened(payment)
        self.assertEqual(set(action["domain"][0][2]), set(bills.ids))
