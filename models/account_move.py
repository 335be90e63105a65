from odoo import api, fields, models
from odoo.exceptions import UserError

from .engine import ENGINE


class AccountMove(models.Model):
    _inherit = "account.move"

    bank_instalment_ids = fields.One2many(
        "bank.payment.instalment",
        "move_id",
        string="Instalments at the bank",
        readonly=True,
        copy=False,
    )
    bank_payment_id = fields.Many2one(
        "account.payment",
        string="Last bank payment",
        compute="_compute_bank_payment",
        store=True,
        copy=False,
    )
    bank_status = fields.Selection(
        string="Bank status", related="bank_payment_id.bank_status", store=True
    )
    bank_status_text = fields.Char(string="At the bank", related="bank_payment_id.bank_status_text")
    # Computed as superuser: buyers open bills too, and know nothing of instalments.
    bank_may_send = fields.Boolean(compute="_compute_bank_may_send", compute_sudo=True)
    bank_on_way = fields.Boolean(compute="_compute_bank_may_send", compute_sudo=True)

    @api.depends("bank_instalment_ids.live")
    def _compute_bank_payment(self):
        for move in self:
            instalments = move.bank_instalment_ids
            # The one on its way first, else the latest that ended.
            chosen = instalments.filtered("live") or instalments
            move.bank_payment_id = chosen.sorted("id")[-1:].payment_id

    @api.depends(
        "state", "payment_state", "move_type", "amount_residual", "bank_instalment_ids.live"
    )
    def _compute_bank_may_send(self):
        for move in self:
            open_items = move.line_ids.filtered(
                lambda item: (
                    item.account_type in ("liability_payable", "asset_receivable")
                    and not item.reconciled
                )
            )
            held = move.bank_instalment_ids.filtered("live").move_line_id
            payable = (
                move.state == "posted"
                and move.move_type in ("in_invoice", "in_receipt", "out_refund")
                and move.payment_state in ("not_paid", "partial")
            )
            move.bank_may_send = payable and bool(open_items - held)
            # Nothing is left to pay by any other route either.
            move.bank_on_way = payable and bool(open_items) and not open_items - held

    def action_send_to_bank(self):
        """Open the wizard for the open instalments of these bills."""
        return self.env["bank.send.wizard"]._open_for(self)

    def _get_invoice_in_payment_state(self):
        # Community calls a bill paid once its payment is posted. One that goes through the bank
        # is in payment until the bank's statement books it.
        if len(self) == 1 and any(
            payment.payment_method_code == "bank_connect"
            and payment.state in ("in_process", "paid")
            for payment in self.matched_payment_ids
        ):
            return "in_payment"
        return super()._get_invoice_in_payment_state()

    def button_draft(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            # sudo: only asks whether a payment is on its way, to refuse in time.
            self.sudo().origin_payment_id._bank_check_not_live()
            self._bank_check_no_live_instalment()
        return super().button_draft()

    def button_cancel(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            self.sudo().origin_payment_id._bank_check_not_live()
            self._bank_check_no_live_instalment()
        return super().button_cancel()

    def _bank_check_no_live_instalment(self):
        live = self.sudo().bank_instalment_ids.filtered("live")
        if live and live[0].payment_id._bank_is_live():
            raise UserError(
                self.env._(
                    "%(bill)s is being paid in %(batch)s and can't be changed until the bank has "
                    "answered or the batch is withdrawn.",
                    bill=live[0].move_id.name,
                    batch=live[0].payment_id.bank_batch_id.name,
                )
            )
