from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import iban
from .documents import Booking, camt
from .reconciliation_common import ReconciliationCommon


@tagged("post_install", "-at_install")
class TestReconciliationStatement(ReconciliationCommon):
    """What only bank or ledger has, and one adjusted balance on both sides."""

    def test_the_four_groups(self):
        """Each kind of item in its group; what is matched is in none."""
        settled = self.pay("2026-10-05", -100)
        self.pay("2026-10-20", 70, memo="on its way to the bank")
        self.pay("2026-10-21", -250, memo="cheque of October")
        statement = self.statement(
            1000, 1115, ("2026-10-06", -100), ("2026-10-25", 230), ("2026-10-31", -15)
        )
        self.entry("2026-10-01", 1000)
        self.match(statement.line_ids.filtered(lambda line: line.amount == -100), settled)
        sheet = self.sheet()
        self.assertEqual(self.amounts(sheet, "book_receipt"), [70])
        self.assertEqual(self.amounts(sheet, "book_payment"), [250])
        self.assertEqual(self.amounts(sheet, "bank_receipt"), [230])
        self.assertEqual(self.amounts(sheet, "bank_payment"), [15])
        self.assertEqual(sheet.bank_balance, 1115)
        self.assertEqual(sheet.account_balance, 1115)
        # What the company had recorded: without the two bookings, with the two payments.
        self.assertEqual(sheet.ledger_balance, 1000 - 100 + 70 - 250)
        self.assert_agrees(sheet, 1115 + 70 - 250)
        self.assertEqual(sheet.coverage, "day")
        cheque = sheet.book_payment_ids
        self.assertEqual((cheque.cause, cheque.label), ("outstanding", "cheque of October"))
        self.assertEqual(cheque.partner_name, self.vendor.name)
        self.assertEqual(sheet.bank_receipt_ids.cause, "suspense")

    def test_payments_on_their_way_show_the_banks_status(self):
        batch = self.sent(self.new_bill(120))
        self.statement(0, 5, (fields.Date.to_string(fields.Date.today()), 5))
        sheet = self.sheet(fields.Date.today())
        line = sheet.book_payment_ids
        self.assertEqual(line.amount, 120)
        self.assertEqual(line.reference, batch.payment_ids.end_to_end_id)
        self.assertEqual(line.bank_status, batch.payment_ids.bank_status)
        self.assertTrue(line.bank_status)

    def test_as_of_the_day(self):
        """What was settled later was open then; what was recorded later was not there."""
        cheque = self.pay("2026-10-20", -40)
        later = self.pay("2026-11-02", -60)
        first = self.statement(0, -60, ("2026-10-30", -60))
        second = self.statement(-60, -100, ("2026-11-03", -40))
        self.match(second.line_ids, cheque)
        self.match(first.line_ids, later)
        sheet = self.sheet()
        self.assertEqual(self.amounts(sheet, "book_payment"), [40])
        self.assertEqual(self.amounts(sheet, "bank_payment"), [60])
        self.assertEqual(sheet.bank_payment_ids.cause, "unmatched")
        self.assert_agrees(sheet, -100)
        self.assertEqual(sheet.ledger_balance, -40)
        after = self.sheet("2026-11-05")
        self.assertFalse(after.line_ids)
        self.assert_agrees(after, -100)

    def test_a_part_that_is_settled(self):
        """Half of a payment booked in October, the rest in November."""
        payment = self.pay("2026-10-10", -100)
        statement = self.statement(0, -30, ("2026-10-31", -30))
        self.match(statement.line_ids, payment)
        late = self.statement(-30, -100, ("2026-11-02", -70))
        self.match(late.line_ids, payment)
        self.assertEqual(self.amounts(self.sheet(), "book_payment"), [70])
        self.assertFalse(self.sheet("2026-11-02").line_ids)

    def test_what_a_lock_moved(self):
        """The bank's date is the bank's: an entry that a lock moved is in transit between them."""
        line = self.bookings(("2026-10-30", 80))
        line.move_id.with_context(skip_readonly_check=True).date = "2026-11-01"
        self.treat(line, self.income)
        ahead = self.bookings(("2026-11-02", 9))
        ahead.move_id.with_context(skip_readonly_check=True).date = "2026-10-29"
        self.treat(ahead, self.income)
        self.statement(0, 0.5, ("2026-10-02", 0.5))
        sheet = self.sheet()
        self.assertEqual(self.amounts(sheet, "bank_receipt"), [0.5, 80])
        self.assertEqual(self.amounts(sheet, "book_receipt"), [9])
        self.assertEqual(set(sheet.line_ids.mapped("cause")), {"late", "ahead", "suspense"})
        self.assertEqual((sheet.since_count, sheet.since_amount), (1, 80))
        self.assertEqual(sheet.coverage, "open")
        self.assert_agrees(sheet, 89.5)

    def test_a_statement_that_covers_the_day(self):
        """It is said how the bank confirms the balance, or that it does not."""
        statement = self.statement(0, 5, ("2026-10-29", 5))
        self.assertEqual(self.sheet().coverage, "open")
        self.assertIn("No statement covers", self.sheet()._bank_source())
        self.statement(5, 7, ("2026-11-02", 2))
        self.sheet().action_refresh()
        sheet = self.sheet()
        self.assertEqual(sheet.coverage, "later")
        self.assertEqual(sheet.statement_id, statement)
        self.assertEqual(sheet.statement_date, fields.Date.to_date("2026-10-29"))
        self.assertEqual(self.sheet("2026-10-29").coverage, "day")
        self.assertEqual(self.sheet("2026-09-30").bank_balance, 0)
        empty = self.new_journal(iban(555), self.connection, code="EMP")
        self.assertEqual(self.sheet(journal=empty).coverage, "none")

    def test_a_statement_without_bookings(self):
        """It makes no statement of Odoo's, and still says how the account stood that day."""
        day = fields.Date.today() - timedelta(days=3)
        self.received(camt(Booking("-5.00"), opening="10.00", day=day))
        later = fields.Date.today()
        self.assertEqual(self.sheet(later).coverage, "open")
        self.received(camt(opening="5.00"))
        sheet = self.sheet(later)
        sheet.action_refresh()
        self.assertEqual((sheet.coverage, sheet.statement_date), ("day", later))
        self.assertEqual((sheet.statement_balance, sheet.bank_balance), (5, 5))
        # What the bank says without a booking that would explain it is not explained.
        self.received(camt(opening="6.00"))
        sheet.action_refresh()
        self.assertEqual(self.clues(sheet)["gap"], 1)

    def test_a_statement_over_the_day(self):
        """One that starts before and ends after: its bookings up to the day count."""
        self.statement(100, 110, ("2026-10-28", 10))
        self.statement(110, 117, ("2026-10-31", 3), ("2026-11-01", 4))
        sheet = self.sheet()
        self.assertEqual((sheet.statement_balance, sheet.since_amount), (110, 3))
        self.assertEqual(sheet.bank_balance, 113)
        self.assertEqual(sheet.coverage, "later")

    def test_what_was_entered_by_hand(self):
        """Before the bank's first booking it opens the account; later it is in transit."""
        self.entry("2026-09-30", 500)
        self.statement(500, 520, ("2026-10-02", 20))
        self.entry("2026-10-15", -45)
        sheet = self.sheet()
        self.assertEqual(self.amounts(sheet, "book_payment"), [45])
        self.assertEqual(sheet.book_payment_ids.cause, "direct")
        self.assert_agrees(sheet, 475)

    def test_drafts_and_cancelled_entries_do_not_count(self):
        self.pay("2026-10-10", -10).action_cancel()
        self.pay("2026-10-11", -20).action_draft()
        self.statement(0, 1, ("2026-10-31", 1))
        self.assertFalse(self.sheet().book_payment_ids)

    def test_another_account_is_another_matter(self):
        """Outstanding accounts serve several journals."""
        other = self.new_journal(iban(556), self.connection, code="OTH")
        self.pay("2026-10-10", -10)
        self.pay("2026-10-11", -20, journal=other)
        self.statement(0, 1, ("2026-10-31", 1))
        self.statement(0, 2, ("2026-10-31", 2), journal=other)
        self.assertEqual(self.amounts(self.sheet(), "book_payment"), [10])
        self.assertEqual(self.amounts(self.sheet(journal=other), "book_payment"), [20])

    def test_in_foreign_currency(self):
        """In the account's currency, with the company's beside it."""
        self.env["res.currency.rate"].create(
            [
                {"currency_id": self.usd.id, "company_id": self.company.id, "name": day,
                 "rate": rate}
                for day, rate in (("2026-10-01", 2.0), ("2026-10-31", 4.0))
            ]
        )
        dollars = self.new_journal(iban(557), self.connection, currency=self.usd, code="USD")
        self.pay("2026-10-10", -100, journal=dollars, currency_id=self.usd.id)
        self.pay("2026-10-10", 30, journal=dollars, currency_id=self.eur.id)
        self.statement(0, 400, ("2026-10-11", 400), journal=dollars)
        sheet = self.sheet(journal=dollars)
        self.assertEqual((sheet.currency_id, sheet.company_currency_id), (self.usd, self.eur))
        self.assertEqual(self.amounts(sheet, "book_payment"), [100])
        self.assertEqual(sheet.book_payment_ids.company_amount, 50)
        # 30 euros that were received are worth 60 dollars on their day.
        self.assertEqual(self.amounts(sheet, "book_receipt"), [60])
        self.assertEqual(sheet.book_receipt_ids.company_amount, 30)
        self.assertEqual(sheet.bank_receipt_ids.company_amount, 200)
        self.assert_agrees(sheet, 360)
        self.assertEqual(sheet.ledger_balance_company, -20)
        self.assertEqual(sheet.ledger_adjusted_company, 180)
        self.assertEqual(sheet.ledger_adjusted_rate, 90)
        self.assertEqual(sheet.exchange_difference, -90)

    def test_branches(self):
        """A branch that pays from its head office's account is on that account's statement."""
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        payable = self.vendor.with_company(self.company).property_account_payable_id
        self.vendor.with_company(branch).property_account_payable_id = payable
        self.pay("2026-10-10", -33, company_id=branch.id)
        self.statement(0, 1, ("2026-10-31", 1))
        self.assertEqual(self.amounts(self.sheet(), "book_payment"), [33])

    # -- what is not explained ----------------------------------------------------------------

    def clues(self, sheet):
        return {clue["code"]: clue["amount"] for clue in sheet.clues}

    def test_a_difference_is_shown_and_never_plugged(self):
        """Each way in which the bank's papers don't fit is named, and they add up."""
        self.entry("2026-09-30", 90)
        self.statement(100, 120, ("2026-10-02", 20))
        self.statement(127, 130, ("2026-10-05", 1), name="gap")
        self.bookings(("2026-10-03", 1000))
        sheet = self.sheet()
        self.assertEqual(
            self.clues(sheet), {"opening": 10, "gap": 7, "sum": 2, "stray": -1000}
        )
        self.assertEqual(sheet.difference, 10 + 7 + 2 - 1000)
        self.assertEqual(sheet.difference, sum(self.clues(sheet).values()))
        text = str(sheet.clues_text)
        self.assertIn("gap starts with", text.replace("Statement ", ""))
        self.assertIn("on no statement", text)

    # -- from one month to the next -----------------------------------------------------------

    def test_what_is_carried_over(self):
        self.pay("2026-09-10", -11)
        self.pay("2026-09-25", -12)
        settled = self.pay("2026-09-26", -13)
        self.statement(0, 1, ("2026-09-30", 1))
        first = self.signed("2026-09-30")
        self.assertFalse(any(first.line_ids.mapped("first_date")))
        line = self.statement(1, -12, ("2026-10-02", -13)).line_ids
        self.match(line, settled)
        self.pay("2026-10-30", -14)
        second = self.signed()
        self.assertEqual(second.previous_id, first)
        lines = {line.amount: line for line in second.line_ids}
        self.assertEqual(lines[11].first_date, first.date)
        self.assertFalse(lines[14].first_date)
        self.assertEqual((lines[11].age, lines[11].old), (51, True))
        self.assertEqual((lines[12].age, lines[12].old), (36, True))
        self.assertFalse(lines[14].old)
        self.assertEqual(second.carried_count, 3)
        self.assertEqual(second.settled_count, 1)
        self.assertEqual(second.old_count, 3)
        # What was carried twice still knows where it began.
        third = self.sheet("2026-11-01")
        lines = {line.amount: line for line in third.line_ids}
        self.assertEqual(lines[11].first_date, first.date)
        self.assertEqual(lines[14].first_date, second.date)

    def test_drafts_each_month(self):
        """Once for each account that the bank books on, with a task for who signs."""
        today = fields.Date.today()
        end = today.replace(day=1) - timedelta(days=1)
        self.bookings((fields.Date.to_string(end - timedelta(days=3)), 5))
        quiet = self.new_journal(iban(558), self.connection, code="QUI")
        self.run_cron("reconciliation")
        made = self.sheets.search([("journal_id", "in", (self.journal + quiet).ids)])
        self.assertEqual((made.journal_id, made.date, made.state), (self.journal, end, "draft"))
        self.assertEqual(
            self.activities(made, "reconciliation").user_id, self.preparer + self.other
        )
        self.run_cron("reconciliation")
        self.assertEqual(len(self.activities(made, "reconciliation")), 2)
        self.assertEqual(self.sheets.search_count([("journal_id", "=", self.journal.id)]), 1)

    def test_no_drafts_where_the_company_wants_none(self):
        self.company.bank_reconciliation_monthly = False
        self.bookings(("2026-01-05", 5))
        self.run_cron("reconciliation")
        self.assertFalse(self.sheets.search([("journal_id", "=", self.journal.id)]))

    # -- in bulk ------------------------------------------------------------------------------

    def test_queries_do_not_grow_with_the_items(self):
        self.pay("2026-10-01", -1)
        self.statement(0, 1, ("2026-10-31", 1))
        sheet = self.sheet()
        counts = []
        for _time in range(2):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            sheet.action_refresh()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            for day in range(6, 12):
                self.pay(f"2026-10-{day:02d}", -day)
        self.assertLessEqual(counts[1], counts[0] + 3)
        self.assertEqual(sheet.book_payment_count, 7)
