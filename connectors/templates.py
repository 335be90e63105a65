"""Texts with ``{fields}``, as a profile writes them: in addresses, headers, XML and JSON bodies.

A value is quoted for the place where it goes, so that no value can change what surrounds it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

FIELD = re.compile(r"\{([a-z_0-9]+)\}")
# A JSON leaf that is a number: banks differ on whether a sum is a text or a number.
NUMBER = "number:"
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


def fill(template: str, values: Mapping[str, str], *, url: bool = False) -> str:
    """Put `values` into a template's ``{fields}``, quoted for a path where `url`.

    :raises KeyError: naming a field that has no value
    """

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        return quote(text, safe="") if url else text

    return FIELD.sub(value, template)


def fill_xml(template: str, values: Mapping[str, str]) -> bytes:
    """Put `values` into an XML template, escaped for text and attributes.

    :raises KeyError: naming a field that has no value
    """
    quoted = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}
    return FIELD.sub(lambda match: escape(values[match[1]], quoted), template).encode()


def fill_json(template: Any, values: Mapping[str, str]) -> bytes:
    """Put `values` into the texts of a JSON template.

    A text ``number:{field}`` becomes a number, written digit by digit as the value is.

    :raises KeyError: naming a field that has no value
    :raises ValueError: where a number is due and the value is none
    """
    numbers: dict[str, str] = {}

    def leaf(text: str) -> str:
        if not text.startswith(NUMBER):
            return fill(text, values)
        number = fill(text[len(NUMBER) :], values)
        if not _DECIMAL.fullmatch(number):
            raise ValueError("no number")
        # No JSON writer of the standard library keeps a decimal's digits (1.10 is not 1.1).
        mark = secrets.token_hex(16)
        numbers[f'"{mark}"'] = number
        return mark

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            return leaf(node)
        if isinstance(node, Mapping):
            return {name: walk(item) for name, item in node.items()}
        if isinstance(node, list):
            return [walk(item) for item in node]
        return node

    text = json.dumps(walk(template), ensure_ascii=False, separators=(",", ":"))
    for mark, number in numbers.items():
        text = text.replace(mark, number, 1)
    return text.encode()


def fields_in(node: Any) -> set[str]:
    """Return the names of the fields in a template, however it is nested."""
    return {name for text in _texts(node) for name in FIELD.findall(text)}


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for item in node.values():
            yield from _texts(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _texts(item)
