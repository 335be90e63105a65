from datetime import date, timedelta

from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import Booking, camt

FIRST = date.today() - timedelta(days=20)


@tagged("post_install", "-at_install")
class TestContinuity(BankConnectCommon):
    """One statement opens where the one before closed, or people are told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["bank.connection"].search([]).write({"state": "suspended"})
        cls.connection.state = "active"
        for limit in ("statement_days", "silent_hours"):
            cls.env["ir.config_parameter"].set_param(f"account_bank_connect.alert_{limit}", "0.0")

    def statement(self, day, opening, *amounts, number=None, **values):
        """Receive the statement of the n-th day."""
        return self.received(camt(
            *(Booking(amount, text=f"day {day}") for amount in amounts),
            opening=opening, number=number or day, day=FIRST + timedelta(days=day), **values,
        ))

    def gaps(self):
        self.env.invalidate_all()
        return self.journal._bank_continuity_gaps()

    def kinds(self):
        return [gap["kind"] for gap in self.gaps()]

    def alerts(self):
        self.run_cron("watch")
        self.env.invalidate_all()
        return self.env["bank.alert"].search(
            [("connection_id", "=", self.connection.id), ("code", "=", "gap"),
             ("closed_on", "=", False)]
        )

    def test_statements_that_join(self):
        self.statement(1, "100.00", "-5.00")
        self.statement(2, "95.00")  # a day without a booking is a statement too
        self.statement(3, "95.00", "-5.00", "20.00")
        self.assertFalse(self.gaps())
        self.assertFalse(self.alerts())
        self.assertFalse(self.journal.bank_gap_count)

    def test_a_missing_statement_is_followed_up_until_it_comes(self):
        self.statement(1, "100.00", "-5.00")
        self.statement(2, "95.00", "-1.00")
        self.statement(4, "84.00", "-4.00")
        self.statement(5, "80.00", "-1.00")
        gap = self.gaps()[0]
        self.assertEqual(
            (gap["kind"], gap["expected"], gap["found"]), ("missing", 94, 84)
        )
        self.assertEqual(gap["from_date"], FIRST + timedelta(days=2))
        self.assertEqual(gap["to_date"], FIRST + timedelta(days=4))
        statements = self.env["account.bank.statement"].browse(gap["statement_ids"])
        self.assertIn("missing between", statements.filtered("bank_trouble").bank_trouble)
        self.assertEqual(statements.filtered("bank_trouble").balance_end_real, 80)
        alert = self.alerts()
        self.assertIn("missing between", alert.summary)
        self.assertEqual(self.activities(alert, "alert").user_id, self.admin)
        # It comes, and takes its place.
        self.statement(3, "94.00", "-10.00")
        self.assertFalse(self.gaps())
        self.assertFalse(self.alerts())
        self.assertTrue(alert.closed_on)
        ordered = self.env["account.bank.statement"].search(
            [("journal_id", "=", self.journal.id)], order="first_line_index"
        )
        self.assertEqual(ordered.mapped("bank_sequence"), ["1", "2", "3", "4", "5"])
        self.assertTrue(all(ordered.mapped("is_valid")))
        self.assertTrue(all(ordered.mapped("is_complete")))

    def test_late_statements_of_one_day_keep_the_banks_order(self):
        """Morning, noon and evening of one day, the noon last."""
        day = {"day": FIRST + timedelta(days=1)}
        for number, opening, amount in ((1, "100.00", "-1.00"), (3, "97.00", "-3.00"),
                                        (2, "99.00", "-2.00")):
            self.received(camt(Booking(amount), Booking("-0.00"), opening=opening, number=number,
                               **day))
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id), ("amount", "!=", 0)], order="internal_index"
        )
        self.assertEqual(lines.mapped("amount"), [-1, -2, -3])
        self.assertEqual(lines.mapped("running_balance"), [99, 97, 94])
        self.assertFalse(self.gaps())
        self.assertTrue(all(lines.statement_id.mapped("is_valid")))

    def test_numbers_that_follow_and_balances_that_do_not(self):
        for day, opening in ((1, "100.00"), (2, "100.00"), (3, "123.00")):
            self.statement(day, opening)
        self.assertEqual(self.kinds(), ["balance"])

    def test_balances_that_follow_and_numbers_that_do_not(self):
        for day in (1, 2, 3, 4, 6):
            self.statement(day, "100.00")
        self.assertEqual(self.kinds(), ["sequence"])
        self.statement(5, "100.00")
        self.assertFalse(self.gaps())

    def test_a_bank_whose_numbers_mean_nothing(self):
        for day, number in enumerate((700, 12, 380, 45), 1):
            self.statement(day, "100.00", number=number)
        self.assertFalse(self.gaps())

    def test_a_repeated_statement_is_no_gap(self):
        self.statement(1, "100.00", "-5.00")
        self.statement(2, "95.00", "-5.00")
        message = self.statement(1, "100.00", "-5.00", copy="DUPL")
        self.assertEqual(message.report_ids.copy_duplicate, "DUPL")
        self.assertIn("on an earlier statement already", message.note)
        self.assertFalse(self.gaps())

    def test_a_corrected_statement(self):
        """The bank takes a booking back by telling the day again without it."""
        self.statement(1, "100.00", "-5.00", "-7.00")
        self.statement(1, "100.00", "-5.00", copy="CODU")
        self.statement(2, "95.00", "-1.00")
        gap = self.gaps()[0]
        self.assertEqual((gap["kind"], gap["expected"], gap["found"]), ("corrected", 88, 95))
        line = self.env["account.bank.statement.line"].browse(gap["line_ids"])
        self.assertEqual(line.amount, -7)
        self.assertEqual(self.kinds(), ["corrected"])
        line.statement_id.line_ids.filtered(lambda each: each == line).move_id.button_draft()
        line.unlink()
        self.assertFalse(self.gaps())

    def test_a_booking_that_only_an_advice_told(self):
        self.journal.bank_book_from = "advice"
        self.received(
            camt(Booking("-5.00"), version="camt.054.001.08", day=FIRST + timedelta(days=1))
        )
        self.statement(2, "100.00", "-9.00")
        self.assertFalse(self.gaps(), "the statement may yet come")
        self.statement(9, "91.00")
        gap = self.gaps()[0]
        self.assertEqual((gap["kind"], gap["found"]), ("unconfirmed", -5))

    def test_nothing_is_booked_to_make_a_balance_fit(self):
        self.statement(1, "100.00", "-5.00")
        self.statement(3, "50.00", "-4.00")
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)]
        )
        self.assertEqual(sorted(lines.mapped("amount")), [-5, -4])
