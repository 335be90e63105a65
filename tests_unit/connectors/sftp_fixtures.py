"""Fixtures: a real OpenSSH server with a bank's folders, and connectors to it."""

import copy
import functools
import os
import time

import pytest

from bin.support import sshd as openssh
from connectors import Identity, Settings, Timeouts, Trust, connect, profile
from connectors.interface import Document


@pytest.fixture(scope="session")
def ssh_keys():
    """Return a function: kind of key, whose → private key in OpenSSH's form, public key."""

    @functools.cache
    def make(kind="ed25519", _whose="ours"):
        return openssh.make_key(kind)

    return make


@pytest.fixture
def sshd(ssh_keys):
    """Return a function that starts a server with a bank's folders."""
    if openssh.find() is None:
        pytest.skip("There is no OpenSSH server here (sshd): bin/setup brings one.")
    running = []

    def start(**options):
        server = openssh.Sshd([ssh_keys()[1]], **options)
        running.append(server)
        for folder in ("in", "out", "out/archive", "done"):
            (server.root / folder).mkdir(parents=True, exist_ok=True)
        return server.start()

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def mailbox(sshd):
    return sshd()


@pytest.fixture
def lay(mailbox):
    """Return a function that lays a document out at the bank, an hour ago."""

    def write(name, content=b"<Document/>", age=3600):
        path = mailbox.root / "out" / name
        path.write_bytes(content)
        os.utime(path, (time.time() - age,) * 2)
        os.chown(path, mailbox.account.pw_uid, mailbox.account.pw_gid)
        return path

    return write


@pytest.fixture
def sftp_data():
    """The general profile, to be changed by a test at will; files settle at once."""
    return {**copy.deepcopy(profile("sftp")), "settle_seconds": 0}


@pytest.fixture
def sftp(ssh_keys, sftp_data):
    """Return a function that makes a connector to a server."""
    opened = []

    def make(server, data=None, **changes):
        values = {
            "url": server.url,
            "profile": data or sftp_data,
            "identity": Identity(b"", ssh_keys()[0]),
            "trust": Trust(server.host_key.encode()),
            "variables": {"user_name": server.user},
            "allow_private": True,
            "timeouts": Timeouts(connect=5, read=3, total=20),
        }
        opened.append(connect("sftp", Settings(**{**values, **changes})))
        return opened[-1]

    yield make
    for connector in opened:
        connector.close()


@pytest.fixture
def pain():
    """A message of more than one SFTP packet."""
    return Document(b"<Document>" + b"x" * 100_000 + b"</Document>", "pain.001.001.09")
