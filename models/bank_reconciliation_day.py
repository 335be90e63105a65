from odoo import api, models
from odoo.tools.translate import LazyTranslate

from .bank_day import DECIDE, LATE, Matter

_lt = LazyTranslate(__name__)


class BankDay(models.Model):
    """Reconciliation statements that wait for a signature, or don't fit the books any more."""

    _inherit = "bank.day"

    @api.model
    def _late(self):
        return [
            *super()._late(),
            Matter(
                "books_changed", LATE, "bank.reconciliation",
                [("changed_on", "!=", False), ("state", "in", ("prepared", "reviewed"))],
                "changed_on", "action_reconciliation",
                _lt("Signed reconciliation statements that the books left behind"),
                _lt("Look at what changed, and sign a new version."),
            ),
        ]

    @api.model
    def _to_decide(self):
        return [
            *super()._to_decide(),
            Matter(
                "reconcile_draft", DECIDE, "bank.reconciliation",
                [("state", "in", ("draft", "returned"))],
                "create_date", "action_reconciliation",
                _lt("Reconciliation statements to prepare"),
                _lt("Treat the bank's bookings, look at what is in transit, and sign."),
            ),
            Matter(
                "reconcile_review", DECIDE, "bank.reconciliation",
                [("state", "=", "prepared")],
                "prepared_on", "action_reconciliation",
                _lt("Reconciliation statements to review"),
                _lt("Somebody else than who prepared one signs it, or sends it back."),
            ),
        ]
