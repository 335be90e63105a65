from odoo import Command, fields
from odoo.tests import tagged

from .common import BankConnectCommon, iban
from .documents import Booking, Detail, camt


class MatchCommon(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.env["res.partner"].create(
            {"name": "Weiß Handels GmbH", "bank_ids": [Command.create({"acc_number": iban(71)})]}
        )
        cls.account = cls.customer.bank_ids.acc_number
        accounts = cls.env["account.account"].create(
            [
                {"name": name, "code": code, "account_type": "expense"}
                for name, code in (("Bank charges", "655991"), ("Small differences", "655992"))
            ]
        )
        cls.charges, cls.differences = accounts

    def invoice(self, amount, partner=None, **values):
        return self.new_bill(
            amount, partner or self.customer, move_type="out_invoice", ref="-", **values
        )

    def allow(self, tolerance=0.0):
        self.company.write(
            {
                "bank_charges_account_id": self.charges.id,
                "bank_difference_account_id": self.differences.id,
                "bank_match_tolerance": tolerance,
            }
        )

    def booked(self, *bookings, **values):
        """Take a statement in; its lines, in the order of the bookings."""
        message = self.received(camt(*bookings, **values))
        return self.env["account.bank.statement.line"].search(
            [("bank_message_id", "=", message.id)], order="id"
        )

    def money(self, amount, text=None, **values):
        return Booking(amount, [Detail(amount=amount.lstrip("-"), text=text, **values)])

    def assert_open(self, line, *moves):
        """Nothing was booked on a guess."""
        self.assertFalse(line.is_reconciled)
        self.assertEqual(line.move_id.line_ids[1:].account_id, self.journal.suspense_account_id)
        for move in moves:
            self.assertEqual(move.amount_residual, move.amount_total)

    def assert_settled(self, line, *moves, **extra):
        self.assertTrue(line.is_reconciled, line.payment_ref)
        for move in moves:
            self.assertEqual((move.payment_state, move.amount_residual), ("paid", 0), move.name)
        for name, balance in extra.items():
            items = line.move_id.line_ids.filtered(
                lambda item, name=name: item.account_id == getattr(self, name)
            )
            self.assertEqual(items.balance, balance)

    def assert_undone(self, line, *moves):
        line.action_bank_undo()
        self.assertFalse(line.is_reconciled)
        for move in moves:
            self.assertEqual(move.amount_residual, move.amount_total)
            self.assertEqual(move.payment_state, "not_paid")


@tagged("post_install", "-at_install")
class TestMatchOpenItems(MatchCommon):
    """A booking finds the bill or invoice that it is for, and only that one."""

    # -- what it is told by -------------------------------------------------------------------

    def test_by_creditor_reference(self):
        """Structured references, as payers write them: Finnish, Swiss, Norwegian, RF."""
        given = {
            "RF18539007547034": "RF18 5390 0754 7034",
            "1232": "0000 0000 0000 0000 1232",
            "210000000003139471430009017": "21 00000 00003 13947 14300 09017",
            "000000000123456": "123456",
        }
        invoices = [self.invoice(100, payment_reference=reference) for reference in given]
        lines = self.booked(
            *[self.money("100.00", creditor_reference=text) for text in given.values()]
        )
        for line, invoice in zip(lines, invoices, strict=True):
            self.assert_settled(line, invoice)
            self.assertEqual(line.partner_id, self.customer)
            self.assertEqual(line.move_id.line_ids.partner_id, self.customer)

    def test_by_number_in_text(self):
        """With the noise of banks and payers; our own numbers, and the vendors'."""
        invoices = [self.invoice(100 + n) for n in range(4)]
        bills = [self.new_bill(50 + n, ref=ref) for n, ref in enumerate(("RE-2026-0815", "7714"))]
        first, second, third, fourth = (invoice.name for invoice in invoices)
        _prefix, year, number = third.split("/")
        lines = self.booked(
            self.money("100.00", f"Rechnung {first.lower()} vom 3.11., danke"),
            self.money("101.00", second.replace("/", " ")[:-2] + "\n" + second[-2:]),
            self.money("102.00", f"INVOICE NO {year}-{number.lstrip('0')}", payee="Weiss Handels"),
            self.money("103.00", "SVWZ+" + fourth.replace("/", "")),
            self.money("-50.00", "re 2026 0815", payee="MUELLER UND SOEHNE GMBH"),
            # A short number is believed because the payee is known.
            self.money("-51.00", "7714", account=self.vendor.bank_ids.acc_number),
        )
        for line, move in zip(lines, invoices + bills, strict=True):
            self.assert_settled(line, move)
            self.assert_undone(line, move)

    def test_by_account_and_amount(self):
        invoice, other = self.invoice(100), self.invoice(70)
        bill = self.new_bill(33)
        lines = self.booked(
            self.money("100.00", "thank you", account=self.account, payee="Weiss"),
            self.money("-33.00", account=self.vendor.bank_ids.acc_number),
        )
        self.assert_settled(lines[0], invoice)
        self.assert_settled(lines[1], bill)
        self.assertEqual(other.amount_residual, 70)

    def test_a_payment_registered_in_odoo(self):
        """A payment that somebody entered waits on the outstanding account; so does one sent."""
        invoice, bill = self.invoice(100), self.new_bill(60, ref="AB-2026-77")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"journal_id": self.journal.id})._create_payments()
        payment = self.sent(bill).payment_ids
        lines = self.booked(
            self.money("100.00", invoice.name),
            self.money("-60.00", "ab-2026-77"),
        )
        self.assertTrue(all(lines.mapped("is_reconciled")))
        self.assertEqual(payment.bank_booked, True)
        self.assertEqual(lines[1].bank_payment_ids, payment)
        entered = invoice.matched_payment_ids
        self.assertEqual((entered.is_matched, entered.state), (True, "paid"))
        self.assertEqual(invoice.amount_residual, 0)

    def test_by_the_banks_reference(self):
        """The bank's own number, known from its receipt, where all others got lost."""
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        payment._bank_apply({payment: {"status": "ACSP", "reference": "2026-XYZ-1"}})
        wrong, right = self.booked(
            Booking("-99.00", reference="2026-XYZ-1", text="x"),
            Booking("-100.00", [Detail(amount="100.00")], reference="2026-XYZ-1"),
        )
        self.assert_open(wrong)
        self.assert_settled(right, bill)
        self.assertTrue(payment.bank_booked)

    def test_by_a_reference_from_an_advice(self):
        """An advice named the payment by its number; the statement knows the bank's only."""
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        detail = Detail(payment.end_to_end_id, "100.00")
        self.received(
            camt(Booking("-100.00", [detail], "2026-ADV-7"), version="camt.054.001.08")
        )
        self.assertEqual((payment.bank_reference, payment.bank_booked), ("2026-ADV-7", False))
        (line,) = self.booked(Booking("-100.00", text="SEPA", reference="2026-ADV-7"))
        self.assert_settled(line, bill)
        self.assertTrue(payment.bank_booked)

    # -- how the amount fits ------------------------------------------------------------------

    def test_several_bills_and_a_credit_note(self):
        invoices = [self.invoice(100), self.invoice(50)]
        note = self.new_bill(30, self.customer, move_type="out_refund", ref="-")
        text = ", ".join(move.name for move in (*invoices, note))
        (line,) = self.booked(self.money("120.00", text))
        self.assert_settled(line, *invoices, note)
        self.assert_undone(line, *invoices, note)

    def test_several_payers_in_one_credit(self):
        invoices = [self.invoice(100), self.invoice(50)]
        details = [
            Detail(amount=f"{move.amount_total:.2f}", text=move.name) for move in invoices
        ]
        (line,) = self.booked(Booking("150.00", details))
        self.assert_settled(line, *invoices)

    def test_a_partial_payment(self):
        """Some of an invoice, from who owes it; from a stranger it waits for people."""
        invoice, other = self.invoice(100), self.invoice(200)
        known, stranger = self.booked(
            self.money("40.00", invoice.name, account=self.account),
            self.money("60.00", other.name),
        )
        self.assertTrue(known.is_reconciled)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("partial", 60))
        self.assert_open(stranger, other)
        (rest,) = self.booked(self.money("60.00", invoice.name), opening="1100.00")
        self.assert_settled(rest, invoice)

    def test_a_partial_payment_less_charges(self):
        """The customer paid what the bank kept as well; without an account for it, people decide.
        """
        invoice, other = self.invoice(100), self.invoice(200)
        (line,) = self.booked(
            self.money("40.00", invoice.name, account=self.account, charges="2.50")
        )
        self.assert_open(line, invoice)
        self.allow()
        (line,) = self.booked(
            self.money("50.00", other.name, account=self.account, charges="2.50"),
            opening="1040.00",
        )
        self.assertTrue(line.is_reconciled)
        self.assertEqual(other.amount_residual, 147.5)
        self.assert_undone(line, other)

    def test_an_early_payment_discount(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        invoice = self.invoice(1000, invoice_payment_term_id=term.id)
        late = self.invoice(
            1000, invoice_payment_term_id=term.id,
            invoice_date=fields.Date.subtract(fields.Date.today(), days=20),
        )
        bill = self.new_bill(500, ref="SK-2026-1", invoice_payment_term_id=term.id)
        company = self.company
        self.loss = company.account_journal_early_pay_discount_loss_account_id
        self.gain = company.account_journal_early_pay_discount_gain_account_id
        lines = self.booked(
            self.money("980.00", invoice.name),
            self.money("980.00", late.name),
            self.money("-490.00", "SK-2026-1"),
        )
        self.assert_settled(lines[0], invoice, loss=20)
        self.assert_open(lines[1], late)
        self.assert_settled(lines[2], bill, gain=-10)
        self.assert_undone(lines[0], invoice)

    def test_charges_and_differences(self):
        """To the company's accounts, if it names them; else people decide."""
        invoices = [self.invoice(100 + n) for n in range(4)]
        payment = self.sent(self.new_bill(60)).payment_ids
        bookings = [
            self.money("97.50", invoices[0].name, charges="2.50"),
            self.money("98.00", invoices[1].name, instructed=("101.00", "EUR")),
            self.money("101.97", invoices[2].name),
            self.money("-63.00", end_to_end_id=payment.end_to_end_id, charges="3.00"),
            self.money("102.94", invoices[3].name),
        ]
        lines = self.booked(*bookings)
        for line in lines:
            self.assert_open(line, *invoices)
        self.assertFalse(payment.bank_booked)
        self.env["account.bank.statement"].search(
            [("journal_id", "=", self.journal.id)]
        ).line_ids = False
        lines.unlink()
        self.allow(tolerance=0.05)
        lines = self.booked(*bookings)
        self.assert_settled(lines[0], invoices[0], charges=2.5)
        self.assert_settled(lines[1], invoices[1], charges=3)
        self.assert_settled(lines[2], invoices[2], differences=0.03)
        self.assert_settled(lines[3], charges=3)
        self.assertEqual((payment.bank_booked, payment.state), (True, "paid"))
        self.assert_open(lines[4], invoices[3])  # six cents are more than five
        for line, invoice in zip(lines[:3], invoices, strict=False):
            self.assert_undone(line, invoice)
        lines[3].action_bank_undo()
        self.assertEqual((payment.bank_booked, payment.state), (False, "in_process"))

    def test_an_exchanged_payment(self):
        """Ordered in dollars, booked in euros: the bill is paid, the rest is a loss or a gain."""
        for day, rate in (("2020-01-01", 1.25), ("2026-01-01", 1.6)):
            self.env["res.currency.rate"].create(
                {"name": day, "rate": rate, "currency_id": self.usd.id,
                 "company_id": self.company.id}
            )
        dollars = {"currency_id": self.usd.id, "invoice_date": "2025-06-01", "date": "2025-06-01"}
        bill = self.new_bill(80, ref="US-2026-1", **dollars)
        other = self.new_bill(81, ref="US-2026-2", **dollars)
        right, wrong = self.booked(
            self.money("-51.00", "US-2026-1", instructed=("80.00", "USD")),
            self.money("-81.00", "US-2026-2"),
        )
        self.assert_settled(right, bill)
        self.assert_open(wrong, other)  # 81 euros are not 81 dollars
        self.assert_undone(right, bill)

    def test_an_exchanged_payment_with_charges_and_a_discount(self):
        """In euros, of a dollar bill less its discount, with what the bank took for it.

        Without an account for charges it waits for people, and holds up no statement.
        """
        for day, rate in (("2020-01-01", 1.25), ("2026-01-01", 1.6)):
            self.env["res.currency.rate"].create(
                {"name": day, "rate": rate, "currency_id": self.usd.id,
                 "company_id": self.company.id}
            )
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 5000,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        bill = self.new_bill(
            1000, ref="US-2026-1", currency_id=self.usd.id, invoice_date="2025-06-01",
            date="2025-06-01", invoice_payment_term_id=term.id,
        )
        ordered = self.money("-614.00", "US-2026-1", instructed=("980.00", "USD"), charges="4.00")
        (line,) = self.booked(ordered)
        self.assert_open(line, bill)
        self.allow()
        (line,) = self.booked(ordered, opening="386.00")
        self.assert_settled(line, bill, charges=4)
        gain = self.company.account_journal_early_pay_discount_gain_account_id
        discount = line.move_id.line_ids.filtered(lambda item: item.account_id == gain)
        # 20 dollars at the bill's rate; the rest is exchange difference.
        self.assertEqual((discount.amount_currency, discount.balance), (-20, -16))
        self.assert_undone(line, bill)

    # -- doubt ------------------------------------------------------------------------------

    def test_two_candidates_are_left_to_people(self):
        twins = [self.invoice(100), self.invoice(100)]
        same = [self.new_bill(70, ref="2026-001"),
                self.new_bill(70, self.new_vendor("Other AG", 5), ref="2026-001")]
        lines = self.booked(
            self.money("100.00", account=self.account),
            self.money("-70.00", "2026-001"),
            self.money("-70.00", "2026-001", account=same[1].partner_id.bank_ids.acc_number),
        )
        self.assert_open(lines[0], *twins)
        self.assert_open(lines[1], same[0])
        self.assert_settled(lines[2], same[1])

    def test_what_contradicts_is_left_to_people(self):
        """The right number and amount, but the other way, another's account or another's name."""
        invoice, second = self.invoice(100), self.invoice(90)
        bill = self.new_bill(80, ref="RE-2026-4711")
        lines = self.booked(
            self.money("-100.00", invoice.name),
            self.money("90.00", second.name, account=self.vendor.bank_ids.acc_number),
            self.money("-80.00", "RE-2026-4711", payee="Stadtwerke Hannover AG"),
            # It names another invoice than the only one of this amount.
            self.money("100.00", second.name, account=self.account),
            self.money("100.00", creditor_reference="RF18539007547034", account=self.account),
        )
        for line in lines:
            self.assert_open(line, invoice, second, bill)

    def test_a_bill_paid_twice(self):
        """The second transfer for an invoice waits for people."""
        invoice = self.invoice(100)
        lines = self.booked(*[self.money("100.00", invoice.name) for _time in range(2)])
        self.assert_settled(lines[0], invoice)
        self.assertFalse(lines[1].is_reconciled)
