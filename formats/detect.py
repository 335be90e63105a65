"""Which message a document is, by its content, never by its file name."""

import codecs
import io
import re
from typing import BinaryIO

from .encoding import chunks
from .errors import FormatError, UnsafeError
from .safety import Parser

_NAME = re.compile(r"(?:pain|camt|pacs|acmt|admi|auth|remt|head)\.\d{3}\.\d{3}\.\d{2}", re.I)
_SUFFIX = re.compile(r"V\d\d$")
_CHUNK = 16 * 1024
_CHUNKS = 16  # an envelope before Document is never longer than this many chunks

# what is no XML is told by its first bytes
_LOOK = 64 * 1024
_PDF = re.compile(rb"%PDF-[0-9]")
_PDF_WITHIN = 1024  # readers of PDF allow so much before it
_SWIFT = re.compile(r"\{2:[IO](94[02]|950)|^:20:", re.M)
_ACCOUNT = re.compile(r"^:25P?:", re.M)
_STATEMENT = re.compile(r"^:(?:60[FM]?|61|62[FM]?):", re.M | re.I)
_INTERIM = re.compile(r"^:(?:34[A-Z]|13D?|90[CD]):", re.M | re.I)
_TRANSACTIONS = re.compile(r'"transactions"\s*:\s*\{')
_LISTS = re.compile(r'"(?:booked|pending|information)"\s*:')

# the element below Document says which message it is where the namespace does not
ROOTS = {
    "CstmrCdtTrfInitn": "pain.001",
    "CstmrPmtStsRpt": "pain.002",
    "BkToCstmrAcctRpt": "camt.052",
    "BkToCstmrStmt": "camt.053",
    "BkToCstmrDbtCdtNtfctn": "camt.054",
    "CstmrPmtCxlReq": "camt.055",
    "RsltnOfInvstgtn": "camt.029",
}


def message_name(namespace: str, root: str) -> str | None:
    """The name of the message whose ``Document`` has ``namespace`` and contains ``root``.

    Such as ``camt.053.001.08``, from the ISO namespace or a country's variant of it; without
    a version (``camt.053``) where only the element tells.
    """
    base = ROOTS.get(_SUFFIX.sub("", root))
    # the first releases called the element itself by the message's name
    found = _NAME.search(namespace) or _NAME.fullmatch(root)
    name = found.group().lower() if found else None
    if name and (base is None or name.startswith(base)):
        return name
    return base


def detect(source: BinaryIO | bytes) -> str | None:
    """The document's name, or None where it is none that is known.

    An ISO 20022 message by its name; ``mt940``, ``mt942``, ``berlin.transactions``, ``pdf``. Only
    the beginning is read; a stream that can seek is put back where it was. Raises ``UnsafeError``
    for a document type declaration.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    position = stream.tell() if stream.seekable() else None
    try:
        start = _start(stream)
        found = _other(start)
        if found is None:
            found = _iso(stream, start)
    finally:
        if position is not None:
            stream.seek(position)
    return found


def _start(stream: BinaryIO) -> bytes:
    start = b""
    while len(start) < _LOOK and (more := stream.read(_LOOK - len(start))):
        start += more
    return start


def _other(start: bytes) -> str | None:
    """The name of a document that is no XML."""
    if _PDF.search(start, 0, _PDF_WITHIN):
        return "pdf"
    text = _text(start).lstrip("\ufeff\x00 \t\r\n").replace("\r", "\n")
    if text[:1] == "<":
        return None
    if text[:1] in ("{", "[") and _TRANSACTIONS.search(text) and _LISTS.search(text):
        return "berlin.transactions"
    told = _SWIFT.search(text)
    if told is None or not _ACCOUNT.search(text):
        return None
    if told.group(1):
        return "mt942" if told.group(1) == "942" else "mt940"
    if _INTERIM.search(text) and not re.search(r"^:60", text, re.M):
        return "mt942"
    return "mt940" if _STATEMENT.search(text) else None


def _text(start: bytes) -> str:
    """The beginning as text, of which just the signs of ASCII matter here."""
    for marks, encoding in (
        ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"),
        ((codecs.BOM_UTF8,), "utf-8-sig"),
    ):
        if start.startswith(marks):
            return start.decode(encoding, "replace")
    if start[1:2] == b"\x00":
        return start.decode("utf-16-le", "replace")
    return start.decode("latin-1")


def _iso(stream: BinaryIO, start: bytes) -> str | None:
    """The name of an ISO 20022 message that begins with ``start``."""
    beginning = _Beginning()
    parser = Parser(beginning.start, beginning.pass_by, beginning.pass_by)
    whole = _Joined(start, stream)
    try:
        for number, chunk in enumerate(chunks(whole, _CHUNK, _CHUNK * (_CHUNKS + 1))):
            parser.feed(chunk, str)
            if beginning.root is not None or number == _CHUNKS:
                break
    except UnsafeError:
        raise
    except FormatError:
        pass  # what can't be parsed is no document of ours, unless its beginning said so
    return message_name(beginning.namespace, beginning.root) if beginning.root else None


class _Joined:
    """A stream of which the beginning was read already."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self.start = io.BytesIO(start)
        self.stream = stream

    def read(self, size: int) -> bytes:
        return self.start.read(size) or self.stream.read(size)


class _Beginning:
    """Listens to the parser up to the first element inside ``Document``."""

    def __init__(self) -> None:
        self.namespace = ""
        self.inside = False
        self.root: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, local = tag.rpartition(" ")
        if self.inside:
            self.root = self.root or local
        elif local == "Document":
            self.inside, self.namespace = True, namespace

    def pass_by(self, _text: str) -> None:
        """Ends and texts say nothing about which message it is."""
