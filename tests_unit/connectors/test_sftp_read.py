"""Documents over SFTP from a real OpenSSH server: complete ones only, put away once safe."""

import os
import threading
from datetime import datetime, timedelta, timezone

import pytest

from connectors import FetchError, SettingsError, Unavailable
from connectors.sftp_profile import SftpProfile
from connectors.ssh import Client


def listed(bank, kinds=(), since=None):
    return [(one.kind, one.name) for one in bank.list(kinds, since)]


def test_documents_are_listed_by_pattern_oldest_first(mailbox, lay, sftp):
    lay("b_camt.053_2.xml", age=100)
    lay("a_camt.053_1.xml", age=200)
    lay("x_pain.002.xml", age=300)
    lay("letter.xml", age=50)
    bank = sftp(mailbox)
    assert listed(bank) == [
        ("pain.002", "x_pain.002.xml"),
        ("camt.053", "a_camt.053_1.xml"),
        ("camt.053", "b_camt.053_2.xml"),
        ("unknown", "letter.xml"),
    ]
    assert listed(bank, ["camt.053"]) == [
        ("camt.053", "a_camt.053_1.xml"),
        ("camt.053", "b_camt.053_2.xml"),
        ("unknown", "letter.xml"),
    ]
    since = datetime.now(timezone.utc) - timedelta(seconds=150)
    assert [name for _kind, name in listed(bank, [], since)] == ["b_camt.053_2.xml", "letter.xml"]


def test_unfinished_files_links_and_folders_are_left(mailbox, lay, sftp):
    for name in ("a.tmp", "b.part", "c.filepart", ".hidden", "good.xml"):
        lay(name)
    (mailbox.root / "out" / "link.xml").symlink_to("/etc/passwd")
    (mailbox.root / "out" / "folder.xml").mkdir()
    assert listed(sftp(mailbox)) == [("unknown", "good.xml")]


def test_a_growing_file_is_left_until_it_rests(mailbox, lay, sftp, sftp_data):
    """Whatever the clocks say: it looked different the second time."""
    sftp_data["settle_seconds"] = 1
    path = lay("slow.xml")
    lay("done.xml")
    ended = threading.Event()

    def grow():
        while not ended.wait(0.1):
            with path.open("ab") as file:
                file.write(b"more")

    thread = threading.Thread(target=grow)
    thread.start()
    bank = sftp(mailbox)
    try:
        assert listed(bank) == [("unknown", "done.xml")]
    finally:
        ended.set()
        thread.join()
    assert [name for _kind, name in listed(bank)] == ["done.xml", "slow.xml"]


def test_the_exact_bytes_are_fetched(mailbox, lay, sftp):
    content = os.urandom(1_000_003)
    lay("big.xml", content)
    bank = sftp(mailbox)
    (remote,) = bank.list([])
    assert bank.fetch(remote) == content
    assert bank.fetch(remote) == content


def test_a_file_that_changed_since_it_was_listed_is_not_taken(mailbox, lay, sftp):
    bank = sftp(mailbox)
    path = lay("a.xml", b"first")
    (remote,) = bank.list([])
    for other in (b"longer than before", b"short", b"ours!"):
        path.write_bytes(other)
        with pytest.raises(FetchError) as caught:
            bank.fetch(remote)
        assert caught.value.code == "size_mismatch"
        bank.acknowledge(remote)
        assert path.read_bytes() == other
    (again,) = bank.list([])
    assert again.id != remote.id
    assert bank.fetch(again) == b"ours!"


def test_a_document_that_is_gone_or_too_large_is_named(mailbox, lay, sftp, sftp_data):
    sftp_data["limits"] = {"answer_bytes": 100}
    bank = sftp(mailbox)
    path = lay("a.xml", b"x" * 101)
    (remote,) = bank.list([])
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert caught.value.code == "document_too_large"
    path.write_bytes(b"x")
    (remote,) = bank.list([])
    path.unlink()
    with pytest.raises(FetchError) as caught:
        bank.fetch(remote)
    assert caught.value.code == "document_gone"


def test_acknowledged_documents_are_archived_and_none_is_lost(mailbox, lay, sftp):
    """A later document of the same name does not replace the archived one."""
    bank = sftp(mailbox)
    for content, age in ((b"one", 300), (b"two", 200), (b"three", 100)):
        lay("a.xml", content, age)
        (remote,) = bank.list([])
        assert bank.fetch(remote) == content
        bank.acknowledge(remote)
        bank.acknowledge(remote)
        assert list(bank.list([])) == []
    archive = mailbox.root / "out" / "archive"
    assert sorted(path.read_bytes() for path in archive.iterdir()) == [b"one", b"three", b"two"]


def test_by_profile_documents_are_deleted_or_left(mailbox, lay, sftp, sftp_data):
    path = lay("a.xml")
    sftp_data["acknowledge"] = "none"
    bank = sftp(mailbox)
    (remote,) = bank.list([])
    bank.acknowledge(remote)
    assert path.exists()
    sftp_data["acknowledge"] = "delete"
    sftp(mailbox, dict(sftp_data)).acknowledge(remote)
    assert not path.exists()


def test_an_archive_that_cannot_be_written_is_named_and_nothing_is_lost(mailbox, lay, sftp):
    path = lay("a.xml")
    bank = sftp(mailbox)
    (remote,) = bank.list([])
    (mailbox.root / "out" / "archive").rmdir()
    with pytest.raises(FetchError) as caught:
        bank.acknowledge(remote)
    assert caught.value.code in ("folder_missing", "server_failed")
    assert path.exists()


def test_a_line_that_breaks_while_reading_can_be_tried_again(mailbox, lay, sftp, monkeypatch):
    lay("a.xml", b"x" * 500_000)
    bank = sftp(mailbox)
    (remote,) = bank.list([])
    real = Client.open

    def dying(self, *arguments, **options):
        file = real(self, *arguments, **options)
        mailbox.cut()
        return file

    monkeypatch.setattr(Client, "open", dying)
    with pytest.raises(Unavailable):
        bank.fetch(remote)
    monkeypatch.undo()
    assert len(bank.fetch(remote)) == 500_000


def test_a_folder_without_end_is_not_read_to_its_end(mailbox, lay, sftp, sftp_data):
    sftp_data["limits"] = {"entries": 20}
    for number in range(30):
        lay(f"{number}.xml")
    with pytest.raises(FetchError) as caught:
        list(sftp(mailbox).list([]))
    assert caught.value.code == "listing_endless"


def test_exchanges_are_reported_without_secrets(mailbox, lay, sftp, pain, key):
    """Account numbers in file names and the login do not reach the log."""
    seen = []
    lay("DE89370400440532013000_camt.053.xml")
    variables = {"user_name": mailbox.user, "password": "planted-secret"}
    bank = sftp(mailbox, observer=seen.append, variables=variables)
    bank.submit(pain, key)
    for remote in bank.list([]):
        bank.fetch(remote)
        bank.acknowledge(remote)
    assert [one.method for one in seen] == ["PUT", "LIST", "GET", "MOVE"]
    assert seen[0].request_size == len(pain.content)
    assert seen[0].correlation_id == key
    assert seen[2].response_size == len(b"<Document/>")
    assert all(one.peer_fingerprint.startswith("SHA256:") for one in seen)
    text = repr(seen)
    assert "370400440532" not in text
    assert "planted-secret" not in text


# The profile


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["uploads", 0, "name"], "payments.xml", "uploads[0].name"),
        (["uploads", 0, "name"], "../{key}", "uploads[0].name"),
        (["uploads", 0, "folder"], "a/../../b", "uploads[0].folder"),
        (["rename"], "copy", "rename"),
        (["acknowledge"], "shred", "acknowledge"),
        (["archive"], None, "archive"),
        (["downloads", "camt.053"], ["*/x"], "camt.053"),
        (["downloads", "camt.053"], [], "camt.053"),
        (["temporary"], {"prefix": "", "suffix": ""}, "temporary.suffix"),
        (["settle_seconds"], -1, "settle_seconds"),
        (["surprise"], 1, "surprise"),
    ],
)
def test_a_profile_that_cannot_work_names_the_key(sftp_data, path, value, says):
    place = sftp_data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(SettingsError) as caught:
        SftpProfile.from_dict(sftp_data)
    assert says in caught.value.message


def test_values_in_paths_cannot_lead_elsewhere(mailbox, sftp, sftp_data, pain, key):
    sftp_data["uploads"][0]["folder"] = "{contract_id}"
    for value in ("../out", "..", "a/b", "", "a\nb"):
        with pytest.raises(SettingsError) as caught:
            sftp(mailbox, variables={"user_name": mailbox.user, "contract_id": value})
        assert caught.value.code == "variable"
    variables = {"user_name": mailbox.user, "contract_id": "in"}
    assert sftp(mailbox, variables=variables).submit(pain, key)
