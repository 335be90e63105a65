from odoo.tests import tagged

from .common import MODULE
from .documents import Booking, camt, pain002
from .tour_common import TourCommon


@tagged("post_install", "-at_install")
class TestToursDay(TourCommon):
    browser_size = "375x667"
    touch_enabled = True

    def test_the_day_on_a_phone(self):
        """Today: what failed first, and one touch to the list behind each figure."""
        payment = self.sent(self.new_bill(40)).payment_ids
        self.received(
            pain002(payment.bank_batch_id.reference, [(payment.end_to_end_id, "RJCT", "AC04")])
        )
        self.received(camt(Booking("-3.00", text="Account fee")))
        self.walk("day", f"{MODULE}.action_day", self.preparer)
