"""Bookings that are here, for the rule that recognises them (``formats/identity.py``)."""

import json
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ..formats.identity import NEAR, Extent, Known, Mention
from ..formats.report import FINAL

MOST_KEYS = 5000  # whose last number is kept from slice to slice


class BankStatementKnown(models.AbstractModel):
    _name = "bank.statement.known"
    _description = "Bookings that are known"

    @api.model
    def _lookup_of(self, record):
        """What :class:`formats.identity.Recogniser` asks for bookings of a report's account."""
        extents = {}
        return lambda mentions: self._known(record, mentions, extents)

    @api.model
    def _known(self, record, mentions, extents):
        """Bookings of these amounts, and of days near these."""
        days = [day for told in mentions for day in told.days]
        if not mentions:
            return []
        lines = self.env["account.bank.statement.line"]
        lines.flush_model(
            [
                "amount", "bank_told", "bank_booking_date", "bank_value_date", "bank_entry_key",
                "bank_report_id",
            ]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, amount::text, bank_booking_date, bank_value_date, bank_reference,
                       bank_told, statement_id
                  FROM account_bank_statement_line
                 WHERE journal_id = %s AND bank_entry_key IS NOT NULL
                   AND amount = ANY(%s::numeric[])
                   -- What this report told already, of a long one most, is another booking.
                   AND bank_report_id IS DISTINCT FROM %s
                   AND (bank_told @> %s::jsonb) IS NOT TRUE
                   AND %s
              ORDER BY internal_index
                """,
                record.journal_id.id,
                sorted({str(told.amount) for told in mentions}),
                record.id,
                json.dumps([{"r": record.id}]),
                SQL(
                    "COALESCE(bank_booking_date, bank_value_date) BETWEEN %s AND %s",
                    min(days) - timedelta(days=NEAR), max(days) + timedelta(days=NEAR),
                ) if days else SQL("TRUE"),
            )
        )
        missing = {each["r"] for row in rows for each in row[5] or []} - extents.keys()
        # sudo: what is compared is the engine's own.
        for report in self.env["bank.account.report"].sudo().browse(missing).exists():
            extents[report.id] = report._extent()
        return [self._known_of(row, extents) for row in rows]

    def _known_of(self, row, extents):
        line_id, amount, booked, valued, reference, told, statement_id = row
        amount = Decimal(amount)
        mentions = [
            Mention(
                extent=extents.get(each["r"]) or Extent(each["r"], each["k"], each["k"] in FINAL),
                amount=amount,
                booking_date=fields.Date.to_date(each.get("d")),
                value_date=fields.Date.to_date(each.get("v")),
                bank_reference=each.get("b"),
                references=frozenset(each.get("n", ())),
                text=each.get("t", ""),
                found=Decimal(each["f"]) if "f" in each else None,
            )
            for each in told or []
        ]
        if not mentions:
            # Taken in before what was told of a booking was kept.
            extent = Extent(("statement", statement_id), "camt.053", True)
            mentions = [Mention(extent, amount, booked, valued, reference)]
        return Known(line_id, mentions)

    @api.model
    def _as_json(self, mention):
        """A mention as it is kept with its booking; what is absent is left out."""
        values = {
            "r": mention.extent.id,
            "k": mention.extent.kind,
            "d": mention.booking_date and fields.Date.to_string(mention.booking_date),
            "v": mention.value_date and fields.Date.to_string(mention.value_date),
            "b": mention.bank_reference,
            "n": sorted(mention.references),
            "t": mention.text,
            "f": None if mention.found is None else str(mention.found),
        }
        return {name: value for name, value in values.items() if value}

    @api.model
    def _add_mentions(self, told):
        """Note on each line that another report told it.

        :param told: list of (line's id, mention)
        """
        if not told:
            return
        rows = [[line_id, [self._as_json(mention)]] for line_id, mention in told]
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_bank_statement_line line
                   SET bank_told = COALESCE(line.bank_told, '[]'::jsonb) || (told.value -> 1)
                  FROM jsonb_array_elements(%s::jsonb) told
                 WHERE line.id = (told.value ->> 0)::int
                """,
                json.dumps(rows),
            )
        )
        self.env["account.bank.statement.line"].invalidate_model(["bank_told"])

    @api.model
    def _next_keys(self, journal, mentions, days, last):
        """A key for each new booking: day, amount, and which of several it is.

        Two workers that take in one booking at once come upon one key, and the database lets
        only one of them have it: the other finds the booking when it tries again.

        :param days: the day of each
        :param last: the last number of a day and amount, as far as it is known: kept from slice
            to slice of a report, so that the database need not count its bookings over and over
        """
        bases = [
            f"{day}:{mention.amount.normalize():f}"
            for mention, day in zip(mentions, days, strict=True)
        ]
        if len(last) > MOST_KEYS:
            last.clear()
        asked = {
            base: (mention, day)
            for mention, day, base in zip(mentions, days, bases, strict=True)
            if base not in last
        }
        if asked:
            # What else is found, of near days, need not be all.
            found = self._last_keys(journal, asked.values())
            last.update({base: found.get(base, 0) for base in asked})
        keys = []
        for base in bases:
            last[base] += 1
            keys.append(f"{base}:{last[base]}")
        return keys

    def _last_keys(self, journal, asked):
        """The last number of days and amounts.

        :param asked: list of (mention, day)
        """
        days = [day for _mention, day in asked]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT split_part(bank_entry_key, ':', 1) || ':'
                           || split_part(bank_entry_key, ':', 2),
                       max(split_part(bank_entry_key, ':', 3)::int)
                  FROM account_bank_statement_line
                 WHERE journal_id = %s
                   -- Keys of an earlier version looked otherwise.
                   AND bank_entry_key ~ '^[0-9]+-[0-9]+-[0-9]+:[-.0-9]+:[0-9]{1,9}$'
                   AND amount = ANY(%s::numeric[])
                   -- Near days too: a statement may have moved a booking that an advice told.
                   AND COALESCE(bank_booking_date, bank_value_date) BETWEEN %s AND %s
              GROUP BY 1
                """,
                journal.id,
                sorted({str(mention.amount) for mention, _day in asked}),
                min(days) - timedelta(days=NEAR), max(days) + timedelta(days=NEAR),
            )
        )
        return dict(rows)
