"""What a company lets matching book of itself besides bills: charges, and small differences."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    bank_match_tolerance = fields.Monetary(
        string="Tolerated difference",
        help="A booking may differ from what is open by this much and is matched all the same. "
        "Zero: to the cent.",
    )
    bank_difference_account_id = fields.Many2one(
        "account.account", string="Account for differences", check_company=True,
        help="Where tolerated differences are booked. Without it none is tolerated.",
    )
    bank_charges_account_id = fields.Many2one(
        "account.account", string="Account for bank charges", check_company=True,
        help="Where charges are booked that a bank took out of a payment. Without it such bookings "
        "are left to people.",
    )

    @api.constrains("bank_match_tolerance")
    def _check_bank_match_tolerance(self):
        if any(company.bank_match_tolerance < 0 for company in self):
            raise ValidationError(self.env._("A tolerance can't be negative."))
