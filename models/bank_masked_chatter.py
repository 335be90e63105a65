"""What colleagues read along, and what leaves by mail, names no whole account number.

People quote accounts in reasons and notes, and so do banks. The chatter and tasks of payments are
read by more people than may see account numbers, and are mailed to followers.
"""

from markupsafe import Markup
from odoo import api, models

from .audit_mask import masked

MODULE = "account_bank_connect"
CONFIRM = "account_bank_connect.activity_confirm_account"


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [_masked_values(self.env, vals, "model", ("body", "subject")) for vals in vals_list]
        )


class MailActivity(models.Model):
    _inherit = "mail.activity"

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(
            [_masked_values(self.env, vals, "res_model", ("note", "summary")) for vals in vals_list]
        )

    def write(self, vals):
        if not vals.keys() & {"note", "summary", "feedback"}:
            return super().write(vals)
        for model, tasks in self.grouped("res_model").items():
            values = _masked_values(
                self.env, {**vals, "res_model": model}, "res_model", ("note", "summary", "feedback")
            )
            values.pop("res_model")
            super(MailActivity, tasks).write(
                {**values, **({"res_model": vals["res_model"]} if "res_model" in vals else {})}
            )
        return True

    def _compute_res_name(self):
        # Odoo names an account by its number; a task's title is mailed to whom it is given.
        result = super()._compute_res_name()
        kind = self.env.ref(CONFIRM, raise_if_not_found=False)
        for activity in self:
            if activity.activity_type_id == kind and activity.res_name:
                account = self.env["res.partner.bank"].sudo().browse(activity.res_id)
                activity.res_name = account._bank_masked_name()
        return result


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    def _bank_masked_name(self):
        """Whose account, and the ends of its number."""
        number = "".join((self.acc_number or "").split())
        ends = f"{number[:4]}…{number[-4:]}" if len(number) > 10 else "…"
        return f"{self.partner_id.display_name}, {ends}"


def _masked_values(env, vals, model_name, names):
    """``vals`` without whole IBANs, where they are about this module's business."""
    model = env.registry.get(vals.get(model_name) or "")
    ours = model is not None and (
        model._original_module == MODULE or model._name == "account.payment"
    )
    if not ours and not env.context.get("bank_engine"):
        return vals
    values = dict(vals)
    for name in names:
        text = values.get(name)
        if text:
            clean = masked(str(text))
            values[name] = Markup(clean) if isinstance(text, Markup) else clean
    return values
