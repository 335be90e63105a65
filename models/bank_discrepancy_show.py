"""How a discrepancy is shown: its evidence in three columns, in the reader's language."""

import re

from markupsafe import Markup
from odoo import api, models
from odoo.tools import format_date
from odoo.tools import html_escape as escape

from .discrepancy_texts import WHAT, say

SIDES = ("approved", "bank", "ledger")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class BankDiscrepancy(models.Model):
    _inherit = "bank.discrepancy"

    def _spoken_values(self):
        """The values of the sentence in the reader's words."""
        values = dict((self.facts or {}).get("values") or {})
        missing = self.env._("(not said)")
        return {name: self._spoken(value) or missing for name, value in values.items()}

    def _spoken(self, value):
        if isinstance(value, str) and _DAY.fullmatch(value):
            return format_date(self.env, value)
        return value

    @api.depends("facts")
    @api.depends_context("lang")
    def _compute_figures(self):
        for each in self:
            rows = (each.facts or {}).get("rows") or []
            each.figures = each._figures_table(rows) if rows else False

    def _figures_table(self, rows):
        """Approved, bank and ledger side by side; what differs stands out."""
        heads = ("", self.env._("Approved"), self.env._("The bank says"),
                 self.env._("The ledger says"))
        head = "".join(f"<th>{escape(text)}</th>" for text in heads)
        body = "".join(self._figures_row(row) for row in rows)
        return Markup(
            f'<div class="table-responsive"><table class="table table-sm o_bank_figures mb-0">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _figures_row(self, row):
        what = say(self.env, WHAT[row["what"]]) if row["what"] in WHAT else row["what"]
        css = ' class="text-danger fw-bold"' if row.get("differs") else ""
        cells = "".join(
            f"<td{css}>{escape(self._figure(row, side))}</td>" for side in SIDES
        )
        return f"<tr><th>{escape(what)}</th>{cells}</tr>"

    def _figure(self, row, side):
        value = row.get(side)
        if value in (None, False, ""):
            return "–"
        if row["what"] == "status":
            model, field = {
                "approved": ("bank.payment.batch", "state"),
                "bank": ("account.payment", "bank_status"),
                "ledger": ("account.payment", "state"),
            }[side]
            labels = dict(self.env[model]._fields[field]._description_selection(self.env))
            return labels.get(value, value)
        return str(self._spoken(value))
