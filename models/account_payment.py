from odoo import api, fields, models
from odoo.exceptions import UserError

from . import bank_reason
from .bank_payment_batch import LIVE_STATES
from .engine import ENGINE

# What the seal covers, and what would pull the payment from under a message on its way.
FROZEN = {
    "amount",
    "currency_id",
    "date",
    "partner_id",
    "partner_bank_id",
    "journal_id",
    "payment_type",
    "payment_method_line_id",
    "state",
    "move_id",
    "bank_batch_id",
    "end_to_end_id",
    "uetr",
    "bank_remittance",
    "bank_creditor_reference",
    "bank_creditor_reference_issuer",
    "bank_creditor_reference_type",
    "destination_account_id",
    "outstanding_account_id",
}
# What only the bank's answers may say.
BANK_WORD = {
    "bank_status",
    "bank_reason",
    "bank_reason_text",
    "bank_returned",
    "bank_return_line_id",
    "bank_booked",
    "bank_reference",
    "bank_status_before",
    "bank_status_date",
    "bank_batch_id",
    "end_to_end_id",
    "uetr",
    "bank_instalment_ids",
    "bank_flag_ids",
    "bank_rejected_from_id",
    "bank_rejected_by_id",
    "bank_rejected_reason",
    "bank_rejected_first",
}


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_batch_id = fields.Many2one(
        "bank.payment.batch",
        string="Bank batch",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    bank_instalment_ids = fields.One2many(
        "bank.payment.instalment", "payment_id", string="Instalments", readonly=True, copy=False
    )
    end_to_end_id = fields.Char(
        string="End-to-end number",
        readonly=True,
        copy=False,
        help="Travels with the payment to the payee and comes back on the statement.",
    )
    uetr = fields.Char(
        string="UETR",
        readonly=True,
        copy=False,
        help="Unique end-to-end transaction reference, by which banks trace a payment.",
    )
    bank_remittance = fields.Char(string="Text for the payee", copy=False, readonly=True)
    bank_creditor_reference = fields.Char(string="Creditor reference", copy=False, readonly=True)
    bank_creditor_reference_issuer = fields.Char(copy=False, readonly=True)
    bank_creditor_reference_type = fields.Char(copy=False, readonly=True)
    bank_status = fields.Selection(
        bank_reason.STATUS,
        string="Bank status",
        readonly=True,
        copy=False,
        tracking=True,
        index="btree_not_null",
    )
    bank_status_date = fields.Datetime(readonly=True, copy=False)
    # The status before the bank's booking, for the case that the match is undone.
    bank_status_before = fields.Char(readonly=True, copy=False)
    bank_reason = fields.Char(string="Bank's reason code", readonly=True, copy=False)
    bank_reason_text = fields.Char(string="Bank's own words", readonly=True, copy=False)
    bank_reference = fields.Char(
        string="Bank's reference", readonly=True, copy=False, index="btree_not_null"
    )
    bank_booked = fields.Boolean(string="On the statement", readonly=True, copy=False)
    bank_returned = fields.Boolean(string="Came back", readonly=True, copy=False)
    bank_return_line_id = fields.Many2one(
        "account.bank.statement.line", string="Brought back by", readonly=True, copy=False,
        index="btree_not_null",
    )
    bank_status_text = fields.Char(string="At the bank", compute="_compute_bank_status_text")

    _end_to_end_uniq = models.UniqueIndex(
        "(end_to_end_id) WHERE end_to_end_id IS NOT NULL",
        "Two payments can't have the same end-to-end number.",
    )

    @api.depends(
        "bank_batch_id.state",
        "bank_rejected_reason",
        "bank_status",
        "bank_reason",
        "bank_reason_text",
        "bank_returned",
        "bank_booked",
    )
    @api.depends_context("lang")
    def _compute_bank_status_text(self):
        statuses = dict(self._fields["bank_status"]._description_selection(self.env))
        batch_states = dict(
            self.env["bank.payment.batch"]._fields["state"]._description_selection(self.env)
        )
        # A payment is not “rejected” because its batch was: say by whom.
        batch_states |= {
            "rejected": self.env._("Rejected by the approver"),
            "cancelled": self.env._("Withdrawn before it was sent"),
            "uncertain": self.env._("Uncertain: the bank is being asked"),
        }
        for payment in self:
            if payment.bank_returned:
                text = self.env._("Came back from the payee's bank")
            elif payment.bank_status == "RJCT" or not payment.bank_booked:
                text = statuses.get(payment.bank_status)
            else:
                text = self.env._("On the bank's statement")
            text = text or batch_states.get(payment.bank_batch_id.state) or False
            if payment.bank_rejected_from_id and not payment.bank_batch_id:
                text = self.env._("Rejected by the approver: %s", payment.bank_rejected_reason)
            if (text and payment.bank_status in ("RJCT", "CANC")) or payment.bank_returned:
                reason = payment._bank_explanation()
                text = f"{text}: {reason}" if reason else text
            payment.bank_status_text = text

    def _bank_explanation(self):
        self.ensure_one()
        return bank_reason.explain(self.env, self.bank_reason, self.bank_reason_text)

    # -- method -----------------------------------------------------------------------------

    @api.model
    def _get_method_codes_using_bank_account(self):
        return [*super()._get_method_codes_using_bank_account(), "bank_connect"]

    @api.model
    def _get_method_codes_needing_bank_account(self):
        return [*super()._get_method_codes_needing_bank_account(), "bank_connect"]

    @api.model
    def default_get(self, fields):
        # Neither the caller's context nor anybody's own defaults speak for the bank.
        return super().default_get([name for name in fields if name not in BANK_WORD])

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("bank_engine") is not ENGINE:
            for vals in vals_list:
                for name in BANK_WORD & set(vals):
                    del vals[name]
        payments = super().create(vals_list)
        # Community gives every payment an outstanding account, because it knows no bank
        # statement that could clear the bill. Here there is one: a method line without an
        # account books nothing until the statement does.
        unbooked = payments.filtered(
            lambda pay: (
                pay.payment_method_code == "bank_connect"
                and not pay.payment_method_line_id.payment_account_id
                and not pay.move_id
                and pay.outstanding_account_id
            )
        )
        if unbooked:
            unbooked.outstanding_account_id = False
        return payments

    # -- guard ------------------------------------------------------------------------------

    def write(self, vals):
        if self.env.context.get("bank_engine") is not ENGINE:
            if set(vals) & BANK_WORD:
                raise UserError(self.env._("What the bank says is not changed by hand."))
            if set(vals) & FROZEN:
                self._bank_check_not_live()
            if vals.get("state") in ("in_process", "paid"):
                self._bank_check_not_second()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _bank_unlink_only_free(self):
        self._bank_check_not_live()

    def action_draft(self):
        self._bank_check_not_live()
        return super().action_draft()

    def action_cancel(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            self._bank_check_not_live()
        return super().action_cancel()

    def _bank_is_live(self):
        """Whether the payment is on its way, or may be."""
        self.ensure_one()
        return (
            self.bank_batch_id.state in LIVE_STATES
            and self.bank_status not in ("RJCT", "CANC")
            and not self.bank_returned
            and not self.bank_booked
        )

    def _bank_check_not_live(self):
        live = self.filtered(lambda pay: pay.bank_batch_id and pay._bank_is_live())
        if live:
            raise UserError(
                self.env._(
                    "The payment to %(payee)s is on its way to the bank in %(batch)s and can't be "
                    "changed. It is free again when the batch is withdrawn, or when the bank "
                    "rejects it.",
                    payee=live[0].partner_id.display_name,
                    batch=live[0].bank_batch_id.name,
                )
            )

    def _bank_check_not_second(self):
        """Refuse a payment without an entry for a bill that is on its way in another one.

        Payments with an entry are refused when they are reconciled with the bill; these never
        are, until the statement comes.
        """
        for payment in self.filtered(
            lambda pay: pay.invoice_ids and not pay.outstanding_account_id
        ):
            items = payment.invoice_ids.line_ids.filtered(
                lambda item, payment=payment: item.account_id == payment.destination_account_id
            )
            items._bank_touch()
            holders = items._bank_holders()
            held = sum(
                instalment.amount + instalment.discount
                for holder in set(holders.values()) - {payment}
                for instalment in holder.sudo().bank_instalment_ids
                if instalment.move_line_id in items and not holder.outstanding_account_id
            )
            left = -sum(items.mapped("amount_residual_currency")) - held
            if held and payment.currency_id.compare_amounts(payment.amount, left) > 0:
                items._bank_check_free(payment)

    # -- giving up --------------------------------------------------------------------------

    def _bank_give_up(self):
        """Nothing left for the bank: cancel what was prepared, and free the bills."""
        payments = self.with_context(bank_engine=ENGINE)
        payments.bank_instalment_ids._release()
        drafts = payments.filtered(lambda pay: pay.state == "draft")
        # A payment that was posted before it was sent to the bank stays what it was.
        (payments - drafts).write({"bank_batch_id": False, "end_to_end_id": False, "uetr": False})
        drafts.action_cancel()

    def action_send_to_bank(self):
        """Open the wizard for these payments."""
        return self.env["bank.send.wizard"]._open_for(self)
