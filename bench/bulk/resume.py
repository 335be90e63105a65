"""``bin/bench resume``: a process that books a long statement is killed, twice, and goes on.

What is booked in the end must be what a run without a kill books.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from support.processes import ProcessError, Supervisor
from support.settings import Settings

from .__main__ import Bench

#: At which slice of its own each process dies, before it commits it; 0: it does not.
LIVES = (3, 2, 0)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench resume", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="entries of the statement")
    size = parser.parse_args(arguments).n
    try:
        with Supervisor() as supervisor:
            bench = Bench(Settings.from_environment(), supervisor, 1)
            broken = list(bench.lives(size, LIVES))
            whole = list(bench.lives(size, (0,)))
    except ProcessError as error:
        print(f"bin/bench stopped: {error}", file=sys.stderr)
        return 1
    last, unbroken = broken[-1], whole[-1]
    kills = len(LIVES) - 1
    resumed = last["resumed_at"]
    print(f"killed {kills} times, went on at entry {resumed:,}, booked {last['lines']:,} lines")
    good = (
        last["digest"] == unbroken["digest"]
        and last["lines"] == size
        and 0 < resumed < size
        and last["slices"] < unbroken["slices"]
    )
    print("The same as without a kill" if good else f"FAILED: {last} instead of {unbroken}")
    return 0 if good else 1
