"""Rejecting some payments of a batch: they leave it, and the rest is sealed and asked for again."""

import json

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from . import bank_payment_seal as seal
from .audit_mask import masked
from .bank_batch_notice import ACTIVITY
from .engine import ENGINE

SHOWN = 50  # payments named one by one in a text; the others are counted


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    rejected_payment_ids = fields.One2many(
        "account.payment", "bank_rejected_from_id", string="Rejected payments", readonly=True
    )
    outdated_approver_names = fields.Char(
        compute="_compute_outdated_approver_names",
        help="Who approved what this batch was before; their approvals don't count any more.",
    )

    @api.depends("approval_ids", "seal", "state")
    def _compute_outdated_approver_names(self):
        for batch in self:
            # sudo: whoever sees the batch sees why it waits again.
            approvals = batch.sudo().approval_ids
            current = approvals.filtered(lambda approval, seal=batch.seal: approval.seal == seal)
            outdated = (approvals - current).filtered(lambda item: item.decision == "approved")
            people = outdated.user_id - current.user_id
            waits = batch.state == "to_approve"
            batch.outdated_approver_names = waits and ", ".join(people.mapped("name"))

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"rejected_payment_ids"}

    def action_reject_payments(self, payment_ids, reason):
        """Reject some payments of this batch with a reason.

        Their bills are free again and the preparer is told. What is left is sealed anew: approvals
        of the old seal don't count for it. All payments chosen is the batch rejected.

        :param payment_ids: ids of payments of this batch
        :param reason: what the preparer reads
        """
        self.ensure_one()
        reason = self._check_reason(reason)
        self._check_decision()
        # What was changed since would be sealed unseen.
        self._check_seal()
        chosen = set(payment_ids)
        # sudo: all payments of the batch, whatever the approver may see of them.
        payments = self.sudo().payment_ids.filtered(lambda pay: pay.id in chosen)
        if not payments or len(payments) != len(chosen):
            raise UserError(
                self.env._("Choose payments of %s. Others can't be rejected with it.", self.name)
            )
        if payments == self.sudo().payment_ids:
            self.action_reject(reason)
            return
        bills = payments.bank_instalment_ids.move_id
        self._engine()._take_out(payments, reason)
        self._tell_what_was_rejected(payments, bills, reason)
        if "bank.audit.event" in self.env:
            self.env["bank.audit.event"]._record(
                "payments_rejected",
                self,
                reason=reason,
                payments=sorted(payments.mapped("end_to_end_id")),
                seal=self.seal,
            )

    def _check_reason(self, reason):
        # It is read on the bill as well, by people who see no account numbers here.
        reason = masked((reason or "").strip())
        if not reason:
            raise UserError(self.env._("Say why, so that the preparer knows what to change."))
        return reason

    def _take_out(self, payments, reason):
        """Let payments leave the batch, and send the others to approval again.

        :raises UserError: the rest is not what it was
        """
        content = json.loads(self.sealed_content)
        rejected = set(payments.mapped("end_to_end_id"))
        content["payments"] = [
            payment for payment in content["payments"] if payment["end_to_end_id"] not in rejected
        ]
        payments = payments.with_context(bank_engine=ENGINE)
        payments.write(
            {
                "bank_rejected_from_id": self.id,
                "bank_rejected_by_id": self.env.user.id,
                "bank_rejected_reason": reason,
            }
        )
        payments._bank_give_up()
        payments.write({"bank_batch_id": False})
        self.invalidate_recordset(["payment_ids"])
        self.activity_unlink([ACTIVITY])
        self.write({"state": "draft", "asked_date": False})
        self.with_context(bank_same_sealer=ENGINE).action_submit()
        if self.sealed_content != seal.canonical(content):
            raise UserError(
                self.env._("%s was changed at this very moment. Look at it again.", self.name)
            )

    def _sealer(self):
        # Whoever takes payments out vouches for none of those that stay.
        if self.env.context.get("bank_same_sealer") is ENGINE:
            return self.sealed_by_id
        return super()._sealer()

    def _tell_what_was_rejected(self, payments, bills, reason):
        """Tell the preparer which payments, and leave the reason on batch and bills."""
        # sudo: the module writes into the chatter and tasks of records that approvers only read.
        batch = self.sudo().with_context(lang=self.preparer_id.sudo().lang)
        count = len(payments)
        title = (
            batch.env._("One payment of %s was rejected", batch.name)
            if count == 1
            else batch.env._(
                "%(count)s payments of %(batch)s were rejected", count=count, batch=batch.name
            )
        )
        named = Markup().join(
            Markup("<li>{}, {}</li>").format(
                payment.partner_id.display_name,
                format_amount(batch.env, payment.amount, payment.currency_id),
            )
            for payment in payments[:SHOWN]
        )
        if count > SHOWN:
            named += Markup("<li>{}</li>").format(batch.env._("%s more", count - SHOWN))
        text = Markup("<p>{}: {}</p><ul>{}</ul>").format(title, reason, named)
        batch._message_log(body=text, author_id=self.env.user.partner_id.id)
        # Its list of payees and amounts stays in Odoo; the mail says how many, and why.
        batch.with_context(mail_activity_quick_update=True).activity_schedule(
            "account_bank_connect.activity_rejected",
            user_id=batch.preparer_id.id,
            summary=title,
            note=text,
        )
        batch.message_notify(
            partner_ids=batch.preparer_id.partner_id.ids,
            subject=title,
            body=Markup("<p>{}: {}</p>").format(title, reason),
            author_id=self.env.user.partner_id.id,
            email_layout_xmlid="mail.mail_notification_light",
        )
        note = batch.env._(
            "%(user)s rejected the payment of this bill in %(batch)s: %(reason)s",
            user=self.env.user.name,
            batch=batch.name,
            reason=reason,
        )
        if bills:
            bills.sudo()._message_log_batch(bodies=dict.fromkeys(bills.ids, note))


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_rejected_from_id = fields.Many2one(
        "bank.payment.batch",
        string="Rejected from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The batch from which an approver took this payment out.",
    )
    bank_rejected_by_id = fields.Many2one(
        "res.users", string="Rejected by", readonly=True, copy=False, ondelete="restrict"
    )
    bank_rejected_reason = fields.Text(string="Why rejected", readonly=True, copy=False)
