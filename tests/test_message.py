import base64
import hashlib
import io
from unittest.mock import patch

from lxml import etree
from odoo.addons.account_bank_connect.formats import pain001
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BankConnectCommon, iban
from .documents import camt


@tagged("post_install", "-at_install")
class TestMessage(BankConnectCommon):
    """What is queued says what was approved, and is kept to the byte."""

    def test_the_message_says_what_was_approved(self):
        """Read with other eyes than the module's: plain XPath over the queued bytes."""
        first, second = self.new_bill(100.10), self.new_bill(0.05)
        batch = self.approved(first + second)
        tree = etree.fromstring(self.message_of(batch)._raw())

        def texts(path):
            return tree.xpath(path, namespaces={"n": etree.QName(tree).namespace})

        self.assertEqual(texts("//n:GrpHdr/n:MsgId/text()"), [batch.reference])
        self.assertEqual(texts("//n:GrpHdr/n:NbOfTxs/text()"), ["2"])
        self.assertEqual(texts("//n:GrpHdr/n:CtrlSum/text()"), ["100.15"])
        self.assertEqual(texts("//n:CdtTrfTxInf//n:InstdAmt/text()"), ["100.10", "0.05"])
        self.assertEqual(set(texts("//n:InstdAmt/@Ccy")), {"EUR"})
        self.assertEqual(texts("//n:DbtrAcct//n:IBAN/text()"), ["DE89370400440532013000"])
        self.assertEqual(set(texts("//n:CdtrAcct//n:IBAN/text()")), {iban(1)})
        self.assertEqual(set(texts("//n:Cdtr/n:Nm/text()")), {"Müller & Söhne GmbH"})
        self.assertEqual(
            texts("//n:EndToEndId/text()"), batch.payment_ids.sorted("id").mapped("end_to_end_id")
        )
        self.assertEqual(texts("//n:UETR/text()"), batch.payment_ids.sorted("id").mapped("uetr"))
        self.assertEqual(texts("//n:RmtInf/n:Ustrd/text()"), [first.ref, second.ref])
        self.assertEqual(texts("//n:ReqdExctnDt//text()"), [str(batch.execution_date)])

    def test_bytes_that_differ_from_the_seal_are_never_queued(self):
        """Whatever a fault or an intruder in the writer changes, nothing is sent."""
        write = pain001.write
        frauds = {
            "account": (iban(1), iban(66)),
            "amount": (">100.00<", ">900.00<"),
            "name": ("Müller &amp; Söhne GmbH", "Mule Ltd"),
            "our account": ("DE89370400440532013000", iban(67)),
            "text": ("INV-TAMPER", "INV-OTHER"),
            "end-to-end number": ("-00001</EndToEndId>", "-00009</EndToEndId>"),
        }
        for name, (right, wrong) in frauds.items():

            def altered(instruction, stream, right=right, wrong=wrong, **options):
                copy = io.BytesIO()
                result = write(instruction, copy, **options)
                content = copy.getvalue().decode()
                self.assertIn(right, content)
                stream.write(content.replace(right, wrong).encode())
                return result

            bill = self.new_bill(100, ref="INV-TAMPER")
            batch = self.prepare(bill)
            with (
                self.subTest(fraud=name),
                patch.object(pain001, "write", altered),
                self.assertRaisesRegex(UserError, "Nothing was sent"),
                self.env.cr.savepoint(),
            ):
                self.approve(batch)
            self.env.invalidate_all()
            self.assertEqual(batch.state, "to_approve")
            self.assertFalse(self.message_of(batch))
            self.assertEqual(batch.payment_ids.state, "draft")

    def test_a_payment_left_out_or_doubled_is_noticed(self):
        write = pain001.write

        def without_last(instruction, stream, **options):
            instruction.blocks[0].transfers.pop()
            return write(instruction, stream, **options)

        def doubled(instruction, stream, **options):
            instruction.blocks[0].transfers.append(instruction.blocks[0].transfers[0])
            return write(instruction, stream, **options)

        for name, fault in (("left out", without_last), ("doubled", doubled)):
            batch = self.prepare(self.new_bill() + self.new_bill())
            with (
                self.subTest(name),
                patch.object(pain001, "write", fault),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self.approve(batch)
            self.env.invalidate_all()
            self.assertFalse(self.message_of(batch))

    def test_incoming_bytes_are_kept_exactly(self):
        """Byte order mark, line ends and oddities included, beside their digest."""
        document = b"\xef\xbb\xbf" + camt(opening="1.00").replace(b"?>", b"?>\r\n\t ")
        message = self.receive(document)
        self.assertEqual(message._raw(), document)
        self.assertEqual(message.sha256, hashlib.sha256(document).hexdigest())
        self.assertEqual(message.size, len(document))

    def test_altered_content_is_noticed_and_not_sent(self):
        batch = self.approved(self.new_bill(100))
        message = self.message_of(batch)
        wrong = message._raw().replace(b">100.00<", b">900.00<")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bank_message SET content = %s WHERE id = %s",
            (base64.b64encode(wrong), message.id),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "was altered in the database"):
            message._raw()
        self.run_cron("send")
        self.assertFalse(self.bank.submitted)
        self.assertEqual(message.state, "queued")
        self.assertIn("was altered", message.error)
        self.assertTrue(self.activities(self.connection, "connection"))

    def test_a_document_that_is_none_is_kept_and_put_aside(self):
        for content in (b"", b"not XML", b"<html/>", b"\x00\xff\x00", b"<Document/>"):
            with self.subTest(content=content):
                message = self.receive(content)
                self.assertEqual(message.state, "quarantined")
                self.assertEqual(message._raw(), content)

    def test_unsafe_documents_are_put_aside(self):
        """A document type declaration is refused, whatever it would pull in."""
        document = camt().replace(
            b'encoding="UTF-8"?>',
            b'encoding="UTF-8"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        )
        self.quarantined(document, "(?i)document type|doctype|dtd")

    def test_one_bad_document_stops_no_other(self):
        good = camt(opening="5.00")
        bad, fine = self.receive(b"rubbish", good)
        self.assertEqual((bad.state, fine.state), ("quarantined", "processed"))
        tasks = self.activities(self.connection, "connection")
        self.assertEqual(tasks.user_id, self.admin)

    def test_a_quarantined_document_can_be_tried_again(self):
        message = self.receive(camt(iban=iban(800), opening="5.00"))
        self.assertEqual(message.state, "quarantined")
        with self.assertRaises(UserError):
            message.with_user(self.clerk).action_process_again()
        self.new_journal(iban(800), self.connection, code="CN8")
        message.with_user(self.admin).action_process_again()
        self.run_cron("process")
        self.assertEqual(message.state, "processed", message.error)
