"""What a contract has otherwise: receipts as PDF, statements as MT940 and MT942."""

import io
from decimal import Decimal

import mt940
import pytest
from pypdf import PdfReader


def choose(bank, expect=200, **options):
    return bank.desk("POST", "/admin/contracts/CORP-001/options", expect, json=options)


def documents(customer, kind):
    """(name, bytes) of what is in the mailbox."""
    listed = customer.request("GET", f"/v1/documents?kind={kind}&limit=1000").json()["documents"]
    return [
        (item["name"], customer.request("GET", item["_links"]["self"]["href"])) for item in listed
    ]


def test_a_receipt_for_each_executed_payment(bank, customer, pain001, iban):
    """Read by another's library: who, whom, how much, under which number. None for the rejected."""
    assert choose(bank, receipts="pdf") == {"receipts": "pdf", "statements": "camt"}
    numbers = {name: iban("DE", trigger, place) for place, (name, trigger) in enumerate(
        [("ONE", None), ("TWO", None), ("NO", "closed")])}
    customer.send(pain001(
        customer.iban, [(name, number, "12.50") for name, number in numbers.items()],
        batch=True).bytes())
    found = documents(customer, "pdf")
    assert len(found) == 2
    assert len({name for name, _answer in found}) == 2
    texts = []
    for _name, answer in found:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        (page,) = PdfReader(io.BytesIO(answer.content), strict=True).pages
        texts.append(page.extract_text())
    for name in ("ONE", "TWO"):
        (text,) = [each for each in texts if name in each]
        for word in (numbers[name], customer.iban, "12.50 EUR", "Vendor & Söhne"):
            assert word in text
    assert not any("NO" in each.split() for each in texts)


def test_without_the_option_there_is_none(bank, customer, pain001, iban):
    customer.send(pain001(customer.iban, [("ONE", iban("DE"), "12.50")]).bytes())
    assert documents(customer, "pdf") == []


def test_statements_in_the_older_form(bank, customer, pain001, iban):
    """MT942 at noon, MT940 at the end of the day, with the references that camt would bear."""
    choose(bank, statements="mt940")
    customer.send(pain001(customer.iban, [("E2E-1", iban("DE"), "12.50")]).bytes())
    bank.desk("POST", "/admin/credit", json={"iban": customer.iban, "amount": "5", "name": "A"})
    bank.advance(end_of_day=True)
    bank.advance(end_of_day=True)
    assert documents(customer, "camt.053") == documents(customer, "camt.052") == []
    ((_name, interim),) = documents(customer, "mt942")
    assert b":13D:2611231200" in interim.content
    assert b":90D:1EUR12,50" in interim.content and b":90C:1EUR5,00" in interim.content
    first, second = [mt940.parse(answer.content.decode())
                     for _name, answer in documents(customer, "mt940")]
    assert [each.data["amount"].amount for each in first] == [Decimal("-12.50"), Decimal("5.00")]
    assert first.data["final_closing_balance"].amount.amount == Decimal("99992.50")
    assert second.data["final_opening_balance"].amount.amount == Decimal("99992.50")
    assert [each.data["id"] for each in first] == ["NTRF", "NTRF"]
    (advice, incoming) = documents(customer, "camt.054")
    for answer, line in zip((advice[1], incoming[1]), first, strict=True):
        assert line.data["bank_reference"][2:].encode() in answer.content


@pytest.mark.parametrize("wanted", [{"receipts": "docx"}, {"colour": "red"}])
def test_what_can_not_be_chosen(bank, customer, wanted):
    choose(bank, 400, **wanted)
    bank.desk("POST", "/admin/contracts/NOBODY/options", 400, json={"receipts": "pdf"})
