"""Consent, upload, order: each step can be taken up again, and nothing counts as sent before it."""

import base64
import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors import Document, Identity, NotSent, Refused, SettingsError, Uncertain, profile
from connectors.interface import FetchError
from connectors.rest_profile import RestProfile
from tests_unit.connectors.kinds import RsaPair
from tests_unit.connectors.server import reply

CONTENT = b"<Document>payments</Document>"


class Bank:
    """Consents and orders as UK Open Banking has them; knows idempotency keys."""

    def __init__(self):
        self.status = "Authorised"
        self.consents, self.files, self.orders = {}, {}, {}
        self.trouble = {}  # (method, end of path) → (status, body), a function, or None: hang up

    def __call__(self, request, sock):
        if request.path == "/token":
            return reply(request, 200, {"access_token": "tok", "token_type": "Bearer",
                                        "expires_in": 300})  # fmt: skip
        key = request.headers.get("x-idempotency-key")
        trouble = self.trouble.pop((request.method, request.path.rpartition("/")[2]), False)
        if trouble is None:
            self.act(request, key)
            return None
        if trouble:
            return reply(request, *trouble)
        return reply(request, *self.act(request, key))

    def act(self, request, key):
        parts = request.path.strip("/").split("/")
        if parts == ["file-payment-consents"]:
            consent = self.consents.setdefault(key, (f"c{len(self.consents) + 1}", request.body))
            return 201, {"Data": {"ConsentId": consent[0], "Status": "AwaitingUpload"}}
        if parts[-1] == "file":
            self.files[parts[1]] = request.body
            return 200, b""
        if parts[0] == "file-payment-consents":
            return 200, {"Data": {"ConsentId": parts[1], "Status": self.status}}
        self.orders.setdefault(key, request.body)
        return 201, {"Data": {"FilePaymentId": f"f-{key[:4]}", "Status": "RCVD"}}


@pytest.fixture
def fake(bank):
    bank.script = Bank()
    return bank.script


@pytest.fixture(scope="module")
def ours():
    return RsaPair("our signing key")


@pytest.fixture
def call(bank, dial_up, ours):
    def make():
        return dial_up(
            bank.url, profile="obie_file",
            signing=Identity(ours.certificate, ours.key_pem),
            variables={"client_id": "cid", "financial_id": "fid", "key_id": "kid",
                       "signer": "org/ssa", "token_url": f"{bank.url}/token"},
        )  # fmt: skip

    return make


@pytest.fixture
def file():
    return Document(CONTENT, "pain.001.001.09", name="B00001", transactions=3,
                    control_sum=Decimal("1200.50"))  # fmt: skip


def steps(bank):
    return [(r.method, r.path) for r in bank.requests if r.path != "/token"]


def test_the_whole_way(bank, fake, call, file, key):
    receipt = call().submit(file, key)
    assert steps(bank) == [
        ("POST", "/file-payment-consents"),
        ("POST", "/file-payment-consents/c1/file"),
        ("GET", "/file-payment-consents/c1"),
        ("POST", "/file-payments"),
    ]
    ((_, consent),) = fake.consents.values()
    said = json.loads(consent, parse_float=Decimal)["Data"]["Initiation"]
    assert said["FileHash"] == base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert said["NumberOfTransactions"] == "3"
    assert said["ControlSum"] == Decimal("1200.50")
    assert fake.files == {"c1": CONTENT}
    assert list(fake.orders) == [key], "the order goes out under the message's own key"
    assert json.loads(fake.orders[key])["Data"]["ConsentId"] == "c1"
    assert receipt.bank_reference == {"file_consent_id": "c1", "payment_id": f"f-{key[:4]}"}
    keys = [r.headers["x-idempotency-key"] for r in bank.requests if r.path != "/token"]
    assert len(set(keys)) == 4, "each step has a key of its own"
    assert all(r.headers.get("x-jws-signature") for r in bank.requests if r.method == "POST"
               and r.path != "/token")  # fmt: skip


@pytest.mark.parametrize(
    "where", [("POST", "file-payment-consents"), ("POST", "file"), ("GET", "c1")]
)
@pytest.mark.parametrize("trouble", [None, (500, {}), (429, {}), (201, b"half"), (404, {})])
def test_trouble_before_the_order_is_not_sent_and_can_be_taken_up_again(
    bank, fake, call, file, key, where, trouble
):
    """Even where the bank may have taken the step: it has no order."""
    fake.trouble = {where: trouble}
    with pytest.raises(NotSent) as caught:
        call().submit(file, key)
    assert not fake.orders
    known = caught.value.bank_reference
    receipt = call().submit(replace(file, reference=known), key)
    assert receipt.bank_reference["payment_id"]
    assert len(fake.consents) == 1, "the same step under the same key makes no second consent"
    assert len(fake.orders) == 1


def test_what_is_known_is_not_done_again(bank, fake, call, file, key):
    fake.status = "AwaitingAuthorisation"
    with pytest.raises(NotSent) as caught:
        call().submit(file, key)
    assert caught.value.code == "not_authorised_yet"
    assert "Authorise" in caught.value.hint
    assert caught.value.bank_reference == {"file_consent_id": "c1"}
    bank.requests.clear()
    fake.status = "Authorised"
    call().submit(replace(file, reference=caught.value.bank_reference), key)
    assert ("POST", "/file-payment-consents") not in steps(bank)


def test_a_consent_that_was_turned_down_is_a_refusal(fake, call, file, key):
    fake.status = "Rejected"
    with pytest.raises(Refused):
        call().submit(file, key)
    assert not fake.orders


def test_a_refused_step_is_a_refusal_with_the_banks_reason(fake, call, file, key):
    first = {"ErrorCode": "UK.OBIE.Field.Invalid", "Message": "ControlSum", "Path": "Data"}
    error = {"Code": "400", "Errors": [first]}
    fake.trouble = {("POST", "file-payment-consents"): (400, error)}
    with pytest.raises(Refused) as caught:
        call().submit(file, key)
    assert caught.value.reasons[0].code == "UK.OBIE.Field.Invalid"
    assert not fake.orders


def test_an_order_without_an_answer_is_uncertain_and_is_asked_about_by_its_consent(
    fake, call, file, key
):
    fake.trouble = {("POST", "file-payments"): None}
    with pytest.raises(Uncertain) as caught:
        call().submit(file, key)
    known = replace(file, reference=caught.value.bank_reference)
    assert known.reference == {"file_consent_id": "c1"}
    fake.status = "Authorised"
    assert call().inquire(key, known) is None, "an unused consent: there is no order"
    fake.status = "Consumed"
    with pytest.raises(FetchError):
        call().inquire(key, known)
    receipt = call().submit(known, key)
    assert len(fake.orders) == 1, "the repeated order is the first one"
    assert receipt.bank_reference["payment_id"]


def test_without_a_consent_there_is_nothing_to_ask(bank, call, file, key):
    with pytest.raises(FetchError) as caught:
        call().inquire(key, file)
    assert caught.value.code == "cannot_inquire"
    assert not bank.requests


def test_a_message_without_a_sum_does_not_begin(bank, fake, call, file, key):
    with pytest.raises(NotSent) as caught:
        call().submit(replace(file, control_sum=None), key)
    assert caught.value.code == "template_value"
    assert not steps(bank)


@pytest.mark.parametrize("hostile", ["", ".", "..", "a\nb", "x" * 300, 7.5, None, {"a": 1}])
def test_a_strange_consent_number_never_becomes_part_of_an_address(
    bank, fake, call, file, key, hostile
):
    fake.trouble = {("POST", "file-payment-consents"): (201, {"Data": {"ConsentId": hostile}})}
    with pytest.raises(NotSent) as caught:
        call().submit(file, key)
    assert caught.value.code == "answer_unreadable"
    assert len(steps(bank)) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "Upload!"}, "submit.steps[1].name must be"),
        ({"name": "consent"}, "submit.steps[1].name is used twice"),
        ({"gives": {"key": "x"}}, "submit.steps[1].gives cannot give key"),
        ({"gives": {"file_consent_id": "x"}}, "cannot give file_consent_id"),
        ({"answers": [{"status": 200, "means": "delivered"}]}, "means must be one of"),
        ({"path": "file"}, "submit.steps[1].path must start"),
        ({"colour": 1}, "submit.steps[1].colour is not known"),
    ],
)
def test_a_mistake_in_a_step_is_named(change, said):
    data = profile("obie_file")
    data["submit"]["steps"][1] |= change
    with pytest.raises(SettingsError) as caught:
        RestProfile.from_dict(data)
    assert said in caught.value.message
