"""The parts that need no server: ledger, money, calendar, IBANs, certificates."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal

import pytest
import schwifty
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban

from sandbox import calendar, clock, ledger, money, triggers
from sandbox import iban as ibans
from sandbox.ledger import Line
from sandbox.pki import Authority
from sandbox.store import Store

NOON = datetime(2026, 11, 23, 12)
# First calls load registers of bank codes: no deadline for one example.
unhurried = settings(deadline=None)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "bank.sqlite")
    store.create()
    yield store
    store.close()


def test_the_database_refuses_a_journal_that_does_not_balance(store):
    """And the whole step leaves no trace."""
    with pytest.raises(sqlite3.IntegrityError), store.write() as connection:
        left = ledger.bank_account(connection, "clearing", "EUR")
        right = ledger.bank_account(connection, "equity", "EUR")
        ledger.post(connection, "test", NOON, [Line(left, "EUR", 100), Line(right, "EUR", -99)])
    assert store.read().execute("SELECT COUNT(*) FROM account").fetchone()[0] == 0


def test_the_database_refuses_a_journal_left_open(store):
    with pytest.raises(sqlite3.IntegrityError), store.write() as connection:
        connection.execute("INSERT INTO journal (reference, kind, booked_at, booking_date)"
                           " VALUES ('x', 'test', '', '')")


@pytest.mark.parametrize("sql", [
    "UPDATE posting SET amount = 1", "DELETE FROM posting", "DELETE FROM journal",
    "UPDATE journal SET kind = 'x'",
    "INSERT INTO posting (journal_id, account_id, currency, amount)"
    " VALUES (1, 'bank-equity-EUR', 'EUR', 0)",
])
def test_what_is_booked_never_changes(store, sql):
    with store.write() as connection:
        left = ledger.bank_account(connection, "clearing", "EUR")
        right = ledger.bank_account(connection, "equity", "EUR")
        ledger.post(connection, "test", NOON, [Line(left, "EUR", 100), Line(right, "EUR", -100)])
    with pytest.raises(sqlite3.IntegrityError), store.write() as connection:
        connection.execute(sql)
    assert ledger.trial_balance(store.read())["balanced"]


def test_the_trial_balance_finds_a_falsified_balance(store):
    with store.write() as connection:
        left = ledger.bank_account(connection, "clearing", "EUR")
        right = ledger.bank_account(connection, "equity", "EUR")
        ledger.post(connection, "test", NOON, [Line(left, "EUR", 100), Line(right, "EUR", -100)])
        connection.execute("UPDATE account SET balance = 1 WHERE id = ?", (left,))
    assert not ledger.trial_balance(store.read())["balanced"]


@unhurried
@given(st.integers(-10**12, 10**12), st.sampled_from(["EUR", "JPY", "KWD", "XXX"]))
def test_minor_units_survive_the_way_to_decimals_and_back(minor, currency):
    amount = money.to_decimal(minor, currency)
    assert money.to_minor(amount, currency) == minor
    assert Decimal(money.text(minor, currency)) == abs(amount)


def test_an_amount_with_too_many_decimals_is_refused():
    for amount, currency in (("1.001", "EUR"), ("1.5", "JPY"), ("1.0001", "KWD")):
        with pytest.raises(ValueError, match="decimals"):
            money.to_minor(Decimal(amount), currency)


@unhurried
@given(st.integers(1, 10**9), st.sampled_from(sorted(money.EURO_RATES)),
       st.sampled_from(sorted(money.EURO_RATES)))
def test_an_exchange_can_be_recomputed_from_the_rate(minor, source, target):
    rate = money.rate(target, source)
    assert len(rate.as_tuple().digits) <= 11
    exact = money.to_decimal(minor, source) / rate
    assert abs(money.to_decimal(money.convert(minor, source, target), target) - exact) <= (
        Decimal("0.5").scaleb(-money.exponent(target)))


def test_target_is_closed_on_the_published_days():
    """The European Central Bank's closing days of 2024 to 2026 that are no weekends."""
    closed = [date(2024, 1, 1), date(2024, 3, 29), date(2024, 4, 1), date(2024, 5, 1),
              date(2024, 12, 25), date(2024, 12, 26), date(2025, 1, 1), date(2025, 4, 18),
              date(2025, 4, 21), date(2025, 5, 1), date(2025, 12, 25), date(2025, 12, 26),
              date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1),
              date(2026, 12, 25)]
    days = [date.fromordinal(n) for n in range(date(2024, 1, 1).toordinal(),
                                               date(2027, 1, 1).toordinal())]
    assert [d for d in days if d.weekday() < 5 and not calendar.is_business_day(d)] == closed
    assert not any(calendar.is_business_day(d) for d in days if d.weekday() >= 5)


@pytest.mark.parametrize(("requested", "received", "expected"), [
    ("2026-11-23", "2026-11-23T10:00", "2026-11-23T10:00"),
    ("2026-11-23", "2026-11-23T07:00", "2026-11-23T08:00"),
    ("2026-11-23", "2026-11-23T16:00", "2026-11-24T08:00"),
    ("2026-11-20", "2026-11-23T10:00", "2026-11-23T10:00"),
    ("2026-11-28", "2026-11-23T10:00", "2026-11-30T08:00"),
    ("2026-12-25", "2026-12-24T17:00", "2026-12-28T08:00"),
    ("2026-12-24", "2026-12-24T17:00", "2026-12-28T08:00"),
])
def test_a_payment_is_executed_on_its_banking_day(requested, received, expected):
    assert calendar.execution_moment(
        date.fromisoformat(requested), datetime.fromisoformat(received)
    ) == datetime.fromisoformat(expected)


def test_a_clock_order_that_makes_no_sense_is_refused():
    for order in ({}, {"advance": "soon"}, {"advance": "-1d"}, {"advance_to": "2026-11-22T00:00"},
                  {"advance_to": "later"}):
        with pytest.raises(ValueError):
            clock.target(NOON, order)
    assert clock.target(NOON, {"end_of_day": True}) == datetime(2026, 11, 23, 18)
    assert clock.target(datetime(2026, 11, 27, 18), {"end_of_day": True}) == datetime(
        2026, 11, 30, 18)


@unhurried
@given(st.sampled_from(sorted(ibans.LAYOUTS)), st.sampled_from([None, *triggers.BY_NAME]),
       st.integers(0, 99))
def test_made_ibans_are_valid_in_their_country_and_carry_what_was_asked(country, trigger, index):
    """Judged by two libraries of others."""
    value = ibans.make(country, trigger, index % 80 if country == "BE" else index)
    assert value.startswith(country)
    assert stdnum_iban.validate(value) == value
    schwifty.IBAN(value, validate_bban=True)
    found = triggers.find(value)
    assert (found.name if found else None) == trigger


@unhurried
@given(st.integers(1, 900_000))
def test_the_bank_s_own_ibans_are_valid_and_trigger_nothing(number):
    value = ibans.own(number)
    assert stdnum_iban.validate(value) == value
    assert triggers.find(value) is None


@unhurried
@given(st.text(alphabet="0123456789ABCDEFGHXYZ ", max_size=34))
def test_what_is_no_iban_is_not_taken_for_one(value):
    assert ibans.is_valid(value) == stdnum_iban.is_valid(value, check_country=False)


def test_a_trigger_also_works_in_an_account_number_that_is_no_iban():
    assert triggers.find("12300990001").name == "closed"
    assert triggers.find("4711") is None
    assert triggers.find(None) is None


def test_private_keys_are_readable_by_their_owner_only(tmp_path):
    authority = Authority(tmp_path / "pki")
    authority.create("Bank")
    before = authority.ca.read_bytes()
    authority.create("Bank")
    assert authority.ca.read_bytes() == before
    for key in (authority.ca_key, authority.server_key):
        assert key.stat().st_mode & 0o077 == 0
