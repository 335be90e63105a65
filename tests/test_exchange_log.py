import base64
import json
import logging
import re
from datetime import timedelta
from unittest.mock import patch

import requests
from cryptography import x509
from cryptography.x509.oid import NameOID
from odoo import fields
from odoo.addons.account_bank_connect.connectors import profiles
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, tagged

from .certificates import certificate_for, new_key, pkcs12_of
from .common import MODULE, OUR_IBAN, iban
from .key_common import KeyCase
from .talkative_bank import TOKEN, TalkativeBank

CLIENT_SECRET = "planted-client-secret-5502"
PASSWORD = "planted-file-password-5503"
PAYEE_IBAN = iban(1)


class ExchangeCase(KeyCase):
    """A connection to a real server, over mutual TLS, under access tokens."""

    def setUp(self):  # pylint: disable=method-required-super
        # The real connector: nothing is scripted here, so the common set-up is passed over.
        TransactionCase.setUp(self)
        key, pem = new_key()
        self.key_bytes = b"".join(pem.splitlines()[1:-1])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Payer")])
        leaf = self.issuer.issue(name, key.public_key())
        self.server = TalkativeBank(self, self.issuer.packed(self.issuer.certificate, "pem"))
        profile = self.env["bank.connection.profile"].create(
            {
                "name": "Bearer", "settings": json.dumps(profiles.profile("bearer_reports")),
                "is_sandbox": True, "poll_status": False,
            }
        )
        self.connection.write(
            {
                "state": "draft", "profile_id": profile.id, "url": self.server.url,
                "trusted_certificates": self.server.certificate.decode(),
            }
        )
        self.bring(pkcs12_of(key, leaf, [self.issuer.certificate], PASSWORD), password=PASSWORD)
        values = {
            "client_id": "payer", "client_secret": CLIENT_SECRET, "token_scope": "pay",
            "token_url": f"{self.server.url}/token",
        }
        for line in self.connection.variable_ids.with_user(self.admin):
            line.value = values[line.name]
        self.connection.with_user(self.admin).action_activate()
        self.connection.with_user(self.admin).log_level = "bodies"

    def send(self, mode="fine"):
        """Send a new batch to a bank in a mood; returns its message."""
        self.server.mode = mode
        self.connection.write({"paused_until": False, "failure_count": 0})
        message = self.message_of(self.approved(self.new_bill(100)))
        self.run_cron("send")
        return message

    def lines(self, message):
        return self.env["bank.exchange"].search([("message_id", "=", message.id)], order="id")


@tagged("post_install", "-at_install")
class TestExchangeLog(ExchangeCase):
    """Each exchange leaves one line that says what an operator needs."""

    def test_a_line_for_each_exchange(self):
        message = self.send()
        self.assertEqual(message.state, "delivered", message.error)
        asked, paid = self.lines(message)
        self.assertEqual(asked.path, "/token")
        self.assertEqual((paid.method, paid.status, paid.outcome), ("POST", 201, "answered"))
        self.assertEqual((paid.purpose, paid.connection_id), ("send", self.connection))
        self.assertEqual(paid.request_size, message.size)
        self.assertGreater(paid.response_size, 10)
        self.assertGreaterEqual(paid.duration, 0)
        self.assertTrue(paid.correlation_id)
        self.assertIn(paid.correlation_id, self.server.heard[-1])
        self.assertLess(fields.Datetime.now() - paid.date, timedelta(minutes=5))
        self.assertIn("TLSv1", paid.tls_version)
        self.assertEqual(len(paid.peer_fingerprint), 64)
        self.assertIn("<InstdAmt", paid.request_body)

    def test_levels(self):
        """Headers and bodies are kept as far as the connection says; the line always."""
        for level, headers, bodies in (
            ("line", False, False), ("headers", True, False), ("bodies", True, True)
        ):
            self.connection.with_user(self.admin).log_level = level
            line = self.lines(self.send())[-1]
            with self.subTest(level=level):
                self.assertEqual(line.status, 201)
                self.assertEqual(bool(line.request_headers), headers)
                self.assertEqual(bool(line.response_headers), headers)
                self.assertEqual(bool(line.request_body), bodies)
                self.assertEqual(bool(line.response_body), bodies)
                if headers:
                    self.assertRegex(line.request_headers, r"Authorization: \*\*\*")

    def test_bodies_are_logged_for_some_days_only(self):
        connection = self.connection.with_user(self.admin)
        until = connection.log_bodies_until
        self.assertAlmostEqual(
            until, fields.Datetime.now() + timedelta(days=3), delta=timedelta(minutes=5)
        )
        connection.sudo().log_bodies_until = fields.Datetime.now() - timedelta(seconds=1)
        line = self.lines(self.send())[-1]
        self.assertTrue(line.request_headers)
        self.assertFalse(line.request_body)
        for days in (0, 15):
            with self.assertRaises(ValidationError):
                connection.log_body_days = days

    def test_lines_and_bodies_go_when_their_time_is_over(self):
        first, second = self.lines(self.send())[-1], self.lines(self.send())[-1]
        for line, days in ((first, 91), (second, 4)):
            self.env.cr.execute(
                "UPDATE bank_exchange SET date = date - %s * INTERVAL '1 day' WHERE id = %s",
                (days, line.id),
            )
        self.env.invalidate_all()
        third = self.lines(self.send())[-1]
        exchanges = self.env["bank.exchange"]
        self.assertEqual(exchanges._forget_old_bodies(), (2, 0))
        self.assertEqual(exchanges._forget_old_exchanges(), (1, 0))
        self.assertFalse(first.exists())
        self.assertFalse(second.request_body or second.response_body)
        self.assertTrue(third.request_body)

    def test_cleaning_goes_by_slices(self):
        self.send()
        self.env.cr.execute("UPDATE bank_exchange SET date = date - INTERVAL '91 days'")
        self.env.invalidate_all()
        with patch(f"odoo.addons.{MODULE}.models.bank_retention.LOG_SLICE", 1):
            done = [self.env["bank.exchange"]._forget_old_exchanges() for _time in range(3)]
        self.assertEqual(done[0], (1, 1))
        self.assertEqual(done[-1], (0, 0))

    def test_a_line_stays_when_the_work_is_rolled_back(self):
        """It is written in a transaction of its own: the registry's, not the work's."""
        from odoo.addons.account_bank_connect.models import exchange_log

        opened = []
        registry = exchange_log.Registry(self.env.cr.dbname)

        def cursor(*arguments, **options):
            opened.append(registry)
            return original(*arguments, **options)

        with self.enter_registry_test_mode():
            original = registry.cursor
            with patch.object(registry, "cursor", cursor):
                self.connection.with_user(self.admin).action_test()
        self.assertTrue(opened)
        self.assertTrue(self.env["bank.exchange"].search([("purpose", "=", "test")]))

    def test_a_log_that_can_not_be_written_holds_up_no_payment(self):
        name = f"odoo.addons.{MODULE}.models.exchange_log"
        with (
            patch(f"{name}.ExchangeLog._values", lambda _log, _exchange: {"connection_id": -1}),
            self.assertLogs(name, "WARNING"),
        ):
            self.assertEqual(self.send().state, "delivered")

    def test_nobody_writes_or_changes_the_log(self):
        line = self.lines(self.send())[-1]
        for user in (self.admin, self.auditor):
            mine = line.with_user(user)
            self.assertTrue(mine.read(["path"]))
            for change in (lambda m=mine: m.write({"status": 200}), lambda m=mine: m.unlink(),
                           lambda m=mine: m.create({"connection_id": self.connection.id})):
                with self.assertRaises(AccessError):
                    change()
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_admin", other)
        with self.assertRaises(AccessError):
            line.with_user(stranger).with_context(allowed_company_ids=other.ids).read(["path"])


@tagged("post_install", "-at_install")
class TestNoSecretIsShown(ExchangeCase):
    """Known secrets are planted and sent through every path, then searched for everywhere."""

    def test_known_secrets_are_found_nowhere(self):
        module = logging.getLogger(f"odoo.addons.{MODULE}")
        level = module.level
        self.addCleanup(module.setLevel, level)
        module.setLevel(logging.DEBUG)
        shown = []
        with self.assertLogs(level="INFO") as log:
            action = self.line.action_webhook_secret()
            webhook_secret = action["context"]["default_secret"]
            shown += self._walk_every_path()
            # Where a person exports, tests, is alarmed or watches.
            shown.append(repr(self._exported()))
            with self.enter_registry_test_mode():
                shown.append(repr(self.line.action_test()))
            self.connection.last_success = fields.Datetime.now() - timedelta(days=9)
            self.run_cron("watch")
            shown.append(repr(self.env["bank.alert"].search([]).read(["summary"])))
            shown.append(repr(self.env["bank.monitor"].search([]).read()))
            shown.append(repr(self.connection.health))
        heard = "".join(self.server.heard)
        basic = base64.b64encode(f"payer:{CLIENT_SECRET}".encode()).decode()
        for used in (basic, TOKEN, PAYEE_IBAN):
            self.assertTrue(used in heard, f"{used} was really sent")
        secrets = {
            "private key": self.key_bytes.decode(),
            "password": PASSWORD,
            "client secret": CLIENT_SECRET,
            "access token": TOKEN,
            "webhook secret": webhook_secret,
            "client and secret": basic,
        }
        told = "\n".join([*log.output, *shown])
        for name, secret in secrets.items():
            with self.subTest(secret=name):
                self.assertFalse([line for line in told.splitlines() if secret in line])
                self.assertFalse(self._tables_with(secret))
        # Account numbers belong into payments and messages, and nowhere else.
        for number in (PAYEE_IBAN, OUR_IBAN):
            self.assertFalse([line for line in log.output if number in line])
            tables = self._tables_with(number)
            self.assertFalse(tables & {"bank_exchange", "bank_audit_event", "bank_alert"})

    def test_the_search_finds_what_is_there(self):
        """Each way of hiding that the search knows is really found by it."""
        for value in ("planted-canary-1", base64.b64encode(b"planted-canary-1").decode()):
            self.env.cr.execute(
                "UPDATE bank_connection SET last_error = %s WHERE id = %s",
                (value, self.connection.id),
            )
            self.assertIn("bank_connection", self._tables_with("planted-canary-1"))
        self.env.cr.execute("UPDATE bank_connection SET last_error = NULL")
        message = self.env["bank.message"]._store(
            self.connection, b"<D>planted-canary-2</D>", name="x"
        )
        self.assertTrue(message)
        self.assertIn("bank_message", self._tables_with("planted-canary-2"))

    # -- paths ------------------------------------------------------------------------------------

    def _walk_every_path(self):
        """Success, every kind of error, and faults of ours; returns what people were shown."""
        self.assertEqual(self.send().state, "delivered")
        expected = {
            "repeat_400": ("refused", "queued", "uncertain"), "repeat_500": ("uncertain",),
            "cut": ("uncertain",), "nonsense": ("uncertain",),
        }
        for mode, states in expected.items():
            message = self.send(mode)
            self.assertIn(message.state, states, (mode, message.error))
            self.assertTrue(message.error)
        self.env["bank.connection.token"].search([]).unlink()
        self.assertEqual(self.send("token").state, "queued")
        self.assertEqual(self.send().state, "delivered")
        # The bank shows another certificate than the trusted one.
        trusted = self.connection.trusted_certificates
        self.connection.trusted_certificates = certificate_for(new_key()[0]).decode()
        message = self.send()
        self.assertEqual(message.state, "queued")
        self.assertEqual(self.lines(message).mapped("error"), ["tls_untrusted"])
        self.connection.trusted_certificates = trusted
        # A library that fails with all it was given in its text.
        def burst(_session, *arguments, **options):
            raise RuntimeError(f"could not handle {arguments!r} {options!r}")

        with patch.object(requests.Session, "request", burst):
            self.send()
        # A document that our own reader stumbles over.
        def stumble(_message, stream):
            raise ValueError(f"unexpected: {PAYEE_IBAN} in {stream.read()!r}")

        with patch.object(type(self.env["bank.message"]), "_process_statement", stumble):
            self.env["bank.message"]._store(
                self.connection,
                b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
                b"<BkToCstmrStmt/></Document>",
                name="statement",
            )
            self.run_cron("process")
        messages = self.env["bank.message"].search([("connection_id", "=", self.connection.id)])
        shown = [repr(messages.mapped("error"))]
        shown.append(self.chatter(self.connection))
        shown.append(repr(self.env["mail.activity"].search([]).read(["summary", "note"])))
        return shown

    def _exported(self):
        self.admin.group_ids += self.env.ref("base.group_allow_export")
        found = []
        for model in ("bank.connection", "bank.exchange", "bank.connection.variable",
                      "bank.certificate", "bank.message"):
            records = self.env[model].with_user(self.admin).search([])
            names = [
                name for name, field in records.fields_get().items()
                if field["type"] not in ("one2many", "many2many", "many2one")
            ]
            found.append(records.export_data(names)["datas"])
        return found

    def _tables_with(self, secret):
        """Every table with the secret in any column: as it stands, in bytes, or in base64."""
        self.env.flush_all()
        forms = {secret, secret.encode().hex(), json.dumps(secret)[1:-1]}
        # Base64 of a text depends on where in the whole it begins.
        for lead in range(3):
            packed = base64.b64encode(b"x" * lead + secret.encode()).decode()
            forms.add(packed[4 if lead else 0 : -4])
        hexed = {form.encode().hex() for form in forms}
        patterns = ["%" + re.sub(r"([%_\\])", r"\\\1", form) + "%" for form in forms | hexed]
        self.env.cr.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN "
            "('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')"
        )
        found = set()
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(
                f'SELECT 1 FROM "{table}" row WHERE row::text LIKE ANY(%s) LIMIT 1', (patterns,)
            )
            if self.env.cr.rowcount:
                found.add(table)
        kept = self.env["ir.attachment"].sudo().search(
            [("res_field", "!=", False),
             ("res_model", "in", ("certificate.key", "certificate.certificate"))]
        )
        if any(secret.encode() in attachment.raw for attachment in kept if attachment.raw):
            found.add("filestore")
        return found
