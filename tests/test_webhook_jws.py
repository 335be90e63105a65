import base64
import json
import logging
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import HttpCase, tagged

from .common import MODULE, BankConnectCommon

LOGGERS = "odoo.addons.account_bank_connect.models"
BODY = b'{"event": "statement-ready"}'


def encoded(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@tagged("post_install", "-at_install")
class TestWebhookJws(BankConnectCommon, HttpCase):
    """A bank that signs with its own key wakes the fetch; nobody else does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = rsa.generate_private_key(65537, 2048)
        cls.pem = cls.key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def setUp(self):
        super().setUp()
        self.connection.write({"webhook_kind": "jws", "webhook_keys": self.pem})
        self.connection.with_user(self.admin).action_webhook_open()
        self.fetch = self.env.ref(f"{MODULE}.cron_fetch")

    def sign(self, body=BODY, key=None, detached=True, alg="PS256", **header):
        """A JWS made by hand, with RSA-PSS and SHA-256."""
        head = encoded(json.dumps({"alg": alg, "iat": int(time.time()), **header}).encode())
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signed = f"{head}.{encoded(body)}"
        signature = encoded((key or self.key).sign(signed.encode(), scheme, hashes.SHA256()))
        return f"{head}.{'' if detached else encoded(body)}.{signature}"

    def notify(self, signature=None, body=BODY, token=None, headers=None):
        headers = dict(headers or {})
        if signature is not None:
            headers["X-Signature"] = signature
        return self.url_open(
            f"/bank_connect/notify/{token or self.connection.webhook_token}",
            data=body, headers=headers,
        ).status_code

    def woken(self):
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.fetch.id)])

    def assert_refused(self, *arguments, **call):
        woken = self.woken()
        with self.assertLogs(LOGGERS, logging.INFO):
            self.assertEqual(self.notify(*arguments, **call), 401)
        self.assertEqual(self.woken(), woken)

    def test_detached_attached_and_as_the_body(self):
        woken = self.woken()
        self.assertEqual(self.notify(self.sign(jti="1")), 204)
        self.assertEqual(self.notify(self.sign(jti="2", detached=False)), 204)
        whole = self.sign(jti="3", detached=False)
        self.assertEqual(self.notify(body=whole.encode()), 204)
        self.assertEqual(self.woken(), woken + 3)
        self.assertFalse(self.bank.submitted or self.bank.inquired, "no network in a request")

    def test_anything_else_is_refused(self):
        stranger = rsa.generate_private_key(65537, 2048)
        self.assert_refused(self.sign(key=stranger))
        self.assert_refused(self.sign(body=b"another body"))
        self.assert_refused(self.sign(), body=BODY + b" ")
        self.assert_refused("junk")
        self.assert_refused()
        self.assert_refused(self.sign(iat=int(time.time()) - 310))
        self.assert_refused(self.sign(iat=int(time.time()) + 310))
        self.assert_refused(self.sign(alg="RS256"))
        none = encoded(json.dumps({"alg": "none", "iat": int(time.time())}).encode())
        self.assert_refused(f"{none}..")

    def test_the_public_key_is_no_shared_secret(self):
        """The classic mistake: an HMAC under the public key, which everybody knows."""
        import hashlib
        import hmac

        head = encoded(json.dumps({"alg": "HS256", "iat": int(time.time())}).encode())
        mac = hmac.new(
            self.pem.encode(), f"{head}.{encoded(BODY)}".encode(), hashlib.sha256
        ).digest()
        self.assert_refused(f"{head}..{encoded(mac)}")
        stamp = str(int(time.time()))
        mac = hmac.new(self.pem.encode(), stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
        self.assert_refused(mac, headers={"X-Timestamp": stamp})

    def test_a_replay(self):
        signature = self.sign(jti="once")
        self.assertEqual(self.notify(signature), 204)
        self.assert_refused(signature)
        self.assert_refused(self.sign(jti="once", body=b"x"), body=b"x")
        plain = self.sign()
        self.assertEqual(self.notify(plain), 204)
        self.assert_refused(plain)

    def test_another_connections_key(self):
        other = self.new_connection("Other Bank")
        other.write(
            {"webhook_kind": "jws", "webhook_keys": rsa.generate_private_key(65537, 2048)
             .public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()}
        )
        other.with_user(self.admin).action_webhook_open()
        self.assert_refused(self.sign(), token=other.webhook_token)

    def test_a_suspended_connection_and_a_closed_webhook(self):
        token = self.connection.webhook_token
        self.connection.action_suspend()
        self.assert_refused(self.sign())
        self.connection.state = "active"
        self.connection.with_user(self.admin).action_webhook_off()
        self.assert_refused(self.sign(), token=token)

    def test_the_way_of_signing_is_the_connections(self):
        """What was opened for the bank's key takes no secret, and the other way round."""
        self.connection.webhook_kind = "hmac"
        self.assert_refused(self.sign())

    def test_only_an_administrator_opens_it_and_only_with_a_key(self):
        for user in (self.preparer, self.approver, self.auditor):
            with self.assertRaises(AccessError):
                self.connection.with_user(user).action_webhook_open()
        self.connection.webhook_keys = False
        with self.assertRaisesRegex(UserError, "key"):
            self.connection.with_user(self.admin).action_webhook_open()
        self.assert_refused(self.sign())

    def test_a_neutralised_database_hears_no_bank(self):
        token = self.connection.webhook_token
        self.env.flush_all()
        for query in get_neutralization_queries([MODULE]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.connection.state = "active"
        self.assert_refused(self.sign(), token=token)
