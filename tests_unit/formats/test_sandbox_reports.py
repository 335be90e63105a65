"""The sandbox bank's reports in other forms than ISO 20022, fetched and read: no code is shared."""

import io
from decimal import Decimal

import pytest

from connectors import connect
from formats.account_reports import account_reports
from formats.detect import detect
from tests_unit.connectors.sandbox_process import Bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    running = Bank(tmp_path_factory.mktemp("reports"))
    yield running
    running.stop()


def read(content: bytes, kind: str):
    assert detect(content) == kind
    ((report, entries),) = [
        (report, list(report.entries)) for report in account_reports(io.BytesIO(content), kind)
    ]
    assert report.check() == []
    return report, sorted(entries, key=lambda entry: entry.amount)


def test_a_day_of_payments_in_mt940_mt942_and_json(bank):
    """Amounts, references and the other side are the same in each; the statements join."""
    account = bank.contract["accounts"][0]
    bank.admin("POST", "/admin/contracts/CORP-001/options", {"statements": "mt940"})
    with connect("rest", bank.settings()) as connector:
        connector.submit(bank.message("E2E-1"), "00000000-0000-4000-8000-000000000001")
        credit = {"iban": account["iban"], "amount": "5", "name": "Ann"}
        bank.admin("POST", "/admin/credit", credit)
        for _day in range(2):
            bank.admin("POST", "/admin/clock", {"end_of_day": True})
        found = {}
        for remote in connector.list(["mt940", "mt942"]):
            found.setdefault(remote.kind, []).append(connector.fetch(remote))
    for kind in ("mt940", "mt942"):
        report, (paid, got) = read(found[kind][0], kind)
        assert report.account.iban == account["iban"]
        assert (paid.amount, got.amount) == (Decimal("-12.50"), Decimal("5.00"))
        assert paid.details[0].end_to_end_id == "E2E-1"
        assert paid.details[0].creditor.name == "Vendor"
        assert got.details[0].debtor.name == "Ann"
    first, second = (read(content, "mt940")[0] for content in found["mt940"])
    assert first.balances[1].amount == second.balances[0].amount == Decimal("99992.50")
    general = bank.settings(
        profile="berlin_group",
        variables={
            "contract_id": bank.contract["contractId"],
            "consent_id": bank.contract["consentId"],
            "psu_ip_address": "192.0.2.1",
        },
        accounts={account["iban"]: account["resourceId"]},
    )
    with connect("rest", general) as connector:
        (remote,) = connector.list(["berlin.transactions"])
        report, entries = read(connector.fetch(remote), "berlin.transactions")
    assert report.account.iban == account["iban"]
    assert [entry.amount for entry in entries] == [Decimal("-12.50"), Decimal("5.00")]
    assert entries[0].details[0].end_to_end_id == "E2E-1"
