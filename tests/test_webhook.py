import hashlib
import hmac
import logging
import time
from unittest.mock import patch

from odoo.addons.account_bank_connect.models import bank_webhook
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import MODULE, BankConnectCommon

LOGGER = "odoo.addons.account_bank_connect.models.bank_webhook"
BODY = b'{"event": "statement-ready", "account": "DE89370400440532013000"}'


@tagged("post_install", "-at_install")
class TestWebhook(BankConnectCommon, HttpCase):
    """The bank's signed word wakes the fetch; nobody else's does, and nobody learns why."""

    def setUp(self):
        super().setUp()
        self.secret = self.new_secret(self.connection)
        self.fetch = self.env.ref(f"{MODULE}.cron_fetch")

    def new_secret(self, connection):
        action = connection.with_user(self.admin).action_webhook_secret()
        return action["context"]["default_secret"]

    def sign(self, stamp, body, secret=None):
        text = str(stamp).encode() + b"." + body
        return hmac.new((secret or self.secret).encode(), text, hashlib.sha256).hexdigest()

    def notify(self, body=BODY, stamp=None, token=None, headers=None, **signed):
        """Call the webhook as the bank does; returns the status."""
        stamp = int(time.time()) if stamp is None else stamp
        sent = {
            "X-Timestamp": str(stamp),
            "X-Signature": self.sign(stamp, **{"body": body, **signed}),
            "Content-Type": "application/json",
        }
        self.answer = self.url_open(
            f"/bank_connect/notify/{token or self.connection.webhook_token}",
            data=body, headers=sent if headers is None else headers,
        )
        return self.answer.status_code

    def woken(self):
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.fetch.id)])

    def assert_refused(self, **call):
        woken = self.woken()
        with self.assertLogs(LOGGER, logging.INFO) as log:
            self.assertEqual(self.notify(**call), 401)
        self.assertEqual(self.answer.text, "", "the caller learns nothing more")
        self.assertEqual(self.woken(), woken)
        self.assertNotIn(self.connection.webhook_token, "".join(log.output))

    # -- accepted -------------------------------------------------------------------------------

    def test_the_banks_notification_wakes_the_fetch_and_does_nothing_else(self):
        woken, messages = self.woken(), self.env["bank.message"].search_count([])
        self.assertEqual(self.notify(), 204)
        self.assertEqual(self.woken(), woken + 1)
        self.assertEqual(self.env["bank.message"].search_count([]), messages)
        self.assertFalse(self.bank.submitted or self.bank.inquired, "no network in a request")
        self.assertNotIn("Set-Cookie", self.answer.headers)
        self.assertTrue(self.connection.webhook_last)

    def test_two_different_notifications_are_both_accepted(self):
        self.assertEqual(self.notify(), 204)
        self.assertEqual(self.notify(body=BODY + b"\n"), 204)

    def test_the_bank_may_name_its_headers_and_separate_as_it_likes(self):
        self.connection.write(
            {"webhook_signature_header": "Bank-Seal", "webhook_timestamp_header": "Bank-Time",
             "webhook_separator": False}
        )
        stamp = str(int(time.time()))
        seal = hmac.new(self.secret.encode(), stamp.encode() + BODY, hashlib.sha256).hexdigest()
        self.assertEqual(
            self.notify(headers={"Bank-Seal": f"sha256={seal}", "Bank-Time": stamp}), 204
        )

    # -- refused --------------------------------------------------------------------------------

    def test_a_wrong_signature(self):
        self.assert_refused(secret="guessed")

    def test_a_signature_of_another_body(self):
        self.assert_refused(headers={
            "X-Timestamp": str(int(time.time())),
            "X-Signature": self.sign(int(time.time()), b"another body"),
        })

    def test_no_signature(self):
        self.assert_refused(headers={})

    def test_an_old_notification_and_one_from_the_future(self):
        self.assert_refused(stamp=int(time.time()) - 310)
        self.assert_refused(stamp=int(time.time()) + 310)

    def test_a_replay(self):
        stamp = int(time.time())
        self.assertEqual(self.notify(stamp=stamp), 204)
        self.assert_refused(stamp=stamp)
        signature = self.sign(stamp, BODY).upper()
        self.assert_refused(headers={"X-Timestamp": str(stamp), "X-Signature": signature})

    def test_an_unknown_address_is_answered_like_a_wrong_signature(self):
        self.assert_refused(token="A" * 43)
        self.assert_refused(token="%00")
        self.assert_refused(token="none")

    def test_another_connections_secret(self):
        other = self.new_connection("Other Bank")
        self.assert_refused(secret=self.new_secret(other))

    def test_a_connection_that_is_not_in_use(self):
        self.connection.action_suspend()
        self.assert_refused()

    def test_a_body_beyond_64_kib_is_not_read(self):
        woken = self.woken()
        self.assertEqual(self.notify(body=b"x" * (64 * 1024)), 204)
        self.assertEqual(self.notify(body=b"x" * (64 * 1024 + 1)), 413)
        self.assertEqual(self.woken(), woken + 1)

    def test_a_flood_is_slowed_even_where_the_bank_signs_it(self):
        with patch.object(bank_webhook, "MOST_PER_MINUTE", 2):
            self.assertEqual(self.notify(body=b"1"), 204)
            self.assertEqual(self.notify(body=b"2"), 204)
            self.assertEqual(self.notify(body=b"3"), 429)
        self.assertEqual(self.answer.headers["Retry-After"], "60")

    def test_only_post(self):
        url = f"/bank_connect/notify/{self.connection.webhook_token}"
        self.assertEqual(self.url_open(url).status_code, 405)

    @mute_logger(LOGGER)
    def test_without_the_master_key_nothing_is_accepted(self):
        with patch.dict("os.environ", {"BANK_CONNECT_MASTER_KEY": "other:" + "A" * 44}):
            self.assertEqual(self.notify(), 401)

    # -- the secret -----------------------------------------------------------------------------

    def test_a_new_secret_voids_the_old_one_and_keeps_the_address(self):
        address, old = self.connection.webhook_url, self.secret
        self.secret = self.new_secret(self.connection)
        self.assertEqual(self.connection.webhook_url, address)
        self.assert_refused(secret=old)
        self.assertEqual(self.notify(), 204)

    def test_a_closed_webhook_is_closed(self):
        token = self.connection.webhook_token
        self.connection.with_user(self.admin).action_webhook_off()
        with self.assertLogs(LOGGER, logging.INFO):
            self.assertEqual(self.notify(token=token), 401)

    def test_the_secret_is_sealed_and_bound_to_its_connection(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM bank_connection WHERE id = %s", [self.connection.id])
        self.assertNotIn(self.secret, str(self.env.cr.fetchall()))
        other = self.new_connection("Other Bank")
        self.new_secret(other)
        other.sudo().webhook_sealed = self.connection.sudo().webhook_sealed
        with self.assertLogs(LOGGER, logging.INFO):
            self.assertEqual(self.notify(token=other.webhook_token), 401)

    def test_nobody_reads_the_sealed_secret_and_the_address_is_the_administrators(self):
        for user in (self.admin, self.auditor, self.preparer):
            with self.assertRaises(AccessError):
                self.connection.with_user(user).read(["webhook_sealed"])
        with self.assertRaises(AccessError):
            self.connection.with_user(self.auditor).read(["webhook_url"])
        self.assertNotIn(
            "webhook_sealed", self.connection.with_user(self.admin).fields_get()
        )
        self.assertIn(
            self.connection.webhook_token, self.connection.with_user(self.admin).webhook_url
        )

    def test_only_an_administrator_makes_a_secret(self):
        for user in (self.preparer, self.approver, self.auditor):
            with self.assertRaises(AccessError):
                self.connection.with_user(user).action_webhook_secret()

    def test_no_secret_without_a_master_key(self):
        with patch.dict("os.environ", {"BANK_CONNECT_MASTER_KEY": ""}):
            with self.assertRaisesRegex(UserError, "master key"):
                self.new_secret(self.connection)

    def test_the_dialog_does_not_store_what_it_shows(self):
        action = self.connection.with_user(self.admin).action_webhook_secret()
        wizard = self.env["bank.secret.wizard"].with_user(self.admin)
        shown = wizard.with_context(**action["context"]).create({})
        self.assertNotIn("secret", [
            name for name, field in shown._fields.items() if field.store
        ])

    def test_a_header_name_is_checked(self):
        with self.assertRaises(ValidationError):
            self.connection.webhook_signature_header = "X-Signature: x\r\n"

    def test_a_neutralised_database_hears_no_bank(self):
        token = self.connection.webhook_token
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.connection.state = "active"
        with self.assertLogs(LOGGER, logging.INFO):
            self.assertEqual(self.notify(token=token), 401)

    def test_a_copy_of_a_connection_has_no_webhook(self):
        copy = self.connection.copy({"name": "Copy"})
        self.assertFalse(copy.webhook_token or copy.sudo().webhook_sealed)
