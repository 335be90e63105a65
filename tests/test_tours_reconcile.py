from odoo.tests import tagged

from .common import MODULE
from .reconcile_common import ReconcileCommon
from .tour_common import TourCommon


@tagged("post_install", "-at_install")
class TestToursReconcile(ReconcileCommon, TourCommon):
    """What an accountant does with the bank's bookings, by keys, in the browser."""

    def walk_as(self, tour, user=None, **options):
        self.walk(f"reconcile_{tour}", f"{MODULE}.action_reconcile", user or self.clerk, **options)

    def test_confirms_by_key_goes_on_and_undoes(self):
        bill = self.new_bill(100, ref="INV-ONE")
        second = self.new_booking(-55, "A second booking")
        line = self.new_booking(-100, "Invoice INV-ONE", partner_id=self.vendor.id)
        self.walk_as("keys")
        self.assertFalse(line.is_reconciled, "it was undone")
        self.assertEqual(bill.amount_residual, 100)
        self.assertTrue(second.is_reconciled)
        self.assertEqual(second.bank_reconciled_by_id, self.clerk)

    def test_searches_and_splits(self):
        bills = self.new_bill(100, ref="INV-WHOLE") + self.new_bill(80, ref="INV-PART")
        line = self.new_booking(-150, "Two invoices", partner_name="Müller")
        self.walk_as("split")
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bills.mapped("amount_residual"), [10, 20])

    def test_writes_off_with_tax_and_makes_a_rule_of_it(self):
        tax = self.new_tax()
        later = self.new_booking(-23.8, "Card fee 10/2026")
        line = self.new_booking(-11.9, "Card fee 11/2026")
        self.walk_as("write_off")
        self.assertTrue(line.is_reconciled)
        item = self.fee_of(line)
        self.assertEqual((item.balance, item.tax_ids), (10, tax))
        rule = self.rules.search([("company_id", "=", self.company.id)])
        self.assertEqual((rule.text, rule.tax_ids), ("Card fee", tax))
        self.assertTrue(later.is_reconciled, "confirmed by the rule's suggestion, with all others")

    def test_names_a_partner_and_has_it_remembered(self):
        line = self.new_booking(-40, "Invoice", partner_name="MUELLER UND SOEHNE")
        self.walk_as("partner")
        self.assertEqual(line.partner_id, self.vendor)
        known = self.env["bank.reconcile.partner"].search([("partner_id", "=", self.vendor.id)])
        self.assertEqual(known.name_key, "mueller und soehne")

    def test_an_auditor_looks(self):
        line = self.new_booking(-40, "Invoice")
        self.walk_as("reader", self.auditor)
        self.assertFalse(line.is_reconciled)


@tagged("post_install", "-at_install")
class TestToursReconcileOnPhone(ReconcileCommon, TourCommon):
    browser_size = "375x667"
    touch_enabled = True

    def test_on_a_phone_first_the_list_then_the_booking(self):
        bill = self.new_bill(100, ref="INV-ONE")
        line = self.new_booking(-100, "Invoice INV-ONE", partner_id=self.vendor.id)
        self.walk(
            "reconcile_phone", f"{MODULE}.action_reconcile", self.clerk
        )
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bill.amount_residual, 0)
