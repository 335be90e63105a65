"""Odoo as a child process: a command that runs to its end, or a server that stays up."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from .cluster import Cluster
from .processes import Child, Supervisor
from .settings import Settings


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Odoo:
    """Odoo with this module on its path, on the databases of one cluster."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        cluster: Cluster,
        name: str,
        secrets: Mapping[str, str] | None = None,
    ):
        """``secrets``: environment variables for Odoo alone, such as a master key."""
        self._settings = settings
        self._supervisor = supervisor
        self._cluster = cluster
        self._secrets = dict(secrets or {})
        self.name = name

    def run(
        self,
        log: Path,
        *options: str,
        within: float = 1800,
        script: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Run Odoo with ``options`` to its end and return the exit code.

        ``options`` may begin with a command (``shell``). ``script``: a file of Python for the
        shell. ``environment``: further variables for it. The output goes to ``log``, which is
        made anew.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return self._supervisor.run(
            "Odoo",
            self._arguments(options),
            log=log,
            env={**self.environment, **(environment or {})},
            cwd=self._settings.run,
            within=within,
            stdin=script,
        )

    def serve(
        self,
        database: str,
        log: Path,
        *options: str,
        cron_threads: int = 2,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Server:
        """Start a server for one database on a loopback port; return once it answers.

        ``port``: a free one where none is given. ``environment``: further variables for it.
        """
        port = port or free_port()
        child = self._supervisor.start(
            "Odoo",
            self._arguments(
                [
                    f"--database={database}",
                    f"--db-filter=^{database}$",
                    "--no-database-list",
                    "--http-interface=127.0.0.1",
                    f"--http-port={port}",
                    f"--gevent-port={free_port()}",
                    f"--max-cron-threads={cron_threads}",
                    "--workers=0",
                    *options,
                ]
            ),
            log=log,
            env={**self.environment, **(environment or {})},
            cwd=self._settings.run,
            stop_within=15,
        )
        server = Server(child, port)
        child.wait_until(server.answers, within=180)
        return server

    def filestore(self, database: str) -> Path:
        """Where Odoo keeps the attachments of a database."""
        return self._data / "filestore" / database

    @property
    def environment(self) -> dict[str, str]:
        """The environment Odoo runs in: its configuration file, its sources, its database."""
        data = self._data
        data.mkdir(parents=True, exist_ok=True)
        configuration = data.parent / "odoo.conf"
        configuration.write_text(
            f"[options]\naddons_path = {self._settings.addons}\ndata_dir = {data}\n"
        )
        # Odoo looks for the browser on PATH, under this name first.
        browser = data.parent / "bin" / "google-chrome"
        browser.parent.mkdir(exist_ok=True)
        browser.unlink(missing_ok=True)
        browser.symlink_to(self._settings.chromium)
        # Chromium and others write to the home folder; the user's own is left alone.
        home = data.parent / "home"
        home.mkdir(exist_ok=True)
        return {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("BC_", "XDG_"))
            },
            **self._secrets,
            **self._cluster.environment,
            "HOME": str(home),
            "ODOO_RC": str(configuration),
            "PATH": f"{browser.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self._settings.odoo_root),
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def _data(self) -> Path:
        return self._settings.run / self.name / "odoo"

    def _arguments(self, options: Sequence[str]) -> list[str | Path]:
        # A server with worker processes starts itself anew by the path of its own script.
        script = self._data.parent / "odoo-bin"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("from odoo.cli.command import main\n\nmain()\n")
        return [self._settings.python, script, *options]


class Server:
    """An Odoo server that runs."""

    def __init__(self, child: Child, port: int):
        self.child = child
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/web/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        self.child.stop()
