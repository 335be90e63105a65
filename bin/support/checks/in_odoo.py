"""The module in Odoo: installing, its tests, updating, removing; with and without demo data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..cluster import Cluster
from ..odoo import Odoo, free_port
from ..processes import ProcessError, Supervisor
from ..settings import MODULE, Settings
from ..templates import Templates, manifest
from . import odoo_log
from .outcome import Outcome, report, tell
from .schema import snapshot

# Other checks may be running in this checkout: each has a cluster of its own.
_CLUSTERS = ("test", "test-2", "test-3", "test-4")
# Seconds for all tests in Odoo, which take a third of this on two idle cores.
_WITHIN = 3000


def run(settings: Settings, supervisor: Supervisor, tags: str | None) -> Outcome:
    """Run the tests, and without ``tags`` the module's whole life; fail if no test ran."""
    cluster = _start_cluster(settings, supervisor)
    try:
        odoo = Odoo(settings, supervisor, cluster, cluster.name)
        stage = _Stage(settings, cluster, odoo)
        if tags:
            return stage.tests("demo", demo=True, tags=tags)
        return stage.whole_life(demo=True) + stage.whole_life(demo=False)
    finally:
        cluster.stop()


def _start_cluster(settings: Settings, supervisor: Supervisor) -> Cluster:
    for name in _CLUSTERS:
        cluster = Cluster(settings, supervisor, name, durable=False)
        if cluster.lock():
            cluster.start()
            return cluster
    raise ProcessError("Too many runs of bin/test in this checkout: let one finish.")


@dataclass
class _Stage:
    settings: Settings
    cluster: Cluster
    odoo: Odoo

    def whole_life(self, *, demo: bool) -> Outcome:
        """Install, test, update, remove, install again."""
        kind = "demo" if demo else "plain"
        database = f"check-{kind}"
        self._prepare(database, demo)
        total = Outcome()
        before = snapshot(self.cluster, database, MODULE)
        if demo:
            total += self.tests(kind, demo=True, tags=f"/{MODULE}", database=database)
        else:
            total += self._step(kind, "install", database, f"--init={MODULE}")
        if not self._installed(database):
            return total
        total += self._step(kind, "update", database, f"--update={MODULE}")
        total += report(f"odoo: remove, {kind}", lambda: self._remove(kind, database, before))
        total += self._step(kind, "install again", database, f"--init={MODULE}")
        return total

    def tests(self, kind: str, *, demo: bool, tags: str, database: str | None = None) -> Outcome:
        """Install the module and run its tests, those with ``tags``."""
        if database is None:
            database = f"check-{kind}"
            self._prepare(database, demo)

        def work() -> Outcome:
            log = self._log(kind, "tests")
            code = self._run(log, database, f"--init={MODULE}", f"--test-tags={tags}")
            found = self._read(log)
            outcome = Outcome.of_check(self._problem(database, code, found, log))
            if demo and manifest(self.settings).get("demo"):
                loaded = f"Module {MODULE}: loading demo" in log.read_text(errors="replace")
                outcome += Outcome.of_check(None if loaded else "No demo data was loaded.")
            if not found.tests:
                return outcome + Outcome.of_check(f"No test ran: see {log}")
            outcome.passed += max(0, found.tests - found.failed - len(found.skipped))
            outcome.skipped += len(found.skipped)
            if found.failed:
                outcome.failed += found.failed
                outcome.problems += [*found.failures, f"The whole log: {log}"]
            return outcome

        return report(f"odoo: tests, {kind}", work)

    def _step(self, kind: str, name: str, database: str, option: str) -> Outcome:
        def work() -> Outcome:
            log = self._log(kind, name.replace(" ", "-"))
            code = self._run(log, database, option)
            return Outcome.of_check(self._problem(database, code, self._read(log), log))

        return report(f"odoo: {name}, {kind}", work)

    def _remove(self, kind: str, database: str, before: set[str]) -> Outcome:
        log = self._log(kind, "remove")
        script = Path(__file__).with_name("uninstall.py")
        options = ("shell", f"--database={database}", "--no-http")
        code = self.odoo.run(log, *options, script=script)
        problem = self._problem(database, code, self._read(log), log, installed=False)
        left = sorted(snapshot(self.cluster, database, MODULE) ^ before)
        if left and not problem:
            problem = "Removing the module did not restore the database:\n" + "\n".join(left[:40])
        return Outcome.of_check(problem)

    def _prepare(self, database: str, demo: bool) -> None:
        templates = Templates(self.settings, self.cluster, self.odoo)
        if not templates.built(demo=demo):
            kind = "with" if demo else "without"
            tell("odoo: template", f"making a database {kind} demo data, kept for later runs ...")
        templates.copy_to(database, demo=demo)

    def _run(self, log: Path, database: str, *options: str) -> int:
        return self.odoo.run(
            log,
            f"--database={database}",
            "--stop-after-init",
            "--http-interface=127.0.0.1",
            f"--http-port={free_port()}",
            "--max-cron-threads=0",
            *options,
            within=_WITHIN,
        )

    def _problem(
        self,
        database: str,
        code: int,
        found: odoo_log.LogReport,
        log: Path,
        *,
        installed: bool = True,
    ) -> str | None:
        """What is wrong with a run, apart from failed tests; None if nothing is."""
        problems = list(found.problems)
        if code != 0 and not found.failed and not problems:
            problems.append(f"Odoo ended with exit code {code}.")
        if self._installed(database) is not installed:
            problems.append(f"The module is {'not' if installed else 'still'} installed.")
        return "\n".join([*problems[:20], f"The whole log: {log}"]) if problems else None

    def _installed(self, database: str) -> bool:
        rows = self.cluster.execute(
            "SELECT state FROM ir_module_module WHERE name = %s", (MODULE,), database=database
        )
        return rows == [("installed",)]

    def _read(self, log: Path) -> odoo_log.LogReport:
        with log.open(errors="replace") as lines:
            return odoo_log.read(lines, [MODULE, *self._own_models()])

    def _own_models(self) -> list[str]:
        """The models this module defines, by name; Odoo's warnings often name only the model."""
        names: list[str] = []
        for folder in ("models", "wizards"):
            for path in (self.settings.repo / folder).glob("*.py"):
                names += re.findall(r"^    _name = [\"']([\w.]+)[\"']", path.read_text(), re.M)
        return names

    def _log(self, kind: str, step: str) -> Path:
        return self.settings.logs / f"{self.odoo.name}-{kind}-{step}.log"
