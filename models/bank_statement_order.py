"""Bookings stay in the bank's order, whenever their statement arrives."""

from odoo import models
from odoo.tools import SQL

from ..formats import continuity
from .bank_line_copy import MAXINT


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _bank_keep_order(self, late):
        """Put the bookings of a statement before those of statements that follow it.

        Odoo orders the bookings of one day as they were taken in. Only where that is not the
        bank's order, the day's bookings are numbered anew.

        :param late: the `bank.account.report` that was taken in last
        """
        self.ensure_one()
        lines = self.env["account.bank.statement.line"]
        lines.flush_model()
        late.flush_model()
        first, last = self.env.execute_query(
            SQL(
                "SELECT left(min(internal_index), 8), left(max(internal_index), 8) || 'x'"
                "  FROM account_bank_statement_line WHERE bank_report_id = %s",
                late.id,
            )
        )[0]
        others = SQL(
            """
              FROM account_bank_statement_line line
              JOIN bank_account_report report ON report.id = line.bank_report_id
             WHERE line.journal_id = %s AND report.final AND report.done
               AND line.internal_index BETWEEN %s AND %s
            """,
            self.id, first, last,
        )
        if not self.env.execute_query(
            SQL("SELECT 1 %s AND line.bank_report_id <> %s LIMIT 1", others, late.id)
        ):
            return
        rows = self.env.execute_query(
            SQL(
                "SELECT line.id, line.bank_report_id, line.internal_index %s "
                "ORDER BY line.internal_index",
                others,
            )
        )
        reports = late.browse({row[1] for row in rows})
        ranks = {
            statement.id: rank
            for rank, statement in enumerate(
                continuity.in_order(
                    self._bank_statements(
                        reports.sorted("id").filtered(lambda each: each.has_balances and each.date)
                    )
                )
            )
        }
        wanted = sorted(rows, key=lambda row: (row[2][:8], ranks.get(row[1], -1), row[2]))
        if wanted == rows:
            return
        numbers, day, left = [], None, 0
        for line_id, _report, index in reversed(wanted):
            left = left + 1 if index[:8] == day else 1
            day = index[:8]
            numbers.append((line_id, left))
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_bank_statement_line line
                   SET sequence = new.sequence,
                       internal_index = left(line.internal_index, 8)
                           || lpad((%(most)s - new.sequence)::text, 10, '0')
                           || lpad(line.id::text, 10, '0')
                  FROM unnest(%(lines)s::int[], %(numbers)s::int[]) new(id, sequence)
                 WHERE line.id = new.id
                """,
                most=MAXINT,
                lines=[line_id for line_id, _number in numbers],
                numbers=[number for _line_id, number in numbers],
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE account_bank_statement statement
                   SET first_line_index = line.first
                  FROM (SELECT statement_id, min(internal_index) AS first
                          FROM account_bank_statement_line
                         WHERE statement_id IN %s GROUP BY statement_id) line
                 WHERE statement.id = line.statement_id
                """,
                tuple(reports.statement_id.ids) or (0,),
            )
        )
        lines.invalidate_model(["sequence", "internal_index"])
        self.env["account.bank.statement"].invalidate_model(["first_line_index"])
