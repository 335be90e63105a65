import json
import time
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..models.bank_reconcile_confirm import constant_words
from .documents import Booking, camt, paid
from .reconcile_common import ReconcileCommon


@tagged("post_install", "-at_install")
class TestReconcileRule(ReconcileCommon):
    """What recurs is booked by rules, that are tried before they are saved."""

    def test_every_condition(self):
        """A booking matches where all that is said of it is true, and else it does not."""
        other = self.new_journal("DE02120300000000202051", self.connection, code="CN2")
        fee = self.new_booking(
            -12.5, "Monthly Account Fee 11/2026", partner_name="Example Bank",
            account_number="DE12 5001 0517 0648 4898 90", transaction_type="PMNT/MDOP/COMT",
        )
        for conditions, matches in (
            ({"text": "account fee"}, True),
            ({"text": "example bank"}, True),
            ({"text": "interest"}, False),
            ({"text": "^monthly .* [0-9]{2}/", "text_pattern": True}, True),
            ({"text": "^account", "text_pattern": True}, False),
            ({"direction": "out"}, True),
            ({"direction": "in"}, False),
            ({"text": False, "transaction_code": "pmnt/mdop"}, True),
            ({"text": False, "transaction_code": "PMNT/CCRD"}, False),
            ({"text": False, "transaction_code": "%"}, False),
            ({"text": False, "account_number": "de12500105170648489890"}, True),
            ({"text": False, "account_number": "DE89370400440532013000"}, False),
            ({"amount_from": 12.5}, True),
            ({"amount_from": 12.51}, False),
            ({"amount_to": 12.5}, True),
            ({"amount_to": 12.49}, False),
            ({"journal_ids": self.journal.ids}, True),
            ({"journal_ids": other.ids}, False),
        ):
            with self.subTest(conditions):
                rule = self.new_rule(**conditions)
                self.assertEqual(rule._matching(fee), fee if matches else self.lines)

    def test_what_is_no_rule(self):
        for values, words in (
            ({"text": " "}, "recognises"),
            ({"amount_from": -1}, "no range"),
            ({"amount_from": 10, "amount_to": 5}, "no range"),
            ({"text": "(", "text_pattern": True}, "can't be read"),
            ({"text": "(a)\\1", "text_pattern": True}, "refers back"),
            ({"account_id": self.journal.suspense_account_id.id}, "no account to book"),
            ({"account_id": self.journal.default_account_id.id}, "no account to book"),
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, words):
                self.new_rule(**values)

    def test_no_pattern_holds_up_the_import(self):
        """What makes other engines explode is answered at once, and what takes long is stopped."""
        line = self.new_booking(-5, "a" * 3000 + "!")
        start = time.monotonic()
        for pattern in ("(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*)*(.*)*(.*)*x", "a{1,200}a{1,200}c"):
            rule = self.new_rule(text=pattern, text_pattern=True)
            self.assertFalse(rule._matching(line))
        self.assertLess(time.monotonic() - start, 10)
        with patch("odoo.addons.account_bank_connect.models.bank_reconcile_rule_match.PATIENCE", 1):
            booked = self.rules._apply(line)
        self.assertFalse(booked)
        self.env.cr.execute("SHOW statement_timeout")
        self.assertEqual(self.env.cr.fetchone()[0], "0", "the next query has its own time again")

    def test_tried_before_it_is_saved(self):
        for number in range(3):
            self.new_booking(-10, f"Account fee {number}")
        self.new_booking(-10, "Rent")
        form = Form(self.rules.with_user(self.clerk).with_company(self.company))
        self.assertIn("Nothing yet", form.trial)
        form.text = "account fee"
        self.assertEqual(form.trial, "Matches 3 of the last 4 bookings.")
        self.assertEqual(len(form.trial_line_ids), 3)
        form.text_pattern = True
        form.text = "fee ("
        self.assertIn("can't be read", form.trial)
        form.text = "fee [01]"
        self.assertEqual(form.trial, "Matches 2 of the last 4 bookings.")

    def test_automatic_rules_book_and_others_only_suggest(self):
        tax, analytic = self.new_tax(), self.new_analytic()
        interest = self.new_account("761000", "Interest", "income_other")
        offered = self.new_rule("Interest", "interest", account_id=interest.id, sequence=1)
        booking = self.new_rule(
            automatic=True, tax_ids=tax.ids, label="Fee of the month",
            partner_id=self.vendor.id, analytic_distribution={str(analytic.id): 100.0},
        )
        fee, income = self.new_booking(-11.9, "Account fee"), self.new_booking(3, "Interest")
        self.assertEqual(self.rules._apply(fee + income), fee)
        self.assertTrue(fee.is_reconciled)
        self.assertFalse(income.is_reconciled)
        item = self.fee_of(fee)
        self.assertEqual((item.balance, item.name), (10, "Fee of the month"))
        self.assertEqual(item.tax_ids, tax)
        self.assertEqual(item.partner_id, self.vendor)
        self.assertEqual(item.analytic_distribution, {str(analytic.id): 100.0})
        self.assertEqual(sum(fee.line_ids.filtered("tax_line_id").mapped("balance")), 1.9)
        (suggestion,) = self.rules._suggest(income)[income.id]
        self.assertEqual(suggestion["rule_id"], offered.id)
        self.assertIn("Interest", suggestion["reasons"][0])
        self.assertEqual(suggestion["write_off"][0]["amount"], "3.00")
        booking.active = False
        again = self.new_booking(-11.9, "Account fee")
        self.assertFalse(self.rules._apply(again))

    def test_as_statements_arrive(self):
        """What a payment explains is the payment's; rules get the rest, in the same import."""
        self.new_rule(automatic=True)
        batch = self.sent(self.new_bill(100))
        message = self.received(
            camt(paid(batch.payment_ids), Booking("-7.50", text="Account fee", reference="FEE-1"))
        )
        fee = self.lines.search([("bank_message_id", "=", message.id), ("amount", "=", -7.5)])
        self.assertEqual(self.booked(fee), [("628900", 7.5)])
        self.assertEqual(batch.state, "settled")

    def test_the_first_rule_wins(self):
        special = self.new_account("628901", "Special charges")
        self.new_rule("All", sequence=20, automatic=True)
        self.new_rule("First", sequence=10, automatic=True, account_id=special.id)
        fee = self.new_booking(-5, "Account fee")
        self.rules._apply(fee)
        self.assertEqual(self.booked(fee), [("628901", 5)])

    def test_what_odoo_refuses_stays_open_for_people(self):
        self.new_rule(automatic=True)
        locked = self.new_booking(-5, "Account fee", date="2026-01-15")
        free = self.new_booking(-6, "Account fee")
        self.env.flush_all()
        lock = patch.object(
            type(locked.move_id), "_check_fiscal_lock_dates", autospec=True,
            side_effect=lambda moves: moves.filtered(lambda m: m == locked.move_id)
            and self._refuse(),
        )
        with lock:
            self.assertEqual(self.rules._apply(locked + free), free)
        self.assertFalse(locked.is_reconciled)

    def _refuse(self):
        words = "locked"
        raise ValidationError(words)

    def test_one_query_for_each_rule(self):
        """Whatever the number of bookings."""
        self.new_rule()
        self.new_rule("Pattern", "fee [0-9]+", text_pattern=True)
        counts = []
        for number in (10, 60):
            lines = self.lines.concat(
                *[self.new_booking(-1, f"Account fee {each}") for each in range(number)]
            )
            self.env.flush_all()
            self.rules._all_matches(lines)
            before = self.env.cr.sql_log_count
            found = self.rules._all_matches(lines)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(found), number)
        self.assertEqual(*counts)

    def test_a_head_office_s_rules_hold_in_its_branches_and_nowhere_else(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        rule = self.new_rule()
        self.assertIn(rule, self.rules._of_company(branch))
        self.assertNotIn(rule, self.rules._of_company(self.new_company("Other GmbH")))

    def test_who_may_make_rules(self):
        values = {"name": "Fee", "text": "fee", "account_id": self.fees.id}
        self.rules.with_user(self.clerk).create(values)
        for user in (self.reader, self.auditor, self.approver, self.outsider):
            with self.subTest(user.name), self.assertRaises(AccessError):
                self.rules.with_user(user).create(values)

    def test_changes_are_on_record_without_the_account(self):
        rule = self.new_rule(account_number="DE12500105170648489890")
        rule.automatic = True
        events = self.env["bank.audit.event"].search(
            [("res_model", "=", rule._name), ("res_id", "=", rule.id)], order="id"
        )
        self.assertEqual(
            events.mapped("kind"), ["reconcile_rule_created", "reconcile_rule_changed"]
        )
        self.assertEqual(json.loads(events[1].details)["changes"], {"automatic": [False, True]})
        self.assertNotIn("500105170648", "".join(events.mapped("details")))

    def test_words_that_stay_the_same(self):
        for text, words in (
            ("Account fee 11/2026 REF 4711", "Account fee"),
            ("REF 4711 monthly account fee, 30.11.", "monthly account fee"),
            ("20261130", ""),
            ("利息 2026年11月", "利息"),
        ):
            self.assertEqual(constant_words(text), words)


@tagged("post_install", "-at_install")
class TestRememberedPartner(ReconcileCommon):
    """A person says whose a booking is, once."""

    NUMBER = "DE12500105170648489890"

    def name(self, line, partner, remember=True):
        return self.screen().set_partner(line.id, partner.id, remember, self.stamp(line))

    def booking(self, name="ACME  Gmbh", number=NUMBER):
        return self.new_booking(-10, "Invoice", partner_name=name, account_number=number)

    def test_later_bookings_of_the_same_account_and_name_get_the_partner(self):
        line = self.booking()
        accounts = self.env["res.partner.bank"].search_count([])
        answer = self.name(line, self.vendor)
        self.assertTrue(answer["remembered"])
        self.assertEqual(line.partner_id, self.vendor)
        same = self.booking("acme gmbh", "DE12 5001 0517 0648 4898 90")
        others = (
            self.booking("Somebody else")
            + self.booking(number="DE02120300000000202051")
            + self.booking(number=False)
        )
        self.rules._apply(same + others)
        self.assertEqual(same.partner_id, self.vendor)
        self.assertFalse(others.partner_id)
        self.assertEqual(
            self.env["res.partner.bank"].search_count([]), accounts,
            "nobody can be paid to an account because a booking came from it",
        )

    def test_for_this_booking_alone(self):
        answer = self.name(self.booking(), self.vendor, remember=False)
        self.assertFalse(answer["remembered"])
        later = self.booking()
        self.rules._apply(later)
        self.assertFalse(later.partner_id)

    def test_a_better_word_takes_the_place_of_an_earlier_one(self):
        other = self.new_vendor("Better KG", 77)
        self.name(self.booking(), self.vendor)
        self.name(self.booking(), other)
        later = self.booking()
        self.rules._apply(later)
        self.assertEqual(later.partner_id, other)

    def test_not_in_another_company(self):
        self.name(self.booking(), self.vendor)
        company = self.new_company("Other GmbH")
        journal = self.new_journal(
            "DE02120300000000202051", self.new_connection("Theirs", company), company
        )
        theirs = self.new_booking(
            -10, "Invoice", journal, partner_name="ACME Gmbh", account_number=self.NUMBER
        )
        self.rules.with_company(company)._apply(theirs)
        self.assertFalse(theirs.partner_id)

    def test_whole_numbers_are_for_those_who_need_them(self):
        self.name(self.booking(), self.vendor)
        known = self.env["bank.reconcile.partner"].search([], limit=1, order="id desc")
        as_clerk = known.with_user(self.clerk)
        self.assertEqual(as_clerk.account_ends, "DE12…9890")
        with self.assertRaises(AccessError):
            as_clerk.read(["account_number"])
        self.assertEqual(known.with_user(self.preparer).account_number, self.NUMBER)
        event = self.env["bank.audit.event"].search(
            [("kind", "=", "booking_partner")], limit=1, order="id desc"
        )
        self.assertEqual(event.user_login, self.clerk.login)
        self.assertTrue(json.loads(event.details)["remembered"])
