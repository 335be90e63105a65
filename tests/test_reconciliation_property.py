import random
from datetime import timedelta
from decimal import Decimal

from odoo import fields
from odoo.tests import tagged

from .reconciliation_common import ReconciliationCommon

START = fields.Date.to_date("2026-09-25")
DAYS = 45
MONTHS = [fields.Date.to_date(day) for day in ("2026-09-30", "2026-10-20", "2026-10-31")]


@tagged("post_install", "-at_install")
class TestReconciliationProperty(ReconciliationCommon):
    """Whatever happens, both sides come to the same, or differ by what was planted."""

    def test_random_movements(self):
        for seed in range(6):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self.one_story(random.Random(seed))
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    def one_story(self, dice):
        """Two months of an account, with faults in the bank's papers on known days."""
        opening = Decimal(dice.randrange(0, 100000)) / 100
        self.entry(START - timedelta(days=1), float(opening))
        planted = []
        balance = opening
        payments = [
            self.pay(START + timedelta(days=dice.randrange(DAYS)), self.amount(dice))
            for _number in range(7)
        ]
        for _number in range(2):  # entered by hand, with no booking of the bank
            self.entry(START + timedelta(days=dice.randrange(2, DAYS)), self.amount(dice))
        day = START
        while day < START + timedelta(days=DAYS):
            found = balance
            if day > START and dice.random() < 0.3:
                gap = Decimal(dice.randrange(-500, 500)) / 100
                planted.append((day, gap))
                found += gap
            end = min(day + timedelta(days=dice.randrange(1, 9)), START + timedelta(days=DAYS))
            days = [day, *(day + timedelta(days=dice.randrange((end - day).days + 1))
                           for _number in range(2))]
            bookings = []
            for when in days:
                paid = payments.pop() if payments and dice.random() < 0.5 else None
                amount = self.signed_amount(paid) if paid else Decimal(str(self.amount(dice)))
                bookings.append((when, amount, paid))
            balance = found + sum(amount for _when, amount, _paid in bookings)
            statement = self.statement(
                float(found), float(balance), *((when, float(x)) for when, x, _p in bookings)
            )
            lines = list(statement.line_ids.sorted("id"))
            for line, (_when, _amount, paid) in zip(lines, bookings, strict=True):
                self.treat_somehow(dice, line, paid)
            day = end + timedelta(days=1)
        for month in MONTHS:
            self.check(month, planted)

    def amount(self, dice):
        return dice.choice((-1, 1)) * dice.randrange(1, 100000) / 100

    def signed_amount(self, payment):
        sign = 1 if payment.payment_type == "inbound" else -1
        return sign * Decimal(f"{payment.amount:.2f}")

    def treat_somehow(self, dice, line, payment):
        if payment:
            self.match(line, payment)
        elif dice.random() < 0.5:
            self.treat(line, self.expense if line.amount < 0 else self.income)
        if dice.random() < 0.25:
            # A locked period: the ledger's date moves, the bank's does not.
            line.move_id.with_context(skip_readonly_check=True).date += timedelta(
                days=dice.randrange(1, 12)
            )

    def check(self, day, planted):
        books = self.env["bank.reconciliation.books"]._read(self.journal, day)
        values = books.values
        # A gap counts from the end of the statement that has it: until then its bookings are
        # reckoned from the closing balance before.
        statements = self.env["account.bank.statement"].search(
            [("journal_id", "=", self.journal.id)]
        )
        days = [each.line_ids.mapped("bank_booking_date") for each in statements]
        ended = [min(dates) for dates in days if max(dates) <= day]
        expected = float(sum(gap for start, gap in planted if start in ended))
        self.assertAlmostEqual(values["difference"], expected, 2)
        self.assertAlmostEqual(values["bank_adjusted"] - values["ledger_adjusted"], expected, 2)
        self.assertAlmostEqual(sum(clue["amount"] for clue in books.clues), expected, 2)
        self.assert_fits_the_ledger(day, values)

    def assert_fits_the_ledger(self, day, values):
        """The account's balance is the general ledger's, added up another way."""
        items = self.env["account.move.line"].search(
            [("account_id", "=", self.journal.default_account_id.id), ("date", "<=", day),
             ("parent_state", "=", "posted")]
        )
        self.assertAlmostEqual(values["account_balance"], sum(items.mapped("balance")), 2)
