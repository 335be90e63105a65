from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from .common import BankConnectCommon
from .documents import Booking, Detail, camt, paid, pain002, returned


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
