"""The pain.001 in a body of any form.

Sources: RFC 2046, section 5.1, and RFC 7578 (multipart/form-data); RFC 4648 (base64).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from decimal import Decimal

from lxml import etree

from . import jose
from .pain001_reader import PARSER


class BadBody(Exception):
    """Not the agreed form; the text says why."""


def media_types(body: str) -> tuple[str, ...]:
    """The content types of a form of body."""
    return {"multipart": ("multipart/form-data",), "json": ("application/json",),
            "sealed": ("application/json", "application/jose", "application/jose+jwe"),
            }.get(body, ("application/xml", "text/xml"))


def strict_base64(text: str) -> bytes:
    """:raises BadBody: it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadBody("The content is not base64") from error


def multipart(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form, by name.

    :raises BadBody: it is none, or a name is there twice.
    """
    match = re.search(r'boundary=(?:"([^"]+)"|([^\s;]+))', content_type)
    if not match:
        raise BadBody("The multipart body has no boundary")
    delimiter = b"--" + (match[1] or match[2]).encode("latin-1")
    # The line break in front of a delimiter belongs to it; the first one may stand at the start.
    pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(pieces) < 3 or pieces[-1].rstrip() != b"--":
        raise BadBody("The multipart body is not closed")
    parts: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, blank, content = piece.lstrip(b" \t").partition(b"\r\n\r\n")
        if not head.startswith(b"\r\n") or not blank:
            raise BadBody("A part of the multipart body is malformed")
        name = re.search(rb'content-disposition:\s*form-data;[^\r\n]*?\bname="([^"]*)"', head,
                         re.IGNORECASE)
        if not name:
            raise BadBody("A part of the form has no name")
        key = name[1].decode("utf-8", "replace")
        if key in parts:
            raise BadBody(f"The form has {key} twice")
        parts[key] = content
    return parts


def _from_xml(body: bytes) -> bytes:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadBody("A document type declaration is not allowed")
    try:
        root = etree.fromstring(body, etree.XMLParser(**PARSER))
    except etree.XMLSyntaxError as error:
        raise BadBody(f"Not well-formed XML: {error.msg}"[:400]) from error
    found = root.xpath("//*[local-name() = 'paymentBase64']")
    if len(found) != 1 or len(found[0]):
        raise BadBody("There must be one element paymentBase64")
    return strict_base64(found[0].text or "")


def _from_json(body: bytes) -> tuple[bytes, dict]:
    try:
        data = jose.json_object(body, exact=True)
    except jose.BadJose as error:
        raise BadBody(str(error)) from error
    if not isinstance(data.get("content"), str):
        raise BadBody("content, base64, is missing")
    content = strict_base64(data["content"])
    told = data.get("sha256")
    if told is not None and told != hashlib.sha256(content).hexdigest():
        raise BadBody("sha256 does not fit the content")
    return content, data


def _from_sealed(content_type: str, body: bytes, unseal) -> bytes:
    text = body.decode("latin-1")
    try:
        if content_type == "application/json":
            text = jose.json_object(body).get("payload")
            if not isinstance(text, str):
                raise BadBody("payload is missing")
        return unseal(text.strip())
    except jose.BadJose as error:
        raise BadBody(f"The sealed payload: {error}") from error


def open_body(form: str, content_type: str, full_type: str, body: bytes, unseal) -> bytes:
    """The pain.001 in a body.

    :param content_type: without parameters; ``full_type`` with them.
    :param unseal: decrypts and verifies a sealed payload; raises BadJose.
    :raises BadBody: not the agreed form.
    """
    if form == "multipart":
        parts = multipart(full_type, body)
        if "file" not in parts:
            raise BadBody("The form has no part named file")
        return parts["file"]
    if form == "xml_base64":
        return _from_xml(body)
    if form == "json":
        content, told = _from_json(body)
        check_told(content, told)
        return content
    if form == "sealed":
        return _from_sealed(content_type, body, unseal)
    return body


def check_told(content: bytes, told: dict) -> None:
    """Compare what a customer tells of a file with the file.

    :param told: may have ``numberOfTransactions`` and ``controlSum``.
    :raises BadBody: they differ, or the file can't be read.
    """
    if told.get("numberOfTransactions") is None and told.get("controlSum") is None:
        return
    count, total = totals(content)
    try:
        if told.get("numberOfTransactions") is not None and \
                int(str(told["numberOfTransactions"])) != count:
            raise BadBody(f"numberOfTransactions is not that of the file, {count}")
        if told.get("controlSum") is not None and Decimal(str(told["controlSum"])) != total:
            raise BadBody(f"controlSum is not that of the file, {total}")
    except (ValueError, ArithmeticError) as error:
        raise BadBody("numberOfTransactions or controlSum is no number") from error


def totals(content: bytes) -> tuple[int, Decimal]:
    """Number and sum of the transactions of a pain.001.

    :raises BadBody: it can't be read.
    """
    count, total = 0, Decimal(0)
    try:
        root = etree.fromstring(content, etree.XMLParser(**PARSER))
        for amount in root.xpath("//*[local-name() = 'CdtTrfTxInf']/*[local-name() = 'Amt']/*[1]"):
            value = amount if amount.text and not len(amount) else amount.find("{*}Amt")
            count, total = count + 1, total + Decimal(value.text.strip())
    except (etree.XMLSyntaxError, ArithmeticError, AttributeError) as error:
        raise BadBody("The file is no pain.001 with amounts") from error
    return count, total

