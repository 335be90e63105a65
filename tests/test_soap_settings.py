import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.account_bank_connect.connectors import profiles
from odoo.addons.account_bank_connect.models.bank_connection import BankConnection
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .certificates import certificate_for, new_key
from .common import MODULE, BankConnectCommon

# The common set-up puts a scripted bank in its place.
REAL = BankConnection._connector


@tagged("post_install", "-at_install")
class TestSoapSettings(BankConnectCommon):
    """A SOAP contract is entered in fields, checked in words, and handed to the channel whole."""

    def setUp(self):
        super().setUp()
        self.profile = self.env.ref(f"{MODULE}.profile_nordea_soap")
        self.soap = self.new_connection(
            "SOAP", profile_id=self.profile.id, allow_private_address=False, state="draft",
            url="https://bank.example/ws",
        )
        self.new_journal("DE75512108001245126199", self.soap, code="SOA")

    def certificate(self, name, days=30):
        key, pem = new_key()
        content = certificate_for(key, name, days)
        return content.decode(), self.env["certificate.certificate"]._bank_create(
            content, pem, name=name, company=self.company
        )

    def test_every_built_in_bank_is_there_and_readable(self):
        """One record for each built-in SOAP profile, and none of them asks for TLS certificates."""
        shipped = self.env["bank.connection.profile"].search([("protocol", "=", "soap")])
        built_in = {
            name for name in profiles.profile_names()
            if profiles.profile(name).get("protocol") == "soap"
        }
        self.assertEqual({profile._settings() for profile in shipped}, built_in)
        self.assertFalse(any(shipped.mapped("client_certificate")))
        self.assertFalse([profile.settings_problem for profile in shipped
                          if profile.settings_problem])
        for profile in shipped:
            self.assertEqual(profile._read_profile().name, profile._settings())

    def test_a_mistake_in_a_profile_is_told_in_words(self):
        self.assertEqual(self.profile.settings_needs, "Sender id, Customer id, Target id")
        data = {**profiles.profile("op_soap"), "acknowledge": "perhaps"}
        with self.assertRaisesRegex(ValidationError, "acknowledge"):
            self.profile.settings = json.dumps(data)
        with self.assertRaisesRegex(ValidationError, "protocol"):
            self.profile.settings = '"sandbox"'

    def test_what_is_missing_is_said_before_activation(self):
        with self.assertRaises(UserError) as caught:
            self.soap.with_user(self.admin).action_activate()
        said = str(caught.exception)
        for sentence in (
            "certificate that signs", "bank signs its answers", "Enter the Sender id",
            "Enter the Customer id", "Enter the Target id", "certificate of the bank or of its",
        ):
            self.assertIn(sentence, said)
        self.assertNotIn("this company's certificate for the bank", said, "TLS needs none")
        self.assertNotIn("Receiver id", said, "the profile proposes one")
        self.soap.contract_code = "1000"
        said = "\n".join(self.soap._activation_problems())
        self.assertNotIn("Sender id", said, "one number serves for both")
        self.assertNotIn("Customer id", said)
        data = {**profiles.profile("op_soap"),
                "encryption": {"cipher": "aes256-gcm", "key_transport": "rsa-oaep"}}
        self.profile.settings = json.dumps(data)
        self.assertIn("sealing", "\n".join(self.soap._activation_problems()))
        self.profile.client_certificate = True
        self.assertIn("company's certificate", "\n".join(self.soap._activation_problems()))

    def test_what_the_channel_itself_refuses_keeps_a_connection_from_activation(self):
        """A key that can't sign (banks of this protocol know RSA only) is found without a call."""
        bank, _record = self.certificate("bank")
        _pem, ours = self.certificate("ours")
        self.soap.write(
            {"signing_certificate_id": ours.id, "trusted_certificates": bank,
             "bank_signers": bank, "contract_code": "1000", "soap_target": "T1"}
        )
        self.assertFalse(self.soap._activation_problems())
        with patch.object(type(self.soap), "_connector", REAL):
            with self.assertRaises(UserError) as caught:
                self.soap.with_user(self.admin).action_activate()
        self.assertIn("can't be used", str(caught.exception))
        self.assertEqual(self.soap.state, "draft")

    def test_the_connector_is_given_all_of_it(self):
        bank, _record = self.certificate("bank")
        _pem, ours = self.certificate("ours")
        self.soap.write(
            {"signing_certificate_id": ours.id, "bank_signers": bank, "soap_sender": "S1",
             "soap_target": "T1", "soap_environment": "TEST", "soap_language": "FI",
             "contract_code": "1000"}
        )
        settings = self.soap._connector_settings()
        self.assertIsNone(settings.identity, "none is shown in TLS")
        self.assertEqual(settings.signing.certificate, ours._bank_chain())
        self.assertEqual(settings.signers.ca_pem, bank.encode())
        given = {name: settings.variables.get(name) for name in
                 ("sender_id", "target_id", "environment", "contract_id", "receiver_id")}
        self.assertEqual(given, {"sender_id": "S1", "target_id": "T1", "environment": "TEST",
                                 "contract_id": "1000", "receiver_id": None})
        self.assertEqual(settings.profile["header"]["language"], "FI")
        self.assertIsNone(settings.wsdl)
        self.soap.soap_language = False
        self.assertEqual(self.soap._connector_settings().profile, "nordea_soap")

    def test_a_banks_own_wsdl_is_text_and_never_a_path(self):
        for text, reason in (("/etc/hostname", "begins with"), ("<a/>", "WSDL can't be used")):
            with self.assertRaisesRegex(ValidationError, reason):
                self.soap.with_user(self.admin).soap_wsdl = text

    def test_a_signing_certificate_that_expires_is_told(self):
        """Ours and the bank's, although nothing is shown in TLS."""
        bank, _record = self.certificate("bank", days=20)
        _pem, ours = self.certificate("ours", days=5)
        self.soap.write(
            {"signing_certificate_id": ours.id, "bank_signers": bank, "state": "active"}
        )
        self.env.flush_all()
        now = fields.Datetime.now()
        found = {
            finding.code: finding.level
            for finding in self.env["bank.watch"]._certificates(now)
            if finding.connection_id == self.soap.id
        }
        self.assertEqual(found, {"certificate": 7, "bank_certificate": 30})
        self.assertEqual(self.soap.certificate_expires, ours.date_end)
        line = self.env["bank.monitor"].search([("connection_id", "=", self.soap.id)])
        self.assertEqual(line.certificate_expires, ours.date_end)
        self.assertLess(line.certificate_expires, now + timedelta(days=7))

    def test_the_form_shows_what_the_protocol_has(self):
        with Form(self.connection.with_user(self.admin)) as form:
            self.assertTrue(form._get_modifier("soap_sender", "invisible"))
            self.assertFalse(form._get_modifier("consent_code", "invisible"))
        with Form(self.soap.with_user(self.admin)) as form:
            self.assertFalse(form._get_modifier("soap_sender", "invisible"))
            self.assertTrue(form._get_modifier("consent_code", "invisible"))
            form.soap_sender = "S9"
        self.assertEqual(self.soap.soap_sender, "S9")

    def test_a_bank_that_is_not_asked_for_status_wakes_nothing(self):
        """A delivered message of such a bank doesn't start the fetching again and again."""
        self.env.ref(f"{MODULE}.profile_sandbox").poll_status = False
        batch = self.sent(self.new_bill(10))
        self.message_of(batch).next_attempt = "2020-01-01"
        cron = self.env.ref(f"{MODULE}.cron_fetch")
        waiting = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.env["bank.message"]._wake_for_inquiries()
        again = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual(again, waiting)
        self.env.ref(f"{MODULE}.profile_sandbox").poll_status = True
        self.env["bank.message"]._wake_for_inquiries()
        again = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertGreater(again, waiting)
