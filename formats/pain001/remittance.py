"""The free text of a payment that pays several bills."""

from collections.abc import Sequence

LIMIT = 140


def remittance_text(references: Sequence[str], limit: int = LIMIT, more: str = "+{n}") -> str:
    """The bill references, joined by blanks within ``limit`` characters.

    Where not all fit, the text ends with ``more``, in which ``{n}`` says how many are left out;
    no reference is ever cut. Raises ``ValueError`` where not even the first fits beside that.
    """
    wanted = [reference.strip() for reference in references if reference and reference.strip()]
    whole = " ".join(wanted)
    if len(whole) <= limit:
        return whole
    for shown in range(len(wanted) - 1, 0, -1):
        text = " ".join([*wanted[:shown], more.format(n=len(wanted) - shown)])
        if len(text) <= limit:
            return text
    raise ValueError(f"the reference {wanted[0][:40]!r} is too long for {limit} characters")
