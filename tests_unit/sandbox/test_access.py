"""Who gets in, and how a request must look."""

import socket
import ssl
import uuid

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.pki import Authority

PATH = "/v1/contract"


def code_of(answer):
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, answer.json()["tppMessages"][0]["code"]


def test_without_a_certificate_there_is_no_connection(shared_bank, shared_customer):
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"https://localhost:{shared_bank.ports['port']}{PATH}",
                     verify=str(shared_customer.folder / "ca.pem"), timeout=10)


def test_a_certificate_of_another_authority_does_not_connect(shared_bank, shared_customer,
                                                             tmp_path):
    other = Authority(tmp_path)
    other.create("Another bank")
    certificate, key = other.issue_client("CORP-001", "Example GmbH")
    (tmp_path / "c.pem").write_bytes(
        certificate.public_bytes(Encoding.PEM) + key)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"https://localhost:{shared_bank.ports['port']}{PATH}",
                     cert=str(tmp_path / "c.pem"),
                     verify=str(shared_customer.folder / "ca.pem"), timeout=10)


def test_a_certificate_without_contract_is_refused(shared_bank, shared_customer):
    """The authority signed it, but the bank did not give it a contract."""
    authority = Authority(shared_bank.folder / "pki")
    certificate, key = authority.issue_client("NOBODY", "Nobody")
    both = shared_bank.folder / "nobody.pem"
    both.write_bytes(certificate.public_bytes(Encoding.PEM) + key)
    answer = requests.get(f"https://localhost:{shared_bank.ports['port']}{PATH}",
                          cert=str(both), verify=str(shared_customer.folder / "ca.pem"),
                          timeout=10)
    assert code_of(answer) == (401, "CERTIFICATE_INVALID")


def test_a_revoked_certificate_is_refused(shared_bank, enrol):
    customer = enrol(shared_bank, "CORP-REVOKED", ())
    assert customer.request("GET", PATH).status_code == 200
    shared_bank.desk("POST", "/admin/contracts/CORP-REVOKED/revoke-certificate", json={})
    assert code_of(customer.request("GET", PATH)) == (401, "CERTIFICATE_REVOKED")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(shared_bank, shared_customer):
    context = ssl.create_default_context(cafile=shared_customer.folder / "ca.pem")
    context.load_cert_chain(shared_customer.folder / "client.pem",
                            shared_customer.folder / "client.key")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", shared_bank.ports["port"]), 10) as plain, \
            pytest.raises(ssl.SSLError), context.wrap_socket(plain, server_hostname="localhost"):
        pass


def test_a_customer_sees_only_the_own_contract(shared_bank, shared_customer, enrol, pain001,
                                               iban):
    """Payments, accounts and documents of another contract do not exist."""
    payment_id = shared_customer.send(
        pain001(shared_customer.iban, [("MINE", iban("DE"), "1.00")]).bytes())
    mine = shared_customer.request("GET", "/v1/documents").json()["documents"][0]["id"]
    other = enrol(shared_bank, "CORP-OTHER")
    for path in (f"/v1/bulk-payments/pain.001-sepa-credit-transfers/{payment_id}/status",
                 f"/v1/documents/{mine}",
                 f"/v1/accounts/{shared_customer.contract['accounts'][0]['resourceId']}/balances"):
        assert code_of(other.request("GET", path)) == (404, "RESOURCE_UNKNOWN")
    assert other.request("GET", "/v1/documents?status=all").json()["documents"] == []


@pytest.mark.parametrize(("headers", "status", "code"), [
    ({"X-Request-ID": None}, 400, "FORMAT_ERROR"),
    ({"X-Request-ID": "1"}, 400, "FORMAT_ERROR"),
    ({"PSU-IP-Address": None}, 400, "FORMAT_ERROR"),
    ({"PSU-IP-Address": "here"}, 400, "FORMAT_ERROR"),
    ({"PSU-Corporate-ID": None}, 401, "CORPORATE_ID_INVALID"),
    ({"PSU-Corporate-ID": "CORP-002"}, 401, "CORPORATE_ID_INVALID"),
    ({"Content-Type": "text/plain"}, 415, "FORMAT_ERROR"),
    ({"Digest": "SHA-256=AAAA"}, 400, "FORMAT_ERROR"),
])
def test_a_submission_with_a_wrong_header_is_refused_and_not_stored(
        shared_customer, pain001, iban, headers, status, code):
    key = str(uuid.uuid4())
    body = pain001(shared_customer.iban, [("X", iban("DE"), "1.00")]).bytes()
    answer = shared_customer.request(
        "POST", "/v1/bulk-payments/pain.001-sepa-credit-transfers", data=body,
        headers={"Content-Type": "application/xml", "X-Request-ID": key, **headers})
    assert code_of(answer) == (status, code)
    assert shared_customer.request("GET", f"/v1/submissions/{key}").status_code == 404


def test_unknown_products_and_paths_are_answered_as_such(shared_customer):
    assert code_of(shared_customer.submit(b"<x/>", product="sepa")) == (404, "PRODUCT_UNKNOWN")
    assert code_of(shared_customer.request("GET", "/v1/nothing")) == (404, "RESOURCE_UNKNOWN")
    assert code_of(shared_customer.request("PUT", "/v1/accounts")) == (405, "SERVICE_INVALID")


def test_accounts_need_the_contract_s_consent(shared_customer):
    assert code_of(shared_customer.request(
        "GET", "/v1/accounts", headers={"Consent-ID": None})) == (400, "FORMAT_ERROR")
    assert code_of(shared_customer.request(
        "GET", "/v1/accounts", headers={"Consent-ID": "other"})) == (403, "CONSENT_UNKNOWN")
    found = shared_customer.request("GET", "/v1/accounts").json()["accounts"]
    assert [item["iban"] for item in found] == [shared_customer.iban]


def test_every_answer_repeats_the_request_id_and_bears_the_date(shared_customer):
    key = str(uuid.uuid4())
    for path in (PATH, "/v1/nothing"):
        answer = shared_customer.request("GET", path, headers={"X-Request-ID": key})
        assert answer.headers["X-Request-ID"] == key
        assert answer.headers["Date"].endswith("GMT")


def test_the_contract_tells_what_it_allows(shared_customer):
    found = shared_customer.request("GET", PATH).json()
    assert found["contractId"] == "CORP-001"
    assert found["bank"]["bic"] == "SNDBDEFFXXX"
    assert found["bankTime"].startswith("2026-11-23T08:00")
    assert len(found["products"]) == 4
    assert found["certificate"]["notAfter"].endswith("Z")
