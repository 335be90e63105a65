from contextlib import contextmanager

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import camt, paid, pain002, returned


@tagged("post_install", "-at_install")
class TestBillState(BankConnectCommon):
    """A bill is in payment until the bank's statement books it, in both ways of bookkeeping."""

    @contextmanager
    def way(self, book_now):
        """Odoo's way of bookkeeping: an entry at once, or none before the statement."""
        with self.subTest(book_now=book_now):
            if not book_now:
                self.book_on_statement()
            yield

    def test_in_payment_until_the_statement(self):
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100)
                batch = self.prepare(bill)
                self.assertEqual(bill.payment_state, "not_paid")
                self.approve(batch)
                payment = batch.payment_ids
                self.assertEqual((bill.payment_state, payment.state), ("in_payment", "in_process"))
                self.assertEqual(bool(payment.move_id), book_now)
                self.assertEqual(bill.amount_residual, 0 if book_now else 100)
                self.run_cron("send")
                self.received(pain002(batch.reference, group="ACSC"))
                self.assertEqual(bill.payment_state, "in_payment", "executed is not yet booked")
                self.received(camt(paid(payment)))
                self.assertEqual((bill.payment_state, payment.state), ("paid", "paid"))
                self.assertEqual(bill.amount_residual, 0)
                self.assertTrue(payment.is_matched or not book_now)
                self.assertEqual(batch.state, "settled")
                self.assertFalse(bill.bank_instalment_ids.filtered("live"))

    def test_the_words_beside_the_bill(self):
        """What the accountant reads at each step."""
        bill = self.new_bill(100)
        batch = self.prepare(bill)
        self.assertEqual(bill.bank_status_text, "To approve")
        self.approve(batch)
        self.assertEqual(bill.bank_status_text, "Approved")
        self.run_cron("send")
        self.assertEqual(bill.bank_status_text, "Received by the bank")
        self.received(pain002(batch.reference, group="ACSC"))
        self.assertEqual(bill.bank_status_text, "Executed")
        self.received(camt(paid(batch.payment_ids)))
        self.assertEqual(bill.bank_status_text, "On the bank's statement")

    def test_other_payments_keep_odoos_behaviour(self):
        """A bill paid by hand is paid at once in Community, before and after one of ours."""
        journal = self.env["account.journal"].search(
            [
                ("type", "=", "bank"),
                ("company_id", "=", self.company.id),
                ("bank_connection_id", "=", False),
            ],
            limit=1,
        )
        bill, ours = self.new_bill(100), self.new_bill(100)
        self.prepare(ours).with_user(self.approver).action_reject("by cheque instead")
        for each in bill + ours:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=each.ids
            ).create({"journal_id": journal.id}).action_create_payments()
            self.assertEqual(each.payment_state, "paid")

    def test_part_by_bank_and_part_by_hand(self):
        """The bill stays in payment until the bank has booked its part."""
        bill = self.new_bill(100)
        wizard = self.open_wizard(bill)
        wizard.line_ids.amount = 40
        wizard.action_send()
        batch = bill.bank_instalment_ids.payment_id.bank_batch_id
        self.approve(batch)
        self.assertEqual(bill.payment_state, "partial")
        self.run_cron("send")
        self.received(camt(paid(batch.payment_ids)))
        self.assertEqual((bill.payment_state, bill.amount_residual), ("partial", 60))
        rest = self.sent(bill)
        self.assertEqual((bill.payment_state, rest.amount_total), ("in_payment", 60))
        self.received(camt(paid(rest.payment_ids), opening="960.00"))
        self.assertEqual(bill.payment_state, "paid")

    def test_part_by_bank_without_an_entry(self):
        self.book_on_statement()
        bill = self.new_bill(100)
        wizard = self.open_wizard(bill)
        wizard.line_ids.amount = 40
        wizard.action_send()
        batch = bill.bank_instalment_ids.payment_id.bank_batch_id
        self.approve(batch)
        self.run_cron("send")
        self.received(camt(paid(batch.payment_ids)))
        self.assertEqual((bill.payment_state, bill.amount_residual), ("partial", 60))

    def test_a_payment_on_its_way_is_frozen(self):
        for book_now in (True, False):
            with self.way(book_now):
                payment = self.sent(self.new_bill(100)).payment_ids
                for name in ("action_draft", "action_cancel", "unlink"):
                    with self.assertRaisesRegex(UserError, "on its way"):
                        getattr(payment, name)()
                with self.assertRaisesRegex(UserError, "on its way"):
                    payment.amount = 5

    def test_released_when_rejected_and_when_returned(self):
        for book_now in (True, False):
            with self.way(book_now):
                rejected, back = self.new_bill(100), self.new_bill(50)
                batch = self.sent(rejected + back)
                first, second = batch.payment_ids.sorted("id")
                self.received(
                    pain002(
                        batch.reference,
                        [
                            (first.end_to_end_id, "RJCT", "AC04"),
                            (second.end_to_end_id, "ACSC", None),
                        ],
                    )
                )
                self.received(camt(paid(second), returned(second)))
                for bill in rejected + back:
                    self.assertEqual(
                        (bill.payment_state, bill.amount_residual), ("not_paid", bill.amount_total)
                    )
                self.assertEqual(self.sent(rejected + back).state, "sent")
