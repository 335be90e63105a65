"""How a message is wrapped in an HTTP request body."""

from __future__ import annotations

from collections.abc import Callable

from .interface import Document


def raw_xml(document: Document) -> tuple[bytes, str]:
    """The document as it is (Berlin Group)."""
    return document.content, "application/xml"


# Profile name → function returning (body, Content-Type).
BODIES: dict[str, Callable[[Document], tuple[bytes, str]]] = {"raw_xml": raw_xml}
