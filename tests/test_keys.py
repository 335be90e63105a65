from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .certificates import certificate_for, new_key, pkcs12_of
from .key_common import KeyCase


@tagged("post_install", "-at_install")
class TestKeys(KeyCase):
    """Keys are made and sealed here, certificates come and go by generations."""

    # -- making ---------------------------------------------------------------------------------

    def test_a_key_is_made_sealed_and_never_leaves(self):
        """The request is right and proves the key; the key is nowhere in the clear."""
        for algorithm, kind, size in (
            ("rsa3072", rsa.RSAPublicKey, 3072),
            ("rsa4096", rsa.RSAPublicKey, 4096),
            ("ec256", ec.EllipticCurvePublicKey, 256),
        ):
            row = self.make(algorithm=algorithm, role="signing")
            request = x509.load_pem_x509_csr(row.request.encode())
            self.assertTrue(request.is_signature_valid)
            self.assertIsInstance(request.public_key(), kind)
            self.assertEqual(request.public_key().key_size, size)
            names = {attribute.oid: attribute.value for attribute in request.subject}
            self.assertEqual(names[NameOID.ORGANIZATION_NAME], "Payer GmbH")
            self.assertEqual(names[NameOID.COUNTRY_NAME], "DE")
            stored = self.sealed_text(row.sudo().key_id)
            self.assertTrue(stored.startswith(b"bc1.test."))
            self.assertNotIn("PRIVATE", repr(row.sudo().read()) + repr(row.sudo().key_id.read()))
            self.assertEqual(row.state, "requested")
        self.assertTrue(self.env["bank.audit.event"].search([("kind", "=", "key_made")]))

    def test_what_a_request_asks_for(self):
        """Each purpose has its own use of the key; banks refuse others."""
        wanted = {
            "tls": {"digital_signature": True, "content_commitment": False},
            "signing": {"digital_signature": True, "content_commitment": True},
            "encryption": {"digital_signature": False, "key_encipherment": True},
        }
        for role, uses in wanted.items():
            row = self.make(role=role, algorithm="rsa3072", serial_number="4711")
            request = x509.load_pem_x509_csr(row.request.encode())
            usage = request.extensions.get_extension_for_class(x509.KeyUsage).value
            for name, value in uses.items():
                self.assertEqual(getattr(usage, name), value, (role, name))
            number = request.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
            self.assertEqual(number, "4711")
        with self.assertRaisesRegex(UserError, "encrypt for RSA"):
            self.make(role="encryption", algorithm="ec256")
        with self.assertRaisesRegex(UserError, "can't be written"):
            self.make(country="Q")

    def test_only_administrators_make_import_switch_and_pin(self):
        row = self.make()
        for user in (self.preparer, self.approver, self.auditor, self.clerk):
            rows = self.env["bank.certificate"].with_user(user)
            with self.assertRaises(AccessError):
                rows._request(self.connection.with_user(user), "tls", "ec256", {"common_name": "x"})
            for name in ("action_switch", "action_discard"):
                with self.assertRaises(AccessError):
                    getattr(row.with_user(user), name)()
            for model in ("bank.key.wizard", "bank.certificate.wizard", "bank.pin.wizard"):
                self.assertFalse(self.env[model].with_user(user).has_access("create"))
            with self.assertRaises(AccessError):
                self.env["bank.master.key.wizard"].with_user(user).create({}).action_reseal()
        with self.assertRaises(AccessError):
            row.write({"state": "current"})
        with self.assertRaises(AccessError):
            row.unlink()

    # -- importing --------------------------------------------------------------------------------

    def test_the_answer_finds_its_key_in_every_form(self):
        """Whatever the file's form and order, the leaf is put to its key, with its chain."""
        for form in ("pem", "pem_reversed", "der", "p7b", "p7b_pem"):
            with self.subTest(form=form):
                self.make()
                row = self.make()
                leaf = self.issuer.answer(row.request)
                self.bring(self.issuer.packed(leaf, form), start="now")
                self.assertEqual(row.state, "current")
                certificate = self.connection.certificate_id
                self.assertEqual(row.sudo().certificate_id, certificate)
                chain = x509.load_pem_x509_certificates(certificate._bank_chain())
                self.assertEqual(chain[0], leaf)
                self.assertEqual(len(chain), 1 if form == "der" else 2)
                self.assertEqual(row.subject, leaf.subject.rfc4514_string())
                self.assertIn(row.days_left, (364, 365))

    def test_the_answer_is_for_what_was_asked(self):
        """A signing certificate does not become the one for TLS, whatever is chosen."""
        row = self.make(role="signing", algorithm="rsa3072")
        self.bring(self.issuer.packed(self.issuer.answer(row.request), "pem"), role="tls")
        self.assertEqual(self.connection.signing_certificate_id, row.sudo().certificate_id)
        self.assertFalse(self.connection.certificate_id)

    def test_pkcs12_brings_key_and_chain(self):
        key, _pem = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Payer")])
        leaf = self.issuer.issue(name, key.public_key())
        content = pkcs12_of(key, leaf, [self.issuer.certificate], "geheim-4711")
        with self.assertRaisesRegex(UserError, "Is the password right"):
            self.bring(content, password="wrong")
        row = self.bring(content, password="geheim-4711")
        self.assertEqual(row.state, "current")
        chain = x509.load_pem_x509_certificates(self.connection.certificate_id._bank_chain())
        self.assertEqual(chain, [leaf, self.issuer.certificate])
        self.assertFalse(self.connection.certificate_id.pkcs12_password)
        self.assertTrue(self.connection.certificate_id.private_key_id.bank_sealed)

    def test_what_can_not_be_used_is_refused_in_words(self):
        key, pem = new_key()
        other, other_pem = new_key()
        junk = b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
        expired = self.issuer.issue(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old")]), key.public_key(), days=-1
        )
        for certificate, private, sentence in (
            (certificate_for(other), None, "holds no private key"),
            (certificate_for(key), other_pem, "belongs to the private key"),
            (self.issuer.packed(expired, "pem"), pem, "has expired"),
            (pem, None, "holds no certificate"),
            (b"\x30\x82junk", None, "password right"),
            (b"junk", None, "could not be read"),
            (junk, None, "not be read"),
        ):
            with self.subTest(sentence=sentence), self.assertRaisesRegex(UserError, sentence):
                self.bring(certificate, private)
        self.assertFalse(self.connection.certificate_id)

    # -- generations ------------------------------------------------------------------------------

    def test_the_next_one_waits_with_overlap(self):
        """A renewal is ready beside the one in use, and takes its place by button."""
        first = self.row_in_use()
        action = first.action_renew()
        wizard = self.env["bank.key.wizard"].with_user(self.admin).with_context(
            **action["context"]
        ).create({"algorithm": "ec256"})
        self.assertEqual(wizard.common_name, "Payer GmbH")
        second = self.env["bank.certificate"].browse(wizard.action_make()["res_id"])
        second = second.with_user(self.admin)
        self.bring(self.issuer.packed(self.issuer.answer(second.request), "pem"))
        self.assertEqual((first.state, second.state), ("current", "next"))
        self.assertEqual(self.connection.certificate_id, first.sudo().certificate_id)
        second.action_switch()
        self.assertEqual((first.state, second.state), ("old", "current"))
        self.assertEqual((first.generation, second.generation), (1, 2))
        self.assertEqual(self.connection.certificate_id, second.sudo().certificate_id)
        self.assertIn(second.fingerprint, self.chatter(self.connection))
        # The bank did not know the new one yet: back to the old one, whose key is still there.
        first.action_switch()
        self.assertEqual((first.state, second.state), ("current", "old"))

    def test_a_date_switches(self):
        first = self.row_in_use()
        key, pem = new_key()
        moment = fields.Datetime.now() + timedelta(days=3)
        second = self.bring(
            certificate_for(key), pem, start="date", switch_on=moment
        )
        self.assertEqual(second.switch_on, moment)
        self.run_cron("certificates")
        self.assertEqual(first.state, "current")
        second.sudo().switch_on = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("certificates")
        self.assertEqual((first.state, second.state), ("old", "current"))
        with self.assertRaisesRegex(UserError, "a time to come"):
            second._switch_at(fields.Datetime.now() - timedelta(days=1))

    def test_a_certificate_that_is_not_valid_now_is_not_used(self):
        first = self.row_in_use()
        key, pem = new_key()
        second = self.bring(certificate_for(key), pem)
        second.sudo().date_start = fields.Datetime.now() + timedelta(days=2)
        with self.assertRaisesRegex(UserError, "not now"):
            second.action_switch()
        second.sudo().switch_on = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("certificates")
        self.assertEqual((first.state, second.state), ("current", "next"))
        self.assertTrue(self.activities(self.connection, "connection"))

    def test_an_old_key_is_kept_until_no_message_needs_it(self):
        first = self.row_in_use()
        batch = self.sent(self.new_bill())
        message = self.message_of(batch)
        self.row_in_use()
        self.assertEqual(first.state, "old")
        first.sudo().replaced_on = fields.Datetime.now() - timedelta(days=31)
        message.first_attempt = fields.Datetime.now() - timedelta(days=32)
        self.run_cron("certificates")
        self.assertTrue(first.has_key, "the bank has not said its last word on the batch")
        batch._engine().state = "settled"
        key = first.sudo().key_id
        self.run_cron("certificates")
        self.assertEqual((first.state, first.has_key), ("destroyed", False))
        self.assertFalse(key.exists())
        self.assertTrue(first.fingerprint and first.sudo().certificate_id, "the proof stays")

    def test_a_young_old_key_is_kept(self):
        first = self.row_in_use()
        self.row_in_use()
        self.run_cron("certificates")
        self.assertEqual((first.state, first.has_key), ("old", True))

    def test_discarding_destroys_the_key(self):
        row = self.make()
        key = row.sudo().key_id
        row.action_discard()
        self.assertEqual((row.state, key.exists()), ("discarded", key.browse()))
        used = self.row_in_use()
        with self.assertRaisesRegex(UserError, "never used"):
            used.action_discard()

    def test_the_connector_gets_each_certificate_in_its_place(self):
        """TLS, signature and encryption of ours, the bank's signers, and what was replaced."""
        rows = {}
        for role in ("tls", "signing", "encryption"):
            rows[role] = self.row_in_use(role=role)
        replaced = rows["encryption"]
        rows["encryption"] = self.row_in_use(role="encryption")
        bank = certificate_for(new_key()[0], "Bank").decode()
        self.line.write(
            {"trusted_certificates": bank, "bank_signers": bank,
             "bank_encryption": bank}
        )
        settings = self.connection._connector_settings()
        for identity, row in (
            (settings.identity, rows["tls"]),
            (settings.signing, rows["signing"]),
            (settings.decryption, rows["encryption"]),
            (settings.retired[0], replaced),
        ):
            leaf = x509.load_pem_x509_certificate(identity.certificate)
            self.assertEqual(leaf.fingerprint(leaf.signature_hash_algorithm).hex(), row.fingerprint)
            self.assertIn(b"PRIVATE KEY", identity.private_key)
        self.assertEqual(len(settings.retired), 1)
        self.assertEqual(settings.signers.ca_pem.decode(), bank)
        self.assertEqual(settings.encrypt_for.decode(), bank)

    # -- the bank's -------------------------------------------------------------------------------

    def test_the_dashboard_shows_the_banks_certificates_too(self):
        old, new = (certificate_for(new_key()[0], f"Bank {n}", days=n).decode() for n in (20, 400))
        self.line.trusted_certificates = old
        self.line.trusted_certificates = old + new
        rows = self.line.bank_certificate_ids
        self.assertEqual(rows.mapped("owner"), ["bank", "bank"])
        self.assertEqual([-(-days // 10) for days in sorted(rows.mapped("days_left"))], [2, 40])
        self.assertEqual(set(rows.mapped("state")), {"current"})
        self.line.trusted_certificates = new
        self.assertEqual(sorted(rows.mapped("state")), ["current", "old"])
        with self.assertRaisesRegex(ValidationError, "no certificate"):
            self.line.trusted_certificates = "whatever"
        with self.assertRaisesRegex(ValidationError, "revocation list"):
            self.line.revocation_list = new

    def test_an_expiring_certificate_of_the_bank_alarms_unless_the_next_is_there(self):
        soon = certificate_for(new_key()[0], "Bank", days=20).decode()
        later = certificate_for(new_key()[0], "Bank", days=400).decode()
        self.line.trusted_certificates = soon
        found = self.findings("bank_certificate")
        self.assertEqual([finding.level for finding in found], [30])
        self.line.trusted_certificates = soon + later
        self.assertFalse(self.findings("bank_certificate"))

    def test_a_renewal_with_a_date_ends_the_alarm(self):
        self.row_in_use(days=20)
        self.assertEqual([finding.level for finding in self.findings("certificate")], [30])
        key, pem = new_key()
        second = self.bring(certificate_for(key, days=400), pem)
        self.assertTrue(self.findings("certificate"), "it waits, but nobody said when")
        second._switch_at(fields.Datetime.now() + timedelta(days=5))
        self.assertFalse(self.findings("certificate"))

    def findings(self, code):
        return [
            finding for finding in self.env["bank.watch"]._findings()
            if finding.code == code and finding.connection_id == self.connection.id
        ]
