"""Is a notification that is signed as JWS (RFC 7515) really the bank's, and new?

The bank signs with its private key, in one of these forms:

* a compact JWS in a header, with the body as its payload or detached (RFC 7515, appendix F);
* a compact JWS as the body itself.

When it was signed is told by ``iat`` (or ``exp``) in the protected header or, where the payload is
a JSON object, in it; or by a header with the time, which a detached JWS then signs in front of the
body: ``time + separator + body``.  A time that is not signed counts for nothing.

As with :mod:`.notification`, what the body says is never believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from . import jose
from .keys import ALGORITHMS
from .notification import WINDOW, BadNotification, _instant

LONGEST = timedelta(hours=12)  # how far ahead an ``exp`` may lie; remembered for longer than this
_MAX_SIGNATURE = 16 * 1024
# UK Open Banking writes when and by whom it was signed as critical members of the header.
_OBIE = "http://openbanking.org.uk/"
_CLAIMS = ("iat", "exp", "jti", "iss", f"{_OBIE}iat", f"{_OBIE}iss", f"{_OBIE}tan")


def verify(
    keys: Iterable[Any],
    signature: str,
    body: bytes,
    *,
    now: datetime,
    timestamp: str = "",
    separator: str = ".",
    algorithms: Iterable[str] = tuple(ALGORITHMS),
    window: timedelta = WINDOW,
) -> str:
    """Check signature and age of a notification.

    :param keys: the bank's public keys, of `cryptography`
    :param signature: the JWS from the header; empty: the body is one
    :param timestamp: the time from a header, or empty
    :param now: with a time zone
    :return: what tells this notification from every other, to notice a replay: a digest of
        ``jti`` or of what was signed, but not of the signature, which can be written in two ways
    :raises BadNotification: it must not be acted on
    """
    keys = list(keys)
    allowed = set(algorithms) & set(ALGORITHMS)
    text = signature.strip() or _text(body)
    attached = text.count(".") == 2 and ".." not in text
    if not text or len(text) > len(body) * 2 + _MAX_SIGNATURE:
        raise BadNotification("signature")
    timed = False
    if attached:
        header, payload = _verified(text, keys, allowed, None)
        # What is signed must be what was sent, where both are there.
        if signature.strip() and payload != body:
            raise BadNotification("signature")
    else:
        try:
            header, payload = _verified(text, keys, allowed, body)
        except BadNotification:
            if not timestamp:
                raise
            signed = timestamp.encode() + separator.encode() + body
            header, payload = _verified(text, keys, allowed, signed)
            timed = True
    claims = _claims(payload) if not timed else {}
    _check_age(header, claims, timestamp if timed else "", now, window)
    number = header.get("jti", claims.get("jti"))
    if isinstance(number, str) and number:
        return hashlib.sha256(b"jti\0" + number.encode()).hexdigest()
    head = text.partition(".")[0].encode()
    return hashlib.sha256(b"jws\0" + head + b"." + payload).hexdigest()


def _text(body: bytes) -> str:
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadNotification("signature") from None


def _verified(
    text: str, keys: list[Any], algorithms: set[str], payload: bytes | None
) -> tuple[dict[str, Any], bytes]:
    try:
        return jose.verify(text, keys, algorithms, payload=payload, claims=_CLAIMS)
    except jose.BadSignature:
        raise BadNotification("signature") from None


def _claims(payload: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_age(
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    timestamp: str,
    now: datetime,
    window: timedelta,
) -> None:
    """:raises BadNotification: ``timestamp`` where no time is signed, or ``expired``"""
    told = {
        name: next((part[key] for part, key in places if part.get(key) is not None), None)
        for name, places in {
            "iat": ((header, "iat"), (header, f"{_OBIE}iat"), (claims, "iat")),
            "exp": ((header, "exp"), (claims, "exp")),
        }.items()
    }
    made = told["iat"] if told["iat"] is not None else timestamp or None
    ends = told["exp"]
    if made is None and ends is None:
        raise BadNotification("timestamp")
    if ends is not None:
        end = _moment(ends)
        if now >= end or end - now > LONGEST:
            raise BadNotification("expired")
    if made is not None and abs(now - _moment(made)) > window:
        raise BadNotification("expired")


def _moment(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadNotification("timestamp")
    if isinstance(value, float):
        # A NumericDate may have a fraction (RFC 7519, 2).
        if not 0 <= value < 10**12:
            raise BadNotification("timestamp")
        value = int(value)
    return _instant(str(value))
