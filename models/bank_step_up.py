"""Step-up: whoever approves shows once more that it is them.

Odoo's own identity check asks for the password or a passkey, at most ten minutes old. Where the
person has two-factor authentication, the password alone is not enough here: its code is asked for
as well. So an identity that was confirmed for something else, an API key say, does not count.
"""

import time

from odoo import fields, models
from odoo.addons.base.models.res_users import check_identity
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
            if request and not self._identity_confirmed_by():
                # Odoo would take an answer to another question, which may have asked for less.
                request.session.pop("identity-check-last", None)
            return self._approve_as_confirmed(on_behalf_of)
        return super().action_approve(on_behalf_of)

    @check_identity
    def _approve_as_confirmed(self, on_behalf_of=None):
        # The same button, after the question.
        return super().action_approve(on_behalf_of)  # pylint: disable=super-method-mismatch

    def _requires_step_up(self):
        # sudo: a company's setting is read, whatever the approver may see of it.
        batch = self.sudo()
        return batch.company_id.bank_step_up or any(batch._current_steps().mapped("step_up"))

    def _identity_confirmed_by(self):
        """How the user's identity was confirmed for payments lately, in this session, or False."""
        if request and request.session.get("bank_identity_last", 0) > time.time() - WINDOW:
            return request.session["bank_identity_method"]
        return False
