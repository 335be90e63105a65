"""Recalls in tests: how they are asked for, how a bank answers, what they must leave alone."""

from dataclasses import replace
from datetime import timedelta

from odoo import fields

from .common import BankConnectCommon
from .scripted_connector import receipt


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
