"""Checks of whole accounts: the bank's balance and bookings against the ledger's."""

from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL


class BankDiscrepancyCheck(models.AbstractModel):
    _inherit = "bank.discrepancy.check"

    def _checks_of_accounts(self):
        return [
            *super()._checks_of_accounts(),
            (("balance_off",), self._find_balances),
            (("open_lines",), self._find_open_lines),
            (("manual_line",), self._find_manual_lines),
            (("manual_entry",), self._find_manual_entries),
            (("transit_old",), self._find_old_transit),
        ]

    @api.model
    def _statement_spans(self, company):
        """Connected journal's id → days of the first and the last booking that its statements
        from the bank show, and the last of these statements."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT statement.journal_id, min(span.first), max(span.last),
                       (array_agg(statement.id ORDER BY span.last DESC, statement.id DESC))[1]
                  FROM account_bank_statement statement
                  JOIN account_journal journal ON journal.id = statement.journal_id
                  JOIN LATERAL (
                    SELECT min(COALESCE(line.bank_booking_date, entry.date)) AS first,
                           max(COALESCE(line.bank_booking_date, entry.date)) AS last
                      FROM account_bank_statement_line line
                      JOIN account_move entry ON entry.id = line.move_id
                     WHERE line.statement_id = statement.id) span ON span.last IS NOT NULL
                 WHERE statement.bank_message_id IS NOT NULL
                   AND journal.bank_connection_id IS NOT NULL AND journal.company_id = %s
              GROUP BY statement.journal_id
                """,
                company.id,
            )
        )
        return {journal: (first, last, statement) for journal, first, last, statement in rows}

    # -- balance ------------------------------------------------------------------------------

    def _find_balances(self, company):
        """Accounts whose ledger balance is not what the bank's last statement ends with."""
        spans = self._statement_spans(company)
        journals = self.env["account.journal"].browse(list(spans))
        statements = self.env["account.bank.statement"].browse([s[2] for s in spans.values()])
        ledger = self._ledger_balances(spans)
        found = []
        for journal, statement in zip(journals, statements, strict=True):
            if journal.id not in ledger:
                continue
            currency = journal._bank_currency()
            last = spans[journal.id][1]
            bank = Decimal(self._money(statement.balance_end_real, currency).split()[0])
            ours = Decimal(self._money(ledger[journal.id], currency).split()[0])
            if bank == ours:
                continue
            values = {
                "about": journal.display_name, "account": journal.display_name, "date": str(last),
                "bank": f"{bank} {currency.name}", "ledger": f"{ours} {currency.name}",
                "difference": f"{ours - bank:+} {currency.name}",
            }
            rows = [
                {"what": "balance", "approved": None, "bank": values["bank"],
                 "ledger": values["ledger"], "differs": True},
                {"what": "date", "approved": None, "bank": str(last), "ledger": str(last)},
                {"what": "reference", "approved": None, "bank": statement.name, "ledger": None},
            ]
            found.append(
                self._found_in(
                    "balance_off", journal, last,
                    {**self._refs(journal=journal), "message_id": statement.bank_message_id.id},
                    values, rows, mark=str(ours - bank),
                )
            )
        return found

    def _ledger_balances(self, spans):
        """Journal's id → what the ledger account holds at the end of its last statement.

        A ledger account that several journals share has no balance of one of them.
        """
        if not spans:
            return {}
        days = SQL(", ").join(
            SQL("(%s, %s::date)", journal, last) for journal, (_first, last, _s) in spans.items()
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT journal.id, COALESCE(sum(
                           CASE WHEN journal.currency_id IS NULL
                                     OR journal.currency_id = company.currency_id
                                THEN item.balance ELSE item.amount_currency END), 0)
                  FROM (VALUES %(days)s) AS span (journal_id, day)
                  JOIN account_journal journal ON journal.id = span.journal_id
                  JOIN res_company company ON company.id = journal.company_id
             LEFT JOIN (
                        SELECT item.account_id, item.balance, item.amount_currency,
                               item.company_id,
                               COALESCE(line.bank_booking_date, item.date) AS day
                          FROM account_move_line item
                     LEFT JOIN account_bank_statement_line line ON line.move_id = item.move_id
                         WHERE item.parent_state = 'posted'
                       ) item ON item.account_id = journal.default_account_id
                             AND item.company_id = journal.company_id AND item.day <= span.day
                 WHERE NOT EXISTS (
                        SELECT 1 FROM account_journal other
                         WHERE other.default_account_id = journal.default_account_id
                           AND other.company_id = journal.company_id AND other.id <> journal.id)
              GROUP BY journal.id
                """,
                days=days,
            )
        )
        return {journal: float(balance) for journal, balance in rows}

    # -- not in the ledger --------------------------------------------------------------------

    def _find_open_lines(self, company):
        """Bookings of the bank that nobody has accounted for: one finding for each account."""
        days = company.bank_unmatched_days
        if not days:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.journal_id, count(*), min(line.day), max(line.id),
                       sum(line.amount) FILTER (WHERE line.amount < 0),
                       sum(line.amount) FILTER (WHERE line.amount > 0),
                       (array_agg(line.id ORDER BY line.day, line.id))[1:1000]
                  FROM (
                    SELECT line.id, line.journal_id, line.amount,
                           COALESCE(line.bank_booking_date, entry.date) AS day
                      FROM account_bank_statement_line line
                      JOIN account_move entry ON entry.id = line.move_id
                      JOIN account_journal journal ON journal.id = line.journal_id
                     WHERE line.is_reconciled IS NOT TRUE AND line.bank_message_id IS NOT NULL
                       AND line.company_id = %(company)s AND journal.bank_connection_id IS NOT NULL
                       AND NOT EXISTS (SELECT 1 FROM bank_statement_line_payment link
                                        WHERE link.line_id = line.id)
                       ) line
                 WHERE line.day <= %(before)s
              GROUP BY line.journal_id
                """,
                company=company.id, before=self._business_day_before(days),
            )
        )
        found = []
        for number, count, oldest, newest, out, into, ids in rows:
            journal = self.env["account.journal"].browse(number)
            currency = journal._bank_currency()
            found.append(
                self._found_in(
                    "open_lines", journal, oldest, self._refs(journal=journal),
                    {
                        "about": journal.display_name, "account": journal.display_name,
                        "count": str(count), "date": str(oldest),
                    },
                    [
                        {"what": "count", "approved": None, "bank": str(count), "ledger": "0",
                         "differs": True},
                        *({"what": "amount", "approved": None, "ledger": None,
                           "bank": self._money(float(amount), currency)}
                          for amount in (out, into) if amount),
                    ],
                    # Another booking that nobody accounts for is news.
                    mark=str(newest), line_ids=ids,
                )
            )
        return found

    # -- not at the bank ----------------------------------------------------------------------

    def _find_manual_lines(self, company):
        """Bookings entered by hand on days that the bank's statements cover."""
        spans = self._statement_spans(company)
        if not spans:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id, entry.date
                  FROM account_bank_statement_line line
                  JOIN account_move entry ON entry.id = line.move_id AND entry.state = 'posted'
                  JOIN (VALUES %s) AS span (journal_id, first, last)
                    ON span.journal_id = line.journal_id
                 WHERE line.bank_message_id IS NULL AND line.amount <> 0
                   AND entry.date BETWEEN span.first AND span.last
                """,
                self._span_rows(spans),
            )
        )
        found = []
        for line in self.env["account.bank.statement.line"].browse([row[0] for row in rows]):
            amount = self._money(line.amount, line.currency_id)
            found.append(
                self._found_in(
                    "manual_line", line, line.date, self._refs(None, line),
                    {
                        "about": line.move_id.name, "amount": amount, "date": str(line.date),
                        "account": line.journal_id.display_name,
                    },
                    [
                        {"what": "amount", "approved": None, "bank": None, "ledger": amount,
                         "differs": True},
                        {"what": "people", "approved": None, "bank": None,
                         "ledger": line.create_uid.name},
                    ],
                )
            )
        return found

    def _find_manual_entries(self, company):
        """Entries on the bank's ledger account that no booking of the bank stands behind."""
        spans = self._statement_spans(company)
        if not spans:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.id, journal.id, sum(
                           CASE WHEN journal.currency_id IS NULL
                                     OR journal.currency_id = company.currency_id
                                THEN item.balance ELSE item.amount_currency END) AS amount
                  FROM (VALUES %s) AS span (journal_id, first, last)
                  JOIN account_journal journal ON journal.id = span.journal_id
                  JOIN res_company company ON company.id = journal.company_id
                  JOIN account_move_line item ON item.account_id = journal.default_account_id
                   AND item.company_id = journal.company_id
                  JOIN account_move entry ON entry.id = item.move_id AND entry.state = 'posted'
                 WHERE item.date BETWEEN span.first AND span.last
                   AND NOT EXISTS (SELECT 1 FROM account_bank_statement_line line
                                    WHERE line.move_id = entry.id)
              GROUP BY entry.id, journal.id
                HAVING sum(CASE WHEN journal.currency_id IS NULL
                                     OR journal.currency_id = company.currency_id
                                THEN item.balance ELSE item.amount_currency END) <> 0
                """,
                self._span_rows(spans),
            )
        )
        found = []
        journals = self.env["account.journal"]
        for entry, (_id, journal, amount) in zip(
            self.env["account.move"].browse([row[0] for row in rows]), rows, strict=True
        ):
            journal = journals.browse(journal)
            money = self._money(float(amount), journal._bank_currency())
            found.append(
                self._found_in(
                    "manual_entry", entry, entry.date,
                    {**self._refs(journal=journal), "move_id": entry.id},
                    {
                        "about": entry.name, "entry": entry.name, "amount": money,
                        "date": str(entry.date), "account": journal.display_name,
                    },
                    [
                        {"what": "amount", "approved": None, "bank": None, "ledger": money,
                         "differs": True},
                        {"what": "people", "approved": None, "bank": None,
                         "ledger": entry.create_uid.name},
                    ],
                )
            )
        return found

    @api.model
    def _span_rows(self, spans):
        return SQL(", ").join(
            SQL("(%s, %s::date, %s::date)", journal, first, last)
            for journal, (first, last, _statement) in spans.items()
        )

    def _find_old_transit(self, company):
        """Payments entered in Odoo, past Bank Connect, that no booking has cleared for long."""
        days = company.bank_transit_days
        spans = self._statement_spans(company) if days else {}
        if not spans:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT payment.journal_id, count(*), min(payment.date), max(payment.id),
                       sum(CASE payment.payment_type WHEN 'outbound' THEN -payment.amount
                           ELSE payment.amount END),
                       (array_agg(payment.id ORDER BY payment.date, payment.id))[1:1000]
                  FROM account_payment payment
                  JOIN (VALUES %(spans)s) AS span (journal_id, first, last)
                    ON span.journal_id = payment.journal_id
                  JOIN account_journal journal ON journal.id = payment.journal_id
                 WHERE payment.company_id = %(company)s AND payment.bank_batch_id IS NULL
                   AND payment.state = 'in_process' AND payment.is_matched IS NOT TRUE
                   AND payment.currency_id = COALESCE(journal.currency_id, %(currency)s)
                   AND payment.date >= span.first AND payment.date <= %(before)s
              GROUP BY payment.journal_id
                """,
                spans=self._span_rows(spans), company=company.id,
                currency=company.currency_id.id, before=self._business_day_before(days),
            )
        )
        found = []
        for number, count, oldest, newest, amount, ids in rows:
            journal = self.env["account.journal"].browse(number)
            money = self._money(float(amount), journal._bank_currency())
            found.append(
                self._found_in(
                    "transit_old", journal, oldest, self._refs(journal=journal),
                    {
                        "about": journal.display_name, "account": journal.display_name,
                        "count": str(count), "amount": money, "date": str(oldest),
                    },
                    [
                        {"what": "count", "approved": None, "bank": "0", "ledger": str(count),
                         "differs": True},
                        {"what": "amount", "approved": None, "bank": None, "ledger": money},
                    ],
                    mark=str(newest), payment_ids=ids,
                )
            )
        return found


class ResCompany(models.Model):
    """How long is too long, in business days."""

    _inherit = "res.company"

    bank_answer_days = fields.Integer(default=1)
    bank_booking_days = fields.Integer(default=2)
    bank_unmatched_days = fields.Integer(default=5)
    bank_transit_days = fields.Integer(default=15)
    bank_verify_days = fields.Integer(default=90)


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    answer_days = fields.Integer(
        string="Answers within (business days)",
        help="A payment of which the bank has said nothing by then is a discrepancy. 0: as the "
        "company's settings say.",
    )
    booking_days = fields.Integer(
        string="Books within (business days)",
        help="A payment that no statement shows so long after it was due is a discrepancy. 0: as "
        "the company's settings say.",
    )
