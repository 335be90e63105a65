"""The REST channel against each kind of bank that the sandbox plays, in a process of its own.

The profiles are data (sandbox_profiles.py); connector and bank share no code.
"""

import json
import threading
import time
import uuid
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors import (
    FetchError,
    Identity,
    NotSent,
    Refused,
    Trust,
    Uncertain,
    connect,
    notification,
    notification_jws,
)
from connectors.keys import public_keys
from tests_unit.connectors.sandbox_process import Bank, sandbox
from tests_unit.connectors.sandbox_profiles import CURSOR, NEXT, PROFILES

DIRECT = [name for name in PROFILES if name != "obie"]
KEYED = [name for name in DIRECT if "inquiry" in PROFILES[name]]
SIGNING = ["multipart", "obie"]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    running = Bank(
        tmp_path_factory.mktemp("kinds"),
        {f"K-{name}": ("--kind", name, "--page-size", "2") for name in PROFILES},
    )
    yield running
    running.stop()


@pytest.fixture
def road(bank):
    """Connector and contract of a kind."""
    opened = []

    def make(name, changes=None, folder=None, built=None):
        folder = folder or bank.folder / f"K-{name}"
        contract = json.loads((folder / "contract.json").read_text())
        channel = contract["channel"]
        built = {**(built or PROFILES[name]), **(changes or {})}

        def read(file):
            return (folder / file).read_bytes()

        base = "/open-banking/v4.0/pisp" if name == "obie" else ""
        if name == "obie":
            built["auth"] = {**built["auth"], "token": "{token_url}"}
        settings = bank.settings(
            url=bank.url + base,
            accounts={item["iban"]: item["resourceId"] for item in contract["accounts"]},
            profile=built,
            identity=Identity(read("client.pem"), read("client.key")),
            signing=Identity(read("signing.pem"), read("signing.key")),
            signers=Trust(read("bank-signing.pem")),
            encrypt_for=read("bank-encryption.pem"),
            variables={
                "client_id": channel.get("clientId", ""),
                "client_secret": channel.get("clientSecret", ""),
                "api_key": channel.get("apiKey", {}).get("value", ""),
                "key_id": channel.get("keyId", ""),
                "signer": channel.get("jws", {}).get("issuer", ""),
                "financial_id": "SNDB",
                "token_url": f"{bank.url}/oauth2/token",
            },
        )
        opened.append(connect("rest", settings).__enter__())
        return opened[-1], contract

    yield make
    for connector in opened:
        connector.__exit__(None, None, None)
    for rule in bank.admin("GET", "/admin/faults").get("rules", []):
        bank.admin("DELETE", f"/admin/faults?id={rule['id']}")


def message(bank, contract, reference, **more):
    document = bank.message(reference, contract=contract, **more)
    return replace(document, name="B00001", transactions=1, control_sum=Decimal("12.50"))


def submitted(contract, bank):
    rows = bank.admin("GET", "/admin/submissions")["submissions"]
    return [row for row in rows if row["contract"] == contract["contractId"]]


@pytest.mark.parametrize("name", PROFILES)
def test_the_connection_test_is_green(road, name):
    connector, _contract = road(name)
    health = connector.check()
    assert health.ok, health.checks


@pytest.mark.parametrize("name", PROFILES)
def test_a_payment_is_taken_once_and_its_status_read(bank, road, name):
    connector, contract = road(name)
    document, key = message(bank, contract, f"PAY-{name}"), str(uuid.uuid4())
    receipt = connector.submit(document, key)
    assert receipt.status == "RCVD"
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed(f"PAY-{name}") == 1
    told = connector.inquire(key, replace(document, reference=receipt.bank_reference))
    if told.status is None or b"pain.002" in told.content:
        assert b"<TxSts>ACSC</TxSts>" in told.content
    else:
        assert told.status == "ACSC"


@pytest.mark.parametrize("name", [*KEYED, "obie"])
def test_the_same_key_again_is_the_same_payment(bank, road, name):
    """Whether the bank repeats its answer or says "duplicate": delivered, and paid once."""
    connector, contract = road(name)
    document, key = message(bank, contract, f"AGAIN-{name}"), str(uuid.uuid4())
    first = connector.submit(document, key)
    again = connector.submit(document, key)
    if name in ("multipart", "sealed", "obie"):
        assert again.bank_reference["payment_id"] == first.bank_reference["payment_id"]
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed(f"AGAIN-{name}") == 1


@pytest.mark.parametrize("name", KEYED)
def test_a_lost_receipt_is_found_by_the_key(bank, road, name):
    connector, contract = road(name)
    document, key = message(bank, contract, f"LOST-{name}"), str(uuid.uuid4())
    bank.admin("POST", "/admin/faults", {
        "point": "after_commit", "action": "drop", "path": "^/api/payments$",
        "times": 1})  # fmt: skip
    with pytest.raises(Uncertain):
        connector.submit(document, key)
    found = connector.inquire(key, document)
    (row,) = [row for row in submitted(contract, bank) if row["key"] == key]
    assert found.bank_reference["payment_id"] == row["paymentId"]
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed(f"LOST-{name}") == 1


def test_a_lost_order_is_never_taken_for_none_and_is_repeated_under_its_key(bank, road):
    """The consent tells that it was used, and not for which order: only the order itself does."""
    connector, contract = road("obie")
    document, key = message(bank, contract, "LOST-OBIE"), str(uuid.uuid4())
    rule = {"action": "drop", "path": "/file-payments$", "times": 1}
    bank.admin("POST", "/admin/faults", {**rule, "point": "before_commit"})
    with pytest.raises(Uncertain) as lost:
        connector.submit(document, key)
    document = replace(document, reference=lost.value.bank_reference)
    assert connector.inquire(key, document) is None  # the bank has no order: true
    bank.admin("POST", "/admin/faults", {**rule, "point": "after_commit"})
    with pytest.raises(Uncertain):
        connector.submit(document, key)
    with pytest.raises(FetchError):
        connector.inquire(key, document)
    receipt = connector.submit(document, key)
    (row,) = [row for row in submitted(contract, bank) if row["key"] == key]
    assert receipt.bank_reference["payment_id"] == row["paymentId"]
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed("LOST-OBIE") == 1


@pytest.mark.parametrize("name", KEYED)
def test_what_the_bank_never_had_is_known_as_such(bank, road, name):
    connector, contract = road(name)
    assert connector.inquire(str(uuid.uuid4()), message(bank, contract, "NEVER")) is None


@pytest.mark.parametrize("name", DIRECT)
def test_what_no_bank_could_file_is_refused(bank, road, name):
    connector, contract = road(name)
    document = replace(message(bank, contract, "BAD"), content=b"<not>well-formed")
    with pytest.raises(Refused):
        connector.submit(document, str(uuid.uuid4()))


def test_a_control_sum_that_is_not_the_files_is_refused_before_the_order(bank, road):
    connector, contract = road("obie")
    document = replace(message(bank, contract, "SUM"), control_sum=Decimal("12.51"))
    with pytest.raises(Refused):
        connector.submit(document, str(uuid.uuid4()))
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed("SUM") == 0


@pytest.mark.parametrize("name", DIRECT)
def test_documents_are_listed_over_pages_fetched_and_acknowledged(bank, road, name):
    connector, contract = road(name)
    iban = contract["accounts"][0]["iban"]
    for _number in range(3):
        bank.admin("POST", "/admin/credit", {"iban": iban, "amount": "1.00", "name": "X"})
    found = list(connector.list(["camt.054"]))
    assert len(found) >= 3  # over two pages at least
    assert len({remote.id for remote in found}) == len(found)
    for remote in found:
        assert b"camt.054" in connector.fetch(remote)
        connector.acknowledge(remote)
    assert list(connector.list(["camt.054"])) == []


@pytest.mark.parametrize("name", ["multipart", "sealed", "xml_base64", "bearer", "obie"])
def test_a_revoked_token_is_replaced_by_itself(bank, road, name):
    connector, contract = road(name)
    connector.submit(message(bank, contract, f"REVOKED-1-{name}"), str(uuid.uuid4()))
    done = bank.admin(
        "POST", f"/admin/contracts/{contract['contractId']}/revoke-tokens", {}
    )
    assert done["revoked"] >= 1
    connector.submit(message(bank, contract, f"REVOKED-2-{name}"), str(uuid.uuid4()))
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed(f"REVOKED-2-{name}") == 1


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("action", ["content_signature", "stranger", "unsigned"])
def test_a_receipt_that_is_not_signed_by_the_bank_is_none(bank, road, name, action):
    """The order may be with the bank: uncertain, and found when asked again."""
    connector, contract = road(name)
    reference = f"{action[:4]}-{name}".upper()
    document, key = message(bank, contract, reference), str(uuid.uuid4())
    path = "^/api/payments$" if name != "obie" else "/file-payments$"
    bank.admin("POST", "/admin/faults", {
        "point": "after_commit", "action": action, "path": path, "times": 1})  # fmt: skip
    with pytest.raises(Uncertain):
        connector.submit(document, key)
    connector.submit(document, key)
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed(reference) == 1


@pytest.mark.parametrize("name", ["multipart"])
@pytest.mark.parametrize("action", ["content_signature", "stranger", "unsigned", "other"])
def test_a_document_that_is_not_signed_by_the_bank_is_not_taken(bank, road, name, action):
    connector, contract = road(name)
    iban = contract["accounts"][0]["iban"]
    for _number in range(2):
        bank.admin("POST", "/admin/credit", {"iban": iban, "amount": "1.00", "name": "X"})
    first, second, *_others = connector.list(["camt.054"])
    rule = {"point": "after_commit", "path": "^/api/reports/.", "times": 1}
    # A rule that changes nothing has the bank remember what it answers.
    bank.admin("POST", "/admin/faults", {**rule, "action": "delay", "seconds": 0})
    connector.fetch(first)
    bank.admin("POST", "/admin/faults", {**rule, "action": action})
    with pytest.raises(FetchError):
        connector.fetch(second)
    assert b"camt.054" in connector.fetch(second)


@pytest.mark.parametrize("name", ["json"])
def test_a_wrong_api_key_is_not_sent(bank, road, name):
    connector, contract = road(name, {
        "auth": {"kind": "api_key", "header": "X-Api-Key", "value": "wrong"}})  # fmt: skip
    with pytest.raises(NotSent):
        connector.submit(message(bank, contract, "KEYLESS"), str(uuid.uuid4()))


def test_a_consent_waits_for_the_desk_and_then_goes_on(bank, road):
    """Nothing is sent while nobody has authorised; the next attempt goes on where it stood."""
    folder = bank.folder / "K-DESK"
    sandbox(
        *("enrol", "--dir", bank.folder / "bank", "--customer", "Desk GmbH"),
        *("--contract", "K-DESK", "--account", ":EUR:1000", "--kind", "obie"),
        *("--approval", "desk", "--out", folder),
    )
    connector, contract = road("obie", folder=folder)
    document, key = message(bank, contract, "DESK-1"), str(uuid.uuid4())
    with pytest.raises(NotSent) as waiting:
        connector.submit(document, key)
    assert waiting.value.code == "not_authorised_yet"

    def consents():
        listed = bank.admin("GET", "/admin/consents")["consents"]
        return [row for row in listed if row["contract"] == "K-DESK"]

    (consent,) = consents()
    assert consent["status"] == "AWAU"
    bank.admin("POST", f"/admin/consents/{consent['id']}/authorise", {})
    document = replace(document, reference=waiting.value.bank_reference)
    assert connector.submit(document, key).status == "RCVD"
    bank.admin("POST", "/admin/clock", {})
    assert bank.executed("DESK-1") == 1
    assert len(consents()) == 1


def from_statements(bank, road, kind, told, name="json", **more):
    """A connector without mailbox: statements of the account by content negotiation."""
    statements = {
        "path": "/api/accounts/{account}/transactions",
        "query": {"dateFrom": "{date_from}", "dateTo": "{date_to}"},
        "kinds": {kind: told},
        "days": 30,
        **more,
    }
    built = {key: value for key, value in PROFILES[name].items() if key != "documents"}
    return road(name, {"statements": statements}, built=built)


@pytest.mark.parametrize(
    ("name", "kind", "told", "marks"),
    [
        ("json", "camt.053", "application/xml", [b"camt.05", b"<Ustrd>MARK-0</Ustrd>"]),
        ("json", "mt940", "text/plain", [b":60F:", b"SVWZ+MARK-0"]),
        ("multipart", "mt940", "text/plain", [b":62F:", b"SVWZ+MARK-0"]),
        ("json", "transactions", {"accept": "application/json", "next": CURSOR}, [b"MARK-0"]),
        ("multipart", "transactions", {"accept": "application/json", "next": NEXT}, [b"MARK-0"]),
        ("bearer", "transactions", {"accept": "application/json", "next": {"header": True}},
         [b"MARK-0"]),
    ],
)  # fmt: skip
def test_statements_come_in_the_form_that_the_profile_asks_for(
    bank, road, name, kind, told, marks
):
    connector, contract = from_statements(bank, road, kind, told, name)
    for number in range(3):
        bank.admin("POST", "/admin/credit", {
            "iban": contract["accounts"][0]["iban"], "amount": "1.00", "name": "X",
            "remittance": f"MARK-{number}"})  # fmt: skip
    (remote,) = connector.list([kind])
    content = connector.fetch(remote)
    assert all(mark in content for mark in marks), content[:2000]
    if kind == "transactions":
        booked = [
            item["remittanceInformationUnstructured"]
            for page in json.loads(content)["pages"]
            for item in page["transactions"]["booked"]
            if item.get("remittanceInformationUnstructured")
        ]
        assert len(json.loads(content)["pages"]) >= 2
        assert {f"MARK-{number}" for number in range(3)} <= set(booked)


class Listener:
    """An address that keeps what it is sent, and says no to the first so many calls."""

    def __init__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append((dict(self.headers), body))
                self.send_response(401 if len(outer.calls) <= outer.refuse else 204)
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        self.calls, self.refuse = [], 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count):
        deadline = time.monotonic() + 30
        while len(self.calls) < count:
            assert time.monotonic() < deadline, self.calls
            time.sleep(0.05)
        return self.calls

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("form", ["hmac", "jws"])
def test_the_banks_calls_are_told_from_forged_old_altered_and_repeated_ones(bank, form):
    listener, folder = Listener(), bank.folder / f"H-{form}"
    listener.refuse = 3
    sandbox(
        *("enrol", "--dir", bank.folder / "bank", "--customer", "Hook GmbH"),
        *("--contract", f"H-{form}", "--account", ":EUR:1000", "--out", folder),
        *("--webhook", listener.url, "--webhook-form", form),
    )
    contract = json.loads((folder / "contract.json").read_text())
    told = contract["webhook"]

    def judge(headers, body):
        now = datetime.now(timezone.utc)
        signature = headers[told["signatureHeader"]]
        if form == "hmac":
            return notification.verify(
                told["secret"].encode(), headers[told["timestampHeader"]], signature, body, now=now
            )
        keys = public_keys((folder / told["certificate"]).read_bytes())
        return notification_jws.verify(keys, signature, body, now=now)

    try:
        for number, action in enumerate(("forge", "stale", "alter"), 1):
            bank.admin("POST", "/admin/faults", {
                "point": "notify", "action": action, "nth": number})  # fmt: skip
        iban = contract["accounts"][0]["iban"]
        bank.admin("POST", "/admin/credit", {"iban": iban, "amount": "1.00"})
        codes = []
        for headers, body in listener.wait(4)[:3]:
            with pytest.raises(notification.BadNotification) as caught:
                judge(headers, body)
            codes.append(caught.value.code)
        assert codes == ["signature", "expired", "signature"]
        right = judge(*listener.calls[3])
        bank.admin("POST", "/admin/faults", {"point": "notify", "action": "replay", "times": 1})
        bank.admin("POST", "/admin/credit", {"iban": iban, "amount": "1.00"})
        first, again = [judge(*call) for call in listener.wait(6)[4:6]]
        assert first == again  # by which a replay is noticed
        assert first != right
    finally:
        listener.close()
