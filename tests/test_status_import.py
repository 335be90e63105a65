from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import Uncertain
from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import camt, paid, pain002


@tagged("post_install", "-at_install")
class TestStatusImport(BankConnectCommon):
    """What the bank says of a payment reaches payment, bill and batch, and never goes back."""

    def setUp(self):
        super().setUp()
        self.bills = self.new_bill(100) + self.new_bill(200)
        self.batch = self.sent(self.bills)
        self.first, self.second = self.batch.payment_ids.sorted("id")

    def says(self, *payments, **options):
        """Receive a pain.002 about the batch."""
        named = [(payment.end_to_end_id, status, why) for payment, status, why in payments]
        return self.received(pain002(self.batch.reference, named, **options))

    def assert_failed(self, payment, bill, words):
        """The bill is open, nothing is booked, and people are told in plain words."""
        self.assertEqual(payment.bank_status, "RJCT")
        self.assertEqual(payment.state, "rejected")
        self.assertEqual(bill.payment_state, "not_paid")
        self.assertEqual(bill.amount_residual, bill.amount_total)
        self.assertNotEqual(payment.move_id.state, "posted")
        self.assertFalse(bill.bank_instalment_ids.filtered("live"))
        self.assertIn(words, payment.bank_status_text)
        self.assertIn(words, bill.bank_status_text)
        self.assertIn(words, self.chatter(bill))
        self.assertIn(words, self.chatter(payment))
        task = self.activities(bill)
        self.assertEqual(task.user_id, self.preparer)
        self.assertIn(words, task.summary)

    def test_a_rejection_reopens_the_bill_and_says_why(self):
        """In both versions and both ways of bookkeeping."""
        for version in ("pain.002.001.03", "pain.002.001.10"):
            for book_now in (True, False):
                with self.subTest(version=version, book_now=book_now):
                    if not book_now:
                        self.book_on_statement()
                    bill = self.new_bill(70)
                    self.batch = self.sent(bill)
                    payment = self.batch.payment_ids
                    self.assertEqual(bill.payment_state, "in_payment")
                    self.says(
                        (payment, "RJCT", "AC04"),
                        group="RJCT",
                        version=version,
                        text="KONTO ERLOSCHEN",
                    )
                    self.assert_failed(payment, bill, "account is closed")
                    self.assertIn("KONTO ERLOSCHEN", payment.bank_status_text)
                    self.assertEqual(self.batch.state, "refused")
                    again = self.sent(bill)
                    self.assertEqual(again.state, "sent", "the bill can be sent again")

    def test_one_of_two_is_rejected(self):
        self.says((self.first, "RJCT", "AC04"), (self.second, "ACSC", None), group="PART")
        self.assert_failed(self.first, self.bills[0], "account is closed")
        self.assertEqual(self.second.bank_status, "ACSC")
        self.assertEqual(self.bills[1].payment_state, "in_payment")
        self.assertEqual(self.batch.state, "accepted")

    def test_levels(self):
        """The group's word is for all, the block's for its payments, a payment's own for itself."""
        self.says(group="ACTC")
        self.assertEqual(self.batch.payment_ids.mapped("bank_status"), ["ACTC", "ACTC"])
        self.says(group="PART", block="ACCP")
        self.assertEqual(self.batch.payment_ids.mapped("bank_status"), ["ACCP", "ACCP"])
        self.says((self.second, "PDNG", None), group="ACSP")
        self.assertEqual((self.first.bank_status, self.second.bank_status), ("ACSP", "PDNG"))

    def test_a_whole_message_is_rejected(self):
        for level in ({"group": "RJCT"}, {"group": "RJCT", "block": "RJCT"}):
            with self.subTest(level=level):
                bills = self.new_bill(10) + self.new_bill(20)
                self.batch = self.sent(bills)
                self.says(reason="AM04", **level)
                self.assertEqual(self.batch.state, "refused")
                for payment, bill in zip(self.batch.payment_ids.sorted("id"), bills, strict=True):
                    self.assert_failed(payment, bill, "Not enough money")

    def test_order_and_repetition_make_no_difference(self):
        """Late, twice and out of order: the furthest status stays."""
        documents = [
            pain002(self.batch.reference, [(self.first.end_to_end_id, status, None)])
            for status in ("ACSC", "ACCP", "ACSP", "ACSC", "RCVD")
        ]
        for document in [*documents, documents[1]]:
            self.received(document)
            self.assertEqual(self.first.bank_status, "ACSC")
        self.assertFalse(self.activities(self.bills[0]))

    def test_the_same_rejection_twice_is_told_once(self):
        for _time in range(2):
            self.says((self.first, "RJCT", "AC04"))
        self.assertEqual(len(self.activities(self.bills[0])), 1)

    def test_a_word_about_the_whole_does_not_revive_a_rejected_payment(self):
        self.says((self.first, "RJCT", "AC04"), group="PART")
        self.says(group="ACSC")
        self.assertEqual((self.first.bank_status, self.second.bank_status), ("RJCT", "ACSC"))

    def test_paid_after_a_rejection(self):
        """The money has moved: the bill is held again, in both ways of bookkeeping."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bill = self.new_bill(70)
                self.batch = self.sent(bill)
                payment = self.batch.payment_ids
                self.says((payment, "RJCT", "AC04"))
                self.assertEqual(bill.payment_state, "not_paid")
                self.says((payment, "ACSC", None))
                self.assertEqual((payment.bank_status, payment.state), ("ACSC", "in_process"))
                self.assertEqual(bill.payment_state, "in_payment")
                self.assertTrue(bill.bank_instalment_ids.filtered("live"))
                self.assertIn(
                    "Do not pay again", " ".join(self.activities(bill).mapped("summary"))
                )
                self.received(camt(paid(payment)))
                self.assertEqual(bill.payment_state, "paid")

    def test_paid_after_a_rejection_and_otherwise_meanwhile(self):
        """Two payments of one bill can't be undone here, but are said, and booked as they are."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bill = self.new_bill(70)
                self.batch = self.sent(bill)
                payment = self.batch.payment_ids
                self.says((payment, "RJCT", "AC04"))
                other = self.sent(bill).payment_ids
                self.says((payment, "ACSC", None))
                self.assertIn(
                    "stop the other payment", " ".join(self.activities(bill).mapped("summary"))
                )
                live = bill.bank_instalment_ids.filtered("live")
                self.assertEqual(live.payment_id, other, "one payment holds the bill, as before")
                self.received(camt(paid(payment), paid(other)))
                self.assertEqual(bill.payment_state, "paid")

    def test_paid_after_a_rejection_in_a_locked_period(self):
        """The reversed entry stays as it is; a new one takes its place."""
        self.company.fiscalyear_lock_date = fields.Date.today()
        self.says((self.first, "RJCT", "AC04"))
        self.company.fiscalyear_lock_date = False
        self.says((self.first, "ACSC", None))
        self.assertEqual(self.bills[0].payment_state, "in_payment")
        self.received(camt(paid(self.first)))
        self.assertEqual(self.bills[0].payment_state, "paid")

    def test_a_reason_that_comes_later_is_told(self):
        """A bank may say first that it rejected a payment, and then why."""
        self.says((self.first, "RJCT", None))
        self.says((self.first, "RJCT", "AC04"))
        self.assertIn("account is closed", self.first.bank_status_text)
        self.assertIn("account is closed", self.chatter(self.bills[0]))
        self.says((self.first, "RJCT", "AM04"))
        self.assertEqual(self.first.bank_reason, "AC04", "the first reason stays")

    def test_rejected_after_the_statement_is_noted_only(self):
        self.received(camt(paid(self.first), paid(self.second)))
        message = self.says((self.first, "RJCT", "AC04"))
        self.assertEqual((self.first.bank_status, self.first.state), ("ACSC", "paid"))
        self.assertEqual(self.bills[0].payment_state, "paid")
        self.assertIn("the earlier one stays", message.note)

    def test_a_locked_period_does_not_keep_the_bill_closed(self):
        """Where the entry can't be cancelled any more, it is reversed."""
        self.company.fiscalyear_lock_date = fields.Date.today()
        self.says((self.first, "RJCT", "AC04"))
        self.assertEqual(self.first.state, "rejected")
        self.assertEqual(self.bills[0].amount_residual, 100)
        entry = self.first.move_id
        self.assertEqual(entry.state, "posted", "the locked entry stays")
        self.assertTrue(
            all(
                entry.line_ids.filtered(lambda line: line.account_id.reconcile).mapped("reconciled")
            )
        )

    def test_answers_to_others_are_put_aside(self):
        """An unknown message, an unknown payment, or a message that never left."""
        self.quarantined(pain002("SOMEBODY-ELSES", group="ACCP"), "not sent over this connection")
        self.quarantined(
            pain002(self.batch.reference, [("UNKNOWN-1", "RJCT", "AC04")], group="PART"),
            "does not hold: UNKNOWN-1",
        )
        waiting = self.approved(self.new_bill())
        self.quarantined(pain002(waiting.reference, group="RJCT"), "never sent")
        self.assertFalse(self.first.bank_status not in (False, "RCVD"))
        self.assertEqual(waiting.payment_ids.state, "in_process")

    def test_answers_over_another_connection_are_put_aside(self):
        """One bank can't speak for another's payments."""
        other = self.new_connection("Other Bank")
        message = self.env["bank.message"]._store(
            other, pain002(self.batch.reference, group="RJCT"), name="foreign"
        )
        self.run_cron("process")
        self.assertEqual(message.state, "quarantined")
        self.assertEqual(self.batch.state, "sent")

    def test_nonsense_is_put_aside_whole(self):
        """Of a document with one unreadable status, nothing is believed."""
        self.quarantined(
            pain002(
                self.batch.reference,
                [
                    (self.first.end_to_end_id, "RJCT", "AC04"),
                    (self.second.end_to_end_id, "OKAY", None),
                ],
            ),
            "OKAY",
        )
        self.assertNotEqual(self.first.bank_status, "RJCT")

    def test_an_answer_ends_the_doubt_about_its_message(self):
        """A bank that answers a message has it: it is not asked, and never sent again."""
        self.bank.on_submit = [Uncertain("read_timeout", "No answer came.")]
        batch = self.sent(self.new_bill(30))
        self.assertEqual(batch.state, "uncertain")
        self.received(pain002(batch.reference, group="ACCP"))
        self.assertEqual(self.message_of(batch).state, "delivered")
        self.assertEqual(batch.state, "accepted")
        calls = len(self.bank.submitted)
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), calls)
