"""The certificate service: a first certificate for a transfer key, renewal, the bank's own."""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import datetime, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256

NAMESPACES = {"hmac": "http://filetransfer.nordea.com/xmldata/",
              "luhn": "http://op.fi/mlp/xmldata/"}
SERVICE = "http://bxd.fi/CertificateService"


class Newcomer:
    """A customer with a transfer key, who makes keys and asks for certificates."""

    def __init__(self, customer) -> None:
        self.customer, self.soap = customer, customer.soap
        self.transfer = self.soap["transferKey"]
        self.key = rsa.generate_private_key(65537, 2048)

    def request(self, key=None) -> bytes:
        """PKCS#10, DER."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whoever")])
        return x509.CertificateSigningRequestBuilder().subject_name(name).sign(
            key or self.key, SHA256()).public_bytes(serialization.Encoding.DER)

    def application(self, csr=None, proof=None, kind=None, **fields) -> str:
        kind, csr = kind or self.transfer["kind"], csr or self.request()
        if proof is None:
            proof = {"luhn": ("TransferKey", self.transfer["key"]), "hmac": (
                "HMAC", mac(self.transfer["key"], csr))}[kind]
        values = {"CustomerId": self.soap["customerId"],
                  "Timestamp": datetime.now(timezone.utc).isoformat(),
                  "Environment": self.soap["environment"], "SoftwareId": "test",
                  "Command": "GetCertificate", "Service": "MATU",
                  "Content": base64.b64encode(csr).decode(), **fields}
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items()
                         if value is not None)
        if proof:
            inside += f"<{proof[0]}>{proof[1]}</{proof[0]}>"
        return (f'<CertApplicationRequest xmlns="{NAMESPACES[kind]}">{inside}'
                "</CertApplicationRequest>")

    def ask(self, application: str, operation: str = "getCertificate", sender=None):
        content = (
            f'<{operation}in xmlns="{SERVICE}"><RequestHeader><SenderId>'
            f"{sender or self.soap['senderId']}</SenderId><RequestId>{uuid.uuid4().hex}"
            f"</RequestId><Timestamp>{datetime.now(timezone.utc).isoformat()}</Timestamp>"
            "</RequestHeader><ApplicationRequest>"
            f"{base64.b64encode(application.encode()).decode()}</ApplicationRequest>"
            f"</{operation}in>")
        envelope = ('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
                    f"{content}</s:Body></s:Envelope>")
        answer = self.customer.post(envelope.encode(), "/ws/CertificateService")
        assert answer.status_code == 200, answer.text
        return self.customer.reply(answer)

    def first(self, **more):
        return self.ask(self.application(**more))


def mac(key: str, csr: bytes, method: str = "sha256") -> str:
    return base64.b64encode(hmac.digest(key.encode(), csr, method)).decode()


def certificate_of(reply, path="Certificates/Certificate/Certificate"):
    assert reply.code == "00", reply.text("ResponseText")
    return x509.load_der_x509_certificate(base64.b64decode(reply.text(path)))


@pytest.fixture
def newcomer(shared_bank, soap_enrol):
    def work(kind):
        return Newcomer(soap_enrol(shared_bank, f"NEW-{uuid.uuid4().hex[:8]}", transfer=kind))
    return work


@pytest.fixture
def become(identity):
    """Let a customer sign with a certificate and its key."""
    def work(newcomer, certificate, key):
        folder = newcomer.customer.folder
        (folder / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "own.key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        newcomer.customer.identity = identity(folder / "own.pem", folder / "own.key")
    return work


@pytest.mark.parametrize("kind", ["hmac", "luhn"])
def test_the_first_certificate_and_its_renewal(newcomer, become, sign_document, kind):
    """From the transfer key to a certificate that signs, then to the next; both are valid."""
    new = newcomer(kind)
    assert not (new.customer.folder / "signing.key").exists()
    first = certificate_of(new.first())
    assert first.public_key() == new.key.public_key()
    assert new.customer.contract["contractId"] in first.subject.rfc4514_string()
    become(new, first, new.key)
    assert new.customer.call("getUserInfo").code == "00"

    next_key = rsa.generate_private_key(65537, 2048)
    application = new.application(new.request(next_key), proof=())
    signed = sign_document(application, new.customer.identity)
    second = certificate_of(new.ask(signed))
    assert second.public_key() == next_key.public_key()
    assert certificate_of(new.ask(signed)) == second, "asked again after a lost answer"
    assert new.customer.call("getUserInfo").code == "00", "the old one is good until it ends"
    become(new, second, next_key)
    assert new.customer.call("getUserInfo").code == "00"


def test_an_older_hmac_is_taken(newcomer):
    new = newcomer("hmac")
    csr = new.request()
    assert certificate_of(new.first(csr=csr, proof=(
        "HMAC", mac(new.transfer["key"], csr, "sha1"))))


@pytest.mark.parametrize("kind", ["hmac", "luhn"])
def test_a_transfer_key_is_good_for_one_key_pair(newcomer, kind):
    """The answer may be lost: the same request gets the same certificate, another one none."""
    new = newcomer(kind)
    first = certificate_of(new.first())
    assert certificate_of(new.first()) == first
    new.key = rsa.generate_private_key(65537, 2048)
    assert new.first().code == "30"


def test_five_wrong_keys_lock_it(newcomer):
    new = newcomer("hmac")
    csr = new.request()
    for proof in [("HMAC", mac("0000000000", csr)), ("HMAC", mac(new.transfer["key"], b"x")),
                  ("HMAC", base64.b64encode(b"short").decode()),
                  ("HMAC", hashlib.sha256(csr).hexdigest()), ()]:
        assert new.first(csr=csr, proof=proof).code == "30"
    reply = new.first(csr=csr)
    assert (reply.code, "locked" in reply.text("ResponseText")) == ("30", True)


def test_a_typing_error_costs_no_try(newcomer):
    new = newcomer("luhn")
    right = new.transfer["key"]
    assert len(right) == 16
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    for _time in range(6):
        for typed in (wrong, right[:-1], "x" * 16):
            assert new.first(proof=("TransferKey", typed)).code == "29"
    assert new.first().code == "00"


@pytest.mark.parametrize(("fields", "expected"), [
    ({"CustomerId": "1"}, "13"), ({"Environment": "PRODUCTION"}, "29"),
    ({"SoftwareId": None}, "12"), ({"Content": "AAAA"}, "23"), ({"kind": "luhn",
     "proof": ("TransferKey", "0000000000000000")}, "30")])
def test_a_request_that_is_not_right(newcomer, fields, expected):
    assert newcomer("hmac").first(**fields).code == expected


def test_keys_that_are_not_taken(newcomer):
    new = newcomer("luhn")
    for key in (rsa.generate_private_key(65537, 1024),  # noqa: S505
                ec.generate_private_key(ec.SECP256R1())):
        assert new.first(csr=new.request(key)).code == "23"
    broken = bytearray(new.request())
    broken[-1] ^= 1
    assert new.first(csr=bytes(broken)).code == "23"


def test_who_is_not_known_gets_none(newcomer, sign_document, shared):
    new = newcomer("hmac")
    assert new.ask(new.application(), sender="1").code == "07"
    renewal = new.application(proof=())
    assert new.ask(sign_document(renewal, shared.identity)).code == "19"
    assert new.ask(sign_document(renewal, shared.identity, "sha1")).code == "18"
    contract_without = Newcomer.__new__(Newcomer)
    contract_without.customer, contract_without.soap = shared, shared.soap
    contract_without.transfer = {"kind": "hmac", "key": "0" * 10}
    contract_without.key = new.key
    assert contract_without.first().code == "30"


def test_a_renewal_needs_a_new_key(shared, newcomer, sign_document):
    new = newcomer("hmac")
    new.customer, new.soap = shared, shared.soap
    application = new.application(new.request(shared.identity.key), proof=())
    assert new.ask(sign_document(application, shared.identity)).code == "23"


def test_the_banks_certificates_can_be_fetched(newcomer):
    new = newcomer("luhn")
    reply = new.ask(new.application(proof=(), Content=None), "getServiceCertificates")
    space = f"{{{NAMESPACES['luhn']}}}"
    found = {item.findtext(f"{space}Name"): base64.b64decode(item.findtext(f"{space}Certificate"))
             for item in reply.application.iter(f"{space}Certificate") if len(item)}
    assert set(found) == {"bank-signing", "bank-encryption", "ca"}
    own = new.customer.bank_certificate.public_bytes(serialization.Encoding.DER)
    assert found["bank-signing"] == own


def test_the_bank_signs_with_a_new_certificate(bank, soap_enrol):
    """The old one is on the revocation list; the new one is by the same authority."""
    customer = soap_enrol(bank, "SOAP-ROLL")
    old = customer.bank_certificate
    new = x509.load_pem_x509_certificate(
        bank.desk("POST", "/admin/signing-certificate", json={})["pem"].encode())
    assert new.public_key() != old.public_key()
    customer.bank_certificate = new
    assert customer.call("getUserInfo").code == "00"
    crl = x509.load_der_x509_crl(
        customer.session.get(customer.url("/ws/revoked.crl"), timeout=10).content)
    assert crl.get_revoked_certificate_by_serial_number(old.serial_number)
    assert not crl.get_revoked_certificate_by_serial_number(new.serial_number)
    ca = x509.load_pem_x509_certificate((customer.folder / "ca.pem").read_bytes())
    new.verify_directly_issued_by(ca)


def test_a_contract_is_made_on_the_command_line(cli, tmp_path):
    bank = tmp_path / "bank"
    cli("init", "--dir", bank)
    order = ["enrol", "--dir", bank, "--customer", "ACME"]
    cli(*order, "--contract", "A", "--out", tmp_path / "a", "--soap", "codes",
        "--transfer-key", "luhn", "--environment", "PRODUCTION", "--compression", "required")
    soap = json.loads((tmp_path / "a/contract.json").read_text())["soap"]
    assert soap["transferKey"]["kind"] == "luhn"
    assert soap["environment"] == "PRODUCTION"
    assert soap["fileTypes"]["download"][-1]["fileType"] == "NDCAMT54L"
    assert soap["path"] == "/ws/CorporateFileService"
    assert {item.name for item in (tmp_path / "a").iterdir()} == {
        "client.pem", "client.key", "ca.pem", "contract.json", "bank-signing.pem",
        "bank-encryption.pem"}
    cli(*order, "--contract", "B", "--out", tmp_path / "b", "--soap", "iso")
    assert {"signing.pem", "signing.key", "encryption.pem", "encryption.key"} < {
        item.name for item in (tmp_path / "b").iterdir()}
    cli(*order, "--contract", "C", "--out", tmp_path / "c")
    assert "soap" not in json.loads((tmp_path / "c/contract.json").read_text())
