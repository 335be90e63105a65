from datetime import date, timedelta
from itertools import permutations
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from ..models import bank_statement_import
from .common import BankConnectCommon
from .documents import Booking, Detail, camt, paid
from .scripted_connector import PowerCut

ADVICE, INTRADAY = "camt.054.001.08", "camt.052.001.08"


@tagged("post_install", "-at_install")
class TestOnceOnly(BankConnectCommon):
    """Advices, intraday reports and statements tell a booking: it is one line."""

    def lines(self):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)], order="internal_index"
        )

    def book_advices(self):
        self.journal.bank_book_from = "advice"

    def test_told_by_three_documents_in_any_order(self):
        """With a reference of its own in each kind of document, and one that all keep."""
        self.book_advices()
        for number, order in enumerate(permutations(("advice", "intraday", "statement"))):
            with self.subTest(order=order):
                detail = [Detail(f"E2E-{number}", payee="Café & Söhne")]
                documents = {
                    "advice": camt(Booking("-8.00", detail, f"A{number}"), version=ADVICE),
                    "intraday": camt(Booking("-8.00", detail, f"I{number}"), version=INTRADAY),
                    "statement": camt(Booking("-8.00", detail, f"S{number}"), opening="900.00"),
                }
                before = self.lines()
                for name in order:
                    self.received(documents[name])
                line = self.lines() - before
                self.assertEqual(len(line), 1)
                self.assertEqual(line.bank_reference, f"S{number}", "the statement knows best")
                self.assertEqual(len(line.bank_told), 3)
                self.assertTrue(line.statement_id.is_complete)
                self.assertEqual(line.bank_report_id.kind, "camt.053.001.08")

    def test_a_statement_takes_over_what_an_advice_booked(self):
        """The payment is matched by the advice; the statement adds its references and dates."""
        self.book_advices()
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        self.received(camt(paid(payment, "A1"), version=ADVICE))
        line = self.lines()
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bill.payment_state, "paid")
        self.assertFalse(line.statement_id)
        move = line.move_id
        self.received(camt(paid(payment, "S1"), Booking("-1.00", text="fee")))
        self.assertEqual(self.lines()[0], line)
        self.assertEqual(len(self.lines()), 2)
        self.assertEqual((line.move_id, line.bank_reference), (move, "S1"))
        self.assertTrue(line.is_reconciled)
        self.assertEqual(line.statement_id.line_ids, self.lines())
        self.assertTrue(line.statement_id.is_complete)
        self.assertEqual(move.line_ids.statement_id, line.statement_id)

    def test_a_reference_that_only_the_statement_has_matches_the_advices_line(self):
        self.book_advices()
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        self.received(camt(Booking("-100.00", text="Transfer"), version=ADVICE))
        self.assertFalse(self.lines().is_reconciled)
        self.received(camt(paid(payment)))
        self.assertEqual(len(self.lines()), 1)
        self.assertTrue(self.lines().is_reconciled)
        self.assertEqual(bill.payment_state, "paid")

    def test_equal_payments_stay_two_whoever_tells_them(self):
        self.book_advices()
        twins = [Booking("-5.00", text="fee"), Booking("-5.00", text="fee")]
        for documents in (
            [camt(twins[0], version=ADVICE), camt(*twins)],
            [camt(*twins, opening="990.00"), camt(*twins, version=INTRADAY)],
        ):
            before = self.lines()
            for document in documents:
                self.received(document)
            self.assertEqual((self.lines() - before).mapped("amount"), [-5, -5])

    def test_a_reference_that_a_bank_uses_for_everything(self):
        """Bookings with one reference, on statements that follow each other, all count."""
        for opening in ("100.00", "95.00", "90.00"):
            document = camt(Booking("-5.00", reference="NONE"), opening=opening)
            self.received(document)
        self.assertEqual(self.lines().mapped("amount"), [-5, -5, -5])

    def test_one_list_cut_anew(self):
        """The morning and the afternoon, after the whole day, in files of their own."""
        bookings = [Booking(f"-{number}.00", text="fee") for number in (5, 7, 5, 5)]
        self.received(camt(*bookings))
        self.received(camt(*bookings[:2]))
        message = self.received(camt(*bookings[2:], opening="988.00"))
        self.assertEqual(self.lines().mapped("amount"), [-5, -7, -5, -5])
        self.assertIn("on an earlier statement already", message.note)
        self.assertFalse(self.journal._bank_continuity_gaps())

    def test_one_statement_twice_in_one_file(self):
        document = camt(Booking("-5.00"), Booking("-5.00"))
        statement = document[document.index(b"<Stmt>") : document.index(b"</Stmt>") + 7]
        self.received(document.replace(b"</Stmt>", b"</Stmt>" + statement))
        self.assertEqual(self.lines().mapped("amount"), [-5, -5])

    def test_the_database_refuses_what_two_workers_take_in_at_once(self):
        """Who does not see the other's booking gives it the same key: only one can keep it."""
        self.received(camt(Booking("-5.00")))
        key = self.lines().bank_entry_key
        self.assertEqual(key, f"{date.today()}:-5:1")
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.env["account.bank.statement.line"].create(
                {
                    "journal_id": self.journal.id, "date": date.today(), "amount": -5.0,
                    "payment_ref": "fee", "bank_entry_key": key,
                }
            )

    def test_what_the_bank_said_is_kept(self):
        self.received(
            camt(Booking("-12.00", [Detail("E2E-1", "12.00", payee="Müller", text="RF18")], "R1"))
        )
        self.assertEqual(
            self.lines().transaction_details,
            {
                "code": "PMNT/ICDT/ESCT",
                "details": [
                    {
                        "end_to_end_id": "E2E-1", "amount": "-12.00", "currency": "EUR",
                        "name": "Müller", "remittance": ["RF18"],
                    }
                ],
            },
        )

    # -- in slices --------------------------------------------------------------------------

    def test_a_long_document_is_booked_in_slices(self):
        """What one transaction books, and what several book, is the same."""
        self.startPatcher(self.patched_slice(2))
        payments = self.sent(sum((self.new_bill(10 + n) for n in range(3)), self.new_bill(9)))
        bookings = [paid(payment) for payment in payments.payment_ids]
        bookings += [Booking("-5.00", text="fee"), Booking("-5.00", text="fee")]
        message = self.received(camt(*bookings))
        lines = self.lines()
        self.assertEqual(len(lines), 6)
        self.assertEqual(len(lines.statement_id), 1)
        statement = lines.statement_id
        told = (
            statement.date, statement.balance_start, statement.balance_end, statement.is_complete,
            statement.first_line_index, statement.balance_end_real, statement.is_valid,
        )
        for name in ("date", "first_line_index", "balance_end", "is_complete", "journal_id"):
            self.env.add_to_compute(statement._fields[name], statement)
        self.assertEqual(told, (
            statement.date, statement.balance_start, statement.balance_end, statement.is_complete,
            statement.first_line_index, statement.balance_end_real, statement.is_valid,
        ), "as Odoo computes it")
        self.assertTrue(all(lines[:4].mapped("is_reconciled")))
        self.assertEqual((message.entries_done, message.entry_count), (6, 6))

    def patched_slice(self, size):
        return patch.object(bank_statement_import, "SLICE", size)

    def test_it_goes_on_after_a_crash(self):
        """The server dies between two slices: nothing is lost, nothing counted twice."""
        self.startPatcher(self.patched_slice(2))
        bookings = [Booking("-5.00", text="fee") for _number in range(7)]
        self.bank.put(camt(*bookings))
        self.run_cron("fetch")
        with self.dying_after(2):
            self.crash_cron("process")
        message = self.env["bank.message"].search([("connection_id", "=", self.connection.id)])
        self.assertEqual((message.state, message.entries_done, len(self.lines())), ("stored", 4, 4))
        self.assertFalse(self.lines().statement_id)
        self.run_cron("process")
        self.assertEqual((message.state, len(self.lines())), ("processed", 7))
        self.assertTrue(self.lines().statement_id.is_complete)
        # And told again it is all known.
        self.received(camt(*bookings))
        self.assertEqual(len(self.lines()), 7)

    def dying_after(self, slices):
        messages = type(self.env["bank.message"])
        book, left = messages._book_slice, [slices]

        def die(message, *arguments):
            if not left[0]:
                raise PowerCut
            left[0] -= 1
            return book(message, *arguments)

        return patch.object(messages, "_book_slice", die)

    def test_a_fault_far_behind_books_nothing(self):
        self.startPatcher(self.patched_slice(2))
        bookings = [Booking("-5.00") for _number in range(7)]
        document = camt(*bookings)
        position = document.rindex(b">5.00<")
        self.quarantined(document[:position] + b">5,00<" + document[position + 6 :], "5,00")
        self.assertFalse(self.lines())

    def test_a_long_statement_lets_no_entry_take_what_a_later_one_names(self):
        """Known bookings go to the entries that name them, though others come first."""
        self.startPatcher(self.patched_slice(2))
        self.book_advices()
        self.received(camt(Booking("-5.00", [Detail("E2E-LAST")]), version=ADVICE))
        named = self.lines()
        self.received(camt(
            *(Booking("-5.00", text="fee") for _number in range(4)),
            Booking("-5.00", [Detail("E2E-LAST")], "R9"),
        ))
        self.assertEqual(len(self.lines()), 5)
        self.assertEqual(named.bank_reference, "R9")

    # -- days -------------------------------------------------------------------------------

    def test_an_advice_that_is_a_day_ahead(self):
        self.book_advices()
        yesterday = date.today() - timedelta(days=1)
        self.received(camt(Booking("-5.00", day=yesterday), version=ADVICE))
        self.received(camt(Booking("-5.00", day=date.today())))
        line = self.lines()
        self.assertEqual(len(line), 1)
        self.assertEqual((line.date, line.bank_booking_date), (yesterday, date.today()))
