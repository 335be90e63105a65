from odoo import api, fields, models
from odoo.exceptions import ValidationError


class AccountJournal(models.Model):
    _inherit = "account.journal"

    bank_connection_id = fields.Many2one(
        "bank.connection",
        string="Bank connection",
        check_company=True,
        copy=False,
        index="btree_not_null",
        help="Payments of this bank account are sent, and its statements fetched, over it.",
    )
    bank_book_from = fields.Selection(
        [
            ("statement", "End-of-day statements only"),
            ("advice", "Also intraday reports and advices"),
        ],
        string="Book from",
        default="statement",
        required=True,
        help="Advices and intraday reports tell bookings earlier. Where they are booked, the "
        "statement takes the bookings over later; where not, they only say what became of a "
        "payment. Choose them for a bank that gives no end-of-day statement.",
    )
    bank_currency_id = fields.Many2one("res.currency", compute="_compute_bank_currency_id")

    @api.depends("currency_id", "company_id.currency_id")
    def _compute_bank_currency_id(self):
        for journal in self:
            journal.bank_currency_id = journal._bank_currency()

    @api.constrains("bank_connection_id", "type")
    def _check_bank_connection(self):
        for journal in self:
            if journal.bank_connection_id and journal.type != "bank":
                raise ValidationError(self.env._("Only a bank journal can use a bank connection."))

    @api.model_create_multi
    def create(self, vals_list):
        journals = super().create(vals_list)
        journals.filtered("bank_connection_id")._bank_ensure_method_line()
        return journals

    def write(self, vals):
        result = super().write(vals)
        if vals.get("bank_connection_id"):
            self._bank_ensure_method_line()
        return result

    def _bank_ensure_method_line(self):
        """Give each journal the payment method “Bank Connect”, booked at once by default.

        Clear its outstanding account to book nothing before the bank's statement.
        """
        method = self.env.ref("account_bank_connect.payment_method")
        for journal in self:
            if journal._bank_method_line():
                continue
            outstanding = (
                self.env["account.payment"]
                .new({"company_id": journal.company_id.id})
                ._get_outstanding_account("outbound")
            )
            self.env["account.payment.method.line"].create(
                {
                    "name": method.name,
                    "payment_method_id": method.id,
                    "journal_id": journal.id,
                    "payment_account_id": outstanding.id,
                }
            )

    def _bank_method_line(self):
        """The journal's payment method line of this module, or none."""
        return self.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "bank_connect"
        )[:1]

    def _get_bank_statements_available_sources(self):
        return [
            *super()._get_bank_statements_available_sources(),
            ("bank_connect", self.env._("Bank Connect")),
        ]

    def _bank_currency(self):
        return self.currency_id or self.company_id.currency_id
