"""Reads the ApplicationResponse, after it has been verified."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from dateutil.parser import isoparse
from lxml import etree

from .soap_codes import normal
from .soap_xml import DATA, ENVELOPE, XmlError, children, name, text

_MAX_TEXT = 2000
_REFERENCE = re.compile(r"[\x21-\x7e]{1,64}")  # 32 in the schema; some banks' are longer


class ResponseError(Exception):
    """An ApplicationResponse cannot be understood; the text says why."""


@dataclass(frozen=True)
class File:
    """One FileDescriptor: a file at the bank, ours or theirs."""

    reference: str
    file_type: str
    status: str
    name: str | None
    created: datetime | None  # aware
    dated: bool  # `created` is a day, told without a time


@dataclass(frozen=True)
class Response:
    """An ApplicationResponse."""

    customer_id: str
    code: str  # normal, e.g. "00"
    text: str
    root: etree._Element

    def entries(self) -> Iterator[etree._Element]:
        """The FileDescriptors."""
        for list_ in children(self.root, name(DATA, "FileDescriptors")):
            yield from children(list_, name(DATA, "FileDescriptor"))

    @staticmethod
    def file(entry: etree._Element) -> File:
        """Read a FileDescriptor.

        :raises ResponseError: where it has no reference or file type
        """
        return _file(entry)

    def content(self, limit: int) -> bytes:
        """Return the content, decompressed where the answer says so, of `limit` bytes at most.

        :raises ResponseError:
        """
        value = _get(self.root, "Content")
        if value is None:
            raise ResponseError("no content")
        try:
            content = base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ResponseError("the content is not base64") from None
        if _get(self.root, "Compressed") in ("true", "1"):
            content = decompress(content, limit)
        if not content or len(content) > limit:
            raise ResponseError(f"the content has {len(content)} bytes")
        return content

    def user_info(self) -> list[dict[str, str]]:
        """Return what the bank lets us do, one entry for each file type."""
        found = []
        for list_ in children(self.root, name(DATA, "UserFileTypes")):
            for one in children(list_, name(DATA, "UserFileType")):
                parts = ("FileType", "FileTypeName", "Direction", "TargetId", "Country")
                found.append({part: value for part in parts if (value := _get(one, part))})
        return found


def _get(element: etree._Element, local: str) -> str | None:
    try:
        value = text(element, name(DATA, local))
    except XmlError as error:
        raise ResponseError(str(error)) from None
    return value or None


def read(root: etree._Element) -> Response:
    """Read a verified ApplicationResponse.

    :raises ResponseError: where customer or code are missing
    """
    customer, code = _get(root, "CustomerId"), _get(root, "ResponseCode")
    if customer is None or code is None:
        raise ResponseError("no CustomerId or ResponseCode")
    said = _get(root, "ResponseText") or ""
    return Response(customer, normal(code), said[:_MAX_TEXT], root)


def _file(element: etree._Element) -> File:
    reference, file_type = _get(element, "FileReference"), _get(element, "FileType")
    if not reference or not _REFERENCE.fullmatch(reference) or not file_type:
        raise ResponseError("a file without reference or type")
    stamp = _get(element, "FileTimestamp")
    created = _moment(stamp)
    return File(
        reference=reference,
        file_type=file_type,
        status=_get(element, "Status") or "",
        name=_get(element, "UserFilename"),
        created=created,
        dated=created is not None and re.search(r"T00:00:00(\.0*)?(Z|[+-]|$)", stamp) is not None,
    )


def _moment(value: str | None) -> datetime | None:
    try:
        moment = isoparse(value or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def decompress(content: bytes, limit: int) -> bytes:
    """Return what a gzip (RFC 1952) holds, of `limit` bytes at most.

    :raises ResponseError: where it is no whole gzip, or grows beyond the limit
    """
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(content, limit + 1)
    except zlib.error:
        raise ResponseError("the content is not gzip") from None
    if len(plain) > limit:
        raise ResponseError(f"the content grows beyond {limit} bytes")
    if not inflater.eof or inflater.unused_data:
        raise ResponseError("the content is not one whole gzip")
    return plain


def fault(root: etree._Element) -> tuple[str, str] | None:
    """Return code (local name) and text of a SOAP fault, or ``None`` where there is none."""
    for body in children(root, name(ENVELOPE, "Body")):
        for one in children(body, name(ENVELOPE, "Fault")):
            parts: dict[str, Any] = {child.tag: (child.text or "").strip() for child in one}
            code = parts.get("faultcode", "").rpartition(":")[2]
            return code[:80], parts.get("faultstring", "")[:_MAX_TEXT]
    return None
