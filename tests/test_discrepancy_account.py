from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.bank_discrepancy_follow import Found
from .common import iban
from .documents import Booking, Detail, camt
from .test_discrepancy import DiscrepancyCommon


@tagged("post_install", "-at_install")
class TestDiscrepancyAccount(DiscrepancyCommon):
    """For each account: the bank's balance and bookings against the ledger's."""

    def test_balances_that_differ(self):
        self.received(camt(Booking("5.00", reference="C1")))
        self.assert_fine()
        self.received(camt(Booking("5.00", reference="C2"), opening="905.00", closing="910.00"))
        found = self.verify().filtered(lambda each: each.kind == "balance_off")
        self.assertIn("910.00 EUR", found.sentence)
        self.assertIn("1010.00 EUR", found.sentence)
        self.assertIn("+100.00 EUR", found.sentence)
        self.explain(found, verdict="accepted")
        self.assertNotIn("balance_off", self.verify().mapped("kind"), "explained")
        self.received(camt(Booking("5.00", reference="C3"), opening="900.00", closing="905.00"))
        self.verify()
        self.assertEqual((found.state, found.reopened), ("open", 1), "another difference")

    def test_an_account_in_another_currency(self):
        number = iban(55)
        self.env["res.currency.rate"].create(
            {"name": "2020-01-01", "rate": 1.25, "currency_id": self.usd.id,
             "company_id": self.company.id}
        )
        self.new_journal(number, self.connection, currency=self.usd, code="CNU")
        self.received(
            camt(Booking("80.00", reference="U1", currency="USD"), iban=number, currency="USD",
                 opening="0.00")
        )
        self.assert_fine()

    def test_entries_on_the_banks_ledger_account(self):
        self.received(camt(Booking("5.00", reference="C1")))
        entry = self.env["account.move"].create(
            {
                "line_ids": [
                    fields.Command.create(
                        {"account_id": self.journal.default_account_id.id, "credit": 10}
                    ),
                    fields.Command.create({"account_id": self.expense.id, "debit": 10}),
                ],
            }
        )
        self.assert_fine()
        entry.action_post()
        found = self.verify()
        self.assertEqual(set(found.mapped("code")), {"manual_entry", "balance_off"})
        self.assertEqual(
            found.filtered(lambda each: each.code == "manual_entry").move_id, entry
        )
        entry.button_draft()
        self.assert_fine()

    def test_bookings_entered_by_hand(self):
        values = {"journal_id": self.journal.id, "amount": -3, "payment_ref": "by hand"}
        early = self.env["account.bank.statement.line"].create(
            {**values, "amount": 0.01, "date": fields.Date.today() - timedelta(days=30)}
        )
        early.move_id.button_draft()  # before the connection: nothing is said about it
        early.move_id.action_post()
        early.unlink()
        self.received(camt(Booking("5.00", reference="C1")))
        line = self.env["account.bank.statement.line"].create(values)
        found = self.verify().filtered(lambda each: each.code == "manual_line")
        self.assertEqual(found.line_id, line)

    def test_bookings_that_nobody_accounts_for(self):
        self.received(camt(Booking("5.00", reference="C1"), Booking("6.00", reference="C2")))
        self.assert_fine()
        lines = self.line_of("C1") + self.line_of("C2")
        self.age(lines, "bank_booking_date", 20)
        found = self.only("open_lines")
        self.assertIn("2 bookings", found.sentence)
        self.assertEqual(
            self.env["account.bank.statement.line"].search(found.action_view_bookings()["domain"]),
            lines,
        )
        for line in lines:
            _liquidity, suspense, _other = line._seek_for_lines()
            suspense.account_id = self.expense
        self.assert_fine()

    def test_statements_that_do_not_join(self):
        """Opening balances that follow are fine; one that does not is, until the missing comes."""
        def statement(day, opening, amount):
            self.received(camt(
                Booking(amount, reference=f"S{day}"), opening=opening, number=100 + day,
                day=fields.Date.today() - timedelta(days=10 - day),
            ))

        statement(1, "1000.00", "10.00")
        statement(2, "1010.00", "10.00")
        self.assertFalse(self.verify().filtered(lambda each: each.kind == "statement_missing"))
        statement(4, "1030.00", "10.00")
        found = self.verify().filtered(lambda each: each.kind == "statement_missing")
        self.assertEqual((found.code, found.journal_id), ("statement_gap", self.journal))
        self.assertIn("1020.00 EUR", found.sentence)
        self.assertIn("1030.00 EUR", found.sentence)
        statement(3, "1020.00", "10.00")
        self.verify()
        self.assertEqual(found.state, "closed")

    def test_payments_past_bank_connect_that_wait_for_long(self):
        self.received(camt(Booking("5.00", reference="C1")))
        payment = self.env["account.payment"].create(
            {"payment_type": "outbound", "partner_id": self.vendor.id, "amount": 75,
             "journal_id": self.journal.id}
        )
        payment.action_post()
        self.assert_fine()
        self.age(self.line_of("C1"), "bank_booking_date", 50)
        self.age(payment, "date", 40)
        found = self.verify().filtered(lambda each: each.code == "transit_old")
        self.assertEqual(found.action_view_payments()["res_id"], payment.id)
        self.company.bank_transit_days = 0
        self.assertNotIn("transit_old", self.verify().mapped("code"))


@tagged("post_install", "-at_install")
class TestDiscrepancyRuns(DiscrepancyCommon):
    """However it is verified: nothing twice, nothing lost, no query for each payment."""

    def test_the_key_is_unique_in_the_database(self):
        """Two workers that find the same thing make one record."""
        model = self.env["bank.discrepancy"]._engine()
        found = Found("open_lines:x:1", "open_lines", fields.Date.today(), {}, {"values": {}})
        self.assertEqual(len(model._insert(self.company, [found])), 1)
        self.assertEqual(len(model._insert(self.company, [found])), 0)

    def test_it_is_reopened_when_it_comes_back(self):
        self.received(camt(self.debit))
        found = self.open("unknown_debit")
        self.explain(found)
        self.verify()
        self.assertEqual(found.state, "resolved", "explained once is explained")
        known = self.env["bank.debit.known"].create(
            {"name": "Stranger", "partner_name": "stranger ltd"}
        )
        self.verify()
        self.assertEqual((found.state, found.present), ("resolved", False))
        known.active = False
        self.verify()
        self.assertEqual((found.state, found.reopened), ("open", 1))
        self.assertIn("It came back", self.chatter(found))
        self.assertFalse(found.resolver_id)
        self.assertIn("Asked the bank", self.chatter(found), "the history keeps it")

    def test_a_run_that_is_cut_off_goes_on(self):
        self.paid_batch(100)
        run = self.env["bank.verification"]._engine()._begin(self.company)
        self.assertTrue(run._step())
        self.run_cron("verify")
        self.assertTrue(run.finished_on)
        self.assertEqual((run.payments, run.bookings), (1, 1))
        runs = self.env["bank.verification"].search([("company_id", "=", self.company.id)])
        self.assertEqual(runs, run)

    def test_queries_do_not_grow_with_payments(self):
        def asked(count):
            self.paid_batch(*(10 + number for number in range(count)))
            run = self.env["bank.verification"]._engine()._begin(self.company)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            while run._step():
                pass
            return self.env.cr.sql_log_count - before

        asked(2)
        few, many = asked(5), asked(30)
        self.assertLess(many - few, 10)

    def test_queries_do_not_grow_with_discrepancies_of_one_document(self):
        def asked(count):
            debits = [
                Booking(f"-{10 + number}.00", [Detail(payee="Nobody")], f"Q{count}-{number}")
                for number in range(count)
            ]
            message = self.received(camt(*debits))
            lines = self.env["account.bank.statement.line"].search(
                [("bank_message_id", "=", message.id), ("amount", "<", 0)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.env["bank.discrepancy.check"]._find_unknown_debits(
                self.company, lines.ids
            )
            self.assertEqual(len(found), count)
            return self.env.cr.sql_log_count - before

        few, many = asked(3), asked(30)
        self.assertLess(many - few, 10)

    @mute_logger("odoo.sql_db")
    def test_only_one_run_of_a_company_is_unfinished(self):
        runs = self.env["bank.verification"]._engine()
        self.assertEqual(runs._begin(self.company), runs._begin(self.company))
