"""The one error of this room: a document that can't be written or can't be believed."""

from collections.abc import Sequence
from typing import Any


class Fault(str):
    """What doesn't add up in a report, in words.

    - ``code``: which kind of fault, for its twin in another language; ``facts``: what it names
    """

    code: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, code: str, text: str, **facts: Any) -> "Fault":
        """The fault in English, ``text``, with what it names."""
        made = cls(text)
        made.code, made.facts = code, facts
        return made


class FormatError(ValueError):
    """A document is wrong, and ``str()`` says where and why in words a user can act on.

    - ``message``: what is wrong, without the place
    - ``path``: where: an element path with positions (``Stmt[1]/Ntry[17]/Amt``) when reading,
      a field of the model (``blocks[0].transfers[3].amount``) when writing
    - ``line``: line of the document, where known
    - ``problems``: every fault found when writing (``model.Problem``)
    - ``code``: which kind of fault, when reading, for its twin in another language
    """

    def __init__(
        self,
        message: str,
        path: str | None = None,
        line: int | None = None,
        problems: Sequence = (),
        code: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.problems = tuple(problems)
        self.code = code
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message} ({self.place})" if self.place else self.message

    @property
    def place(self) -> str:
        """Path and line, where known."""
        line = f"line {self.line}" if self.line else None
        return ", ".join(filter(None, (self.path, line)))


class UnsafeError(FormatError):
    """A document holds what no bank's message needs and an attack does (a DTD)."""
