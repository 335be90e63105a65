from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .documents import Booking, Detail, camt
from .reconcile_common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestReconcileAttack(ReconcileCommon):
    """Side roads by which a booking could lose what it paid, or pay what is paid otherwise."""

    def name_partner(self, line, partner):
        return self.screen().set_partner(line.id, partner.id, False, self.stamp(line))

    def test_naming_a_partner_takes_nothing_back(self):
        """What a booking executed stays executed, whoever it is said to be from."""
        self.book_on_statement()
        other = self.new_vendor("Other", 55)
        bill = self.new_bill(55)
        payment = self.sent(bill).payment_ids
        for amount in (-55, -60):
            with self.subTest(amount):
                line = self.new_booking(amount, "No reference")
                self.apply(line, {"payment_id": payment.id})
                self.assertEqual(bill.amount_residual, 0)
                booked = self.booked(line)
                with self.assertRaises(UserError), self.cr.savepoint():
                    self.name_partner(line, other)
                self.assertEqual(self.booked(line), booked)
                self.assertEqual(bill.amount_residual, 0)
                self.assertTrue(payment.bank_booked)
                line.action_bank_undo()

    def test_a_remembered_partner_takes_nothing_back(self):
        first = self.new_booking(-10, "Invoice", partner_name="ACME")
        self.screen().set_partner(first.id, self.vendor.id, True, self.stamp(first))
        bill = self.new_bill(40)
        later = self.new_booking(-50, "Invoice", partner_name="ACME")
        self.apply(later, {"item_id": self.payable(bill).id})
        self.assertEqual(bill.amount_residual, 0)
        booked = self.booked(later)
        self.rules._apply(later)
        self.assertEqual(self.booked(later), booked)
        self.assertEqual(bill.amount_residual, 0)

    def test_a_payment_that_has_not_left_is_not_booked(self):
        self.book_on_statement()
        batch = self.prepare(self.new_bill(70))
        line = self.new_booking(-70, "No reference")
        for step in ("prepared", "approved"):
            with self.subTest(step):
                with self.assertRaises(UserError), self.cr.savepoint():
                    self.apply(line, {"payment_id": batch.payment_ids.id})
                self.assertFalse(batch.payment_ids.bank_booked)
                if step == "prepared":
                    self.approve(batch)

    def test_a_discount_that_is_none_closes_no_bill(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        for name, terms, amount in (("no discount", {}, -98), ("more than it", {
            "invoice_payment_term_id": term.id}, -1)):
            with self.subTest(name):
                bill = self.new_bill(100, **terms)
                line = self.new_booking(amount, "No reference")
                self.apply(
                    line,
                    {"item_id": self.payable(bill).id, "amount": str(amount), "discount": True},
                )
                self.assertEqual(bill.amount_residual, 100 + amount)

    def test_a_document_that_names_what_has_not_left_books_nothing(self):
        """Forged or mistaken: else the payment was booked, and left after all."""
        payment = self.approved(self.new_bill(70)).payment_ids
        self.received(
            camt(Booking("-70.00", [Detail(payee="Vendor", end_to_end_id=payment.end_to_end_id)]))
        )
        self.assertFalse(payment.bank_booked)
        self.assertTrue(payment.bank_instalment_ids.live)
        found = self.env["bank.discrepancy"].search([("payment_id", "=", payment.id)])
        self.assertEqual(found.mapped("code"), ["never_sent"])
