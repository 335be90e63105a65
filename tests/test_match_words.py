from itertools import count

from odoo.tests import tagged

from .documents import Booking, Detail, camt, paid, pain002
from .test_discrepancy import DiscrepancyCommon
from .test_match_open_items import MatchCommon
from .test_statement_formats import mt940

_numbers = count(1)


def booking(amount, words=None, details=()):
    """A booking that has no field for numbers of ours."""
    return Booking(amount, list(details), text=words, reference=f"W{next(_numbers)}")


@tagged("post_install", "-at_install")
class TestMatchWords(MatchCommon, DiscrepancyCommon):
    """Our own numbers are found in a booking's words, whole, and for the amount to the cent."""

    def payment(self, amount=100):
        return self.sent(self.new_bill(amount)).payment_ids

    def told(self, amount, words=None, details=(), **values):
        """The line of such a booking."""
        (line,) = self.booked(booking(amount, words, details), **values)
        return line

    def assert_executed(self, line, payments):
        self.assertEqual(line.bank_payment_ids, payments, line.payment_ref)
        self.assertTrue(line.is_reconciled)
        self.assertEqual(set(payments.mapped("state")), {"paid"})
        self.assertEqual(set(payments.mapped("bank_status")), {"ACSC"})

    def test_through_the_noise(self):
        """As banks repeat a payment's number: in both bookkeepings, and nothing is alarming."""
        opening = 1000
        for book_now in (True, False):
            if not book_now:
                self.book_on_statement()
            for form in (
                lambda pay: f"SEPA TRANSFER {pay.end_to_end_id} THANK YOU",
                lambda pay: f"eref{pay.end_to_end_id.replace('-', '').lower()}",
                lambda pay: f"EREF+{pay.end_to_end_id[:20]} {pay.end_to_end_id[20:]} SVWZ+Bill",
                lambda pay: f"Uetr {pay.uetr.replace('-', '').upper()}",
                lambda pay: f"{pay.end_to_end_id} of {pay.bank_batch_id.reference}-1",
            ):
                payment = self.payment()
                with self.subTest(words=form(payment), book_now=book_now):
                    line = self.told("-100.00", form(payment), opening=f"{opening:.2f}")
                    opening -= 100
                    self.assert_executed(line, payment)
        self.assert_fine()

    def test_in_the_text_of_a_payment(self):
        """Each payment inside a booking by its own text, cut by the bank's lines."""
        payments = self.sent(self.new_bill(100) + self.new_bill(50)).payment_ids.sorted("id")
        line = self.told("-150.00", details=[
            Detail(None, f"{pay.amount:.2f}", text=f"Ref {pay.end_to_end_id} Bill")
            for pay in payments
        ])
        self.assert_executed(line, payments)

    def test_in_an_mt940(self):
        """A field 86 without structure, in lines of any length."""
        payment = self.payment()
        number = payment.end_to_end_id
        document = mt940(("-100.00", "-", "B1")).replace(
            b":86:116?00X-", f":86:UEBERWEISUNG {number[:13]}\r\n{number[13:]} DANKE".encode()
        )
        message = self.received(document)
        line = self.env["account.bank.statement.line"].search(
            [("bank_message_id", "=", message.id)]
        )
        self.assert_executed(line, payment)

    def test_a_batch(self):
        """By its own number, or its payment block's: what the bank refused is not in it."""
        for ending in ("", "-1", "1"):
            with self.subTest(ending=ending):
                batch = self.sent(self.new_bill(100) + self.new_bill(50) + self.new_bill(25))
                refused = batch.payment_ids.sorted("id")[-1]
                self.received(
                    pain002(batch.reference, [(refused.end_to_end_id, "RJCT", "AC04")])
                )
                line = self.told("-150.00", f"Collective order {batch.reference}{ending}")
                self.assert_executed(line, batch.payment_ids - refused)

    def test_a_batch_booked_before_the_bank_says_what_it_refused(self):
        """Then it is suggested whole, with what the bank did not refuse."""
        for book_now in (True, False):
            if not book_now:
                self.book_on_statement()
            bills = self.new_bill(100) + self.new_bill(50) + self.new_bill(25)
            batch = self.sent(bills)
            refused = batch.payment_ids.sorted("id")[-1]
            line = self.told("-150.00", f"Collective order {batch.reference}-1")
            self.assertFalse(line.is_reconciled)
            self.received(pain002(batch.reference, [(refused.end_to_end_id, "RJCT", "AC04")]))
            best, *others = self.env["bank.statement.suggest"]._suggest(line)[line.id]
            self.assertGreaterEqual(best["score"], 90)
            self.assertIn(batch.reference, " ".join(best["reasons"]))
            self.assertFalse(others)
            line._bank_reconcile(
                [{"item_id": item, "amount": None} for item in best["item_ids"]]
                + [{"payment_id": payment} for payment in best["payment_ids"]]
            )
            self.assert_executed(line, batch.payment_ids - refused)
            self.assertEqual(bills.mapped("payment_state"), ["paid", "paid", "not_paid"])

    def test_what_is_left_to_people(self):
        """Pieces of longer numbers, two numbers at once, other amounts and accounts."""
        one, other = self.payment(), self.payment()
        number = one.end_to_end_id
        for words, amount in (
            (f"{number}1", "-100.00"),
            (f"X{number}", "-100.00"),
            (number[:-1], "-99.00"),
            (f"{one.uetr}0", "-100.00"),
            (f"{number} {other.end_to_end_id}", "-100.00"),
            (f"{number} {other.bank_batch_id.reference}", "-100.00"),
            (f"{one.bank_batch_id.reference} {other.bank_batch_id.reference}", "-100.00"),
            (number, "-99.99"),
            (number, "100.00"),
            (one.bank_batch_id.reference, "-99.99"),
        ):
            with self.subTest(words=words, amount=amount):
                line = self.told(amount, words)
                self.assertFalse(line.bank_payment_ids or line.is_reconciled)
        self.assertEqual(set((one + other).mapped("state")), {"in_process"})

    def test_a_payment_is_executed_once(self):
        payment = self.payment()
        first, second = self.booked(
            booking("-100.00", payment.end_to_end_id), booking("-100.00", payment.end_to_end_id)
        )
        self.assert_executed(first, payment)
        self.assertFalse(second.bank_payment_ids or second.is_reconciled)

    def test_money_that_came_back(self):
        """A credit with the number of a payment that left is its return, with details or not."""
        for details in (False, True):
            with self.subTest(details=details):
                payment = self.payment()
                self.booked(paid(payment))
                words = f"Return of {payment.end_to_end_id}"
                inside = [Detail(amount="100.00", text=words)] if details else []
                line = self.told("100.00", None if details else words, inside, opening="900.00")
                self.assertEqual(line.bank_payment_ids, payment)
                self.assertEqual((payment.state, payment.bank_returned), ("rejected", True))
                self.assertTrue(line.is_reconciled)
        self.assertFalse(self.open("unknown_debit", "booked_twice"))

    def test_an_advice_says_that_it_was_executed(self):
        """Also where the bank gives its booking no number of its own."""
        payment = self.payment()
        advice = Booking("-100.00", text=payment.end_to_end_id)
        self.received(camt(advice, version="camt.054.001.08"))
        self.assertEqual((payment.bank_status, payment.bank_reference), ("ACSC", False))
