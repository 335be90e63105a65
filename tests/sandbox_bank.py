"""The sandbox bank as the tests use it: a server that shares no code with the module."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
# Odoo may be run so that Python does not look for packages in the working directory.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


class SandboxBank:
    """The sandbox bank in a process of its own, with one customer.

    :param terms: further options of its command ``enrol``, such as ``--soap``
    :param serve: further options of its command ``serve``, such as ``--mailbox``
    """

    def __init__(self, folder, moment, *terms, serve=()):
        self.folder = Path(folder)
        self.run("init", "--dir", self.folder / "bank")
        self.run(
            *("enrol", "--dir", self.folder / "bank", "--customer", "Payer GmbH"),
            *("--contract", "CORP-001", "--account", ":EUR:100000.00"),
            *("--out", self.folder / "customer", *terms),
        )
        self.contract = json.loads(self.read_file("contract.json"))
        self.iban = self.contract["accounts"][0]["iban"]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox", "serve", "--dir", str(self.folder / "bank")),
                *("--clock", moment, "--parent-pid", str(os.getpid())),
                *map(str, serve),
            ],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        ports = json.loads(line.removeprefix("ready "))
        self.url = f"https://localhost:{ports['port']}"
        self.soap_url = f"https://localhost:{ports['soap_port']}"
        self.desk_url = f"http://127.0.0.1:{ports['admin_port']}"

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", *map(str, arguments)],
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"the sandbox bank failed: {done.stderr}")
        return done.stdout.strip()

    def read_file(self, name):
        return (self.folder / "customer" / name).read_bytes()

    def payee(self, number, trigger=None):
        """An IBAN; a trigger decides what happens to a payment to it."""
        chosen = ("--trigger", trigger) if trigger else ()
        return self.run("iban", "--country", "FR", "--index", number, *chosen)

    def desk(self, path, **body):
        """Ask the bank's own desk; with a body, tell it something."""
        data = json.dumps(body).encode() if body else None
        request = Request(
            f"{self.desk_url}/admin/{path}", data, {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


def next_business_day(day):
    """A day on which the bank works, safely away from the holidays around the year's end."""
    day += timedelta(days=1)
    while (
        day.weekday() > 2
        or (day.month, day.day) in {(1, 1), (5, 1)}
        or (day.month == 12 and day.day > 20)
    ):
        day += timedelta(days=1)
    return day
