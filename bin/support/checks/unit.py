"""The pure tests: pytest on ``tests_unit/``, without Odoo and without a database."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from ..processes import Supervisor
from ..settings import Settings
from .outcome import Outcome


def run(settings: Settings, supervisor: Supervisor, options: list[str]) -> Outcome:
    """Run pytest with further ``options``; no test collected is a failure."""
    log = settings.logs / "unit.log"
    results = settings.run / "unit.xml"
    for path in (log, results):
        path.unlink(missing_ok=True)
    code = supervisor.run(
        "pytest",
        [settings.python, "-m", "pytest", "-q", f"--junit-xml={results}", *options],
        log=log,
        within=1800,
        cwd=settings.repo,
        env={
            **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            "HYPOTHESIS_STORAGE_DIRECTORY": str(settings.run / "hypothesis"),
        },
    )
    outcome = _read(results)
    # Exit codes: 0 all passed, 1 some failed, 5 none collected, others: pytest itself failed.
    if code == 1 and outcome.failed:
        outcome.problems.append(_tail(log, 120))
    elif code != 0 or outcome.failed or not outcome.passed:
        outcome.failed += 1
        outcome.problems.append(f"pytest ended with exit code {code}:\n{_tail(log, 40)}")
    return outcome


def _read(results: Path) -> Outcome:
    if not results.exists():
        return Outcome()
    suite = ElementTree.parse(results).getroot().find("testsuite")  # noqa: S314  (pytest's own)
    assert suite is not None  # noqa: S101
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    # A test that passes and whose tear-down fails is counted as a test and as an error.
    passed = max(0, count["tests"] - failed - count["skipped"])
    return Outcome(passed=passed, failed=failed, skipped=count["skipped"])


def _tail(log: Path, lines: int) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
