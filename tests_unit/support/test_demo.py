"""The demo's own judgement: what it plans, how it counts, and that it sees a wrong cent."""

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.demo import bills, documents, table, totals
from support.demo.channels import CHANNELS

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 23)
VENDORS = ["ordinary-0", "ordinary-1"]
IBAN = "DE27900900420000000001"


@given(st.integers(1, 300), st.integers(1, 99))
def test_the_plan_holds_as_many_bills_as_asked_for(count, run):
    """At least the ten special ones, one credit note besides, no reference twice."""
    entered = [bill for order in bills.plan(count, DAY, run, VENDORS) for bill in order.bills]
    assert sum(not bill.credit_note for bill in entered) == max(count, bills.SPECIAL_BILLS)
    assert sum(bill.credit_note for bill in entered) == 1
    assert len({bill.reference for bill in entered}) == len(entered)


@given(st.integers(1, 99))
def test_every_fate_is_in_the_plan(run):
    """Rejected, returned, pending, partly paid and paid: each run shows all."""
    orders = bills.plan(bills.SPECIAL_BILLS, DAY, run, VENDORS)
    assert {order.fate for order in orders} == set(bills.FATES)
    assert {order.account for order in orders} == {"main", "usd", "second"}
    assert all(order.amount > 0 for order in orders)


@pytest.mark.parametrize(
    ("amounts", "part", "expected"),
    [
        ([("10.05", {})], None, "10.05"),
        ([("10.05", {}), ("3.00", {"credit_note": True})], None, "7.05"),
        ([("100.25", {"discount": True})], None, "98.25"),  # 98.245
        ([("10.05", {})], "5.02", "5.02"),
    ],
)
def test_what_must_leave(amounts, part, expected):
    """Bills less credit notes and discount, or the part that was asked for."""
    entered = [bills.Bill("R", Decimal(amount), **more) for amount, more in amounts]
    order = bills.Order("case", "vendor", entered, part=part and Decimal(part))
    assert order.amount == Decimal(expected)


def test_creditor_references_have_their_check_digits():
    """The example of ISO 11649: RF18 5390 0754 7034."""
    assert bills.creditor_reference("5390-0754-7034") == "RF18539007547034"


def _pain001(*amounts):
    transfers = "".join(
        f"<CdtTrfTxInf><Amt><InstdAmt Ccy='EUR'>{amount}</InstdAmt></Amt></CdtTrfTxInf>"
        for amount in amounts
    )
    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'><CstmrCdtTrfInitn>"
        f"<PmtInf><DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct>{transfers}</PmtInf>"
        "</CstmrCdtTrfInitn></Document>"
    ).encode()


def _camt053(day, closing, *entries):
    booked = "".join(
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef></Ntry>"
        for reference, amount, side in entries
    )
    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>"
        "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
        f"<Amt Ccy='EUR'>{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        f"{booked}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def test_orders_are_summed_by_account():
    """Every transfer of every message counts, exactly."""
    assert documents.ordered([_pain001("0.10", "0.20"), _pain001("1000000.01")]) == {
        IBAN: Decimal("1000000.31")
    }


def test_statements_are_counted_once():
    """A booking in two documents is one; the last day's balance closes, whatever came last."""
    second = _camt053("2026-11-24", "95.00", ("B", "5.00", "CRDT"))
    first = _camt053("2026-11-23", "90.00", ("A", "10.00", "DBIT"))
    found = documents.booked([second, first, first])[IBAN]
    assert (found.out, found.back) == (Decimal("10.00"), Decimal("5.00"))
    assert found.closing == ("2026-11-24", Decimal("95.00"))


@given(st.lists(st.decimals("0", "1e9", places=2), min_size=3, max_size=3))
def test_a_wrong_cent_is_seen(values):
    """Three equal counts agree; anything else is a fault, and the table says so."""
    count = totals.Count("Main account", "paid out", "EUR", *values)
    same = len(set(values)) == 1
    assert count.agrees is same
    assert bool(totals.faults([count])) is not same
    assert ("DIFFERS" in totals.show([count])[-1]) is not same


def test_three_equal_counts_agree():
    """What agrees is no fault."""
    count = totals.Count("Main account", "balance", "EUR", *[Decimal("7.05")] * 3)
    assert count.agrees
    assert not totals.faults([count])


def test_tables_have_straight_columns():
    """Cells are padded to the widest, to the right where asked."""
    lines = table.table(["Bill", "Amount"], [["1", "2.00"], ["B/2", "1,000.00"]], " >")
    assert lines == [
        "Bill    Amount",
        "────  ────────",
        "1         2.00",
        "B/2   1,000.00",
    ]
    assert table.short("Société", 5) == "Soci…"
    assert table.short("Kurz", 5) == "Kurz"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_uses_what_the_bank_hands_out(name, tmp_path):
    """Its terms are a contract that the bank signs, and each file that it names is there."""
    channel = CHANNELS[name](tmp_path)
    folder, customer = str(tmp_path / "bank"), tmp_path / "customer"
    for order in (
        ["init", "--dir", folder],
        ["enrol", "--dir", folder, "--customer", "Payer", "--contract", "C1",
         "--out", str(customer), *channel.terms],
    ):
        # As the demo does: the bank is another program.
        subprocess.run([sys.executable, "-m", "sandbox", *order], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    contract = json.loads((customer / "contract.json").read_text())
    bank = SimpleNamespace(url="https://localhost:1", soap_port=2)
    line = channel.connection(bank, contract, customer)
    files = [*line["texts"].values(), *(file for pair in line["certificates"].values()
                                        for file in pair)]
    assert bool(files) is not channel.has_folders
    assert all(Path(file).read_text().startswith("-----BEGIN") for file in files)
    assert all(line["values"].values())
    shown = subprocess.run([sys.executable, "-m", "sandbox", "serve", "--help"], cwd=ROOT,
                           check=True, capture_output=True, text=True).stdout
    assert all(str(word) in shown for word in channel.serving if str(word).startswith("--"))
