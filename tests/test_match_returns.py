from odoo import fields
from odoo.tests import tagged

from .documents import Booking, Detail, paid, returned
from .test_match_open_items import MatchCommon


@tagged("post_install", "-at_install")
class TestMatchReturns(MatchCommon):
    """Money that came back is told from money that came in, and undoes the right payment."""

    def ways(self):
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                yield

    def detail(self, payment, **values):
        return Detail(payment.end_to_end_id, f"{payment.amount:.2f}", **values)

    def assert_back(self, *payments):
        for payment in payments:
            bill = payment.bank_instalment_ids.move_id
            self.assertEqual((payment.state, payment.bank_returned), ("rejected", True))
            self.assertEqual(bill.payment_state, "not_paid")
            self.assertTrue(self.activities(bill), "the accountant is told")

    def assert_paid(self, *payments):
        for payment in payments:
            self.assertEqual((payment.state, payment.bank_returned), ("paid", False))
            self.assertEqual(payment.bank_instalment_ids.move_id.payment_state, "paid")

    def test_one_credit_for_several(self):
        for _way in self.ways():
            payments = self.sent(
                self.new_bill(100) + self.new_bill(50) + self.new_bill(25)
            ).payment_ids.sorted("id")
            self.booked(Booking("-175.00", [self.detail(payment) for payment in payments]))
            first, second, third = payments
            (line,) = self.booked(
                Booking("150.00", [
                    self.detail(first, returned="AC04"), self.detail(second, returned="AM04"),
                ]),
                opening="825.00",
            )
            self.assert_back(first, second)
            self.assert_paid(third)
            self.assertTrue(line.is_reconciled)
            self.assertEqual((first.bank_reason, second.bank_reason), ("AC04", "AM04"))
            self.assertEqual(first.partner_bank_id.bank_trust, "hold")

    def test_a_return_inside_of_a_debit(self):
        """One debit for what left, less what came back."""
        for _way in self.ways():
            earlier = self.sent(self.new_bill(25)).payment_ids
            self.booked(paid(earlier))
            later = self.sent(self.new_bill(100) + self.new_bill(50)).payment_ids
            (line,) = self.booked(
                Booking("-125.00", [
                    *map(self.detail, later), self.detail(earlier, returned="AC04", sign="CRDT"),
                ]),
                opening="975.00",
            )
            self.assert_back(earlier)
            self.assert_paid(*later)
            self.assertTrue(line.is_reconciled)

    def test_without_a_word_of_the_bank(self):
        """A credit with the number of a payment that left is its return, whatever it is called."""
        for _way in self.ways():
            payment = self.sent(self.new_bill(100)).payment_ids
            self.booked(paid(payment))
            self.booked(Booking("100.00", [self.detail(payment)]), opening="900.00")
            self.assert_back(payment)

    def test_money_of_the_same_amount(self):
        """A customer who pays as much as a payment that left brings nothing back."""
        payment = self.sent(self.new_bill(100)).payment_ids
        self.booked(paid(payment))
        invoice = self.invoice(100)
        plain, told = self.booked(
            self.money("100.00", "refund", account=self.vendor.bank_ids.acc_number),
            self.money("100.00", invoice.name),
            opening="900.00",
        )
        self.assert_paid(payment)
        self.assert_open(plain)
        self.assert_settled(told, invoice)

    def test_a_second_return_is_left_to_people(self):
        payment = self.sent(self.new_bill(100)).payment_ids
        self.booked(paid(payment), returned(payment, reference="R-1"))
        (again,) = self.booked(returned(payment, reference="R-2"))
        self.assert_back(payment)
        self.assert_open(again)
        self.assertEqual(len(self.activities(payment.bank_instalment_ids.move_id)), 1)

    def test_a_return_that_names_nothing(self):
        """Payments of its amount that left are suggested, the payee's first; a person decides."""
        other = self.new_vendor("Alpenholz KG", 31)
        strange, ours = self.sent(
            self.new_bill(100, other) + self.new_bill(100)
        ).payment_ids.sorted(lambda pay: pay.partner_id == self.vendor)
        waiting, gone = self.sent(self.new_bill(100) + self.new_bill(100)).payment_ids
        self.booked(paid(ours), paid(strange), paid(gone), returned(gone))
        back, plain = self.booked(
            Booking("100.00", [Detail("NOTPROVIDED", "100.00", returned="AC04",
                                      payee=self.vendor.name)]),
            self.money("100.00", "Thank you", payee=self.vendor.name),
            opening="800.00",
        )
        self.assert_open(back)
        self.assert_paid(ours, strange)
        back.partner_id = self.vendor
        found = self.env["bank.statement.suggest"]._suggest(back + plain)
        self.assertEqual([one["payment_ids"] for one in found[back.id]], [ours.ids, strange.ids])
        best = found[back.id][0]
        self.assertIn("The bank calls it a return", best["reasons"][0])
        self.assertLess(best["score"], 90, "never one of those that are confirmed at once")
        self.assertFalse([one for one in found[plain.id] if one["payment_ids"] == ours.ids])
        shown = self.env["bank.reconcile.screen"].suggest(back.ids)[str(back.id)][0]["parts"]
        self.assertEqual([(part["id"], part["amount"]) for part in shown], [(ours.id, "100.00")])
        back._bank_reconcile([{"payment_id": ours.id}])
        self.assert_back(ours)
        self.assert_paid(strange)
        self.assertTrue(back.is_reconciled)
        self.assertEqual(waiting.state, "in_process")

    def test_less_charges(self):
        """What the bank kept of a return goes to the account for charges; without one it waits."""
        payments = self.sent(self.new_bill(100) + self.new_bill(50)).payment_ids.sorted("id")
        self.booked(*map(paid, payments))
        back = [
            Booking(
                f"{payment.amount - 3:.2f}",
                [Detail(payment.end_to_end_id, f"{payment.amount - 3:.2f}", returned="AC04",
                        charges="3.00")],
            )
            for payment in payments
        ]
        (line,) = self.booked(back[0], opening="850.00")
        self.assert_open(line)
        self.assert_paid(*payments)
        self.allow()
        (told,) = self.booked(back[1], opening="947.00")
        self.assert_back(payments[1])
        self.assert_settled(told, charges=3)
        # By hand, as the accountant sees it.
        line._bank_reconcile(
            [{"payment_id": payments[0].id}, {"account_id": self.charges.id, "amount": "-3.00"}]
        )
        self.assert_back(payments[0])
        self.assert_settled(line, charges=3)
        line.action_bank_undo()
        self.assert_paid(payments[0])
        self.assertFalse(line.is_reconciled)

    def test_weeks_later_in_a_locked_period(self):
        """The booking's period is closed: the return is booked when it comes, and undoes it."""
        for _way in self.ways():
            payment = self.sent(self.new_bill(100)).payment_ids
            today = fields.Date.today()
            day = fields.Date.subtract(today, days=40)
            (debit,) = self.booked(paid(payment, day=day))
            self.assert_paid(payment)
            self.company.fiscalyear_lock_date = fields.Date.subtract(today, days=10)
            before = debit.move_id.line_ids.mapped(lambda item: (item.account_id, item.balance))
            (credit,) = self.booked(returned(payment), opening="900.00")
            self.assert_back(payment)
            self.assertTrue(credit.is_reconciled and debit.is_reconciled)
            after = debit.move_id.line_ids.mapped(lambda item: (item.account_id, item.balance))
            self.assertEqual(after, before, "a closed period stays as it was")
            self.company.fiscalyear_lock_date = False
