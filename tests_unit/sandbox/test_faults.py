"""The fault plan: each kind does what it says, seeds repeat, and the money stays right."""

import json
import socket
import ssl
import time
import uuid

import pytest
import requests

from sandbox.fault_kinds import ACTIONS, KINDS
from sandbox.faults import Facts, drawn

SEPA = "/v1/bulk-payments/pain.001-sepa-credit-transfers"
MAILBOX = "/v1/documents?status=all"


def message(customer, pain001, iban, reference="ONE"):
    return pain001(customer.iban, [(reference, iban("DE"), "10.00")]).bytes()


def raw(customer, path="/v1/contract"):
    """One request on a socket of its own: every byte that comes back."""
    context = ssl.create_default_context(cafile=str(customer.folder / "ca.pem"))
    context.load_cert_chain(customer.folder / "client.pem", customer.folder / "client.key")
    port = customer.bank.ports["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: {uuid.uuid4()}\r\n"
                    f"Connection: close\r\n\r\n".encode())
        found = b""
        while chunk := tls.recv(65536):
            found += chunk
        return found


def test_an_expired_certificate_is_presented_for_a_while(bank, customer):
    """A client that checks dates turns away; once the rule is spent the bank is itself again."""
    bank.fault(point="handshake", action="expired", times=1)
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        customer.request("GET", "/v1/contract")
    assert customer.request("GET", "/v1/contract").status_code == 200


def test_a_refused_handshake_reads_nothing(bank, customer, pain001, iban):
    bank.fault(point="handshake", action="refuse", times=1)
    key = str(uuid.uuid4())
    with pytest.raises(requests.exceptions.SSLError):
        customer.submit(message(customer, pain001, iban), key=key)
    assert customer.request("GET", f"/v1/submissions/{key}").status_code == 404


def test_an_answer_comes_twice_on_one_connection(bank, customer):
    bank.fault(point="after_commit", action="twice", times=1)
    found = raw(customer)
    assert found.count(b"HTTP/1.1 200 OK") == 2
    first, second = (part.partition(b"\r\n\r\n")[2] for part in found.split(b"HTTP/1.1 ")[1:])
    assert json.loads(first) == json.loads(second)


def test_a_slow_drip_takes_its_time_and_is_whole(bank, customer):
    bank.fault(point="after_commit", action="drip", seconds=1, times=1)
    started = time.monotonic()
    assert customer.request("GET", "/v1/contract").json()["contractId"] == "CORP-001"
    assert time.monotonic() - started > 0.8


def test_a_flood_ends_at_its_size_or_when_the_client_goes(bank, customer):
    bank.fault(point="after_commit", action="flood", bytes=3_000_000, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        customer.request("GET", "/v1/contract")
    bank.fault(point="after_commit", action="flood", times=1)
    with customer.request("GET", "/v1/contract", stream=True) as answer:
        assert len(answer.raw.read(1_000_000)) == 1_000_000
    assert customer.request("GET", "/v1/contract").status_code == 200


@pytest.mark.parametrize("action", ["other", "other_number"])
def test_an_answer_of_another_request(bank, customer, pain001, iban, action):
    """The earlier answer is given again; what was sent is stored all the same, once."""
    first = customer.submit(message(customer, pain001, iban, "A"))
    bank.fault(point="before_read", action="busy", path="^/never$")  # a plan must be in force
    first = customer.submit(message(customer, pain001, iban, "B"))
    bank.fault(point="after_commit", action=action, method="POST", times=1)
    key = str(uuid.uuid4())
    mixed = customer.submit(message(customer, pain001, iban, "C"), key=key)
    assert mixed.json()["paymentId"] == first.json()["paymentId"]
    number = {"other": first.headers["X-Request-ID"], "other_number": key}[action]
    assert mixed.headers["X-Request-ID"] == number
    bank.settle()
    assert [bank.payments()[name]["executed"] for name in "ABC"] == [1, 1, 1]


@pytest.mark.parametrize(("action", "path"), [("digest", "document"), ("media_type", "document")])
def test_headers_that_do_not_fit_the_document(bank, customer, pain001, iban, action, path):
    customer.send(message(customer, pain001, iban))
    item = customer.request("GET", MAILBOX).json()["documents"][0]
    good = customer.request("GET", item["_links"]["self"]["href"])
    bank.fault(point="after_commit", action=action, path=f"{path}s/", times=1)
    bad = customer.request("GET", item["_links"]["self"]["href"])
    assert bad.content == good.content
    header = {"digest": "Digest", "media_type": "Content-Type"}[action]
    assert bad.headers[header] != good.headers[header]


def test_a_list_can_repeat_and_reverse_itself(bank, customer, pain001, iban):
    customer.send(message(customer, pain001, iban))

    def listed():
        found = customer.request("GET", MAILBOX).json()["documents"]
        return [item["id"] for item in found]

    right = listed()
    assert len(right) > 1
    bank.fault(point="after_commit", action="list_reversed", path="^/v1/documents$", times=1)
    assert listed() == right[::-1]
    bank.fault(point="after_commit", action="list_twice", path="^/v1/documents$", times=1)
    assert sorted(listed()) == sorted(right * 2)


def test_documents_are_issued_twice_and_late(bank, customer, pain001, iban):
    bank.fault(point="issue", action="duplicate", document="pain.002", nth=1)
    bank.fault(point="issue", action="hold", document="pain.002", nth=2, seconds=1.5)
    customer.send(message(customer, pain001, iban))
    reports = customer.documents("pain.002", status="all", acknowledge=False)
    assert len(reports) == 2, "the check's report twice, the execution's later"
    assert reports[0].texts("//GrpHdr/MsgId") == reports[1].texts("//GrpHdr/MsgId")
    time.sleep(1.6)
    assert len(customer.documents("pain.002", status="all")) == 3


def test_a_contradiction_changes_what_is_said_not_what_was_done(bank, customer, pain001, iban):
    bank.fault(point="issue", action="contradict")
    customer.send(message(customer, pain001, iban))
    said = [status for report in customer.documents("pain.002")
            for status in report.texts("//TxInfAndSts/TxSts")]
    assert said == ["ACSC", "RJCT"]
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1
    assert bank.desk("GET", "/admin/faults/counts")["kinds"] == {"contradict": 1}


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_bank_that_ends_at_a_named_point_goes_on_where_it_was(bank, customer, pain001, iban,
                                                                point):
    bank.fault(point=point, action="exit", method="POST", times=1)
    key, body = str(uuid.uuid4()), message(customer, pain001, iban)
    with pytest.raises(requests.exceptions.ConnectionError):
        customer.submit(body, key=key)
    assert bank.process.wait(timeout=10) == 86
    bank.process.stdout.close()
    bank.start(clock=None)
    known = customer.request("GET", f"/v1/submissions/{key}").status_code
    assert known == {"before_commit": 404, "after_commit": 200}[point]
    assert customer.submit(body, key=key).status_code == 201
    bank.settle()
    assert bank.desk("GET", "/admin/executions/ONE")["executed"] == 1
    assert bank.desk("GET", "/admin/faults/counts")["kinds"] == {"exit": 1}


def test_a_plan_by_seed_counts_its_kinds_and_ends_at_its_limit(bank, customer):
    bank.fault(plan={"rate_limit": 0.4, "unavailable": {"probability": 0.4, "status": 502}},
               seed=11, times=10)
    seen = [customer.request("GET", "/v1/contract").status_code for _ in range(60)]
    assert set(seen) == {200, 429, 502}
    assert seen[-20:] == [200] * 20
    counts = bank.desk("GET", "/admin/faults/counts")
    assert counts["total"] == 10
    assert counts["kinds"] == {"rate_limit": seen.count(429), "unavailable": seen.count(502)}
    bank.desk("DELETE", "/admin/faults", expect=204)
    assert bank.desk("GET", "/admin/faults/counts") == counts


def test_the_same_seed_draws_the_same():
    plan = {"plan": {"all": 0.05}, "seed": 4, "id": 1}

    def draws(rule):
        facts = Facts("POST", SEPA, "key", "message")
        return [(found or {}).get("name") for number in range(300)
                for found in [drawn(rule, "after_commit", facts, number)]]

    found = draws(plan)
    assert draws(plan) == found
    assert draws({**plan, "seed": 5}) != found
    assert None in found
    assert {"late_answer", "half_answer", "drop_after_storing"} <= set(found)


def test_every_kind_is_an_action_of_its_point():
    for kind in KINDS.values():
        assert kind["action"] in ACTIONS[kind["point"]]


@pytest.mark.parametrize("rule", [
    {"plan": {"nonsense": 0.1}}, {"plan": {"late_answer": 2}}, {"plan": {"late_answer": "x"}},
    {"plan": {"late_answer": {"probability": 0.1, "color": 1}}},
    {"plan": {"all": 0.1}, "point": "before_read"}, {"plan": []},
    {"point": "handshake", "action": "drop"}, {"point": "issue", "action": "error"},
])
def test_a_wrong_plan_is_refused_with_a_reason(shared_bank, rule):
    assert shared_bank.desk("POST", "/admin/faults", expect=400, json=rule)["error"]
