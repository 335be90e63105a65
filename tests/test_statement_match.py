from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import Booking, Detail, camt, paid, pain002, returned


@tagged("post_install", "-at_install")
class TestStatementMatch(BankConnectCommon):
    """A booking finds the payments that it executed or brought back, in both bookkeepings."""

    def way(self, book_now):
        """Odoo's way of bookkeeping: an entry at once, or none before the statement."""
        outstanding = (
            self.env["account.payment"]
            .new({"company_id": self.company.id})
            ._get_outstanding_account("outbound")
        )
        self.journal._bank_method_line().payment_account_id = outstanding if book_now else False
        return self.subTest(book_now=book_now)

    def assert_paid(self, batch, bills):
        payments = batch.payment_ids
        self.assertEqual(set(payments.mapped("state")), {"paid"})
        self.assertEqual(set(payments.mapped("bank_status")), {"ACSC"})
        self.assertEqual(set(bills.mapped("payment_state")), {"paid"})
        self.assertEqual(set(bills.mapped("amount_residual")), {0})
        self.assertEqual(batch.state, "settled")
        lines = self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payments.ids)]
        )
        self.assertEqual(lines.bank_payment_ids, payments)
        self.assertTrue(all(lines.mapped("is_reconciled")))
        suspense = self.journal.suspense_account_id
        self.assertNotIn(suspense, lines.move_id.line_ids.account_id)
        outstanding = payments.outstanding_account_id
        if outstanding:
            self.assertEqual(
                set(
                    payments.move_id.line_ids.filtered(
                        lambda line: line.account_id in outstanding
                    ).mapped("reconciled")
                ),
                {True},
            )
        return lines

    def assert_unmatched(self, payment):
        """The booking waits for a person; the payment waits for its booking."""
        line = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)], order="id desc", limit=1
        )
        self.assertFalse(line.bank_payment_ids or line.is_reconciled)
        self.assertFalse(payment.bank_booked)
        self.assertEqual(payment.state, "in_process")

    def assert_back(self, payment, bill, words="account is closed"):
        self.assertTrue(payment.bank_returned)
        self.assertEqual(payment.state, "rejected")
        self.assertEqual(
            (bill.payment_state, bill.amount_residual), ("not_paid", bill.amount_total)
        )
        self.assertFalse(bill.bank_instalment_ids.filtered("live"))
        self.assertIn(words, bill.bank_status_text)
        self.assertIn(words, self.activities(bill)[:1].summary)
        lines = self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payment.ids)]
        )
        self.assertEqual(sum(lines.mapped("amount")), 0)
        self.assertTrue(all(lines.mapped("is_reconciled")), "the two movements cancel out")

    # -- what a booking is told by ----------------------------------------------------------

    def test_by_end_to_end_number(self):
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50)
                batch = self.sent(bills)
                self.received(camt(*[paid(payment) for payment in batch.payment_ids]))
                self.assert_paid(batch, bills)

    def test_by_uetr(self):
        """Banks abroad keep the UETR where the end-to-end number got lost."""
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100)
                batch = self.sent(bill)
                uetr = batch.payment_ids.uetr.upper()
                self.received(
                    camt(Booking("-100.00", [Detail("NOTPROVIDED", "100.00", uetr)], uetr))
                )
                self.assert_paid(batch, bill)

    def test_one_debit_with_details(self):
        """One booking for many payments, each named inside."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50) + self.new_bill(25.5)
                batch = self.sent(bills)
                details = [
                    Detail(pay.end_to_end_id, f"{pay.amount:.2f}") for pay in batch.payment_ids
                ]
                self.received(camt(Booking("-175.50", details)))
                self.assertEqual(len(self.assert_paid(batch, bills)), 1)

    def test_one_debit_without_details(self):
        """One booking that names nothing but the payment block."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50)
                batch = self.sent(bills)
                self.received(
                    camt(Booking("-150.00", reference=batch.name, batch=f"{batch.reference}-1"))
                )
                self.assertEqual(len(self.assert_paid(batch, bills)), 1)

    def test_one_debit_with_details_for_a_part(self):
        """The amount and the batch's number tell what the details do not."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50) + self.new_bill(25)
                batch = self.sent(bills)
                one = batch.payment_ids[0]
                detail = Detail(one.end_to_end_id, f"{one.amount:.2f}", payee="Somebody")
                message = self.received(camt(
                    Booking("-175.00", [detail], message=batch.reference, count=3)
                ))
                self.assertIn("the entry is -175.00, its 1 payments make", message.note)
                (line,) = self.assert_paid(batch, bills)
                self.assertFalse(line.partner_name, "it is not the one payee's booking")

    def test_one_debit_for_two_batches(self):
        """All that it names, to the cent, or nothing."""
        for right in (True, False):
            bills = self.new_bill(100), self.new_bill(50)
            first, second = (self.sent(bill) for bill in bills)
            booking = Booking(
                "-150.00" if right else "-151.00", batch=f"{first.reference}-1",
                further=(f"{second.reference}-1",),
            )
            self.received(camt(booking))
            states = {*first.mapped("state"), *second.mapped("state")}
            self.assertEqual(states, {"settled"} if right else {"sent"})

    def test_one_debit_of_which_the_details_name_the_batch(self):
        """A bank that has no element for the batch gives its number with the one detail."""
        bills = self.new_bill(100) + self.new_bill(50)
        batch = self.sent(bills)
        document = camt(Booking("-150.00", [Detail("NOTPROVIDED")]))
        named = f"<PmtInfId>{batch.reference}-1</PmtInfId><EndToEndId>".encode()
        self.received(document.replace(b"<EndToEndId>", named))
        self.assertEqual(batch.state, "settled")

    def test_a_debit_that_differs_from_its_batch_is_left_to_people(self):
        """Nothing is booked on a guess; the line says which batch the bank names."""
        bills = self.new_bill(100) + self.new_bill(50)
        batch = self.sent(bills)
        message = self.received(camt(
            Booking("-149.00", message=batch.reference, batch=f"{batch.reference}-1", count=2)
        ))
        self.assertEqual(set(batch.payment_ids.mapped("bank_booked")), {False})
        line = self.env["account.bank.statement.line"].search(
            [("bank_message_id", "=", message.id)]
        )
        self.assertFalse(line.is_reconciled)
        self.assertIn(batch.reference, line.payment_ref)

    def test_one_debit_without_a_rejected_payment(self):
        """What the bank rejected is not in its debit for the rest."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50)
                batch = self.sent(bills)
                first, second = batch.payment_ids.sorted("id")
                self.received(pain002(batch.reference, [(first.end_to_end_id, "RJCT", "AC04")]))
                self.received(
                    camt(Booking("-50.00", reference=batch.name, batch=f"{batch.reference}-1"))
                )
                self.assertEqual((first.state, second.state), ("rejected", "paid"))
                self.assertEqual(bills.mapped("payment_state"), ["not_paid", "paid"])
                self.assertEqual(batch.state, "settled")

    def test_grouped_netted_and_discounted_payments(self):
        """Whatever one payment pays is paid when it is booked."""
        term = self.env["account.payment.term"].create(
            {
                "name": "2%",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [(0, 0, {"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(60)
                note = self.new_bill(30, move_type="in_refund")
                netted = self.sent(bills + note, net_credit_notes=True)
                self.received(camt(paid(netted.payment_ids)))
                self.assert_paid(netted, bills + note)
                bill = self.new_bill(1000, invoice_payment_term_id=term.id)
                batch = self.sent(bill)
                self.assertEqual(batch.amount_total, 980)
                self.received(camt(paid(batch.payment_ids)))
                self.assert_paid(batch, bill)

    def test_a_netted_payment_came_back_and_did_not(self):
        """A return that is undone leaves bills and credit note paid, as before it."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(60)
                bills += self.new_bill(30, move_type="in_refund")
                batch = self.sent(bills, net_credit_notes=True)
                self.received(camt(paid(batch.payment_ids), returned(batch.payment_ids)))
                back = batch.payment_ids.bank_return_line_id
                self.assertEqual(sum(bills.mapped("amount_residual")), 130)
                back.action_bank_undo()
                self.assertFalse(back.is_reconciled)
                self.assert_paid(batch, bills)

    def test_a_dollar_account(self):
        """Bill, payment and statement in a currency of their own, at three rates."""
        for day, rate in (("2020-01-01", 1.25), ("2026-01-01", 1.6)):
            self.env["res.currency.rate"].create(
                {
                    "name": day,
                    "rate": rate,
                    "currency_id": self.usd.id,
                    "company_id": self.company.id,
                }
            )
        number = "DE02120300000000202051"
        journal = self.new_journal(number, self.connection, currency=self.usd, code="CNU")
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement(journal)
                bill = self.new_bill(
                    80, currency_id=self.usd.id, invoice_date="2025-06-01", date="2025-06-01"
                )
                batch = self.sent(bill)
                booking = paid(batch.payment_ids, currency="USD")
                self.received(camt(booking, iban=number, currency="USD"))
                self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
                self.assertEqual(batch.payment_ids.state, "paid")

    # -- what is not matched ----------------------------------------------------------------

    def test_another_amount_is_not_matched(self):
        """Not to the cent is not matched: a person looks at it."""
        payment = self.sent(self.new_bill(100)).payment_ids
        detail = Detail(payment.end_to_end_id, "99.99")
        self.received(camt(Booking("-99.99", [detail])))
        self.assert_unmatched(payment)

    def test_money_coming_in_is_no_execution(self):
        payment = self.sent(self.new_bill(100)).payment_ids
        self.received(camt(Booking("100.00", [Detail(payment.end_to_end_id, "100.00")])))
        self.assert_unmatched(payment)

    def test_a_payment_from_another_account_is_not_matched(self):
        payment = self.sent(self.new_bill(100)).payment_ids
        number = "DE02120300000000202051"
        self.new_journal(number, self.connection, code="CN2")
        self.received(camt(paid(payment), iban=number))
        self.assertFalse(payment.bank_booked)

    def test_a_payment_is_executed_once(self):
        """A second debit with the same number is not taken for the same payment."""
        bill = self.new_bill(100)
        batch = self.sent(bill)
        payment = batch.payment_ids
        self.received(camt(paid(payment, "R1"), paid(payment, "R2")))
        lines = self.assert_paid(batch, bill)
        self.assertEqual(len(lines), 1)
        other = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id), ("id", "not in", lines.ids)]
        )
        self.assertEqual((len(other), other.is_reconciled), (1, False))

    def test_executed_after_a_rejection(self):
        """A payment that the bank rejected and then booked is no reason to lose a statement."""
        bill = self.new_bill(100)
        batch = self.sent(bill)
        payment = batch.payment_ids
        self.received(pain002(batch.reference, [(payment.end_to_end_id, "RJCT", "AC04")]))
        self.received(camt(paid(payment), Booking("-5.00", text="fee")))
        self.assertEqual(payment.bank_status, "ACSC")
        self.assertIn("Do not pay again", " ".join(self.activities(bill).mapped("summary")))

    # -- returns ----------------------------------------------------------------------------

    def test_returned_on_the_same_statement(self):
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100)
                payment = self.sent(bill).payment_ids
                self.received(camt(paid(payment), returned(payment)))
                self.assert_back(payment, bill)

    def test_returned_later(self):
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100)
                batch = self.sent(bill)
                payment = batch.payment_ids
                self.received(camt(paid(payment)))
                self.assert_paid(batch, bill)
                self.received(camt(returned(payment), opening="900.00"))
                self.assert_back(payment, bill)

    def test_a_return_is_told_once(self):
        """The same return on a second statement, or sent twice, changes nothing."""
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        self.received(camt(paid(payment)))
        for _time in range(2):
            self.received(camt(returned(payment, reference="RET-1"), opening="900.00"))
        self.assert_back(payment, bill)
        self.assertEqual(len(self.activities(bill)), 1)

    def test_a_returned_bill_is_paid_again(self):
        """The second payment is another one; the bank's late word on the first changes nothing."""
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100)
                payment = self.sent(bill).payment_ids
                self.received(camt(paid(payment), returned(payment)))
                again = self.sent(bill)
                self.assertNotEqual(again.payment_ids, payment)
                self.received(camt(paid(again.payment_ids)))
                self.assert_paid(again, bill)
                self.assertEqual(payment.state, "rejected")

    def test_one_of_a_batch_is_returned(self):
        """Of a grouped debit one payment comes back: the others stay paid."""
        for book_now in (True, False):
            with self.way(book_now):
                bills = self.new_bill(100) + self.new_bill(50)
                batch = self.sent(bills)
                first, second = batch.payment_ids.sorted("id")
                self.received(
                    camt(Booking("-150.00", reference=batch.name, batch=f"{batch.reference}-1"))
                )
                self.received(camt(returned(second, "AC06"), opening="850.00"))
                self.assertEqual(bills.mapped("payment_state"), ["paid", "not_paid"])
                self.assertEqual(bills.mapped("amount_residual"), [0, 50])
                self.assertEqual((first.state, second.state), ("paid", "rejected"))
                self.assertIn("blocked", bills[1].bank_status_text)

    def balances(self):
        """The trial balance: account → balance of its posted items."""
        rows = self.env["account.move.line"]._read_group(
            [("company_id", "=", self.company.id), ("parent_state", "=", "posted")],
            ["account_id"], ["balance:sum"],
        )
        return {account.code: round(balance, 2) for account, balance in rows if round(balance, 2)}

    def test_a_discounted_bill_is_owed_in_full_after_a_return(self):
        """The discount goes with the payment that came back, and the tax that it had changed."""
        term = self.env["account.payment.term"].create(
            {
                "name": "2%",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": "included",
                "line_ids": [(0, 0, {"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )
        tax = self.env["account.tax"].create(
            {"name": "25%", "amount": 25, "type_tax_use": "purchase"}
        )
        for book_now in (True, False):
            with self.way(book_now):
                bill = self.new_bill(100, post=False, invoice_payment_term_id=term.id)
                bill.invoice_line_ids.tax_ids = tax
                bill.action_post()
                before = self.balances()
                payment = self.sent(bill).payment_ids
                self.assertEqual(payment.amount, 122.50)
                self.received(camt(paid(payment)))
                booked = self.balances()
                self.received(camt(returned(payment), opening="877.50"))
                self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 125))
                self.assertEqual(self.balances(), before, "no gain, no tax, nothing on the way")
                left = self.env["account.move.line"].search(
                    [
                        ("account_id", "=", payment.destination_account_id.id),
                        ("parent_state", "=", "posted"),
                        ("amount_residual", "!=", 0),
                    ]
                )
                self.assertEqual(left.move_id, bill)
                back = payment.bank_return_line_id
                back.action_bank_undo()
                self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
                untouched = {item.account_id.code for item in back.move_id.line_ids}
                self.assertEqual(
                    {code: sum_ for code, sum_ in self.balances().items() if code not in untouched},
                    {code: sum_ for code, sum_ in booked.items() if code not in untouched},
                )
