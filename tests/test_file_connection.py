from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import MODULE, OUR_IBAN, BankConnectCommon, iban
from .documents import Booking, camt, paid, pain002, returned
from .test_uncertain import UncertainCommon
from .tour_common import TourCommon


class RealConnector(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Before each test puts a scripted one in its place.
        cls.real = staticmethod(type(cls.connection)._connector)


class ByHandCommon(RealConnector):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.write(
            {
                "profile_id": cls.env.ref(f"{MODULE}.profile_by_hand").id,
                "allow_private_address": False,
                "url": False,
            }
        )

    def waiting(self, records=None):
        """An approved batch and its message, which waits to be carried."""
        batch = self.approved(records or self.new_bill(100))
        return batch, self.message_of(batch)

    def carried(self, records=None):
        batch, message = self.waiting(records)
        message.with_user(self.preparer).action_download()
        message.with_user(self.preparer).action_handed_over()
        return batch, message

    def upload(self, *documents, user=None, **context):
        """Bring documents in as a person does, and let them be processed."""
        user = user or self.preparer
        attachments = self.env["ir.attachment"].with_user(user).create(
            [{"name": f"file{number}.xml", "raw": document}
             for number, document in enumerate(documents)]
        )
        action = (
            self.env["bank.message"].with_user(user).with_context(**context)
            .create_document_from_attachment(attachments.ids)
        )
        self.assertFalse(attachments.exists(), "the message is the one place where bytes are kept")
        self.run_cron("process")
        return self.env["bank.upload"].browse(action["res_id"]).line_ids


@tagged("post_install", "-at_install")
class TestFileConnection(ByHandCommon, UncertainCommon):
    """A bank without a channel: the same states, the same proof, carried by people."""

    def test_a_file_waits_and_nothing_calls_the_bank(self):
        batch, message = self.waiting()
        for name in ("send", "fetch", "process"):
            self.run_cron(name)
        self.assertEqual((batch.state, message.state), ("approved", "queued"))
        self.assertFalse(self.bank.submitted)

    def test_taking_the_file_out_is_noted_before_it_leaves(self):
        """Who and when, in the message and in the trail; the bytes stay as they were sealed."""
        batch, message = self.waiting()
        before = message._raw()
        action = message.with_user(self.preparer).action_download()
        self.assertIn(f"/bank.message/{message.id}/content/", action["url"])
        self.assertEqual((batch.state, message.state), ("sending", "sending"))
        self.assertEqual(message.taken_by_id, self.preparer)
        self.assertTrue(message.taken_on and message.doubt)
        message.with_user(self.admin).action_download()
        self.assertEqual(message.taken_by_id, self.preparer, "the first is who took it out")
        self.assertEqual(message._raw(), before)
        events = self.env["bank.audit.event"].sudo().search([("kind", "=", "message_taken")])
        self.assertEqual(len(events), 1)
        self.run_cron("send")
        self.assertEqual(message.state, "sending", "it is in a person's hands, not abandoned")

    def test_reading_the_bytes_around_the_button_counts_as_taking_them(self):
        """Whoever has the bytes may bring them to the bank."""
        _batch, message = self.waiting()
        message.with_user(self.preparer).read(["content"])
        self.assertEqual((message.state, message.taken_by_id), ("sending", self.preparer))
        _batch, message = self.waiting()
        with self.assertRaises(AccessError):
            message.with_user(self.auditor).read(["content"])
        with self.assertRaises(AccessError):
            message.with_user(self.auditor).action_download()
        self.assertEqual(message.state, "queued")
        message.with_user(self.auditor).read(["state", "preview"])
        self.assertEqual(message.state, "queued", "looking at a part of it takes nothing out")

    def test_withdrawing_is_possible_only_while_it_was_never_taken_out(self):
        batch, _message = self.waiting()
        batch.with_user(self.preparer).action_recall("DUPL")
        self.assertEqual(batch.state, "cancelled")
        batch, message = self.waiting()
        message.with_user(self.preparer).action_download()
        with self.assertRaisesRegex(UserError, "was downloaded"):
            batch.with_user(self.preparer).action_recall("DUPL")
        message.with_user(self.preparer).action_handed_over()
        with self.assertRaisesRegex(UserError, "Nobody knows"):
            batch.with_user(self.preparer).action_recall("DUPL")

    def test_what_was_stopped_or_altered_does_not_leave(self):
        batch, message = self.waiting()
        self.connection.sudo().bank_stopped = True
        with self.assertRaisesRegex(UserError, "stopped"):
            message.with_user(self.preparer).action_download()
        self.connection.sudo().bank_stopped = False
        self.connection.state = "suspended"
        with self.assertRaisesRegex(UserError, "not active"):
            message.with_user(self.preparer).action_download()
        self.connection.state = "active"
        self.env.cr.execute(
            "UPDATE bank_payment_batch SET sealed_content = replace(sealed_content, '100', '900') "
            "WHERE id = %s", [batch.id]
        )
        batch.invalidate_recordset()
        with self.assertRaises(UserError):
            message.with_user(self.preparer).action_download()
        self.assertEqual(message.state, "queued")

    def test_handing_over_is_no_receipt(self):
        """Until the bank speaks, or two people with evidence, nobody knows."""
        batch, message = self.carried()
        self.assertEqual((batch.state, message.state), ("uncertain", "uncertain"))
        self.assertEqual(message.handed_by_id, self.preparer)
        self.assertIn("handed the file to the bank", message.error)
        for user in (self.auditor, self.approver):
            with self.assertRaises(AccessError):
                message.with_user(user).action_handed_over()
        with self.assertRaises(UserError):
            message.with_user(self.preparer).action_handed_over()
        self.run_cron("fetch")
        self.assertFalse(self.bank.inquired)

    def test_two_people_say_what_the_portal_shows(self):
        batch, message = self.carried()
        self.propose(batch, "delivered").with_user(self.admin).action_confirm()
        self.assertEqual((batch.state, message.state), ("sent", "delivered"))

    def test_what_was_not_handed_over_goes_out_again_after_two_people_said_so(self):
        """The same bytes; alone nobody can take it back."""
        batch, message = self.waiting()
        digest = message.sha256
        message.with_user(self.preparer).action_download()
        message.with_user(self.preparer).action_not_handed_over()
        self.assertEqual((batch.state, message.state), ("uncertain", "uncertain"))
        self.propose(batch, "resend").with_user(self.admin).action_confirm()
        self.assertEqual((batch.state, message.state), ("approved", "queued"))
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        message.with_user(self.admin).action_download()
        self.assertEqual((message.taken_by_id, message.attempts), (self.admin, 2))
        self.assertEqual(message.sha256, digest)

    def test_what_was_given_up_opens_the_bills_again(self):
        bill = self.new_bill(100)
        batch, message = self.carried(bill)
        self.propose(batch, "give_up").with_user(self.admin).action_confirm()
        self.assertEqual((batch.state, message.state), ("refused", "refused"))
        self.assertTrue(bill.bank_may_send)

    def test_nothing_can_be_asked_of_a_bank_without_a_channel(self):
        with self.assertRaisesRegex(UserError, "by hand"), self.real(self.connection):
            pass

    def test_activation_asks_only_for_what_is_needed(self):
        fresh = self.new_connection(
            "Village Bank", profile_id=self.env.ref(f"{MODULE}.profile_by_hand").id,
            url=False, allow_private_address=False, state="draft",
        )
        with self.assertRaisesRegex(UserError, "at least one bank journal"):
            fresh.with_user(self.admin).action_activate()
        self.new_journal(iban(77), fresh, code="VIL")
        fresh.with_user(self.admin).action_activate()
        self.assertEqual(fresh.state, "active")
        with self.assertRaisesRegex(ValidationError, "address"):
            self.new_connection("No address", url=False)


@tagged("post_install", "-at_install")
class TestUpload(ByHandCommon):
    """Answers and statements that people bring in: stored raw, found by content, counted once."""

    def test_the_banks_answer_proves_that_it_has_the_file(self):
        """Also where nobody had said that it was handed over."""
        for said in (True, False):
            batch, message = self.waiting()
            message.with_user(self.preparer).action_download()
            if said:
                message.with_user(self.preparer).action_handed_over()
            line = self.upload(pain002(batch.reference, group="ACCP"))
            self.assertEqual(line.message_id.state, "processed", line.error)
            self.assertEqual(line.message_id.uploaded_by_id, self.preparer)
            self.assertEqual((batch.state, message.state), ("accepted", "delivered"))

    def test_an_answer_to_a_file_that_never_left_is_put_aside(self):
        batch, message = self.waiting()
        line = self.upload(pain002(batch.reference, group="ACCP"))
        self.assertEqual(line.state, "quarantined")
        self.assertEqual((batch.state, message.state), ("approved", "queued"))

    def test_a_rejection_that_a_person_brought_in_is_shown_to_the_next_approver(self):
        """A forged one would have the bill paid twice. The bank's own needs no such word."""
        def flags(batch):
            return {flag.code: flag for flag in batch.flag_ids}

        bill = self.new_bill(100)
        batch, _message = self.carried(bill)
        self.assertNotIn("rejected_by_hand", flags(batch))
        self.upload(pain002(batch.reference, group="RJCT"))
        self.assertEqual(batch.state, "refused")
        flag = flags(self.prepare(bill))["rejected_by_hand"]
        self.assertEqual(flag.severity, "medium")
        self.assertIn(f"{self.preparer.name} brought in", flag.text)
        # Over a bank that has a channel it is stranger still.
        self.connection.write(
            {
                "profile_id": self.env.ref(f"{MODULE}.profile_sandbox").id,
                "url": "https://bank.example",
            }
        )
        bill = self.new_bill(200)
        batch = self.sent(bill)
        line = self.upload(camt(paid(batch.payment_ids), returned(batch.payment_ids)))
        self.assertEqual(line.state, "processed", line.error)
        flag = flags(self.prepare(bill))["rejected_by_hand"]
        self.assertEqual((flag.severity, flag.details["batch"]), ("high", batch.name))
        # What the bank says over its channel.
        bill = self.new_bill(300)
        batch = self.sent(bill)
        self.received(pain002(batch.reference, group="RJCT"))
        self.assertNotIn("rejected_by_hand", flags(self.prepare(bill)))

    def test_a_statement_proves_it_as_well(self):
        """Some banks answer a file by booking it, and in no other way."""
        bill = self.new_bill(100)
        batch, message = self.carried(bill)
        line = self.upload(camt(paid(batch.payment_ids)))
        self.assertEqual(line.message_id.state, "processed", line.error)
        self.assertEqual((batch.state, message.state), ("settled", "delivered"))
        self.assertEqual(bill.payment_state, "paid")

    def test_several_files_go_each_to_the_connection_of_their_account(self):
        """And a connection with a channel takes documents by hand too."""
        other = self.new_connection("Channel Bank")
        number = iban(88)
        self.new_journal(number, other, code="CHB")
        lines = self.upload(
            camt(Booking("5.00")), camt(Booking("7.00"), iban=number),
            b"Dear customer", b"<Document xmlns='urn:x'><Unknown/></Document>",
        )
        self.assertEqual(
            lines.mapped(lambda line: line.connection_id.name or ""),
            ["Example Bank", "Channel Bank", "", ""],
        )
        self.assertEqual(lines[:2].mapped("state"), ["processed", "processed"])
        for line in lines[2:]:
            self.assertFalse(line.message_id)
            self.assertIn("Not taken in", line.said)

    def test_the_same_document_counts_once(self):
        """Twice by hand, once by hand and once over the channel, or in one go."""
        document = camt(Booking("5.00"))
        first, second = self.upload(document, document)
        self.assertEqual(first.message_id, second.message_id)
        self.assertIn("Here already", second.said)
        again = self.upload(document)
        self.assertEqual(again.message_id, first.message_id)
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)]
        )
        self.assertEqual(len(lines), 1)

    def test_a_document_of_an_unknown_account_is_told_and_not_forced_anywhere(self):
        self.new_connection("Channel Bank")
        document = camt(Booking("5.00"), iban=iban(99))
        line = self.upload(document)
        self.assertFalse(line.message_id)
        self.assertIn("no connection of yours", line.said)
        line = self.upload(document, bank_upload_connection_id=self.connection.id)
        self.assertEqual(line.state, "quarantined")
        self.assertIn(iban(99), line.error)

    def test_documents_are_kept_raw_whatever_is_wrong_with_them(self):
        broken = camt(Booking("5.00")).replace(b"</Document>", b"")
        line = self.upload(broken, bank_upload_connection_id=self.connection.id)
        self.assertEqual(line.state, "quarantined")
        self.assertEqual(line.message_id._raw(), broken)

    def test_only_those_may_bring_documents_in_who_carry_files(self):
        """And only files of their own, for their own companies."""
        document = camt(Booking("5.00"))
        for user in (self.auditor, self.approver, self.clerk):
            with self.assertRaises(AccessError):
                self.upload(document, user=user)
        foreign = self.env["ir.attachment"].with_user(self.admin).create(
            {"name": "x.xml", "raw": document}
        )
        with self.assertRaises(AccessError):
            self.env["bank.message"].with_user(
                self.preparer
            ).create_document_from_attachment(foreign.ids)
        self.assertFalse(self.env["bank.message"].search([("direction", "=", "in")]))

    def test_who_brought_what_in_is_in_the_trail(self):
        self.upload(camt(Booking("5.00")))
        event = self.env["bank.audit.event"].sudo().search([("kind", "=", "document_uploaded")])
        self.assertEqual(len(event), 1)
        self.assertEqual(event.user_login, self.preparer.login)


@tagged("post_install", "-at_install")
class TestSftpConnection(RealConnector):
    """What an SFTP contract needs, kept as safely as a certificate's key."""

    def setUp(self):
        super().setUp()
        self.sftp = self.new_connection(
            "Folder Bank", profile_id=self.env.ref(f"{MODULE}.profile_sandbox_sftp").id,
            url="sftp://localhost:1", state="draft",
        )
        self.new_journal(iban(66), self.sftp, code="SFT")

    def test_activation_says_what_is_missing(self):
        with self.assertRaises(UserError) as caught:
            self.sftp.with_user(self.admin).action_activate()
        for part in ("host key", "SSH key", "user name"):
            self.assertIn(part, str(caught.exception))
        self.assertNotIn("certificate", str(caught.exception))

    def test_a_key_is_made_sealed_and_only_its_public_half_shown(self):
        self.sftp.with_user(self.admin).action_make_ssh_key()
        self.assertTrue(self.sftp.ssh_public_key.startswith("ssh-rsa AAAA"))
        key = self.sftp.sudo().ssh_key_id
        self.assertTrue(key.bank_sealed)
        self.assertFalse(key.pem_key)
        self.assertIn(b"PRIVATE KEY", self.sftp._tls_identity().private_key)
        for user in (self.preparer, self.auditor):
            with self.assertRaises(AccessError):
                self.sftp.with_user(user).action_make_ssh_key()

    def test_host_keys_are_checked_when_they_are_entered(self):
        for wrong in ("no key", "SHA256:short", "ssh-ed25519 AAAA"):
            with self.assertRaises(ValidationError):
                self.sftp.ssh_host_keys = wrong
        self.sftp.ssh_host_keys = "SHA256:" + "A" * 43

    def test_settings_reach_the_connector(self):
        self.sftp.with_user(self.admin).action_make_ssh_key()
        self.sftp.write({"ssh_host_keys": "SHA256:" + "A" * 43, "contract_code": "us"})
        with self.real(self.sftp) as connector:
            self.assertEqual(connector.line.user, "us")
            self.assertEqual(connector.line.port, 1)
        self.assertEqual(self.sftp._activation_problems(), [])


@tagged("post_install", "-at_install")
class TestFileTours(ByHandCommon, TourCommon):
    """In the browser: files go out by a click, and come in by dropping them."""

    def test_a_file_is_downloaded_and_handed_over(self):
        batch, message = self.waiting()
        self.walk("file_carry", f"{MODULE}.action_to_carry", self.preparer)
        self.assertEqual((batch.state, message.state), ("uncertain", "uncertain"))
        self.assertEqual((message.taken_by_id, message.handed_by_id), (self.preparer,) * 2)

    def test_the_address_of_the_bytes_counts_as_taking_them(self):
        """Typed in by hand, around the button."""
        _batch, message = self.waiting()
        address = f"/web/content/bank.message/{message.id}/content/x.xml?download=true"
        self.authenticate(self.auditor.login, self.auditor.login)
        self.assertNotEqual(self.url_open(address).status_code, 200)
        self.assertEqual(message.state, "queued")
        self.authenticate(self.preparer.login, self.preparer.login)
        answer = self.url_open(address)
        self.assertEqual((answer.status_code, answer.content), (200, message._raw()))
        message.invalidate_recordset()
        self.assertEqual((message.state, message.taken_by_id), ("sending", self.preparer))

    def test_documents_are_dropped_several_at_once(self):
        self.assertEqual(self.journal.bank_account_id.sanitized_acc_number, OUR_IBAN)
        self.walk("file_drop", f"{MODULE}.action_message", self.preparer)
        messages = self.env["bank.message"].search([("direction", "=", "in")])
        self.assertEqual(len(messages), 1)
        self.assertEqual(messages.uploaded_by_id, self.preparer)
