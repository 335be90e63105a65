from lxml import etree
from odoo.tests import Form, tagged

from .common import MODULE, BankConnectCommon

EVERYONE = ("preparer", "approver", "admin", "auditor")


@tagged("post_install", "-at_install")
class TestScreens(BankConnectCommon):
    """Whoever sees a menu or a button can open what lies behind it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = cls.new_user("reader", "account.group_account_readonly")

    def test_each_role_opens_every_form_of_a_payment(self):
        bill = self.new_bill()
        batch = self.approved(bill)
        records = [
            bill, batch, batch.payment_ids, self.message_of(batch), self.connection,
            self.journal,
        ]  # fmt: skip
        for role in EVERYONE:
            for record in records:
                with self.subTest(role=role, model=record._name):
                    self.env.invalidate_all()
                    Form(record.with_user(getattr(self, role)))

    def test_people_without_a_bank_role_still_open_bills_and_payments(self):
        bill = self.new_bill()
        batch = self.approved(bill)
        for user in (self.clerk, self.reader):
            for record in (bill, batch, batch.payment_ids, self.connection, self.journal):
                with self.subTest(user=user.name, model=record._name):
                    self.env.invalidate_all()
                    Form(record.with_user(user))

    def test_each_menu_opens_for_those_who_see_it(self):
        self.approved(self.new_bill())
        root = self.env.ref(f"{MODULE}.menu_root")
        below = self.env["ir.ui.menu"].search([("id", "child_of", root.id)])
        for role in EVERYONE:
            user = getattr(self, role)
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            offered = below.filtered(lambda menu, visible=visible: menu.id in visible)
            actions = [
                menu.sudo().action
                for menu in offered
                if menu.sudo().action and menu.sudo().action._name == "ir.actions.act_window"
            ]
            self.assertTrue(actions)
            for action in actions:
                with self.subTest(role=role, action=action.name):
                    self.env.invalidate_all()
                    self.open_list(action, user)

    def open_list(self, action, user):
        """Read what the action's list or cards would read."""
        model = self.env[action.res_model].with_user(user)
        for view_id, mode in action.views:
            if mode not in ("list", "kanban"):
                continue
            views = model.get_views([(view_id, mode), (action.search_view_id.id, "search")])
            arch = etree.fromstring(views["views"][mode]["arch"])
            names = {node.get("name") for node in arch.iter("field")} & set(model._fields)
            model.web_search_read([], {name: {} for name in names}, limit=5)

    def test_bill_that_is_on_its_way_offers_no_second_payment(self):
        bill = self.new_bill()
        self.assertTrue(bill.bank_may_send)
        batch = self.prepare(bill)
        self.assertFalse(bill.bank_may_send)
        self.assertTrue(bill.bank_on_way)
        self.assertTrue(batch.payment_ids.bank_frozen)
        batch.with_user(self.preparer).action_cancel()
        self.assertTrue(bill.bank_may_send)
        self.assertFalse(bill.bank_on_way)

    def test_batch_names_who_is_asked_to_approve(self):
        batch = self.prepare(self.new_bill())
        self.assertIn(self.approver.name, batch.with_user(self.preparer).approver_names)
        self.assertNotIn(self.preparer.name, batch.approver_names)

    def test_card_of_the_bank_account_counts_payments_by_where_they_are(self):
        self.prepare(self.new_bill() + self.new_bill())
        self.approved(self.new_bill())
        card = self.journal.with_user(self.approver)._get_journal_dashboard_data_batched()[
            self.journal.id
        ]
        self.assertEqual(card["bank_to_approve"], 2)
        self.assertEqual(card["bank_on_way"], 1)
        self.assertEqual(card["bank_uncertain"], 0)

    def test_message_is_shown_as_text_in_lines(self):
        message = self.message_of(self.approved(self.new_bill()))
        lines = message.with_user(self.auditor).preview.splitlines()
        self.assertIn("  <CstmrCdtTrfInitn>", lines)
        self.assertIn("  </CstmrCdtTrfInitn>", lines)
        self.assertFalse(message.preview_is_part)
