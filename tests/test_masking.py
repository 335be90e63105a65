import base64
import logging
import re

from odoo import Command
from odoo.addons.account_bank_connect.connectors.interface import NotSent
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from . import documents
from .common import MODULE, BankConnectCommon, iban
from .things import one_of_each

OLD, NEW, BAD = iban(1234500001), iban(2345600002), iban(3456700003)
# Where people talk, and what leaves Odoo.
SPOKEN = {
    "mail.message": ("body", "subject", "preview"),
    "mail.tracking.value": ("old_value_char", "new_value_char", "old_value_text", "new_value_text"),
    "mail.activity": ("res_name", "summary", "note", "feedback"),
    "mail.mail": ("body_html", "subject", "headers"),
    "bank.audit.event": ("res_name", "details"),
    "bank.payment.flag": ("details", "text"),
    "bank.alert": ("summary",),
    "bank.security.finding": ("facts", "text"),
}


def numbers_in(value):
    """Which of the planted numbers a value shows, however it is written."""
    text = re.sub(r"<[^>]+>|[\s\xa0]|&nbsp;", "", str(value))
    # A number is shown as soon as its middle is.
    return [number for number in (OLD, NEW, BAD) if number in text or number[4:18] in text]


class Listener(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.heard = []

    def emit(self, record):
        self.heard.append(f"{record.getMessage()} {record.exc_text or ''}")


@tagged("post_install", "-at_install")
class TestMasking(BankConnectCommon):
    """Whole account numbers are seen by those who prepare, approve, administer or audit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = cls.new_user("reader", "account.group_account_readonly")
        cls.curious = {
            "clerk": cls.clerk, "reader": cls.reader, "employee": cls.outsider,
        }
        for user in cls.curious.values():
            user.group_ids += cls.env.ref("base.group_allow_export")

    def setUp(self):
        super().setUp()
        self.listener = Listener()
        everything = logging.getLogger("odoo")
        everything.addHandler(self.listener)
        self.addCleanup(everything.removeHandler, self.listener)
        ours = logging.getLogger("odoo.addons.account_bank_connect")
        self.addCleanup(ours.setLevel, ours.level)
        ours.setLevel(logging.DEBUG)
        with mute_logger("odoo.addons.account_bank_connect.models.bank_message_receive"):
            self.live_through_everything()

    def live_through_everything(self):
        """Planted numbers go through all that can happen to an account and its payments."""
        vendor = self.env["res.partner"].create(
            {
                "name": "Planted GmbH", "city": "Bonn", "supplier_rank": 1,
                "country_id": self.env.ref("base.de").id,
                "bank_ids": [Command.create({"acc_number": OLD})],
            }
        )
        account = vendor.bank_ids
        quote = f"Read out as {OLD[:4]} {OLD[4:8]} {OLD[8:12]} {OLD[12:16]} {OLD[16:20]} {OLD[20:]}"
        account.bank_change_ids.with_user(self.approver).action_confirm("call", quote)
        # Rejected as a whole and in part, with the number in the reason.
        self.prepare(self.new_bill(50, vendor)).with_user(self.approver).action_reject(
            f"Wrong account {OLD}"
        )
        batch = self.prepare(self.new_bill(60, vendor) + self.new_bill(61, self.vendor))
        batch.with_user(self.approver).action_reject_payments(
            batch.payment_ids.filtered(lambda each: each.partner_id == vendor).ids, f"No: {OLD}"
        )
        self.approve(batch)
        # Sent after a failure; refused by the bank with the number in its own words; on hold.
        self.bank.on_submit.append(NotSent("connect_refused", f"Nobody listens, {OLD}."))
        sent = self.sent(self.new_bill(70, vendor))
        self.message_of(sent).next_attempt = False
        self.run_cron("send")
        payment = sent.payment_ids
        self.receive(
            documents.pain002(
                sent.reference, [(payment.end_to_end_id, "RJCT", "AC04")], text=f"Closed: {OLD}"
            )
        )
        self.receive(b"<no document of a bank>" + OLD.encode())
        # Changed; the seal of a waiting batch breaks.
        self.confirm(account)
        self.waiting = self.prepare(self.new_bill(80, vendor))
        account.write({"allow_out_payment": False, "acc_number": NEW})
        account.bank_change_ids.filtered(
            lambda change: change.state == "pending"
        ).with_user(self.approver).action_refuse(f"They say it is not {NEW}")
        account.write({"acc_number": BAD})
        self.sent_batch, self.account = sent, account
        one_of_each(self)
        self.env["bank.security.review"].with_user(self.auditor).action_review()
        self.env.flush_all()
        self.env.invalidate_all()

    def our_fields(self, model):
        """Fields of a model that this module adds; all of them where the model is its own."""
        own = self.env.registry[model]._original_module == MODULE
        return [
            name
            for name, field in self.env[model]._fields.items()
            if own or (MODULE in (field._modules or ()) and "bank_" in name)
        ]

    def test_the_planted_numbers_are_there(self):
        """Else the other tests would prove nothing: those who need them see them."""
        self.assertEqual(numbers_in(self.account.acc_number), [BAD])
        for user in (self.preparer, self.approver, self.admin, self.auditor):
            with self.subTest(user.name):
                sealed = self.sent_batch.with_user(user).read(["sealed_content"])
                self.assertEqual(numbers_in(sealed), [OLD])
                self.assertEqual(
                    numbers_in(self.waiting.with_user(user).seal_changes), [OLD, BAD]
                )
                changes = self.account.bank_change_ids.with_user(user)
                self.assertEqual(numbers_in(changes.mapped("number")), [OLD, NEW, BAD])
        message = self.message_of(self.sent_batch).with_user(self.auditor)
        self.assertEqual(
            numbers_in(base64.b64decode(message.with_context(bin_size=False).content)), [OLD]
        )

    def test_others_read_no_number(self):
        """Every record and field of this module that clerks, readers and employees can read."""
        seen = 0
        for who, user in self.curious.items():
            for model in sorted(self.env.registry):
                records = self.env[model].with_user(user)
                names = self.our_fields(model)
                if records._abstract or not names or not records.has_access("read"):
                    continue
                names = sorted(set(names) & set(records.fields_get()))
                rows = records.with_context(active_test=False).search_read([], names)
                seen += len(rows)
                for row in rows:
                    for name, value in row.items():
                        self.assertFalse(numbers_in(value), (who, model, name))
                names = [name for name in names if records._fields[name].exportable]
                exported = records.search([]).export_data(names)["datas"]
                self.assertFalse(numbers_in(exported), (who, model))
        self.assertGreater(seen, 50)

    def test_others_find_nothing_by_number(self):
        """Who can't read a number can't find out by asking for it either."""
        for user in self.curious.values():
            for model, name in (
                ("bank.payment.batch", "sealed_content"),
                ("bank.payment.batch", "seal_changes"),
                ("bank.account.change", "number"),
                ("bank.account.change", "values"),
                ("bank.message", "content"),
                ("res.partner.bank", "bank_confirmed"),
                ("res.partner.bank", "bank_pending"),
            ):
                records = self.env[model].with_user(user)
                with self.subTest(f"{user.name} {model} {name}"):
                    for ask in (
                        lambda r=records, n=name: r.search([(n, "ilike", OLD)]),
                        lambda r=records, n=name: r.search_count([(n, "ilike", OLD[:8])]),
                        lambda r=records, n=name: r.formatted_read_group([], [n], ["__count"]),
                        lambda r=records, n=name: r.sudo().search([], limit=1).with_env(
                            r.env
                        ).read([n]),
                    ):
                        with self.assertRaises(AccessError):
                            ask()
            for model in ("bank.payment.batch", "bank.connection"):
                records = self.env[model].with_user(user)
                if records.has_access("read"):
                    self.assertFalse(records.name_search(OLD))

    def test_what_people_read_along_and_mail(self):
        """No chatter, task, mail, event, flag, alert or finding holds a whole number."""
        for model, names in SPOKEN.items():
            records = self.env[model].sudo().with_context(active_test=False)
            names = [name for name in names if name in records._fields]
            found = records.search([])
            self.assertTrue(names and (found or model == "mail.mail"), model)
            for record in found:
                for name in names:
                    self.assertFalse(
                        numbers_in(record[name]),
                        (model, record.id, name, getattr(record, "model", ""), record[name]),
                    )

    def test_the_log(self):
        self.assertTrue(self.listener.heard)
        for line in self.listener.heard:
            self.assertFalse(numbers_in(line), line)

    def test_names_of_records(self):
        """A display name goes everywhere: into links, mails, breadcrumbs."""
        for model in sorted(self.env.registry):
            records = self.env[model].sudo().with_context(active_test=False)
            if records._original_module == MODULE and not records._abstract:
                for record in records.search([]):
                    self.assertFalse(numbers_in(record.display_name), model)
