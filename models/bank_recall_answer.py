"""What a bank decides about a recall (camt.029), brought to payments and recall."""

from odoo import models
from odoo.tools.translate import LazyTranslate

from ..formats import camt029
from .bank_message_receive import Quarantine

_lt = LazyTranslate(__name__)

# What a confirmation of the whole says of each payment
# (ExternalInvestigationExecutionConfirmation1Code).
CONFIRMATIONS = {"CNCL": "ACCR", "RJCR": "RJCR", "PDCR": "PDCR", "CWFW": "PDCR", "UWFW": "PDCR"}
# Why a recall is refused (ExternalPaymentCancellationRejection1Code).
REFUSALS = {
    "AC04": _lt("The payee's account is closed."),
    "ADAC": _lt("The payee wants more information before agreeing."),
    "AGNT": _lt("A bank on the way refused."),
    "AM04": _lt("There is not enough money on the payee's account."),
    "ARDT": _lt("The payment came back already."),
    "CUST": _lt("The payee refused."),
    "INDM": _lt("The bank wants a letter of indemnity first."),
    "LEGL": _lt("It may not be cancelled for legal reasons."),
    "NOAS": _lt("The payee did not answer."),
    "NOOR": _lt("The bank never received the payment."),
    "PTNA": _lt("It was passed on to the next bank."),
    "RQDA": _lt("The payee's bank needs the payee's authorisation to debit."),
}


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _process_resolution(self, stream):
        """Take in one camt.029, whatever its version and level.

        :return: notes on what was tolerated, and on what the bank has not decided yet
        """
        answer = camt029.read(stream)
        notes = list(answer.notes)
        if answer.details:
            parts = [
                (self._recalled_batch(details.original_message_id, answer.case_id), details)
                for details in answer.details
            ]
        else:
            parts = [(self._recalled_batch(None, answer.case_id), None)]
        if len(parts) == 1:
            self.batch_id = parts[0][0]
            self.parent_id = self.batch_id.recall_id
        overall = CONFIRMATIONS.get(answer.confirmation)
        for batch, details in parts:
            decisions = self._decisions(batch, details) if details else {}
            if not decisions and overall:
                decisions = dict.fromkeys(batch.payment_ids, (overall, ()))
            if not decisions:
                raise Quarantine(
                    self.env._(
                        "The bank answers the recall of %(batch)s with %(code)s, and does not say "
                        "what became of the payments.",
                        batch=batch.name,
                        code=answer.confirmation,
                    )
                )
            notes += batch._engine()._apply_decisions(decisions)
        return notes

    def _recalled_batch(self, number, case):
        """The batch that a decision is about, by its own number or by that of the recall."""
        own = ("connection_id", "=", self.connection_id.id)
        batches = self.env["bank.payment.batch"]
        batch = (
            batches.search([("reference", "=", number or case), own]) if number or case else batches
        )
        if not batch and case:
            batch = self.search(
                [("purpose", "=", "recall"), ("name", "=", f"{case}.xml"), own]
            ).batch_id
        if not batch:
            raise Quarantine(
                self.env._(
                    "The bank decides about %s, which was not sent over this connection.",
                    number or case or self.env._("a message that it does not name"),
                )
            )
        return batch

    def _decisions(self, batch, details):
        """The most particular decision on each payment: its own, else its block's, else all's.

        :return: payment → (status, up to one reason as ``formats`` read it)
        :raises Quarantine: a payment is named that the batch does not hold
        """
        decisions, unknown = {}, []
        for level in (details, *details.blocks):
            # “In part” says that payments differ, and each is named; of itself it says nothing.
            if level.status and level.status != "PACR":
                for payment in batch.payment_ids:
                    decisions[payment] = (level.status, level.reasons[:1])
        find = self._finder(batch)
        for level in (details, *details.blocks):
            for transaction in level.transactions:
                payment = find(transaction)
                if payment is None:
                    unknown.append(
                        transaction.original_end_to_end_id or self.env._("(no reference)")
                    )
                elif transaction.status:
                    decisions[payment] = (
                        transaction.status,
                        transaction.reasons[:1] or level.reasons[:1],
                    )
        if unknown:
            raise Quarantine(
                self.env._(
                    "The bank decides about payments that %(batch)s does not hold: %(payments)s",
                    batch=batch.name,
                    payments=", ".join(unknown),
                )
            )
        return decisions


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    def _apply_decisions(self, decisions):
        """Follow the bank's decisions on payments whose fate is open; the others have theirs.

        :param decisions: payment → (``ACCR``, ``RJCR`` or ``PDCR``, up to one reason)
        :return: notes
        """
        self.ensure_one()
        recall = self.recall_id
        still_open = self._open_payments()
        cancelled, refused, pending = {}, {}, []
        for payment, (status, reasons) in decisions.items():
            if payment not in still_open:
                continue
            if status == "ACCR":
                cancelled[payment] = {"status": "CANC"}
            elif status == "RJCR":
                refused[payment] = self._refusal(reasons)
            else:
                pending.append(payment)
        notes = self.payment_ids._bank_apply(cancelled)
        if refused and recall:
            # One sentence for each reason, however many payments it is about.
            texts = " ".join(dict.fromkeys(refused.values()))
            if cancelled or pending:
                texts = self.env._(
                    "%(count)s of its payments stay. %(reasons)s", count=len(refused), reasons=texts
                )
            elif recall.state == "delivered":
                recall.write({"state": "refused", **recall._error_values("refused", texts)})
            self._recall_refused(recall, texts)
        if pending:
            notes.append(
                self.env._("The bank has not decided yet about %s payments.", len(pending))
            )
        return notes

    def _refusal(self, reasons):
        reason = reasons[0] if reasons else None
        code = reason and (reason.code or reason.proprietary)
        words = " ".join(reason.additional) if reason else ""
        known = REFUSALS.get(code or "")
        parts = [
            self.env._(known) if known else code and self.env._("The bank gave the code %s.", code)
        ]
        return " ".join(filter(None, (*parts, words))) or self.env._("The bank gave no reason.")
