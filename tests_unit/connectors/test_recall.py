"""A recall ends like any message: delivered, refused, not sent or uncertain, and never guessed."""

import uuid

import pytest

from connectors import Document, NotSent, Refused, Uncertain
from tests_unit.connectors.server import reply

PATH = "/v1/bulk-payments/pain.001-sepa-credit-transfers/pay-1"
REFERENCE = {
    "service": "bulk-payments",
    "product": "pain.001-sepa-credit-transfers",
    "payment_id": "pay-1",
}


@pytest.fixture
def recall():
    return Document(b"<Document>cancel</Document>", "camt.055.001.08", reference=REFERENCE)


def recall_fails(kind, connector, document, key):
    with pytest.raises((NotSent, Refused, Uncertain)) as caught:
        connector.submit(document, key)
    assert type(caught.value) is kind, caught.value
    return caught.value


def test_the_payment_is_deleted(bank, dial_up, recall, key):
    """Without a body, under the key; the bank's 204 says that the payments are cancelled."""
    bank.script = lambda request, sock: reply(request, 204, b"")
    receipt = dial_up(bank.url).submit(recall, key)
    (request,) = bank.requests
    assert (request.method, request.path, request.body) == ("DELETE", PATH, b"")
    assert request.headers["x-request-id"] == key
    assert "content-type" not in request.headers
    assert (receipt.status, receipt.key, receipt.http_status) == ("CANC", key, 204)
    assert receipt.bank_reference == REFERENCE


def test_a_request_taken_for_decision_is_not_a_cancellation(bank, dial_up, recall, key):
    """202: the bank has it; what it says of the payment is told as it is."""
    bank.script = lambda request, sock: reply(request, 202, {"transactionStatus": "ACTC"})
    receipt = dial_up(bank.url).submit(recall, key)
    assert (receipt.status, receipt.http_status) == ("ACTC", 202)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409])
def test_a_refusal_keeps_the_banks_words(bank, dial_up, recall, key, status):
    said = {"tppMessages": [{"code": "CANCELLATION_INVALID", "text": "too late"}]}
    bank.script = lambda request, sock: reply(request, status, said)
    failure = recall_fails(Refused, dial_up(bank.url), recall, key)
    assert [(item.code, item.text) for item in failure.reasons] == [
        ("CANCELLATION_INVALID", "too late")
    ]


def test_a_busy_bank_is_not_sent(bank, dial_up, recall, key):
    bank.script = lambda request, sock: reply(request, 429, {}, {"Retry-After": "9"})
    assert recall_fails(NotSent, dial_up(bank.url), recall, key).retry_after == 9


@pytest.mark.parametrize("status", [200, 302, 500, 503])
def test_anything_else_is_uncertain(bank, dial_up, recall, key, status):
    bank.script = lambda request, sock: reply(request, status, {})
    recall_fails(Uncertain, dial_up(bank.url), recall, key)


@pytest.mark.parametrize("script", ["hang_up", "reset", "hang"])
def test_a_lost_answer_is_uncertain(bank, dial_up, recall, key, script):
    bank.script = getattr(bank, script)
    recall_fails(Uncertain, dial_up(bank.url), recall, key)
    assert len(bank.requests) == 1


def test_an_answer_to_another_request_is_uncertain(bank, dial_up, recall, key):
    bank.script = lambda request, sock: reply(request, 204, b"", {"X-Request-ID": "other"})
    assert recall_fails(Uncertain, dial_up(bank.url), recall, key).code == "wrong_echo"


def test_a_bank_that_wants_the_message(bank, dial_up, data, recall, key):
    """POST carries the exact bytes of the cancellation request."""
    data["cancel"] = {
        "method": "POST",
        "path": "/v1/cancellations",
        "body": "raw_xml",
        "fields": {"status": "state"},
        "answers": [{"status": 201, "means": "delivered"}],
    }
    bank.script = lambda request, sock: reply(request, 201, {"state": "PDNG"})
    receipt = dial_up(bank.url, profile=data).submit(recall, key)
    (request,) = bank.requests
    assert (request.method, request.path) == ("POST", "/v1/cancellations")
    assert request.body == recall.content
    assert request.headers["content-type"] == "application/xml"
    assert receipt.status == "PDNG"


def test_a_profile_without_recalls_says_so(bank, dial_up, data, recall, key):
    """For good: no waiting helps."""
    del data["cancel"]
    failure = recall_fails(NotSent, dial_up(bank.url, profile=data), recall, key)
    assert (failure.code, failure.permanent) == ("cannot_recall", True)
    assert not bank.requests


@pytest.mark.parametrize("payment_id", [None, "..", "", "a\nb"])
def test_without_the_banks_reference_nothing_is_sent(bank, dial_up, key, payment_id):
    """Least of all a DELETE of something else."""
    reference = {**REFERENCE, "payment_id": payment_id}
    if payment_id is None:
        del reference["payment_id"]
    document = Document(b"<x/>", "camt.055.001.08", reference=reference)
    failure = recall_fails(NotSent, dial_up(bank.url), document, key)
    assert (failure.code, failure.permanent) == ("no_reference", True)
    assert not bank.requests


def test_a_strange_reference_stays_inside_its_place(bank, dial_up, key):
    reference = {**REFERENCE, "payment_id": "../accounts?x=1"}
    bank.script = lambda request, sock: reply(request, 204, b"")
    document = Document(b"<x/>", "camt.055.001.08", reference=reference)
    dial_up(bank.url).submit(document, key)
    assert bank.requests[0].path.endswith("/..%2Faccounts%3Fx%3D1")


def test_the_payments_status_answers_an_uncertain_recall(bank, dial_up, recall):
    """Asking about a recall asks what became of the payment."""
    bank.script = lambda request, sock: reply(request, 200, {"transactionStatus": "CANC"})
    receipt = dial_up(bank.url).inquire(str(uuid.uuid4()), recall)
    assert (bank.requests[0].method, bank.requests[0].path) == ("GET", f"{PATH}/status")
    assert receipt.status == "CANC"
