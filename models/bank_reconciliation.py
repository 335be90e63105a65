from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .audit_mask import SEES_ACCOUNTS
from .engine import ENGINE

PREPARERS = "account_bank_connect.group_preparer,account.group_account_user"
REVIEWERS = "account_bank_connect.group_approver,account_bank_connect.group_admin"
# What the chatter and the tasks keep in the same row.
CHATTER = {"activity_ids", "message_follower_ids", "message_ids"}


class BankReconciliation(models.Model):
    """The bank reconciliation statement of one account and day (银行存款余额调节表).

    From the bank's balance on one side and the ledger's on the other, over what only one of them
    has, to one adjusted balance. What is left is shown as unexplained, and never made to fit.
    The figures are read by ``bank_reconciliation_books.py``; signing is in
    ``bank_reconciliation_sign.py``.
    """

    _name = "bank.reconciliation"
    _description = "Bank Reconciliation Statement"
    _inherit = ["bank.engine.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "date desc, journal_id, version desc, id desc"
    _mail_post_access = "read"

    name = fields.Char(compute="_compute_name", store=True)
    journal_id = fields.Many2one(
        "account.journal", string="Bank account", required=True, readonly=True, index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    company_currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    foreign = fields.Boolean(
        readonly=True, help="The account is kept in another currency than the company's books."
    )
    date = fields.Date(string="As of", required=True, readonly=True)
    version = fields.Integer(required=True, readonly=True, default=1, aggregator=None)
    # draft ─► prepared ─► reviewed        each of the last three ─► superseded,
    #             └──────► returned        when a newer version is prepared
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("prepared", "Prepared"),
            ("reviewed", "Reviewed"),
            ("returned", "Sent back"),
            ("superseded", "Superseded"),
        ],
        required=True, readonly=True, default="draft", index=True, tracking=True,
    )
    replaces_id = fields.Many2one("bank.reconciliation", string="New version of", readonly=True)
    previous_id = fields.Many2one(
        "bank.reconciliation", string="Statement before", readonly=True,
        help="The last signed statement of the account before this day: what was open there and "
        "still is, is carried over.",
    )
    # Names as they were: a signed statement outlives them.
    journal_name = fields.Char(readonly=True)
    company_name = fields.Char(readonly=True)
    account_number = fields.Char(readonly=True, groups=SEES_ACCOUNTS)
    account_masked = fields.Char(string="Number of the account", readonly=True)
    ledger_account = fields.Char(string="Account in the ledger", readonly=True)
    taken_on = fields.Datetime(string="Figures of", readonly=True)
    old_after = fields.Integer(
        string="Old after (days)", readonly=True, aggregator=None,
        help="Items older than this are marked.",
    )

    # -- the bank's side
    bank_known = fields.Boolean(readonly=True)
    statement_id = fields.Many2one("account.bank.statement", readonly=True, ondelete="set null")
    statement_name = fields.Char(string="Bank's last statement", readonly=True)
    statement_date = fields.Date(string="Statement of", readonly=True)
    coverage = fields.Selection(
        [
            ("day", "A statement of the bank ends on this day"),
            ("later", "The bank's next statement confirms the balance"),
            ("open", "No statement of the bank covers this day yet"),
            ("none", "The bank has sent no statement of this account"),
        ],
        string="Bank's confirmation", readonly=True,
    )
    statement_balance = fields.Monetary(
        string="Bank's closing balance", readonly=True, aggregator=None
    )
    since_count = fields.Integer(string="Bookings since", readonly=True, aggregator=None)
    since_amount = fields.Monetary(
        string="Booked by the bank since", readonly=True, aggregator=None
    )
    bank_balance = fields.Monetary(string="Bank balance", readonly=True, aggregator=None)
    book_receipt_total = fields.Monetary(
        string="Receipts not yet at the bank", readonly=True, aggregator=None
    )
    book_payment_total = fields.Monetary(
        string="Payments not yet at the bank", readonly=True, aggregator=None
    )
    bank_adjusted = fields.Monetary(
        string="Adjusted bank balance", readonly=True, aggregator=None
    )

    # -- the ledger's side
    account_balance = fields.Monetary(
        string="Balance of the ledger's bank account", readonly=True, aggregator=None
    )
    outstanding_balance = fields.Monetary(
        string="Recorded, on outstanding accounts", readonly=True, aggregator=None
    )
    suspense_balance = fields.Monetary(
        string="Booked by the bank and not treated", readonly=True, aggregator=None
    )
    ledger_balance = fields.Monetary(
        string="Ledger balance", readonly=True, aggregator=None,
        help="The balance of the bank's account in the ledger, with receipts and payments that "
        "are recorded but not booked by the bank, without bookings of the bank that nobody has "
        "treated.",
    )
    bank_receipt_total = fields.Monetary(
        string="Receipts not yet in the ledger", readonly=True, aggregator=None
    )
    bank_payment_total = fields.Monetary(
        string="Payments not yet in the ledger", readonly=True, aggregator=None
    )
    ledger_adjusted = fields.Monetary(
        string="Adjusted ledger balance", readonly=True, aggregator=None
    )
    book_receipt_count = fields.Integer(readonly=True, aggregator=None)
    book_payment_count = fields.Integer(readonly=True, aggregator=None)
    bank_receipt_count = fields.Integer(readonly=True, aggregator=None)
    bank_payment_count = fields.Integer(readonly=True, aggregator=None)

    # -- what remains
    difference = fields.Monetary(
        string="Unexplained difference", readonly=True, aggregator=None,
        help="Adjusted bank balance less adjusted ledger balance.",
    )
    clues = fields.Json(readonly=True, help="Facts about where a difference comes from.")
    old_count = fields.Integer(string="Long outstanding", readonly=True, aggregator=None)
    carried_count = fields.Integer(string="Carried over", readonly=True, aggregator=None)
    settled_count = fields.Integer(
        string="Settled since the statement before", readonly=True, aggregator=None
    )

    # -- both currencies
    ledger_balance_company = fields.Monetary(
        string="Ledger balance, as booked", readonly=True, aggregator=None,
        currency_field="company_currency_id",
    )
    ledger_adjusted_company = fields.Monetary(
        string="Adjusted, as booked", readonly=True, aggregator=None,
        currency_field="company_currency_id",
    )
    ledger_adjusted_rate = fields.Monetary(
        string="Adjusted, at the rate of the day", readonly=True, aggregator=None,
        currency_field="company_currency_id",
    )
    exchange_difference = fields.Monetary(
        string="Exchange difference not yet booked", readonly=True, aggregator=None,
        currency_field="company_currency_id",
    )

    line_ids = fields.One2many("bank.reconciliation.line", "reconciliation_id", readonly=True)
    book_receipt_ids = fields.One2many(
        "bank.reconciliation.line", "reconciliation_id", readonly=True,
        domain=[("kind", "=", "book_receipt")],
    )
    book_payment_ids = fields.One2many(
        "bank.reconciliation.line", "reconciliation_id", readonly=True,
        domain=[("kind", "=", "book_payment")],
    )
    bank_receipt_ids = fields.One2many(
        "bank.reconciliation.line", "reconciliation_id", readonly=True,
        domain=[("kind", "=", "bank_receipt")],
    )
    bank_payment_ids = fields.One2many(
        "bank.reconciliation.line", "reconciliation_id", readonly=True,
        domain=[("kind", "=", "bank_payment")],
    )

    _version_uniq = models.UniqueIndex(
        "(journal_id, date, version)", "There is a statement of this account and day already."
    )
    _draft_uniq = models.UniqueIndex(
        "(journal_id, date) WHERE state = 'draft'",
        "There is a draft of this account and day already.",
    )

    @api.depends("journal_id", "date", "version")
    def _compute_name(self):
        for sheet in self:
            version = f" v{sheet.version}" if sheet.version > 1 else ""
            sheet.name = f"{sheet.journal_id.code} {sheet.date}{version}"

    # -- making one -------------------------------------------------------------------------------

    @api.model
    def _open(self, journal, day):
        """The statement of an account and day: the one there is, or a new draft.

        :raises AccessError: the user may not prepare statements
        """
        self._check_preparer()
        journal.check_access("read")
        if journal.type != "bank":
            raise UserError(self.env._("Choose the journal of a bank account."))
        if journal.company_id not in self.env.companies:
            raise AccessError(self.env._("This is another company's bank account."))
        if day > fields.Date.context_today(self):
            raise UserError(self.env._("This day is not over."))
        found = self.search([("journal_id", "=", journal.id), ("date", "=", day)], limit=1)
        return found or self._make(journal, day)

    @api.model
    def _make(self, journal, day, replaces=None):
        """Make a draft.

        :param replaces: the statement that it is to be a new version of
        """
        # sudo: statements are made here only, from what is in the books.
        sheet = self.sudo()._engine().create(
            {
                "journal_id": journal.id,
                "company_id": journal.company_id.id,
                "currency_id": journal._bank_currency().id,
                "company_currency_id": journal.company_id.currency_id.id,
                "foreign": journal._bank_currency() != journal.company_id.currency_id,
                "date": day,
                "version": replaces.version + 1 if replaces else 1,
                "replaces_id": replaces.id if replaces else False,
            }
        )
        sheet._take(self.env["bank.reconciliation.books"]._read(journal, day))
        return sheet.with_env(self.env)

    def _take(self, books):
        """Keep what the books say, in a draft."""
        self.ensure_one()
        sheet = self.sudo()._engine()  # sudo: as in `_make`
        company = sheet.company_id
        # An account's code is another one in each company.
        journal = sheet.with_company(company).journal_id
        account, ledger_account = journal.bank_account_id, journal.default_account_id
        before = sheet._statement_before()
        counts = self.env["bank.reconciliation.line"]._take_rows(
            sheet, books.rows, before, company.bank_reconciliation_old_days
        )
        sheet.write(
            {
                **books.values,
                **counts,
                "clues": books.clues,
                "previous_id": before.id,
                "journal_name": journal.name,
                "company_name": company.name,
                "account_number": account.acc_number or False,
                "account_masked": account._bank_masked_name().rsplit(", ", 1)[-1]
                if account else False,
                # Odoo's name of an account has its code for some readers only.
                "ledger_account": " ".join(
                    filter(None, (ledger_account.code, ledger_account.name))
                ),
                "old_after": company.bank_reconciliation_old_days,
                "taken_on": fields.Datetime.now(),
            }
        )

    def _statement_before(self):
        """The last signed statement of the account before this day."""
        return self.search(
            [
                ("journal_id", "=", self.journal_id.id),
                ("date", "<", self.date),
                ("state", "in", ("prepared", "reviewed")),
            ],
            limit=1,
        )

    def action_refresh(self):
        """Read the books again."""
        self._check_preparer()
        for sheet in self._locked("draft"):
            sheet._take(self.env["bank.reconciliation.books"]._read(sheet.journal_id, sheet.date))

    def action_discard(self):
        """Remove a draft: nobody signed it."""
        self._check_preparer()
        # sudo: drafts are the preparers' to remove, and by this button alone.
        self._locked("draft").sudo()._engine().unlink()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_reconciliation"
        )

    def action_new_version(self):
        """A new draft for the same account and day; this one stays as it was signed."""
        self.ensure_one()
        self._check_preparer()
        self.check_access("read")
        domain = [("journal_id", "=", self.journal_id.id), ("date", "=", self.date)]
        newest = self.search(domain, order="version desc", limit=1)
        if newest.state != "draft":
            newest = self._make(self.journal_id, self.date, replaces=newest)
        return newest._shown()

    def _shown(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    # -- who may ----------------------------------------------------------------------------------

    @api.model
    def _check_preparer(self):
        """:raises AccessError: the user may not prepare; nobody does who audits"""
        user = self.env.user
        if user._is_superuser() or not user.has_groups(PREPARERS) or user.has_group(
            "account_bank_connect.group_auditor"
        ):
            raise AccessError(
                self.env._("Only an accountant may prepare a bank reconciliation statement.")
            )

    def _locked(self, *states):
        """These statements, held for this transaction, if they are in one of the states.

        :raises UserError: one is not
        """
        self.check_access("read")
        # sudo: nobody has the right to write these; the row is held all the same.
        self.sudo().lock_for_update()
        self.invalidate_recordset(["state"])
        if any(sheet.state not in states for sheet in self):
            raise UserError(
                self.env._("Somebody was faster: the statement is in another state now.")
            )
        return self

    @api.model
    def _engine(self):
        """The right to write statements, which no remote call can carry."""
        return self.with_context(bank_engine=ENGINE)

    @api.model_create_multi
    def create(self, vals_list):
        self._check_engine()
        return super().create(vals_list)

    def write(self, vals):
        if not set(vals) <= CHATTER:
            self._check_engine()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts(self):
        self._check_engine()
        if any(sheet.state != "draft" for sheet in self):
            raise UserError(self.env._("A signed statement is kept."))

    def _check_engine(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(
                self.env._("A bank reconciliation statement is read from the books, not written.")
            )
