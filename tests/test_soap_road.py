import importlib.util
import json
import tempfile
from datetime import date

from odoo.addons.account_bank_connect.connectors import profiles
from odoo.tests import TransactionCase, tagged

from .common import MODULE, BankConnectCommon
from .sandbox_bank import SandboxBank, next_business_day

OWN = {"signing": "signing_certificate_id", "encryption": "decryption_certificate_id"}


@tagged("post_install", "-at_install")
class TestSoapRoad(BankConnectCommon):
    """The road over signed SOAP, to a bank that verifies with another library than ours."""

    @classmethod
    def setUpClass(cls):
        if not (importlib.util.find_spec("aiohttp") and importlib.util.find_spec("sepaxml")):
            cls.skipTest(cls, "The sandbox bank needs the Python packages aiohttp and sepaxml.")
        super().setUpClass()

    def setUp(self):  # pylint: disable=method-required-super
        # The real connector: nothing is scripted here, so the common set-up is passed over.
        TransactionCase.setUp(self)
        folder = tempfile.TemporaryDirectory(prefix="bank-connect-soap-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.day = next_business_day(date.today())

    def open_bank(self, *terms):
        self.sandbox = SandboxBank(self.folder, f"{self.day}T08:30:00", *terms)
        self.addCleanup(self.sandbox.stop)
        account = self.journal.bank_account_id
        account.acc_number = self.sandbox.iban
        account.bank_id.bic = self.sandbox.contract["bank"]["bic"]
        vendor = self.vendor.bank_ids
        vendor.acc_number = self.sandbox.payee(1)
        self.confirm(vendor)
        return self.sandbox.contract["soap"]

    def text(self, name):
        return self.sandbox.read_file(name).decode()

    def certificate(self, name):
        return self.env["certificate.certificate"]._bank_create(
            self.sandbox.read_file(f"{name}.pem"), self.sandbox.read_file(f"{name}.key"),
            name=name, company=self.company,
        )

    def connect(self, profile, soap, **values):
        """What a bank administrator does after the call to the bank; activates the connection."""
        self.connection.write(
            {
                "state": "draft",
                "profile_id": profile.id,
                "url": f"{self.sandbox.soap_url}{soap['path']}",
                "contract_code": self.sandbox.contract["contractId"],
                "certificate_id": False,
                "trusted_certificates": self.text("ca.pem"),
                "bank_signers": self.text("bank-signing.pem"),
                "soap_sender": soap["senderId"],
                "soap_customer": soap["customerId"],
                "soap_receiver": soap["receiverId"],
                "signing_certificate_id": self.certificate("signing").id,
                **values,
            }
        )
        self.connection.with_user(self.admin).action_activate()

    def pay_and_settle(self):
        """One bill, from the button to the reconciled statement."""
        bill = self.new_bill(120)
        batch = self.prepare(bill, execution_date=self.day)
        self.approve(batch)
        self.run_cron("send")
        message = self.message_of(batch)
        self.assertEqual((message.state, batch.state), ("delivered", "sent"), message.error)
        for order in ({"end_of_day": True}, {"advance": "1d"}):
            self.sandbox.desk("clock", **order)
            self.run_cron("fetch")
            self.run_cron("process")
        found = self.env["bank.message"].search(
            [("connection_id", "=", self.connection.id), ("direction", "=", "in")]
        )
        self.assertFalse(
            found.filtered(lambda each: each.state != "processed"), found.mapped("error")
        )
        self.assertFalse(self.connection.last_error)
        self.assertEqual(batch.state, "settled")
        self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
        payment = batch.payment_ids
        self.assertEqual(payment.bank_status, "ACSC")
        told = self.sandbox.desk(f"executions/{payment.end_to_end_id}")
        self.assertEqual((told["executed"], told["returned"]), (1, 0))
        kinds = {each.kind.rsplit(".", 2)[0] for each in found.filtered("remote_id")}
        self.assertLessEqual({"pain.002", "camt.054", "camt.053"}, kinds)
        return found

    def test_one_batch_to_settled_without_a_certificate_in_tls(self):
        """Signed files are enough; what is fetched once is not fetched again."""
        soap = self.open_bank("--soap", "iso")
        self.connect(self.env.ref(f"{MODULE}.profile_sandbox_soap"), soap)
        self.assertFalse(self.connection.certificate_id)
        with self.enter_registry_test_mode():
            self.connection.with_user(self.admin).action_test()
        self.assertTrue(self.connection.health["checks"])
        self.assertFalse([c for c in self.connection.health["checks"] if c["ok"] is False])
        found = self.pay_and_settle()
        self.run_cron("fetch")
        again = self.env["bank.message"].search_count(
            [("connection_id", "=", self.connection.id), ("direction", "=", "in")]
        )
        self.assertEqual(again, len(found), "the bank lists for weeks what was fetched")

    def test_a_bank_with_its_own_codes_sealed_and_packed_files(self):
        """Own file types, gzip, encryption both ways and a certificate in TLS: one more profile."""
        soap = self.open_bank(
            "--soap", "codes", "--encryption", "--compression", "required",
            "--client-certificate", "--environment", "PRODUCTION",
        )
        settings = {
            **profiles.profile("nordea_soap"),
            "name": "own_codes",
            "list": {"status": "ALL", "days": 3650},
            "compress": True,
            "encryption": {"cipher": "aes256-gcm", "key_transport": "rsa-oaep"},
        }
        profile = self.env["bank.connection.profile"].create(
            {"name": "Own codes", "protocol": "soap", "settings": json.dumps(settings),
             "is_sandbox": True, "poll_status": False}
        )
        self.connect(
            profile, soap,
            soap_target=soap["targetId"], soap_language="FI",
            certificate_id=self.certificate("client").id,
            decryption_certificate_id=self.certificate("encryption").id,
            bank_encryption=self.text("bank-encryption.pem"),
        )
        self.pay_and_settle()

    def test_what_another_signed_is_not_believed(self):
        """With another authority's signature in place of the bank's, a payment stays in doubt."""
        soap = self.open_bank("--soap", "iso")
        self.connect(self.env.ref(f"{MODULE}.profile_sandbox_soap"), soap)
        # A certificate of the same authority, but not the bank's.
        self.connection.bank_signers = self.text("encryption.pem")
        batch = self.prepare(self.new_bill(10), execution_date=self.day)
        self.approve(batch)
        self.run_cron("send")
        message = self.message_of(batch)
        self.assertEqual((message.state, message.error_code), ("uncertain", "signer_untrusted"))
        # The bank has it; with the right certificate it says so, and it is not sent twice.
        self.connection.bank_signers = self.text("bank-signing.pem")
        message.next_attempt = "2020-01-01"
        self.connection.paused_until = False
        self.run_cron("fetch")
        self.assertEqual((message.state, batch.state), ("delivered", "sent"), message.error)
        self.sandbox.desk("clock", end_of_day=True)
        told = self.sandbox.desk(f"executions/{batch.payment_ids.end_to_end_id}")
        self.assertEqual(told["executed"], 1)
