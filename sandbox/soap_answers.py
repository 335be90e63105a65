"""Answers of Bank Web Services: ApplicationResponse, signed, in an envelope, signed again.

What the fault plan does to an answer's signatures and ids happens here, while it is written: an
answer for another request is signed as well as a right one.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509
from lxml import etree

from . import soap_codes, wss, xmlenc, xmlsig
from .soap_keys import BankKeys
from .soap_requests import DATA, FILES, MODEL, Header
from .xmltext import leaf, tag

# Actions of the fault plan that are carried out on an answer of this face while it is written.
WRITTEN = ("soap_signature", "content_signature", "expired_signer", "stranger", "unsigned",
           "request_id", "customer_id", "digest", "list_twice", "list_reversed", "technical",
           "other", "other_number")


@dataclass(frozen=True)
class Descriptor:
    """A FileDescriptor; moments are text of the bank's time, without time zone."""

    reference: str
    file_type: str
    moment: str
    status: str
    target_id: str
    user_filename: str = ""
    count: int | None = None
    last_download: str = ""
    deletable: bool | None = None

    def xml(self) -> str:
        """The element, in the order of the schema."""
        deletable = None if self.deletable is None else str(self.deletable).lower()
        return tag(
            "FileDescriptor", leaf("FileReference", self.reference),
            leaf("TargetId", self.target_id), leaf("UserFilename", self.user_filename, 80),
            leaf("FileType", self.file_type), leaf("FileTimestamp", f"{self.moment}Z"),
            leaf("Status", self.status), leaf("TransactionCount", self.count),
            leaf("LastDownloadTimestamp", self.last_download and f"{self.last_download}Z"),
            leaf("Deletable", deletable))


@dataclass(frozen=True)
class Answer:
    """What is answered to an operation.

    :ivar content: a document; ``compressed`` is how it is to be given.
    :ivar file_types: finished UserFileType elements.
    :ivar recipient: for whose certificate the ApplicationResponse is encrypted.
    """

    operation: str
    header: Header
    customer_id: str
    code: str = "00"
    detail: str = ""
    descriptors: tuple[Descriptor, ...] = ()
    content: bytes | None = None
    file_type: str = ""
    compressed: bool = False
    file_types: str = ""
    recipient: x509.Certificate | None = field(default=None, repr=False)

    def application(self, present: datetime) -> str:
        """The ApplicationResponse, without signature."""
        compressed = None if self.content is None else str(self.compressed).lower()
        content = self.content
        if content is not None and self.compressed:
            content = gzip.compress(content)
        return tag(
            "ApplicationResponse", leaf("CustomerId", self.customer_id, 16),
            leaf("Timestamp", f"{present:%Y-%m-%dT%H:%M:%S.%f}Z"),
            leaf("ResponseCode", self.code),
            leaf("ResponseText", soap_codes.text(self.code, self.detail)),
            leaf("Compressed", compressed),
            leaf("CompressionMethod", "RFC1952" if self.compressed else None),
            tag("FileDescriptors", *(item.xml() for item in self.descriptors)),
            leaf("FileType", self.file_type), tag("UserFileTypes", self.file_types),
            None if content is None else leaf("Content", xmlsig.b64(content)), xmlns=DATA)


def altered(answer: Answer, rules: list[dict], other: Answer | None) -> Answer:
    """What the fault plan says to answer instead.

    :param other: the last answer of this kind, to another request.
    """
    for rule in rules:
        action = rule["action"]
        if action in ("other", "other_number") and other is not None:
            header = answer.header if action == "other_number" else other.header
            answer = replace(other, header=header)
        elif action in ("request_id", "other"):
            answer = replace(answer, header=replace(
                answer.header, request_id=answer.header.request_id[::-1][:34] + "x"))
        elif action == "customer_id":
            answer = replace(answer, customer_id=answer.customer_id[::-1])
        elif action == "list_twice":
            answer = replace(answer, descriptors=answer.descriptors * 2)
        elif action == "list_reversed":
            answer = replace(answer, descriptors=answer.descriptors[::-1])
        elif action == "technical":
            answer = replace(answer, code="26", detail="", descriptors=(), content=None,
                             file_types="")
    return answer


def write(answer: Answer, keys: BankKeys, present: datetime,
          rules: list[dict] | None = None) -> bytes:
    """The answer as it goes out.

    :param present: the real time in UTC, without time zone.
    :param rules: of the fault plan: whose signature, and whether it is right.
    """
    return seal(answer.application(present),
                lambda application: _operation(answer, application, present),
                keys, present, rules or [], answer.recipient)


def seal(document: str, wrap: Callable[[bytes], str], keys: BankKeys, present: datetime,
         rules: list[dict], recipient: x509.Certificate | None = None) -> bytes:
    """Sign a document, put it into the content of a body, and sign that.

    :param wrap: makes the content of the body of the signed (and encrypted) document.
    """
    actions = {rule["action"] for rule in rules}
    signer = keys.load("signing-expired" if "expired_signer" in actions else
                       "stranger" if "stranger" in actions else "signing")
    root = etree.fromstring(document, xmlsig.parser())
    xmlsig.sign_enveloped(root, signer)
    if actions & {"content_signature", "digest"}:
        xmlsig.spoil_value(root[-1])
    if recipient is not None:
        application = xmlenc.encrypt(etree.tostring(root), recipient)
    else:
        application = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return wss.write(wrap(application), None if "unsigned" in actions else signer, present,
                     "soap_signature" in actions)


def _operation(answer: Answer, application: bytes, present: datetime) -> str:
    header = tag(
        "m:ResponseHeader", leaf("m:SenderId", answer.header.sender_id),
        leaf("m:RequestId", answer.header.request_id),
        leaf("m:Timestamp", f"{present:%Y-%m-%dT%H:%M:%S.%f}Z"),
        leaf("m:ResponseCode", answer.code),
        leaf("m:ResponseText", soap_codes.text(answer.code, answer.detail)),
        leaf("m:ReceiverId", answer.header.receiver_id))
    names = {"xmlns:c": FILES, "xmlns:m": MODEL}
    return tag(f"c:{answer.operation}out", header,
               leaf("m:ApplicationResponse", xmlsig.b64(application)), **names)


def fault(namespace: str, element: str, code: str, detail: str, keys: BankKeys,
          present: datetime) -> bytes:
    """A SOAP fault, for what is no request of this service at all.

    :param element: the name of the service's fault element.
    """
    model = MODEL if namespace == FILES else namespace
    content = tag(
        "s:Fault", leaf("faultcode", "s:Client"),
        leaf("faultstring", soap_codes.text(code, detail)),
        tag("detail", tag(f"f:{element}", leaf("m:category", "BXD"), leaf("m:code", code),
                          **{"xmlns:f": namespace, "xmlns:m": model})), **{"xmlns:s": wss.SOAP})
    return wss.write(content, keys.load("signing"), present)
