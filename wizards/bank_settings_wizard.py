from odoo import api, fields, models
from odoo.exceptions import AccessError


class BankSettings(models.TransientModel):
    """A company's settings for bank payments, in the bank administrator's hands.

    Each field here stands for the company's field of the same name. Odoo's own settings page is
    for system administrators, who are not to decide how money leaves.
    """

    _name = "bank.settings"
    _description = "Bank Connect Settings"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    bank_step_up = fields.Boolean(
        string="Confirm identity to approve",
        help="Whoever approves payments confirms with password, code or passkey.",
    )
    bank_account_control = fields.Boolean(
        string="Confirm payees' bank accounts",
        help="A new or changed account is paid to after somebody else has confirmed it. For "
        "accounts that several companies share, the strictest of them decides.",
    )
    bank_answer_days = fields.Integer(
        string="Answer overdue after (business days)",
        help="A payment of which the bank has said nothing by then is a discrepancy. A bank's "
        "profile may say otherwise. 0: never.",
    )
    bank_booking_days = fields.Integer(
        string="Booking overdue after (business days)",
        help="A payment that no statement shows so long after it was due is a discrepancy. A "
        "bank's profile may say otherwise. 0: never.",
    )
    bank_unmatched_days = fields.Integer(
        string="Bookings accounted for within (business days)",
        help="Bookings of the bank that are not matched by then are a discrepancy. 0: never.",
    )
    bank_transit_days = fields.Integer(
        string="Other payments booked within (business days)",
        help="Payments entered in Odoo, not sent from here, that no booking has cleared by then "
        "are a discrepancy. 0: never.",
    )
    bank_verify_days = fields.Integer(
        string="Verify what was touched within (days)",
        help="What is open is verified every day however old it is. 0: everything, every day.",
    )

    bank_advice = fields.Boolean(
        string="Send remittance advice",
        help="Payees get a mail when the bank has executed a payment, unless their own page says "
        "otherwise.",
    )
    bank_advice_template_id = fields.Many2one(
        "mail.template", string="Its text", domain=[("model", "=", "account.payment")],
        help="Empty: the text that comes with Bank Connect.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    bank_match_tolerance = fields.Monetary(
        string="Tolerated difference",
        help="A booking may differ from what is open by this much and is matched all the same. "
        "Zero: to the cent.",
    )
    bank_difference_account_id = fields.Many2one(
        "account.account", string="Account for differences",
        domain="[('company_ids', 'parent_of', company_id)]",
        help="Where tolerated differences are booked. Without it none is tolerated.",
    )
    bank_charges_account_id = fields.Many2one(
        "account.account", string="Account for bank charges",
        domain="[('company_ids', 'parent_of', company_id)]",
        help="Where charges are booked that a bank took out of a payment. Without it such bookings "
        "are left to people.",
    )

    @api.model
    def _setting_names(self):
        return [
            name for name in self._fields if name.startswith("bank_")
        ]

    @api.model
    def default_get(self, names):
        values = super().default_get(names)
        company = self.env.company
        # sudo: the company's settings for bank payments are the bank administrator's.
        found = company.sudo().read(self._setting_names(), load="")[0]
        values |= {name: value for name, value in found.items() if name in names and name != "id"}
        return values

    @api.model_create_multi
    def create(self, vals_list):
        # Settings are shown and kept for the company the user works in, no other.
        return super().create([{**vals, "company_id": self.env.company.id} for vals in vals_list])

    def action_save(self):
        """Keep what was changed; who changed what is recorded."""
        self.ensure_one()
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may do this."))
        # sudo: as above; nothing but these fields is written.
        company = self.company_id.sudo()
        changed = {
            name: self[name] for name in self._setting_names() if company[name] != self[name]
        }
        if changed:
            before = {name: company[name] for name in changed}
            company.write(changed)
            self._note_change(before, changed)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _note_change(self, before, after):
        if "bank.audit.event" in self.env:
            self.env["bank.audit.event"]._record(
                "settings_changed", self.company_id, old=_plain(before), new=_plain(after)
            )


def _plain(values):
    """Records by name: the trail keeps words."""
    return {
        name: value.display_name if isinstance(value, models.BaseModel) else value
        for name, value in values.items()
    }
