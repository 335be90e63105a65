"""A kill at any instant: what was accepted goes on, once; the ledger balances."""

import contextlib
import datetime
import random
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest
import requests
from lxml import etree


def statement_entries(documents):
    return [reference for document in documents if document.name.startswith("camt.053")
            for reference in document.texts("//Ntry/AcctSvcrRef")]


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_bank_goes_on_with_everything_it_accepted(fresh_bank, enrol, pain001, iban,
                                                           seed):
    """Files arrive while the bank is killed again and again at random moments."""
    chance = random.Random(seed)
    bank = fresh_bank.start()
    customer = enrol(bank)
    accepted, sent = {}, []
    stop = threading.Event()

    def send():
        number = 0
        while not stop.is_set():
            number += 1
            key = str(uuid.uuid4())
            references = [f"S{seed}-{number}-{n}" for n in range(20)]
            sent.extend(references)
            body = pain001(customer.iban, [
                (reference, iban("DE", None, n), "1.01") for n, reference in enumerate(references)
            ], batch=number % 2 == 0).bytes()
            try:
                answer = customer.submit(body, key=key, timeout=5)
            except requests.exceptions.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == 201:
                accepted[key] = (answer.json()["paymentId"], references)

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(3):
        time.sleep(chance.uniform(0.1, 0.6))
        bank.stop(signal.SIGKILL)
        bank.start(clock=None)
    time.sleep(0.3)
    stop.set()
    sender.join()
    bank.stop(signal.SIGKILL)
    bank.start(clock=None)
    bank.settle()
    assert accepted
    payments = bank.payments()
    for key, (payment_id, references) in accepted.items():
        known = customer.request("GET", f"/v1/submissions/{key}").json()
        assert (known["paymentId"], known["transactionStatus"]) == (payment_id, "ACSC")
        assert [payments[reference]["executed"] for reference in references] == [1] * 20
    assert all(item["executed"] == 1 for item in payments.values())
    assert set(payments) <= set(sent)
    paid = len(payments) * 101
    assert bank.balance(customer.iban) == f"{(10_000_000 - paid) // 100}.{(-paid) % 100:02d}"


def test_a_kill_while_the_clock_advances_issues_each_statement_once(fresh_bank, enrol, pain001,
                                                                    iban):
    bank = fresh_bank.start()
    customers = [enrol(bank, f"CORP-{n}") for n in range(3)]
    for customer in customers:
        customer.send(pain001(customer.iban, [
            ("late-return", iban("FR", "late-return"), "5.00")]).bytes())
    end = "2027-01-11T20:00:00"

    def advance():
        with contextlib.suppress(requests.exceptions.RequestException):
            bank.advance(advance_to=end)

    reached = []
    for delay in (0.02, 0.04, 0.08):
        thread = threading.Thread(target=advance)
        thread.start()
        time.sleep(delay)
        bank.stop(signal.SIGKILL)
        thread.join()
        bank.start(clock=None)
        bank.ledger()
        reached.append(bank.desk("GET", "/admin/clock")["now"])
    assert reached[0] < f"{end}Z", "every kill came too late to prove anything"
    bank.advance(advance_to=end)
    for customer in customers:
        documents = customer.documents()
        statements = [d for d in documents if d.name.startswith("camt.053")]
        assert [d.one("//ElctrncSeqNb") for d in statements] == [
            str(n + 1) for n in range(len(statements))]
        assert len(statements) == 34  # business days from 23 November to 11 January
        references = statement_entries(documents)
        assert len(references) == len(set(references)) == 2
        assert etree.QName(statements[-1].root).namespace.endswith("camt.053.001.08")
    assert bank.desk("GET", "/admin/clock")["failedEvents"] == []


def test_a_stopped_bank_keeps_its_time_and_never_goes_back(fresh_bank):
    bank = fresh_bank.start()
    bank.advance(advance="3d")
    assert bank.stop() == 0
    bank.start(clock="2026-11-23T08:00:00")
    assert bank.desk("GET", "/admin/clock")["now"] == "2026-11-26T08:00:00Z"


def test_the_bank_ends_with_its_parent(fresh_bank, cli, wait_until):
    """No server remains when the process that wanted it is gone."""
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    bank = fresh_bank.start("2026-11-23T08:00:00", "--parent-pid", parent.pid)
    parent.communicate(b"\n")
    assert wait_until(lambda: bank.process.poll() is not None)
    assert bank.process.returncode == 0
    bank.process.stdout.close()
    bank.process = None


def test_with_a_real_clock_the_bank_works_by_itself(fresh_bank, enrol, pain001, iban, wait_until):
    """Nobody advances the clock: an instant payment is executed all the same."""
    bank = fresh_bank.start("real")
    customer = enrol(bank)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    answer = customer.submit(pain001(customer.iban, [("A", iban("DE"), "1.00")],
                                     date=today).bytes(),
                             product="pain.001-instant-sepa-credit-transfers")
    assert answer.status_code == 201
    wait_until(lambda: bank.payments().get("A", {}).get("executed") == 1)
