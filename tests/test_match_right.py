"""What is booked of itself is always right, and costs the database the same for any number."""

import random
from decimal import Decimal

from odoo import fields
from odoo.tests import tagged

from ..formats.incoming import Entry, TransactionDetails
from .common import iban
from .documents import Booking, Detail
from .test_match_open_items import MatchCommon

AMOUNTS = (100, 100.01, 110, 1000, 1010, 101)


@tagged("post_install", "-at_install")
class TestMatchRight(MatchCommon):
    def one_booking(self, chance, move, payer, strange):
        """A booking for a document, as somebody might pay it, or for one that is not here."""
        sign = "" if move.move_type == "out_invoice" else "-"
        amount = Decimal(f"{move.amount_total:.2f}")
        number = move.name if sign == "" else move.ref
        if strange:
            # The next number of the same make, which nobody has entered.
            head, last = number[:-5], int(number[-5:])
            number = f"{head}{last + 700:05d}"
        elif chance.random() < 0.2:
            amount += chance.choice([Decimal("0.01"), Decimal("-0.01"), Decimal(10)])
        text = chance.choice([
            number, number.lower(), number.replace("/", " "), number.replace("/", "-"),
            number.replace("/", ""), f"invoice {number}, thank you",
            number[:-2] + "\n" + number[-2:], "" if not strange else number,
        ])
        account = chance.choice([None, payer.bank_ids.acc_number])
        name = chance.choice([None, payer.name])
        return Booking(f"{sign}{amount}", [Detail(
            amount=str(amount), text=text or None, account=account, payee=name,
        )])

    def test_never_the_wrong_one(self):
        """Numbers and amounts that are alike, cut, wrong, missing: right, or left to people."""
        payers = [
            self.env["res.partner"].create(
                {"name": name, "bank_ids": [(0, 0, {"acc_number": iban(80 + number)})]}
            )
            for number, name in enumerate(("Nordwind AG", "Südwind AG", "Windmühle GmbH"))
        ]
        settled, opening = 0, Decimal(1000)
        for seed in range(3):
            chance = random.Random(seed)
            truth = []
            for number in chance.sample((1, 2, 10, 11, 12, 20, 21, 100, 101, 110, 111), 8):
                payer = chance.choice(payers)
                ref = f"RE-2026-{number + 1000 * seed:05d}"
                for move in (
                    self.invoice(chance.choice(AMOUNTS), payer),
                    self.new_bill(chance.choice(AMOUNTS), payer, ref=ref),
                ):
                    strange = chance.random() < 0.25
                    truth.append((move, payer, strange))
            chance.shuffle(truth)
            bookings = [self.one_booking(chance, *one) for one in truth]
            lines = self.booked(*bookings, opening=str(opening))
            opening += sum(Decimal(booking.amount) for booking in bookings)
            for (move, _payer, strange), line in zip(truth, lines, strict=True):
                items = line.move_id.line_ids
                paid = (items.matched_debit_ids.debit_move_id
                        | items.matched_credit_ids.credit_move_id).move_id - line.move_id
                allowed = self.env["account.move"] if strange else move
                self.assertLessEqual(paid, allowed, f"{seed}: {line.payment_ref} {line.amount}")
                settled += bool(paid)
        self.assertGreater(settled, 15, "most of what is beyond doubt is booked")

    def questions(self, count, start):
        """Database queries for matching and booking so many incoming payments."""
        invoices = [self.invoice(10 + n) for n in range(count)]
        entries = [
            Entry(
                amount=Decimal(10 + n), currency="EUR", credit_debit="CRDT", status="BOOK",
                booking_date=fields.Date.today(),
                details=(TransactionDetails(
                    amount=Decimal(10 + n), currency="EUR",
                    remittance_unstructured=(invoice.name,) if n % 2 else (),
                    creditor_reference=None if n % 2 else invoice.payment_reference,
                ),),
            )
            for n, invoice in enumerate(invoices)
        ]
        match_model = self.env["bank.statement.match"].with_company(self.company)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        match = match_model._find(self.journal, entries)
        found = self.env.cr.sql_log_count - before
        lines = self.env["account.bank.statement.line"].with_context(
            **self.env["account.move"]._bank_quietly()
        )._bank_create_lines(
            [
                {
                    "journal_id": self.journal.id, "date": fields.Date.today(),
                    "amount": float(entry.amount), "payment_ref": "x",
                    "bank_entry_key": f"{start}:{number}",
                    "partner_id": match.partner_of(entry).id,
                    "counterpart_account_id": match.counterpart_account(entry).id,
                }
                for number, entry in enumerate(entries)
            ]
        )
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        match_model._settle(match, dict(zip(map(id, entries), lines, strict=True)))
        self.env.flush_all()
        booked = self.env.cr.sql_log_count - before
        self.assertEqual({invoice.payment_state for invoice in invoices}, {"paid"})
        self.assertTrue(all(lines.mapped("is_reconciled")))
        before = self.env.cr.sql_log_count
        self.env["bank.statement.suggest"]._suggest(lines)
        return found, booked

    def test_forty_cost_no_more_questions_than_ten(self):
        self.questions(2, "warm")
        few, many = self.questions(10, "few"), self.questions(40, "many")
        self.assertLess(many[0] - few[0], 10, "finding")
        self.assertLess(many[1] - few[1], 25, "booking")

    def test_suggestions_cost_no_more_for_forty(self):
        def asked(count, amount):
            lines = self.env["account.bank.statement.line"].create(
                [
                    {
                        "journal_id": self.journal.id, "amount": amount + n,
                        "payment_ref": self.invoice(amount + n).name,
                    }
                    for n in range(count)
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.env["bank.statement.suggest"]._suggest(lines)
            self.assertTrue(all(found[line.id] for line in lines))
            return self.env.cr.sql_log_count - before

        asked(2, 500)
        few, many = asked(10, 1000), asked(40, 2000)
        self.assertLess(many - few, 15)

    def test_suggestions_say_why(self):
        """The best comes first, with reasons; what contradicts comes last."""
        invoice, other = self.invoice(100), self.invoice(100)
        self.allow()
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.journal.id, "amount": 97.5, "account_number": self.account,
                "payment_ref": f"{invoice.name} less fees",
                "transaction_details": {
                    "charges": [{"amount": "-2.50", "currency": "EUR", "included": True}]
                },
            }
        )
        best = self.env["bank.statement.suggest"]._suggest(line)[line.id][0]
        self.assertEqual(best["item_ids"], invoice.line_ids.filtered("date_maturity").ids)
        self.assertEqual(
            [(part["account_id"], part["amount"]) for part in best["write_off"]],
            [(self.charges.id, "-2.50")],
        )
        self.assertIn("The rest is what a bank charged.", best["reasons"])
        self.assertGreater(best["score"], 80)
        line._bank_reconcile(
            [*({"item_id": item, "amount": None} for item in best["item_ids"]), *best["write_off"]]
        )
        self.assert_settled(line, invoice, charges=2.5)
        self.assertEqual(other.amount_residual, 100)
