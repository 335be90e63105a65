"""Step-up: whoever approves shows once more that it is them.

Odoo's own identity check asks for the password or a passkey, at most ten minutes old. Where the
person has two-factor authentication, the password alone is not enough here: its code is asked for
as well.
"""

import time

from odoo import fields, models
from odoo.addons.base.models.res_users import check_identity
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request

WINDOW = 10 * 60  # seconds; the same as in Odoo's `check_identity`


class ResCompany(models.Model):
    _inherit = "res.company"

    bank_step_up = fields.Boolean(
        string="Confirm identity to approve",
        help="Whoever approves payments confirms with password, code or passkey.",
    )


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    def action_approve(self, on_behalf_of=None):
        if any(batch._requires_step_up() for batch in self):
            return self._approve_as_confirmed(on_behalf_of)
        return super().action_approve(on_behalf_of)

    @check_identity
    def _approve_as_confirmed(self, on_behalf_of=None):
        return super().action_approve(on_behalf_of)

    def _requires_step_up(self):
        # sudo: a company's setting is read, whatever the approver may see of it.
        batch = self.sudo()
        return batch.company_id.bank_step_up or any(batch._current_steps().mapped("step_up"))

    def _identity_confirmed_by(self):
        """How the user's identity was confirmed lately, in this session; False if it was not."""
        if request and request.session.get("identity-check-last", 0) > time.time() - WINDOW:
            return request.session.get("bank_identity_method") or "password"
        return False


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = "res.users.identitycheck"

    bank_totp = fields.Boolean(compute="_compute_bank_totp")
    bank_totp_code = fields.Char(string="Authentication code", store=False)

    def _compute_bank_totp(self):
        for wizard in self:
            wizard.bank_totp = wizard._is_for_bank() and self.env.user._mfa_type() == "totp"

    def _is_for_bank(self):
        # sudo: the request is hidden from everybody; only which button it is for is looked at.
        return "_approve_as_confirmed" in (self.sudo().request or "")

    def _check_identity(self):
        if not self._is_for_bank():
            return super()._check_identity()
        user = self.create_uid
        try:
            # Odoo's own brake against guessing.
            with user._assert_can_auth(user=user.id):
                self._check_bank_identity(user)
        except AccessDenied as error:
            self._note_failure(user)
            raise UserError(
                str(error.__cause__ or "")
                or self.env._("The authentication code is wrong, or was used before.")
            ) from error
        return None

    def _check_bank_identity(self, user):
        """
        :raises AccessDenied: it is not them
        """
        try:
            super()._check_identity()
        except UserError as error:
            raise AccessDenied from error
        method = self.auth_method
        if method == "password" and user._mfa_type() == "totp":
            code = str(self.env.context.get("bank_totp_code") or "").replace(" ", "")
            if not code.isdigit():
                raise AccessDenied
            user._check_credentials({"type": "totp", "token": int(code)}, {"interactive": True})
            method = "password, code"
        request.session["bank_identity_method"] = method

    def _note_failure(self, user):
        """Write a failure down although the request that failed is undone."""
        if "bank.audit.event" not in self.env:
            return
        with self.env.registry.cursor() as cursor:
            env = self.env(cr=cursor)
            env["bank.audit.event"]._record("step_up_failed", env["res.users"].browse(user.id))
