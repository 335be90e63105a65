"""Write XML as text, piece by piece, so that a large document needs no tree."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object, limit: int | None = None) -> str:
    """A value as XML character data, cut to ``limit`` characters."""
    return escape(_FORBIDDEN.sub("", str(value))[:limit])


def tag(name: str, *children: str | None, **attributes: str) -> str:
    """One element around finished XML; empty text when it would be empty.

    Leaving empty elements out is what the ISO 20022 schemas want: no text type of theirs may be
    empty.
    """
    inner = "".join(child for child in children if child)
    if not inner:
        return ""
    names = "".join(f' {key}="{escape(value, {chr(34): "&quot;"})}"'
                    for key, value in attributes.items())
    return f"<{name}{names}>{inner}</{name}>"


def leaf(name: str, value: object | None, limit: int | None = None, **attributes: str) -> str:
    """One element with text; empty text when there is no value."""
    if value is None or value == "":
        return ""
    return tag(name, text(value, limit), **attributes)
