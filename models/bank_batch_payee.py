from odoo import fields, models
from odoo.tools import SQL

from .audit_mask import ROLES
from .bank_payment_flag import SEVERITIES


class BankBatchPayee(models.Model):
    """What one payee gets in a batch: a view on its payments, for the approver's page."""

    _name = "bank.batch.payee"
    _description = "Payee of a batch"
    _auto = False
    _order = "amount desc, id"

    batch_id = fields.Many2one("bank.payment.batch", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Payee", readonly=True)
    payment_count = fields.Integer(string="Payments", readonly=True)
    account_count = fields.Integer(
        string="Accounts", readonly=True, help="To how many different accounts."
    )
    amount = fields.Monetary(string="Total", readonly=True)
    flag_level = fields.Selection(SEVERITIES, string="Worth a look", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT MIN(payment.id) AS id,
                   payment.bank_batch_id AS batch_id,
                   payment.company_id,
                   payment.currency_id,
                   partner.commercial_partner_id AS partner_id,
                   COUNT(*) AS payment_count,
                   COUNT(DISTINCT payment.partner_bank_id) AS account_count,
                   SUM(payment.amount) AS amount,
                   -- high, medium, note: the first of them
                   MIN(flag.severity) AS flag_level
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
         LEFT JOIN (
                       SELECT payment_id, MIN(severity) AS severity
                         FROM bank_payment_flag
                     GROUP BY payment_id
                   ) flag ON flag.payment_id = payment.id
             WHERE payment.bank_batch_id IS NOT NULL
          GROUP BY payment.bank_batch_id, payment.company_id, payment.currency_id,
                   partner.commercial_partner_id
            """
        )


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    payee_ids = fields.One2many(
        "bank.batch.payee", "batch_id", string="Payees", readonly=True, groups=ROLES
    )
