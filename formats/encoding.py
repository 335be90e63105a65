"""Bytes from a bank, in bounded chunks, with the usual encoding faults mended and noted."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from .errors import FormatError

_BLANK = b" \t\r\n"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\x00", b"\x00<")
_SAME_AS_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")


def chunks(
    stream: BinaryIO, size: int, max_bytes: int, notes: list[str] | None = None
) -> Iterator[bytes]:
    """The bytes of ``stream``, ``size`` at a time; raises ``FormatError`` past ``max_bytes``.

    Blank lines before the XML declaration are dropped. In a document that says it is UTF-8 (or
    says nothing), bytes that are not UTF-8 are read as Windows-1252, which is what banks then
    mean. Both are added to ``notes``, once.
    """
    notes = notes if notes is not None else []
    total = 0
    decoder = None
    first = True
    while True:
        chunk = stream.read(size)
        if not isinstance(chunk, bytes):
            raise TypeError("a stream of bytes is needed, not of text")
        total += len(chunk)
        if total > max_bytes:
            raise FormatError(f"the document is larger than {max_bytes} bytes")
        if first and chunk:
            cut = chunk.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
            if not cut:
                continue
            if len(cut) < len(chunk.removeprefix(codecs.BOM_UTF8)):
                notes.append("blank space before the XML declaration was dropped")
            chunk = cut
            decoder = _decoder(chunk, notes)
            first = False
        if decoder is not None:
            mended = decoder.decode(chunk, final=not chunk).encode()
            if mended:
                yield mended
        elif chunk:
            yield chunk
        if not chunk:
            return


def _decoder(start: bytes, notes: list[str]) -> codecs.IncrementalDecoder | None:
    """A decoder that mends UTF-8, or None where the parser should follow the declaration."""
    if start.startswith(_WIDE):
        return None
    declaration = start[: start.find(b"?>")] if start.startswith(b"<?xml") else b""
    _before, found, after = declaration.partition(b"encoding")
    if found:
        name = after.strip(b" \t\r\n=").strip(b"\"'").split(b'"')[0].split(b"'")[0]
        if name.strip().lower().decode("ascii", "replace") not in _SAME_AS_UTF8:
            return None
    return _Utf8(notes)


class _Utf8(codecs.BufferedIncrementalDecoder):
    """UTF-8 in which a stray byte is read as Windows-1252."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__("strict")
        self.notes = notes

    def _buffer_decode(self, data: bytes, errors: str, final: bool) -> tuple[str, int]:
        text, done = [], 0
        while True:
            try:
                piece, used = codecs.utf_8_decode(data[done:], "strict", final)
                return "".join([*text, piece]), done + used
            except UnicodeDecodeError as error:
                text.append(data[done : done + error.start].decode())
                stray = data[done + error.start : done + error.end]
                # latin-1 for the five bytes that Windows-1252 leaves undefined
                text += [_stray(byte) for byte in stray]
                done += error.end
                note = "bytes that are not UTF-8 were read as Windows-1252"
                if note not in self.notes:
                    self.notes.append(note)


def _stray(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)
