from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError
from psycopg2.errors import ExclusionViolation

from .common import BankConnectCommon


@tagged("post_install", "-at_install")
class TestSecondPayment(BankConnectCommon):
    """While a bill is on its way to the bank, nothing else in Odoo can pay it."""

    def register(self, bill, journal=None, **values):
        """Register a payment in Odoo's own wizard."""
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create({"journal_id": (journal or self.journal).id, **values})
        )
        return wizard._create_payments()

    def manual(self, journal=None):
        return (
            (journal or self.journal)
            .outbound_payment_method_line_ids.filtered(lambda line: line.code == "manual")[:1]
            .id
        )

    def test_odoos_payment_wizard_is_refused(self):
        """From the preparation on, in both ways of bookkeeping."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bill = self.new_bill(100)
                batch = self.prepare(bill)
                with self.assertRaisesRegex(UserError, f"already being paid: {batch.name}"):
                    self.register(bill, payment_method_line_id=self.manual())
                self.approve(batch)
                if not book_now:
                    with self.assertRaisesRegex(UserError, f"already being paid: {batch.name}"):
                        self.register(bill, payment_method_line_id=self.manual())
                self.assertEqual(len(bill.matched_payment_ids), 1)

    def test_a_credit_note_is_not_set_off_meanwhile(self):
        bill = self.new_bill(100)
        self.prepare(bill)
        note = self.new_bill(30, move_type="in_refund")
        line = note.line_ids.filtered(lambda item: item.account_type == "liability_payable")
        with self.assertRaisesRegex(UserError, "already being paid"):
            bill.js_assign_outstanding_line(line.id)
        self.assertEqual(bill.amount_residual, 100)

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_a_second_live_row(self):
        """Two rows for one instalment can't both be live, whoever writes them."""
        bill = self.new_bill(100)
        self.prepare(bill)
        held = bill.bank_instalment_ids
        with self.assertRaisesRegex(IntegrityError, "one_live_payment"), self.env.cr.savepoint():
            held.copy({"payment_id": held.payment_id.id})
            self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_a_reconciliation_by_sql(self):
        bill = self.new_bill(100)
        self.prepare(bill)
        note = self.new_bill(30, move_type="in_refund")
        payable = (
            (bill + note)
            .line_ids.filtered(lambda item: item.account_type == "liability_payable")
            .sorted("balance")
        )
        self.env.flush_all()
        with (
            self.assertRaisesRegex(ExclusionViolation, "can't be paid twice"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "INSERT INTO account_partial_reconcile (credit_move_id, debit_move_id, amount) "
                "VALUES (%s, %s, 30)",
                payable.ids,
            )

    def test_what_the_payment_paid_is_not_undone_meanwhile(self):
        """Breaking the reconciliation, or the bill, would open the door to a second payment."""
        bill = self.new_bill(100)
        batch = self.approved(bill)
        for attempt in (
            lambda: bill.line_ids.remove_move_reconcile(),
            lambda: bill.button_draft(),
            lambda: bill.button_cancel(),
            lambda: batch.payment_ids.move_id.button_draft(),
            lambda: batch.payment_ids.move_id.button_cancel(),
        ):
            with self.assertRaises(UserError):
                attempt()
        self.assertEqual((bill.state, bill.amount_residual), ("posted", 0))

    def test_a_second_payment_record_is_not_sent(self):
        """A payment that somebody drafts for the same bill can't be posted or sent."""
        self.book_on_statement()
        bill = self.new_bill(100)
        self.prepare(bill)
        second = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "supplier",
                "partner_id": self.vendor.id,
                "partner_bank_id": self.vendor.bank_ids.id,
                "journal_id": self.journal.id,
                "amount": 100,
                "invoice_ids": bill.ids,
                "payment_method_line_id": self.journal._bank_method_line().id,
            }
        )
        with self.assertRaisesRegex(UserError, "already being paid"):
            second.action_post()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.prepare(second)
            self.env.flush_all()
        self.assertEqual(len(bill.bank_instalment_ids), 1)

    def test_the_other_instalment_stays_payable(self):
        """What is not on its way can be paid as ever."""
        bill = self.new_bill(100)
        wizard = self.open_wizard(bill)
        wizard.line_ids.amount = 40
        wizard.action_send()
        self.approve(bill.bank_instalment_ids.payment_id.bank_batch_id)
        free = self.new_bill(100)
        self.register(free, payment_method_line_id=self.manual())
        self.assertEqual(free.amount_residual, 0)

    def test_a_rejected_bill_is_payable_again(self):
        bill = self.new_bill(100)
        batch = self.prepare(bill)
        batch.with_user(self.approver).action_reject("no")
        self.register(bill, payment_method_line_id=self.manual())
        self.assertEqual(bill.amount_residual, 0)
        self.assertEqual(bill.payment_state, "paid", "Community's own state for manual payments")
