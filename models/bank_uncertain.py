from odoo import api, fields, models


class BankMessage(models.Model):
    """The vault of what nobody knows the fate of: how old the doubt is, how much hangs on it."""

    _inherit = "bank.message"

    uncertain_age = fields.Char(
        string="In doubt for", compute="_compute_uncertain_age",
        help="How long nobody has known whether the bank has this message.",
    )
    batch_payment_count = fields.Integer(string="Payments", related="batch_id.payment_count")
    batch_amount = fields.Monetary(
        string="Amount", related="batch_id.amount_total", currency_field="batch_currency_id"
    )
    batch_currency_id = fields.Many2one(related="batch_id.currency_id")

    @api.depends("uncertain_since", "state")
    def _compute_uncertain_age(self):
        now = fields.Datetime.now()
        for message in self:
            if message.state != "uncertain" or not message.uncertain_since:
                message.uncertain_age = False
                continue
            minutes = int((now - message.uncertain_since).total_seconds() // 60)
            hours, days = minutes // 60, minutes // 1440
            if days:
                message.uncertain_age = self.env._(
                    "%(days)s d %(hours)s h", days=days, hours=hours % 24
                )
            elif hours:
                message.uncertain_age = self.env._(
                    "%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60
                )
            else:
                message.uncertain_age = self.env._("%s min", minutes)
