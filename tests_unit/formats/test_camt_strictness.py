"""What money needs is never guessed: a document in doubt is refused, and the place is named."""

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import camt
from formats.errors import FormatError
from tests_unit.formats import camt_corpus as corpus

NAME = "camt.053.001.08"
GOOD = corpus.entry(NAME, "5.00", "DBIT")


def read(document: bytes) -> list:
    return [(report, list(report.entries)) for report in camt.reports(io.BytesIO(document))]


def check(document: bytes) -> list[str]:
    ((report, _entries),) = read(document)
    return report.check()


@pytest.mark.parametrize(
    ("old", "new", "place", "word"),
    [
        (">5.00<", ">5,00<", "Ntry[2]/Amt", "not a number"),
        (">5.00<", ">1 005.00<", "Ntry[2]/Amt", "not a number"),
        (">5.00<", ">NaN<", "Ntry[2]/Amt", "not a number"),
        (">5.00<", ">1e3<", "Ntry[2]/Amt", "not a number"),
        (">5.00<", "><", "Ntry[2]/Amt", "not a number"),
        (' Ccy="EUR"', "", "Ntry[2]/Amt", "currency"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "", "Ntry[2]/CdtDbtInd", "missing"),
        (">DBIT<", ">DEBIT<", "Ntry[2]/CdtDbtInd", "neither CRDT nor DBIT"),
        ("BOOK", "DONE", "Ntry[2]/Sts", "status"),
        ("2026-03-02", "02.03.2026", "Ntry[2]/BookgDt", "not a date"),
        ("2026-03-02", "2026-02-30", "Ntry[2]/BookgDt", "not a date"),
        ("2026-03-03", "tomorrow", "Ntry[2]/ValDt", "not a date"),
    ],
)
def test_a_doubtful_entry_is_refused(old, new, place, word):
    """Amount, currency, sign, status or date in doubt: the error says what and where."""
    assert old in GOOD
    document = corpus.statement(GOOD, GOOD.replace(old, new, 1), closing="990.00")
    with pytest.raises(FormatError, match=word) as caught:
        read(document)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (">1000.00<", ">1.000,00<", "Bal[1]/Amt"),
        (' Ccy="EUR"', "", "Bal[1]/Amt"),
        ("<CdtDbtInd>CRDT</CdtDbtInd>", "", "Bal[1]/CdtDbtInd"),
        ("<Dt><Dt>2026-03-02</Dt></Dt>", "", "Bal[1]/Dt"),
        ("<CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry>", "", "Bal[1]/Tp"),
    ],
)
def test_a_doubtful_balance_is_refused(old, new, place):
    """A balance without amount, currency, sign, date or type proves nothing."""
    document = corpus.statement(GOOD, closing="995.00").decode()
    assert old in document
    with pytest.raises(FormatError) as caught:
        read(document.replace(old, new, 1).encode())
    assert place in str(caught.value)


@pytest.mark.parametrize("account", ["", "<Acct/>", "<Acct><Id><IBAN> </IBAN></Id></Acct>"])
def test_a_report_without_an_account_is_refused(account):
    """Entries that belong to no account are nobody's."""
    body = f"<Stmt><Id>1</Id>{account}{GOOD}</Stmt>"
    with pytest.raises(FormatError, match="account"):
        read(corpus.document(NAME, body))


def test_a_booked_entry_without_any_date_is_refused():
    """Booking and value date both missing: no day to book it on."""
    bare = GOOD.replace("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", "")
    document = corpus.statement(bare, closing="995.00")
    ((report, (entry,)),) = read(document)
    assert entry.booking_date is None
    assert any("without a booking date" in note for note in report.notes)
    with pytest.raises(FormatError, match="neither booking date nor value date"):
        read(document.replace(b"<ValDt><Dt>2026-03-03</Dt></ValDt>", b""))


def test_an_advice_must_say_what_is_booked():
    """Outside a statement an entry without a status could be anything."""
    name = "camt.054.001.08"
    bare = corpus.entry(name, "5.00", "DBIT").replace("<Sts><Cd>BOOK</Cd></Sts>", "")
    with pytest.raises(FormatError, match="status is missing"):
        read(corpus.document(name, corpus.report(name, bare)))


def test_other_messages_are_refused():
    """A payment instruction, a web page and plain text are no account reports."""
    pain = b'<Document xmlns="urn:x"><CstmrCdtTrfInitn><GrpHdr/></CstmrCdtTrfInitn></Document>'
    for document in (pain, b"<html><body/></html>", b":20:MT940", b"", b"<Document/>"):
        with pytest.raises(FormatError):
            read(document)


def test_a_cut_document_is_refused():
    """A document that ends early fails while it is read, wherever it was cut."""
    whole = corpus.full(NAME)
    for length in range(60, len(whole) - 1, 97):
        with pytest.raises(FormatError):
            read(whole[:length])


def test_a_wrong_sum_is_told():
    """Opening balance, entries and closing balance that disagree: the difference is named."""
    (fault,) = check(corpus.statement(GOOD, closing="996.00"))
    assert "1000.00" in fault
    assert "a difference of 1.00" in fault


def test_missing_balances_are_told():
    """A statement without its balances can't be proven and says so."""
    document = corpus.document(NAME, corpus.report(NAME, GOOD, header=corpus.balance("OPBD", "1")))
    assert check(document) == ["the statement has no closing balance"]


def test_stated_totals_are_compared():
    """Counts and sums that the bank states are held against what it sent."""
    summary = (
        "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><Sum>5.00</Sum></TtlNtries>"
        "<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>6.00</Sum></TtlDbtNtries></TxsSummry>"
    )
    document = corpus.statement(summary, GOOD, closing="995.00")
    assert check(document) == [
        "it states 2 entries, it has 1",
        "it states 6.00 as sum of debit entries, it is 5.00",
    ]


def test_entries_in_another_currency_are_told():
    """An entry in another currency than the balances can't be part of their sum."""
    foreign = corpus.entry(NAME, "7.00", "CRDT", currency="USD")
    assert check(corpus.statement(foreign, closing="1000.00")) == [
        "entries are booked in USD, unlike the balances"
    ]


def test_a_check_before_the_end_is_refused():
    """Nothing is said about sums before all entries are read."""
    report = next(camt.reports(io.BytesIO(corpus.full(NAME))))
    with pytest.raises(ValueError, match="read to the end"):
        report.check()


cents = st.integers(min_value=-(10**14), max_value=10**14).map(lambda n: Decimal(n).scaleb(-2))


@given(opening=cents, movements=st.lists(cents, max_size=12), slip=st.sampled_from([0, 1, -1]))
def test_sums_are_exact_to_the_cent(opening, movements, slip):
    """Whatever the amounts, a true closing balance passes and one cent more or less does not."""
    closing = opening + sum(movements, Decimal(0)) + Decimal(slip).scaleb(-2)
    entries = [
        corpus.entry(NAME, format(abs(value), "f"), "DBIT" if value < 0 else "CRDT")
        for value in movements
    ]
    document = corpus.statement(
        *entries, opening=format(opening, "f"), closing=format(closing, "f")
    )
    ((report, found),) = read(document)
    assert [entry.amount for entry in found] == movements
    assert bool(report.check()) == bool(slip)
