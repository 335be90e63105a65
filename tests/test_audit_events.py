import json

from odoo import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .certificates import certificate_for, new_key
from .common import MODULE, BankConnectCommon
from .documents import camt, paid, pain002


class AuditCase(BankConnectCommon):
    def setUp(self):
        super().setUp()
        self.trail = self.env["bank.audit.event"]
        self.start = self.trail.search([], limit=1).id or 0

    def events(self, *kinds):
        """What was recorded since the test began, oldest first."""
        domain = [("id", ">", self.start)] + ([("kind", "in", kinds)] if kinds else [])
        return self.trail.search(domain, order="id")

    def kinds(self, record):
        found = self.events().filtered(
            lambda event: (event.res_model, event.res_id) == (record._name, record.id)
        )
        return found.mapped("kind")

    def details(self, *kinds):
        event = self.events(*kinds)
        self.assertEqual(len(event), 1, event.mapped("kind"))
        return json.loads(event.details)


@tagged("post_install", "-at_install")
class TestAuditEvents(AuditCase):
    """What an auditor asks about is on record, whichever way it was done."""

    def test_the_way_of_a_payment(self):
        """From the preparation to the statement: each step once, with who did it."""
        bills = self.new_bill(100) + self.new_bill(200)
        batch = self.sent(bills)
        first, second = batch.payment_ids.sorted("id")
        answer = [(first.end_to_end_id, "ACSC", None), (second.end_to_end_id, "RJCT", "AC04")]
        document = self.received(pain002(batch.reference, answer, group="PART"))
        self.assertEqual(
            self.kinds(batch)[:3], ["batch_prepared", "batch_submitted", "batch_approved"]
        )
        self.assertEqual(
            self.kinds(batch._payment_message()),
            ["message_queued", "message_attempt", "message_delivered"],
        )
        self.assertEqual(self.kinds(document), ["document_received", "document_processed"])
        self.assertEqual(self.kinds(batch.approval_ids), ["approval_given"])
        self.assertEqual(self.events("batch_submitted").user_login, self.preparer.login)
        self.assertEqual(self.events("approval_given").user_login, self.approver.login)
        said = json.loads(self.events("statuses_applied")[-1].details)
        self.assertEqual(said["statuses"], {"ACSC": 1, "RJCT": 1})
        self.assertEqual(said["document"], document.name)
        self.received(camt(paid(first)))
        self.assertEqual(self.details("statement_imported")["lines"], 1)

    def test_one_event_for_a_document_however_many_payments(self):
        bills = self.env["account.move"].union(*(self.new_bill(10 + n) for n in range(12)))
        batch = self.sent(bills)
        count = len(self.events())
        answers = [(payment.end_to_end_id, "ACSC", None) for payment in batch.payment_ids]
        self.received(pain002(batch.reference, answers, group="PART"))
        self.assertEqual(len(self.events()) - count, 4, self.events().mapped("kind"))

    def test_rejection_and_withdrawal(self):
        batch = self.prepare(self.new_bill(100))
        batch.with_user(self.approver).action_reject("Wrong vendor")
        self.assertEqual(self.details("approval_refused")["reason"], "Wrong vendor")
        self.assertEqual(self.events("batch_rejected").user_login, self.approver.login)
        batch = self.prepare(self.new_bill(100))
        batch.with_user(self.preparer).action_cancel()
        self.assertEqual(self.events("batch_withdrawn").user_login, self.preparer.login)

    def test_a_connection_changes(self):
        """Old and new are told; of secrets and certificates only fingerprints."""
        key, _pem = new_key()
        connection = self.connection.with_user(self.admin)
        connection.write({"url": "https://new.example", "consent_code": "consent-4711"})
        changes = self.details("connection_changed")["changes"]
        self.assertEqual(changes["url"], ["https://localhost:1", "https://new.example"])
        self.assertRegex(changes["consent_code"][1], "^sha256:[0-9a-f]{64}$")
        connection.trusted_certificates = certificate_for(key).decode()
        self.assertNotIn("BEGIN", "".join(self.events("connection_changed").mapped("details")))
        connection.action_suspend()
        event = self.events("connection_suspended")
        self.assertEqual(event.user_login, self.admin.login)
        self.assertFalse(event.superuser)
        connection.action_webhook_secret()
        connection.action_webhook_off()
        self.assertEqual(len(self.events("webhook_secret", "webhook_closed")), 2)
        # What the engine keeps in the same row is no configuration.
        before = len(self.events())
        self.connection.last_error = "whatever"
        self.assertEqual(len(self.events()), before)

    def test_the_rest_of_the_set_up(self):
        profile = self.connection.profile_id
        profile.with_user(self.admin).key_window_hours = 7
        self.assertEqual(self.details("profile_changed")["changes"]["key_window_hours"][1], 7)
        key, pem = new_key()
        certificate = self.env["certificate.certificate"]._bank_create(
            certificate_for(key), pem, company=self.company
        )
        self.assertRegex(self.details("certificate_imported")["sha256"], "^[0-9a-f]{64}$")
        certificate.unlink()
        self.assertTrue(self.events("certificate_removed"))
        self.journal.bank_connection_id = False
        self.assertEqual(
            self.details("journal_changed")["changes"]["bank_connection_id"],
            [self.connection.display_name, None],
        )
        self.env["bank.monitor.token"].with_user(self.admin).action_new()
        self.env["bank.monitor.token"].search([], limit=1).with_user(self.admin).unlink()
        self.assertEqual(len(self.events("token_made", "token_removed")), 2)
        self.connection.with_user(self.approver).action_bank_stop("A doubt")
        self.connection.with_user(self.admin).action_bank_resume()
        self.assertEqual(len(self.events("connection_stopped", "connection_resumed")), 2)
        self.company.with_user(self.approver).action_bank_stop("A fraud")
        self.company.with_user(self.admin).action_bank_resume()
        self.assertEqual(self.details("company_stopped")["reason"], "A fraud")
        self.assertEqual(self.events("company_resumed").user_login, self.admin.login)

    def test_who_must_approve_what(self):
        """Rules, levels and substitutes: who sets them up decides who can let money go."""
        rule = self.env["bank.approval.rule"].with_user(self.admin).create(
            {
                "name": "Large",
                "company_id": self.company.id,
                "amount_from": 1000,
                "level_ids": [Command.create({"name": "One", "user_ids": self.approver.ids})],
            }
        )
        self.assertEqual(self.details("rule_created")["values"]["amount_from"], 1000)
        level = self.details("level_created")["values"]
        self.assertEqual(level["user_ids"], [self.approver.display_name])
        rule.amount_from = 500_000
        self.assertEqual(
            self.details("rule_changed")["changes"], {"amount_from": [1000, 500_000]}
        )
        rule.level_ids.user_ids = [Command.link(self.clerk.id)]
        self.assertIn(
            self.clerk.display_name, self.details("level_changed")["changes"]["user_ids"][1]
        )
        rule.unlink()
        self.assertEqual(self.events("rule_removed").res_name, "Large")

    def test_who_may_do_what(self):
        """Every way into a group is seen: by the user, by the group, by implication."""
        group = self.env.ref(f"{MODULE}.group_approver")
        other = self.env["res.groups"].create({"name": "Back door"})
        self.outsider.group_ids = [Command.link(other.id)]
        self.assertFalse(self.events("access_changed"))
        ways = (
            (self.outsider, {"group_ids": [Command.link(group.id)]}),
            (self.outsider, {"group_ids": [Command.unlink(group.id)]}),
            (group, {"user_ids": [Command.link(self.outsider.id)]}),
            (group, {"user_ids": [Command.unlink(self.outsider.id)]}),
            (other, {"implied_ids": [Command.link(group.id)]}),
            (other, {"implied_ids": [Command.unlink(group.id)]}),
        )
        for number, (record, values) in enumerate(ways):
            record.write(values)
            event = self.events("access_changed")[number:]
            self.assertEqual((len(event), event.res_id), (1, self.outsider.id), values)
            side = "before" if number % 2 else "after"
            self.assertIn("group_approver", json.loads(event.details)[side]["groups"])
        self.approver.active = False
        self.assertFalse(json.loads(self.events("access_changed")[-1].details)["after"]["active"])

    def test_who_lets_whom_log_in(self):
        """A password that somebody else sets opens the door to decide in another's name."""
        system = self.new_user("system", "base.group_system")
        self.approver.with_user(system).password = "a-new-password-1"
        event = self.events("login_changed")
        self.assertEqual((event.res_id, event.user_login), (self.approver.id, system.login))
        self.assertEqual(json.loads(event.details), {"means": ["password"], "own": False})
        self.approver.with_user(self.approver).sudo()._change_password("another-password-1")
        self.assertTrue(json.loads(self.events("login_changed")[-1].details)["own"])
        told = self.trail.search([("details", "!=", False)]).mapped("details")
        self.assertNotIn("password-1", " ".join(told))
        # People without a part in this are nobody's business here.
        self.outsider.with_user(system).password = "a-new-password-2"
        self.assertEqual(len(self.events("login_changed")), 2)

    def test_removing_a_user_keeps_what_they_did(self):
        user = self.new_user("passing", f"{MODULE}.group_admin")
        self.connection.with_user(user).contract_code = "1"
        event = self.events("connection_changed")
        user.unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(event.user_login, "passing@bank-connect.test")
        self.assertIsNone(json.loads(self.events("access_changed")[-1].details)["after"])

    def test_no_whole_account_number(self):
        number = "DE89 3704 0044 0532 0130 00"
        self.trail._record("connection_changed", self.connection, note=f"for {number} and so on")
        note = self.details("connection_changed")["note"]
        self.assertEqual(note, "for DE89…3000 and so on")

    def test_reading_content_is_recorded(self):
        """By the API, the screen and an export; a list that shows only the size is none."""
        message = self.message_of(self.sent(self.new_bill(100)))
        self.auditor.group_ids = [Command.link(self.env.ref("base.group_allow_export").id)]
        mine = message.with_user(self.auditor)
        mine.with_context(bin_size=True).read(["name", "content"])
        mine.web_read({"name": {}, "state": {}})
        message._raw()
        self.assertFalse(self.events("evidence_read"))
        mine.read(["content"])
        mine.with_context(bin_size=True).web_read({"preview": {}})
        mine.search_read([("id", "=", mine.id)], ["content"])
        mine.export_data(["name", "content"])
        mine.batch_id.web_read({"message_ids_bank": {"fields": {"content": {}}}})
        events = self.events("evidence_read").filtered(lambda each: each.res_id == message.id)
        self.assertEqual(
            [json.loads(event.details)["way"] for event in events],
            ["api", "screen", "api", "export", "api"],
        )
        self.assertEqual(set(events.mapped("user_login")), {self.auditor.login})

@tagged("post_install", "-at_install")
class TestAuditDownload(AuditCase, HttpCase):
    """A download of evidence is recorded, by whichever address."""

    def test_download(self):
        message = self.message_of(self.sent(self.new_bill(100)))
        self.auditor.password = "auditor-password-1"
        self.authenticate(self.auditor.login, "auditor-password-1")
        # Odoo says aloud that it repeats a request which it took for one that only reads.
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/web/content?model=bank.message&id={message.id}&field=content"
            )
        self.assertEqual(answer.content, message._raw())
        event = self.events("evidence_read")
        self.assertEqual((event.res_id, event.user_login), (message.id, self.auditor.login))
        self.assertEqual((event.origin, event.address), ("web", "127.0.0.1"))
