"""The proof that nothing is paid twice or lost, on a short seed: ``bin/bench faults``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..processes import Supervisor
from ..settings import Settings
from .outcome import Outcome, report

OPTIONS = ("--payments", "40", "--faults", "25", "--kills", "3", "--seed", "7")


def run(settings: Settings, supervisor: Supervisor) -> Outcome:
    """One run, counted as one check."""

    def work() -> Outcome:
        log = settings.logs / "check-faults.log"
        log.unlink(missing_ok=True)
        paths = os.pathsep.join([str(settings.repo / "bin"), str(settings.repo)])
        code = supervisor.run(
            "bin/bench faults",
            [settings.python, "-m", "bench", "faults", "--json", *OPTIONS],
            log=log,
            within=900,
            env={**os.environ, "PYTHONPATH": paths},
            cwd=settings.run,
        )
        return Outcome.of_check(_problem(code, log))

    return report("faults: two servers, kills", work)


def _problem(code: int, log: Path) -> str | None:
    """What was found wrong, in the run's own sentences; None if nothing."""
    said = log.read_text(errors="replace").strip().splitlines()
    try:
        found = json.loads(said[-1])
        verdict = found["verdict"]
    except (IndexError, KeyError, ValueError):
        return "\n".join([f"bin/bench faults ended with exit code {code}.", *said[-12:]])
    if not found["kills"] or not found["faults"] or not verdict["counts"]["payments executed"]:
        return f"Nothing was broken, or nothing was paid: see {log}"
    if code == 0 and found["good"]:
        return None
    sentences = [*verdict["doubles"], *verdict["losses"], *verdict["faults"]]
    waiting = [f"Still waiting: {what}: {count}" for what, count in found["left"].items()]
    return "\n".join([*sentences[:20], *waiting, f"The whole result: {log}"])
