"""Sending over SFTP to a real OpenSSH server: whole or not at all, and never guessed."""

import dataclasses
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from connectors import FetchError, NotSent, Timeouts, Uncertain
from connectors.interface import Document
from connectors.ssh import Client

NAME = "pain.001.001.09_{}.xml"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def final(mailbox, key):
    return mailbox.root / "in" / NAME.format(key)


def parts(folder):
    """Temporary files."""
    return sorted(folder.glob(".*.part"))


def doubtful(document, error):
    """The document as it is handed in after an attempt that ended in doubt."""
    return dataclasses.replace(document, reference=error.bank_reference)


def test_a_message_arrives_whole_under_a_name_with_its_key(mailbox, sftp, pain, key, final):
    receipt = sftp(mailbox).submit(pain, key)
    assert final.read_bytes() == pain.content
    assert names(final.parent) == [final.name]
    assert (receipt.status, receipt.duplicate) == ("RCVD", False)
    assert receipt.bank_reference == {"path": f"in/{final.name}"}


def test_the_bank_never_sees_half_a_message(mailbox, sftp, pain, key, final, monkeypatch):
    """Until the rename there is only the temporary file, and it is complete before the rename."""
    seen = []
    real = Client.posix_rename

    def watched(self, old, new):
        seen.append((len(names(final.parent)), [one.stat().st_size for one in parts(final.parent)]))
        return real(self, old, new)

    monkeypatch.setattr(Client, "posix_rename", watched)
    sftp(mailbox).submit(pain, key)
    assert seen == [(1, [len(pain.content)])]


def test_a_repetition_is_recognised_by_name_and_content(mailbox, sftp, pain, key, final):
    first = sftp(mailbox)
    first.submit(pain, key)
    written = final.stat().st_mtime_ns
    assert first.submit(pain, key).duplicate
    assert sftp(mailbox).submit(pain, key).duplicate
    assert final.stat().st_mtime_ns == written
    assert names(final.parent) == [final.name]


def test_another_content_under_the_key_is_never_overwritten(mailbox, sftp, pain, key, final):
    """Whatever lies there under this key, people have to look at it."""
    for other in (b"<Other/>", b"y" * len(pain.content)):
        final.write_bytes(other)
        with pytest.raises(Uncertain) as caught:
            sftp(mailbox).submit(pain, key)
        assert caught.value.code == "key_conflict"
        assert final.read_bytes() == other
        with pytest.raises(FetchError) as found:
            sftp(mailbox).inquire(key, pain)
        assert found.value.code == "inquiry_mismatch"


def test_what_the_bank_has_put_away_is_recognised(mailbox, sftp, sftp_data, pain, key, final):
    sftp_data["kept"] = {"paths": ["done/{name}*"]}
    bank = sftp(mailbox)
    bank.submit(pain, key)
    final.rename(mailbox.root / "done" / f"{final.name}.20261123")
    assert bank.submit(pain, key).duplicate
    assert bank.inquire(key, pain).bank_reference["path"] == f"done/{final.name}.20261123"


def test_the_standard_rename_serves_where_the_profile_says_so(
    mailbox, sftp, sftp_data, pain, key, final
):
    sftp_data["rename"] = "standard"
    sftp(mailbox).submit(pain, key)
    assert final.read_bytes() == pain.content
    assert names(final.parent) == [final.name]


def test_what_an_earlier_attempt_left_is_not_touched(mailbox, sftp, pain, key, final):
    """No two attempts write to one file: the other may still be at work."""
    other = final.parent / f".{final.name}.00000000.part"
    other.write_bytes(b"z" * 500_000)
    sftp(mailbox).submit(pain, key)
    assert final.read_bytes() == pain.content
    assert other.stat().st_size == 500_000


# Faults


def test_a_full_disk_is_not_sent_and_leaves_nothing(sshd, sftp, pain, key):
    """The server can write only a part; as on a full disk it answers with a failure."""
    server = sshd(largest_file=40_000)
    with pytest.raises(NotSent) as caught:
        sftp(server).submit(pain, key)
    assert caught.value.code == "server_failed"
    assert caught.value.reasons[0].code == "SFTP 4"
    assert names(server.root / "in") == []


def test_a_server_that_dies_while_writing_is_not_sent(mailbox, sftp, pain, key, final, monkeypatch):
    """The session is killed in the middle; the next attempt goes through."""
    bank = sftp(mailbox)
    real = Client.sync

    def dying(self, file):
        mailbox.cut()
        real(self, file)

    monkeypatch.setattr(Client, "sync", dying)
    with pytest.raises(NotSent) as caught:
        bank.submit(pain, key)
    assert caught.value.code == "reset"
    assert not final.exists()
    assert len(parts(final.parent)) == 1
    monkeypatch.undo()
    assert not bank.submit(pain, key).duplicate
    assert final.read_bytes() == pain.content


def test_a_rename_that_never_arrived_is_uncertain_until_asked(
    mailbox, sftp, pain, key, final, monkeypatch
):
    """The line breaks before the server reads the rename.  The temporary file shows that."""
    bank = sftp(mailbox)
    real = Client.posix_rename

    def cut(self, old, new):
        mailbox.cut()
        return real(self, old, new)

    monkeypatch.setattr(Client, "posix_rename", cut)
    with pytest.raises(Uncertain) as caught:
        bank.submit(pain, key)
    assert caught.value.code == "reset"
    assert not final.exists()
    monkeypatch.undo()
    again = doubtful(pain, caught.value)
    assert bank.inquire(key, again) is None
    bank.submit(again, key)
    assert names(final.parent) == [final.name]


def test_another_attempts_temporary_file_proves_nothing(mailbox, sftp, pain, key, final):
    """Only the file of the doubtful attempt itself can show that it was not renamed."""
    (final.parent / f".{final.name}.00000000.part").write_bytes(pain.content)
    again = dataclasses.replace(pain, reference={"temporary": f"in/.{final.name}.12345678.part"})
    for document in (pain, again):
        with pytest.raises(FetchError) as caught:
            sftp(mailbox).inquire(key, document)
        assert caught.value.code == "cannot_inquire"


def test_a_rename_whose_answer_is_lost_is_uncertain_until_asked(
    mailbox, sftp, pain, key, final, monkeypatch
):
    """The server renames, and dies before its answer is read."""
    bank = sftp(mailbox)
    real = Client.posix_rename

    def rename(self, old, new):
        real(self, old, new)
        mailbox.cut()
        return self.stat(new)  # fails as reading the answer would

    monkeypatch.setattr(Client, "posix_rename", rename)
    with pytest.raises(Uncertain) as caught:
        bank.submit(pain, key)
    monkeypatch.undo()
    again = doubtful(pain, caught.value)
    assert bank.inquire(key, again).status == "RCVD"
    assert bank.submit(again, key).duplicate


@pytest.mark.parametrize(
    ("timeouts", "code"),
    [
        (Timeouts(connect=5, read=0.5, total=20), "read_timeout"),
        (Timeouts(connect=5, read=20, total=1.5), "total_timeout"),
    ],
)
def test_a_server_that_falls_silent_ends_in_time(
    mailbox, sftp, pain, key, monkeypatch, timeouts, code
):
    """Without an answer to the rename the attempt ends when its time is up."""
    real = Client.posix_rename

    def silent(self, old, new):
        mailbox.freeze()
        return real(self, old, new)

    monkeypatch.setattr(Client, "posix_rename", silent)
    started = time.monotonic()
    with pytest.raises(Uncertain) as caught:
        sftp(mailbox, timeouts=timeouts).submit(pain, key)
    assert caught.value.code == code
    assert time.monotonic() - started < 6


def test_a_rename_the_server_refuses_was_not_sent(mailbox, sftp, pain, key, final, monkeypatch):
    """The temporary file is still there: certain.  It is taken away."""
    real = Client.posix_rename
    monkeypatch.setattr(
        Client, "posix_rename", lambda self, old, new: real(self, old, f"missing/{new}")
    )
    with pytest.raises(NotSent) as caught:
        sftp(mailbox).submit(pain, key)
    assert caught.value.code == "folder_missing"
    assert names(final.parent) == []


def test_a_refused_rename_after_which_the_file_is_gone_is_uncertain(
    mailbox, sftp, pain, key, final, monkeypatch
):
    """A gateway may take the file and then report a failure."""
    real = Client.posix_rename

    def taken(self, old, new):
        parts(final.parent)[0].unlink()
        return real(self, old, new)

    monkeypatch.setattr(Client, "posix_rename", taken)
    with pytest.raises(Uncertain):
        sftp(mailbox).submit(pain, key)


def test_a_folder_without_permission_is_named(mailbox, sftp, pain, key, final):
    final.parent.chmod(0o555)
    with pytest.raises(NotSent) as caught:
        sftp(mailbox).submit(pain, key)
    assert (caught.value.code, caught.value.permanent) == ("folder_denied", True)
    final.parent.chmod(0o755)


def test_a_missing_folder_is_named(mailbox, sftp, pain, key, final):
    final.parent.rmdir()
    with pytest.raises(NotSent) as caught:
        sftp(mailbox).submit(pain, key)
    assert (caught.value.code, caught.value.permanent) == ("folder_missing", True)


@pytest.mark.parametrize(
    ("document", "given", "code"),
    [
        (Document(b"", "pain.001.001.09"), None, "empty_content"),
        (Document(b"x", "pain.001.001.09"), "../../etc/passwd", "bad_key"),
        (Document(b"x", "../pain.001"), None, "no_product"),
        (Document(b"x", "pain.001/../../x"), None, "bad_key"),
        (Document(b"x", "camt.055.001.08"), None, "cannot_recall"),
        (Document(b"x" * 11_000_000, "pain.001.001.09"), None, "too_large"),
    ],
)
def test_what_cannot_go_out_never_reaches_the_line(sftp, document, given, code, key, ssh_keys):
    """Nothing listens at the address: the line is not even tried."""

    class Nowhere:
        url, user = "sftp://127.0.0.1:1", "x"
        host_key = ssh_keys()[1]

    with pytest.raises(NotSent) as caught:
        sftp(Nowhere).submit(document, given or key)
    assert caught.value.code == code


# Asking


def test_a_file_that_is_gone_proves_nothing(mailbox, sftp, pain, key):
    """A bank that takes files away without keeping them can't be asked."""
    with pytest.raises(FetchError) as caught:
        sftp(mailbox).inquire(key, pain)
    assert caught.value.code == "cannot_inquire"


def test_where_the_bank_keeps_its_files_a_missing_one_never_came(mailbox, sftp, sftp_data, key):
    """True for as long as the bank keeps them, counted from the first attempt."""
    sftp_data["kept"] = {"paths": ["done/{name}"], "days": 30}
    bank = sftp(mailbox)
    now = datetime.now(timezone.utc)

    def message(**values):
        return Document(b"<Document/>", "pain.001.001.09", **values)

    assert bank.inquire(key, message(first_sent=now - timedelta(days=29))) is None
    for unknown in (message(first_sent=now - timedelta(days=31)), message()):
        with pytest.raises(FetchError) as caught:
            bank.inquire(key, unknown)
        assert caught.value.code == "cannot_inquire"
    sent = message(first_sent=now, reference={"path": "in/x"})
    with pytest.raises(FetchError) as caught:
        bank.inquire(key, sent)
    assert caught.value.code == "payment_unknown"


def test_two_workers_with_one_message_leave_one_file(mailbox, sftp, pain, key, final):
    """Both carry the same bytes under the same key."""
    results = []

    def work(bank):
        results.append(bank.submit(pain, key))

    threads = [threading.Thread(target=work, args=[sftp(mailbox)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(final.parent) == [final.name]
    assert final.read_bytes() == pain.content
    assert results
