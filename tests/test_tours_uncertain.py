from datetime import timedelta

from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import Uncertain
from odoo.tests import tagged

from .common import MODULE
from .scripted_connector import receipt
from .tour_common import TourCommon


@tagged("post_install", "-at_install")
class TestToursUncertain(TourCommon):
    """A payment whose fate nobody knows: found, asked about, resolved by two people."""

    def setUp(self):
        super().setUp()
        self.bank.on_submit.append(Uncertain("read_timeout", "The bank did not answer in time."))
        self.bill = self.new_bill(100, ref="INV-DOUBT")
        self.batch = self.sent(self.bill)
        self.message = self.message_of(self.batch)
        self.message.uncertain_since = fields.Datetime.now() - timedelta(hours=5)
        self.assertEqual(self.batch.state, "uncertain")

    def test_asking_the_bank_ends_the_doubt(self):
        """The button asks for an inquiry; the bank has the message, and the vault is empty."""
        self.walk("uncertain_ask", f"{MODULE}.action_uncertain", self.approver)
        self.message.invalidate_recordset()
        self.assertLessEqual(self.message.next_attempt, fields.Datetime.now())
        self.bank.on_inquire.append(receipt(self.message.key))
        self.run_cron("fetch")
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))

    def test_two_people_resolve_it_with_evidence(self):
        """One proposes, with the bank's mail attached, and can't confirm it; another confirms."""
        self.walk("uncertain_propose", f"{MODULE}.action_uncertain", self.approver)
        resolution = self.env["bank.resolution"].search([("message_id", "=", self.message.id)])
        self.assertEqual((resolution.state, resolution.verdict), ("proposed", "delivered"))
        self.assertEqual(resolution.evidence_ids.mapped("name"), ["mail from the bank.txt"])
        self.assertEqual(self.message.state, "uncertain", "one person alone changes nothing")
        self.walk("uncertain_own", f"{MODULE}.action_resolution", self.approver)
        self.walk("uncertain_confirm", f"{MODULE}.action_resolution", self.admin)
        self.assertEqual((resolution.state, resolution.decider_id), ("confirmed", self.admin))
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.assertEqual(len(self.bank.submitted), 1, "nothing was sent again")
