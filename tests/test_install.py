from odoo.addons.account_bank_connect.hooks import uninstall_hook
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .common import MODULE, BankConnectCommon


@tagged("post_install", "-at_install")
class TestInstall(BankConnectCommon):
    """What the module brings along, and what it leaves behind."""

    def test_scheduled_actions(self):
        for name in ("send", "fetch", "process"):
            cron = self.env.ref(f"{MODULE}.cron_{name}")
            self.assertTrue(cron.active, name)
            self.assertEqual(cron.user_id, self.env.ref("base.user_root"))

    def test_a_connected_journal_gets_the_payment_method(self):
        """Booked at once by default; once only; and only on journals with a connection."""
        line = self.journal._bank_method_line()
        self.assertEqual(line.payment_method_id, self.env.ref(f"{MODULE}.payment_method"))
        self.assertTrue(line.payment_account_id)
        self.journal.bank_connection_id = False
        self.journal.bank_connection_id = self.connection
        self.assertEqual(
            len(
                self.journal.outbound_payment_method_line_ids.filtered(
                    lambda each: each.code == "bank_connect"
                )
            ),
            1,
        )
        plain = self.env["account.journal"].create(
            {"name": "Plain", "type": "bank", "code": "PLN", "company_id": self.company.id}
        )
        self.assertFalse(plain._bank_method_line())

    def test_batches_are_numbered(self):
        first, second = self.prepare(self.new_bill()), self.prepare(self.new_bill())
        self.assertRegex(first.name, r"^BATCH/\d{4}/\d{5}$")
        self.assertNotEqual(first.name, second.name)
        self.assertNotEqual(first.reference, second.reference)
        self.assertLessEqual(len(f"{first.reference}-00001"), 35, "the standard's longest id")

    def test_profiles_can_be_used(self):
        """Each bank profile that comes along holds settings its connector understands."""
        profiles = self.env["bank.connection.profile"].search([])
        self.assertGreaterEqual(len(profiles), 2)
        profiles._check_settings()

    def test_removal_leaves_the_books_usable(self):
        """Payments stay, under a method that stays; and bills can be paid again by hand."""
        bill = self.new_bill(100)
        payment = self.sent(bill).payment_ids
        line = payment.payment_method_line_id
        waiting = self.new_bill(50)
        self.prepare(waiting)
        uninstall_hook(self.env)
        self.assertEqual(line.code, "manual")
        self.assertEqual(payment.payment_method_line_id, line)
        self.assertEqual(payment.move_id.state, "posted")
        self.assertFalse(
            self.env["account.payment.method.line"].search([("code", "=", "bank_connect")])
        )
        self.env.cr.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'bank_connect_guard_reconcile'"
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_a_neutralized_copy_reaches_no_bank(self):
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertNotEqual(self.connection.state, "active")
        self.assertFalse(self.env["bank.connection"].search([("state", "=", "active")]))
