import base64
import hashlib
import io
import json
import zipfile
from datetime import date, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import MODULE
from .documents import Booking, camt, paid
from .test_evidence import EvidenceCommon


class PrivacyCommon(EvidenceCommon):
    def age(self, *records, years=11):
        """Let records be older than they are: only the database can."""
        self.env.flush_all()
        for record in records:
            columns = [
                name
                for name in (
                    "create_date", "execution_date", "closed_on", "ready_date", "decided_on"
                )
                if name in record._fields
            ]
            for name in columns:
                self.env.cr.execute(
                    f"UPDATE {record._table} SET {name} = {name} - %s * interval '1 year' "
                    "WHERE id = ANY(%s)",
                    (years, record.ids),
                )
        self.env.invalidate_all()

    def documents(self, batch):
        booked = self.env["account.bank.statement.line"].search(batch._booking_domain())
        return batch.message_ids_bank | booked.bank_message_id

    def assert_erased(self, message):
        self.assertTrue(message.erased_date)
        self.assertFalse(message.with_context(bin_size=False).content)
        with self.assertRaisesRegex(UserError, message.sha256):
            message._raw()


@tagged("post_install", "-at_install")
class TestRetention(PrivacyCommon):
    """Documents go when their time is over, and not before; what proves them stays."""

    def test_bytes_go_and_proofs_stay(self):
        documents = self.documents(self.batch)
        before = [(each.sha256, each.size, each.sent_date) for each in documents]
        raw = self.message_of(self.batch)._raw()
        self.run_cron("retention")
        self.assertFalse(documents.filtered("erased_date"), "nothing is old yet")
        self.age(documents, self.batch)
        self.run_cron("retention")
        for message in documents:
            self.assert_erased(message)
            self.assertIn("was erased on", message.preview)
            with self.assertRaisesRegex(UserError, "was erased on"):
                message.with_user(self.auditor).action_download()
        self.assertEqual([(each.sha256, each.size, each.sent_date) for each in documents], before)
        kept = self.message_of(self.batch).sha256
        self.assertEqual(hashlib.sha256(raw).hexdigest(), kept, "a copy can still be proven")
        self.assertFalse(self.batch.sealed_content)
        self.assertTrue(self.batch.sealed_erased_date)
        self.assertEqual(self.batch.approval_ids.seal, self.batch.seal)
        self.assertTrue(self.batch.approval_ids._signature_holds())
        self.assertFalse(any(self.batch.payment_ids.mapped("bank_remittance")))
        with self.assertRaisesRegex(UserError, self.batch.seal):
            self.batch._check_sealed()
        events = self.env["bank.audit.event"].search([("kind", "=", "retention_erased")])
        kinds = {json.loads(event.details)["document_kind"] for event in events}
        self.assertLessEqual({"incoming", "outgoing", "seal"}, kinds)

    def test_the_verifier_says_what_was_erased(self):
        self.age(self.documents(self.batch), self.batch)
        self.run_cron("retention")
        pack = self.pack()
        code, said = self.verify(self.content(pack), pack.key_fingerprint)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"note .*their SHA-256 kept: \d")
        self.assertIn("the sealed text was erased on", said)

    def test_a_document_that_was_erased_is_still_known(self):
        """Told again after its bytes are gone, it is not taken in a second time."""
        document = camt(Booking("-9.00"))
        first = self.received(document)
        line = self.env["account.bank.statement.line"].search(
            [("bank_message_id", "=", first.id)]
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = self.expense
        self.assertTrue(line.is_reconciled)
        self.age(first)
        self.run_cron("retention")
        self.assert_erased(first)
        again = self.received(document)
        self.assertIn("not processed again", again.note)

    def test_what_is_open_stays_however_old(self):
        """On its way, uncertain, put aside, or booked and not reconciled."""
        on_way = self.sent(self.new_bill(10))
        doubtful = self.sent(self.new_bill(20))
        self.message_of(doubtful).write({"state": "uncertain"})
        doubtful._engine().write({"state": "settled"})  # whatever the batch says
        unclear = self.received(camt(Booking("-77.00")))
        aside = self.quarantined(b"<Document/>", "known")
        settled = self.batch
        line = self.env["account.bank.statement.line"].search(settled._booking_domain(), limit=1)
        line.action_undo_reconciliation()
        kept = on_way + doubtful + settled
        messages = kept.message_ids_bank | unclear | aside
        self.age(kept, messages)
        self.run_cron("retention")
        self.assertFalse(messages.filtered("erased_date"))
        self.assertTrue(all(kept.mapped("sealed_content")))

    def test_years_count_from_the_end_of_the_year(self):
        retention = self.env["bank.retention"]
        line = self.env.ref(f"{MODULE}.retention_outgoing")
        for today, cutoff in (
            (date(2036, 12, 31), date(2026, 1, 1)),
            (date(2037, 1, 1), date(2027, 1, 1)),
        ):
            with patch.object(fields.Date, "today", lambda today=today: today):
                self.assertIn(cutoff, retention._cutoffs("outgoing"))
        kept = retention._keep_until("outgoing", self.company, date(2026, 3, 1))
        self.assertEqual(kept, date(2036, 12, 31))
        line.write({"number": 100, "unit": "months"})
        kept = retention._keep_until("outgoing", self.company, date(2026, 3, 1))
        self.assertEqual(kept, date(2034, 7, 1))

    def test_a_company_of_its_own_mind(self):
        """A company's own line goes before the general one."""
        other = self.new_company("Longer GmbH")
        self.env["bank.retention"].create(
            {"kind": "outgoing", "company_id": self.company.id, "number": 30}
        )
        cutoffs = self.env["bank.retention"]._cutoffs("outgoing")
        year = fields.Date.today().year
        self.assertIn(self.company, cutoffs[date(year - 30, 1, 1)])
        self.assertIn(other, cutoffs[date(year - 10, 1, 1)])
        documents = self.documents(self.batch)
        self.age(documents, self.batch)
        self.run_cron("retention")
        self.assertFalse(self.message_of(self.batch).erased_date)
        self.assertTrue((documents - self.message_of(self.batch)).filtered("erased_date"))

    def test_no_shorter_than_proofs_need(self):
        """Not even the administrator makes evidence vanish by a short retention."""
        lines = self.env["bank.retention"].with_user(self.admin)
        for kind in ("incoming", "outgoing", "seal"):
            line = lines.search([("kind", "=", kind)])
            for values in ({"number": 4}, {"number": 30, "unit": "days"}, {"number": 0}):
                with self.assertRaises(ValidationError), self.env.cr.savepoint():
                    line.write(values)
            line.write({"number": 5, "unit": "years"})
        pack = lines.search([("kind", "=", "pack")])
        with self.assertRaises(AccessError):
            pack.write({"kind": "incoming"})
        with self.assertRaises(AccessError):
            pack.with_user(self.auditor).write({"number": 1})

    def test_changes_are_noted(self):
        line = self.env.ref(f"{MODULE}.retention_pack").with_user(self.admin)
        line.number = 30
        event = self.env["bank.audit.event"].search([("kind", "=", "retention_changed")], limit=1)
        self.assertEqual(event.user_login, self.admin.login)
        details = json.loads(event.details)
        self.assertEqual((details["old"], details["new"]), ("90 days", "30 days"))

    def test_slices(self):
        """Many documents go in many small transactions."""
        more = [self.processed_batch() for _round in range(2)]
        batches = self.batch.union(*more)
        self.age(self.documents(batches), batches)
        with patch(f"odoo.addons.{MODULE}.models.bank_retention.SLICE", 1):
            self.run_cron("retention")
        self.assertTrue(all(batches.mapped("sealed_erased_date")))

    def test_packs_alerts_and_logs(self):
        pack = self.pack()
        sha256 = pack.sha256
        alert = self.env["bank.alert"].create(
            {"connection_id": self.connection.id, "code": "silent"}
        )
        over = alert.create(
            {
                "connection_id": self.connection.id, "code": "queued",
                "closed_on": fields.Datetime.now(),
            }
        )
        self.age(pack.sudo(), alert, over, years=3)
        now = fields.Datetime.now()
        calls = self.env["bank.connection.call"].create(
            [
                {"connection_id": self.connection.id, "date": now - timedelta(days=days)}
                for days in (0, 2, 4)
            ]
        )
        calls._forget_old_calls()
        self.assertEqual(calls.exists(), calls[:2])
        self.run_cron("retention")
        self.assertEqual((alert + over).exists(), alert)
        self.assertTrue(pack.erased_date)
        self.assertFalse(pack.sudo()._pieces())
        self.assertEqual(pack.sha256, sha256)
        with self.assertRaisesRegex(UserError, "was erased on"):
            pack.with_user(self.auditor).action_download()


@tagged("post_install", "-at_install")
class TestPrivacy(PrivacyCommon):
    """What is held about a person, and what of it can go."""

    def wizard(self, partner=None, user=None):
        wizards = self.env["bank.privacy.wizard"].with_user(user or self.admin)
        return wizards.create({"partner_id": (partner or self.vendor).id})

    def exported(self, partner=None):
        wizard = self.wizard(partner)
        wizard.action_export()
        content = base64.b64decode(wizard.with_context(bin_size=False).file)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return json.loads(file.read("data.json")), file.read("data.txt").decode()

    def test_administrators_only(self):
        for user in (self.preparer, self.approver, self.auditor, self.clerk, self.outsider):
            with self.assertRaises(AccessError):
                self.wizard(user=user)
            privacy = self.env["bank.privacy"].with_user(user)
            for act in (privacy._held, privacy._erase):
                with self.assertRaises(AccessError):
                    act(self.vendor)

    # -- export ---------------------------------------------------------------------------------

    def test_everything_about_one_and_nothing_about_others(self):
        other = self.new_vendor("Someone Else AG", 77)
        self.batch = self.sent(
            self.new_bill(12, ref="MINE") + self.new_bill(13, vendor=other, ref="THEIRS")
        )
        self.received(camt(*[paid(payment) for payment in self.batch.payment_ids]))
        data, text = self.exported()
        self.assertEqual(data["person"]["name"], self.vendor.name)
        self.assertEqual(data["accounts"][0]["acc_number"], self.vendor.bank_ids.acc_number)
        self.assertIn("MINE", {payment["bank_remittance"] for payment in data["payments"]})
        self.assertEqual(len(data["payments"]), 3)
        self.assertEqual(len(data["sealed"]), 3)
        self.assertEqual(len(data["bookings"]), 3)
        self.assertTrue(data["documents"][0]["sha256"])
        for said in (json.dumps(data), text):
            self.assertNotIn("Someone Else", said)
            self.assertNotIn("THEIRS", said)
        self.assertIn("Bank remittance: MINE", text)
        event = self.env["bank.audit.event"].search([("kind", "=", "person_exported")], limit=1)
        self.assertEqual(json.loads(event.details)["partner"], self.vendor.id)

    def test_of_ones_own_companies_only(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_admin", other)
        privacy = self.env["bank.privacy"].with_user(stranger)
        held = privacy.with_context(allowed_company_ids=other.ids)._held(self.vendor)
        self.assertFalse(held["payments"] + held["bookings"] + held["documents"])

    # -- erasure --------------------------------------------------------------------------------

    def test_not_while_a_payment_is_on_its_way(self):
        batch = self.sent(self.new_bill(10))
        with self.assertRaisesRegex(UserError, f"on its way in {batch.name}"):
            self.wizard().action_erase()
        self.assertTrue(batch.sealed_content)

    def test_the_law_keeps_what_was_paid(self):
        """Proofs stay for their time, and that is said; copies that nobody needs go at once."""
        never_sent = self.prepare(self.new_bill(10, ref="NEVER"))
        never_sent.with_user(self.approver).action_reject("No.")
        pack = self.pack()
        wizard = self.wizard()
        wizard.action_erase()
        year = fields.Date.today().year + 10
        self.assertIn(f"Kept until {year}-12-31", wizard.result)
        self.assertIn(self.batch.name, wizard.result)
        self.assertIn("the audit trail", wizard.result)
        self.assertTrue(self.batch.sealed_content)
        self.assertTrue(self.message_of(self.batch)._raw())
        self.assertFalse(never_sent.sealed_content)
        self.assertTrue(never_sent.seal)
        self.assertTrue(pack.erased_date)
        event = self.env["bank.audit.event"].search([("kind", "=", "person_erased")], limit=1)
        details = json.loads(event.details)
        self.assertEqual(details["unsent"], never_sent.ids)
        self.assertNotIn(self.vendor.name, event.details)

    def test_all_of_it_goes_when_its_time_is_over(self):
        """No trace of the person is left in what is ours; every digest is."""
        documents = self.documents(self.batch)
        changes = self.env["bank.privacy"]._account_changes(self.vendor)
        self.assertIn("confirmed", changes.mapped("state"))
        self.age(documents, self.batch, changes)
        seal, sums = self.batch.seal, documents.mapped("sha256")
        wizard = self.wizard()
        wizard.action_erase()
        self.assertNotIn("Kept until", wizard.result)
        for message in documents:
            self.assert_erased(message)
        self.assertFalse(self.batch.sealed_content)
        self.assertEqual((self.batch.seal, documents.mapped("sha256")), (seal, sums))
        for change in changes.filtered(lambda change: change.state == "confirmed"):
            self.assertFalse(change.payee or change.number or change.values or change.note)
            self.assertTrue(change.erased_sha256 and change.decider_id)
        self.env.flush_all()
        tables = ("bank_account_change", "bank_payment_flag", "bank_message")
        for table in (*tables, "bank_payment_batch", "bank_approval", "bank_audit_event"):
            self.env.cr.execute(f'SELECT count(*) FROM {table} t WHERE t::text LIKE %s',
                                (f"%{self.vendor.bank_ids.sanitized_acc_number}%",))
            self.assertEqual(self.env.cr.fetchone()[0], 0, table)
        data, _text = self.exported()
        self.assertFalse(data["sealed"])

    def test_other_people_are_not_touched(self):
        other = self.new_vendor("Someone Else AG", 77)
        theirs = self.sent(self.new_bill(13, vendor=other, ref="THEIRS"))
        self.received(camt(*[paid(payment) for payment in theirs.payment_ids]))
        mine, others = self.documents(self.batch), self.documents(theirs)
        self.age(mine, others, self.batch, theirs)
        self.wizard().action_erase()
        self.assertTrue(all(mine.mapped("erased_date")))
        self.assertFalse(others.filtered("erased_date"))
        self.assertTrue(theirs.sealed_content)
