import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import MODULE, BankConnectCommon
from .documents import camt, paid, pain002

VERIFIER = Path(__file__).resolve().parents[1] / "report" / "verify.py"


class EvidenceCommon(BankConnectCommon):
    """A batch that went the whole way, and packs made of it."""

    def setUp(self):
        super().setUp()
        self.batch = self.processed_batch()

    def processed_batch(self, more=0):
        """Bills with their documents, sent, answered and booked."""
        bills = self.new_bill(100, ref="INV-A") + self.new_bill(50.25, ref="INV-B")
        bills = bills.union(*(self.new_bill(10 + number) for number in range(more)))
        self.env["ir.attachment"].create(
            {
                "name": "../Rechnung Nr. 1.pdf",
                "res_model": "account.move",
                "res_id": bills[0].id,
                "raw": b"%PDF-1.4 the bill itself",
            }
        )
        batch = self.sent(bills)
        payments = batch.payment_ids
        self.received(pain002(batch.reference, [(p.end_to_end_id, "ACSP", None) for p in payments]))
        self.received(camt(*[paid(payment) for payment in payments]))
        self.assertEqual(batch.state, "settled")
        trail = self.env["bank.audit.event"]
        trail._record("batch_submitted", batch)
        trail._record("profile_changed", self.connection.profile_id)
        trail._record("batch_approved", batch)
        trail._link_pending()
        return batch

    def request(self, user=None, **scope):
        scope = scope or {"batch": self.batch}
        packs = self.env["bank.evidence.pack"].with_user(user or self.auditor)
        return packs._request(self.company, **scope)

    def pack(self, **scope):
        """Ask for a pack, let it be made; returns the record."""
        pack = self.request(**scope)
        self.run_cron("evidence")
        self.assertEqual(pack.state, "ready", pack.error)
        return pack

    def content(self, pack):
        """The file, as it is handed out."""
        stream = io.BytesIO()
        pack.with_user(self.auditor)._hand_out(stream)
        return stream.getvalue()

    def files(self, content):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {name: file.read(name) for name in file.namelist()}

    def verify(self, content, fingerprint=None):
        """Run the verifier as an outsider does; returns exit code and what it says."""
        with tempfile.NamedTemporaryFile(suffix=".zip") as file:
            file.write(content)
            file.flush()
            options = ["--fingerprint", fingerprint] if fingerprint else []
            done = subprocess.run(
                [sys.executable, "-I", str(VERIFIER), file.name, *options],
                capture_output=True, text=True, timeout=120, check=False,
                env={"PATH": os.environ["PATH"]},
            )
        self.assertFalse(done.stderr)
        return done.returncode, done.stdout

    def zipped(self, files):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as file:
            for name, data in files.items():
                file.writestr(name, data)
        return stream.getvalue()

    def signed(self, files, key=None):
        """The same files with a new list and signature: what a forger would do."""
        key = key or Ed25519PrivateKey.generate()
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = [
            {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
            if not name.startswith("manifest.")
        ]
        files["manifest.json"] = json.dumps(manifest).encode()
        files["manifest.sig.json"] = json.dumps(
            {
                "public_key": key.public_key().public_bytes_raw().hex(),
                "signature": key.sign(files["manifest.json"]).hex(),
            }
        ).encode()
        return self.zipped(files)


@tagged("post_install", "-at_install")
class TestEvidence(EvidenceCommon):
    """One file proves what happened, to people who trust neither us nor Odoo."""

    def test_the_verifier_passes_what_really_happened(self):
        pack = self.pack()
        content = self.content(pack)
        code, said = self.verify(content, pack.key_fingerprint)
        self.assertEqual(code, 0, said)
        self.assertIn("signed by the expected key", said)
        self.assertIn("compared with what was sealed, payments: 2", said)
        self.assertRegex(said, r"events shown in full: [1-9]")
        self.assertEqual(hashlib.sha256(content).hexdigest(), pack.sha256)
        self.assertEqual(len(content), pack.size)

    def test_what_is_in_it(self):
        """Bytes, bills, decisions, bookings, entries, rights, rules: all of them, and true."""
        files = self.files(self.content(self.pack()))
        folder = f"batches/{self.batch.reference}"
        message = self.message_of(self.batch)
        sent = [data for name, data in files.items() if name.startswith("messages/out/")]
        self.assertEqual(sent, [message._raw()])
        received = {data for name, data in files.items() if name.startswith("messages/in/")}
        booked = self.env["account.bank.statement.line"].search(self.batch._booking_domain())
        answers = (self.batch.message_ids_bank | booked.bank_message_id) - message
        self.assertEqual(received, {answer._raw() for answer in answers})
        self.assertIn("camt.053.001.08", answers.mapped("kind"))
        self.assertIn("pain.002.001.10", answers.mapped("kind"))
        self.assertEqual(files[f"{folder}/sealed.json"].decode(), self.batch.sealed_content)
        (approval,) = json.loads(files[f"{folder}/approvals.json"])
        self.assertEqual(approval["user_id"]["name"], "Approver")
        self.assertTrue(approval["signature_valid"])
        self.assertTrue(approval["signature"])
        (step,) = json.loads(files[f"{folder}/steps.json"])
        self.assertEqual(step["requirement"], approval["requirement"])
        changes = json.loads(files[f"{folder}/account_changes.json"])
        self.assertEqual({change["state"] for change in changes}, {"confirmed"})
        self.assertNotIn(changes[0]["user_id"]["id"], {None, changes[0]["decider_id"]["id"]})
        flags = json.loads(files[f"{folder}/flags.json"])
        self.assertIn("first_payment", {flag["code"] for flag in flags})
        self.assertTrue(json.loads(files["rules/bank.approval.rule.json"]))
        payments = json.loads(files[f"{folder}/payments.json"])
        self.assertEqual([pay["amount"] for pay in payments], ["100.00", "50.25"])
        self.assertEqual(payments[0]["bills"], [self.bill_names()[0]])
        bills = json.loads(files[f"{folder}/bills.json"])
        self.assertEqual([bill["ref"] for bill in bills], ["INV-A", "INV-B"])
        self.assertEqual(bills[1]["lines"][0]["price_subtotal"], "50.25")
        documents = [name for name in files if name.startswith("bills/")]
        self.assertEqual(len(documents), 1)
        self.assertRegex(documents[0], r"^bills/\d+/\d+-Rechnung_Nr._1.pdf$")
        self.assertEqual(files[documents[0]], b"%PDF-1.4 the bill itself")
        bookings = json.loads(files["ledger/statement_lines.json"])
        self.assertEqual({line["amount"] for line in bookings}, {"-100.00", "-50.25"})
        items = json.loads(files["ledger/journal_items.json"])
        self.assertEqual(sum(float(item["debit"]) - float(item["credit"]) for item in items), 0)
        people = {user["login"]: user for user in json.loads(files["people/users.json"])}
        self.assertIn(f"{MODULE}.group_approver", people[self.approver.login]["groups"])
        self.assertIn(f"{MODULE}.group_preparer", people[self.preparer.login]["groups"])
        self.assertTrue(json.loads(files["rules/bank.retention.json"]))
        sheet = files[f"{folder}/payments.csv"].decode("utf-8-sig").splitlines()
        self.assertEqual(len(sheet), 3)
        for name, data in files.items():
            self.assertNotIn(b"PRIVATE KEY", data, name)

    def bill_names(self):
        return self.batch.payment_ids.bank_instalment_ids.move_id.sorted("id").mapped("name")

    def test_each_part_that_is_touched_is_named(self):
        pack = self.pack()
        files = self.files(self.content(pack))
        for name in files:
            with self.subTest(changed=name):
                harmed = dict(files)
                harmed[name] = files[name][:-2] + b"#" + files[name][-1:]
                code, said = self.verify(self.zipped(harmed), pack.key_fingerprint)
                self.assertEqual(code, 1)
                self.assertRegex(said, f"(?m)^FAULT +{re.escape(name)}: ")
        for name in files:
            with self.subTest(removed=name):
                harmed = {other: data for other, data in files.items() if other != name}
                code, said = self.verify(self.zipped(harmed), pack.key_fingerprint)
                self.assertEqual(code, 1)
                self.assertIn(name, said)
        code, said = self.verify(self.zipped({**files, "more.txt": b"x"}), pack.key_fingerprint)
        self.assertEqual(code, 1)
        self.assertIn("more.txt: was added", said)

    def test_a_forger_with_a_key_of_their_own(self):
        """A pack that is consistent in itself fails the fingerprint alone."""
        pack = self.pack()
        forged = self.signed(self.files(self.content(pack)))
        code, said = self.verify(forged, pack.key_fingerprint)
        self.assertEqual(code, 1)
        self.assertIn("signed by another key", said)
        code, said = self.verify(forged)
        self.assertEqual(code, 0)
        self.assertIn("compare it with the one that Odoo shows", said)

    def test_contradictions_are_found_whoever_signed(self):
        """What is wrong inside is found even if the list and its signature fit."""
        files = self.files(self.content(self.pack()))
        folder = f"batches/{self.batch.reference}"
        sent = next(name for name in files if name.startswith("messages/out/"))
        account = self.vendor.bank_ids.sanitized_acc_number.encode()

        def another_seal(files):
            sealed = files[f"{folder}/sealed.json"].replace(b'"100.00"', b'"900.00"')
            files[f"{folder}/sealed.json"] = sealed
            batch = json.loads(files[f"{folder}/batch.json"])
            batch["seal"] = hashlib.sha256(sealed).hexdigest()
            files[f"{folder}/batch.json"] = json.dumps(batch).encode()

        def another_message(old, new):
            def harm(files):
                self.assertIn(old, files[sent])
                files[sent] = files[sent].replace(old, new)
                messages = json.loads(files["messages/messages.json"])
                for message in messages:
                    if message["path"] == sent:
                        message["sha256"] = hashlib.sha256(files[sent]).hexdigest()
                files["messages/messages.json"] = json.dumps(messages).encode()

            return harm

        def no_approval(files):
            files[f"{folder}/approvals.json"] = b"[]"

        def own_approval(files):
            approvals = json.loads(files[f"{folder}/approvals.json"])
            approvals[0]["user_id"]["id"] = self.preparer.id
            files[f"{folder}/approvals.json"] = json.dumps(approvals).encode()

        def one_more_person(files):
            steps = json.loads(files[f"{folder}/steps.json"])
            steps[0]["people"] += 1
            files[f"{folder}/steps.json"] = json.dumps(steps).encode()

        def an_event(files):
            lines = files["audit/events.jsonl"].splitlines(keepends=True)
            del lines[-2]
            files["audit/events.jsonl"] = b"".join(lines)

        for harm, named in (
            (another_seal, "nobody approved what is sealed"),
            (another_message(b">100.00<", b">900.00<"), "amount .* left, but .* was sealed"),
            (another_message(account, b"FR1420041010050500013M02606"), "account .* left, but"),
            (another_message("Müller".encode(), b"Miller"), "payee .* left, but"),
            (another_message(b"INV-A", b"INV-X"), "text .* left, but"),
            (no_approval, "nobody approved what is sealed"),
            (own_approval, "prepared it as well"),
            (one_more_person, "released without the approvals of level"),
            (an_event, "something is missing"),
        ):
            with self.subTest(named=named):
                harmed = dict(files)
                harm(harmed)
                code, said = self.verify(self.signed(harmed))
                self.assertEqual(code, 1)
                self.assertRegex(said, f"FAULT.*{named}")

    def test_bytes_altered_in_the_database_are_packed_and_named(self):
        message = self.message_of(self.batch)
        for altered in (b"AAAA", b"no base64"):
            self.env.cr.execute(
                "UPDATE bank_message SET content = %s WHERE id = %s", (altered, message.id)
            )
            message.invalidate_recordset()
            pack = self.pack()
            code, said = self.verify(self.content(pack), pack.key_fingerprint)
            self.assertEqual(code, 1)
            self.assertIn(f"these are not the bytes of {message.name}", said)

    def test_an_approval_altered_in_the_database_is_named(self):
        self.env.cr.execute(
            "UPDATE bank_approval SET reason = 'as told' WHERE batch_id = %s", (self.batch.id,)
        )
        self.batch.approval_ids.invalidate_recordset()
        code, said = self.verify(self.content(self.pack()))
        self.assertEqual(code, 1)
        self.assertIn("found the signature of Approver broken", said)

    def test_the_same_data_give_the_same_bytes(self):
        pack = self.request()
        moment = fields.Datetime.now()
        contents = []
        with patch.object(fields.Datetime, "now", lambda: moment):
            for _round in range(2):
                file = io.BytesIO()
                pack.sudo()._write_pack(file)
                contents.append(file.getvalue())
        self.assertEqual(*contents)
        with patch.object(fields.Datetime, "now", lambda: fields.Datetime.add(moment, hours=1)):
            later = io.BytesIO()
            pack.sudo()._write_pack(later)
        first, second = self.files(contents[0]), self.files(later.getvalue())
        different = {name for name in first if first[name] != second[name]}
        self.assertEqual(different, {"manifest.json", "manifest.sig.json"})

    def test_a_period(self):
        """Batches to be paid in it, its bookings and its documents; nothing of other companies."""
        other_batch = self.sent(self.new_bill(7))
        other = self.new_company("Other GmbH")
        self.env["bank.audit.event"]._record("company_stopped", other, company=other)
        self.env["bank.audit.event"]._link_pending()
        today = fields.Date.today()
        pack = self.pack(date_from=today, date_to=fields.Date.add(today, days=30))
        content = self.content(pack)
        code, said = self.verify(content, pack.key_fingerprint)
        self.assertEqual(code, 0, said)
        files = self.files(content)
        for batch in self.batch + other_batch:
            self.assertIn(f"batches/{batch.reference}/sealed.json", files)
        events = [json.loads(line) for line in files["audit/events.jsonl"].splitlines()]
        self.assertTrue([event for event in events if "content" not in event])
        for name, data in files.items():
            self.assertNotIn(b"Other GmbH", data, name)
        yesterday = fields.Date.subtract(today, days=40)
        pack = self.pack(date_from=yesterday, date_to=fields.Date.subtract(today, days=30))
        content = self.content(pack)
        self.assertEqual(self.verify(content, pack.key_fingerprint)[0], 0)
        self.assertFalse([name for name in self.files(content) if name.startswith("batches/")])

    def test_cells_that_a_spreadsheet_would_run(self):
        self.vendor.name = "=cmd|' /C calc'!A0"
        files = self.files(self.content(self.pack()))
        sheet = files[f"batches/{self.batch.reference}/payments.csv"].decode()
        self.assertIn("'=cmd", sheet)
        self.assertNotIn(",=cmd", sheet)

    def test_the_number_of_queries_does_not_grow_with_the_payments(self):
        counts = []
        for batch in (self.batch, self.processed_batch(more=12)):
            pack = self.request(batch=batch).sudo()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            pack._write_pack(io.BytesIO())
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLess(counts[1] - counts[0], 4, counts)

    # -- who ----------------------------------------------------------------------------------

    def test_auditors_and_administrators_only(self):
        for user in (self.preparer, self.approver, self.clerk, self.outsider):
            with self.assertRaises(AccessError):
                self.request(user)
        pack = self.pack()
        for user in (self.preparer, self.approver, self.clerk, self.outsider):
            with self.assertRaises(AccessError):
                pack.with_user(user).action_download()
        pack.with_user(self.admin).action_download()
        for attempt in ("create", "write", "unlink"):
            for user in (self.admin, self.auditor):
                with self.assertRaises(AccessError):
                    pack.with_user(user).check_access(attempt)

    def test_another_companys_evidence(self):
        other = self.new_company("Other GmbH")
        stranger = self.new_user("stranger", f"{MODULE}.group_auditor", other)
        packs = self.env["bank.evidence.pack"].with_user(stranger)
        packs = packs.with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError):
            packs._request(self.company, batch=self.batch)
        wizard = self.env["bank.evidence.wizard"].with_user(stranger)
        wizard = wizard.with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError):
            wizard.create({"company_id": other.id, "batch_id": self.batch.id}).action_request()
        with self.assertRaises(AccessError):
            wizard.create({"company_id": self.company.id}).action_request()
        with self.assertRaises(AccessError):
            packs.browse(self.pack().id).read(["name"])

    def test_access_is_noted(self):
        pack = self.pack()
        self.content(pack)
        events = self.env["bank.audit.event"].search(
            [("res_model", "=", pack._name), ("res_id", "=", pack.id)], order="id"
        )
        self.assertEqual(
            events.mapped("kind"), ["evidence_requested", "evidence_downloaded"]
        )
        self.assertEqual(set(events.mapped("user_login")), {self.auditor.login})

    def test_no_pack_without_a_key(self):
        with (
            patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": ""}),
            self.assertRaisesRegex(UserError, "No master key"),
        ):
            self.request()
        pack = self.request()
        with patch.dict(os.environ, {"BANK_CONNECT_MASTER_KEY": ""}):
            self.run_cron("evidence")
        self.assertEqual(pack.state, "failed")
        self.assertIn("No master key", pack.error)

    @mute_logger(f"odoo.addons.{MODULE}.models.bank_evidence_pack")
    def test_a_pack_that_fails_holds_up_no_other(self):
        broken, good = self.request(), self.request(self.admin)
        write = type(broken)._write_pack

        def fail_once(pack, file):
            if pack == broken:
                raise ZeroDivisionError("unforeseen")
            write(pack, file)

        with patch.object(type(broken), "_write_pack", fail_once):
            self.run_cron("evidence")
        self.assertEqual((broken.state, good.state), ("failed", "ready"))
        self.assertIn("unforeseen", broken.error)

    def test_a_pack_altered_after_it_was_made_is_not_handed_out(self):
        pack = self.pack()
        pack.sudo()._pieces()[:1].raw = b"another"
        with self.assertRaisesRegex(UserError, "altered after it was made"):
            self.content(pack)

    def test_big_packs_are_kept_in_pieces(self):
        with patch(f"odoo.addons.{MODULE}.models.bank_evidence_pack.PIECE", 4096):
            pack = self.pack()
            self.assertGreater(len(pack.sudo()._pieces()), 2)
        self.assertEqual(self.verify(self.content(pack), pack.key_fingerprint)[0], 0)


@tagged("post_install", "-at_install")
class TestEvidenceDownload(EvidenceCommon, HttpCase):
    """The way out of Odoo."""

    def test_over_http(self):
        """The auditor gets the file; others, and other ways, get nothing."""
        pack = self.pack()
        url = f"/bank_connect/evidence/{pack.id}"
        self.authenticate(self.auditor.login, self.auditor.login)
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(hashlib.sha256(answer.content).hexdigest(), pack.sha256)
        self.assertIn(self.batch.reference, answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        piece = pack.sudo()._pieces()[:1]
        self.assertEqual(self.url_open(f"/web/content/{piece.id}").status_code, 404)
        self.assertEqual(self.url_open("/bank_connect/evidence/0").status_code, 404)
        new_test_user(self.env, "nobody@bank-connect.test", "base.group_user")
        for login in (self.preparer.login, "nobody@bank-connect.test"):
            self.authenticate(login, login)
            self.assertEqual(self.url_open(url).status_code, 404)
