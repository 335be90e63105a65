from odoo.tests import tagged

from .common import MODULE
from .documents import Booking, Detail, camt, pain002
from .test_discrepancy import DiscrepancyCommon
from .tour_common import TourCommon


class DiscrepancyTours(DiscrepancyCommon, TourCommon):
    def setUp(self):
        super().setUp()
        self.received(camt(Booking("-75.00", [Detail(payee="Landlord", text="rent")], "X1")))
        self.found = self.open("unknown_debit")
        self.assertEqual(len(self.found), 1)


@tagged("post_install", "-at_install")
class TestToursDiscrepancy(DiscrepancyTours):
    """A debit that nobody ordered: found, taken on, explained and remembered in a browser."""

    def test_accountant_explains_a_debit(self):
        self.walk("discrepancy_ours", f"{MODULE}.action_discrepancy", self.preparer)
        self.assertEqual(
            (self.found.state, self.found.verdict, self.found.resolver_id, self.found.owner_id),
            ("resolved", "ours", self.preparer, self.preparer),
        )
        known = self.env["bank.debit.known"].search([("discrepancy_id", "=", self.found.id)])
        self.assertEqual((known.partner_name, known.state), ("Landlord", "proposed"))

    def test_who_prepared_finds_no_button(self):
        batch = self.sent(self.new_bill(100))
        self.received(pain002(batch.reference, group="ACCP"))
        self.age(batch, "execution_date", 9)
        self.age(self.message_of(batch), "sent_date", 9)
        self.verify()
        self.walk("discrepancy_barred", f"{MODULE}.action_discrepancy", self.preparer)


@tagged("post_install", "-at_install")
class TestToursDiscrepancyPhone(DiscrepancyTours):
    """The same on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_cards(self):
        self.walk("discrepancy_phone", f"{MODULE}.action_discrepancy", self.approver)
