from odoo import models

from . import evidence_plain
from .evidence_plain import plain, slices

BOOKING = (
    "id date amount currency_id payment_ref partner_id partner_name account_number "
    "bank_reference bank_booking_date bank_value_date transaction_type bank_message_id "
    "is_reconciled"
).split()
ITEM = (
    "id date ref name partner_id debit credit company_currency_id amount_currency currency_id "
    "matching_number reconciled payment_id statement_line_id"
).split()


class BankEvidenceContent(models.AbstractModel):
    """The ledger's part of a pack: bookings on the bank's statements, and journal entries."""

    _inherit = "bank.evidence.content"

    def _parts(self):
        return [*super()._parts(), self._write_ledger]

    def _write_ledger(self, pack, scope, batches):
        bookings = self._statement_lines(scope, batches)
        items = self._items(bookings, batches)
        pack.add_table(
            "ledger/statement_lines",
            ["journal", "statement", *BOOKING, "payments"],
            (self._booking(line) for part in slices(bookings) for line in part),
        )
        pack.add_table(
            "ledger/journal_items",
            ["entry", "entry_state", "journal", "account", *ITEM],
            (self._item(item) for part in slices(items, 2000) for item in part),
        )

    def _statement_lines(self, scope, batches):
        lines = self.env["account.bank.statement.line"]
        if scope.batch_id:
            domain = [("bank_payment_ids.bank_batch_id", "in", batches.ids)]
            return lines.search(domain, order="id")
        domain = [
            ("company_id", "=", scope.company_id.id),
            ("journal_id.bank_connection_id", "!=", False),
            ("date", ">=", scope.date_from),
            ("date", "<=", scope.date_to),
        ]
        return lines.search(domain, order="id")

    def _items(self, bookings, batches):
        """Journal items of the payments, of their bills and of the bank's bookings."""
        payments = [("bank_batch_id", "in", batches.ids)]
        moves = set(self.env["account.payment"].search_fetch(payments, ["move_id"]).move_id.ids)
        instalments = [("payment_id.bank_batch_id", "in", batches.ids)]
        found = self.env["bank.payment.instalment"].search_fetch(instalments, ["move_id"])
        moves.update(found.move_id.ids, bookings.move_id.ids)
        self.env.invalidate_all()
        return self.env["account.move.line"].search([("move_id", "in", list(moves))], order="id")

    def _booking(self, line):
        return {
            **plain(line, BOOKING),
            "journal": line.journal_id.code,
            "statement": line.statement_id.name or None,
            "payments": sorted(line.bank_payment_ids.mapped("end_to_end_id")),
        }

    def _item(self, item):
        return {
            **plain(item, ITEM),
            "entry": item.move_name or None,
            "entry_state": item.parent_state,
            "journal": item.journal_id.code,
            "account": item.account_id.code,
            "account_name": evidence_plain.value(item.account_id, "name")
            if item.account_id
            else None,
        }
