"""One record of everything, of one company: what tests of access try their hands on."""

from odoo import Command, fields
from odoo.addons.account_bank_connect.connectors.interface import Uncertain

from ..models import keyring
from ..models.bank_discrepancy_follow import Found
from .certificates import certificate_for, new_key
from .common import MODULE
from .documents import Booking, camt


def one_of_each(test):
    """Let the people of a test's company work until there is a record of every model.

    :param test: of ``BankConnectCommon``
    """
    _payments(test)
    _settings(test)
    _evidence(test)


def _payments(test):
    batch = test.sent(test.new_bill())
    test.env["bank.remittance.advice"]._withhold(batch.payment_ids)
    test.received(camt(Booking("-1.00", text="fee")))
    # An account of this company alone.
    test.new_vendor("Only Ours KG", 4711, company_id=test.company.id)
    test.bank.on_submit.append(Uncertain("read_timeout", "The bank did not answer in time."))
    batch = test.sent(test.new_bill(200))
    mail = test.env["ir.attachment"].with_user(test.approver).create({"name": "mail", "raw": b"x"})
    test.env["bank.resolution"].with_user(test.approver)._propose(
        test.message_of(batch).with_user(test.approver), "give_up", "Called them.", mail
    )


def _settings(test):
    env, company = test.env, test.company
    env["bank.approval.rule"].create(
        {
            "name": "Large",
            "company_id": company.id,
            "amount_from": 10_000,
            "level_ids": [
                Command.create({"name": "Two", "people": 2, "user_ids": test.approver.ids})
            ],
        }
    )
    deputy = test.new_user("deputy", f"{MODULE}.group_approver")
    env["bank.approval.substitute"].with_user(test.approver).create(
        {
            "substitute_id": deputy.id,
            "company_id": company.id,
            "date_to": fields.Date.today(),
            "reason": "On holiday",
        }
    )
    env["bank.monitor.token"].with_user(test.admin).action_new()
    env["bank.retention"].create({"kind": "alert", "company_id": company.id, "number": 3})
    line = env["account.bank.statement.line"].create(
        {
            "journal_id": test.journal.id,
            "date": fields.Date.today(),
            "amount": -5,
            "payment_ref": "Account fee",
            "partner_name": "Example Bank",
        }
    )
    env["bank.reconcile.partner"]._remember(line, test.vendor)
    env["bank.reconcile.rule"].create(
        {
            "name": "Fee",
            "text": "account fee",
            "company_id": company.id,
            "account_id": test.expense.id,
        }
    )
    env["bank.webhook.seen"]._remember(test.connection, "digest", fields.Datetime.now())
    env["bank.connection.token"].create(
        {
            "connection_id": test.connection.id,
            "name": "a token",
            "sealed": keyring.seal(b"token", f"access-token/{test.connection.id}/a token"),
            "expires": fields.Datetime.now(),
        }
    )
    env["bank.connection.variable"].create(
        {"connection_id": test.connection.id, "name": "client_id", "value": "we"}
    )
    key, pem = new_key()
    test.connection.certificate_id = env["certificate.certificate"]._bank_create(
        certificate_for(key), pem, company=company
    )


def _evidence(test):
    env = test.env
    verification = env["bank.verification"].with_user(test.auditor)
    verification.action_verify_now()
    env["bank.discrepancy"]._engine()._insert(
        test.company,
        [
            Found(
                "open_lines:account_journal:0", "open_lines", fields.Date.today(), {},
                {"values": {}},
            )
        ],
    )
    env["bank.debit.known"].create(
        {"name": "Rent", "company_id": test.company.id, "partner_name": "Landlord"}
    )
    env["bank.alert"].create(
        {"connection_id": test.connection.id, "code": "silent", "since": fields.Datetime.now()}
    )
    # The log of exchanges is written past the ORM, by the server alone.
    env.cr.execute(
        "INSERT INTO bank_exchange (connection_id, date) VALUES (%s, now())", (test.connection.id,)
    )
    # Items in transit: the payments are recorded, and no bank has booked them.
    env["bank.reconciliation"].with_user(test.preparer)._open(test.journal, fields.Date.today())
    env["bank.audit.check"]._verify()
    env["bank.security.review"].with_user(test.auditor).action_review()
    env["bank.evidence.pack"].with_user(test.auditor)._request(
        test.company, date_from=fields.Date.today(), date_to=fields.Date.today()
    )
    env.flush_all()
