"""The bank calls: signed, again until it is heard, and wrongly where the fault plan says so."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from jwcrypto import jwk, jws

from sandbox.pki import Authority


@pytest.fixture
def listener():
    """An address that notes what it is sent; ``answers`` are used up, then 204."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.calls.append((dict(self.headers), body))
            self.send_response(server.answers.pop(0) if server.answers else 204)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def called(bank, channel_at, listener, wait_until):
    """Enrol with a webhook, have a document issued, and wait for so many calls."""
    def work(form="hmac", count=1, answers=(), fault=None, **hook):
        listener.answers[:] = answers
        client = channel_at(bank, "bearer", hook={"url": listener.url, "form": form, **hook})
        if fault:
            bank.fault(point="notify", action=fault, times=1)
        bank.desk("POST", "/admin/credit", json={"iban": client.account["iban"],
                                                 "amount": "1.00"})
        wait_until(lambda: len(listener.calls) >= count)
        return client, listener.calls
    return work


def right_hmac(client, headers, body, secret=None):
    told = client.contract["webhook"]
    text = headers[told["timestampHeader"]] + told["between"]
    mark = hmac.new((secret or told["secret"]).encode(), text.encode() + body, hashlib.sha256)
    return mark.hexdigest() == headers[told["signatureHeader"]]


def read_jws(client, headers, body):
    head, empty, mark = headers[client.contract["webhook"]["signatureHeader"]].split(".")
    assert empty == ""
    shown = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    token = jws.JWS()
    token.deserialize(f"{head}.{shown}.{mark}")
    token.verify(jwk.JWK.from_pem(client.bank_certificate), "PS256")
    return json.loads(base64.urlsafe_b64decode(head + "=="))


def test_a_call_is_signed_with_the_shared_secret(bank, called):
    client, calls = called(headers={"X-Odoo-Database": "books"}, secret="s3cret")
    headers, body = calls[0]
    assert right_hmac(client, headers, body, "s3cret")
    assert headers["X-Odoo-Database"] == "books"
    assert abs(int(headers["X-Timestamp"]) - time.time()) < 30
    document = client.request("GET", "/api/reports").json()["documents"][0]
    assert json.loads(body)["documentId"] == document["id"]


def test_or_with_the_banks_key(called):
    client, calls = called("jws")
    header = read_jws(client, *calls[0])
    assert abs(header["iat"] - time.time()) < 30
    assert header["jti"]


def test_a_call_is_repeated_until_it_is_heard(bank, called, wait_until):
    """With a signature of its own each time; a redirection is no answer, and not followed."""
    client, calls = called(count=3, answers=[500, 302])
    assert all(right_hmac(client, *call) for call in calls)
    row = wait_until(lambda: [row for row in bank.desk("GET", "/admin/notifications")[
        "notifications"] if row["done"]])[0]
    assert (row["tries"], row["result"]) == (3, "204")
    assert len(calls) == 3


@pytest.mark.parametrize("form", ["hmac", "jws"])
@pytest.mark.parametrize("fault", ["forge", "alter", "stale", "replay"])
def test_the_fault_plan_calls_wrongly(called, form, fault):
    """The first call is wrong; refused, it is followed by a right one."""
    client, calls = called(form, 2, [204] if fault == "replay" else [401], fault)

    def good(headers, body):
        if form == "hmac":
            return right_hmac(client, headers, body)
        try:
            return bool(read_jws(client, headers, body))
        except jws.InvalidJWSSignature:
            return False

    assert good(*calls[1])
    assert good(*calls[0]) == (fault in ("stale", "replay"))
    if fault == "replay":
        assert calls[0][1] == calls[1][1]
        name = client.contract["webhook"]["signatureHeader"]
        assert calls[0][0][name] == calls[1][0][name]
    if fault == "stale":
        headers, body = calls[0]
        moment = int(headers["X-Timestamp"]) if form == "hmac" else read_jws(
            client, headers, body)["iat"]
        assert moment < time.time() - 3000


def test_a_lost_call_is_never_made(bank, channel_at, listener, wait_until):
    client = channel_at(bank, "bearer", hook={"url": listener.url, "form": "hmac"})
    bank.fault(point="notify", action="lose", times=1)
    bank.desk("POST", "/admin/credit", json={"iban": client.account["iban"], "amount": "1.00"})
    wait_until(lambda: [row for row in bank.desk("GET", "/admin/notifications")[
        "notifications"] if row["done"]])
    assert listener.calls == []


@pytest.mark.parametrize("known", [True, False])
def test_only_an_address_that_proves_itself_is_called(bank, channel_at, listener, wait_until,
                                                      tmp_path, known):
    """Over TLS, with a certificate of the authority that the customer named, and of no other."""
    authorities = [Authority(tmp_path / name) for name in ("own", "another")]
    for authority in authorities:
        authority.create("Somebody")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authorities[0].server, authorities[0].server_key)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    client = channel_at(bank, "bearer", hook={
        "url": f"https://localhost:{listener.server_port}/hook", "form": "hmac",
        "ca": authorities[0 if known else 1].ca.read_text()})
    bank.desk("POST", "/admin/credit", json={"iban": client.account["iban"], "amount": "1.00"})
    row = wait_until(lambda: [row for row in bank.desk("GET", "/admin/notifications")[
        "notifications"] if row["tries"]])[0]
    assert row["done"] == known, row
    assert len(listener.calls) == known
