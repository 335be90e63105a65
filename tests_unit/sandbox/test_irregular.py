"""What the bank does wrong on command: it really happens, and the books still balance."""

import re
from decimal import Decimal

import pytest
import requests


def irregular(bank, kind, expect=200, **order):
    return bank.desk("POST", "/admin/irregularities", expect, json={"kind": kind, **order})


def statements(customer):
    return [found for found in customer.documents() if found.name.startswith("camt.053")]



def balance(statement, kind):
    # Not through Tree: its path has no conditions.
    space = {"d": statement.root.tag[1:].partition("}")[0]}
    (amount,) = statement.root.xpath(
        f"//d:Bal[d:Tp/d:CdOrPrtry/d:Cd='{kind}']/d:Amt/text()", namespaces=space)
    return Decimal(amount)


def test_a_debit_that_nobody_ordered(bank, customer):
    """It is on advice, report and statement under one reference, and no payment's."""
    done = irregular(bank, "stray_debit", iban=customer.iban, amount="321.09",
                     name="Fast Money Ltd", endToEndId="X-1")
    bank.advance(end_of_day=True)
    found = [each for each in customer.documents() if each.name.startswith("camt.05")]
    assert {each.name[:8] for each in found} == {"camt.052", "camt.053", "camt.054"}
    for each in found:
        assert each.one("//Ntry/AcctSvcrRef") == done["reference"]
        assert each.one("//Ntry/CdtDbtInd") == "DBIT"
        assert each.one("//Ntry/Amt") == "321.09"
        assert each.one("//TxDtls/Refs/EndToEndId") == "X-1"
        assert each.one("//RltdPties/Cdtr/Pty/Nm") == "Fast Money Ltd"
    assert bank.balance(customer.iban) == "99678.91"
    assert bank.payments() == {}


def test_a_payment_booked_twice(bank, customer, pain001, iban):
    customer.send(pain001(customer.iban, [("TWICE", iban("DE"), "10.00")]).bytes())
    irregular(bank, "double_booking", 400, endToEndId="NEVER")
    irregular(bank, "double_booking", endToEndId="TWICE")
    bank.advance(end_of_day=True)
    (statement,) = statements(customer)
    assert statement.texts("//TxDtls/Refs/EndToEndId") == ["TWICE", "TWICE"]
    assert len(set(statement.texts("//Ntry/AcctSvcrRef"))) == 2
    assert bank.balance(customer.iban) == "99980.00"
    # The bank itself counts one order, and one execution of it.
    assert bank.desk("GET", "/admin/executions/TWICE")["executed"] == 1


def test_another_amount_than_ordered(bank, customer, pain001, iban):
    customer.send(pain001(customer.iban, [
        ("WRONG", iban("DE"), "10.00"), ("RIGHT", iban("DE", None, 1), "20.00"),
    ], date="2026-11-24").bytes())
    irregular(bank, "wrong_amount", 400, endToEndId="NEVER", difference="1")
    irregular(bank, "wrong_amount", endToEndId="WRONG", difference="0.90")
    assert not bank.desk("GET", "/admin/irregularities")["ordered"][0]["done"]
    bank.advance(end_of_day=True)
    bank.advance(end_of_day=True)
    found = [each for each in statements(customer) if each("//Ntry")]
    assert [each.texts("//Ntry/Amt") for each in found] == [["10.90", "20.00"]]
    assert bank.balance(customer.iban) == "99969.10"
    assert bank.desk("GET", "/admin/irregularities")["ordered"][0]["done"]


def test_a_statement_that_does_not_come_and_is_found_later(bank, customer):
    bank.desk("POST", "/admin/credit", json={"iban": customer.iban, "amount": "5", "name": "A"})
    irregular(bank, "missing_statement", iban=customer.iban)
    bank.advance(end_of_day=True)
    assert statements(customer) == []
    bank.advance(end_of_day=True)
    (second,) = statements(customer)
    assert second.one("//ElctrncSeqNb") == "2"
    assert balance(second, "OPBD") == Decimal("100005.00")
    irregular(bank, "found_statement", iban=customer.iban)
    (first,) = statements(customer)
    assert first.one("//ElctrncSeqNb") == "1"
    assert balance(first, "CLBD") == Decimal("100005.00")


def test_a_statement_issued_again_with_one_entry_more(bank, customer):
    irregular(bank, "corrected_statement", 400, iban=customer.iban, amount="1")
    bank.desk("POST", "/admin/credit", json={"iban": customer.iban, "amount": "5", "name": "A"})
    bank.advance(end_of_day=True)
    (first,) = statements(customer)
    irregular(bank, "corrected_statement", iban=customer.iban, amount="1.25")
    (again,) = statements(customer)
    assert again.one("//ElctrncSeqNb") == first.one("//ElctrncSeqNb") == "1"
    assert again.one("//GrpHdr/MsgId") != first.one("//GrpHdr/MsgId")
    assert set(again.texts("//Ntry/AcctSvcrRef")) > set(first.texts("//Ntry/AcctSvcrRef"))
    assert balance(again, "OPBD") == balance(first, "OPBD")
    assert balance(again, "CLBD") == Decimal("100003.75")
    bank.advance(end_of_day=True)
    (second,) = statements(customer)
    assert balance(second, "OPBD") == Decimal("100003.75")
    assert second("//Ntry") == []


@pytest.mark.parametrize("order", [
    {"kind": "nothing"}, {"kind": "stray_debit", "iban": "DE00", "amount": "1"},
    {"kind": "stray_debit", "amount": "1"},
])
def test_wrong_orders_are_refused(bank, customer, order):
    for amount in ("-1", "0", "NaN", "x"):
        irregular(bank, "stray_debit", 400, iban=customer.iban, amount=amount)
    irregular(bank, order.pop("kind"), 400, **order)
    assert bank.balance(customer.iban) == "100000.00"


def test_from_the_page(bank, customer):
    url = f"http://127.0.0.1:{bank.ports['admin_port']}"
    page = requests.get(url, timeout=10).text
    assert "A transfer leaves the account that nobody ordered." in page
    form = {"kind": "stray_debit", "iban": customer.iban, "amount": "7", "endToEndId": ""}
    assert requests.post(f"{url}/desk/irregular", data=form, timeout=10).status_code == 403
    form["token"] = re.search(r'name="token" value="([^"]+)"', page)[1]
    assert requests.post(f"{url}/desk/irregular", data=form, timeout=10).status_code == 200
    assert bank.balance(customer.iban) == "99993.00"
