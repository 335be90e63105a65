"""Asking and reading: nothing is believed that does not fit, and nothing is lost on the way."""

import base64
import hashlib
import json
import uuid
from dataclasses import replace
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import FetchError, RemoteDocument, Unavailable
from tests_unit.connectors.server import reply

KNOWN = {"payment_id": "p/1 ä", "service": "bulk-payments", "product": "prod"}
STATEMENT = b"<Document>camt</Document>"


def unknown(request, sock):
    return reply(request, 404, {"tppMessages": [{"code": "RESOURCE_UNKNOWN"}]})


# Asking


def test_a_known_payment_is_asked_by_its_reference(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 200, {"transactionStatus": "ACSC"})
    receipt = dial_up(bank.url).inquire(key, replace(document, reference=KNOWN))
    assert receipt.status == "ACSC"
    assert receipt.key == key
    assert receipt.bank_reference == KNOWN
    (request,) = bank.requests
    assert request.path == "/v1/bulk-payments/prod/p%2F1%20%C3%A4/status"
    assert request.headers["consent-id"] == "consent-77"
    assert uuid.UUID(request.headers["x-request-id"]) != uuid.UUID(key)


def test_a_status_as_pain002_is_handed_over_unread(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(
        request, 200, b"<pain/>", {"Content-Type": "application/xml; charset=utf-8"}
    )
    receipt = dial_up(bank.url).inquire(key, replace(document, reference=KNOWN))
    assert (receipt.status, receipt.content) == (None, b"<pain/>")
    assert receipt.content_type == "application/xml"


def test_a_lost_receipt_is_recovered_by_the_key(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(
        request,
        200,
        {
            "paymentId": "p1",
            "paymentService": "bulk-payments",
            "paymentProduct": "prod",
            "transactionStatus": "RCVD",
            "sha256": document.sha256,
        },
    )
    receipt = dial_up(bank.url).inquire(key, document)
    assert receipt.bank_reference == {
        "payment_id": "p1",
        "service": "bulk-payments",
        "product": "prod",
    }
    assert bank.requests[0].path == f"/v1/submissions/{key}"


def test_the_bank_not_knowing_a_key_is_none(bank, dial_up, document, key):
    bank.script = unknown
    assert dial_up(bank.url).inquire(key, document) is None


@pytest.mark.parametrize(
    "script",
    [
        lambda request, sock: reply(request, 404, b"<html>", {"Content-Type": "text/html"}),
        lambda request, sock: reply(request, 404, {}),
        lambda request, sock: reply(request, 404, {"tppMessages": [{"code": "OTHER"}]}),
        lambda request, sock: reply(request, 410, {"tppMessages": [{"code": "RESOURCE_UNKNOWN"}]}),
        lambda request, sock: reply(
            request,
            404,
            {"tppMessages": [{"code": "RESOURCE_UNKNOWN"}]},
            {"X-Request-ID": str(uuid.uuid4())},
        ),
    ],
)
def test_not_every_404_frees_a_payment(bank, dial_up, document, key, script):
    """Only the bank's own word that it does not know the key; not a gateway's page."""
    bank.script = script
    with pytest.raises(FetchError):
        dial_up(bank.url).inquire(key, document)


def test_other_content_under_our_key_is_an_error(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(request, 200, {"paymentId": "p", "sha256": "0" * 64})
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url).inquire(key, document)
    assert caught.value.code == "inquiry_mismatch"


def test_a_forgotten_reference_is_not_none(bank, dial_up, document, key):
    """A bank that gave a reference and denies it contradicts itself: no reason to resend."""
    bank.script = unknown
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url).inquire(key, replace(document, reference=KNOWN))
    assert caught.value.code == "payment_unknown"


def test_a_bank_without_a_way_to_ask_says_so(bank, dial_up, data, document, key):
    del data["inquiry"]
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url, profile=data).inquire(key, document)
    assert caught.value.code == "cannot_inquire"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, Unavailable, "rate_limited"),
        (500, Unavailable, "http_500"),
        (503, Unavailable, "http_503"),
        (401, FetchError, "not_authorised"),
        (400, FetchError, "http_400"),
        (302, FetchError, "redirected"),
    ],
)
def test_reading_is_never_uncertain(bank, dial_up, document, key, status, kind, code):
    bank.script = lambda request, sock: reply(request, status, {}, {"Location": "/x"})
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url).inquire(key, document)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_broken_read_can_be_tried_again(bank, dial_up, document, key):
    bank.script = bank.hang_up
    with pytest.raises(Unavailable):
        dial_up(bank.url).inquire(key, document)


def test_an_endless_document_is_no_passing_trouble(bank, dial_up, data):
    data["limits"] = {"answer_bytes": 10}
    bank.script = xml
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url, profile=data).fetch(remote())
    assert type(caught.value) is FetchError
    assert caught.value.code == "answer_too_large"


# The mailbox


def entry(number, kind="camt.053", content=STATEMENT, **changes):
    return {
        "id": f"d{number}",
        "kind": kind,
        "messageName": f"{kind}.001.08",
        "name": f"{number}.xml",
        "created": "2026-11-20T18:00:00Z",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **changes,
    }


def pages(*lists):
    """Serve the lists as pages that link to each other."""

    def script(request, sock):
        number = int(parse_qs(urlsplit(request.path).query).get("page", ["0"])[0])
        body = {"documents": lists[number]}
        if number + 1 < len(lists):
            body["_links"] = {"next": {"href": f"/v1/documents?page={number + 1}"}}
        return reply(request, 200, body)

    return script


def test_listing_goes_through_all_pages(bank, dial_up):
    bank.script = pages([entry(1), entry(2)], [entry(3)], [])
    since = datetime(2026, 11, 1, tzinfo=timezone.utc)
    found = list(dial_up(bank.url).list(["camt.053", "pain.002"], since))
    assert [remote.id for remote in found] == ["d1", "d2", "d3"]
    assert found[0].created == datetime(2026, 11, 20, 18, tzinfo=timezone.utc)
    assert found[0].message_name == "camt.053.001.08"
    query = parse_qs(urlsplit(bank.requests[0].path).query)
    assert query == {
        "kind": ["camt.053,pain.002"],
        "since": ["2026-11-01T00:00:00+00:00"],
        "status": ["new"],
    }


def test_other_kinds_are_left_where_they_are(bank, dial_up):
    bank.script = pages([entry(1), entry(2, "camt.054")])
    assert [r.id for r in dial_up(bank.url).list({"camt.054"})] == ["d2"]


def test_one_spoilt_line_hides_no_other_and_is_not_hidden(bank, dial_up):
    bank.script = pages([entry(1), {"id": ".."}, 7], [entry(3)])
    found = []
    with pytest.raises(FetchError) as caught:
        for remote in dial_up(bank.url).list([]):
            found.append(remote.id)
    assert found == ["d1", "d3"]
    assert caught.value.code == "listing_unreadable"
    assert "page 1, item 2" in caught.value.detail


def test_a_list_that_goes_round_in_circles_ends(bank, dial_up):
    bank.script = lambda request, sock: reply(
        request, 200, {"documents": [], "_links": {"next": {"href": "/v1/documents?page=1"}}}
    )
    with pytest.raises(FetchError) as caught:
        list(dial_up(bank.url).list([]))
    assert caught.value.code == "listing_endless"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/documents",
        "//evil.example/x",
        "http://127.0.0.1/x",
        "https://127.0.0.1:1/x",
        "https://user@127.0.0.1/x",
        "https://[broken",
        "file:///etc/passwd",
    ],
)
def test_a_link_to_elsewhere_is_not_followed(bank, dial_up, link):
    """Our certificate, consent and contract id go to the bank's own origin only."""
    bank.script = lambda request, sock: reply(
        request, 200, {"documents": [], "_links": {"next": {"href": link}}}
    )
    with pytest.raises(FetchError) as caught:
        list(dial_up(bank.url).list([]))
    assert caught.value.code == "foreign_link"
    assert len(bank.requests) == 1


@pytest.mark.parametrize("body", [[], {"documents": None}, {"documents": {}}, {}])
def test_a_list_that_is_none_is_an_error(bank, dial_up, body):
    bank.script = lambda request, sock: reply(request, 200, body)
    with pytest.raises(FetchError) as caught:
        list(dial_up(bank.url).list([]))
    assert caught.value.code == "listing_unreadable"


def xml(request, sock, content=STATEMENT, **headers):
    return reply(request, 200, content, {"Content-Type": "application/xml", **headers})


def remote(**changes):
    values = {
        "id": "d/1",
        "kind": "camt.053",
        "size": len(STATEMENT),
        "sha256": hashlib.sha256(STATEMENT).hexdigest(),
    }
    return RemoteDocument(**{**values, **changes})


def digest(content):
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_a_document_is_fetched_exactly(bank, dial_up):
    bank.script = lambda request, sock: xml(request, sock, Digest=f"SHA-256={digest(STATEMENT)}")
    assert dial_up(bank.url).fetch(remote()) == STATEMENT
    assert bank.requests[0].path == "/v1/documents/d%2F1"
    assert bank.requests[0].headers["accept"] == "application/xml"


@pytest.mark.parametrize(
    ("changes", "headers", "code"),
    [
        ({"size": 3}, {}, "size_mismatch"),
        ({"sha256": "0" * 64}, {}, "digest_mismatch"),
        ({}, {"Digest": f"SHA-256={digest(b'other')}"}, "digest_mismatch"),
        ({}, {"Content-Digest": f"sha-256=:{digest(b'other')}:"}, "digest_mismatch"),
        ({}, {"Content-Type": "text/html"}, "content_type"),
        ({}, {"X-Request-ID": "another"}, "wrong_echo"),
    ],
)
def test_a_document_that_does_not_fit_is_not_taken(bank, dial_up, changes, headers, code):
    bank.script = lambda request, sock: xml(request, sock, **headers)
    with pytest.raises(FetchError) as caught:
        dial_up(bank.url).fetch(remote(**changes))
    assert caught.value.code == code


def test_acknowledging_is_told_once_and_harmless_twice(bank, dial_up):
    connector = dial_up(bank.url)
    bank.script = lambda request, sock: reply(request, 204, b"")
    connector.acknowledge(remote())
    bank.script = unknown
    connector.acknowledge(remote())
    assert [(r.method, r.path) for r in bank.requests] == [("DELETE", "/v1/documents/d%2F1")] * 2
    bank.script = lambda request, sock: reply(request, 500, {})
    with pytest.raises(Unavailable):
        connector.acknowledge(remote())


def test_reading_keeps_its_connection(bank, dial_up):
    bank.script = xml
    connector = dial_up(bank.url)
    for _ in range(3):
        connector.fetch(remote())
    assert (len(bank.requests), bank.connections) == (3, 1)


# Banks without a mailbox


def test_statements_are_read_per_account(bank, make_settings, dial_up):
    now = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
    connector = dial_up(
        bank.url + "/psd2",
        profile="berlin_group",
        variables={"contract_id": "C", "consent_id": "K", "psu_ip_address": "192.0.2.1"},
        accounts={"DE02120300000000202051": "acc/1", "FR1420041010050500013M02606": "acc2"},
        now=lambda: now,
    )
    since = datetime(2026, 11, 20, 23, tzinfo=timezone.utc)
    found = list(connector.list(["camt.053"], since))
    assert len(found) == 2
    assert not list(connector.list(["pain.002"], since))
    bank.script = xml
    assert connector.fetch(found[0]) == STATEMENT
    path, _, query = bank.requests[0].path.partition("?")
    assert path == "/psd2/v1/accounts/acc%2F1/transactions"
    assert parse_qs(query) == {
        "dateFrom": ["2026-11-20"],
        "dateTo": ["2026-11-23"],
        "bookingStatus": ["booked"],
    }
    connector.acknowledge(found[0])
    assert len(bank.requests) == 1, "such a bank wants no acknowledgement"
    with pytest.raises(FetchError):
        connector.fetch(replace(found[0], href="https://evil.example/"))


def test_amounts_in_answers_never_become_floats(bank, dial_up):
    """What the bank says about the contract keeps its decimals."""
    bank.script = lambda request, sock: reply(
        request, 200, b'{"limit": 0.10}', {"Content-Type": "application/json"}
    )
    health = dial_up(bank.url).check()
    assert str(health.permissions["limit"]) == "0.10"
    assert json.dumps(str(health.permissions["limit"])) == '"0.10"'
