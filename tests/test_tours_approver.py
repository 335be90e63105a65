from odoo.tests import tagged

from .common import MODULE
from .tour_common import TourCommon


class ApproverTours(TourCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.new_vendor("Acme Ltd", 2)
        cls.other.bank_ids.acc_holder_name = "Ivan Petrov"
        cls.confirm(cls.other.bank_ids)
        cls.good = cls.new_bill(100, ref="INV-GOOD")
        cls.big = cls.new_bill(500, vendor=cls.other, ref="INV-BIG")

    def setUp(self):
        super().setUp()
        self.batch = self.prepare(self.good + self.big)

    def assert_one_rejected_one_approved(self):
        self.assertEqual(self.batch.state, "approved")
        self.assertEqual(self.batch.amount_total, 100)
        self.assertEqual(self.batch.rejected_payment_ids.bank_rejected_reason, "Ordered by nobody.")
        self.assertTrue(self.big.bank_may_send)
        self.assertEqual(self.message_of(self.batch).state, "queued")


@tagged("post_install", "-at_install")
class TestToursApprover(ApproverTours):
    """The approver's page in a browser, on a desk."""

    def test_approver_looks_rejects_one_payment_and_approves_the_rest(self):
        self.walk("decide", "account.action_move_in_invoice_type", self.approver)
        self.assert_one_rejected_one_approved()

    def test_auditor_sees_the_same_and_no_buttons(self):
        self.walk("look", f"{MODULE}.action_batch", self.auditor)
        self.assertEqual(self.batch.state, "to_approve")

    def test_preparer_reads_which_payment_was_rejected_and_why(self):
        bad = self.batch.payment_ids.filtered(lambda pay: pay.amount == 500)
        self.batch.with_user(self.approver).action_reject_payments(bad.ids, "Ordered by nobody.")
        self.walk("read_rejection", f"{MODULE}.action_batch", self.preparer)


@tagged("post_install", "-at_install")
class TestToursPhone(ApproverTours):
    """The same on a phone: without a mouse, and without scrolling sideways."""

    browser_size = "390x844"
    touch_enabled = True

    def test_approver_decides_on_a_phone(self):
        self.walk("decide_on_phone", f"{MODULE}.action_batch_to_approve", self.approver)
        self.assert_one_rejected_one_approved()
