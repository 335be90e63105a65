"""Small tools for writing XML as a stream: elements, and a digest of what was written."""

import hashlib
from typing import BinaryIO

from lxml import etree


class Digest:
    """A stream that remembers what passed through it.

    - ``digest``: a ``hashlib`` SHA-256 of the bytes; ``size``: how many
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.digest.update(data)
        self.size += len(data)


def root(tag: str, text: str | None = None) -> etree._Element:
    """A new element without a parent."""
    element = etree.Element(tag)
    element.text = text
    return element


def add(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    """A new last child."""
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


def optional(parent: etree._Element, tag: str, text: str | None) -> None:
    """A new last child, where there is a text for it."""
    if text:
        etree.SubElement(parent, tag).text = text
