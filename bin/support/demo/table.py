"""Plain text tables."""

from __future__ import annotations

from collections.abc import Sequence

RIGHT = ">"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> list[str]:
    """Lines of a table with its columns as wide as their widest cell.

    :param align: one character per column, ``>`` for right; left where none is given
    """
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    sides = align.ljust(len(head))

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if side == RIGHT else cell.ljust(width)
            for cell, width, side in zip(cells, widths, sides, strict=True)
        ).rstrip()

    return [line(head), "  ".join("─" * width for width in widths), *map(line, rows)]


def short(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, with an ellipsis where it was cut."""
    return text if len(text) <= width else text[: width - 1] + "…"
