"""Payments under access tokens, over mutual TLS to a server that gives and checks them."""

import ipaddress
import json
import ssl
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from odoo.addons.account_bank_connect.connectors import profiles
from odoo.tests import TransactionCase, tagged

from .certificates import certificate_for, new_key
from .common import BankConnectCommon

SECRET = "planted-client-secret-8812"


def server_certificate(key):
    """A certificate for the loopback address, which the key signed for itself, as PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """The test's own log is enough."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bank = self.server.bank
        if self.path == "/token":
            bank["asked"].append(parse_qs(body.decode()))
            token = f"planted-token-{len(bank['asked'])}"
            bank["valid"] = token
            return self.answer(
                200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
            )
        if self.headers["Authorization"] != f"Bearer {bank['valid']}":
            bank["rejected"] += 1
            return self.answer(401, {"errors": [{"code": "unauthorised"}]})
        bank["paid"].append(body)
        number = f"b{len(bank['paid'])}"
        return self.answer(201, {"data": {"id": number, "attributes": {"status": "processing"}}})

    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@tagged("post_install", "-at_install")
class TestChannelTokens(BankConnectCommon):
    """Every worker has a connector of its own, and all of them use one token."""

    def setUp(self):  # pylint: disable=method-required-super
        # The real connector: nothing is scripted here, so the common set-up is passed over.
        TransactionCase.setUp(self)
        ours, our_pem = new_key()
        theirs, their_pem = new_key()
        our_certificate = certificate_for(ours)
        their_certificate = server_certificate(theirs).public_bytes(
            Encoding.PEM
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=our_certificate.decode())
        with tempfile.NamedTemporaryFile() as file:
            file.write(their_certificate + their_pem)
            file.flush()
            context.load_cert_chain(file.name)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.bank = self.seen = {"asked": [], "paid": [], "rejected": 0, "valid": ""}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        profile = self.env["bank.connection.profile"].create(
            {"name": "Bearer", "settings": json.dumps(profiles.profile("bearer_reports")),
             "is_sandbox": True, "poll_status": False}
        )
        url = f"https://127.0.0.1:{server.server_port}"
        self.connection.write(
            {
                "state": "draft",
                "profile_id": profile.id,
                "url": url,
                "trusted_certificates": their_certificate.decode(),
                "certificate_id": self.env["certificate.certificate"]._bank_create(
                    our_certificate, our_pem, company=self.company
                ),
            }
        )
        values = {"client_id": "payer", "client_secret": SECRET, "token_scope": "pay",
                  "token_url": f"{url}/token"}
        for line in self.connection.variable_ids.with_user(self.admin):
            line.value = values[line.name]
        self.connection.with_user(self.admin).action_activate()

    def test_two_runs_share_one_token_and_a_rejected_one_is_renewed(self):
        first = self.sent(self.new_bill(100))
        second = self.sent(self.new_bill(200))
        self.assertEqual((first.state, second.state), ("accepted", "accepted"))
        self.assertEqual(len(self.seen["asked"]), 1, "the second run found the token")
        self.assertEqual(self.seen["asked"][0]["grant_type"], ["client_credentials"])
        self.seen["valid"] = "revoked"
        third = self.sent(self.new_bill(300))
        self.assertEqual(third.state, "accepted")
        self.assertEqual((len(self.seen["asked"]), self.seen["rejected"]), (2, 1))
        self.assertEqual(
            self.seen["paid"], [self.message_of(batch)._raw() for batch in (first, second, third)]
        )

    def test_neither_secret_nor_token_is_stored_in_the_clear(self):
        self.sent(self.new_bill(100))
        self.env.flush_all()
        self.env.cr.execute("SELECT sealed FROM bank_connection_token")
        (sealed,) = self.env.cr.fetchone()
        self.assertTrue(sealed.startswith("bc1."))
        for table in ("bank_connection", "bank_connection_variable", "bank_connection_token",
                      "bank_message", "bank_audit_event", "ir_attachment", "mail_message"):
            self.env.cr.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            found = "".join(row[0] for row in self.env.cr.fetchall())
            self.assertNotIn(SECRET, found, table)
            self.assertNotIn("planted-token-1", found, table)
