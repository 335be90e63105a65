"""What breaks: kills, power cuts, restarts, at random moments decided by a seed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from support.processes import ProcessError

from .stage import Stage

# Of ten: which thing dies.
VICTIMS = ("worker", "worker", "worker", "worker", "worker", "server", "server", "database",
           "database", "bank")


class Chaos:
    """Runs in the main thread, where processes may be started."""

    def __init__(self, stage: Stage, kills: int, seed: int, pause: float) -> None:
        """:param pause: seconds between two kills, on average"""
        self._stage = stage
        self._chance = random.Random(f"chaos {seed}")  # noqa: S311
        self._left = kills
        self._pause = pause
        self._next = time.monotonic() + self._wait()
        self.counts: Counter = Counter()

    def _wait(self) -> float:
        return self._chance.uniform(0.3, 1.7) * self._pause

    @property
    def over(self) -> bool:
        return self._left <= 0

    def work(self, goes_on: Callable[[], bool]) -> None:
        """Break and mend until nothing is left to break and ``goes_on`` is False."""
        while goes_on() or not self.over:
            if self._stage.mend_bank():
                self.counts["bank restarted after its own end"] += 1
            self._stage.mend_servers()
            if not self.over and time.monotonic() >= self._next:
                self._strike()
                self._left -= 1
                self._next = time.monotonic() + self._wait()
            time.sleep(0.2)

    def _strike(self) -> None:
        victim = self._chance.choice(VICTIMS)
        if victim == "worker":
            if not self._stage.kill_worker(self._chance):
                raise ProcessError("There is no Odoo worker to kill.")
        elif victim == "server":
            self._stage.kill_server(self._chance.randrange(len(self._stage.servers)))
        elif victim == "database":
            self._stage.crash_database()
        else:
            self._stage.kill_bank()
        self.counts[{
            "worker": "kill -9 of an Odoo worker", "server": "kill -9 of an Odoo server",
            "database": "PostgreSQL restarted hard", "bank": "kill -9 of the bank",
        }[victim]] += 1
