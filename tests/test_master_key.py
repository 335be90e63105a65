import base64
import os
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import MODULE
from .key_common import KeyCase


@tagged("post_install", "-at_install")
class TestMasterKey(KeyCase):
    """The master key can be changed, and its absence is said plainly."""

    def configured(self, *names):
        keys = ",".join(
            f"{name}:{base64.b64encode(name.encode() * 32).decode()}" for name in names
        )
        return patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": keys})

    def test_everything_comes_under_the_newest_key(self):
        """Secrets sealed under the old key open when only the new one is left."""
        with self.configured("a"):
            row = self.row_in_use()
            waiting = self.make()
            plain = row.sudo().key_id._bank_private_key()
            self.line.action_webhook_secret()
            secret = self.connection._webhook_secret()
            variable = self.env["bank.connection.variable"].create(
                {"connection_id": self.connection.id, "name": "api_key", "is_secret": True,
                 "value": "typed-4711"}
            )
        with self.configured("b", "a"):
            standing = self.env["bank.sealed"]._standing()
            stale = {line["key"] for line in standing if line["what"] == "sealed"}
            self.assertEqual(stale, {"a"})
            wizard = self.env["bank.master.key.wizard"].with_user(self.admin).create({})
            self.assertTrue(wizard.may_reseal)
            self.assertIn("older key", wizard.standing)
            wizard.action_reseal()
            self.env.invalidate_all()
            standing = self.env["bank.sealed"]._standing()
            self.assertEqual(
                {line["key"] for line in standing if line["what"] == "sealed"}, {"b"}
            )
        with self.configured("b"):
            self.assertEqual(row.sudo().key_id._bank_private_key(), plain)
            self.assertTrue(waiting.sudo().key_id._bank_private_key())
            self.assertEqual(self.connection._webhook_secret(), secret)
            self.assertEqual(variable._open(), "typed-4711")
            self.assertFalse(self.connection.key_trouble)
            # What was signed under the old key is named: who drops the key can't prove it.
            signed = {line["key"] for line in self.env["bank.sealed"]._standing()
                      if line["what"] == "signed" and not line["known"]}
            self.assertIn("a", signed)

    def test_every_sealed_column_is_known_to_the_rotation(self):
        """A new column of sealed texts that the rotation forgets is found by its content."""
        with self.configured("a"):
            self.row_in_use()
            self.line.action_webhook_secret()
            self.env.flush_all()
            known = {(self.env[model]._table, name)
                     for model, _domain, name, _purpose in self.env["bank.sealed"]._stores()}
            found = set()
            self.env.cr.execute(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND data_type IN ('text', 'character varying') "
                "AND table_name LIKE ANY(%s)", (["bank%", "certificate%", "res_company"],),
            )
            for table, column in self.env.cr.fetchall():
                self.env.cr.execute(
                    f'SELECT 1 FROM "{table}" WHERE "{column}"::text LIKE %s LIMIT 1', ("bc1.%",)
                )
                if self.env.cr.rowcount:
                    found.add((table, column))
        # The wizard's row lives for minutes, until the daily cleaning.
        self.assertLessEqual(found, known | {("bank_certificate_wizard", "sealed")})
        self.assertIn(("bank_connection", "webhook_sealed"), found)

    def test_what_can_not_be_opened_is_left_and_counted(self):
        with self.configured("lost"):
            row = self.row_in_use()
            before = self.sealed_text(row.sudo().key_id)
        with self.configured("b"), self.assertLogs(
            f"odoo.addons.{MODULE}.models.bank_sealed", "WARNING"
        ):
            result = self.env["bank.sealed"]._reseal()
            self.assertGreaterEqual(result["lost"], 1)
            self.assertEqual(self.sealed_text(row.sudo().key_id), before)

    def test_a_restored_database_without_its_key_says_so(self):
        """On the connection, as an alert and in the log, and in words when something is tried."""
        with self.configured("lost"):
            self.row_in_use()
        with self.configured("b"):
            self.assertIn("“lost”", self.line.key_trouble)
            self.assertIn("restored", self.line.key_trouble)
            with self.assertLogs(f"odoo.addons.{MODULE}.models.bank_watch", "WARNING") as log:
                found = self.env["bank.watch"]._findings()
            self.assertIn("master_key", [f.code for f in found])
            self.assertIn("“lost”", "".join(log.output))
            with self.assertLogs(f"odoo.addons.{MODULE}.models.bank_sealed", "WARNING") as log:
                self.env["bank.sealed"]._register_hook()
            self.assertIn("“lost”", "".join(log.output))
            with self.assertRaisesRegex(UserError, "under another master key"):
                self.connection._connector_settings()
        with self.configured("b", "lost"):
            self.line.invalidate_recordset()
            self.assertFalse(self.line.key_trouble)
