"""MT942: bookings of the day so far, without balances but with sums that must be right."""

import io
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from formats.account_reports import account_reports
from formats.detect import detect
from formats.errors import FormatError
from formats.model import Account
from tests_unit.formats import mt_corpus as mt


def only(text: str):
    data = text.encode()
    assert detect(data) == "mt942"
    ((report, entries),) = [
        (report, list(report.entries)) for report in account_reports(io.BytesIO(data), "mt942")
    ]
    return report, entries


def test_an_intraday_report():
    """Time, sums and entries; no balance is asked for, and nothing is final."""
    body = [mt.line("-5.00"), ":86:Bill 7", mt.line("7.00"), mt.line("1.00"),
            ":90D:1EUR5,", ":90C:2EUR8,00", ":86:so far"]  # fmt: skip
    report, entries = only(mt.intraday(*body))
    assert (report.kind, report.final, report.balances) == ("mt942", False, [])
    assert report.created == datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=1)))
    assert report.account == Account(iban=mt.IBAN, currency="EUR")
    assert [entry.amount for entry in entries] == [-5, 7, 1]
    assert entries[0].details[0].remittance_unstructured == ("Bill 7",)
    assert report.summary == {"debit": (1, Decimal(5)), "credit": (2, Decimal(8))}
    assert report.additional_information == "so far"
    assert report.check() == []


@pytest.mark.parametrize(
    ("sums", "fault"),
    [
        (":90D:2EUR5,", "it states 2 debit entries, it has 1"),
        (":90D:1EUR5,01", "it states 5.01 as sum of debit entries, it is 5.00"),
        (":90C:0EUR1,", "it states 1 as sum of credit entries, it is 0"),
    ],
)
def test_sums_that_are_wrong(sums, fault):
    report, _entries = only(mt.intraday(mt.line("-5.00"), sums))
    assert report.check() == [fault]


@pytest.mark.parametrize(
    ("sums", "right"),
    [
        ((":90D:2EUR8,", ":90C:1EUR10,"), True),
        ((":90D:1EUR5,", ":90C:2EUR7,"), True),
        ((":90D:1EUR5,", ":90C:2EUR13,"), False),
    ],
)
def test_a_reversal_counts_on_either_side(sums, right):
    """A credit taken back is a debit to some banks, and less credit to others."""
    body = [mt.line("-5"), mt.line("10"), mt.line("3", mark="RC"), *sums]
    assert (only(mt.intraday(*body))[0].check() == []) == right


def test_expected_entries_are_pending():
    """What the bank expects is not booked yet; the sign is that of its mark."""
    _report, entries = only(mt.intraday(mt.line("5.00", mark="ED"), mt.line("6.00", mark="EC")))
    assert [(entry.amount, entry.status) for entry in entries] == [(-5, "PDNG"), (6, "PDNG")]


@pytest.mark.parametrize(
    ("head", "currency"),
    [
        (":34F:EUR100,", "EUR"),
        (":34F:JPY0\n:13D:2603021200-0530", "JPY"),
        (":13:2603021200", None),
        (":13D:noon\n:34F:EUR 0,", "EUR"),
    ],
)
def test_limits_and_times_of_many_kinds(head, currency):
    """The limit names the currency; without one there is none to book in."""
    text = mt.intraday(mt.line("5"), head=head)
    if currency is None:
        with pytest.raises(FormatError, match="nothing tells the currency"):
            only(text)
        return
    report, (entry,) = only(text)
    assert (entry.currency, report.account.currency) == (currency, currency)
    assert bool(report.created) == (":13D:2" in head)
    assert bool(report.notes) == ("noon" in head)


def test_the_envelope_says_which_message_it_is():
    """An MT942 in SWIFT's envelope is one, whatever fields it has."""
    text = mt.swift(mt.intraday(head=":34F:EUR0,"), "942")
    report, entries = only(text)
    assert (report.kind, entries) == ("mt942", [])
