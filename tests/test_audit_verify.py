import base64
import io
import json
import os
from argparse import Namespace
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..cli.bank_audit import BankAudit
from ..models import audit_chain, bank_audit_verify, keyring
from .common import MODULE, BankConnectCommon

CHECK_LOG = f"odoo.addons.{MODULE}.models.bank_audit_check"


class VerifyCase(BankConnectCommon):
    def setUp(self):
        super().setUp()
        self.trail = self.env["bank.audit.event"]
        self.checks = self.env["bank.audit.check"]
        # What the installation recorded was signed under no key, or another one than the tests'.
        self.env.cr.execute("ALTER TABLE bank_audit_event DISABLE TRIGGER USER")
        self.env.cr.execute("DELETE FROM bank_audit_event")
        self.env.cr.execute("ALTER TABLE bank_audit_event ENABLE TRIGGER USER")
        self.checks.search([]).unlink()
        for number in range(9):
            self.trail._record("connection_changed", self.connection, number=number)
        self.trail._link_pending()

    def sql(self, statement, *values):
        """What somebody does who may switch triggers off."""
        self.env.cr.execute("ALTER TABLE bank_audit_event DISABLE TRIGGER USER")
        self.env.cr.execute(statement, values)
        self.env.cr.execute("ALTER TABLE bank_audit_event ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def rehash(self, start):
        """Make the hashes from a position on fit again, as anybody can who has no key."""
        rows = list(self.trail._slices())
        previous = rows[start - 2]["hash"] if start > 1 else audit_chain.START
        for row in rows[start - 1 :]:
            digest = audit_chain.link_hash(row, row["position"], previous)
            self.sql(
                "UPDATE bank_audit_event SET previous_hash = %s, hash = %s WHERE id = %s",
                previous, digest, row["id"],
            )
            previous = digest

    def assert_broken(self, code, position, **options):
        found = self.trail._examine(**options)
        self.assertEqual(found.result, "broken")
        self.assertEqual((found.fault.code, found.fault.position), (code, position))
        return found.fault


@tagged("post_install", "-at_install")
class TestAuditVerify(VerifyCase):
    """Whoever changes the trail by SQL, triggers or not, is found out; the first place is named."""

    def test_nothing_is_wrong(self):
        found = self.trail._examine()
        self.assertEqual((found.result, found.fault, found.position), ("intact", None, 9))

    def test_an_edit(self):
        """Of any column, also where the hashes are made to fit."""
        edits = (
            ("user_login", "'somebody'"), ("details", "'{}'"), ("date", "date - interval '1 day'"),
            ("res_id", "res_id + 1"), ("company_number", "NULL"), ("kind", "'batch_approved'"),
            ("superuser", "NOT superuser"), ("address", "'10.0.0.1'"),
        )
        for column, value in edits:
            with self.subTest(column=column):
                point = self.env.cr.savepoint()
                self.sql(f"UPDATE bank_audit_event SET {column} = {value} WHERE position = 4")
                fault = self.assert_broken("edited", 4)
                self.assertEqual(fault.event_id, self.at(4).id)
                self.rehash(4)
                self.assert_broken("forged_event", 4)
                point.close(rollback=True)
                self.env.invalidate_all()

    def at(self, position):
        return self.trail.search([("position", "=", position)])

    def test_a_deletion(self):
        """In the middle, with the gap closed or not, and at the beginning."""
        for position in (1, 5):
            with self.subTest(position=position):
                point = self.env.cr.savepoint()
                self.sql("DELETE FROM bank_audit_event WHERE position = %s", position)
                self.assert_broken("missing", position)
                for number in range(position + 1, 10):
                    self.sql(
                        "UPDATE bank_audit_event SET position = %s WHERE position = %s",
                        number - 1, number,
                    )
                self.assert_broken("moved", position)
                self.rehash(position)
                self.assert_broken("forged_link", position)
                point.close(rollback=True)
                self.env.invalidate_all()

    def test_a_reordering(self):
        for old, new in ((3, 100), (6, 3), (100, 6)):
            self.sql("UPDATE bank_audit_event SET position = %s WHERE position = %s", new, old)
        self.assert_broken("moved", 3)
        self.rehash(3)
        self.assert_broken("forged_link", 3)

    def test_an_insertion(self):
        """An invented event, and a copy of a genuine one, linked by us or by whoever made it."""
        columns = ", ".join(name for name in (*audit_chain.CONTENT, "content_mac") if name != "id")
        copied = (
            f"INSERT INTO bank_audit_event ({columns}) "
            f"SELECT {columns} FROM bank_audit_event WHERE position = 2"
        )
        point = self.env.cr.savepoint()
        self.env.cr.execute(copied)
        self.assert_broken("forged_event", None)
        self.trail._link_pending()
        self.assert_broken("forged_event", 10)
        point.close(rollback=True)
        self.env.invalidate_all()
        self.sql("UPDATE bank_audit_event SET position = position + 100 WHERE position > 4")
        self.sql("UPDATE bank_audit_event SET position = position - 99 WHERE position > 100")
        self.env.cr.execute(copied)
        self.sql("UPDATE bank_audit_event SET position = 5 WHERE position IS NULL")
        self.rehash(5)
        self.assert_broken("forged_event", 5)

    def test_a_signature_taken_away(self):
        """Who strips signatures, since they can't make them, leaves what is not proven."""
        self.sql("UPDATE bank_audit_event SET content_mac = NULL WHERE position = 4")
        self.assert_broken("edited", 4)
        self.rehash(4)
        self.assert_broken("forged_link", 4)
        self.sql("UPDATE bank_audit_event SET chain_mac = NULL WHERE position >= 4")
        found = self.trail._examine()
        self.assertEqual((found.result, found.first_doubtful), ("unproven", 4))

    def test_a_wrong_signature(self):
        self.sql(
            "UPDATE bank_audit_event SET chain_mac = translate(chain_mac, '0123', '1230') "
            "WHERE position = 7"
        )
        self.assert_broken("forged_link", 7)

    def test_the_end_cut_off(self):
        """A chain that is shorter than it was betrays itself by a head taken before."""
        head = self.trail._head()
        heads = {head["position"]: head["hash"]}
        self.sql("DELETE FROM bank_audit_event WHERE position > 6")
        self.assertEqual(self.trail._examine().result, "intact", "nothing inside betrays it")
        self.assert_broken("truncated", 7, heads=heads)
        for number in range(5):
            self.trail._record("connection_changed", self.connection, other=number)
        self.trail._link_pending()
        self.assert_broken("rewritten", 9, heads=heads)

    def test_an_event_left_without_a_place(self):
        self.trail._record("connection_changed", self.connection)
        self.assertEqual(self.trail._examine().result, "intact", "it happened just now")
        late = fields.Datetime.now() + 2 * bank_audit_verify.LATE
        with patch.object(bank_audit_verify, "datetime") as clock:
            clock.now.return_value = late
            self.assert_broken("unlinked", None)

    def test_slices(self):
        """However many events there are, a few are held at a time; none is passed over."""
        with patch.object(bank_audit_verify, "SLICE", 3):
            self.assertEqual(self.trail._examine().position, 9)
            self.sql("UPDATE bank_audit_event SET user_login = 'x' WHERE position = 7")
            self.assert_broken("edited", 7)

    # -- keys -----------------------------------------------------------------------------

    def without_key(self):
        return (
            patch.dict(os.environ, {keyring.ENVIRONMENT_VARIABLE: ""}),
            patch.object(keyring, "_from_file", lambda _path: ""),
        )

    def test_without_a_master_key(self):
        """Work goes on and events are linked; what was not signed stays unsigned, and is told."""
        environment, file = self.without_key()
        with environment, file:
            self.trail._record("connection_changed", self.connection)
            self.trail._link_pending()
            found = self.trail._examine()
            self.assertEqual((found.result, found.unchecked, found.unsigned), ("unproven", 9, 1))
        self.trail._record("connection_changed", self.connection)
        self.trail._link_pending()
        found = self.trail._examine()
        self.assertEqual((found.result, found.position), ("unproven", 11))
        self.assertEqual((found.unsigned, found.unchecked, found.first_doubtful), (1, 0, 10))
        # It can't be signed afterwards without being found out.
        event = next(row for row in self.trail._slices() if row["position"] == 10)
        mac = self.trail._sign(audit_chain.event_message(event))
        self.sql("UPDATE bank_audit_event SET content_mac = %s WHERE position = 10", mac)
        self.assert_broken("edited", 10)

    def test_a_key_that_is_not_here(self):
        with patch.dict(os.environ, {keyring.ENVIRONMENT_VARIABLE: "other:" + "a" * 44}):
            found = self.trail._examine()
        self.assertEqual((found.result, found.unchecked), ("unproven", 9))

    # -- checks ---------------------------------------------------------------------------

    def test_a_check_is_kept_and_recorded(self):
        action = self.checks.with_user(self.auditor).action_verify()
        check = self.checks.browse(action["res_id"])
        self.assertEqual((check.result, check.position), ("intact", 9))
        self.assertEqual(check.create_uid, self.auditor)
        self.assertEqual(self.trail.search([], limit=1).kind, "audit_verified")

    @mute_logger(CHECK_LOG)
    def test_a_break_calls_people_once(self):
        """Administrators and auditors get a task that names the place, and one only."""
        self.sql("UPDATE bank_audit_event SET user_login = 'x' WHERE position = 7")
        check = self.checks._verify()
        self.assertEqual((check.break_code, check.break_position), ("edited", 7))
        self.assertIn("Event 7", check.summary)
        tasks = self.activities(check, "audit")
        self.assertLessEqual(self.admin | self.auditor, tasks.user_id)
        self.assertNotIn(self.preparer, tasks.user_id)
        self.assertIn("Event 7", tasks[0].summary)
        self.assertFalse(self.activities(self.checks._verify(), "audit"))

    @mute_logger(CHECK_LOG)
    def test_a_check_knows_the_heads_of_earlier_ones(self):
        self.assertEqual(self.checks._verify().result, "intact")
        self.sql("DELETE FROM bank_audit_event WHERE position > 6 OR position IS NULL")
        self.assertEqual(self.checks._verify().break_code, "truncated")

    def test_only_auditors_and_administrators(self):
        for user in (self.preparer, self.approver, self.clerk, self.outsider):
            for attempt in (
                lambda user=user: self.checks.with_user(user).action_verify(),
                lambda user=user: self.checks.with_user(user)._export_head(),
                lambda user=user: self.trail.with_user(user).search([]),
                lambda user=user: self.checks.with_user(user).search([]),
            ):
                with self.assertRaises(AccessError):
                    attempt()
        with self.assertRaises(AccessError):
            self.checks.with_user(self.auditor).create({"result": "intact"})

    def test_companies(self):
        """Of another company's business nothing is seen; of what concerns all, everything."""
        other = self.env["res.company"].create({"name": "Other"})
        self.trail._record("settings_changed", company=other)
        self.trail._record("settings_changed", company=self.company)
        self.trail._record("profile_changed", self.connection.profile_id)
        kinds = ("settings_changed", "profile_changed")
        seen = self.trail.with_user(self.auditor).search([("kind", "in", kinds)])
        self.assertEqual(
            sorted(seen.mapped("company_number")), [0, self.company.id], seen.mapped("kind")
        )

    # -- heads ----------------------------------------------------------------------------

    def compare(self, text):
        wizard = self.env["bank.audit.wizard"].with_user(self.auditor).create(
            {"head": base64.b64encode(text.encode())}
        )
        return self.checks.browse(wizard.action_verify()["res_id"])

    @mute_logger(CHECK_LOG)
    def test_an_exported_head(self):
        text = json.dumps(self.checks.with_user(self.auditor)._export_head())
        self.assertEqual(self.compare(text).result, "intact")
        self.sql("DELETE FROM bank_audit_event WHERE position >= 9 OR position IS NULL")
        self.sql("DELETE FROM bank_audit_check")
        self.assertEqual(self.compare(text).break_code, "truncated")

    def test_heads_that_are_none(self):
        head = self.trail._head()
        for wrong in (
            {**head, "position": 3}, {**head, "hash": "0" * 64}, {**head, "mac": None},
            {**head, "mac": "test:00"}, {**head, "mac": "nobody:00"}, {**head, "format": "x"}, [],
            "x",
        ):
            with self.assertRaises(UserError):
                self.compare(json.dumps(wrong))
        with self.assertRaises(UserError):
            self.compare("no JSON")

    def test_the_head_is_mailed(self):
        self.env["ir.config_parameter"].set_param(
            "account_bank_connect.audit_head_email", "auditor@example.com"
        )
        self.run_cron("audit_verify")
        mail = self.env["mail.mail"].search([], order="id desc", limit=1)
        self.assertEqual(mail.email_to, "auditor@example.com")
        head = json.loads(mail.attachment_ids.raw)
        self.assertEqual(head["position"], 9)
        self.assertTrue(self.trail._read_head(json.dumps(head)))

    @mute_logger(CHECK_LOG)
    def test_the_command_line(self):
        """It says how the trail is and ends with a code; a head kept elsewhere is compared."""
        with TemporaryDirectory() as folder:
            head = Path(folder, "head.json")

            def run(**options):
                said = io.StringIO()
                options = Namespace(**{"head": None, "export": None, **options})
                with self.enter_registry_test_mode(), redirect_stdout(said):
                    code = BankAudit()._verify(self.env.cr.dbname, options)
                self.env.invalidate_all()
                return code, said.getvalue()

            self.assertEqual(run(export=head)[0], 0)
            self.assertEqual(json.loads(head.read_text())["position"], 9)
            self.assertEqual(run(head=head)[0], 0)
            # The end cut off, with all that the database itself remembers of it.
            self.sql("DELETE FROM bank_audit_event WHERE position >= 9 OR position IS NULL")
            self.assertEqual(run()[0], 0)
            self.assertEqual(run(head=head)[0], 1)
            self.sql("UPDATE bank_audit_event SET details = '{}' WHERE position = 4")
            code, said = run()
            self.assertEqual(code, 1)
            self.assertIn("4", said)

    def test_late(self):
        self.assertGreater(bank_audit_verify.LATE, timedelta(minutes=10), "two runs of the action")


@tagged("post_install", "-at_install")
class TestAuditHead(VerifyCase, HttpCase):
    def test_download(self):
        """The head is downloaded by auditors, and that is recorded."""
        for user, code in ((self.auditor, 200), (self.preparer, 403)):
            user.password = "a-long-password-1"
            self.authenticate(user.login, "a-long-password-1")
            with mute_logger("odoo.http"):
                answer = self.url_open("/bank_connect/audit/head")
            self.assertEqual(answer.status_code, code)
            if code == 200:
                self.assertTrue(self.trail._read_head(answer.text))
        self.assertEqual(
            self.trail.search([("kind", "=", "audit_exported")]).user_login, self.auditor.login
        )
