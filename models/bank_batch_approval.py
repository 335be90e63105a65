from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, LockError, UserError

from .audit_mask import masked
from .in_person import check_in_person, logins_of

ASKED = "account_bank_connect.activity_approve"


class BankPaymentBatch(models.Model):
    """Who decides about a batch: asked, decided, released to the bank or given up."""

    _inherit = "bank.payment.batch"

    may_approve = fields.Boolean(compute="_compute_may_approve")
    # Each approval changes the row, so that of two at the same moment one has to look again.
    approval_count = fields.Integer(string="Approvals given", readonly=True, copy=False)

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"approval_count"}

    @api.depends_context("uid")
    @api.depends("state", "preparer_id", "approval_ids", "approval_requirement")
    def _compute_may_approve(self):
        approver = self.env.user.has_group("account_bank_connect.group_approver")
        waiting = self.filtered(lambda batch: approver and batch.state == "to_approve")
        (self - waiting).may_approve = False
        kept_out = waiting._kept_out() if waiting else {}
        for batch in waiting:
            try:
                batch._standing(kept_out[batch]).authority(self.env.user)
                batch.may_approve = True
            except UserError:
                batch.may_approve = False

    # -- to approval ----------------------------------------------------------------------

    def action_submit(self):
        """Seal the batch and ask for approval."""
        self.check_access("write")
        for batch in self:
            if batch.state != "draft":
                raise UserError(self.env._("%s is not a draft.", batch.name))
            if not batch.payment_ids:
                raise UserError(self.env._("%s has no payments.", batch.name))
            batch._check_payees()
            batch._seal_now()
            batch._sign_seal()
            batch._engine().write({"state": "to_approve"})
            batch._ask_for_approval()

    def _ask_for_approval(self):
        """Give a task to everybody who may approve now, and take it from those who can't any more.

        Called again after each approval: a level may be open that was not before.
        """
        self.ensure_one()
        coming = self._standing().next_people()
        people = self.env["res.users"].union(*coming, *coming.values())
        asked = self._asked_to_approve()
        for user in asked - people:
            self.sudo().activity_unlink([ASKED], user_id=user.id)
        self._tell_approvers(people - asked)
        if not people:
            self.sudo().message_post(
                body=self.env._(
                    "Nobody but the preparer may approve payments of this company. "
                    "Ask the administrator for an approver."
                )
            )

    def _required_content(self):
        """Which approvals this seal needs, as plain values that its signature covers."""
        return []

    def _people_who_prepared(self):
        # sudo: create_uid of payments may lie outside the reader's rules; only compared here.
        return self.preparer_id | self.sudo().payment_ids.create_uid

    # -- decision -------------------------------------------------------------------------

    def action_approve(self, on_behalf_of=None):
        """Approve, as somebody else than who prepared.

        When everybody has whom the rules ask for, the message is queued.

        :param on_behalf_of: id of the user whose authority a substitute uses; by default the
            substitute's own where it counts, otherwise that of somebody represented
        """
        for batch in self:
            batch._check_decision()
            batch._check_seal()
            batch._check_payees()
            batch._approve(self.env["res.users"].browse(on_behalf_of or []))
        self.env["bank.message"]._wake_senders()

    def _approve(self, on_behalf_of):
        """Record one approval, and release the batch if it was the last that is needed."""
        authority, choices = self._standing().authority(self.env.user, on_behalf_of)
        self._record_decision(
            "approved",
            on_behalf_of_id=authority.id if authority != self.env.user else False,
            counts_for=" ".join(map(str, sorted(choices))),
        )
        if self._standing().complete:
            self._engine()._release()
        else:
            self._ask_for_approval()

    def action_reject(self, reason):
        """Reject with a reason; the bills are free again and the preparer is told."""
        if not (reason or "").strip():
            raise UserError(self.env._("Say why, so that the preparer knows what to change."))
        for batch in self:
            batch._check_decision()
            batch._record_decision("rejected", reason=reason)
            batch._engine()._let_go("rejected", reason)

    def action_cancel(self):
        """Withdraw a batch that was not approved yet."""
        self.check_access("write")
        for batch in self:
            batch._lock()
            if batch.state not in ("draft", "to_approve"):
                raise UserError(
                    self.env._("%s was decided already and can't be withdrawn.", batch.name)
                )
            batch._engine()._let_go("cancelled", self.env._("Withdrawn by %s", self.env.user.name))

    def _check_decision(self):
        self.check_access("read")
        self._check_person()
        self._lock()
        if self.state != "to_approve":
            raise UserError(self.env._("%s does not wait for approval any more.", self.name))
        if self.env.user in logins_of(self._people_who_prepared()):
            raise AccessError(
                self.env._("You prepared %s, so somebody else has to approve it.", self.name)
            )

    def _check_person(self):
        """Whoever decides is a person, an approver, and of the batch's company; also for sudo."""
        user = self.env.user
        if self.env.uid == SUPERUSER_ID or not user.active:
            raise AccessError(self.env._("A person has to decide about a batch, not the system."))
        check_in_person(self.env)
        if not user.has_group("account_bank_connect.group_approver"):
            raise AccessError(self.env._("Only an approver may decide about a batch."))
        # sudo: only compared.
        if self.sudo().company_id not in user.sudo().company_ids:
            raise AccessError(
                self.env._("Only an approver of %s may decide about this.", self.company_id.name)
            )

    def _lock(self):
        """Decide alone: whoever presses a button in the same moment is told so.

        :raises LockError: somebody else is at it
        """
        try:
            self.lock_for_update()
        except LockError as error:
            raise LockError(
                self.env._(
                    "Somebody else is deciding about %s at this very moment. Look again in a few "
                    "seconds.", self.name,
                )
            ) from error
        self.invalidate_recordset(["state"])

    def _record_decision(self, decision, **values):
        # sudo: decisions are created here only, by nobody's hand.
        self.env["bank.approval"].sudo().create(
            {
                "batch_id": self.id,
                "user_id": self.env.user.id,
                "superuser": self.env.su,
                "decision": decision,
                "seal": self.seal,
                "requirement": self.approval_requirement,
                **values,
            }
        )
        self._engine().write({"approval_count": self.approval_count + 1})
        self.sudo().activity_feedback(
            [ASKED],
            user_id=self.env.user.id,
            feedback=values.get("reason") or self.env._("Approved"),
        )

    def _release(self):
        """Post the payments and queue the message made from the seal, all or nothing."""
        self.ensure_one()
        self._check_approvals()
        self._check_complete()
        self.payment_ids._bank_post()
        self.env["bank.message"]._create_for_batch(self)
        self.write({"state": "approved"})
        self.activity_unlink([ASKED])

    def _let_go(self, state, reason):
        """Give the payments up before anything left; their bills are free again."""
        # Whoever may see the batch reads it; the decision itself keeps every word.
        reason = masked(reason or "")
        self.write({"state": state, "note": reason})
        self.payment_ids._bank_give_up()
        self.activity_unlink([ASKED])
        self.message_post(body=reason)
        if state == "rejected":
            self.activity_schedule(
                "account_bank_connect.activity_rejected", user_id=self.preparer_id.id, note=reason
            )
