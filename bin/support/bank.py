"""The sandbox bank as a child process (its own commands are described in sandbox/README.md)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .processes import Child, ProcessError, Supervisor
from .settings import Settings


class Bank:
    """A sandbox bank whose books are kept in one folder."""

    def __init__(self, settings: Settings, supervisor: Supervisor, folder: Path, log: Path):
        self._settings = settings
        self._supervisor = supervisor
        self._log = log
        self.server: Child | None = None
        self.folder = folder
        self.port = 0  # HTTPS with client certificates: the bank's customers
        self.soap_port = 0  # HTTPS, where they are known by their signatures
        self.admin_port = 0  # plain HTTP on loopback: the bank's back office

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def command(self, *arguments: str | Path, within: float = 60) -> str:
        """Run one of the bank's commands and return what it printed.

        Raises ProcessError with the command's own words when it fails.
        """
        done = subprocess.run(
            self._arguments(arguments),
            capture_output=True,
            text=True,
            timeout=within,
            env=self._environment,
            cwd=self._settings.run,
            check=False,
        )
        if done.returncode != 0:
            raise ProcessError(
                f"The sandbox bank refused '{' '.join(map(str, arguments))}': "
                f"{done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def start(self, *options: str) -> None:
        """Make the bank if it is new, and open it on free ports of the loopback interface."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.command("init", "--dir", self.folder)
        ports = self.folder / "ports.json"
        ports.unlink(missing_ok=True)
        self.server = self._supervisor.start(
            "The sandbox bank",
            self._arguments(
                ["serve", "--dir", self.folder, "--parent-pid", str(os.getpid()), *options]
            ),
            log=self._log,
            env=self._environment,
            cwd=self._settings.run,
        )
        self.server.wait_until(ports.exists, within=30)
        found = json.loads(ports.read_text())
        self.port, self.soap_port = found["port"], found["soap_port"]
        self.admin_port = found["admin_port"]

    def stop(self) -> None:
        if self.server:
            self.server.stop()
            self.server = None

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("BC_")},
            "PYTHONPATH": str(self._settings.repo),
            "PYTHONUNBUFFERED": "1",
        }

    def _arguments(self, arguments: Sequence[str | Path]) -> list[str | Path]:
        return [self._settings.python, "-m", "sandbox", *arguments]
