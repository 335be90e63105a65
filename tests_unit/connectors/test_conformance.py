"""Against a mock made from the Berlin Group's own OpenAPI file, which finds fault with requests.

Needs ``prism`` (npm package ``@stoplight/prism-cli``, which bin/setup fetches where it finds the
file) and the file, in a folder ``spec`` beside the checkout or where ``BERLIN_GROUP_OPENAPI`` says.
The mock speaks plain HTTP; a TLS server stands before it.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from dataclasses import replace

import pytest

import connectors
from connectors import Document
from support import prism
from tests_unit.connectors.server import BankServer

PRISM, OPENAPI = prism.program(), prism.openapi()

pytestmark = pytest.mark.skipif(
    not (PRISM and OPENAPI),
    reason="needs prism (npm's @stoplight/prism-cli) and the Berlin Group's OpenAPI file, in a "
    "folder spec beside the checkout or named in BERLIN_GROUP_OPENAPI",
)


@pytest.fixture(scope="module")
def mock():
    """Return the port of a running prism mock; the process group ends with the tests."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [PRISM, "mock", OPENAPI, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            assert process.poll() is None, "prism ended at once"
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        else:
            pytest.fail("prism did not open its port within a minute")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


class Front:
    """Passes each request on to the mock, and keeps what the mock objects to in requests."""

    def __init__(self, port):
        self.port = port
        self.violations = []

    def __call__(self, request, sock):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {k: v for k, v in request.headers.items() if k != "host"}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        for violation in json.loads(answer.headers.get("sl-violations", "[]")):
            # The mock also finds fault with the examples it answers with.
            if violation["location"][0] == "request":
                self.violations.append(violation)
        head = [f"HTTP/1.1 {answer.status} Mock", f"Content-Length: {len(body)}"]
        head += [f"{k}: {answer.headers[k]}" for k in ("Content-Type",) if k in answer.headers]
        connection.close()
        return "\r\n".join([*head, "", ""]).encode() + body


@pytest.fixture
def front(mock, bank: BankServer):
    bank.script = Front(mock)
    return bank.script


@pytest.fixture
def connector(front, bank, dial_up):
    data = connectors.profile("berlin_group")
    data["key"]["echo"] = "ignored"  # the mock answers with an X-Request-ID of its own making
    variables = {"contract_id": "C-1", "consent_id": "K-1", "psu_ip_address": "192.0.2.1"}
    return dial_up(
        bank.url,
        profile=data,
        variables=variables,
        accounts={"DE02120300000000202051": str(uuid.uuid4())},
        timeouts=connectors.Timeouts(connect=5, read=30, total=60),
    )


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize(
    "hints", [{"service_level": "SEPA"}, {"service_level": "URGP"}, {"instant": True}, {}]
)
def test_submissions_and_questions_follow_the_standard(connector, front, key, batch, hints):
    document = Document(b"<Document/>", "pain.001.001.09", batch=batch, **hints)
    receipt = connector.submit(document, key)
    assert receipt.http_status == 201
    assert receipt.status
    asked = replace(document, reference=receipt.bank_reference)
    assert connector.inquire(key, asked).http_status == 200
    assert front.violations == []


def test_reading_follows_the_standard(connector, front):
    (remote,) = connector.list(["camt.053"])
    connector.fetch(remote)
    assert connector.check().permissions["accounts"]
    assert front.violations == []


def test_the_mock_does_find_fault(connector, front, key):
    """The proof that the silence above means something: a request without its IP address."""
    broken = dict(connector.profile.headers)
    del broken["PSU-IP-Address"]
    connector.profile = replace(connector.profile, headers=broken)
    with pytest.raises(connectors.Outcome):
        connector.submit(Document(b"<Document/>", "pain.001.001.09"), key)
    assert front.violations
