from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MODULE, BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestPayeeAccount(BankConnectCommon):
    """A payee's account is paid to when a second person has confirmed it, and not before."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rights = "base.group_partner_manager,account.group_account_invoice"
        cls.keeper = cls.new_user("keeper", f"{rights},account.group_validate_bank_account")
        cls.second = cls.new_user("second", f"{rights},account.group_validate_bank_account")
        cls.other_bank = cls.env["res.bank"].create({"name": "Other", "bic": "DEUTDEFFXXX"})
        cls.account = cls.vendor.bank_ids
        cls.account.bank_id = cls.env["res.bank"].create({"name": "Theirs", "bic": "COBADEFFXXX"})
        cls.confirm(cls.account)

    def pending(self, account=None):
        return (account or self.account).bank_change_ids.filtered(
            lambda change: change.state == "pending"
        )

    def decide(self, user, account=None, note="Asked Mr Kern by telephone."):
        self.pending(account).with_user(user).action_confirm("call", note)

    def assert_paid_to(self, account=None):
        account = account or self.account
        self.assertTrue(account.allow_out_payment)
        self.assertEqual(account.bank_trust, "confirmed")
        self.assertFalse(account._bank_hold_problems(self.company))

    def assert_on_hold(self, account=None):
        account = account or self.account
        self.assertFalse(account.allow_out_payment)
        self.assertNotIn(account.bank_trust, ("confirmed", "before"))
        wizard = self.open_wizard(self.new_bill(vendor=account.partner_id))
        wizard.line_ids.partner_bank_id = account
        self.assertIn("on hold", wizard.line_ids.problem)
        with self.assertRaisesRegex(UserError, "on hold"):
            wizard.action_send()

    # -- what puts on hold ----------------------------------------------------------------------

    def test_every_change_puts_on_hold(self):
        """Number, bank, BIC, holder, owner, clearing number and currency, by who may trust."""
        partner = self.env["res.partner"].create({"name": "Mule Ltd"})
        changes = {
            "acc_number": {"acc_number": iban(4711), "allow_out_payment": False},
            "bank_id": {"bank_id": self.other_bank.id},
            "bic": {"bank_bic": "BELADEBEXXX"},
            "acc_holder_name": {"acc_holder_name": "Mule Ltd"},
            "partner_id": {"partner_id": partner.id, "allow_out_payment": False},
            "clearing_number": {"clearing_number": "37040044"},
            "currency_id": {"currency_id": self.usd.id},
        }
        for name, values in changes.items():
            with self.subTest(name), self.cr.savepoint() as savepoint:
                self.account.with_user(self.keeper).write(values)
                change = self.pending()
                self.assertEqual(len(change), 1)
                self.assertIn(name, change.values)
                self.assertEqual(change.user_id, self.keeper)
                self.assertFalse(self.account.allow_out_payment)
                self.assertTrue(self.account._bank_hold_problems(self.company))
                with self.assertRaisesRegex(AccessError, "yourself"):
                    self.decide(self.keeper)
                self.decide(self.second)
                self.assert_paid_to()
                savepoint.rollback()
                self.env.invalidate_all()

    def test_what_is_no_change_keeps_the_trust(self):
        for values in (
            {"acc_holder_name": self.account.acc_holder_name},
            {"note": "Friendly people", "sequence": 3},
            {"allow_out_payment": True, "bank_id": self.account.bank_id.id},
        ):
            self.account.with_user(self.keeper).write(values)
            self.assertFalse(self.pending())
            self.assert_paid_to()

    def test_a_new_account_waits_whoever_enters_it(self):
        """By hand, with the vendor, by import, in sudo, as superuser, or by a default."""
        keeper = self.env["res.partner.bank"].with_user(self.keeper)
        values = {"partner_id": self.vendor.id, "allow_out_payment": True}
        loaded = keeper.load(
            ["acc_number", "partner_id/.id", "allow_out_payment"],
            [[iban(5), str(self.vendor.id), "1"]],
        )
        self.assertFalse(loaded["messages"])
        vendor = self.env["res.partner"].with_user(self.keeper).create(
            {
                "name": "New",
                "bank_ids": [
                    Command.create({"acc_number": iban(6), "allow_out_payment": True})
                ],
            }
        )
        made = {
            "import": keeper.browse(loaded["ids"]),
            "vendor": vendor.bank_ids,
            "hand": keeper.create({**values, "acc_number": iban(7)}),
            "sudo": keeper.sudo().create({**values, "acc_number": iban(8)}),
            "superuser": keeper.with_user(1).create({**values, "acc_number": iban(9)}),
            "default": keeper.with_context(
                default_allow_out_payment=True, default_bank_trust="confirmed"
            ).create({"partner_id": self.vendor.id, "acc_number": iban(10)}),
            "claim": keeper.create({**values, "acc_number": iban(11), "bank_trust": "before"}),
            "owner by default": keeper.with_context(default_partner_id=self.vendor.id).create(
                {"acc_number": iban(12), "allow_out_payment": True}
            ),
            "copy": self.account.with_user(self.keeper).copy({"acc_number": iban(13)}),
        }
        for name, account in made.items():
            with self.subTest(name):
                self.assertEqual(account.bank_trust, "hold")
                self.assertEqual(self.pending(account).kind, "created")
                self.assert_on_hold(account)

    def test_trust_is_turned_on_by_a_confirmation_only(self):
        """ORM, import, sudo, superuser and other modules' code: all refused, or passed over."""
        account = self.new_vendor("New", 2, trusted=False).bank_ids
        keeper = account.with_user(self.keeper)
        for name, attempt in {
            "write": lambda: keeper.write({"allow_out_payment": True}),
            "sudo": lambda: keeper.sudo().write({"allow_out_payment": True}),
            "superuser": lambda: account.write({"allow_out_payment": True}),
            "with the change": lambda: keeper.write(
                {"acc_number": iban(3), "allow_out_payment": True}
            ),
            "by the vendor": lambda: keeper.partner_id.write(
                {"bank_ids": [Command.update(account.id, {"allow_out_payment": True})]}
            ),
            "marker by hand": lambda: keeper.with_context(
                bank_account_engine="ENGINE", bank_engine=True
            ).write({"allow_out_payment": True}),
            "state": lambda: account.write({"bank_trust": "confirmed"}),
            "copy of what was confirmed": lambda: account.write({"bank_confirmed": {}}),
            "history": lambda: account.write({"bank_change_ids": [Command.clear()]}),
        }.items():
            with self.subTest(name):
                with self.assertRaises(UserError):
                    attempt()
                self.assert_on_hold(account)
        loaded = keeper.load([".id", "allow_out_payment"], [[str(account.id), "1"]])
        self.assertTrue(loaded["messages"])
        # A data file of another module loads, and changes nothing.
        account.with_context(install_mode=True).write({"allow_out_payment": True})
        self.assert_on_hold(account)

    def test_untrust_and_edit_in_one_write(self):
        self.account.with_user(self.keeper).write(
            {"allow_out_payment": False, "acc_number": iban(99), "acc_holder_name": "Mule"}
        )
        self.assert_on_hold()
        self.assertEqual(set(self.pending().values), {"acc_number", "acc_holder_name"})

    def test_withdrawing_trust_needs_a_second_person_to_give_it_back(self):
        self.account.with_user(self.keeper).allow_out_payment = False
        self.assert_on_hold()
        with self.assertRaises(UserError):
            self.account.with_user(self.keeper).allow_out_payment = True
        with self.assertRaises(AccessError):
            self.decide(self.keeper)
        self.decide(self.second)
        self.assert_paid_to()

    def test_a_banks_bic_holds_all_its_accounts(self):
        other = self.new_vendor("Other", 2).bank_ids
        other.bank_id = self.account.bank_id
        self.confirm(other)
        self.account.bank_id.with_user(self.keeper).sudo().bic = "BELADEBEXXX"
        for account in (self.account, other):
            self.assert_on_hold(account)
            change = self.pending(account)
            self.assertEqual(
                (change.kind, change.user_id, change.values["bic"]),
                ("bank", self.keeper, {"old": "COBADEFFXXX", "new": "BELADEBEXXX"}),
            )
        self.confirm(self.account)
        self.account.bank_id.with_user(self.keeper).sudo().unlink()
        self.assertFalse(self.account.bank_id)
        self.assert_on_hold()

    def test_the_same_bic_in_other_letters_is_no_change(self):
        self.account.bank_id.bic = "cobadeffxxx"
        self.assert_paid_to()

    def test_archived_and_taken_up_again(self):
        self.account.with_user(self.keeper).active = False
        self.assertFalse(self.pending())
        self.account.with_user(self.keeper).active = True
        self.assert_on_hold()

    def test_merging_partners_moves_accounts_to_somebody_else(self):
        """Both the merged vendor's own account and that of a contact below it."""
        mule = self.new_vendor("Mule", 2)
        child = self.new_vendor("Contact of mule", 3, parent_id=mule.id, type="contact")
        accounts = mule.bank_ids + child.bank_ids
        self.assertEqual(set(accounts.mapped("bank_trust")), {"confirmed"})
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (mule + self.vendor).ids, self.vendor
        )
        self.assertEqual(accounts[0].partner_id, self.vendor)
        self.assertEqual(accounts[1].partner_id.commercial_partner_id, self.vendor)
        for account in accounts:
            self.assertEqual(len(self.pending(account)), 1)
            self.assertFalse(account.allow_out_payment)
            self.assertTrue(account._bank_hold_problems(self.company))
        self.assert_paid_to(self.account)

    def test_a_contact_that_joins_a_vendor_brings_no_trust(self):
        contact = self.new_vendor("Contact", 2)
        contact.with_user(self.keeper).write({"parent_id": self.vendor.id})
        self.assertEqual(self.pending(contact.bank_ids).kind, "payee")
        self.assertEqual(self.pending(contact.bank_ids).user_id, self.keeper)
        self.assertFalse(contact.bank_ids.allow_out_payment)

    def test_a_change_by_sql_is_found_when_it_is_paid_to(self):
        """Past the ORM nobody writes history, but nothing is paid either."""
        for query in (
            "UPDATE res_partner_bank SET acc_holder_name = 'Mule' WHERE id = %s",
            "UPDATE res_partner_bank SET clearing_number = '1' WHERE id = %s",
            "UPDATE res_partner_bank SET bank_trust = 'hold' WHERE id = %s",
            "UPDATE res_bank SET bic = 'BELADEBEXXX' "
            "WHERE id = (SELECT bank_id FROM res_partner_bank WHERE id = %s)",
        ):
            with self.subTest(query), self.cr.savepoint() as savepoint:
                self.env.flush_all()
                self.env.cr.execute(query, [self.account.id])
                self.env.invalidate_all()
                self.assertTrue(self.account.allow_out_payment)
                wizard = self.open_wizard(self.new_bill())
                self.assertIn("nobody has confirmed what it says now", wizard.line_ids.problem)
                savepoint.rollback()
                self.env.invalidate_all()
        account = self.new_vendor("New", 2, trusted=False).bank_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner_bank SET allow_out_payment = true WHERE id = %s", [account.id]
        )
        self.env.invalidate_all()
        self.assertIn("on hold", account._bank_hold_problems(self.company)[account])

    def test_accounts_from_before_the_module_say_where_to_ask(self):
        """Nothing waits under Accounts to confirm: whoever is sent there finds nobody's task."""
        accounts = (
            self.new_vendor("Old", 2, trusted=False) + self.new_vendor("Older", 3, trusted=False)
        ).bank_ids
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM bank_account_change WHERE account_id = ANY(%s)", [accounts.ids]
        )
        self.env.cr.execute(
            "UPDATE res_partner_bank SET bank_trust = NULL WHERE id = ANY(%s)", [accounts.ids]
        )
        self.env.invalidate_all()
        for problem in accounts._bank_hold_problems(self.company).values():
            self.assertIn("Press “Ask for confirmation” on the account", problem)
        # Many at once, as the list of bank accounts offers it.
        accounts.with_user(self.keeper).action_bank_ask()
        for account in accounts:
            self.assertEqual(self.pending(account).kind, "asked")
        for problem in accounts._bank_hold_problems(self.company).values():
            self.assertIn("Accounts to confirm, by one of", problem)

    # -- the second person ----------------------------------------------------------------------

    def test_who_may_confirm(self):
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        # Changed by another person as well: neither may confirm what the other did.
        self.account.with_user(self.second).clearing_number = "37040044"
        for user in (self.keeper, self.second):
            with self.assertRaisesRegex(AccessError, "yourself"):
                self.decide(user)
        for user in (self.preparer, self.clerk, self.admin, self.auditor, self.outsider):
            with self.subTest(user.name), self.assertRaises(AccessError):
                self.decide(user)
        root = self.env.ref("base.user_root")
        for attempt in (self.pending(), self.pending().with_user(root), self.pending().sudo()):
            with self.assertRaisesRegex(AccessError, "a person"):
                attempt.action_confirm("call", "It is me.")
        with self.assertRaisesRegex(AccessError, "yourself"):
            self.pending().with_user(self.keeper).sudo().action_confirm("call", "With more power.")
        self.assert_on_hold()
        self.decide(self.approver)
        self.assert_paid_to()

    def test_a_second_login_of_the_same_person_is_no_second_person(self):
        twin = new_test_user(
            self.env, "keeper2@bank-connect.test", f"{MODULE}.group_approver",
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)],
            context={"no_reset_password": True},
        )
        twin.partner_id = self.keeper.partner_id
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        with self.assertRaisesRegex(AccessError, "yourself"):
            self.decide(twin)

    def test_another_company_does_not_confirm(self):
        stranger = self.new_user(
            "stranger", f"{MODULE}.group_approver", self.new_company("Other GmbH")
        )
        self.vendor.company_id = self.company
        self.account.acc_holder_name = "New name"
        with self.assertRaises(AccessError):
            self.decide(stranger)
        self.assert_on_hold()

    def test_a_confirmation_says_how(self):
        self.account.acc_holder_name = "New name"
        change = self.pending().with_user(self.approver)
        for method, note, sentence in (
            ("call", "  ", "Say whom you asked"),
            ("guess", "I think so", "Say how"),
            (False, "I think so", "Say how"),
        ):
            with self.assertRaisesRegex(UserError, sentence):
                change.action_confirm(method, note)
        theirs = self.env["ir.attachment"].create({"name": "a.txt", "raw": b"a"})
        with self.assertRaisesRegex(AccessError, "your own evidence"):
            change.action_confirm("document", "See there.", theirs.ids)
        mine = self.env["ir.attachment"].with_user(self.approver).create(
            {"name": "letter.txt", "raw": b"We bank with ..."}
        )
        change.action_confirm("document", "Their bank's letter.", mine.ids)
        done = self.account.bank_change_ids[0]
        self.assertEqual(
            (done.state, done.decider_id, done.method, done.note, done.evidence_ids),
            ("confirmed", self.approver, "document", "Their bank's letter.", mine.sudo(False)),
        )
        self.assertTrue(done.decided_on)
        for attempt in (lambda: mine.write({"raw": b"We bank elsewhere"}), lambda: mine.unlink()):
            with self.assertRaises(AccessError):
                attempt()

    def test_a_change_that_nobody_looked_at_is_not_confirmed_along(self):
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        seen = self.pending().with_user(self.approver)
        wizard = (
            self.env["bank.account.wizard"]
            .with_user(self.approver)
            .browse(seen.action_decide()["res_id"])
        )
        wizard.write({"method": "call", "note": "She read it out."})
        self.account.with_user(self.keeper).bank_id = self.other_bank
        for attempt in (
            wizard.action_confirm,
            lambda: seen.action_confirm("call", "She read it out."),
            wizard.action_refuse,
        ):
            with self.assertRaisesRegex(UserError, "changed again meanwhile"):
                attempt()
        self.assert_on_hold()
        again = wizard.browse(self.pending().with_user(self.approver).action_decide()["res_id"])
        self.assertIn("New name", again.comparison)
        self.assertIn("DEUTDEFFXXX", again.comparison)
        again.write({"method": "call", "note": "She read it all out."})
        again.action_confirm()
        self.assert_paid_to()
        with self.assertRaisesRegex(UserError, "decided already"):
            seen.action_confirm("call", "Once more.")

    def test_refused(self):
        """It stays on hold, the old values stay visible; put back, they are confirmed anew."""
        old = self.account.acc_holder_name = "Old & Co"
        self.confirm(self.account)
        self.account.with_user(self.keeper).acc_holder_name = "Mule Ltd"
        self.pending().with_user(self.approver).action_refuse("They know of no change.")
        self.assertEqual(self.account.bank_trust, "refused")
        self.assertIn("Old &amp; Co", self.account.bank_pending)
        self.assertIn("Mule Ltd", self.account.bank_pending)
        problem = self.account._bank_hold_problems(self.company)[self.account]
        self.assertIn("was refused by Approver: They know of no change.", problem)
        with self.assertRaisesRegex(UserError, "decided already"):
            self.account.bank_change_ids[0].with_user(self.approver).action_confirm("call", "Well")
        # Who made the refused change is still not the one to confirm the account.
        self.account.with_user(self.second).acc_holder_name = old
        with self.assertRaisesRegex(AccessError, "yourself"):
            self.decide(self.keeper)
        self.decide(self.approver)
        self.assert_paid_to()

    def test_history_is_kept_for_ever(self):
        change = self.account.bank_change_ids[0]
        for user in (self.env.user, self.admin, self.keeper, self.approver):
            record = change.with_user(user)
            for attempt in (
                lambda record=record: record.write({"user_id": self.preparer.id}),
                lambda record=record: record.write({"state": "pending"}),
                lambda record=record: record.unlink(),
                lambda record=record: record.copy(),
                lambda record=record: record.create(
                    {"account_id": self.account.id, "user_id": self.clerk.id, "kind": "created",
                     "date": "2020-01-01", "state": "confirmed"}
                ),
            ):
                with self.assertRaises(UserError):
                    attempt()
        vendor = self.new_vendor("Gone", 2)
        change = vendor.bank_ids.bank_change_ids
        vendor.unlink()
        change.invalidate_recordset()
        self.assertFalse(change.account_id)
        self.assertEqual((change.payee, change.state), ("Gone", "confirmed"))

    # -- batches --------------------------------------------------------------------------------

    def test_a_batch_that_waits_can_not_be_approved(self):
        """Neither after a change nor for a suspicion; rejecting is still possible."""
        batch = self.prepare(self.new_bill())
        self.account._bank_hold("The police called.")
        with self.assertRaisesRegex(UserError, "police"):
            self.approve(batch)
        self.assertEqual(batch.state, "to_approve")
        self.assertFalse(self.message_of(batch))
        self.confirm(self.account)
        self.assertEqual(self.approve(batch).state, "approved")
        second = self.prepare(self.new_bill())
        self.account._bank_hold("The police called again.")
        second.with_user(self.approver).action_reject("Wait for the police.")
        self.assertEqual(second.state, "rejected")

    def test_the_problem_names_who_has_to_confirm(self):
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        problem = self.open_wizard(self.new_bill()).line_ids.problem
        self.assertIn("Keeper changed it on", problem)
        self.assertIn("Approver", problem)
        self.assertNotIn("one of: Keeper", problem)

    def test_an_account_the_bank_finds_fault_with(self):
        """Closed at the payee's bank: the next payment would come back as well."""
        bill = self.new_bill()
        payment = self.sent(bill).payment_ids
        payment._bank_apply({payment: {"status": "RJCT", "reason": "AC04"}})
        self.assert_on_hold()
        self.assertIn("closed", self.pending().reason)
        self.confirm(self.account)
        payment = self.sent(self.new_bill()).payment_ids
        payment._bank_apply({payment: {"status": "RJCT", "reason": "AM04"}})
        self.assert_paid_to()

    def test_a_fault_of_the_account_before_the_correction(self):
        payment = self.sent(self.new_bill()).payment_ids
        self.account.write({"allow_out_payment": False, "acc_number": iban(55)})
        self.confirm(self.account)
        payment._bank_apply({payment: {"status": "RJCT", "reason": "AC04"}})
        self.assert_paid_to()

    # -- around it ------------------------------------------------------------------------------

    def test_people_are_told_once(self):
        """One task for an account, for somebody who may confirm; gone when it is done."""
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        self.account.with_user(self.keeper).clearing_number = "37040044"
        task = self.activities(self.account, "confirm_account")
        self.assertEqual(len(task), 1)
        self.assertNotEqual(task.user_id, self.keeper)
        self.assertTrue(self.env["bank.account.change"].with_user(task.user_id)._entitled())
        self.decide(self.approver)
        self.assertFalse(self.activities(self.account, "confirm_account"))

    def test_numbers_are_masked_in_the_chatter(self):
        old = self.account.sanitized_acc_number
        new = iban(4711)
        self.account.with_user(self.keeper).write({"allow_out_payment": False, "acc_number": new})
        self.decide(self.approver)
        self.env.flush_all()
        tracked = self.env["mail.tracking.value"].search(
            [("mail_message_id", "in", (self.account + self.account).message_ids.ids)]
        )
        said = " ".join(
            [self.chatter(self.account), self.chatter(self.vendor)]
            + [f"{value.old_value_char} {value.new_value_char}" for value in tracked]
        )
        self.assertIn(f"•••• {old[-4:]} → •••• {new[-4:]}", said)
        self.assertIn("confirmed by Approver", said)
        for number in (old, new):
            self.assertNotIn(number[:12], said.replace(" ", ""))

    def test_our_own_accounts(self):
        """Core keeps their trust; to pay to one of them takes a confirmation all the same."""
        account = self.journal.bank_account_id
        self.assertTrue(account.allow_out_payment)
        account.acc_holder_name = "Payer"
        self.assertTrue(account.allow_out_payment)
        self.assertTrue(self.pending(account).filtered("own"))
        self.assertTrue(account._bank_hold_problems(self.company))
        self.assertFalse(self.activities(account, "confirm_account"))
        # An account that becomes a vendor's is a payee's account from then on.
        account = account.copy({"acc_number": iban(31), "allow_out_payment": True})
        self.assertTrue(account.allow_out_payment)
        account.partner_id = self.vendor
        self.assert_on_hold(account)

    def test_the_switch(self):
        """Turned off by a bank administrator only, on record; on again, nothing slips through."""
        system = self.new_user("system", "base.group_system")
        with self.assertRaisesRegex(AccessError, "Only a bank administrator"):
            self.company.with_user(system).bank_account_control = False
        with self.assertRaises(AccessError):
            self.env["bank.settings"].with_user(system).create({}).action_save()
        settings = self.env["bank.settings"].with_user(self.admin).create(
            {"bank_account_control": False}
        )
        settings.action_save()
        self.assertFalse(self.company.bank_account_control)
        event = self.env["bank.audit.event"].search([("kind", "=", "account_control")], limit=1)
        self.assertEqual(event.user_number, self.admin.id)
        # The vendor belongs to this company alone; one shared with others is still controlled.
        account = self.new_vendor("Shared", 3, trusted=False).bank_ids
        with self.assertRaises(UserError):
            account.allow_out_payment = True
        vendor = self.new_vendor("New", 2, trusted=False, company_id=self.company.id)
        vendor.bank_ids.with_user(self.keeper).allow_out_payment = True
        self.assertTrue(self.prepare(self.new_bill(vendor=vendor)))
        self.company.bank_account_control = True
        self.assert_on_hold(vendor.bank_ids)
        self.assert_paid_to(self.account)

    def test_trusted_before(self):
        """What was trusted when the module came stays usable, until somebody changes it."""
        untrusted = self.new_vendor("New", 2, trusted=False).bank_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner_bank SET bank_trust = NULL, bank_confirmed = NULL"
        )
        self.env["res.partner.bank"]._bank_take_over()
        self.env.invalidate_all()
        self.assertEqual(self.account.bank_trust, "before")
        self.assertFalse(self.account._bank_hold_problems(self.company))
        self.assertEqual(len(self.prepare(self.new_bill())), 1)
        self.assertFalse(untrusted.bank_trust)
        self.assert_on_hold(untrusted)
        self.account.acc_holder_name = "Mule"
        self.assert_on_hold()

    def test_an_old_account_is_asked_for_and_confirmed(self):
        account = self.new_vendor("Old", 2, trusted=False, create_uid=self.keeper.id).bank_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner_bank SET bank_trust = NULL, create_uid = %s WHERE id = %s",
            [self.second.id, account.id],
        )
        self.env.cr.execute(
            "DELETE FROM bank_account_change WHERE account_id = %s", [account.id]
        )
        self.env.invalidate_all()
        account.with_user(self.keeper).action_bank_ask()
        with self.assertRaisesRegex(UserError, "nothing to ask for"):
            account.with_user(self.keeper).action_bank_ask()
        for user in (self.keeper, self.second):  # who asks, and who entered it
            with self.assertRaisesRegex(AccessError, "yourself"):
                self.decide(user, account)
        self.decide(self.approver, account)
        self.assert_paid_to(account)

    def test_the_auditor_reads_it(self):
        self.account.with_user(self.keeper).acc_holder_name = "New name"
        self.decide(self.approver)
        events = self.env["bank.audit.event"].search(
            [("res_model", "=", "bank.account.change"), ("kind", "like", "account_")]
        )[:2]
        self.assertEqual(events.mapped("kind"), ["account_confirmed", "account_changed"])
        self.assertEqual(events.mapped("user_number"), [self.approver.id, self.keeper.id])
        self.assertIn("acc_holder_name", events[1].details)
        change = self.account.bank_change_ids.sorted("id")[-1]
        self.assertIn(change._content_digest(), events[0].details)
        for event in events:
            self.assertNotIn(self.account.sanitized_acc_number, event.details + event.res_name)
            for name in ("New name", self.account.partner_id.name):
                self.assertNotIn(name, event.details + event.res_name)

    def test_many_at_once(self):
        """An import of vendors costs no query per account beyond Odoo's own, nor do decisions."""

        def work(first, count):
            vendors = [
                {"name": f"V{number}", "supplier_rank": 1,
                 "bank_ids": [Command.create({"acc_number": iban(number)})]}
                for number in range(first, first + count)
            ]
            start = self.env.cr.sql_log_count
            accounts = self.env["res.partner"].create(vendors).bank_ids
            self.env.flush_all()
            created = self.env.cr.sql_log_count - start
            changes = accounts.bank_change_ids.with_user(self.approver)
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            changes.action_confirm("other", "Migrated.")
            self.env.flush_all()
            confirmed = self.env.cr.sql_log_count - start
            self.assertEqual(set(accounts.mapped("bank_trust")), {"confirmed"})
            return created, confirmed

        work(1000, 30)  # warms caches
        few, many = work(2000, 30), work(3000, 90)
        self.assertLess(many[1] - few[1], 30, "confirming grows with the accounts")
        # Core makes notes for each account and vendor when it creates them.
        with self.subTest("create"):
            per_account = (many[0] - few[0]) / 60
            self.assertLess(per_account, self._core_queries_per_account() + 0.5)

    def _core_queries_per_account(self):
        """Measured with this module's own part taken out."""
        bank = type(self.env["res.partner.bank"])
        self.patch(bank, "_bank_note_new", lambda accounts: None)

        def work(first, count):
            start = self.env.cr.sql_log_count
            self.env["res.partner"].create(
                [
                    {"name": f"V{number}", "supplier_rank": 1,
                     "bank_ids": [Command.create({"acc_number": iban(number)})]}
                    for number in range(first, first + count)
                ]
            )
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        return (work(5000, 90) - work(4000, 30)) / 60
