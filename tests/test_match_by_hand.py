from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import Booking, camt, paid, returned


@tagged("post_install", "-at_install")
class TestMatchByHand(BankConnectCommon):
    """An accountant books what is open against anything, and takes it back without a trace."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls.new_user("accountant", "account.group_account_user")
        cls.fees = cls.env["account.account"].create(
            {"name": "Bank fees", "code": "655999", "account_type": "expense"}
        )

    def line(self, amount, **values):
        return self.env["account.bank.statement.line"].with_user(self.accountant).create(
            {"journal_id": self.journal.id, "amount": amount, "payment_ref": "x", **values}
        )

    def open_item(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type in ("liability_payable", "asset_receivable")
        )

    def state_of(self, *records):
        """All that a match changes."""
        self.env.flush_all()
        self.env.invalidate_all()
        found = []
        for record in records:
            names = {
                "account.move": "payment_state amount_residual",
                "account.payment": "state bank_status bank_booked is_matched bank_returned",
                "bank.payment.instalment": "live",
                "account.bank.statement.line": "is_reconciled amount_residual bank_payment_ids",
            }[record._name]
            found += [(one.id, *(one[name] for name in names.split())) for one in record]
        return found

    def journal_items(self, line):
        return sorted(
            (item.account_id.code, item.currency_id.name, item.amount_currency, item.balance)
            for item in line.move_id.line_ids
        )

    def assert_undone(self, line, before, *records):
        line.action_bank_undo()
        self.assertEqual(self.state_of(*records), before)

    def test_bill_fee_tax_and_analytic(self):
        """One debit for two bills, in part, and a fee with tax; undone, all is as it was."""
        tax = self.env["account.tax"].create(
            {"name": "Input 19%", "amount": 19, "type_tax_use": "purchase"}
        )
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        project = self.env["account.analytic.account"].create(
            {"name": "Bridge", "plan_id": plan.id, "company_id": self.company.id}
        )
        bills = self.new_bill(100) + self.new_bill(50)
        line = self.line(-141.90)
        before = self.state_of(line, bills)
        items, plain = self.open_item(bills), self.journal_items(line)
        line._bank_reconcile(
            [
                {"item_id": items[0].id, "amount": None},
                {"item_id": items[1].id, "amount": "-30.00"},
                {
                    "account_id": self.fees.id, "amount": "-11.90", "name": "fee",
                    "tax_ids": tax.ids, "analytic_distribution": {str(project.id): 100},
                },
            ]
        )
        self.assertEqual(bills.mapped("payment_state"), ["paid", "partial"])
        self.assertEqual(bills.mapped("amount_residual"), [0, 20])
        self.assertTrue(line.is_reconciled)
        fee = line.move_id.line_ids.filtered(lambda item: item.tax_ids)
        taxed = line.move_id.line_ids.filtered("tax_repartition_line_id")
        self.assertEqual((fee.balance, taxed.balance, taxed.tax_base_amount), (10, 1.9, 10))
        self.assertEqual((fee.account_id, fee.tax_ids), (self.fees, tax))
        self.assertEqual(fee.analytic_line_ids.mapped("amount"), [-10])
        self.assert_undone(line, before, line, bills)
        self.assertEqual(self.journal_items(line), plain)
        self.assertFalse(project.line_ids)

    def test_what_parts_leave_stays_open(self):
        """Money that came in for an invoice and more: the rest waits, and is booked later."""
        invoice = self.new_bill(80, move_type="out_invoice")
        line = self.line(100)
        line._bank_reconcile([{"item_id": self.open_item(invoice).id, "amount": None}])
        self.assertEqual((invoice.amount_residual, line.is_reconciled), (0, False))
        self.assertEqual(line.amount_residual, -20)
        line._bank_reconcile([{"account_id": self.fees.id, "amount": "20.00"}])
        self.assertTrue(line.is_reconciled)
        with self.assertRaisesRegex(UserError, "Nothing of the booking"):
            line._bank_reconcile([{"account_id": self.fees.id, "amount": "1.00"}])

    def test_more_than_is_open_is_refused(self):
        invoice = self.new_bill(80, move_type="out_invoice")
        for parts in (
            [{"account_id": self.fees.id, "amount": "-100.01"}],
            [{"account_id": self.fees.id, "amount": "5.00"}],
            [{"item_id": self.open_item(invoice).id, "amount": "80.00"}],
        ):
            with self.subTest(parts=parts), self.assertRaisesRegex(UserError, "is open"):
                self.line(-100)._bank_reconcile(parts)

    def test_a_bill_on_its_way_to_the_bank(self):
        """Its own payment may be booked; nothing else may pay it."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bill = self.new_bill(100)
                payment = self.sent(bill).payment_ids
                line = self.line(-100)
                before = self.state_of(line, bill, payment, payment.bank_instalment_ids)
                if not book_now:
                    with self.assertRaisesRegex(UserError, "already being paid"):
                        item = self.open_item(bill)
                        line._bank_reconcile([{"item_id": item.id, "amount": None}])
                line._bank_reconcile([{"payment_id": payment.id}])
                self.assertEqual((payment.state, payment.bank_booked), ("paid", True))
                self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
                self.assertEqual(payment.bank_batch_id.state, "settled")
                self.assertFalse(payment.bank_instalment_ids.live)
                self.assert_undone(line, before, line, bill, payment, payment.bank_instalment_ids)
                self.assertTrue(payment._bank_is_live())
                # The booking that names it still finds it.
                self.received(camt(paid(payment)))
                self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))

    def test_undo_of_what_was_found(self):
        """What matching booked of itself, and what a return undid, is undone as well."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bills = self.new_bill(100) + self.new_bill(50)
                batch = self.sent(bills)
                payments = batch.payment_ids.sorted("id")
                records = (bills, payments, payments.bank_instalment_ids)
                before = self.state_of(*records)
                self.received(
                    camt(Booking("-150.00", reference=batch.name, batch=f"{batch.reference}-1"))
                )
                debit = self.line_of(payments)
                settled = self.state_of(*records)
                self.received(camt(returned(payments[1])))
                credit = self.line_of(payments[1]) - debit
                self.assertEqual(bills.mapped("payment_state"), ["paid", "not_paid"])
                with self.assertRaisesRegex(UserError, "came back since"):
                    debit.action_bank_undo()
                credit.action_bank_undo()
                self.assertEqual(self.state_of(*records), settled)
                self.assertFalse(credit.is_reconciled)
                self.assert_undone(debit, before, *records)

    def test_odoos_own_undo_lets_the_payment_follow(self):
        """Else the bill would be open, and payable again, although its money has left."""
        for book_now in (True, False):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bill = self.new_bill(100)
                payment = self.sent(bill).payment_ids
                records = (bill, payment, payment.bank_instalment_ids)
                before = self.state_of(*records)
                self.received(camt(paid(payment)))
                line = self.line_of(payment)
                self.assertEqual(bill.payment_state, "paid")
                line.action_undo_reconciliation()
                self.assertEqual(self.state_of(*records), before)
                self.assertTrue(payment.bank_instalment_ids.live)
                self.assertFalse(line.is_reconciled or line.bank_payment_ids)

    def line_of(self, payments):
        return self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", payments.ids)]
        )

    def test_three_currencies(self):
        """A dollar bill and a euro bill paid from either account, at a rate of the day."""
        for day, rate in (("2020-01-01", 1.25), ("2026-01-01", 1.6)):
            self.env["res.currency.rate"].create(
                {"name": day, "rate": rate, "currency_id": self.usd.id,
                 "company_id": self.company.id}
            )
        dollars = {"currency_id": self.usd.id, "invoice_date": "2025-06-01", "date": "2025-06-01"}
        bill = self.new_bill(80, **dollars)  # EUR 64
        line = self.line(-51)
        before = self.state_of(line, bill)
        line._bank_reconcile(
            [{"item_id": self.open_item(bill).id, "amount": "-51.00", "item_amount": "-80.00"}]
        )
        self.assertEqual((bill.amount_residual, line.is_reconciled), (0, True))
        exchange = bill.line_ids.matched_debit_ids.exchange_move_id
        self.assertEqual(abs(sum(self.open_item(exchange).mapped("balance"))), 13)
        self.assert_undone(line, before, line, bill)
        # The line knows itself what it paid in dollars.
        line = self.line(-51, foreign_currency_id=self.usd.id, amount_currency=-80)
        before = self.state_of(line, bill)
        line._bank_reconcile([{"item_id": self.open_item(bill).id, "amount": None}])
        self.assertEqual((bill.amount_residual, line.is_reconciled), (0, True))
        self.assert_undone(line, before, line, bill)
        # A euro bill from a dollar account.
        journal = self.new_journal("DE02120300000000202051", self.connection, None, self.usd, "CNU")
        euro = self.new_bill(100)
        line = self.line(-161, journal_id=journal.id)
        line._bank_reconcile(
            [
                {"item_id": self.open_item(euro).id, "amount": None},
                {"account_id": self.fees.id, "amount": "-1.00"},
            ]
        )
        self.assertEqual((euro.amount_residual, line.is_reconciled), (0, True))

    def test_an_early_payment_discount(self):
        """Booked where the company wants discounts, as Odoo's own wizard does."""
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        for move_type, amount, account in (
            ("in_invoice", -980, self.company.account_journal_early_pay_discount_gain_account_id),
            ("out_invoice", 980, self.company.account_journal_early_pay_discount_loss_account_id),
        ):
            with self.subTest(move_type=move_type):
                bill = self.new_bill(1000, move_type=move_type, invoice_payment_term_id=term.id)
                line = self.line(amount)
                before = self.state_of(line, bill)
                line._bank_reconcile(
                    [{"item_id": self.open_item(bill).id, "amount": str(amount), "discount": True}]
                )
                self.assertEqual((bill.amount_residual, line.is_reconciled), (0, True))
                items = line.move_id.line_ids
                discount = items.filtered(lambda i, account=account: i.account_id == account)
                self.assertEqual(abs(discount.balance), 20)
                self.assert_undone(line, before, line, bill)

    def test_an_early_payment_discount_in_another_currency(self):
        """A euro bill from a dollar account: the rate's difference is no discount."""
        self.env["res.currency.rate"].create(
            {"name": "2026-01-01", "rate": 1.6, "currency_id": self.usd.id,
             "company_id": self.company.id}
        )
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        journal = self.new_journal("DE02120300000000202051", self.connection, None, self.usd, "CNU")
        bill = self.new_bill(100, invoice_payment_term_id=term.id)
        line = self.line(-157.5, journal_id=journal.id)  # EUR 98.44
        before = self.state_of(line, bill)
        line._bank_reconcile(
            [{"item_id": self.open_item(bill).id, "amount": "-157.50", "discount": True}]
        )
        self.assertEqual((bill.amount_residual, line.is_reconciled), (0, True))
        gain = self.company.account_journal_early_pay_discount_gain_account_id
        items = line.move_id.line_ids
        self.assertEqual(items.filtered(lambda i: i.account_id == gain).balance, -2)
        loss = self.company.expense_currency_exchange_account_id
        exchange = items.filtered(lambda i: i.account_id == loss and i.balance)
        self.assertEqual(exchange.balance, 0.44)
        self.assert_undone(line, before, line, bill)

    def test_locked_and_hashed_entries(self):
        bill = self.new_bill(100)
        line = self.line(-100, date="2026-10-01")
        part = {"item_id": self.open_item(bill).id, "amount": None}
        self.company.sudo().write({"fiscalyear_lock_date": False})
        self.env["account.move"].browse(line.move_id.id).inalterable_hash = "$4$abc"
        for act in (lambda: line._bank_reconcile([part]), line.action_bank_undo):
            with self.assertRaisesRegex(UserError, "secured by a hash"):
                act()

    def test_a_suggestion_can_be_booked(self):
        bill = self.new_bill(123.45)
        line = self.line(-123.45, partner_id=self.vendor.id)
        best = self.env["bank.statement.suggest"]._suggest(line)[line.id][0]
        self.assertEqual(best["item_ids"], self.open_item(bill).ids)
        line._bank_reconcile([{"item_id": best["item_ids"][0], "amount": None}])
        self.assertEqual(bill.payment_state, "paid")
