import os
import socket
import ssl
import threading
from contextlib import suppress
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .certificates import certificate_for, new_key
from .key_common import KeyCase


class Showing:
    """A TLS server on loopback that shows a certificate to whoever calls."""

    def __init__(self, case):
        self.key, pem = new_key()
        self.certificate = certificate_for(self.key, "Bank on the line")
        folder = case.enterContext(TemporaryDirectory())
        path = os.path.join(folder, "bank.pem")
        with open(path, "wb") as file:
            file.write(self.certificate + pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self.listener = socket.create_server(("127.0.0.1", 0))
        case.addCleanup(self.listener.close)
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        self.read = []
        threading.Thread(target=self._serve, args=(context,), daemon=True).start()

    def _serve(self, context):
        while True:
            try:
                plain, _address = self.listener.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as sock:
                self.read.append(sock.recv(100))

    @property
    def fingerprint(self):
        leaf = x509.load_pem_x509_certificate(self.certificate)
        return leaf.fingerprint(leaf.signature_hash_algorithm).hex()


@tagged("post_install", "-at_install")
class TestPin(KeyCase):
    """What an address shows is looked at; it is trusted by the bank's word alone."""

    def setUp(self):
        super().setUp()
        self.bank_server = Showing(self)
        self.line.write({"url": self.bank_server.url})
        self.wizard = self.env["bank.pin.wizard"].with_user(self.admin).create(
            {"connection_id": self.line.id}
        )

    def test_a_look_trusts_nothing(self):
        self.wizard.action_look()
        self.assertEqual(
            self.wizard.fingerprint.replace(" ", "").lower(), self.bank_server.fingerprint
        )
        self.assertIn("Bank on the line", self.wizard.subject)
        self.assertFalse(self.line.pinned_fingerprints)
        self.assertFalse(self.line.trusted_certificates)
        self.assertFalse(b"".join(self.bank_server.read), "not a byte was sent")

    def test_only_the_banks_own_word_pins(self):
        """The fingerprint has to be typed; part of it, another one or none is not enough."""
        self.wizard.action_look()
        right = self.bank_server.fingerprint
        nearly = right[:-1] + ("0" if right[-1] != "0" else "1")
        for told in (False, "", right[:32], "0" * 64, nearly):
            self.wizard.told = told
            with self.subTest(told=told), self.assertRaisesRegex(UserError, "not the fingerprint"):
                self.wizard.action_pin()
        self.assertFalse(self.line.pinned_fingerprints)
        self.wizard.told = ":".join(right[i : i + 2] for i in range(0, 64, 2)).upper()
        self.wizard.action_pin()
        self.assertEqual(self.line.pinned_fingerprints, right)
        self.assertEqual(self.line.trusted_certificates, self.bank_server.certificate.decode())

    def test_an_authority_that_is_there_stays(self):
        authority = self.issuer.packed(self.issuer.certificate, "der")
        pem = x509.load_der_x509_certificate(authority).public_bytes(Encoding.PEM).decode()
        self.line.write({"trusted_certificates": pem, "pinned_fingerprints": "AB:" * 31 + "AB"})
        self.wizard.action_look()
        self.wizard.told = self.bank_server.fingerprint
        self.wizard.action_pin()
        self.assertEqual(self.line.trusted_certificates, pem)
        self.assertEqual(
            set(self.line.pinned_fingerprints.split()), {"ab" * 32, self.bank_server.fingerprint}
        )

    def test_nothing_else_can_be_slipped_in(self):
        """Neither by writing what was seen nor by pinning without a look."""
        with self.assertRaisesRegex(UserError, "Look at"):
            self.wizard.action_pin()
        planted = self.issuer.certificate.public_bytes(Encoding.PEM).decode()
        with self.assertRaises(AccessError):
            self.wizard.write({"certificate": planted})
        made = self.env["bank.pin.wizard"].with_user(self.admin).create(
            {"connection_id": self.line.id, "certificate": planted}
        )
        self.assertFalse(made.certificate)

    def test_an_address_that_can_not_be_reached_is_said_in_words(self):
        self.line.url = "https://localhost:9"
        with self.assertRaisesRegex(UserError, "refused the connection"):
            self.wizard.action_look()
