"""Checks of the bank's statements themselves: whether they follow one another."""

from odoo import models

from .bank_discrepancy_follow import Found

# Kind of gap, as `_bank_continuity_gaps` names it → code of the catalogue.
CODES = {
    "missing": "statement_gap",
    "balance": "statement_gap",
    "sequence": "statement_number",
    "page": "statement_page",
    "corrected": "statement_corrected",
    "unconfirmed": "statement_unconfirmed",
}


class BankDiscrepancyCheck(models.AbstractModel):
    _inherit = "bank.discrepancy.check"

    def _checks_of_accounts(self):
        return [*super()._checks_of_accounts(), (tuple(set(CODES.values())), self._find_gaps)]

    def _find_gaps(self, company):
        journals = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("bank_connection_id", "!=", False)]
        )
        return [self._found_gap(gap) for gap in journals._bank_continuity_gaps()]

    def _found_gap(self, gap):
        journal, code = gap["journal"], CODES[gap["kind"]]
        currency = journal._bank_currency()
        expected, found = (self._money(gap[side], currency) for side in ("expected", "found"))
        before, after = str(gap["from_date"]), str(gap["to_date"])
        statements = self.env["account.bank.statement"].browse(gap["statement_ids"])
        return Found(
            f"{code}:account_journal:{journal.id}:{before}:{after}",
            code,
            gap["from_date"],
            {
                **self._refs(journal=journal),
                "message_id": statements[-1:].bank_message_id.id,
            },
            {
                "values": {
                    "about": journal.display_name, "account": journal.display_name,
                    "before": before, "after": after, "expected": expected, "found": found,
                    "count": str(len(gap["line_ids"])),
                },
                "rows": [
                    # Both sides are the bank's: what should follow, and what does.
                    {"what": "balance", "approved": None, "bank": found, "ledger": expected,
                     "differs": True},
                    {"what": "date", "approved": None, "bank": after, "ledger": before},
                ],
                "line_ids": gap["line_ids"][:1000],
            },
            f"{expected} {found}",
        )
