"""What is odd or hostile: a clear refusal or the right result, in flat time."""

import io
import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.account_reports import account_reports
from formats.detect import detect
from formats.errors import FormatError

IBAN = "DE89370400440532013000"


def camt(amount="5.00", currency="EUR", day="<Dt>2026-03-02</Dt>", sign="CRDT", closing=None):
    def balance(kind, value):
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{value}"
            f"</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
        )

    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><GrpHdr>"
        f"<MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>"
        f"{balance('OPBD', 0)}{balance('CLBD', closing or amount)}<Ntry>"
        f"<Amt Ccy='{currency}'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt>{day}</BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>"
    ).encode()


def mt940(amount="5,00", currency="EUR"):
    return (
        f":20:X\r\n:25:{IBAN}\r\n:28C:1/1\r\n:60F:C260302{currency}0,\r\n"
        f":61:2603020302C{amount}NTRFNONREF\r\n:62F:C260302{currency}{amount}\r\n-\r\n"
    ).encode()


def berlin(amount="5.00", currency="EUR", **values):
    one = {"transactionAmount": {"amount": amount, "currency": currency}} | values
    one.setdefault("bookingDate", "2026-03-02")
    return json.dumps({"account": {"iban": IBAN}, "transactions": {"booked": [one]}}).encode()


def read(document):
    """The only entry, of a document that adds up."""
    (found,) = [
        (list(report.entries), report.check())
        for report in account_reports(io.BytesIO(document), detect(document))
    ]
    ((entry,), faults) = found
    assert faults == []
    return entry


def refused(document, code):
    with pytest.raises(FormatError) as caught:
        read(document)
    assert caught.value.code == code
    return str(caught.value)


def written(amount, document):
    """The same amount as each kind of document writes it."""
    return document(str(amount).replace(".", ",") if document is mt940 else str(amount))


@pytest.mark.parametrize("document", [camt, mt940, berlin])
@pytest.mark.parametrize(
    ("amount", "currency", "right"),
    [
        ("5.00000", "EUR", True), ("5.001", "EUR", False), ("5.00001", "EUR", False),
        ("5", "JPY", True), ("5.00", "JPY", True), ("5.5", "JPY", False),
        ("5.125", "KWD", True), ("5.1251", "KWD", False),
    ],
)  # fmt: skip
def test_no_amount_is_rounded_on_its_way(document, amount, currency, right):
    text = amount.replace(".", ",") if document is mt940 else amount
    if right:
        assert read(document(text, currency)).amount == Decimal(amount)
    else:
        assert currency in refused(document(text, currency), "decimals")


@given(st.decimals(min_value=1, max_value=10**15 - 1, places=2), st.sampled_from([0, 1, 2]))
def test_amounts_that_a_double_would_change_are_refused(amount, which):
    """Odoo keeps amounts as doubles: an amount is the same there to the cent, or not taken."""
    document = written(amount, (camt, mt940, berlin)[which])
    if len(amount.normalize().as_tuple().digits) > 15:
        refused(document, "too_large")
    else:
        found = read(document).amount
        assert found == amount == Decimal(repr(float(found)))


@pytest.mark.parametrize("document", [camt, berlin])
def test_the_largest_amounts(document):
    assert read(document("900000000000000")).amount == 9 * 10**14
    refused(document("999999999999999999"), "too_large")
    refused(document("1000000000000000000"), "amount")


@pytest.mark.parametrize(
    "day", ["0000-00-00", "2026-02-30", "0001-01-01", "9999-12-31", "2026-03-02x", "2026-03-023"]
)
def test_days_that_are_none(day):
    refused(camt(day=f"<Dt>{day}</Dt>"), "day")
    refused(berlin(bookingDate=day), "day")


@pytest.mark.parametrize(
    "day", ["2026-03-02T23:59:59-12:00", "2026-03-02T00:00:00+14:00", "2026-03-02Z", "2026-03-02"]
)
def test_a_day_is_that_of_its_writers_clock(day):
    """Near midnight, too: a booking day is what the bank's own clock shows."""
    assert read(camt(day=f"<DtTm>{day}</DtTm>")).booking_date.isoformat() == "2026-03-02"
    assert read(berlin(bookingDate=day)).booking_date.isoformat() == "2026-03-02"


@pytest.mark.parametrize(
    "document",
    [
        camt(amount="5.00</Amt><Amt Ccy='EUR'>7.00", closing="5.00"),
        camt(sign="CRDT</CdtDbtInd><CdtDbtInd>DBIT", closing="5.00"),
        camt().replace(b"<CdtDbtInd>CRDT</CdtDbtInd><Dt>", b"<CdtDbtInd>CRDT</CdtDbtInd>"
                       b"<CdtDbtInd>DBIT</CdtDbtInd><Dt>"),
    ],
)  # fmt: skip
def test_money_that_is_given_twice_is_no_guess(document):
    refused(document, "twice")


@pytest.mark.parametrize("mark", ["SIDEWAYS", {"a": 1}, 7, "C"])
def test_a_mark_in_json_that_says_nothing(mark):
    refused(berlin(creditDebitIndicator=mark), "sign")


def test_a_mark_that_is_left_out_is_none():
    assert read(berlin("-5.00", creditDebitIndicator="")).amount == -5
    assert read(berlin("5.00", creditDebitIndicator=None)).amount == 5


def test_blank_lines_without_end_take_no_time():
    """Twenty million of them took a minute; the lines are counted all the same."""
    begun = time.monotonic()
    assert read(mt940() + b"\n" * 20_000_000).amount == 5
    with pytest.raises(FormatError) as caught:
        read(mt940() + b"\n" * 200_000 + mt940("5,001"))
    assert caught.value.line == 200_012
    assert time.monotonic() - begun < 20
