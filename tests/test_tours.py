from odoo.tests import HttpCase, tagged
from odoo.tools import file_path

from .common import MODULE, BankConnectCommon


@tagged("post_install", "-at_install")
class TestTours(BankConnectCommon, HttpCase):
    """What people do in the browser, as the people who do it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leave_out_missing_file()
        untrusted = cls.new_vendor("Unbekannt OHG", 2, trusted=False)
        cls.first = cls.new_bill(100, ref="INV-FIRST")
        cls.second = cls.new_bill(200, ref="INV-SECOND")
        cls.untrusted = cls.new_bill(50, vendor=untrusted, ref="INV-UNTRUSTED")

    @classmethod
    def leave_out_missing_file(cls):
        """Debian's package of Odoo lacks a file of the video calls; the browser would complain.

        Only where it is missing: a changed bundle is built anew for each test.
        """
        path = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
        try:
            file_path(path)
        except FileNotFoundError:
            cls.env["ir.asset"].create(
                {
                    "name": "without the backgrounds of video calls",
                    "bundle": "web.assets_backend",
                    "directive": "remove",
                    "path": path,
                }
            )

    def walk(self, tour, action, user):
        self.start_tour(f"/odoo/action-{action}", f"bank_connect_{tour}", login=user.login)

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
