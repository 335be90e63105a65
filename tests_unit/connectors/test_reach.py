"""Before the first byte: whatever goes wrong on the way to the bank is certain and named."""

import hashlib
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import FetchError, Identity, NotSent, SettingsError, Timeouts, Trust
from connectors.guard import permitted
from connectors.peek import peek
from connectors.trace import TransportError
from tests_unit.connectors.server import BankServer, reply


def submit_fails(connector, document, key):
    with pytest.raises(NotSent) as caught:
        connector.submit(document, key)
    assert caught.value.message and caught.value.message.endswith(".")
    return caught.value


def test_an_unknown_name_is_told_as_dns(dial_up, document, key):
    """A name that no DNS knows (RFC 6761 reserves .invalid) is not sent, code dns."""
    assert submit_fails(dial_up("https://bank.invalid"), document, key).code == "dns"


def test_a_closed_port_is_told_as_refused(dial_up, document, key):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failure = submit_fails(dial_up(f"https://127.0.0.1:{port}"), document, key)
    assert failure.code == "connect_refused"
    assert not failure.permanent


def test_a_server_that_never_shakes_hands_is_told_as_tls_timeout(dial_up, document, key):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert submit_fails(dial_up(url), document, key).code == "tls_timeout"


def test_a_full_backlog_is_told_as_connect_timeout(dial_up, document, key):
    """A listener that accepts nobody lets the attempt to connect time out."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        failure = submit_fails(dial_up(f"https://127.0.0.1:{address[1]}"), document, key)
        assert failure.code == "connect_timeout"
        for sock in waiting:
            sock.close()


def test_plain_http_is_told_as_no_tls(server_pair, dial_up, document, key):
    with BankServer(server_pair, plain=True, script=None) as server:
        # The server reads our ClientHello as a request line and answers in clear text.
        server._read = lambda sock: sock.recv(1) and sock.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")
        assert submit_fails(dial_up(server.url), document, key).code == "tls_not_spoken"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"hosts": ["127.0.0.1"], "start": -10, "days": -1}, "tls_expired"),
        ({"hosts": ["127.0.0.1"], "start": 1, "days": 9}, "tls_not_yet_valid"),
        ({"hosts": ["127.0.0.2"]}, "tls_hostname"),
        ({"hosts": ["other.example"]}, "tls_hostname"),
        ({}, "tls_hostname"),
    ],
)
def test_a_wrong_server_certificate_is_named(authority, dial_up, document, key, options, code):
    with BankServer(authority.issue("127.0.0.1", **options), authority.pem) as server:
        assert submit_fails(dial_up(server.url), document, key).code == code
        assert server.fed == 0


def test_another_authority_is_not_trusted(foreign, authority, dial_up, document, key):
    pair = foreign.issue("bank", hosts=["127.0.0.1"])
    with BankServer(pair, authority.pem) as server:
        failure = submit_fails(dial_up(server.url), document, key)
    assert (failure.code, failure.permanent) == ("tls_untrusted", True)


def test_a_self_signed_server_is_trusted_only_if_pinned(authority, dial_up, document, key, foreign):
    """The bank's own certificate may be the anchor, in place of a CA."""
    pair = foreign.issue("bank", hosts=["127.0.0.1"])
    with BankServer(pair, authority.pem) as server:
        server.script = lambda request, sock: reply(request, 201, {"paymentId": "p1"})
        assert submit_fails(dial_up(server.url), document, key).code == "tls_untrusted"
        pinned = dial_up(server.url, trust=Trust(pair.certificate))
        assert pinned.submit(document, key).bank_reference["payment_id"] == "p1"


def test_a_pinned_fingerprint_narrows_the_authority(
    authority, bank, server_pair, dial_up, key, document
):
    """A valid certificate of the trusted CA is refused unless it is the pinned one."""
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "p1"})
    other = authority.issue("other").fingerprint
    wrong = dial_up(bank.url, trust=Trust(authority.pem, (other,)))
    assert submit_fails(wrong, document, key).code == "tls_pin"
    assert not bank.requests
    colons = ":".join(server_pair.fingerprint[i : i + 2].upper() for i in range(0, 64, 2))
    dial_up(bank.url, trust=Trust(authority.pem, (other, colons))).submit(document, key)
    assert len(bank.requests) == 1


def test_a_revoked_server_certificate_is_named(
    authority, server_pair, bank, dial_up, document, key
):
    """With the authority's list a revoked server is refused before a byte is sent."""
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "p1"})
    trust = Trust(authority.pem, crl=authority.revoke(server_pair))
    assert submit_fails(dial_up(bank.url, trust=trust), document, key).code == "tls_revoked"
    assert not bank.requests
    harmless = Trust(authority.pem, crl=authority.revoke(authority.issue("other")))
    assert dial_up(bank.url, trust=harmless).submit(document, key).http_status == 201


def test_an_outdated_or_foreign_revocation_list_is_named(
    authority, foreign, bank, dial_up, document, key
):
    """Without a list that is up to date nobody knows whether the server was revoked."""
    for crl in (authority.revoke(start=-9, days=-2), foreign.revoke()):
        trust = Trust(authority.pem, crl=crl)
        assert submit_fails(dial_up(bank.url, trust=trust), document, key).code == "tls_crl"
    with pytest.raises(SettingsError) as caught:
        dial_up(bank.url, trust=Trust(authority.pem, crl=b"nonsense"))
    assert caught.value.code == "trust"
    assert not bank.requests


# Looking at a certificate without believing it


def test_a_look_shows_the_certificate_and_sends_nothing(foreign, authority):
    """Whoever signed it, for whatever name or time: seen, with not a byte of a request."""
    wrong = {"hosts": ["other.example"], "start": -9, "days": -1}
    for options in ({"hosts": ["127.0.0.1"]}, wrong):
        pair = foreign.issue("bank", **options)
        with BankServer(pair, authority.pem) as server:
            server.context.verify_mode = ssl.CERT_NONE
            shown = peek(server.url, allow_private=True, timeouts=Timeouts(2, 1, 3))
            assert hashlib.sha256(shown).hexdigest() == pair.fingerprint
            assert (server.fed, server.requests) == (0, [])


def test_a_look_changes_no_trust(foreign, authority, dial_up, document, key):
    pair = foreign.issue("bank", hosts=["127.0.0.1"])
    with BankServer(pair, authority.pem) as server:
        peek(server.url, allow_private=True)
        assert submit_fails(dial_up(server.url), document, key).code == "tls_untrusted"


def test_a_look_shows_no_identity_and_reaches_no_internal_address(bank):
    """A server that insists on a certificate gets none; the guard holds here as well."""
    with pytest.raises(FetchError) as caught:
        peek(bank.url)
    assert caught.value.code == "address_refused"
    assert bank.connections == 0
    clear = f"http://127.0.0.1:{bank.port}"
    for url, code in ((clear, "tls_not_spoken"), ("https://bank.invalid", "dns")):
        with pytest.raises(FetchError) as caught:
            peek(url, allow_private=True)
        assert caught.value.code == code


def test_public_authorities_are_not_added(dial_up, bank, document, key):
    """After a real exchange the context still trusts exactly the one given CA."""
    bank.script = lambda request, sock: reply(request, 201, {"paymentId": "p1"})
    connector = dial_up(bank.url)
    connector.submit(document, key)
    assert len(connector.channel.transport.context.get_ca_certs()) == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(server_pair, authority, dial_up, document, key):
    with BankServer(server_pair, authority.pem) as server:
        server.context.minimum_version = ssl.TLSVersion.TLSv1
        server.context.maximum_version = ssl.TLSVersion.TLSv1_1
        server.context.set_ciphers("ALL:@SECLEVEL=0")
        assert submit_fails(dial_up(server.url), document, key).code == "tls_version"


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("tickets", [2, 0])
def test_a_rejected_client_certificate_is_certainly_not_sent(
    server_pair, foreign, dial_up, document, key, tls, tickets
):
    """In TLS 1.3 the alert comes after our side has finished; with session tickets it is seen
    before the request is written, without them on the first read.  Either way the server,
    still in its handshake, reads nothing of the request."""
    with BankServer(server_pair, foreign.pem, tls=tls, tickets=tickets) as server:
        failure = submit_fails(dial_up(server.url), document, key)
        assert (failure.code, failure.permanent) == ("tls_client_rejected", True)
        assert server.fed == 0


def test_a_late_rejection_is_recognised_on_the_first_read(
    server_pair, foreign, dial_up, document, key, monkeypatch
):
    """Even when the request is written before the alert arrives, nothing of it was read."""
    monkeypatch.setattr("connectors.tls.Transport._settle", lambda self, sock: False)
    with BankServer(server_pair, foreign.pem, tls=ssl.TLSVersion.TLSv1_3) as server:
        connector = dial_up(server.url)
        failure = submit_fails(connector, document, key)
        assert failure.code == "tls_client_rejected"
        assert connector.channel.transport.trace.writing
        assert server.fed == 0


def test_our_expired_certificate_does_not_leave(authority, bank, dial_up, document, key):
    old = authority.issue("Customer", start=-30, days=-1)
    connector = dial_up(bank.url, identity=Identity(old.certificate, old.key_pem()))
    assert submit_fails(connector, document, key).code == "certificate_expired"
    assert bank.connections == 0


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:102:304:0:ffff:80ff:fffe",  # Teredo for client 127.0.0.1
    ],
)
def test_internal_addresses_are_refused(address):
    assert not permitted(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_permitted(address):
    assert permitted(address)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_in_ipv6_changes_nothing(address):
    """An IPv4 address is judged alike however it is spelt."""
    assert permitted(f"::ffff:{address}") == permitted(str(address))
    assert permitted(f"::ffff:{address}", allow_private=True) == permitted(
        str(address), allow_private=True
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_is_not_contacted_unless_allowed(dial_up, bank, document, key, host):
    connector = dial_up(f"https://{host}:{bank.port}", allow_private=False)
    failure = submit_fails(connector, document, key)
    assert (failure.code, failure.permanent) == ("address_refused", True)
    assert bank.connections == 0


def test_the_address_checked_is_the_address_connected_to(dial_up, bank, document, key, monkeypatch):
    """A name is resolved once: a second, different answer (DNS rebinding) is never asked for."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    real, dialled = socket.getaddrinfo, []

    def rebinding(host, port, *args, **kwargs):
        return real(next(answers), port, *args, **kwargs)

    def connecting(addresses, timeout, trace):
        dialled.extend(sockaddr[0] for _, sockaddr in addresses)
        raise TransportError("connect_refused")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("connectors.dial._connect", connecting)
    connector = dial_up(f"https://bank.example:{bank.port}", allow_private=False)
    submit_fails(connector, document, key)
    assert dialled == ["8.8.8.8"]
    assert next(answers) == "127.0.0.1", "it was not asked a second time"


# Settings that cannot work


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example",
        "bank.example",
        "https://",
        "https://user:pw@bank.example",
        "https://bank.example/?a=b",
        "https://bank.example:99999",
        "ftp://bank.example",
        "https://bank.example/a b",
        "https://bank.example/a\nb",
    ],
)
def test_only_plain_https_addresses_are_taken(dial_up, url):
    with pytest.raises(SettingsError) as caught:
        dial_up(url)
    assert caught.value.code == "url"
    assert "pw" not in str(caught.value)
