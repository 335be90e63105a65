from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models import approval_facts


class BankApprovalSimulation(models.TransientModel):
    """Who would have to approve a payment? Asks the rules as they are, and sends nothing."""

    _name = "bank.approval.simulation"
    _description = "Who would approve?"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    journal_id = fields.Many2one(
        "account.journal",
        string="From",
        domain="[('company_id', '=', company_id), ('bank_connection_id', '!=', False)]",
        default=lambda self: self.env["account.journal"].search(
            [("company_id", "=", self.env.company.id), ("bank_connection_id", "!=", False)],
            limit=1,
        ),
    )
    currency_id = fields.Many2one(
        "res.currency", compute="_compute_currency_id", store=True, readonly=False
    )
    amount = fields.Monetary()
    partner_id = fields.Many2one("res.partner", string="Payee")
    partner_bank_id = fields.Many2one(
        "res.partner.bank", string="Account", compute="_compute_partner_bank_id", store=True,
        readonly=False, domain="[('partner_id', '=', partner_id)]",
    )
    preparer_id = fields.Many2one(
        "res.users", string="Prepared by", help="Who prepares does not approve."
    )
    urgent = fields.Boolean(string="Urgent or instant")
    result = fields.Html(compute="_compute_result")

    @api.depends("journal_id", "company_id")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.journal_id.currency_id or wizard.company_id.currency_id

    @api.depends("partner_id")
    def _compute_partner_bank_id(self):
        for wizard in self:
            wizard.partner_bank_id = wizard.partner_id.bank_ids[:1]

    @api.depends(
        "company_id", "journal_id", "currency_id", "amount", "partner_id", "partner_bank_id",
        "preparer_id", "urgent",
    )
    def _compute_result(self):
        for wizard in self:
            if not (wizard.journal_id and wizard.currency_id and wizard.amount > 0):
                wizard.result = False
                continue
            try:
                steps = wizard._steps()
            except UserError as error:
                wizard.result = Markup("<p class='text-danger'>%s</p>") % str(error)
                continue
            wizard.result = wizard._steps_table(steps)

    def _steps(self):
        """Which levels would be asked, and whom each could count.

        :return: list of dicts: ``rule``, ``level``, ``people`` (how many), ``names``
        :raises UserError: there is no exchange rate
        """
        self.ensure_one()
        rules = self.env["bank.approval.rule"]
        rules.check_access("read")
        facts = self._facts()
        kept_out = self._kept_out()
        return [
            {
                "rule": level.rule_id.name,
                "level": level.name,
                "people": step.need,
                "names": sorted((level._people(self.company_id) - kept_out).mapped("name")),
            }
            for step, level in rules._matching(facts)._levels()
        ]

    def _facts(self):
        company, today = self.company_id, fields.Date.context_today(self)
        factor, _day = approval_facts.rate(self.env, self.currency_id, company, today)
        amount = company.currency_id.round(self.amount * factor)
        pairs = [(self.partner_id.id, self.partner_bank_id.id)] if self.partner_id else []
        return approval_facts.Facts(
            company=company,
            journal=self.journal_id,
            currency=self.currency_id,
            total=amount,
            largest=amount,
            urgent=self.urgent,
            payees=approval_facts.of_payees(self.env, pairs, company),
        )

    def _kept_out(self):
        """Who would not count: the preparer, and who created or changed the payee's account."""
        account = self.partner_bank_id._origin
        # sudo: history and creator are only compared.
        people = self.preparer_id | account.sudo().create_uid
        changes = self.env["bank.account.change"].sudo()
        kinds = approval_facts.ACCOUNT_CHANGES
        return people | changes.search(
            [("account_id", "in", account.ids), ("kind", "in", kinds)]
        ).user_id

    def _steps_table(self, steps):
        if not steps:
            return Markup("<p class='text-danger'>%s</p>") % self.env._(
                "No rule applies: this could not be sent to approval."
            )
        cell = Markup("<td>%s</td>")
        rows = [
            Markup("<tr>%s</tr>") % Markup().join(
                cell % text
                for text in (
                    step["rule"],
                    step["level"],
                    step["people"],
                    ", ".join(step["names"]) or self.env._("nobody"),
                )
            )
            for step in steps
        ]
        head = Markup().join(
            Markup("<th>%s</th>") % text
            for text in (
                self.env._("Rule"), self.env._("Level"), self.env._("Needed"),
                self.env._("Of these people"),
            )
        )
        return Markup(
            "<table class='table table-sm mb-0'><thead><tr>%s</tr></thead>"
            "<tbody>%s</tbody></table>"
        ) % (head, Markup().join(rows))
