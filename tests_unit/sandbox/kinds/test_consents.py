"""Consent, file, order: each step is checked against the one before, and can be repeated."""

import base64
import copy
import hashlib
import json
import uuid

import pytest

BASE = "/open-banking/v4.0/pisp"
CONSENTS, ORDERS = f"{BASE}/file-payment-consents", f"{BASE}/file-payments"


def initiation(content, **changes):
    told = {"FileType": "UK.OBIE.pain.001.001.03", "FileReference": "October",
            "FileHash": base64.b64encode(hashlib.sha256(content).digest()).decode(),
            "NumberOfTransactions": "1", "ControlSum": 12.50, **changes}
    return {name: value for name, value in told.items() if value is not None}


def post(client, path, data, key=None):
    body = data if isinstance(data, bytes) else json.dumps({"Data": data}).encode()
    media = "application/xml" if isinstance(data, bytes) else "application/json"
    return client.request("POST", path, body, {
        "Content-Type": media, "x-idempotency-key": key or uuid.uuid4().hex})


def consent(client, content, key=None, **changes):
    return post(client, CONSENTS, {"Initiation": initiation(content, **changes)}, key)


def consent_id(client, content, **changes):
    answer = consent(client, content, **changes)
    assert answer.status_code == 201, answer.text
    assert answer.json()["Data"]["Status"] == "AWUP"
    return answer.json()["Data"]["ConsentId"]


def order(client, number, content, key=None, **changes):
    return post(client, ORDERS, {"ConsentId": number, "Initiation": initiation(
        content, **changes)}, key)


def code(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["Errors"][0]["ErrorCode"]


def status(client, number):
    return client.request("GET", f"{CONSENTS}/{number}").json()["Data"]["Status"]


def test_three_steps_make_a_payment(shared_bank, channel, transfer):
    client = channel("obie")
    content = transfer(client, "OBIE-1")
    number = consent_id(client, content)
    uploaded = post(client, f"{CONSENTS}/{number}/file", content)
    assert (uploaded.status_code, uploaded.content) == (200, b"")
    assert status(client, number) == "AUTH"
    shared_bank.settle()
    assert shared_bank.desk("GET", "/admin/executions/OBIE-1")["payments"] == []
    ordered = order(client, number, content)
    assert ordered.status_code == 201, ordered.text
    client.check_jws(ordered)
    told = ordered.json()["Data"]
    assert (told["Status"], told["ConsentId"]) == ("RCVD", number)
    assert told["Initiation"]["ControlSum"] == 12.5
    shared_bank.settle()
    assert shared_bank.desk("GET", "/admin/executions/OBIE-1")["executed"] == 1
    assert status(client, number) == "COND"
    path = f"{ORDERS}/{told['FilePaymentId']}"
    assert client.request("GET", path).json()["Data"]["Status"] == "ACSC"
    report = client.request("GET", f"{path}/report-file")
    assert b"<TxSts>ACSC</TxSts>" in report.content
    client.check_jws(report)


@pytest.mark.parametrize(("changes", "expected"), [
    ({"FileHash": None}, "U004"), ({"ControlSum": None}, "U004"),
    ({"NumberOfTransactions": 1}, "U002"), ({"ControlSum": "12.50"}, "U002"),
    ({"ControlSum": True}, "U002"), ({"FileHash": "short"}, "U002"),
    ({"FileType": "UK.OBIE.PaymentInitiation.4.0"}, "U002")])
def test_a_consent_says_what_the_file_will_be(channel, transfer, changes, expected):
    client = channel("obie")
    assert code(consent(client, transfer(client), **changes)) == expected


def test_the_file_must_be_that_of_the_consent(channel, transfer):
    client = channel("obie")
    content = transfer(client)
    for changes in ({"ControlSum": 12.51}, {"NumberOfTransactions": "2"},
                    {"FileType": "UK.OBIE.pain.001.001.09"},
                    {"FileHash": base64.b64encode(bytes(32)).decode()}):
        number = consent_id(client, content, **changes)
        assert code(post(client, f"{CONSENTS}/{number}/file", content)) == "U014"
        assert status(client, number) == "AWUP"
        assert code(order(client, number, content, **changes)) == "U009"
    number = consent_id(client, content)
    assert code(post(client, f"{CONSENTS}/{number}/file", transfer(client))) == "U014"


def test_a_step_can_be_repeated_under_its_key_and_not_changed(shared_bank, channel, transfer):
    """Each answer of before comes back; a used key is not good for anything else."""
    client = channel("obie")
    content, keys = transfer(client, "OBIE-2"), [uuid.uuid4().hex for _step in range(3)]
    first = consent(client, content, keys[0])
    assert consent(client, content, keys[0]).json()["Data"] == first.json()["Data"]
    assert code(consent(client, content, keys[0], FileReference="November")) == "U006"
    number = first.json()["Data"]["ConsentId"]
    for _time in range(2):
        assert post(client, f"{CONSENTS}/{number}/file", content, keys[1]).status_code == 200
    assert code(post(client, f"{CONSENTS}/{number}/file", content + b" ", keys[1])) == "U006"
    assert code(post(client, f"{CONSENTS}/{number}/file", content)) == "U009"
    orders = [order(client, number, content, keys[2]) for _time in range(2)]
    assert len({answer.json()["Data"]["FilePaymentId"] for answer in orders}) == 1
    assert code(order(client, number, content)) == "U009"
    other = consent_id(client, content)
    assert post(client, f"{CONSENTS}/{other}/file", content).status_code == 200
    assert code(order(client, other, content, keys[2])) == "U006"
    shared_bank.settle()
    assert shared_bank.desk("GET", "/admin/executions/OBIE-2")["executed"] == 1


def test_the_order_repeats_the_consent(channel, transfer):
    client = channel("obie")
    content = transfer(client)
    number = consent_id(client, content)
    assert post(client, f"{CONSENTS}/{number}/file", content).status_code == 200
    assert code(order(client, number, content, FileReference="November")) == "U008"
    assert code(order(client, number, content, ControlSum=12.51)) == "U008"
    # 12.50 and 12.5 are one number.
    told = copy.deepcopy(initiation(content, ControlSum=1))
    body = json.dumps({"Data": {"ConsentId": number, "Initiation": told}})
    body = body.replace('"ControlSum": 1', '"ControlSum": 12.500')
    assert client.request("POST", ORDERS, body.encode(), {
        "Content-Type": "application/json",
        "x-idempotency-key": uuid.uuid4().hex}).status_code == 201


def test_a_consent_is_the_contracts_own(channel, transfer):
    client, other = channel("obie"), channel("obie")
    content = transfer(client)
    number = consent_id(client, content)
    for answer in (other.request("GET", f"{CONSENTS}/{number}"),
                   post(other, f"{CONSENTS}/{number}/file", content),
                   order(other, number, content)):
        assert answer.status_code == 404


def test_after_a_day_a_consent_is_not_good_any_more(bank, channel_at, transfer):
    client = channel_at(bank, "obie")
    content = transfer(client)
    early, late = consent_id(client, content), consent_id(client, content)
    assert post(client, f"{CONSENTS}/{early}/file", content).status_code == 200
    bank.advance(advance="24h")
    assert order(client, early, content).status_code == 201
    again = consent_id(client, content)
    assert post(client, f"{CONSENTS}/{again}/file", content).status_code == 200
    bank.advance(advance="1d")
    bank.advance(advance="1m")
    assert code(order(client, again, content)) == "U009"
    assert code(post(client, f"{CONSENTS}/{late}/file", content)) == "U009"


def test_the_desk_authorises_where_that_is_agreed(shared_bank, channel, transfer):
    client = channel("obie", approval="desk")
    content = transfer(client)
    for outcome, after, answered in (({}, "AUTH", 201), ({"outcome": "reject"}, "RJCT", 400)):
        number = consent_id(client, content)
        assert post(client, f"{CONSENTS}/{number}/file", content).status_code == 200
        assert status(client, number) == "AWAU"
        assert code(order(client, number, content)) == "U009"
        done = shared_bank.desk("POST", f"/admin/consents/{number}/authorise", json=outcome)
        assert done["status"] == after
        shared_bank.desk("POST", f"/admin/consents/{number}/authorise", expect=400, json={})
        assert order(client, number, content).status_code == answered
    listed = shared_bank.desk("GET", "/admin/consents")["consents"]
    assert {row["status"] for row in listed if row["contract"] == client.contract[
        "contractId"]} == {"COND", "RJCT"}
