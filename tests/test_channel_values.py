import logging
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import Command, fields
from odoo.addons.account_bank_connect.connectors import profiles
from odoo.addons.account_bank_connect.connectors.settings import Identity
from odoo.addons.account_bank_connect.connectors.tokens import Busy, Token
from odoo.addons.account_bank_connect.models.bank_connection_token import DatabaseTokens
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import Form, tagged

from .certificates import certificate_for, new_key
from .common import MODULE, BankConnectCommon

SECRET = "planted-client-secret-7041"


@tagged("post_install", "-at_install")
class TestChannelValues(BankConnectCommon):
    """What a bank's channel asks for is told, kept sealed where secret, and handed to it alone."""

    def setUp(self):
        super().setUp()
        self.profile = self.env["bank.connection.profile"].create(
            {"name": "Bearer bank", "settings": '"bearer_reports"'}
        )
        self.bearer = self.new_connection(
            "Bearer", profile_id=self.profile.id, allow_private_address=False
        )
        self.lines = {each.name: each for each in self.bearer.variable_ids}

    def set_value(self, name, value, user=None):
        self.lines[name].with_user(user or self.admin).value = value

    def everything_stored(self):
        """All that the database holds of connections, values and audit events."""
        self.env.flush_all()
        found = []
        for table in ("bank_connection", "bank_connection_variable", "bank_audit_event",
                      "mail_message", "mail_tracking_value", "bank_connection_token"):
            self.env.cr.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            found += [row[0] for row in self.env.cr.fetchall()]
        return "\n".join(found)

    # -- values ---------------------------------------------------------------------------------

    def test_a_connection_lists_what_its_bank_asks_for(self):
        self.assertEqual(
            {name: line.is_secret for name, line in self.lines.items()},
            {"client_id": False, "client_secret": True, "token_scope": False, "token_url": False},
        )
        self.connection.write({"profile_id": self.profile.id, "allow_private_address": False})
        self.assertEqual(len(self.connection.variable_ids), 4)
        problems = "\n".join(self.bearer._activation_problems())
        self.assertIn("client_id, client_secret, token_scope, token_url", problems)
        for name in self.lines:
            self.set_value(name, "x")
        self.assertNotIn("client_id", "\n".join(self.bearer._activation_problems()))

    def test_a_secret_is_nowhere_to_be_read(self):
        with self.assertLogs(level=logging.DEBUG) as logs:
            self.set_value("client_secret", SECRET)
            self.env.flush_all()
            logging.getLogger().info("end")
        line = self.lines["client_secret"]
        self.assertTrue(line.is_set)
        self.assertFalse(line.value)
        self.assertNotIn(SECRET, self.everything_stored())
        self.assertNotIn(SECRET, "".join(logs.output))
        for user in (self.admin, self.auditor, self.preparer):
            with self.assertRaises(AccessError):
                line.with_user(user).read(["sealed"])
        self.assertNotIn(SECRET, str(line.with_user(self.admin).read()))
        self.admin.group_ids += self.env.ref("base.group_allow_export")
        self.assertNotIn(SECRET, str(line.with_user(self.admin).export_data(["name", "value"])))
        self.assertEqual(line._open(), SECRET)

    def test_a_secret_is_not_made_readable_by_calling_it_plain(self):
        self.set_value("client_secret", SECRET)
        line = self.lines["client_secret"].with_user(self.admin)
        line.is_secret = False
        self.assertFalse(line.value)
        self.assertFalse(line.is_set)
        line.write({"value": SECRET})
        line.is_secret = True
        self.assertFalse(line.value)
        self.assertEqual(line._open(), SECRET, "what was readable is sealed with it")
        self.assertNotIn(SECRET, str(line.read()))

    def test_saving_without_typing_keeps_the_secret(self):
        self.set_value("client_secret", SECRET)
        self.set_value("client_secret", False)
        self.assertEqual(self.lines["client_secret"]._open(), SECRET)

    def test_a_secret_opens_on_its_own_line_only(self):
        self.set_value("client_secret", SECRET)
        line = self.lines["client_secret"].with_user(self.admin)
        with self.assertRaises(UserError):
            line.name = "client_id_2"
        with self.assertRaises(UserError):
            line.connection_id = self.connection
        with self.assertRaises(UserError):
            line.sealed = "bc1.x.y"
        self.assertFalse(self.bearer.copy({"name": "Copy"}).variable_ids.filtered("is_set"))

    def test_only_an_administrator_of_the_company_sees_the_values(self):
        for user in (self.preparer, self.approver, self.auditor, self.clerk):
            with self.assertRaises(AccessError):
                self.lines["client_id"].with_user(user).read(["value"])
            with self.assertRaises(AccessError):
                self.bearer.with_user(user).read(["variable_ids"])
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_admin", other)
        with self.assertRaises(AccessError):
            self.lines["client_id"].with_user(stranger).read(["value"])
        with self.assertRaises(AccessError):
            self.set_value("client_id", "x", stranger)

    def test_names_and_values_are_checked(self):
        for name in ("Client-Id", "a b", "contract_id", "größe"):
            with self.assertRaises(ValidationError):
                self.bearer.variable_ids = [Command.create({"name": name})]
        with self.assertRaises(ValidationError):
            self.set_value("client_id", "a\r\nX-Evil: 1")
        with self.assertRaises(ValidationError):
            self.set_value("client_secret", "a\nb")

    def test_no_secret_without_a_master_key(self):
        with patch.dict("os.environ", {"BANK_CONNECT_MASTER_KEY": ""}):
            with self.assertRaisesRegex(UserError, "master key"):
                self.set_value("client_secret", SECRET)

    def test_changes_are_recorded_without_the_secret(self):
        events = self.env["bank.audit.event"].sudo()
        before = events.search([], limit=1).id
        self.set_value("client_secret", SECRET)
        self.set_value("client_id", "our-number")
        told = str(events.search([("id", ">", before)]).read())
        self.assertIn("client_secret", told)
        self.assertIn("our-number", told)
        self.assertNotIn(SECRET, told)

    def test_a_neutralised_database_has_neither_secret_nor_token(self):
        self.set_value("client_secret", SECRET)
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertFalse(self.lines["client_secret"].is_set)

    # -- what the connector is given ------------------------------------------------------------

    def test_the_connector_is_given_all_of_it(self):
        for name, value in (("client_id", "our-number"), ("client_secret", SECRET)):
            self.set_value(name, value)
        certificates = {}
        for use in ("tls", "signing"):
            key, pem = new_key()
            certificates[use] = self.env["certificate.certificate"]._bank_create(
                certificate_for(key, use), pem, name=use, company=self.company
            )
        key, _pem = new_key()
        bank = certificate_for(key, "bank").decode()
        journal = self.new_journal("DE75512108001245126199", self.bearer, code="BEA")
        journal.bank_resource = "acc-7"
        self.bearer.write(
            {"certificate_id": certificates["tls"].id, "bank_signers": bank,
             "signing_certificate_id": certificates["signing"].id, "bank_encryption": bank,
             "contract_code": "C1"}
        )
        settings = self.bearer._connector_settings()
        self.assertEqual(settings.variables["client_secret"], SECRET)
        self.assertEqual(settings.variables["client_id"], "our-number")
        self.assertEqual(settings.variables["contract_id"], "C1")
        self.assertEqual(settings.accounts, {"DE75512108001245126199": "acc-7"})
        self.assertIsInstance(settings.signing, Identity)
        self.assertNotEqual(settings.signing.certificate, settings.identity.certificate)
        self.assertEqual(settings.signers.ca_pem, bank.encode())
        self.assertEqual(settings.encrypt_for, bank.encode())
        self.assertIsInstance(settings.token_store, DatabaseTokens)
        self.assertNotIn(SECRET, repr(settings))

    def test_keys_of_the_bank_are_checked_when_they_are_entered(self):
        for name in ("bank_signers", "bank_encryption", "webhook_keys"):
            with self.assertRaisesRegex(ValidationError, "can't be read"):
                self.bearer.with_user(self.admin)[name] = "junk"

    # -- tokens ---------------------------------------------------------------------------------

    def store(self, **options):
        return DatabaseTokens(self.env.cr.dbname, self.bearer.id, **options)

    def test_a_token_is_kept_sealed_and_found_again(self):
        token = Token("planted-token-5510", datetime.now(timezone.utc) + timedelta(hours=1))
        with self.enter_registry_test_mode():
            self.store().put("a", token)
            self.assertNotIn("planted-token-5510", self.everything_stored())
            found = self.store().get("a")
            self.assertEqual(found.value, token.value)
            self.assertLess(abs(found.expires - token.expires), timedelta(seconds=1))
            self.assertIsNone(self.store().get("b"))
            other = DatabaseTokens(self.env.cr.dbname, self.connection.id)
            self.assertIsNone(other.get("a"))
            newer = Token("planted-token-5511", token.expires)
            self.store().put("a", newer)
            self.store().drop("a", token.value)
            self.assertEqual(self.store().get("a").value, newer.value, "a newer one stays")
            self.store().drop("a", newer.value)
            self.assertIsNone(self.store().get("a"))

    def test_a_token_under_another_master_key_is_fetched_again(self):
        token = Token("planted-token-5510", datetime.now(timezone.utc) + timedelta(hours=1))
        with self.enter_registry_test_mode():
            self.store().put("a", token)
            key = {"BANK_CONNECT_MASTER_KEY": "other:" + "A" * 43 + "="}
            with patch.dict("os.environ", key):
                self.assertIsNone(self.store().get("a"))

    def test_one_worker_at_a_time_fetches(self):
        """Real connections to PostgreSQL, as two workers have them."""
        with self.store().alone("a"):
            with self.store().alone("b"):
                pass
            with self.assertRaises(Busy):
                with self.store(patience=0.2).alone("a"):
                    self.fail("two at once")
        with self.store(patience=0.2).alone("a"):
            pass

    def test_nobody_reads_tokens(self):
        self.env["bank.connection.token"].sudo().create(
            {"connection_id": self.bearer.id, "name": "a", "sealed": "x",
             "expires": fields.Datetime.now() - timedelta(hours=1)}
        )
        tokens = self.env["bank.connection.token"]
        for user in (self.admin, self.auditor, self.preparer):
            with self.assertRaises(AccessError):
                tokens.with_user(user).search([]).read(["sealed"])
        tokens.sudo()._forget_ended()
        self.assertFalse(tokens.sudo().search([("connection_id", "=", self.bearer.id)]))

    # -- writing a profile ----------------------------------------------------------------------

    def test_a_profile_starts_from_a_built_in_one_and_tells_mistakes_while_typing(self):
        form = Form(self.env["bank.connection.profile"].with_user(self.admin))
        form.name = "My bank"
        form.start_from = "sealed_payload"
        self.assertIn('"kind": "sealed"', form.settings)
        self.assertFalse(form.settings_problem)
        self.assertIn("bank_key_id", form.settings_needs)
        form.settings = form.settings.replace('"kind": "sealed"', '"kind": "fax"')
        self.assertIn("submit.body.kind must be one of", form.settings_problem)
        form.settings = "{"
        self.assertIn("line 1", form.settings_problem)
        with self.assertRaisesRegex(ValidationError, "line 1"):
            form.save()
        form.start_from = "xml_base64"
        profile = form.save()
        said = profile.action_check_settings()["params"]
        self.assertEqual(said["type"], "success")
        self.assertIn("client_secret (secret)", said["message"])

    def test_every_built_in_profile_can_be_copied(self):
        for name in profiles.profile_names():
            if profiles.profile(name).get("protocol") != "rest":
                continue
            form = Form(self.env["bank.connection.profile"].with_user(self.admin))
            form.name = name
            form.start_from = name
            self.assertFalse(form.save().settings_problem, name)

    def test_only_an_administrator_writes_profiles(self):
        for user in (self.preparer, self.approver, self.auditor):
            with self.assertRaises(AccessError):
                self.profile.with_user(user).settings = '"sandbox"'
