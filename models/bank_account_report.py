from decimal import Decimal

from odoo import api, fields, models

from ..formats.identity import Extent


class BankAccountReport(models.Model):
    """What one document told of one account: a statement, an intraday report or an advice.

    Kept for every report, also for one that told nothing new or moved nothing: whether the
    statements of an account join is judged by these. It also says how far a long one is booked.
    """

    _name = "bank.account.report"
    _description = "Bank Account Report"
    _inherit = ["bank.engine.mixin"]
    _order = "date desc, id desc"

    name = fields.Char(readonly=True, help="How the bank names the report.")
    message_id = fields.Many2one(
        "bank.message", string="Bank document", required=True, readonly=True, index=True,
        ondelete="cascade",
    )
    position = fields.Integer(readonly=True, help="Its place in the document, from 1.")
    journal_id = fields.Many2one(
        "account.journal", string="Bank account", required=True, readonly=True, index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="journal_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="journal_id.bank_currency_id")
    kind = fields.Char(string="Format", readonly=True)
    final = fields.Boolean(
        string="End of day", readonly=True, help="An end-of-day statement, proven by balances."
    )
    number = fields.Integer(
        string="Number at the bank", readonly=True, aggregator=None,
        help="The bank's running number of the statement.",
    )
    copy_duplicate = fields.Char(
        string="Copy or duplicate", readonly=True,
        help="COPY, DUPL or CODU, where the bank says that it told this before.",
    )
    date = fields.Date(readonly=True, help="The day of the closing balance.")
    has_balances = fields.Boolean(readonly=True)
    opening = fields.Monetary(string="Opening balance", readonly=True, aggregator=None)
    closing = fields.Monetary(string="Closing balance", readonly=True, aggregator=None)
    booked_count = fields.Integer(string="Bookings", readonly=True)
    booked_sum = fields.Monetary(string="Sum of bookings", readonly=True)
    new_count = fields.Integer(string="New bookings", readonly=True)
    known_count = fields.Integer(
        string="Known bookings", readonly=True, help="Bookings that an earlier statement told."
    )
    done_count = fields.Integer(
        string="Entries taken in", readonly=True,
        help="How many of its entries are taken in. After a crash it goes on from here.",
    )
    done = fields.Boolean(string="Taken in", readonly=True)
    told_sum = fields.Monetary(
        readonly=True, help="Sum of the bookings that an earlier statement told already."
    )
    first_line_id = fields.Many2one(
        "account.bank.statement.line", readonly=True, index="btree_not_null", ondelete="set null"
    )
    statement_id = fields.Many2one(
        "account.bank.statement", readonly=True, index="btree_not_null", ondelete="set null"
    )
    # Entry's place → the booking it speaks of, found by a reference or balance before the first
    # slice was booked.
    reserved = fields.Json(readonly=True, prefetch=False)
    trouble = fields.Char(
        compute="_compute_trouble", help="Why this statement does not join the one before."
    )

    _message_position_uniq = models.UniqueIndex(
        "(message_id, position)", "This report is taken in already."
    )
    _chain_idx = models.Index("(journal_id, date) WHERE final AND done")

    @api.depends("kind", "number", "name", "date")
    def _compute_display_name(self):
        for report in self:
            report.display_name = " ".join(
                str(part) for part in (report.kind, report.name or report.number, report.date)
                if part
            )

    @api.depends("journal_id", "opening", "closing", "number", "date", "done")
    @api.depends_context("lang")
    def _compute_trouble(self):
        self.trouble = False
        of_report = {}
        for journal in self.filtered("final").journal_id:
            for gap in journal._bank_continuity_gaps():
                of_report.setdefault(gap["report_id"], gap["sentence"])
        for report in self:
            report.trouble = of_report.get(report.id, False)

    def _money(self, amount):
        """An amount of this report's currency as the decimal number that it stands for."""
        places = self.currency_id.decimal_places
        return Decimal(f"{amount:.{places}f}")

    def _extent(self):
        """The part of the account that it covers, for :mod:`formats.identity`."""
        self.ensure_one()
        balances = self.has_balances
        return Extent(
            id=self.id, kind=".".join((self.kind or "").split(".")[:2]), final=self.final,
            number=self.number or None,
            opening=self._money(self.opening) if balances else None,
            closing=self._money(self.closing) if balances else None,
            last=self.date or None,
        )

    def action_view_lines(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_statement_line"
        )
        return action | {"domain": [("bank_report_id", "=", self.id)]}


class BankMessage(models.Model):
    _inherit = "bank.message"

    report_ids = fields.One2many(
        "bank.account.report", "message_id", string="Account reports", readonly=True
    )
    entry_count = fields.Integer(
        string="Entries", readonly=True, help="How many entries its account reports have."
    )
    entries_done = fields.Integer(
        string="Entries taken in", readonly=True,
        help="How far a long document is taken in. After a crash it goes on from here.",
    )
