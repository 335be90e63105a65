"""The style gate: each tool is one check, and so is each rule of the house."""

from __future__ import annotations

import os
from pathlib import Path

from ..processes import Supervisor
from ..settings import MODULE, Settings
from . import imports, oca
from .outcome import Outcome, report


def run(settings: Settings, supervisor: Supervisor) -> Outcome:
    tools = settings.python.parent
    module = settings.addons / MODULE
    total = Outcome()

    def gate(name: str, *command: str | Path) -> None:
        def work() -> Outcome:
            log = settings.logs / f"style-{name}.log"
            log.unlink(missing_ok=True)
            code = supervisor.run(
                name,
                command,
                log=log,
                within=600,
                cwd=settings.repo,
                # oca-checks writes colours whatever it writes to.
                env={**os.environ, "NO_COLOR": "1"},
            )
            said = log.read_text(errors="replace").strip()
            return Outcome.of_check(said[-4000:] or f"exit code {code}" if code else None)

        nonlocal total
        total += report(f"style: {name}", work)

    gate("ruff", tools / "ruff", "check", "--quiet", "--output-format=concise", ".")
    gate("pylint-odoo", tools / "pylint", "--rcfile=.pylintrc", module)
    scratch = settings.run / "style"
    scratch.mkdir(exist_ok=True)
    gate("oca-checks-module", *oca.command(tools, settings.repo, scratch))
    translations = sorted([*(settings.repo / "i18n").glob("*.po*")])
    if translations:
        gate("oca-checks-po", tools / "oca-checks-po", *translations)
    commands = [path for path in (settings.repo / "bin").iterdir() if path.is_file()]
    scripts = [*commands, *(settings.repo / "bin" / "support").rglob("*.sh")]
    gate("bash", "sh", "-c", 'for one; do bash -n "$one" || exit 1; done', "sh", *scripts)
    total += report("style: imports", lambda: _rule(imports.problems(settings.repo)))
    return total


def _rule(problems: list[str]) -> Outcome:
    return Outcome.of_check("\n".join(problems) or None)
