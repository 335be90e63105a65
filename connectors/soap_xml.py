"""XML of the SOAP channel: names, a parser for hostile input, canonical form.

Everything a bank sends goes through :func:`parse` before anything else looks at it.
"""

from __future__ import annotations

import re

from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"  # SOAP 1.1
SERVICE = "http://bxd.fi/CorporateFileService"
MODEL = "http://model.bxd.fi"
DATA = "http://bxd.fi/xmldata/"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = _WSS + "wssecurity-secext-1.0.xsd"
WSU = _WSS + "wssecurity-utility-1.0.xsd"
BASE64 = _WSS + "soap-message-security-1.0#Base64Binary"
X509V3 = _WSS + "x509-token-profile-1.0#X509v3"

# Canonicalisation: exclusive and inclusive, without comments (documents with any are refused).
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

_CHUNK = 64 * 1024
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_MAX_DEPTH = 64  # the deepest real answer has 8 levels
_MAX_ELEMENTS = 2_000_000  # a list of 100,000 files has 1.3 million


class XmlError(Exception):
    """The bytes are no XML that this channel takes; the text says why."""


def parse(content: bytes) -> etree._Element:
    """Return the root of `content`, which must be UTF-8 and free of DTD, comments and PIs.

    The caller bounds the size.  No entity is resolved, nothing is loaded.  Comments are refused
    because canonicalisation drops them: two readers could then see different texts.

    :raises XmlError: for anything else
    """
    _check_bytes(content)
    parser = etree.XMLPullParser(
        events=("start", "end", "comment", "pi"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,  # a file of 10 MB is one text node; depth and number are bounded below
    )
    depth = count = 0
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
            for event, _node in parser.read_events():
                if event in ("comment", "pi"):
                    raise XmlError("comments and processing instructions are not allowed")
                depth += 1 if event == "start" else -1
                count += event == "start"
                if depth > _MAX_DEPTH:
                    raise XmlError(f"nested deeper than {_MAX_DEPTH} levels")
                if count > _MAX_ELEMENTS:
                    raise XmlError(f"more than {_MAX_ELEMENTS} elements")
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise XmlError(f"not well-formed: {error.msg}") from None
    for _event, node in parser.read_events():
        if not isinstance(node.tag, str):
            raise XmlError("comments and processing instructions are not allowed")
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("a document type definition is not allowed")
    return root


def _check_bytes(content: bytes) -> None:
    """Refuse other encodings and declarations before any parser sees them."""
    if not content.strip():
        raise XmlError("empty")
    declared = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise XmlError("not in UTF-8")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise XmlError("not in UTF-8") from None
    # UTF-16 read as UTF-8 is full of these, and would hide the declarations looked for below.
    if b"\x00" in content:
        raise XmlError("not in UTF-8")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise XmlError("a document type definition is not allowed")


def name(namespace: str, local: str) -> str:
    return f"{{{namespace}}}{local}"


def children(element: etree._Element, tag: str) -> list[etree._Element]:
    """Return the direct children of `element` with this tag."""
    return [child for child in element if child.tag == tag]


def only(element: etree._Element, tag: str) -> etree._Element:
    """Return the one direct child with this tag.

    :raises XmlError: where there is none, or another
    """
    found = children(element, tag)
    if len(found) != 1:
        local = etree.QName(tag).localname
        raise XmlError(f"{len(found)} elements {local} where one is due")
    return found[0]


def text(element: etree._Element, tag: str) -> str | None:
    """Return the text of the one child with this tag, stripped; ``None`` where there is none.

    :raises XmlError: where there are several, or it holds elements
    """
    found = children(element, tag)
    if not found:
        return None
    child = only(element, tag)
    if len(child):
        raise XmlError(f"{etree.QName(tag).localname} holds elements")
    return (child.text or "").strip()


def canonical(
    element: etree._Element, method: str = EXCLUSIVE, prefixes: tuple[str, ...] = ()
) -> bytes:
    """Return the canonical form of the subtree at `element` (Canonical XML 1.0, or exclusive).

    The subtree is read anew first: lxml's inclusive form of a part writes ``xmlns=""`` where the
    standard does not.

    :param prefixes: of an exclusive form: namespace prefixes treated as the inclusive form does
    :raises XmlError: where there is none, as with relative namespace names
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        copy = etree.fromstring(etree.tostring(element, with_tail=False), parser)
        return etree.tostring(
            copy,
            method="c14n",
            exclusive=method == EXCLUSIVE,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except etree.LxmlError as error:
        raise XmlError(f"no canonical form: {error}") from None
