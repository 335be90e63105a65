import json
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestSendWizard(BankConnectCommon):
    """What leaves: instalments, amounts, discounts, groups, references and payment records."""

    def sealed(self, batch):
        return json.loads(batch.sealed_content)["payments"]

    def test_a_bill_becomes_a_payment_in_a_sealed_batch(self):
        bill = self.new_bill(123.45)
        batch = self.prepare(bill)
        self.assertEqual(batch.state, "to_approve")
        self.assertEqual(batch.preparer_id, self.preparer)
        self.assertEqual((batch.payment_count, batch.amount_total), (1, 123.45))
        self.assertEqual(batch.service_level, "SEPA")
        (payment,) = self.sealed(batch)
        self.assertEqual(payment["amount"], "123.45")
        self.assertEqual(payment["account"], {"iban": iban(1)})
        self.assertEqual(payment["payee"]["name"], "Müller & Söhne GmbH")
        self.assertEqual(payment["text"], bill.ref)
        self.assertTrue(payment["end_to_end_id"].startswith(batch.reference))
        self.assertEqual(bill.payment_state, "not_paid", "nothing is posted before approval")
        self.assertEqual(self.activities(batch, "approve").user_id, self.approver)

    def test_instalments_are_paid_one_by_one(self):
        """Of a bill in two instalments the due one is proposed; the other can follow."""
        term = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 30}),
                ],
            }
        )
        bill = self.new_bill(300, invoice_payment_term_id=term.id)
        wizard = self.open_wizard(bill)
        self.assertEqual(wizard.line_ids.mapped("selected"), [True, False])
        wizard.action_send()
        self.assertEqual(bill.bank_instalment_ids.mapped("amount"), [150])
        wizard = self.open_wizard(bill)
        self.assertEqual(wizard.line_ids.mapped("selected"), [True, False])
        wizard.line_ids[0].selected, wizard.line_ids[1].selected = False, True
        wizard.action_send()
        self.assertEqual(bill.bank_instalment_ids.mapped("amount"), [150, 150])
        self.assertEqual(len(bill.bank_instalment_ids.move_line_id), 2)

    def test_partial_amount(self):
        """A part is paid, the rest stays open and can be sent once the part is booked."""
        bill = self.new_bill(100)
        wizard = self.open_wizard(bill)
        wizard.line_ids.amount = 40
        wizard.action_send()
        batch = bill.bank_instalment_ids.payment_id.bank_batch_id
        self.assertEqual(batch.amount_total, 40)
        self.approve(batch)
        self.assertEqual(bill.amount_residual, 60)

    def discounted(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "2% in 10 days",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        return self.new_bill(1000, invoice_payment_term_id=term.id)

    def test_early_payment_discount(self):
        """980 leave, and the entry settles the whole bill with 20 written off."""
        bill = self.discounted()
        batch = self.approved(bill)
        self.assertEqual(self.sealed(batch)[0]["amount"], "980.00")
        self.assertEqual(bill.amount_residual, 0)
        entry = batch.payment_ids.move_id
        self.assertEqual(
            entry.line_ids.filtered(
                lambda line: line.account_id == batch.payment_ids.outstanding_account_id
            ).credit,
            980,
        )
        self.assertEqual(bill.payment_state, "in_payment")

    def test_early_payment_discount_is_not_taken_late_or_unasked(self):
        bill = self.discounted()
        self.assertEqual(self.open_wizard(bill, take_discounts=False).line_ids.amount, 1000)
        late = fields.Date.today() + timedelta(days=11)
        self.assertEqual(self.open_wizard(bill, execution_date=late).line_ids.amount, 1000)

    def test_part_of_a_discounted_bill_takes_no_discount(self):
        bill = self.discounted()
        wizard = self.open_wizard(bill)
        wizard.line_ids.amount = 500
        wizard.action_send()
        batch = bill.bank_instalment_ids.payment_id.bank_batch_id
        self.approve(batch)
        self.assertEqual(bill.amount_residual, 500)

    def test_credit_notes_are_deducted_when_asked(self):
        bills = self.new_bill(100) + self.new_bill(50) + self.new_bill(30, move_type="in_refund")
        batch = self.approved(bills, net_credit_notes=True)
        self.assertEqual([payment["amount"] for payment in self.sealed(batch)], ["120.00"])
        self.assertEqual(bills.mapped("amount_residual"), [0, 0, 0])

    def test_credit_notes_of_another_vendor_stay(self):
        other = self.new_vendor("Another", 2)
        bills = self.new_bill(100) + self.new_bill(30, vendor=other, move_type="in_refund")
        with self.assertRaisesRegex(UserError, "nothing is left to pay"):
            self.prepare(bills, net_credit_notes=True)

    def test_one_payment_per_payee(self):
        """Grouped bills leave as one transfer, whose text names them within 140 characters."""
        other = self.new_vendor("Another", 2)
        bills = self.env["account.move"]
        for number in range(30):
            bills |= self.new_bill(10, ref=f"INVOICE-{number:04d}")
        bills |= self.new_bill(5, vendor=other, ref="SINGLE")
        batch = self.prepare(bills, group_payments=True)
        grouped, single = self.sealed(batch)
        self.assertEqual((grouped["amount"], single["amount"]), ("300.00", "5.00"))
        self.assertLessEqual(len(grouped["text"]), 140)
        named = grouped["text"].split()
        self.assertEqual(named[0], "INVOICE-0000")
        self.assertEqual(named[-1], f"+{30 - (len(named) - 1)}")
        self.assertEqual(len(batch.payment_ids), 2)
        self.approve(batch)
        self.assertEqual(set(bills.mapped("amount_residual")), {0})

    def test_without_grouping_every_bill_is_a_payment(self):
        batch = self.prepare(self.new_bill(10) + self.new_bill(20))
        self.assertEqual(sorted(p["amount"] for p in self.sealed(batch)), ["10.00", "20.00"])

    def test_structured_references(self):
        """RF and national references travel as such; a wrong check digit makes plain text."""
        belgian = self.new_vendor("Belge", 2, country_id=self.env.ref("base.be").id)
        cases = (
            (self.vendor, "RF18 5390 0754 7034", "RF18539007547034", "ISO"),
            (belgian, "+++090/9337/55493+++", "090933755493", "BBA"),
            (self.vendor, "RF19539007547034", None, None),
        )
        for vendor, written, reference, issuer in cases:
            with self.subTest(written=written):
                batch = self.prepare(self.new_bill(vendor=vendor, payment_reference=written))
                (payment,) = self.sealed(batch)
                self.assertEqual(payment["creditor_reference"], reference)
                self.assertEqual(payment["creditor_reference_issuer"], issuer)
                self.assertEqual(payment["text"], None if reference else written)
                self.approve(batch)
                content = self.message_of(batch)._raw().decode()
                self.assertIn(f"<Ref>{reference}</Ref>" if reference else written, content)

    def test_customer_refund(self):
        """A credit note to a customer is money that leaves, to the customer's account."""
        refund = self.new_bill(75, move_type="out_refund")
        batch = self.approved(refund)
        self.assertEqual(batch.payment_ids.partner_type, "customer")
        self.assertEqual(refund.amount_residual, 0)
        self.assertEqual(self.sealed(batch)[0]["account"], {"iban": iban(1)})

    def test_two_currencies_make_two_batches(self):
        """Each currency leaves from its own account; the rates' difference is booked."""
        journal = self.new_journal(iban(900), self.connection, currency=self.usd, code="CNU")
        for day, rate in (("2020-01-01", 1.25), (fields.Date.today(), 1.6)):
            self.env["res.currency.rate"].create(
                {
                    "name": day,
                    "rate": rate,
                    "currency_id": self.usd.id,
                    "company_id": self.company.id,
                }
            )
        old = fields.Date.today() - timedelta(days=10)
        dollars = self.new_bill(80, currency_id=self.usd.id, invoice_date=old, date=old)
        bills = self.new_bill(100) + dollars
        batches = self.prepare(bills)
        self.assertEqual(len(batches), 2)
        self.assertEqual(
            {(batch.currency_id, batch.journal_id, batch.amount_total) for batch in batches},
            {(self.eur, self.journal, 100), (self.usd, journal, 80)},
        )
        for batch in batches:
            self.approve(batch)
        self.assertEqual(bills.mapped("amount_residual"), [0, 0])
        self.assertEqual(
            bills.line_ids.filtered(lambda line: line.account_type == "liability_payable").mapped(
                "reconciled"
            ),
            [True, True],
        )

    def test_transfer_outside_sepa(self):
        """An account without IBAN goes by BIC, with the payee's address."""
        vendor = self.new_vendor("Overseas Inc", 2, street="1 Main Road")
        bank = self.env["res.bank"].create({"name": "Far Bank", "bic": "CHASUS33"})
        vendor.country_id = self.env.ref("base.us")
        vendor.bank_ids = [
            Command.clear(),
            Command.create({"acc_number": "021000021-99", "bank_id": bank.id}),
        ]
        self.confirm(vendor.bank_ids)
        batch = self.approved(self.new_bill(vendor=vendor))
        self.assertEqual(batch.service_level, "NURG")
        content = self.message_of(batch)._raw().decode()
        self.assertIn("02100002199", content)
        self.assertIn("CHASUS33", content)
        self.assertIn("<Ctry>US</Ctry>", content)

    def test_batches_keep_to_the_banks_limit(self):
        self.connection.profile_id.max_payments = 2
        batches = self.prepare(self.new_bill() + self.new_bill() + self.new_bill())
        self.assertEqual(sorted(batches.mapped("payment_count")), [1, 2])

    # -- payment records --------------------------------------------------------------------

    def new_payment(self, post=True, **values):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "supplier",
                "partner_id": self.vendor.id,
                "partner_bank_id": self.vendor.bank_ids.id,
                "journal_id": self.journal.id,
                "amount": 60,
                "memo": "Prepayment 7",
                "payment_method_line_id": self.journal._bank_method_line().id,
                **values,
            }
        )
        if post:
            payment.action_post()
        return payment

    def test_payment_records_are_sent(self):
        """Vendor payment, customer refund, expense of an employee and a transfer to ourselves."""
        employee = self.new_vendor("Erika Mustermann", 2)
        second = self.new_journal(iban(901), self.connection, code="CN2")
        self.confirm(second.bank_account_id)
        transfer_account = self.company.transfer_account_id
        cases = {
            "vendor": {},
            "draft": {"post": False},
            "customer": {"partner_type": "customer"},
            "employee": {"partner_id": employee.id, "partner_bank_id": employee.bank_ids.id},
            "transfer": {
                "partner_id": self.company.partner_id.id,
                "partner_bank_id": second.bank_account_id.id,
                "destination_account_id": transfer_account.id,
            },
        }
        for name, values in cases.items():
            with self.subTest(name):
                payment = self.new_payment(**values)
                batch = self.sent(payment)
                (sealed,) = self.sealed(batch)
                self.assertEqual(batch.payment_ids, payment)
                self.assertEqual(sealed["amount"], "60.00")
                self.assertEqual(sealed["text"], "Prepayment 7")
                self.assertEqual(payment.state, "in_process")
                self.assertTrue(payment.move_id.line_ids)
                self.assertEqual(batch.state, "sent")

    def test_payment_of_a_bill_takes_the_bill_along(self):
        """A payment registered in Odoo and sent later marks its bill as on its way."""
        bill = self.new_bill(90)
        register = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create(
                {
                    "journal_id": self.journal.id,
                    "payment_method_line_id": self.journal._bank_method_line().id,
                    "partner_bank_id": self.vendor.bank_ids.id,
                }
            )
        )
        payment = register._create_payments()
        batch = self.prepare(payment)
        self.assertEqual(batch.payment_ids, payment)
        self.assertEqual(bill.bank_instalment_ids.payment_id, payment)
        self.assertEqual(bill.bank_instalment_ids.amount, 90)
        self.approve(batch)
        self.assertEqual(bill.payment_state, "in_payment")

    def test_payments_that_do_not_qualify(self):
        manual = self.journal.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "manual"
        )[:1]
        cases = (
            (
                {
                    "payment_type": "inbound",
                    "payment_method_line_id": self.journal.inbound_payment_method_line_ids[:1].id,
                },
                "brings money in",
            ),
            (
                {"payment_method_line_id": manual.id},
                "Choose the payment method",
            ),
        )
        for values, sentence in cases:
            with self.subTest(sentence), self.assertRaisesRegex(UserError, sentence):
                self.prepare(self.new_payment(**values))
        cancelled = self.new_payment(post=False)
        cancelled.action_cancel()
        with self.assertRaisesRegex(UserError, "finished or cancelled"):
            self.prepare(cancelled)
        payment = self.new_payment()
        self.prepare(payment)
        with self.assertRaisesRegex(UserError, "Already on its way"):
            self.prepare(payment)

    def test_amount_of_a_payment_is_not_changed_on_the_way(self):
        wizard = self.open_wizard(self.new_payment())
        wizard.line_ids.amount = 59
        with self.assertRaisesRegex(UserError, "Change the amount on the payment itself"):
            wizard.action_send()
