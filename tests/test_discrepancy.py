from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.bank_discrepancy_follow import Found
from .common import MODULE, BankConnectCommon, iban
from .documents import Booking, Detail, camt, paid, pain002, returned

FOLLOW = "odoo.addons.account_bank_connect.models.bank_verification"


class DiscrepancyCommon(BankConnectCommon):
    """A ledger that starts with what the bank has, so that only what a test does is wrong."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.debit = Booking("-75.00", [Detail(payee="Stranger Ltd", text="thanks")], "X1")
        equity = cls.env["account.account"].search(
            [("account_type", "=", "equity"), ("company_ids", "in", cls.company.ids)], limit=1
        )
        opening = cls.env["account.move"].create(
            {
                "date": fields.Date.today() - timedelta(days=60),
                "journal_id": cls.env["account.journal"].search(
                    [("type", "=", "general"), ("company_id", "=", cls.company.id)], limit=1
                ).id,
                "line_ids": [
                    fields.Command.create(
                        {"account_id": cls.journal.default_account_id.id, "debit": 1000}
                    ),
                    fields.Command.create({"account_id": equity.id, "credit": 1000}),
                ],
            }
        )
        opening.action_post()

    def verify(self):
        """Run the scheduled action; returns the company's open discrepancies."""
        self.run_cron("verify")
        self.env.invalidate_all()
        return self.open()

    def open(self, *kinds):
        domain = [("company_id", "=", self.company.id), ("state", "=", "open")]
        if kinds:
            domain.append(("kind", "in", kinds))
        return self.env["bank.discrepancy"].search(domain)

    def only(self, code):
        """The only open discrepancy, which must be of this code."""
        found = self.verify()
        self.assertEqual(found.mapped("code"), [code], found.mapped("sentence"))
        return found

    def assert_fine(self):
        found = self.verify()
        self.assertFalse(found, found.mapped("sentence"))

    def age(self, record, name, days):
        """Make a moment of a record lie further back."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s - %s * interval '1 day' WHERE id IN %s",
                SQL.identifier(record._table), SQL.identifier(name), SQL.identifier(name), days,
                tuple(record.ids),
            )
        )
        self.env.invalidate_all()

    def line_of(self, reference):
        return self.env["account.bank.statement.line"].search(
            [("bank_reference", "=", reference), ("journal_id", "=", self.journal.id)]
        )

    def paid_batch(self, *amounts, opening="1000.00"):
        """Payments that went the whole way."""
        bills = self.env["account.move"].union(*(self.new_bill(amount) for amount in amounts))
        batch = self.sent(bills)
        self.received(
            camt(*(paid(payment) for payment in batch.payment_ids), opening=opening)
        )
        return batch

    def explain(self, discrepancy, user=None, verdict="ours", reason="Asked the bank.", **options):
        wizard = self.env["bank.discrepancy.wizard"].with_user(user or self.approver).create(
            {
                "discrepancy_ids": discrepancy.ids, "verdict": verdict, "reason": reason,
                **options,
            }
        )
        wizard.action_explain()


@tagged("post_install", "-at_install")
class TestDiscrepancyPayments(DiscrepancyCommon):
    """Approved, acknowledged, booked, accounted for: what does not agree is found, and only that.
    """

    def test_the_whole_way_is_fine(self):
        self.paid_batch(100, 50)
        self.assert_fine()
        self.book_on_statement()
        self.paid_batch(100, 50, opening="850.00")
        self.assert_fine()

    def test_payments_on_their_way_are_fine(self):
        batch = self.sent(self.new_bill(100))
        self.assert_fine()
        self.received(pain002(batch.reference, group="ACCP"))
        self.assert_fine()

    def test_a_rejection_and_a_return_are_fine(self):
        """They reopen the bill and give a task: bank and ledger agree."""
        batch = self.sent(self.new_bill(100) + self.new_bill(50))
        first, second = batch.payment_ids.sorted("id")
        self.received(pain002(batch.reference, [(first.end_to_end_id, "RJCT", "AC04")]))
        self.received(camt(paid(second), returned(second)))
        self.assert_fine()

    # -- overdue --------------------------------------------------------------------------------

    def test_answer_overdue(self):
        batch = self.sent(self.new_bill(100) + self.new_bill(50))
        self.age(self.message_of(batch), "sent_date", 1)
        self.age(batch, "execution_date", 9)
        self.assertNotIn("answer_overdue", self.verify().mapped("kind"), "a weekend is no delay")
        self.age(self.message_of(batch), "sent_date", 5)
        found = self.verify().filtered(lambda each: each.kind == "answer_overdue")
        self.assertEqual((found.batch_id, found.owner_id), (batch, self.preparer))
        self.assertIn("2 of the payments", found.sentence)
        self.assertEqual(
            self.env["account.payment"].search(found.action_view_payments()["domain"]),
            batch.payment_ids,
        )
        self.assertEqual(self.activities(found, "discrepancy").user_id, self.preparer)
        self.received(pain002(batch.reference, group="ACCP"))
        self.verify()
        self.assertEqual(found.state, "closed")
        self.assertFalse(self.activities(found, "discrepancy"))

    def test_booking_overdue(self):
        batch = self.sent(self.new_bill(100))
        payment = batch.payment_ids
        self.received(pain002(batch.reference, group="ACCP"))
        self.age(batch, "execution_date", 2)
        self.age(self.message_of(batch), "sent_date", 2)
        self.assert_fine()
        self.age(batch, "execution_date", 9)
        self.assert_fine()  # sent too late to be booked already
        self.age(self.message_of(batch), "sent_date", 9)
        found = self.only("booking_overdue")
        self.assertEqual(found.payment_id, payment)
        self.assertIn("100.00 EUR", found.figures)
        self.received(camt(paid(payment)))
        self.assert_fine()
        self.assertEqual(found.state, "closed")

    def test_a_bank_may_take_longer(self):
        batch = self.sent(self.new_bill(100))
        self.received(pain002(batch.reference, group="ACCP"))
        self.age(batch, "execution_date", 9)
        self.age(self.message_of(batch), "sent_date", 9)
        self.connection.profile_id.booking_days = 20
        self.assert_fine()
        self.connection.profile_id.booking_days = 0
        self.company.bank_booking_days = 0
        self.assert_fine()

    # -- approved and ledger --------------------------------------------------------------------

    def test_a_payment_changed_behind_odoos_back(self):
        batch = self.sent(self.new_bill(100))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_payment SET amount = 900 WHERE id = %s", batch.payment_ids.ids
        )
        self.env.invalidate_all()
        found = self.only("differs_ledger")
        self.assertEqual((found.kind, found.severity), ("differs", "high"))
        self.assertIn("100.00 EUR", found.figures)
        self.assertIn("900.00 EUR", found.figures)

    def test_a_sealed_copy_changed_behind_odoos_back(self):
        batch = self.sent(self.new_bill(100))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_payment_batch SET sealed_content = '{broken' WHERE id = %s", batch.ids
        )
        self.env.invalidate_all()
        self.assertEqual(self.only("seal_altered").batch_id, batch)

    def test_rejected_by_the_bank_but_valid_again_in_the_ledger(self):
        batch = self.sent(self.new_bill(100))
        payment = batch.payment_ids
        self.received(pain002(batch.reference, [(payment.end_to_end_id, "RJCT", "AC04")]))
        self.assert_fine()
        payment.action_draft()
        self.confirm_returned(self.vendor.bank_ids)
        payment.action_post()
        self.assertEqual(self.only("rejected_but_paid").payment_id, payment)

    def test_matched_in_the_ledger_without_the_bank(self):
        """Somebody books by hand what the bank has not booked."""
        batch = self.sent(self.new_bill(100))
        self.received(pain002(batch.reference, group="ACCP"))
        payment = batch.payment_ids
        line = self.env["account.bank.statement.line"].create(
            {"journal_id": self.journal.id, "amount": -100, "payment_ref": "by hand"}
        )
        outstanding = payment.move_id.line_ids.filtered(
            lambda item: item.account_id == payment.outstanding_account_id
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = outstanding.account_id
        (suspense + outstanding).reconcile()
        self.assertEqual(self.only("paid_not_booked").payment_id, payment)

    def test_executed_after_rejection(self):
        batch = self.sent(self.new_bill(100))
        payment = batch.payment_ids
        self.received(pain002(batch.reference, [(payment.end_to_end_id, "RJCT", "AC04")]))
        self.received(camt(paid(payment)))
        found = self.open()
        self.assertEqual(found.mapped("code"), ["after_rejection"], "at once")
        self.assertEqual(found.payment_id, payment)
        self.assertIn(self.admin, self.activities(found, "discrepancy").user_id)

    # -- booked ---------------------------------------------------------------------------------

    def test_booked_twice(self):
        batch = self.sent(self.new_bill(100))
        payment = batch.payment_ids
        self.received(camt(paid(payment, "R1")))
        self.received(camt(paid(payment, "R2"), opening="900.00"))
        found = self.open()
        self.assertEqual(found.mapped("code"), ["booked_twice"], "at once")
        self.assertEqual((found.line_id, found.payment_id), (self.line_of("R2"), payment))

    def test_another_amount_booked(self):
        payment = self.sent(self.new_bill(100)).payment_ids
        self.received(
            camt(Booking("-99.00", [Detail(payment.end_to_end_id, "99.00")], "R1"))
        )
        found = self.open()
        self.assertEqual(found.mapped("code"), ["differs_booking"], "at once")
        self.assertIn("99.00 EUR", found.figures)
        self.assertIn("100.00 EUR", found.figures)
        self.assertEqual(found.payment_id, payment)

    def test_writing_a_difference_off_explains_nothing(self):
        """But what the company lets go is no discrepancy."""
        payment = self.sent(self.new_bill(100)).payment_ids
        self.received(camt(Booking("-150.00", [Detail(payment.end_to_end_id, "150.00")], "R1")))
        found = self.open("differs")
        line = self.line_of("R1")
        line._bank_reconcile(
            [
                {"payment_id": payment.id},
                {"account_id": self.expense.id, "amount": "-50.00", "name": "sundries"},
            ]
        )
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self.verify(), found)
        self.company.bank_match_tolerance = 50
        self.assert_fine()

    def test_one_debit_for_another_sum(self):
        batch = self.sent(self.new_bill(100) + self.new_bill(50))
        self.received(camt(Booking("-151.00", reference="R1", batch=f"{batch.reference}-1")))
        found = self.open()
        self.assertEqual(found.mapped("code"), ["differs_booking"])
        self.assertEqual(found.batch_id, batch)

    def test_booked_under_the_number_of_a_payment_that_never_left(self):
        batch = self.prepare(self.new_bill(100))
        payment = batch.payment_ids
        self.received(camt(paid(payment, "R1")))
        self.assertIn("never_sent", self.open().mapped("code"))

    def test_two_equal_payments_are_not_booked_twice(self):
        self.paid_batch(100, 100)
        self.assert_fine()

    def test_a_match_that_was_undone(self):
        batch = self.paid_batch(100)
        self.assert_fine()
        line = self.env["account.bank.statement.line"].search(
            [("bank_payment_ids", "in", batch.payment_ids.ids)]
        )
        line.action_undo_reconciliation()
        self.assertEqual(self.only("line_open").line_id, line)

    def test_an_entry_that_was_taken_out_of_the_ledger(self):
        self.paid_batch(100)
        line = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)]
        )
        line.move_id.button_draft()
        self.assertIn("line_unposted", self.verify().mapped("code"))


@tagged("post_install", "-at_install")
class TestUnknownDebit(DiscrepancyCommon):
    """Money that left without an order from here is an alarm at once; what is ordinary is none."""

    def codes(self, *bookings, **options):
        self.received(camt(*bookings, **options))
        return self.open("unknown_debit").mapped("code")

    def test_people_are_told_at_once(self):
        before = self.env["mail.message"].search([], limit=1, order="id desc").id
        self.assertEqual(self.codes(self.debit), ["unknown_debit"])
        found = self.open("unknown_debit")
        self.assertEqual(found.line_id, self.line_of("X1"))
        self.assertEqual(
            self.activities(found, "discrepancy").user_id & (
                self.admin | self.approver | self.preparer | self.auditor
            ),
            self.admin | self.approver,
        )
        told = self.env["mail.message"].search(
            [("id", ">", before), ("model", "=", found._name), ("message_type", "=",
              "user_notification")]
        )
        self.assertLessEqual(
            self.admin.partner_id | self.approver.partner_id, told.notified_partner_ids
        )
        self.assertNotIn("75", told.body)
        self.assertNotIn("Stranger", told.body)
        self.assertIn("Stranger Ltd", found.sentence)
        self.assertIn("call the bank", found.cure)

    def test_it_stays_one_however_often_is_verified(self):
        self.codes(self.debit)
        found = self.open()
        tasks = self.activities(found, "discrepancy")
        for _again in range(2):
            self.assertEqual(self.verify(), found)
        self.assertEqual(self.activities(found, "discrepancy"), tasks)

    def test_the_same_statement_again_raises_no_second_alarm(self):
        self.codes(self.debit)
        self.codes(self.debit)
        self.assertEqual(len(self.open("unknown_debit")), 1)

    def test_booking_it_on_an_account_does_not_end_the_alarm(self):
        self.codes(self.debit)
        line = self.line_of("X1")
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = self.expense
        self.assertTrue(line.is_reconciled)
        self.assertEqual(self.verify().kind, "unknown_debit")

    def test_money_coming_in_is_no_alarm(self):
        self.assertFalse(self.codes(Booking("75.00", [Detail(payee="Customer")], "C1")))

    def test_our_own_payments_are_no_alarm(self):
        batch = self.sent(self.new_bill(100) + self.new_bill(50))
        self.assertFalse(
            self.codes(Booking("-150.00", reference="B", batch=f"{batch.reference}-1"))
        )

    def test_codes_that_are_known_are_no_alarm(self):
        """Fees, interest, cards, direct debits: each stays an alarm where it is archived."""
        for number, (known, code) in enumerate(
            (("charges", "PMNT/ICDT/CHRG"), ("interest", "ACMT/MDOP/INTR"),
             ("cards", "PMNT/CCRD/POSD"), ("direct", "PMNT/RDDT/ESDD"))
        ):
            with self.subTest(code):
                debit = Booking("-5.00", [Detail(payee="Some")], f"K{number}")
                self.received(self.with_code(camt(debit), code))
                self.assertFalse(self.open("unknown_debit"))
                record = self.env.ref(f"{MODULE}.debit_known_{known}")
                record.active = False
                self.assertEqual(self.verify().filtered(
                    lambda each: each.kind == "unknown_debit"
                ).line_id, self.line_of(f"K{number}"))
                record.active = True
                self.verify()
                self.assertFalse(self.open("unknown_debit"))

    def with_code(self, document, code):
        domain, family, last = code.split("/")
        kind = f"<Cd>{family}</Cd><SubFmlyCd>{last}".encode()
        return document.replace(
            b"<Domn><Cd>PMNT</Cd>", f"<Domn><Cd>{domain}</Cd>".encode()
        ).replace(b"<Cd>ICDT</Cd><SubFmlyCd>ESCT", kind)

    def test_a_fee_larger_than_known_is_an_alarm(self):
        self.env.ref(f"{MODULE}.debit_known_charges").amount_max = 50
        debits = [
            Booking(amount, [Detail(payee="Bank")], f"F{amount}") for amount in ("-50.00", "-50.01")
        ]
        self.received(self.with_code(camt(*debits), "PMNT/ICDT/CHRG"))
        self.assertEqual(self.open("unknown_debit").line_id, self.line_of("F-50.01"))

    def test_transfers_between_own_accounts_are_no_alarm(self):
        second = iban(77)
        self.new_journal(second, self.connection, code="CN2")
        document = camt(self.debit).replace(
            b"</Cdtr>",
            f"</Cdtr><CdtrAcct><Id><IBAN>{second}</IBAN></Id></CdtrAcct>".encode(),
        )
        self.received(document)
        self.assertEqual(self.line_of("X1").account_number, second)
        self.assertFalse(self.open("unknown_debit"))

    def test_a_payment_entered_in_odoo_explains_one_debit(self):
        """A cheque or a transfer typed into the bank's own site; not a second one like it."""
        self.env["account.payment"].create(
            {
                "payment_type": "outbound", "partner_id": self.vendor.id, "amount": 75,
                "journal_id": self.journal.id,
                "payment_method_line_id": self.journal.outbound_payment_method_line_ids.filtered(
                    lambda line: line.code == "manual"
                )[:1].id,
            }
        ).action_post()
        self.env.flush_all()
        self.assertFalse(self.codes(self.debit))
        twin = Booking("-75.00", [Detail(payee="Stranger Ltd", text="thanks")], "X2")
        self.assertEqual(self.codes(twin, opening="925.00"), ["unknown_debit"])
        self.assertEqual(self.open("unknown_debit").line_id, self.line_of("X2"))

    def test_a_payment_entered_afterwards_explains_nothing(self):
        self.codes(self.debit)
        self.env["account.payment"].create(
            {
                "payment_type": "outbound", "partner_id": self.vendor.id, "amount": 75,
                "journal_id": self.journal.id,
            }
        ).action_post()
        self.age(self.line_of("X1"), "create_date", 1)
        self.assertIn("unknown_debit", self.verify().mapped("code"))

    def test_a_debit_matched_with_a_bill_is_explained(self):
        self.codes(self.debit)
        found = self.open("unknown_debit")
        bill = self.new_bill(75)
        line = self.line_of("X1")
        _liquidity, suspense, _other = line._seek_for_lines()
        payable = bill.line_ids.filtered(
            lambda item: item.account_id.account_type == "liability_payable"
        )
        suspense.account_id = payable.account_id
        (suspense + payable).reconcile()
        self.verify()
        self.assertEqual(found.state, "closed")

    def test_this_is_ours_and_remembered(self):
        number = iban(4242)

        def document(reference, opening):
            debit = Booking("-75.00", [Detail(payee="Landlord")], reference)
            return camt(debit, opening=opening).replace(
                b"</Cdtr>",
                f"</Cdtr><CdtrAcct><Id><IBAN>{number}</IBAN></Id></CdtrAcct>".encode(),
            )

        self.received(document("L1", "1000.00"))
        self.explain(
            self.open("unknown_debit"), self.preparer, reason="The rent, by standing order.",
            remember=True,
        )
        known = self.env["bank.debit.known"].search([("account_number", "=", number)])
        self.assertEqual((known.state, known.proposer_id), ("proposed", self.preparer))
        self.received(document("L2", "925.00"))
        found = self.open("unknown_debit")
        self.assertEqual(found.line_id, self.line_of("L2"), "one person alone silences nothing")
        known.with_user(self.approver).action_confirm()
        self.verify()
        self.assertEqual(found.state, "closed")
        self.received(document("L3", "850.00"))
        self.assertFalse(self.open("unknown_debit"))

    def test_a_fault_of_the_verification_loses_no_document(self):
        check = type(self.env["bank.discrepancy.check"])
        self.patch(check, "_verify", lambda *args, **options: 1 / 0)
        with self.assertLogs(FOLLOW, "ERROR"):
            self.received(camt(self.debit))
        self.assertTrue(self.line_of("X1"))


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
