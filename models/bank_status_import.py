"""What a bank says of payments (pain.002), brought to payments, batches and bills."""

from collections import defaultdict

from odoo import fields, models

from ..formats import codes, pain002
from .audit_mask import masked
from .bank_message_receive import Quarantine
from .engine import ENGINE


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _process_status_report(self, stream):
        """Take in one pain.002, whatever its version and level.

        :return: notes on what was tolerated
        """
        report = pain002.read(stream)
        batch = self.env["bank.payment.batch"].search(
            [
                ("reference", "=", report.original_message_id),
                ("connection_id", "=", self.connection_id.id),
            ]
        )
        if not batch:
            raise Quarantine(
                self.env._(
                    "The bank answers message %s, which was not sent over this connection.",
                    report.original_message_id,
                )
            )
        sent = batch._payment_message().filtered("attempts")
        if not sent:
            raise Quarantine(
                self.env._("The bank answers %s, which was never sent to it.", batch.name)
            )
        self.batch_id = batch
        notes = list(report.notes)
        answers, unknown = self._answers_by_payment(report, batch)
        if unknown:
            raise Quarantine(
                self.env._(
                    "The bank speaks of payments that %(batch)s does not hold: %(payments)s",
                    batch=batch.name,
                    payments=", ".join(unknown),
                )
            )
        sent._prove_delivery()
        notes += batch._engine().payment_ids._bank_apply(answers)
        return notes

    def _prove_delivery(self):
        """A bank that answers a message has it, whatever became of the call that sent it."""
        for message in self.filtered(lambda message: message.state in ("uncertain", "queued")):
            message.write(
                {
                    "state": "delivered",
                    "doubt": False,
                    "error": False,
                    "error_code": False,
                    "sent_date": message.last_attempt,
                    "next_attempt": fields.Datetime.now(),
                }
            )
            message.batch_id._engine().write({"state": "sent"})

    def _answers_by_payment(self, report, batch):
        """The most particular answer for each payment: its own, else its block's, else the group's.

        :return: payment → answer, and the references that fit no payment of the batch
        """
        answers, unknown = {}, []
        for level in (report, *report.blocks):
            status = level.group_status if level is report else level.status
            # “Partly” says that payments differ, and each is named; of itself it says nothing.
            if status and status != "PART":
                for payment in batch._payments_not_refused():
                    answers[payment] = self._answer(status, level)
        find = self._finder(batch)
        for block in report.blocks:
            for transaction in block.transactions:
                payment = find(transaction)
                if payment is None:
                    unknown.append(
                        transaction.original_end_to_end_id or self.env._("(no reference)")
                    )
                elif transaction.status:
                    answers[payment] = self._answer(transaction.status, transaction) | {
                        "reference": transaction.bank_reference or transaction.clearing_reference
                    }
        return answers, unknown

    def _finder(self, batch):
        """A function that finds the payment of ``batch`` which a bank's document names, or None."""
        by_reference = {}
        for payment in batch.payment_ids:
            by_reference[payment.end_to_end_id] = payment
            by_reference[payment.uetr] = payment

        def find(transaction):
            for reference in (
                transaction.original_end_to_end_id,
                transaction.original_uetr,
                transaction.original_instruction_id,
            ):
                if reference and reference in by_reference:
                    return by_reference[reference]
            return None

        return find

    def _answer(self, status, level):
        reason = level.reasons[0] if level.reasons else None
        return {
            "status": status,
            "reason": reason and (reason.code or reason.proprietary),
            "text": " ".join(reason.additional) if reason else None,
        }


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    def _apply_message_status(self, status):
        """A status that the bank gave for the whole message."""
        self.ensure_one()
        # What is no status of ISO 20022 is kept with the bank's answer, and means nothing here.
        if status in codes.STATUSES and status != "PART":
            payments = self._payments_not_refused()
            payments._bank_apply({pay: {"status": status} for pay in payments})

    def _payments_not_refused(self):
        """The payments that a word about the whole message can be about."""
        return self.payment_ids.filtered(lambda pay: pay.bank_status not in ("RJCT", "CANC"))


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_apply(self, answers):
        """Write the bank's answers down; each can come late, twice or out of order.

        :param answers: payment → ``{"status", "reason", "text", "reference"}``, the latter
            three optional
        :return: notes on answers that contradict what is certain already
        """
        notes = []
        groups = defaultdict(lambda: self.env["account.payment"])
        for payment, answer in answers.items():
            status = answer["status"]
            if payment.bank_status == status:
                payment._bank_add_reason(answer)
                continue
            if not codes.advances(payment.bank_status or None, status):
                if codes.is_final(status) and codes.is_final(payment.bank_status or ""):
                    notes.append(
                        self.env._(
                            "%(payment)s: the bank says %(new)s after %(old)s; the earlier one "
                            "stays.",
                            payment=payment.end_to_end_id,
                            new=status,
                            old=payment.bank_status,
                        )
                    )
                continue
            groups[status, answer.get("reason"), answer.get("text"), answer.get("reference")] |= (
                payment
            )
        now = fields.Datetime.now()
        changed = self.env["account.payment"]
        for (status, reason, text, reference), payments in groups.items():
            payments = payments.with_context(bank_engine=ENGINE)
            values = {"bank_status": status, "bank_status_date": now}
            if reason or status in ("RJCT", "CANC"):
                values |= {
                    "bank_reason": reason or False,
                    # Banks quote the account they speak of; the message itself holds their words.
                    "bank_reason_text": masked(text or "") or False,
                }
            if reference:
                values["bank_reference"] = reference
            contradicted = payments.filtered(lambda pay: pay.bank_status in ("RJCT", "CANC"))
            payments.with_context(tracking_disable=True).write(values)
            if status in ("RJCT", "CANC"):
                (payments - contradicted)._bank_failed()
            elif contradicted:
                contradicted._bank_paid_after_all()
            changed |= payments
        changed.bank_batch_id._engine()._follow_payments()
        return notes

    def _bank_add_reason(self, answer):
        """Why the bank rejected a payment may be said later than that it did."""
        if self.bank_status in ("RJCT", "CANC") and answer.get("reason") and not self.bank_reason:
            payment = self.with_context(bank_engine=ENGINE)
            payment.write(
                {
                    "bank_reason": answer["reason"],
                    "bank_reason_text": masked(answer.get("text") or "") or False,
                }
            )
            payment._bank_hold_accounts()
            payment._bank_tell_why()

    def _bank_failed(self):
        """The bank did not execute these: reopen the bills and tell the accountant why."""
        self._bank_undo()
        self._bank_hold_accounts()
        for payment in self:
            payment._bank_tell_why()

    def _bank_tell_why(self):
        self._bank_tell_accountant(
            self.env._(
                "The bank did not pay %(payee)s: %(reason)s",
                payee=self.partner_id.display_name,
                reason=self._bank_explanation() or self.env._("no reason was given."),
            )
        )

    def _bank_paid_after_all(self):
        """The bank rejected these first, and executed them then: the bills are paid after all."""
        for payment in self:
            payee = payment.partner_id.display_name
            if payment._bank_redo():
                text = self.env._(
                    "The bank says now that it did pay %(payee)s, after it had rejected the "
                    "payment. Do not pay again: ask the bank.", payee=payee,
                )
            else:
                text = self.env._(
                    "The bank says now that it did pay %(payee)s, after it had rejected the "
                    "payment, and the bill is being paid or was paid otherwise meanwhile. Do not "
                    "pay again: stop the other payment, or ask for the money back.", payee=payee,
                )
            payment._bank_tell_accountant(text)

    def _bank_redo(self):
        """Take back what the rejection undid: the entry stands again, and holds its bills.

        :return: whether the bills could be taken; else another payment has them
        """
        self.ensure_one()
        payment = self.with_context(bank_engine=ENGINE)
        items = payment.bank_instalment_ids.move_line_id
        items._bank_touch()
        free = not items._bank_holders() and not any(item.reconciled for item in items)
        if free:
            payment.bank_instalment_ids.write({"live": True})
        if payment.move_id.state == "cancel":
            payment.move_id.button_draft()
            payment.move_id._post(soft=False)
            if free:
                payment._bank_reconcile_bills()
        elif payment.move_id:
            # Its entry was reversed, since a lock forbade to cancel it.
            payment._bank_book()
        payment.state = "in_process"
        return free

    def _bank_tell_accountant(self, text):
        """Leave the sentence on payment and bills, and a task for whoever prepared it."""
        self.ensure_one()
        user = self.bank_batch_id.preparer_id or self.create_uid
        self.message_post(body=text)
        bills = self.bank_instalment_ids.move_id
        for record in bills or self:
            if record._name == "account.move":
                record.message_post(body=text)
            record.activity_schedule(
                "account_bank_connect.activity_rejected",
                user_id=user.id,
                summary=text[:200],
                note=text,
            )
