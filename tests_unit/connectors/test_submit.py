"""After the first byte: delivered, refused, not sent or uncertain, and never guessed."""

import json
import time
import uuid

import pytest

from connectors import Document, NotSent, Refused, Timeouts, Uncertain
from tests_unit.connectors.server import Request, reply

PAID = {"transactionStatus": "RCVD", "paymentId": "pay-1"}


def submit_fails(kind, connector, document, key):
    with pytest.raises((NotSent, Refused, Uncertain)) as caught:
        connector.submit(document, key)
    assert type(caught.value) is kind, caught.value
    return caught.value


def test_a_payment_is_delivered(bank, dial_up, document, key):
    """The bank gets the exact bytes under the key; the receipt holds its exact answer."""
    bank.script = lambda request, sock: reply(request, 201, PAID)
    receipt = dial_up(bank.url).submit(document, key)
    (request,) = bank.requests
    assert (request.method, request.path) == (
        "POST",
        "/v1/bulk-payments/pain.001-sepa-credit-transfers",
    )
    assert request.body == document.content
    assert request.headers["x-request-id"] == key
    assert request.headers["psu-corporate-id"] == "CORP-001"
    assert request.headers["content-type"] == "application/xml"
    assert receipt.key == key
    assert receipt.status == "RCVD"
    assert receipt.bank_reference == {
        "service": "bulk-payments",
        "product": "pain.001-sepa-credit-transfers",
        "payment_id": "pay-1",
    }
    assert json.loads(receipt.content) == PAID
    assert receipt.content_type == "application/json"
    assert receipt.http_status == 201
    assert receipt.received_at.utcoffset().total_seconds() == 0
    assert not receipt.duplicate


@pytest.mark.parametrize(
    ("hints", "path"),
    [
        ({"service_level": "URGP"}, "/v1/bulk-payments/pain.001-target-2-payments"),
        ({"service_level": "SEPA", "instant": True, "batch": False},
         "/v1/payments/pain.001-instant-sepa-credit-transfers"),
        ({}, "/v1/bulk-payments/pain.001-cross-border-credit-transfers"),
    ],
)  # fmt: skip
def test_the_product_follows_the_kind_of_payment(bank, dial_up, key, hints, path):
    bank.script = lambda request, sock: reply(request, 201, PAID)
    dial_up(bank.url).submit(Document(b"<x/>", "pain.001.001.09", **hints), key)
    assert bank.requests[0].path == path


def test_a_key_in_a_header_of_its_own(bank, dial_up, data, document, key):
    """Then X-Request-ID is new on each attempt, and the key the same."""
    data["key"] = {"header": "x-idempotency-key", "format": "text", "echo": "required"}
    bank.script = lambda request, sock: reply(request, 201, PAID)
    connector = dial_up(bank.url, profile=data)
    connector.submit(document, key)
    connector.submit(document, key)
    first, second = bank.requests
    assert first.headers["x-idempotency-key"] == second.headers["x-idempotency-key"] == key
    assert len({key, first.headers["x-request-id"], second.headers["x-request-id"]}) == 3


# Uncertain


@pytest.mark.parametrize("script", ["hang_up", "reset"])
def test_a_broken_connection_is_uncertain(bank, dial_up, document, key, script):
    bank.script = getattr(bank, script)
    failure = submit_fails(Uncertain, dial_up(bank.url), document, key)
    assert failure.code == "reset"
    assert len(bank.requests) == 1, "the bank has it, and nothing was sent again"


def test_silence_is_uncertain(bank, dial_up, document, key):
    bank.script = bank.hang
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "read_timeout"


def drip(parts, pause=0.2):
    def script(request, sock):
        for part in parts(request):
            sock.sendall(part)
            time.sleep(pause)

    return script


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_slow_drip_ends_at_the_total_time(bank, dial_up, document, key, where):
    """One byte now and then keeps every single read alive, but not the exchange."""

    def parts(request):
        answer = reply(request, 201, PAID)
        cut = answer.index(b"\r\n\r\n") + 4 if where == "body" else 1
        yield answer[:cut]
        yield from (answer[i : i + 1] for i in range(cut, len(answer)))

    bank.script = drip(parts)
    connector = dial_up(bank.url, timeouts=Timeouts(connect=2, read=1, total=1.5))
    start = time.monotonic()
    failure = submit_fails(Uncertain, connector, document, key)
    assert failure.code == "total_timeout"
    assert time.monotonic() - start < 2.5


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_half_an_answer_is_uncertain(bank, dial_up, document, key, cut):
    def script(request, sock):
        sock.sendall(reply(request, 201, PAID)[:cut])

    bank.script = script
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "half_answer"


def answer_and_close(answer):
    """Send `answer` and TLS's closing alert: cut by the bank itself, not by the network."""

    def script(request, sock):
        sock.sendall(answer(request))
        sock.unwrap()

    return script


@pytest.mark.parametrize("status", [201, 400, 401, 429])
@pytest.mark.parametrize("lines", [1, 2, 4])
def test_an_answer_closed_within_its_head_is_uncertain(bank, dial_up, document, key, status, lines):
    """Even where whole lines of it came: the status without its headers proves nothing."""

    def answer(request):
        whole = reply(request, status, PAID)
        return b"".join(whole.splitlines(keepends=True)[:lines])

    bank.script = answer_and_close(answer)
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "half_answer"


def test_an_answer_that_tls_closes_may_go_without_length(bank, dial_up, document, key):
    """The closing alert proves its end (RFC 9112, section 6.3; RFC 8446, section 6.1)."""

    def answer(request):
        whole = reply(request, 201, PAID, {"Content-Length": "REMOVE", "Connection": "close"})
        return whole.replace(b"Content-Length: REMOVE\r\n", b"")

    bank.script = answer_and_close(answer)
    assert json.loads(dial_up(bank.url).submit(document, key).content) == PAID


def test_a_head_with_a_line_that_is_no_header_is_uncertain(bank, dial_up, document, key):
    """The headers after that line are lost, and with them the answer's length."""

    def answer(request):
        return reply(request, 429, {}).replace(b"\r\n", b"\r\nnot a header\r\n", 1)

    bank.script = answer_and_close(answer)
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "protocol"


def test_a_cut_answer_without_length_is_uncertain(bank, dial_up, document, key):
    """Only TLS's closing alert proves the end of an answer that ends with the connection."""

    def script(request, sock):
        whole = reply(request, 201, PAID, {"Content-Length": "REMOVE", "Connection": "close"})
        sock.sendall(whole.replace(b"Content-Length: REMOVE\r\n", b""))

    bank.script = script
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "half_answer"


def test_what_is_not_http_is_uncertain(bank, dial_up, document, key):
    bank.script = lambda request, sock: b"220 mail.example ESMTP\r\n\r\n"
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "protocol"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 418, 200, 202, 304])
def test_a_status_the_profile_does_not_name_is_uncertain(bank, dial_up, document, key, status):
    bank.script = lambda request, sock: reply(request, status, {})
    failure = submit_fails(Uncertain, dial_up(bank.url), document, key)
    assert failure.http_status == status


def test_a_redirect_is_not_followed(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(
        request, 307, b"", {"Location": bank.url + "/elsewhere"}
    )
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "redirected"
    assert len(bank.requests) == 1


def html(request, sock):
    return reply(request, 201, b"<html>Welcome</html>", {"Content-Type": "text/html"})


def wrong_echo(request, sock):
    return reply(request, 201, PAID, {"X-Request-ID": str(uuid.uuid4())})


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (html, "content_type"),
        (wrong_echo, "wrong_echo"),
        (lambda request, sock: reply(request, 201, PAID, echo=False), "wrong_echo"),
        (lambda request, sock: reply(request, 201, {"no": "id"}), "answer_unreadable"),
        (lambda request, sock: reply(request, 201, {"paymentId": ".."}), "answer_unreadable"),
        (lambda request, sock: reply(request, 201, {"paymentId": {}}), "answer_unreadable"),
        (lambda request, sock: reply(request, 201, [1]), "answer_unreadable"),
        (
            lambda request, sock: reply(
                request, 201, b"[" * 100_000, {"Content-Type": "application/json"}
            ),
            "answer_unreadable",
        ),
        (
            lambda request, sock: reply(request, 201, PAID, {"Content-Encoding": "gzip"}),
            "answer_encoded",
        ),
    ],
)
def test_a_success_that_proves_nothing_is_uncertain(bank, dial_up, document, key, script, code):
    bank.script = script
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == code


def test_a_huge_answer_is_cut_off(bank, dial_up, data, document, key):
    data["limits"] = {"answer_bytes": 100_000}

    def script(request, sock):
        sock.sendall(
            reply(
                request, 201, b"", {"Content-Type": "application/json", "Content-Length": "9" * 10}
            )
        )
        for _ in range(1000):
            sock.sendall(b"x" * 65536)

    bank.script = script
    failure = submit_fails(Uncertain, dial_up(bank.url, profile=data), document, key)
    assert failure.code == "answer_too_large"
    assert 0 < len(failure.content) <= 65536


def test_the_bank_still_working_is_uncertain(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 409, {}, {"Retry-After": "5"})
    failure = submit_fails(Uncertain, dial_up(bank.url), document, key)
    assert (failure.code, failure.retry_after) == ("in_flight", 5)


def test_another_message_under_our_key_is_uncertain(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 422, {})
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "key_conflict"


# Refused, not sent, duplicate


def test_a_refusal_carries_the_banks_reason(bank, dial_up, document, key):
    body = {
        "tppMessages": [
            {"category": "ERROR", "code": "FORMAT_ERROR", "path": "/Document", "text": "No DTD"}
        ]
    }
    bank.script = lambda request, sock: reply(request, 400, body)
    failure = submit_fails(Refused, dial_up(bank.url), document, key)
    assert failure.http_status == 400
    assert [(r.code, r.text, r.path) for r in failure.reasons] == [
        ("FORMAT_ERROR", "No DTD", "/Document")
    ]
    assert json.loads(failure.content) == body


def test_a_refusal_to_another_request_is_uncertain(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 400, {}, {"X-Request-ID": "someone else's"})
    assert submit_fails(Uncertain, dial_up(bank.url), document, key).code == "wrong_echo"


@pytest.mark.parametrize(
    "text", ["17", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-1", "", "9" * 30]
)
def test_a_rate_limit_is_not_sent(bank, dial_up, document, key, text):
    bank.script = lambda request, sock: reply(request, 429, {}, {"Retry-After": text})
    failure = submit_fails(NotSent, dial_up(bank.url), document, key)
    assert failure.code == "rate_limited"
    expected = {"17": 17, "9" * 30: 86400, "Wed, 21 Oct 2015 07:28:00 GMT": 0}
    assert failure.retry_after == expected.get(text)


def test_an_unknown_certificate_is_not_sent(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 401, {})
    failure = submit_fails(NotSent, dial_up(bank.url), document, key)
    assert (failure.code, failure.permanent) == ("not_authorised", True)


def test_a_profile_may_read_a_duplicate_and_a_busy_bank(bank, dial_up, data, document, key):
    """A duplicate is a delivery; 503 is 'not sent' only where the profile vouches for it."""
    data["submit"]["answers"][:0] = [
        {"status": 400, "codes": ["DUPLICATE"], "means": "duplicate"},
        {"status": 503, "needs_header": "Retry-After", "means": "not_sent"},
    ]
    connector = dial_up(bank.url, profile=data)
    duplicate = {"tppMessages": [{"code": "DUPLICATE", "text": "we have it"}]}
    bank.script = lambda request, sock: reply(request, 400, duplicate)
    receipt = connector.submit(document, key)
    assert receipt.duplicate
    assert "payment_id" not in receipt.bank_reference
    bank.script = lambda request, sock: reply(request, 503, {}, {"Retry-After": "9"})
    assert submit_fails(NotSent, connector, document, key).retry_after == 9
    bank.script = lambda request, sock: reply(request, 503, {})
    submit_fails(Uncertain, connector, document, key)


def test_an_early_answer_is_read_although_the_upload_broke(bank, dial_up, key):
    """A bank that refuses by the headers and hangs up is heard."""
    big = Document(b"x" * 4_000_000, "pain.001.001.09", service_level="SEPA")

    def head_only(sock):
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(1024)
        request_id = data.lower().split(b"x-request-id: ")[1].split(b"\r\n")[0].decode()
        request = Request("POST", "/", {"x-request-id": request_id}, b"")
        sock.sendall(reply(request, 413, {}, {"Connection": "close"}))
        time.sleep(0.3)

    bank._read = head_only
    failure = submit_fails(Refused, dial_up(bank.url), big, key)
    assert failure.http_status == 413


# Never leaves


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content": b""}, "empty_content"),
        ({"content": b"x" * 1001}, "too_large"),
        ({"message_name": "pain.008.001.02"}, "no_product"),
    ],
)
def test_what_cannot_be_sent_is_said_before_connecting(bank, dial_up, data, key, changes, code):
    data["limits"] = {"bytes": 1000}
    values = {"content": b"<x/>", "message_name": "pain.001.001.09", **changes}
    failure = submit_fails(NotSent, dial_up(bank.url, profile=data), Document(**values), key)
    assert (failure.code, failure.permanent) == (code, True)
    assert bank.connections == 0


@pytest.mark.parametrize("bad", ["", "42", "a\r\nX-Evil: 1", "{" + str(uuid.uuid4()) + "}"])
def test_a_key_that_is_no_uuid_is_refused(bank, dial_up, document, bad):
    assert submit_fails(NotSent, dial_up(bank.url), document, bad).code == "bad_key"
    assert bank.connections == 0


def test_each_submission_goes_out_on_a_fresh_connection(bank, dial_up, document):
    """A kept connection that the bank has dropped would make a plain refusal uncertain."""
    bank.script = lambda request, sock: reply(request, 201, PAID)
    connector = dial_up(bank.url)
    for _ in range(3):
        connector.submit(document, str(uuid.uuid4()))
    assert bank.connections == 3
