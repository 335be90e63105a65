from odoo import api, fields, models
from odoo.exceptions import AccessError


class ResCompany(models.Model):
    """Whether payees' accounts need a second person: yes, unless a bank administrator says no."""

    _inherit = "res.company"

    bank_account_control = fields.Boolean(
        string="Confirm payees' bank accounts",
        default=True,
        help="Payments reach a new or changed bank account only after somebody else has confirmed "
        "it. Changes are written down either way.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        off = companies.filtered(lambda company: not company.bank_account_control)
        if off:
            off._bank_check_account_switch()
            off._bank_record_switch(False)
        return companies

    def write(self, vals):
        if "bank_account_control" not in vals:
            return super().write(vals)
        wanted = bool(vals["bank_account_control"])
        changed = self.filtered(lambda company: company.bank_account_control != wanted)
        if changed:
            self._bank_check_account_switch()
        result = super().write(vals)
        if changed:
            changed._bank_record_switch(wanted)
        if changed and wanted:
            self._bank_distrust_unconfirmed()
        return result

    def _bank_record_switch(self, wanted):
        for company in self:
            self.env["bank.audit.event"]._record("account_control", company, on=wanted)

    def _bank_check_account_switch(self):
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(
                self.env._(
                    "Only a bank administrator may say whether payees' accounts are confirmed."
                )
            )

    def _bank_distrust_unconfirmed(self):
        """What was trusted without a confirmation while the control was off is so no longer."""
        # sudo: accounts of every company are concerned, whichever the administrator sees.
        accounts = self.env["res.partner.bank"].sudo().search([("allow_out_payment", "=", True)])
        accounts = accounts._bank_unconfirmed()._bank_payees()
        accounts._bank_put_on_hold(
            "hold", reason=self.env._("Trusted while accounts were not confirmed.")
        )
