"""Gaps and overlaps of ranges, against looking at amounts one by one."""

import importlib.util
import itertools
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "models" / "approval_ranges.py"
# models/ is a package of Odoo models: this one file of it needs no Odoo, so it is read alone.
spec = importlib.util.spec_from_file_location("approval_ranges", SOURCE)
ranges_module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ranges_module)

AMOUNTS = st.integers(0, 8).map(Decimal)
RANGES = st.lists(st.tuples(AMOUNTS, st.none() | AMOUNTS), max_size=5)


@given(RANGES)
def test_each_amount_has_the_owners_of_the_ranges_it_lies_in(ranges):
    pieces = ranges_module.cover([(*limits, name) for name, limits in enumerate(ranges)])
    for tenth in range(100):
        amount = Decimal(tenth) / 10
        here = [
            owners
            for low, below, owners in pieces
            if low <= amount and (below is None or amount < below)
        ]
        expected = {
            name
            for name, (low, below) in enumerate(ranges)
            if low <= amount and (below is None or amount < below)
        }
        assert here == [expected]


@given(RANGES)
def test_the_pieces_are_without_seam(ranges):
    """From 0 to infinity, one after the other, and no cut where nothing changes."""
    pieces = ranges_module.cover([(*limits, name) for name, limits in enumerate(ranges)])
    assert pieces[0][0] == 0
    assert pieces[-1][1] is None
    for (_low, below, owners), (low, _below, others) in itertools.pairwise(pieces):
        assert below == low
        assert owners != others


def test_a_gap_between_two_rules():
    found = ranges_module.cover(
        [(Decimal(0), Decimal(1000), "small"), (Decimal(5000), None, "big")]
    )
    assert found == [
        (Decimal(0), Decimal(1000), {"small"}),
        (Decimal(1000), Decimal(5000), frozenset()),
        (Decimal(5000), None, {"big"}),
    ]
