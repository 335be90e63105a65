import hashlib
import io
import json
import os
import re
import zipfile
from unittest.mock import patch

from markupsafe import escape
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from ..models import bank_reconciliation_print
from .common import MODULE, OUR_IBAN
from .reconciliation_common import ReconciliationCommon
from .test_access_matrix import RpcCase


@tagged("post_install", "-at_install")
class TestReconciliationSign(ReconciliationCommon, RpcCase):
    """Two people sign what does not change any more; when the books do, it says so."""

    def setUp(self):
        super().setUp()
        self.cheque = self.pay("2026-10-20", -40, memo="cheque")
        self.statement(0, 100, ("2026-10-30", 100))
        self.trail = self.env["bank.audit.event"]

    def kinds(self, sheet):
        found = self.trail.search([("res_model", "=", sheet._name), ("res_id", "=", sheet.id)])
        return set(found.mapped("kind"))

    def newer(self, sheet):
        action = sheet.with_user(self.preparer).action_new_version()
        return self.sheets.with_user(self.preparer).browse(action["res_id"])

    # -- who ------------------------------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_who_signs_what(self):
        """By RPC: accountants prepare, others review, never the same person, no auditor."""
        sheet = self.sheet()
        rights = f"{MODULE}.group_preparer,{MODULE}.group_approver,{MODULE}.group_admin"
        both = self.new_user("both", rights)
        # Who has every right and audits signs nothing.
        audits = self.new_user("audits", f"{rights},{MODULE}.group_auditor")
        twin = self.new_user("twin", f"{MODULE}.group_approver")
        twin.sudo().partner_id = both.partner_id

        def call(user, method, *args):
            self.log_in(user)
            _found, error = self.rpc("bank.reconciliation", method, sheet.ids, *args)
            self.env.invalidate_all()
            return error and error["name"]

        for user in (
            self.auditor, audits, self.approver, self.admin, self.clerk, self.outsider,
        ):
            self.assertEqual(call(user, "action_prepare"), "AccessError", user.name)
        self.assertEqual(sheet.state, "draft")
        self.assertIsNone(call(both, "action_prepare"))
        self.assertEqual((sheet.state, sheet.prepared_by_id), ("prepared", both))
        for user in (both, twin, audits, self.preparer, self.auditor, self.clerk, self.outsider):
            for method, *args in (
                ("action_countersign", "I say so"), ("action_send_back", "I say so"),
            ):
                self.assertEqual(call(user, method, *args), "AccessError", user.name)
        self.assertEqual(sheet.state, "prepared")
        self.assertIsNone(call(self.approver, "action_countersign"))
        self.assertEqual((sheet.state, sheet.reviewed_by_id), ("reviewed", self.approver))
        # Nobody signs twice.
        self.assertEqual(call(self.admin, "action_countersign"), "UserError")
        self.assertEqual(call(self.other, "action_prepare"), "UserError")
        with self.assertRaises(AccessError):
            self.sheets.with_user(self.env.ref("base.user_root"))._check_preparer()

    def test_nobody_writes_a_statement(self):
        sheet = self.sheet()
        for user in (self.preparer, self.admin, self.auditor, self.env.user):
            for records, values in (
                (sheet, {"difference": 0}), (sheet.line_ids[:1], {"amount": 1})
            ):
                mine = records.with_user(user)
                for attempt in (
                    lambda mine=mine, values=values: mine.write(values),
                    lambda mine=mine, values=values: mine.sudo().write(values),
                    lambda mine=mine: mine.sudo().unlink(),
                    lambda mine=mine, values=values: mine.sudo().create(values),
                    lambda mine=mine: mine.sudo().with_context(bank_engine=True).unlink(),
                ):
                    with self.subTest(user.name), self.assertRaises(AccessError):
                        attempt()

    def test_a_draft_can_be_discarded_and_a_signed_one_not(self):
        sheet = self.sheet()
        self.assertEqual(self.sheet(user=self.other), sheet)
        with self.assertRaises(AccessError):
            sheet.with_user(self.auditor).action_discard()
        sheet.action_discard()
        self.assertFalse(sheet.exists())
        sheet = self.signed()
        with self.assertRaises(UserError):
            sheet.action_discard()
        with self.assertRaises(UserError):
            sheet.sudo()._engine().unlink()

    def test_tasks_follow(self):
        """The reviewers are asked, not the preparer; who reviewed last is asked next time."""
        sheet = self.sheet()
        sheet.action_prepare()
        self.assertEqual(
            self.activities(sheet, "reconciliation").user_id & (self.approver + self.admin),
            self.approver + self.admin,
        )
        sheet.with_user(self.admin).action_countersign()
        self.assertFalse(self.activities(sheet, "reconciliation"))
        day = self.env["bank.day"].with_user(self.admin).with_company(self.company)
        self.assertFalse(day.search([("code", "=", "reconcile_review")]))
        self.assertLessEqual(
            {"reconciliation_prepared", "reconciliation_reviewed"}, self.kinds(sheet)
        )
        later = self.sheet("2026-11-02")
        later.action_prepare()
        self.assertEqual(self.activities(later, "reconciliation").user_id, self.admin)
        self.assertEqual(day.search([("code", "=", "reconcile_review")]).count, 1)

    def test_sent_back(self):
        sheet = self.sheet()
        sheet.action_prepare()
        with self.assertRaises(UserError):
            sheet.with_user(self.approver).action_send_back("  ")
        wizard = self.env["bank.reconciliation.reason"].with_user(self.approver)
        wizard.create(
            {"reconciliation_id": sheet.id, "reason": "The cheque was cancelled."}
        ).action_send_back()
        self.assertEqual(sheet.state, "returned")
        self.assertEqual(self.activities(sheet, "reconciliation").user_id, self.preparer)
        self.cheque.action_cancel()
        newer = self.newer(sheet)
        self.assertEqual((newer.version, newer.replaces_id), (2, sheet))
        newer.action_prepare()
        self.assertEqual(sheet.state, "superseded")
        self.assertFalse(newer.line_ids.filtered(lambda line: line.amount == 40))

    # -- what -----------------------------------------------------------------------------------

    def test_what_was_signed_is_frozen(self):
        """Nothing on it changes; whoever changes rows is found out."""
        sheet = self.signed()
        self.assertEqual(len(sheet.digest), 64)
        self.assertEqual(sheet.digest, hashlib.sha256(sheet._canonical().encode()).hexdigest())
        self.assertFalse(sheet._faults())
        with self.assertRaises(UserError):
            sheet.action_refresh()
        # Names may change: what was signed tells the old ones.
        self.journal.name = "Renamed"
        self.vendor.name = "Renamed"
        self.assertFalse(sheet._faults())
        changes = (
            ("bank_reconciliation", "difference = 1", {"content"}),
            ("bank_reconciliation", "reviewed_on = now(), review_reason = 'x'", {"reviewed"}),
            ("bank_reconciliation", f"prepared_by_id = {self.other.id}", {"prepared"}),
            ("bank_reconciliation_line", "partner_name = 'Somebody else'", {"content"}),
            ("bank_reconciliation_line", "amount = amount + 0.01", {"content"}),
        )
        for table, change, faults in changes:
            with self.subTest(change), self.env.cr.savepoint() as savepoint:
                key = "id" if table == "bank_reconciliation" else "reconciliation_id"
                self.env.cr.execute(f"UPDATE {table} SET {change} WHERE {key} = %s", (sheet.id,))
                self.env.invalidate_all()
                self.assertEqual(set(sheet._faults()), faults)
                self.assertEqual(sheet.action_verify()["params"]["type"], "danger")
                savepoint.close(rollback=True)
        self.env.invalidate_all()
        self.assertEqual(sheet.action_verify()["params"]["type"], "success")

    def test_a_reviewer_signs_nothing_that_was_altered(self):
        sheet = self.sheet()
        sheet.action_prepare()
        self.env.cr.execute(
            "UPDATE bank_reconciliation_line SET amount = 1 WHERE reconciliation_id = %s",
            (sheet.id,),
        )
        with self.assertRaisesRegex(UserError, "altered"):
            sheet.with_user(self.approver).action_countersign("whatever")

    def test_nobody_signs_what_they_have_not_seen(self):
        """The books changed under the draft: it is shown anew instead of signed."""
        sheet = self.sheet()
        self.pay("2026-10-22", -8)
        answer = sheet.action_prepare()
        self.assertEqual(answer["params"]["type"], "warning")
        self.assertEqual(sheet.state, "draft")
        self.assertEqual(sorted(self.amounts(sheet, "book_payment")), [8, 40])
        self.assertFalse(sheet.action_prepare())
        self.assertEqual(sheet.state, "prepared")

    def test_without_a_key_nobody_signs(self):
        sheet = self.sheet()
        with patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": ""}), self.assertRaises(UserError):
            sheet.action_prepare()

    def test_without_a_statement_there_is_nothing_to_sign(self):
        empty = self.new_journal("DE02120300000000202051", self.connection, code="EMP")
        sheet = self.sheet(journal=empty)
        with self.assertRaisesRegex(UserError, "no statement"):
            sheet.action_prepare()

    def test_an_unexplained_difference_needs_a_reason(self):
        self.statement(107, 110, ("2026-10-31", 3))
        sheet = self.sheet()
        self.assertEqual(sheet.difference, 7)
        sheet.action_prepare()
        reviewer = sheet.with_user(self.approver)
        for reason in (None, " "):
            with self.assertRaisesRegex(UserError, "unexplained"):
                reviewer.action_countersign(reason)
        reviewer.action_countersign("The bank corrects its statement next week.")
        self.assertEqual(sheet.state, "reviewed")
        self.assertEqual(sheet.review_reason, "The bank corrects its statement next week.")
        event = self.trail.search([("kind", "=", "reconciliation_reviewed")], limit=1)
        self.assertIn("next week", event.details)
        self.assertIn('"7.00"', event.details)

    # -- the books go on ------------------------------------------------------------------------

    def test_the_books_changed(self):
        """A back-dated entry and an undone match: old and new are shown, what was signed stays."""
        line = self.bookings(("2026-10-31", -40))
        self.match(line, self.cheque)
        sheet = self.signed()
        self.assertFalse(sheet.books_changed)
        content = sheet._canonical()
        # What happens later in the ledger is later.
        self.pay("2026-11-03", -5)
        self.assertFalse(sheet._changes())
        self.pay("2026-10-29", -6)
        self.env.invalidate_all()
        self.assertTrue(sheet.books_changed)
        changes = sheet._changes()
        self.assertEqual(changes["figures"]["book_payment_total"], (0, 6))
        self.assertEqual([item["amount"] for item in changes["come"]], [6])
        self.assertIn(sheet.currency_id.format(6), str(sheet.changes_text))
        line.action_undo_reconciliation()
        self.env.invalidate_all()
        self.assertEqual(sorted(item["amount"] for item in sheet._changes()["come"]), [6, 40, 40])
        self.assertEqual(sheet._canonical(), content)
        self.run_cron("reconciliation")
        self.assertTrue(sheet.changed_on)
        self.assertEqual(self.activities(sheet, "reconciliation").user_id, self.preparer)
        newer = self.newer(sheet)
        newer.action_prepare()
        self.assertEqual((sheet.state, newer.state), ("superseded", "prepared"))
        self.assertEqual(sheet._canonical(), content)
        self.assertFalse(sheet._faults())

    def test_reviewed_although_the_books_changed(self):
        """Only with a reason."""
        sheet = self.sheet()
        sheet.action_prepare()
        self.treat(self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)]
        ), self.income)
        self.env.invalidate_all()
        reviewer = sheet.with_user(self.approver)
        self.assertTrue(reviewer.needs_reason)
        with self.assertRaises(UserError):
            reviewer.action_countersign()
        reviewer.action_countersign("Treated the day after; nothing else changed.")
        self.assertEqual(sheet.state, "reviewed")

    def test_a_statement_of_the_bank_that_came_late(self):
        sheet = self.signed()
        self.statement(100, 95, ("2026-10-31", -5))
        self.env.invalidate_all()
        self.assertEqual(sheet._changes()["figures"]["bank_balance"], (100, 95))

    # -- on paper, and for auditors -------------------------------------------------------------

    def html(self, sheet, user):
        report = self.env.ref(f"{MODULE}.action_report_reconciliation").with_user(user)
        return str(report._render_qweb_html(report.report_name, sheet.ids)[0], "utf-8")

    def test_on_paper(self):
        """Both sides, who signed, the digest; account numbers for those who may see them."""
        sheet = self.sheet()
        self.assertIn("Draft", self.html(sheet, self.preparer))
        sheet = self.signed()
        html = self.html(sheet, self.auditor)
        for text in (
            "Bank reconciliation statement", "Adjusted bank balance", "Both sides agree",
            self.vendor.name, self.preparer.name, self.approver.name, sheet.digest, "60.00",
            "11 days",
        ):
            self.assertIn(escape(text), html)
        self.assertIn(OUR_IBAN, html.replace(" ", ""))
        masked = self.html(sheet, self.clerk)
        self.assertNotIn(OUR_IBAN, masked.replace(" ", ""))
        self.assertIn("DE89…3000", masked)

    def test_as_pdf(self):
        """Whatever the server prints with, the figures, the names and the digest are on it."""
        sheet = self.signed()
        report = self.env.ref(f"{MODULE}.action_report_reconciliation").with_user(self.auditor)
        content, kind = report.with_context(force_report_rendering=True)._render_qweb_pdf(
            report.report_name, sheet.ids
        )
        self.assertEqual((kind, content[:5]), ("pdf", b"%PDF-"))
        pages = PdfFileReader(io.BytesIO(content)).pages
        text = " ".join(" ".join(page.extract_text() for page in pages).split())
        self.assertEqual(
            sheet.with_user(self.auditor).action_print()["url"],
            f"/report/pdf/{report.report_name}/{sheet.id}",
        )
        for part in (
            "Adjusted bank balance", "60.00", self.preparer.name, self.approver.name,
            self.vendor.name,
        ):
            self.assertIn(part, text)
        self.assertIn(sheet.digest, text.replace(" ", ""))

    def test_many_items_on_paper(self):
        """Paper names the first ones and sums the rest."""
        self.startPatcher(patch.object(bank_reconciliation_print, "PRINTED", 4))
        self.bookings(*(("2026-10-15", 1 + number / 100) for number in range(9)))
        sheet = self.sheet()
        html = self.html(sheet, self.preparer)
        self.assertIn("more, listed in the spreadsheet", html)
        group = sheet._columns()[1]["groups"][0]
        shown, more, rest = sheet._printed(group)
        self.assertEqual(len(shown), 4)
        self.assertEqual(more, 6)
        self.assertAlmostEqual(sum(shown.mapped("amount")) + rest, group["total"])

    def test_as_spreadsheet(self):
        """Numbers, formulas that come to the same, and texts that stay texts."""
        from openpyxl import load_workbook

        self.pay("2026-10-21", -7, memo="=HYPERLINK(\"http://evil.example\")")
        self.bookings({"date": "2026-10-31", "amount": -3, "partner_name": "@SUM(A1)"})
        sheet = self.sheet()
        sheet.action_prepare()
        self.log_in(self.auditor)
        answer = self.url_open(f"/bank_connect/reconciliation/{sheet.id}.xlsx")
        self.assertEqual(answer.status_code, 200)
        self.assertIn(".xlsx", answer.headers["Content-Disposition"])
        book = load_workbook(io.BytesIO(answer.content))
        front, items = book.worksheets
        rows = list(items.iter_rows(min_row=2, values_only=True))
        self.assertEqual(sorted(row[7] for row in rows), [3, 7, 40, 100])
        texts = {cell for row in rows for cell in row if isinstance(cell, str)}
        self.assertIn("'=HYPERLINK(\"http://evil.example\")", texts)
        self.assertIn("'@SUM(A1)", texts)
        formulas = {cell.value for row in items.iter_rows() for cell in row
                    if cell.data_type == "f"}
        self.assertFalse(formulas)
        self.assertEqual(front["B11"].value, "=B8+B9-B10")
        self.assertEqual(front["B13"].value, "=B11-E11")
        self.assertRegex(front["B10"].value, r"=SUM\('Items'!H2:H3\)")
        values = load_workbook(io.BytesIO(answer.content), data_only=True).worksheets[0]
        # What a program that does not calculate shows.
        self.assertEqual((values["B11"].value, values["E11"].value), (50, 50))
        # And what one that does would work out.
        self.assertEqual(self.recomputed(front, items, "B11"), sheet.bank_adjusted)
        self.assertEqual(self.recomputed(front, items, "E11"), sheet.ledger_adjusted)
        self.log_in(self.outsider)
        answer = self.url_open(f"/bank_connect/reconciliation/{sheet.id}.xlsx")
        self.assertEqual(answer.status_code, 404)

    def recomputed(self, front, items, cell):
        """The value of a cell, by its formula, as far as this sheet uses any."""
        value = front[cell].value
        if not isinstance(value, str):
            return value or 0
        if match := re.fullmatch(r"=SUM\('Items'!(\w+):(\w+)\)", value):
            return sum(row[0].value for row in items[f"{match[1]}:{match[2]}"])
        if match := re.fullmatch(r"=SUM\((\w+):(\w+)\)", value):
            return sum(row[0].value or 0 for row in front[f"{match[1]}:{match[2]}"])
        total = 0
        for sign, part in re.findall(r"([=+-])(\w+)", value):
            found = 0 if part == "0" else self.recomputed(front, items, part)
            total += -found if sign == "-" else found
        return total

    def test_what_is_held_about_a_person(self):
        """Somebody who asks what is held about them is told of their items; they are kept."""
        sheet = self.signed()
        privacy = self.env["bank.privacy"].with_user(self.admin)
        held = privacy._held(self.vendor)["in_transit"]
        self.assertEqual([item["amount"] for item in held], ["40.00"])
        self.assertEqual(held[0]["reconciliation_id"]["name"], sheet.name)
        self.assertFalse(privacy._held(self.company.partner_id)["in_transit"])
        kept = " ".join(privacy._what_stays(self.vendor, self.env["bank.payment.batch"]))
        self.assertIn("reconciliation statements, 1", kept)

    def test_in_the_evidence(self):
        """The pack has the text that was signed, byte for byte, and whether signatures hold."""
        sheet = self.signed()
        draft = self.sheet("2026-10-15")
        packs = self.env["bank.evidence.pack"].with_user(self.auditor)
        pack = packs._request(self.company, date_from="2026-10-01", date_to="2026-10-31")
        self.run_cron("evidence")
        file = io.BytesIO()
        pack._hand_out(file)
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.startswith("reconciliations/")]
            self.assertFalse([name for name in names if f"/{draft.id}-" in name])
            content = archive.read(next(name for name in names if name.endswith("sheet.json")))
            self.assertEqual(hashlib.sha256(content).hexdigest(), sheet.digest)
            said = json.loads(
                archive.read(next(name for name in names if name.endswith("signatures.json")))
            )
        self.assertIs(said["signatures_valid"], True)
        self.assertEqual(said["prepared_by_id"]["name"], self.preparer.name)
        self.assertEqual(json.loads(content)["bank_balance"], "100.00")
