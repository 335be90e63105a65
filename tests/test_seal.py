import base64
import hashlib
import os
import time
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.http import root
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL, mute_logger

from .common import BankConnectCommon, iban
from .passkey import Passkey


class SealCase(BankConnectCommon):
    def sql(self, statement, *values):
        """What somebody with the database's password does, past Odoo."""
        self.env.flush_all()
        self.env.cr.execute(SQL(statement, *values))
        self.env.invalidate_all()

    def assert_held_back(self, batch):
        """The message stays here, and a person is told why."""
        message = self.message_of(batch)
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertEqual((message.state, message.error_code), ("queued", "altered"))
        self.assertRegex(message.error, "altered|differs|lacks")
        self.assertIn("altered", message.error_code)


@tagged("post_install", "-at_install")
class TestSeal(SealCase):
    """What was approved is what leaves, also when somebody writes to the database."""

    def test_unaltered_batches_leave(self):
        """The last look lets through what is right: otherwise the tests below prove nothing."""
        batch = self.sent(self.new_bill(100))
        self.assertEqual(self.message_of(batch).state, "delivered")
        self.assertEqual(len(self.bank.submitted), 1)

    # -- between approval and sending -------------------------------------------------------

    def test_an_altered_message_does_not_leave(self):
        """Neither an amount nor an account changed in the queued bytes gets to the bank, also
        with a digest that fits."""
        old, new = self.vendor.bank_ids.sanitized_acc_number, iban(999)
        for before, after in ((b">100.00<", b">999.00<"), (old.encode(), new.encode())):
            with self.subTest(before=before):
                batch = self.approved(self.new_bill(100))
                message = self.message_of(batch)
                content = base64.b64decode(message.with_context(bin_size=False).content)
                self.assertIn(before, content)
                forged = content.replace(before, after)
                self.sql(
                    "UPDATE bank_message SET content = %s, sha256 = %s, size = %s WHERE id = %s",
                    base64.b64encode(forged), hashlib.sha256(forged).hexdigest(), len(forged),
                    message.id,
                )
                self.assert_held_back(batch)

    def test_no_byte_and_no_address_of_a_message_can_be_exchanged(self):
        """Also not what no payment is compared by, the key that the bank knows it by, or where
        it goes."""
        other = self.connection.copy({"name": "Another bank"})
        other.sudo()._write({"state": "active"})
        for case in ("bytes", "key", "connection", "signature"):
            with self.subTest(case):
                batch = self.approved(self.new_bill(100))
                message = self.message_of(batch)
                content = base64.b64decode(message.with_context(bin_size=False).content)
                forged = content.replace(b"<ChrgBr>SLEV<", b"<ChrgBr>DEBT<")
                self.assertNotEqual(forged, content)
                change = {
                    "bytes": SQL(
                        "content = %s, sha256 = %s",
                        base64.b64encode(forged), hashlib.sha256(forged).hexdigest(),
                    ),
                    "key": SQL("key = '00000000-0000-4000-8000-000000000000'"),
                    "connection": SQL("connection_id = %s", other.id),
                    "signature": SQL("content_signature = NULL"),
                }[case]
                self.sql("UPDATE bank_message SET %s WHERE id = %s", change, message.id)
                self.assert_held_back(batch)

    def test_an_altered_seal_does_not_leave(self):
        """Sealed copy, its digest and the approval's digest all changed to fit each other."""
        batch = self.approved(self.new_bill(100))
        text = batch.sealed_content.replace('"100.00"', '"999.00"')
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.sql(
            "UPDATE bank_payment_batch SET sealed_content = %s, seal = %s WHERE id = %s",
            text, digest, batch.id,
        )
        self.sql("UPDATE bank_approval SET seal = %s WHERE batch_id = %s", digest, batch.id)
        self.assert_held_back(batch)

    def test_a_forged_approval_does_not_count(self):
        """A decision written to the database, or moved there from another batch, is none."""
        real = self.approved(self.new_bill(50))
        batch = self.approved(self.new_bill(100))
        for column in ("user_id", "decision", "reason", "moment", "address", "identity"):
            with self.subTest(column=column):
                value = {"user_id": str(self.admin.id)}.get(column, "forged")
                self.sql("SAVEPOINT forged")
                self.sql(
                    f"UPDATE bank_approval SET {column} = %s WHERE batch_id = %s", value, batch.id
                )
                self.assertFalse(batch.approval_ids._signature_holds())
                self.sql("ROLLBACK TO SAVEPOINT forged")
        self.sql(
            "UPDATE bank_approval SET signature = (SELECT signature FROM bank_approval"
            " WHERE batch_id = %s) WHERE batch_id = %s", real.id, batch.id,
        )
        with self.assertRaisesRegex(UserError, "An approval of .* was altered"):
            batch._check_before_leaving(self.message_of(batch))

    def test_a_batch_without_its_approval_does_not_leave(self):
        batch = self.approved(self.new_bill(100))
        self.sql("DELETE FROM bank_approval WHERE batch_id = %s", batch.id)
        self.assert_held_back(batch)

    # -- between sealing and approval ---------------------------------------------------------

    def test_the_preparer_can_not_be_exchanged(self):
        """Who prepared is part of what is signed: exchanging it opens no way to approve."""
        self.preparer.group_ids += self.env.ref("account_bank_connect.group_approver")
        batch = self.prepare(self.new_bill(100))
        self.sql(
            "UPDATE bank_payment_batch SET preparer_id = %s, sealed_by_id = %s WHERE id = %s",
            self.admin.id, self.admin.id, batch.id,
        )
        self.sql(
            "UPDATE account_payment SET create_uid = %s WHERE bank_batch_id = %s",
            self.admin.id, batch.id,
        )
        with self.assertRaisesRegex(UserError, "was altered in the database"):
            batch.with_user(self.preparer).action_approve()
        self.assertEqual(batch.state, "to_approve")

    def test_a_change_shows_old_beside_new(self):
        batch = self.prepare(self.new_bill(100))
        self.assertFalse(batch.with_user(self.approver).seal_broken)
        self.vendor.name = "Someone Else GmbH"
        seen = batch.with_user(self.approver)
        seen.invalidate_recordset()
        self.assertTrue(seen.seal_broken)
        self.assertIn("Müller", seen.seal_changes)
        self.assertIn("Someone Else", seen.seal_changes)
        with self.assertRaisesRegex(UserError, "Müller.*is now Someone Else"):
            seen.action_approve()

    def test_sealing_again_asks_everybody_anew(self):
        """The preparer takes the change over; whoever does so can't be the one to approve."""
        batch = self.prepare(self.new_bill(100))
        before = batch.seal
        self.vendor.name = "Someone Else GmbH"
        second = self.new_user("second preparer", "account_bank_connect.group_preparer")
        second.group_ids += self.env.ref("account_bank_connect.group_approver")
        with self.assertRaises(AccessError):
            batch.with_user(self.auditor).action_seal_again()
        # The account's holder changed along with the vendor's name.
        self.confirm(self.vendor.bank_ids)
        batch.with_user(second).action_seal_again()
        self.assertNotEqual(batch.seal, before)
        self.assertEqual(batch.state, "to_approve")
        with self.assertRaisesRegex(AccessError, "somebody else has to approve"):
            batch.with_user(second).action_approve()
        self.approve(batch)
        self.run_cron("send")
        self.assertIn("Someone Else", self.bank.submitted[0][1].decode())

    def test_nothing_is_sealed_again_without_a_change(self):
        batch = self.prepare(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "Nothing of .* has changed"):
            batch.with_user(self.preparer).action_seal_again()

    def test_without_a_master_key_nothing_is_sent_to_approval(self):
        with patch.dict(os.environ):
            del os.environ["BANK_CONNECT_MASTER_KEY"]
            with self.assertRaisesRegex(UserError, "No master key"):
                self.prepare(self.new_bill(100))


@tagged("post_install", "-at_install")
class TestStepUp(SealCase, HttpCase):
    """Where the company asks for it, approving takes the person's password, code or passkey."""

    def setUp(self):
        super().setUp()
        self.company.bank_step_up = True
        self.batch = self.prepare(self.new_bill(100))
        self.approver.password = "approver-secret-1"
        self.authenticate(self.approver.login, "approver-secret-1")

    def call(self, model, method, ids, context=None, **arguments):
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={"jsonrpc": "2.0", "method": "call", "params": {
                "model": model, "method": method, "args": [ids],
                "kwargs": {"context": {"allowed_company_ids": self.company.ids, **(context or {})},
                           **arguments}}},
        ).json()
        if "error" in answer:
            raise UserError(answer["error"]["data"]["message"])
        return answer.get("result")

    def ask(self):
        action = self.call("bank.payment.batch", "action_approve", self.batch.ids)
        self.batch.invalidate_recordset()
        self.assertEqual(action["res_model"], "res.users.identitycheck")
        self.assertEqual(self.batch.state, "to_approve")
        return action["res_id"]

    def identify(self, wizard, **context):
        result = self.call("res.users.identitycheck", "run_check", [wizard], context)
        self.batch.invalidate_recordset()
        return result

    def test_the_password_is_asked_for(self):
        wizard = self.ask()
        self.identify(wizard, password="approver-secret-1")
        self.assertEqual(self.batch.state, "approved")
        self.assertEqual(self.batch.approval_ids.identity, "password")
        self.assertTrue(self.batch.approval_ids.address)

    @mute_logger("odoo.http")
    def test_a_wrong_password_approves_nothing(self):
        wizard = self.ask()
        with self.assertRaisesRegex(UserError, "Incorrect Password"):
            self.identify(wizard, password="guessed")
        self.batch.invalidate_recordset()
        self.assertEqual(self.batch.state, "to_approve")
        self.ask()

    @mute_logger("odoo.http")
    def test_no_way_around_the_question(self):
        """Neither the method behind it, nor somebody else's question, nor a call without a
        session gets past it."""
        with self.assertRaisesRegex(UserError, "Private methods"):
            self.call("bank.payment.batch", "_approve_as_confirmed", self.batch.ids)
        with self.assertRaisesRegex(UserError, "only be accessed over HTTP"):
            self.approve(self.batch)
        self.assertEqual(self.batch.state, "to_approve")

    def keep_session(self, **values):
        """Stay logged in although the ways to log in changed."""
        self.env.flush_all()
        self.env.registry.clear_cache()
        self.session.update(values)
        self.session.session_token = self.approver.with_user(
            self.approver)._compute_session_token(self.session.sid)
        root.session_store.save(self.session)

    def test_two_factors_stay_two(self):
        """Who logs in with a code approves with password and code."""
        if "totp_secret" not in self.env["res.users"]._fields:
            self.skipTest("Odoo's module auth_totp is not installed.")
        from odoo.addons.auth_totp.models.totp import hotp

        key = b"a key of twenty byte"
        self.approver.sudo().totp_secret = base64.b32encode(key).decode()
        # Another dialog of Odoo's asked for the password alone, a minute ago.
        self.keep_session(**{"identity-check-last": time.time() - 60})
        wizard = self.ask()
        with mute_logger("odoo.http"), self.assertRaisesRegex(UserError, "authentication code"):
            self.identify(wizard, password="approver-secret-1")
        code = hotp(key, int(time.time() / 30)) % 10**6
        self.identify(wizard, password="approver-secret-1", bank_totp_code=f"{code:06d}")
        self.assertEqual(self.batch.state, "approved")
        self.assertEqual(self.batch.approval_ids.identity, "password, code")
        # For some minutes it counts for the next batch as well.
        second = self.prepare(self.new_bill(200))
        self.call("bank.payment.batch", "action_approve", second.ids)
        second.invalidate_recordset()
        self.assertEqual(second.approval_ids.identity, "password, code")

    def test_a_passkey(self):
        """Whoever has a passkey answers with it; another's answer, or an old one, is none."""
        if "auth.passkey.key" not in self.env:
            self.skipTest("Odoo's module auth_passkey is not installed.")
        passkey = Passkey(self.env["auth.passkey.key"].get_base_url())
        passkey.enrol(self.approver)
        self.keep_session()
        wizard = self.ask()
        challenge = self.challenge()
        forged = Passkey(passkey.origin, name=passkey.name).answer(challenge)
        with mute_logger("odoo.http"), self.assertRaisesRegex(UserError, "Incorrect Passkey"):
            self.identify(wizard, password=forged)
        self.assertEqual(self.batch.state, "to_approve")
        answer = passkey.answer(self.challenge())
        self.challenge()  # another question: the answer is to the one before
        with mute_logger("odoo.http"), self.assertRaisesRegex(UserError, "Incorrect Passkey"):
            self.identify(wizard, password=answer)
        self.identify(wizard, password=passkey.answer(self.challenge()))
        self.assertEqual(self.batch.state, "approved")
        self.assertEqual(self.batch.approval_ids.identity, "passkey")

    def challenge(self):
        answer = self.url_open(
            "/auth/passkey/start-auth", json={"jsonrpc": "2.0", "method": "call", "params": {}}
        ).json()
        return answer["result"]["challenge"]
