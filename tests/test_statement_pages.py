"""A statement that comes in pages is taken in as the one statement that it is."""

from datetime import date, timedelta
from itertools import permutations

from odoo.tests import tagged

from .common import OUR_IBAN, BankConnectCommon
from .documents import Booking, camt

DAY = date.today() - timedelta(days=20)


@tagged("post_install", "-at_install")
class TestStatementPages(BankConnectCommon):
    """Proven together, booked once, in whatever order the pages come."""

    def page(self, number, *amounts, of=17, last=False, opening="100.00", closing=None, sides=()):
        """A page of a statement of which just the ends have balances."""
        bookings = [Booking(amount, text="same words") for amount in amounts]
        return camt(
            *bookings, opening=opening, closing=closing, number=of, day=DAY, page=number,
            last=last, sides=sides,
        )

    def pages(self, of=17):
        """Three pages, 100 to 75, with equal payments on two of them; one leaves the balance."""
        return [
            self.page(1, "-5.00", "-10.00", of=of, sides=("OPBD",)),
            self.page(2, "-5.00", "5.00", of=of),
            self.page(3, "-5.00", "-5.00", of=of, last=True, closing="75.00", sides=("CLBD",)),
        ]

    def amounts(self):
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)], order="internal_index"
        )
        return lines.mapped("amount")

    def undone(self, test):
        """Try it, and take it back."""
        with self.env.cr.savepoint() as savepoint:
            test()
            savepoint.rollback()
        self.env.invalidate_all()

    def test_in_whatever_order_they_come(self):
        for order in permutations(range(3)):
            with self.subTest(order=order):
                self.undone(lambda order=order: self._in_order(order))

    def _in_order(self, order):
        documents = self.pages()
        first, second, third = (self.receive(documents[number]) for number in order)
        self.assertEqual({*first.mapped("state"), *second.mapped("state")}, {"processed"})
        self.assertEqual(third.state, "processed", third.error)
        self.assertFalse((first | second | third).filtered("error"))
        self.assertEqual(self.amounts(), [-5, -10, -5, 5, -5, -5])
        reports = (first | second | third).report_ids.sorted("page")
        self.assertEqual(reports.mapped("opening"), [100, 85, 85])
        self.assertEqual(reports.mapped("closing"), [85, 85, 75])
        self.assertFalse(self.journal._bank_continuity_gaps())
        statements = reports.statement_id
        self.assertTrue(all(statements.mapped("is_valid")))
        self.assertTrue(all(statements.mapped("is_complete")))

    def test_nothing_of_a_page_is_booked_before_all_add_up(self):
        first, _second, third = self.pages()
        message = self.receive(first)
        self.assertEqual(message.state, "stored", message.error)
        self.assertIn("Not here: page 2", message.error)
        self.assertFalse(self.amounts())
        last = self.receive(third)
        wrong = self.receive(self.page(2, "-5.00", "5.01"))
        self.assertEqual(wrong.state, "quarantined")
        self.assertIn("does not add up", wrong.error)
        self.assertFalse(self.amounts())
        # The bank delivers the page again, as it should have been.
        right = self.received(self.pages()[1])
        self.assertEqual((message | last | right).mapped("state"), ["processed"] * 3)
        self.assertEqual(sum(self.amounts()), -25)
        self.assertEqual(len(self.amounts()), 6)

    def test_a_page_that_does_not_come_is_told(self):
        first, second, third = self.pages()
        waiting = self.receive(first) | self.receive(third)
        self.assertEqual(waiting.mapped("state"), ["stored"] * 2)
        for message in waiting:
            message.next_attempt -= timedelta(hours=4)
        self.run_cron("process")
        self.assertEqual(waiting.mapped("state"), ["quarantined"] * 2)
        self.assertIn("Not here: page 2. When it comes", waiting[0].error)
        self.assertFalse(self.amounts())
        self.received(second)
        self.assertEqual(waiting.mapped("state"), ["processed"] * 2)
        self.assertEqual(len(self.amounts()), 6)

    def test_pages_that_come_twice_are_booked_once(self):
        """In the same bytes, in others, before and after the statement is whole."""
        first, second, third = self.pages()
        again = [document.replace(b"T19:00:00", b"T20:00:00") for document in self.pages()]
        for document in (first, again[0], third, first, second, again[1], *self.pages(), again[2]):
            self.receive(document)
        messages = self.env["bank.message"].search([("kind", "=like", "camt.053%")])
        self.assertEqual(set(messages.mapped("state")), {"processed"}, messages.mapped("error"))
        self.assertEqual(sum(self.amounts()), -25)
        self.assertEqual(len(self.amounts()), 6)
        self.assertFalse(self.journal._bank_continuity_gaps())

    def test_all_pages_in_one_document(self):
        """Each a statement element of its own; the numbers of another one are not mixed in."""
        other = self.page(1, "-1.00", of=18, opening="75.00", sides=("OPBD",))
        self.receive(other)
        documents = [document.decode() for document in reversed(self.pages())]
        head, _rest = documents[0].split("<Stmt>")
        bodies = [each.split("<Stmt>")[1].split("</Stmt>")[0] for each in documents]
        stmts = "".join(f"<Stmt>{body}</Stmt>" for body in bodies)
        self.received(f"{head}{stmts}</BkToCstmrStmt></Document>".encode())
        self.assertEqual(len(self.amounts()), 6)
        self.assertEqual(sum(self.amounts()), -25)

    def test_pages_of_an_mt940_in_files_of_their_own(self):
        """They have balances of their own; two equal payments on two pages are two."""
        day = DAY.strftime("%y%m%d")
        second, first = (
            f":20:STARTUMS\n:25:{OUR_IBAN}\n:28C:17/{number}\n:{opening}:C{day}EUR{before},00\n"
            f":61:{day}D5,00NTRFNONREF\n:86:same words\n:61:{day}{mark}5,00NTRFNONREF\n"
            f":86:same words\n:{closing}:C{day}EUR90,00\n-\n"
            for number, opening, before, mark, closing in (
                (2, "60M", 90, "C", "62F"), (1, "60F", 100, "D", "62M"),
            )
        )
        self.received(first.encode())
        self.assertFalse(self.journal._bank_continuity_gaps(), "the next page may be on its way")
        report = self.env["bank.account.report"].search([("journal_id", "=", self.journal.id)])
        self.env.cr.execute(
            "UPDATE bank_account_report SET create_date = create_date - interval '4 hours'"
            " WHERE id = %s", [report.id],
        )
        self.env.invalidate_all()
        (gap,) = self.journal._bank_continuity_gaps()
        self.assertEqual(gap["kind"], "page")
        self.assertIn("the next page is not here", gap["sentence"])
        check = self.env["bank.discrepancy.check"]
        (found,) = check._find_gaps(self.company)
        self.assertEqual(found.code, "statement_page")
        self.received(second.encode())
        self.assertFalse(self.journal._bank_continuity_gaps())
        self.assertEqual(self.amounts(), [-5, -5, -5, 5])
        # Whole in one file, it is the same statement.
        self.received((first + second).encode())
        self.assertEqual(self.amounts(), [-5, -5, -5, 5])
        self.assertFalse(self.journal._bank_continuity_gaps())
