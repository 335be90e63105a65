from odoo.tests import tagged

from .documents import camt, camt029, paid, pain002
from .recall_common import RecallCommon, pending


@tagged("post_install", "-at_install")
class TestDecision(RecallCommon):
    """The bank's decision as a document (camt.029)."""

    def setUp(self):
        super().setUp()
        self.bills = self.new_bill(100) | self.new_bill(200, vendor=self.new_vendor("Other", 2))
        self.batch = self.sent(self.bills)
        self.recall_message = self.recalled(self.batch, pending)
        self.first, self.second = self.batch.payment_ids

    def test_all_cancelled(self):
        message = self.received(camt029(self.batch.reference, group="ACCR"))
        self.assertEqual(message.kind, "camt.029.001.09")
        self.assertEqual((message.batch_id, message.parent_id), (self.batch, self.recall_message))
        self.assertEqual(self.recall_message.state, "delivered")
        self.assert_open(self.batch, self.bills)

    def test_all_refused(self):
        self.received(
            camt029(
                self.batch.reference,
                confirmation="RJCR",
                group="RJCR",
                reason="ARDT",
                text="on Friday",
            )
        )
        self.assertEqual(self.recall_message.state, "refused")
        self.assertIn("The payment came back already. on Friday", self.chatter(self.batch))
        self.assertEqual(self.activities(self.batch, "recall").user_id, self.preparer)
        self.assert_paying(self.batch)

    def test_each_payment_has_its_own_decision(self):
        payments = [
            (self.first.end_to_end_id, "ACCR", None),
            (self.second.end_to_end_id, "RJCR", "LEGL"),
        ]
        self.received(camt029(self.batch.reference, payments, confirmation="PECR", group="PACR"))
        self.assertEqual(self.first.state, "rejected")
        self.assertEqual(self.first.bank_status, "CANC")
        self.assertEqual(self.second.state, "in_process")
        self.assertIn(
            "1 of its payments stay. It may not be cancelled for legal reasons.",
            self.chatter(self.batch),
        )
        self.assertIn(self.batch.state, ("sent", "accepted"))
        self.received(pain002(self.batch.reference, [(self.second.end_to_end_id, "ACSC", None)]))
        self.received(camt(paid(self.second)))
        self.assertEqual(self.batch.state, "settled")

    def test_a_payments_own_decision_counts_more_than_the_groups(self):
        payments = [(self.second.end_to_end_id, "RJCR", "CUST")]
        self.received(camt029(self.batch.reference, payments, group="ACCR"))
        self.assertEqual((self.first.bank_status, self.second.state), ("CANC", "in_process"))

    def test_not_decided_yet(self):
        message = self.received(camt029(self.batch.reference, confirmation="PDCR", group="PDCR"))
        self.assertIn("not decided yet about 2 payments", message.note)
        self.assertEqual(self.recall_message.state, "delivered")
        self.assert_paying(self.batch)

    def test_a_confirmation_by_the_recalls_number(self):
        number = self.recall_message.name.removesuffix(".xml")
        self.received(camt029(confirmation="CNCL", case=number))
        self.assert_open(self.batch, self.bills)

    def test_a_confirmation_without_decisions_on_payments(self):
        """The whole was confirmed: that is the decision on each."""
        self.received(camt029(self.batch.reference, confirmation="RJCR"))
        self.assertEqual(self.recall_message.state, "refused")
        self.assert_paying(self.batch)

    def test_twice_or_too_late_changes_nothing(self):
        self.received(camt029(self.batch.reference, group="ACCR"))
        self.received(camt029(self.batch.reference, group="ACCR"))
        self.received(camt029(self.batch.reference, confirmation="RJCR", group="RJCR"))
        self.assertEqual(set(self.batch.payment_ids.mapped("bank_status")), {"CANC"})
        self.assertEqual(self.recall_message.state, "delivered")
        self.assertEqual(len(self.activities(self.batch, "recall")), 1)

    def test_a_cancellation_cannot_undo_an_execution(self):
        self.received(pain002(self.batch.reference, group="ACSC"))
        self.received(camt029(self.batch.reference, group="ACCR"))
        self.assertEqual(set(self.batch.payment_ids.mapped("bank_status")), {"ACSC"})
        self.assert_paying(self.batch, "accepted")

    def test_what_cannot_be_placed_is_quarantined(self):
        """Another's message, a payment that is not in the batch, an answer that decides nothing."""
        self.quarantined(camt029("BC-OTHER", group="ACCR"), "decides about BC-OTHER, which was not")
        self.quarantined(camt029(confirmation="CNCL", case="K-9"), "decides about K-9")
        self.quarantined(camt029(confirmation="CNCL"), "a message that it does not name")
        self.quarantined(
            camt029(self.batch.reference, [("E-STRANGE", "ACCR", None)]), "not hold: E-STRANGE"
        )
        self.quarantined(
            camt029(self.batch.reference, confirmation="INFO"), "does not say what became"
        )
        self.assert_paying(self.batch)
