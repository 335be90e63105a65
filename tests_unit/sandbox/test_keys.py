"""One key, one payment: replays, inquiries, and faults on the way of the answer."""

import threading
import uuid

import pytest
import requests

SEPA = "/v1/bulk-payments/pain.001-sepa-credit-transfers"


def message(customer, pain001, iban, reference):
    return pain001(customer.iban, [(reference, iban("DE"), "10.00")]).bytes()


def test_the_same_request_gets_the_same_answer_and_is_paid_once(bank, customer, pain001, iban):
    key, body = str(uuid.uuid4()), message(customer, pain001, iban, "ONCE")
    first = customer.submit(body, key=key)
    bank.settle()
    second = customer.submit(body, key=key.upper())
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONCE")["executed"] == 1
    other = customer.submit(body + b" ", key=key)
    assert other.status_code == 422
    assert other.json()["tppMessages"][0]["code"] == "PARAMETER_NOT_CONSISTENT"


def test_after_the_window_the_message_id_still_protects(bank, customer, pain001, iban):
    """The key is forgotten after 24 hours of bank time; the same file is then a duplicate."""
    key, body = str(uuid.uuid4()), message(customer, pain001, iban, "LATE")
    first = customer.send(body, key=key)
    bank.advance(advance="25h")
    second = customer.send(body, key=key)
    assert first != second
    assert customer.documents("pain.002")[-1].one("//StsRsnInf/Rsn/Cd") == "DU01"
    assert bank.desk("GET", "/admin/executions/LATE")["executed"] == 1


def test_the_same_key_in_flight_is_a_conflict(bank, customer, pain001, iban, wait_until):
    """While the first request is worked on, the second learns that, and nothing is stored twice."""
    bank.fault(point="before_commit", action="delay", seconds=2, times=1)
    key, body = str(uuid.uuid4()), message(customer, pain001, iban, "FLIGHT")
    answers = []
    first = threading.Thread(target=lambda: answers.append(customer.submit(body, key=key)))
    first.start()
    wait_until(lambda: bank.desk("GET", "/admin/faults")["faults"][0]["fired"])
    second = customer.submit(body, key=key)
    first.join()
    assert second.status_code == 409
    assert answers[0].status_code == 201


@pytest.mark.parametrize(("rule", "seen"), [
    ({"action": "drop"}, None),
    ({"action": "truncate"}, None),
    ({"action": "error"}, 500),
    ({"action": "error", "status": 503}, 503),
    ({"action": "garbage"}, 200),
])
def test_an_answer_that_fails_after_the_commit_leaves_one_payment(
        bank, customer, pain001, iban, rule, seen):
    """The bank has it, says so when asked, and takes a replay for what it is."""
    bank.fault(point="after_commit", method="POST", times=1, **rule)
    key, body = str(uuid.uuid4()), message(customer, pain001, iban, "FAULT")
    if seen is None:
        with pytest.raises(requests.exceptions.RequestException):
            customer.submit(body, key=key)
    else:
        assert customer.submit(body, key=key).status_code == seen
    known = customer.request("GET", f"/v1/submissions/{key}")
    assert known.status_code == 200
    replay = customer.submit(body, key=key)
    assert replay.json()["paymentId"] == known.json()["paymentId"]
    bank.settle()
    assert bank.desk("GET", "/admin/executions/FAULT")["executed"] == 1


@pytest.mark.parametrize("rule", [
    {"point": "before_read", "action": "drop"}, {"point": "before_commit", "action": "drop"},
    {"point": "before_commit", "action": "error"},
    {"point": "before_read", "action": "busy", "retry_after": 7},
])
def test_a_fault_before_the_commit_stores_nothing(bank, customer, pain001, iban, rule):
    bank.fault(method="POST", times=1, **rule)
    key, body = str(uuid.uuid4()), message(customer, pain001, iban, "NONE")
    try:
        answer = customer.submit(body, key=key)
        assert answer.status_code in (429, 500)
        assert answer.status_code == 500 or answer.headers["Retry-After"] == "7"
    except requests.exceptions.ConnectionError:
        assert rule["action"] == "drop"
    assert customer.request("GET", f"/v1/submissions/{key}").status_code == 404
    bank.settle()
    assert bank.desk("GET", "/admin/executions/NONE")["executed"] == 0


def test_fault_rules_choose_their_requests(bank, customer, pain001, iban):
    """By message id, by count and by a seed that decides the same in every run."""
    one = pain001(customer.iban, [("A", iban("DE"), "1.00")], message_id="HIT")
    bank.fault(point="before_commit", action="error", message_id="HIT", nth=2)
    assert [customer.submit(one.bytes()).status_code for _ in range(3)] == [201, 500, 201]
    bank.desk("DELETE", "/admin/faults", expect=204)

    def pattern():
        rule = bank.fault(point="before_read", action="busy", path="^/v1/contract$",
                          probability=0.5, seed=3)
        seen = [customer.request("GET", "/v1/contract").status_code for _ in range(12)]
        bank.desk("DELETE", f"/admin/faults?id={rule}", expect=204)
        return seen

    seen = pattern()
    assert set(seen) == {200, 429}
    assert pattern() == seen


@pytest.mark.parametrize("rule", [
    {}, [], {"point": "nowhere", "action": "drop"}, {"point": "before_read", "action": "x"},
    {"point": "before_read", "action": "truncate"}, {"point": "before_read", "action": "drop",
                                                     "path": "("},
    {"point": "before_read", "action": "drop", "nth": "1"},
    {"point": "before_read", "action": "drop", "color": "red"},
])
def test_a_wrong_fault_rule_is_refused_with_a_reason(bank, rule):
    assert bank.desk("POST", "/admin/faults", expect=400, json=rule)["error"]
