"""Nothing secret is shown, and nothing from outside the settings has a say."""

import contextlib
import os
import pathlib
import re
import socket
import threading
import traceback

import pytest

import connectors
from connectors import Identity, Outcome, SettingsError, Trust
from connectors.exchange import mask_text
from tests_unit.connectors.server import reply

SECRETS = {
    "contract_id": "planted-contract-81",
    "consent_id": "planted consent/82",
    "psu_ip_address": "198.51.100.83",
}


def everything(error):
    """All that a log or a screen could show of an exception."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@pytest.fixture
def planted(authority):
    pair = authority.issue("planted")
    key = pair.key_pem("planted-password-84")
    return Identity(pair.certificate, key, "planted-password-84")


def test_secrets_appear_neither_in_errors_nor_in_the_log(
    bank, dial_up, make_settings, planted, document, key, data, caplog
):
    """Known secrets are planted in every setting, then searched for wherever text comes out."""
    seen = []
    data["submit"]["path"] = "/v1/{consent_id}/{service}/{product}"
    settings = {
        "profile": data,
        "variables": SECRETS,
        "identity": planted,
        "observer": seen.append,
    }
    connector = dial_up(bank.url, **settings)
    texts = [repr(make_settings(bank.url, **settings)), repr(connector)]
    scripts = [
        lambda request, sock: reply(request, 201, {"paymentId": "1"}),
        lambda request, sock: reply(request, 500, {}),
        lambda request, sock: b"nonsense\r\n\r\n",
        bank.hang_up,
        bank.hang,
    ]
    for script in scripts:
        bank.script = script
        try:
            connector.submit(document, key)
        except Outcome as error:
            texts.append(everything(error))
    assert len(bank.requests) == len(seen) == 5
    assert SECRETS["contract_id"] in str(bank.requests[0].headers), "they were really used"
    texts += [repr(exchange) for exchange in seen] + [caplog.text]
    body = planted.private_key.decode().splitlines()[2]
    for secret in [*SECRETS.values(), "planted%20consent%2F82", planted.password, body]:
        assert not [text for text in texts if secret in text], secret


def test_an_exchange_is_recorded_with_what_operators_need(bank, dial_up, document, key):
    seen = []
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    dial_up(bank.url, observer=seen.append).submit(document, key)
    (exchange,) = seen
    assert (exchange.method, exchange.status, exchange.error) == ("POST", 201, None)
    assert exchange.correlation_id == key
    assert exchange.request_size == len(document.content)
    assert exchange.response_size == len(b'{"paymentId": "1"}')
    assert 0 < exchange.duration < 3
    assert exchange.tls_version == "TLSv1.3"
    assert exchange.request_headers["Content-Type"] == "application/xml"
    assert exchange.request_headers["PSU-Corporate-ID"] == "***"


def test_a_failing_log_does_not_fail_a_payment(bank, dial_up, document, key, caplog):
    def observer(exchange):
        raise RuntimeError("disk full")

    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    assert dial_up(bank.url, observer=observer).submit(document, key).status is None
    assert "disk full" in caplog.text


def test_account_numbers_are_shortened():
    text = mask_text("https://b/v1/accounts/DE02120300000000202051/x?i=FR1420041010050500013M02606")
    assert text == "https://b/v1/accounts/DE02***2051/x?i=FR14***2606"


# Keys and certificates


def test_an_encrypted_key_works(bank, dial_up, planted, document, key):
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    assert dial_up(bank.url, identity=planted).submit(document, key).http_status == 201


def test_a_key_leaves_no_file(bank, make_settings, monkeypatch, tmp_path):
    """Also where the system has no memory files, the temporary one is gone at once."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with connectors.connect("rest", make_settings(bank.url)):
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda i: Identity(b"nonsense", i.private_key, i.password), "certificate"),
        (lambda i: Identity(i.certificate, b"nonsense"), "key"),
        (lambda i: Identity(i.certificate, i.private_key, "wrong-pw-1"), "key_password"),
        (lambda i: Identity(i.certificate, i.private_key), "key_password"),
    ],
)
def test_unusable_keys_are_named(make_settings, planted, change, code):
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", identity=change(planted)))
    assert caught.value.code == code
    assert "wrong-pw-1" not in everything(caught.value)


def test_a_key_of_another_certificate_is_named(make_settings, authority, client):
    other = authority.issue("other")
    identity = Identity(client.certificate, other.key_pem())
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", identity=identity))
    assert caught.value.code == "key_mismatch"


@pytest.mark.parametrize(
    "trust", [Trust(b""), Trust(b"nonsense"), Trust(b"\xff"), "pin"]
)  # fmt: skip
def test_unusable_trust_is_named(make_settings, authority, trust):
    trust = Trust(authority.pem, ("abc",)) if trust == "pin" else trust
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", trust=trust))
    assert caught.value.code == "trust"


# The environment and the library


def test_the_environment_has_no_say(bank, dial_up, document, key, monkeypatch, tmp_path, foreign):
    """Neither its proxies, nor its CA bundles, nor a .netrc."""
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(foreign.pem)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password planted\n")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setenv("NETRC", str(netrc))
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    dial_up(bank.url).submit(document, key)
    assert "authorization" not in bank.requests[0].headers


def test_cookies_are_not_kept(bank, dial_up, document, key):
    bank.script = lambda request, sock: reply(
        request, 201, {"paymentId": "1"}, {"Set-Cookie": "s=1; Path=/"}
    )
    connector = dial_up(bank.url)
    connector.submit(document, key)
    connector.submit(document, key)
    assert "cookie" not in bank.requests[1].headers


@pytest.mark.parametrize(
    "options",
    [
        {"verify": False},
        {"verify": "/ca.pem"},
        {"cert": "/c.pem"},
        {"proxies": {"https": "http://p"}},
    ],
)
def test_verification_cannot_be_switched_off(bank, dial_up, options):
    session = dial_up(bank.url).channel.session
    with pytest.raises(ValueError):
        session.get(bank.url, **options)
    assert bank.connections == 0


def test_no_code_switches_verification_off():
    folder = pathlib.Path(connectors.__file__).parent
    weak = re.compile(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_unverified_")
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 10
    # To look at a certificate before anybody trusts it; it can't send (see test_reach).
    assert [path.name for path in sources if weak.search(path.read_text())] == ["peek.py"]


def test_plain_http_has_no_way_out(bank, dial_up):
    import requests

    with pytest.raises(requests.exceptions.InvalidSchema):
        dial_up(bank.url).channel.session.get("http://127.0.0.1/")


# Proxies


class Proxy:
    """A CONNECT proxy that answers with a given status, and tunnels on 200."""

    def __init__(self, status):
        self.status, self.heads = status, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.name = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        client, _ = self.listener.accept()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.heads.append(head)
        client.sendall(b"HTTP/1.1 %d Text\r\n\r\n" % self.status)
        if self.status != 200:
            client.close()
            return
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)
        server = socket.create_connection((host, int(port)))

        def pump(source, target):
            while data := source.recv(65536):
                target.sendall(data)
            with contextlib.suppress(OSError):  # already gone
                target.shutdown(socket.SHUT_WR)

        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)


def test_a_proxy_tunnels_and_sees_no_request(bank, dial_up, document, key):
    proxy = Proxy(200)
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "1"})
    dial_up(bank.url, proxy=f"http://user:planted-85@{proxy.name}").submit(document, key)
    assert b"Proxy-Authorization: Basic " in proxy.heads[0]
    assert b"PSU-" not in proxy.heads[0]
    assert "proxy-authorization" not in bank.requests[0].headers


@pytest.mark.parametrize(("status", "code"), [(407, "proxy_auth"), (502, "proxy_refused")])
def test_a_refusing_proxy_is_told_apart(bank, dial_up, document, key, status, code):
    proxy = Proxy(status)
    connector = dial_up(bank.url, proxy=f"http://user:planted-85@{proxy.name}")
    with pytest.raises(connectors.NotSent) as caught:
        connector.submit(document, key)
    assert caught.value.code == code
    assert proxy.name in caught.value.message
    assert "planted-85" not in everything(caught.value)


def test_a_dead_proxy_is_told_apart(bank, dial_up, document, key):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(connectors.NotSent) as caught:
        dial_up(bank.url, proxy=f"http://127.0.0.1:{port}").submit(document, key)
    assert caught.value.code == "proxy_unreachable"


def test_a_proxy_does_not_open_the_way_inside(bank, dial_up, document, key):
    proxy = Proxy(200)
    for host in ("127.0.0.1", "localhost", "[::ffff:10.0.0.1]"):
        connector = dial_up(
            f"https://{host}:{bank.port}", proxy=f"http://{proxy.name}", allow_private=False
        )
        with pytest.raises(connectors.NotSent) as caught:
            connector.submit(document, key)
        assert caught.value.code == "address_refused"
    assert not proxy.heads


@pytest.mark.parametrize("proxy", ["socks5://h:1", "proxy:8080", "http://", "http://h/path"])
def test_an_unusable_proxy_is_named(make_settings, proxy):
    with pytest.raises(SettingsError) as caught:
        connectors.connect("rest", make_settings("https://b.example", proxy=proxy))
    assert caught.value.code == "proxy"
