import zlib

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..formats import pdf_text
from .common import BankConnectCommon
from .documents import camt, paid, pain002


def pdf(*lines, stream=None):
    """A small PDF with these lines on one page; ``stream``: other bytes in the page's place."""
    drawn = stream if stream is not None else (
        "BT /F1 10 Tf 40 800 Td 14 TL "
        + " ".join(f"({line}) Tj T*" for line in lines)
        + " ET"
    ).encode("latin-1")
    packed = zlib.compress(drawn)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(content)
    content += b"xref\n0 6\n0000000000 65535 f \n"
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


@tagged("post_install", "-at_install")
class TestReceipt(BankConnectCommon):
    """The bank's receipt (PDF) is kept as it came and found at the payment it is for."""

    def paid(self, amount=50.0):
        payment = self.sent(self.new_bill(amount)).payment_ids
        self.received(
            pain002(payment.bank_batch_id.reference, [(payment.end_to_end_id, "ACSC", None)])
        )
        return payment

    def named(self, name, content):
        """Let the bank lay a receipt out under a name; returns the message."""
        message = self.env["bank.message"]._store(self.connection, content, name=name)
        self.run_cron("process")
        return message

    def test_found_by_its_text(self):
        payment, other = self.paid(), self.paid(60)
        content = pdf("Receipt", f"End-to-end reference: {payment.end_to_end_id}", "50.00 EUR")
        message = self.received(content)
        self.assertEqual(message.kind, "pdf")
        self.assertEqual(message.receipt_payment_id, payment)
        self.assertEqual(message.batch_id, payment.bank_batch_id)
        self.assertEqual(message._raw(), content, "kept byte for byte")
        self.assertFalse(other.bank_receipt_ids)
        self.received(content)
        self.assertEqual(len(payment.bank_receipt_ids), 1, "told again, kept once")

    def test_found_by_its_name(self):
        """The name is enough, also where nobody can read the PDF."""
        payment = self.paid()
        name = f"RCPT_{payment.end_to_end_id}_20261123.pdf"
        message = self.named(name, b"%PDF-1.7 nothing that a reader could read")
        self.assertEqual(message.receipt_payment_id, payment, message.error)

    def test_found_by_the_profiles_pattern_alone(self):
        """What the pattern does not catch is no reference, whatever else the name says."""
        first, second = self.paid(), self.paid(70)
        profile = self.connection.profile_id
        with self.assertRaises(ValidationError):
            profile.receipt_pattern = "RCPT_(unfinished"
        with self.assertRaises(ValidationError):
            profile.receipt_pattern = "RCPT_no-group"
        profile.receipt_pattern = r"FOR_([^_]+)_"
        message = self.named(
            f"{second.end_to_end_id}_FOR_{first.end_to_end_id}_.pdf", b"%PDF-1.7 unreadable"
        )
        self.assertEqual(message.receipt_payment_id, first, message.error)

    def test_found_by_the_banks_own_number(self):
        """The number of the booking on the statement, where ours is not on the receipt."""
        payment = self.paid()
        self.received(camt(paid(payment, reference="SB26112300000042D")))
        message = self.received(pdf("Booking number SB26112300000042D"))
        self.assertEqual(message.receipt_payment_id, payment)

    def test_what_names_nothing_or_too_much_is_put_aside(self):
        first, second = self.paid(), self.paid(70)
        self.quarantined(pdf("Thank you for banking with us"), "names no payment")
        self.quarantined(
            pdf(f"Paid: {first.end_to_end_id}", f"and {second.end_to_end_id}"), "several payments"
        )

    def test_hostile_files_stop_nothing(self):
        """Files that are no PDF inside, that unpack without end, or are locked: put aside, each."""
        payment = self.paid()
        bomb = pdf(stream=b"0 0 m " * 40_000_000)
        self.assertLess(len(bomb), 1_000_000)
        for content in (
            b"%PDF-1.4",
            b"%PDF-1.4\n" + b"1 0 obj << /Length 1 0 R >> stream\n" * 2000,
            b"%PDF-1.4\nxref\n0 99999999\ntrailer << /Prev 0 /Root 1 0 R >>\nstartxref\n9\n%%EOF",
            b"%PDF-1.4" + b"(" * 500_000,
            bomb,
        ):
            self.quarantined(content, "can't be read|names no payment")
        large = b"%PDF-1.4\n" + b" " * pdf_text.MAX_BYTES
        self.quarantined(large, "more than 10 MB")
        self.received(pdf(payment.end_to_end_id))

    def test_assigned_by_hand(self):
        """By a preparer or bank administrator, to a payment of this connection; written down."""
        payment = self.paid()
        message = self.quarantined(pdf("Thank you"), "names no payment")
        day = self.env["bank.day"].with_user(self.preparer).search([("code", "=", "quarantined")])
        self.assertTrue(day.count)
        with self.assertRaises(UserError):
            message.with_user(self.auditor).action_assign_receipt()
        with self.assertRaises(UserError):
            message.with_user(self.approver)._assign_receipt(payment)
        elsewhere = self.env["account.payment"].create({"amount": 1, "partner_id": self.vendor.id})
        with self.assertRaises(UserError):
            message.with_user(self.preparer)._assign_receipt(elsewhere)
        action = message.with_user(self.preparer).action_assign_receipt()
        wizard = self.env["bank.receipt.wizard"].with_user(self.preparer).with_context(
            **action["context"]
        ).create({"payment_id": payment.id})
        wizard.action_assign()
        self.assertEqual((message.state, message.receipt_payment_id), ("processed", payment))
        event = self.env["bank.audit.event"].search([("kind", "=", "receipt_assigned")], limit=1)
        self.assertEqual(event.res_id, message.id)
        self.assertEqual(event.user_login, self.preparer.login)
        with self.assertRaises(UserError):
            message.with_user(self.preparer)._assign_receipt(payment)

    def test_who_may_see_it(self):
        """A receipt shows whole account numbers: for the roles of bank payments alone."""
        payment = self.paid()
        self.received(pdf(payment.end_to_end_id))
        for user in (self.preparer, self.approver, self.auditor):
            self.assertEqual(payment.with_user(user).bank_receipt_count, 1)
            action = payment.with_user(user).action_view_bank_receipts()
            self.assertEqual(action["type"], "ir.actions.act_url")
        with self.assertRaises(AccessError):
            payment.with_user(self.clerk).bank_receipt_ids  # noqa: B018
        with self.assertRaises(AccessError):
            payment.with_user(self.clerk).action_view_bank_receipts()

    def test_the_payee_gets_it_with_the_advice(self):
        """The mail waits a day for it at a bank that gives receipts, and takes it along."""
        self.vendor.email = "office@mueller.example"
        profile = self.connection.profile_id
        profile.document_kinds = f"{profile.document_kinds},pdf"
        self.company.bank_advice_since = fields.Datetime.subtract(fields.Datetime.now(), minutes=1)
        payment, other = self.paid(), self.paid(70)
        content = pdf(payment.end_to_end_id)
        self.run_cron("advice")
        advices = self.env["bank.remittance.advice"]
        self.assertFalse(advices.search([("payment_id", "in", (payment + other).ids)]))
        self.received(content)
        self.run_cron("advice")
        (advice,) = advices.search([("payment_id", "in", (payment + other).ids)])
        self.assertEqual((advice.payment_id, advice.state), (payment, "sent"))
        copy = advice.mail_message_id.attachment_ids
        self.assertEqual(copy.raw, content)
        with self.assertRaises(AccessError):
            copy.with_user(self.clerk).raw  # noqa: B018
        self.env["ir.config_parameter"].set_param("account_bank_connect.advice_waits_hours", "0")
        self.env.cr.execute(
            "UPDATE account_payment SET bank_status_date = bank_status_date - interval '1 second'"
            " WHERE id = %s", (other.id,),
        )
        self.run_cron("advice")
        self.assertTrue(advices.search([("payment_id", "=", other.id)]))
        payment.bank_receipt_ids._erase_bytes()
        self.assertFalse(copy.exists(), "the copy ends with the document")

    @mute_logger("odoo.http")
    def test_uploaded(self):
        """Brought in by hand: the text says which connection it belongs to."""
        payment = self.paid()
        second = self.new_connection("Second Bank")
        self.new_journal("DE75512108001245126199", second, code="CN2")
        attachment = self.env["ir.attachment"].with_user(self.preparer).create(
            {"name": "scan.pdf", "raw": pdf(payment.end_to_end_id)}
        )
        action = self.env["bank.message"].with_user(
            self.preparer
        ).create_document_from_attachment(attachment.ids)
        line = self.env["bank.upload"].browse(action["res_id"]).line_ids
        self.run_cron("process")
        self.assertEqual(line.message_id.connection_id, self.connection, line.said)
        self.assertEqual(line.message_id.receipt_payment_id, payment)
