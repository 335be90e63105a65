"""The SFTP connector against the sandbox bank behind a real OpenSSH server: the whole way."""

import dataclasses
import re
import time

import pytest

from bin.support import sshd as openssh
from connectors import Identity, Timeouts, Trust, Uncertain, connect, profile
from connectors.ssh import Client
from tests_unit.connectors.sandbox_process import Bank


@pytest.fixture
def house(tmp_path_factory, ssh_keys):
    """A sandbox bank whose customer's folder is served by OpenSSH, and a connector to it."""
    if openssh.find() is None:
        pytest.skip("There is no OpenSSH server here (sshd): bin/setup brings one.")
    folder = tmp_path_factory.mktemp("house")
    folder.chmod(0o755)
    box = folder / "mailbox"
    bank = Bank(folder, serve=("--mailbox", box))
    root = box / "CORP-001"
    private, public = ssh_keys()
    for parent in root.parents:
        # The server's account has to reach the folder through pytest's own, which are private.
        if parent.owner() == root.owner() and parent != parent.parent and "pytest" in str(parent):
            parent.chmod(0o755)
    with openssh.Sshd([public], root) as server:
        data = {**profile("sftp"), "settle_seconds": 0, "kept": {"paths": ["done/{name}"]}}
        settings = bank.settings(
            url=server.url,
            profile=data,
            identity=Identity(b"", private),
            trust=Trust(server.host_key.encode()),
            variables={"user_name": server.user},
            timeouts=Timeouts(connect=5, read=10, total=30),
        )
        with connect("sftp", settings) as connector:
            yield bank, root, server, connector
    bank.stop()


def wait(condition):
    deadline = time.monotonic() + 15
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_payment_goes_there_and_its_documents_come_back(house, key):
    bank, root, _server, connector = house
    document = bank.message("E2E-1")
    assert connector.check().ok
    assert connector.submit(document, key).status == "RCVD"
    wait(lambda: list((root / "done").iterdir()))
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert bank.executed("E2E-1") == 1
    found = wait(
        lambda: (
            [one for one in connector.list(["pain.002", "camt.053"]) if one.kind == "camt.053"]
            and list(connector.list([]))
        )
    )
    for remote in found:
        content = connector.fetch(remote)
        assert re.search(rb"<Document ", content)
        connector.acknowledge(remote)
    assert {"pain.002", "camt.053"} <= {one.kind for one in found}
    assert list(connector.list([])) == []
    assert connector.submit(document, key).duplicate
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed("E2E-1") == 1


def test_a_lost_answer_is_asked_about_and_paid_once(house, key, monkeypatch):
    """Even when the bank has taken the file away meanwhile: it keeps what it has taken."""
    bank, root, server, connector = house
    document = bank.message("E2E-2")
    real = Client.posix_rename

    def lost(self, old, new):
        real(self, old, new)
        server.cut()
        return self.stat(new)

    monkeypatch.setattr(Client, "posix_rename", lost)
    with pytest.raises(Uncertain) as caught:
        connector.submit(document, key)
    monkeypatch.undo()
    wait(lambda: list((root / "done").iterdir()))
    again = dataclasses.replace(document, reference=caught.value.bank_reference)
    assert connector.inquire(key, again).status == "RCVD"
    assert connector.submit(again, key).duplicate
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert bank.executed("E2E-2") == 1
