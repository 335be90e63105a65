"""The desk: orders in JSON, pages for people, nothing for strangers."""

import hashlib
import re

import pytest
import requests


def page(bank, path="/"):
    answer = requests.get(f"http://127.0.0.1:{bank.ports['admin_port']}{path}", timeout=10)
    assert answer.status_code == 200, answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_the_pages_show_accounts_payments_and_messages(shared_bank, shared_customer, pain001,
                                                       iban):
    shared_customer.send(pain001(shared_customer.iban, [
        ("SHOWN-1", iban("DE"), "1234.50"), ("SHOWN-2", iban("DE", "closed"), "1.00")],
        message_id="<script>").bytes().replace(b"<script>", b"&lt;script&gt;"))
    home = page(shared_bank)
    for text in (shared_customer.iban, "SHOWN-1", "1234.50", "AC04", "Account closed",
                 "The ledger balances.", "&lt;script&gt;"):
        assert text in home
    assert "<script" not in home
    received = re.search(r'href="(/messages/received/[^"]+)"', home)[1]
    assert "CstmrCdtTrfInitn" in page(shared_bank, received)
    issued = re.search(r'href="(/messages/issued/[^"]+)"', home)[1]
    assert page(shared_bank, issued + "?raw=1").startswith("<?xml")
    account = re.search(r'href="(/accounts/[0-9a-f-]{36})"', home)[1]
    assert "SHOWN-1" in page(shared_bank, account)
    assert "00990001" in page(shared_bank, "/triggers")


def test_the_clock_is_advanced_by_the_page_with_its_token_only(bank):
    url = f"http://127.0.0.1:{bank.ports['admin_port']}"
    for form in ({"advance": "1d"}, {"advance": "1d", "token": "guess"}):
        assert requests.post(f"{url}/desk/clock", data=form, timeout=10).status_code == 403
    token = re.search(r'name="token" value="([^"]+)"', page(bank))[1]
    done = requests.post(f"{url}/desk/clock", data={"advance": "1d", "token": token}, timeout=10)
    assert done.status_code == 200
    assert bank.desk("GET", "/admin/clock")["now"] == "2026-11-24T08:00:00Z"


def test_orders_of_another_site_are_refused(shared_bank):
    """No form encoding, no foreign host name: what a browser could be made to send."""
    url = f"http://127.0.0.1:{shared_bank.ports['admin_port']}/admin/clock"
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = requests.post(url, data='{"advance": "1d"}', headers={"Content-Type": kind},
                               timeout=10)
        assert answer.status_code == 400
    assert requests.get(url, headers={"Host": "evil.example"}, timeout=10).status_code == 421
    assert shared_bank.desk("GET", "/admin/clock")["now"] == "2026-11-23T08:00:00Z"


def test_money_comes_in_and_fees_go_out(shared_bank, enrol):
    customer = enrol(shared_bank, "CORP-IN", (":EUR:10.00", ":JPY:1000"))
    shared_bank.desk("POST", "/admin/credit", json={
        "iban": customer.iban, "amount": "5.25", "name": "Payer", "remittance": "RF18539007547034",
        "endToEndId": "IN-1", "fromIban": "NL91ABNA0417164300"})
    notice, = customer.documents("camt.054")
    assert notice.one("//Refs/EndToEndId") == "IN-1"
    assert notice.one("//Dbtr/Pty/Nm") == "Payer"
    assert notice.one("//DbtrAcct/Id/IBAN") == "NL91ABNA0417164300"
    assert notice.one("//RmtInf/Ustrd") == "RF18539007547034"
    shared_bank.desk("POST", "/admin/debit", json={"iban": customer.iban, "amount": "0.25",
                                                   "text": "Account fee"})
    notice, = customer.documents("camt.054")
    assert notice.one("//Ntry/AddtlNtryInf") == "Account fee"
    assert shared_bank.balance(customer.iban) == "15.00"
    yen = customer.contract["accounts"][1]["iban"]
    shared_bank.desk("POST", "/admin/credit", json={"iban": yen, "amount": "7"})
    assert shared_bank.balance(yen) == "1007"


@pytest.mark.parametrize("order", [
    {"amount": "0"}, {"amount": "-1"}, {"amount": "NaN"}, {"amount": "1.001"}, {"amount": None},
    {"iban": "DE00"}, {"fromIban": "DE00"},
])
def test_a_wrong_order_is_refused_and_books_nothing(shared_bank, shared_customer, order):
    before = shared_bank.balance(shared_customer.iban)
    values = {"iban": shared_customer.iban, "amount": "1.00", **order}
    assert shared_bank.desk("POST", "/admin/credit", expect=400, json=values)["error"]
    assert shared_bank.balance(shared_customer.iban) == before


def test_the_desk_is_not_on_the_customers_port(shared_customer):
    assert shared_customer.request("GET", "/admin/ledger").status_code == 404


def test_the_desk_lists_what_came_and_what_was_issued(bank, customer, pain001, iban):
    """With the key of each submission, and which documents the customer has acknowledged."""
    body = pain001(customer.iban, [("A", iban("DE"), "1.00")], message_id="M-1").bytes()
    payment_id = customer.send(body, key="6F9619FF-8B86-D011-B42D-00C04FC964FF")
    (came,) = bank.desk("GET", "/admin/submissions")["submissions"]
    assert (came["paymentId"], came["messageId"], came["status"]) == (payment_id, "M-1", "ACSC")
    assert came["key"] == "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    assert came["sha256"] == hashlib.sha256(body).hexdigest()
    customer.documents("pain.002")
    issued = bank.desk("GET", "/admin/documents")["documents"]
    assert {item["acknowledged"] for item in issued if item["kind"] == "pain.002"} == {True}
    assert {item["acknowledged"] for item in issued if item["kind"] == "camt.054"} == {False}
