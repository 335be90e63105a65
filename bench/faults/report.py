"""What a run found, for people and for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field

from .judge import Verdict

MOST = 15  # sentences of a kind that are printed


@dataclass
class Report:
    """One run. ``faults`` by the bank's kinds, ``kills`` by victim."""

    options: dict
    seconds: dict[str, float] = field(default_factory=dict)
    batches: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.left

    def as_json(self) -> str:
        # asdict can't copy a defaultdict.
        self.verdict.counts = dict(self.verdict.counts)
        return json.dumps({**asdict(self), "doubles": len(self.verdict.doubles),
                           "losses": len(self.verdict.losses), "good": self.good})

    def show(self) -> None:
        _table("Faults injected by the bank", self.faults)
        _table("Broken from outside", self.kills)
        _table("What people saw", self.people)
        _table("Counted at the end", dict(sorted(self.verdict.counts.items())))
        _table("Seconds", {name: round(value) for name, value in self.seconds.items()})
        if self.left:
            _table("Still waiting when the time was over", self.left)
        for title, found in (("Doubles", self.verdict.doubles), ("Losses", self.verdict.losses),
                             ("Differences", self.verdict.faults)):
            print(f"\n{title}: {len(found)}")
            for sentence in found[:MOST]:
                print(f"  • {sentence}")
        sys.stdout.flush()


def _table(title: str, counts: dict) -> None:
    total = f" ({sum(counts.values())})" if title.startswith(("Faults", "Broken")) else ""
    print(f"\n{title}{total}")
    width = max(map(len, counts), default=0)
    for name, count in counts.items():
        print(f"  {name:<{width}}  {count:>8,}")
