"""The one error of this room: a document that can't be written or can't be believed."""

from collections.abc import Sequence


class FormatError(ValueError):
    """A document is wrong, and ``str()`` says where and why in words a user can act on.

    - ``message``: what is wrong, without the place
    - ``path``: where: an element path with positions (``Stmt[1]/Ntry[17]/Amt``) when reading,
      a field of the model (``blocks[0].transfers[3].amount``) when writing
    - ``line``: line of the document, where known
    - ``problems``: every fault found when writing (``model.Problem``)
    """

    def __init__(
        self,
        message: str,
        path: str | None = None,
        line: int | None = None,
        problems: Sequence = (),
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.problems = tuple(problems)
        super().__init__(message)

    def __str__(self) -> str:
        place = [self.path] if self.path else []
        if self.line:
            place.append(f"line {self.line}")
        return f"{self.message} ({', '.join(place)})" if place else self.message


class UnsafeError(FormatError):
    """A document holds what no bank's message needs and an attack does (a DTD)."""
