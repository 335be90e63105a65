import json
from dataclasses import replace
from datetime import timedelta

from lxml import etree
from odoo import fields
from odoo.addons.account_bank_connect.connectors import profile
from odoo.addons.account_bank_connect.connectors.interface import (
    NotSent,
    Reason,
    Refused,
    Uncertain,
)
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .documents import pain002
from .recall_common import RecallCommon, cancelled, pending
from .scripted_connector import PowerCut, receipt


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
        self.assertIn("no way to recall payments. Telephone the bank.", self.chatter(self.batch))

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
