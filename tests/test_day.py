import re
from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .common import BankConnectCommon
from .documents import Booking, camt, paid, pain002, returned


@tagged("post_install", "-at_install")
class TestDay(BankConnectCommon):
    """What failed, what is late, what needs a decision; each figure is the list behind it."""

    def day(self, user=None):
        """What the page shows: code → line."""
        lines = self.env["bank.day"].with_user(user or self.preparer).with_context(
            allowed_company_ids=self.company.ids
        ).search([])
        return {line.code: line for line in lines}

    def behind(self, line):
        """The records that a click on a line opens."""
        action = line.action_open()
        return self.env[action["res_model"]].with_user(line.env.user).search(action["domain"])

    def answer(self, payments, status, reason=None):
        self.received(
            pain002(
                payments.bank_batch_id.reference,
                [(pay.end_to_end_id, status, reason) for pay in payments],
            )
        )

    def test_a_quiet_day_is_empty(self):
        self.assertFalse(self.day())

    def test_failed_until_it_is_paid_or_on_its_way(self):
        bill, other = self.new_bill(40), self.new_bill(41)
        rejected = self.sent(bill).payment_ids
        self.answer(rejected, "RJCT", "AC04")
        back = self.sent(other).payment_ids
        self.received(camt(paid(back), opening="1000.00"))
        self.received(camt(returned(back), opening="959.00"))
        day = self.day()
        self.assertEqual(day["rejected"].count, 1)
        self.assertEqual(self.behind(day["rejected"]), rejected)
        self.assertEqual(self.behind(day["returned"]), back)
        self.assertEqual({day["rejected"].urgency, day["returned"].urgency}, {"1_failed"})
        self.assertTrue(day["rejected"].title and day["rejected"].hint and day["rejected"].age)
        # The account is on hold now: that is a decision for somebody.
        self.assertIn("accounts", day)
        again = self.sent(bill)
        self.received(camt(paid(again.payment_ids), opening="1000.00"))
        self.assertNotIn("rejected", self.day())
        self.assertIn("returned", self.day())

    def test_late(self):
        """Batches that wait for long, and messages whose fate is unknown."""
        batch = self.prepare(self.new_bill(50))
        self.assertNotIn("approval", self.day())
        batch._engine().asked_date = fields.Datetime.now() - timedelta(hours=30)
        late = self.day()["approval"]
        self.assertEqual((late.count, late.urgency, late.age), (1, "2_late", "30 hours"))
        self.assertEqual(self.behind(late), batch)
        sent = self.sent(self.new_bill(51))
        message = self.message_of(sent)
        self.assertNotIn("unanswered", self.day())
        message.sent_date = fields.Datetime.now() - timedelta(days=3)
        self.assertEqual(self.behind(self.day()["unanswered"]), sent)
        message.write({"state": "uncertain", "uncertain_since": fields.Datetime.now()})
        self.assertEqual(self.behind(self.day()["uncertain"]), message)

    def test_decisions_are_those_of_who_looks(self):
        """An approver's batches, nobody else's; bookings and documents for who may read them."""
        batch = self.prepare(self.new_bill(52))
        self.received(camt(Booking("-3.00", text="Fee")))
        self.quarantined(b"<nonsense/>", "no document")
        self.assertEqual(self.behind(self.day(self.approver)["mine"]), batch)
        self.assertNotIn("mine", self.day(self.preparer))
        for user in (self.preparer, self.auditor, self.admin):
            day = self.day(user)
            self.assertEqual(day["bookings"].count, 1)
            self.assertEqual(day["quarantined"].count, 1)
        self.assertFalse(self.env["bank.day"].with_user(self.clerk).has_access("read"))

    def test_other_companies_have_their_own_day(self):
        self.received(camt(Booking("-3.00", text="Fee")))
        other = self.new_company("Other GmbH")
        both = self.company + other
        user = self.new_user("both", "account_bank_connect.group_preparer", companies=both)
        here = self.env["bank.day"].with_user(user).with_context(allowed_company_ids=both.ids)
        there = here.with_context(allowed_company_ids=other.ids)
        self.assertEqual(here.search([("code", "=", "bookings")]).count, 1)
        self.assertFalse(there.search([("code", "=", "bookings")]))

    def test_cost(self):
        """The page costs the same whatever waits."""
        def cost():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["bank.day"].with_user(self.preparer).search_read([], ["count", "title"])
            return self.env.cr.sql_log_count - before

        self.received(camt(Booking("-3.00", text="Fee")))
        cost()
        first = cost()
        fees = [Booking("-3.00", text=f"Fee {number}") for number in range(20)]
        self.received(camt(*fees, opening="997.00"))
        self.assertLessEqual(cost(), first + 2)

    def test_in_the_morning_by_mail_for_who_wants_it(self):
        """Counts and ages, no name and no amount; nothing on a quiet day."""
        mails = self.env["mail.mail"].search([])
        self.preparer.with_user(self.preparer).write({"bank_day_digest": True})
        self.run_cron("digest")
        self.assertFalse(self.env["mail.mail"].search([]) - mails)
        self.received(camt(Booking("123.45", text="Secret money")))
        self.run_cron("digest")
        mail = self.env["mail.mail"].search([]) - mails
        self.assertEqual(mail.recipient_ids, self.preparer.partner_id)
        said = " ".join(re.sub(r"<[^>]+>", " ", mail.body_html).split())
        self.assertIn("Bank bookings to reconcile: 1", said)
        self.assertNotIn("123", said)
        self.assertNotIn("Secret", said)
        self.preparer.group_ids = [Command.unlink(self.env.ref(
            "account_bank_connect.group_preparer").id)]
        self.run_cron("digest")
        self.assertEqual(self.env["mail.mail"].search([]) - mails, mail, "no right, no mail")
