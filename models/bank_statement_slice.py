"""Booking a slice of a bank's report: new lines, and lines that an advice told earlier."""

import json
from decimal import Decimal

from odoo import fields, models
from odoo.tools import SQL

from ..formats.entry_details import code_text, entry_details


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _book_slice(self, record, recogniser, slice_, last_keys):
        """Book what is new among some entries of a report.

        :param slice_: (entry, its mention or None) in the order of the report
        :param last_keys: kept from slice to slice, see ``bank.statement.known._next_keys``
        :return: notes
        """
        told = [(entry, mention) for entry, mention in slice_ if mention]
        if not told:
            return []
        known_bookings = self.env["bank.statement.known"]
        decisions = recogniser.decide(
            [mention for _entry, mention in told], [entry.position for entry, _mention in told]
        )
        fresh, seen, adopted = [], [], []
        for (entry, mention), known in zip(told, decisions, strict=True):
            if known:
                seen.append((known.id, mention))
                if record.final and not known.final:
                    adopted.append((known.id, entry))
            else:
                fresh.append((entry, mention))
        known_bookings._add_mentions(seen)
        self._note_known_sum(record, told, decisions)
        adopted_lines = self._adopt(record, adopted)
        if not record.final and record.journal_id.bank_book_from != "advice":
            notes = self._follow_advice(record, [entry for entry, _mention in fresh])
            lines = {}
        else:
            notes, lines = self._book_fresh(record, fresh, adopted_lines, last_keys)
        if record.final and not record.first_line_id:
            first = decisions[0].id if decisions[0] else lines[id(told[0][0])].id
            record.first_line_id = first
        return notes

    def _note_known_sum(self, record, told, decisions):
        """The sum of what an earlier statement told is no part of this statement's own lines."""
        before = [
            mention.amount for (_entry, mention), known in zip(told, decisions, strict=True)
            if known and known.final
        ]
        if before:
            record.known_count += len(before)
            record.told_sum = float(record._money(record.told_sum) + sum(before, Decimal(0)))

    def _book_fresh(self, record, fresh, adopted, last_keys):
        """Create lines and match them, together with adopted lines that are still open.

        :param fresh: (entry, mention)
        :param adopted: entry → line, by the entry's identity
        :return: notes, and the lines made: identity of the entry → line
        """
        journal = record.journal_id
        matcher = self.env["bank.statement.match"].with_company(journal.company_id)
        open_ = {key: pair for key, pair in adopted.items() if not pair[1].is_reconciled}
        entries = [entry for entry, _mention in fresh] + [entry for entry, _line in open_.values()]
        if not entries:
            return [], {}
        match = matcher._find(journal, entries)
        made = {}
        if fresh:
            lines = self.env["account.bank.statement.line"].with_company(journal.company_id)
            lines = lines.with_context(**lines.env["account.move"]._bank_quietly())
            values = self._lines_values(record, fresh, match, last_keys)
            lines = lines._bank_create_lines(values)
            made = dict(zip((id(entry) for entry, _mention in fresh), lines, strict=True))
            record.new_count += len(made)
        lines = made | {key: line for key, (_entry, line) in open_.items()}
        return matcher._settle(match, lines), made

    def _follow_advice(self, record, entries):
        """What is not booked from an advice still says that payments were executed."""
        booked = [entry for entry in entries if entry.amount < 0 and not entry.reversal]
        matcher = self.env["bank.statement.match"]
        match = matcher._find(record.journal_id, booked, sent_only=True)
        payments = self.env["account.payment"].union(*match.executed.values())
        payments._bank_note_references(match.bank_references(booked))
        return payments._bank_apply({pay: {"status": "ACSC"} for pay in payments})

    # -- lines that an advice made ----------------------------------------------------------

    def _adopt(self, record, adopted):
        """Let the statement take over lines that an advice told: it knows better.

        Neither amount nor day of the entry is touched: they may be reconciled and reported.

        :param adopted: (line's id, entry)
        :return: entry's identity → (entry, line)
        """
        if not adopted:
            return {}
        lines = self.env["account.bank.statement.line"]
        lines.flush_model()
        values = [
            {
                "id": line_id,
                "booked": entry.booking_date and fields.Date.to_string(entry.booking_date),
                "valued": entry.value_date and fields.Date.to_string(entry.value_date),
                "reference": entry.bank_reference,
                "details": entry_details(entry),
            }
            for line_id, entry in adopted
        ]
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_bank_statement_line line
                   SET bank_report_id = %(report)s, bank_message_id = %(message)s,
                       bank_booking_date = COALESCE(new.booked, line.bank_booking_date),
                       bank_value_date = COALESCE(new.valued, line.bank_value_date),
                       bank_reference = COALESCE(new.reference, line.bank_reference),
                       transaction_details =
                           COALESCE(line.transaction_details, '{}'::jsonb) || new.details
                  FROM jsonb_to_recordset(%(values)s::jsonb) AS new(
                       id int, booked date, valued date, reference text, details jsonb)
                 WHERE line.id = new.id
                """,
                report=record.id, message=self.id, values=json.dumps(values),
            )
        )
        lines.invalidate_model()
        return {
            id(entry): (entry, lines.browse(line_id)) for line_id, entry in adopted
        }

    # -- values -----------------------------------------------------------------------------

    def _lines_values(self, record, fresh, match, last_keys):
        known_bookings = self.env["bank.statement.known"]
        days = [self._day_of(record, entry) for entry, _mention in fresh]
        keys = known_bookings._next_keys(
            record.journal_id, [mention for _entry, mention in fresh], days, last_keys
        )
        return [
            self._line_values(record, entry, match)
            | {
                "date": fields.Date.to_string(day),
                "bank_entry_key": key,
                "bank_told": [known_bookings._as_json(mention)],
                "bank_booking_date": entry.booking_date or (not entry.value_date and day) or False,
            }
            for (entry, mention), key, day in zip(fresh, keys, days, strict=True)
        ]

    def _day_of(self, record, entry):
        return (
            entry.booking_date or entry.value_date or record.date or self.create_date.date()
        )

    def _line_values(self, record, entry, match):
        detail = entry.details[0] if len(entry.details) == 1 else None
        if entry.batch and (entry.batch.count or 0) > 1:
            detail = None  # it tells of a part only: the booking is not its payee's
        partner = match.partner_of(entry)
        other, account = None, None
        if detail:
            # On a debit the other side is the creditor, on a credit the debtor.
            other = detail.creditor if entry.amount < 0 else detail.debtor
            account = detail.creditor_account if entry.amount < 0 else detail.debtor_account
        values = {
            "journal_id": record.journal_id.id,
            "amount": float(entry.amount),
            "payment_ref": self._label(entry, detail),
            "partner_id": partner.id if partner else False,
            "partner_name": other.name if other else False,
            "account_number": (account.iban or account.other) if account else False,
            "transaction_type": code_text(entry.transaction_code) or False,
            "transaction_details": entry_details(entry),
            "bank_reference": entry.bank_reference or entry.reference,
            "bank_value_date": entry.value_date,
            "bank_message_id": self.id,
            "bank_report_id": record.id,
        }
        counterpart = match.counterpart_account(entry)
        if counterpart:
            values["counterpart_account_id"] = counterpart.id
        return values

    def _label(self, entry, detail):
        words = []
        if detail:
            words += [detail.creditor_reference, *detail.remittance_unstructured]
        elif entry.batch:
            words.append(entry.batch.message_id or entry.batch.payment_information_id)
        words = [word for word in words if word]
        words = words or [entry.additional_information or (detail and detail.end_to_end_id) or "/"]
        return " ".join(words)

    # -- the statement ----------------------------------------------------------------------

    def _finish_report(self, record):
        """Make Odoo's statement of the report's own lines, once all are booked.

        Odoo would read every line to compute a statement's fields, and again for each slice: here
        the database adds them up once.
        """
        record.done = True
        notes = []
        if record.known_count and record.final:
            notes.append(
                self.env._("%(known)s of %(all)s bookings were on an earlier statement already.",
                  known=record.known_count, all=record.booked_count)
            )
        if not record.final:
            return notes
        lines = self.env["account.bank.statement.line"]
        lines.flush_model()
        count, total, first, day = self.env.execute_query(
            SQL(
                """
                SELECT count(*), COALESCE(sum(amount), 0)::text, min(internal_index),
                       (max(ARRAY[internal_index, move.date::text]))[2]
                  FROM account_bank_statement_line line
                  JOIN account_move move ON move.id = line.move_id
                 WHERE bank_report_id = %s AND move.state = 'posted'
                """,
                record.id,
            )
        )[0]
        if not count:
            return notes
        statement = self._make_statement(record, count, Decimal(total), first, day)
        for table, column in (
            ("account_bank_statement_line", "id"), ("account_move_line", "statement_line_id"),
        ):
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE %(table)s SET statement_id = %(statement)s
                      FROM account_bank_statement_line line
                     WHERE line.bank_report_id = %(report)s
                       AND %(table)s.%(column)s = line.id
                    """,
                    table=SQL.identifier(table), column=SQL.identifier(column),
                    statement=statement.id, report=record.id,
                )
            )
        lines.invalidate_model(["statement_id"])
        self.env["account.move.line"].invalidate_model(["statement_id"])
        statement.invalidate_recordset(["line_ids"])
        record.statement_id = statement
        record.journal_id._bank_keep_order(record)
        return notes

    def _make_statement(self, record, count, total, first, day):
        """Odoo's statement, with all that it would compute of its lines."""
        journal = record.journal_id
        name = [journal.code, self.env._("Statement"), record.name or record.number]
        statement = (
            self.env["account.bank.statement"]
            .with_company(journal.company_id)
            .create(
                {
                    "name": " ".join(str(part) for part in name if part),
                    "bank_message_id": self.id,
                    "bank_report_id": record.id,
                    "bank_sequence": str(record.number) if record.number else False,
                }
            )
        )
        computed = {
            "journal_id": journal.id,
            "company_id": journal.company_id.id,
            "currency_id": record.currency_id.id,
            "date": day,
            "first_line_index": first,
        }
        if record.has_balances:
            start = record._money(record.opening) + record._money(record.told_sum)
            closing = record._money(record.closing)
            computed |= {
                "balance_start": start,
                "balance_end": start + total,
                "balance_end_real": closing,
                "is_complete": start + total == closing,
            }
        for name in computed:
            # It has no lines yet that Odoo could compute this from.
            self.env.remove_to_compute(statement._fields[name], statement)
        statement.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE account_bank_statement SET %s WHERE id = %s",
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value)
                    for name, value in computed.items()
                ),
                statement.id,
            )
        )
        statement.invalidate_recordset()
        return statement
