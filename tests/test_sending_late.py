from unittest.mock import patch

from odoo.addons.account_bank_connect.connectors.interface import (
    FetchError,
    NotSent,
    Refused,
    Unavailable,
    Uncertain,
)
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import SerializationFailure, UniqueViolation

from .common import BankConnectCommon
from .documents import camt
from .scripted_connector import receipt

NOT_SENT = NotSent("connect_refused", "The bank refused the connection.")
REFUSED = Refused("refused", "The bank refused the message.")
UNCERTAIN = Uncertain("read_timeout", "No answer came in time.")


@tagged("post_install", "-at_install")
class TestSendingLate(BankConnectCommon):
    """Several workers: what one learns late never undoes what another knows already."""

    def setUp(self):
        super().setUp()
        self.bill = self.new_bill(100)
        self.batch = self.approved(self.bill)
        self.message = self.message_of(self.batch)

    def end_late(self, outcome, **meanwhile):
        """An attempt was given up for dead; others have acted when its outcome comes at last."""

        def submit(_document, key):
            self.message.write({"lease_until": "2020-01-01 00:00:00", **meanwhile})
            self.message._follow()
            self.env.flush_all()
            if isinstance(outcome, Exception):
                raise outcome
            return receipt(key)

        self.bank.on_submit = [submit]
        self.run_cron("send")

    def test_a_late_outcome_does_not_undo_a_delivery(self):
        """The bank was asked and has it: nothing puts it back into the queue, or in doubt."""
        for outcome in (NOT_SENT, REFUSED, UNCERTAIN, None):
            with self.subTest(outcome=outcome):
                self.batch = self.approved(self.new_bill(50))
                self.message = self.message_of(self.batch)
                self.end_late(outcome, state="delivered", doubt=False)
                self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
                self.assertTrue(self.batch.payment_ids.bank_instalment_ids.filtered("live"))

    def test_a_late_refusal_leaves_the_doubt(self):
        """It speaks of its own attempt; another may have reached the bank."""
        for outcome in (NOT_SENT, REFUSED):
            self.end_late(outcome, state="uncertain", doubt=True)
            self.assertEqual((self.message.state, self.batch.state), ("uncertain", "uncertain"))
            self.message.write({"state": "queued", "next_attempt": "2020-01-01 00:00:00"})
        self.assertTrue(self.bill.bank_instalment_ids.filtered("live"))

    def test_a_late_receipt_ends_the_doubt(self):
        self.end_late(None, state="uncertain", doubt=True)
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.assertFalse(self.message.doubt)

    def test_a_late_doubt_keeps_the_message_from_leaving_again(self):
        """The bank did not know it a moment ago, but the call was still going on."""
        self.end_late(UNCERTAIN, state="queued", doubt=False, next_attempt="2099-01-01 00:00:00")
        self.assertEqual((self.message.state, self.batch.state), ("uncertain", "uncertain"))
        self.assertTrue(self.message.doubt)

    def test_unknown_says_nothing_of_a_later_attempt(self):
        """The bank was asked after one attempt, and answers after the next."""

        def inquire(_document, _key):
            self.message.attempts += 1
            self.env.flush_all()

        self.bank.on_submit = [UNCERTAIN]
        self.run_cron("send")
        self.message.next_attempt = "2020-01-01 00:00:00"
        self.bank.on_inquire = [inquire]
        self.run_cron("fetch")
        self.assertEqual(self.message.state, "uncertain")

    def test_the_receipt_of_another_message_is_no_receipt(self):
        """A bank that mixes its answers up says nothing about this message: it is asked."""
        other = self.approved(self.new_bill(50))
        self.bank.on_submit = [
            lambda _document, key: receipt(key),
            lambda _document, _key: receipt(self.message.key),
        ]
        self.run_cron("send")
        mixed = self.message_of(other)
        self.assertEqual((self.message.state, mixed.state), ("delivered", "uncertain"))
        self.assertFalse(mixed.bank_reference)
        mixed.next_attempt = "2020-01-01 00:00:00"
        self.run_cron("fetch")
        self.assertEqual(mixed.state, "delivered")
        self.assertEqual(mixed.bank_reference, {"paymentId": f"P-{mixed.key}"})

    def test_the_lease_outlasts_the_longest_call(self):
        """A message can't be thought abandoned while its call may still be going on."""
        parameter = self.env["ir.config_parameter"].sudo()
        parameter.set_param("account_bank_connect.lease_seconds", "1")
        parameter.set_param("account_bank_connect.total_timeout_seconds", "50")
        self.run_cron("send")
        held = self.message.lease_until - self.message.last_attempt
        self.assertEqual(held.total_seconds(), 100)

    # -- collisions -------------------------------------------------------------------------

    def test_an_outcome_is_written_down_although_others_come_between(self):
        """Again and again until it is; the bank is called once."""
        model = type(self.message)
        original, left = model._end_delivered, [SerializationFailure, UniqueViolation]

        def collide(message, answer):
            original(message, answer)
            if left:
                raise left.pop()("somebody else was quicker")

        with patch.object(model, "_end_delivered", collide):
            self.run_cron("send")
        self.assertFalse(left)
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.assertEqual(len(self.bank.submitted), 1)

    def test_a_collision_is_no_fault_of_the_document(self):
        """It is processed the next moment, not put into quarantine."""
        model = type(self.message)
        original, left = model._process_steps, [SerializationFailure, UniqueViolation]

        def collide(message):
            yield from original(message)
            if left:
                raise left.pop()("somebody else was quicker")

        with patch.object(model, "_process_steps", collide):
            self.received(camt(opening="1.00"))
        self.assertFalse(left)

    def test_what_always_collides_is_put_aside_and_blocks_nothing(self):
        model = type(self.message)
        original = model._process_steps

        def collide(message):
            if message.remote_id == "D1":
                raise UniqueViolation("twice the same")
            yield from original(message)

        with patch.object(model, "_process_steps", collide):
            broken, good = self.receive(camt(opening="1.00"), camt(opening="2.00"))
        self.assertEqual((broken.state, good.state), ("quarantined", "processed"))
        self.assertIn("twice the same", broken.error)

    # -- a bank that fails in the middle ------------------------------------------------------

    def test_what_was_listed_before_a_fault_is_fetched(self):
        """One spoilt line of the bank's list hides no other document."""
        self.bank.put(camt(opening="1.00"))
        listed = self.bank.list

        def spoilt(kinds, since=None):
            yield from listed(kinds, since)
            raise FetchError("listing_unreadable", "The list can't be read.")

        with patch.object(self.bank, "list", spoilt):
            self.run_cron("fetch")
        self.assertEqual(self.bank.acknowledged, ["D1"])
        self.assertTrue(self.connection.last_error)

    def test_a_line_that_rests_is_left_in_peace(self):
        """When it breaks down in the middle of questions, the others wait for its recovery."""
        others = [self.approved(self.new_bill(50)) for _number in range(5)]
        self.bank.on_submit = [UNCERTAIN] * 6
        for _time in range(6):
            self.connection.paused_until = False
            self.run_cron("send")
        messages = self.message | self.env["bank.message"].union(*map(self.message_of, others))
        self.assertEqual(set(messages.mapped("state")), {"uncertain"})
        self.connection.write({"paused_until": False, "failure_count": 0})
        messages.write({"next_attempt": "2020-01-01 00:00:00"})
        self.bank.on_inquire = [Unavailable("read_timeout", "No answer.")] * 6
        with mute_logger("odoo.addons.account_bank_connect.models.bank_message_receive"):
            self.run_cron("fetch")
        self.assertEqual(len(self.bank.inquired), 3)
        self.assertTrue(self.connection.paused_until)
