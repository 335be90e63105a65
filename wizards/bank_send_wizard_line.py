from odoo import api, fields, models

from ..formats import references
from ..formats.pain001 import remittance_text

# Countries and territories of the SEPA scheme (European Payments Council, EPC409-09, 2025).
SEPA_COUNTRIES = frozenset(
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD "
    "ME MK MT NL NO PL PT RO RS SE SI SK SM VA".split()
)


class BankSendWizardLine(models.TransientModel):
    """One instalment, credit note or payment that may leave."""

    _name = "bank.send.wizard.line"
    _description = "Payment to send"
    _order = "id"

    wizard_id = fields.Many2one("bank.send.wizard", required=True, ondelete="cascade", index=True)
    selected = fields.Boolean(default=True)
    move_line_id = fields.Many2one("account.move.line", readonly=True, ondelete="cascade")
    move_id = fields.Many2one(related="move_line_id.move_id", string="Bill")
    payment_id = fields.Many2one("account.payment", readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Payee", compute="_compute_source")
    account_id = fields.Many2one("account.account", compute="_compute_source")
    currency_id = fields.Many2one("res.currency", compute="_compute_source")
    due_date = fields.Date(compute="_compute_source")
    residual = fields.Monetary(
        string="Open", compute="_compute_source", help="Negative for a credit note."
    )
    discount = fields.Monetary(compute="_compute_amount", store=True)
    amount = fields.Monetary(string="To pay", compute="_compute_amount", store=True, readonly=False)
    partner_bank_id = fields.Many2one(
        "res.partner.bank",
        string="Payee's account",
        compute="_compute_partner_bank_id",
        store=True,
        readonly=False,
        domain="[('partner_id', 'child_of', partner_id)]",
    )
    journal_id = fields.Many2one(
        "account.journal", string="From", compute="_compute_journal_id", store=True
    )
    reference = fields.Char(compute="_compute_reference", help="What the payee will read.")
    problem = fields.Text(compute="_compute_problem")

    @api.depends("move_line_id", "payment_id")
    def _compute_source(self):
        for line in self:
            item, payment = line.move_line_id, line.payment_id
            line.partner_id = item.partner_id or payment.partner_id
            line.account_id = item.account_id or payment.destination_account_id
            line.currency_id = item.currency_id or payment.currency_id
            line.due_date = item.date_maturity or payment.date
            line.residual = -item.amount_residual_currency if item else payment.amount

    @api.depends(
        "move_line_id", "payment_id", "wizard_id.take_discounts", "wizard_id.execution_date"
    )
    def _compute_amount(self):
        for line in self:
            line.discount = line._discount()
            line.amount = line.residual - line.discount

    def _discount(self):
        """The early-payment discount that the vendor grants on the execution date."""
        item, wizard = self.move_line_id, self.wizard_id
        if (
            not wizard.take_discounts
            or not item.discount_date
            or not item.move_id._is_eligible_for_early_payment_discount(
                item.currency_id, wizard.execution_date
            )
        ):
            return 0.0
        return self.currency_id.round(self.residual - abs(item.discount_amount_currency))

    def _is_whole(self):
        """Whether nothing of the instalment stays open after this payment."""
        return self.currency_id.compare_amounts(self.amount + self.discount, self.residual) == 0

    @api.depends("move_line_id", "payment_id")
    def _compute_partner_bank_id(self):
        for line in self:
            if line.payment_id:
                line.partner_bank_id = line.payment_id.partner_bank_id
                continue
            bill_account = line.move_id.partner_bank_id
            banks = line.partner_id.commercial_partner_id.bank_ids.filtered(
                lambda bank, line=line: (
                    bank.company_id in (self.env["res.company"], line.wizard_id.company_id)
                )
            )
            # The account named on the bill wins; else a trusted one before any other.
            line.partner_bank_id = (
                bill_account
                if bill_account and not line.move_id.is_inbound()
                else banks.sorted(lambda bank: not bank.allow_out_payment)[:1]
            )

    @api.depends("wizard_id.journal_id", "wizard_id.company_id", "move_line_id", "payment_id")
    def _compute_journal_id(self):
        journals = {}
        for line in self:
            wizard = line.wizard_id
            key = wizard.company_id, line.currency_id
            if key not in journals:
                journals[key] = self._connected_journal(*key)
            if line.payment_id:
                line.journal_id = line.payment_id.journal_id
            else:
                line.journal_id = wizard.journal_id or journals[key]

    @api.model
    def _connected_journal(self, company, currency):
        journals = self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(company),
                ("type", "=", "bank"),
                ("bank_connection_id.state", "=", "active"),
            ]
        )
        return journals.filtered(lambda journal: journal._bank_currency() == currency)[:1]

    @api.depends("move_line_id", "payment_id", "move_line_id.move_id.payment_reference")
    def _compute_reference(self):
        for line in self:
            move = line.move_id
            line.reference = (
                move.payment_reference or move.ref or move.name or line.payment_id.memo or ""
            )

    @api.depends("move_line_id", "payment_id", "partner_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = self.env._(
                "%(document)s, %(payee)s",
                document=line.move_id.name or line.payment_id.name or line.reference,
                payee=line.partner_id.display_name or self.env._("no payee"),
            )

    @api.depends(
        "selected",
        "amount",
        "partner_bank_id",
        "journal_id",
        "wizard_id.execution_date",
        "wizard_id.net_credit_notes",
        "wizard_id.group_payments",
        "wizard_id.urgent",
        "wizard_id.instant",
    )
    def _compute_problem(self):
        problems = self._find_problems()
        for line in self:
            line.problem = "\n".join(problems.get(line, [])) or False

    def _check_again(self):
        """Look at everything afresh: minutes may have passed since the wizard opened."""
        self.env.invalidate_all()
        self.invalidate_recordset(["problem"])

    # -- what the bank needs ------------------------------------------------------------------

    def _service_level(self):
        self.ensure_one()
        if self.wizard_id.urgent:
            return "URGP"
        ours, theirs = self.journal_id.bank_account_id, self.partner_bank_id
        sepa = self.currency_id.name == "EUR" and all(
            account.acc_type == "iban" and account.sanitized_acc_number[:2] in SEPA_COUNTRIES
            for account in (ours, theirs)
        )
        return "SEPA" if sepa else "NURG"

    def _remittance(self):
        """What the payee will read of these lines, which are paid together.

        :return: values as the seal names them: a text, or a creditor reference with its form
        """
        country = self[:1].partner_bank_id.partner_id.country_id.code
        if len(self) == 1:
            structured = references.recognise(self.reference or "", country)
            if structured:
                return {
                    "text": None,
                    "creditor_reference": structured.reference,
                    "creditor_reference_issuer": structured.issuer,
                    "creditor_reference_type": structured.type,
                }
        texts = [line.reference for line in self if line.reference]
        return {
            "text": remittance_text(texts),
            "creditor_reference": None,
            "creditor_reference_issuer": None,
            "creditor_reference_type": None,
        }
