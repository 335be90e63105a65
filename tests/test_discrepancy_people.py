import json
import zipfile
from io import BytesIO

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MODULE
from .documents import Booking, Detail, camt, pain002
from .test_access_matrix import RpcCase
from .test_discrepancy import DiscrepancyCommon


@tagged("post_install", "-at_install")
class TestDiscrepancyPeople(DiscrepancyCommon):
    """Who takes it on, who explains it, and what is remembered of it."""

    def setUp(self):
        super().setUp()
        self.received(camt(self.debit))
        self.found = self.open("unknown_debit")

    def overdue(self):
        """A discrepancy about money that the preparer prepared."""
        batch = self.sent(self.new_bill(100))
        self.received(pain002(batch.reference, group="ACCP"))
        self.age(batch, "execution_date", 9)
        self.age(self.message_of(batch), "sent_date", 9)
        return self.verify().filtered(lambda each: each.kind == "booking_overdue")

    def events(self, record):
        return self.env["bank.audit.event"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)], order="id"
        )

    def test_a_reason_is_asked_for(self):
        found = self.found.with_user(self.approver)
        for verdict, reason in ((None, "Asked the bank."), ("ours", "  "), ("nonsense", "Asked.")):
            with self.subTest(verdict=verdict), self.assertRaises(UserError):
                found.action_resolve(verdict, reason)
        self.assertEqual(self.found.state, "open")

    def test_who_prepared_the_payment_does_not_explain_it(self):
        found = self.overdue()
        self.assertFalse(found.with_user(self.preparer).may_resolve)
        with self.assertRaises(AccessError):
            self.explain(found, self.preparer, "accepted")
        # A second login of the same person.
        twin = self.new_user("twin", f"{MODULE}.group_approver")
        twin.partner_id = self.preparer.partner_id
        with self.assertRaises(AccessError):
            self.explain(found, twin, "accepted")
        self.explain(found, self.approver, "accepted", "Ms Weber of the bank: tomorrow.")
        self.assertEqual(
            (found.state, found.resolver_id), ("resolved", self.approver)
        )
        self.assertFalse(self.activities(found, "discrepancy"))

    def test_nobody_explains_twice_or_in_anothers_name(self):
        self.explain(self.found)
        with self.assertRaises(UserError):
            self.explain(self.found, self.admin)
        with self.assertRaises(AccessError):
            self.env["bank.discrepancy"].browse(self.found.id).action_reopen("By the system.")

    def test_an_explanation_is_taken_back(self):
        self.explain(self.found)
        self.found.with_user(self.admin).action_reopen("It was not the rent.")
        self.assertEqual((self.found.state, self.found.reopened), ("open", 1))
        self.assertIn("It was not the rent", self.chatter(self.found))

    def test_everything_is_on_the_audit_trail(self):
        self.found.with_user(self.preparer).action_take()
        self.explain(self.found, self.admin)
        self.found.with_user(self.approver).action_reopen("It was not the rent.")
        self.env["bank.debit.known"].create({"name": "X", "partner_name": "Stranger Ltd"})
        self.verify()
        events = self.events(self.found)
        self.assertEqual(
            events.mapped("kind"),
            ["discrepancy_found", "discrepancy_owned", "discrepancy_resolved",
             "discrepancy_reopened", "discrepancy_closed"],
        )
        self.assertEqual(events[2].user_login, self.admin.login)
        self.assertIn("Asked the bank", events[2].details)

    def test_owner_and_deadline_are_people_s(self):
        found = self.found.with_user(self.preparer)
        found.write({"owner_id": self.approver.id, "deadline": fields.Date.today()})
        self.assertEqual(self.found.owner_id, self.approver)
        self.age(self.found, "deadline", 1)
        late = self.env["bank.discrepancy"].search([("overdue", "=", True)])
        self.assertEqual(late, self.found)
        self.assertTrue(self.found.overdue)
        self.assertNotIn(
            self.found, self.env["bank.discrepancy"].search([("overdue", "=", False)])
        )
        for values in ({"state": "resolved"}, {"severity": "note"}, {"facts": {}}, {"key": "x"}):
            with self.subTest(values), self.assertRaises(AccessError):
                found.write(values)
        with self.assertRaises(UserError):
            found.write({"owner_id": self.new_user(
                "elsewhere", companies=self.new_company("Other GmbH"),
                groups=f"{MODULE}.group_preparer",
            ).id})
        with self.assertRaises(AccessError):
            self.env["bank.discrepancy"].with_user(self.admin).create({"key": "x"})
        with self.assertRaises(AccessError):
            self.found.sudo().unlink()

    def test_other_companies_see_and_hear_nothing(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_admin", companies=other)
        theirs = self.env["bank.discrepancy"].with_user(stranger).with_context(
            allowed_company_ids=other.ids
        )
        self.assertFalse(theirs.search([]))
        with self.assertRaises(AccessError):
            theirs.browse(self.found.id).action_resolve("ours", "It is mine.")
        self.assertNotIn(stranger, self.activities(self.found, "discrepancy").user_id)
        self.assertNotIn(stranger.partner_id, self.found.message_ids.notified_partner_ids)

    def test_accounts_are_masked_in_the_evidence(self):
        number = "DE02120300000000202051"
        document = camt(
            Booking("-9.00", [Detail(payee="Somebody", text=f"from {number}")], "M1"),
            opening="925.00",
        ).replace(
            b"</Cdtr>", f"</Cdtr><CdtrAcct><Id><IBAN>{number}</IBAN></Id></CdtrAcct>".encode()
        )
        self.received(document)
        found = self.open("unknown_debit") - self.found
        self.assertIn("DE02…2051", found.figures)
        self.assertNotIn(number, json.dumps(found.facts))
        self.explain(found, reason=f"They wrote {number} themselves.")
        self.assertNotIn(number, found.reason)

    def test_what_a_preparer_remembers_is_confirmed_by_somebody_else(self):
        self.explain(self.found, self.preparer, remember=True)
        known = self.env["bank.debit.known"].search([("discrepancy_id", "=", self.found.id)])
        self.assertEqual(known.state, "proposed")
        with self.assertRaises(AccessError):
            known.with_user(self.preparer).action_confirm()
        with self.assertRaises(AccessError):
            known.with_user(self.admin).write({"state": "confirmed"})
        known.with_user(self.approver).action_confirm()
        self.assertEqual((known.state, known.confirmer_id), ("confirmed", self.approver))
        self.assertEqual(
            self.events(known).mapped("kind"), ["known_debit_created", "known_debit_changed"]
        )

    def test_only_a_debit_that_is_ours_is_remembered(self):
        with self.assertRaises(UserError):
            self.explain(self.found, verdict="claimed", remember=True)

    def test_verify_now(self):
        action = self.connection.with_user(self.auditor).action_verify_now()
        self.assertEqual(action["res_model"], "bank.discrepancy")
        run = self.env["bank.verification"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        self.assertEqual(run.user_id, self.auditor)
        self.assertTrue(run.finished_on)
        with self.assertRaises(AccessError):
            self.env["bank.verification"].with_user(self.clerk).action_verify_now()

    def test_after_a_day_it_is_an_alert(self):
        watch = self.env["bank.watch"]

        def alerted():
            return self.connection.id in [
                each.connection_id for each in watch._findings() if each.code == "discrepancy"
            ]

        self.assertFalse(alerted())
        self.age(self.found, "found_on", 2)
        self.assertTrue(alerted())
        self.explain(self.found)
        self.assertFalse(alerted())

    def test_the_monitoring_counts_it(self):
        line = self.env["bank.monitor"].search([("connection_id", "=", self.connection.id)])
        self.assertEqual(line.discrepancy_count, 1)
        figures = self.env["bank.monitor"]._figures(self.company)
        self.assertEqual(figures["connections"][0]["discrepancies"], {"unknown_debit": 1})
        self.assertNotIn("75", json.dumps(figures["connections"][0]["discrepancies"]))

    def test_it_is_in_the_evidence(self):
        self.explain(self.found, reason="The rent, by standing order.")
        pack = self.env["bank.evidence.pack"].with_user(self.auditor)._request(
            self.company, date_from=fields.Date.today(), date_to=fields.Date.today()
        )
        self.run_cron("evidence")
        self.assertEqual(pack.state, "ready", pack.error)
        stream = BytesIO()
        pack._hand_out(stream)
        with zipfile.ZipFile(stream) as file:
            said = json.loads(file.read("verification/discrepancies.json"))
        self.assertEqual([each["id"] for each in said], self.found.ids)
        self.assertEqual(said[0]["reason"], "The rent, by standing order.")
        self.assertIn("75.00 EUR", said[0]["sentence"])


@tagged("post_install", "-at_install")
class TestDiscrepancyRpc(DiscrepancyCommon, RpcCase):
    """Nothing is explained past the buttons, by any program."""

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_by_rpc(self):
        self.received(camt(self.debit))
        found = self.open("unknown_debit")
        for user in (self.auditor, self.clerk, self.outsider):
            self.log_in(user)
            for method, *arguments in (
                ("action_resolve", "ours", "I say so."), ("action_reopen", "I say so."),
                ("action_take",), ("write", {"state": "resolved"}), ("write", {"owner_id": 1}),
                ("unlink",),
            ):
                with self.subTest(user=user.name, method=method):
                    _result, error = self.rpc("bank.discrepancy", method, found.ids, *arguments)
                    self.assertEqual(error["name"], "AccessError")
        self.log_in(self.approver)
        context = {"context": {"bank_engine": True}}
        _result, error = self.rpc(
            "bank.discrepancy", "write", found.ids, {"state": "resolved"}, **context
        )
        self.assertEqual(error["name"], "AccessError")
        found.invalidate_recordset()
        self.assertEqual((found.state, found.owner_id.id), ("open", False))
