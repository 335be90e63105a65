from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from . import bank_payment_seal as seal
from . import keyring
from .in_person import check_in_person

PURPOSE = "approval"  # the key of the keyring that decisions are signed with


class BankApproval(models.Model):
    """A decision is signed: who, what, when, from where.

    The key is not in the database, so a decision can neither be written there by hand nor moved
    to another batch, another person or another seal.
    """

    _inherit = "bank.approval"

    moment = fields.Char(
        string="Signed at", readonly=True, help="ISO 8601 in UTC, with microseconds."
    )
    address = fields.Char(
        string="From address", readonly=True, help="The network address the decision came from."
    )
    identity = fields.Char(
        string="Confirmed by", readonly=True,
        help="How the person's identity was confirmed for this decision: password, code, passkey.",
    )
    signature = fields.Char(readonly=True, groups="account_bank_connect.group_auditor")

    @api.model_create_multi
    def create(self, vals_list):
        # The last door before a signature: whoever gets here signs in their own name.
        check_in_person(self.env)
        if any(vals.get("user_id") != self.env.uid for vals in vals_list):
            raise AccessError(self.env._("A decision is made in one's own name only."))
        for vals in vals_list:
            vals.update(
                moment=datetime.now(timezone.utc).isoformat(timespec="microseconds"),
                address=request.httprequest.remote_addr if request else False,
                identity=self.env["bank.payment.batch"]._identity_confirmed_by(),
            )
        decisions = super().create(vals_list)
        for decision in decisions:
            try:
                signature = keyring.sign(decision._signed_content(), PURPOSE)
            except keyring.KeyringError as error:
                raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
            # Past `write`, which lets nobody change a decision: it is just being made.
            models.Model.write(decision, {"signature": signature})
        return decisions

    def _signature_holds(self):
        """Whether this row is the decision that Odoo recorded, unchanged.

        :raises UserError: the key that signed it is not configured here
        """
        self.ensure_one()
        # sudo: the signature is for auditors to see; everybody may know whether it holds.
        decision = self.sudo()
        try:
            return keyring.verify(decision._signed_content(), decision.signature, PURPOSE)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error

    def _signed_content(self):
        return seal.canonical(self._signed_values()).encode()

    def _signed_values(self):
        """What the signature covers: plain values."""
        return {
            "id": self.id,
            "batch": self.batch_id.id,
            "reference": self.batch_id.reference,
            "user": self.user_id.id,
            "decision": self.decision,
            "reason": self.reason or None,
            "seal": self.seal,
            "moment": self.moment,
            "address": self.address or None,
            "identity": self.identity or None,
            "on_behalf_of": self.on_behalf_of_id.id or None,
            "superuser": self.superuser,
            "requirement": self.requirement or None,
            "counts_for": self.counts_for or None,
        }
