"""What an open booking may be for, with a score and the reasons in words. Nothing is booked."""

from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

OPEN_TYPES = ("liability_payable", "asset_receivable")


class BankStatementSuggest(models.AbstractModel):
    _name = "bank.statement.suggest"
    _description = "Suggestions for open bookings"

    @api.model
    def _suggest(self, lines, limit=5):
        """Find what each line may be for.

        :param lines: open statement lines of one company
        :return: line id → list of suggestions, the best first: dicts with ``score`` (0 to 100),
            ``reasons``, ``item_ids``, ``payment_ids``, ``write_off``, ``partner_id``, ``rule_id``
        """
        items = self._items_by_amount(lines)
        payments = self._payments_by_amount(lines)
        found = {}
        for line in lines:
            currency, left = self._left(line)
            key = currency.id, currency.round(left)
            suggestions = [self._of_item(line, item) for item in items.get(key, ())]
            suggestions += [self._of_payment(line, pay) for pay in payments.get(key, ())]
            suggestions.sort(key=lambda suggestion: -suggestion["score"])
            if len(suggestions) > 1 and suggestions[1]["score"] == suggestions[0]["score"]:
                for suggestion in suggestions:
                    suggestion["reasons"].append(
                        self.env._("Other open items have the same amount.")
                    )
            found[line.id] = suggestions[:limit]
        return found

    def _left(self, line):
        """What of the line is open, in its currency and with its sign."""
        _liquidity, suspense, _others = line._seek_for_lines()
        currency = suspense.currency_id or line.foreign_currency_id or line.currency_id
        return currency, -sum(suspense.mapped("amount_currency"))

    # -- candidates -------------------------------------------------------------------------

    def _items_by_amount(self, lines):
        """Open items that one of the lines would pay whole: (currency, amount) → items."""
        wanted = defaultdict(set)
        for line in lines:
            currency, left = self._left(line)
            wanted[currency].add(currency.round(left))
        domain = Domain.OR(
            Domain("currency_id", "=", currency.id)
            & Domain("amount_residual_currency", "in", list(amounts))
            for currency, amounts in wanted.items()
        )
        items = self.env["account.move.line"].search(
            Domain("company_id", "in", lines.company_id.ids)
            & Domain("parent_state", "=", "posted")
            & Domain("reconciled", "=", False)
            & Domain("statement_line_id", "=", False)
            & (
                Domain("account_id.account_type", "in", OPEN_TYPES)
                & Domain("payment_id", "=", False)
                | Domain("payment_id", "!=", False)
                & Domain("account_id.account_type", "not in", OPEN_TYPES)
                & Domain("account_id.reconcile", "=", True)
            )
            & domain,
            order="date_maturity, id",
            limit=50 * len(lines),
        )
        held = items._bank_holders()
        by_amount = defaultdict(list)
        for item in items:
            if item not in held:
                currency = item.currency_id
                amount = currency.round(item.amount_residual_currency)
                by_amount[currency.id, amount].append(item)
        return by_amount

    def _payments_by_amount(self, lines):
        """Payments without an entry that wait for their booking: (currency, amount) → payments."""
        waiting = self.env["account.payment"].search(
            [
                ("journal_id", "in", lines.journal_id.ids),
                ("bank_batch_id", "!=", False),
                ("move_id", "=", False),
                ("state", "=", "in_process"),
                ("bank_booked", "=", False),
                ("amount", "in", list({abs(self._left(line)[1]) for line in lines})),
            ]
        )
        by_amount = defaultdict(list)
        for payment in waiting:
            by_amount[payment.currency_id.id, -payment.amount].append(payment)
        return by_amount

    # -- suggestions ------------------------------------------------------------------------

    def _of_item(self, line, item):
        score, reasons = 40, [self.env._("The amount is the same.")]
        score += self._weigh_partner(line, item.partner_id, reasons)
        return {
            "score": score,
            "reasons": reasons,
            "item_ids": item.ids,
            "payment_ids": [],
            "write_off": [],
            "partner_id": item.partner_id.id or False,
            "rule_id": False,
        }

    def _of_payment(self, line, payment):
        score, reasons = 45, [self.env._("A payment of this amount waits for its booking.")]
        score += self._weigh_partner(line, payment.partner_id, reasons)
        return {
            "score": score,
            "reasons": reasons,
            "item_ids": [],
            "payment_ids": payment.ids,
            "write_off": [],
            "partner_id": payment.partner_id.id,
            "rule_id": False,
        }

    def _weigh_partner(self, line, partner, reasons):
        if partner and line.partner_id.commercial_partner_id == partner.commercial_partner_id:
            reasons.append(self.env._("The partner is %s.", partner.display_name))
            return 20
        return 0
