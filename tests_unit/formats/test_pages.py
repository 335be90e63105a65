"""Statements in pages: proven together, in whatever way the bank shares out the balances."""

import io
import json
from datetime import date
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import pages
from formats.account_reports import account_reports
from formats.identity import FOLLOWS, OVERLAPS, Extent, relation

DAY = date(2026, 11, 23)
CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-23T19:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S</Id><StmtPgntn><PgNb>{number}</PgNb>{last}</StmtPgntn>
<ElctrncSeqNb>17</ElctrncSeqNb><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>
{balances}{totals}{entries}</Stmt></BkToCstmrStmt></Document>"""


def money(amount, inner=""):
    sign = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="EUR">{abs(amount)}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{inner}'


def balance(kind, amount):
    day = "<Dt><Dt>2026-11-23</Dt></Dt>"
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{money(amount, day)}</Bal>"


def read(number, amounts, opening=None, closing=None, last="", totals=""):
    """One page, read to its end."""
    balances = "" if opening is None else balance("OPBD", opening)
    balances += "" if closing is None else balance("CLBD", closing)
    entry = "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-23</Dt></BookgDt>"
    entries = "".join(f"<Ntry>{money(amount, entry)}</Ntry>" for amount in amounts)
    last = f"<LastPgInd>{last}</LastPgInd>" if last else ""
    document = CAMT.format(
        number=number, last=last, balances=balances, entries=entries, totals=totals
    )
    (report,) = account_reports(io.BytesIO(document.encode()), "camt.053")
    return report


def page(*given, **values):
    report = read(*given, **values)
    return report.check(), pages.page_of(report)


@given(
    st.lists(st.lists(st.integers(-9, 9).filter(bool), max_size=3), min_size=2, max_size=5),
    st.sampled_from(["ends", "repeated", "own"]), st.booleans(), st.randoms(),
)
def test_pages_are_proven_together(amounts, way, said, random):
    """Whether the first and last page have the balances, each those of the whole, or its own."""
    running = list(accumulate((sum(each) for each in amounts), initial=1000))
    made = []
    for number, (each, (before, after)) in enumerate(
        zip(amounts, pairwise(running), strict=True), 1
    ):
        end = number == len(amounts)
        opening, closing = {
            "ends": (running[0] if number == 1 else None, running[-1] if end else None),
            "repeated": (running[0], running[-1]),
            "own": (before, after),
        }[way]
        last = ("true" if end else "false") if said else ""
        faults, found = page(number, each, opening, closing, last=last)
        assert pages.may_be_proven_together(faults)
        made.append(pages.Page.from_json(json.loads(json.dumps(found.as_json()))))
        assert made[-1] == found
    random.shuffle(made)
    assert pages.missing(made) == []
    assert pages.faults(made) == []
    assert [(b, a) for _page, b, a in pages.balances(made)] == list(pairwise(running))


def test_which_pages_are_missing():
    _faults, second = page(2, [-5], last="false")
    assert pages.missing([second]) == [1, 3]
    _faults, fourth = page(4, [-1], closing=80, last="true")
    assert pages.missing([second, fourth]) == [1, 3]
    # Without a word on which is the last, the sums tell.
    _faults, first = page(1, [-5], opening=100)
    assert pages.missing([first]) == [2]


def test_pages_that_do_not_add_up():
    _faults, first = page(1, [-5], opening=100, last="false")
    _faults, second = page(2, [-5], closing=89, last="true")
    (fault,) = pages.faults([second, first])
    assert "make 90, the closing balance is 89" in fault
    assert fault.facts["closing"] == Decimal(89)


@pytest.mark.parametrize(("stated", "right"), [(3, True), (1, True), (4, False)])
def test_totals_are_of_a_page_or_of_the_whole(stated, right):
    totals = f"<TxsSummry><TtlNtries><NbOfNtries>{stated}</NbOfNtries></TtlNtries></TxsSummry>"
    faults, first = page(1, [-5], opening=100, last="false", totals=totals)
    assert pages.may_be_proven_together(faults)
    _faults, second = page(2, [-5, -1], closing=89, last="true")
    assert (pages.faults([first, second]) == []) == right


def test_a_statement_of_one_page_is_no_page():
    faults, found = page(1, [-5], 100, 95, last="true")
    assert (faults, found) == ([], None)
    # What is wrong with money or currency no page can cure.
    report = read(1, [-5], opening=100, last="false")
    report.account = report.account.__class__(iban=report.account.iban, currency="USD")
    assert not pages.may_be_proven_together(report.check())


def test_pages_of_one_statement_have_no_booking_in_common():
    """Two equal payments of one day on two pages are two; a page that comes again is the same."""

    def extent(first, last, opening, closing):
        return Extent(
            id=object(), kind="mt940", final=True, number=17, last=DAY,
            opening=Decimal(opening), closing=Decimal(closing),
            pages=(first, last) if first else None,
        )

    one, two, again = extent(1, 1, 100, 95), extent(2, 2, 95, 95), extent(2, 3, 95, 90)
    assert relation(one, two) == relation(two, one) == FOLLOWS
    assert relation(two, again) == OVERLAPS
    assert relation(one, again) == FOLLOWS
    whole = extent(None, None, 100, 90)
    assert relation(whole, one) == relation(whole, again) == OVERLAPS
    # A bank that counts the messages of a day as pages: each is whole.
    assert relation(extent(None, None, 100, 95), extent(2, 2, 95, 90)) == FOLLOWS


def test_pages_in_a_row_are_one_report_with_the_numbers_of_all():
    head = ":20:R\n:25:DE89370400440532013000\n:28C:17/{}\n:{}:C261123EUR{},00\n"
    entry = ":61:2611231123D5,00NTRFNONREF\n"
    text = "-\n".join(
        head.format(number, "60F" if number == 1 else "60M", 100 - 5 * (number - 1)) + entry
        + f":{'62F' if number == 3 else '62M'}:C261123EUR{100 - 5 * number},00\n"
        for number in (1, 2, 3)
    )
    (report,) = account_reports(io.BytesIO(text.encode()), "mt940")
    list(report.entries)
    assert (report.first_page, report.page, report.last_page) == (1, 3, True)
    assert report.check() == [] and pages.page_of(report) is None
    (part,) = account_reports(io.BytesIO(text.split("-\n", 1)[1].encode()), "mt940")
    assert part.check() == []
    assert (pages.page_of(part).first, pages.page_of(part).number) == (2, 3)
