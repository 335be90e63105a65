from odoo.tests import tagged

from .common import MODULE
from .tour_common import TourCommon


@tagged("post_install", "-at_install")
class TestTours(TourCommon):
    """What people do in the browser, as the people who do it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        untrusted = cls.new_vendor("Unbekannt OHG", 2, trusted=False)
        cls.first = cls.new_bill(100, ref="INV-FIRST")
        cls.second = cls.new_bill(200, ref="INV-SECOND")
        cls.untrusted = cls.new_bill(50, vendor=untrusted, ref="INV-UNTRUSTED")

    def test_accountant_sends_bills_and_leaves_out_what_has_a_problem(self):
        self.walk("prepare", "account.action_move_in_invoice_type", self.preparer)
        batch = self.first.bank_payment_id.bank_batch_id
        self.assertEqual(batch.state, "to_approve")
        self.assertEqual(batch.preparer_id, self.preparer)
        self.assertEqual(batch.amount_total, 300)
        self.assertEqual(self.second.bank_payment_id.bank_batch_id, batch)
        self.assertFalse(self.untrusted.bank_payment_id)

    def test_manager_approves_what_somebody_else_prepared(self):
        batch = self.prepare(self.first + self.second)
        self.walk("approve", f"{MODULE}.action_batch_to_approve", self.approver)
        self.assertEqual(batch.state, "approved")
        self.assertEqual(batch.approval_ids.user_id, self.approver)
        self.assertEqual(self.message_of(batch).state, "queued")

    def test_manager_rejects_with_a_reason_and_the_bills_are_free(self):
        batch = self.prepare(self.first + self.second)
        self.walk("reject", f"{MODULE}.action_batch_to_approve", self.approver)
        self.assertEqual(batch.state, "rejected")
        self.assertEqual(batch.note, "The second bill is disputed.")
        self.assertTrue(self.first.bank_may_send)
        self.assertEqual(self.activities(batch).user_id, self.preparer)

    def test_auditor_reads_batch_and_message_and_changes_nothing(self):
        batch = self.approved(self.first + self.second)
        self.walk("audit", f"{MODULE}.action_batch", self.auditor)
        self.assertEqual(batch.state, "approved")
