"""Statements and mailbox: JSON in pages, camt, MT940, by what the customer accepts."""

import base64
import hashlib
import re
from decimal import Decimal

import pytest

DAY = "2026-11-23"


def path_of(client, query=f"dateFrom={DAY}"):
    return f"/api/accounts/{client.account['resourceId']}/transactions?{query}"


def credit(bank, client, count, amount="10.00", **more):
    for number in range(count):
        bank.desk("POST", "/admin/credit", json={
            "iban": client.account["iban"], "amount": amount, "name": "Bürger & Söhne",
            "fromIban": "DE89370400440532013000", "remittance": f"Rechnung {number}", **more})


def pages(client, path):
    """Every page, found as the channel says."""
    found = []
    while path:
        answer = client.request("GET", path)
        assert answer.status_code == 200, answer.text
        body, way = answer.json(), client.channel["paging"]
        found.append(body)
        if way == "link":
            assert "_links" not in body
            path = answer.links.get("next", {}).get("url")
        elif way == "next":
            path = body.get("_links", {}).get("next", {}).get("href")
        else:
            cursor = body.get("nextCursor")
            path = cursor and re.sub(r"[?&]cursor=[^&]*", "", found[0].setdefault("path", path))
            path = path and f"{path}{'&' if '?' in path else '?'}cursor={cursor}"
    return found


@pytest.mark.parametrize("paging", ["link", "next", "cursor"])
def test_transactions_come_in_pages_each_once(shared_bank, channel, paging):
    client = channel("json", paging=paging, page_size=2)
    credit(shared_bank, client, 5)
    found = pages(client, path_of(client))
    assert [len(page["transactions"]["booked"]) for page in found] == [2, 2, 1]
    texts = [item["remittanceInformationUnstructured"] for page in found
             for item in page["transactions"]["booked"]]
    assert texts == [f"Rechnung {number}" for number in range(5)]


@pytest.mark.parametrize("paging", ["link", "next", "cursor"])
def test_the_mailbox_comes_in_pages_too(shared_bank, channel, paging):
    client = channel("bearer", paging=paging, page_size=2)
    credit(shared_bank, client, 3)
    listed = [item for page in pages(client, "/api/reports?kind=camt.054")
              for item in page["documents"]]
    assert len({item["id"] for item in listed}) == len(listed) == 3
    for item in listed:
        content = client.request("GET", f"/api/reports/{item['id']}").content
        assert hashlib.sha256(content).hexdigest() == item["sha256"]
        assert client.request("DELETE", f"/api/reports/{item['id']}").status_code == 204
    assert pages(client, "/api/reports")[0]["documents"] == []
    assert len(pages(client, "/api/reports?status=all")) == 2


@pytest.mark.parametrize("kind", ["json", "xml_base64"])
def test_documents_are_packed_as_payments_are(shared_bank, channel, kind):
    client = channel(kind)
    credit(shared_bank, client, 1)
    item = client.request("GET", "/api/reports").json()["documents"][0]
    answer = client.request("GET", f"/api/reports/{item['id']}")
    packed = answer.json()["content"] if kind == "json" else re.search(
        "<Content>(.*)</Content>", answer.text)[1]
    content = base64.b64decode(packed)
    assert hashlib.sha256(content).hexdigest() == item["sha256"]
    assert b"camt.054" in content


def test_a_wrong_cursor_is_refused(channel):
    client = channel("json")
    for value in ("x", "YQ==", "%F0"):
        answer = client.request("GET", path_of(client, f"dateFrom={DAY}&cursor={value}"))
        assert answer.status_code == 400, value


def test_another_contracts_account_does_not_exist(channel):
    client, other = channel("json"), channel("json")
    assert client.request("GET", path_of(other)).status_code == 404
    assert client.request("GET", "/api/accounts").json()["accounts"] == [client.account]


def test_the_customer_chooses_the_form(shared_bank, channel):
    client = channel("bearer")
    credit(shared_bank, client, 1)
    for accept, media, mark in (("application/xml", "application/xml", b"camt.052.001.08"),
                                ("text/plain", "text/plain", b":20:"),
                                ("application/json", "application/json", b'"booked"'),
                                ("*/*", "application/json", b'"booked"')):
        answer = client.request("GET", path_of(client, f"dateFrom={DAY}&dateTo={DAY}"),
                                headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith(media)
        assert mark in answer.content
    assert client.request("GET", path_of(client), headers={
        "Accept": "application/pdf"}).status_code == 406


def read_mt940(text):
    """Fields of block 4 in their order; lines without a tag go on with the field before."""
    assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+{}\r\n ]*", text)
    block = re.search(r"\{4:\r\n(.*)\r\n-\}", text, re.S)[1]
    fields = []
    for line in block.split("\r\n"):
        found = re.match(r":(\d\d[A-Z]?):(.*)", line)
        assert not line.startswith("-")
        if found:
            fields.append([found[1], found[2]])
            assert len(found[2]) <= 65
        else:
            assert len(line) <= 65
            fields[-1][1] += line
    return fields


def money(text):
    return Decimal(text.replace(",", "."))


def test_an_mt940_adds_up_and_says_what_was_booked(bank, channel_at, transfer):
    """Opening balance, entries, closing balance; SWIFT's characters; what remitters wrote."""
    client = channel_at(bank, "bearer", accounts=(":EUR:1000.05",))
    credit(bank, client, 2, "0.10", endToEndId="E2E-" + "-" * 40)
    client.submit(transfer(client, "OUT-1", "100.00"))
    client.submit(transfer(client, "BACK-1", "7.50", trigger="returned"))
    bank.settle()
    bank.advance(end_of_day=True)
    bank.advance(end_of_day=True)
    answer = client.request("GET", path_of(client, f"dateFrom={DAY}&dateTo=2026-11-24"),
                            headers={"Accept": "text/plain"})
    fields = read_mt940(answer.content.decode("ascii"))
    assert [name for name, _value in fields[:4]] == ["20", "25", "28C", "60F"]
    assert [name for name, _value in fields[-2:]] == ["62F", "64"]
    told = dict(fields)
    assert told["25"] == client.account["iban"]
    assert told["60F"] == "C261123EUR1000,05"
    total = Decimal("1000.05")
    for name, value in fields:
        if name == "61":
            found = re.fullmatch(r"(\d{6})(\d{4})([CD])([\d]+,\d{2})N([A-Z]{3})([^/]{1,16})"
                                 r"//(\w{1,16})", value)
            assert found, value
            total += money(found[4]) * (1 if found[3] == "C" else -1)
    assert total == Decimal("900.25")
    assert told["62F"] == f"C261124EUR{str(total).replace('.', ',')}"
    remarks = [value for name, value in fields if name == "86"]
    assert len(remarks) == 5
    assert any("NRTI" in value for name, value in fields if name == "61")
    assert sum("EREF+OUT-1?21SVWZ+Invoice 4711" in remark for remark in remarks) == 1
    assert all("Buerger + Soehne" in remark for remark in remarks[:2])
    # The references of the bank are those of its camt.
    camt = client.request("GET", path_of(client, f"dateFrom={DAY}&dateTo=2026-11-24"),
                          headers={"Accept": "application/xml"}).text
    names = {"SB" + name[8:] for name in re.findall("<Ntry>.*?<AcctSvcrRef>(.*?)<", camt)}
    assert names == {value.split("//")[1] for name, value in fields if name == "61"}
