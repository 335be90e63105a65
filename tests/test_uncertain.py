from datetime import timedelta

from odoo import fields
from odoo.addons.account_bank_connect.connectors.interface import (
    FetchError,
    NotSent,
    Refused,
    Uncertain,
)
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MODULE, BankConnectCommon, iban


class UncertainCommon(BankConnectCommon):
    def uncertain(self, records):
        """A batch whose message went out, and nobody knows whether it arrived."""
        self.bank.on_submit.append(Uncertain("read_timeout", "The bank did not answer in time."))
        batch = self.sent(records)
        self.assertEqual((batch.state, self.message_of(batch).state), ("uncertain", "uncertain"))
        return batch

    def due(self, batch):
        message = self.message_of(batch)
        message.next_attempt = fields.Datetime.now() - timedelta(seconds=1)
        return message

    def evidence(self, user):
        return self.env["ir.attachment"].with_user(user).create(
            {"name": "mail from the bank.pdf", "raw": b"we have it"}
        )

    def propose(self, batch, verdict, user=None, **values):
        user = user or self.approver
        return self.env["bank.resolution"].with_user(user)._propose(
            self.message_of(batch).with_user(user), verdict, values.get("note", "called them"),
            values.get("evidence", self.evidence(user)),
        )


@tagged("post_install", "-at_install")
class TestDoubt(UncertainCommon):
    """Once in doubt, a message is never released by a guess."""

    def test_a_later_failure_to_connect_leaves_the_doubt(self):
        """Not reaching the bank now says nothing about the attempt before."""
        batch = self.uncertain(self.new_bill(100))
        message = self.due(batch)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.bank.resend_window = timedelta(hours=24)
        self.run_cron("fetch")
        self.assertEqual(message.state, "queued", "the bank knows keys: the same may be sent again")
        self.bank.on_submit.append(NotSent("connect_refused", "Nobody listens."))
        self.run_cron("send")
        self.assertEqual((message.state, batch.state), ("uncertain", "uncertain"))
        self.assertTrue(message.doubt)

    def test_a_refused_repetition_leaves_the_doubt(self):
        """The bank may refuse the copy because it has the original."""
        bill = self.new_bill(100)
        batch = self.uncertain(bill)
        message = self.due(batch)
        self.bank.resend_window = timedelta(hours=24)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.run_cron("fetch")
        self.bank.on_submit.append(Refused("http_400", "Duplicate."))
        self.run_cron("send")
        self.assertEqual(message.state, "uncertain")
        self.assertEqual(bill.payment_state, "in_payment", "the bill must not be open again")

    def test_the_repetition_is_the_same_to_the_byte(self):
        batch = self.uncertain(self.new_bill(100))
        message = self.due(batch)
        self.bank.resend_window = timedelta(hours=24)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.run_cron("fetch")
        self.run_cron("send")
        self.assertEqual(message.state, "delivered")
        self.assertFalse(message.doubt)
        self.assertEqual(len(self.bank.submitted), 2)
        self.assertEqual(self.bank.submitted[0], self.bank.submitted[1])

    def test_nothing_is_repeated_once_the_banks_window_is_over(self):
        batch = self.uncertain(self.new_bill(100))
        message = self.due(batch)
        message.first_attempt = fields.Datetime.now() - timedelta(hours=24)
        self.bank.resend_window = timedelta(hours=24)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.run_cron("fetch")
        self.assertEqual(message.state, "uncertain")
        self.assertEqual(len(self.bank.submitted), 1)

    def test_nothing_is_repeated_at_a_bank_without_keys(self):
        batch = self.uncertain(self.new_bill(100))
        self.due(batch)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.run_cron("fetch")
        self.run_cron("send")
        self.assertEqual(self.message_of(batch).state, "uncertain")
        self.assertEqual(len(self.bank.submitted), 1)

    def test_asking_at_once(self):
        """“Ask the bank” does not wait for the scheduled time."""
        batch = self.uncertain(self.new_bill(100))
        message = self.message_of(batch)
        self.assertGreater(message.next_attempt, fields.Datetime.now())
        message.with_user(self.preparer).action_ask_bank()
        self.run_cron("fetch")
        self.assertEqual((message.state, batch.state), ("delivered", "sent"))


@tagged("post_install", "-at_install")
class TestResolution(UncertainCommon):
    """Two people with evidence may resolve what the bank can't be asked."""

    def test_one_person_alone_changes_nothing(self):
        batch = self.uncertain(self.new_bill(100))
        resolution = self.propose(batch, "delivered")
        self.assertEqual(self.message_of(batch).state, "uncertain")
        with self.assertRaisesRegex(AccessError, "second person"):
            resolution.action_confirm()
        self.assertEqual(self.message_of(batch).state, "uncertain")

    def test_a_second_login_is_no_second_person(self):
        resolution = self.propose(self.uncertain(self.new_bill(100)), "delivered")
        twin = self.new_user("twin", f"{MODULE}.group_approver")
        twin.sudo().partner_id = resolution.proposer_id.partner_id
        with self.assertRaisesRegex(AccessError, "second person"):
            resolution.with_user(twin).action_confirm()
        self.assertEqual(resolution.state, "proposed")

    def test_the_bank_has_it(self):
        batch = self.uncertain(self.new_bill(100))
        self.propose(batch, "delivered").with_user(self.admin).action_confirm()
        self.assertEqual((batch.state, self.message_of(batch).state), ("sent", "delivered"))
        self.assertIn("called them", self.chatter(batch))
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1, "it must not be sent again")

    def test_the_bank_does_not_have_it_and_it_is_sent_again(self):
        batch = self.uncertain(self.new_bill(100))
        self.propose(batch, "resend").with_user(self.admin).action_confirm()
        self.run_cron("send")
        self.assertEqual(self.message_of(batch).state, "delivered")
        self.assertEqual(self.bank.submitted[0], self.bank.submitted[1])

    def test_the_bank_does_not_have_it_and_the_batch_is_given_up(self):
        bill = self.new_bill(100)
        batch = self.uncertain(bill)
        self.propose(batch, "give_up").with_user(self.admin).action_confirm()
        self.assertEqual((batch.state, bill.payment_state), ("refused", "not_paid"))
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)
        self.assertTrue(self.prepare(bill), "the bill is free for another payment")

    def test_declined_leaves_everything(self):
        batch = self.uncertain(self.new_bill(100))
        resolution = self.propose(batch, "give_up")
        resolution.with_user(self.admin).action_decline()
        self.assertEqual((resolution.state, batch.state), ("declined", "uncertain"))
        with self.assertRaisesRegex(UserError, "decided already"):
            resolution.with_user(self.admin).action_confirm()

    def test_evidence_and_note_are_needed(self):
        batch = self.uncertain(self.new_bill(100))
        for wrong in ({"note": " "}, {"evidence": self.env["ir.attachment"]}):
            with self.assertRaisesRegex(UserError, "evidence"):
                self.propose(batch, "delivered", **wrong)

    def test_nobody_attaches_other_peoples_documents(self):
        """Else a proposal would open a document to readers who may not see it."""
        batch = self.uncertain(self.new_bill(100))
        with self.assertRaises(AccessError):
            self.propose(batch, "delivered", evidence=self.evidence(self.admin))

    def test_preparers_and_auditors_do_not_resolve(self):
        batch = self.uncertain(self.new_bill(100))
        for user in (self.preparer, self.auditor):
            with self.assertRaises(AccessError):
                self.propose(batch, "delivered", user=user)
        resolution = self.propose(batch, "delivered")
        for user in (self.preparer, self.auditor):
            with self.assertRaises(AccessError):
                resolution.with_user(user).action_confirm()

    def test_the_banks_answer_beats_people(self):
        """If the bank answers while people deliberate, the answer counts."""
        batch = self.uncertain(self.new_bill(100))
        resolution = self.propose(batch, "give_up")
        self.due(batch)
        self.run_cron("fetch")
        self.assertEqual(self.message_of(batch).state, "delivered")
        with self.assertRaisesRegex(UserError, "answered meanwhile"):
            resolution.with_user(self.admin).action_confirm()
        self.assertEqual(batch.state, "sent")

    def test_only_uncertain_messages(self):
        batch = self.sent(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "known already"):
            self.propose(batch, "give_up")


@tagged("post_install", "-at_install")
class TestLine(UncertainCommon):
    """A failing line rests; a stopped company sends nothing."""

    def fail_to_connect(self, times):
        for _time in range(times):
            message = self.env["bank.message"].search([("state", "=", "queued")], limit=1)
            message.next_attempt = fields.Datetime.now() - timedelta(seconds=1)
            self.bank.on_submit.append(NotSent("connect_timeout", "The bank does not answer."))
            self.run_cron("send")

    def test_the_breaker_trips_and_recovers(self):
        batch = self.approved(self.new_bill(100))
        self.fail_to_connect(3)
        self.assertEqual(self.connection.failure_count, 3)
        self.assertGreater(self.connection.paused_until, fields.Datetime.now())
        message = self.due(batch)
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 3, "a resting line is left in peace")
        self.connection.paused_until = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("send")
        self.assertEqual(message.state, "delivered")
        self.assertEqual((self.connection.failure_count, self.connection.paused_until), (0, False))

    def test_the_bank_may_ask_for_a_pause(self):
        """429 with Retry-After holds the whole connection, not the one message."""
        first, second = self.approved(self.new_bill(100)), self.approved(self.new_bill(101))
        self.bank.on_submit.append(
            NotSent("rate_limited", "Too many requests.", retry_after=600, http_status=429)
        )
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)
        self.assertGreater(
            self.connection.paused_until, fields.Datetime.now() + timedelta(seconds=500)
        )
        self.assertEqual({first.state, second.state}, {"approved"})

    def test_a_stopped_company_sends_nothing_and_says_who_stopped_it(self):
        batch = self.approved(self.new_bill(100))
        self.company.with_user(self.approver).action_bank_stop("suspicious call")
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertEqual(self.company.bank_stop_user_id, self.approver)
        self.assertIn("suspicious call", self.chatter(self.connection))
        with self.assertRaises(AccessError):
            self.company.with_user(self.approver).action_bank_resume()
        self.company.with_user(self.admin).action_bank_resume()
        self.run_cron("send")
        self.assertEqual(batch.state, "sent")

    def test_one_bank_is_stopped_and_the_others_go_on(self):
        """Who, when and why stand on the connection; its answers are still fetched."""
        second = self.new_connection("Second Bank")
        other = self.new_journal(iban(77), second, code="CN2")
        here = self.approved(self.new_bill(100), journal_id=self.journal.id)
        there = self.approved(self.new_bill(200), journal_id=other.id)
        self.connection.with_user(self.approver).action_bank_stop("their portal was hacked")
        self.run_cron("send")
        self.assertEqual((here.state, there.state), ("approved", "sent"))
        self.assertEqual(self.connection.bank_stop_user_id, self.approver)
        self.assertTrue(self.connection.bank_stop_date)
        self.assertIn("hacked", self.chatter(self.connection))
        self.assertNotIn("hacked", self.chatter(second))
        before = self.connection.last_fetch
        self.run_cron("fetch")
        self.assertNotEqual(self.connection.last_fetch, before)
        with self.assertRaises(AccessError):
            self.connection.with_user(self.approver).action_bank_resume()
        with self.assertRaises(AccessError):
            self.connection.with_user(self.admin).write({"bank_stopped": False})
        self.connection.with_user(self.admin).action_bank_resume()
        self.run_cron("send")
        self.assertEqual(here.state, "sent")

    def test_stopping_needs_a_right_and_a_reason(self):
        for user in (self.preparer, self.auditor, self.outsider):
            with self.assertRaises(AccessError):
                self.company.with_user(user).action_bank_stop("because")
        with self.assertRaises(UserError):
            self.company.with_user(self.approver).action_bank_stop(" ")

    def test_a_suspended_connection_sends_nothing(self):
        self.approved(self.new_bill(100))
        self.connection.with_user(self.admin).action_suspend()
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)

    def test_every_lane_finds_the_work(self):
        """Four scheduled actions share the queue; any of them sends."""
        batch = self.approved(self.new_bill(100))
        self.run_cron("send_3")
        self.assertEqual(batch.state, "sent")
        self.run_cron("send")
        self.assertEqual(len(self.bank.submitted), 1)
