from datetime import timedelta

from odoo.addons.account_bank_connect.connectors.interface import FetchError, NotSent, Uncertain
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .recall_common import RecallCommon
from .scripted_connector import receipt


@tagged("post_install", "-at_install")
class TestWithdraw(RecallCommon):
    """What has not left is withdrawn here and now."""

    def test_what_is_queued_never_leaves(self):
        bills = self.new_bill(100) | self.new_bill(200)
        batch = self.approved(bills)
        message = self.message_of(batch)
        self.recall(batch)
        self.assertEqual((message.state, message.next_attempt), ("withdrawn", False))
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertFalse(batch.recall_id, "nobody has to be asked")
        self.assert_open(batch, bills)

    def test_who_why_and_when_are_recorded(self):
        batch = self.approved(self.new_bill(100))
        self.recall(batch, user=self.approver)
        self.assertIn(
            "Withdrawn by Approver before it left: Paid twice; Paid by cheque.", self.chatter(batch)
        )
        self.assertEqual(batch.note.count("Approver"), 1)
        message = self.message_of(batch)
        self.assertEqual(message.recall_user_id, self.approver)
        self.assertEqual((message.recall_reason, message.recall_note), ("DUPL", "Paid by cheque"))

    def test_bills_that_book_on_the_statement_are_open_again(self):
        self.book_on_statement()
        bill = self.new_bill(100)
        batch = self.approved(bill)
        self.recall(batch)
        self.assert_open(batch, bill)

    def test_after_an_attempt_that_surely_failed(self):
        """It was certain that no byte was accepted, so nothing has left."""
        self.bank.on_submit.append(NotSent("connect_refused", "Nobody listens."))
        bill = self.new_bill(100)
        batch = self.sent(bill)
        self.assertEqual((batch.state, self.message_of(batch).attempts), ("approved", 1))
        self.recall(batch)
        self.assert_open(batch, bill)

    def test_never_in_doubt(self):
        """Queued for a repetition, the message may be at the bank already."""
        self.bank.on_submit.append(Uncertain("reset", "The line broke."))
        batch = self.sent(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "Nobody knows yet whether the bank has"):
            self.recall(batch)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.bank.resend_window = timedelta(hours=24)
        self.due(self.message_of(batch))
        self.run_cron("fetch")
        self.assertEqual((self.message_of(batch).state, batch.state), ("queued", "approved"))
        with self.assertRaisesRegex(UserError, "Nobody knows yet whether the bank has"):
            self.recall(batch)

    def test_not_while_it_is_sent(self):
        """A worker holds it: what becomes of it is known in a moment."""
        batch = self.approved(self.new_bill(100))

        def meanwhile(document, key):
            with self.assertRaisesRegex(UserError, "being sent this very moment"):
                self.recall(batch)
            return receipt(key)

        self.bank.on_submit.append(meanwhile)
        self.run_cron("send")
        self.assertEqual(batch.state, "sent")

    def test_only_after_approval(self):
        batch = self.prepare(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "withdraw or reject it instead"):
            self.recall(batch)

    def test_who_may(self):
        """Preparer, approver and bank administrator; nobody else, and nobody without a reason."""
        for user in (self.preparer, self.approver, self.admin):
            self.recall(batch := self.approved(self.new_bill(100)), user=user)
            self.assertEqual(batch.state, "cancelled")
        batch = self.approved(self.new_bill(100))
        for user in (self.auditor, self.clerk, self.outsider):
            with self.assertRaises(AccessError):
                self.recall(batch, user=user)
            if user != self.outsider:
                self.assertFalse(batch.with_user(user).may_recall)
        for reason, note in (("CUST", " "), ("XXXX", "x"), (False, "x")):
            with self.assertRaisesRegex(UserError, "Say why"):
                self.recall(batch, reason, note)
        self.assertTrue(batch.with_user(self.preparer).may_recall)
        stranger = self.new_user(
            "stranger", "account_bank_connect.group_admin", self.new_company("Another GmbH")
        )
        with self.assertRaises(AccessError):
            self.recall(batch, user=stranger)

    def test_by_the_button(self):
        batch = self.approved(self.new_bill(100))
        wizard = (
            self.env["bank.recall.wizard"]
            .with_user(self.approver)
            .create({"batch_id": batch.id, "reason": "CUST", "note": "The vendor went bankrupt"})
        )
        self.assertFalse(wizard.left)
        wizard.action_recall()
        self.assertEqual(batch.state, "cancelled")
