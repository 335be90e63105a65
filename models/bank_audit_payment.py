"""The audit trail of payments: recorded where the states change, so that no route is left out."""

from collections import Counter, defaultdict

from odoo import api, models

BATCH_KINDS = {
    "to_approve": "batch_submitted",
    "approved": "batch_approved",
    "rejected": "batch_rejected",
    "cancelled": "batch_withdrawn",
    "accepted": "batch_accepted",
    "settled": "batch_settled",
    "refused": "batch_refused",
}
MESSAGE_KINDS = {
    "queued": "message_queued",
    "sending": "message_attempt",
    "delivered": "message_delivered",
    "refused": "message_refused",
    "uncertain": "message_uncertain",
    "withdrawn": "message_withdrawn",
    "stored": "document_released",
    "processed": "document_processed",
    "quarantined": "document_quarantined",
}


def _said(**details):
    return {name: value for name, value in details.items() if value}


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    @api.model_create_multi
    def create(self, vals_list):
        batches = super().create(vals_list)
        self.env["bank.audit.event"]._record_each(
            "batch_prepared", [(batch, batch._audit_details()) for batch in batches]
        )
        return batches

    def write(self, vals):
        if "state" not in vals:
            return super().write(vals)
        before = {batch: batch.state for batch in self}
        result = super().write(vals)
        kind = BATCH_KINDS.get(vals["state"])
        changed = self.filtered(lambda batch: batch.state != before[batch])
        # A message that turns out unsent takes its batch back to “approved”: nobody approved anew.
        if kind == "batch_approved":
            changed = changed.filtered(lambda batch: before[batch] == "to_approve")
        if kind:
            self.env["bank.audit.event"]._record_each(
                kind,
                [(batch, batch._audit_details(old=before[batch])) for batch in changed],
            )
        return result

    def _audit_details(self, old=None):
        # sudo: the trail tells of the whole batch, whatever the user may see of it.
        batch = self.sudo()
        return _said(
            reference=batch.reference,
            seal=batch.seal,
            payments=batch.payment_count,
            total=f"{batch.amount_total:.{batch.currency_id.decimal_places}f}",
            currency=batch.currency_id.name,
            execution_date=batch.execution_date,
            note=batch.note,
            before=old,
        )

    def action_view_history(self):
        """Everything the audit trail tells of the batch, its messages and decisions."""
        self.ensure_one()
        self.check_access("read")
        # sudo: only numbers are taken, to look for events that the reader may see or not.
        batch = self.sudo()
        messages = batch.message_ids_bank
        resolutions = self.env["bank.resolution"].sudo().search(
            [("message_id", "in", messages.ids)]
        )
        parts = (batch, messages, batch.approval_ids, resolutions)
        domain = ["|"] * (len(parts) - 1)
        for records in parts:
            domain += ["&", ("res_model", "=", records._name), ("res_id", "in", records.ids)]
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("History of %s", self.name),
            "res_model": "bank.audit.event",
            "view_mode": "list,form",
            "domain": domain,
        }


class BankApproval(models.Model):
    _inherit = "bank.approval"

    @api.model_create_multi
    def create(self, vals_list):
        approvals = super().create(vals_list)
        for approval in approvals:
            kind = "approval_given" if approval.decision == "approved" else "approval_refused"
            self.env["bank.audit.event"]._record(
                kind, approval,
                **_said(batch=approval.batch_id.name, seal=approval.seal, reason=approval.reason),
            )
        return approvals


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model_create_multi
    def create(self, vals_list):
        messages = super().create(vals_list)
        for kind, part in messages.grouped("direction").items():
            self.env["bank.audit.event"]._record_each(
                "message_queued" if kind == "out" else "document_received",
                [(message, message._audit_details()) for message in part],
            )
        return messages

    def write(self, vals):
        if "state" not in vals:
            return super().write(vals)
        before = {message: message.state for message in self}
        result = super().write(vals)
        items = defaultdict(list)
        for message, old in before.items():
            if message.state != old:
                kind = MESSAGE_KINDS[message.state]
                if (old, message.state) == ("sending", "queued"):
                    kind = "message_not_sent"
                items[kind].append((message, message._audit_details(old)))
        for kind, each in items.items():
            self.env["bank.audit.event"]._record_each(kind, each)
        return result

    def _audit_details(self, old=None):
        # sudo: the trail tells of the message whatever the user may see of it.
        message = self.sudo()
        return _said(
            purpose=message.purpose if message.direction == "out" else None,
            format=message.kind,
            sha256=message.sha256,
            batch=message.batch_id.name,
            key=message.key,
            attempt=message.attempts,
            code=message.error_code,
            reason=message.recall_reason,
            before=old,
        )

    def _process_steps(self):
        # Known below, so that what is applied can be told with the document that said it.
        return super(BankMessage, self.with_context(bank_document=self.name))._process_steps()

    def _make_statement(self, record, count, *values):
        statement = super()._make_statement(record, count, *values)
        self.env["bank.audit.event"]._record(
            "statement_imported", statement,
            document=self.name, journal=record.journal_id.code, lines=count,
            **_said(start=str(statement.balance_start), end=str(statement.balance_end_real)),
        )
        return statement


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_apply(self, answers):
        before = {payment: payment.bank_status for payment in answers}
        notes = super()._bank_apply(answers)
        counts = defaultdict(Counter)
        for payment, old in before.items():
            if payment.bank_status != old:
                counts[payment.bank_batch_id][payment.bank_status] += 1
        self.env["bank.audit.event"]._record_each(
            "statuses_applied",
            [
                (
                    batch,
                    _said(
                        statuses=count, document=self.env.context.get("bank_document"),
                        contradictions=len(notes),
                    ),
                )
                for batch, count in counts.items()
            ],
        )
        return notes


class BankResolution(models.Model):
    _inherit = "bank.resolution"

    @api.model_create_multi
    def create(self, vals_list):
        resolutions = super().create(vals_list)
        self.env["bank.audit.event"]._record_each(
            "resolution_proposed", [(each, each._audit_details()) for each in resolutions]
        )
        return resolutions

    def write(self, vals):
        if "state" not in vals:
            return super().write(vals)
        before = {each: each.state for each in self}
        result = super().write(vals)
        changed = self.filtered(lambda each: each.state != before[each])
        self.env["bank.audit.event"]._record_each(
            f"resolution_{vals['state']}", [(each, each._audit_details()) for each in changed]
        )
        return result

    def _audit_details(self):
        # sudo: as above.
        each = self.sudo()
        return _said(
            message=each.message_id.name, verdict=each.verdict, note=each.note,
            proposer=each.proposer_id.login,
        )
