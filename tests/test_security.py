import base64
import os
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .certificates import certificate_for, new_key
from .common import BankConnectCommon

# What each role may do by itself: r(ead), w(rite), c(reate), u(nlink).
RIGHTS = {
    "bank.connection.profile": {
        "preparer": "r",
        "approver": "r",
        "admin": "rwcu",
        "auditor": "r",
        "clerk": "r",
        "outsider": "",
    },
    "bank.connection": {
        "preparer": "r",
        "approver": "r",
        "admin": "rwcu",
        "auditor": "r",
        "clerk": "r",
        "outsider": "",
    },
    "bank.payment.batch": {
        "preparer": "rw",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "r",
        "outsider": "",
    },
    "bank.payment.instalment": {
        "preparer": "r",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "r",
        "outsider": "",
    },
    "bank.approval": {
        "preparer": "r",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.approval.rule": {
        "preparer": "r",
        "approver": "r",
        "admin": "rwcu",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.approval.level": {
        "preparer": "r",
        "approver": "r",
        "admin": "rwcu",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.approval.step": {
        "preparer": "r",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.approval.substitute": {
        "preparer": "",
        "approver": "rwc",
        "admin": "rwc",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.message": {
        "preparer": "r",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.resolution": {
        "preparer": "",
        "approver": "r",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.evidence.pack": {
        "preparer": "",
        "approver": "",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.evidence.wizard": {
        "preparer": "",
        "approver": "",
        "admin": "rwcu",
        "auditor": "rwcu",
        "clerk": "",
        "outsider": "",
    },
    "bank.retention": {
        "preparer": "",
        "approver": "",
        "admin": "rwcu",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.privacy.wizard": {
        "preparer": "",
        "approver": "",
        "admin": "rwcu",
        "auditor": "",
        "clerk": "",
        "outsider": "",
    },
    "bank.send.wizard": {
        "preparer": "rwcu",
        "approver": "",
        "admin": "",
        "auditor": "",
        "clerk": "",
        "outsider": "",
    },
    "bank.reject.wizard": {
        "preparer": "",
        "approver": "rwcu",
        "admin": "",
        "auditor": "",
        "clerk": "",
        "outsider": "",
    },
    "bank.exchange": {
        "preparer": "",
        "approver": "",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    "bank.certificate": {
        "preparer": "",
        "approver": "",
        "admin": "r",
        "auditor": "r",
        "clerk": "",
        "outsider": "",
    },
    **{
        wizard: {
            "preparer": "",
            "approver": "",
            "admin": "rwcu",
            "auditor": "",
            "clerk": "",
            "outsider": "",
        }
        for wizard in (
            "bank.certificate.wizard",
            "bank.key.wizard",
            "bank.pin.wizard",
            "bank.master.key.wizard",
            "bank.setup.wizard",
            "bank.connection.file.wizard",
        )
    },
    "certificate.certificate": {
        "preparer": "",
        "approver": "",
        "admin": "",
        "auditor": "",
        "clerk": "",
        "outsider": "",
    },
    "certificate.key": {
        "preparer": "",
        "approver": "",
        "admin": "",
        "auditor": "",
        "clerk": "",
        "outsider": "",
    },
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}


@tagged("post_install", "-at_install")
class TestSecurity(BankConnectCommon):
    """Who may do what, across companies, and what nobody may read."""

    def test_rights_by_role(self):
        for model, roles in RIGHTS.items():
            for role, rights in roles.items():
                records = self.env[model].with_user(getattr(self, role))
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model=model, role=role, operation=operation):
                        self.assertEqual(records.has_access(operation), letter in rights)

    def test_the_auditor_sees_everything_and_changes_nothing(self):
        batch = self.sent(self.new_bill())
        for record in (
            batch,
            self.message_of(batch),
            batch.approval_ids,
            batch.payment_ids,
            batch.payment_ids.bank_instalment_ids,
            self.connection,
        ):
            seen = record.with_user(self.auditor)
            with self.subTest(model=record._name):
                self.assertTrue(seen.read())
                with self.assertRaises(UserError):
                    seen.write({"create_uid": self.auditor.id})
                with self.assertRaises(UserError):
                    seen.unlink()
        self.assertTrue(self.message_of(batch).with_user(self.auditor)._raw())

    def test_companies_are_kept_apart(self):
        batch = self.sent(self.new_bill())
        other = self.new_company("Other GmbH")
        groups = (
            "account_bank_connect.group_admin,account_bank_connect.group_preparer,"
            "account_bank_connect.group_approver"
        )
        stranger = self.new_user("stranger", groups, other)
        for record in (
            batch,
            self.message_of(batch),
            batch.approval_ids,
            batch.payment_ids.bank_instalment_ids,
            self.connection,
        ):
            theirs = record.with_user(stranger).with_context(allowed_company_ids=other.ids)
            with self.subTest(model=record._name):
                self.assertFalse(theirs.search([("id", "in", record.ids)]))
                with self.assertRaises(AccessError):
                    theirs.read(["display_name"])
        with self.assertRaises(AccessError):
            self.company.with_user(stranger).action_bank_resume()

    # -- connections ------------------------------------------------------------------------

    def ready(self):
        """A draft connection with everything that it needs."""
        key, pem = new_key()
        certificate = certificate_for(key)
        connection = self.new_connection(
            "Ready", state="draft", trusted_certificates=certificate.decode()
        )
        connection.certificate_id = self.env["certificate.certificate"]._bank_create(
            certificate, pem, company=self.company
        )
        self.journal.bank_connection_id = connection
        return connection, pem

    def test_activation_checks_everything(self):
        """No connection is activated past its checks, not by writing the state either."""
        connection = self.new_connection("Bare", state="draft").with_user(self.admin)
        with self.assertRaises(UserError) as caught:
            connection.action_activate()
        for sentence in (
            "this company's certificate",
            "certificate of the bank",
            "at least one bank journal",
        ):
            self.assertIn(sentence, str(caught.exception))
        with self.assertRaises(AccessError):
            connection.write({"state": "active"})
        made = (
            self.env["bank.connection"]
            .with_user(self.admin)
            .create(
                {
                    "name": "Made active",
                    "profile_id": connection.profile_id.id,
                    "url": "https://bank.example",
                    "state": "active",
                }
            )
        )
        self.assertEqual(made.state, "draft")
        for user in (self.preparer, self.approver, self.auditor, self.clerk):
            for name in ("action_activate", "action_suspend"):
                with self.assertRaises(AccessError):
                    getattr(self.connection.with_user(user), name)()
        self.assertEqual(self.connection.state, "active")
        ready, _pem = self.ready()
        ready.with_user(self.admin).action_activate()
        self.assertEqual(ready.state, "active")

    def test_no_activation_without_a_master_key(self):
        connection, _pem = self.ready()
        with (
            patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": ""}),
            self.assertRaisesRegex(UserError, "No master key is configured"),
        ):
            connection.with_user(self.admin).action_activate()

    def test_no_activation_with_an_unprotected_key(self):
        """A key that Odoo keeps in the clear is not good enough for a bank."""
        connection, pem = self.ready()
        plain = self.env["certificate.key"].create(
            {"name": "plain", "content": base64.b64encode(pem), "company_id": self.company.id}
        )
        connection.certificate_id.private_key_id = plain
        with self.assertRaisesRegex(UserError, "stored unprotected"):
            connection.with_user(self.admin).action_activate()

    def test_a_real_bank_is_not_on_this_machine(self):
        """Addresses of this machine and of private networks are for practice banks only."""
        with self.assertRaisesRegex(UserError, "Only a practice bank"):
            self.connection.profile_id = self.env.ref("account_bank_connect.profile_berlin_group")

    def test_a_copy_is_a_draft_without_certificate(self):
        connection, _pem = self.ready()
        connection.with_user(self.admin).action_activate()
        copy = connection.copy({"name": "Copy"})
        self.assertEqual((copy.state, copy.certificate_id.id), ("draft", False))

    # -- secrets ----------------------------------------------------------------------------

    def test_private_keys_are_sealed_at_rest(self):
        """Neither the record nor the stored file holds the key; only the keyring opens it."""
        connection, pem = self.ready()
        key = connection.certificate_id.private_key_id
        body = b"".join(pem.splitlines()[1:-1])
        der = base64.b64decode(body)
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "certificate.key"),
                    ("res_field", "=", "content"),
                    ("res_id", "=", key.id),
                ]
            )
        )
        stored = attachment.raw
        self.assertTrue(stored.startswith(b"bc1.test."))
        for part in (stored, base64.b64decode(stored.split(b".", 2)[2])):
            self.assertNotIn(b"PRIVATE KEY", part)
            self.assertNotIn(body, part)
            self.assertNotIn(der, part)
        self.assertFalse(key.pem_key)
        self.assertEqual(key._bank_private_key(), pem)

    def test_no_field_shows_a_secret(self):
        """An administrator reads every field of a connection, and finds no key."""
        connection, pem = self.ready()
        body = pem.splitlines()[1].decode()
        self.admin.group_ids += self.env.ref("base.group_allow_export")
        seen = connection.with_user(self.admin)
        self.assertNotIn(body, repr(seen.read()))
        exported = seen.export_data(sorted(set(seen.fields_get()) - {"certificate_id"}))["datas"]
        self.assertIn("Ready", repr(exported))
        self.assertNotIn(body, repr(exported))
        system = self.new_user("system", "base.group_system")
        key = connection.certificate_id.private_key_id.with_user(system)
        self.assertNotIn(body, repr(key.with_context(bin_size=False).read()))
        with self.assertRaises(AccessError):
            connection.with_user(self.preparer).certificate_id  # noqa: B018

    def test_a_key_that_does_not_belong_to_the_certificate(self):
        key, _pem = new_key()
        _other, wrong = new_key()
        with self.assertRaises(UserError):
            certificate = self.env["certificate.certificate"]._bank_create(
                certificate_for(key), wrong, company=self.company
            )
            certificate.flush_recordset()

    def test_key_files_that_are_none(self):
        for content in (
            b"",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"\x30\x03junk",
        ):
            with self.subTest(content=content), self.assertRaisesRegex(UserError, "not be read"):
                self.env["certificate.key"]._bank_create_sealed(content)
