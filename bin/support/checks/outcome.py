"""What a stage found, and how it is told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """Counts of one stage; ``problems`` says in words what failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)

    def __iadd__(self, other: Outcome) -> Outcome:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        return self

    def __add__(self, other: Outcome) -> Outcome:
        total = Outcome()
        total += self
        total += other
        return total

    @classmethod
    def of_check(cls, problem: str | None) -> Outcome:
        """The outcome of a single check: passed without a problem, else failed with it."""
        return cls(failed=1, problems=[problem]) if problem else cls(passed=1)

    def summary(self) -> str:
        parts = [f"{self.passed} passed", f"{self.failed} failed"]
        return ", ".join([*parts, f"{self.skipped} skipped"] if self.skipped else parts)


def tell(stage: str, words: str) -> None:
    print(f"{stage:<26} {words}", flush=True)


def report(stage: str, work: Callable[[], Outcome]) -> Outcome:
    """Do the work of a stage; print one line about it and its problems."""
    started = time.monotonic()
    outcome = work()
    tell(stage, f"{outcome.summary()}  ({time.monotonic() - started:.0f} s)")
    for problem in outcome.problems:
        print("\n".join(f"    {line}" for line in problem.splitlines()), file=sys.stderr)
    sys.stderr.flush()
    return outcome
