"""Which booking on a statement belongs to which payment, found and booked for all at once."""

from dataclasses import dataclass, field
from decimal import Decimal

from odoo import Command, api, models
from odoo.tools import SQL

from . import bulk_rows
from .account_bulk import IN_FULL, OF_ENTRIES, OF_LINES
from .audit_mask import masked
from .engine import ENGINE


@dataclass
class Match:
    """What was found for the entries of one statement, by the entry's identity (``id()``).

    :ivar executed: entry → payments that it executed
    :ivar returned: entry → the payment that it brought back, and the reason
    :ivar contradicted: entry → payments that it executed although they were given up here, after
        the bank's own rejection: nothing is booked for them, people have to look
    """

    executed: dict = field(default_factory=dict)
    returned: dict = field(default_factory=dict)
    contradicted: dict = field(default_factory=dict)
    none: models.Model = None

    def payments_of(self, entry):
        if id(entry) in self.returned:
            return self.returned[id(entry)][0]
        return self.executed.get(id(entry), self.none)

    def counterpart_account(self, entry):
        """The account to book the entry against at once; none where it has to be split."""
        payments = self.payments_of(entry)
        if id(entry) in self.returned:
            return payments.destination_account_id
        accounts = {pay.outstanding_account_id for pay in payments}
        if len(accounts) != 1:
            return None
        account = accounts.pop()
        if account:
            return account
        # No entry yet: the statement pays the bill itself. Several bills or a discount are split.
        if len(payments) == 1 and not any(payments.bank_instalment_ids.mapped("discount")):
            return payments.destination_account_id
        return None


class BankStatementMatch(models.AbstractModel):
    _name = "bank.statement.match"
    _description = "Match of statement and payments"

    # -- finding ----------------------------------------------------------------------------

    @api.model
    def _find(self, journal, entries):
        """Match entries to this module's payments, by end-to-end id, UETR, or batch.

        :param entries: :class:`formats.incoming.Entry`, booked
        :return: a :class:`Match`; what fits nothing, or not to the cent, is left out
        """
        match = Match(none=self.env["account.payment"])
        by_reference = self._payments_by_reference(journal, entries)
        by_batch = self._batches_by_reference(journal, entries)
        taken = set()
        for entry in entries:
            if self._is_return(entry):
                payment = self._payment_of(entry.details, by_reference)
                if len(payment) == 1 and self._same(entry.amount, payment):
                    match.returned[id(entry)] = (payment, self._return_reason(entry))
                continue
            if entry.amount >= 0:
                continue
            payments = self._payment_of(entry.details, by_reference)
            if not payments and entry.batch:
                payments = by_batch.get(
                    entry.batch.payment_information_id, by_batch.get(entry.batch.message_id)
                )
                payments = (payments or match.none).filtered(
                    lambda pay: pay.bank_status not in ("RJCT", "CANC")
                )
            payments = (payments or match.none).filtered(
                lambda pay: not pay.bank_booked and pay.id not in taken
            )
            if any(pay.state in ("rejected", "canceled") for pay in payments):
                match.contradicted[id(entry)] = payments
            elif payments and self._same(-entry.amount, payments):
                match.executed[id(entry)] = payments
                taken.update(payments.ids)
        payments = match.none.union(*match.executed.values())
        bulk_rows.read_at_once(payments, payments.bank_instalment_ids)
        return match

    def _is_return(self, entry):
        if entry.amount <= 0:
            return False
        code = entry.transaction_code
        return (
            entry.reversal
            or (code and code.subfamily in ("RRTN", "RPCR", "RVRS"))
            or any(detail.return_reason for detail in entry.details)
        )

    def _return_reason(self, entry):
        for detail in entry.details:
            if detail.return_reason:
                reason = detail.return_reason
                return reason.code or reason.proprietary, " ".join(reason.additional)
        return None, entry.additional_information

    def _same(self, amount, payments):
        return amount == sum(
            Decimal(f"{pay.currency_id.round(pay.amount):.{pay.currency_id.decimal_places}f}")
            for pay in payments
        )

    def _payment_of(self, details, by_reference):
        payments = self.env["account.payment"]
        for detail in details:
            references = (detail.end_to_end_id, detail.uetr, detail.instruction_id)
            found = next((by_reference[ref] for ref in references if ref in by_reference), None)
            if found is None:
                return self.env["account.payment"]
            payments |= found
        return payments

    def _payments_by_reference(self, journal, entries):
        references = {
            reference
            for entry in entries
            for detail in entry.details
            for reference in (detail.end_to_end_id, detail.uetr, detail.instruction_id)
            if reference
        }
        payments = self.env["account.payment"].search(
            [
                ("journal_id", "=", journal.id),
                "|", ("end_to_end_id", "in", list(references)), ("uetr", "in", list(references)),
            ]
        )
        return {
            reference: payment
            for payment in payments
            for reference in (payment.end_to_end_id, payment.uetr)
        }

    def _batches_by_reference(self, journal, entries):
        references = {
            reference.removesuffix("-1")
            for entry in entries
            if entry.batch
            for reference in (entry.batch.message_id, entry.batch.payment_information_id)
            if reference
        }
        batches = self.env["bank.payment.batch"].search(
            [("journal_id", "=", journal.id), ("reference", "in", list(references))]
        )
        found = {}
        for batch in batches:
            found[batch.reference] = found[f"{batch.reference}-1"] = batch.payment_ids
        return found

    # -- booking ----------------------------------------------------------------------------

    @api.model
    def _settle(self, match, lines):
        """Reconcile the new statement lines with the payments found for them.

        :param lines: identity of the entry → its statement line
        :return: notes
        """
        settled = self.env["account.payment"].union(*match.executed.values())
        # What was called rejected stands again first, so that the booking finds its entry.
        rejected = settled.filtered(lambda pay: pay.bank_status in ("RJCT", "CANC"))
        rejected._bank_apply({pay: {"status": "ACSC"} for pay in rejected})
        quiet = self.with_context(**self.env["account.move"]._bank_quietly())
        payments = settled.with_env(quiet.env)
        booked = quiet.env["account.bank.statement.line"].concat(*lines.values())
        entries = booked.move_id | payments.move_id
        bills = payments.bank_instalment_ids.move_id
        items = entries.line_ids | payments.bank_instalment_ids.move_line_id
        bulk_rows.read_at_once(payments, entries, bills, items)
        with bills._bank_noting(), bulk_rows.postponed((entries, OF_ENTRIES), (booked, OF_LINES)):
            plan = quiet._plan(match, lines)
            # The booking pays the bills now: nothing else holds them from here on.
            payments.bank_instalment_ids._release()
            if plan:
                quiet.env["account.move.line"]._reconcile_plan(plan)
            quiet._link(match, lines)
            notes = quiet._mark_settled(payments)
        for key, (payment, reason) in match.returned.items():
            self._book_return(lines[key], payment, *reason)
        for key, payments in match.contradicted.items():
            # The warning to the accountant comes with the status.
            notes += payments._bank_apply({payment: {"status": "ACSC"} for payment in payments})
            lines[key].bank_payment_ids = payments
        return notes

    def _plan(self, match, lines):
        """What to reconcile with what, after splitting lines where need be."""
        plan, split = [], []
        for key, payments in match.executed.items():
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

    def _link(self, match, lines):
        """Note on each line which payments it executed or brought back."""
        found = dict(match.executed)
        found |= {key: payment for key, (payment, _reason) in match.returned.items()}
        self._link_payments(
            [(lines[key], pay) for key, payments in found.items() for pay in payments]
        )

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

    def _book_return(self, line, payment, code, text):
        """Money that came back: the bill is open again, the payment rejected after the fact."""
        payment = payment.with_context(bank_engine=ENGINE)
        bills = payment.bank_instalment_ids.move_line_id
        payable = payment.destination_account_id
        paid = payment.move_id.line_ids or self._booking_of(payment, line).line_ids
        paid = paid.filtered(lambda item: item.account_id == payable)
        # Free the bills from what paid them, and let the two movements of money cancel out.
        (paid.matched_debit_ids + paid.matched_credit_ids).filtered(
            lambda partial: (partial.debit_move_id + partial.credit_move_id) & bills
        ).unlink()
        _liquidity, suspense, other = line._seek_for_lines()
        back = suspense or other
        (paid + back).filtered(lambda item: not item.reconciled).reconcile()
        payment.write(
            {
                "bank_returned": True,
                "bank_return_line_id": line.id,
                "bank_reason": code or False,
                "bank_reason_text": masked(text or "") or False,
            }
        )
        payment.bank_instalment_ids._release()
        payment.action_reject()
        payment._bank_hold_accounts()
        payment._bank_tell_accountant(
            self.env._("The payment to %(payee)s came back: %(reason)s",
              payee=payment.partner_id.display_name,
              reason=payment._bank_explanation() or self.env._("no reason was given."))
        )

    def _booking_of(self, payment, line):
        return self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payment.ids), ("amount", "<", 0), ("id", "!=", line.id)],
            limit=1,
        ).move_id
