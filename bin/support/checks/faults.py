"""The proof that nothing is paid twice or lost, on a short seed: ``bin/bench faults``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..processes import Supervisor
from ..settings import Settings
from .outcome import Outcome, report

OPTIONS = ("--payments", "40", "--faults", "25", "--kills", "3", "--seed", "7")
RESUME = ("--n", "700")


def run(settings: Settings, supervisor: Supervisor) -> Outcome:
    """Two runs, each counted as one check."""

    def payments() -> Outcome:
        code, log = _bench(settings, supervisor, "faults", "--json", *OPTIONS)
        return Outcome.of_check(_problem(code, log))

    def statement() -> Outcome:
        code, log = _bench(settings, supervisor, "resume", *RESUME)
        said = log.read_text(errors="replace").strip().splitlines()
        return Outcome.of_check("\n".join(said[-12:]) if code else None)

    found = report("faults: two servers, kills", payments)
    return found + report("faults: a long statement, killed", statement)


def _bench(
    settings: Settings, supervisor: Supervisor, command: str, *options: str
) -> tuple[int, Path]:
    """Run ``bin/bench``; its exit code, and where its words are."""
    log = settings.logs / f"check-{command}.log"
    log.unlink(missing_ok=True)
    paths = os.pathsep.join([str(settings.repo / "bin"), str(settings.repo)])
    code = supervisor.run(
        f"bin/bench {command}",
        [settings.python, "-m", "bench", command, *options],
        log=log,
        within=900,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=settings.run,
    )
    return code, log


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
