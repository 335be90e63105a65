from datetime import date, timedelta

from odoo import fields
from odoo.tests import tagged

from .common import BankConnectCommon, iban
from .documents import Booking, Detail, camt, paid


@tagged("post_install", "-at_install")
class TestStatementImport(BankConnectCommon):
    """A bank's statement becomes Odoo's, once, whole or not at all."""

    def statements(self):
        return self.env["account.bank.statement"].search([("journal_id", "=", self.journal.id)])

    def lines(self):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)], order="id"
        )

    def test_lines_and_balances(self):
        """In the two versions that banks use most; the second statement continues the first."""
        for version, opening, closing in (
            ("camt.053.001.02", "1000.00", 1487.66),
            ("camt.053.001.08", "1487.66", 1975.32),
        ):
            with self.subTest(version=version):
                before = self.lines()
                message = self.received(
                    camt(
                        Booking(
                            "-12.34", [Detail(payee="Café & Söhne", text="Menü 7")], "R1" + version
                        ),
                        Booking("500.00", text="Cash in", reference="R2" + version),
                        Booking("-9.99", status="PDNG"),
                        opening=opening,
                        version=version,
                    )
                )
                first, second = self.lines() - before
                self.assertEqual((first.amount, second.amount), (-12.34, 500))
                self.assertEqual(first.payment_ref, "Menü 7")
                self.assertEqual(first.partner_name, "Café & Söhne")
                self.assertEqual(second.payment_ref, "Cash in")
                self.assertEqual(first.bank_reference, "R1" + version)
                self.assertEqual(first.bank_message_id, message)
                statement = first.statement_id
                self.assertEqual(statement, second.statement_id)
                self.assertEqual(statement.balance_start, float(opening))
                self.assertEqual(statement.balance_end_real, closing)
                self.assertTrue(statement.is_complete)
                self.assertTrue(statement.is_valid)

    def test_an_account_overdrawn(self):
        self.received(camt(Booking("-30.00"), opening="10.00"))
        self.received(camt(Booking("5.00"), opening="-20.00"))
        self.assertEqual(self.statements().sorted("id").mapped("balance_end_real"), [-20, -15])

    def test_two_accounts_of_one_connection(self):
        """Each statement goes to its own journal."""
        other = self.new_journal(iban(801), self.connection, code="CN8")
        self.received(camt(Booking("-1.00")))
        self.received(camt(Booking("-2.00"), iban=iban(801)))
        self.assertEqual(self.lines().mapped("amount"), [-1])
        line = self.env["account.bank.statement.line"].search([("journal_id", "=", other.id)])
        self.assertEqual(line.amount, -2)

    # -- once -------------------------------------------------------------------------------

    def test_the_same_file_twice(self):
        document = camt(Booking("-5.00", reference="R1"), Booking("-6.00"))
        self.received(document)
        self.received(document)
        self.assertEqual(len(self.lines()), 2)

    def test_a_statement_delivered_anew(self):
        """Other numbers and times around the same bookings make nothing new."""
        bookings = [Booking("-5.00", reference="R1"), Booking("-6.00", text="fee")]
        self.received(camt(*bookings))
        message = self.received(camt(*bookings))
        self.assertEqual(self.lines().mapped("amount"), [-5, -6])
        self.assertIn("on an earlier statement already", message.note)

    def test_overlapping_statements(self):
        """A statement that repeats the morning and adds the afternoon adds the afternoon."""
        morning = [Booking("-5.00", reference="R1"), Booking("-6.00", text="fee")]
        self.received(camt(*morning))
        self.received(camt(*morning, Booking("-7.00", reference="R3")))
        self.assertEqual(self.lines().mapped("amount"), [-5, -6, -7])
        self.assertEqual(self.statements().sorted("id").mapped("balance_end_real"), [989, 982])
        self.assertTrue(all(self.statements().mapped("is_complete")), "balances add up")

    def test_two_equal_bookings_stay_two(self):
        """Two fees of 5.00 on one day, without any reference, are two."""
        fees = [Booking("-5.00", text="fee"), Booking("-5.00", text="fee")]
        document = camt(*fees)
        self.received(document)
        self.received(document)
        self.assertEqual(self.lines().mapped("amount"), [-5, -5])

    def test_two_equal_bookings_on_consecutive_statements_stay_two(self):
        """The second statement goes on where the first one ended, so it is no repetition."""
        self.received(camt(Booking("-5.00", text="fee"), opening="100.00"))
        self.received(camt(Booking("-5.00", text="fee"), opening="95.00"))
        self.assertEqual(self.lines().mapped("amount"), [-5, -5])

    def test_bookings_told_apart_by_one_reference(self):
        """Equal amounts on one day are two bookings where they name two batches or payments."""
        self.received(camt(Booking("-5.00", batch="BATCH-1"), opening="100.00"))
        self.received(camt(Booking("-5.00", batch="BATCH-2"), opening="95.00"))
        self.assertEqual(self.lines().mapped("amount"), [-5, -5])
        uetrs = ("8a562c67-ca16-48ba-b074-65581be6f001", "8a562c67-ca16-48ba-b074-65581be6f002")
        for uetr, opening in zip(uetrs, ("90.00", "83.00"), strict=True):
            self.received(camt(Booking("-7.00", [Detail(uetr=uetr)]), opening=opening))
        self.assertEqual(self.lines().mapped("amount"), [-5, -5, -7, -7])

    # -- whole or not at all ----------------------------------------------------------------

    def test_a_statement_that_does_not_add_up(self):
        self.quarantined(camt(Booking("-5.00"), closing="994.00"), "difference of -1")
        self.assertFalse(self.lines() or self.statements())

    def test_an_unknown_account(self):
        self.quarantined(camt(Booking("-5.00"), iban=iban(999)), "belongs to no journal")

    def test_an_account_of_another_connection(self):
        """One bank can't book on another bank's account."""
        other = self.new_connection("Other Bank")
        self.new_journal(iban(802), other, code="CN9")
        self.env["bank.message"]._store(
            self.connection, camt(Booking("-5.00"), iban=iban(802)), name="foreign"
        )
        self.run_cron("process")
        message = self.env["bank.message"].search([("name", "=", "foreign")])
        self.assertEqual(message.state, "quarantined")
        self.assertFalse(
            self.env["account.bank.statement.line"].search(
                [("journal_id.bank_connection_id", "=", other.id)]
            )
        )

    def test_another_currency(self):
        self.quarantined(
            camt(Booking("-5.00", currency="USD"), currency="USD"),
            "is in USD, but the journal .* is kept in EUR",
        )

    def test_two_statements_in_one_file_of_which_one_is_wrong(self):
        """A file is taken in whole or not at all."""
        good, bad = camt(Booking("-5.00")), camt(Booking("-6.00"), closing="1.00")
        second = bad[bad.index(b"<Stmt>") : bad.index(b"</Stmt>") + 7]
        self.quarantined(good.replace(b"</Stmt>", b"</Stmt>" + second), "difference")
        self.assertFalse(self.lines())

    def test_an_amount_that_can_not_be_read(self):
        self.quarantined(camt(Booking("-5.00")).replace(b">5.00<", b">5,00<"), "(?i)amount|5,00")

    # -- dates ------------------------------------------------------------------------------

    def test_a_locked_period_moves_the_entry_and_keeps_the_banks_date(self):
        booked = date.today() - timedelta(days=40)
        self.company.fiscalyear_lock_date = fields.Date.today() - timedelta(days=20)
        self.received(camt(Booking("-5.00", day=booked)))
        line = self.lines()
        self.assertGreater(line.date, self.company.fiscalyear_lock_date)
        self.assertEqual(line.bank_booking_date, booked)

    def test_a_payment_booked_into_a_locked_period_is_matched_all_the_same(self):
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        booked = date.today() - timedelta(days=40)
        self.company.fiscalyear_lock_date = fields.Date.today() - timedelta(days=20)
        self.received(camt(paid(payment, day=booked)))
        self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))

    # -- advices ----------------------------------------------------------------------------

    def test_advices_move_the_status_only(self):
        """camt.054 and camt.052 tell earlier what the statement will book."""
        for version in ("camt.054.001.02", "camt.054.001.08", "camt.052.001.08"):
            with self.subTest(version=version):
                bill = self.new_bill(100)
                payment = self.sent(bill).payment_ids
                self.received(camt(paid(payment), version=version))
                self.assertEqual(payment.bank_status, "ACSC")
                self.assertEqual((payment.state, bill.payment_state), ("in_process", "in_payment"))
                self.assertFalse(payment.bank_booked)
        self.assertFalse(self.lines())

    def test_a_pending_entry_of_an_advice_says_nothing(self):
        payment = self.sent(self.new_bill(100)).payment_ids
        self.received(camt(paid(payment, status="PDNG"), version="camt.052.001.08"))
        self.assertEqual(payment.bank_status, "RCVD")
