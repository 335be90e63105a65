"""Which message a document is, by its content, never by its file name."""

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
    found = _NAME.search(namespace)
    name = found.group().lower() if found else None
    if name and (base is None or name.startswith(base)):
        return name
    return base


def detect(source: BinaryIO | bytes) -> str | None:
    """The message's name, or None where it is not an ISO 20022 document.

    Only the beginning is read; a stream that can seek is put back where it was. Raises
    ``UnsafeError`` for a document type declaration.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    position = stream.tell() if stream.seekable() else None
    beginning = _Beginning()
    parser = Parser(beginning.start, beginning.pass_by, beginning.pass_by)
    try:
        for number, chunk in enumerate(chunks(stream, _CHUNK, _CHUNK * (_CHUNKS + 1))):
            parser.feed(chunk, str)
            if beginning.root is not None or number == _CHUNKS:
                break
    except UnsafeError:
        raise
    except FormatError:
        pass  # what can't be parsed is no document of ours, unless its beginning said so
    finally:
        if position is not None:
            stream.seek(position)
    return message_name(beginning.namespace, beginning.root) if beginning.root else None


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
