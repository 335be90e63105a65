import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import BankConnectCommon


@tagged("post_install", "-at_install")
class TestRejectPart(BankConnectCommon):
    """Some payments of a batch are rejected: they leave it, and the rest is asked for anew."""

    def setUp(self):
        super().setUp()
        self.bills = self.new_bill(10) + self.new_bill(20) + self.new_bill(30)
        self.batch = self.prepare(self.bills, group_payments=False)
        self.payments = self.batch.payment_ids.sorted("amount")
        self.bad = self.payments[1]

    def reject(self, payments=None, reason="Hours never worked", user=None, batch=None):
        payments = self.bad if payments is None else payments
        (batch or self.batch).with_user(user or self.approver).action_reject_payments(
            payments.ids, reason
        )

    def test_rejected_payment_leaves_and_its_bill_is_free(self):
        before = self.batch.seal
        self.reject()
        self.assertEqual(self.batch.state, "to_approve")
        self.assertEqual(self.batch.amount_total, 40)
        self.assertNotEqual(self.batch.seal, before)
        self.assertFalse(self.bad.bank_batch_id)
        self.assertEqual(self.bad.state, "canceled")
        self.assertEqual(self.batch.rejected_payment_ids, self.bad)
        self.assertEqual(self.bad.bank_rejected_by_id, self.approver)
        bill = self.bills.filtered(lambda bill: bill.amount_total == 20)
        self.assertTrue(bill.bank_may_send)
        self.assertIn("Hours never worked", bill.bank_status_text)
        self.assertIn("Hours never worked", self.chatter(bill))
        again = self.prepare(bill)
        self.assertEqual(self.approve(again).state, "approved")

    def test_the_rest_is_approved_by_the_same_person_and_exactly_that_is_sent(self):
        self.reject()
        self.assertTrue(self.batch.with_user(self.approver).may_approve)
        self.approve(self.batch)
        self.assertEqual(self.batch.state, "approved")
        content = json.loads(self.batch.sealed_content)
        self.assertEqual([pay["amount"] for pay in content["payments"]], ["10.00", "30.00"])
        raw = self.message_of(self.batch)._raw()
        self.assertNotIn(self.bad.end_to_end_id.encode(), raw)
        self.run_cron("send")
        self.assertEqual(self.message_of(self.batch).state, "delivered")

    def test_the_preparer_learns_which_and_why_and_the_mail_says_no_payee(self):
        self.reject()
        task = self.activities(self.batch)
        self.assertEqual(task.user_id, self.preparer)
        self.assertIn("One payment", task.summary)
        self.assertIn("Hours never worked", task.note)
        self.assertIn(self.vendor.name.split()[0], task.note)
        mail = self.env["mail.message"].search(
            [
                ("partner_ids", "in", self.preparer.partner_id.ids),
                ("model", "=", "bank.payment.batch"),
                ("res_id", "=", self.batch.id),
            ]
        )
        self.assertEqual(len(mail), 1)
        self.assertIn("Hours never worked", mail.body)
        self.assertNotIn(self.vendor.name.split()[0], mail.body)
        self.assertNotIn("20.00", mail.body)

    def test_approvers_are_asked_again(self):
        self.reject()
        tasks = self.activities(self.batch, "approve")
        self.assertEqual(tasks.user_id, self.approver)
        self.assertIn("2 payments", tasks.summary)

    def test_the_preparer_stays_who_vouches_for_the_batch(self):
        """Otherwise who rejects a payment could not approve the rest, and the preparer could."""
        self.preparer.group_ids += self.env.ref("account_bank_connect.group_approver")
        self.reject()
        self.assertEqual(self.batch.sealed_by_id, self.preparer)
        with self.assertRaisesRegex(AccessError, "somebody else has to approve"):
            self.batch.with_user(self.preparer).action_approve()

    def test_an_earlier_approval_does_not_count_and_is_named(self):
        """Where one approval is not enough, the first may be older than the rejection."""
        colleague = self.new_user("colleague", "account_bank_connect.group_approver")
        self.batch.with_user(colleague)._record_decision("approved")
        self.reject()
        self.assertNotEqual(self.batch.approval_ids.seal, self.batch.seal)
        self.assertEqual(
            self.batch.with_user(self.auditor).outdated_approver_names, colleague.name
        )
        self.approve(self.batch)
        self.assertFalse(self.batch.outdated_approver_names)

    def test_all_payments_is_the_batch(self):
        self.reject(self.payments)
        self.assertEqual(self.batch.state, "rejected")
        self.assertEqual(self.batch.payment_ids, self.payments)
        self.assertEqual(set(self.payments.mapped("state")), {"canceled"})

    def test_flags_are_found_anew(self):
        self.reject()
        self.assertEqual(
            self.batch.flag_ids.payment_id, self.payments - self.bad, "first payments to the payee"
        )

    # -- attempts ---------------------------------------------------------------------------

    def assert_untouched(self):
        self.env.invalidate_all()
        self.assertEqual(self.batch.payment_ids, self.payments)
        self.assertEqual(self.batch.state, "to_approve")
        self.assertEqual(set(self.payments.mapped("state")), {"draft"})

    def test_only_an_approver_who_did_not_prepare_rejects(self):
        self.preparer.group_ids += self.env.ref("account_bank_connect.group_approver")
        for user in (self.preparer, self.clerk, self.admin, self.auditor, self.outsider):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.reject(user=user)
        self.assert_untouched()

    def test_a_reason_is_needed(self):
        with self.assertRaisesRegex(UserError, "Say why"):
            self.reject(reason=" \n")
        self.assert_untouched()

    def test_payments_of_another_batch_are_not_taken_along(self):
        other = self.prepare(self.new_bill(5)).payment_ids
        for payments in (other, self.bad + other, self.env["account.payment"]):
            with self.assertRaisesRegex(UserError, "Choose payments of"):
                self.reject(payments)
        self.assertEqual(other.state, "draft")
        self.assert_untouched()

    def test_a_decided_batch_is_not_taken_apart(self):
        self.approve(self.batch)
        with self.assertRaisesRegex(UserError, "does not wait for approval any more"):
            self.reject()
        self.assertEqual(self.bad.bank_batch_id, self.batch)

    def test_a_change_is_not_sealed_unseen_by_rejecting_something_else(self):
        """The preparer changes a payee's name, and hopes that a rejection seals it."""
        self.vendor.bank_ids.acc_holder_name = "Mule Ltd"
        with self.assertRaisesRegex(UserError, "changed after it was sent to approval"):
            self.reject()
        self.assert_untouched()

    def test_who_rejected_what_is_not_written_by_hand(self):
        self.reject()
        for values in (
            {"bank_rejected_reason": "Nothing"},
            {"bank_rejected_from_id": False},
            {"bank_rejected_by_id": self.admin.id},
        ):
            with self.assertRaisesRegex(UserError, "not changed by hand"):
                self.bad.with_user(self.preparer).write(values)
        with self.assertRaises(AccessError):
            self.batch.with_user(self.preparer).write({"rejected_payment_ids": [(5,)]})

    # -- wizard -----------------------------------------------------------------------------

    def wizard(self, batches, user=None, **values):
        return (
            self.env["bank.reject.wizard"]
            .with_user(user or self.approver)
            .with_context(active_model="bank.payment.batch", active_ids=batches.ids)
            .create({"reason": "No", **values})
        )

    def test_wizard_rejects_some(self):
        self.wizard(self.batch, scope="some", payment_ids=self.bad.ids).action_reject()
        self.assertEqual(self.batch.rejected_payment_ids, self.bad)

    def test_wizard_opened_from_a_payment(self):
        action = self.bad.with_user(self.approver).action_bank_reject()
        self.env["bank.reject.wizard"].with_user(self.approver).with_context(
            **action["context"]
        ).create({"reason": "No"}).action_reject()
        self.assertEqual(self.batch.rejected_payment_ids, self.bad)
        self.assertEqual(self.batch.state, "to_approve")

    def test_wizard_rejects_several_batches_at_once(self):
        other = self.prepare(self.new_bill(5))
        self.wizard(self.batch + other).action_reject()
        self.assertEqual(set((self.batch + other).mapped("state")), {"rejected"})

    def test_wizard_takes_payments_of_one_batch_only(self):
        other = self.prepare(self.new_bill(5))
        for values in ({"payment_ids": self.bad.ids}, {}):
            with self.assertRaisesRegex(UserError, "Choose payments of one batch"):
                self.wizard(self.batch + other, scope="some", **values).action_reject()
        self.assert_untouched()

    def test_several_batches_are_approved_at_once_or_none(self):
        other = self.prepare(self.new_bill(5))
        (self.batch + other).with_user(self.approver).action_approve()
        self.assertEqual(set((self.batch + other).mapped("state")), {"approved"})
        third, mine = self.prepare(self.new_bill(6)), self.prepare(self.new_bill(7))
        self.vendor.bank_ids.acc_holder_name = "Mule Ltd"
        with self.assertRaises(UserError):
            (third + mine).with_user(self.approver).action_approve()
        self.assertFalse(self.message_of(third) or self.message_of(mine))

    def test_as_many_queries_for_thirty_rejected_as_for_three(self):
        vendors = [self.new_vendor(f"Vendor {number}", 300 + number) for number in range(36)]

        def queries(count):
            bills = self.env["account.move"].union(
                *(self.new_bill(10 + place, vendor=vendors[place]) for place in range(36))
            )
            batch = self.prepare(bills)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.reject(batch.payment_ids[:count], batch=batch)
            self.env.flush_all()
            used = self.env.cr.sql_log_count - before
            batch.with_user(self.preparer).action_cancel()
            return used

        queries(3)  # what is read once
        few, many = queries(3), queries(30)
        self.assertLess(many - few, 27, f"{few} for 3, {many} for 30")
