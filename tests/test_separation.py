from datetime import timedelta

from odoo import SUPERUSER_ID, Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import MODULE, iban
from .test_approval_rules import GROUP, RulesCommon


@tagged("post_install", "-at_install")
class TestSeparation(RulesCommon):
    """Whoever has a hand in a payment does not approve it, whatever rights the person has."""

    def with_account_by(self, user, **values):
        """A vendor whose account this user entered and somebody else trusted."""
        user.group_ids += self.env.ref("base.group_partner_manager")
        vendor = self.env["res.partner"].create({"name": "Vendor of theirs", **values})
        account = (
            self.env["res.partner.bank"]
            .with_user(user)
            .create({"acc_number": iban(501), "partner_id": vendor.id})
        )
        self.confirm(self.env["res.partner.bank"].browse(account.id), user=self.chief)
        return vendor

    # -- preparer -----------------------------------------------------------------------------

    def test_who_sealed_it_again_does_not_approve(self):
        """A second preparer who vouches for a change is a preparer too."""
        second = self.new_user("second", f"{MODULE}.group_preparer,{GROUP}")
        batch = self.prepare(self.new_bill())
        self.vendor.name = "Müller & Sons"
        self.confirm(self.vendor.bank_ids)
        batch.with_user(second).action_seal_again()
        self.assertFalse(batch.with_user(second).may_approve)
        with self.assertRaisesRegex(AccessError, "You prepared"):
            self.approve_as(batch, second)
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "approved")

    def test_a_company_with_one_approver_who_prepares_sends_nothing(self):
        self.approver.group_ids += self.env.ref(f"{MODULE}.group_preparer")
        (self.chief + self.owner).active = False
        bill = self.new_bill()
        with self.refused("too few people may approve"):
            self.open_wizard(bill, user=self.approver).action_send()
        self.assertEqual(self.prepare(bill).state, "to_approve")

    # -- payee's account ------------------------------------------------------------------------

    def test_who_entered_the_payees_account_does_not_approve(self):
        batch = self.prepare(self.new_bill(vendor=self.with_account_by(self.approver)))
        self.assertNotIn("Approver", self.asked(batch))
        self.assertFalse(batch.with_user(self.approver).may_approve)
        with self.assertRaisesRegex(AccessError, "created or changed the bank account of Vendor"):
            self.approve_as(batch, self.approver)
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")

    def test_nor_for_one_payment_of_many(self):
        theirs = self.new_bill(vendor=self.with_account_by(self.approver))
        batch = self.prepare(self.new_bill() + self.new_bill() + theirs)
        with self.assertRaisesRegex(AccessError, "created or changed"):
            self.approve_as(batch, self.approver)

    def test_nor_as_a_substitute(self):
        batch = self.prepare(self.new_bill(vendor=self.with_account_by(self.approver)))
        self.appoint(self.chief, self.approver)
        with self.assertRaisesRegex(AccessError, "created or changed"):
            self.approve_as(batch, self.approver, on_behalf_of=self.chief.id)

    # -- the system ----------------------------------------------------------------------------

    def test_the_system_does_not_approve(self):
        """Neither OdooBot nor sudo without a person, even with the approver's right."""
        robot = self.env.ref("base.user_root")
        robot.group_ids += self.env.ref(GROUP)
        batch = self.prepare(self.new_bill())
        for attempt in (
            lambda: batch.with_user(SUPERUSER_ID).action_approve(),
            lambda: batch.with_user(robot).sudo().action_approve(),
            lambda: batch.sudo().action_approve(),
            lambda: batch.sudo().action_reject("no"),
        ):
            with self.assertRaisesRegex(AccessError, "A person has to decide"):
                attempt()
        self.assertEqual(batch.state, "to_approve")

    def test_a_decision_past_rights_is_marked(self):
        """Code that runs as a person with sudo: the person's limits hold, and it is noted."""
        batch = self.prepare(self.new_bill())
        with self.assertRaises(AccessError):
            batch.with_user(self.clerk).sudo().action_approve()
        with self.assertRaises(AccessError):
            batch.with_user(self.preparer).sudo().action_approve()
        batch.with_user(self.approver).sudo().action_approve()
        self.assertEqual(batch.approval_ids.user_id, self.approver)
        self.assertTrue(batch.approval_ids.superuser)
        self.assertFalse(self.approve(self.prepare(self.new_bill())).approval_ids.superuser)

    def twin(self, user):
        """A second login of the same person, an approver as well."""
        twin = self.new_user(f"{user.name} again", GROUP)
        twin.partner_id = user.partner_id
        return twin

    def test_a_second_login_is_no_second_person(self):
        """Neither of who prepared, nor of who entered the account, nor of who approved."""
        batch = self.prepare(self.new_bill())
        twin = self.twin(self.preparer)
        with self.assertRaisesRegex(AccessError, "You prepared"):
            self.approve_as(batch, twin)
        entered = self.prepare(self.new_bill(vendor=self.with_account_by(self.owner)))
        with self.assertRaisesRegex(AccessError, "created or changed"):
            self.approve_as(entered, self.twin(self.owner))
        self.standard.active = False
        again = self.twin(self.approver)
        self.new_rule("Pair", (2, self.approver + again + self.owner))
        pair = self.prepare(self.new_bill())
        self.approve_as(pair, self.approver)
        with self.assertRaisesRegex(UserError, "one person counts once"):
            self.approve_as(pair, again)
        self.assertEqual(pair.state, "to_approve")
        self.approve_as(pair, self.owner)
        self.assertEqual(pair.state, "approved")

    def test_two_logins_are_not_two_people_to_ask(self):
        self.standard.active = False
        self.new_rule("Pair", (2, self.approver + self.twin(self.approver)))
        with self.assertRaisesRegex(UserError, "too few people"):
            self.prepare(self.new_bill())

    def test_a_scheduled_action_does_not_decide_in_a_persons_name(self):
        batch = self.prepare(self.new_bill())
        transaction = self.env.transaction
        self.addCleanup(setattr, transaction, "default_env", transaction.default_env)
        transaction.default_env = self.env(context={"cron_id": 1})
        with self.assertRaisesRegex(AccessError, "not a scheduled action"):
            self.approve_as(batch, self.approver)
        self.assertFalse(batch.approval_ids)

    def test_an_approver_of_another_company_does_not_approve_with_sudo(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", GROUP, other)
        batch = self.prepare(self.new_bill())
        with self.assertRaisesRegex(AccessError, "Only an approver of Payer GmbH"):
            batch.with_user(stranger).sudo().action_approve()

    def test_who_left_does_not_approve(self):
        batch = self.prepare(self.new_bill())
        self.approver.active = False
        with self.assertRaises(AccessError):
            self.approve_as(batch, self.approver)
        self.assertNotIn("Approver", batch.current_step_ids.next_names)

    def test_who_lost_the_right_does_not_approve(self):
        batch = self.prepare(self.new_bill())
        self.approver.group_ids -= self.env.ref(GROUP)
        with self.assertRaises(AccessError):
            self.approve_as(batch, self.approver)

    # -- forged ---------------------------------------------------------------------------------

    def test_approvals_and_steps_are_made_by_nobody_else(self):
        batch = self.prepare(self.new_bill())
        row = {
            "batch_id": batch.id,
            "user_id": self.chief.id,
            "decision": "approved",
            "seal": batch.seal,
            "requirement": batch.approval_requirement,
            "counts_for": "1",
        }
        for user in (self.preparer, self.approver, self.admin):
            with self.assertRaises(AccessError):
                self.env["bank.approval"].with_user(user).create(row)
        # Code past all rights gets no signature for somebody else either.
        for anybody in (self.env, self.env(user=self.approver), self.env(user=self.admin)):
            with self.assertRaises(AccessError):
                anybody["bank.approval"].sudo().create(row)
        self.assertFalse(batch.approval_ids)
        self.assertEqual(batch.state, "to_approve")

    def test_an_approval_written_by_sql_is_not_believed(self):
        """A row for the missing person, with a signature taken from elsewhere: nothing leaves."""
        real = self.approve(self.prepare(self.new_bill())).approval_ids
        self.standard.active = False
        self.new_rule("Two", self.approver, self.chief, in_order=False)
        batch = self.prepare(self.new_bill())
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO bank_approval (batch_id, company_id, user_id, decision, seal, "
            "requirement, counts_for, moment, signature) "
            "SELECT %s, company_id, %s, decision, %s, %s, '1 2', moment, signature "
            "FROM bank_approval WHERE id = %s",
            (batch.id, self.chief.id, batch.seal, batch.approval_requirement, real.id),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "altered in the database"):
            self.approve_as(batch, self.approver)
        self.assertFalse(self.message_of(batch))

    def test_an_approval_is_for_one_batch_and_one_seal(self):
        first, second = self.prepare(self.new_bill()), self.prepare(self.new_bill())
        self.approve_as(first, self.approver)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_approval SET batch_id = %s, seal = %s, requirement = %s WHERE id = %s",
            (second.id, second.seal, second.approval_requirement, first.approval_ids.id),
        )
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            second._engine()._release()
        self.assertFalse(self.message_of(second))

    # -- substitutes ----------------------------------------------------------------------------

    def appoint(self, principal, substitute, by=None, **values):
        today = fields.Date.today()
        return (
            self.env["bank.approval.substitute"]
            .with_user(by or principal)
            .create(
                {
                    "principal_id": principal.id,
                    "substitute_id": substitute.id,
                    "date_from": today,
                    "date_to": today + timedelta(days=7),
                    "reason": "On holiday",
                    **values,
                }
            )
        )

    def needs_chief(self):
        self.standard.active = False
        self.new_rule("Chief", self.chief)
        return self.prepare(self.new_bill())

    def test_a_substitute_uses_the_others_authority(self):
        self.appoint(self.chief, self.approver)
        batch = self.needs_chief()
        self.assertEqual(self.asked(batch), {"Chief", "Approver"})
        self.assertEqual(batch.current_step_ids.next_names, "Chief (Approver)")
        self.assertTrue(batch.with_user(self.approver).may_approve)
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "approved")
        decision = batch.approval_ids
        self.assertEqual(
            (decision.user_id, decision.on_behalf_of_id), (self.approver, self.chief)
        )

    def test_one_authority_counts_once(self):
        """Not the substitute and the one who was away, not two substitutes, not both roles."""
        self.appoint(self.chief, self.approver)
        self.appoint(self.chief, self.owner)
        spare = self.new_user("spare", GROUP)
        self.standard.active = False
        people = self.chief + self.approver + self.owner + spare
        self.new_rule("Three", (3, people))
        batch = self.prepare(self.new_bill())
        self.approve_as(batch, self.approver, on_behalf_of=self.chief.id)
        with self.assertRaisesRegex(UserError, "authority was used"):
            self.approve_as(batch, self.chief)
        with self.assertRaisesRegex(UserError, "authority was used"):
            self.approve_as(batch, self.owner, on_behalf_of=self.chief.id)
        with self.assertRaisesRegex(UserError, "one person counts once"):
            self.approve_as(batch, self.approver)
        self.approve_as(batch, self.owner)
        self.assertEqual(batch.state, "to_approve")
        self.approve_as(batch, spare)
        self.assertEqual(batch.state, "approved")

    def test_a_substitute_who_prepared_is_refused(self):
        self.preparer.group_ids += self.env.ref(GROUP)
        self.appoint(self.chief, self.preparer)
        batch = self.needs_chief()
        self.assertEqual(self.asked(batch), {"Chief"})
        with self.assertRaisesRegex(AccessError, "You prepared"):
            self.approve_as(batch, self.preparer, on_behalf_of=self.chief.id)

    def test_who_prepared_does_not_approve_through_a_substitute(self):
        self.preparer.group_ids += self.env.ref(GROUP)
        self.standard.active = False
        self.new_rule("Pair", self.preparer + self.chief)
        self.appoint(self.preparer, self.approver)
        batch = self.prepare(self.new_bill())
        with self.assertRaises(UserError):
            self.approve_as(batch, self.approver, on_behalf_of=self.preparer.id)
        with self.assertRaises(UserError):
            self.approve_as(batch, self.approver)

    def test_a_substitute_acts_within_the_dates_only(self):
        today = fields.Date.today()
        batch = self.needs_chief()
        self.appoint(
            self.chief, self.approver, date_from=today - timedelta(days=9),
            date_to=today - timedelta(days=1),
        )
        self.appoint(
            self.chief, self.approver, date_from=today + timedelta(days=1),
            date_to=today + timedelta(days=9),
        )
        for arguments in ({}, {"on_behalf_of": self.chief.id}):
            with self.assertRaises(UserError):
                self.approve_as(batch, self.approver, **arguments)
        # It is tomorrow in one of these, or yesterday: the day is not for the substitute to choose.
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            self.approver.tz = zone
            for asked in (batch, batch.with_context(tz=zone)):
                with self.subTest(zone), self.assertRaises(UserError):
                    self.approve_as(asked, self.approver)

    def test_nobody_appoints_themselves(self):
        """Only who is away appoints, or an administrator, but not for the own benefit."""
        both = self.new_user("both", f"{MODULE}.group_admin,{GROUP}")
        with self.assertRaisesRegex(AccessError, "for yourself only"):
            self.appoint(self.chief, self.approver, by=self.approver)
        with self.assertRaisesRegex(AccessError, "can't take over Chief's authority"):
            self.appoint(self.chief, both, by=both)
        for user in (self.preparer, self.auditor, self.clerk):
            with self.assertRaises(AccessError):
                self.appoint(self.chief, self.approver, by=user)
        self.assertTrue(self.appoint(self.chief, self.approver, by=both))
        row = self.appoint(self.chief, self.owner)
        with self.assertRaises(AccessError):
            row.with_user(self.owner).write({"date_to": "2099-01-01"})
        with self.assertRaises(UserError):
            row.with_user(self.chief).write({"substitute_id": self.approver.id})
        with self.assertRaises(UserError):
            row.with_user(self.admin).unlink()
        with self.assertRaises(ValidationError):
            self.appoint(self.chief, self.clerk)

    # -- several at once --------------------------------------------------------------------------

    def test_each_approval_touches_the_batch(self):
        """Of two at the same moment, the database then makes one look again."""
        self.standard.active = False
        self.new_rule("Pair", (2, self.approver + self.chief))
        batch = self.prepare(self.new_bill())

        def version():
            self.env.flush_all()
            self.env.cr.execute(
                "SELECT ctid::text FROM bank_payment_batch WHERE id = %s", (batch.id,)
            )
            return self.env.cr.fetchone()[0]

        before = version()
        self.approve_as(batch, self.approver)
        self.assertNotEqual(version(), before)
        self.assertEqual(batch.approval_count, 1)

    def test_several_batches_at_once(self):
        batches = self.prepare(self.new_bill()) + self.prepare(self.new_bill())
        self.approve_as(batches, self.approver)
        self.assertEqual(batches.mapped("state"), ["approved", "approved"])


@tagged("post_install", "-at_install")
class TestSeparationByRpc(RulesCommon, HttpCase):
    """The same over the wire: no button is between the caller and the model."""

    def call(self, user, model, method, *arguments, **named):
        self.authenticate(user.login, user.login)
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {
                    "model": model, "method": method, "args": list(arguments), "kwargs": named,
                },
            },
        ).json()
        return answer.get("result"), answer.get("error", {}).get("data", {})

    def setUp(self):
        super().setUp()
        self.standard.active = False
        self.new_rule("Two", self.approver, self.chief)
        self.batch = self.prepare(self.new_bill())
        self.ids = self.batch.ids

    def approve_over(self, user, **named):
        named.setdefault("context", {"allowed_company_ids": self.company.ids})
        return self.call(user, "bank.payment.batch", "action_approve", self.ids, **named)

    def test_levels_over_the_wire(self):
        for user in (self.preparer, self.clerk, self.admin, self.auditor, self.chief, self.owner):
            _result, error = self.approve_over(user)
            self.assertTrue(error, user.name)
        self.assertFalse(self.batch.approval_ids)
        self.assertFalse(self.approve_over(self.approver)[1])
        _result, error = self.approve_over(self.approver)
        self.assertIn("one person counts once", error["message"])
        self.assertEqual(self.batch.state, "to_approve")
        self.assertFalse(self.approve_over(self.chief)[1])
        self.assertEqual(self.batch.state, "approved")

    def test_nothing_private_can_be_called(self):
        for method in (
            "_approve", "_record_decision", "_release", "_require_approval", "_engine",
            "_seal_now", "_sign_seal",
        ):
            _result, error = self.call(self.approver, "bank.payment.batch", method, self.ids)
            self.assertIn("rivate", error["message"], method)

    def test_odoos_administrator_does_not_approve_in_anothers_name(self):
        """Code on the server that borrows the approver's name: refused, for RPC and for screens."""
        system = self.new_user("system", "base.group_system")
        row = {
            "batch_id": self.batch.id, "user_id": self.approver.id, "decision": "approved",
            "seal": self.batch.seal, "requirement": self.batch.approval_requirement,
        }
        borrowed = f".with_user({self.approver.id}).sudo()"
        for code in (
            f"env['bank.payment.batch']{borrowed}.browse({self.ids}).action_approve()",
            f"env['bank.approval']{borrowed}.create({row!r})",
        ):
            action = self.env["ir.actions.server"].create({
                "name": "Approve", "state": "code", "code": code,
                "model_id": self.env.ref("base.model_res_users").id,
            })
            with mute_logger("odoo.addons.base.models.ir_actions", "odoo.http"):
                _result, error = self.call(system, "ir.actions.server", "run", action.ids)
            self.assertIn("by somebody else", error["message"])
        self.assertFalse(self.batch.approval_ids)

    def test_nobody_lends_themselves_an_authority(self):
        _result, error = self.approve_over(self.owner, on_behalf_of=self.approver.id)
        self.assertIn("not the substitute", error["message"])
        _result, error = self.call(
            self.owner, "bank.approval.substitute", "create",
            [{"principal_id": self.approver.id, "substitute_id": self.owner.id,
              "date_to": "2099-01-01", "reason": "x"}],
        )
        self.assertIn("for yourself only", error["message"])

    def test_a_rule_is_not_written_over_the_wire(self):
        rule = self.env["bank.approval.rule"].search([("name", "=", "Two")])
        for user in (self.preparer, self.approver, self.auditor):
            for model, ids, values in (
                ("bank.approval.rule", rule.ids, {"amount_from": 1e9}),
                ("bank.approval.level", rule.level_ids.ids, {"user_ids": [Command.set([user.id])]}),
                ("bank.approval.step", self.batch.step_ids.ids, {"people": 0}),
            ):
                _result, error = self.call(user, model, "write", ids, values)
                self.assertTrue(error, (user.name, model))
        self.assertEqual(rule.amount_from, 0)
