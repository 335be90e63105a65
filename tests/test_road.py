import importlib.util
import tempfile
from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

from .common import BankConnectCommon
from .sandbox_bank import SandboxBank, next_business_day


@tagged("post_install", "-at_install")
class TestRoad(BankConnectCommon):
    """The whole road over mutual TLS to a bank that executes, books and reports by itself."""

    @classmethod
    def setUpClass(cls):
        if not (importlib.util.find_spec("aiohttp") and importlib.util.find_spec("sepaxml")):
            cls.skipTest(cls, "The sandbox bank needs the Python packages aiohttp and sepaxml.")
        super().setUpClass()

    def setUp(self):  # pylint: disable=method-required-super
        # The real connector: nothing is scripted here, so the common set-up is passed over.
        TransactionCase.setUp(self)
        folder = tempfile.TemporaryDirectory(prefix="bank-connect-road-")
        self.addCleanup(folder.cleanup)
        self.day = next_business_day(date.today())
        self.sandbox = SandboxBank(folder.name, f"{self.day}T08:30:00")
        self.addCleanup(self.sandbox.stop)
        self.connection.write(
            {
                "state": "draft",
                "url": self.sandbox.url,
                "contract_code": self.sandbox.contract["contractId"],
                "consent_code": self.sandbox.contract["consentId"],
                "trusted_certificates": self.sandbox.read_file("ca.pem").decode(),
                "certificate_id": self.env["certificate.certificate"]._bank_create(
                    self.sandbox.read_file("client.pem"),
                    self.sandbox.read_file("client.key"),
                    company=self.company,
                ),
            }
        )
        account = self.journal.bank_account_id
        account.acc_number = self.sandbox.iban
        account.bank_id.bic = self.sandbox.contract["bank"]["bic"]
        self.connection.with_user(self.admin).action_activate()

    def bring_in(self, **clock):
        """Let time pass at the bank, fetch what it has to say, and process it."""
        self.sandbox.desk("clock", **clock)
        self.run_cron("fetch")
        self.run_cron("process")

    def new_payee(self, name, number, trigger=None):
        vendor = self.env["res.partner"].create(
            {
                "name": name,
                "country_id": self.env.ref("base.fr").id,
                "city": "Lyon",
                "bank_ids": [Command.create({"acc_number": self.sandbox.payee(number, trigger)})],
            }
        )
        self.confirm(vendor.bank_ids)
        return vendor

    def test_the_connection_test(self):
        """All is well with our certificate; without the bank's authority nothing is believed."""
        connection = self.connection.with_user(self.admin)
        with self.enter_registry_test_mode():
            connection.action_test()
        self.assertTrue(connection.health["checks"])
        self.assertFalse([c for c in connection.health["checks"] if c["ok"] is False])
        self.connection.trusted_certificates = self.sandbox.read_file("client.pem").decode()
        with self.enter_registry_test_mode():
            answer = connection.action_test()
        self.assertEqual(answer["params"]["type"], "danger")
        self.connection.certificate_id = False
        with self.assertRaisesRegex(UserError, "has no certificate"):
            connection.action_test()

    def test_from_bill_to_bank_and_back(self):
        """Paid, rejected, returned and pending, in both bookkeepings, each as the bank has it."""
        for round_, book_now in enumerate((True, False)):
            with self.subTest(book_now=book_now):
                if not book_now:
                    self.book_on_statement()
                bills = {
                    trigger: self.new_bill(
                        100 + number + round_,
                        vendor=self.new_payee(f"Payee {trigger}", number + 10 * round_, trigger),
                    )
                    for number, trigger in enumerate((None, "closed", "returned", "pending"))
                }
                day = date.fromisoformat(self.sandbox.desk("clock")["now"][:10])
                batch = self.prepare(
                    self.env["account.move"].union(*bills.values()), execution_date=day
                )
                self.approve(batch)
                self.run_cron("send")
                self.assertEqual(batch.state, "sent", self.message_of(batch).error)
                self.bring_in(end_of_day=True)
                self.bring_in(advance="1d")
                self.bring_in(end_of_day=True)
                faults = self.env["bank.message"].search(
                    [("connection_id", "=", self.connection.id), ("state", "=", "quarantined")]
                )
                self.assertFalse(faults, faults.mapped("error"))
                payments = {
                    trigger: bill.bank_instalment_ids.payment_id for trigger, bill in bills.items()
                }
                self.assertEqual(
                    {trigger: bill.payment_state for trigger, bill in bills.items()},
                    {
                        None: "paid",
                        "closed": "not_paid",
                        "returned": "not_paid",
                        "pending": "in_payment",
                    },
                )
                self.assertEqual(payments["closed"].bank_reason, "AC04")
                self.assertTrue(payments["returned"].bank_returned)
                self.assertEqual(payments["pending"].bank_status, "PDNG")
                for trigger, counted in (
                    (None, (1, 0)),
                    ("closed", (0, 0)),
                    ("returned", (1, 1)),
                    ("pending", (0, 0)),
                ):
                    told = self.sandbox.desk(f"executions/{payments[trigger].end_to_end_id}")
                    self.assertEqual((told["executed"], told["returned"]), counted, trigger)
                statements = self.env["account.bank.statement"].search(
                    [("journal_id", "=", self.journal.id)]
                )
                self.assertTrue(all(statements.mapped("is_complete")))
                self.assertTrue(all(statements.mapped("is_valid")))
        self.assertTrue(self.sandbox.desk("ledger")["balanced"])

    def test_a_bank_that_is_away(self):
        """Nothing is sent, nothing is lost, and it leaves once the bank is back."""
        bill = self.new_bill(10, vendor=self.new_payee("Payee", 40))
        batch = self.prepare(bill, execution_date=self.day + timedelta(days=7))
        self.approve(batch)
        self.connection.url = "https://localhost:9"
        self.run_cron("send")
        message = self.message_of(batch)
        self.assertEqual((message.state, batch.state), ("queued", "approved"))
        self.connection.url = self.sandbox.url
        message.next_attempt = "2020-01-01"
        self.run_cron("send")
        self.assertEqual((message.state, batch.state), ("delivered", "sent"))
        self.assertEqual(message.attempts, 2)
