"""JSON from outside: bounded, without doubles, and with every number left as it was written."""

import json
import re
from typing import Any, BinaryIO

from .errors import FormatError

# the whole document is in memory, some ten times as large
MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 40
# A text that does not end is one, too: to look for an end from each quote in it takes for ever.
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*\\?"?', re.S)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class Number(str):
    """A number as the document writes it; it never was a float."""

    __slots__ = ()


def read(stream: BinaryIO, max_bytes: int = MAX_BYTES) -> Any:
    """The document in ``stream``.

    Raises ``FormatError`` for what is too large, nested too deep, no JSON, or names a key twice
    in one object (which of them counts would be a guess).
    """
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FormatError(f"the document is larger than {max_bytes} bytes", code="limits")
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the document is not in the encoding of JSON: {error}", code="encoding"
        ) from error
    text = text.removeprefix("\ufeff").rstrip("\x00\x1a")
    _check_depth(text)
    try:
        return json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise FormatError(
            f"not well-formed JSON: {error.msg}", None, error.lineno, code="malformed"
        ) from error


def clean(text: str) -> str:
    """A text without what no text is made of: NUL and halves of characters."""
    return _NO_TEXT.sub("\ufffd", text)


def _check_depth(text: str) -> None:
    depth = 0
    for sign in re.findall(r"[\[\]{}]", _TEXT.sub('""', text)):
        depth += 1 if sign in "[{" else -1
        if depth > MAX_DEPTH:
            raise FormatError(f"values are nested deeper than {MAX_DEPTH}", code="limits")


def _refuse_constant(name: str) -> None:
    raise FormatError(f"{name} is no number", code="amount")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))
        raise FormatError(f"the key {clean(twice[:40])!r} is given twice", code="twice")
    return found
