"""Read a bank's XML answer as plain data, with a parser that fetches and expands nothing."""

from __future__ import annotations

from typing import Any

from lxml import etree

_MAX_DEPTH = 100


def _parse(content: bytes) -> Any:
    """:raises ValueError: for what is no XML, or brings a document type with it"""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(str(error)) from None
    if root.getroottree().docinfo.doctype:
        raise ValueError("a document type is not allowed")
    return root


def is_well_formed(content: bytes) -> bool:
    """Tell whether `content` is one well-formed XML element without a document type."""
    try:
        _parse(content)
    except ValueError:
        return False
    return True


def xml_object(content: bytes) -> dict[str, Any] | None:
    """Return an XML document as nested objects by local name, texts at the leaves.

    Of equal neighbours a list is made; attributes and comments are passed over.  The root's own
    name is the one key: ``<a><b>1</b></a>`` reads as ``{"a": {"b": "1"}}``.  ``None`` for what
    cannot be read.
    """
    try:
        root = _parse(content)
        return {etree.QName(root).localname: _value(root, 0)}
    except ValueError:
        return None


def _value(element: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in children:
        name, value = etree.QName(child).localname, _value(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
