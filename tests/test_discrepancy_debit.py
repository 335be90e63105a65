from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MODULE, iban
from .documents import Booking, Detail, camt, paid
from .test_discrepancy import DiscrepancyCommon

FOLLOW = "odoo.addons.account_bank_connect.models.bank_verification"


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

    def test_the_booking_leads_to_its_alarm_and_to_reconciling_it(self):
        self.codes(self.debit, Booking("-5.00", [Detail(payee="Vendor")], "X3"))
        line = self.line_of("X1").with_user(self.approver)
        alarm = self.open("unknown_debit").filtered(lambda each: each.line_id.id == line.id)
        self.assertEqual(line.bank_discrepancy_count, 1)
        action = line.action_view_bank_discrepancies()
        self.assertEqual((action["res_model"], action["res_id"]), (alarm._name, alarm.id))
        shown = line.get_views([(self.env.ref(f"{MODULE}.view_statement_line_form").id, "form")])
        self.assertIn('name="partner_name"', shown["views"]["form"]["arch"], "whom it is to")
        screen = line.action_bank_reconcile()
        self.assertEqual(screen["domain"], [("id", "=", line.id)])
        self.assertEqual(screen["res_model"], line._name)

    def test_batch_and_payment_lead_to_what_is_wrong_with_them(self):
        """Each counts its own; the batch, those of its payments too."""
        batch = self.sent(self.new_bill(100) + self.new_bill(50))
        other = self.sent(self.new_bill(70))
        # The bank books one of them twice.
        paid_twice = batch.payment_ids[:1]
        self.received(camt(paid(paid_twice, "R1")))
        self.received(camt(paid(paid_twice, "R2"), opening="900.00"))
        found = self.open().filtered(lambda each: each.payment_id == paid_twice)
        self.assertTrue(found, self.open().mapped("code"))
        seen = batch.with_user(self.auditor)
        self.assertEqual(seen.bank_discrepancy_count, len(found))
        self.assertFalse(other.with_user(self.auditor).bank_discrepancy_count)
        for payment in seen.payment_ids:
            own = len(found) if payment.id == paid_twice.id else 0
            self.assertEqual(payment.bank_discrepancy_count, own)
        shown = self.env["bank.discrepancy"].search(
            seen.action_view_bank_discrepancies()["domain"]
        )
        self.assertEqual(shown, found)

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

    # -- who could keep the alarm from people ---------------------------------------------------

    def test_a_cent_of_a_bill_explains_no_debit(self):
        self.codes(self.debit)
        found, line = self.open("unknown_debit"), self.line_of("X1")
        bill = self.new_bill(1)
        item = bill.line_ids.filtered(
            lambda item: item.account_id.account_type == "liability_payable"
        )
        line._bank_reconcile(
            [
                {"item_id": item.id, "amount": None},
                {"account_id": self.expense.id, "amount": "-74.00", "name": "Sundry"},
            ]
        )
        self.assertTrue(line.is_reconciled)
        self.verify()
        self.assertEqual(found.state, "open")
        line.action_bank_undo()
        self.company.bank_match_tolerance = 1
        bill = self.new_bill(74.5)
        item = bill.line_ids.filtered(
            lambda item: item.account_id.account_type == "liability_payable"
        )
        line._bank_reconcile(
            [
                {"item_id": item.id, "amount": None},
                {"account_id": self.expense.id, "amount": "-0.50", "name": "Difference"},
            ]
        )
        self.verify()
        self.assertEqual(found.state, "closed")

    def test_a_rule_of_who_only_invoices_silences_nothing(self):
        rule = self.env["bank.reconcile.rule"].with_user(self.clerk).create(
            {
                "name": "Quiet", "text": "thanks", "account_id": self.expense.id,
                "company_id": self.company.id, "automatic": True,
            }
        )
        self.assertEqual(self.codes(self.debit), ["unknown_debit"])
        self.assertTrue(self.line_of("X1").is_reconciled)
        # Made so by a bank administrator, it counts for what comes; changed by another, no more.
        chief = self.new_user("chief", f"{MODULE}.group_admin,account.group_account_invoice")
        for user, reference, alarms in ((chief, "X2", False), (self.clerk, "X3", True)):
            with self.subTest(user.name):
                rule.with_user(user).write({"text": "thanks", "confirmed": not alarms})
                opening = {"X2": "925.00", "X3": "850.00"}[reference]
                debit = Booking("-75.00", [Detail(payee="Other", text="thanks")], reference)
                self.received(camt(debit, opening=opening))
                line = self.line_of(reference)
                self.assertTrue(line.is_reconciled)
                self.assertEqual(line in self.open("unknown_debit").line_id, alarms)

    def test_what_the_bank_said_of_a_booking_is_not_changed_by_hand(self):
        """Odoo lets accountants write bookings: not those facts by which an alarm is raised."""
        self.codes(self.debit)
        accountant = self.new_user("accountant", "account.group_account_user")
        line = self.line_of("X1").with_user(accountant)
        self.assertTrue(line.has_access("write"))
        for values in (
            {"transaction_type": "PMNT/CHRG"}, {"account_number": iban(77)},
            {"transaction_details": {"reversal": True}}, {"bank_by_rule": True},
            {"bank_message_id": False}, {"amount": -0.01},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                line.write(values)

    def test_a_booking_of_the_bank_is_not_removed_by_hand(self):
        """Else its alarm was gone, and an entry of one's own took its place in the balance."""
        self.codes(self.debit)
        accountant = self.new_user("accountant", "account.group_account_user")
        line = self.line_of("X1").with_user(accountant)
        self.assertTrue(line.has_access("unlink"))
        with self.assertRaises(AccessError), self.cr.savepoint():
            line.unlink()
        with self.assertRaises(AccessError), self.cr.savepoint():
            line.move_id.button_draft()
            line.move_id.unlink()
        self.assertEqual(self.verify().line_id, self.line_of("X1"))
