"""OCA's queue_job beside the module: fetched as a package, loaded by every server."""

from __future__ import annotations

import os
from pathlib import Path

from support.processes import ProcessError, Supervisor
from support.settings import Settings

# openupgradelib: the module names it as needed.
PACKAGES = ("odoo-addon-queue-job>=19,<20", "openupgradelib")
CAPACITY = "root:4,root.bank_connect:4"


class QueueJob:
    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._folder = settings.run / "queue_job"

    @property
    def _addons(self) -> Path:
        return self._folder / "odoo" / "addons"

    @property
    def options(self) -> list[str]:
        return [f"--addons-path={self._settings.addons},{self._addons}"]

    @property
    def environment(self) -> dict[str, str]:
        # Odoo's own package comes first: what is in this folder under its name only adds to it.
        return {"PYTHONPATH": f"{self._settings.odoo_root}{os.pathsep}{self._folder}"}

    def serving(self, port: int) -> tuple[list[str], dict[str, str]]:
        """Options and environment of a server; its job runner calls it at its own port."""
        return [*self.options, "--load=base,web,queue_job"], {
            **self.environment, "ODOO_QUEUE_JOB_CHANNELS": CAPACITY,
            "ODOO_QUEUE_JOB_HOST": "127.0.0.1", "ODOO_QUEUE_JOB_PORT": str(port),
        }

    def fetch(self) -> None:
        """Put the packages into a folder of their own, once.

        :raises ProcessError: they can't be had
        """
        if (self._addons / "queue_job" / "__manifest__.py").exists():
            return
        log = self._settings.logs / "queue-job.log"
        code = self._supervisor.run(
            "pip",
            [self._settings.python, "-m", "pip", "install", "--quiet", "--no-deps",
             "--target", self._folder, *PACKAGES],
            log=log, within=600, cwd=self._settings.run,
        )
        if code != 0:
            raise ProcessError(f"OCA's queue_job can't be had from the package index: see {log}")
