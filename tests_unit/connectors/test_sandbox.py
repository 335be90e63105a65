"""The REST channel against the sandbox bank in a process of its own: the whole road of a file."""

import signal
import uuid
from dataclasses import replace

import pytest

from connectors import (
    Document,
    FetchError,
    Identity,
    NotSent,
    Refused,
    Uncertain,
    connect,
)
from tests_unit.connectors.sandbox_process import Bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    running = Bank(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def connector(bank):
    with connect("rest", bank.settings()) as connector:
        yield connector
    for rule in bank.admin("GET", "/admin/faults").get("rules", []):
        bank.admin("DELETE", f"/admin/faults?id={rule['id']}")


def drain(connector):
    for remote in list(connector.list([])):
        connector.fetch(remote)
        connector.acknowledge(remote)


def test_the_connection_test_ticks_everything(bank, connector):
    health = connector.check()
    assert health.ok, health.checks
    assert health.permissions["contractId"] == "CORP-001"
    assert health.certificate_expires
    assert abs(health.clock_skew) < 5


def test_a_payment_goes_out_and_its_statement_comes_back(bank, connector):
    drain(connector)
    document, key = bank.message("ROAD-1"), str(uuid.uuid4())
    receipt = connector.submit(document, key)
    assert receipt.status == "RCVD"
    asked = replace(document, reference=receipt.bank_reference)
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert connector.inquire(key, asked).status == "ACSC"
    kinds = {"pain.002", "camt.053"}
    found = list(connector.list(kinds))
    assert {remote.kind for remote in found} == kinds
    contents = b"".join(connector.fetch(remote) for remote in found)
    assert b"ROAD-1" in contents
    for remote in found:
        connector.acknowledge(remote)
        connector.acknowledge(remote)
    assert not list(connector.list(kinds))
    assert bank.executed("ROAD-1") == 1


def test_the_same_key_pays_once_and_guards_its_content(bank, connector):
    document, key = bank.message("ONCE-1"), str(uuid.uuid4())
    first = connector.submit(document, key)
    again = connector.submit(document, key)
    assert again.bank_reference == first.bank_reference
    with pytest.raises(Uncertain) as caught:
        connector.submit(bank.message("ONCE-2"), key)
    assert caught.value.code == "key_conflict"
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert (bank.executed("ONCE-1"), bank.executed("ONCE-2")) == (1, 0)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"action": "drop"}, "reset"),
        ({"action": "error"}, "http_500"),
        ({"action": "truncate"}, "half_answer"),
        ({"action": "garbage"}, "http_200"),
    ],
)
def test_a_lost_answer_is_uncertain_and_asking_recovers_it(bank, connector, rule, code):
    """The bank has it, the answer is spoilt: the key finds the payment again."""
    bank.admin(
        "POST", "/admin/faults", {"point": "after_commit", "method": "POST", "times": 1, **rule}
    )
    document, key = bank.message(), str(uuid.uuid4())
    with pytest.raises(Uncertain) as caught:
        connector.submit(document, key)
    assert caught.value.code == code
    recovered = connector.inquire(key, document)
    asked = replace(document, reference=recovered.bank_reference)
    assert connector.inquire(key, asked).status
    assert connector.submit(document, key).bank_reference == recovered.bank_reference


def test_what_never_arrived_is_unknown_to_the_bank(bank, connector):
    rule = {"point": "before_read", "method": "POST", "action": "drop", "times": 1}
    bank.admin("POST", "/admin/faults", rule)
    document, key = bank.message(), str(uuid.uuid4())
    with pytest.raises(Uncertain):
        connector.submit(document, key)
    assert connector.inquire(key, document) is None


def test_a_busy_bank_is_not_sent(bank, connector):
    rule = {"point": "before_read", "method": "POST", "action": "busy", "retry_after": 7}
    bank.admin("POST", "/admin/faults", {**rule, "times": 1})
    with pytest.raises(NotSent) as caught:
        connector.submit(bank.message(), str(uuid.uuid4()))
    assert (caught.value.code, caught.value.retry_after) == ("rate_limited", 7)


def test_what_is_no_xml_is_refused_with_the_banks_words(bank, connector):
    with pytest.raises(Refused) as caught:
        connector.submit(
            Document(b"<x", "pain.001.001.09", service_level="SEPA"), str(uuid.uuid4())
        )
    assert caught.value.reasons[0].code
    assert caught.value.http_status == 400


def test_a_kill_between_submission_and_question_changes_nothing(bank):
    document, key = bank.message("KILL-1"), str(uuid.uuid4())
    with connect("rest", bank.settings()) as connector:
        receipt = connector.submit(document, key)
    bank.stop(signal.SIGKILL)
    with connect("rest", bank.settings()) as connector:
        with pytest.raises(NotSent) as caught:
            connector.submit(document, key)
        assert caught.value.code == "connect_refused"
    bank.start()
    with connect("rest", bank.settings()) as connector:
        assert connector.inquire(key, document).bank_reference == receipt.bank_reference


def recalled(connector, receipt):
    """Return what the bank answers to a recall of the message with this receipt."""
    request = Document(b"<recall/>", "camt.055.001.08", reference=receipt.bank_reference)
    return connector.submit(request, str(uuid.uuid4()))


def test_a_payment_that_waits_is_recalled(bank, connector):
    """Held at the bank, it is cancelled, and never executed; once more says the same."""
    document, key = bank.message("RECALL-1", "pending"), str(uuid.uuid4())
    receipt = connector.submit(document, key)
    bank.admin("POST", "/admin/clock", {})
    assert recalled(connector, receipt).status == "CANC"
    assert recalled(connector, receipt).status == "CANC"
    asked = replace(document, reference=receipt.bank_reference)
    assert connector.inquire(key, asked).status == "CANC"
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert bank.executed("RECALL-1") == 0


def test_a_payment_that_is_executed_stays(bank, connector):
    document, key = bank.message("RECALL-2"), str(uuid.uuid4())
    receipt = connector.submit(document, key)
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    with pytest.raises(Refused) as caught:
        recalled(connector, receipt)
    assert caught.value.reasons[0].code == "CANCELLATION_INVALID"
    assert bank.executed("RECALL-2") == 1


def test_another_customers_certificate_does_not_get_in(bank, authority):
    pair = authority.issue("Stranger")
    identity = Identity(pair.certificate, pair.key_pem())
    with connect("rest", bank.settings(identity=identity)) as connector:
        with pytest.raises(NotSent) as caught:
            connector.submit(bank.message(), str(uuid.uuid4()))
        # Python's asyncio servers hang up without sending the alert that would say why.
        assert caught.value.code in ("tls_client_rejected", "tls_closed")
        assert "client certificate" in caught.value.message + caught.value.hint
        with pytest.raises(FetchError):
            list(connector.list([]))


def test_statements_of_a_bank_without_a_mailbox(bank):
    """The standard's own profile reads the same bank: camt by content negotiation."""
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    account = bank.contract["accounts"][0]
    settings = bank.settings(
        profile="berlin_group",
        variables={
            "contract_id": bank.contract["contractId"],
            "consent_id": bank.contract["consentId"],
            "psu_ip_address": "192.0.2.1",
        },
        accounts={account["iban"]: account["resourceId"]},
    )
    with connect("rest", settings) as connector:
        assert connector.check().ok
        (remote,) = connector.list(["camt.053"])
        assert account["iban"].encode() in connector.fetch(remote)


def test_a_revoked_certificate_is_told(bank):
    """Last in this file: the contract is dead afterwards."""
    bank.admin("POST", "/admin/contracts/CORP-001/revoke-certificate", {})
    with connect("rest", bank.settings()) as connector:
        with pytest.raises(NotSent) as caught:
            connector.submit(bank.message(), str(uuid.uuid4()))
        assert (caught.value.code, caught.value.permanent) == ("not_authorised", True)
        assert not connector.check().ok
