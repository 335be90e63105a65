import importlib.util
import tempfile
import time
from datetime import date
from pathlib import Path

from odoo.tests import TransactionCase, tagged

from .common import MODULE, BankConnectCommon
from .sandbox_bank import ROOT, SandboxBank, next_business_day


def load_sshd():
    """The helper that the demo starts OpenSSH with, from outside the package."""
    path = ROOT / "bin" / "support" / "sshd.py"
    found = importlib.util.spec_from_file_location("bank_connect_sshd", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@tagged("post_install", "-at_install")
class TestFolderRoad(BankConnectCommon):
    """The road to a bank that takes files from folders: over real SFTP, and by hand."""

    @classmethod
    def setUpClass(cls):
        if not (importlib.util.find_spec("aiohttp") and importlib.util.find_spec("sepaxml")):
            cls.skipTest(cls, "The sandbox bank needs the Python packages aiohttp and sepaxml.")
        super().setUpClass()

    def setUp(self):  # pylint: disable=method-required-super
        # The real connector: nothing is scripted here, so the common set-up is passed over.
        TransactionCase.setUp(self)
        folder = tempfile.TemporaryDirectory(prefix="bank-connect-folders-")
        self.addCleanup(folder.cleanup)
        Path(folder.name).chmod(0o755)  # the SSH server's account has to reach what is inside
        self.day = next_business_day(date.today())
        mailbox = Path(folder.name) / "mailbox"
        self.sandbox = SandboxBank(
            folder.name, f"{self.day}T08:30:00", serve=("--mailbox", mailbox)
        )
        self.addCleanup(self.sandbox.stop)
        self.folder = mailbox / "CORP-001"
        account = self.journal.bank_account_id
        account.acc_number = self.sandbox.iban
        account.bank_id.bic = self.sandbox.contract["bank"]["bic"]
        vendor = self.vendor.bank_ids
        vendor.acc_number = self.sandbox.payee(1)
        self.confirm(vendor)

    def wait(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, "the bank did nothing")
            time.sleep(0.1)

    def names(self, folder):
        return sorted(path.name for path in (self.folder / folder).iterdir() if path.is_file())

    def approved_bill(self):
        bill = self.new_bill(120)
        batch = self.prepare(bill, execution_date=self.day)
        self.approve(batch)
        return bill, batch, self.message_of(batch)

    def execute(self):
        """The bank works through its day, and lays out what it has to say."""
        self.wait(lambda: self.names("done"))
        self.sandbox.desk("clock", end_of_day=True)
        self.wait(lambda: any("camt.053" in name for name in self.names("out")))

    def assert_settled(self, bill, batch):
        self.assertEqual(batch.state, "settled")
        self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
        told = self.sandbox.desk(f"executions/{batch.payment_ids.end_to_end_id}")
        self.assertEqual((told["executed"], told["returned"]), (1, 0))

    def test_one_batch_to_settled_over_sftp(self):
        sshd = load_sshd()
        if sshd.find() is None:
            self.skipTest("There is no OpenSSH server here (sshd): bin/setup brings one.")
        self.connection.write(
            {
                "state": "draft",
                "profile_id": self.env.ref(f"{MODULE}.profile_sandbox_sftp").id,
            }
        )
        self.connection.with_user(self.admin).action_make_ssh_key()
        server = sshd.Sshd([self.connection.ssh_public_key], self.folder).start()
        self.addCleanup(server.stop)
        self.connection.write(
            {"url": server.url, "contract_code": server.user, "ssh_host_keys": server.host_key}
        )
        self.connection.with_user(self.admin).action_activate()
        with self.enter_registry_test_mode():
            self.connection.with_user(self.admin).action_test()
        self.assertTrue(self.connection.health["checks"])
        self.assertFalse([c for c in self.connection.health["checks"] if c["ok"] is False])
        bill, batch, message = self.approved_bill()
        self.run_cron("send")
        self.assertEqual((message.state, batch.state), ("delivered", "sent"), message.error)
        self.execute()
        self.run_cron("fetch")
        self.run_cron("process")
        found = self.env["bank.message"].search(
            [("connection_id", "=", self.connection.id), ("remote_id", "!=", False)]
        )
        self.assertFalse(
            found.filtered(lambda each: each.state != "processed"), found.mapped("error")
        )
        self.assertFalse(self.connection.last_error)
        self.assert_settled(bill, batch)
        # What is committed here is archived there; intraday reports nobody asked for stay.
        self.assertFalse([name for name in self.names("out") if "camt.052" not in name])
        self.assertEqual(len(self.names("out/archive")), len(found))

    def test_one_batch_to_settled_by_hand(self):
        """The person carries exactly the file that was sealed; the answers come back by upload."""
        self.connection.write(
            {
                "state": "draft",
                "profile_id": self.env.ref(f"{MODULE}.profile_by_hand").id,
                "allow_private_address": False,
            }
        )
        self.connection.with_user(self.admin).action_activate()
        bill, batch, message = self.approved_bill()
        mine = message.with_user(self.preparer)
        mine.action_download()
        part = self.folder / "in" / f".{message.name}"
        part.write_bytes(mine._raw())
        part.rename(self.folder / "in" / message.name)
        mine.action_handed_over()
        self.assertEqual(batch.state, "uncertain")
        self.execute()
        attachments = self.env["ir.attachment"].with_user(self.preparer).create(
            [{"name": path.name, "raw": path.read_bytes()}
             for path in (self.folder / "out").iterdir() if path.is_file()]
        )
        action = (
            self.env["bank.message"].with_user(self.preparer)
            .create_document_from_attachment(attachments.ids)
        )
        self.run_cron("process")
        lines = self.env["bank.upload"].browse(action["res_id"]).line_ids
        self.assertEqual(set(lines.mapped("state")), {"processed"}, lines.mapped("error"))
        self.assertEqual(message.state, "delivered")
        self.assert_settled(bill, batch)
