"""Generated documents: what was written is read, sums hold, and no fault is an unknown one."""

import io
import json
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from formats.account_reports import account_reports, is_account_report
from formats.currency import decimals
from formats.detect import detect
from formats.errors import FormatError
from tests_unit.formats import camt_corpus, test_berlin
from tests_unit.formats import mt_corpus as mt

# SWIFT's x set without what begins a field or a part of one
WORDS = st.text("ABCxyz019 .,()+'-", min_size=1, max_size=60).map(
    lambda text: " ".join(text.split()).strip("- ") or "x"
)
REFERENCES = st.from_regex(r"[A-Z0-9]{1,8}(-[A-Z0-9]{1,7})?", fullmatch=True).filter(
    lambda text: text not in ("NONREF",)
)
CURRENCIES = st.sampled_from(["EUR", "CNY", "JPY", "KWD"])
MARKS = {"C": 1, "D": -1, "RC": -1, "RD": 1}


@st.composite
def lines(draw, currency):
    """An entry as its parts: what a bank knows before it writes."""
    return {
        "mark": draw(st.sampled_from(sorted(MARKS))),
        "size": Decimal(draw(st.integers(0, 10**11))).scaleb(-decimals(currency)),
        "value": draw(st.dates(date(2001, 2, 1), date(2089, 12, 31))),
        "later": draw(st.integers(-20, 20)),
        "own": draw(st.none() | REFERENCES),
        "bank": draw(st.none() | REFERENCES),
        "end_to_end": draw(st.none() | REFERENCES),
        "text": draw(WORDS),
    }


def written(entry: dict, dialect: str) -> str:
    """One entry, by rules of its own: SWIFT's handbook, not the reader."""
    booked = entry["value"] + timedelta(days=entry["later"])
    amount = format(entry["size"], "f").replace(".", ",")
    amount += "" if "," in amount else ","
    own, bank = entry["own"] or "NONREF", f"//{entry['bank']}" if entry["bank"] else ""
    head = f":61:{entry['value']:%y%m%d}{booked:%m%d}{entry['mark']}{amount}NTRF{own}{bank}"
    text, reference = entry["text"], entry["end_to_end"]
    if dialect == "numbered":
        chunks = [f"SVWZ+{text}"[at : at + 27] for at in range(0, len(text) + 5, 27)]
        chunks = ([f"EREF+{reference}"] if reference else []) + chunks
        about = "116?00TEXT" + "".join(f"?{20 + at}{chunk}" for at, chunk in enumerate(chunks))
    elif dialect == "slashes":
        about = f"/TRTP/TEXT/REMI/{text}" + (f"/EREF/{reference}" if reference else "")
    else:
        about = text
    folded = f":86:{about}"
    return "\n".join([head, *(folded[at : at + 65] for at in range(0, len(folded), 65))])


@settings(deadline=None, max_examples=150)
@given(st.data(), CURRENCIES, st.sampled_from(["numbered", "slashes", "free"]))
def test_what_was_written_is_read(data, currency, dialect):
    """Every entry comes out as it went in, and a cent too much in a balance is found."""
    entries = data.draw(st.lists(lines(currency), max_size=6))
    opening = Decimal(data.draw(st.integers(-(10**9), 10**9))).scaleb(-decimals(currency))
    slip = data.draw(st.sampled_from([0, 0, 1, -1]))
    total = sum((each["size"] * MARKS[each["mark"]] for each in entries), opening)
    closing = total + Decimal(slip).scaleb(-decimals(currency))
    text = mt.message(
        *(written(each, dialect) for each in entries),
        opening=format(opening, "f"),
        closing=format(closing, "f"),
        currency=currency,
    )
    # a line that begins with a hyphen would end the message: no bank writes one
    text = text.replace("\n-", "\n -").replace("\n -\n", "\n-\n")
    ((report, found),) = [
        (report, list(report.entries))
        for report in account_reports(io.BytesIO(text.encode()), "mt940")
    ]
    assert len(found) == len(entries)
    for wanted, entry in zip(entries, found, strict=True):
        (detail,) = entry.details
        assert entry.amount == wanted["size"] * MARKS[wanted["mark"]]
        assert (entry.currency, entry.value_date) == (currency, wanted["value"])
        assert entry.booking_date == wanted["value"] + timedelta(days=wanted["later"])
        assert (entry.bank_reference, detail.instruction_id) == (wanted["bank"], wanted["own"])
        assert detail.end_to_end_id == (wanted["end_to_end"] if dialect != "free" else None)
        said = " ".join(detail.remittance_unstructured)
        assert said.replace(" ", "") == wanted["text"].replace(" ", "").strip("/")
    assert bool(report.check()) == bool(slip)


SAMPLES = [
    mt.swift(mt.message(
        mt.line("-1.00", own="E-1", bank="B-1", more="/OCMT/USD1,08/"),
        ":86:116?00X?20EREF+E-1?21SVWZ+Rechnung Müller\n?31DE89370400440532013000?32V",
        mt.line("2.00", mark="RD"), ":86:/REMI/Bill/EREF/E/ORDP//NAME/Us/RTRN/AC04",
        closing="1001.00",
    )).encode(),
    mt.intraday(mt.line("-5.00"), ":86:text", ":90D:1EUR5,", ":90C:0EUR0,").encode(),
    json.dumps(test_berlin.page(
        test_berlin.PAID, balances=[test_berlin.balance("openingBooked", "1")]
    )).encode(),
    camt_corpus.full("camt.053.001.08"),
    camt_corpus.full("camt.054.001.02"),
]  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(SAMPLES))
def test_damaged_documents_are_read_or_refused(data, sample):
    """Bytes lost, doubled, swapped or changed: a ``FormatError`` is the only fault there is."""
    damaged = bytearray(sample)
    for _change in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        length = data.draw(st.integers(0, 12))
        damaged[at : at + length] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b":", b":61:", b"\n", b"-}", b"{4:", b"?20", b"/", b"9", b",", b'"'])
        )
    content = bytes(damaged)
    try:
        kind = detect(content)
        if not is_account_report(kind):
            kind = detect(sample)
        for report in account_reports(io.BytesIO(content), kind):
            for entry in report.entries:
                assert isinstance(entry.amount, Decimal) and entry.amount.is_finite()
                assert entry.booking_date or entry.value_date or entry.status != "BOOK"
            report.check()
    except FormatError as error:
        assert str(error)
