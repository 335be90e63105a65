"""Banks' faults that do no harm to the money are tolerated, and noted."""

import io
from datetime import date
from decimal import Decimal

from formats import camt
from tests_unit.formats import camt_corpus as corpus

NAME = "camt.053.001.08"


def read(document: bytes) -> list[tuple[camt.Report, list]]:
    return [(report, list(report.entries)) for report in camt.reports(io.BytesIO(document))]


def only(document: bytes):
    ((report, entries),) = read(document)
    return report, entries


def test_several_statements_on_several_accounts():
    """Each statement has its own account, balances and entries."""
    other = "FR1420041010050500013M02606"
    first = corpus.report(
        NAME,
        corpus.entry(NAME, "1.00", "CRDT"),
        header=corpus.balance("OPBD", "0.00") + corpus.balance("CLBD", "1.00"),
    )
    second = corpus.report(
        NAME,
        corpus.entry(NAME, "2.00", "DBIT") + corpus.entry(NAME, "3.00", "DBIT"),
        header=corpus.balance("OPBD", "0.00") + corpus.balance("CLBD", "-5.00"),
        iban=other,
        identity="S-2",
    )
    found = read(corpus.document(NAME, first, second))
    assert [report.account.iban for report, _entries in found] == [corpus.IBAN, other]
    assert [[entry.amount for entry in entries] for _report, entries in found] == [
        [Decimal(1)],
        [Decimal(-2), Decimal(-3)],
    ]
    assert [report.check() for report, _entries in found] == [[], []]


def test_entries_left_alone_are_passed_over():
    """A caller who asks for the next report before the entries end gets it, whole."""
    one = corpus.report(NAME, corpus.entry(NAME, "1.00", "CRDT") * 3)
    two = corpus.report(NAME, corpus.entry(NAME, "2.00", "CRDT"), identity="S-2")
    stream = camt.reports(io.BytesIO(corpus.document(NAME, one, two)))
    first = next(stream)
    assert next(first.entries).position == 1
    second = next(stream)
    assert (first.complete, second.id) == (True, "S-2")
    assert [entry.amount for entry in second.entries] == [Decimal(2)]


def test_elements_in_the_wrong_order():
    """Balances after the entries, and fields of an entry in any order, are found."""
    upside_down = (
        "<Ntry><BookgDt><Dt>2026-03-02</Dt></BookgDt><Sts><Cd>BOOK</Cd></Sts>"
        '<CdtDbtInd>DBIT</CdtDbtInd><Amt Ccy="EUR">5</Amt></Ntry>'
    )
    late = corpus.balance("OPBD", "10.00") + corpus.balance("CLBD", "5.00")
    report, entries = only(corpus.document(NAME, corpus.report(NAME, upside_down + late)))
    assert [entry.amount for entry in entries] == [Decimal(-5)]
    assert [balance.type for balance in report.balances] == ["OPBD", "CLBD"]
    assert report.check() == []


def test_prefixes_and_unknown_elements():
    """A prefixed namespace, comments and elements of the bank's own change nothing."""
    plain = corpus.full(NAME).decode()
    strange = (
        plain.replace("<Ntry>", "<Ntry><OurOwn><Amt>7</Amt></OurOwn><!-- text -->")
        .replace("</", "\x00")
        .replace("<", "<ns0:")
        .replace("\x00", "</ns0:")
        .replace("<ns0:?xml", "<?xml")
        .replace("<ns0:!--", "<!--")
        .replace("xmlns=", "xmlns:ns0=")
    )
    report, entries = only(strange.encode())
    wanted, same = only(plain.encode())
    assert entries == same
    assert report.balances == wanted.balances


def test_blanks_around_values():
    """Line breaks and blanks around a value are not part of it."""
    spaced = corpus.full(NAME).decode().replace("><", ">\n  <")
    spaced = spaced.replace("<IBAN>", "<IBAN>\n   ").replace(">100.00<", "> 100.00\n<")
    _report, entries = only(spaced.encode())
    assert entries == only(corpus.full(NAME))[1]


def test_an_envelope_and_a_business_header():
    """What is wrapped around the document is passed over."""
    inner = corpus.full(NAME).split(b"?>", 1)[1]
    header = (
        b'<h:AppHdr xmlns:h="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><h:Fr/></h:AppHdr>'
    )
    report, entries = only(b"<Envelope>" + header + inner + b"</Envelope>")
    assert (report.message_name, len(entries)) == (NAME, 2)


def test_national_namespaces_name_the_message():
    """A country's own namespace around the ISO name will do."""
    for space in (
        "http://www.six-interbank-clearing.com/de/camt.053.001.04.ch.02.xsd",
        "urn:swift:xsd:camt.053.001.02",
        "URN:ISO:STD:ISO:20022:TECH:XSD:CAMT.053.001.08",
    ):
        report, _entries = only(corpus.document(NAME, corpus.report(NAME, ""), space=space))
        assert report.message_name.startswith("camt.053.001.")
        assert report.notes == []


def test_a_namespace_that_says_nothing_is_noted():
    """The elements tell the kind of message; the fault is written down."""
    space = "http://bank.example/statement"
    report, entries = only(
        corpus.document(NAME, corpus.report(NAME, corpus.paid_entry(NAME)), space=space)
    )
    assert (report.kind, report.message_name, len(entries)) == ("camt.053", "camt.053", 1)
    assert any(space in note for note in report.notes)


def test_stray_bytes_of_another_encoding():
    """A name in Windows-1252 inside a UTF-8 document is read, and noted."""
    document = corpus.full(NAME).replace(b"Vendor GmbH", b"M\xfcller \x80 GmbH")
    report, entries = only(document)
    assert entries[0].details[0].creditor.name == "Müller € GmbH"
    assert any("Windows-1252" in note for note in report.notes)


def test_other_encodings_as_declared():
    """UTF-16, Latin-9 and GBK documents are read as they declare themselves."""
    for encoding, name in (("utf-16", "Müller 中国"), ("iso-8859-15", "Müller €"), ("gbk", "中国")):
        text = corpus.full(NAME).decode().replace("UTF-8", encoding).replace("Vendor GmbH", name)
        report, entries = only(text.encode(encoding))
        assert entries[0].details[0].creditor.name == name
        assert report.notes == []


def test_a_reversed_entry_keeps_the_sign_of_its_booking():
    """A reversal that credits the account is money in, whatever it reverses."""
    reversal = "<RvslInd>true</RvslInd>"
    report, entries = only(
        corpus.statement(corpus.entry(NAME, "7.00", "CRDT", reversal=reversal), closing="1007.00")
    )
    assert (entries[0].amount, entries[0].reversal) == (Decimal(7), True)
    assert report.check() == []


def test_zero_negative_pending_and_information_entries():
    """Zero needs no sign, a negative amount is noted, and only booked entries count."""
    nothing = corpus.entry(NAME, "0", "CRDT").replace("<CdtDbtInd>CRDT</CdtDbtInd>", "", 1)
    report, entries = only(
        corpus.statement(
            nothing,
            corpus.entry(NAME, "-5.00", "DBIT"),
            corpus.entry(NAME, "9.00", "DBIT", state="PDNG"),
            corpus.entry(NAME, "8.00", "CRDT", state="INFO"),
            closing="1005.00",
        )
    )
    assert [entry.amount for entry in entries] == [0, 5, -9, 8]
    assert [entry.status for entry in entries] == ["BOOK", "BOOK", "PDNG", "INFO"]
    assert sum("negative" in note for note in report.notes) == 1
    assert report.check() == []


def test_a_statement_without_statuses_is_booked():
    """An entry on a statement that lacks its status is booked, and noted."""
    bare = corpus.entry(NAME, "5.00", "DBIT").replace("<Sts><Cd>BOOK</Cd></Sts>", "")
    report, entries = only(corpus.statement(bare, closing="995.00"))
    assert entries[0].status == "BOOK"
    assert any("without a status" in note for note in report.notes)
    assert report.check() == []


def test_dates_with_time_and_zone():
    """A date-time says its writer's day; a zone does not shift it."""
    text = corpus.entry(NAME, "5.00", "DBIT").replace(
        "<BookgDt><Dt>2026-03-02</Dt>", "<BookgDt><DtTm>2026-03-02T23:30:00-05:00</DtTm>"
    )
    text = text.replace("<Dt>2026-03-03</Dt>", "<Dt>2026-03-03+02:00</Dt>")
    _report, (entry,) = only(corpus.statement(text, closing="995.00"))
    assert (entry.booking_date, entry.value_date) == (date(2026, 3, 2), date(2026, 3, 3))


def test_a_batch_entry_with_and_without_details():
    """One booking for many payments: what the bank says about the batch, and each payment."""
    batch = (
        "<Btch><MsgId>M-9</MsgId><PmtInfId>P-9</PmtInfId><NbOfTxs>2</NbOfTxs>"
        '<TtlAmt Ccy="EUR">30.00</TtlAmt></Btch>'
    )
    payment = (
        "<TxDtls><Refs><EndToEndId>E{0}</EndToEndId></Refs>"
        '<Amt Ccy="EUR">{0}0.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    )
    with_details = corpus.entry(
        NAME, "30.00", "DBIT", batch + payment.format(1) + payment.format(2)
    )
    report, (first, second) = only(
        corpus.statement(with_details, corpus.entry(NAME, "30.00", "DBIT", batch), closing="940.00")
    )
    for entry in (first, second):
        assert (entry.batch.message_id, entry.batch.payment_information_id) == ("M-9", "P-9")
        assert (entry.batch.count, entry.batch.total) == (2, Decimal("30.00"))
    assert [(item.end_to_end_id, item.amount) for item in first.details] == [
        ("E1", -10),
        ("E2", -20),
    ]
    assert second.details == ()
    assert report.check() == []


def test_details_before_the_sign_of_their_entry():
    """Details that come before amount and indicator get the entry's sign all the same."""
    details = '<NtryDtls><TxDtls><Amt Ccy="EUR">30.00</Amt></TxDtls></NtryDtls>'
    late = corpus.entry(NAME, "30.00", "DBIT").replace("<Ntry>", f"<Ntry>{details}")
    _report, (entry,) = only(corpus.statement(late, closing="970.00"))
    assert [item.amount for item in entry.details] == [Decimal(-30)]


def test_details_over_several_groups_and_without_amounts():
    """Details spread over several NtryDtls are all found; no amount is invented."""
    groups = "</NtryDtls><NtryDtls>".join(
        f"<TxDtls><Refs><EndToEndId>E{i}</EndToEndId></Refs></TxDtls>" for i in range(3)
    )
    _report, (entry,) = only(
        corpus.statement(corpus.entry(NAME, "30.00", "DBIT", groups), closing="970.00")
    )
    assert [item.end_to_end_id for item in entry.details] == ["E0", "E1", "E2"]
    assert {item.amount for item in entry.details} == {None}


def test_details_in_a_foreign_currency():
    """An amount in another currency is what was instructed, not what was booked."""
    foreign = '<TxDtls><Amt Ccy="USD">32.40</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    _report, (entry,) = only(
        corpus.statement(corpus.entry(NAME, "30.00", "DBIT", foreign), closing="970.00")
    )
    (detail,) = entry.details
    assert detail.amount is None
    assert (detail.instructed_amount, detail.instructed_currency) == (Decimal("32.40"), "USD")


def test_an_account_without_iban():
    """A national account number with its scheme is an account."""
    text = (
        corpus.full(NAME)
        .decode()
        .replace(
            f"<Acct><Id><IBAN>{corpus.IBAN}</IBAN></Id>",
            "<Acct><Id><Othr><Id>6214 8301</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id>",
        )
    )
    report, _entries = only(text.encode())
    assert (report.account.other, report.account.other_scheme) == ("6214 8301", "BBAN")


def test_pages_of_a_statement():
    """Page number and last page are read where the version has them."""
    text = (
        corpus.full(NAME)
        .decode()
        .replace(
            "<ElctrncSeqNb>",
            "<StmtPgntn><PgNb>2</PgNb><LastPgInd>false</LastPgInd></StmtPgntn><ElctrncSeqNb>",
        )
    )
    report, _entries = only(text.encode())
    assert (report.page, report.last_page) == (2, False)
