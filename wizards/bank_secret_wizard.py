from odoo import api, fields, models


class BankSecretWizard(models.TransientModel):
    """Shows a new secret once. It is never stored here, nor can it be shown again."""

    _name = "bank.secret.wizard"
    _description = "New Secret"

    secret = fields.Char(store=False, readonly=True)
    hint = fields.Char(store=False, readonly=True)

    @api.model
    def _show(self, title, secret, hint):
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_secret": secret, "default_hint": hint},
        }
