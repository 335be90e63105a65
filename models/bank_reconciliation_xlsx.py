"""A bank reconciliation statement as a spreadsheet that an auditor can work with.

Amounts are numbers, sums are formulas over them. What people or banks wrote is text and nothing
else: it never becomes a formula or a link.
"""

import io
from datetime import date

import xlsxwriter
from odoo import models

from .bank_reconciliation_books import GROUPS
from .bank_reconciliation_line import COLUMNS
from .evidence_zip import FORMULA

AMOUNT = "H"  # the column of amounts on the sheet of items


class BankReconciliation(models.Model):
    _inherit = "bank.reconciliation"

    def _file_name(self):
        return f"{self.env._('Bank reconciliation')} {self.name}".replace("/", "-")

    def _spreadsheet(self):
        """:return: the file, as bytes"""
        self.ensure_one()
        file = io.BytesIO()
        book = xlsxwriter.Workbook(
            file,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
             "strings_to_numbers": False},
        )
        looks = self._looks(book)
        front = book.add_worksheet(self.env._("Statement")[:31])
        items = book.add_worksheet(self.env._("Items")[:31])
        ranges = self._write_items(items, looks)
        self._write_front(front, looks, items.get_name(), ranges)
        book.close()
        return file.getvalue()

    def _looks(self, book):
        places = self.currency_id.decimal_places
        number = "#,##0" + ("." + "0" * places if places else "")
        amount = f'{number};[Red]-{number}'
        styles = {
            "title": {"bold": True, "font_size": 14},
            "head": {"bold": True, "bottom": 1, "bg_color": "#E9EEF4", "text_wrap": True},
            "text": {},
            "wrap": {"text_wrap": True, "valign": "top"},
            "note": {"italic": True, "font_color": "#666666"},
            "bold": {"bold": True},
            "date": {"num_format": "yyyy-mm-dd", "align": "left"},
            "amount": {"num_format": amount},
            "total": {"num_format": amount, "bold": True, "top": 1},
            "result": {"num_format": amount, "bold": True, "top": 1, "bottom": 6},
            "result_text": {"bold": True, "top": 1, "bottom": 6},
            "red": {"num_format": number, "bold": True, "font_color": "#C00000"},
            "red_text": {"bold": True, "font_color": "#C00000"},
        }
        return {name: book.add_format(style) for name, style in styles.items()}

    # -- the items --------------------------------------------------------------------------------

    def _write_items(self, sheet, looks):
        """:return: group → (first row, last row) as spreadsheets count, or None where it has none
        """
        lines = self.env["bank.reconciliation.line"]
        labels = {name: lines._fields[name]._description_string(self.env) for name in COLUMNS}
        head = [
            labels["kind"], labels["date"], labels["entry"], labels["partner_name"],
            labels["label"], labels["reference"], labels["cause"],
            f"{labels['amount']} ({self.currency_id.name})",
            f"{labels['company_amount']} ({self.company_currency_id.name})",
            self.env._("Age (days)"), labels["first_date"], labels["bank_status"],
        ]
        for column, text in enumerate(head):
            _text(sheet, 0, column, text, looks["head"])
        words = {
            name: dict(lines._fields[name]._description_selection(self.env))
            for name in ("kind", "cause", "bank_status")
        }
        rows = sorted(
            self._plain_lines(), key=lambda row: (GROUPS.index(row["kind"]), row["date"])
        )
        ranges = dict.fromkeys(GROUPS)
        for number, row in enumerate(rows, start=1):
            day = _day(row["date"])
            texts = (
                (0, words["kind"][row["kind"]]), (2, row["entry"]), (3, row["partner_name"]),
                (4, row["label"]), (5, row["reference"]), (6, words["cause"][row["cause"]]),
                (11, words["bank_status"].get(row["bank_status"])),
            )
            for column, text in texts:
                _text(sheet, number, column, text, looks["text"])
            sheet.write_datetime(number, 1, day, looks["date"])
            sheet.write_number(number, 7, float(row["amount"]), looks["amount"])
            sheet.write_number(number, 8, float(row["company_amount"]), looks["amount"])
            sheet.write_number(number, 9, (self.date - day).days)
            if row["first_date"]:
                sheet.write_datetime(number, 10, _day(row["first_date"]), looks["date"])
            start, _end = ranges[row["kind"]] or (number + 1, None)
            ranges[row["kind"]] = (start, number + 1)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(head) - 1)
        for column, width in enumerate((34, 11, 18, 28, 36, 22, 34, 15, 15, 9, 12, 18)):
            sheet.set_column(column, column, width)
        return ranges

    # -- the form ---------------------------------------------------------------------------------

    def _write_front(self, sheet, looks, items, ranges):
        """Bank on the left, ledger on the right, as the form is known."""
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 1)
        sheet.hide_gridlines(2)
        for column, width in enumerate((50, 18, 3, 50, 18)):
            sheet.set_column(column, column, width)
        env = self.env
        _text(sheet, 0, 0, env._("Bank reconciliation statement"), looks["title"])
        _text(sheet, 1, 0, f"{self.company_name} · {self.journal_name} · {self._shown_account()}",
              looks["text"])
        _text(sheet, 1, 3, env._("As of"), looks["bold"])
        sheet.write_datetime(1, 4, self.date, looks["date"])
        _text(sheet, 2, 0, self.ledger_account, looks["note"])
        _text(sheet, 2, 3, env._("Currency"), looks["bold"])
        _text(sheet, 2, 4, self.currency_id.name, looks["text"])
        self._write_sources(sheet, looks)
        adjusted = []
        for side, column in zip(self._columns(), (0, 3), strict=True):
            adjusted.append(self._write_side(sheet, looks, items, ranges, side, column))
        _text(sheet, 12, 0, self._label("difference"), looks["red_text"])
        sheet.write_formula(
            12, 1, f"={adjusted[0]}-{adjusted[1]}", looks["red"], self.difference
        )
        row = 14
        for text, amount in self._clue_texts():
            _text(sheet, row, 0, text, looks["note"])
            sheet.write_number(row, 1, amount, looks["amount"])
            row += 1
        row += 1
        for title, name, moment, reason in self._signature_lines():
            _text(sheet, row, 0, f"{title}: {name} {moment}", looks["bold"])
            _text(sheet, row, 3, reason, looks["wrap"])
            row += 1
        _text(sheet, row + 1, 0, f"SHA-256: {self.digest or env._('not signed')}", looks["note"])

    def _label(self, name):
        return self._fields[name]._description_string(self.env)

    def _write_sources(self, sheet, looks):
        """What the two balances are made of, as numbers to add up."""
        said = f"{self.statement_name or ''} {self.statement_date or ''}".strip()
        parts = {
            0: (("statement_balance", said), ("since_amount", str(self.since_count))),
            3: (("account_balance", ""), ("outstanding_balance", ""), ("suspense_balance", "")),
        }
        for column, rows in parts.items():
            for row, (name, more) in enumerate(rows, start=4):
                label = f"{self._label(name)} ({more})" if more else self._label(name)
                _text(sheet, row, column, label, looks["text"])
                sheet.write_number(row, column + 1, self[name], looks["amount"])

    def _write_side(self, sheet, looks, items, ranges, side, column):
        """:return: the cell of the adjusted balance"""
        letter = "ABCDE"[column + 1]
        _text(sheet, 7, column, side["title"], looks["bold"])
        sheet.write_formula(
            7, column + 1, f"=SUM({letter}5:{letter}7)", looks["total"], side["balance"]
        )
        for row, group in enumerate(side["groups"], start=8):
            _text(sheet, row, column, group["title"], looks["text"])
            rows = ranges[group["kind"]]
            formula = f"=SUM('{items}'!{AMOUNT}{rows[0]}:{AMOUNT}{rows[1]})" if rows else "=0"
            sheet.write_formula(row, column + 1, formula, looks["amount"], group["total"])
        _text(sheet, 10, column, side["adjusted_title"], looks["result_text"])
        sheet.write_formula(
            10, column + 1, f"={letter}8+{letter}9-{letter}10", looks["result"], side["adjusted"]
        )
        return f"{letter}11"


def _text(sheet, row, column, text, look):
    """Write a text as text, whatever it looks like.

    The apostrophe keeps it one where somebody saves the sheet as CSV and opens that.
    """
    text = str(text or "")
    if text.startswith(FORMULA):
        text = f"'{text}"
    sheet.write_string(row, column, text[:32000], look)


def _day(text):
    return date.fromisoformat(text)
