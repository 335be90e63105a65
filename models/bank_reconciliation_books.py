"""What bank and ledger say about one account at the end of a day, read from the database at once.

The words, which the printed sheet explains as well:

* The **bank's balance** is the bank's own: the closing balance of its last statement up to the day,
  and what the bank booked since. It is never worked out from the ledger.
* The **ledger's balance** is what the company had recorded: the balance of the bank's account in
  the ledger, with receipts and payments that are recorded but not booked by the bank (outstanding),
  and without what the bank booked and nobody has treated (in suspense).

Everything is *as of the day*: what was settled later was open then. Dates in the ledger are the
entries' own; the bank's date of a booking stays the bank's, where a lock moved the entry.
"""

from dataclasses import dataclass, field

from odoo import api, models
from odoo.tools import SQL

from .bank_reconciliation_bank import BANK_DATE

#: The four classical groups: what one side has and the other has not.
GROUPS = ("book_receipt", "book_payment", "bank_receipt", "bank_payment")


@dataclass
class Books:
    """What was found.

    :ivar values: fields of the sheet → value
    :ivar rows: one dict for each item in transit: fields of the sheet's lines → value
    :ivar clues: where a difference comes from, as facts: dicts of ``code``, ``amount`` and more
    """

    values: dict
    rows: list = field(default_factory=list)
    clues: list = field(default_factory=list)


class BankReconciliationBooks(models.AbstractModel):
    """Reads the books. SQL, so that an account with many thousand open items takes seconds."""

    _name = "bank.reconciliation.books"
    _description = "Books of a Bank Account"

    @api.model
    def _read(self, journal, day):
        """:return: :class:`Books` of a bank journal at the end of a day

        As superuser: a statement has no gaps that depend on who looks.
        """
        self.env.flush_all()
        journal = journal.sudo().with_company(journal.company_id)
        scope = self._scope(journal, day)
        bank, opened, clues = self.env["bank.reconciliation.bank"]._bank_side(scope)
        account = self._account_balance(scope)
        direct, opening, opening_total = self._direct(scope, opened)
        transit = self._transit(scope)
        late = self._entered_later(scope)
        ahead = self._entered_earlier(scope, transit)
        ours = [row for row in transit if not row["line_number"]]
        theirs = [row for row in transit if row["line_number"]]
        rows = [
            *(self._of_ledger(scope, row) for row in (*ours, *direct, *ahead)),
            *(self._of_bank(scope, row) for row in theirs if not row.pop("ahead", False)),
            *(self._of_bank(scope, row) for row in late),
        ]
        rows = [row for row in rows if not scope["currency"].is_zero(row["amount"])]
        rows.sort(key=lambda row: (GROUPS.index(row["kind"]), row["date"], row["item_number"],
                                   row["line_number"]))
        values = bank | self._totals(scope, bank, account, ours, theirs, rows)
        if bank["bank_known"]:
            clues = [*clues, *opening(opening_total)]
        clues = [
            {
                name: scope["currency"].round(value) if isinstance(value, float) else value
                for name, value in clue.items()
            }
            for clue in clues
            if not scope["currency"].is_zero(clue["amount"])
        ]
        return Books(values, rows, clues)

    # -- what is looked at ------------------------------------------------------------------------

    def _scope(self, journal, day):
        company = journal.company_id
        currency = journal._bank_currency()
        transit, own = self._transit_accounts(journal)
        # Two journals on one account: each has its own entries, and nobody those of the other.
        others = self.env["account.journal"].sudo().with_context(active_test=False).search(
            [
                ("default_account_id", "=", journal.default_account_id.id),
                ("type", "in", ("bank", "cash", "credit")),
                ("id", "!=", journal.id),
            ]
        )
        branches = self.env["res.company"].sudo().search([("id", "child_of", company.id)])
        return {
            "journal": journal,
            "day": day,
            "company": company,
            "currency": currency,
            "foreign": currency != company.currency_id,
            "account": journal.default_account_id.id,
            "transit": transit,
            "own": own,
            "others": others.ids,
            "companies": branches.ids,
        }

    def _transit_accounts(self, journal):
        """Accounts of what is in transit: outstanding ones and suspense.

        :return: (all of them, those that serve this journal alone)
        """
        lines = self.env["account.payment.method.line"].sudo().search(
            [("journal_id", "!=", False), ("payment_account_id", "!=", False)]
        )
        used = self.env["account.payment"].sudo()._read_group(
            [("company_id", "child_of", journal.company_id.id),
             ("outstanding_account_id", "!=", False)],
            ["journal_id", "outstanding_account_id"],
        )
        pairs = {(line.journal_id.id, line.payment_account_id.id) for line in lines}
        pairs |= {(user.id, account.id) for user, account in used}
        defaults = set()
        for kind in ("debit", "credit"):
            account = self.env["account.chart.template"].with_context(
                allowed_company_ids=journal.company_id.root_id.ids
            ).ref(f"account_journal_payment_{kind}_account_id", raise_if_not_found=False)
            defaults |= set(account.ids if account else [])
        mine = {account for owner, account in pairs if owner == journal.id} | defaults
        shared = {account for owner, account in pairs if owner != journal.id} | defaults
        bank_accounts = self.env["account.account"].sudo().browse(mine).filtered(
            lambda account: account.account_type in ("asset_cash", "liability_credit_card")
        )
        mine -= set(bank_accounts.ids) | {journal.default_account_id.id}
        suspense = set(journal.suspense_account_id.ids)
        return sorted(mine | suspense), sorted(mine - shared - suspense)

    # -- SQL --------------------------------------------------------------------------------------

    def _in_currency(self, scope, alias="item"):
        """SQL: an item's amount in the journal's currency; 0 of an item in another one."""
        item = SQL.identifier(alias)
        if not scope["foreign"]:
            return SQL("%s.balance", item)
        return SQL(
            "CASE WHEN %s.currency_id = %s THEN %s.amount_currency ELSE 0 END",
            item, scope["currency"].id, item,
        )

    def _on_account(self, scope):
        """SQL: posted items on the bank's account in the ledger, up to the day."""
        return SQL(
            """item.account_id = %s AND item.parent_state = 'posted' AND item.date <= %s
               AND item.company_id = ANY(%s) AND item.journal_id <> ALL(%s)""",
            scope["account"], scope["day"], scope["companies"], scope["others"],
        )

    def _account_balance(self, scope):
        """:return: balance of the bank's account in the ledger: its currency, the company's"""
        found = self.env.execute_query(
            SQL(
                "SELECT COALESCE(SUM(%s), 0), COALESCE(SUM(item.balance), 0) "
                "FROM account_move_line item WHERE %s",
                self._in_currency(scope), self._on_account(scope),
            )
        )
        return found[0]

    def _direct(self, scope, opened):
        """Entries on the bank's account that no booking of the bank stands behind.

        What was entered before the bank's first booking is the opening of the account, and stands
        against the first opening balance.

        :param opened: (day of the bank's first booking, function that gives the opening's clues)
        :return: rows of those in transit, that function, sum of those that open the account
        """
        first_day, clues_of_opening = opened
        company = scope["company"]
        rows = self._dicts(
            SQL(
                """SELECT %(fields)s, item.date, 'direct' AS cause,
                          %(amount)s AS amount, item.balance AS company_amount,
                          item.currency_id AS item_currency,
                          item.date < %(first)s
                          OR (item.date = %(first)s AND move.origin_payment_id IS NULL)
                          OR item.move_id = %(opening)s AS opening
                     FROM account_move_line item
                     JOIN account_move move ON move.id = item.move_id
                     %(names)s
                    WHERE %(where)s AND line.id IS NULL""",
                fields=self._names(), names=self._name_joins(),
                amount=self._in_currency(scope), where=self._on_account(scope),
                first=first_day, opening=company.account_opening_move_id.id or 0,
            )
        )
        opening = sum(row["amount"] for row in rows if row["opening"] or not first_day)
        return (
            [row for row in rows if first_day and not row["opening"]], clues_of_opening, opening
        )

    def _transit(self, scope):
        """Items on the accounts of what is in transit that were open at the end of the day."""
        mine = SQL(
            """item.account_id = ANY(%s) AND (item.journal_id = %s OR item.account_id = ANY(%s))
               AND item.parent_state = 'posted' AND item.date <= %s
               AND item.company_id = ANY(%s)""",
            scope["transit"], scope["journal"].id, scope["own"], scope["day"], scope["companies"],
        )
        settled_later = SQL(" UNION ").join(
            SQL(
                "SELECT item.id FROM account_partial_reconcile part "
                "JOIN account_move_line item ON item.id = part.%s "
                "WHERE part.max_date > %s AND %s",
                SQL.identifier(f"{side}_move_id"), scope["day"], mine,
            )
            for side in ("debit", "credit")
        )
        settled = SQL(" ").join(
            SQL(
                "LEFT JOIN LATERAL (SELECT SUM(part.amount) AS amount, "
                "SUM(part.%(side)s_amount_currency) AS currency "
                "FROM account_partial_reconcile part "
                "WHERE part.%(side)s_move_id = item.id AND part.max_date <= %(day)s) "
                "AS %(side)s ON TRUE",
                side=SQL(side), day=scope["day"],
            )
            for side in ("debit", "credit")
        )
        rows = self._dicts(
            SQL(
                """WITH candidate AS (
                       SELECT item.id FROM account_move_line item
                        WHERE item.reconciled IS NOT TRUE AND %(mine)s
                        UNION %(settled_later)s)
                   SELECT %(fields)s,
                          %(bank_date)s AS date, %(bank_date)s > %(day)s AS ahead,
                          CASE WHEN line.id IS NULL THEN 'outstanding'
                               WHEN item.account_id = %(suspense)s THEN 'suspense'
                               ELSE 'unmatched' END AS cause,
                          item.balance - COALESCE(debit.amount, 0) + COALESCE(credit.amount, 0)
                              AS company_amount,
                          item.amount_currency - COALESCE(debit.currency, 0)
                              + COALESCE(credit.currency, 0) AS own_amount,
                          item.currency_id AS item_currency
                     FROM candidate
                     JOIN account_move_line item ON item.id = candidate.id
                     JOIN account_move move ON move.id = item.move_id
                     %(settled)s %(names)s""",
                mine=mine, settled_later=settled_later, settled=settled, fields=self._names(),
                names=self._name_joins(), day=scope["day"], bank_date=BANK_DATE,
                suspense=scope["journal"].suspense_account_id.id or 0,
            )
        )
        for row in rows:
            row["amount"] = self._as_journal(scope, row)
        return rows

    def _as_journal(self, scope, row):
        """What is open of an item, in the journal's currency."""
        if not scope["foreign"]:
            return row["company_amount"]
        if row["item_currency"] == scope["currency"].id:
            return row["own_amount"]
        return scope["company"].currency_id._convert(
            row["company_amount"], scope["currency"], scope["company"], row["date"]
        )

    def _entered_later(self, scope):
        """What the bank booked up to the day, and the ledger after it: its period was locked."""
        return self._lines(scope, SQL(
            "%s <= %s AND move.date > %s", BANK_DATE, scope["day"], scope["day"]
        ), "late")

    def _entered_earlier(self, scope, transit):
        """What the ledger has, and the bank's date is after the day; less what nobody treated."""
        rows = self._lines(scope, SQL(
            "%s > %s AND move.date <= %s", BANK_DATE, scope["day"], scope["day"]
        ), "ahead")
        treated = {row["line_number"]: row for row in rows}
        for part in transit:
            row = treated.get(part["line_number"])
            if row:
                row["amount"] += part["amount"]
                row["company_amount"] += part["company_amount"]
        return rows

    def _lines(self, scope, where, cause):
        return self._dicts(
            SQL(
                """SELECT %(fields)s, %(bank_date)s AS date, %(cause)s AS cause,
                          line.amount, item.balance AS company_amount
                     FROM account_bank_statement_line line
                     JOIN account_move move ON move.id = line.move_id
                     JOIN account_move_line item
                       ON item.move_id = move.id AND item.account_id = %(account)s
                     %(names)s
                    WHERE line.journal_id = %(journal)s AND move.state = 'posted' AND %(where)s""",
                fields=self._names(), names=self._name_joins(lines=False), where=where,
                cause=cause, bank_date=BANK_DATE,
                account=scope["account"], journal=scope["journal"].id,
            )
        )

    def _names(self):
        """SQL: what is told of an item beside its amounts."""
        return SQL(
            """item.id AS item_number, COALESCE(line.id, 0) AS line_number,
               COALESCE(payment.id, 0) AS payment_number, move.name AS entry,
               COALESCE(payment.memo, line.payment_ref, item.name, move.ref) AS label,
               COALESCE(partner.complete_name, partner.name, line.partner_name) AS partner_name,
               COALESCE(payment.end_to_end_id, line.bank_reference, move.ref) AS reference,
               payment.bank_status"""
        )

    def _name_joins(self, lines=True):
        return SQL(
            """%s LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id
               LEFT JOIN res_partner partner
                 ON partner.id = COALESCE(item.partner_id, payment.partner_id)""",
            SQL("LEFT JOIN account_bank_statement_line line ON line.move_id = move.id")
            if lines else SQL(""),
        )

    def _dicts(self, query):
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    # -- sums -------------------------------------------------------------------------------------

    def _of_ledger(self, scope, row):
        """A row of what the ledger has and the bank has not; ``amount`` with the ledger's sign."""
        return self._row(scope, row, "book_receipt", "book_payment")

    def _of_bank(self, scope, row):
        """A row of what the bank has and the ledger has not.

        An item in transit is the other side of the bank's booking; one entered later is itself.
        """
        sign = 1 if row["cause"] == "late" else -1
        row = {
            **row, "amount": sign * row["amount"], "company_amount": sign * row["company_amount"]
        }
        return self._row(scope, row, "bank_receipt", "bank_payment")

    def _row(self, scope, row, receipt, payment):
        amount = scope["currency"].round(row["amount"])
        sign = 1 if amount >= 0 else -1
        company_amount = scope["company"].currency_id.round(row["company_amount"])
        names = (
            "date cause entry label partner_name reference bank_status item_number line_number "
            "payment_number"
        ).split()
        return {
            **{name: row[name] for name in names},
            "kind": receipt if amount >= 0 else payment,
            "amount": sign * amount,
            "company_amount": sign * company_amount,
        }

    def _totals(self, scope, bank, account, ours, theirs, rows):
        """The sheet's figures."""
        currency, company = scope["currency"], scope["company"]
        sums = dict.fromkeys(GROUPS, 0.0)
        company_sums = dict.fromkeys(GROUPS, 0.0)
        for row in rows:
            sums[row["kind"]] += row["amount"]
            company_sums[row["kind"]] += row["company_amount"]
        outstanding = sum(row["amount"] for row in ours)
        suspense = sum(row["amount"] for row in theirs)
        ledger = account[0] + outstanding + suspense
        bank_adjusted = bank["bank_balance"] + sums["book_receipt"] - sums["book_payment"]
        ledger_adjusted = ledger + sums["bank_receipt"] - sums["bank_payment"]
        values = {
            "account_balance": account[0],
            "outstanding_balance": outstanding,
            "suspense_balance": suspense,
            "ledger_balance": ledger,
            **{f"{kind}_total": total for kind, total in sums.items()},
            "bank_adjusted": bank_adjusted,
            "ledger_adjusted": ledger_adjusted,
            "difference": bank_adjusted - ledger_adjusted if bank["bank_known"] else 0.0,
        }
        # Adding 0 makes an ordinary zero of -0.0.
        values = {name: currency.round(value) + 0.0 for name, value in values.items()}
        in_company = account[1] + sum(row["company_amount"] for row in (*ours, *theirs))
        adjusted = in_company + company_sums["bank_receipt"] - company_sums["bank_payment"]
        at_rate = currency._convert(
            values["ledger_adjusted"], company.currency_id, company, scope["day"]
        )
        in_company = {
            "ledger_balance_company": in_company,
            "ledger_adjusted_company": adjusted,
            "ledger_adjusted_rate": at_rate,
            "exchange_difference": at_rate - adjusted,
        }
        values |= {
            name: company.currency_id.round(value) + 0.0 for name, value in in_company.items()
        }
        return values | {
            f"{kind}_count": sum(row["kind"] == kind for row in rows) for kind in GROUPS
        }
