"""Makes what goes inside a call: the ApplicationRequest, and the ids that tell calls apart."""

from __future__ import annotations

import base64
import gzip
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone

from lxml import etree

from .soap_xml import DATA, name

# The schema's order; the signature follows.
ORDER = (
    *("CustomerId", "Command", "Timestamp", "StartDate", "EndDate", "Status", "ServiceId"),
    *("Environment", "FileReferences", "UserFilename", "TargetId", "ExecutionSerial"),
    *("Encryption", "EncryptionMethod", "Compression", "CompressionMethod", "AmountTotal"),
    *("TransactionCount", "SoftwareId", "CustomerExtension", "FileType", "Content"),
)
_APART = timedelta(milliseconds=1)
# Operation → the command inside.
COMMANDS = {
    "uploadFile": "UploadFile",
    "downloadFileList": "DownloadFileList",
    "downloadFile": "DownloadFile",
    "deleteFile": "DeleteFile",
    "getUserInfo": "GetUserInfo",
}


def request_id(key: str) -> str:
    """Return the RequestId of a message: its key, a UUID, without dashes (32 of 35 characters).

    The same on every attempt, so that the bank answers 31 to a second one.

    :raises ValueError: where the key is not a UUID in its usual form
    """
    value = uuid.UUID(key)
    if str(value) != key.lower():
        raise ValueError("not a UUID in its usual form")
    return value.hex


def fresh_id() -> str:
    """Return a RequestId for a call that moves no money."""
    return uuid.uuid4().hex


def upload_name(key: str) -> str:
    """Return the name that a message's file has at the bank."""
    return f"{request_id(key)}.xml"


class Stamps:
    """Gives each request a time of its own: a bank answers 32 to two that share it."""

    _lock = threading.Lock()
    _last = datetime(2000, 1, 1, tzinfo=timezone.utc)

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def next(self) -> datetime:
        """Return the time, later than any given before in this process by a millisecond at least.

        A millisecond, because some banks keep no more of it.
        """
        with Stamps._lock:
            moment = self._now().astimezone(timezone.utc)
            # Where the clock was set back for good (a test, a repaired clock), follow it.
            least = Stamps._last + _APART
            if Stamps._last - timedelta(minutes=1) < moment < least:
                moment = least
            Stamps._last = moment
            return moment


def build(values: Mapping[str, object]) -> etree._Element:
    """Return an ApplicationRequest, unsigned.

    :param values: by element name: text, bool, int, date, datetime; ``FileReferences`` a list of
        texts, ``Content`` bytes.  Empty texts and ``None`` are left out.
    """
    root = etree.Element(name(DATA, "ApplicationRequest"), nsmap={None: DATA})
    if unknown := set(values) - set(ORDER):
        raise ValueError(f"unknown elements {', '.join(sorted(unknown))}")
    for local in ORDER:
        value = values.get(local)
        if value is None or value in ("", []):
            continue
        child = etree.SubElement(root, name(DATA, local))
        if isinstance(value, list):
            for reference in value:
                etree.SubElement(child, name(DATA, "FileReference")).text = reference
        else:
            child.text = _text(value)
    return root


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def compress(content: bytes) -> bytes:
    """Return `content` as gzip (RFC 1952), the same bytes each time."""
    return gzip.compress(content, mtime=0)
