"""Whether the books still say what a bank reconciliation statement says.

A back-dated entry, an undone reconciliation or a statement of the bank that came late changes what
the books say about a day gone by. A signed statement is never changed for that: it says so, with
old and new, and a new version takes its place.
"""

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL

from .bank_reconciliation_books import GROUPS

#: What is compared, and shown old and new.
COMPARED = (
    "statement_balance", "since_amount", "bank_balance", "book_receipt_total",
    "book_payment_total", "bank_adjusted", "account_balance", "outstanding_balance",
    "suspense_balance", "ledger_balance", "bank_receipt_total", "bank_payment_total",
    "ledger_adjusted", "difference", "ledger_balance_company",
)
SHOWN = 20  # items that came or went, named one by one
IDENTITY = ("kind", "item_number", "line_number")


class BankReconciliation(models.Model):
    _inherit = "bank.reconciliation"

    books_changed = fields.Boolean(compute="_compute_books_changed")
    changes_text = fields.Html(
        string="What changed", compute="_compute_books_changed", sanitize=False
    )
    # Written by the daily look: for lists and filters.
    changed_on = fields.Datetime(string="Books changed, noticed on", readonly=True)

    @api.depends("state", "taken_on")
    def _compute_books_changed(self):
        for sheet in self:
            changes = sheet._changes() if sheet._is_compared() else None
            sheet.books_changed = bool(changes)
            sheet.changes_text = sheet._changes_table(changes) if changes else False

    def _is_compared(self):
        return bool(self.id and self.taken_on and self.state != "superseded")

    def _changes(self):
        """What the books say now that is not on the statement.

        :return: None where nothing changed; else a dict of ``figures`` (field → old, new), ``gone``
            and ``come`` (items: dicts of date, entry, amount, kind)
        """
        self.ensure_one()
        sheet = self.sudo()  # sudo: what is compared is the same for everybody
        books = self.env["bank.reconciliation.books"]._read(sheet.journal_id, sheet.date)
        figures = {
            name: (sheet[name], books.values[name])
            for name in COMPARED
            if sheet._fields[name].type == "monetary"
            and sheet[sheet._fields[name].get_currency_field(sheet)].compare_amounts(
                sheet[name], books.values[name]
            )
        }
        old, new = sheet._kept_items(), sheet._found_items(books.rows)
        gone = [item for key, item in old.items() if key not in new]
        come = [item for key, item in new.items() if key not in old]
        if not figures and not gone and not come:
            return None
        return {"figures": figures, "gone": gone, "come": come}

    def _kept_items(self):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT kind, item_number, line_number, date, entry, partner_name, amount "
                "FROM bank_reconciliation_line WHERE reconciliation_id = %s ORDER BY id",
                self.id,
            )
        )
        return self._found_items(self.env.cr.dictfetchall())

    def _found_items(self, rows):
        """Items by what makes them the same: what they are, and their amount."""
        return {
            (*(row[name] for name in IDENTITY), self.currency_id.round(row["amount"])): row
            for row in rows
        }

    def _changes_table(self, changes):
        """Old and new, as the form shows them."""
        money = self.currency_id.format
        rows = [
            (self._fields[name]._description_string(self.env), *values)
            for name, values in changes["figures"].items()
        ]
        table = Markup("").join(
            Markup("<tr><td>%s</td><td class='text-end'>%s</td><td class='text-end'>%s</td></tr>")
            % (label, money(old), money(new))
            for label, old, new in rows
        )
        head = Markup("<tr><th></th><th class='text-end'>%s</th><th class='text-end'>%s</th></tr>")
        parts = [
            Markup("<table class='table table-sm mb-2'>%s%s</table>")
            % (head % (self.env._("On this statement"), self.env._("In the books now")), table)
        ] if rows else []
        for title, items in (
            (self.env._("No longer in transit on this day"), changes["gone"]),
            (self.env._("In transit on this day now"), changes["come"]),
        ):
            if items:
                parts.append(self._items_list(title, items))
        return Markup("").join(parts)

    def _items_list(self, title, items):
        labels = dict(self.env["bank.reconciliation.line"]._fields["kind"]._description_selection(
            self.env
        ))
        lines = [
            Markup("<li>%s · %s · %s · %s (%s)</li>") % (
                item["date"], item["entry"] or "", item["partner_name"] or "",
                self.currency_id.format(item["amount"]), labels[item["kind"]],
            )
            for item in sorted(items, key=lambda item: (GROUPS.index(item["kind"]), item["date"]))[
                :SHOWN
            ]
        ]
        if len(items) > SHOWN:
            lines.append(Markup("<li>%s</li>") % self.env._("and %s more", len(items) - SHOWN))
        return Markup("<div>%s</div><ul class='mb-2'>%s</ul>") % (title, Markup("").join(lines))

    def _look_for_changes(self):
        """Note that the books changed since a statement was signed, and tell its preparer."""
        self.ensure_one()
        changed = bool(self._changes())
        if changed == bool(self.changed_on):
            return
        self._engine().write({"changed_on": fields.Datetime.now() if changed else False})
        if changed:
            self.env["bank.audit.event"]._record(
                "reconciliation_outdated", self, company=self.company_id, digest=self.digest
            )
            self._tell_preparer(self.env._("The books have changed since it was signed"))
