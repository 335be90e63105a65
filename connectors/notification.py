"""Is a notification (webhook) really the bank's, and new?

The bank signs with HMAC-SHA-256 (RFC 2104, FIPS 180-4) under a shared secret, over the time of
signing, a separator and the body, as raw bytes:

    HMAC-SHA-256(secret, timestamp + separator + body)

A notification only says “come and look”: nothing in its body is ever believed or even read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone

from dateutil.parser import isoparse

WINDOW = timedelta(minutes=5)  # how far the bank's clock and ours may be apart
MAX_BODY = 64 * 1024  # bytes

_SCHEMES = ("sha256", "hmac-sha256", "v1")  # what banks write in front of a signature, with “=”
_MILLISECONDS = 10**11  # as seconds this would be the year 5138


class BadNotification(Exception):
    """Not to be acted on; ``code`` says why, for the log and never for the caller.

    Codes: ``timestamp`` (missing or unreadable), ``expired`` (outside the window), ``signature``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def verify(
    secret: bytes,
    timestamp: str,
    signature: str,
    body: bytes,
    *,
    now: datetime,
    separator: str = ".",
    window: timedelta = WINDOW,
) -> str:
    """Check signature and age of a notification.

    :param timestamp: as it was sent: seconds or milliseconds since 1970, or RFC 3339
    :param signature: as it was sent: hexadecimal or base64, with or without ``sha256=`` before it
    :param now: with a time zone
    :return: what tells this notification from every other, to notice a replay: the hexadecimal
        signature as computed here, so that another spelling of it is no other notification
    :raises BadNotification: it must not be acted on
    """
    # The signature first: who can't sign learns nothing about clock or window.
    expected = hmac.new(
        secret, timestamp.encode() + separator.encode() + body, hashlib.sha256
    ).digest()
    if not hmac.compare_digest(expected, _signature_bytes(signature)):
        raise BadNotification("signature")
    if abs(now - _instant(timestamp)) > window:
        raise BadNotification("expired")
    return expected.hex()


def _signature_bytes(text: str) -> bytes:
    scheme, separator, rest = text.strip().partition("=")
    if separator and scheme.lower() in _SCHEMES:
        text = rest
    text = text.strip()
    try:
        if len(text) == 2 * hashlib.sha256().digest_size:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""  # equal to no signature


def _instant(text: str) -> datetime:
    try:
        if text.isascii() and text.isdigit():
            number = int(text[:20])
            seconds = number / 1000 if number > _MILLISECONDS else number
            return datetime.fromtimestamp(seconds, timezone.utc)
        instant = isoparse(text)
    except (ValueError, OverflowError, OSError):
        raise BadNotification("timestamp") from None
    if instant.tzinfo is None:
        raise BadNotification("timestamp")
    return instant
