from contextlib import ExitStack
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import MODULE, BankConnectCommon, iban

GROUP = f"{MODULE}.group_approver"


class RulesCommon(BankConnectCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.standard = cls.env.ref(f"{MODULE}.approval_rule_any")
        cls.chief = cls.new_user("chief", GROUP)
        cls.owner = cls.new_user("owner", GROUP)

    @classmethod
    def new_rule(cls, name, *levels, **values):
        """A rule; each level is users, or (how many, users)."""
        rows = [level if isinstance(level, tuple) else (1, level) for level in levels]
        return cls.env["bank.approval.rule"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "level_ids": [
                    Command.create(
                        {
                            "name": f"{name} {number}",
                            "sequence": number,
                            "people": people,
                            "user_ids": [Command.set(users.ids)],
                        }
                    )
                    for number, (people, users) in enumerate(rows, start=1)
                ],
                **values,
            }
        )

    def refused(self, pattern):
        """What is done within is refused with this sentence, and leaves nothing behind."""
        stack = ExitStack()
        stack.enter_context(self.assertRaisesRegex(UserError, pattern))
        stack.enter_context(self.env.cr.savepoint())
        return stack

    def approve_as(self, batch, user, **arguments):
        batch.with_user(user).action_approve(**arguments)

    def asked(self, batch):
        return set(self.activities(batch, "approve").user_id.mapped("name"))

    def rules_of(self, batch):
        return set(batch.current_step_ids.mapped("rule_name"))


@tagged("post_install", "-at_install")
class TestApprovalRules(RulesCommon):
    """Rules decide who has to approve; all that apply must be satisfied."""

    # -- which rules apply ------------------------------------------------------------------

    def test_without_a_rule_nothing_is_sent(self):
        """Not the whole of nothing: the batch isn't even made, and the amount is named."""
        self.standard.active = False
        self.new_rule("Small", self.approver, amount_below=100)
        bill = self.new_bill(100)
        with self.refused("No approval rule applies to .*100.00.* from"):
            self.prepare(bill)
        self.assert_nothing_created(bill)
        self.assertEqual(self.prepare(self.new_bill(99.99)).state, "to_approve")

    def test_the_lower_end_belongs_to_the_range_and_the_upper_does_not(self):
        self.new_rule("Medium", self.chief, amount_from=100, amount_below=200)
        for amount, applies in ((99.99, False), (100, True), (199.99, True), (200, False)):
            with self.subTest(amount=amount):
                rules = self.rules_of(self.prepare(self.new_bill(amount)))
                self.assertEqual("Medium" in rules, applies)

    def test_every_rule_that_applies_must_be_satisfied(self):
        self.new_rule("Large", self.chief, amount_from=1000)
        batch = self.prepare(self.new_bill(1000))
        self.assertEqual(self.rules_of(batch), {"Every payment", "Large"})
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "to_approve")
        self.assertFalse(self.message_of(batch))
        self.assertEqual(batch.payment_ids.state, "draft")
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")
        self.assertEqual(len(self.message_of(batch)), 1)

    def test_amounts_are_compared_in_the_companys_currency(self):
        """Amount, rate and its day are kept with the batch."""
        day = fields.Date.today() - timedelta(days=3)
        self.env["res.currency.rate"].create(
            {"currency_id": self.usd.id, "company_id": self.company.id, "name": day, "rate": 0.5}
        )
        journal = self.new_journal(iban(901), self.connection, currency=self.usd, code="USD")
        self.new_rule("Large", self.chief, amount_from=200)
        batch = self.prepare(
            self.new_bill(100, currency_id=self.usd.id), journal_id=journal.id
        )
        self.assertEqual(batch.currency_id, self.usd)
        self.assertEqual(
            (batch.approval_amount, batch.approval_rate, batch.approval_rate_date),
            (200.0, 2.0, day),
        )
        self.assertIn("Large", self.rules_of(batch))

    def test_without_an_exchange_rate_nothing_is_sent(self):
        """One to one would be a guess, and the guess decides who approves."""
        journal = self.new_journal(iban(902), self.connection, currency=self.usd, code="USD")
        bill = self.new_bill(100, currency_id=self.usd.id)
        self.env["res.currency.rate"].search([]).unlink()
        with self.refused("no exchange rate between USD and EUR"):
            self.prepare(bill, journal_id=journal.id)

    def test_conditions_on_the_batch(self):
        other = self.new_journal(iban(903), self.connection, code="OTH")
        people = self.chief + self.owner
        for name, values in (
            ("Largest", {"payment_from": 70}),
            ("Account", {"journal_ids": [Command.set(other.ids)]}),
            ("Dollars", {"currency_ids": [Command.set(self.usd.ids)]}),
            ("Euros", {"currency_ids": [Command.set(self.eur.ids)]}),
            ("Urgent", {"urgent": True}),
        ):
            self.new_rule(name, people, **values)
        self.standard.active = False
        two = self.new_bill(60) + self.new_bill(60)
        self.assertEqual(self.rules_of(self.prepare(two)), {"Euros"})
        self.assertEqual(self.rules_of(self.prepare(self.new_bill(70))), {"Euros", "Largest"})
        self.assertEqual(
            self.rules_of(self.prepare(self.new_bill(5), journal_id=other.id)),
            {"Euros", "Account"},
        )
        self.assertEqual(
            self.rules_of(self.prepare(self.new_bill(5), urgent=True)), {"Euros", "Urgent"}
        )

    def test_conditions_on_the_payee(self):
        """First payment, another account, a young account, a country: of one and the same payee."""
        french = self.new_vendor("Ateliers", 11, country="FR")
        self.age(self.vendor.bank_ids + french.bank_ids, days=400)
        spare = self.new_user("spare", GROUP)
        people = self.chief + self.owner + spare
        self.new_rule("New", people, new_payee=True)
        self.new_rule("Young", people, account_days=30)
        self.new_rule("Changed", people, account_changed=True)
        france = [Command.set(self.env.ref("base.fr").ids)]
        self.new_rule("France", people, country_ids=france)
        self.new_rule("Young in France", people, country_ids=france, account_days=30)

        def rules(vendor=None):
            batch = self.prepare(self.new_bill(10, vendor=vendor))
            found = self.rules_of(batch) - {"Every payment"}
            for user in self.approver + people:
                if batch.state == "to_approve":
                    self.approve_as(batch, user)
            self.assertEqual(batch.state, "approved")
            return found

        self.assertEqual(rules(), {"New"})
        self.assertEqual(rules(), set())
        self.assertEqual(rules(french), {"New", "France"})
        moved = self.vendor.bank_ids.copy({"acc_number": iban(12)})
        self.confirm(moved)
        self.vendor.bank_ids[0].active = False
        self.vendor.invalidate_recordset(["bank_ids"])
        self.assertEqual(self.vendor.bank_ids, moved)
        self.assertEqual(rules(), {"Young", "Changed"})
        self.age(moved, days=31)
        self.assertEqual(rules(), set())
        # A young German account beside an old French one: no payee is both.
        young = self.new_vendor("Young", 13)
        both = self.new_bill(1, vendor=young) + self.new_bill(1, vendor=french)
        found = self.rules_of(self.prepare(both))
        self.assertEqual(found, {"Every payment", "New", "Young", "France"})

    def age(self, accounts, days):
        self.env.flush_all()
        # Odoo writes the day of creation itself.
        self.env.cr.execute(
            "UPDATE res_partner_bank SET create_date = create_date - make_interval(days => %s) "
            "WHERE id = ANY(%s)",
            (days, accounts.ids),
        )
        self.env.cr.execute(
            "UPDATE bank_account_change SET date = date - make_interval(days => %s) "
            "WHERE account_id = ANY(%s)",
            (days, accounts.ids),
        )
        self.env.invalidate_all()

    def test_a_rejected_payment_is_no_history(self):
        """Who was never paid is still new."""
        self.new_rule("New", self.chief, new_payee=True)
        self.prepare(self.new_bill(10)).with_user(self.approver).action_reject("No")
        self.assertIn("New", self.rules_of(self.prepare(self.new_bill(10))))

    # -- levels -----------------------------------------------------------------------------

    def test_levels_in_order(self):
        """The second level is asked when the first has approved, and not before."""
        self.standard.active = False
        self.new_rule("Two", self.approver, self.chief)
        batch = self.prepare(self.new_bill(10))
        self.assertEqual(self.asked(batch), {"Approver"})
        self.assertEqual(batch.current_step_ids.mapped("state"), ["open", "waiting"])
        self.assertFalse(batch.with_user(self.chief).may_approve)
        with self.assertRaisesRegex(UserError, "not your turn yet: “Two 2”"):
            self.approve_as(batch, self.chief)
        self.approve_as(batch, self.approver)
        self.assertEqual(self.asked(batch), {"Chief"})
        self.assertEqual(batch.current_step_ids.mapped("state"), ["done", "open"])
        self.assertTrue(batch.with_user(self.chief).may_approve)
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")
        self.assertFalse(self.asked(batch))

    def test_levels_in_parallel(self):
        self.standard.active = False
        self.new_rule("Two", self.approver, self.chief, in_order=False)
        batch = self.prepare(self.new_bill(10))
        self.assertEqual(self.asked(batch), {"Approver", "Chief"})
        self.approve_as(batch, self.chief)
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "approved")

    def test_one_person_counts_once(self):
        """Also who belongs to two levels, in two rules."""
        self.new_rule("Also", self.approver + self.chief)
        batch = self.prepare(self.new_bill(10))
        self.approve_as(batch, self.approver)
        self.assertFalse(batch.with_user(self.approver).may_approve)
        with self.assertRaisesRegex(UserError, "one person counts once"):
            self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "to_approve")
        self.approve_as(batch, self.owner)
        self.assertEqual(batch.state, "approved", "Owner for every payment, Approver for Also")
        self.assertEqual(
            batch.current_step_ids.mapped("given_names"), ["Approver", "Owner"]
        )

    def test_who_is_needed_later_is_kept_for_it(self):
        self.standard.active = False
        self.new_rule("Two", self.approver + self.chief, self.chief)
        batch = self.prepare(self.new_bill(10))
        self.assertEqual(self.asked(batch), {"Approver"})
        with self.assertRaisesRegex(UserError, "needed later: .* “Two 2”"):
            self.approve_as(batch, self.chief)
        self.approve_as(batch, self.approver)
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")

    def test_several_people_of_one_level(self):
        self.standard.active = False
        self.new_rule("Pair", (2, self.approver + self.chief + self.owner))
        batch = self.prepare(self.new_bill(10))
        self.approve_as(batch, self.owner)
        self.assertEqual(self.asked(batch), {"Approver", "Chief"})
        step = batch.current_step_ids
        self.assertEqual((step.given, step.people, step.given_names), (1, 2, "Owner"))
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")

    def test_a_stranger_reads_who_is_needed(self):
        self.standard.active = False
        self.new_rule("Owner", self.owner)
        batch = self.prepare(self.new_bill(10))
        self.assertFalse(batch.with_user(self.approver).may_approve)
        with self.assertRaisesRegex(UserError, "belong to no level .* Needed: “Owner 1”"):
            self.approve_as(batch, self.approver)

    def test_too_few_people_are_noticed_before_anybody_is_asked(self):
        """Three levels that two people share; and people who are no approvers don't count."""
        self.standard.active = False
        rule = self.new_rule("Three", (2, self.approver + self.chief), self.chief)
        bill = self.new_bill(10)
        with self.refused(
            "“Three 1” of “Three”, “Three 2” of “Three”: 3 different people are needed. "
            "There are: Approver, Chief"
        ):
            self.prepare(bill)
        rule.level_ids[0].user_ids += self.clerk
        with self.refused("too few people"):
            self.prepare(bill)
        rule.level_ids[0].user_ids += self.owner
        self.assertEqual(self.prepare(bill).state, "to_approve")

    # -- in flight --------------------------------------------------------------------------

    def test_a_changed_rule_changes_no_batch_on_its_way(self):
        rule = self.new_rule("Large", self.chief, amount_from=50)
        batch = self.prepare(self.new_bill(100))
        rule.with_user(self.admin).write({"amount_from": 5000})
        rule.level_ids.with_user(self.admin).write({"user_ids": [Command.set(self.approver.ids)]})
        rule.with_user(self.admin).unlink()
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "to_approve")
        self.approve_as(batch, self.chief)
        self.assertEqual(batch.state, "approved")
        self.assertEqual(self.rules_of(self.prepare(self.new_bill(100))), {"Every payment"})

    def test_sealing_again_asks_anew(self):
        """By the rules of now, and earlier approvals no longer count."""
        self.new_rule("Large", self.chief)
        batch = self.prepare(self.new_bill(100))
        self.approve_as(batch, self.approver)
        self.vendor.name = "Müller & Sons"
        self.confirm(self.vendor.bank_ids)
        self.env["bank.approval.rule"].search([("name", "=", "Large")]).unlink()
        batch.with_user(self.preparer).action_seal_again()
        self.assertEqual(self.rules_of(batch), {"Every payment"})
        self.assertEqual(batch.current_step_ids.given, 0)
        self.approve_as(batch, self.approver)
        self.assertEqual(batch.state, "approved")
        self.assertEqual(len(batch.step_ids), 3, "what was asked before stays as evidence")

    def test_steps_and_batches_are_not_changed_by_hand(self):
        batch = self.prepare(self.new_bill(100))
        step = batch.step_ids
        for user in (self.admin, self.approver, self.preparer):
            with self.assertRaises(UserError):
                step.with_user(user).write({"people": 0})
            with self.assertRaises(UserError):
                step.with_user(user).unlink()
            with self.assertRaises(AccessError):
                step.with_user(user).create({"batch_id": batch.id, "seal": "x"})
        for values in (
            {"approval_requirement": "x"}, {"approval_amount": 1}, {"step_ids": [Command.clear()]},
            {"approval_count": 7},
        ):
            with self.assertRaises(AccessError):
                batch.with_user(self.preparer).write(values)
        with self.assertRaises(UserError):
            step.sudo().write({"people": 0})
        with self.assertRaises(AccessError):
            step.sudo().with_context(bank_engine=True).create({"batch_id": batch.id, "seal": "x"})

    def test_nothing_leaves_when_a_requirement_is_altered_in_the_database(self):
        """Fewer people by SQL, before or after the last approval: the signature tells."""
        self.new_rule("Large", self.chief)
        batch = self.prepare(self.new_bill(100))
        late = self.prepare(self.new_bill(100))
        self.approve_as(late, self.chief)
        self.approve_as(late, self.approver)
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM bank_approval_step WHERE rule_name = 'Large' AND batch_id = ANY(%s)",
            ([batch.id, late.id],),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "altered in the database"):
            self.approve_as(batch, self.approver)
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertNotEqual(late.state, "sent")

    def test_a_missing_approval_is_noticed_before_sending(self):
        self.new_rule("Large", self.chief)
        batch = self.prepare(self.new_bill(100))
        with self.assertRaisesRegex(UserError, "lacks approvals that it needs"):
            batch._check_complete()
        self.approve_as(batch, self.chief)
        self.approve_as(batch, self.approver)
        batch._check_complete()
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM bank_approval WHERE user_id = %s AND batch_id = %s",
            (self.chief.id, batch.id),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "lacks approvals that it needs: “Large 1”"):
            batch._check_complete()
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertNotEqual(batch.state, "sent")

    # -- rules themselves -------------------------------------------------------------------

    def test_only_administrators_change_rules(self):
        rule = self.standard
        for user in (self.preparer, self.approver, self.auditor, self.clerk):
            for attempt in (
                lambda user=user: rule.with_user(user).write({"active": False}),
                lambda user=user: rule.level_ids.with_user(user).write({"people": 1}),
                lambda user=user: rule.with_user(user).unlink(),
                lambda user=user: rule.with_user(user).copy(),
            ):
                with self.assertRaises(AccessError):
                    attempt()

    def test_rule_changes_are_recorded_with_old_and_new(self):
        """Also those of an administrator who approves, and whatever the context says."""
        events = self.env["bank.audit.event"]
        both = self.new_user("both", f"{MODULE}.group_admin,{GROUP}")
        rule = self.new_rule("Large", (2, self.chief + self.owner), amount_from=10)
        last = events.search([], limit=1).id
        rule = rule.with_user(both)
        rule.with_context(bank_engine=True, bank_rule_levels=True).write({"amount_from": 500})
        rule.level_ids.write({"people": 1})
        rule.unlink()
        found = events.search([("id", ">", last), ("user_login", "=", both.login)], order="id")
        self.assertEqual(
            found.mapped("kind"), ["rule_changed", "level_changed", "rule_removed"]
        )
        self.assertIn("[10.0, 500", found[0].details)
        self.assertIn('"people": [2, 1]', found[1].details)

    def test_levels_can_be_replaced_in_one_go(self):
        rule = self.new_rule("Large", self.chief)
        old = rule.level_ids
        rule.with_user(self.admin).write(
            {
                "level_ids": [
                    Command.delete(old.id),
                    Command.create({"name": "New", "user_ids": [Command.set(self.owner.ids)]}),
                ]
            }
        )
        self.assertEqual(rule.level_ids.user_ids, self.owner)

    def test_rules_that_make_no_sense_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "upper amount must be above"):
            self.new_rule("Wrong", self.chief, amount_from=10, amount_below=10)
        with self.assertRaisesRegex(ValidationError, "at least one level"):
            self.new_rule("Empty")
        with self.assertRaisesRegex(ValidationError, "choose a group or name"):
            self.new_rule("Nobody", self.env["res.users"])
        rule = self.new_rule("Right", self.chief)
        with self.assertRaisesRegex(ValidationError, "at least one level"):
            rule.level_ids.unlink()
        with self.assertRaisesRegex(ValidationError, "at least one level"):
            rule.level_ids = [Command.clear()]

    def test_another_companys_rule_neither_applies_nor_shows(self):
        other = self.new_company("Other GmbH")
        rule = self.new_rule("Theirs", self.chief, company_id=other.id)
        self.assertEqual(self.rules_of(self.prepare(self.new_bill())), {"Every payment"})
        for user in (self.admin, self.approver):
            self.assertFalse(
                self.env["bank.approval.rule"].with_user(user).search([("id", "=", rule.id)])
            )

    # -- check and simulation ---------------------------------------------------------------

    def gaps(self, kind):
        found = self.env["bank.approval.rule"]._gaps(self.company)
        return [line for line in found if line["kind"] == kind]

    def test_the_standard_rule_leaves_no_gap(self):
        self.assertEqual(self.gaps("gap") + self.gaps("people") + self.gaps("overlap"), [])

    def test_gaps_and_overlaps_are_found(self):
        """Conditions on payees can't be relied on, so they close no gap."""
        self.standard.active = False
        self.new_rule("Small", self.approver, amount_below=1000)
        self.new_rule("Middle", self.approver, amount_from=500, amount_below=2000)
        self.new_rule("New", self.chief, new_payee=True)
        self.new_rule(
            "Dollars", self.chief, amount_from=2000, currency_ids=[Command.set(self.usd.ids)]
        )
        gaps = {(line["currency"], line["from"], line["below"]) for line in self.gaps("gap")}
        self.assertEqual(gaps, {("EUR", "2000.0", None), (None, "2000.0", None)})
        overlaps = {
            (line["currency"], line["from"], line["below"], tuple(line["rules"]))
            for line in self.gaps("overlap")
        }
        self.assertEqual(
            overlaps,
            {
                (currency, "500.0", "1000.0", ("Small", "Middle"))
                for currency in ("EUR", "USD", None)
            },
        )
        text = self.gaps("gap")[0]["text"]
        self.assertIn("2,000.00", text)
        self.assertIn("no rule", text)

    def test_levels_with_too_few_people_are_found(self):
        self.new_rule("Two of one", (2, self.chief), new_payee=True)
        self.new_rule("Clerk", self.clerk)
        texts = " ".join(line["text"] for line in self.gaps("people"))
        self.assertIn("“Two of one 1” needs 2 different people. There are: Chief", texts)
        self.assertIn("“Clerk 1” needs 1 different people. There are: none", texts)

    def test_the_button_shows_what_is_found(self):
        self.standard.active = False
        self.new_rule("Small", self.approver, amount_below=1000)
        rules = self.env["bank.approval.rule"]
        for user in (self.admin, self.auditor, self.approver):
            action = rules.with_user(user).action_check()
            check = self.env[action["res_model"]].with_user(user).browse(action["res_id"])
            self.assertFalse(check.fine)
            self.assertEqual(set(check.line_ids.mapped("kind")), {"gap"})
        with self.assertRaises(AccessError):
            rules.with_user(self.clerk).action_check()

    def test_simulation_names_the_people(self):
        self.new_rule("Large", self.chief + self.owner, self.owner, amount_from=12000)
        wizard = (
            self.env["bank.approval.simulation"]
            .with_user(self.preparer)
            .create(
                {
                    "journal_id": self.journal.id,
                    "amount": 12500,
                    "partner_id": self.vendor.id,
                    "preparer_id": self.chief.id,
                }
            )
        )
        steps = {step["level"]: step["names"] for step in wizard._steps()}
        self.assertEqual(
            steps, {"Approver": ["Approver", "Owner"], "Large 1": ["Owner"], "Large 2": ["Owner"]}
        )
        self.assertIn("Owner", wizard.result)
        wizard.amount = 11999.99
        self.assertEqual([step["level"] for step in wizard._steps()], ["Approver"])
        self.standard.active = False
        self.assertIn("No rule applies", wizard.result)

    # -- scale ------------------------------------------------------------------------------

    def test_queries_do_not_grow_with_the_payments(self):
        """Rules, people kept out and steps: as many queries for 20 payments as for 2."""
        self.new_rule("New", self.chief, new_payee=True)
        self.new_rule("Young", self.owner, account_days=30)
        counts = []
        for size in (2, 20):
            vendors = [self.new_vendor(f"V{size * 100 + number}", size * 100 + number)
                       for number in range(size)]
            bills = [self.new_bill(10, vendor=vendor) for vendor in vendors]
            batch = self.prepare(self.env["account.move"].union(*bills))
            self.env.flush_all()
            self.env.invalidate_all()
            engine = batch._engine()
            engine.payment_ids.mapped("amount")  # read for the seal already
            before = self.env.cr.sql_log_count
            engine._require_approval()
            batch.with_user(self.owner).may_approve  # noqa: B018
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)
