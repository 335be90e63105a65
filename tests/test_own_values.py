from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import BankConnectCommon

# What somebody would like to have written of a payment and of its bill's lock.
WISHES = {
    "bank.payment.instalment": {"live": False},
    "account.payment": {"bank_returned": True, "bank_booked": True, "bank_status": "RJCT"},
}


@tagged("post_install", "-at_install")
class TestOwnValues(BankConnectCommon):
    """What the module's steps write is not decided by the caller's context, or by defaults that
    every employee may keep for themselves."""

    def assert_locked(self, batch, bill):
        payment = batch.payment_ids
        self.assertTrue(bill.bank_instalment_ids.live)
        self.assertFalse(payment.bank_returned or payment.bank_booked or payment.bank_status)
        with self.assertRaises(UserError), self.cr.savepoint():
            payment.action_cancel()

    def test_the_context_unlocks_no_bill(self):
        bill = self.new_bill(100)
        context = {
            f"default_{name}": value for wish in WISHES.values() for name, value in wish.items()
        }
        wizard = self.open_wizard(bill).with_context(
            **context, default_state="in_process", default_approval_count=5
        )
        batch = self.env["bank.payment.batch"].search(wizard.action_send()["domain"])
        self.assertFalse(batch.approval_count)
        self.assertEqual(batch.payment_ids.state, "draft")
        self.assert_locked(batch, bill)

    def test_defaults_of_ones_own_unlock_no_bill(self):
        defaults = self.env["ir.default"].with_user(self.preparer)
        for model, wish in WISHES.items():
            for name, value in wish.items():
                defaults.set(model, name, value, user_id=True)
        bill = self.new_bill(100)
        self.assert_locked(self.prepare(bill), bill)

    def test_nobody_adds_a_payment_to_a_batch_by_the_context(self):
        batch = self.prepare(self.new_bill(100))
        payment = self.env["account.payment"].with_user(self.clerk).with_context(
            default_bank_batch_id=batch.id, default_end_to_end_id=f"{batch.reference}-00002",
            default_bank_status="ACSC", default_bank_booked=True,
        ).create(
            {
                "payment_type": "outbound", "partner_type": "supplier", "amount": 5,
                "partner_id": self.vendor.id, "journal_id": self.journal.id,
            }
        )
        self.assertEqual(len(batch.payment_ids), 1)
        self.assertFalse(
            payment.bank_batch_id or payment.end_to_end_id or payment.bank_status
            or payment.bank_booked
        )

    def test_no_booking_is_said_to_be_explained_by_the_context(self):
        accountant = self.new_user("accountant", "account.group_account_user")
        line = self.env["account.bank.statement.line"].with_user(accountant).with_context(
            default_bank_by_rule=True
        ).create({"journal_id": self.journal.id, "amount": -5, "payment_ref": "Fee"})
        self.assertFalse(line.bank_by_rule)

    def test_every_model_that_only_the_module_writes_is_kept_so(self):
        mixin = self.registry["bank.engine.mixin"]
        for name, model in self.registry.items():
            if hasattr(model, "_check_engine"):
                with self.subTest(name):
                    self.assertTrue(issubclass(model, mixin))

    def test_nobody_else_makes_or_changes_them(self):
        only = self.registry["bank.engine.only"]
        kept = {name for name, model in self.registry.items() if issubclass(model, only)}
        kept.remove("bank.engine.only")
        self.assertLessEqual({"bank.payment.flag", "bank.verification"}, kept)
        for name in kept:
            with self.subTest(name):
                model = self.env[name].sudo()
                for attempt in (lambda m=model: m.create({}), lambda m=model: m.write({})):
                    with self.assertRaises(AccessError):
                        attempt()


@tagged("post_install", "-at_install")
class TestKnownDebitOfCompanies(BankConnectCommon):
    """Who administers one company keeps no alarm of another one from being raised."""

    def test_what_holds_for_every_company(self):
        model = self.env["bank.debit.known"]
        other = self.new_company("Other company")
        shared = model.create({"name": "All", "codes": "CHRG", "company_id": False})
        one = self.admin
        for values in ({"codes": "PMNT"}, {"active": False}, {"amount_max": 0}):
            with self.subTest(values), self.assertRaises(AccessError):
                shared.with_user(one).write(values)
        with self.assertRaises(AccessError):
            model.with_user(one).create({"name": "All", "codes": "PMNT", "company_id": False})
        own = model.with_user(one).create(
            {"name": "Own", "codes": "PMNT", "company_id": self.company.id}
        )
        with self.assertRaises(AccessError):
            own.company_id = False
        every = self.env["res.company"].search([])
        self.assertIn(other, every)
        chief = self.new_user("chief", "account_bank_connect.group_admin", companies=every)
        shared.with_user(chief).write({"amount_max": 50})
        self.assertEqual(shared.amount_max, 50)

    def test_an_account_of_another_company(self):
        other = self.new_company("Other company")
        journal = self.new_journal(
            "DE02120300000000202051", self.new_connection("Other", other), other, code="OTB"
        )
        with self.assertRaises(UserError):
            self.env["bank.debit.known"].create(
                {
                    "name": "Mixed", "codes": "PMNT", "company_id": self.company.id,
                    "journal_id": journal.id,
                }
            )
