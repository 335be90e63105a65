from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestApproval(BankConnectCommon):
    """One person prepares, another approves exactly what the seal says."""

    def setUp(self):
        super().setUp()
        self.bill = self.new_bill(100)
        self.batch = self.prepare(self.bill)
        self.payment = self.batch.payment_ids

    def assert_nothing_left(self):
        self.assertFalse(self.message_of(self.batch))
        self.assertEqual(self.payment.state, "draft")
        self.assertEqual(self.batch.state, "to_approve")

    # -- who --------------------------------------------------------------------------------

    def test_an_approver_approves(self):
        self.assertTrue(self.batch.with_user(self.approver).may_approve)
        self.approve(self.batch)
        self.assertEqual(self.batch.state, "approved")
        decision = self.batch.approval_ids
        self.assertEqual(
            (decision.user_id, decision.decision, decision.seal),
            (self.approver, "approved", self.batch.seal),
        )
        self.assertEqual(self.message_of(self.batch).state, "queued")
        self.assertFalse(self.activities(self.batch, "approve"))

    def test_the_preparer_does_not_approve(self):
        """Not even with the approver's right."""
        self.preparer.group_ids += self.env.ref("account_bank_connect.group_approver")
        batch = self.batch.with_user(self.preparer)
        self.assertFalse(batch.may_approve)
        with self.assertRaisesRegex(AccessError, "somebody else has to approve"):
            batch.action_approve()
        self.assert_nothing_left()

    def test_who_made_one_of_the_payments_does_not_approve(self):
        """A payment made by an approver and sent by somebody else needs yet another approver."""
        second = self.new_user("approver two", "account_bank_connect.group_approver")
        self.approver.group_ids += self.env.ref("account.group_account_invoice")
        payment = (
            self.env["account.payment"]
            .with_user(self.approver)
            .create(
                {
                    "payment_type": "outbound",
                    "partner_type": "supplier",
                    "partner_id": self.vendor.id,
                    "partner_bank_id": self.vendor.bank_ids.id,
                    "journal_id": self.journal.id,
                    "amount": 60,
                    "payment_method_line_id": self.journal._bank_method_line().id,
                }
            )
        )
        batch = self.prepare(payment)
        self.assertEqual(batch.preparer_id, self.preparer)
        self.assertEqual(self.activities(batch, "approve").user_id, second)
        with self.assertRaisesRegex(AccessError, "somebody else has to approve"):
            batch.with_user(self.approver).action_approve()

    def test_only_approvers_decide(self):
        for user in (self.clerk, self.admin, self.auditor, self.outsider):
            with self.subTest(user=user.name):
                batch = self.batch.with_user(user)
                with self.assertRaises(AccessError):
                    batch.action_approve()
                with self.assertRaises(AccessError):
                    batch.action_reject("no")
        self.assert_nothing_left()

    def test_an_approver_of_another_company_does_not_decide(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", "account_bank_connect.group_approver", other)
        batch = self.batch.with_user(stranger).with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError):
            batch.action_approve()
        self.assertFalse(
            self.env["bank.payment.batch"]
            .with_user(stranger)
            .with_context(allowed_company_ids=other.ids)
            .search([("id", "=", self.batch.id)])
        )

    def test_a_second_approver_reads_that_it_is_decided(self):
        second = self.new_user("approver two", "account_bank_connect.group_approver")
        self.approve(self.batch)
        for decide in (
            lambda: self.batch.with_user(second).action_approve(),
            lambda: self.batch.with_user(second).action_reject("late"),
        ):
            with self.assertRaisesRegex(UserError, "does not wait for approval any more"):
                decide()
        self.assertEqual(len(self.message_of(self.batch)), 1)
        self.assertEqual(len(self.batch.approval_ids), 1)

    # -- decisions --------------------------------------------------------------------------

    def test_decisions_are_never_changed(self):
        self.approve(self.batch)
        decision = self.batch.approval_ids
        for attempt in (
            lambda: decision.write({"decision": "rejected"}),
            lambda: decision.write({"user_id": self.preparer.id}),
            lambda: decision.unlink(),
        ):
            with self.assertRaises(UserError):
                attempt()
        for user in (self.approver, self.admin):
            with self.assertRaises(AccessError):
                self.env["bank.approval"].with_user(user).create(
                    {
                        "batch_id": self.batch.id,
                        "user_id": user.id,
                        "decision": "approved",
                        "seal": self.batch.seal,
                    }
                )

    def test_rejecting_frees_the_bills_and_says_why(self):
        self.env["bank.reject.wizard"].with_user(self.approver).with_context(
            active_ids=self.batch.ids
        ).create({"reason": "The hours were never worked."}).action_reject()
        self.assertEqual(self.batch.state, "rejected")
        self.assertEqual(self.batch.note, "The hours were never worked.")
        self.assertEqual(self.payment.state, "canceled")
        self.assertEqual(self.bill.payment_state, "not_paid")
        self.assertFalse(self.bill.bank_instalment_ids.filtered("live"))
        task = self.activities(self.batch)
        self.assertEqual(task.user_id, self.preparer)
        self.assertIn("never worked", str(task.note))
        again = self.prepare(self.bill)
        self.assertEqual(self.approve(again).state, "approved")

    def test_rejecting_needs_a_reason(self):
        with self.assertRaisesRegex(UserError, "Say why"):
            self.batch.with_user(self.approver).action_reject("  ")
        self.assert_nothing_left()

    def test_withdrawing(self):
        """The preparer can take a batch back until it is approved, not after."""
        other = self.prepare(self.new_bill())
        self.batch.with_user(self.preparer).action_cancel()
        self.assertEqual((self.batch.state, self.payment.state), ("cancelled", "canceled"))
        self.assertFalse(self.bill.bank_instalment_ids.filtered("live"))
        with self.assertRaisesRegex(UserError, "does not wait for approval"):
            self.approve(self.batch)
        self.approve(other)
        with self.assertRaisesRegex(UserError, "can't be withdrawn"):
            other.with_user(self.preparer).action_cancel()

    def test_a_payment_posted_before_keeps_its_state_when_rejected(self):
        payment = self.payment.copy({"amount": 42})
        payment.action_post()
        batch = self.prepare(payment)
        batch.with_user(self.approver).action_reject("Not this month")
        self.assertEqual(payment.state, "in_process")
        self.assertFalse(payment.bank_batch_id)
        self.assertEqual(self.prepare(payment).payment_ids, payment)

    # -- seal -------------------------------------------------------------------------------

    def test_changes_after_the_seal_are_refused_and_named(self):
        """Whoever changes what, by whatever way: nothing is queued, and the change is told."""
        account = self.vendor.bank_ids
        bank = self.env["res.bank"].create({"name": "New", "bic": "DEUTDEFFXXX"})

        def sql(query, *values):
            self.env.flush_all()
            self.env.cr.execute(query, values)
            self.env.invalidate_all()

        other = iban(77)
        changes = {
            "number": (
                lambda: sql(
                    "UPDATE res_partner_bank SET acc_number = %s, sanitized_acc_number = %s "
                    "WHERE id = %s",
                    other,
                    other,
                    account.id,
                ),
                other,
            ),
            "account": (
                lambda: sql(
                    "UPDATE account_payment SET partner_bank_id = %s WHERE id = %s",
                    self.journal.bank_account_id.id,
                    self.payment.id,
                ),
                "DE89370400440532013000",
            ),
            "name": (lambda: account.partner_id.write({"name": "Mule Ltd"}), "Mule Ltd"),
            "holder": (lambda: account.write({"acc_holder_name": "Mule Ltd"}), "Mule Ltd"),
            "bic": (lambda: account.write({"bank_id": bank.id}), "DEUTDEFFXXX"),
            "amount": (
                lambda: sql(
                    "UPDATE account_payment SET amount = 999 WHERE id = %s", self.payment.id
                ),
                "100.00 and is now 999.00",
            ),
            "text": (
                lambda: sql(
                    "UPDATE account_payment SET bank_remittance = 'x' WHERE id = %s",
                    self.payment.id,
                ),
                "is now x",
            ),
            "date": (
                lambda: sql(
                    "UPDATE bank_payment_batch SET execution_date = '2030-01-01' WHERE id = %s",
                    self.batch.id,
                ),
                "2030-01-01",
            ),
            "removed": (
                lambda: sql(
                    "UPDATE account_payment SET bank_batch_id = NULL WHERE id = %s", self.payment.id
                ),
                "was removed",
            ),
        }
        for name, (change, told) in changes.items():
            with self.subTest(change=name), self.env.cr.savepoint() as savepoint:
                change()
                with self.assertRaises(UserError) as caught:
                    self.approve(self.batch)
                self.assertIn("changed after it was sent to approval", str(caught.exception))
                self.assertIn(told, str(caught.exception))
                self.assertFalse(self.message_of(self.batch))
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertEqual(self.approve(self.batch).state, "approved", "unchanged, it is approved")

    def test_an_altered_seal_is_noticed(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_payment_batch SET sealed_content = replace(sealed_content, %s, %s) "
            "WHERE id = %s",
            ("100.00", "999.00", self.batch.id),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "The sealed content of .* was altered"):
            self.approve(self.batch)
        self.assertFalse(self.message_of(self.batch))

    # -- guards -----------------------------------------------------------------------------

    def test_a_batch_is_changed_by_its_buttons_only(self):
        """Not by writing, not with a marker made up in the context."""
        forged = (None, True, 1, "engine", object(), {"ENGINE": True})
        for field, value in (
            ("state", "approved"),
            ("seal", "0" * 64),
            ("sealed_content", "{}"),
            ("preparer_id", self.approver.id),
            ("execution_date", "2030-01-01"),
            ("journal_id", self.journal.id),
            ("reference", "OTHER"),
            ("payment_ids", [Command.clear()]),
            ("approval_ids", [Command.clear()]),
        ):
            for marker in forged:
                with self.subTest(field=field, marker=marker), self.assertRaises(AccessError):
                    self.batch.with_user(self.preparer).with_context(bank_engine=marker).write(
                        {field: value}
                    )

    def test_only_the_wizard_makes_batches(self):
        """A batch made over RPC would hold payments that nobody checked."""
        with self.assertRaises(AccessError):
            self.env["bank.payment.batch"].with_user(self.preparer).create(
                {
                    "journal_id": self.journal.id,
                    "currency_id": self.eur.id,
                    "execution_date": "2030-01-01",
                    "payment_ids": [Command.link(self.payment.id)],
                }
            )
        self.assertFalse(self.payment.bank_batch_id - self.batch)

    def test_a_payment_in_a_batch_is_frozen(self):
        payment = self.payment.with_user(self.preparer)
        for values in (
            {"amount": 1},
            {"partner_bank_id": self.journal.bank_account_id.id},
            {"partner_id": self.company.partner_id.id},
            {"state": "paid"},
            {"date": "2030-01-01"},
            {"currency_id": self.usd.id},
            {"bank_remittance": "x"},
        ):
            with self.subTest(values=values), self.assertRaisesRegex(UserError, "on its way"):
                payment.with_context(bank_engine=True).write(values)
        for name in ("action_post", "action_draft", "action_cancel", "unlink", "action_reject"):
            with self.subTest(method=name), self.assertRaises(UserError):
                getattr(payment, name)()
        self.assertEqual((self.payment.state, self.payment.amount), ("draft", 100))

    def test_what_the_bank_says_is_not_written_by_hand(self):
        for field in (
            "bank_status",
            "bank_reason",
            "bank_booked",
            "bank_returned",
            "uetr",
            "end_to_end_id",
            "bank_batch_id",
        ):
            with self.subTest(field=field), self.assertRaisesRegex(UserError, "by hand"):
                self.payment.with_user(self.preparer).write({field: False})
        made = self.payment.with_user(self.preparer).copy(
            {"bank_batch_id": self.batch.id, "bank_status": "ACSC", "end_to_end_id": "X"}
        )
        self.assertFalse(made.bank_batch_id or made.bank_status or made.end_to_end_id)
