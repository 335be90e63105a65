from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import (
    FetchError,
    NotSent,
    Reason,
    Refused,
    Unavailable,
    Uncertain,
)
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import BankConnectCommon
from .documents import camt
from .scripted_connector import PowerCut, receipt


@tagged("post_install", "-at_install")
class TestSending(BankConnectCommon):
    """An attempt ends in one of four ways, each written down before anything else happens."""

    def setUp(self):
        super().setUp()
        self.bill = self.new_bill(100)
        self.batch = self.approved(self.bill)
        self.message = self.message_of(self.batch)

    def later(self, **duration):
        """Let time pass for what waits: messages and the line become due."""
        moved = timedelta(**duration)
        for name in ("next_attempt", "lease_until", "first_attempt"):
            if self.message[name]:
                self.message[name] -= moved
        if self.connection.paused_until:
            self.connection.paused_until -= moved

    def assert_open(self):
        self.assertEqual(self.bill.payment_state, "not_paid")
        self.assertFalse(self.bill.bank_instalment_ids.filtered("live"))

    def assert_held(self):
        """The bill can't be paid a second time."""
        self.assertTrue(self.bill.bank_instalment_ids.filtered("live"))
        self.assertEqual(self.bill.payment_state, "in_payment")

    # -- delivered --------------------------------------------------------------------------

    def test_delivered(self):
        self.run_cron("send")
        self.assertEqual(self.bank.submitted, [(self.message.key, self.message._raw())])
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.assertEqual(self.message.bank_reference, {"paymentId": f"P-{self.message.key}"})
        self.assertEqual(self.message.attempts, 1)
        self.assertEqual(self.batch.payment_ids.bank_status, "RCVD")
        answer = self.message.answer_ids
        self.assertEqual((answer.direction, answer.state), ("in", "processed"))
        self.assertIn(b"RCVD", answer._raw())
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1, "nothing is sent twice")

    def test_a_status_that_nobody_knows_does_no_harm(self):
        """A receipt is a receipt, even where the bank's word in it is none of ISO 20022."""
        self.bank.on_submit = [lambda _document, key: receipt(key, status="HUGO")]
        self.run_cron("send")
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.assertFalse(self.batch.payment_ids.bank_status)

    # -- refused ----------------------------------------------------------------------------

    def test_refused(self):
        """Every bill is open again, with the bank's reason."""
        self.bank.on_submit = [
            Refused(
                "refused",
                "The bank refused the message.",
                reasons=(Reason("FORMAT_ERROR", "Debtor account not yours"),),
                content=b'{"tppMessages": []}',
                content_type="application/json",
            )
        ]
        self.run_cron("send")
        self.assertEqual((self.message.state, self.batch.state), ("refused", "refused"))
        self.assertEqual(self.batch.payment_ids.bank_status, "RJCT")
        self.assertIn("Debtor account not yours", self.bill.bank_status_text)
        self.assertEqual(self.activities(self.bill).user_id, self.preparer)
        self.assertEqual(self.message.answer_ids._raw(), b'{"tppMessages": []}')
        self.assert_open()
        self.later(days=1)
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)

    # -- not sent ---------------------------------------------------------------------------

    def test_not_sent_waits_longer_each_time(self):
        """Back in the queue under the same key, with a pause that grows."""
        pauses = []
        for attempt in range(1, 5):
            self.bank.on_submit = [NotSent("connection_refused", "The bank can't be reached.")]
            self.run_cron("send")
            self.assertEqual((self.message.state, self.message.attempts), ("queued", attempt))
            self.assertEqual(self.message.error_code, "connection_refused")
            pauses.append(self.message.next_attempt - fields.Datetime.now())
            calls = len(self.bank.submitted)
            self.run_cron("send")
            self.assertEqual(len(self.bank.submitted), calls, "not before its time")
            self.later(hours=2)
        self.assertEqual(pauses, sorted(pauses))
        self.assertGreater(pauses[-1], 4 * pauses[0])
        self.assert_held()
        self.run_cron("send")
        self.assertEqual(self.message.state, "delivered")
        self.assertEqual(len(set(self.bank.submitted)), 1, "same key, same bytes")

    def test_what_the_bank_gave_before_the_order_is_handed_back(self):
        """A consent, say: the next attempt goes on where this one stopped."""
        given = []
        self.bank.on_submit = [
            NotSent("not_authorised_yet", "wait", bank_reference={"consent": "c1"}),
            lambda document, key: given.append(document.reference) or receipt(key),
        ]
        self.run_cron("send")
        self.assertEqual(self.message.state, "queued")
        self.assertEqual(self.message.bank_reference, {"consent": "c1"})
        self.later(hours=1)
        self.run_cron("send")
        self.assertEqual(given, [{"consent": "c1"}])
        self.assertEqual(self.message.bank_reference, {"paymentId": f"P-{self.message.key}"})

    def test_the_banks_own_pause_is_respected(self):
        self.bank.on_submit = [NotSent("busy", "Too many requests.", retry_after=7200)]
        self.run_cron("send")
        self.assertGreater(
            self.message.next_attempt, fields.Datetime.now() + timedelta(minutes=119)
        )

    # -- uncertain --------------------------------------------------------------------------

    def uncertain(self):
        self.bank.on_submit = [Uncertain("read_timeout", "No answer came in time.")]
        self.run_cron("send")
        self.assertEqual((self.message.state, self.batch.state), ("uncertain", "uncertain"))

    def test_uncertain_is_never_sent_again_by_waiting(self):
        self.uncertain()
        self.assertEqual(self.activities(self.connection, "connection").user_id, self.admin)
        for _day in range(3):
            self.later(days=1)
            self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)
        self.assert_held()

    def test_uncertain_and_the_bank_has_it(self):
        self.uncertain()
        self.later(minutes=5)
        self.run_cron("fetch")
        self.assertEqual(self.bank.inquired, [self.message.key])
        self.assertEqual((self.message.state, self.batch.state), ("delivered", "sent"))
        self.later(days=1)
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)

    def test_uncertain_and_the_bank_does_not_have_it(self):
        """The same bytes go again under the same key."""
        self.uncertain()
        self.later(minutes=5)
        self.bank.on_inquire = [lambda _document, _key: None]
        self.run_cron("fetch")
        self.assertEqual(self.message.state, "queued")
        self.run_cron("send")
        self.assertEqual(self.message.state, "delivered")
        first, second = self.bank.submitted
        self.assertEqual(first, second)

    def test_uncertain_is_not_asked_about_too_early(self):
        """A bank may still be reading: its “unknown” is not believed in the first moments."""
        self.uncertain()
        self.run_cron("fetch")
        self.assertFalse(self.bank.inquired)

    def test_a_bank_that_can_not_be_asked_changes_nothing(self):
        self.uncertain()
        for fault in (
            Unavailable("connection_refused", "The bank can't be reached."),
            FetchError("cannot_inquire", "This bank can't be asked."),
        ):
            self.later(hours=2)
            self.bank.on_inquire = [fault]
            self.run_cron("fetch")
            self.assertEqual(self.message.state, "uncertain")
        self.assertEqual(len(self.bank.submitted), 1)
        self.assert_held()

    def test_a_crash_while_sending(self):
        """What is committed before the call survives it; the lease tells that nobody knows."""
        self.bank.on_submit = [PowerCut()]
        self.crash_cron("send")
        self.assertEqual((self.message.state, self.message.attempts), ("sending", 1))
        self.assertEqual(self.batch.state, "sending")
        self.run_cron("send")
        self.assertEqual(self.message.state, "sending", "another worker may still hold it")
        self.later(hours=1)
        self.run_cron("send")
        self.assertEqual((self.message.state, self.message.error_code), ("uncertain", "abandoned"))
        self.assertEqual(len(self.bank.submitted), 1)
        self.assert_held()

    def test_a_fault_of_ours_while_sending_is_uncertain(self):
        """An exception that no outcome names says nothing about the bank."""
        self.bank.on_submit = [ZeroDivisionError("a bug")]
        with mute_logger("odoo.addons.base.models.ir_cron"), self.enter_registry_test_mode():
            self.env.ref("account_bank_connect.cron_send").method_direct_trigger()
        self.assertIn(self.message.state, ("sending", "uncertain"))
        self.later(hours=1)
        self.run_cron("send")
        self.assertEqual(self.message.state, "uncertain")
        self.assertEqual(len(self.bank.submitted), 1)

    # -- the queue --------------------------------------------------------------------------

    def test_one_message_in_trouble_holds_up_no_other(self):
        other = self.approved(self.new_bill())
        self.bank.on_submit = [Uncertain("read_timeout", "No answer came in time.")]
        self.run_cron("send")
        self.assertEqual((self.batch.state, other.state), ("uncertain", "sent"))

    def test_nothing_leaves_over_a_suspended_connection(self):
        self.connection.with_user(self.admin).action_suspend()
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.connection.state = "active"
        self.run_cron("send")
        self.assertEqual(self.message.state, "delivered")

    def test_buttons_wake_the_scheduled_actions_and_call_nobody(self):
        """Odoo may repeat a request: the network is left to the scheduled actions."""
        cron = self.env.ref("account_bank_connect.cron_send")
        domain = [("cron_id", "=", cron.id)]
        before = self.env["ir.cron.trigger"].search_count(domain)
        self.connection.with_user(self.preparer).action_send_now()
        self.assertGreater(self.env["ir.cron.trigger"].search_count(domain), before)
        self.assertFalse(self.bank.submitted)

    # -- fetching ---------------------------------------------------------------------------

    def test_documents_are_committed_before_they_are_acknowledged(self):
        """A crash at the acknowledgement loses nothing, and doubles nothing."""
        self.bank.put(camt(opening="1.00"), camt(opening="2.00"))
        stored = []

        def die(remote):
            stored.append(remote.id)
            raise PowerCut

        with patch.object(self.bank, "acknowledge", die):
            self.crash_cron("fetch")
        messages = self.env["bank.message"].search([("remote_id", "in", ["D1", "D2"])])
        self.assertEqual(messages.mapped("remote_id"), stored, "the first one is safe")
        self.run_cron("fetch")
        self.assertEqual(self.bank.acknowledged, ["D1", "D2"])
        self.assertEqual(
            self.env["bank.message"].search_count([("remote_id", "in", ["D1", "D2"])]), 2
        )

    def test_a_document_that_can_not_be_fetched_holds_up_no_other(self):
        broken = FetchError("digest_mismatch", "The digest differs.")
        self.bank.put(broken, camt(opening="1.00"))
        self.run_cron("fetch")
        self.assertEqual(self.bank.acknowledged, ["D2"])
        self.assertIn("digest differs from the bank", self.connection.last_error)
        self.assertTrue(self.activities(self.connection, "connection"))
        self.assertFalse(self.connection.paused_until, "one document is not the line")

    def test_a_line_that_is_down_is_noted(self):
        self.bank.put(Unavailable("connection_refused", "The bank can't be reached."))
        self.run_cron("fetch")
        self.assertEqual(self.connection.last_error, "The bank can't be reached.")
        self.bank.waiting.clear()
        self.run_cron("fetch")
        self.assertFalse(self.connection.last_error)
        self.assertTrue(self.connection.last_success)

    def test_the_same_bytes_under_two_numbers_count_once(self):
        document = camt(opening="3.00")
        first, second = self.receive(document, document)
        self.assertEqual((first.state, second.state), ("processed", "processed"))
        self.assertIn("The same document", second.note)
