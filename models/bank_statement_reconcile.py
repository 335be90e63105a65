"""Booking statement lines against what they are for, in one place for screen, rules and matching.

Many lines are booked at once: their entries change in one write, and one plan reconciles all.
"""

from odoo import models
from odoo.exceptions import UserError

from . import bulk_rows
from .account_bulk import OF_ENTRIES, OF_LINES


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def _bank_reconcile(self, parts):
        """Book this line; what the parts don't cover stays open.

        :param parts: a list of dicts, each one of

            - ``{"item_id": id, "amount": str | None}``: an open journal item, for all that is
              open of it (None) or for some. ``"discount": True`` closes it with its early-payment
              discount; ``"item_amount"`` says what is paid of it in the item's own currency,
              where that is not the line's
            - ``{"payment_id": id}``: a payment that waits for its booking, or one that was booked
              and that this line brings back
            - ``{"account_id", "amount", "name", "tax_ids", "analytic_distribution",
              "partner_id"}``: an amount for an account, taxes contained

            Amounts are in the line's currency with the line's sign: money out is negative.
        :raises UserError: says why it can't be booked, for the user
        """
        self.ensure_one()
        self.check_access("write")
        self._bank_reconcile_all({self: parts})
        self.env["bank.audit.event"]._record(
            "booking_matched", self, entry=self.move_id.name, amount=str(self.amount),
            parts=len(parts), open=str(self.amount_residual),
        )

    def _bank_reconcile_all(self, parts_of):
        """Book many lines.

        :param parts_of: line → its parts, see :meth:`_bank_reconcile`
        """
        lines = self.browse().union(*parts_of)
        lines._bank_check_open()
        quiet = lines.with_company(lines.company_id[:1])
        quiet = quiet.with_context(**quiet.env["account.move"]._bank_quietly())
        rows_of = {}
        for line in quiet:
            _liquidity, suspense, _others = line._seek_for_lines()
            rows_of[line] = line._bank_part_rows(suspense, parts_of[line.with_env(self.env)])
        rows = [row for found in rows_of.values() for row in found]
        payments = quiet.env["account.payment"].union(
            *(row.payment for row in rows if row.settles)
        )
        self._bank_check_rows(rows)
        targets = quiet.env["account.move.line"].union(*(row.targets for row in rows))
        with (
            (targets.move_id | payments.bank_instalment_ids.move_id)._bank_noting(),
            bulk_rows.postponed((quiet.move_id, OF_ENTRIES), (quiet, OF_LINES)),
        ):
            plan = quiet._bank_write_parts(rows_of)
            # sudo: who may book a payment lets its bills go with it.
            payments.sudo().bank_instalment_ids._release()
            if plan:
                quiet.env["account.move.line"]._reconcile_plan(plan)
            quiet.env["bank.statement.match"]._link_payments(
                [
                    (line, row.payment)
                    for line, found in rows_of.items()
                    for row in found
                    if row.settles or row.back
                ]
            )
            if payments:
                quiet.env["bank.statement.match"]._mark_settled(payments)
        for line, found in rows_of.items():
            for row in found:
                if row.back:
                    # sudo: as above, of the bill that is open again.
                    self.env["bank.statement.match"].sudo()._book_return(
                        line.with_env(self.env).sudo(), row.payment.with_env(self.env).sudo(),
                        row.made.sudo(), None, line.payment_ref,
                    )

    def _bank_check_open(self):
        """Refuse lines that can't be booked.

        :raises UserError: says which one, and why
        """
        hashed = self.move_id.filtered("inalterable_hash")
        if hashed:
            raise UserError(
                self.env._(
                    "%s is secured by a hash: its journal lets no entry be changed. Correct it "
                    "with an entry of its own.", hashed[0].name,
                )
            )
        self.move_id._check_fiscal_lock_dates()
        for line in self:
            _liquidity, suspense, _others = line._seek_for_lines()
            if not suspense:
                raise UserError(
                    self.env._("Nothing of the booking “%s” is open.", line.payment_ref or "/")
                )

    def _bank_check_rows(self, rows):
        """Refuse to pay an item twice: by two parts, or while the bank is paying it."""
        seen = set()
        holders = self.env["account.move.line"].union(*(r.targets for r in rows))._bank_holders()
        for row in rows:
            for item in row.targets:
                if holders.get(item, row.payment) != row.payment:
                    item._bank_check_free(row.payment)
                if item in seen:
                    raise UserError(
                        self.env._("%s is named twice: each item once.", item.display_name)
                    )
                seen.add(item)

    def _bank_write_parts(self, rows_of):
        """Give each line its parts as journal items.

        :return: what to reconcile
        """
        values, owners, gone = [], [], self.env["account.move.line"]
        moves = self.move_id
        writing = self.env["account.move.line"].with_context(
            skip_readonly_check=True, force_delete=True
        )
        container = {"records": moves}
        with moves._check_balanced(container):
            for line in self:
                _liquidity, suspense, _others = line._seek_for_lines()
                rows = rows_of[line]
                left = line._bank_left_open(suspense, rows)
                for row in rows:
                    for number, item in enumerate(row.items):
                        values.append({**item, "move_id": line.move_id.id})
                        owners.append(None if number else row)
                if left is None:
                    gone |= suspense
                else:
                    suspense.with_context(**writing.env.context).write(left)
            made = writing.create(values)
            gone.with_env(writing.env).unlink()
        for item, row in zip(made, owners, strict=True):
            if row:
                row.made = item.with_env(self.env)
        rows = [row for found in rows_of.values() for row in found]
        return [row.made + row.targets for row in rows if row.targets]

    def _bank_left_open(self, suspense, rows):
        """What remains of the open item, or None; a cent of rounding goes to the last part."""
        currency, company = suspense.currency_id, suspense.company_currency_id
        items = [item for row in rows for item in row.items]
        open_amount = currency.round(suspense.amount_currency + sum(row.share for row in rows))
        open_balance = company.round(suspense.balance - sum(item["balance"] for item in items))
        if not currency.is_zero(open_amount):
            if currency == company:
                return {"amount_currency": open_amount, "balance": open_amount}
            return {"amount_currency": open_amount, "balance": open_balance}
        if not company.is_zero(open_balance):
            self._bank_place_cent(suspense, rows, open_balance)
        return None

    def _bank_place_cent(self, suspense, rows, balance):
        """Add what rates and rounding leave to an item that can take it.

        An item in the company's own currency can't: its two amounts are one.
        """
        company = suspense.company_currency_id
        for item in (item for row in reversed(rows) for item in reversed(row.items)):
            if item["currency_id"] != company.id:
                item["balance"] += balance
                return
        owner = self.company_id
        account = (
            owner.expense_currency_exchange_account_id
            if balance > 0
            else owner.income_currency_exchange_account_id
        )
        if not account:
            raise UserError(
                self.env._("Set the accounts for exchange differences in the accounting settings.")
            )
        rows[-1].items.append(
            {
                "name": self.env._("Exchange difference"),
                "account_id": account.id,
                "partner_id": self.partner_id.id,
                "currency_id": company.id,
                "amount_currency": balance,
                "balance": balance,
            }
        )
