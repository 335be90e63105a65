"""The mailbox as folders: nothing is filed twice, nothing is laid out by halves."""

import signal
import time
import uuid

import pytest


@pytest.fixture
def folders(fresh_bank, enrol):
    """A running bank with folders, its customer, and the customer's folder."""
    root = fresh_bank.folder.parent / "mailbox"
    customer = enrol(fresh_bank)
    fresh_bank.start("2026-11-23T08:00:00", "--mailbox", root)
    return fresh_bank, customer, root / "CORP-001"


def until(condition, seconds=15):
    """Wait for what the bank does in the background."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def drop(folder, name, body):
    part = folder / "in" / f".{name}.part"
    part.write_bytes(body)
    part.rename(folder / "in" / name)


def test_a_file_is_executed_and_answered_in_the_folders(folders, pain001, iban):
    bank, customer, folder = folders
    drop(folder, "pay.xml", pain001(customer.iban, [("E1", iban("DE"), "12.50")]).bytes())
    until(lambda: names(folder / "done") == ["pay.xml"])
    assert names(folder / "in") == []
    bank.settle()
    until(lambda: any("pain.002" in name for name in names(folder / "out")))
    assert bank.payments()["E1"]["status"] == "ACSC"
    bank.advance(end_of_day=True)
    until(lambda: any("camt.053" in name for name in names(folder / "out")))
    assert not any(name.endswith(".part") for name in names(folder / "out"))


def test_what_is_still_being_written_is_left(folders, pain001, iban):
    bank, customer, folder = folders
    body = pain001(customer.iban, [("E1", iban("DE"), "12.50")]).bytes()
    for name in (".pay.xml", "pay.part", "pay.xml.tmp", "pay.filepart"):
        (folder / "in" / name).write_bytes(body)
    drop(folder, "last.xml", pain001(customer.iban, [("E2", iban("DE"), "1.00")]).bytes())
    until(lambda: names(folder / "done") == ["last.xml"])
    assert len(names(folder / "in")) == 4
    assert "E1" not in bank.payments()


def test_a_repeated_key_is_filed_once_and_another_content_refused(folders, pain001, iban):
    """By the key in the name, also where the file came over REST before."""
    bank, customer, folder = folders
    key = str(uuid.uuid4())
    body = pain001(customer.iban, [("E1", iban("DE"), "12.50")]).bytes()
    assert customer.submit(body, key=key).status_code == 201
    drop(folder, f"a_{key}.xml", body)
    drop(folder, f"b_{key}.xml", body)
    other = pain001(customer.iban, [("E2", iban("DE"), "12.50")]).bytes()
    drop(folder, f"c_{key}.xml", other)
    until(lambda: names(folder / "refused") == [f"c_{key}.xml"])
    until(lambda: len(names(folder / "done")) == 2)
    bank.settle()
    assert sorted(bank.payments()) == ["E1"]
    assert len(bank.desk("GET", "/admin/submissions")["submissions"]) == 1


def test_what_no_bank_could_file_is_refused(folders):
    _bank, _customer, folder = folders
    drop(folder, "letter.txt", b"Dear bank")
    until(lambda: names(folder / "refused") == ["letter.txt"])


def test_a_kill_between_filing_and_moving_files_nothing_twice(folders, pain001, iban):
    """The books are committed first: after the restart the file is known, and only moved."""
    bank, customer, folder = folders
    body = pain001(customer.iban, [("E1", iban("DE"), "12.50")]).bytes()
    drop(folder, "pay.xml", body)
    until(lambda: names(folder / "done") == ["pay.xml"])
    bank.settle()
    bank.stop(signal.SIGKILL)
    (folder / "done" / "pay.xml").rename(folder / "in" / "pay.xml")
    bank.start(None, "--mailbox", folder.parent)
    until(lambda: names(folder / "done") == ["pay.xml"])
    bank.settle()
    assert len(bank.desk("GET", "/admin/submissions")["submissions"]) == 1


def test_what_the_customer_took_away_counts_as_received(folders, pain001, iban):
    bank, customer, folder = folders
    drop(folder, "pay.xml", pain001(customer.iban, [("E1", iban("DE"), "12.50")]).bytes())
    until(lambda: names(folder / "done") == ["pay.xml"])
    bank.settle()
    issued = len(bank.desk("GET", "/admin/documents")["documents"])
    until(lambda: len(names(folder / "out")) == issued)
    first, *rest = names(folder / "out")
    (folder / "out" / first).rename(folder / "out" / "archive" / first)
    for name in rest:
        (folder / "out" / name).unlink()
    until(lambda: customer.request("GET", "/v1/documents?status=new").json()["documents"] == [])
    assert names(folder / "out") == []
