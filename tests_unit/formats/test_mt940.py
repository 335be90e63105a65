"""MT940: every way that banks write one comes out as the same entries and balances."""

import io
from datetime import date
from decimal import Decimal

import pytest

from formats.account_reports import account_reports
from formats.detect import detect
from formats.model import Account
from tests_unit.formats import mt_corpus as mt


def read(text: str | bytes, kind: str = "mt940"):
    data = text if isinstance(text, bytes) else text.encode()
    assert detect(data) == kind
    return [(report, list(report.entries)) for report in account_reports(io.BytesIO(data), kind)]


def only(text: str | bytes, kind: str = "mt940"):
    ((report, entries),) = read(text, kind)
    return report, entries


def test_a_statement_with_all_that_its_fields_say():
    """Account, number, balances, entries with sign, days, references and texts."""
    text = mt.message(
        mt.line("-100.50", own="E2E-1", bank="BANK-7", more="supplement"),
        ":86:Bill 7",
        mt.line("20.00", bank="BANK-8"),
        closing="919.50",
    ).replace("\n-\n", "\n:64:C260302EUR900,\n:65:C260303EUR950,00\n:86:Yours, the bank\n-\n")
    report, (paid, got) = only(text)
    assert (report.kind, report.message_name, report.final) == ("mt940", "mt940", True)
    assert (report.id, report.message_id) == ("REF-1", "REF-1")
    assert (report.electronic_sequence, report.page, report.last_page) == (5, 1, True)
    assert report.account == Account(iban=mt.IBAN, currency="EUR")
    assert [(item.type, item.amount, item.date) for item in report.balances] == [
        ("OPBD", Decimal("1000.00"), date(2026, 3, 2)),
        ("CLBD", Decimal("919.50"), date(2026, 3, 2)),
        ("CLAV", Decimal("900"), date(2026, 3, 2)),
        ("FWAV", Decimal("950.00"), date(2026, 3, 3)),
    ]
    assert report.to == date(2026, 3, 2)
    assert report.additional_information == "Yours, the bank"
    assert (paid.amount, paid.currency, paid.credit_debit) == (Decimal("-100.50"), "EUR", "DBIT")
    assert (paid.status, paid.reversal, paid.position) == ("BOOK", False, 1)
    assert (paid.booking_date, paid.value_date) == (date(2026, 3, 2), date(2026, 3, 2))
    assert (paid.bank_reference, paid.additional_information) == ("BANK-7", "supplement")
    assert paid.transaction_code.proprietary == "NTRF"
    (detail,) = paid.details
    assert (detail.instruction_id, detail.end_to_end_id) == ("E2E-1", None)
    assert detail.remittance_unstructured == ("Bill 7",)
    assert (got.amount, got.bank_reference) == (Decimal("20.00"), "BANK-8")
    assert got.details[0].instruction_id is None
    assert report.check() == []
    assert report.notes == []


@pytest.mark.parametrize(
    ("mark", "amount", "indicator", "reversal"),
    [
        ("C", "7.00", "CRDT", False),
        ("D", "-7.00", "DBIT", False),
        ("RC", "-7.00", "DBIT", True),
        ("RD", "7.00", "CRDT", True),
        ("CR", "7.00", "CRDT", False),
        ("DR", "-7.00", "DBIT", False),
        ("RCR", "-7.00", "DBIT", True),
        ("rd", "7.00", "CRDT", True),
    ],
)
def test_marks_of_debit_credit_reversal_and_funds(mark, amount, indicator, reversal):
    """The sign is what the booking does to the account: a credit taken back is money out."""
    closing = str(1000 + Decimal(amount))
    report, (entry,) = only(mt.message(mt.line("7.00", mark=mark), closing=closing))
    assert (entry.amount, entry.credit_debit, entry.reversal) == (
        Decimal(amount), indicator, reversal,
    )  # fmt: skip
    assert report.check() == []


@pytest.mark.parametrize(
    ("days", "value", "booked"),
    [
        ("2603020301", date(2026, 3, 2), date(2026, 3, 1)),
        ("2512310102", date(2025, 12, 31), date(2026, 1, 2)),
        ("2601021231", date(2026, 1, 2), date(2025, 12, 31)),
        ("260302", date(2026, 3, 2), None),
        ("260302    ", date(2026, 3, 2), None),
        ("240229", date(2024, 2, 29), None),
        ("2602300228", date(2026, 2, 28), date(2026, 2, 28)),
    ],
)
def test_days_and_the_turn_of_the_year(days, value, booked):
    """The day of entry has no year: it is the one nearest to the value date."""
    _report, (entry,) = only(mt.message(mt.line("1.00", days=days), closing="1001.00"))
    assert (entry.value_date, entry.booking_date) == (value, booked)


@pytest.mark.parametrize(
    ("currency", "written", "amount"),
    [
        ("EUR", "12,5", "12.5"),
        ("EUR", "12,", "12"),
        ("EUR", "12", "12"),
        ("EUR", "12.50", "12.50"),
        ("EUR", "000000000012,50", "12.50"),
        ("EUR", "12,5000", "12.5"),
        ("JPY", "1200,", "1200"),
        ("JPY", "1200,00", "1200"),
        ("KWD", "1,234", "1.234"),
        ("KWD", "1.234", "1.234"),
    ],
)
def test_decimals_of_any_currency(currency, written, amount):
    """A comma, or the point that stands before just the cents."""
    text = mt.of("5", opening="100", currency=currency).replace("C5,NTRF", f"C{written}NTRF")
    _report, (entry,) = only(text)
    assert (entry.amount, entry.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("written", "account", "bank"),
    [
        (mt.IBAN, Account(iban=mt.IBAN, currency="EUR"), None),
        ("DE89 3704 0044 0532 0130 00", Account(iban=mt.IBAN, currency="EUR"), None),
        ("NL91ABNA0417164300EUR", Account(iban=mt.OTHER, currency="EUR"), None),
        ("NL91ABNA0417164300 EUR", Account(iban=mt.OTHER, currency="EUR"), None),
        ("37040044/532013000", Account(iban=mt.IBAN, currency="EUR"), None),
        ("37040044/0532013000EUR", Account(iban=mt.IBAN, currency="EUR"), None),
        (f"COBADEFFXXX/{mt.IBAN}", Account(iban=mt.IBAN, currency="EUR"), "COBADEFFXXX"),
        ("COBADEFF/0532013000", Account(other="0532013000", currency="EUR"), "COBADEFF"),
        ("0417164300", Account(other="0417164300", currency="EUR"), None),
        ("6222-0200/1234567", Account(other="6222-0200/1234567", currency="EUR"), None),
        ("ACCTUSD", Account(other="ACCTUSD", currency="EUR"), None),
    ],
)
def test_accounts_in_every_form(written, account, bank):
    """IBAN, bank code and number, BIC and number, a number alone; a currency behind it."""
    report, _entries = only(mt.of("1.00", account=written))
    assert report.account == account
    assert (report.servicer.bic if report.servicer else None) == bank


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("enveloped", [False, True])
def test_envelopes_and_line_ends(ends, enveloped):
    """With SWIFT's blocks or without, whatever ends a line: the same statements."""
    texts = [mt.of("-1.00", "2.00"), mt.of("3.00", opening="-5.00", account=mt.OTHER)]
    text = "".join(mt.swift(each) if enveloped else each for each in texts)
    found = read(text.replace("\n", ends))
    assert [report.account.iban for report, _entries in found] == [mt.IBAN, mt.OTHER]
    assert [[entry.amount for entry in entries] for _report, entries in found] == [
        [Decimal(-1), Decimal(2)],
        [Decimal(3)],
    ]
    assert [report.check() for report, _entries in found] == [[], []]
    assert [report.notes for report, _entries in found] == [[], []]


@pytest.mark.parametrize(
    "text",
    [
        mt.swift(mt.of("1.00")).replace("}{5:{CHK:123456789ABC}}\n", "}"),
        mt.swift(mt.of("1.00")) + "\x00" * 40,
        mt.of("1.00").replace("-\n", ""),
        mt.of("1.00").rstrip() + "\x1a",
        mt.swift(mt.of("1.00")).replace("\n-}", "-}"),
        mt.swift(mt.of("1.00")).replace("{4:\n", "{4:"),
        "\r\n\r\n" + mt.of("1.00"),
        "ABNANL2A\n940\nABNANL2A\n" + mt.of("1.00"),
        ":940:\n" + mt.of("1.00"),
        "0000 01INGBNL2AXXXX00001\n0000 01INGBNL2AXXXX00001\n940 00\n" + mt.of("1.00"),
        mt.of("1.00").replace("\n:", "   \n:"),
    ],
)
def test_what_stands_around_a_message(text):
    """Headers, trailers, padding and blanks of the banks' own are passed over."""
    report, (entry,) = only(text)
    assert (entry.amount, report.check(), report.notes) == (Decimal(1), [], [])
    assert entry.transaction_code.proprietary == "NTRF"


def test_statements_behind_one_another_with_headers_between():
    """A bank's own lines between two statements belong to neither."""
    head = "ABNANL2A\n940\nABNANL2A\n"
    found = read(head + mt.of("1.00") + head + mt.of("2.00", opening="0", number="6/1"))
    assert [report.electronic_sequence for report, _entries in found] == [5, 6]
    assert [report.check() for report, _entries in found] == [[], []]


def test_pages_are_one_statement():
    """Pages that continue one another, balance by balance, are joined to what they are."""
    pages = [
        mt.of("-1.00", number="5/1", marks="FM"),
        mt.of("-2.00", number="5/2", opening="999.00", marks="MM"),
        mt.of("-3.00", number="5/3", opening="997.00", marks="MF"),
        mt.of("4.00", number="6/1", opening="994.00"),
    ]
    (first, entries), (second, _others) = read("".join(map(mt.swift, pages)))
    assert [entry.amount for entry in entries] == [-1, -2, -3]
    assert [entry.position for entry in entries] == [1, 2, 3]
    assert [(item.type, item.amount, item.subtype) for item in first.balances] == [
        ("OPBD", Decimal("1000.00"), None),
        ("CLBD", Decimal("994.00"), None),
    ]
    assert (first.electronic_sequence, first.page, first.last_page) == (5, 3, True)
    assert (first.check(), second.check(), second.electronic_sequence) == ([], [], 6)


@pytest.mark.parametrize(
    "second",
    [
        mt.of("-2.00", number="5/3", opening="999.00", marks="MF"),
        mt.of("-2.00", number="6/2", opening="999.00", marks="MF"),
        mt.of("-2.00", number="5/2", opening="998.00", marks="MF"),
        mt.of("-2.00", number="5/2", opening="999.00", marks="FF"),
        mt.of("-2.00", number="5/2", opening="999.00", marks="MF", account=mt.OTHER),
    ],
)
def test_pages_that_do_not_follow_stay_apart(second):
    """A page missing or of another statement: nothing is joined, and each says what it is."""
    found = read(mt.of("-1.00", number="5/1", marks="FM") + second)
    assert [report.last_page for report, _entries in found] == [False, True]
    assert found[0][0].balances[-1].subtype == "INTM"


def test_a_page_alone_says_that_it_is_one():
    """The second of two pages, delivered alone, adds up and is marked."""
    report, _entries = only(mt.of("-2.00", number="5/2", opening="999.00", marks="MF"))
    assert (report.page, report.balances[0].subtype, report.check()) == (2, "INTM", [])


def test_empty_statements_and_missing_balances():
    """No entries are a statement too; a balance that is missing is said."""
    report, entries = only(mt.of())
    assert (entries, report.check()) == ([], [])
    report, entries = only(mt.message(mt.line("1.00")))
    assert len(entries) == 1
    assert report.check() == ["the statement has no closing balance"]
    bare = mt.message(mt.line("1.00"), opening=None, closing="1.00", account=f"{mt.IBAN}EUR")
    report, _entries = only(bare)
    assert report.check() == ["the statement has no opening balance"]


def test_what_does_not_add_up_is_said_to_the_cent():
    report, _entries = only(mt.message(mt.line("1.00"), closing="1001.01"))
    (fault,) = report.check()
    assert "a difference of 0.01" in fault


def test_numbers_that_say_nothing():
    """A reference that is the same every day is no identity; an odd number is noted."""
    for reference in ("STARTUMS", "NONREF", "0000000000"):
        report, _entries = only(mt.of("1.00", reference=reference))
        assert (report.id, report.message_id) == ("5", reference)
    report, _entries = only(mt.of("1.00", number="00000/001", reference="STARTUMS"))
    assert (report.id, report.electronic_sequence, report.page) == ("STARTUMS", None, 1)
    report, _entries = only(mt.of("1.00", number="MARCH"))
    assert "'MARCH' is no number of a statement" in report.notes[0]


def test_references_longer_than_swift_allows():
    """Up to the mark it is the customer's reference; without a mark the rest is text."""
    long = "BIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU"
    text = mt.message(
        mt.line("1.00", own=long, bank="2022070616391534000"),
        mt.line("1.00", own="1234567890123456AND TEXT"),
        mt.line("1.00", own="NONREF", bank="NONREF"),
        mt.line("1.00", own="", kind=""),
        closing="1004.00",
    )
    report, entries = only(text)
    assert [entry.details[0].instruction_id for entry in entries] == [
        long, "1234567890123456", None, None,
    ]  # fmt: skip
    assert entries[1].additional_information == "AND TEXT"
    assert [entry.bank_reference for entry in entries] == ["2022070616391534000", None, None, None]
    assert report.check() == []


@pytest.mark.parametrize(
    ("encoding", "word", "noted"),
    [
        ("utf-8", "Müller 中国", ""),
        ("utf-8-sig", "Müller 中国", ""),
        ("utf-16", "Müller 中国", ""),
        ("latin-1", "Müller Größe", "Windows-1252"),
        ("cp1252", "Müller 5 €", "Windows-1252"),
        ("gb18030", "中国工商银行 货款", "GB18030"),
        ("gbk", "上海贸易有限公司", "GB18030"),
    ],
)
def test_encodings(encoding, word, noted):
    """No field says which it is: what is not UTF-8 is told by what it is made of, and noted."""
    text = mt.message(mt.line("1.00"), f":86:{word}", closing="1001.00")
    report, (entry,) = only(text.encode(encoding))
    assert entry.details[0].remittance_unstructured == (word,)
    assert [note for note in report.notes if noted in note] == report.notes
    assert bool(report.notes) == bool(noted)


def test_fields_of_the_banks_own():
    """A field that is not known is passed over and noted; NS is text of its entry."""
    text = mt.message(
        mt.line("1.00"), ":86:Bill", ":NS:22 more", mt.line("1.00"), ":99X:what", closing="1002.00"
    )
    report, entries = only(text)
    assert entries[0].details[0].remittance_unstructured == ("Bill 22 more",)
    assert report.notes == ["line 9: a field that is not known was passed over"]
    assert report.check() == []


def test_an_mt950_is_a_statement_without_texts():
    report, entries = only(mt.swift(mt.of("1.00", "2.00"), "950"))
    assert (report.kind, len(entries), report.check()) == ("mt940", 2, [])
