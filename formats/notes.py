"""What was odd in a document and tolerated: said to people, bounded whatever the document is."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

_MOST = 20  # of one kind, for each report


class Note(str):
    """Something odd that was tolerated, in words, with its place.

    - ``code``: which kind, for its twin in another language; ``facts``: what it names
    - ``path``, ``line``: where, as in ``FormatError``
    """

    code: str
    facts: dict[str, Any]
    path: str | None
    line: int | None

    @classmethod
    def of(
        cls, code: str, text: str, path: str | None = None, /, line: int | None = None, **facts: Any
    ) -> "Note":
        """The note in English, ``text``, with its place and what it names."""
        place = path or (f"line {line}" if line else None)
        made = cls(f"{place}: {text}" if place else text)
        made.code, made.facts, made.path, made.line = code, facts, path, line
        return made


class Notes(list):
    """Notes in order, not more than some of each kind: a document may repeat one without end."""

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        super().__init__()
        self._found: Counter[str] = Counter()
        self.extend(notes)

    def append(self, note: Note) -> None:
        """Add a note; of too many of one kind it is said just that there are more."""
        self._found[note.code] += 1
        if self._found[note.code] <= _MOST:
            super().append(note)
        elif self._found[note.code] == _MOST + 1:
            super().append(Note.of("more", f"there is more of this: {note}", of=note))

    def extend(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self.append(note)

    def __iadd__(self, notes: Iterable[Note]) -> "Notes":
        self.extend(notes)
        return self
