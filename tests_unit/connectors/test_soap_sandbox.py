"""The SOAP channel against the sandbox bank in a process of its own: every flavour, every fault."""

import copy
import json
import uuid
from dataclasses import replace
from urllib.request import urlopen

import pytest

from connectors import (
    FetchError,
    Identity,
    NotSent,
    Refused,
    Trust,
    Uncertain,
    connect,
    profile,
)
from tests_unit.connectors.sandbox_process import Bank

# Contract → how it is enrolled: the kinds of bank that the description knows.
KINDS = {
    "ISO-1": ["--soap", "iso"],
    "CODES-1": ["--soap", "codes", "--compression", "required", "--encryption"],
    "SHORT-1": ["--soap", "short", "--compression", "none", "--client-certificate"],
}


class Customer:
    """One contract with the bank, and a connector's settings for it."""

    def __init__(self, bank, name):
        self.bank, self.folder = bank, bank.folder / name
        self.contract = json.loads((self.folder / "contract.json").read_text())
        self.soap = self.contract["soap"]

    def read(self, name):
        return (self.folder / name).read_bytes()

    def identity(self, name):
        return Identity(self.read(f"{name}.pem"), self.read(f"{name}.key"))

    def profile(self):
        """The sandbox's profile, with what this contract has otherwise."""
        data = copy.deepcopy(profile("sandbox_soap"))
        data["operations"] = self.soap["operations"]
        data["uploads"] = [
            {"message": one["message"], "file_type": one["fileType"]}
            for one in self.soap["fileTypes"]["upload"]
        ]
        data["downloads"] = {}
        for one in self.soap["fileTypes"]["download"]:
            kind = one["message"][:8]
            data["downloads"].setdefault(kind, []).append(one["fileType"])
        data["compress"] = self.soap["compression"] == "required"
        if self.soap["encryption"]:
            data["encryption"] = {"cipher": "aes256-gcm", "key_transport": "rsa-oaep"}
        return data

    def settings(self, **changes):
        values = {
            "url": self.bank.soap_url + self.soap["path"],
            "profile": self.profile(),
            "identity": self.identity("client") if self.soap["clientCertificate"] else None,
            "signing": self.identity("signing"),
            "decryption": self.identity("encryption"),
            "signers": Trust(self.read("bank-signing.pem")),
            "encrypt_for": self.read("bank-encryption.pem"),
            "variables": {
                "sender_id": self.soap["senderId"],
                "customer_id": self.soap["customerId"],
                "receiver_id": self.soap["receiverId"],
                "environment": self.soap["environment"],
            },
        }
        return self.bank.settings(**{**values, **changes})

    def message(self, end_to_end, trigger=None):
        document = self.bank.message(end_to_end, trigger, self.contract)
        types = {one["message"] for one in self.soap["fileTypes"]["upload"]}
        assert document.message_name in types or any("pain.001" in one for one in types)
        return document


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    running = Bank(tmp_path_factory.mktemp("sandbox"), KINDS)
    yield running
    running.stop()


@pytest.fixture
def clean(bank):
    yield
    for rule in bank.admin("GET", "/admin/faults").get("rules", []):
        bank.admin("DELETE", f"/admin/faults?id={rule['id']}")


@pytest.fixture(params=KINDS)
def customer(bank, request, clean):
    return Customer(bank, request.param)


@pytest.fixture
def iso(bank, clean):
    return Customer(bank, "ISO-1")


@pytest.fixture
def connector(customer):
    with connect("soap", customer.settings()) as connector:
        yield connector


@pytest.fixture
def line(iso):
    with connect("soap", iso.settings()) as connector:
        yield connector


def test_the_connection_test_ticks_everything(connector):
    health = connector.check()
    assert health.ok, [check for check in health.checks if check.ok is False]
    assert {check.step for check in health.checks} >= {"signing", "signer", "peer", "clock"}
    assert abs(health.clock_skew) < 5


def test_a_receipt_and_an_mt940_come_over_the_same_line(bank, iso):
    """By the sandbox's own profile, as it is shipped."""
    bank.admin("POST", "/admin/contracts/ISO-1/options",
               {"receipts": "pdf", "statements": "mt940"})
    with connect("soap", iso.settings(profile=profile("sandbox_soap"))) as line:
        line.submit(iso.message("PAPER"), str(uuid.uuid4()))
        bank.admin("POST", "/admin/clock", {"end_of_day": True})
        found = {remote.kind: line.fetch(remote) for remote in line.list({"pdf", "mt940"})}
    bank.admin("POST", "/admin/contracts/ISO-1/options",
               {"receipts": "none", "statements": "camt"})
    assert found["pdf"].startswith(b"%PDF-") and b"%%EOF" in found["pdf"]
    assert found["mt940"].startswith(b":20:") or b":20:" in found["mt940"]


def test_a_payment_goes_out_and_its_statement_comes_back(bank, customer, connector):
    name = customer.contract["contractId"]
    document, key = customer.message(f"ROAD-{name}"), str(uuid.uuid4())
    receipt = connector.submit(document, key)
    assert receipt.status == "RCVD"
    assert not receipt.duplicate
    asked = replace(document, reference=receipt.bank_reference)
    assert connector.inquire(key, asked).status == "RCVD"
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    kinds = {"pain.002", "camt.053"}
    found = list(connector.list(kinds))
    assert {remote.kind for remote in found} == kinds
    contents = b"".join(connector.fetch(remote) for remote in found)
    assert f"ROAD-{name}".encode() in contents
    for remote in found:
        connector.acknowledge(remote)
    # What was downloaded is listed again: it may not have arrived.
    assert {remote.id for remote in connector.list(kinds)} == {remote.id for remote in found}
    assert bank.executed(f"ROAD-{name}") == 1


def test_the_same_key_pays_once(bank, customer, connector):
    name = f"ONCE-{customer.contract['contractId']}"
    document, key = customer.message(name), str(uuid.uuid4())
    first = connector.submit(document, key)
    again = connector.submit(document, key)
    assert again.duplicate
    assert again.reasons[0].code == "31"
    assert again.bank_reference["request_id"] == first.bank_reference["request_id"]
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert bank.executed(name) == 1


def test_a_message_that_the_bank_does_not_know(iso, line):
    assert line.inquire(str(uuid.uuid4()), iso.message("NEVER")) is None


# Faults of the line and of the bank: what is uncertain is resolved, and nothing is paid twice.

BEFORE = [
    {"point": "before_read", "action": "drop"},
    {"point": "before_commit", "action": "drop"},
    {"point": "before_commit", "action": "error", "status": 503},
]
AFTER = [
    {"point": "after_commit", "action": action}
    for action in (
        *("drop", "truncate", "garbage", "digest", "media_type", "other", "other_number"),
        *("soap_signature", "content_signature", "expired_signer", "stranger", "unsigned"),
        *("request_id", "customer_id", "technical", "flood"),
    )
] + [{"point": "after_commit", "action": "error", "status": 500}]


def fault(bank, rule, **more):
    bank.admin("POST", "/admin/faults", {**rule, "method": "POST", "times": 1, **more})


@pytest.mark.parametrize(
    "rule", BEFORE + AFTER, ids=lambda rule: f"{rule['point']}-{rule['action']}"
)
def test_a_doubt_is_resolved_and_pays_once(bank, iso, line, rule):
    """Whatever goes wrong: uncertain, then asked, then sent again under the same key."""
    name = f"F-{uuid.uuid4().hex[:12]}"
    document, key = iso.message(name), str(uuid.uuid4())
    # Another answer for the faults that mix answers up.
    line.submit(iso.message(f"{name}-0"), str(uuid.uuid4()))
    fault(bank, rule)
    with pytest.raises(Uncertain):
        line.submit(document, key)
    stored = rule["point"] == "after_commit"
    assert (line.inquire(key, document) is not None) is stored
    receipt = line.submit(document, key)
    assert receipt.duplicate is stored
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    assert bank.executed(name) == 1


@pytest.mark.parametrize(
    "action", ["soap_signature", "content_signature", "stranger", "unsigned", "customer_id"]
)
def test_a_statement_that_is_not_the_banks_is_not_taken(bank, iso, line, action):
    line.submit(iso.message(f"S-{uuid.uuid4().hex[:12]}"), str(uuid.uuid4()))
    bank.admin("POST", "/admin/clock", {"end_of_day": True})
    (remote, *_) = line.list(["camt.053"])
    fault(bank, {"point": "after_commit", "action": action}, method="GET")
    with pytest.raises(FetchError):
        line.fetch(remote)
    assert b"camt.053" in line.fetch(remote)


def test_an_unknown_sender_is_not_let_in(iso):
    values = iso.settings().variables
    with connect("soap", iso.settings(variables={**values, "sender_id": "9999999999"})) as line:
        with pytest.raises(NotSent) as caught:
            line.submit(iso.message("STRANGER"), str(uuid.uuid4()))
    assert caught.value.reasons[0].code == "07"


def test_a_locked_contract_is_told(bank, iso, line):
    bank.admin("POST", "/admin/contracts/ISO-1/soap", {"state": "08"})
    try:
        with pytest.raises(NotSent) as caught:
            line.submit(iso.message("LOCKED"), str(uuid.uuid4()))
    finally:
        bank.admin("POST", "/admin/contracts/ISO-1/soap", {"state": ""})
    assert caught.value.reasons[0].code == "08"


def test_the_wrong_environment_is_refused(iso):
    values = iso.settings().variables
    with connect("soap", iso.settings(variables={**values, "environment": "PRODUCTION"})) as line:
        with pytest.raises(Refused) as caught:
            line.submit(iso.message("WRONG-ENV"), str(uuid.uuid4()))
    assert caught.value.reasons[0].code == "29"


def test_the_banks_authority_and_revocation_list_can_be_used(bank, iso):
    """Trust in the authority instead of the certificate, and a current list beside it."""
    with urlopen_tls(bank, iso) as answer:
        crl = answer.read()
    signers = Trust(iso.read("ca.pem"))
    with connect("soap", iso.settings(signers=signers, crl=crl)) as line:
        assert line.check().ok


def urlopen_tls(bank, customer):
    import ssl

    context = ssl.create_default_context(cadata=customer.read("ca.pem").decode())
    return urlopen(bank.soap_url + customer.soap["revocationList"]["path"], context=context)


def test_the_banks_new_certificate_is_not_trusted_by_itself(bank, iso):
    """Last, since the bank signs with another certificate from here on."""
    fresh = bank.admin("POST", "/admin/signing-certificate", {})["pem"]
    with connect("soap", iso.settings()) as line:
        health = line.check()
        assert not health.ok
        assert "signer_untrusted" in {check.code for check in health.checks}
    both = Trust(iso.read("bank-signing.pem") + b"\n" + fresh.encode())
    with connect("soap", iso.settings(signers=both)) as line:
        assert line.check().ok
