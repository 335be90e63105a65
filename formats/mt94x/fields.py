"""A file of MT940 or MT942 messages cut into fields, one at a time, whatever stands around them."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..encoding import chunks, guessed_encoding
from ..errors import FormatError
from ..notes import Note, Notes
from ..safety import CHUNK, Limits

# a field of these messages; every other line is text
_FIELD = re.compile(r":((?:13|20|21|25|28|34|60|61|62|64|65|86|90)[A-Za-z]?|NS):(.*)")
_UNKNOWN = re.compile(r":[0-9]{2}[A-Za-z]?:")
# what stands around messages: SWIFT's blocks, a trailer, or the banks' own lines of headers
_AROUND = re.compile(r"-\s*$|-\}|\{[1-5]:|:9[0-9]{2}:")
_TYPE = re.compile(r"\{2:[IO]([0-9]{3})|^:?(9[0-9]{2})(?::| [0-9]{2}$|$)")
_ENDED = re.compile(r"(.*?)-\}(?:\{[S5]:.*)?")
_TEXT_BEGINS = "{4:"
# padding that transports leave at the end of a file or line
_PADDING = "\x00\x1a"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    - ``tag``: ``61``, ``60F``, in capitals; ``text``: what follows it, lines parted by ``\\n``
    - ``line``: where it begins; ``message``: 1 for the first message of the file
    - ``type``: ``940``, ``942``... where something around the message says it
    """

    tag: str
    text: str
    line: int
    message: int
    type: str | None


def fields(stream: BinaryIO, limits: Limits, notes: Notes) -> Iterator[Field]:
    """The fields in ``stream``, in order.

    A message begins with ``:20:`` or with its envelope; lines around messages are passed over.
    Raises ``FormatError`` for a field before the first message, for a text longer than ``limits``
    allow and for bytes that are no text.
    """
    tag, begun, parts, length = "", 0, [], 0
    message, enveloped, kind = 0, False, None
    for number, line in _lines(stream, limits, notes):
        found = _FIELD.match(line)
        if found is None and tag and not _AROUND.match(line):
            if tag == "86" or not _UNKNOWN.match(line):
                length += len(line)
                if length > limits.max_text:
                    raise FormatError(_too_long("field", limits), None, begun, code="limits")
                parts.append(line)
                continue
            text = "a field that is not known was passed over"
            notes.append(Note.of("unknown_field", text, line=number))
        if tag:
            yield Field(tag, "\n".join(parts), begun, message, kind)
            tag = ""
        if found is None:
            if told := _TYPE.search(line):
                kind = told.group(1) or told.group(2)
            enveloped = enveloped or line == _TEXT_BEGINS
            continue
        tag, begun, parts, length = found.group(1).upper(), number, [found.group(2)], len(line)
        if tag == "20" or enveloped:
            message += 1
            enveloped = False
        elif not message:
            raise FormatError(
                f"field :{tag}: stands before the first message", None, number, code="order"
            )
    if tag:
        yield Field(tag, "\n".join(parts), begun, message, kind)


def _lines(stream: BinaryIO, limits: Limits, notes: Notes) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; ``{4:`` and ``-}`` always are lines of their own."""
    data = stream.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise FormatError(f"the document is larger than {limits.max_bytes} bytes", code="limits")
    encoding = guessed_encoding(data)
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    found = Notes()
    rest, number = "", 0
    for piece in chunks(io.BytesIO(data), CHUNK, limits.max_bytes, found, encoding):
        text = newlines.decode(piece.decode())
        if text[:1] == "\n" and not rest and not text.strip("\n"):
            # nothing but blank lines, which some transports write by the million
            number += len(text)
            continue
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            number += 1
            if len(line) > limits.max_text:
                raise FormatError(_too_long("line", limits), None, number, code="limits")
            yield from _parts(number, line)
        if len(rest) > limits.max_text:
            raise FormatError(_too_long("line", limits), None, number + 1, code="limits")
    # blank lines in front mean nothing here
    notes += [note for note in found if note.code in ("windows_1252", "gb18030")]
    yield from _parts(number + 1, rest + newlines.decode("", final=True))


def _parts(number: int, line: str) -> Iterator[tuple[int, str]]:
    line = line.rstrip(_PADDING).replace("\x00", "")
    before, brace, after = line.partition(_TEXT_BEGINS)
    if brace and (not before or _AROUND.match(before)):
        # "-}{5:{CHK:...}}{1:...}{2:...}{4:" and a first field may share a line
        yield number, before
        yield number, _TEXT_BEGINS
        line = after
    elif _FIELD.match(line) and (ended := _ENDED.fullmatch(line)):
        yield number, ended.group(1)
        line = "-}"
    yield number, line


def _too_long(what: str, limits: Limits) -> str:
    return f"a {what} is longer than {limits.max_text} characters"
