"""What real banks' files surprise their readers with: each is read right, noted or refused."""

import io
from decimal import Decimal

import pytest

from formats import camt
from formats.account_reports import account_reports
from formats.detect import detect
from formats.errors import FormatError
from formats.incoming import Exchange
from tests_unit.formats import camt_corpus as corpus

NAME = "camt.053.001.08"


def only(document: bytes):
    kind = detect(document)
    ((report, entries),) = [
        (report, list(report.entries)) for report in account_reports(io.BytesIO(document), kind)
    ]
    return report, entries


@pytest.mark.parametrize("padding", [b"\x00" * 700, b"\x1a", b"\r\n\x00\x00\r\n", b"  \n"])
def test_padding_behind_the_end(padding):
    """Transports fill up to a record's length; that is no part of the document."""
    report, entries = only(corpus.full(NAME) + padding)
    assert len(entries) == 2
    assert [note for note in report.notes if "padding" in note] == report.notes


def test_padding_inside_is_no_padding():
    with pytest.raises(FormatError, match="not well-formed"):
        only(corpus.full(NAME).replace(b"<Ntry>", b"\x00<Ntry>"))


@pytest.mark.parametrize("said", ["UTF-16", "utf-16le", "UTF-32"])
def test_a_declaration_that_cannot_be_true(said):
    """A document that says it is UTF-16 in single bytes is not: read as UTF-8, and noted."""
    text = corpus.full(NAME).decode().replace("UTF-8", said).replace("Vendor", "Vëndor")
    report, entries = only(text.encode())
    assert entries[0].details[0].creditor.name == "Vëndor GmbH"
    assert "which it is not" in report.notes[0]


def test_no_namespace_at_all():
    """The elements say which message it is, and the fault is noted."""
    document = corpus.full(NAME).replace(f' xmlns="{corpus.namespace(NAME)}"'.encode(), b"")
    report, entries = only(document)
    assert (report.kind, len(entries), report.check()) == ("camt.053", 2, [])
    assert "does not name the message" in report.notes[0]


def test_another_prefix_for_every_part():
    """A prefix declared on an inner element, and unused ones, change nothing."""
    space = corpus.namespace(NAME)
    document = corpus.full(NAME).replace(
        b"<Ntry>", f'<x:Ntry xmlns:x="{space}" xmlns:y="urn:y">'.encode()
    ).replace(b"</Ntry>", b"</x:Ntry>")  # fmt: skip
    assert only(document)[1] == only(corpus.full(NAME))[1]


def test_an_empty_statement():
    """A day without bookings is a statement: it adds up, and continues the one before."""
    report, entries = only(corpus.statement(closing="1000.00"))
    assert (entries, report.check(), report.complete) == ([], [], True)
    report, _entries = only(corpus.statement(closing="1000.01"))
    assert "a difference of 0.01" in report.check()[0]


def test_a_statement_without_balances():
    report, entries = only(corpus.document(NAME, corpus.report(NAME, corpus.paid_entry(NAME))))
    assert len(entries) == 1
    assert report.check() == [
        "the statement has no opening balance", "the statement has no closing balance",
    ]  # fmt: skip


def test_foreign_payment_with_its_counter_value():
    """Booked in the account's money by the counter value; what was ordered is kept beside it."""
    details = (
        '<TxDtls><AmtDtls><InstdAmt><Amt Ccy="USD">108.00</Amt></InstdAmt>'
        '<TxAmt><Amt Ccy="USD">108.00</Amt></TxAmt><CntrValAmt><Amt Ccy="EUR">100.00</Amt>'
        "<CcyXchg><SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy><UnitCcy>EUR</UnitCcy>"
        "<XchgRate>1.08</XchgRate></CcyXchg></CntrValAmt></AmtDtls></TxDtls>"
    )
    _report, (entry,) = only(
        corpus.statement(corpus.entry(NAME, "100.00", "DBIT", details), closing="900.00")
    )
    (detail,) = entry.details
    assert (detail.amount, detail.currency) == (Decimal("-100.00"), "EUR")
    assert (detail.instructed_amount, detail.instructed_currency) == (Decimal("108.00"), "USD")
    assert detail.exchange == Exchange(
        rate=Decimal("1.08"), source="USD", target="EUR", unit="EUR"
    )


@pytest.mark.parametrize(
    ("booked", "charge", "noted"),
    [("30.00", "", False), ("31.50", "1.50", False), ("31.50", "", True), ("30.01", "1.50", True)],
)
def test_payments_that_are_not_the_whole_of_their_entry(booked, charge, noted):
    """A batch booking that differs from its payments by more than its charges is noted."""
    fee = f'<Chrgs><Rcrd><Amt Ccy="EUR">{charge}</Amt></Rcrd></Chrgs>' if charge else ""
    parts = "".join(
        f'<TxDtls><Amt Ccy="EUR">{each}</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
        for each in ("10.00", "20.00")
    )
    closing = str(Decimal(1000) - Decimal(booked))
    report, (entry,) = only(
        corpus.statement(corpus.entry(NAME, booked, "DBIT", parts, extra=fee), closing=closing)
    )
    assert [item.amount for item in entry.details] == [-10, -20]
    assert (["make -30.00" in note for note in report.notes] == [True]) == noted
    assert report.check() == []


@pytest.mark.parametrize(("count", "fault"), [("2", False), ("1", False), ("3", True)])
def test_totals_over_all_entries_or_over_the_booked_ones(count, fault):
    """Banks differ in whether what is pending counts; any other number is a fault."""
    total = f"<TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries></TtlNtries></TxsSummry>"
    body = corpus.entry(NAME, "5.00", "DBIT") + corpus.entry(NAME, "9.00", "DBIT", state="PDNG")
    header = corpus.balance("OPBD", "10.00") + corpus.balance("CLBD", "5.00") + total
    report, _entries = only(corpus.document(NAME, corpus.report(NAME, body, header=header)))
    assert bool(report.check()) == fault


def test_swiss_dialect():
    """A QR reference, its type proprietary, ultimate parties, and codes of the bank's own."""
    details = (
        "<TxDtls><RltdPties><UltmtDbtr><Pty><Nm>Muster AG</Nm></Pty></UltmtDbtr></RltdPties>"
        "<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp>"
        "<Ref>210000000003139471430009017</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
    )
    text = corpus.entry(NAME, "5.00", "CRDT", details).replace(
        "</BkTxCd>", "<Prtry><Cd>VISR</Cd><Issr>SIX</Issr></Prtry></BkTxCd>", 1
    )
    _report, (entry,) = only(corpus.statement(text, closing="1005.00"))
    (detail,) = entry.details
    assert detail.creditor_reference == "210000000003139471430009017"
    assert detail.ultimate_debtor.name == "Muster AG"
    assert (entry.transaction_code.proprietary, entry.transaction_code.issuer) == ("VISR", "SIX")


def test_german_dialect():
    """Just the bank's own code, and a balance of its own kind beside the two that count."""
    text = corpus.entry(NAME, "5.00", "DBIT")
    start, end = text.index("<BkTxCd>"), text.index("</BkTxCd>")
    text = f"{text[:start]}<BkTxCd><Prtry><Cd>NTRF+116+997</Cd><Issr>DK</Issr></Prtry>{text[end:]}"
    own = corpus.balance("OPBD", "7.00").replace("<Cd>OPBD</Cd>", "<Prtry>DISPO</Prtry>")
    header = corpus.balance("PRCD", "1000.00") + own + corpus.balance("CLBD", "995.00")
    report, (entry,) = only(corpus.document(NAME, corpus.report(NAME, text, header=header)))
    assert entry.transaction_code.proprietary == "NTRF+116+997"
    assert [item.type for item in report.balances] == ["PRCD", "DISPO", "CLBD"]
    assert report.check() == []


def test_nordic_dialect():
    """An account number of the country's own, and the reference in the entry's text alone."""
    document = corpus.statement(corpus.entry(NAME, "5.00", "CRDT"), closing="1005.00").replace(
        f"<IBAN>{corpus.IBAN}</IBAN>".encode(),
        b"<Othr><Id>50001234567</Id><SchmeNm><Prtry>BGNR</Prtry></SchmeNm></Othr>",
    ).replace(b"entry text", b"OCR 1234567897")  # fmt: skip
    report, (entry,) = only(document)
    assert (report.account.other, report.account.other_scheme) == ("50001234567", "BGNR")
    assert (entry.additional_information, entry.details) == ("OCR 1234567897", ())


def test_chinese_text_in_its_own_encoding():
    text = corpus.full(NAME).decode().replace("Vendor GmbH", "上海贸易有限公司")
    for encoding in ("gb18030", "gb2312", "utf-16"):
        document = text.replace("UTF-8", encoding).encode(encoding)
        assert only(document)[1][0].details[0].creditor.name == "上海贸易有限公司"


def test_information_entries_move_no_money():
    """An information entry, even of a large amount, is neither booked nor missed in the sum."""
    entries = [corpus.entry(NAME, "1.00", "DBIT"),
               corpus.entry(NAME, "9999.00", "DBIT", state="INFO")]  # fmt: skip
    report, found = only(corpus.statement(*entries, closing="999.00"))
    assert [entry.status for entry in found] == ["BOOK", "INFO"]
    assert report.check() == []


def test_one_file_of_many_reports_is_read_one_at_a_time():
    """A fault in the last of many statements comes when the reading reaches it."""
    good = corpus.report(NAME, corpus.entry(NAME, "1.00", "CRDT"))
    bad = good.replace('Ccy="EUR">1.00', 'Ccy="EUR">1,00')
    stream = camt.reports(io.BytesIO(corpus.document(NAME, *[good] * 3, bad)))
    for _number in range(3):
        assert len(list(next(stream).entries)) == 1
    with pytest.raises(FormatError, match=r"Stmt\[4\]/Ntry\[1\]/Amt"):
        list(next(stream).entries)
