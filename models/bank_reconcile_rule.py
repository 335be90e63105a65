"""Rules for what recurs on a bank account: fees, interest, salaries."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .audit_mask import SEES_ACCOUNTS

# How many of the latest bookings a rule is tried on before it is saved, and how many are shown.
TRIED, SHOWN = 100, 8
# What decides which bookings a rule books by itself.
CONDITIONS = {
    "active", "automatic", "company_id", "journal_ids", "direction", "text", "text_pattern",
    "account_number", "transaction_code", "amount_from", "amount_to",
}


class BankReconcileRule(models.Model):
    """Where a booking goes that nobody has to think about.

    All conditions that are set must be true of a booking. What is left open of it is then booked
    on the rule's account: at once, as statements arrive, where the rule is automatic; otherwise
    the rule is offered on the screen.
    """

    _name = "bank.reconcile.rule"
    _description = "Reconciliation Rule"
    _inherit = ["analytic.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    purpose = fields.Selection(
        [
            ("fee", "Bank fee"),
            ("interest", "Interest"),
            ("salary", "Salaries"),
            ("other", "Something else"),
        ],
        required=True,
        default="other",
    )
    automatic = fields.Boolean(
        help="Books at once, as statements arrive. Otherwise the rule is only offered to people."
    )
    # Whether debits that it books are explained by it: an approver or a bank administrator made it
    # what it is. Else who may invoice could keep an alarm from being raised.
    confirmed = fields.Boolean(readonly=True, copy=False)
    # -- which bookings ---------------------------------------------------------------------
    journal_ids = fields.Many2many(
        "account.journal",
        string="Bank accounts",
        domain="[('type', '=', 'bank')]",
        check_company=True,
        help="Empty: every bank account of the company.",
    )
    direction = fields.Selection(
        [("any", "In or out"), ("in", "Money in"), ("out", "Money out")],
        required=True,
        default="any",
    )
    text = fields.Char(
        string="Text contains",
        size=200,
        help="Looked for in the booking's text and in the name of the other side.",
    )
    text_pattern = fields.Boolean(
        string="Text is a pattern",
        help="A regular expression as PostgreSQL reads it, such as 'fee|charge' or '^INT \\d+'.",
    )
    account_number = fields.Char(
        string="Other side's account", size=64, groups=SEES_ACCOUNTS,
    )
    transaction_code = fields.Char(
        string="Bank's code begins with",
        size=64,
        help="The kind of booking as the bank codes it, such as PMNT/CCRD or PMNT/MDOP/COMT.",
    )
    amount_from = fields.Float(
        digits=(16, 2), help="Without sign, in the currency of the bank account."
    )
    amount_to = fields.Float(
        string="Amount up to",
        digits=(16, 2),
        help="Without sign, in the currency of the bank account. 0: no limit.",
    )
    # -- what is booked ---------------------------------------------------------------------
    account_id = fields.Many2one(
        "account.account", string="Book on", required=True, check_company=True,
        domain="[('account_type', 'not in', ('asset_cash', 'liability_credit_card', "
               "'off_balance'))]",
    )
    tax_ids = fields.Many2many(
        "account.tax", string="Taxes", check_company=True,
        domain="[('type_tax_use', 'in', ('purchase', 'sale'))]",
        help="Contained in the amount.",
    )
    partner_id = fields.Many2one("res.partner", check_company=True)
    label = fields.Char(help="Empty: the booking's own text.")
    # -- tried before it is saved -----------------------------------------------------------
    trial = fields.Char(string="Tried on", compute="_compute_trial")
    trial_line_ids = fields.Many2many(
        "account.bank.statement.line", string="Matching bookings", compute="_compute_trial"
    )

    # -- checks -----------------------------------------------------------------------------

    @api.constrains("text", "account_number", "transaction_code", "amount_from", "amount_to")
    def _check_conditions(self):
        for rule in self.sudo():  # sudo: the other side's account is hidden from some
            if not (rule.text or "").strip() and not rule.account_number \
                    and not rule.transaction_code:
                raise ValidationError(
                    self.env._("Say by which text, account or code of the bank the rule %s "
                      "recognises a booking.", rule.name)
                )
            if rule.amount_from < 0 or rule.amount_to < 0 or (
                rule.amount_to and rule.amount_to < rule.amount_from
            ):
                raise ValidationError(
                    self.env._("The amounts of the rule %s make no range: they have no sign, and "
                      "the second is the larger one.", rule.name)
                )

    @api.constrains("text", "text_pattern")
    def _check_pattern(self):
        for rule in self.filtered("text_pattern"):
            rule._try_pattern()

    @api.constrains("account_id", "company_id")
    def _check_account(self):
        for rule in self:
            company = rule.company_id
            suspense = self.env["account.journal"].sudo().search(
                [("company_id", "child_of", company.id), ("type", "in", ("bank", "cash"))]
            ).suspense_account_id
            if rule.account_id in suspense or rule.account_id.account_type in (
                "asset_cash", "liability_credit_card", "off_balance"
            ):
                raise ValidationError(
                    self.env._("%(account)s is no account to book bank bookings on: a bank's own "
                      "account, the one of bookings without a match, or off the balance sheet.",
                      account=rule.account_id.display_name)
                )

    # -- who made it what it is -----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        entitled = self._may_silence()
        return super().create([{**vals, "confirmed": entitled} for vals in vals_list])

    def write(self, vals):
        vals = {name: value for name, value in vals.items() if name != "confirmed"}
        if CONDITIONS & set(vals):
            vals["confirmed"] = self._may_silence()
        return super().write(vals)

    @api.model
    def _may_silence(self):
        return self.env.su or self.env["bank.debit.known"]._may_decide()

    # -- trying -----------------------------------------------------------------------------

    @api.depends(
        "company_id", "journal_ids", "direction", "text", "text_pattern", "account_number",
        "transaction_code", "amount_from", "amount_to",
    )
    def _compute_trial(self):
        for rule in self:
            rule.trial_line_ids = False
            if not rule._asks_for_something():
                rule.trial = self.env._("Nothing yet: say by what a booking is recognised.")
                continue
            latest = self.env["account.bank.statement.line"].search(
                rule._scope(), order="internal_index desc", limit=TRIED
            )
            try:
                found = rule._matching(latest)
            except UserError as error:
                rule.trial = str(error.args[0])
                continue
            rule.trial_line_ids = found.sorted("internal_index", reverse=True)[:SHOWN]
            rule.trial = self.env._(
                "Matches %(found)s of the last %(tried)s bookings.",
                found=len(found), tried=len(latest),
            )

    def _asks_for_something(self):
        # sudo: the other side's account is hidden from some.
        rule = self.sudo()
        return bool((rule.text or "").strip() or rule.account_number or rule.transaction_code)

    def _scope(self):
        """Bookings that the rule is about at all, whatever they say."""
        company = self.company_id or self.env.company
        return Domain("company_id", "child_of", company._origin.id or company.id)

    @api.model
    def _of_company(self, company):
        """The rules that hold in a company: its own and those of its head office, in order."""
        return self.search([("company_id", "parent_of", company.id)])
