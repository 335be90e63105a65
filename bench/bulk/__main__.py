"""``bin/bench pay`` and ``bin/bench receive``: N bills paid, N bookings taken in."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from support.cluster import Cluster
from support.odoo import Odoo
from support.processes import ProcessError, Supervisor
from support.settings import MODULE, Settings
from support.templates import Templates

SIZES = (100, 1000, 3000)
MODES = ("booked", "unbooked")
INSIDE = Path(__file__).parent / "inside"
KEY = "bench:dGhpcyBrZXkgcHJvdGVjdHMgbm90aGluZyBhdCBhbGwuLi4="
MARK = "BENCH "  # leads the lines in which the measured process reports


def main(arguments: Sequence[str]) -> int:
    chosen = _arguments(arguments)
    settings = Settings.from_environment()
    try:
        with Supervisor() as supervisor:
            bench = Bench(settings, supervisor, max(chosen.n))
            for size in chosen.n:
                for mode in chosen.mode:
                    for result in bench.measure(chosen.what, size, mode):
                        print(json.dumps(result) if chosen.json else _row(result), flush=True)
    except ProcessError as error:
        print(f"bin/bench stopped: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description="pay: N posted bills to an approved batch, posted payments and the bytes of "
        "the message. receive: a statement of N bookings to reconciled payments and paid bills. "
        "“booked”: the payment is booked at approval; “unbooked”: by the statement alone. The "
        "floor is the same rows by COPY and the same bytes by lxml, measured in the same run.",
    )
    parser.add_argument("what", choices=("pay", "receive"))
    parser.add_argument("--n", type=int, nargs="+", default=list(SIZES), help="how many bills")
    parser.add_argument("--mode", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--json", action="store_true", help="one JSON object for each line")
    chosen = parser.parse_args(arguments)
    if min(chosen.n) < 1:
        parser.error("--n must be at least 1")
    return chosen


def _row(result: dict) -> str:
    return (
        f"{result['what']:8}{result['mode']:9} n={result['n']:<7,}{result['seconds']:8.2f} s"
        f" (processor {result['cpu_seconds']:.2f} s){result['queries']:9,} queries"
        f"{result['peak_mib']:7.0f} MiB (+{result['grown_mib']})"
        f"   floor {result['floor_seconds']:.2f} s"
    )


class Bench:
    """A cluster with a database of posted bills, copied afresh for each measurement."""

    def __init__(self, settings: Settings, supervisor: Supervisor, most: int) -> None:
        self._settings = settings
        # Durable, as a company's database is: what waits for the disk is measured too.
        self._cluster = Cluster(settings, supervisor, "bench", durable=True)
        self._cluster.start()
        secrets = {"BANK_CONNECT_MASTER_KEY": KEY}
        self._odoo = Odoo(settings, supervisor, self._cluster, "bench", secrets=secrets)
        self._base = self._posted_bills(most)

    def measure(self, what: str, size: int, mode: str):
        """Yield the figures of one size and mode, each from a process of its own."""
        database = "bench"
        self._cluster.drop(database)
        self._cluster.create(database, self._base)
        steps = ("pay",) if what == "pay" else ("pay", "receive")
        for step in steps:
            result = self._shell(database, step, size, mode)
            if step == what:
                yield {"what": what, "n": size, "mode": mode} | result
        self._cluster.drop(database)

    def lives(self, size: int, dies_at: Sequence[int]):
        """Yield what the processes tell that take a statement in, one after the other.

        :param dies_at: for each, the slice at which it is killed; 0: it works to the end
        """
        database = "bench"
        self._cluster.drop(database)
        self._cluster.create(database, self._base)
        for slice_ in dies_at:
            environment = {"BENCH_DIES_AT": str(slice_)}
            code, told = self._run(database, "resume", size, "booked", environment)
            if slice_ and code != -signal.SIGKILL:
                raise ProcessError(f"it was to be killed, and ended with {code}")
            if not slice_:
                yield self._figures("resume", size, code, told)
        self._cluster.drop(database)

    def _posted_bills(self, most: int) -> str:
        """The name of a database with a connected company and at least ``most`` posted bills.

        Kept until the module or what prepares it changes.
        """
        prefix = f"bills-{self._fingerprint()}-"
        made = {int(old.removeprefix(prefix)): old for old in self._cluster.databases(prefix)}
        if enough := [count for count in made if count >= most]:
            return made[min(enough)]
        for old in self._cluster.databases("bills-"):
            self._cluster.drop(old)
        # Only a database that was prepared to its end gets its name.
        name = "preparing"
        print(f"Posting {most:,} bills, kept for later runs ...", file=sys.stderr, flush=True)
        self._cluster.drop(name)
        Templates(self._settings, self._cluster, self._odoo).copy_to(name, demo=False)
        log = self._settings.logs / "bench-install.log"
        code = self._odoo.run(
            log, f"--database={name}", f"--init={MODULE}", "--stop-after-init", "--no-http"
        )
        if code:
            raise ProcessError(f"the module could not be installed: see {log}")
        self._shell(name, "prepare", most, "booked")
        self._cluster.rename(name, f"{prefix}{most}")
        return f"{prefix}{most}"

    def _fingerprint(self) -> str:
        """A digest of everything that the prepared database depends on."""
        digest = hashlib.sha256(self._settings.odoo_version.encode())
        folders = ("models", "wizards", "views", "data", "security", "formats", "connectors")
        for folder in folders:
            for path in sorted((self._settings.repo / folder).rglob("*.*")):
                if path.suffix in (".py", ".xml", ".csv", ".json"):
                    digest.update(path.read_bytes())
        digest.update((INSIDE / "prepare.py").read_bytes())
        return digest.hexdigest()[:8]

    def _shell(self, database: str, step: str, size: int, mode: str) -> dict:
        return self._figures(step, size, *self._run(database, step, size, mode, {}))

    def _figures(self, step: str, size: int, code: int, told: list[str]) -> dict:
        if code or not told:
            raise ProcessError(f"“{step}” of {size} bills failed: see {self._log(step)}")
        return json.loads(told[-1].removeprefix(MARK))

    def _log(self, step: str) -> Path:
        return self._settings.logs / f"bench-{step}.log"

    def _run(
        self, database: str, step: str, size: int, mode: str, environment: dict[str, str]
    ) -> tuple[int, list[str]]:
        """Run a step in Odoo's shell; its exit code, and the lines in which it reports."""
        log = self._log(step)
        code = self._odoo.run(
            log,
            "shell",
            f"--database={database}",
            "--no-http",
            "--log-level=warn",
            script=INSIDE / f"{step}.py",
            environment={
                "BENCH_N": str(size),
                "BENCH_MODE": mode,
                "BENCH_FOLDER": str(INSIDE),
                **environment,
            },
        )
        return code, [line for line in log.read_text().splitlines() if line.startswith(MARK)]

