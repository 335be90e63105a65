"""The servers and the database: made on the first run, found again on the next."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone
from pathlib import Path

from ..bank import Bank
from ..cluster import Cluster
from ..odoo import Odoo, Server
from ..processes import Supervisor
from ..settings import MODULE, Settings
from ..templates import Templates
from . import cast
from .api import Person
from .channels import Channel
from .desk import Desk
from .progress import DemoError, Progress

CRON_THREADS = 4
KEY_DAYS = 90
DOLLARS_PER_EURO = "1.10"  # the sandbox bank's own rate
# What Odoo loads; a change here asks for an update of the database.
_LOADED = ("*.py", "models/*.py", "wizards/*.py", "views/*.xml", "wizards/*.xml", "data/*.xml",
           "security/*", "report/*", "controllers/*.py")


@dataclass
class Scene:
    """Everything the demo acts with: people, the bank's desk, and ids in Odoo."""

    url: str
    people: dict[str, Person]
    desk: Desk
    found: dict  # what foundation.py found or made
    accounts: dict[str, str]  # key → IBAN
    run: int  # 1 on a new database
    log: Path
    database: str
    channel: Channel


class Stage:
    """Starts the servers, newest state or a new one.

    Each channel has books of its own, in Odoo and at the bank: everything is below ``.run/demo``,
    or ``.run/demo-<channel>``.
    """

    def __init__(
        self, settings: Settings, supervisor: Supervisor, progress: Progress,
        channel: type[Channel],
    ):
        self._settings = settings
        self._progress = progress
        self._name = "demo" if channel.name == "rest" else f"demo-{channel.name}"
        self._database = self._name.replace("-", "_")
        self._cluster = Cluster(settings, supervisor, "demo", durable=True)
        self._bank = Bank(
            settings, supervisor, self._home / "bank", settings.logs / f"{self._name}-bank.log"
        )
        self._odoo = Odoo(
            settings, supervisor, self._cluster, self._name,
            {"BANK_CONNECT_MASTER_KEY": self._key()},
        )
        self._channel = channel(self._cluster.folder / f"{self._name}-mailbox")
        self._server: Server | None = None
        self.log = settings.logs / f"{self._name}-odoo.log"

    @property
    def _home(self) -> Path:
        return self._settings.run / self._name

    @property
    def _customer(self) -> Path:
        return self._home / "customer"

    def open(self, *, fresh: bool) -> Scene:
        """Start everything; ``fresh`` forgets what earlier runs left."""
        self._home.mkdir(parents=True, exist_ok=True)
        say = self._progress.say
        self._cluster.start()
        say("PostgreSQL answers (a cluster of its own, on a socket)")
        state = {} if fresh else self._state()
        if not state or not self._cluster.exists(self._database):
            self._forget()
            state = {"run": 0, "passwords": {name: _password() for name in ("admin", *cast.PEOPLE)}}
        self._open_bank()
        say(f"The sandbox bank is open, its day is {self.desk.now():%A %d %B %Y, %H:%M}")
        self._prepare(state)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        limits = ["--limit-time-real=1800", "--limit-time-real-cron=1800"]
        self._server = self._odoo.serve(
            self._database, self.log, *limits, cron_threads=CRON_THREADS
        )
        say(f"Odoo {self._settings.odoo_version} answers, with {CRON_THREADS} cron threads")
        state["run"] += 1
        self._keep(state)
        return self._scene(state)

    def close(self) -> None:
        """Stop what the supervisor does not know of."""
        self._channel.close()

    def check(self) -> None:
        """Raise ProcessError if a server has ended."""
        for child in (self._server and self._server.child, self._bank.server):
            if child:
                child.check()

    # The bank ----------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        return Desk(self._bank.admin_url)

    def _open_bank(self) -> None:
        if not self._customer.exists():
            self._bank.folder.mkdir(parents=True, exist_ok=True)
            self._bank.command("init", "--dir", self._bank.folder)
            orders = [
                word
                for account in cast.ACCOUNTS
                for word in ("--account", f":{account.currency}:{account.opening}")
            ]
            building = self._home / "customer-building"
            shutil.rmtree(building, ignore_errors=True)
            self._bank.command(
                "enrol", "--dir", self._bank.folder, "--customer", cast.COMPANY["name"],
                "--contract", cast.CONTRACT, "--out", building, *orders, *self._channel.terms,
            )
            building.rename(self._customer)
        # Its clock stands still until the demo, or a visitor at the desk, advances it.
        today = f"{datetime.now(timezone.utc):%Y-%m-%d}T08:00:00"
        self._bank.start("--clock", today, *self._channel.serving)
        if self.desk.now().hour >= 16:
            # An earlier run left it in the evening, after the cut-off.
            self.desk.next_morning()

    def _contract(self) -> dict:
        return json.loads((self._customer / "contract.json").read_text())

    def _accounts(self) -> dict[str, str]:
        """Key → IBAN, in the order in which they were opened."""
        opened = self._contract()["accounts"]
        return {
            account.key: found["iban"]
            for account, found in zip(cast.ACCOUNTS, opened, strict=True)
        }

    # The database ------------------------------------------------------------------------------

    def _prepare(self, state: dict) -> None:
        """Make the database, or bring it up to date with the module's code."""
        code = self._fingerprint()
        if not self._cluster.exists(self._database):
            templates = Templates(self._settings, self._cluster, self._odoo)
            if not templates.built(demo=False):
                self._progress.say("Making a database with Odoo's accounting (kept for later) ...")
            templates.copy_to(self._database, demo=False)
            self._load("init")
            self._progress.say("Bank Connect is installed")
        elif state.get("code") != code:
            self._load("update")
            self._progress.say("Bank Connect is brought up to date with the code")
        if state.get("code") != code or date.today().isoformat() >= state.get("keys_until", ""):
            state["found"] = self._lay_foundation(state)
            state["keys_until"] = date.fromordinal(
                date.today().toordinal() + KEY_DAYS - 1
            ).isoformat()
            self._progress.say(
                f"Company, {len(cast.ACCOUNTS)} bank accounts, {len(cast.PEOPLE)} users and "
                f"{len(state['found']['vendors'])} vendors in "
                f"{len({vendor.country for vendor in cast.vendors()})} countries are there"
            )
        state["code"] = code
        self._keep(state)

    def _load(self, what: str) -> None:
        log = self._settings.logs / f"{self._name}-{what}.log"
        code = self._odoo.run(
            log, f"--database={self._database}", f"--{what}={MODULE}", "--stop-after-init",
            "--no-http", "--without-demo",
        )
        installed = self._cluster.execute(
            "SELECT 1 FROM ir_module_module WHERE name = %s AND state = 'installed'",
            (MODULE,), database=self._database,
        )
        if code != 0 or not installed:
            raise DemoError(f"Odoo could not {what} the module: see {log}")

    def _lay_foundation(self, state: dict) -> dict:
        given, found = self._home / "given.json", self._home / "found.json"
        log = self._settings.logs / f"{self._name}-foundation.log"
        contract, accounts = self._contract(), self._accounts()
        if "vendors" not in state:
            state["vendors"] = cast.with_accounts(cast.vendors(), self._bank)
        _write_secret(
            given,
            {
                "company": cast.COMPANY,
                "dollars_per_euro": DOLLARS_PER_EURO,
                "key_days": KEY_DAYS,
                "admin_password": state["passwords"]["admin"],
                "people": {
                    login: {"name": name, "groups": groups, "password": state["passwords"][login]}
                    for login, (name, groups) in cast.PEOPLE.items()
                },
                "confirming": "manager",
                "bank": contract["bank"],
                "connection": self._channel.connection(self._bank, contract, self._customer),
                "accounts": [
                    {**asdict(account), "iban": accounts[account.key]}
                    for account in cast.ACCOUNTS
                ],
                "vendors": state["vendors"],
            },
        )
        _write_secret(found, {})
        try:
            code = self._odoo.run(
                log, "shell", f"--database={self._database}", "--no-http",
                script=Path(__file__).with_name("foundation.py"),
                environment={"DEMO_GIVEN": str(given), "DEMO_FOUND": str(found)},
            )
            result = json.loads(found.read_text())
            if code != 0 or not result:
                raise DemoError(f"The company could not be set up in Odoo: see {log}")
            return result
        finally:
            given.unlink(missing_ok=True)
            found.unlink(missing_ok=True)

    def _scene(self, state: dict) -> Scene:
        people = {
            login: Person(
                self._server.url, name, login, state["passwords"][login],
                state["found"]["keys"][login],
            )
            for login, (name, _groups) in cast.PEOPLE.items()
        }
        scene = Scene(
            self._server.url, people, self.desk, state["found"], self._accounts(), state["run"],
            self.log, self._database, self._channel,
        )
        self._connect(scene)
        return scene

    def _connect(self, scene: Scene) -> None:
        """The treasurer gives the connection the bank's address of today and tries it."""
        treasurer, connection = scene.people["treasurer"], scene.found["connection"]
        values = self._channel.today(self._bank, treasurer, connection)
        shown = treasurer.read_one("bank.connection", connection, ["state", *values])
        changed = {name: value for name, value in values.items() if shown[name] != value}
        if changed:
            treasurer.write("bank.connection", [connection], changed)
        if self._channel.works:
            answer = treasurer.call("bank.connection", "action_test", [connection])["params"]
            if answer["type"] != "success":
                raise DemoError(f"The connection test failed: {answer['message']}")
            self._progress.say(
                f"{treasurer.name} (treasurer) tested the connection: {self._channel.works}"
            )
        if shown["state"] != "active":
            treasurer.call("bank.connection", "action_activate", [connection])

    # What is kept ------------------------------------------------------------------------------

    def _state(self) -> dict:
        """What the last run kept; empty unless it got as far as a complete database."""
        try:
            state = json.loads((self._home / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state if state.get("found") else {}

    def _keep(self, state: dict) -> None:
        _write_secret(self._home / "state.json", state)

    def _forget(self) -> None:
        """Drop database and bank together: the one's books make no sense without the other's."""
        (self._home / "state.json").unlink(missing_ok=True)
        self._cluster.drop(self._database)
        for folder in (self._odoo.filestore(self._database), self._bank.folder, self._customer,
                       self._channel.mailbox):
            shutil.rmtree(folder, ignore_errors=True)

    def _key(self) -> str:
        """The master key of Bank Connect's keyring: made once, never in the database."""
        self._home.mkdir(parents=True, exist_ok=True)
        path = self._home / "master.key"
        if not path.exists():
            _write(path, "demo:" + base64.b64encode(secrets.token_bytes(32)).decode())
        return path.read_text().strip()

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self._settings.odoo_version.encode())
        here = [Path(__file__).with_name("foundation.py"), Path(cast.__file__)]
        paths = {path for pattern in _LOADED for path in self._settings.repo.glob(pattern)}
        for path in [*sorted(paths), *here]:
            if path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()


def _password() -> str:
    return secrets.token_urlsafe(9)


def _write_secret(path: Path, content: dict) -> None:
    _write(path, json.dumps(content, indent=1))


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
    part.rename(path)
