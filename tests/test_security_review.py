import io
import os
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from ..models.security_texts import CATALOGUE
from .certificates import certificate_for, new_key
from .common import MASTER_KEY, MODULE, BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestSecurityReview(BankConnectCommon):
    """The module finds its own weak places, and remembers who lives with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trail = cls.env["bank.audit.event"]
        cls.boss = cls.new_user("boss", f"{MODULE}.group_admin,{MODULE}.group_approver")
        # The one real bank; the practice bank is for the other questions.
        cls.real = cls.new_connection(
            "Real Bank", url="https://bank.example", allow_private_address=False,
            profile_id=cls.env.ref(f"{MODULE}.profile_berlin_group").id,
        )

    def review(self, user=None):
        self.env["bank.security.review"].with_user(user or self.auditor).action_review()
        return self.env["bank.security.review"].search(
            [("company_id", "=", self.company.id)], limit=1
        ).with_user(user or self.auditor)

    def sql(self, statement, values=()):
        """Change rows as time or an intruder does, past the model."""
        self.env.flush_all()
        self.env.cr.execute(statement, values)
        self.env.invalidate_all()

    def codes(self, review, **wanted):
        found = review.finding_ids
        for name, value in wanted.items():
            found = found.filtered(lambda each, name=name, value=value: each[name] == value)
        return set(found.mapped("code"))

    def finding(self, review, code, record=None):
        """The finding of a code; of one that is there, where there are closed ones as well."""
        found = review.finding_ids.filtered(
            lambda each: each.code == code
            and (record is None or (each.res_model, each.res_id) == (record._name, record.id))
        )
        return found.filtered(lambda each: each.state != "closed") or found

    # -- people -----------------------------------------------------------------------------

    def test_conflicting_rights_are_found(self):
        """Each pair of rights that one person should not have, and nobody else's name."""
        validate = self.env.ref("account.group_validate_bank_account")
        cases = {
            "rights_prepare_approve": (self.preparer, f"{MODULE}.group_approver"),
            "rights_admin_prepare": (self.admin, f"{MODULE}.group_preparer"),
            "rights_auditor_acts": (self.auditor, f"{MODULE}.group_admin"),
            "rights_system_approve": (self.approver, "base.group_system"),
        }
        review = self.review()
        self.assertTrue(self.finding(review, "rights_admin_approve", self.boss))
        for code, (user, _group) in cases.items():
            self.assertFalse(self.finding(review, code, user))
        for user, group in cases.values():
            user.group_ids += self.env.ref(group)
        self.boss.group_ids += validate
        self.preparer.group_ids += validate
        review = self.review(self.boss)
        for code, (user, _group) in cases.items():
            with self.subTest(code):
                finding = self.finding(review, code, user)
                self.assertIn(user.name, finding.text)
        self.assertTrue(self.finding(review, "rights_admin_trust", self.boss))
        self.assertTrue(self.finding(review, "rights_prepare_trust", self.preparer))

    def test_people_of_other_companies_are_not_told(self):
        other = self.new_company("Other GmbH")
        groups = f"{MODULE}.group_admin,{MODULE}.group_approver"
        stranger = self.new_user("stranger", groups, other)
        self.assertNotIn(stranger.name, " ".join(self.review().finding_ids.mapped("text")))

    def test_second_factor(self):
        """A password alone is urgent for who approves, and worth a look for who prepares."""
        review = self.review()
        self.assertEqual(self.finding(review, "second_factor", self.approver).severity, "high")
        self.assertEqual(self.finding(review, "second_factor", self.preparer).severity, "medium")
        # As Odoo's own set-up leaves it: a secret that only the server reads.
        self.sql(
            "UPDATE res_users SET totp_secret = 'SECRET' WHERE id = %s", (self.approver.id,)
        )
        self.assertFalse(self.finding(self.review(), "second_factor", self.approver).filtered(
            lambda each: each.state == "open"
        ))

    def test_inactive_approvers(self):
        log = self.env["res.users.log"].with_user(self.approver).sudo().create({})
        # Everybody was made in this test: they have been here for a year.
        self.sql(
            "UPDATE res_users SET create_date = now() AT TIME ZONE 'UTC' - interval '1 year' "
            "WHERE id IN %s", ((self.approver.id, self.boss.id),),
        )
        review = self.review()
        self.assertFalse(self.finding(review, "approver_inactive", self.approver))
        self.assertTrue(self.finding(review, "approver_inactive", self.boss))
        self.sql(
            "UPDATE res_users_log SET create_date = create_date - interval '91 days' WHERE id = %s",
            (log.id,),
        )
        self.assertTrue(self.finding(self.review(), "approver_inactive", self.approver))

    # -- rules and accounts -------------------------------------------------------------------

    def test_rules_that_leave_nobody(self):
        """Amounts without a rule, and a rule that asks for more people than there are."""
        self.assertFalse({"rule_gap", "rule_people"} & self.codes(self.review()))
        rule = self.env.ref(f"{MODULE}.approval_rule_any")
        rule.amount_below = 1000
        rule.level_ids.people = 50
        review = self.review()
        self.assertIn("rule_gap", self.codes(review, severity="high"))
        self.assertIn("rule_people", self.codes(review, severity="high"))

    def test_controls_that_are_off(self):
        self.company.with_user(self.admin).sudo().write(
            {"bank_account_control": False, "bank_step_up": False}
        )
        review = self.review()
        self.assertEqual(self.finding(review, "account_control_off").severity, "high")
        self.assertTrue(self.finding(review, "step_up_off"))
        self.company.with_user(self.admin).sudo().write(
            {"bank_account_control": True, "bank_step_up": True}
        )
        review = self.review()
        self.assertEqual(self.finding(review, "account_control_off").state, "closed")
        self.assertEqual(self.finding(review, "step_up_off").state, "closed")

    def test_accounts_that_nobody_confirmed(self):
        vendor = self.new_vendor("Waiting AG", 77, trusted=False)
        self.assertFalse(self.finding(self.review(), "account_unconfirmed"))
        self.sql(
            "UPDATE bank_account_change SET date = date - interval '8 days' WHERE account_id = %s",
            (vendor.bank_ids.id,),
        )
        self.assertIn("1", self.finding(self.review(), "account_unconfirmed").text)

    # -- connections, keys, server --------------------------------------------------------------

    def test_connections(self):
        batch = self.approved(self.new_bill())
        self.connection.action_suspend()
        self.real.sudo().write({"webhook_token": "x" * 43})
        # The model forbids it; whoever changes rows does not ask the model.
        self.sql(
            "UPDATE bank_connection SET allow_private_address = true WHERE id = %s",
            (self.real.id,),
        )
        review = self.review()
        self.assertEqual(self.message_of(batch).state, "queued")
        for code, line in (
            ("connection_queue", self.connection),
            ("connection_unpinned", self.real),
            ("connection_private", self.real),
            ("webhook_open", self.real),
        ):
            with self.subTest(code):
                self.assertIn(line.name, self.finding(review, code, line).text)
        self.assertFalse(self.finding(review, "connection_practice"))
        self.connection.sudo().state = "active"
        self.real.pinned_fingerprints = "ab" * 32
        review = self.review()
        self.assertTrue(self.finding(review, "connection_practice", self.connection))
        self.assertEqual(self.finding(review, "connection_unpinned").state, "closed")

    def certified(self, days):
        """Give the real connection a certificate that ends in so many days."""
        key, pem = new_key()
        certificate = certificate_for(key)
        self.real.certificate_id = self.env["certificate.certificate"]._bank_create(
            certificate, pem, company=self.company
        )
        self.real.trusted_certificates = certificate.decode()
        end = fields.Datetime.now() + timedelta(days=days)
        self.sql(
            "UPDATE certificate_certificate SET date_end = %s WHERE id = %s",
            (end, self.real.certificate_id.id),
        )

    def test_certificates_and_keys(self):
        self.certified(40)
        review = self.review()
        self.assertEqual(self.finding(review, "certificate_ends").severity, "medium")
        self.assertFalse({"key_plain", "key_old"} & self.codes(review))
        self.certified(10)
        self.assertEqual(self.finding(self.review(), "certificate_ends").severity, "high")
        self.certified(-1)
        key = self.real.certificate_id.private_key_id
        self.sql(
            "UPDATE certificate_key SET bank_sealed = false, "
            "create_date = create_date - interval '3 years' WHERE id = %s", (key.id,),
        )
        review = self.review()
        for code in ("certificate_ended", "key_plain", "key_old"):
            self.assertIn(self.real.name, self.finding(review, code, self.real).text)

    def test_master_keys(self):
        """No key, a key that is not here any more, and an old one that still seals something."""
        self.certified(300)
        new = MASTER_KEY.replace("test:", "new:")
        for keys, code in (
            ("", "master_missing"),
            (new, "master_unknown"),
            (f"{new},{MASTER_KEY}", "master_old"),
        ):
            with self.subTest(code), patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": keys}):
                self.assertTrue(self.finding(self.review(), code))
        # What was found is closed as soon as it is mended.
        review = self.review()
        self.assertEqual(self.finding(review, "master_old").state, "closed")
        self.assertFalse(self.finding(review, "master_missing"))

    def test_tokens(self):
        tokens = self.env["bank.monitor.token"].with_user(self.admin)
        secret = tokens.action_new()["context"]["default_secret"]
        token = tokens.search([("company_ids", "in", self.company.ids)])
        self.assertFalse({"token_old", "token_unused"} & self.codes(self.review()))
        self.sql(
            "UPDATE bank_monitor_token SET create_date = create_date - interval '400 days' "
            "WHERE id = %s", (token.id,),
        )
        self.assertLessEqual({"token_old", "token_unused"}, self.codes(self.review()))
        self.assertEqual(tokens._companies_of(secret).ids, self.company.ids)
        self.assertEqual(self.finding(self.review(), "token_unused").state, "closed")

    def test_the_server(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "http://odoo.example")
        self.assertTrue(self.finding(self.review(), "server_plain_http"))
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example")
        self.assertEqual(self.finding(self.review(), "server_plain_http").state, "closed")

    # -- what was done --------------------------------------------------------------------------

    def test_the_trail(self):
        """A trail that nobody verifies, and one that was broken."""
        checks = self.env["bank.audit.check"]
        self.assertTrue(self.finding(self.review(), "trail_unverified"))
        self.trail._link_pending()
        checks._verify()
        self.assertFalse(
            {"trail_unverified", "trail_broken"} & self.codes(self.review(), state="open")
        )
        # How a break is found out is tested with the verifier; here, that it is told.
        checks.create({"result": "broken", "break_code": "edited", "break_position": 1})
        self.assertIn("trail_broken", self.codes(self.review(), severity="high", state="open"))

    def test_failed_identity_checks(self):
        for _time in range(3):
            self.trail.with_user(self.approver)._record("step_up_failed", self.approver)
        finding = self.finding(self.review(), "step_up_failed", self.approver)
        self.assertEqual(finding.severity, "medium")
        self.assertIn("3", finding.text)

    def test_an_approver_whose_password_somebody_else_set(self):
        system = self.new_user("system", "base.group_system")
        self.approver.with_user(self.approver).sudo()._change_password("chosen-by-me-1")
        self.assertFalse(self.finding(self.review(), "login_changed", self.approver))
        self.approver.with_user(system).password = "chosen-for-you-1"
        finding = self.finding(self.review(), "login_changed", self.approver)
        self.assertIn(f"{system.login} set a password", finding.text)
        self.assertTrue(finding._concerns(self.approver) and finding._concerns(system))

    def test_decisions_of_two_people_and_of_the_superuser(self):
        batch = self.approved(self.new_bill())
        self.trail._record("settings_changed", self.company)
        review = self.review()
        self.assertIn("superuser", self.finding(review, "superuser_actions").text)
        self.assertFalse(self.finding(review, "override_resolution"))
        message = self.message_of(batch)
        message.sudo().write({"state": "uncertain"})
        evidence = self.env["ir.attachment"].with_user(self.admin).create({"name": "mail"})
        resolution = self.env["bank.resolution"].with_user(self.admin)._propose(
            message, "resend", "Asked Mr Schmidt.", evidence
        )
        resolution.with_user(self.approver).action_confirm()
        finding = self.finding(self.review(), "override_resolution", resolution)
        self.assertEqual(finding.severity, "high")
        self.assertIn(self.approver.name, finding.text)

    def test_what_can_not_be_looked_at_is_told(self):
        """A question that fails is a finding; the others are asked all the same."""
        checks = type(self.env["bank.security.check"])

        def broken(self, companies, since):
            return self.env["bank.approval.rule"]._no_such_method()

        broken.__name__ = "_rules"
        with (
            patch.object(checks, "_rules", broken),
            mute_logger("odoo.addons.account_bank_connect.models.bank_security_check"),
        ):
            review = self.review()
        self.assertIn("rules", self.finding(review, "check_failed").text)
        self.assertTrue(self.finding(review, "rights_admin_approve"))

    # -- from review to review, and who accepts ---------------------------------------------------

    def test_compared_with_the_review_before(self):
        first = self.review()
        finding = self.finding(first, "rights_admin_approve", self.boss)
        self.assertEqual((finding.trend, finding.state), ("new", "open"))
        second = self.review()
        again = self.finding(second, "rights_admin_approve", self.boss)
        self.assertEqual((again.trend, again.first_found), ("still", finding.first_found))
        self.boss.group_ids -= self.env.ref(f"{MODULE}.group_approver")
        third = self.review()
        gone = self.finding(third, "rights_admin_approve", self.boss)
        self.assertEqual((gone.trend, gone.state), ("closed", "closed"))
        self.assertEqual(third.closed, len(third.finding_ids.filtered(
            lambda each: each.state == "closed"
        )))
        self.assertFalse(self.finding(self.review(), "rights_admin_approve", self.boss))

    def test_accepted_by_somebody_else_than_the_one_concerned(self):
        """Not by oneself, not with a second login, not by the superuser, not without a reason."""
        finding = self.finding(self.review(), "rights_admin_approve", self.boss)
        twin = self.new_user("twin", f"{MODULE}.group_auditor")
        twin.sudo().partner_id = self.boss.partner_id
        for user in (self.boss, twin, self.preparer, self.approver, self.clerk):
            with self.subTest(user.name), self.assertRaises(AccessError):
                finding.with_user(user).action_accept("I am careful.")
        with self.assertRaises(AccessError):
            finding.with_user(self.env.ref("base.user_root")).action_accept("Go on.")
        with self.assertRaises(UserError):
            finding.action_accept("  ")
        finding.action_accept("Three people work here; the bank calls back above 5,000.")
        self.assertEqual(finding.state, "accepted")
        self.assertEqual(finding.accepted_by_id, self.auditor)
        event = self.trail.search([("kind", "=", "finding_accepted")], limit=1)
        self.assertIn("calls back", event.details)
        kept = self.finding(self.review(), "rights_admin_approve", self.boss)
        self.assertEqual((kept.state, kept.accepted_by_id), ("accepted", self.auditor))

    def test_an_acceptance_ends(self):
        """After a year, or when it gets worse, somebody has to say so again."""
        self.certified(40)
        review = self.review()
        certificate = self.finding(review, "certificate_ends")
        rights = self.finding(review, "rights_admin_approve", self.boss)
        (certificate + rights).action_accept("Known.")
        self.sql(
            "UPDATE bank_security_finding SET accepted_until = now() - interval '1 day' "
            "WHERE id = %s", (rights.id,),
        )
        self.sql(
            "UPDATE certificate_certificate SET date_end = now() + interval '5 days' "
            "WHERE id = %s", (self.real.certificate_id.id,),
        )
        review = self.review()
        self.assertEqual(self.finding(review, "certificate_ends").state, "open")
        self.assertEqual(self.finding(review, "rights_admin_approve", self.boss).state, "open")

    def test_only_the_latest_review_counts(self):
        old = self.finding(self.review(), "rights_admin_approve", self.boss)
        self.review()
        with self.assertRaisesRegex(UserError, "latest"):
            old.action_accept("Late.")

    def test_nobody_writes_a_review(self):
        review = self.review()
        for user in (self.admin, self.auditor, self.env.user):
            for records, values in (
                (review, {"company_id": self.company.id}),
                (review.finding_ids[:1], {"state": "closed"}),
            ):
                mine = records.with_user(user)
                for attempt in (
                    lambda mine=mine, values=values: mine.write(values),
                    lambda mine=mine, values=values: mine.sudo().write(values),
                    lambda mine=mine: mine.sudo().unlink(),
                    lambda mine=mine, values=values: mine.sudo().create(values),
                    lambda mine=mine: mine.sudo().with_context(bank_engine=True).unlink(),
                ):
                    with self.subTest(user.name), self.assertRaises(AccessError):
                        attempt()
        for user in (self.preparer, self.approver, self.clerk):
            with self.assertRaises(AccessError):
                self.env["bank.security.review"].with_user(user).action_review()

    # -- once a month, on the screen, on paper ----------------------------------------------------

    def test_once_a_month(self):
        """The scheduled action reviews every connected company, and asks people once."""
        self.run_cron("security_review")
        review = self.env["bank.security.review"].search([("company_id", "=", self.company.id)])
        self.assertTrue(review.high)
        told = self.activities(review, "security").user_id
        self.assertEqual(told, self.admin + self.boss)
        self.run_cron("security_review")
        self.assertFalse(self.activities(review, "security"))
        self.assertTrue(self.trail.search([("kind", "=", "review_made")]))

    def test_every_finding_has_words(self):
        """No code without a sentence; no sentence that lacks a fact, in what was found here."""
        self.certified(10)
        self.new_vendor("New AG", 78, trusted=False)
        review = self.review()
        self.assertGreater(len(review.finding_ids), 8)
        for finding in review.finding_ids:
            with self.subTest(finding.code):
                self.assertIn(finding.code, CATALOGUE)
                self.assertTrue(finding.text and finding.cure and finding.display_name)
                self.assertNotIn("%(", finding.text)

    def test_the_report(self):
        """What is printed: every finding, grouped by what became of it, and no account number."""
        review = self.review()
        self.finding(review, "rights_admin_approve", self.boss).action_accept("Small company.")
        report = self.env.ref(f"{MODULE}.action_report_security_review").with_user(self.auditor)
        html = str(report._render_qweb_html(report.report_name, review.ids)[0], "utf-8")
        parts = ("Newly found", "Accepted risk")
        for text in ("Security review", "Small company.", self.boss.name, *parts):
            self.assertIn(text, html)
        self.assertNotIn(iban(1), html)
        with self.assertRaises(AccessError):
            report.with_user(self.preparer)._render_qweb_html(report.report_name, review.ids)

    def test_the_report_is_a_pdf_without_wkhtmltopdf_too(self):
        """With every word of it, also Eastern ones, and over as many pages as it takes."""
        self.boss.name = "三个人在工作"
        review = self.review()
        report = self.env.ref(f"{MODULE}.action_report_security_review").with_user(self.auditor)
        with patch.object(type(report), "get_wkhtmltopdf_state", lambda _self: "install"):
            content, kind = report.with_context(force_report_rendering=True)._render_qweb_pdf(
                report.report_name, review.ids
            )
        self.assertEqual((kind, content[:5]), ("pdf", b"%PDF-"))
        pages = PdfFileReader(io.BytesIO(content)).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        self.assertIn("三个人在工作", text)
        for finding in review.finding_ids:
            words = f"{finding.display_name} {finding.text} {finding.cure}".replace("▸", "›")
            for word in words.split():
                self.assertIn(word, text, finding.code)
        self.assertEqual(
            review.with_user(self.auditor).action_print()["url"],
            f"/report/pdf/{report.report_name}/{review.id}",
        )
