"""Posting and reconciling in bulk leaves what Odoo's own methods leave, one record at a time."""

from collections import Counter
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools import SQL

from ..models import bulk_rows
from ..models.engine import ENGINE
from .common import BankConnectCommon
from .documents import Booking, camt, paid

# Numbers of records, what is made of them, and when: these differ from run to run.
NUMBERS = {
    "bank_message_id", "bank_report_id", "bank_status_date", "create_date", "first_line_index",
    "id", "inalterable_hash", "internal_index", "matching_number", "move_name", "name",
    "processed_date", "sequence_number", "write_date", "write_uid",
}  # fmt: skip
COMPARED = (
    "account.move",
    "account.move.line",
    "account.payment",
    "account.partial.reconcile",
    "account.full.reconcile",
    "account.bank.statement",
    "account.bank.statement.line",
    "bank.payment.instalment",
)


class Books:
    """Every stored column of what a company's books hold, records told apart by what they are."""

    def __init__(self, env, company, notes_of):
        self.env = env
        env.flush_all()
        self.who = {}
        rows = {model: self._rows(model, company) for model in COMPARED}
        self._recognise(rows)
        self.content = Counter()
        for model in COMPARED:
            for row in rows[model]:
                self.content[self.who[model, row["id"]], self._told(model, row)] += 1
        self.numbers = sorted(row["name"] for row in rows["account.move"] if row["name"])
        self.notes = self._notes(
            row["id"] for row in rows["account.move"] if row["move_type"] in notes_of
        )

    def _rows(self, model, company):
        table = self.env[model]._table
        if model == "account.full.reconcile":
            where = SQL(
                "id IN (SELECT full_reconcile_id FROM account_move_line WHERE company_id = %s)",
                company.id,
            )
        else:
            where = SQL("company_id = %s", company.id)
        self.env.cr.execute(
            SQL("SELECT * FROM %s WHERE %s ORDER BY id", SQL.identifier(table), where)
        )
        return self.env.cr.dictfetchall()

    def _recognise(self, rows):
        """Give each record a name of its own that holds no number."""
        name = self.who
        for row in rows["account.payment"]:
            name["account.payment", row["id"]] = ("payment", row["end_to_end_id"])
        for row in rows["account.bank.statement"]:
            name["account.bank.statement", row["id"]] = ("statement", row["name"])
        for row in rows["account.bank.statement.line"]:
            name["account.bank.statement.line", row["id"]] = ("booking", row["bank_entry_key"])
        for row in rows["account.move"]:
            name["account.move", row["id"]] = (
                name.get(("account.payment", row["origin_payment_id"]))
                or name.get(("account.bank.statement.line", row["statement_line_id"]))
                or (row["move_type"], row["ref"], str(row["date"]))
            )
        for row in rows["account.move.line"]:
            name["account.move.line", row["id"]] = (
                *name["account.move", row["move_id"]],
                row["account_id"],
                float(row["balance"]),
                float(row["amount_currency"]),
            )
        items = {}
        for row in rows["account.move.line"]:
            items.setdefault(row["full_reconcile_id"], []).append(
                name["account.move.line", row["id"]]
            )
        for row in rows["account.full.reconcile"]:
            name["account.full.reconcile", row["id"]] = (
                "full",
                *sorted(map(str, items[row["id"]])),
            )
        for row in rows["account.partial.reconcile"]:
            name["account.partial.reconcile", row["id"]] = (
                "partial",
                name["account.move.line", row["debit_move_id"]],
                name["account.move.line", row["credit_move_id"]],
            )
        for row in rows["bank.payment.instalment"]:
            name["bank.payment.instalment", row["id"]] = (
                "instalment",
                name["account.payment", row["payment_id"]],
                name["account.move.line", row["move_line_id"]],
            )

    def _told(self, model, row):
        told = []
        for column, value in row.items():
            if column == "is_manually_modified" and row["move_type"] != "entry":
                continue  # Odoo takes its own reconciliation of a bill for a change by hand
            field = self.env[model]._fields.get(column)
            if column == "bank_told":
                value = [{**each, "r": bool(each["r"])} for each in value or ()]
            if column in NUMBERS:
                value = bool(value)
            elif field is not None and field.type == "many2one" and value:
                value = self.who.get((field.comodel_name, value), value)
            told.append((column, repr(value)))
        return tuple(sorted(told))

    def _notes(self, move_ids):
        """What the chatter says of bills, and of entries if asked for."""
        return Counter(
            (
                self.who["account.move", message.res_id],
                message.subtype_id.id,
                message.is_internal,
                tuple(
                    sorted(
                        (value.field_id.name, value.old_value_char, value.new_value_char)
                        for value in message.tracking_value_ids
                    )
                ),
            )
            for message in self.env["account.move"].browse(move_ids).message_ids
        )


@tagged("post_install", "-at_install")
class TestBulkEquivalence(BankConnectCommon):
    """The same payments and the same statement, in bulk and one by one: the same books."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendors = [
            cls.new_vendor(f"Vendor {number}", 10 + number, country)
            for number, country in enumerate(("DE", "FR", "DE", "CH", "DE"))
        ]
        # A contact for deliveries, abroad: another fiscal position than its company's.
        cls.env["res.partner"].create(
            {
                "name": "Depot",
                "parent_id": cls.vendors[2].id,
                "type": "delivery",
                "country_id": cls.env.ref("base.us").id,
            }
        )
        cls.env["account.fiscal.position"].create(
            [
                {
                    "name": country.name,
                    "auto_apply": True,
                    "country_id": country.id,
                    "company_id": cls.company.id,
                }
                for country in (cls.env.ref("base.fr"), cls.env.ref("base.us"))
            ]
        )
        cls.vendors[4].with_company(
            cls.company
        ).property_outbound_payment_method_line_id = cls.journal._bank_method_line()

    # -- the two ways -----------------------------------------------------------------------

    @contextmanager
    def one_by_one(self):
        """Odoo's own methods, one record at a time, with no context of this module's."""
        Payment, Line = type(self.env["account.payment"]), type(self.env["account.move.line"])
        Booking, Move = (
            type(self.env["account.bank.statement.line"]),
            type(self.env["account.move"]),
        )
        reconcile_plan = Line._reconcile_plan

        def book(payments):
            for payment in payments:
                discount = payment._bank_discount_lines()
                if discount:
                    payment._generate_journal_entry(write_off_line_vals=discount)
                payment.action_post()
                items = payment.bank_instalment_ids.move_line_id
                items += payment.move_id.line_ids.filtered(
                    lambda item, items=items: item.account_id in items.account_id
                )
                items.reconcile()

        def create_lines(lines, vals_list):
            plain = lines.with_context(tracking_disable=False)
            return lines.concat(*(plain.create(vals) for vals in vals_list))

        def reconcile_one_by_one(lines, plan):
            for amls in plan:
                reconcile_plan(lines, [amls])

        with (
            patch.object(Payment, "_bank_book", book),
            patch.object(Booking, "_bank_create_lines", create_lines),
            patch.object(Move, "_bank_quietly", lambda _self: {}),
            patch.object(Move, "_bank_noting", lambda _self: nullcontext()),
            patch.object(Line, "_reconcile_plan", reconcile_one_by_one),
            patch.object(bulk_rows, "postponed", lambda *_groups: nullcontext()),
        ):
            yield

    def books_after(self, batch, document, way, notes_of):
        """The books after approval and after the statement; everything is undone again."""
        copied = Counter()
        insert = bulk_rows.insert

        def count(model, patterns, rows):
            copied[model._name] += len(rows)
            return insert(model, patterns, rows)

        with self.env.cr.savepoint() as savepoint:
            with way, patch.object(bulk_rows, "insert", count):
                batch.with_context(bank_engine=ENGINE).payment_ids._bank_post()
                self.env.flush_all()
                self.env.cr.precommit.run()  # Odoo's own tracking writes its messages
                posted = Books(self.env, self.company, notes_of)
                message = self.env["bank.message"]._store(
                    self.connection, document, name="statement"
                )
                message._process()
                self.env.flush_all()
                self.env.cr.precommit.run()
                settled = Books(self.env, self.company, notes_of)
            savepoint.rollback()
        return posted, settled, copied

    def compare(self, records, make_document=None, copies=(), notes_of=("in_invoice",)):
        """Pay and book the records both ways, and compare.

        :param copies: models of which rows must have been copied, so that this compares anything
        """
        batch = self.prepare(records)
        document = (make_document or self.statement)(batch)
        return self.compare_batch(batch, document, copies, notes_of)

    def statement(self, batch):
        return camt(*[paid(payment) for payment in batch.payment_ids.sorted("id")])

    def compare_batch(self, batch, document, copies=(), notes_of=("in_invoice",)):
        slow = self.books_after(batch, document, self.one_by_one(), notes_of)
        fast = self.books_after(batch, document, nullcontext(), notes_of)
        self.assertFalse(slow[2], "nothing is copied one by one")
        self.assertGreaterEqual(set(fast[2]), set(copies))
        for stage, ours, theirs in (("posted", fast[0], slow[0]), ("settled", fast[1], slow[1])):
            with self.subTest(stage=stage):
                self.assert_same(ours.content, theirs.content)
                self.assertEqual(ours.numbers, theirs.numbers, "gapless, and the same numbers")
                self.assertEqual(ours.notes, theirs.notes)
        return fast[1]

    def assert_same(self, ours, theirs):
        if ours == theirs:
            return
        more, less = ours - theirs, theirs - ours
        told = []
        for (who, row), _count in sorted(more.items(), key=str):
            columns = {column for column, _value in row}
            others = [dict(other) for (name, other) in less if name == who]
            others = [other for other in others if other.keys() == columns]
            for column, value in row:
                if not others:
                    told.append(f"{who} exists in bulk only: {dict(row)}")
                    break
                if others[0][column] != value:
                    told.append(f"{who} {column}: {value} in bulk, {others[0][column]} one by one")
        ours_named = {who for who, _row in ours}
        told += [f"{who} exists one by one only" for who, _row in less if who not in ours_named]
        self.fail("\n".join(told[:30]))

    ENTRIES = ("account.move", "account.move.line")
    BOOKINGS = ("account.bank.statement.line",)

    def some_bills(self, **values):
        return self.env["account.move"].union(
            *(
                self.new_bill(100 + number, vendor, **values)
                for number, vendor in enumerate(self.vendors)
            )
        )

    def dollar_journal(self):
        """An account in a currency whose rate moved between bill, payment and statement."""
        today = fields.Date.today()
        for days, rate in ((400, 1.25), (20, 1.6), (0, 1.7)):
            self.env["res.currency.rate"].create(
                {
                    "name": today - timedelta(days=days),
                    "rate": rate,
                    "currency_id": self.usd.id,
                    "company_id": self.company.id,
                }
            )
        self.dollars = "DE02120300000000202051"
        return self.new_journal(self.dollars, self.connection, currency=self.usd, code="CNU")

    def dollar_statement(self, batch):
        bookings = [paid(pay, currency="USD") for pay in batch.payment_ids.sorted("id")]
        return camt(*bookings, iban=self.dollars, currency="USD")

    def discount_terms(self):
        return self.env["account.payment.term"].create(
            {
                "name": "2%",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )

    # -- what is the same ---------------------------------------------------------------------

    def test_plain_bills(self):
        """Bills of several vendors in the company's currency."""
        self.compare(self.some_bills(), copies=self.ENTRIES + self.BOOKINGS)

    def test_plain_bills_booked_by_the_statement(self):
        """The other way of bookkeeping: the statement pays the bills."""
        self.book_on_statement()
        self.compare(self.some_bills(), copies=self.BOOKINGS)

    def test_foreign_currency(self):
        """An account in dollars: exchange differences are booked alike."""
        self.dollar_journal()
        bills = self.some_bills(
            currency_id=self.usd.id, invoice_date=fields.Date.today() - timedelta(days=30)
        )
        settled = self.compare(bills, self.dollar_statement, self.ENTRIES + self.BOOKINGS)
        self.assertIn("exchange", str(settled.content).lower(), "there was a difference to book")

    def test_foreign_currency_booked_by_the_statement(self):
        self.book_on_statement(self.dollar_journal())
        bills = self.some_bills(
            currency_id=self.usd.id, invoice_date=fields.Date.today() - timedelta(days=30)
        )
        self.compare(bills, self.dollar_statement, self.BOOKINGS)

    def test_partly_netted_and_discounted(self):
        """Among plain payments a partial one, one less a credit note, and one with a discount."""
        for book_now in (True, False):
            if not book_now:
                self.book_on_statement()
            with self.subTest(book_now=book_now):
                bills = self.some_bills() | self.some_bills()
                discounted = self.new_bill(
                    1000, self.vendors[0], invoice_payment_term_id=self.discount_terms().id
                )
                note = self.new_bill(30, self.vendors[1], move_type="in_refund")
                wizard = self.open_wizard(bills + discounted + note, net_credit_notes=True)
                wizard.line_ids[0].amount = 40
                action = wizard.action_send()
                batch = self.env["bank.payment.batch"].search(action["domain"])
                self.compare_batch(
                    batch,
                    self.statement(batch),
                    self.BOOKINGS + (self.ENTRIES if book_now else ()),
                )

    def test_one_debit_for_all(self):
        """One booking for many payments is split among them."""
        for book_now in (True, False):
            if not book_now:
                self.book_on_statement()
            with self.subTest(book_now=book_now):
                batch = self.prepare(self.some_bills())
                booking = Booking(
                    f"-{batch.amount_total:.2f}",
                    reference=batch.name,
                    batch=f"{batch.reference}-1",
                )
                self.compare_batch(batch, camt(booking), self.ENTRIES if book_now else ())

    def test_a_journal_that_is_hashed(self):
        """Entries of a journal with an unchangeable chain are secured alike."""
        self.journal.restrict_mode_hash_table = True
        settled = self.compare(self.some_bills(), copies=self.ENTRIES + self.BOOKINGS)
        hashed = [row for _who, row in settled.content if ("inalterable_hash", "True") in row]
        self.assertTrue(hashed)

    def test_a_locked_period(self):
        """Entries that fall in a locked period are moved out of it alike."""
        self.company.fiscalyear_lock_date = fields.Date.today() + timedelta(days=3)
        self.compare(self.some_bills(), copies=self.ENTRIES + self.BOOKINGS)

    def test_tracking_by_law(self):
        """With a restrictive audit trail Odoo writes every entry, and tracks every change."""
        self.company.restrictive_audit_trail = True
        with patch.object(bulk_rows, "insert", side_effect=AssertionError("copied")):
            settled = self.compare(self.some_bills(), notes_of={"in_invoice", "entry"})
        self.assertIn("payment", str(settled.notes), "entries have notes")

    def test_analytic_distribution(self):
        """Where a rule spreads payments over analytic accounts, Odoo creates the entries."""
        plan = self.env.ref("analytic.analytic_plan_projects")
        account = self.env["account.analytic.account"].create({"name": "P", "plan_id": plan.id})
        self.env["account.analytic.distribution.model"].create(
            {"partner_id": self.vendors[0].id, "analytic_distribution": {str(account.id): 100}}
        )
        self.compare(self.some_bills())

    # -- what other modules bring -------------------------------------------------------------

    def test_an_unknown_part_in_creating_entries(self):
        """A module that takes part in creating entries is never passed over."""
        move = self.env["account.move"]
        self.assertTrue(bulk_rows.may_copy(move))
        with patch.object(bulk_rows, "KNOWN", bulk_rows.KNOWN - {"mail"}):
            self.assertFalse(bulk_rows.may_copy(move))

    def test_an_unknown_field_is_computed(self):
        """What another module computes of an entry is computed of every entry in bulk, too."""
        move = self.env["account.move"]
        field = move._fields["invoice_partner_display_name"]
        batch = self.prepare(self.some_bills())
        computed = []
        compute = type(move)._compute_invoice_partner_display_info

        def note(moves):
            computed.extend(moves.mapped("origin_payment_id.end_to_end_id"))
            return compute(moves)

        with (
            patch.object(field, "_modules", ("account", "a_module_of_tomorrow")),
            patch.object(type(move), "_compute_invoice_partner_display_info", note),
        ):
            self.approve(batch)
            self.env.flush_all()
        self.assertLessEqual(set(batch.payment_ids.mapped("end_to_end_id")), set(computed))
