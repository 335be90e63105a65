from datetime import timedelta

from freezegun import freeze_time
from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import BankConnectCommon, iban


@tagged("post_install", "-at_install")
class TestFlags(BankConnectCommon):
    """What deserves an approver's look is found when a batch is sealed, and said in words."""

    def setUp(self):
        super().setUp()
        self.long_known(self.vendor)

    def long_known(self, vendor, days=400):
        """Let a vendor's accounts have been entered long ago."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner_bank SET create_date = create_date - %s * INTERVAL '1 day' "
            "WHERE id IN %s",
            (days, tuple(vendor.bank_ids.ids)),
        )
        vendor.bank_ids.invalidate_recordset(["create_date"])

    def pay(self, amount=100, vendor=None, days_ago=100, account=None):
        """A payment made before by another method."""
        vendor = vendor or self.vendor
        manual = self.journal.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "manual"
        )
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "supplier",
                "partner_id": vendor.id,
                "partner_bank_id": (account or vendor.bank_ids[:1]).id,
                "journal_id": self.journal.id,
                "payment_method_line_id": manual[:1].id,
                "amount": amount,
                "date": fields.Date.today() - timedelta(days=days_ago),
            }
        )
        payment.action_post()
        return payment

    def codes(self, batch, payee=None):
        """Codes of the flags on a batch's payments, without those of the batch as a whole."""
        flags = batch.flag_ids.filtered("payment_id")
        if payee:
            flags = flags.filtered(lambda flag: flag.partner_id == payee)
        return sorted(flags.mapped("code"))

    def text(self, batch, code):
        flag = batch.flag_ids.filtered(lambda flag: flag.code == code)
        self.assertTrue(flag, f"no flag {code}: {batch.flag_ids.mapped('code')}")
        return flag[:1].text

    # -- payee and account ------------------------------------------------------------------

    def test_an_ordinary_payment_has_no_flag(self):
        self.pay(days_ago=100)
        batch = self.prepare(self.new_bill(120))
        self.assertEqual(self.codes(batch), [])
        self.assertEqual(batch.flagged_count, 0)

    def test_first_payment_to_a_payee(self):
        batch = self.prepare(self.new_bill())
        self.assertEqual(self.codes(batch), ["first_payment"])
        self.approve(batch)
        again = self.prepare(self.new_bill(73))
        self.assertNotIn("first_payment", self.codes(again))

    def test_a_payment_that_only_waits_does_not_make_a_payee_known(self):
        self.prepare(self.new_bill(55))
        self.assertEqual(self.codes(self.prepare(self.new_bill(66))), ["first_payment"])

    def test_a_contact_of_a_known_company_is_known(self):
        self.pay()
        contact = self.env["res.partner"].create({"name": "Sales", "parent_id": self.vendor.id})
        bill = self.new_bill(77, vendor=contact, partner_bank_id=self.vendor.bank_ids.id)
        self.assertEqual(self.codes(self.prepare(bill)), [])

    def other_account(self, number=5, **values):
        account = self.env["res.partner.bank"].create(
            {
                "acc_number": iban(number),
                "partner_id": self.vendor.id,
                **values,
            }
        )
        self.confirm(account)
        self.long_known(self.vendor)
        return account

    def test_account_other_than_that_of_the_last_payment(self):
        paid = self.pay(days_ago=90)
        account = self.other_account()
        batch = self.prepare(self.new_bill(partner_bank_id=account.id))
        self.assertEqual(self.codes(batch), ["account_changed"])
        self.assertEqual(batch.flag_ids.filtered("payment_id").severity, "high")
        text = self.text(batch, "account_changed")
        self.assertIn(paid.partner_bank_id.sanitized_acc_number[-4:], text)
        self.assertIn(account.sanitized_acc_number[-4:], text)
        self.assertNotIn(account.sanitized_acc_number[-6:], text)

    def test_an_account_that_was_paid_to_before_is_only_noted(self):
        account = self.other_account()
        self.pay(days_ago=200, account=account)
        self.pay(days_ago=90)
        batch = self.prepare(self.new_bill(70, partner_bank_id=account.id))
        flag = batch.flag_ids.filtered("payment_id")
        self.assertEqual((flag.code, flag.severity), ("account_changed", "note"))
        self.assertEqual(batch.flagged_count, 0)

    def test_new_account(self):
        self.pay()
        young = self.new_vendor("Neu AG", 6)
        self.pay(vendor=young)
        bills = self.new_bill(31) + self.new_bill(32, vendor=young)
        batch = self.prepare(bills)
        self.assertEqual(self.codes(batch), ["account_new"])
        self.assertEqual(batch.flag_ids.filtered("payment_id").partner_id, young)
        self.env["ir.config_parameter"].set_param("account_bank_connect.flag_account_days", "0")
        batch._find_flags()
        self.assertEqual(self.codes(batch), [])

    def test_account_shared_by_payees_names_only_whom_the_company_may_see(self):
        self.pay()
        self.new_vendor("Zweite GmbH", 1)
        batch = self.prepare(self.new_bill(34))
        self.assertEqual(self.codes(batch), ["account_shared"])
        self.assertIn("Zweite GmbH", self.text(batch, "account_shared"))
        self.env["res.partner"].search([("name", "=", "Zweite GmbH")]).unlink()
        hidden = self.new_company("Other GmbH")
        self.new_vendor("Geheim GmbH", 1, trusted=False, company_id=hidden.id)
        batch._find_flags()
        text = self.text(batch, "account_shared")
        self.assertNotIn("Geheim", text)
        self.assertIn("another payee", text)

    def test_account_holder_unlike_the_vendor(self):
        self.pay()
        holders = {"Mueller und Soehne": [], "Ivan Petrov": ["holder_unlike"]}
        for holder, expected in holders.items():
            with self.subTest(holder=holder):
                self.vendor.bank_ids.acc_holder_name = holder
                self.confirm(self.vendor.bank_ids)
                batch = self.prepare(self.new_bill(41))
                self.assertEqual(self.codes(batch), sorted([*expected, "account_edited"]))
                batch.with_user(self.preparer).action_cancel()
        self.assertIn("Ivan Petrov", self.text(batch, "holder_unlike"))

    # -- amounts ----------------------------------------------------------------------------

    def test_duplicate_of_a_recent_payment(self):
        self.pay(80, days_ago=3)
        self.assertEqual(self.codes(self.prepare(self.new_bill(80))), ["duplicate_amount"])

    def test_a_rent_paid_each_month_is_no_duplicate(self):
        self.pay(80, days_ago=30)
        self.assertEqual(self.codes(self.prepare(self.new_bill(80))), [])

    def test_duplicate_of_a_payment_that_waits_in_another_batch(self):
        self.pay()
        first = self.prepare(self.new_bill(81))
        second = self.prepare(self.new_bill(81))
        self.assertEqual(self.codes(second), ["duplicate_amount"])
        self.assertIn(first.name, self.text(second, "duplicate_amount"))

    def test_vendors_number_on_a_bill_that_is_paid_already(self):
        """Written otherwise, so that Odoo's own check of equal numbers does not see it."""
        self.pay()
        old = self.new_bill(10, ref="RE-2024/0815")
        self.approved(old)
        batch = self.prepare(self.new_bill(11, ref="re 2024 0815"))
        self.assertEqual(self.codes(batch), ["duplicate_reference"])
        self.assertIn(old.name, self.text(batch, "duplicate_reference"))

    def test_same_amount_to_one_vendor_in_one_batch(self):
        self.pay()
        bills = self.new_bill(60) + self.new_bill(60) + self.new_bill(61)
        batch = self.prepare(bills, group_payments=False)
        self.assertEqual(len(batch.payment_ids), 3)
        self.assertEqual(self.codes(batch), ["same_amount"] * 2)
        self.assertIn("2 times", self.text(batch, "same_amount"))

    def test_amount_far_above_the_usual(self):
        for place, amount in enumerate((100, 110, 90, 105, 95, 100)):
            self.pay(amount, days_ago=40 + 30 * place)
        batch = self.prepare(self.new_bill(2000))
        self.assertEqual(self.codes(batch), ["amount_unusual"])
        self.assertIn("100.00", self.text(batch, "amount_unusual"))
        self.assertEqual(self.codes(self.prepare(self.new_bill(140))), [])

    def test_four_payments_are_no_habit(self):
        for place in range(4):
            self.pay(100, days_ago=40 + 30 * place)
        self.assertEqual(self.codes(self.prepare(self.new_bill(2000))), [])

    # -- limits of the rules ----------------------------------------------------------------

    def rule(self, **values):
        """A rule beside the one that asks for one approver always: two people are needed."""
        self.new_user("second", "account_bank_connect.group_approver")
        return self.env["bank.approval.rule"].create(
            {
                "name": "Two directors",
                "company_id": self.company.id,
                "level_ids": [
                    Command.create(
                        {
                            "name": "Director",
                            "group_id": self.env.ref("account_bank_connect.group_approver").id,
                        }
                    )
                ],
                **values,
            }
        )

    def test_batch_just_below_a_limit(self):
        self.pay()
        self.rule(amount_from=1000)
        near = self.prepare(self.new_bill(960))
        flag = near.flag_ids.filtered(lambda flag: flag.code == "below_limit")
        self.assertFalse(flag.payment_id)
        self.assertIn("Two directors", flag.text)
        for amount in (1000, 900):
            batch = self.prepare(self.new_bill(amount))
            self.assertNotIn("below_limit", batch.flag_ids.mapped("code"))

    def test_payment_just_below_a_limit(self):
        self.pay()
        self.rule(payment_from=500)
        batch = self.prepare(self.new_bill(490) + self.new_bill(20), group_payments=False)
        flag = batch.flag_ids.filtered(lambda flag: flag.code == "below_limit")
        self.assertEqual(flag.amount, 490)

    def test_limit_that_asks_for_more_than_an_amount_is_no_limit(self):
        self.pay()
        self.rule(amount_from=1000, new_payee=True)
        self.assertEqual(self.codes(self.prepare(self.new_bill(990))), [])

    def test_payments_split_below_a_limit_in_one_batch(self):
        self.pay()
        self.rule(payment_from=500)
        bills = self.new_bill(300) + self.new_bill(250) + self.new_bill(9)
        batch = self.prepare(bills, group_payments=False)
        self.assertEqual(self.codes(batch), ["split"] * 3)
        self.assertIn("559.00", self.text(batch, "split"))

    def test_payments_split_over_batches(self):
        self.pay(days_ago=300)
        self.rule(amount_from=500)
        first = self.prepare(self.new_bill(300))
        self.assertEqual(self.codes(first), [])
        second = self.prepare(self.new_bill(250))
        self.assertEqual(self.codes(second), ["split"])
        other = self.new_vendor("Zweite GmbH", 9)
        self.pay(vendor=other)
        self.long_known(other)
        self.assertEqual(self.codes(self.prepare(self.new_bill(250, vendor=other))), [])

    # -- the batch --------------------------------------------------------------------------

    def test_prepared_at_night_or_at_the_weekend_on_the_companys_clock(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        # UTC -> flagged; Shanghai is eight hours ahead.
        moments = {
            "2026-03-04 09:00:00": False,  # Wednesday, 17:00
            "2026-03-04 15:30:00": "night",  # 23:30
            "2026-03-06 17:00:00": "weekend",  # Saturday, 01:00
            "2026-03-08 21:30:00": "night",  # Monday, 05:30
        }
        for moment, expected in moments.items():
            with self.subTest(moment=moment), freeze_time(moment):
                batch = self.prepare(self.new_bill())
                flag = batch.flag_ids.filtered(lambda flag: flag.code == "odd_hour")
                self.assertEqual(bool(flag), bool(expected))
                if expected:
                    self.assertIn(expected, flag.text)
                    self.assertIn("Asia/Shanghai", flag.text)

    # -- as a whole -------------------------------------------------------------------------

    def test_summary_says_what_and_how_often(self):
        self.pay()
        batch = self.prepare(
            self.new_bill(60) + self.new_bill(60) + self.new_bill(7), group_payments=False
        ).with_user(self.approver)
        self.assertEqual(batch.flagged_count, 2)
        self.assertEqual(batch.flag_level, "medium")
        self.assertIn("Same amount × 2", batch.flag_summary)

    def test_flags_are_found_anew_when_the_batch_is_sealed_again(self):
        batch = self.prepare(self.new_bill())
        before = batch.flag_ids
        batch._seal_now()
        self.assertFalse(before.exists())
        self.assertEqual(self.codes(batch), ["first_payment"])

    def test_nobody_sets_or_removes_a_flag(self):
        batch = self.prepare(self.new_bill())
        flag = batch.flag_ids[:1]
        for user in (self.preparer, self.approver, self.admin, self.auditor, self.env.user):
            mine = flag.with_user(user)
            for attempt in (
                lambda flag=mine: flag.write({"severity": "note"}),
                lambda flag=mine: flag.unlink(),
                lambda flag=mine: flag.create(
                    {"batch_id": batch.id, "company_id": self.company.id, "code": "split",
                     "severity": "note"}
                ),
                lambda flag=mine: flag.batch_id.write({"flag_ids": [Command.clear()]}),
            ):  # fmt: skip
                with self.subTest(user=user.name), self.assertRaises(AccessError):
                    attempt()
        self.assertTrue(flag.exists())

    def test_settings_that_are_no_numbers_count_as_unset(self):
        parameters = self.env["ir.config_parameter"]
        for text in ("soon", "NaN", "-3", "Infinity"):
            parameters.set_param("account_bank_connect.flag_account_days", text)
            expected = 0 if text == "-3" else 30
            self.assertEqual(
                self.env["bank.payment.batch"]._flag_settings()["account_days"], expected
            )

    def test_as_many_queries_for_forty_payments_as_for_four(self):
        vendors = [self.new_vendor(f"Vendor {number}", 100 + number) for number in range(40)]
        small = self.prepare(self.env["account.move"].union(
            *(self.new_bill(10 + place, vendor=vendor) for place, vendor in enumerate(vendors[:4]))
        ))  # fmt: skip
        large = self.prepare(self.env["account.move"].union(
            *(self.new_bill(50 + place, vendor=vendor) for place, vendor in enumerate(vendors))
        ))  # fmt: skip

        def queries(batch):
            self.env.flush_all()
            self.env.invalidate_all()
            batch.payment_ids.mapped("amount")
            before = self.env.cr.sql_log_count
            batch._find_flags()
            return self.env.cr.sql_log_count - before

        self.assertEqual(queries(large), queries(small))
        self.assertEqual(self.codes(large).count("first_payment"), 40)

    def test_totals_by_payee(self):
        second = self.new_vendor("Zweite GmbH", 9)
        batch = self.prepare(
            self.new_bill(60) + self.new_bill(40) + self.new_bill(7, vendor=second),
            group_payments=False,
        )
        self.env.invalidate_all()
        rows = batch.with_user(self.approver).payee_ids
        self.assertEqual(
            [(row.partner_id, row.payment_count, row.amount) for row in rows],
            [(self.vendor, 2, 100), (second, 1, 7)],
        )


@tagged("post_install", "-at_install")
class TestFlagsInWords(BankConnectCommon):
    def test_every_flag_has_a_sentence_and_a_reader_without_a_role_reads_none(self):
        """The sentences are made of what each check notes: a check without one would crash."""
        flags = self.env["bank.payment.flag"]
        for code in dict(flags._fields["code"].selection):
            self.assertTrue(callable(getattr(flags, f"_say_{code}", None)), code)
        self.assertFalse(flags.with_user(self.clerk).has_access("read"))
