from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import ExclusionViolation

from .common import BankConnectCommon


@tagged("post_install", "-at_install")
class TestSecondPaymentRoutes(BankConnectCommon):
    """The side roads by which a bill on its way could be paid once more."""

    def statement_line(self, amount):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.journal.id,
                "date": "2026-11-23",
                "amount": amount,
                "payment_ref": "somebody's own transfer",
                "partner_id": self.vendor.id,
            }
        )

    def payable(self, bill):
        return bill.line_ids.filtered(lambda item: item.account_type == "liability_payable")

    def assert_untouched(self, bill, batch):
        self.assertEqual(bill.bank_instalment_ids.payment_id.bank_batch_id, batch)
        self.assertEqual(bill.bank_instalment_ids.mapped("live"), [True])
        self.assertFalse(self.payable(bill).matched_debit_ids)

    @mute_logger("odoo.sql_db")
    def test_a_line_of_the_statement_is_not_matched_with_the_bill(self):
        """Nobody takes another debit for the payment that is still on its way."""
        self.book_on_statement()
        bill = self.new_bill(100)
        batch = self.sent(bill)
        line = self.statement_line(-100)
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = self.payable(bill).account_id
        with (
            self.assertRaisesRegex((UserError, ExclusionViolation), batch.name),
            self.env.cr.savepoint(),
        ):
            (suspense + self.payable(bill)).reconcile()
        self.assert_untouched(bill, batch)

    @mute_logger("odoo.sql_db")
    def test_a_copied_payment_pays_nothing(self):
        """A copy is a draft of its own: without the bill, its batch and its numbers."""
        self.book_on_statement()
        bill = self.new_bill(100)
        batch = self.sent(bill)
        copy = batch.payment_ids.copy()
        self.assertEqual(copy.state, "draft")
        self.assertFalse(copy.bank_batch_id or copy.end_to_end_id or copy.uetr or copy.bank_status)
        self.assertFalse(copy.bank_instalment_ids)
        self.assert_untouched(bill, batch)

    def test_a_copied_bill_is_another_bill(self):
        bill = self.new_bill(100)
        self.sent(bill)
        copy = bill.copy({"invoice_date": bill.invoice_date, "ref": "another"})
        self.assertFalse(copy.bank_instalment_ids)
        copy.action_post()
        self.assertEqual(self.prepare(copy).state, "to_approve")

    def test_an_imported_payment_can_not_be_posted(self):
        """As a file brings it in: *Payments ▸ Import records*."""
        self.book_on_statement()
        bill = self.new_bill(100)
        batch = self.sent(bill)
        found = self.env["account.payment"].load(
            [
                "payment_type", "partner_type", "partner_id/.id", "partner_bank_id/.id",
                "journal_id/.id", "amount", "invoice_ids/.id", "payment_method_line_id/.id",
            ],
            [
                [
                    "outbound", "supplier", str(self.vendor.id), str(self.vendor.bank_ids.id),
                    str(self.journal.id), "100", str(bill.id),
                    str(self.journal._bank_method_line().id),
                ]
            ],
        )
        self.assertTrue(found["ids"], found["messages"])
        payment = self.env["account.payment"].browse(found["ids"])
        with self.assertRaisesRegex(UserError, f"already being paid: {batch.name}"):
            payment.action_post()
        self.assert_untouched(bill, batch)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nobody_writes_what_the_bank_says(self):
        """Values that only the engine sets are not for RPC, whoever calls."""
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        for values in (
            {"bank_status": "RJCT"}, {"bank_batch_id": False}, {"end_to_end_id": "other"},
            {"bank_booked": True}, {"state": "rejected"}, {"partner_bank_id": False},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                payment.with_user(self.preparer).write(values)
