from odoo.addons.account_bank_connect.hooks import uninstall_hook
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .certificates import certificate_for, new_key
from .common import MODULE, BankConnectCommon

# Columns that sound like a secret or an address and are none, with the reason.
HARMLESS = {
    # numbers, flags and dates
    "bank_connection.allow_private_address",
    "bank_connection_profile.client_certificate",
    "bank_connection_profile.key_window_hours",
    "bank_payment_batch.sealed_by_id",
    "bank_payment_batch.sealed_erased_date",
    # what batches said, who decided from where: evidence, as in the original
    "bank_payment_batch.sealed_content",
    "bank_approval.address",
    "bank_audit_event.address",
    "bank_message.key",  # tells one message from another
    # fingerprints of what is public
    "bank_certificate.fingerprint",
    "bank_certificate.key_fingerprint",
    "bank_evidence_pack.key_fingerprint",
    "bank_connection.client_address",  # our own
}


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

    def test_removal_takes_its_tasks_along(self):
        """A task that is open or done holds its kind back, and the kind much of the module."""
        bill = self.new_bill(100)
        kind = self.env.ref(f"{MODULE}.activity_rejected")
        for _task in range(2):
            bill.activity_schedule(activity_type_id=kind.id, user_id=self.approver.id)
        bill.activity_ids[0].action_done()
        other = bill.activity_schedule("mail.mail_activity_data_todo", user_id=self.approver.id)
        uninstall_hook(self.env)
        tasks = self.env["mail.activity"].with_context(active_test=False)
        self.assertFalse(tasks.search([("activity_type_id", "=", kind.id)]))
        self.assertTrue(other.exists(), "what people planned themselves stays")

    def test_a_neutralized_copy_reaches_no_bank(self):
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertNotEqual(self.connection.state, "active")
        self.assertFalse(self.env["bank.connection"].search([("state", "=", "active")]))

    def test_a_neutralized_copy_keeps_no_key_address_or_token(self):
        """Every column that can hold a secret or an address is cut off, or said to be harmless.

        A new column of that kind fails this test until somebody has decided about it.
        """
        key, pem = new_key()
        bank = certificate_for(key, "Bank").decode()
        connection = self.new_connection(
            "Full", contract_code="CORP-1", consent_code="c", trusted_certificates=bank,
            bank_signers=bank, bank_encryption=bank, pinned_fingerprints="ab" * 32,
        )
        certificates = self.env["certificate.certificate"]
        for name in ("certificate_id", "signing_certificate_id", "decryption_certificate_id"):
            connection[name] = certificates._bank_create(
                certificate_for(key), pem, company=self.company
            )
        connection.with_user(self.admin).action_webhook_secret()
        sealed = connection.certificate_id.private_key_id
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.cr.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name LIKE 'bank%%' AND column_name ~ %s",
            ("url|token|sealed|secret|password|certificate|fingerprint|revocation|key|address",),
        )
        for table, column, kind in self.env.cr.fetchall():
            if f"{table}.{column}" in HARMLESS:
                continue
            self.env.cr.execute(
                f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL'
            )
            left = {value for (value,) in self.env.cr.fetchall()}
            with self.subTest(table=table, column=column, kind=kind):
                self.assertFalse(left - {"https://neutralized.invalid", "false", ""})
        self.assertFalse(
            self.env["ir.attachment"].search(
                [("res_model", "=", "certificate.key"), ("res_field", "=", "content"),
                 ("res_id", "=", sealed.id)]
            )
        )
