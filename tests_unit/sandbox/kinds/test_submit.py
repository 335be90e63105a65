"""Each kind of channel takes a payment in its own form, and pays it once."""

import base64
import json
import uuid

import pytest

DIRECT = ("multipart", "xml_base64", "json", "sealed", "bearer")


def payment_id(client, answer):
    assert answer.status_code == 201, answer.text
    if client.channel["body"] == "xml_base64":
        return answer.text.partition("<PaymentId>")[2].partition("<")[0]
    return answer.json()["paymentId"]


@pytest.mark.parametrize("kind", DIRECT)
def test_a_payment_in_the_form_of_the_kind_is_executed_once(shared_bank, channel, transfer, kind):
    client, reference = channel(kind), f"ONCE-{kind}"
    number = payment_id(client, client.submit(transfer(client, reference)))
    shared_bank.settle()
    assert shared_bank.desk("GET", f"/admin/executions/{reference}")["executed"] == 1
    answer = client.request("GET", f"/api/payments/{number}/status",
                            headers={"Accept": "application/xml"})
    assert answer.status_code == 200, answer.text
    if kind == "xml_base64":
        report = base64.b64decode(answer.text.partition("<Report>")[2].partition("<")[0])
    elif kind == "json":
        assert answer.json()["transactionStatus"] == "ACSC"
        report = base64.b64decode(answer.json()["report"])
    else:
        report = answer.content
        told = client.request("GET", f"/api/payments/{number}/status",
                              headers={"Accept": "application/json"}).json()
        assert told == {"paymentId": number, "transactionStatus": "ACSC"}
    assert b"pain.002" in report
    assert b"<TxSts>ACSC</TxSts>" in report


@pytest.mark.parametrize("kind", ["multipart", "sealed"])
def test_the_same_key_gets_the_same_answer(channel, transfer, kind):
    """A sealed payload is never the same twice: what counts is what is in it."""
    client, key = channel(kind), str(uuid.uuid4())
    content = transfer(client)
    first = payment_id(client, client.submit(content, key))
    assert payment_id(client, client.submit(content, key)) == first
    assert client.submit(transfer(client), key).status_code == 422


@pytest.mark.parametrize(("kind", "form"), [
    ("xml_base64", "<Code>DUPLICATE</Code>"), ("json", '"code": "DUPLICATE"')])
def test_or_a_repeated_key_is_refused_as_a_duplicate(shared_bank, channel, transfer, kind, form):
    client, key = channel(kind), str(uuid.uuid4())
    content = transfer(client, f"TWICE-{kind}")
    payment_id(client, client.submit(content, key))
    again = client.submit(content, key)
    assert again.status_code == 409
    assert form in again.text
    shared_bank.settle()
    assert shared_bank.desk("GET", f"/admin/executions/TWICE-{kind}")["executed"] == 1


@pytest.mark.parametrize("kind", ["xml_base64", "json", "sealed", "multipart"])
def test_a_payment_is_found_by_its_key(channel, transfer, kind):
    client, key = channel(kind), str(uuid.uuid4())
    missing = client.request("GET", f"/api/keys/{key}")
    assert missing.status_code == 404
    assert "PAYMENT_UNKNOWN" in missing.text
    number = payment_id(client, client.submit(transfer(client), key))
    assert number in client.request("GET", f"/api/keys/{key}").text


def test_without_keys_two_requests_are_two_files(shared_bank, channel, transfer):
    """Then the message id is what keeps a payment from being made twice."""
    client = channel("bearer")
    content = transfer(client, "KEYLESS")
    assert payment_id(client, client.submit(content)) != payment_id(client, client.submit(content))
    shared_bank.settle()
    assert shared_bank.desk("GET", "/admin/executions/KEYLESS")["executed"] == 1


@pytest.mark.parametrize(("kind", "body", "media", "status"), [
    ("multipart", b"<Document/>", "application/xml", 415),
    ("multipart", b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 400),
    ("multipart", b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n<a/>",
     "multipart/form-data; boundary=x", 400),
    ("xml_base64", b"<a><paymentBase64>?</paymentBase64></a>", "application/xml", 400),
    ("xml_base64", b"<!DOCTYPE a [<!ENTITY e 'x'>]><a><paymentBase64>&e;</paymentBase64></a>",
     "application/xml", 400),
    ("xml_base64", b"<a><paymentBase64>YQ==</paymentBase64><paymentBase64>YQ==</paymentBase64></a>",
     "application/xml", 400),
    ("json", b'{"content": "YQ==", "content": "Yg=="}', "application/json", 400),
    ("json", b'{"content": "YQ==", "sha256": "00"}', "application/json", 400),
    ("json", b"[]", "application/json", 400),
    ("sealed", b'{"payload": "a.b.c.d.e"}', "application/json", 400),
    ("bearer", b"<open>", "application/xml", 400)])
def test_what_is_not_in_the_agreed_form_is_not_stored(shared_bank, channel, kind, body, media,
                                                      status):
    client = channel(kind)
    headers = {"Content-Type": media}
    if client.channel["key"]:
        headers[client.channel["key"]] = str(uuid.uuid4())
    answer = client.request("POST", "/api/payments", body, headers)
    assert answer.status_code == status, answer.text
    stored = shared_bank.desk("GET", "/admin/submissions")["submissions"]
    assert client.contract["contractId"] not in {row["contract"] for row in stored}


def test_numbers_told_beside_a_file_must_be_its_own(channel, transfer):
    """Fractions are read as they are written: a cent more is another sum."""
    client = channel("json")
    content = base64.b64encode(transfer(client, amount="90071992547409.93")).decode()
    for told, status in (({"controlSum": 90071992547409.94}, 400),
                         ({"numberOfTransactions": 2}, 400),
                         ({"numberOfTransactions": "1"}, 201)):
        body = json.dumps({"content": content, **told})
        answer = client.request("POST", "/api/payments", body.encode(), {
            "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code == status, answer.text
    exact = f'{{"content": "{content}", "controlSum": 90071992547409.93}}'
    answer = client.request("POST", "/api/payments", exact.encode(), {
        "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text


def test_a_key_must_be_there_once_and_well_formed(channel, transfer):
    client = channel("json")
    for key in (None, "", "a b", "x" * 65):
        answer = client.submit(transfer(client), headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key


def test_a_channel_is_for_its_own_contracts(shared_bank, shared_customer, channel, transfer):
    """The Berlin Group's interface is closed to other kinds, and the other way round."""
    client = channel("json")
    assert client.request("GET", "/v1/contract").status_code == 403
    assert shared_customer.request("GET", "/api/reports").status_code == 403
    assert shared_customer.request("POST", "/oauth2/token").status_code == 403
    files = client.request("GET", "/open-banking/v4.0/pisp/file-payments/x")
    assert files.status_code == 404


@pytest.mark.parametrize(("kind", "form"), [
    ("multipart", '"tppMessages"'), ("xml_base64", "<Errors>"), ("json", '"title"'),
    ("obie", '"ErrorCode": "U011"')])
def test_errors_are_in_the_form_of_the_kind(channel, kind, form):
    client = channel(kind)
    path = "/open-banking/v4.0/pisp/file-payments" if kind == "obie" else "/api/payments"
    answer = client.request("GET", f"{path}/nothing")
    assert answer.status_code == 404
    assert form in answer.text


def test_faults_find_a_request_by_the_key_of_its_kind(shared_bank, channel, transfer):
    client, key = channel("json"), str(uuid.uuid4())
    shared_bank.fault(point="after_commit", action="error", request_id=key, times=1)
    content = transfer(client)
    assert client.submit(content, key).status_code == 500
    assert client.submit(content, key).status_code == 409
