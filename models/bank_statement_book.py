"""Booking what was found: all lines of a statement in one plan."""

import logging

from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from . import bulk_rows
from .account_bulk import IN_FULL, OF_ENTRIES, OF_LINES
from .engine import ENGINE

_logger = logging.getLogger(__name__)


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    @api.model
    def _settle(self, match, lines):
        """Reconcile the new statement lines with the payments found for them.

        :param lines: identity of the entry → its statement line
        :return: notes
        """
        self._leave_fixed(match, lines)
        settled = match.none.union(*match.executed.values())
        # What was called rejected stands again first, so that the booking finds its entry.
        rejected = settled.filtered(lambda pay: pay.bank_status in ("RJCT", "CANC"))
        rejected._bank_apply({pay: {"status": "ACSC"} for pay in rejected})
        quiet = self.with_context(**self.env["account.move"]._bank_quietly())
        booked = quiet.env["account.bank.statement.line"].concat(*lines.values())
        entries = booked.move_id | settled.move_id
        items = settled.bank_instalment_ids.move_line_id | self._open_items(match)
        items |= entries.line_ids
        bulk_rows.read_at_once(settled, entries, items.move_id - entries, items)
        rows_of = quiet._rows_of(match, lines)
        rows = [row for those in rows_of.values() for row in those]
        settled |= match.none.union(*(row.payment for row in rows if row.settles))
        payments = settled.with_env(quiet.env)
        bills = (items.move_id - entries) | payments.bank_instalment_ids.move_id
        with (
            bills.with_env(quiet.env)._bank_noting(),
            bulk_rows.postponed((entries, OF_ENTRIES), (booked, OF_LINES)),
        ):
            plan = quiet._plan(match, lines)
            split = quiet.env["account.bank.statement.line"].union(*rows_of)
            plan += split._bank_write_parts(rows_of)
            # The booking pays the bills now: nothing else holds them from here on.
            payments.bank_instalment_ids._release()
            if plan:
                quiet.env["account.move.line"]._reconcile_plan(plan)
            quiet._link(match, lines, rows_of)
            notes = quiet._mark_settled(payments)
        for key, returned in match.returned.items():
            made = {row.payment: row.made for row in rows_of.get(lines[key], ()) if row.back}
            for payment, reason in returned.items():
                self._book_return(lines[key], payment, made.get(payment), *reason)
        for key, payments in match.contradicted.items():
            # The warning to the accountant comes with the status.
            notes += payments._bank_apply({payment: {"status": "ACSC"} for payment in payments})
            lines[key].bank_payment_ids = payments
        return notes

    def _leave_fixed(self, match, lines):
        """Leave lines alone that were there before, in a period closed since or with a hash."""
        for key in {*match.executed, *match.returned, *match.found}:
            _liquidity, suspense, _other = lines[key]._seek_for_lines()
            move = lines[key].move_id
            if suspense and (
                move.inalterable_hash or move._get_violated_lock_dates(move.date, False)
            ):
                match.forget(key)

    def _open_items(self, match):
        """The open items that entries pay without payments of ours."""
        numbers = {
            part["item_id"]
            for found in match.found.values()
            for part in found.parts
            if part.get("item_id")
        }
        return self.env["account.move.line"].browse(numbers)

    def _rows_of(self, match, lines):
        """Lines that are booked in parts: line → its parts, worked out."""
        rows_of = {}
        for key, found in match.found.items():
            line = lines[key].with_env(self.env)
            _liquidity, suspense, _other = line._seek_for_lines()
            if not suspense:
                continue  # booked against its item at once
            try:
                rows_of[line] = line._bank_part_rows(suspense, found.parts)
            except UserError as error:
                # People are told why when they book it; a statement is not held up by it.
                _logger.info("Line %s is left open: %s", line.id, error)
        for key, returned in match.returned.items():
            line = lines[key].with_env(self.env)
            _liquidity, suspense, _other = line._seek_for_lines()
            if suspense:
                left = match.executed.get(key, match.none).with_env(self.env)
                parts = [{"payment_id": payment.id} for payment in left]
                if key in match.charged:
                    parts.append(
                        {
                            "account_id": line.company_id.bank_charges_account_id.id,
                            "amount": str(match.charged[key]),
                            "name": self.env._("Bank charges"),
                        }
                    )
                rows_of[line] = line._bank_part_rows(suspense, parts, returned)
        return rows_of

    def _plan(self, match, lines):
        """What to reconcile with what, after splitting lines where need be."""
        plan, split = [], []
        for key, found in match.found.items():
            _liquidity, suspense, other = lines[key].with_env(self.env)._seek_for_lines()
            if found.item and not suspense:
                plan.append(other + found.item.with_env(self.env))
        for key, payments in match.executed.items():
            if key in match.returned:
                continue  # booked in parts, with what came back
            line, payments = lines[key].with_env(self.env), payments.with_env(self.env)
            _liquidity, suspense, other = line._seek_for_lines()
            targets = self._targets(payments)
            if suspense and suspense.account_id == line.journal_id.suspense_account_id:
                split.append((line, payments))
            elif targets:
                plan.append((suspense or other) + targets)
        for line, payments in split:
            plan += self._split(line, payments)
        return plan

    def _targets(self, payments):
        """The open journal items that a booking of these payments clears."""
        booked = payments.filtered("move_id")
        outstanding = booked.move_id.line_ids.filtered(
            lambda item: item.account_id == item.move_id.origin_payment_id.outstanding_account_id
        )
        bills = (payments - booked).bank_instalment_ids.filtered("live").move_line_id
        return (outstanding + bills).filtered(lambda item: not item.reconciled)

    def _split(self, line, payments):
        """Give a statement line one counterpart for each payment; return what to reconcile."""
        liquidity, suspense, _other = line._seek_for_lines()
        company, currency = line.company_id.currency_id, suspense.currency_id
        rate = abs(suspense.balance / suspense.amount_currency) if suspense.amount_currency else 1
        commands, wanted = [Command.delete(suspense.id)], []
        for payment in payments:
            discounts = [] if payment.move_id else payment._bank_discount_lines()
            balance = company.round(payment.amount * rate)
            account = payment.outstanding_account_id or payment.destination_account_id
            gross = payment.amount - sum(item["amount_currency"] for item in discounts)
            gross_balance = balance - sum(item["balance"] for item in discounts)
            wanted.append((payment, account))
            commands.append(
                Command.create(
                    {
                        "name": payment.end_to_end_id, "account_id": account.id,
                        "partner_id": payment.partner_id.id, "currency_id": currency.id,
                        "amount_currency": gross, "balance": gross_balance,
                    }
                )
            )
            commands += [Command.create(item) for item in discounts]
        # Rounding each payment's balance may leave a cent of the booking's own.
        difference = company.round(
            -liquidity.balance - sum(
                command[2]["balance"] for command in commands if command[0] == Command.CREATE
            )
        )
        commands[1][2]["balance"] += difference
        line.move_id.with_context(
            skip_readonly_check=True, force_delete=True, **IN_FULL
        ).write({"line_ids": commands})
        made = {(item.name, item.account_id): item for item in line.move_id.line_ids}
        return [
            made[payment.end_to_end_id, account] + self._targets(payment)
            for payment, account in wanted
        ]

    def _link(self, match, lines, rows_of):
        """Note on each line which payments it executed or brought back."""
        pairs = {
            (lines[key].id, pay)
            for found in (match.executed, match.returned)
            for key, payments in found.items()
            for pay in payments
        }
        pairs |= {
            (line.id, row.payment)
            for line, rows in rows_of.items()
            for row in rows
            if row.settles
        }
        self._link_payments([(lines[next(iter(lines))].browse(id_), pay) for id_, pay in pairs])

    def _link_payments(self, pairs):
        """Note which lines executed or brought back which payments: (line, payment)."""
        if not pairs:
            return
        field = self.env["account.bank.statement.line"]._fields["bank_payment_ids"]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s::int[], %s::int[])",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                [line.id for line, _payment in pairs],
                [payment.id for _line, payment in pairs],
            )
        )
        self.env["account.bank.statement.line"].invalidate_model(["bank_payment_ids"])

    def _mark_settled(self, payments):
        """The bank booked these: executed beyond doubt."""
        payments = payments.with_context(bank_engine=ENGINE, tracking_disable=True)
        # What undoing the match has to bring back.
        for status, those in payments.grouped("bank_status").items():
            those.write({"bank_booked": True, "bank_status_before": status})
        payments.filtered(lambda pay: not pay.move_id).write({"state": "paid"})
        notes = payments._bank_apply(
            {
                pay: {"status": "ACSC"}
                for pay in payments
                if pay.bank_status not in ("ACSC", "ACCC")
            }
        )
        payments.bank_batch_id._engine()._follow_payments()
        return notes
