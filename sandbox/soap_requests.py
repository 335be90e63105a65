"""Requests of Bank Web Services, taken apart: the SOAP part and the ApplicationRequest.

What is read here is believed by nobody yet; ``soap_gate.py`` checks who signed it.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from . import wss, xmlenc, xmlsig
from .soap_codes import Refused

FILES = "http://bxd.fi/CorporateFileService"
MODEL = "http://model.bxd.fi"
DATA = "http://bxd.fi/xmldata/"
FOLDER = Path(__file__).with_name("wsdl")
MAX_DOCUMENT = 50 * 1024 * 1024
HEADER = ("SenderId", "RequestId", "Timestamp", "Language", "UserAgent", "ReceiverId")
OPTIONAL = ("Language", "UserAgent")
GZIP_NAMES = ("RFC1952", "GZIP")


@dataclass(frozen=True)
class Header:
    """RequestHeader; ``receiver_id`` is empty where the service has none."""

    sender_id: str
    request_id: str
    receiver_id: str = ""


def header_of(operation: etree._Element, namespace: str,
              names: tuple[str, ...] = HEADER) -> tuple[Header, bytes]:
    """The header and the octets of ApplicationRequest inside an operation's element.

    :raises Refused: 12: they are not as the WSDL says.
    """
    prefix = f"{{{namespace}}}"
    if [child.tag for child in operation] != [f"{prefix}RequestHeader",
                                              f"{prefix}ApplicationRequest"]:
        raise Refused("12", "RequestHeader, then ApplicationRequest.")
    values: dict[str, str] = {}
    given = [child.tag.removeprefix(prefix) for child in operation[0]]
    if given != [name for name in names if name in given or name not in OPTIONAL]:
        raise Refused("12", "The elements of RequestHeader.")
    for child in operation[0]:
        values[child.tag.removeprefix(prefix)] = (child.text or "").strip()
    for name in names:
        if name not in OPTIONAL and not values[name]:
            raise Refused("12", f"{name} is empty.")
    if len(values["RequestId"]) > 35 or len(values["SenderId"]) > 35:
        raise Refused("12", "RequestId or SenderId is longer than 35.")
    instant(values["Timestamp"])
    try:
        octets = xmlsig.octets_of(operation[1].text)
    except ValueError as error:
        raise Refused("12", "ApplicationRequest is not base64.") from error
    return Header(values["SenderId"], values["RequestId"], values.get("ReceiverId", "")), octets


def instant(text: str) -> str:
    """A moment in its one stored form, to the microsecond, in UTC.

    :raises Refused: 12: it is no xs:dateTime.
    """
    try:
        return f"{wss.moment_of(text):%Y-%m-%dT%H:%M:%S.%f}"
    except ValueError as error:
        raise Refused("12", "Timestamp is no date and time.") from error


@dataclass(frozen=True)
class Order:
    """An ApplicationRequest, valid by its schema; what was not given is None or empty."""

    customer_id: str
    command: str
    timestamp: str
    environment: str
    start: date | None
    end: date | None
    status: str
    references: tuple[str, ...]
    user_filename: str
    target_id: str
    compressed: bool
    compression_method: str
    file_type: str
    content: bytes | None


def schema(name: str, namespace: str = "") -> etree.XMLSchema:
    """One of the bank's own schemas, in the name space of a flavour where it has one.

    A new one each time: a validator keeps its errors, and threads must not share them.
    """
    text = (FOLDER / f"{name}.xsd").read_text(encoding="utf-8")
    return etree.XMLSchema(etree.fromstring(text.replace("urn:flavour", namespace).encode()))


def document(octets: bytes, encrypted: bool, key: rsa.RSAPrivateKey) -> etree._Element:
    """The ApplicationRequest document, decrypted where that is agreed.

    :raises Refused: 12, not XML; 22, not decrypted with the bank's key, or not agreed so.
    """
    try:
        root = xmlsig.parse(octets)
        if (root.tag == xmlenc.TAG) != encrypted:
            agreed = "must" if encrypted else "must not"
            raise Refused("22", f"ApplicationRequest {agreed} be encrypted in this contract.")
        return xmlsig.parse(xmlenc.decrypt(root, key)) if encrypted else root
    except xmlenc.Undecipherable as error:
        raise Refused("22") from error
    except ValueError as error:
        raise Refused("12", f"ApplicationRequest: {error}") from error


def check_schema(root: etree._Element, validator: etree.XMLSchema) -> None:
    """Validate against a schema.

    :raises Refused: 12, with the first fault.
    """
    if not validator.validate(root):
        fault = re.sub(r"\{[^}]*\}", "", validator.error_log[0].message)
        raise Refused("12", fault)


def signer_of(root: etree._Element) -> x509.Certificate:
    """Who signed a document.

    :raises Refused: 18.
    """
    try:
        return xmlsig.verify_enveloped(root)
    except xmlsig.BadSignature as error:
        raise Refused("18", str(error)) from error


def order_of(root: etree._Element) -> Order:
    """Read an ApplicationRequest.

    :raises Refused: 12, not valid by the schema.
    """
    check_schema(root, schema("application_request"))

    def text(name: str) -> str:
        return (root.findtext(f"{{{DATA}}}{name}") or "").strip()

    def day(name: str) -> date | None:
        return date.fromisoformat(text(name)[:10]) if text(name) else None

    given = root.findtext(f"{{{DATA}}}Content")
    try:
        # The schema's base64Binary lets any character pass, as RFC 2045 does.
        content = xmlsig.octets_of(given) if given else None
    except ValueError as error:
        raise Refused("12", "Content is not base64.") from error
    references = root.findall(f"{{{DATA}}}FileReferences/{{{DATA}}}FileReference")
    return Order(
        text("CustomerId"), text("Command"), instant(text("Timestamp")), text("Environment"),
        day("StartDate"), day("EndDate"), text("Status"),
        tuple((item.text or "").strip() for item in references), text("UserFilename"),
        text("TargetId"), text("Compression") in ("true", "1"), text("CompressionMethod"),
        text("FileType"), content)


def unpacked(order: Order, agreed: str) -> bytes:
    """The document in an upload's Content.

    :param agreed: ``none``, ``optional`` or ``required`` compression.
    :raises Refused: 21, not compressed as agreed, or larger than the bank takes.
    """
    if order.compressed and agreed == "none":
        raise Refused("21", "Compression is not agreed.")
    if not order.compressed and agreed == "required":
        raise Refused("21", "Content must be compressed.")
    content = order.content or b""
    if order.compressed:
        if order.compression_method and order.compression_method.upper() not in GZIP_NAMES:
            raise Refused("21", f"CompressionMethod {order.compression_method}.")
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                # One octet more than allowed is enough to know: a bomb is never unpacked.
                content = packed.read(MAX_DOCUMENT + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Refused("21", "Content is not gzip.") from error
    if len(content) > MAX_DOCUMENT:
        raise Refused("21" if order.compressed else "23", "The document is too large.")
    return content
