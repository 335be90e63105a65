"""Reaching an SFTP server: only the known host key is believed, and every failure is named."""

import asyncio
import base64
import hashlib
import socket
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from connectors import Identity, NotSent, SettingsError, Timeouts, Trust, Unavailable
from connectors.registry import connect
from connectors.settings import Settings


def refused(connector, document, key):
    with pytest.raises(NotSent) as caught:
        connector.submit(document, key)
    assert caught.value.message.endswith(".")
    return caught.value


def pin(server):
    """The fingerprint as ssh-keygen would show it, from the public key file alone."""
    blob = base64.b64decode(server.host_key.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_host_key_is_known_by_line_or_by_fingerprint(sshd, sftp, pain, key, kind):
    """Of each kind, though a fingerprint does not tell which kind it is of."""
    server = sshd(host_key=kind)
    assert sftp(server).submit(pain, key).duplicate is False
    pinned = sftp(server, trust=Trust(b"", (pin(server),)))
    assert pinned.submit(pain, key).duplicate
    assert pinned.line.shown == pin(server)
    known = f"bank.example,192.0.2.1 {server.host_key}"
    assert sftp(server, trust=Trust(known.encode(), (pin(server),))).submit(pain, key).duplicate


def test_another_host_key_is_refused_before_the_login(mailbox, sftp, pain, key, ssh_keys):
    """Nothing is learned: the same server is refused again and again, and sees no user."""
    other = ssh_keys("ed25519", "other")[1]
    for trust in (
        Trust(other.encode()),
        Trust(b"", ("SHA256:" + "A" * 43,)),
        Trust(mailbox.host_key.encode(), ("SHA256:" + "A" * 43,)),
    ):
        for _ in range(2):
            failure = refused(sftp(mailbox, trust=trust), pain, key)
            assert (failure.code, failure.permanent) == ("ssh_untrusted", True)
            assert pin(mailbox) in failure.detail
    assert "publickey" not in mailbox.log()


def test_a_host_key_of_another_kind_is_refused(sshd, sftp, pain, key, ssh_keys):
    """Where the known key is RSA, a server that has none is not even asked for another."""
    failure = refused(sftp(sshd(), trust=Trust(ssh_keys("rsa")[1].encode())), pain, key)
    assert failure.code == "ssh_algorithms"


def test_weak_algorithms_are_not_spoken(sshd, sftp, pain, key):
    server = sshd(more="Ciphers aes128-cbc\nMACs hmac-sha2-256")
    assert refused(sftp(server), pain, key).code == "ssh_algorithms"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_every_kind_log_in(sshd, sftp, pain, key, ssh_keys, kind):
    server = sshd()
    private, public = ssh_keys(kind)
    with (server.home / "authorized_keys").open("a") as file:
        file.write(public)
    assert sftp(server, identity=Identity(b"", private)).submit(pain, key)


def test_the_server_starts_without_the_client_s_programs(sshd, sftp, pain, key, monkeypatch):
    """A fresh Debian has no ssh-keygen, and bin/setup brings the server alone."""
    monkeypatch.setenv("PATH", "")
    assert sftp(sshd()).submit(pain, key)


def test_a_pem_key_under_a_password_logs_in(sshd, sftp, pain, key, authority):
    """As Odoo keeps private keys: PKCS#8."""
    pair = authority.issue("us")
    loaded = serialization.load_pem_private_key(pair.key_pem(), None)
    public = loaded.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    sealed = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    server = sshd()
    (server.home / "authorized_keys").write_bytes(public)
    assert sftp(server, identity=Identity(b"", sealed, "secret")).submit(pain, key)


def test_a_login_the_bank_does_not_know_is_named(mailbox, sftp, pain, key, ssh_keys):
    stranger = Identity(b"", ssh_keys("ed25519", "stranger")[0])
    failure = refused(sftp(mailbox, identity=stranger), pain, key)
    assert (failure.code, failure.permanent) == ("ssh_login", True)


def test_a_server_that_allows_no_sftp_is_named(sshd, sftp, pain, key):
    assert refused(sftp(sshd(serves=False)), pain, key).code == "ssh_session"


def test_a_password_logs_in_where_the_bank_wants_one(sftp_data, pain, key, ssh_keys, tmp_path):
    """Against another server software, which keeps passwords of its own."""
    asyncssh = pytest.importorskip("asyncssh")
    (tmp_path / "in").mkdir()

    class Desk(asyncssh.SSHServer):
        def begin_auth(self, username):
            return True

        def password_auth_supported(self):
            return True

        def validate_password(self, username, password):
            return (username, password) == ("CORP-001", "s3cret!")

    class Folder(asyncssh.SFTPServer):
        def __init__(self, channel):
            super().__init__(channel, chroot=str(tmp_path).encode())

    loop = asyncio.new_event_loop()
    host = asyncssh.import_private_key(ssh_keys()[0])
    server = loop.run_until_complete(
        asyncssh.listen(
            "127.0.0.1", 0, server_factory=Desk, server_host_keys=[host], sftp_factory=Folder
        )
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def dial(password):
        return connect(
            "sftp",
            Settings(
                url=f"sftp://127.0.0.1:{server.get_port()}/",
                profile=sftp_data,
                identity=None,
                trust=Trust(ssh_keys()[1].encode()),
                variables={"contract_id": "CORP-001", "password": password},
                allow_private=True,
                timeouts=Timeouts(5, 5, 20),
            ),
        )

    try:
        with dial("wrong") as bank:
            assert refused(bank, pain, key).code == "ssh_login"
        with dial("s3cret!") as bank:
            assert bank.submit(pain, key).status == "RCVD"
            assert "s3cret" not in repr(bank.line.settings)
        assert (tmp_path / "in" / f"pain.001.001.09_{key}.xml").read_bytes() == pain.content
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


# The network


def test_the_network_is_told_as_for_every_other_channel(mailbox, sftp, pain, key):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    assert refused(sftp(mailbox, url="sftp://bank.invalid"), pain, key).code == "dns"
    gone = sftp(mailbox, url=f"sftp://127.0.0.1:{closed}")
    assert refused(gone, pain, key).code == "connect_refused"
    private = sftp(mailbox, allow_private=False)
    assert refused(private, pain, key).code == "address_refused"
    for host in ("localhost", "[::1]", "[::ffff:127.0.0.1]"):
        local = sftp(mailbox, url=f"sftp://{host}:{mailbox.port}", allow_private=False)
        assert refused(local, pain, key).code == "address_refused"


@pytest.mark.parametrize(
    ("words", "code"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "ssh_not_spoken"), (b"", "ssh_not_spoken")],
)
def test_what_is_no_ssh_server_is_told_so(mailbox, sftp, pain, key, words, code):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            sock, _ = listener.accept()
            sock.sendall(words)
            sock.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"sftp://127.0.0.1:{listener.getsockname()[1]}"
        assert refused(sftp(mailbox, url=url), pain, key).code == code
        thread.join()


def test_a_server_that_says_nothing_ends_in_time(mailbox, sftp, pain, key):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"sftp://127.0.0.1:{listener.getsockname()[1]}"
        slow = sftp(mailbox, url=url, timeouts=Timeouts(connect=1, read=1, total=3))
        assert refused(slow, pain, key).code in ("ssh_timeout", "ssh_not_spoken")


# Health


def test_a_good_mailbox_has_only_ticks(mailbox, sftp):
    health = sftp(mailbox).check()
    assert health.ok
    assert [check.step for check in health.checks] == ["name", "reach", "host", "login", "folders"]
    assert health.peer_fingerprint == pin(mailbox)


def test_the_test_shows_where_it_stopped(mailbox, sftp, ssh_keys):
    """And shows the fingerprint that the server has, to be compared with the bank's."""
    health = sftp(mailbox, trust=Trust(b"", ("SHA256:" + "A" * 43,))).check()
    found = {check.step: check.ok for check in health.checks}
    assert found == {"name": True, "reach": True, "host": False, "login": None, "folders": None}
    assert health.peer_fingerprint == pin(mailbox)
    stranger = Identity(b"", ssh_keys("ed25519", "stranger")[0])
    health = sftp(mailbox, identity=stranger).check()
    found = {check.step: check.ok for check in health.checks}
    assert found == {"name": True, "reach": True, "host": True, "login": False, "folders": None}
    (mailbox.root / "in").rmdir()
    failed = [check for check in sftp(mailbox).check().checks if check.ok is False]
    assert [(check.step, check.code) for check in failed] == [("folders", "folder_missing")]
    assert "in" in failed[0].detail


def test_what_was_open_is_opened_again(mailbox, sftp, pain, key):
    """A line that died between two calls costs an attempt at most, and no doubt."""
    bank = sftp(mailbox)
    list(bank.list([]))
    mailbox.cut()
    try:
        receipt = bank.submit(pain, key)
    except NotSent:
        receipt = bank.submit(pain, key)
    assert not receipt.duplicate


def test_a_server_that_is_gone_is_a_fault_of_the_line(mailbox, sftp):
    bank = sftp(mailbox)
    list(bank.list([]))
    mailbox.cut()
    mailbox.process.kill()
    mailbox.process.wait()
    for _ in range(2):
        with pytest.raises(Unavailable):
            list(bank.list([]))


# Settings


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "https://bank.example"}, "url"),
        ({"url": "sftp://user:pw@bank.example"}, "url"),
        ({"url": "sftp://bank.example/a/../b"}, "url"),
        ({"url": "sftp://bank.example?x"}, "url"),
        ({"trust": Trust(b"")}, "trust"),
        ({"trust": Trust(b"-----BEGIN CERTIFICATE-----")}, "trust"),
        ({"trust": Trust(b"ssh-ed25519 AAAAC3NzaC1yc2E")}, "trust"),
        ({"trust": Trust(b"", ("SHA256:short",))}, "trust"),
        ({"identity": Identity(b"", b"no key")}, "key"),
        ({"identity": None}, "key"),
        ({"variables": {}}, "variable"),
    ],
)
def test_settings_that_cannot_work_are_refused(ssh_keys, sftp_data, changes, code):
    values = {
        "url": "sftp://bank.example",
        "profile": sftp_data,
        "identity": Identity(b"", ssh_keys()[0]),
        "trust": Trust(ssh_keys()[1].encode()),
        "variables": {"user_name": "us"},
    }
    with pytest.raises(SettingsError) as caught:
        connect("sftp", Settings(**{**values, **changes}))
    assert caught.value.code == code
    assert "pw" not in str(caught.value)
