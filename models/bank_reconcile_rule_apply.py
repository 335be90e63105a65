"""What rules do: offer a booking's rest to people, or book it as statements arrive."""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from .audit_mask import masked

_logger = logging.getLogger(__name__)

#: How sure a rule is that only suggests: below what is found by numbers of bills and payments.
SCORE = 90


class BankReconcileRule(models.Model):
    _inherit = "bank.reconcile.rule"

    @api.model
    def _apply(self, lines):
        """Remember partners and let automatic rules book the statement lines still open.

        One query for each rule, whatever the number of lines. A line whose booking Odoo refuses
        (a locked period, say) stays open for people.

        :return: the lines that were booked
        """
        lines = lines.filtered(lambda line: not line.is_reconciled)
        self.env["bank.reconcile.partner"]._recall(lines)
        booked = explained = lines.browse()
        for line, rule in self._first_matches(lines, automatic=True).items():
            try:
                with self.env.cr.savepoint():
                    line._bank_reconcile([rule._part(line)])
            except UserError as error:
                _logger.info(
                    "Rule %s left statement line %s open: %s", rule.id, line.id,
                    masked(str(error)),
                )
                continue
            booked += line
            if rule.confirmed:
                explained += line
        # sudo: nobody says this of a booking by hand.
        explained.sudo().write({"bank_by_rule": True})
        return booked

    @api.model
    def _suggest(self, lines, limit=2):
        """What rules would do with these lines, as :meth:`bank.statement.suggest._suggest` says it.

        :return: statement line's id → list of dicts
        """
        found = {}
        for line, rules in self._all_matches(lines).items():
            found[line.id] = [
                {
                    "score": SCORE,
                    "reasons": [self.env._("Rule “%s”", rule.name)],
                    "item_ids": [],
                    "payment_ids": [],
                    "write_off": [rule._part(line)],
                    "partner_id": rule.partner_id.id or False,
                    "rule_id": rule.id,
                }
                for rule in rules[:limit]
            ]
        return found

    def _part(self, line):
        """The rest of a statement line, as a part for ``_bank_reconcile``."""
        self.ensure_one()
        return {
            "account_id": self.account_id.id,
            "amount": line._bank_open_text(),
            "name": self.label or line.payment_ref or self.name,
            "tax_ids": self.tax_ids.ids,
            "analytic_distribution": self.analytic_distribution or False,
            "partner_id": (self.partner_id or line.partner_id).id or False,
        }

    def _all_matches(self, lines, automatic=False):
        """Statement line → the rules that match it, in their order."""
        found = {}
        for company, some in lines.grouped("company_id").items():
            rules = self._of_company(company)
            for rule in rules.filtered("automatic") if automatic else rules:
                try:
                    matching = rule._matching(some)
                except UserError as error:
                    _logger.warning("Rule %s was passed over: %s", rule.id, error)
                    continue
                for line in matching:
                    found[line] = found.get(line, rule.browse()) + rule
        return found

    def _first_matches(self, lines, automatic=False):
        return {line: rules[0] for line, rules in self._all_matches(lines, automatic).items()}


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    def _settle(self, match, lines):
        """What no payment explains is left to the rules."""
        notes = super()._settle(match, lines)
        fresh = self.env["account.bank.statement.line"].concat(*lines.values())
        booked = self.env["bank.reconcile.rule"]._apply(fresh)
        if booked:
            notes = [
                *notes, self.env._("Rules booked %(number)s bookings.", number=len(booked))
            ]
        return notes


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    # Booked as it came in, by a rule that an approver or a bank administrator made.
    bank_by_rule = fields.Boolean(string="Reconciliation Rule", readonly=True, copy=False)

    def _bank_open_text(self):
        """What is left open of the line, signed as the line's amount is, as decimal text."""
        self.ensure_one()
        currency = self.foreign_currency_id or self.currency_id
        return f"{currency.round(-self.amount_residual):.{currency.decimal_places}f}"
