"""The bank's side of a reconciliation: its statements, what they say, and where they don't fit."""

from odoo import api, models
from odoo.tools import SQL

#: SQL: the bank's date of a booking. The ledger's own stands in where the bank gave none.
BANK_DATE = SQL("COALESCE(line.bank_booking_date, line.bank_value_date, move.date)")


class BankReconciliationBank(models.AbstractModel):
    _name = "bank.reconciliation.bank"
    _description = "Bank's Side of a Reconciliation"

    @api.model
    def _bank_side(self, scope):
        """What the bank says at the end of the day.

        :param scope: of ``bank.reconciliation.books``
        :return: fields of the sheet, (the bank's first day, function for the opening's clues),
            the other clues
        """
        statements = self._statements(scope)
        day = scope["day"]
        told = [each for each in statements if each["last_day"] <= day]
        later = [each for each in statements if each["last_day"] > day]
        last = told[-1] if told else None
        first = statements[0] if statements else None
        first_booking, stray = self._without_statement(scope, first, last)
        since_count, since = self._since(scope, last, later)
        base = last["closing"] if last else first["opening"] if first else 0.0
        balance = base + since
        values = {
            "bank_known": bool(first),
            "statement_id": last["id"] if last else False,
            "statement_name": last["name"] if last else False,
            "statement_date": last["last_day"] if last else False,
            "statement_balance": base,
            "since_count": since_count,
            "since_amount": since,
            "bank_balance": balance,
            "coverage": self._coverage(scope, first, last, later, balance),
        }
        clues = [*self._clues(scope, told), *self._stray_clue(stray)]

        def opening(of_ledger):
            """Clues on the opening, given what the ledger opened with."""
            ledger = of_ledger + stray["before"]
            if not first:
                return []
            return [{
                "code": "opening", "amount": first["opening"] - ledger,
                "statement": first["name"], "bank": first["opening"], "ledger": ledger,
            }]

        return values, (first_booking, opening), clues

    def _statements(self, scope):
        """The bank's statements in their order, by the bank's dates.

        A statement without bookings is none of Odoo's, but says how the account stood that day.
        """
        self.env.cr.execute(
            SQL(
                """SELECT statement.id, statement.name, MIN(%(date)s) AS first_day,
                          GREATEST(MAX(%(date)s), MAX(report.date)) AS last_day,
                          COALESCE(statement.balance_start, 0) AS opening,
                          COALESCE(statement.balance_end_real, 0) AS closing,
                          SUM(line.amount) AS booked, statement.first_line_index AS place
                     FROM account_bank_statement statement
                     JOIN account_bank_statement_line line ON line.statement_id = statement.id
                     JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
                     LEFT JOIN bank_account_report report ON report.id = statement.bank_report_id
                    WHERE line.journal_id = %(journal)s
                 GROUP BY statement.id
                    UNION ALL
                   SELECT NULL, COALESCE(report.name, ''), report.date, report.date,
                          report.opening, report.closing, 0, NULL
                     FROM bank_account_report report
                    WHERE report.journal_id = %(journal)s AND report.final AND report.done
                      AND report.has_balances AND report.date IS NOT NULL
                      AND report.booked_count = 0
                 ORDER BY last_day, place NULLS LAST, id""",
                date=BANK_DATE, journal=scope["journal"].id,
            )
        )
        return self.env.cr.dictfetchall()

    def _without_statement(self, scope, first, last):
        """Bookings of the bank that are on no statement, up to the last one.

        :return: day of the first booking of all, and what is before the first statement and
            between the statements
        """
        day = scope["day"]
        start = first["first_day"] if first else day
        end = last["last_day"] if last else None
        within = SQL("%s >= %s AND %s <= %s", BANK_DATE, start, BANK_DATE, end)
        found = self.env.execute_query(
            SQL(
                """SELECT MIN(%(date)s),
                          COALESCE(SUM(line.amount) FILTER (
                              WHERE line.statement_id IS NULL AND %(date)s < %(start)s
                                AND %(date)s <= %(day)s), 0),
                          COALESCE(SUM(line.amount) FILTER (
                              WHERE line.statement_id IS NULL AND %(within)s), 0),
                          COUNT(*) FILTER (WHERE line.statement_id IS NULL AND %(within)s)
                     FROM account_bank_statement_line line
                     JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
                    WHERE line.journal_id = %(journal)s""",
                date=BANK_DATE, start=start, day=day, within=within if end else SQL("FALSE"),
                journal=scope["journal"].id,
            )
        )[0]
        return found[0], {"before": found[1], "within": found[2], "count": found[3]}

    def _since(self, scope, last, later):
        """What the bank booked up to the day, after what its last statement closes with.

        :return: number and sum
        """
        after = SQL("%s > %s", BANK_DATE, last["last_day"]) if last else SQL("TRUE")
        if not last and later:
            after = SQL("%s >= %s", BANK_DATE, later[0]["first_day"])
        return self.env.execute_query(
            SQL(
                """SELECT COUNT(*), COALESCE(SUM(line.amount), 0)
                     FROM account_bank_statement_line line
                     JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
                    WHERE line.journal_id = %s AND %s <= %s
                      AND (line.statement_id = ANY(%s) OR (line.statement_id IS NULL AND %s))""",
                scope["journal"].id, BANK_DATE, scope["day"],
                [each["id"] for each in later if each["id"]], after,
            )
        )[0]

    def _coverage(self, scope, first, last, later, balance):
        """How the bank confirms the balance at the end of the day.

        ``day``: a statement ends on it. ``later``: none does, but the next one starts from this
        balance, or runs over the day. ``open``: nothing of the bank's tells about the days since
        its last statement. ``none``: there is no statement at all.
        """
        if not first:
            return "none"
        if last and last["last_day"] == scope["day"]:
            return "day"
        if not later:
            return "open"
        following = later[0]
        if following["first_day"] <= scope["day"]:
            return "later"
        same = scope["currency"].compare_amounts(following["opening"], balance) == 0
        return "later" if same else "open"

    # -- where a difference comes from ------------------------------------------------------------

    def _clues(self, scope, statements):
        """Statements that don't continue the one before, or don't add up."""
        previous = None
        for each in statements:
            if previous:
                yield {
                    "code": "gap", "amount": each["opening"] - previous["closing"],
                    "statement": each["name"], "bank": each["opening"],
                    "before": previous["closing"], "previous": previous["name"],
                }
            yield {
                "code": "sum",
                "amount": each["closing"] - each["opening"] - each["booked"],
                "statement": each["name"], "bank": each["closing"] - each["opening"],
                "booked": each["booked"],
            }
            previous = each

    def _stray_clue(self, stray):
        """Bookings that no statement has, although statements cover their days."""
        yield {"code": "stray", "amount": -stray["within"], "count": stray["count"]}
