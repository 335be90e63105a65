from odoo.tests import tagged

from .common import BankConnectCommon


@tagged("post_install", "-at_install")
class TestBulkQueries(BankConnectCommon):
    """Forty payments cost the database no more questions than ten."""

    def questions(self, count):
        bills = self.env["account.move"].union(*[self.new_bill(10 + n) for n in range(count)])
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        batch = self.approved(bills)
        self.env.flush_all()
        asked = self.env.cr.sql_log_count - before
        payments = batch.payment_ids
        self.assertEqual(len(payments), count)
        self.assertEqual(len(set(payments.mapped("name")) - {False}), count, "names are unique")
        return asked

    def test_payments_that_the_statement_books(self):
        self.book_on_statement()
        self.questions(2)  # what is asked once and remembered
        few, many = self.questions(10), self.questions(40)
        self.assertLess(many - few, 15)

    def test_payments_that_are_booked_at_once(self):
        self.questions(2)
        few, many = self.questions(10), self.questions(40)
        self.assertLess(many - few, 15)
