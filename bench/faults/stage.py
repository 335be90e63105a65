"""The servers: PostgreSQL that keeps what it commits, the sandbox bank, and two of Odoo."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import secrets
import shutil
import signal
from pathlib import Path

import psutil

from support.bank import Bank
from support.cluster import Cluster
from support.demo.desk import Desk
from support.odoo import Odoo, Server, free_port
from support.processes import ProcessError, Supervisor
from support.settings import MODULE, Settings
from support.templates import Templates

from .queue_job import QueueJob

DATABASE = "faults"
CLUSTERS = ("faults", "faults-2", "faults-3")
CONTRACT = "CORP-001"
OPENING = "100000000.00"
ACCOUNTS = ("main", "second")

# Short periods: what takes minutes in an office is not to take minutes here.
PARAMETERS = {
    "lease_seconds": 20,
    "settle_seconds": 2,
    "read_timeout_seconds": 2,
    "total_timeout_seconds": 6,
    "first_pause_seconds": 2,
    "longest_pause_seconds": 15,
    "first_rest_seconds": 2,
    "longest_rest_seconds": 6,
}


class Stage:
    """Everything that runs. Started from the main thread, as the supervisor asks."""

    def __init__(self, settings: Settings, supervisor: Supervisor, *, servers: int = 2,
                 workers: int = 2, cron_threads: int = 3, engine: str = "cron") -> None:
        """:param engine: what carries the messages: ``cron``, or ``queue_job`` (OCA's)"""
        self.settings = settings
        self.cluster = self._find_cluster(supervisor)
        self.name = name = self.cluster.name
        self.home = settings.run / name
        self.bank = Bank(settings, supervisor, self.home / "bank",
                         settings.logs / f"{name}-bank.log")
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.odoo = Odoo(settings, supervisor, self.cluster, name,
                         {"BANK_CONNECT_MASTER_KEY": f"bench:{key}"})
        self.servers: list[Server | None] = [None] * servers
        self.ports = [free_port() for _server in range(servers)]
        self._workers, self.cron_threads = workers, cron_threads
        self._bank_ports = (free_port(), free_port())
        self._jobs = QueueJob(settings, supervisor) if engine == "queue_job" else None

    def _find_cluster(self, supervisor: Supervisor) -> Cluster:
        """One that no other run in this checkout is using."""
        for name in CLUSTERS:
            cluster = Cluster(self.settings, supervisor, name, durable=True)
            if cluster.lock():
                return cluster
        raise ProcessError("Too many runs of bin/bench in this checkout: let one finish.")

    @property
    def desk(self) -> Desk:
        return Desk(self.bank.admin_url)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    # Opening -------------------------------------------------------------------------------------

    def open(self, clock: str) -> None:
        """A new bank, a new database with the module, no Odoo server yet."""
        self.home.mkdir(parents=True, exist_ok=True)
        for old in self.settings.logs.glob(f"{self.name}-*.log"):
            old.unlink()
        for folder in ("bank", "customer"):
            shutil.rmtree(self.home / folder, ignore_errors=True)
        self.cluster.start()
        self.open_bank("--clock", clock)
        self.bank.command(
            "enrol", "--dir", self.bank.folder, "--customer", "Nordwind Instruments GmbH",
            "--contract", CONTRACT, "--out", self.home / "customer",
            *(word for _account in ACCOUNTS for word in ("--account", f":EUR:{OPENING}")),
        )
        Templates(self.settings, self.cluster, self.odoo).copy_to(DATABASE, demo=False)
        # A copied sequence forgets, in a crash before the next checkpoint, numbers it gave out.
        self.cluster.execute("CHECKPOINT")
        log = self.log("install")
        modules, options, environment = [MODULE], [], {}
        if self._jobs:
            self._jobs.fetch()
            modules.append("queue_job")
            options, environment = self._jobs.options, self._jobs.environment
        code = self.odoo.run(log, f"--database={DATABASE}", f"--init={','.join(modules)}",
                             "--stop-after-init", "--no-http", "--without-demo", *options,
                             environment=environment)
        if code != 0:
            raise ProcessError(f"Odoo could not install the module: see {log}")

    def log(self, what: str) -> Path:
        return self.settings.logs / f"{self.name}-{what}.log"

    @property
    def shell(self) -> tuple[list[str], dict[str, str]]:
        """Options and environment that Odoo's shell needs on this database."""
        return (self._jobs.options, self._jobs.environment) if self._jobs else ([], {})

    def set_parameters(self, values: dict[str, int]) -> None:
        """Write system parameters while no Odoo server runs."""
        for key, value in values.items():
            self.cluster.execute(
                "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (f"account_bank_connect.{key}", str(value)), database=DATABASE,
            )

    def rows(self, statement: str, values: tuple = ()) -> list[tuple]:
        """What a query of Odoo's database finds; seen from outside Odoo."""
        return self.cluster.execute(statement, values, database=DATABASE)

    # Odoo ----------------------------------------------------------------------------------------

    def start_server(self, number: int) -> None:
        """Start an Odoo server, in place of one that is gone."""
        if self.servers[number]:
            self.servers[number].stop()
        options, environment = [], {}
        if self._jobs:
            options, environment = self._jobs.serving(self.ports[number])
        self.servers[number] = self.odoo.serve(
            DATABASE, self.log(f"odoo-{number + 1}"), f"--workers={self._workers}",
            "--limit-time-real-cron=600", "--limit-time-cpu=600",
            "--log-handler=odoo.addons.base.models.ir_cron:WARNING",
            "--log-handler=werkzeug:WARNING",
            *options, cron_threads=self.cron_threads, port=self.ports[number],
            environment=environment,
        )

    def stop_server(self, number: int) -> None:
        if self.servers[number]:
            self.servers[number].stop()
            self.servers[number] = None

    def kill_worker(self, chance: random.Random) -> bool:
        """``kill -9`` of one worker process of a server, whatever it is doing."""
        alive = [server for server in self.servers if server and server.child.exit_code is None]
        found = []
        for server in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                found += psutil.Process(server.child.pid).children()
        if not found:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(found).kill()
        return True

    def kill_server(self, number: int) -> None:
        """``kill -9`` of a whole server with its workers; it is started again."""
        server = self.servers[number]
        if server:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(server.child.pid).children(recursive=True):
                    process.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.child.pid, signal.SIGKILL)
        self.start_server(number)

    def mend_servers(self) -> None:
        """Start again what has ended by itself."""
        for number, server in enumerate(self.servers):
            if server and server.child.exit_code is not None:
                self.start_server(number)

    # The others ----------------------------------------------------------------------------------

    def crash_database(self) -> None:
        """PostgreSQL as after a power cut: no checkpoint; it recovers from its log."""
        self.cluster.crash()
        self.cluster.start()

    def open_bank(self, *options: str) -> None:
        port, admin_port = self._bank_ports
        self.bank.start("--port", str(port), "--admin-port", str(admin_port), *options)

    def kill_bank(self) -> None:
        """``kill -9`` of the bank; it is started again."""
        if self.bank.server:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.bank.server.pid, signal.SIGKILL)
        self.mend_bank(wait=True)

    def mend_bank(self, *, wait: bool = False) -> bool:
        """Start the bank again if it has ended; whether it had."""
        child = self.bank.server
        if child is None:
            return False
        if wait:
            with contextlib.suppress(ProcessError):
                child.wait_until(lambda: child.exit_code is not None, within=10)
        if child.exit_code is None:
            return False
        self.open_bank()
        return True

    def close(self) -> None:
        """Stop all in order, so that the next run finds a clean cluster."""
        for number in range(len(self.servers)):
            self.stop_server(number)
        self.bank.stop()
        self.cluster.drop(DATABASE)
        shutil.rmtree(self.odoo.filestore(DATABASE), ignore_errors=True)
        self.cluster.stop()
