import json
from decimal import Decimal

from odoo.tests import tagged

from ..formats.errors import Fault, FormatError
from ..formats.notes import Note, Notes
from ..models import format_texts
from .common import OUR_IBAN, BankConnectCommon, iban


def mt940(*entries, opening="1000.00", account=OUR_IBAN, number=1):
    """An MT940 as German banks write it.

    :param entries: (amount, end-to-end number or text, bank's reference)
    """
    lines, balance = [], Decimal(opening)
    for amount, about, reference in entries:
        balance += Decimal(amount)
        mark = "D" if amount.startswith("-") else "C"
        size = amount.lstrip("-").replace(".", ",")
        lines += [f":61:2603020302{mark}{size}NTRFNONREF//{reference}", f":86:116?00X{about}"]
    sides = [("60F", Decimal(opening)), ("62F", balance)]
    first, last = (
        f":{tag}:{'D' if value < 0 else 'C'}260302EUR{abs(value):.2f}".replace(".", ",")
        for tag, value in sides
    )
    head = [":20:STARTUMS", f":25:{account}", f":28C:{number}/1", first]
    return "\r\n".join([*head, *lines, last, "-", ""]).encode()


@tagged("post_install", "-at_install")
class TestStatementFormats(BankConnectCommon):
    """Documents of other kinds than ISO 20022 take the same way."""

    def lines(self, journal=None):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", (journal or self.journal).id)], order="id"
        )

    def test_an_mt940_books_and_reconciles(self):
        """The payment is found by its end-to-end number; the bank's texts are on the lines."""
        batch = self.sent(self.new_bill(100))
        payment = batch.payment_ids
        message = self.received(
            mt940(
                ("-100.00", f"?20EREF+{payment.end_to_end_id}?21SVWZ+Bill?32Vendor", "B1"),
                ("25.00", "?20SVWZ+Rechnung 7?31" + iban(7) + "?32Kunde GmbH", "B2"),
            )
        )
        self.assertEqual(message.kind, "mt940")
        paid, got = self.lines()
        self.assertEqual((paid.amount, got.amount), (-100, 25))
        self.assertEqual(paid.bank_payment_ids, payment)
        self.assertTrue(paid.is_reconciled)
        self.assertEqual(payment.bank_status, "ACSC")
        self.assertEqual((got.payment_ref, got.partner_name), ("Rechnung 7", "Kunde GmbH"))
        self.assertEqual((got.bank_reference, got.account_number), ("B2", iban(7)))
        statement = paid.statement_id
        self.assertEqual((statement.balance_start, statement.balance_end_real), (1000, 925))
        self.assertTrue(statement.is_valid)

    def test_an_mt940_that_does_not_add_up_is_put_aside_whole(self):
        document = mt940(("-5.00", "?20SVWZ+x", "B1")).replace(b"EUR995,00", b"EUR995,01")
        self.quarantined(document, r"does not add up.*a difference of 0\.01")
        self.quarantined(
            mt940(("-5.00", "?20SVWZ+x", "B1")).replace(b"D5,00N", b"D1.005,00N"),
            r"can't be read.*message\[1\]/:61:\[1\], line 5",
        )
        self.assertFalse(self.lines())

    def test_an_account_by_its_domestic_number(self):
        """Bank code and number, or the number alone: the journal keeps the IBAN."""
        code, own = OUR_IBAN[4:12], OUR_IBAN[12:]
        self.received(mt940(("-5.00", "?20SVWZ+x", "B1"), account=f"{code}/{own}"))
        self.received(mt940(("-6.00", "?20SVWZ+x", "B2"), opening="995.00", account=own, number=2))
        self.assertEqual(self.lines().mapped("amount"), [-5, -6])
        self.quarantined(mt940(account=own[:-1] + "X"), "belongs to no journal")

    def test_faults_are_told_in_the_readers_language(self):
        """The sentence of the fault's code, with what it names; the place stays as it is."""
        self.env["res.lang"]._activate_lang("fr_FR")
        env = self.env(context={"lang": "fr_FR"})
        for code, sentence in (
            *format_texts.FAULTS.items(), *format_texts.READING.items(),
            *format_texts.NOTES.items(),
        ):
            self.assertTrue(env._(sentence), code)
        error = FormatError("in English", "message[1]", 5, code="amount")
        self.assertRegex(format_texts.reading_text(env, error), r"\(message\[1\], line 5\)$")
        self.assertNotIn("in English", format_texts.reading_text(env, error))
        self.assertIn("in English", format_texts.reading_text(self.env, error))
        said = format_texts.faults_text(env, [Fault.of("count_all", "x", stated=2, found=1)])
        self.assertIn("2", said)
        self.assertNotEqual(said, "x")
        note = Note.of("parts", "in English", "Ntry[7]", amount=3, number=2, total=1)
        notes = Notes([note, *([Note.of("field", "in English", line=4, tag="99")] * 21)])
        first, *_others, last = (format_texts.note_text(env, each) for each in notes)
        self.assertRegex(first, r"^Ntry\[7\]: .*3.*2.*1")
        self.assertRegex(last, r"line 4: .*:99:")
        self.assertNotIn("in English", first + last)
        self.assertEqual(format_texts.note_text(self.env, note), note)

    def test_what_is_odd_is_said_on_the_document(self):
        """With its place, and for a receipt that can't be read with the reason in words."""
        document = mt940(("-5.00", "?20SVWZ+x", "B1")).replace(b":60F:", b":99Z:what\r\n:60F:")
        self.assertIn("a field that is not known", self.received(document).note)
        self.env["res.lang"]._activate_lang("fr_FR")
        self.company.partner_id.lang = "fr_FR"
        self.assertNotIn("the PDF can't be read", self.quarantined(b"%PDF-1.7 torn", ".").error)

    def test_intraday_reports_move_the_payment(self):
        """MT942 and JSON tell of an execution before the statement does."""
        for execute in (self._mt942, self._json):
            payment = self.sent(self.new_bill(100)).payment_ids
            message = self.received(execute(payment))
            self.assertIn(message.kind, ("mt942", "berlin.transactions"))
            self.assertEqual(payment.bank_status, "ACSC")

    def _mt942(self, payment):
        return (
            f":20:X\n:25:{OUR_IBAN}\n:28C:1/1\n:34F:EUR0,\n:13D:2603021200+0100\n"
            f":61:2603020302D100,00NTRFNONREF//B1\n:86:/EREF/{payment.end_to_end_id}/\n"
            ":90D:1EUR100,\n:90C:0EUR0,\n-\n"
        ).encode()

    def _json(self, payment):
        booked = {
            "entryReference": "B2", "endToEndId": payment.end_to_end_id,
            "bookingDate": "2026-03-02",
            "transactionAmount": {"currency": "EUR", "amount": "-100.00"},
        }
        return json.dumps(
            {"account": {"iban": OUR_IBAN}, "transactions": {"booked": [booked], "_links": {}}}
        ).encode()

    def test_an_upload_is_told_by_its_content(self):
        """Whatever the file is called, its account says whose it is."""
        self.new_journal(iban(801), self.new_connection("Another Bank"), code="CN8")
        user = self.preparer
        documents = [mt940(("5.00", "?20SVWZ+x", "B1")), mt940(account=iban(99)), b"hello"]
        attachments = self.env["ir.attachment"].with_user(user).create(
            [{"name": "scan.pdf", "raw": document} for document in documents]
        )
        upload = self.env["bank.upload"].with_user(user)._take_in(attachments)
        mine, foreign, none = upload.line_ids
        self.assertEqual((mine.connection_id, mine.kind), (self.connection, "mt940"))
        self.assertIn("no connection of yours", foreign.said)
        self.assertIn("MT940", none.said)

    def test_documents_are_shown_as_text(self):
        """In their own encoding, and JSON set in lines."""
        chinese = mt940(("5.00", "?20SVWZ+货款 发票", "B1"))
        for document, shown in (
            (chinese.decode().encode("gb18030"), "货款 发票"),
            (b'{"account":{"iban":"X, {Y}"},"transactions":{"booked":[]}}', '"iban":"X, {Y}"'),
        ):
            message = self.receive(document)
            self.assertIn(shown, message.preview)
            self.assertGreater(len(message.preview.splitlines()), 5)
