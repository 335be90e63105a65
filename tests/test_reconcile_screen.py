from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.bank_reconcile_items import read_amounts
from .reconcile_common import ReconcileCommon

OPEN = [("is_reconciled", "=", False)]


@tagged("post_install", "-at_install")
class TestReconcileScreen(ReconcileCommon):
    """What the screen asks of the server, asked by people with and without the right."""

    def page(self, user=None, domain=OPEN, **options):
        domain = [*domain, ("journal_id", "=", self.journal.id)]
        return self.screen(user).load_page(domain, **options)

    # -- seeing -----------------------------------------------------------------------------

    def test_a_page_and_its_suggestions(self):
        bill = self.new_bill(100, ref="INV-77")
        line = self.new_booking(-100, "INV-77", partner_id=self.vendor.id)
        page = self.page()
        (row,) = page["lines"]
        self.assertEqual((row["id"], row["amount"], row["open"]), (line.id, "-100.00", "-100.00"))
        self.assertTrue(page["may"])
        best = self.screen().suggest([line.id])[str(line.id)][0]
        (part,) = best["parts"]
        self.assertEqual(part["id"], self.payable(bill).id)
        self.assertEqual((part["amount"], part["partner"]), ("-100.00", self.vendor.name))
        self.assertTrue(best["reasons"])

    def test_a_suggestion_takes_no_more_than_the_booking_covers(self):
        bill = self.new_bill(100, ref="INV-2026-4711")
        line = self.new_booking(-60, "INV-2026-4711", partner_id=self.vendor.id)
        best = self.screen().suggest([line.id])[str(line.id)][0]
        (part,) = best["parts"]
        self.assertEqual((part["id"], part["amount"]), (self.payable(bill).id, "-60.00"))
        self.assertEqual(part["residual"], "-100.00")
        self.apply(line, {"item_id": part["id"], "amount": part["amount"]})
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bill.amount_residual, 40)

    def test_a_suggestion_with_a_discount_corrects_the_taxes(self):
        """As Odoo books it: what is not paid lessens expense and tax, not an account alone."""
        term = self.env["account.payment.term"].create(
            {
                "name": "2%", "early_discount": True, "discount_percentage": 2,
                "discount_days": 10, "early_pay_discount_computation": "included",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )
        tax = self.new_tax(25)
        for number, way in enumerate(("one", "many"), start=4711):
            with self.subTest(way=way):
                bill = self.new_bill(
                    1000, ref=f"INV-2026-{number}", invoice_payment_term_id=term.id, post=False
                )
                bill.invoice_line_ids.tax_ids = tax
                bill.action_post()
                self.assertEqual(bill.amount_total, 1250)
                line = self.new_booking(
                    -1225, bill.ref, partner_id=self.vendor.id,
                    account_number=self.vendor.bank_ids.acc_number,
                )
                best = self.screen().suggest([line.id])[str(line.id)][0]
                (part,) = best["parts"]
                self.assertEqual(
                    (part["id"], part["amount"], part["discount"]),
                    (self.payable(bill).id, "-1225.00", True),
                )
                if way == "one":
                    self.apply(
                        line, {"item_id": part["id"], "amount": part["amount"], "discount": True}
                    )
                else:
                    self.assertEqual(
                        self.screen().confirm(line.ids, best["score"])["done"], line.ids
                    )
                self.assertEqual((bill.amount_residual, line.is_reconciled), (0, True))
                taxed = line.move_id.line_ids.filtered("tax_line_id")
                self.assertEqual((taxed.tax_line_id, taxed.balance), (tax, -5))
                gain = line.move_id.line_ids.filtered("tax_ids")
                self.assertEqual((gain.tax_ids, gain.balance), (tax, -20))

    def test_pages(self):
        lines = [self.new_booking(-number, f"No {number}") for number in range(1, 8)]
        page = self.page(limit=3)
        self.assertEqual((len(page["lines"]), page["total"]), (3, 7))
        self.assertEqual(page["lines"][0]["id"], lines[-1].id)
        page = self.page(limit=3, offset=6)
        self.assertEqual((len(page["lines"]), page["total"]), (1, 7))

    def test_questions_do_not_grow_with_bookings(self):
        """A page costs the same among 40 and among 120 bookings that are open."""
        counts = []
        for number in (40, 80):
            for each in range(number):
                self.new_bill(1000 + each)
                self.new_booking(-1000 - each, f"Bill {each}", partner_id=self.vendor.id)
            self.env.flush_all()
            for _warm in range(2):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                page = self.page()
                found = self.screen().suggest([row["id"] for row in page["lines"]])
                count = self.env.cr.sql_log_count - before
            self.assertEqual((len(page["lines"]), len(found)), (40, 40))
            counts.append(count)
        self.assertLessEqual(counts[1], counts[0] + 5, counts)
        self.assertLess(counts[1], 120)

    def test_account_numbers_are_for_those_who_need_them(self):
        number = "DE12500105170648489890"
        self.new_booking(-1, f"From {number}", account_number=number, partner_name="ACME")
        for user, whole in ((self.clerk, False), (self.reader, False), (self.preparer, True)):
            with self.subTest(user.name):
                (row,) = self.page(user)["lines"]
                self.assertEqual(row["account"], number if whole else "DE12…9890")
                self.assertNotIn(number, row["text"])

    def test_what_the_bank_said(self):
        line = self.new_booking(-1, "Bill")
        line.transaction_details = {
            "details": [{"end_to_end_id": "E2E-1", "return_reason": "AC04"}],
            "charges": [{"amount": "2.00", "currency": "EUR"}],
        }
        (row,) = self.page()["lines"]
        self.assertEqual(
            row["said"],
            [("end_to_end_id", "E2E-1"), ("return_reason", "AC04"), ("charge", "2.00 EUR")],
        )

    # -- searching --------------------------------------------------------------------------

    def test_open_items_are_found_by_what_people_know(self):
        other = self.new_vendor("Gärtnerei Blum", 9)
        bill = self.new_bill(1234.5, vendor=other, ref="RE-2026-0815")
        exact = self.new_bill(70, ref="INV-EXACT")
        line = self.new_booking(-70, "Something", partner_id=other.id)
        item = self.payable(bill)
        code = item.account_id.code
        for text in ("0815", "blum", "1,234.50", "1234,5", bill.name, f"blum {code}"):
            with self.subTest(text):
                parts = self.screen().search_items(line.id, text)["parts"]
                self.assertEqual([part["id"] for part in parts], item.ids)
        self.assertEqual(self.screen().search_items(line.id, "nowhere")["parts"], [])
        found = [part["id"] for part in self.screen().search_items(line.id)["parts"]]
        self.assertEqual(found[:2], [self.payable(exact).id, item.id], "amount first, then partner")

    def test_more_is_asked_for(self):
        for number in range(5):
            self.new_bill(10 + number)
        line = self.new_booking(-1)
        first = self.screen().search_items(line.id, "", 0, 3)
        rest = self.screen().search_items(line.id, "", 3, 3)
        self.assertTrue(first["more"])
        self.assertFalse(rest["more"])
        found = [part["id"] for part in first["parts"] + rest["parts"]]
        self.assertEqual(len(set(found)), 5)

    def test_payments_that_wait_for_their_booking(self):
        self.book_on_statement()
        batch = self.sent(self.new_bill(55))
        line = self.new_booking(-55, "No reference")
        parts = self.screen().search_items(line.id, batch.payment_ids.end_to_end_id)["parts"]
        self.assertEqual([(p["kind"], p["id"]) for p in parts], [("payment", batch.payment_ids.id)])
        self.apply(line, {"payment_id": batch.payment_ids.id})
        self.assertTrue(line.is_reconciled)
        self.assertEqual(batch.state, "settled")

    def test_amounts_as_people_write_them(self):
        for text, amounts in (
            ("1234.5", {1234.5}),
            ("1.234,50", {1234.5}),
            ("1,234.50", {1234.5}),
            ("1'234.50", {1234.5}),
            ("1.234", {1234, 1.234}),
            ("12,50", {12.5}),
            ("70", {70}),
            ("INV-70", set()),
            ("70.", set()),
        ):
            self.assertEqual(read_amounts(text), amounts, text)

    # -- booking ----------------------------------------------------------------------------

    def test_an_invoicing_user_confirms(self):
        bill = self.new_bill(100)
        line = self.new_booking(-100)
        answer = self.apply(line, {"item_id": self.payable(bill).id, "amount": "-100.00"})
        self.assertFalse(answer["conflict"])
        self.assertTrue(answer["line"]["done"])
        self.assertEqual(answer["line"]["booked"][0]["matched"], bill.name)
        self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
        self.assertEqual(line.bank_reconciled_by_id, self.clerk)
        event = self.env["bank.audit.event"].search(
            [("kind", "=", "booking_matched"), ("res_id", "=", line.id)]
        )
        self.assertEqual(event.user_login, self.clerk.login)

    def test_split_over_several_one_of_them_in_part(self):
        bills = self.new_bill(100) + self.new_bill(80)
        line = self.new_booking(-150)
        first, second = (self.payable(bill).id for bill in bills)
        self.apply(
            line, {"item_id": first, "amount": "-100.00"}, {"item_id": second, "amount": "-50.00"}
        )
        self.assertTrue(line.is_reconciled)
        self.assertEqual(bills.mapped("amount_residual"), [0, 30])

    def test_in_part_and_the_rest_later(self):
        bill = self.new_bill(60)
        line = self.new_booking(-100)
        row = self.apply(line, {"item_id": self.payable(bill).id, "amount": "-60.00"})["line"]
        self.assertEqual((row["done"], row["partly"], row["open"]), (False, True, "-40.00"))
        self.apply(line, {"account_id": self.fees.id, "amount": "-40.00", "name": "Rest"})
        self.assertTrue(line.is_reconciled)

    def test_write_off_with_tax_and_analytic(self):
        tax, analytic = self.new_tax(), self.new_analytic()
        line = self.new_booking(-119, "Card fees")
        self.apply(
            line,
            {
                "account_id": self.fees.id, "amount": "-119.00", "name": "Card fees November",
                "tax_ids": tax.ids, "partner_id": self.vendor.id,
                "analytic_distribution": {str(analytic.id): 100, "__update__": ["x"]},
            },
        )
        item = self.fee_of(line)
        self.assertEqual((item.balance, item.name), (100, "Card fees November"))
        self.assertEqual((item.tax_ids, item.partner_id), (tax, self.vendor))
        self.assertEqual(item.analytic_distribution, {str(analytic.id): 100.0})

    def test_undo(self):
        bill = self.new_bill(100)
        line = self.new_booking(-100)
        self.apply(line, {"item_id": self.payable(bill).id, "amount": None})
        answer = self.screen().undo(line.id, self.stamp(line))
        self.assertFalse(answer["line"]["done"])
        self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 100))
        self.assertFalse(line.bank_reconciled_at)

    def test_what_was_done_last(self):
        lines = [self.new_booking(-number, f"No {number}") for number in (1, 2)]
        for line in lines:
            self.apply(line, {"account_id": self.fees.id, "amount": f"{line.amount:.2f}"})
            line.bank_reconciled_at = fields.Datetime.add(fields.Datetime.now(), days=line.id)
        recent = self.screen(self.reader).recent(limit=2)
        self.assertEqual([row["id"] for row in recent], [lines[1].id, lines[0].id])
        self.assertEqual(recent[0]["by"], self.clerk.name)

    # -- what may not happen ----------------------------------------------------------------

    def test_who_came_second_books_nothing(self):
        """Two people look at a booking; one confirms; the other is told in a sentence."""
        bills = self.new_bill(100) + self.new_bill(100)
        line = self.new_booking(-100)
        seen = self.stamp(line)
        first, second = (self.payable(bill).id for bill in bills)
        self.apply(line, {"item_id": first, "amount": "-100.00"}, user=self.preparer, stamp=seen)
        answer = self.apply(line, {"item_id": second, "amount": "-100.00"}, stamp=seen)
        self.assertIn("Preparer changed the booking in the meantime", answer["conflict"])
        self.assertEqual(answer["line"]["stamp"], self.stamp(line))
        self.assertEqual(bills.mapped("amount_residual"), [0, 100])
        answer = self.screen().undo(line.id, seen)
        self.assertTrue(answer["conflict"])
        self.assertTrue(line.is_reconciled)

    def test_a_booking_that_somebody_works_on(self):
        line = self.new_booking(-100)
        part = {"account_id": self.fees.id, "amount": "-100.00"}
        with patch.object(type(line), "try_lock_for_update", lambda lines, **_o: lines.browse()):
            answer = self.apply(line, part)
            many = self.screen().confirm(line.ids, 1)
        self.assertIn("in the meantime", answer["conflict"])
        self.assertFalse(many["done"])
        self.assertIn("Somebody else", many["left"][line.id])
        self.assertFalse(line.is_reconciled)

    def test_who_only_looks_changes_nothing(self):
        bill = self.new_bill(100)
        line = self.new_booking(-100, partner_name="ACME")
        part = {"item_id": self.payable(bill).id, "amount": "-100.00"}
        for user in (self.reader, self.auditor, self.approver, self.admin):
            screen = self.screen(user)
            self.assertFalse(self.page(user)["may"])
            for ask in (
                lambda screen=screen: screen.apply(line.id, [part], self.stamp(line)),
                lambda screen=screen: screen.undo(line.id, self.stamp(line)),
                lambda screen=screen: screen.set_partner(
                    line.id, self.vendor.id, True, self.stamp(line)
                ),
                lambda screen=screen: screen.confirm(line.ids, 1),
                lambda screen=screen: screen.preview(OPEN, 1),
                lambda screen=screen: screen.rule_from(line.id, part),
            ):
                with self.subTest(user.name), self.assertRaises(AccessError):
                    ask()
        for ask in (
            lambda: self.page(self.outsider),
            lambda: self.screen(self.outsider).suggest(line.ids),
            lambda: self.screen(self.outsider).search_items(line.id),
        ):
            with self.assertRaises(AccessError):
                ask()
        self.assertFalse(line.is_reconciled or line.partner_id)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_another_company_s_things(self):
        other = self.new_company("Other GmbH")
        journal = self.new_journal(
            "DE02120300000000202051", self.new_connection("Theirs", other), other
        )
        theirs = self.new_booking(-100, journal=journal)
        account = self.new_account("628900", "Their charges", company=other)
        ours = self.new_booking(-100)
        with self.assertRaises(AccessError):
            self.screen().suggest(theirs.ids)
        with self.assertRaises(AccessError):
            self.apply(theirs, {"account_id": self.fees.id, "amount": "-100.00"})
        with self.assertRaises(AccessError):
            self.apply(ours, {"item_id": theirs.line_ids[0].id, "amount": "-100.00"})
        with self.assertRaises(UserError):
            self.apply(ours, {"account_id": account.id, "amount": "-100.00"})
        both = self.new_user("both", "account.group_account_invoice", self.company + other)
        with self.assertRaisesRegex(UserError, "Choose an account"):
            screen = self.screen(both).with_context(allowed_company_ids=both.company_ids.ids)
            part = {"account_id": account.id, "amount": "-100.00"}
            screen.apply(ours.id, [part], self.stamp(ours))
        self.assertFalse(ours.is_reconciled or theirs.is_reconciled)

    def test_what_can_t_be_is_said(self):
        line = self.new_booking(-100)
        account = {"account_id": self.fees.id}
        suspense, bank = self.journal.suspense_account_id, self.journal.default_account_id
        for parts, words in (
            ([], "Choose first"),
            ([{"account_id": suspense.id, "amount": "-1"}], "none of a bank"),
            ([{"account_id": bank.id, "amount": "-1"}], "none of a bank"),
            ([{**account, "amount": "NaN"}], "no amount"),
            ([{**account, "amount": "0"}], "no amount"),
            ([{**account, "amount": "-150.00"}], "only"),
            ([{"item_id": 2**31 - 1, "amount": None}], "not there any more"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.apply(line, *parts)
        self.assertFalse(line.is_reconciled)

    # -- many at once -----------------------------------------------------------------------

    def test_all_sure_suggestions_counted_then_booked(self):
        self.new_rule()
        fees = self.lines.concat(*[self.new_booking(-5, "Account fee") for _ in range(3)])
        unsure = self.new_booking(-77, "Who knows")
        domain = [("journal_id", "=", self.journal.id)]
        found = self.screen().preview(domain, 90)
        self.assertEqual(sorted(found["ids"]), fees.ids)
        self.assertEqual((found["seen"], found["total"]), (4, 4))
        self.assertEqual(found["amounts"], {self.eur.id: ["0.00", "-15.00"]})
        self.assertFalse(self.screen().preview(domain, 91)["ids"])
        answer = self.screen().confirm((fees + unsure).ids, 90)
        self.assertEqual(sorted(answer["done"]), fees.ids)
        self.assertIn("no sure suggestion", answer["left"][unsure.id])
        self.assertEqual(set(fees.mapped("bank_reconciled_by_id")), {self.clerk})
        events = self.env["bank.audit.event"].search(
            [("kind", "=", "booking_matched"), ("res_id", "in", fees.ids)]
        )
        self.assertEqual(events.mapped("user_login"), [self.clerk.login] * 3)

    def test_one_that_is_refused_holds_up_no_other(self):
        self.new_rule()
        good, bad = self.new_booking(-5, "Account fee"), self.new_booking(-6, "Account fee")
        real = type(good)._bank_check_open

        def check(lines):
            if bad in lines:
                raise UserError(bad.payment_ref)
            return real(lines)

        with patch.object(type(good), "_bank_check_open", check):
            answer = self.screen().confirm((good + bad).ids, 90)
        self.assertEqual((answer["done"], answer["left"]), (good.ids, {bad.id: "Account fee"}))
        self.assertEqual((good.is_reconciled, bad.is_reconciled), (True, False))

    def test_one_bill_is_not_taken_twice(self):
        bill = self.new_bill(100)
        lines = self.new_booking(-100, partner_id=self.vendor.id) + self.new_booking(
            -100, partner_id=self.vendor.id
        )
        answer = self.screen().confirm(lines.ids, 1)
        self.assertEqual(len(answer["done"]), 1)
        self.assertEqual(len(answer["left"]), 1)
        self.assertEqual(bill.amount_residual, 0)

    # -- beside others ----------------------------------------------------------------------

    def test_a_rule_from_what_was_just_done(self):
        line = self.new_booking(-9.9, "Account fee 11/2026", transaction_type="PMNT/MDOP/COMT")
        values = self.screen().rule_from(
            line.id, {"account_id": self.fees.id, "amount": "-9.90", "name": line.payment_ref}
        )
        rule = self.rules.with_context(**values).create({})
        self.assertEqual((rule.text, rule.direction), ("Account fee", "out"))
        self.assertEqual(rule.account_id, self.fees)
        self.assertFalse(rule.automatic)
        self.assertEqual(rule._matching(line), line)

    def test_another_screen_takes_the_place_of_ours(self):
        menu = self.env.ref("account_bank_connect.menu_reconcile")
        blacklist = self.env["ir.ui.menu"]._load_menus_blacklist
        self.new_booking(-1)
        self.assertFalse(self.page()["elsewhere"])
        self.assertNotIn(menu.id, blacklist())
        self.assertEqual(self.dashboard().get("bank_to_reconcile"), 1)
        for module in ("account_reconcile_oca", "account_accountant"):
            installed = {*self.env.registry._init_modules, module}
            with self.subTest(module), patch.object(
                type(self.env.registry), "_init_modules", installed, create=True
            ), patch.dict(vars(self.env.registry), {"_init_modules": installed}):
                self.assertTrue(self.page()["elsewhere"])
                self.assertIn(menu.id, blacklist())
                self.assertFalse(self.dashboard().get("bank_to_reconcile"))

    def dashboard(self):
        return self.journal.with_user(self.clerk)._get_journal_dashboard_data_batched()[
            self.journal.id
        ]

    def test_from_the_journal_s_card(self):
        action = self.journal.with_user(self.clerk).action_bank_reconcile()
        self.assertEqual(action["res_model"], "account.bank.statement.line")
        self.assertEqual(action["context"]["search_default_journal_id"], self.journal.id)
