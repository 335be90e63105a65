from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from . import bank_reason
from .audit_mask import masked

# What is kept of an item, and its type in the database.
COLUMNS = {
    "kind": "varchar", "cause": "varchar", "date": "date", "entry": "varchar", "label": "varchar",
    "partner_name": "varchar", "reference": "varchar", "bank_status": "varchar",
    "amount": "numeric", "company_amount": "numeric", "item_number": "int", "line_number": "int",
    "payment_number": "int", "first_date": "date", "old": "bool",
}
SLICE = 5000  # rows that one statement writes


class BankReconciliationLine(models.Model):
    """One item that bank or ledger has and the other has not: text and numbers of the day.

    What it speaks of is kept as number, without a reference that the database would follow: a
    signed statement outlives its entries.
    """

    _name = "bank.reconciliation.line"
    _description = "Item in Transit"
    _inherit = ["bank.engine.only"]
    _order = "reconciliation_id desc, kind, date, id"
    _rec_name = "entry"

    reconciliation_id = fields.Many2one(
        "bank.reconciliation", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="reconciliation_id.currency_id")
    company_currency_id = fields.Many2one(related="reconciliation_id.company_currency_id")
    kind = fields.Selection(
        [
            ("book_receipt", "Received in the ledger, not at the bank"),
            ("book_payment", "Paid in the ledger, not at the bank"),
            ("bank_receipt", "Received at the bank, not in the ledger"),
            ("bank_payment", "Paid at the bank, not in the ledger"),
        ],
        string="Group", required=True, readonly=True,
    )
    cause = fields.Selection(
        [
            ("outstanding", "Recorded, the bank has not booked it"),
            ("direct", "Entered on the bank's account without a booking of the bank"),
            ("ahead", "In the ledger before the bank's own date"),
            ("suspense", "Nobody has treated the bank's booking"),
            ("unmatched", "Put to an outstanding account, no payment matched"),
            ("late", "Entered in the ledger after this day"),
        ],
        string="Why", required=True, readonly=True,
    )
    date = fields.Date(
        required=True, readonly=True, help="The ledger's date, or the bank's of what it booked."
    )
    entry = fields.Char(string="Journal entry", readonly=True)
    label = fields.Char(readonly=True)
    partner_name = fields.Char(string="Payee or payer", readonly=True)
    reference = fields.Char(readonly=True)
    bank_status = fields.Selection(
        bank_reason.STATUS, string="Bank's status", readonly=True,
        help="What the bank had said about the payment when the figures were read.",
    )
    amount = fields.Monetary(readonly=True)
    company_amount = fields.Monetary(
        string="In company currency", readonly=True, currency_field="company_currency_id"
    )
    item_number = fields.Integer(readonly=True, aggregator=None)
    line_number = fields.Integer(readonly=True, aggregator=None)
    payment_number = fields.Integer(readonly=True, aggregator=None)
    first_date = fields.Date(
        string="Carried since", readonly=True,
        help="The first statement on which it was open. Empty: it is new on this one.",
    )
    old = fields.Boolean(string="Long outstanding", readonly=True)
    age = fields.Integer(string="Age (days)", compute="_compute_age")

    @api.depends("date", "reconciliation_id.date")
    def _compute_age(self):
        for line in self:
            line.age = (line.reconciliation_id.date - line.date).days

    @api.model
    def _take_rows(self, sheet, rows, before, old_days):
        """Replace a draft's items.

        :param rows: of :class:`.bank_reconciliation_books.Books`
        :param before: the statement before, or none
        :return: what the sheet says about them
        """
        known = self._open_on(before)
        seen = set()
        for row in rows:
            key = (row["kind"], row["item_number"], row["line_number"])
            seen.add(key)
            for name in ("entry", "label", "partner_name", "reference"):
                row[name] = masked(" ".join(row[name].split())) if row[name] else None
            row["first_date"] = known.get(key)
            row["old"] = (sheet.date - row["date"]).days > old_days
        self.env.cr.execute(
            SQL("DELETE FROM bank_reconciliation_line WHERE reconciliation_id = %s", sheet.id)
        )
        for start in range(0, len(rows), SLICE):
            self._insert(sheet, rows[start : start + SLICE])
        self.invalidate_model()
        sheet.invalidate_recordset()
        return {
            "old_count": sum(row["old"] for row in rows),
            "carried_count": sum(bool(row["first_date"]) for row in rows),
            "settled_count": len(known.keys() - seen),
        }

    def _insert(self, sheet, rows):
        """Write rows at once, past the ORM: there may be many thousand."""
        columns = SQL(", ").join(SQL.identifier(name) for name in COLUMNS)
        arrays = SQL(", ").join(
            SQL("%s::" + kind + "[]", [row[name] for row in rows])  # pylint: disable=sql-injection
            for name, kind in COLUMNS.items()
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO bank_reconciliation_line
                          (reconciliation_id, company_id, create_uid, write_uid, create_date,
                           write_date, %(columns)s)
                   SELECT %(sheet)s, %(company)s, %(user)s, %(user)s, now() AT TIME ZONE 'UTC',
                          now() AT TIME ZONE 'UTC', item.*
                     FROM unnest(%(arrays)s) AS item""",
                columns=columns, arrays=arrays, sheet=sheet.id, company=sheet.company_id.id,
                user=self.env.uid,
            )
        )

    @api.model
    def _open_on(self, sheet):
        """What was open on a statement: what it is → the first statement on which it was."""
        if not sheet:
            return {}
        found = self.env.execute_query(
            SQL(
                "SELECT kind, item_number, line_number, COALESCE(first_date, %s) "
                "FROM bank_reconciliation_line WHERE reconciliation_id = %s",
                sheet.date, sheet.id,
            )
        )
        return {(kind, item, line): first for kind, item, line, first in found}

    def action_open_source(self):
        """The booking of the bank, or the journal entry, that this tells of."""
        self.ensure_one()
        self.check_access("read")
        # The user's own rights decide whether it is shown.
        item = self.env["account.move.line"].browse(self.item_number).exists()
        if not item:
            raise UserError(self.env._("It was removed meanwhile."))
        payment = self.env["account.payment"].browse(self.payment_number).exists()
        booking = self.env["account.bank.statement.line"].browse(self.line_number).exists()
        action = (booking or payment or item.move_id).get_formview_action()
        if booking:
            form = self.env.ref("account_bank_connect.view_statement_line_form")
            action["views"] = [(form.id, "form")]
        return action

    # -- kept -------------------------------------------------------------------------------------

    def _engine_sentence(self):
        return self.env._("These items are read from the books, not written.")
