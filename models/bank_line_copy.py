"""Creating many statement lines of one kind in one go (see ``bulk_rows``).

Lines of one kind differ in amount, payee and texts only. Their entries are created as drafts;
Odoo posts them, with all its checks.
"""

import json

from odoo import api, models
from odoo.tools import SQL

from . import bulk_rows
from .account_bulk import IN_FULL, OF_ENTRIES, OF_LINES
from .engine import ENGINE

# What may differ between lines of one kind.
OWN = {
    "account_number",
    "amount",
    "bank_booking_date",
    "bank_entry_key",
    "bank_reference",
    "bank_told",
    "bank_value_date",
    "partner_id",
    "partner_name",
    "payment_ref",
    "transaction_details",
    "transaction_type",
}
MAXINT = 2**31 - 1  # as Odoo counts a line's sequence down


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    @api.model
    def _bank_create_lines(self, vals_list):
        """Create statement lines with posted entries, as ``create`` does.

        :param vals_list: values of lines of one journal
        :return: the lines, in the order of ``vals_list``
        """
        # The numbers of lines are in their order, which is the bank's: all are copied, or none.
        kinds = bulk_rows.Kinds(self._bank_kind(vals) for vals in vals_list)
        moves = self.env["account.move"]
        partners = self.env["res.partner"].browse(
            {vals["partner_id"] for vals in vals_list if vals.get("partner_id")}
        )
        if not (
            kinds.worthwhile
            and bulk_rows.may_copy(self, moves, self.env["account.move.line"])
            and moves._bank_may_copy(partners)
        ):
            return self.with_context(**IN_FULL).create(vals_list).with_env(self.env)

        def make_samples():
            drafts = self.with_context(**IN_FULL, bank_post_later=ENGINE)
            # Odoo changes the values it is given.
            samples = drafts.create([dict(vals_list[position]) for position in kinds.samples])
            return [samples, samples.move_id, samples.move_id.line_ids]

        patterns, move_patterns, item_patterns = bulk_rows.trial(self.env, make_samples)
        ids = bulk_rows.new_ids(self, len(vals_list))
        of_partner = moves._bank_partner_columns(partners)
        entries = []
        for line_id, kind, vals in zip(ids, kinds.numbers, vals_list, strict=True):
            columns = {
                "statement_line_id": line_id,
                "ref": None,
                **of_partner.get(vals.get("partner_id"), {}),
            }
            entries.append((kind, columns, self._bank_items(vals)))
        rows, item_rows = moves._bank_entry_rows(move_patterns, item_patterns, entries)
        # Lines and their entries refer to each other: the entries' side is added last.
        for _kind, columns in rows:
            columns["statement_line_id"] = None
        moves = bulk_rows.insert(moves, move_patterns, rows)
        samples = [json.loads(row) for row in patterns]
        line_rows = [
            (kind, self._bank_columns(line_id, move.id, vals, samples[kind]))
            for line_id, kind, vals, move in zip(ids, kinds.numbers, vals_list, moves, strict=True)
        ]
        lines = bulk_rows.insert(self, patterns, line_rows)
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_move SET statement_line_id = line.id
                  FROM account_bank_statement_line line
                 WHERE line.move_id = account_move.id AND line.id IN %s
                """,
                tuple(ids),
            )
        )
        items = bulk_rows.insert(self.env["account.move.line"], item_patterns, item_rows)
        bulk_rows.settle(lines, items, moves, open_fields=["partner_bank_id"])
        bulk_rows.read_at_once(moves, items)
        with bulk_rows.postponed((moves, OF_ENTRIES), (lines, OF_LINES)):
            moves.action_post()
        return lines

    @api.model
    def _bank_kind(self, vals):
        """What lines of one kind have in common; None for a line that can't be copied."""
        if vals.get("foreign_currency_id") or "line_ids" in vals:
            return None
        kind = [pair for pair in vals.items() if pair[0] not in OWN]
        kind.append(("partner", bool(vals.get("partner_id"))))
        kind.append(("sign", (vals["amount"] > 0) - (vals["amount"] < 0)))
        return bulk_rows.hashable(kind)

    def _bank_items(self, vals):
        """Values of a line's journal items: liquidity, then counterpart."""
        journal = self.env["account.journal"].browse(vals["journal_id"])
        company = journal.company_id
        currency = journal.currency_id or company.currency_id
        amount = currency.round(vals["amount"])
        balance = amount
        if currency != company.currency_id:
            balance = currency._convert(amount, company.currency_id, company, vals["date"])
        return [
            {
                "name": vals.get("payment_ref"),
                "amount_currency": sign * amount,
                "debit": max(sign * balance, 0.0),
                "credit": max(-sign * balance, 0.0),
            }
            for sign in (1, -1)
        ]

    def _bank_columns(self, line_id, move_id, vals, sample):
        columns = {
            name: (self._fields[name].to_string(value) if hasattr(value, "year") else value) or None
            for name, value in vals.items()
            if name in OWN and name != "amount"
        }
        amount = self.env["account.move"]._bank_number(vals["amount"], sample["currency_id"])
        day = str(vals["date"]).replace("-", "")
        return {
            **columns,
            "id": line_id,
            "move_id": move_id,
            "amount": amount,
            "internal_index": f"{day}{MAXINT - sample['sequence']:0>10}{line_id:0>10}",
        }


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_post(self):
        if self.env.context.get("bank_post_later") is ENGINE:
            return False
        return super().action_post()
