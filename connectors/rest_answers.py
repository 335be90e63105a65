"""Read what a REST bank answers, believing nothing that is not plainly there."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, TypeVar

from dateutil.parser import isoparse

from .http import Answer
from .interface import FetchError, Outcome, Reason, Unavailable
from .problems import build

OutcomeType = TypeVar("OutcomeType", bound=Outcome)

_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json")
_XML = re.compile(r"(?:application|text)/(?:[a-z0-9.+-]+\+)?xml")
_STATUS = re.compile(r"[A-Z]{4}")
_DIGEST = re.compile(r"\bsha-256=:?([A-Za-z0-9+/]{43}=):?", re.IGNORECASE)
_LATER = (408, 429, 500, 502, 503, 504)
_MAX_REASONS = 100
_MAX_TEXT = 2000


def is_json(content_type: str) -> bool:
    return bool(_JSON.fullmatch(content_type))


def is_xml(content_type: str) -> bool:
    return bool(_XML.fullmatch(content_type))


def parse_json(content: bytes) -> Any:
    """Parse JSON, numbers with a point as Decimal.

    :raises ValueError: for anything that is not JSON, however deep
    """
    try:
        return json.loads(content, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_object(answer: Answer) -> dict[str, Any] | None:
    """Return the answer's JSON object, or ``None`` where it holds none."""
    if not is_json(answer.content_type):
        return None
    try:
        data = parse_json(answer.content)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def pick(data: Any, path: str) -> Any:
    """Follow a dotted path through objects; ``None`` where it leads nowhere."""
    for part in path.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def pick_text(data: Any, path: str | None) -> str | None:
    """Like :func:`pick`, for texts and whole numbers only; empty counts as absent."""
    value = pick(data, path) if path else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value else None


def status_of(text: str | None) -> str | None:
    """Return `text` if it has the form of an ISO 20022 status."""
    return text if text and _STATUS.fullmatch(text) else None


def usable_id(text: str | None) -> str | None:
    """Return an identifier of the bank's, if it can safely become part of a path."""
    if not text or len(text) > 256 or text in (".", "..") or not text.isprintable():
        return None
    return text


def reasons(answer: Answer) -> tuple[Reason, ...]:
    """Return what the bank said in ``tppMessages`` (Berlin Group) or problem+json (RFC 9457)."""
    data = json_object(answer)
    if data is None:
        return ()
    messages = data.get("tppMessages")
    if not isinstance(messages, list):
        messages = [data] if pick_text(data, "code") or pick_text(data, "title") else []
    found = []
    for message in messages[:_MAX_REASONS]:
        code = pick_text(message, "code") or pick_text(message, "title") or ""
        text = pick_text(message, "text") or pick_text(message, "detail") or ""
        path = pick_text(message, "path") or ""
        if code or text:
            found.append(Reason(code[:_MAX_TEXT], text[:_MAX_TEXT], path[:_MAX_TEXT]))
    return tuple(found)


def echoed(answer: Answer, mode: str) -> bool:
    """Tell whether the answer is to our request, by its ``X-Request-ID``.

    :param mode: "required", "checked" (where present) or "ignored"
    """
    echo = answer.headers.get("X-Request-ID")
    if mode == "ignored" or (echo is None and mode == "checked"):
        return True
    return echo is not None and echo.strip().lower() == answer.correlation_id.lower()


def from_answer(kind: type[OutcomeType], code: str, answer: Answer, **facts: Any) -> OutcomeType:
    """Make an outcome that keeps the bank's answer."""
    return build(
        kind,
        code,
        retry_after=answer.retry_after,
        content=answer.content,
        content_type=answer.content_type,
        http_status=answer.status,
        reasons=reasons(answer),
        **facts,
    )


def reading_error(answer: Answer, host: str) -> FetchError:
    """Return the error for a read that was answered with anything but success."""
    status = answer.status
    if status == 429:
        return from_answer(Unavailable, "rate_limited", answer, host=host)
    if status in _LATER:
        return from_answer(Unavailable, f"http_{status}", answer, host=host)
    if status in (401, 403):
        return from_answer(FetchError, "not_authorised", answer, host=host)
    if 300 <= status < 400:
        return from_answer(FetchError, "redirected", answer, host=host)
    return from_answer(FetchError, f"http_{status}", answer, host=host)


def announced_sha256(headers: Mapping[str, str]) -> str | None:
    """Return the SHA-256 of ``Digest`` (RFC 3230) or ``Content-Digest`` (RFC 9530), as hex."""
    for name in ("Digest", "Content-Digest", "Repr-Digest"):
        if match := _DIGEST.search(headers.get(name, "")):
            try:
                return base64.b64decode(match[1], validate=True).hex()
            except binascii.Error:
                return None
    return None


def moment(text: str | None) -> datetime | None:
    """Return an ISO 8601 instant; one without a zone is taken as UTC."""
    if not text:
        return None
    try:
        value = isoparse(text)
    except (ValueError, OverflowError):
        return None
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
