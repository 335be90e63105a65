import base64
import os
from unittest.mock import patch

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from odoo.addons.account_bank_connect.models import keyring
from odoo.tests import BaseCase, tagged


def key(letter):
    return base64.b64encode(letter.encode() * 32).decode()


def configured(text):
    return patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": text})


@tagged("post_install", "-at_install")
class TestKeyring(BaseCase):
    """Secrets are sealed under a key that is not in the database, and for one purpose each."""

    def assert_refused(self, code, function, *arguments):
        with self.assertRaises(keyring.KeyringError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code)

    def test_what_is_sealed_opens(self):
        with configured(f"a:{key('a')}"):
            for secret in (b"", b"secret", b"\x00\xff" * 5000):
                sealed = keyring.seal(secret, "private-key")
                self.assertEqual(keyring.unseal(sealed, "private-key"), secret)
                self.assertTrue(sealed.startswith("bc1.a."))

    def test_equal_secrets_look_different(self):
        with configured(f"a:{key('a')}"):
            sealed = {keyring.seal(b"secret", "private-key") for _time in range(20)}
        self.assertEqual(len(sealed), 20)
        self.assertFalse([text for text in sealed if base64.b64encode(b"secret").decode() in text])

    def test_another_purpose_opens_nothing(self):
        with configured(f"a:{key('a')}"):
            sealed = keyring.seal(b"secret", "private-key")
            self.assert_refused("damaged", keyring.unseal, sealed, "password")

    def test_every_alteration_is_noticed(self):
        with configured(f"a:{key('a')},b:{key('b')}"):
            sealed = keyring.seal(b"secret", "private-key")
            head, body = sealed.rsplit(".", 1)
            raw = base64.b64decode(body)
            for place in range(len(raw)):
                wrong = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
                text = f"{head}.{base64.b64encode(wrong).decode()}"
                self.assert_refused("damaged", keyring.unseal, text, "private-key")
            for text in (
                "",
                "bc1",
                "bc1.a",
                "bc1.a.!",
                "bc2.a." + body,
                "bc1.b." + body,
                None,
                "bc1.a." + base64.b64encode(raw[:12]).decode(),
            ):
                self.assert_refused("damaged", keyring.unseal, text, "private-key")

    def test_rotation(self):
        """A new key in front seals; the old one still opens what it sealed."""
        with configured(f"old:{key('o')}"):
            sealed = keyring.seal(b"secret", "private-key")
        with configured(f"new:{key('n')}, old:{key('o')}"):
            self.assertEqual(keyring.unseal(sealed, "private-key"), b"secret")
            self.assertTrue(keyring.seal(b"secret", "private-key").startswith("bc1.new."))
        with configured(f"new:{key('n')}"):
            self.assert_refused("unknown_key", keyring.unseal, sealed, "private-key")

    def test_without_a_key_nothing_is_sealed(self):
        with configured(""), patch.object(keyring, "_from_file", lambda _path: ""):
            self.assertFalse(keyring.available())
            self.assert_refused("missing", keyring.seal, b"secret", "private-key")

    def test_keys_that_are_none(self):
        short = base64.b64encode(b"k" * 31).decode()
        for text in ("a:not base64!", f"a:{short}", f":{key('a')}", f"a.b:{key('a')}"):
            with self.subTest(text=text), configured(text):
                self.assertFalse(keyring.available())
                self.assert_refused("malformed", keyring.seal, b"secret", "private-key")

    def test_the_configuration_file(self):
        """A section of its own in the server's configuration holds the key as well."""
        keyring._from_file.cache_clear()
        self.addCleanup(keyring._from_file.cache_clear)
        path = os.path.join(self._directory(), "odoo.conf")
        with open(path, "w") as file:
            file.write(f"[options]\nworkers = 2\n[bank_connect]\nmaster_key = f:{key('f')}\n")
        with configured(""), patch.dict(keyring.config.options, {"config": path}):
            self.assertTrue(keyring.seal(b"secret", "private-key").startswith("bc1.f."))

    def _directory(self):
        from tempfile import TemporaryDirectory

        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return directory.name

    def test_signatures(self):
        with configured(f"a:{key('a')}"):
            signature = keyring.sign(b"message", "seal")
            self.assertTrue(keyring.verify(b"message", signature, "seal"))
            self.assertFalse(keyring.verify(b"massage", signature, "seal"))
            self.assertFalse(keyring.verify(b"message", signature, "audit"))
            self.assertFalse(keyring.verify(b"message", signature[:-1] + "x", "seal"))
        with configured(f"b:{key('a')}"):
            self.assert_refused("unknown_key", keyring.verify, b"message", signature, "seal")

    # -- signatures for outsiders ---------------------------------------------------------------

    def test_a_signature_that_anybody_can_verify(self):
        """The newest key signs; signatures of older keys still verify; the secret stays here."""
        with configured(f"a:{key('a')}"):
            _id, first = keyring.signing_key("evidence")
            signature = first.sign(b"said")
            (public,) = keyring.public_keys("evidence").values()
            self.assertNotEqual(public, *keyring.public_keys("other").values())
        with configured(f"b:{key('b')},a:{key('a')}"):
            key_id, _second = keyring.signing_key("evidence")
            keys = keyring.public_keys("evidence")
        self.assertEqual((key_id, list(keys)), ("b", ["b", "a"]))
        self.assertEqual(keys["a"], public)
        Ed25519PublicKey.from_public_bytes(keys["a"]).verify(signature, b"said")
        with self.assertRaises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(keys["b"]).verify(signature, b"said")
        self.assertRegex(keyring.fingerprint(public), r"^([0-9a-f]{4} ){15}[0-9a-f]{4}$")
        with configured(""):
            self.assert_refused("missing", keyring.signing_key, "evidence")
