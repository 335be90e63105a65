"""Read what a REST bank answers, believing nothing that is not plainly there."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from dateutil.parser import isoparse

from .http import Answer
from .interface import FetchError, Outcome, Reason, Unavailable
from .problems import build
from .xml_data import xml_object

if TYPE_CHECKING:
    from .rest_reading import Embedded

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


def data_of(answer: Answer) -> Any:
    """Return what the answer says as plain data, from JSON or XML; ``None`` where it is neither.

    XML reads as :func:`.xml_data.xml_object` makes it.
    """
    if is_xml(answer.content_type):
        return xml_object(answer.content)
    if not is_json(answer.content_type):
        return None
    try:
        return parse_json(answer.content)
    except ValueError:
        return None


def pick(data: Any, path: str) -> Any:
    """Follow a dotted path through objects and, by number, lists; ``None`` where it ends.

    The path ``.`` is `data` itself.
    """
    if path == ".":
        return data
    for part in path.split("."):
        if isinstance(data, list) and part.isascii() and part.isdigit():
            data = data[int(part)] if int(part[:9]) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
    return data


def value_of(answer: Answer, data: Any, place: str | None) -> str | None:
    """Return the text at `place`: a path into `data`, ``header:Name``, or ``location``.

    ``location`` is the last part of the path in the Location header (RFC 9110, 10.2.2).
    """
    if place and place.startswith("header:"):
        return answer.headers.get(place[len("header:") :].strip(), "").strip() or None
    if place == "location":
        path = urlsplit(answer.headers.get("Location", "")).path
        return unquote(path.rstrip("/").rpartition("/")[2]) or None
    return pick_text(data, place)


def embedded(data: Any, embedded: Embedded) -> bytes | None:
    """Return a document that is inside an answer; ``None`` where there is none."""
    text = pick_text(data, embedded.path)
    if text is None:
        return None
    if embedded.form == "text":
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


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
    """Return what the bank said, where it says it.

    That is where the profile points, or in ``tppMessages`` (Berlin Group), ``Errors`` (UK Open
    Banking) or problem+json (RFC 9457).
    """
    data = data_of(answer)
    if answer.said:
        items = pick(data, answer.said.items) if answer.said.items else data
        forms = [(answer.said.code, answer.said.text, answer.said.path)]
    elif not isinstance(data, Mapping):
        return ()
    elif isinstance(data.get("tppMessages"), list):
        items, forms = data["tppMessages"], [("code", "text", "path")]
    elif isinstance(data.get("Errors"), list):
        items, forms = data["Errors"], [("ErrorCode", "Message", "Path")]
    else:
        items, forms = data, [("code", "text", "path"), ("title", "detail", "path")]
    found = []
    for item in (items if isinstance(items, list) else [items])[:_MAX_REASONS]:
        parts = [_first(item, names) for names in zip(*forms, strict=True)]
        # A text alone is no error in an answer that may say anything.
        if parts[0] or (parts[1] and isinstance(items, list)):
            found.append(Reason(*(part[:_MAX_TEXT] for part in parts)))
    return tuple(found)


def _first(item: Any, paths: Iterable[str]) -> str:
    return next(filter(None, (pick_text(item, path) for path in paths)), "")


def echoed(answer: Answer, mode: str, header: str = "X-Request-ID") -> bool:
    """Tell whether the answer is to our request, by the request's id in a header.

    :param mode: "required", "checked" (where present) or "ignored"
    """
    echo = answer.headers.get(header)
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
