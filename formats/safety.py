"""Hardened, streaming reading of XML from outside: the only way into this room.

Refused before any content is believed: a document type declaration (and with it every entity),
network access, more bytes, elements, depth or text than ``Limits`` allows. No tree of the
document is ever built: each record is handed out when it closes, then forgotten.

The parser is expat: it calls back before a declared document type is read any further, where
libxml2 would have read it first, and it is twice as quick at this.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.parsers import expat

from .encoding import chunks
from .errors import FormatError, UnsafeError
from .notes import Notes

CHUNK = 64 * 1024
Compact = Callable[["Node", "Node"], Any]
# a tag, comment or attribute longer than this is no bank's, and slow to parse in pieces
_LONGEST_TOKEN = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a document is accepted.

    - ``max_bytes``: size of the document
    - ``max_depth``: nesting of elements, the root being 1 (ISO 20022 needs about 20)
    - ``max_elements``: elements in the whole document
    - ``max_text``: characters in one element
    """

    max_bytes: int = 512 * 1024 * 1024
    max_depth: int = 40
    max_elements: int = 20_000_000
    max_text: int = 100_000


class Node:
    """One element with all it contains, by local name.

    ``children`` maps a local name to what stands under it, so that a bank's wrong order or
    unknown elements do no harm: the text of an element that is nothing but text, a ``Node``,
    what ``compact`` made of one, or a list of these in document order. (Plain texts cost the
    garbage collector nothing, and most elements are.)
    """

    __slots__ = ("attributes", "children", "path", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str] | None, text: str = "") -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: dict[str, Any] | None = None
        self.text = text
        self.path = ""

    def first(self, *names: str) -> "Node | None":
        """The first element down this way, or None."""
        found: Any = self
        for name in names:
            if found.__class__ is str or found.children is None:
                return None
            found = found.children.get(name)
            if found is None:
                return None
            if found.__class__ is list:
                found = found[0]
        return Node(names[-1], None, found) if found.__class__ is str else found

    def all(self, name: str) -> "Sequence[Any]":
        """Every child of this name, in document order."""
        found = self.children.get(name) if self.children is not None else None
        if found is None:
            return ()
        items = found if found.__class__ is list else (found,)
        return [Node(name, None, item) if item.__class__ is str else item for item in items]

    def value(self, *names: str) -> str | None:
        """The text of the first element down this way; None when it is absent or empty."""
        found: Any = self
        for name in names:
            if found.__class__ is str or found.children is None:
                return None
            found = found.children.get(name)
            if found is None:
                return None
            if found.__class__ is list:
                found = found[0]
        return (found if found.__class__ is str else found.text) or None

    def add(self, name: str, item: Any) -> None:
        """Put one more child of this name behind the others."""
        children = self.children
        if children is None:
            self.children = {name: item}
            return
        before = children.get(name)
        if before is None:
            children[name] = item
        elif before.__class__ is list:
            before.append(item)
        else:
            children[name] = [before, item]


@dataclass(frozen=True, slots=True)
class Event:
    """A step through the document.

    ``kind`` is ``start`` or ``end`` of a container, or ``node``: a complete child of one.
    ``namespace`` is given for ``start`` only. ``path`` is where it stands.
    """

    kind: str
    tag: str
    path: str
    node: Node | None = None
    namespace: str = ""


def events(
    stream: BinaryIO,
    containers: Sequence[Iterable[str]],
    limits: Limits | None = None,
    notes: Notes | None = None,
    compact: tuple[str, Compact] | None = None,
) -> Iterator[Event]:
    """Walk the XML document in ``stream``, handing out each child of a container when it closes.

    ``containers`` names, level by level from ``Document`` on, the elements to step into. What is
    wrapped around ``Document`` (a transport envelope, a business application header) is passed
    over; anything else inside it is refused. ``notes`` collects what was tolerated. ``compact``
    is a local name and a function that may make something smaller of each such element as soon
    as it closes, given the record it is part of and the element: a record may hold very many.

    Raises ``FormatError`` for anything unsafe or not well-formed, at the moment the reading
    reaches it: a caller that has begun to use what came before must be able to undo it.
    """
    limits = limits or Limits()
    target = _Target([frozenset(level) for level in containers], limits, compact)
    parser = Parser(target.start, target.end, target.data)
    for chunk in chunks(stream, CHUNK, limits.max_bytes, notes):
        parser.feed(chunk, target.where)
        if target.ready:
            ready, target.ready = target.ready, []
            yield from ready
    parser.close(target.where)
    yield from target.ready
    if not target.documents:
        raise FormatError(
            f"not an ISO 20022 document: its root element is {target.root!r}", code="kind"
        )


class Parser:
    """Expat, with everything closed that a bank's document has no use for.

    Names reach ``start`` and ``end`` as ``namespace name``, or ``name`` alone without one.
    """

    def __init__(self, start: Callable, end: Callable, data: Callable) -> None:
        self.expat = expat.ParserCreate("utf-8", " ")
        self.expat.buffer_text = True
        self.expat.StartElementHandler = start
        self.expat.EndElementHandler = end
        self.expat.CharacterDataHandler = data
        self.expat.StartDoctypeDeclHandler = _refuse_doctype
        self.fed = 0

    def feed(self, chunk: bytes, where: Callable[[], str | None], final: bool = False) -> None:
        """Parse ``chunk``; ``where`` tells the place for an error."""
        try:
            self.expat.Parse(chunk, final)
        except expat.ExpatError as error:
            fault = expat.ErrorString(error.code)
            if not self.fed and not chunk:
                fault = "the document is empty"
            raise FormatError(
                f"not well-formed XML: {fault}", where(), error.lineno, code="malformed"
            ) from error
        except FormatError as error:
            error.line = error.line or self.expat.CurrentLineNumber
            raise
        self.fed += len(chunk)
        if self.fed - self.expat.CurrentByteIndex > _LONGEST_TOKEN:
            raise FormatError(
                f"a tag is longer than {_LONGEST_TOKEN} bytes", where(), code="limits"
            )

    def close(self, where: Callable[[], str | None]) -> None:
        """The document must be complete."""
        self.feed(b"", where, final=True)


def _refuse_doctype(name: str, system: str | None, public: str | None, internal: bool) -> None:
    raise UnsafeError(
        "the document declares a document type (DTD), which is not accepted", code="unsafe"
    )


class _Target:
    """Receives the parser's events and groups them into records."""

    def __init__(
        self,
        containers: list[frozenset[str]],
        limits: Limits,
        compact: tuple[str, Compact] | None,
    ) -> None:
        self.containers = containers
        self.max_depth = limits.max_depth
        self.max_elements = limits.max_elements
        self.max_text = limits.max_text
        self.compact_tag, self.compact = compact or (None, None)
        self.ready: list[Event] = []
        self.documents = 0
        self.root: str | None = None
        self.elements = 0
        self.depth = 0
        self.wrapping = 0  # open elements around Document
        self.open: list[tuple[str, str, dict[str, int]]] = []  # containers: name, path, counts
        self.stack: list[Node] = []  # open elements of the record being gathered
        self.parts: list[str] = []
        self.length = 0
        self.names: dict[str, tuple[str, str]] = {}

    def where(self) -> str | None:
        """Where the reading stands."""
        names = [self.open[-1][1]] if self.open else []
        if self.stack:
            names[-1:] = [self.stack[0].path, *(node.tag for node in self.stack[1:])]
        return "/".join(names) or None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > self.max_depth:
            raise FormatError(
                f"elements are nested deeper than {self.max_depth}", self.where(), code="limits"
            )
        if self.elements > self.max_elements:
            raise FormatError(
                f"more than {self.max_elements} elements", self.where(), code="limits"
            )
        known = self.names.get(tag)
        if known is None:
            namespace, _, local = tag.rpartition(" ")
            known = self.names[tag] = (local, namespace)
        local = known[0]
        stack = self.stack
        if stack:
            stack.append(Node(local, attributes or None))
        else:
            self._enter(local, known[1], attributes)
        self.parts.clear()
        self.length = 0

    def _enter(self, local: str, namespace: str, attributes: dict[str, str]) -> None:
        level = len(self.open)
        if level == 0 and local not in self.containers[0]:
            self.root = self.root or local
            self.wrapping += 1
            return
        if level == 0:
            self.documents += 1
            path = local
        else:
            _name, above, counts = self.open[-1]
            counts[local] = counts.get(local, 0) + 1
            path = f"{above}/{local}[{counts[local]}]" if level > 1 else f"{above}/{local}"
        if level < len(self.containers) and local in self.containers[level]:
            self.open.append((local, path, {}))
            self.ready.append(Event("start", local, path, None, namespace))
            return
        if level == 1:
            expected = ", ".join(sorted(self.containers[1]))
            raise FormatError(
                f"the document contains {local!r}, expected is {expected}", path, code="kind"
            )
        node = Node(local, attributes or None)
        node.path = path
        self.stack.append(node)

    def data(self, text: str) -> None:
        self.length += len(text)
        if self.length > self.max_text:
            raise FormatError(
                f"a text is longer than {self.max_text} characters", self.where(), code="limits"
            )
        self.parts.append(text)

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.stack:
            node = self.stack.pop()
            if node.children is None:
                node.text = "".join(self.parts).strip()
            if not self.stack:
                self.ready.append(Event("node", node.tag, node.path, node))
            elif node.children is None and node.attributes is None:
                self.stack[-1].add(node.tag, node.text)
            elif node.tag == self.compact_tag:
                self.stack[-1].add(node.tag, self.compact(self.stack[0], node))
            else:
                self.stack[-1].add(node.tag, node)
        elif self.open:
            name, path, _counts = self.open.pop()
            self.ready.append(Event("end", name, path))
        else:
            self.wrapping -= 1
        self.parts.clear()
        self.length = 0
