from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError


class BankPaymentBatch(models.Model):
    """Who decides about a batch: asked, decided, released to the bank or given up."""

    _inherit = "bank.payment.batch"

    may_approve = fields.Boolean(compute="_compute_may_approve")

    @api.depends_context("uid")
    @api.depends("state", "preparer_id")
    def _compute_may_approve(self):
        approver = self.env.user.has_group("account_bank_connect.group_approver")
        for batch in self:
            batch.may_approve = (
                approver
                and batch.state == "to_approve"
                and self.env.user not in batch._people_who_prepared()
            )

    # -- to approval ----------------------------------------------------------------------

    def action_submit(self):
        """Seal the batch and ask for approval."""
        self.check_access("write")
        for batch in self:
            if batch.state != "draft":
                raise UserError(self.env._("%s is not a draft.", batch.name))
            if not batch.payment_ids:
                raise UserError(self.env._("%s has no payments.", batch.name))
            batch._seal_now()
            batch._sign_seal()
            batch._engine().write({"state": "to_approve"})
            batch._ask_for_approval()

    def _ask_for_approval(self):
        group = self.env.ref("account_bank_connect.group_approver")
        # sudo: who may approve is no secret, but users' groups are the administrator's to read.
        approvers = group.sudo().all_user_ids.filtered(
            lambda user: (
                self.company_id in user.company_ids
                and user.active
                and user not in self._people_who_prepared()
            )
        )
        self._tell_approvers(approvers.sudo(False))
        if not approvers:
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

    def action_approve(self):
        """Approve, as somebody else than who prepared; the message is then queued."""
        for batch in self:
            batch._check_decision()
            batch._check_seal()
            batch._record_decision("approved")
            batch._engine()._release()
        self.env["bank.message"]._wake_senders()

    def action_reject(self, reason):
        """Reject with a reason; the bills are free again and the preparer is told."""
        if not (reason or "").strip():
            raise UserError(self.env._("Say why, so that the preparer knows what to change."))
        for batch in self:
            batch._check_decision()
            batch._record_decision("rejected", reason)
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
        self._lock()
        if not self.env.user.has_group("account_bank_connect.group_approver"):
            raise AccessError(self.env._("Only an approver may decide about a batch."))
        if self.state != "to_approve":
            raise UserError(self.env._("%s does not wait for approval any more.", self.name))
        if self.env.user in self._people_who_prepared():
            raise AccessError(
                self.env._("You prepared %s, so somebody else has to approve it.", self.name)
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

    def _record_decision(self, decision, reason=False):
        # sudo: decisions are created here only, by nobody's hand.
        self.env["bank.approval"].sudo().create(
            {
                "batch_id": self.id,
                "user_id": self.env.user.id,
                "decision": decision,
                "reason": reason,
                "seal": self.seal,
            }
        )
        self.sudo().activity_feedback(
            ["account_bank_connect.activity_approve"], feedback=reason or self.env._("Approved")
        )

    def _release(self):
        """Post the payments and queue the message made from the seal, all or nothing."""
        self.ensure_one()
        self.payment_ids._bank_post()
        self.env["bank.message"]._create_for_batch(self)
        self.write({"state": "approved"})

    def _let_go(self, state, reason):
        """Give the payments up before anything left; their bills are free again."""
        self.write({"state": state, "note": reason})
        self.payment_ids._bank_give_up()
        self.activity_unlink(["account_bank_connect.activity_approve"])
        self.message_post(body=reason)
        if state == "rejected":
            self.activity_schedule(
                "account_bank_connect.activity_rejected", user_id=self.preparer_id.id, note=reason
            )
