"""A company that pays over a bank connection, its people, vendors and bills."""

import os
import re
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user

from .scripted_connector import PowerCut, ScriptedConnector

MODULE = "account_bank_connect"
# 32 bytes that protect nothing: a master key for tests.
MASTER_KEY = "test:dGhpcyBrZXkgcHJvdGVjdHMgbm90aGluZyBhdCBhbGwuLi4="
OUR_IBAN = "DE89370400440532013000"


def iban(number, country="DE"):
    """A valid IBAN of Germany, France or Switzerland; ``number`` tells them apart."""
    bban = {
        "DE": f"37040044{number:010d}",
        "FR": f"2004101005{number:011d}06",
        "CH": f"00762{number:012d}",
        "GB": f"WEST123456{number:08d}",
    }[country]
    digits = "".join(str(int(char, 36)) for char in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{bban}"


class BankConnectCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": MASTER_KEY}))
        cls.eur, cls.usd = cls.env.ref("base.EUR"), cls.env.ref("base.USD")
        (cls.eur + cls.usd).active = True
        # Older than any rate of a test: without a rate nobody could say which rules apply.
        cls.env["res.currency.rate"].create(
            {"currency_id": cls.usd.id, "company_id": False, "name": "2000-01-01", "rate": 1.0}
        )
        cls.company = cls.new_company("Payer GmbH")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.expense = cls.env["account.account"].search(
            [("account_type", "=", "expense"), ("company_ids", "in", cls.company.ids)], limit=1
        )
        cls.connection = cls.new_connection("Example Bank")
        cls.journal = cls.new_journal(OUR_IBAN, cls.connection)
        cls.preparer = cls.new_user("preparer")
        cls.approver = cls.new_user("approver")
        cls.admin = cls.new_user("admin")
        cls.auditor = cls.new_user("auditor")
        cls.clerk = cls.new_user("clerk", "account.group_account_invoice")
        cls.outsider = cls.new_user("outsider", "base.group_user")
        cls.vendor = cls.new_vendor("Müller & Söhne GmbH", 1)

    def setUp(self):
        super().setUp()
        self.bank = ScriptedConnector()
        self.startPatcher(
            patch.object(
                type(self.connection), "_connector", lambda _connection: self.bank.opened()
            )
        )

    # -- people and things ------------------------------------------------------------------

    @classmethod
    def new_company(cls, name):
        # The country comes last: a company created in it would pull in a localisation.
        company = cls.env["res.company"].create({"name": name, "currency_id": cls.eur.id})
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
        company.currency_id = cls.eur
        company.partner_id.write(
            {"country_id": cls.env.ref("base.de").id, "city": "Berlin", "zip": "10115"}
        )
        return company

    @classmethod
    def new_connection(cls, name, company=None, **values):
        return cls.env["bank.connection"].create(
            {
                "name": name,
                "company_id": (company or cls.company).id,
                "profile_id": cls.env.ref(f"{MODULE}.profile_sandbox").id,
                "url": "https://localhost:1",
                "allow_private_address": True,
                "state": "active",
                **values,
            }
        )

    @classmethod
    def new_journal(cls, number, connection, company=None, currency=None, code="CNB"):
        company = company or cls.company
        bank = cls.env["res.bank"].create({"name": "Our bank", "bic": "COBADEFFXXX"})
        account = cls.env["res.partner.bank"].create(
            {
                "acc_number": number,
                "partner_id": company.partner_id.id,
                "bank_id": bank.id,
                "allow_out_payment": True,
            }
        )
        return cls.env["account.journal"].create(
            {
                "name": f"Connected {code}",
                "type": "bank",
                "code": code,
                "company_id": company.id,
                "bank_account_id": account.id,
                "currency_id": currency.id if currency else False,
                "bank_connection_id": connection.id,
            }
        )

    @classmethod
    def new_user(cls, role, groups=None, companies=None):
        companies = companies or cls.company
        return new_test_user(
            cls.env,
            f"{role}@bank-connect.test",
            groups or f"{MODULE}.group_{role}",
            name=role.title(),
            company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)],
            context={"no_reset_password": True},
        )

    @classmethod
    def new_vendor(cls, name, number, country="DE", trusted=True, **values):
        vendor = cls.env["res.partner"].create(
            {
                "name": name,
                "country_id": cls.env.ref(f"base.{country.lower()}").id,
                "city": "Bonn",
                "bank_ids": [Command.create({"acc_number": iban(number, country)})],
                **values,
            }
        )
        if trusted:
            cls.confirm(vendor.bank_ids)
        return vendor

    @classmethod
    def confirm(cls, accounts, user=None):
        """A second person confirms payees' accounts, as the product has it."""
        if not accounts.bank_change_ids.filtered(lambda change: change.state == "pending"):
            accounts.action_bank_ask()
        accounts.bank_change_ids.filtered(lambda change: change.state == "pending").with_user(
            user or cls.approver
        ).action_confirm("call", "Asked Mrs Weber on her known number; she read it out.")

    def confirm_returned(self, accounts):
        """A second person confirms what the bank's word alone put on hold."""
        pending = accounts.bank_change_ids.filtered(lambda change: change.state == "pending")
        for account, changes in pending.grouped("account_id").items():
            if set(changes.mapped("kind")) == {"hold"} and "bank sent" in changes[0].reason:
                self.confirm(account)

    @classmethod
    def new_bill(
        cls, amount=100.0, vendor=None, ref=None, post=True, move_type="in_invoice", **values
    ):
        cls._bills = getattr(cls, "_bills", 0) + 1
        bill = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (vendor or cls.vendor).id,
                "invoice_date": fields.Date.today(),
                "ref": ref or f"INV-{cls._bills:05d}",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "work",
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": False,
                            "account_id": cls.expense.id,
                        }
                    )
                ],
                **values,
            }
        )
        if post:
            bill.action_post()
        return bill

    def book_on_statement(self, journal=None):
        """Odoo's other way of bookkeeping: no entry before the bank's statement."""
        (journal or self.journal)._bank_method_line().payment_account_id = False

    # -- what people do ---------------------------------------------------------------------

    def open_wizard(self, records, user=None, **options):
        action = records.with_user(user or self.preparer).action_send_to_bank()
        wizard = (
            self.env["bank.send.wizard"].with_user(user or self.preparer).browse(action["res_id"])
        )
        wizard.write(options)
        return wizard

    def prepare(self, records, **options):
        """Send to Bank, as a preparer; returns the batches.

        A payee's account that an earlier payment came back from is confirmed first.
        """
        self.confirm_returned(records.partner_id.commercial_partner_id.bank_ids)
        action = self.open_wizard(records, **options).action_send()
        return self.env["bank.payment.batch"].search(action["domain"])

    def approve(self, batch):
        batch.with_user(self.approver).action_approve()
        return batch

    def approved(self, records, **options):
        """Prepare and approve; returns the batch, whose message is queued."""
        return self.approve(self.prepare(records, **options))

    def sent(self, records, **options):
        """Prepare, approve and deliver; returns the batch."""
        batch = self.approved(records, **options)
        self.run_cron("send")
        return batch

    def message_of(self, batch):
        return batch._payment_message()

    # -- what the server does ---------------------------------------------------------------

    def run_cron(self, name):
        """Run a scheduled action as the server does, with commits that hold."""
        with self.enter_registry_test_mode():
            result = self.env.ref(f"{MODULE}.cron_{name}").method_direct_trigger()
        self.assertIs(result, True, "the scheduled action failed")

    def crash_cron(self, name):
        """Run a scheduled action in which the server dies; what was committed before stays."""
        # Not assertRaises: it would roll the commits back as well.
        try:
            self.run_cron(name)
        except PowerCut:
            self.env.invalidate_all()
        else:
            self.fail("the server did not die")

    def receive(self, *documents):
        """Let the bank lay documents out, fetch and process them; returns the messages."""
        numbers = self.bank.put(*documents)
        self.run_cron("fetch")
        self.run_cron("process")
        return self.env["bank.message"].search([("remote_id", "in", numbers)], order="id")

    def received(self, document):
        """Receive one document that is expected to be understood."""
        message = self.receive(document)
        self.assertEqual(message.state, "processed", message.error)
        return message

    def quarantined(self, document, reason):
        """Receive one document that must be put aside, for a reason that matches a pattern."""
        message = self.receive(document)
        self.assertEqual(message.state, "quarantined")
        self.assertRegex(message.error, reason)
        return message

    # -- what is looked at ------------------------------------------------------------------

    def activities(self, records, kind="rejected"):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
                ("activity_type_id", "=", self.env.ref(f"{MODULE}.activity_{kind}").id),
            ]
        )

    def chatter(self, record):
        return " ".join(
            re.sub(r"<[^>]+>", " ", str(body)) for body in record.message_ids.mapped("body")
        )

    def assert_nothing_created(self, records):
        self.assertFalse(
            self.env["bank.payment.instalment"].search(
                [("move_line_id", "in", records.line_ids.ids)]
            )
        )
        self.assertFalse(
            self.env["bank.payment.batch"].search([("company_id", "=", self.company.id)])
        )
