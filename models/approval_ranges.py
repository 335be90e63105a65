"""Where ranges of amounts leave gaps, and where they overlap. Plain Python without Odoo."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import TypeVar

Owner = TypeVar("Owner", bound=Hashable)


def cover(
    ranges: Iterable[tuple[Decimal, Decimal | None, Owner]],
) -> list[tuple[Decimal, Decimal | None, frozenset[Owner]]]:
    """Cut the amounts from 0 upwards into pieces, and say whose range each piece lies in.

    :param ranges: (from, below, owner): from is part of the range, below is not; ``None`` is
        without limit
    :return: (from, below, owners), gapless from 0 to without limit, neighbours with different
        owners; no owners is a gap, several an overlap
    """
    ranges = list(ranges)
    edges = {Decimal(0)}
    for start, below, _owner in ranges:
        edges |= {edge for edge in (start, below) if edge is not None and edge > 0}
    starts = sorted(edges)
    pieces: list[tuple[Decimal, Decimal | None, frozenset[Owner]]] = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        owners = frozenset(
            owner
            for low, below, owner in ranges
            if low <= start and (below is None or start < below)
        )
        if pieces and pieces[-1][2] == owners:
            pieces[-1] = (pieces[-1][0], end, owners)
        else:
            pieces.append((start, end, owners))
    return pieces
