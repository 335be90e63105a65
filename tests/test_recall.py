import json
from dataclasses import replace
from datetime import timedelta

from lxml import etree
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.account_bank_connect.connectors import profile
from odoo.addons.account_bank_connect.connectors.interface import (
    FetchError,
    NotSent,
    Reason,
    Refused,
    Uncertain,
)

from .common import BankConnectCommon
from .documents import camt, camt029, paid, pain002
from .scripted_connector import PowerCut, receipt


def cancelled(document, key):
    """The bank cancels at once, as a 204 to DELETE says."""
    return replace(receipt(key, "CANC"), content=b"", content_type="")


def pending(document, key):
    """The bank has the recall and decides later."""
    return replace(receipt(key, None), content=b"", content_type="")


class RecallCommon(BankConnectCommon):
    def recall(self, batch, reason="DUPL", note="Paid by cheque", user=None):
        batch.with_user(user or self.preparer).action_recall(reason, note)
        return batch.recall_id

    def recalled(self, batch, answer, **values):
        """Ask for a recall, and let it leave; the bank answers it with ``answer``."""
        recall = self.recall(batch, **values)
        self.bank.on_submit.append(answer)
        self.run_cron("send")
        return recall

    def due(self, message):
        message.next_attempt = fields.Datetime.now() - timedelta(seconds=1)
        return message

    def assert_paying(self, batch, state="sent"):
        """Nothing changed for the payments: they are on their way as before."""
        self.assertEqual(batch.state, state)
        self.assertEqual(set(batch.payment_ids.mapped("state")), {"in_process"})
        self.assertTrue(all(batch.payment_ids.bank_instalment_ids.mapped("live")))

    def assert_open(self, batch, bills):
        """The batch is taken back, and its bills can be paid again."""
        self.assertEqual(batch.state, "cancelled")
        self.assertEqual(set(bills.mapped("payment_state")), {"not_paid"})
        self.assertFalse(any(batch.payment_ids.bank_instalment_ids.mapped("live")))
        self.assertEqual(self.prepare(bills).state, "to_approve")


@tagged("post_install", "-at_install")
class TestWithdraw(RecallCommon):
    """What has not left is withdrawn here and now."""

    def test_what_is_queued_never_leaves(self):
        bills = self.new_bill(100) | self.new_bill(200)
        batch = self.approved(bills)
        message = self.message_of(batch)
        self.recall(batch)
        self.assertEqual((message.state, message.next_attempt), ("withdrawn", False))
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertFalse(batch.recall_id, "nobody has to be asked")
        self.assert_open(batch, bills)

    def test_who_why_and_when_are_recorded(self):
        batch = self.approved(self.new_bill(100))
        self.recall(batch, user=self.approver)
        self.assertIn(
            "Withdrawn by Approver before it left: Paid twice; Paid by cheque.", self.chatter(batch)
        )
        self.assertEqual(batch.note.count("Approver"), 1)
        message = self.message_of(batch)
        self.assertEqual(message.recall_user_id, self.approver)
        self.assertEqual((message.recall_reason, message.recall_note), ("DUPL", "Paid by cheque"))

    def test_bills_that_book_on_the_statement_are_open_again(self):
        self.book_on_statement()
        bill = self.new_bill(100)
        batch = self.approved(bill)
        self.recall(batch)
        self.assert_open(batch, bill)

    def test_after_an_attempt_that_surely_failed(self):
        """It was certain that no byte was accepted, so nothing has left."""
        self.bank.on_submit.append(NotSent("connect_refused", "Nobody listens."))
        bill = self.new_bill(100)
        batch = self.sent(bill)
        self.assertEqual((batch.state, self.message_of(batch).attempts), ("approved", 1))
        self.recall(batch)
        self.assert_open(batch, bill)

    def test_never_in_doubt(self):
        """Queued for a repetition, the message may be at the bank already."""
        self.bank.on_submit.append(Uncertain("reset", "The line broke."))
        batch = self.sent(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "Nobody knows yet whether the bank has"):
            self.recall(batch)
        self.bank.on_inquire.append(FetchError("cannot_inquire", "No way to ask."))
        self.bank.resend_window = timedelta(hours=24)
        self.due(self.message_of(batch))
        self.run_cron("fetch")
        self.assertEqual((self.message_of(batch).state, batch.state), ("queued", "approved"))
        with self.assertRaisesRegex(UserError, "Nobody knows yet whether the bank has"):
            self.recall(batch)

    def test_not_while_it_is_sent(self):
        """A worker holds it: what becomes of it is known in a moment."""
        batch = self.approved(self.new_bill(100))

        def meanwhile(document, key):
            with self.assertRaisesRegex(UserError, "being sent this very moment"):
                self.recall(batch)
            return receipt(key)

        self.bank.on_submit.append(meanwhile)
        self.run_cron("send")
        self.assertEqual(batch.state, "sent")

    def test_only_after_approval(self):
        batch = self.prepare(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "withdraw or reject it instead"):
            self.recall(batch)

    def test_who_may(self):
        """Preparer, approver and bank administrator; nobody else, and nobody without a reason."""
        for user in (self.preparer, self.approver, self.admin):
            self.recall(batch := self.approved(self.new_bill(100)), user=user)
            self.assertEqual(batch.state, "cancelled")
        batch = self.approved(self.new_bill(100))
        for user in (self.auditor, self.clerk, self.outsider):
            with self.assertRaises(AccessError):
                self.recall(batch, user=user)
            if user != self.outsider:
                self.assertFalse(batch.with_user(user).may_recall)
        for reason, note in (("CUST", " "), ("XXXX", "x"), (False, "x")):
            with self.assertRaisesRegex(UserError, "Say why"):
                self.recall(batch, reason, note)
        self.assertTrue(batch.with_user(self.preparer).may_recall)
        stranger = self.new_user(
            "stranger", "account_bank_connect.group_admin", self.new_company("Another GmbH")
        )
        with self.assertRaises(AccessError):
            self.recall(batch, user=stranger)

    def test_by_the_button(self):
        batch = self.approved(self.new_bill(100))
        wizard = (
            self.env["bank.recall.wizard"]
            .with_user(self.approver)
            .create({"batch_id": batch.id, "reason": "CUST", "note": "The vendor went bankrupt"})
        )
        self.assertFalse(wizard.left)
        wizard.action_recall()
        self.assertEqual(batch.state, "cancelled")


@tagged("post_install", "-at_install")
class TestRecall(RecallCommon):
    """What the bank has, the bank is asked to cancel; until it agrees, nothing changes."""

    def setUp(self):
        super().setUp()
        self.bills = self.new_bill(100) | self.new_bill(200, vendor=self.new_vendor("Other", 2))
        self.batch = self.sent(self.bills)

    def elements(self, recall, name):
        document = etree.fromstring(recall._raw())
        return [element.text for element in document.iter(f"{{*}}{name}")]

    # -- asking ---------------------------------------------------------------------------

    def test_a_recall_is_frozen_and_queued(self):
        message = self.message_of(self.batch)
        recall = self.recall(self.batch)
        self.assertEqual((recall.state, recall.purpose), ("queued", "recall"))
        self.assertEqual(recall.kind, "camt.055.001.08")
        self.assertEqual(recall.bank_reference, message.bank_reference)
        self.assertNotEqual(recall.key, message.key)
        self.assertEqual(self.elements(recall, "OrgnlMsgId"), [self.batch.reference])
        self.assertEqual(self.elements(recall, "OrgnlMsgNmId"), [message.kind])
        self.assertEqual(self.elements(recall, "GrpCxl"), ["true"])
        self.assertEqual(self.elements(recall, "Cd"), ["DUPL"])
        self.assertEqual(self.elements(recall, "AddtlInf"), ["Paid by cheque"])
        self.assertEqual(self.elements(recall, "CtrlSum"), ["300.00", "300.00"])
        self.assertEqual(self.elements(recall, "OrgnlEndToEndId"), [])
        self.assertIn("Recall asked for: Paid twice; Paid by cheque.", self.chatter(self.batch))
        self.assertIn("Preparer asked on", self.batch.recall_text)
        self.assert_paying(self.batch)

    def test_it_leaves_like_any_message(self):
        recall = self.recalled(self.batch, pending)
        self.assertEqual((recall.state, recall.attempts), ("delivered", 1))
        self.assertEqual(self.bank.submitted[-1], (recall.key, recall._raw()))
        self.assertIn("its decision is awaited", self.batch.recall_text)
        self.assert_paying(self.batch)

    def test_only_what_is_open_is_recalled(self):
        """A payment that was rejected meanwhile is not named; the others are, one by one."""
        first, second = self.batch.payment_ids
        self.received(pain002(self.batch.reference, [(first.end_to_end_id, "RJCT", "AC04")]))
        recall = self.recall(self.batch)
        self.assertEqual(self.elements(recall, "OrgnlEndToEndId"), [second.end_to_end_id])
        self.assertEqual(self.elements(recall, "OrgnlUETR"), [second.uetr])
        self.assertEqual(self.elements(recall, "OrgnlPmtInfId"), [f"{self.batch.reference}-1"])
        self.assertEqual(self.elements(recall, "OrgnlInstdAmt"), [f"{second.amount:.2f}"])
        self.assertEqual(self.elements(recall, "GrpCxl"), [])

    def test_what_is_executed_is_not_recalled(self):
        self.received(pain002(self.batch.reference, group="ACSC"))
        with self.assertRaisesRegex(UserError, "it has come to its end"):
            self.recall(self.batch)
        self.assertFalse(self.batch.recall_id)

    def test_one_recall_at_a_time(self):
        recall = self.recalled(self.batch, pending)
        with self.assertRaisesRegex(UserError, "Preparer asked on"):
            self.recall(self.batch, user=self.approver)
        self.assertFalse(self.batch.with_user(self.approver).may_recall)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            recall.copy({"key": "other", "name": "other"})
            self.env.flush_all()

    def test_a_bank_that_takes_no_recalls(self):
        """It is said before anything is made."""
        settings = profile("sandbox")
        del settings["cancel"]
        self.connection.profile_id.settings = json.dumps(settings)
        with self.assertRaisesRegex(UserError, "Telephone the bank"):
            self.recall(self.batch)
        self.assertFalse(self.batch.recall_id)

    def test_recalls_leave_while_payments_are_stopped(self):
        """Who stops everything may need them most; and they leave before any payment."""
        other = self.approved(self.new_bill(50))
        recall = self.recall(self.batch)
        self.company.with_user(self.approver).action_bank_stop("fraud")
        self.run_cron("send")
        self.assertEqual(recall.state, "delivered")
        self.assertEqual(self.message_of(other).state, "queued")

    def test_recalls_leave_first(self):
        other = self.approved(self.new_bill(50))
        recall = self.recall(self.batch)
        self.run_cron("send")
        keys = [key for key, _content in self.bank.submitted]
        self.assertEqual(keys[-2:], [recall.key, self.message_of(other).key])

    # -- the bank agrees ------------------------------------------------------------------

    def test_the_bank_cancels_at_once(self):
        recall = self.recalled(self.batch, cancelled)
        self.assertEqual(recall.state, "delivered")
        self.assertEqual(set(self.batch.payment_ids.mapped("bank_status")), {"CANC"})
        self.assertEqual(set(self.batch.payment_ids.mapped("state")), {"rejected"})
        self.assertIn("The bank cancelled the payments.", self.batch.recall_text)
        self.assertIn("recalled by Preparer", self.batch.payment_ids[0].bank_status_text)
        self.assertIn("The payment was recalled", self.chatter(self.bills[0]))
        self.assertFalse(self.activities(self.bills), "no fault, so no task on each bill")
        (task,) = self.activities(self.batch, "recall")
        self.assertEqual(task.user_id, self.preparer)
        self.assertIn("cancelled 2 payments", task.summary)
        self.assert_open(self.batch, self.bills)

    def test_the_bank_cancels_later(self):
        """By a status report, as by any status."""
        self.recalled(self.batch, pending, user=self.approver)
        self.received(pain002(self.batch.reference, group="CANC"))
        tasks = self.activities(self.batch, "recall")
        self.assertEqual(tasks.user_id, self.preparer | self.approver)
        self.assert_open(self.batch, self.bills)

    def test_its_decision_is_asked_for_soon(self):
        message = self.message_of(self.batch)
        message.next_attempt = fields.Datetime.now() + timedelta(hours=1)
        self.recalled(self.batch, pending)
        self.assertLess(message.next_attempt, fields.Datetime.now() + timedelta(minutes=2))
        self.due(message)
        self.bank.on_inquire.append(cancelled)
        self.run_cron("fetch")
        self.assert_open(self.batch, self.bills)

    def test_payments_that_were_rejected_before_stay_so(self):
        first, second = self.batch.payment_ids
        self.received(pain002(self.batch.reference, [(first.end_to_end_id, "RJCT", "AC04")]))
        self.recalled(self.batch, cancelled)
        self.assertEqual((first.bank_status, second.bank_status), ("RJCT", "CANC"))
        self.assertEqual(first.bank_reason, "AC04")
        self.assertEqual(self.batch.state, "cancelled")

    # -- the bank refuses -----------------------------------------------------------------

    def test_a_refused_recall_refuses_no_payment(self):
        said = (Reason("CANCELLATION_INVALID", "It is executed already"),)
        recall = self.recalled(
            self.batch, Refused("refused", "No.", reasons=said), user=self.approver
        )
        self.assertEqual(recall.state, "refused")
        self.assert_paying(self.batch)
        self.assertEqual(set(self.batch.payment_ids.mapped("bank_status")), {"RCVD"})
        self.assertIn(
            "could not be recalled: It is executed already. The payments go on as planned",
            self.chatter(self.batch),
        )
        (task,) = self.activities(self.batch, "recall")
        self.assertEqual(task.user_id, self.approver)
        self.assertIn("The bank refused", self.batch.recall_text)

    def test_after_a_refusal_it_can_be_asked_again(self):
        first = self.recalled(self.batch, Refused("refused", "Not accepted yet."))
        second = self.recalled(self.batch, cancelled)
        self.assertNotEqual(first, second)
        self.assertEqual(second.name, f"{self.batch.reference}-R2.xml")
        self.assert_open(self.batch, self.bills)

    def test_a_recall_that_can_never_leave_ends(self):
        for code in ("cannot_recall", "no_reference"):
            recall = self.recalled(
                self.batch, NotSent(code, "Not over this line.", hint="Telephone.", permanent=True)
            )
            self.assertEqual(recall.state, "refused")
            self.assert_paying(self.batch)
        self.assertIn(
            "offers no way to recall payments. Telephone the bank.", self.chatter(self.batch)
        )

    def test_nothing_left_to_recall(self):
        """The bank finished before the recall had left: it is not sent."""
        recall = self.recall(self.batch)
        self.received(pain002(self.batch.reference, group="ACSC"))
        calls = len(self.bank.submitted)
        self.run_cron("send")
        self.assertEqual((recall.state, len(self.bank.submitted)), ("withdrawn", calls))
        self.assertIn("Nothing was left to recall", self.chatter(self.batch))

    # -- the line fails -------------------------------------------------------------------

    def test_a_recall_that_was_not_sent_is_sent_later(self):
        recall = self.recalled(self.batch, NotSent("connect_refused", "Nobody listens."))
        self.assertEqual(recall.state, "queued")
        self.assert_paying(self.batch)
        self.due(recall)
        self.connection.paused_until = False
        self.bank.on_submit.append(cancelled)
        self.run_cron("send")
        self.assert_open(self.batch, self.bills)

    def uncertain_recall(self):
        recall = self.recalled(self.batch, Uncertain("reset", "The line broke."))
        self.assertEqual((recall.state, recall.doubt), ("uncertain", True))
        self.assertIn("Nobody knows yet whether the bank has the recall", self.batch.recall_text)
        self.assert_paying(self.batch)
        return self.due(recall)

    def answer(self, status):
        # The payment's own message is asked about as well, and says the same.
        def said(document, key):
            return replace(receipt(key, status), content=b"", content_type="")

        self.due(self.message_of(self.batch))
        self.bank.on_inquire += [said, said]
        self.run_cron("fetch")

    def test_the_payments_status_resolves_the_doubt(self):
        recall = self.uncertain_recall()
        self.answer("CANC")
        self.assertEqual(recall.state, "delivered")
        self.assert_open(self.batch, self.bills)

    def test_payments_that_stand_are_recalled_again(self):
        """Under the same key, with the same bytes."""
        recall = self.uncertain_recall()
        self.answer("ACCP")
        self.assertEqual((recall.state, recall.doubt), ("queued", False))
        self.assert_paying(self.batch, "accepted")
        self.due(recall)
        self.connection.paused_until = False
        self.bank.on_submit.append(cancelled)
        self.run_cron("send")
        self.assertEqual(self.bank.submitted[-1], self.bank.submitted[-2])
        self.assert_open(self.batch, self.bills)

    def test_payments_that_were_executed_end_the_doubt(self):
        recall = self.uncertain_recall()
        self.answer("ACSC")
        self.assertEqual(recall.state, "refused")
        self.assertEqual(set(self.batch.payment_ids.mapped("bank_status")), {"ACSC"})
        self.assertIn("The bank had finished with the payments before", self.chatter(self.batch))

    def test_a_crash_leaves_the_payments_alone(self):
        recall = self.recall(self.batch)
        self.bank.on_submit.append(PowerCut())
        self.crash_cron("send")
        self.assertEqual(recall.state, "sending")
        recall.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("send")
        self.assertEqual((recall.state, recall.error_code), ("uncertain", "abandoned"))
        self.assert_paying(self.batch)

    def test_two_people_give_an_uncertain_recall_up(self):
        """The recall ends; the payments go on."""
        recall = self.uncertain_recall()
        evidence = (
            self.env["ir.attachment"]
            .with_user(self.approver)
            .create({"name": "mail.pdf", "raw": b"we do not have it"})
        )
        resolution = (
            self.env["bank.resolution"]
            .with_user(self.approver)
            ._propose(recall.with_user(self.approver), "give_up", "called them", evidence)
        )
        resolution.with_user(self.admin).action_confirm()
        self.assertEqual(recall.state, "refused")
        self.assert_paying(self.batch)

    def test_a_status_report_proves_no_recall(self):
        """A word on the payments says nothing about the recall."""
        recall = self.uncertain_recall()
        recall.next_attempt = fields.Datetime.now() + timedelta(hours=1)
        self.received(pain002(self.batch.reference, group="ACCP"))
        self.assertEqual(recall.state, "uncertain")


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
