"""The certificate service: a first certificate for a transfer key, renewal, the bank's own.

Each group of banks has its CertApplicationRequest in a name space of its own; here the way of
proving the transfer key goes with it: ``hmac`` (an HMAC of the request for a certificate, keyed
with the transfer key, which itself is never sent) and ``luhn`` (the transfer key, 16 digits).
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from . import clock, soap_answers, soap_codes, soap_contracts, soap_keys, soap_requests, xmlsig
from .bank import Bank
from .pki import requested_key
from .soap_codes import Refused
from .soap_requests import Header
from .xmltext import leaf, tag

SERVICE = "http://bxd.fi/CertificateService"
OPERATIONS = ("getCertificate", "getServiceCertificates")
HEADER = ("SenderId", "RequestId", "Timestamp")
NAMESPACES = {"hmac": "http://filetransfer.nordea.com/xmldata/",
              "luhn": "http://op.fi/mlp/xmldata/"}
TRIES = 5
# The older description has SHA-1; the length says which one was used.
HMACS = {hashlib.new(name, usedforsecurity=False).digest_size: name
         for name in ("sha1", "sha256", "sha512")}


@dataclass(frozen=True)
class CertificateAnswer:
    """What is answered: certificates with their names, in the name space of the request."""

    operation: str
    header: Header
    customer_id: str
    namespace: str = NAMESPACES["hmac"]
    code: str = "00"
    detail: str = ""
    certificates: tuple[tuple[str, x509.Certificate], ...] = ()

    def write(self, bank: Bank, present: datetime, rules: list[dict]) -> bytes:
        """The signed answer."""
        moment = f"{present:%Y-%m-%dT%H:%M:%S.%f}Z"
        text = soap_codes.text(self.code, self.detail)
        document = tag(
            "CertApplicationResponse", leaf("CustomerId", self.customer_id, 16),
            leaf("Timestamp", moment), leaf("ResponseCode", self.code),
            leaf("ResponseText", text),
            tag("Certificates", *(
                tag("Certificate", leaf("Name", name), leaf("Certificate", xmlsig.b64(
                    certificate.public_bytes(serialization.Encoding.DER))),
                    leaf("CertificateFormat", "X509v3"))
                for name, certificate in self.certificates)), xmlns=self.namespace)

        def wrap(application: bytes) -> str:
            header = tag(
                "ResponseHeader", leaf("SenderId", self.header.sender_id),
                leaf("RequestId", self.header.request_id), leaf("Timestamp", moment),
                leaf("ResponseCode", self.code), leaf("ResponseText", text))
            return tag(f"{self.operation}out", header,
                       leaf("ApplicationResponse", xmlsig.b64(application)), xmlns=SERVICE)

        return soap_answers.seal(document, wrap, bank.keys, present, rules)


def answer(bank: Bank, operation: str, header: Header, octets: bytes) -> CertificateAnswer:
    """Carry out an operation of the certificate service.

    :raises Refused: 07, 12, 13, 18, 19, 23, 29, 30.
    """
    terms = soap_contracts.by_sender(bank.store.read(), header.sender_id)
    if terms is None:
        raise Refused("07")
    try:
        root = xmlsig.parse(octets)
    except ValueError as error:
        raise Refused("12", str(error)) from error
    namespace = etree.QName(root).namespace
    if namespace not in NAMESPACES.values():
        raise Refused("12", "The name space of CertApplicationRequest.")
    soap_requests.check_schema(root, soap_requests.schema("certificate_request", namespace))

    def text(name: str) -> str:
        return (root.findtext(f"{{{namespace}}}{name}") or "").strip()

    if text("CustomerId") != terms["customer_id"]:
        raise Refused("13")
    if text("Environment") != terms["environment"]:
        raise Refused("29", f"Environment is {terms['environment']} in this contract.")
    given = CertificateAnswer(operation, header, terms["customer_id"], namespace)
    if operation == "getServiceCertificates":
        return _with(given, *((f"bank-{kind}", bank.keys.load(kind).certificate)
                              for kind in soap_keys.KINDS), ("ca", _authority(bank)))
    if root.find("ds:Signature", xmlsig.NS) is not None:
        return _renewed(bank, terms, given, root, text("Content"))
    if namespace != NAMESPACES.get(terms["transfer"]):
        raise Refused("30", "This contract has no such transfer key.")
    return _first(bank, terms, given, text("Content"), text("TransferKey"), text("HMAC"))


def _with(given: CertificateAnswer, *certificates: tuple[str, x509.Certificate]
          ) -> CertificateAnswer:
    return CertificateAnswer(given.operation, given.header, given.customer_id, given.namespace,
                             certificates=certificates)


def _authority(bank: Bank) -> x509.Certificate:
    return x509.load_pem_x509_certificate(bank.authority.ca.read_bytes())


def _key(content: str) -> tuple[bytes, rsa.RSAPublicKey]:
    """The PKCS#10 request and its key.

    :raises Refused: 23.
    """
    try:
        request = xmlsig.octets_of(content)
        key = requested_key(request)
    except ValueError as error:
        raise Refused("23", str(error)) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused("23", "The key must be RSA.")
    return request, key


def _issue(bank: Bank, connection: sqlite3.Connection, terms: sqlite3.Row,
           key: rsa.RSAPublicKey) -> x509.Certificate:
    return soap_keys.issue(connection, bank.authority, terms["contract_id"], terms["customer"],
                           "signing", key)


def _renewed(bank: Bank, terms: sqlite3.Row, given: CertificateAnswer, root: etree._Element,
             content: str) -> CertificateAnswer:
    """A further certificate, for who signs with one that is valid. Both are valid then."""
    signer = soap_requests.signer_of(root)
    _request, key = _key(content)
    with bank.store.write() as connection:
        try:
            holder = soap_keys.holder(connection, signer)
        except soap_keys.Unknown as error:
            raise Refused("19", str(error)) from error
        if holder != terms["contract_id"]:
            raise Refused("19", "It belongs to another customer.")
        if key == signer.public_key():
            raise Refused("23", "A renewal needs a new key.")
        # Asked again, because the answer was lost: the same certificate once more.
        known = _known(connection, terms, key)
        return _with(given, ("signing", known or _issue(bank, connection, terms, key)))


def _known(connection: sqlite3.Connection, terms: sqlite3.Row,
           key: rsa.RSAPublicKey) -> x509.Certificate | None:
    return next((certificate for certificate in soap_keys.standing(
        connection, terms["contract_id"], "signing") if certificate.public_key() == key), None)


def _first(bank: Bank, terms: sqlite3.Row, given: CertificateAnswer, content: str,
           transfer_key: str, mac: str) -> CertificateAnswer:
    """The first certificate. A transfer key is good for one key pair, and for five tries."""
    if terms["transfer"] == "luhn" and not (
            len(transfer_key) == 16 and transfer_key.isascii() and transfer_key.isdigit()
            and soap_contracts.luhn(transfer_key)):
        raise Refused("29", "TransferKey has a typing error: its check digit is wrong.")
    request, key = _key(content)
    with bank.store.write() as connection:
        terms = soap_contracts.find(connection, terms["contract_id"])
        locked = terms["transfer_tries"] >= TRIES
        right = not locked and _proven(terms, request, transfer_key, mac)
        known = _known(connection, terms, key) if right else None
        if not right:
            connection.execute("UPDATE soap_contract SET transfer_tries = transfer_tries + 1"
                               " WHERE contract_id = ?", (terms["contract_id"],))
        elif known is None and not terms["transfer_used_at"]:
            known = _issue(bank, connection, terms, key)
            connection.execute("UPDATE soap_contract SET transfer_used_at = ?"
                               " WHERE contract_id = ?",
                               (clock.stamp(clock.wall()), terms["contract_id"]))
    if not right:
        raise Refused("30", "The transfer key is locked." if locked
                      else "The transfer key is wrong.")
    if known is None:
        raise Refused("30", "The transfer key was used before.")
    return _with(given, ("signing", known))


def _proven(terms: sqlite3.Row, request: bytes, transfer_key: str, mac: str) -> bool:
    if terms["transfer"] == "luhn":
        return hmac.compare_digest(transfer_key, terms["transfer_key"])
    try:
        given = xmlsig.octets_of(mac)
    except ValueError:
        return False
    method = HMACS.get(len(given))
    return method is not None and hmac.compare_digest(
        given, hmac.digest(terms["transfer_key"].encode(), request, method))
