from odoo import api, models


class AccountPaymentMethod(models.Model):
    _inherit = "account.payment.method"

    @api.model
    def _get_payment_method_information(self):
        information = super()._get_payment_method_information()
        information["bank_connect"] = {"mode": "multi", "type": ("bank",)}
        return information

    def _auto_link_payment_methods(self, payment_methods, methods_info):
        # Only a journal that has a connection gets this method; see account.journal.
        ours = payment_methods.filtered(lambda method: method.code == "bank_connect")
        super()._auto_link_payment_methods(payment_methods - ours, methods_info)
        return payment_methods
