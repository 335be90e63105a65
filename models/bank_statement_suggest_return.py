"""Which payment a return may have brought back that names none: a person decides, nothing else."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import format_date

from .bank_statement_candidates import decimal
from .bank_statement_match_numbers import RETURN_CODES
from .bank_statement_suggest import MOST_OF_AMOUNT, OF_OWNER, SAME_AMOUNT

RECENT = timedelta(days=400)  # a transfer can be recalled for 13 months
EARLY = timedelta(days=5)  # a bank may execute before the day that was asked for


class BankStatementSuggest(models.AbstractModel):
    _inherit = "bank.statement.suggest"

    @api.model
    def _may_have_come_back(self, journal, facts):
        """Payments that left, in the amounts of credits that the bank calls returns.

        :param facts: line → its :class:`Facts`
        :return: line → suggestions, the payments that left last come first
        """
        facts = {line: one for line, one in facts.items() if self._is_called_return(line, one)}
        if not facts:
            return {}
        days = [one.day for one in facts.values()]
        payments = self.env["account.payment"].search(
            [
                ("journal_id", "=", journal.id),
                ("payment_type", "=", "outbound"),
                ("bank_batch_id", "!=", False),
                ("bank_booked", "=", True),
                ("bank_returned", "=", False),
                ("amount", "in", [float(one.amount) for one in facts.values()]),
                ("date", ">=", min(days) - RECENT),
                ("date", "<=", max(days) + EARLY),
            ],
            order="date desc, id desc",
        )
        of_amount = payments.grouped(
            lambda pay: (pay.currency_id.name, decimal(pay.amount, pay.currency_id))
        )
        none = payments.browse()
        return {
            line: self._returns_of(line, one, of_amount.get((one.currency, one.amount), none))
            for line, one in facts.items()
        }

    def _is_called_return(self, line, one):
        """Whether the bank calls the line money that came back, as it was kept from the report."""
        said = line.transaction_details if isinstance(line.transaction_details, dict) else {}
        details = [item for item in said.get("details") or () if isinstance(item, dict)]
        return one.amount > 0 and not line.bank_payment_ids and bool(
            said.get("reversal")
            or str(said.get("code") or "").rpartition("/")[2] in RETURN_CODES
            or any(detail.get("return_reason") for detail in details)
        )

    def _returns_of(self, line, one, payments):
        """Suggestions of one line; those to the payee whom it names come first."""
        fitting = payments.filtered(
            lambda pay: one.day - RECENT <= pay.date <= one.day + EARLY
        )
        found = [self._return_of(line, one, payment) for payment in fitting[:MOST_OF_AMOUNT]]
        return sorted(found, key=lambda suggestion: -suggestion["score"])

    def _return_of(self, line, one, payment):
        partner, known = payment.partner_id.commercial_partner_id, []
        # The other side may be anybody's, even ourselves: that speaks against no payment.
        score = OF_OWNER if self._weigh_partner(line, partner, one, known) > 0 else SAME_AMOUNT
        reasons = [
            self.env._(
                "The bank calls it a return, and this payment left on %s.",
                format_date(self.env, payment.date),
            ),
            self.env._("The amount is the same."),
            *(known if score == OF_OWNER else ()),
        ]
        return {
            "score": score,
            "reasons": reasons,
            "item_ids": [],
            "payment_ids": payment.ids,
            "write_off": [],
            "partner_id": partner.id,
            "rule_id": False,
        }
