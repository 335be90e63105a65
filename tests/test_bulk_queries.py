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

    def test_a_batch_is_followed_without_reading_it(self):
        """A long statement asks after each slice how its batch stands."""
        batch = self.approved(self.new_bill(10) | self.new_bill(20) | self.new_bill(30))
        batch.message_ids_bank._prove_delivery()
        numbers = batch.payment_ids.ids
        self.env.flush_all()
        self.env.invalidate_all()
        payment = self.env["account.payment"].browse(numbers[0])
        payment._bank_apply({payment: {"status": "ACSC"}})
        self.assertEqual(batch.state, "accepted")
        for record, name in ((payment, "bank_status"), (batch, "sealed_content")):
            read = set(record._fields[name]._get_cache(self.env))
            self.assertLessEqual(read, {payment.id} if record == payment else set())
