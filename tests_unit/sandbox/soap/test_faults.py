"""The fault plan over SOAP: what goes wrong on purpose, and the money that stays right."""

import base64
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml.exceptions import InvalidSignature

from sandbox.fault_kinds import KINDS

UPLOAD, LIST = "/uploadFile$", "/downloadFileList$"


@pytest.fixture
def document(customer, pain001, iban):
    return pain001(customer.iban, [("ONE", iban("DE"), "10.00")], message_id="M-ONE").bytes()


def executed(bank):
    bank.settle()
    return bank.desk("GET", "/admin/executions/ONE")["executed"]


def raw(customer, operation="downloadFileList", **fields):
    return customer.send(operation, customer.application(operation, **fields))


@pytest.mark.parametrize(("point", "stored", "code"), [
    ("before_read", 0, "00"), ("before_commit", 0, "00"), ("after_commit", 1, "31")])
def test_a_cut_connection_and_the_same_request_again(bank, customer, document, point, stored,
                                                     code):
    """Before storing nothing is known; afterwards the bank says that it has the file."""
    bank.fault(point=point, action="drop", times=1)
    key = {"RequestId": "the-key"}
    with pytest.raises(requests.exceptions.ConnectionError):
        customer.upload(document, header=key)
    assert executed(bank) == stored
    reply = customer.upload(document, header=key)
    assert (reply.code, len(reply.files())) == (code, 1)
    assert executed(bank) == 1


def test_a_bank_that_ends_after_storing_knows_what_it_has(bank, customer, document):
    bank.fault(point="after_commit", action="exit", path=UPLOAD, times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        customer.upload(document, header={"RequestId": "the-key"})
    assert bank.process.wait(timeout=10) == 86
    bank.process.stdout.close()
    bank.start(clock=None)
    customer.session.close()
    assert customer.upload(document, header={"RequestId": "the-key"}).code == "31"
    assert executed(bank) == 1


@pytest.mark.parametrize(("action", "status"), [("error", 500), ("busy", 429)])
def test_an_error_is_a_soap_fault(bank, customer, document, action, status):
    bank.fault(point="after_commit", action=action, path=UPLOAD, times=1)
    answer = raw(customer, "uploadFile", FileType="pain.001.001.03", UserFilename="a",
                 Content=base64.b64encode(document).decode())
    assert answer.status_code == status
    assert etree.fromstring(answer.content).findtext(".//{http://model.bxd.fi}code") == "26"
    assert ("Retry-After" in answer.headers) == (action == "busy")
    assert executed(bank) == 1


def test_code_26_after_storing(bank, customer, document):
    bank.fault(point="after_commit", action="technical", path=UPLOAD, times=1)
    reply = customer.upload(document)
    assert (reply.code, reply.files()) == ("26", [])
    assert executed(bank) == 1


def test_half_an_answer(bank, customer):
    bank.fault(point="after_commit", action="truncate", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        raw(customer)


def test_a_slow_drip_and_a_late_answer(bank, customer):
    for action in ("drip", "delay"):
        bank.fault(point="after_commit", action=action, seconds=1, times=1)
        started = time.monotonic()
        assert customer.reply(raw(customer)).code == "24"
        assert time.monotonic() - started > 0.8


def test_another_content_type_and_a_page(bank, customer):
    bank.fault(point="after_commit", action="media_type", times=1)
    assert raw(customer).headers["Content-Type"].startswith("text/plain")
    bank.fault(point="after_commit", action="garbage", times=1)
    assert b"Maintenance" in raw(customer).content


@pytest.mark.parametrize("action", ["soap_signature", "content_signature", "digest", "stranger"])
def test_a_wrong_signature_on_one_layer(bank, customer, action):
    """The one is wrong and the other is right, or both are by a stranger of the bank's name."""
    bank.fault(point="after_commit", action=action, path=LIST, times=1)
    answer = raw(customer)
    with pytest.raises(InvalidSignature):
        customer.reply(answer)
    if action in ("content_signature", "digest"):
        root = etree.fromstring(answer.content)
        application = root.find(".//{http://model.bxd.fi}ApplicationResponse")
        assert etree.fromstring(base64.b64decode(application.text))[-1].tag.endswith("Signature")
    assert customer.reply(raw(customer)).code == "24"


def test_an_expired_signer(bank, customer):
    """The key is right and the signatures fit; only the certificate ran out."""
    bank.fault(point="after_commit", action="expired_signer", path=LIST, times=1)
    answer = raw(customer)
    token = etree.fromstring(answer.content).find(".//{*}BinarySecurityToken").text
    given = x509.load_der_x509_certificate(base64.b64decode(token))
    assert given.public_key() == customer.bank_certificate.public_key()
    assert given.not_valid_after_utc < customer.bank_certificate.not_valid_before_utc
    assert given.public_bytes(serialization.Encoding.DER) != customer.bank_certificate.public_bytes(
        serialization.Encoding.DER)


def test_an_unsigned_answer(bank, customer):
    bank.fault(point="after_commit", action="unsigned", path=LIST, times=1)
    root = etree.fromstring(raw(customer).content)
    assert root.find(".//{*}Security") is None
    assert root.find(".//{http://model.bxd.fi}ResponseCode").text == "24"


def test_another_request_id_and_customer(bank, customer):
    bank.fault(point="after_commit", action="request_id", path=LIST, times=1)
    reply = customer.reply(customer.send("downloadFileList",
                                         customer.application("downloadFileList"),
                                         RequestId="mine"))
    assert reply.header["RequestId"] != "mine"
    bank.fault(point="after_commit", action="customer_id", path=LIST, times=1)
    assert customer.call("downloadFileList").text("CustomerId") != customer.soap["customerId"]


@pytest.mark.parametrize("action", ["other", "other_number"])
def test_the_answer_to_another_upload(bank, customer, document, pain001, iban, action):
    bank.fault(point="before_read", action="busy", path="^/never$")  # a plan must be in force
    [first] = customer.upload(document, header={"RequestId": "first"}).files()
    bank.fault(point="after_commit", action=action, path=UPLOAD, times=1)
    other = pain001(customer.iban, [("TWO", iban("DE"), "7.00")]).bytes()
    fields = {"FileType": "pain.001.001.03", "UserFilename": "a",
              "Content": base64.b64encode(other).decode()}
    reply = customer.reply(customer.send("uploadFile", customer.application(
        "uploadFile", **fields), RequestId="second"))
    assert reply.header["RequestId"] == ("first" if action == "other" else "second")
    assert reply.files()[0]["FileReference"] == first["FileReference"]
    assert len(bank.desk("GET", "/admin/submissions")["submissions"]) == 2


def test_lists_in_disorder_and_documents_issued_twice(bank, customer, document):
    bank.fault(point="issue", action="duplicate", document="pain.002", nth=1)
    customer.upload(document)
    bank.settle()
    right = [item["FileReference"] for item in customer.listed()]
    assert len(customer.listed(FileType="pain.002.001.03")) == 3
    bank.fault(point="after_commit", action="list_reversed", path=LIST, times=1)
    assert [item["FileReference"] for item in customer.listed()] == right[::-1]
    bank.fault(point="after_commit", action="list_twice", path=LIST, times=1)
    assert len(customer.listed()) == 2 * len(right)


def test_a_handshake_that_fails(bank, customer):
    for action in ("refuse", "expired"):
        bank.fault(point="handshake", action=action, times=1)
        customer.session.close()
        with pytest.raises(requests.exceptions.SSLError):
            raw(customer)
    assert customer.call("downloadFileList").code == "24"


def test_a_rule_finds_its_request(bank, customer, document):
    """By RequestId and by the message id of the file, as over REST."""
    bank.fault(point="after_commit", action="technical", request_id="that", times=1)
    bank.fault(point="after_commit", action="technical", message_id="M-ONE", times=1)
    assert customer.call("downloadFileList").code == "24"
    assert customer.call("downloadFileList", header={"RequestId": "that"}).code == "26"
    assert customer.upload(document).code == "26"


def test_every_kind_of_the_plan_leaves_the_money_right(bank, customer, pain001, iban):
    """A plan by seed with all its quick kinds; each file is sent until the bank says it has it."""
    slow = {"late_answer", "endless_answer", "slow_drip", "restart_before_storing",
            "restart_after_storing", "issued_late"}
    bank.fault(plan={name: 0.04 for name in KINDS if name not in slow}, seed=3)
    for number in range(12):
        body = pain001(customer.iban, [(f"P{number}", iban("DE"), "1.00")]).bytes()
        until_known(customer, body, f"key-{number}")
    bank.desk("DELETE", "/admin/faults", expect=204)
    bank.settle()
    for number in range(12):
        assert bank.desk("GET", f"/admin/executions/P{number}")["executed"] == 1
    assert bank.balance(customer.iban) == "99988.00"
    assert bank.desk("GET", "/admin/faults/counts")["total"] > 5


def until_known(customer, body, key):
    """Send the same under the same RequestId until the answer is right and says 00 or 31."""
    for _attempt in range(40):
        try:
            reply = customer.upload(body, header={"RequestId": key})
            if reply.code in ("00", "31") and len(reply.files()) == 1 and (
                    reply.text("CustomerId") == customer.soap["customerId"]):
                confirmed = customer.upload(body, header={"RequestId": key})
                if confirmed.code == "31":
                    return
        except (requests.exceptions.RequestException, AssertionError, InvalidSignature,
                etree.XMLSyntaxError, ValueError, AttributeError):
            customer.session.close()
    raise AssertionError("the bank never said that it has it")
