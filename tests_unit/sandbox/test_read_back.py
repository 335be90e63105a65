"""What the sandbox bank writes in older forms, the module reads: the two share no code."""

import io
from decimal import Decimal

from formats.account_reports import account_reports
from formats.detect import detect


def read(content: bytes, kind: str):
    assert detect(content) == kind
    ((report, entries),) = [
        (report, list(report.entries)) for report in account_reports(io.BytesIO(content), kind)
    ]
    assert report.check() == []
    return report, entries


def test_a_day_of_payments_in_mt940_mt942_and_json(bank, customer, pain001, iban):
    """Amounts, references and the other side are the same in each; the statement adds up."""
    bank.desk("POST", "/admin/contracts/CORP-001/options", json={"statements": "mt940"})
    customer.send(pain001(customer.iban, [("E2E-1", iban("DE"), "12.50")]).bytes())
    bank.desk("POST", "/admin/credit", json={"iban": customer.iban, "amount": "5", "name": "Ann"})
    bank.advance(end_of_day=True)
    bank.advance(end_of_day=True)
    listed = customer.request("GET", "/v1/documents?limit=1000").json()["documents"]
    found = {}
    for item in listed:
        content = customer.request("GET", item["_links"]["self"]["href"]).content
        found.setdefault(item["kind"], []).append(content)
    for kind in ("mt940", "mt942"):
        report, (paid, got) = read(found[kind][0], kind)
        assert report.account.iban == customer.iban
        assert (paid.amount, got.amount) == (Decimal("-12.50"), Decimal("5.00"))
        assert paid.details[0].end_to_end_id == "E2E-1"
        assert paid.details[0].creditor_account.iban == iban("DE")
        assert "Ann" in got.details[0].debtor.name
    first, second = (read(content, "mt940")[0] for content in found["mt940"])
    assert first.balances[1].amount == second.balances[0].amount == Decimal("99992.50")
    account = customer.contract["accounts"][0]["resourceId"]
    listed = customer.request(
        "GET", f"/v1/accounts/{account}/transactions?bookingStatus=both&dateFrom=2026-11-23"
    )
    report, entries = read(listed.content, "berlin.transactions")
    assert report.account.iban == customer.iban
    assert [entry.amount for entry in entries] == [Decimal("-12.50"), Decimal("5.00")]
    assert entries[0].details[0].end_to_end_id == "E2E-1"
    assert entries[0].transaction_code.family == "ICDT"
