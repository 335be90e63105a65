import base64
import json

from odoo.addons.account_bank_connect.connectors.interface import Check, Health
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .certificates import certificate_for, new_key
from .common import MODULE, OUR_IBAN, iban
from .key_common import KeyCase
from .tour_common import TourCommon

SECRET = "planted-api-key-6601"


class SetupCase(KeyCase):
    def setUp(self):
        super().setUp()
        self.admin.group_ids += self.env.ref("account.group_account_manager")
        self.admin.group_ids += self.env.ref("base.group_partner_manager")
        # What the bank's line says to a test; how it is found out is the connectors' own test.
        self.checks = (Check("answer", True, "It answers", step="answer", finding="done"),)
        self.bank.check = lambda: Health(checks=self.checks)
        self.profile = self.env.ref(f"{MODULE}.profile_sandbox")

    def open(self, connection=None):
        wizards = self.env["bank.setup.wizard"].with_user(self.admin)
        action = (
            connection.with_user(self.admin).action_setup() if connection else wizards._open()
        )
        return wizards.browse(action["res_id"])

    def start(self, **values):
        """A wizard past its first step."""
        wizard = self.open()
        wizard.write(
            {
                "name": "New bank", "profile_id": self.profile.id, "url": "https://localhost:1",
                "allow_private_address": True, **values,
            }
        )
        wizard.action_next()
        return wizard

    def bring_keys(self, connection):
        key, pem = new_key()
        self.env["bank.certificate.wizard"].with_user(self.admin).create(
            {
                "connection_id": connection.id,
                "certificate_file": base64.b64encode(certificate_for(key)),
                "key_file": base64.b64encode(pem),
            }
        ).action_import()


@tagged("post_install", "-at_install")
class TestSetupWizard(SetupCase):
    """A connection is set up step by step, can be left and resumed, and is active at the end."""

    def test_from_the_bank_to_an_active_connection(self):
        wizard = self.start()
        connection = wizard.connection_id
        self.assertEqual((wizard.step, connection.state), ("identity", "draft"))
        wizard.contract_code = "CORP-4711"
        wizard.action_next()
        self.assertEqual(connection.contract_code, "CORP-4711")
        with self.assertRaisesRegex(UserError, "certificate for the bank"):
            wizard.action_next()
        self.bring_keys(connection)
        wizard.action_next()
        self.assertEqual(wizard.step, "trust")
        with self.assertRaisesRegex(UserError, "of the bank or of its authority"):
            wizard.action_next()
        wizard.trusted_certificates = certificate_for(new_key()[0], "Bank").decode()
        wizard.action_next()
        with self.assertRaisesRegex(UserError, "at least one bank journal"):
            wizard.action_next()
        wizard.new_account = iban(77)
        wizard.action_add_account()
        journal = wizard.journal_ids
        self.assertEqual(journal.bank_account_id.sanitized_acc_number, iban(77))
        self.assertEqual(journal.bank_connection_id, connection)
        self.assertTrue(journal._bank_method_line())
        wizard.action_next()
        self.assertEqual(wizard.step, "test")
        with self.assertRaisesRegex(UserError, "Test the connection first"):
            wizard.action_next()
        wizard.action_test()
        self.assertIn("✔", wizard.health_html)
        wizard.action_next()
        self.assertIn("fetch", wizard.schedule_html)
        wizard.action_next()
        self.assertFalse(wizard.problems)
        action = wizard.action_activate()
        self.assertEqual((action["res_id"], connection.state), (connection.id, "active"))
        with self.assertRaisesRegex(UserError, "is set up"):
            connection.action_setup()

    def test_a_failed_test_holds_the_set_up(self):
        wizard = self.start()
        self.checks = (Check("dns", False, "Name", step="name", finding="dns",
                             facts={"host": "bank.example"}),)
        wizard.action_test()
        self.assertIn("✘", wizard.health_html)
        wizard.step = "test"
        with self.assertRaisesRegex(UserError, "until every step has a tick"):
            wizard.action_next()

    def test_it_is_left_and_resumed(self):
        """What was entered is in the draft; the next time begins at the first open step."""
        connection = self.start().connection_id
        self.assertEqual(self.open(connection).step, "keys")
        self.bring_keys(connection)
        self.assertEqual(self.open(connection).step, "trust")
        connection.trusted_certificates = certificate_for(new_key()[0], "Bank").decode()
        self.assertEqual(self.open(connection).step, "accounts")
        self.journal.bank_connection_id = connection
        resumed = self.open(connection)
        self.assertEqual((resumed.step, resumed.journal_ids), ("test", self.journal))
        resumed.action_test()
        self.assertEqual(self.open(connection).step, "schedule")
        resumed.action_back()
        self.assertEqual(resumed.step, "accounts")

    def test_waiting_for_the_banks_certificate(self):
        wizard = self.start()
        wizard.action_next()
        self.env["bank.certificate"].with_user(self.admin)._request(
            wizard.connection_id, "tls", "ec256", {"common_name": "Payer"}
        )
        with self.assertRaisesRegex(UserError, "You may leave now"):
            wizard.action_next()

    def test_the_profile_decides_what_is_asked(self):
        profile = self.env["bank.connection.profile"].create(
            {"name": "Bearer", "settings": '"bearer_reports"'}
        )
        wizard = self.start(profile_id=profile.id, url="https://bank.example")
        self.assertFalse(wizard.connection_id.allow_private_address)
        with self.assertRaisesRegex(UserError, "client_id, client_secret"):
            wizard.action_next()
        for line in wizard.variable_ids:
            line.value = "x" if not line.is_secret else SECRET
        wizard.action_next()
        self.assertEqual(wizard.step, "keys")

    def test_only_administrators_set_up(self):
        wizard = self.start()
        for user in (self.preparer, self.approver, self.auditor, self.clerk):
            with self.assertRaises(AccessError):
                wizard.with_user(user).action_next()
            with self.assertRaises(AccessError):
                self.env["bank.setup.wizard"].with_user(user)._open()
            with self.assertRaises(AccessError):
                self.env["bank.connection"].with_user(user)._from_file(b"{}", self.company)
        self.admin.group_ids -= self.env.ref("account.group_account_manager")
        wizard.new_account = iban(78)
        with self.assertRaisesRegex(AccessError, "accounting manager"):
            wizard.action_add_account()

    def test_the_form_shows_each_step(self):
        """Every step renders with what it needs."""
        wizard = self.start()
        for step, _label in wizard._fields["step"].selection:
            wizard.sudo().step = step
            with Form(wizard) as form:
                self.assertEqual(form.step, step)


@tagged("post_install", "-at_install")
class TestConnectionFile(SetupCase):
    """A connection goes out as a file without secrets, comes in as a draft, and is compared."""

    def full(self):
        profile = self.env["bank.connection.profile"].create(
            {"name": "Bearer", "settings": '"bearer_reports"'}
        )
        connection = self.new_connection(
            "Full", profile_id=profile.id, allow_private_address=False, url="https://bank.example",
            contract_code="CORP-1", consent_code="consent-secret-6602", state="draft",
            trusted_certificates=certificate_for(new_key()[0], "Bank").decode(),
        )
        self.bring_keys(connection)
        for line in connection.variable_ids:
            line.value = SECRET if line.is_secret else f"value of {line.name}"
        self.journal.bank_connection_id = connection
        return connection.with_user(self.admin)

    def exported(self, connection):
        return base64.b64decode(connection.with_context(bin_size=False).file)

    def test_the_file_holds_no_secret(self):
        connection = self.full()
        connection.action_export()
        text = self.exported(connection).decode()
        for secret in (SECRET, "consent-secret-6602", "PRIVATE", "BEGIN", OUR_IBAN):
            self.assertNotIn(secret, text)
        said = json.loads(text)
        self.assertEqual(said["values"]["client_secret"], {"secret": True, "there": True})
        self.assertEqual(
            {each["sha256"] for each in said["certificates"]},
            set(connection.bank_certificate_ids.mapped("fingerprint")),
        )
        with self.assertRaises(AccessError):
            connection.with_user(self.auditor).file  # noqa: B018

    def test_out_and_in_again(self):
        """The same settings come back, as a draft without keys, trust, secrets and accounts."""
        connection = self.full()
        content = self.exported(connection)
        with self.assertRaisesRegex(UserError, "exists already"):
            connection._from_file(content, self.company)
        connection.name = "Renamed"
        wizard = self.env["bank.connection.file.wizard"].with_user(self.admin).create(
            {"file": base64.b64encode(content)}
        )
        copy = connection.browse(wizard.action_import()["res_id"])
        self.assertEqual((copy.name, copy.state), ("Full", "draft"))
        self.assertEqual(copy.profile_id, connection.profile_id)
        self.assertEqual((copy.url, copy.contract_code), ("https://bank.example", "CORP-1"))
        values = {line.name: (line.value, line.is_set) for line in copy.variable_ids}
        self.assertEqual(values["client_id"], ("value of client_id", True))
        self.assertEqual(values["client_secret"], (False, False))
        self.assertFalse(copy.certificate_id or copy.trusted_certificates or copy.journal_ids)
        self.assertEqual(copy.action_setup()["res_model"], "bank.setup.wizard")

    def test_a_profile_that_is_not_here_comes_along(self):
        connection = self.full()
        said = json.loads(self.exported(connection))
        said["connection"]["name"] = "Elsewhere"
        said["profile"] |= {"name": "Another", "max_payments": 77}
        copy = connection._from_file(json.dumps(said).encode(), self.company)
        self.assertEqual((copy.profile_id.name, copy.profile_id.max_payments), ("Another", 77))

    def test_files_that_can_not_be_used_say_why(self):
        connection = self.full()
        good = json.loads(self.exported(connection))
        good["connection"]["name"] = "Other"

        def changed(part=None, **values):
            said = json.loads(json.dumps(good))
            (said[part] if part else said).update(values)
            return json.dumps(said).encode()

        for content, sentence in (
            (b"\xff\xfe", "no JSON"),
            (b"{", "no JSON"),
            (b"[" * 100_000, "no JSON"),
            (b"[]", "no file with a bank connection"),
            (b'{"format": "x"}', "no file with a bank connection"),
            (changed(version=2), "of version 2; version 1"),
            (changed(more=1), "not known here: more"),
            (changed("connection", state="active"), "not known here: connection.state"),
            (changed("connection", certificate_id=1), "connection.certificate_id"),
            (changed("connection", url=["x"]), "connection.url"),
            (changed("connection", url=None), "Enter the bank.s address"),
            (changed("connection", log_body_days=True), "connection.log_body_days"),
            (changed("profile", protocol="ftp"), "profile.protocol"),
            (changed("profile", settings="{"), "can't be used"),
            (changed(values=[1]), "values"),
            (b" " * 2_000_000, "too large"),
        ):
            with (
                self.subTest(sentence=sentence),
                self.assertRaisesRegex(UserError, sentence),
                self.env.cr.savepoint(),
            ):
                connection._from_file(content, self.company)
        self.assertFalse(connection.search([("name", "=", "Other")]))

    def test_a_copy_for_the_test_system_shares_nothing_secret(self):
        connection = self.full()
        wizard = self.env["bank.connection.file.wizard"].with_user(self.admin).create(
            {"task": "test", "connection_id": connection.id, "url": "https://test.bank.example"}
        )
        copy = connection.browse(wizard.action_copy()["res_id"])
        self.assertEqual((copy.state, copy.url), ("draft", "https://test.bank.example"))
        self.assertEqual(copy.contract_code, "CORP-1")
        self.assertFalse(
            copy.certificate_id or copy.bank_certificate_ids or copy.trusted_certificates
            or copy.consent_code or copy.journal_ids or copy.sudo().webhook_sealed
        )
        self.assertFalse(copy.variable_ids.filtered(lambda line: line.is_secret and line.is_set))

    def test_a_soap_copy_is_for_the_test_environment(self):
        profile = self.env["bank.connection.profile"].create(
            {"name": "Soap", "protocol": "soap", "settings": '"bank_web_services"'}
        )
        connection = self.new_connection(
            "Soap", profile_id=profile.id, allow_private_address=False,
            soap_environment="PRODUCTION", state="draft",
        )
        copy = connection.with_user(self.admin)._copy_to_test("https://test.bank.example")
        self.assertEqual(copy.soap_environment, "TEST")

    def test_two_connections_are_compared(self):
        connection = self.full()
        copy = connection._copy_to_test("https://test.bank.example")
        differences = {name: (here, there) for name, here, there in connection._differences(copy)}
        self.assertEqual(
            differences["connection.url"], ("https://bank.example", "https://test.bank.example")
        )
        self.assertNotIn("connection.contract_code", differences)
        self.assertEqual(differences["values.client_secret.there"], ("True", "False"))
        self.assertNotIn(SECRET, repr(differences))
        wizard = self.env["bank.connection.file.wizard"].with_user(self.admin).create(
            {"task": "compare", "connection_id": connection.id, "other_id": copy.id}
        )
        self.assertIn("test.bank.example", wizard.differences)
        self.assertEqual(connection._differences(connection), [])


@tagged("post_install", "-at_install")
class TestTourSetup(TourCommon):
    def test_administrator_starts_and_resumes_a_set_up(self):
        self.walk("setup", f"{MODULE}.action_setup", self.admin)
        connection = self.env["bank.connection"].search([("name", "=", "Bank by tour")])
        self.assertEqual((connection.state, connection.contract_code), ("draft", "CORP-TOUR"))
        self.assertEqual(connection.bank_certificate_ids.state, "requested")
        self.assertEqual(connection.bank_certificate_ids.role, "tls")
        self.assertEqual(connection.bank_certificate_ids.owner, "ours")
