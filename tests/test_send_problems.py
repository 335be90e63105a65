from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestSendProblems(BankConnectCommon):
    """Whatever keeps a payment from leaving is said in a sentence, and nothing is created."""

    def assert_refused(self, records, sentence, **options):
        """The wizard shows the sentence, counts the problem, refuses, and creates nothing."""
        wizard = self.open_wizard(records, **options)
        problems = wizard.line_ids.filtered("problem").mapped("problem")
        self.assertRegex("\n".join(problems), sentence)
        self.assertTrue(wizard.problem_count)
        with self.assertRaisesRegex(UserError, sentence):
            wizard.action_send()
        self.assert_nothing_created(self.env["account.move"].browse(wizard.line_ids.move_id.ids))

    def test_payee_without_account(self):
        vendor = self.new_vendor("No account", 2)
        vendor.bank_ids.unlink()
        self.assert_refused(self.new_bill(vendor=vendor), "No account has no bank account")

    def test_untrusted_account(self):
        vendor = self.new_vendor("Untrusted", 3, trusted=False)
        self.assert_refused(
            self.new_bill(vendor=vendor), r"The account DE[\d ]+ is on hold"
        )

    def test_account_that_lost_its_trust(self):
        """Trust withdrawn while the wizard is open is noticed on sending."""
        vendor = self.new_vendor("Trusted once", 4)
        wizard = self.open_wizard(self.new_bill(vendor=vendor))
        self.assertFalse(wizard.problem_count)
        vendor.bank_ids.allow_out_payment = False
        with self.assertRaisesRegex(UserError, "is on hold"):
            wizard.action_send()

    def test_wrong_iban(self):
        """An account that says it is an IBAN but fails its check digits never leaves."""
        vendor = self.new_vendor("Wrong", 5)
        wrong = iban(5)[:-1] + ("0" if iban(5)[-1] != "0" else "1")
        # The check on entry is passed by, as an import by SQL would.
        self.env.cr.execute(
            "UPDATE res_partner_bank SET acc_number = %s, sanitized_acc_number = %s WHERE id = %s",
            (wrong, wrong, vendor.bank_ids.id),
        )
        vendor.bank_ids.invalidate_recordset()
        self.confirm(vendor.bank_ids)
        self.assert_refused(self.new_bill(vendor=vendor), "(?i)iban|bic")

    def test_account_of_somebody_else(self):
        """A payee's account can't be swapped for another partner's, not even over RPC."""
        stranger = self.new_vendor("Stranger", 6)
        wizard = self.open_wizard(self.new_bill())
        wizard.line_ids.partner_bank_id = stranger.bank_ids
        with self.assertRaisesRegex(UserError, "belongs to Stranger, not to"):
            wizard.action_send()

    def test_bill_on_its_way(self):
        """A second batch for the same bill names the first one and who prepared it."""
        bill = self.new_bill()
        batch = self.prepare(bill)
        wizard = self.open_wizard(bill)
        self.assertIn(
            f"Already on its way in {batch.name}, prepared by Preparer", wizard.line_ids.problem
        )
        with self.assertRaisesRegex(UserError, "Already on its way"):
            wizard.action_send()

    def test_two_wizards_open_at_once(self):
        """Of two people who opened the same bill, the second is refused on sending."""
        bill = self.new_bill()
        first, second = self.open_wizard(bill), self.open_wizard(bill)
        first.action_send()
        with self.assertRaisesRegex(UserError, "Already on its way"):
            second.action_send()

    def test_blocked_bill(self):
        bill = self.new_bill()
        bill.action_toggle_block_payment()
        self.assert_refused(bill, "blocked for payment")

    def test_draft_bill(self):
        self.assert_refused(self.new_bill(post=False), "not posted")

    def test_paid_bill(self):
        bill = self.new_bill()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({}).action_create_payments()
        self.assert_refused(bill, "Nothing is open")

    def test_customer_invoice(self):
        """A customer's invoice brings money in; the sentence does not call it a credit note."""
        invoice = self.new_bill(move_type="out_invoice")
        with self.assertRaises(UserError) as caught:
            self.open_wizard(invoice).action_send()
        self.assertIn("brings money in", str(caught.exception))

    def test_credit_note_alone(self):
        self.assert_refused(self.new_bill(move_type="in_refund"), "A credit note is not paid")

    def test_credit_note_above_the_bills(self):
        bills = self.new_bill(50) + self.new_bill(80, move_type="in_refund")
        self.assert_refused(bills, "nothing is left to pay", net_credit_notes=True)

    def test_currency_without_account(self):
        bill = self.new_bill(currency_id=self.usd.id)
        self.assert_refused(bill, "No connected bank account is kept in USD")

    def test_currency_of_another_account(self):
        bill = self.new_bill(currency_id=self.usd.id)
        self.assert_refused(bill, "kept in EUR, the bill is in USD", journal_id=self.journal.id)

    def test_account_for_another_currency(self):
        self.vendor.bank_ids.currency_id = self.usd
        self.confirm(self.vendor.bank_ids)
        self.assert_refused(self.new_bill(), "takes USD only")

    def test_amounts(self):
        """Nothing, less than nothing and more than what is open are no amounts to pay."""
        for amount, sentence in (
            (0, "must be above zero"),
            (-5, "must be above zero"),
            (100.01, "More than what is open"),
        ):
            with self.subTest(amount=amount):
                wizard = self.open_wizard(self.new_bill())
                wizard.line_ids.amount = amount
                with self.assertRaisesRegex(UserError, sentence):
                    wizard.action_send()

    def test_past_execution_date(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        self.assert_refused(self.new_bill(), "date is in the past", execution_date=yesterday)

    def test_address_where_the_destination_needs_it(self):
        vendor = self.new_vendor("Townless", 7, city=False)
        self.assertFalse(self.open_wizard(self.new_bill(vendor=vendor)).problem_count)
        self.assert_refused(self.new_bill(vendor=vendor), "town and country", urgent=True)

    def test_bic_where_there_is_no_iban(self):
        vendor = self.new_vendor("Overseas", 8)
        vendor.bank_ids = [
            Command.clear(),
            Command.create({"acc_number": "12-3456-789"}),
        ]
        self.confirm(vendor.bank_ids)
        self.assert_refused(self.new_bill(vendor=vendor), "the BIC of its bank is needed")

    def test_suspended_connection(self):
        bill = self.new_bill()
        self.connection.state = "suspended"
        self.assert_refused(bill, "not active", journal_id=self.journal.id)
        self.assert_refused(bill, "No connected bank account")

    def test_letters_the_bank_cannot_carry(self):
        """A Chinese name is refused on a Latin channel, and kept where every script goes."""
        vendor = self.new_vendor("北京贸易有限公司", 9)
        bill = self.new_bill(vendor=vendor)
        batch = self.prepare(bill)
        self.assertIn("北京贸易有限公司", batch.sealed_content)
        batch.with_user(self.preparer).action_cancel()
        self.connection.profile_id.charset = "sepa"
        wizard = self.open_wizard(bill)
        self.assertTrue(wizard.line_ids.problem)
        with self.assertRaisesRegex(UserError, "Nothing was sent"):
            wizard.action_send()
        self.assertFalse(bill.bank_instalment_ids.filtered("live"))

    def test_reference_longer_than_the_bank_takes(self):
        """A reference of 200 characters is a problem in words, not a fault."""
        self.assert_refused(self.new_bill(ref="R" * 200), "The reference is too long")

    def test_grouped_references_that_do_not_fit(self):
        """A reference that fits alone, but not beside the count of the others."""
        bills = self.new_bill(ref="A" * 139) + self.new_bill(ref="B" * 139)
        self.assertFalse(self.open_wizard(bills).problem_count)
        self.assert_refused(bills, "too long to share", group_payments=True)

    def test_one_wrong_among_many_stops_all(self):
        """Nothing leaves while one chosen line has a problem; left out, the others do."""
        sound = self.new_bill()
        wrong = self.new_bill(vendor=self.new_vendor("Untrusted", 10, trusted=False))
        self.assert_refused(sound + wrong, "is on hold")
        wizard = self.open_wizard(sound + wrong)
        wizard.line_ids.filtered("problem").selected = False
        wizard.action_send()
        self.assertTrue(sound.bank_instalment_ids)
        self.assertFalse(wrong.bank_instalment_ids)

    def test_only_a_preparer_sends(self):
        bill = self.new_bill()
        for user in (self.clerk, self.approver):
            with self.subTest(user=user.name), self.assertRaisesRegex(UserError, "Only a preparer"):
                bill.with_user(user).action_send_to_bank()

    def test_two_companies_at_once(self):
        other = self.new_company("Other GmbH")
        mine = self.new_bill()
        expense = self.env["account.account"].search(
            [("account_type", "=", "expense"), ("company_ids", "in", other.ids)], limit=1
        )
        theirs = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor.id,
                    "invoice_date": fields.Date.today(),
                    "company_id": other.id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "x",
                                "price_unit": 10,
                                "tax_ids": False,
                                "account_id": expense.id,
                            }
                        )
                    ],
                }
            )
        )
        theirs.action_post()
        user = self.new_user(
            "preparer of both", "account_bank_connect.group_preparer", self.company + other
        )
        both = (mine + theirs).with_context(allowed_company_ids=(self.company + other).ids)
        with self.assertRaisesRegex(UserError, "one company only"):
            both.with_user(user).action_send_to_bank()
        # Over RPC, a wizard of one company can be given the other one's bill, or its journal.
        wizard = both[1].with_user(user).action_send_to_bank()
        wizard = both.env["bank.send.wizard"].with_user(user).browse(wizard["res_id"])
        wizard.journal_id = self.journal
        with self.assertRaisesRegex(UserError, "another company"):
            wizard.action_send()
