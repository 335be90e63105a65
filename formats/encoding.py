"""Bytes from a bank: bounded, and UTF-8 whatever they were; usual faults mended and noted."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from .errors import FormatError
from .notes import Note, Notes

_BLANK = " \t\r\n"
# what transports fill a file up with behind its end
_PADDING = "\x00\x1a"
_MOST_PADDING = 1024 * 1024
_PADDED = Note.of("padding", "padding behind the document was dropped")
_BLANK_BEFORE = Note.of("blank", "blank space before the XML declaration was dropped")
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = 256  # bytes in which an XML declaration ends
# by codecs' own names; a shift encoding could hide a tag, so none is here
_ALLOWED = frozenset(
    "utf-8 utf-16 utf-16-le utf-16-be ascii gbk gb2312 gb18030 big5 big5hkscs shift_jis cp932"
    " euc_jp euc_kr cp949 koi8-r koi8-u cp437 cp850 cp852 cp858 cp866 mac-roman".split()
    + [f"cp{number}" for number in range(1250, 1259)]
    + [f"iso8859-{number}" for number in range(1, 17)]
)
_NOT_UTF8 = Note.of("windows_1252", "bytes that are not UTF-8 were read as Windows-1252")
_CHINESE = Note.of("gb18030", "bytes that are not UTF-8 were read as GB18030")
_HIGH = re.compile(rb"[\x80-\xff]+")
# what Chinese text is made of in GB2312: punctuation and the characters in common use
_UTF8 = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})[\x80-\xbf]")
_COMMON = re.compile(rb"(?:[\xa1-\xa9\xb0-\xd7][\xa1-\xfe])+")


def chunks(
    stream: BinaryIO,
    size: int,
    max_bytes: int,
    notes: Notes | None = None,
    encoding: str | None = None,
) -> Iterator[bytes]:
    """The document in ``stream`` as UTF-8, some ``size`` bytes at a time.

    Follows the byte order mark or the XML declaration. Blank lines before that and padding behind
    the end are dropped; in a document that says it is UTF-8 (or says nothing), bytes that are not
    UTF-8 are read as Windows-1252, which is what banks then mean: each is added to ``notes``, once.
    A document that has no way to say its encoding may be given one as ``encoding``. Raises
    ``FormatError`` past ``max_bytes``, for an encoding that isn't known and for bytes that are none
    of it.
    """
    notes = notes if notes is not None else Notes()
    decoder: codecs.IncrementalDecoder | None = None
    begun = False
    padding = ""
    for chunk in _bounded(stream, size, max_bytes):
        if decoder is None:
            if encoding:
                decoder = codecs.getincrementaldecoder(encoding)()
                notes.append(_CHINESE)
            else:
                decoder = _decoder(chunk, notes)
        text = _decoded(decoder, chunk)
        if not begun:
            text = text.removeprefix("\ufeff")
            if text[:1] in _BLANK and text:
                text = text.lstrip(_BLANK)
                if _BLANK_BEFORE not in notes:
                    notes.append(_BLANK_BEFORE)
            begun = bool(text)
        text, padding = _unpadded(padding + text)
        if text:
            yield text.encode()
    rest = _decoded(decoder, b"", final=True) if decoder is not None else ""
    text, padding = _unpadded(padding + rest)
    if text:
        yield text.encode()
    if padding and _PADDED not in notes:
        notes.append(_PADDED)


def _unpadded(text: str) -> tuple[str, str]:
    """The text without what may be padding at its end, and that."""
    stripped = text.rstrip(_PADDING + _BLANK)
    behind = text[len(stripped) :]
    if len(behind) <= _MOST_PADDING and any(sign in behind for sign in _PADDING):
        return stripped, behind
    return text, ""


def guessed_encoding(data: bytes) -> str | None:
    """``gb18030`` for a text that is Chinese but not UTF-8; None where ``chunks`` finds its way.

    Chinese text has its high bytes in pairs, most of them of the common characters; Western text
    has single ones.
    """
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    if b"\x00" in data[:2]:  # UTF-16 without a mark
        return None
    high = common = utf8 = 0
    for run in _HIGH.finditer(data):
        high += len(run.group())
        common += sum(len(found.group()) for found in _COMMON.finditer(run.group()))
        utf8 += sum(len(found.group()) for found in _UTF8.finditer(run.group()))
    if not high or common * 3 < high * 2 or utf8 * 2 > high:
        return None
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "gb18030"


def _bounded(stream: BinaryIO, size: int, max_bytes: int) -> Iterator[bytes]:
    total, start = 0, b""
    while chunk := stream.read(size):
        if not isinstance(chunk, bytes):
            raise TypeError("a stream of bytes is needed, not of text")
        total += len(chunk)
        if total > max_bytes:
            raise FormatError(f"the document is larger than {max_bytes} bytes", code="limits")
        if total < _DECLARATION:
            # a stream may trickle; the declaration must be seen whole
            start += chunk
            continue
        yield start + chunk
        start = b""
    if start:
        yield start


def _decoder(start: bytes, notes: Notes) -> codecs.IncrementalDecoder:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    elif start[1:2] == b"\x00":
        name = "utf-16-le"
    elif start[:1] == b"\x00":
        name = "utf-16-be"
    elif start.startswith(codecs.BOM_UTF8) or not (declared := _DECLARED.match(start)):
        name = "utf-8"
    else:
        name = declared.group(1).decode()
    try:
        name = codecs.lookup(name).name
    except LookupError:
        pass
    if name.startswith(("utf-16", "utf-32")) and start[:1].isascii() and start[1:2] > b"\x00":
        # the declaration itself was read byte by byte: it can't be that
        said = name.upper()
        notes.append(
            Note.of("encoding", f"the document says it is {said}, which it is not", encoding=said)
        )
        name = "utf-8"
    if name not in _ALLOWED:
        raise FormatError(f"the document's encoding {name!r} is not known", code="encoding")
    if name in ("utf-8", "ascii"):
        return _Utf8(notes)
    return codecs.getincrementaldecoder(name)()


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeError as error:
        raise FormatError(
            f"the document is not in the encoding it declares: {error}", code="encoding"
        ) from error


class _Utf8(codecs.BufferedIncrementalDecoder):
    """UTF-8 in which a stray byte is read as Windows-1252."""

    def __init__(self, notes: Notes) -> None:
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
                text += map(_stray, data[done + error.start : done + error.end])
                done += error.end
                if _NOT_UTF8 not in self.notes:
                    self.notes.append(_NOT_UTF8)


def _stray(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:  # one of the five that Windows-1252 leaves undefined
        return chr(byte)
