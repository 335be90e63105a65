from odoo import api, fields, models
from odoo.exceptions import AccessError

# What a document said of a booking, and what was made of it. By these an alarm is raised or not.
SAID = {
    "account_number", "bank_booking_date", "bank_by_rule", "bank_entry_key", "bank_message_id",
    "bank_payment_ids", "bank_reference", "bank_report_id", "bank_told", "bank_value_date",
    "partner_name", "transaction_details", "transaction_type",
}
FACTS = SAID | {"amount", "journal_id"}


class AccountBankStatement(models.Model):
    _inherit = "account.bank.statement"

    bank_message_id = fields.Many2one(
        "bank.message", string="Bank document", readonly=True, copy=False, index="btree_not_null",
        exportable=False,  # whoever may not read documents could export nothing beside it
    )
    bank_sequence = fields.Char(
        string="Number at the bank", readonly=True, copy=False,
        help="The bank's running number of the statement.",
    )
    bank_report_id = fields.Many2one(
        "bank.account.report", string="Account report", readonly=True, copy=False,
        index="btree_not_null", ondelete="set null", exportable=False,
    )
    bank_trouble = fields.Char(string="Does not join", related="bank_report_id.trouble")


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    bank_entry_key = fields.Char(
        readonly=True, copy=False,
        help="Day, amount, and which of several: two that work at once can't book one twice.",
    )
    bank_told = fields.Json(
        readonly=True, copy=False,
        help="What each document said of this booking that tells it from others.",
    )
    bank_report_id = fields.Many2one(
        "bank.account.report", string="Account report", readonly=True, copy=False,
        index="btree_not_null", ondelete="set null", exportable=False,
        help="The statement that tells this booking; before it comes, the advice that did.",
    )
    bank_reference = fields.Char(
        string="Bank's reference", readonly=True, copy=False, index="btree_not_null"
    )
    bank_booking_date = fields.Date(
        string="Booked by the bank", readonly=True, copy=False,
        help="Odoo may move an entry out of a locked period; this date stays the bank's.",
    )
    bank_value_date = fields.Date(string="Value date", readonly=True, copy=False)
    bank_message_id = fields.Many2one(
        "bank.message", string="Bank document", readonly=True, copy=False, index="btree_not_null",
        exportable=False,  # whoever may not read documents could export nothing beside it
    )
    bank_payment_ids = fields.Many2many(
        "account.payment", "bank_statement_line_payment", "line_id", "payment_id",
        string="Bank payments", readonly=True, copy=False,
        help="The payments that this booking executed or brought back.",
    )

    _bank_entry_uniq = models.UniqueIndex(
        "(journal_id, bank_entry_key) WHERE bank_entry_key IS NOT NULL",
        "This booking is on a statement already.",
    )
    _bank_amount_idx = models.Index(
        "(journal_id, amount, COALESCE(bank_booking_date, bank_value_date)) "
        "WHERE bank_entry_key IS NOT NULL"
    )

    @api.model
    def default_get(self, fields):
        # Neither the caller's context nor anybody's own defaults speak for the bank.
        return super().default_get([name for name in fields if name not in SAID])

    def write(self, vals):
        if FACTS & set(vals):
            self._bank_check_not_told()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _bank_unlink_never_told(self):
        # Its alarm would end with it, and another entry of the same amount would fill its place.
        self._bank_check_not_told()

    def _bank_check_not_told(self):
        # sudo: only whether a document told of it is asked.
        if not self.env.su and any(self.sudo().mapped("bank_message_id")):
            raise AccessError(self.env._("What the bank says is not changed by hand."))


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.ondelete(at_uninstall=False)
    def _bank_unlink_never_told(self):
        # The database removes a booking with its entry.
        self.statement_line_id._bank_check_not_told()
