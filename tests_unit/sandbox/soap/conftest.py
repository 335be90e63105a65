"""A customer who speaks SOAP with strings alone.

What is sent is written here letter by letter in its canonical form, so that no canonicalisation is
needed to sign it; what comes back is verified with signxml. Neither is used by the bank.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier

from sandbox.bank import Bank
from sandbox.customers import AccountOrder
from sandbox.soap_contracts import Terms

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = f"{WSS}wssecurity-secext-1.0.xsd", f"{WSS}wssecurity-utility-1.0.xsd"
TOKEN = f"{WSS}x509-token-profile-1.0#X509v3"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
DATA = "http://bxd.fi/xmldata/"
FILES = "http://bxd.fi/CorporateFileService"
CERTIFICATES = "http://bxd.fi/CertificateService"
ORDER = ("CustomerId", "Command", "Timestamp", "StartDate", "EndDate", "Status", "ServiceId",
         "Environment", "FileReferences", "UserFilename", "TargetId", "ExecutionSerial",
         "Encryption", "EncryptionMethod", "Compression", "CompressionMethod", "AmountTotal",
         "TransactionCount", "SoftwareId", "CustomerExtension", "FileType", "Content")


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def now(minutes: float = 0) -> str:
    moment = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def element(name: str, value: str) -> str:
    return f"<{name}>{value}</{name}>"


class Identity:
    """A certificate and its key, from files or given."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = x509.load_pem_x509_certificate(certificate.read_bytes())
        self.key = serialization.load_pem_private_key(key.read_bytes(), None)

    @property
    def der(self) -> str:
        return b64(self.certificate.public_bytes(serialization.Encoding.DER))

    def sign(self, octets: bytes, digest=hashes.SHA256) -> str:
        return b64(self.key.sign(octets, padding.PKCS1v15(), digest()))


def signed_info(references: list[tuple[str, str, list[str]]], method: str = RSA_SHA256,
                canonical: str = EXCLUSIVE, digest: str = SHA256) -> str:
    """The content of SignedInfo in canonical form; references are URI, digest, transforms."""
    def algorithm(name: str, value: str) -> str:
        return f'<ds:{name} Algorithm="{value}"></ds:{name}>'

    return algorithm("CanonicalizationMethod", canonical) + algorithm("SignatureMethod", method) \
        + "".join(
            f'<ds:Reference URI="{uri}"><ds:Transforms>'
            + "".join(algorithm("Transform", name) for name in transforms)
            + f"</ds:Transforms>{algorithm('DigestMethod', digest)}"
            + element("ds:DigestValue", value) + "</ds:Reference>"
            for uri, value, transforms in references)


def digest_of(text: str, name: str = "sha256") -> str:
    return b64(hashlib.new(name, text.encode()).digest())


def enveloped(document: str, identity: Identity, style: str = "exclusive") -> str:
    """A document, given in canonical form, with an enveloped signature before its end.

    :param style: ``exclusive``, ``inclusive`` (as older recordings have it) or ``sha1``.
    """
    canonical = INCLUSIVE if style == "inclusive" else EXCLUSIVE
    transforms = [f"{DS}enveloped-signature", *([EXCLUSIVE] if style != "inclusive" else [])]
    more = {"method": f"{DS}rsa-sha1", "digest": f"{DS}sha1"} if style == "sha1" else {}
    info = signed_info([("", digest_of(document, "sha1" if style == "sha1" else "sha256"),
                         transforms)], canonical=canonical, **more)
    root = re.match(r'<(\w+) xmlns="([^"]*)"', document)
    scope = f'xmlns="{root[2]}" ' if style == "inclusive" else ""
    value = identity.sign(
        f'<ds:SignedInfo {scope}xmlns:ds="{DS}">{info}</ds:SignedInfo>'.encode(),
        hashes.SHA1 if style == "sha1" else hashes.SHA256)
    signature = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}</ds:SignedInfo>'
        f"{element('ds:SignatureValue', value)}<ds:KeyInfo><ds:X509Data>"
        f"{element('ds:X509Certificate', identity.der)}</ds:X509Data></ds:KeyInfo></ds:Signature>")
    end = f"</{root[1]}>"
    return document.removesuffix(end) + signature + end


@dataclass
class Message:
    """A SOAP request in pieces, so that a hostile client can put it together otherwise."""

    content: str
    identity: Identity
    created: str = field(default_factory=now)
    expires: str = field(default_factory=lambda: now(5))
    body_id: str = "B"
    signature: str = ""
    token: str = ""
    method: str = RSA_SHA256
    inclusive: bool = False  # the prefix c is canonicalised inclusively

    @property
    def body(self) -> str:
        space, content = "", self.content
        if self.inclusive:
            space = f' xmlns:c="{FILES}"'
            content = content.replace(space, "")
        return (f'<s:Body{space} xmlns:s="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="{self.body_id}">'
                f"{content}</s:Body>")

    @property
    def timestamp(self) -> str:
        return (f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="T">'
                f"{element('wsu:Created', self.created)}{element('wsu:Expires', self.expires)}"
                "</wsu:Timestamp>")

    def sign(self, *parts: str) -> Message:
        """Sign body and timestamp, or what is named of them."""
        found = {"T": self.timestamp, self.body_id: self.body}
        info = signed_info([(f"#{name}", digest_of(found[name]), [EXCLUSIVE])
                            for name in parts or found], self.method)
        if self.inclusive:
            plain = f'<ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform>'
            info = info.replace(plain, plain.replace("></", (
                f'><i:InclusiveNamespaces xmlns:i="{EXCLUSIVE}" PrefixList="c">'
                "</i:InclusiveNamespaces></"), 1))
        value = self.identity.sign(
            f'<ds:SignedInfo xmlns:ds="{DS}">{info}</ds:SignedInfo>'.encode())
        self.token = (f'<wsse:BinarySecurityToken xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" wsu:Id="X"'
                      f' ValueType="{TOKEN}">{self.identity.der}</wsse:BinarySecurityToken>')
        self.signature = (
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}</ds:SignedInfo>'
            f"{element('ds:SignatureValue', value)}<ds:KeyInfo>"
            f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference URI="#X"'
            f' ValueType="{TOKEN}"></wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo>'
            "</ds:Signature>")
        return self

    def envelope(self, header: str | None = None, body: str | None = None,
                 before: str = "", after: str = "") -> bytes:
        """The whole; each part can be replaced, and something put into the security header."""
        header = header if header is not None else (
            f'<wsse:Security xmlns:wsse="{WSSE}">{before}{self.token}{self.timestamp}'
            f"{self.signature}{after}</wsse:Security>")
        return (f'<s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header>'
                f"{body if body is not None else self.body}</s:Envelope>").encode()


class Reply:
    """An answer, both layers verified with signxml against the bank's certificate."""

    def __init__(self, answer: requests.Response, bank: x509.Certificate, key=None) -> None:
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        root = etree.fromstring(answer.content)
        body = verify_soap(root, bank)
        self.operation = etree.QName(body[0]).localname
        self.header = {etree.QName(item).localname: item.text for item in body[0][0]}
        self.code = self.header["ResponseCode"]
        application = base64.b64decode(body[0][1].text)
        if key and b"EncryptedData" in application:
            application = decrypted(application, key)
        self.application = verify(etree.fromstring(application), bank)
        assert self.text("ResponseCode") == self.code

    def text(self, path: str) -> str | None:
        space = etree.QName(self.application).namespace
        return self.application.findtext("/".join(f"{{{space}}}{part}" for part in path.split("/")))

    def files(self) -> list[dict]:
        return [{etree.QName(part).localname: part.text for part in item}
                for item in self.application.iter(f"{{{DATA}}}FileDescriptor")]

    def content(self) -> bytes:
        octets = base64.b64decode(self.text("Content"))
        return gzip.decompress(octets) if self.text("Compressed") == "true" else octets


def verify(root: etree._Element, bank: x509.Certificate) -> etree._Element:
    """The signed document without its signature, as signxml saw it."""
    return XMLVerifier().verify(root, x509_cert=bank).signed_xml


def verify_soap(root: etree._Element, bank: x509.Certificate) -> etree._Element:
    """The signed body; the timestamp must be signed too."""
    results = XMLVerifier().verify(
        root, x509_cert=bank, id_attribute="Id", expect_config=SignatureConfiguration(
            location=f".//{{{WSSE}}}Security/", expect_references=2, require_x509=False))
    signed = {etree.QName(result.signed_xml).localname: result.signed_xml for result in results}
    assert set(signed) == {"Body", "Timestamp"}
    return signed["Body"]


def decrypted(application: bytes, key) -> bytes:
    """Decrypt AES-256-CBC under RSA-OAEP by hand."""
    wrapped, data = (base64.b64decode(value) for value in re.findall(
        rb"<xenc:CipherValue>([^<]*)<", application))
    inner = key.decrypt(wrapped, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    cipher = Cipher(algorithms.AES(inner), modes.CBC(data[:16])).decryptor()
    plain = cipher.update(data[16:]) + cipher.finalize()
    return plain[:-plain[-1]]


class SoapCustomer:
    """A customer's side of Bank Web Services."""

    def __init__(self, bank, folder: Path) -> None:
        self.bank, self.folder = bank, folder
        self.contract = json.loads((folder / "contract.json").read_text())
        self.soap = self.contract["soap"]
        self.iban = next((a["iban"] for a in self.contract["accounts"]), None)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(folder / "ca.pem")
        self.bank_certificate = x509.load_pem_x509_certificate(
            (folder / "bank-signing.pem").read_bytes())
        self.identity = (Identity(folder / "signing.pem", folder / "signing.key")
                         if (folder / "signing.key").exists() else None)

    def url(self, path: str | None = None) -> str:
        return f"https://localhost:{self.bank.ports['soap_port']}{path or self.soap['path']}"

    def application(self, command: str, style: str = "exclusive", **fields) -> bytes:
        """A signed ApplicationRequest; a field that is None is left out."""
        references = fields.pop("reference", None)
        values = {"CustomerId": self.soap["customerId"],
                  "Command": command[0].upper() + command[1:], "Timestamp": now(),
                  "Environment": self.soap["environment"], "SoftwareId": "test 1", **fields}
        inside = "".join(element(name, escape(str(values[name]))) if name != "FileReferences"
                         else "" for name in ORDER if values.get(name) is not None)
        if references:
            inside = inside.replace("</Environment>", "</Environment>" + element(
                "FileReferences", element("FileReference", references)))
        document = f'<ApplicationRequest xmlns="{DATA}">{inside}</ApplicationRequest>'
        return (enveloped(document, self.identity, style) if style != "unsigned"
                else document).encode()

    def encrypted(self, application: bytes, method: str) -> bytes:
        """The application encrypted for the bank."""
        key, start = os.urandom(16 if "128" in method else 32), os.urandom(16)
        space = "http://www.w3.org/2001/04/xmlenc#"
        if method.endswith("gcm"):
            algorithm = f"http://www.w3.org/2009/xmlenc11#{method}"
            data = start[:12] + AESGCM(key).encrypt(start[:12], application, None)
        else:
            algorithm, fill = space + method, 16 - len(application) % 16
            cipher = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
            data = start + cipher.update(application + bytes([fill]) * fill) + cipher.finalize()
        public = x509.load_pem_x509_certificate(
            (self.folder / "bank-encryption.pem").read_bytes()).public_key()
        wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(),
                                                   None))
        return (
            f'<xenc:EncryptedData xmlns:xenc="{space}" Type="{space}Element">'
            f'<xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="{DS}">'
            '<xenc:EncryptedKey><xenc:EncryptionMethod'
            ' Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep">'
            f'<ds:DigestMethod Algorithm="{SHA256}"/><x:MGF'
            ' xmlns:x="http://www.w3.org/2009/xmlenc11#"'
            ' Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/></xenc:EncryptionMethod>'
            f"<xenc:CipherData><xenc:CipherValue>{b64(wrapped)}</xenc:CipherValue>"
            "</xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData>"
            f"<xenc:CipherValue>{b64(data)}</xenc:CipherValue></xenc:CipherData>"
            "</xenc:EncryptedData>").encode()

    def content(self, operation: str, application: bytes, **header) -> str:
        """The content of the body."""
        values = {"SenderId": self.soap["senderId"], "RequestId": uuid.uuid4().hex,
                  "Timestamp": now(), "Language": "EN", "UserAgent": "test",
                  "ReceiverId": self.soap["receiverId"], **header}
        model = "http://model.bxd.fi"
        inside = "".join(element(f"m:{name}", escape(value)) for name, value in values.items()
                         if value is not None)
        return (f'<c:{operation}in xmlns:c="{FILES}"><m:RequestHeader xmlns:m="{model}">{inside}'
                f'</m:RequestHeader><m:ApplicationRequest xmlns:m="{model}">{b64(application)}'
                f"</m:ApplicationRequest></c:{operation}in>")

    def post(self, data: bytes, path: str | None = None, **options) -> requests.Response:
        return self.session.post(self.url(path), data=data, timeout=60, headers={
            "Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}, **options)

    def reply(self, answer: requests.Response) -> Reply:
        key = self.folder / "encryption.key"
        return Reply(answer, self.bank_certificate, serialization.load_pem_private_key(
            key.read_bytes(), None) if key.exists() else None)

    def send(self, operation: str, application: bytes, **header) -> requests.Response:
        message = Message(self.content(operation, application, **header), self.identity)
        return self.post(message.sign().envelope())

    def call(self, operation: str, header: dict | None = None, **fields) -> Reply:
        """A right request, but for what is given otherwise; its answer, verified."""
        header = {"RequestId": uuid.uuid4().hex, **(header or {})}
        answer = self.send(operation, self.application(operation, **fields), **header)
        assert answer.status_code == 200, answer.text
        reply = self.reply(answer)
        assert reply.operation == f"{operation}out"
        assert reply.header["RequestId"] == header["RequestId"]
        return reply

    def upload(self, document: bytes, **fields) -> Reply:
        values = {"FileType": self.soap["fileTypes"]["upload"][0]["fileType"],
                  "UserFilename": "pay.xml", "Content": b64(document), **fields}
        return self.call("uploadFile", **values)

    def listed(self, **fields) -> list[dict]:
        reply = self.call("downloadFileList", **fields)
        assert reply.code == ("00" if reply.files() else "24")
        return reply.files()


def enrol_soap(bank, contract: str = "SOAP-001", accounts=(":EUR:100000.00",),
               **terms) -> SoapCustomer:
    out = bank.folder.parent / contract
    Bank(bank.folder).enrol(contract, "Example GmbH", out, None,
                            [AccountOrder.parse(order) for order in accounts], "08", True,
                            Terms(**terms))
    return SoapCustomer(bank, out)


@pytest.fixture
def soap_enrol():
    """Make a customer with Bank Web Services; terms as in ``sandbox.soap_contracts.Terms``."""
    return enrol_soap


@pytest.fixture
def customer(bank):
    """A customer with 100,000 euros, on a bank of its own."""
    return enrol_soap(bank)


@pytest.fixture(scope="module")
def shared(shared_bank):
    """A customer for a whole module, whose clock nobody moves."""
    return enrol_soap(shared_bank, "SOAP-SHARED")


@pytest.fixture
def message():
    return Message


@pytest.fixture
def sign_document():
    return enveloped


@pytest.fixture
def identity():
    return Identity
