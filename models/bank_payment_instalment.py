from odoo import api, fields, models


class BankPaymentInstalment(models.Model):
    """One open instalment of a bill, and the payment that pays it.

    While ``live``, no other payment can take the same instalment: the database itself refuses a
    second live row. It is released when the bank's answer allows it, never before.
    """

    _name = "bank.payment.instalment"
    _description = "Instalment paid through the bank"
    _order = "payment_id, id"
    _check_company_auto = True

    payment_id = fields.Many2one(
        "account.payment", required=True, ondelete="cascade", index=True, check_company=True
    )
    move_line_id = fields.Many2one(
        "account.move.line", string="Instalment", required=True, ondelete="restrict", index=True,
        check_company=True,
    )
    move_id = fields.Many2one(related="move_line_id.move_id", store=True, index=True, string="Bill")
    company_id = fields.Many2one(related="payment_id.company_id", store=True)
    currency_id = fields.Many2one(related="payment_id.currency_id", store=True)
    amount = fields.Monetary(
        required=True, help="What is paid of the instalment; negative for a netted credit note."
    )
    discount = fields.Monetary(help="Early-payment discount taken on top of the amount.")
    live = fields.Boolean(default=True, readonly=True)

    _one_live_payment = models.UniqueIndex(
        "(move_line_id) WHERE live", "This instalment is already on its way to the bank."
    )

    @api.depends("move_id.name", "amount")
    def _compute_display_name(self):
        for instalment in self:
            instalment.display_name = self.env._(
                "%(bill)s: %(amount)s",
                bill=instalment.move_id.name,
                amount=instalment.currency_id.format(instalment.amount),
            )

    def _release(self):
        """Let the instalments be paid again."""
        self.filtered("live").write({"live": False})
