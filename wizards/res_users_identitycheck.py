import time

from odoo import fields, models
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request


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
                try:
                    super()._check_identity()
                except UserError as error:
                    raise AccessDenied from error
                self._check_second_factor(user)
        except AccessDenied as error:
            self._note_failure(user)
            raise UserError(
                str(error.__cause__ or "")
                or self.env._("The authentication code is wrong, or was used before.")
            ) from error
        return None

    def _check_second_factor(self, user):
        """Ask for the code as well, of those who log in with one.

        :raises AccessDenied: it is wrong, or missing
        """
        method = self.auth_method
        if method == "password" and user._mfa_type() == "totp":
            code = str(self.env.context.get("bank_totp_code") or "").replace(" ", "")
            if not code.isdigit():
                raise AccessDenied
            user._check_credentials({"type": "totp", "token": int(code)}, {"interactive": True})
            method = "password, code"
        request.session["bank_identity_method"] = "passkey" if method == "webauthn" else method
        request.session["bank_identity_last"] = time.time()

    def _note_failure(self, user):
        """Write a failure down although the request that failed is undone."""
        if "bank.audit.event" not in self.env:
            return
        with self.env.registry.cursor() as cursor:
            env = self.env(cr=cursor)
            env["bank.audit.event"]._record("step_up_failed", env["res.users"].browse(user.id))
