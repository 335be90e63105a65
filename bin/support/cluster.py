"""A private PostgreSQL cluster: no TCP, one socket in a folder only its owner may enter."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
from psycopg2 import sql

from .processes import Child, ProcessError, Supervisor
from .settings import Settings

ROLE = "odoo"  # Odoo refuses to connect as "postgres"
_SUPERUSER = "postgres"
_PORT = "5432"  # names the socket file; nothing listens on the network
# A Unix socket's path has at most 107 bytes (unix(7)); the file's name takes 16 of them.
_MAX_SOCKET_FOLDER = 90

_CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that can be made again: nothing waits for the disk.
_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
}


class Cluster:
    """One cluster, kept in ``.run/<name>/pg`` from one run to the next.

    A server does not run as root: started by root, it runs as the user ``postgres``. Where that
    user cannot reach the repository (a checkout in /root, say) the files go to /var/tmp.

    ``durable=False`` is for tests: faster, and made anew if it was not shut down in order.
    """

    def __init__(self, settings: Settings, supervisor: Supervisor, name: str, *, durable: bool):
        self._settings = settings
        self._supervisor = supervisor
        self.name = name
        self._durable = durable
        self._user = self._server_user()
        self._log = settings.logs / f"{name}-postgresql.log"
        self.folder = self._find_folder()
        self._data = self.folder / "pg"
        self._lock = None
        self._server: Child | None = None

    @property
    def host(self) -> str:
        """What libpq calls the host: the socket's folder."""
        folder = self.folder / "socket"
        if len(os.fsencode(folder)) > _MAX_SOCKET_FOLDER:
            digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
            folder = Path("/tmp") / f"bank-connect-{digest}"  # noqa: S108  (0700, owner checked)
        return str(folder)

    @property
    def environment(self) -> dict[str, str]:
        """libpq's environment variables for the role that owns the databases."""
        return {"PGHOST": self.host, "PGPORT": _PORT, "PGUSER": ROLE}

    def lock(self) -> bool:
        """Take the cluster for this process; False if another has it. ``stop`` gives it back."""
        lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def start(self) -> None:
        """Make the cluster if need be and start its server.

        Raises ProcessError if another command is using it, or the server does not come up.
        """
        if not self._lock and not self.lock():
            raise ProcessError(
                f"Another command is using {self.folder}: let it finish, or stop it."
            )
        if (self._data / "PG_VERSION").exists() and not self._usable():
            shutil.rmtree(self._data)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._own(Path(self.host))
        if not self.folder.is_relative_to(self._settings.run):
            print(
                f"PostgreSQL's files are in {self.folder}: its user {self._user} "
                f"may not enter {self._settings.run}.",
                file=sys.stderr,
            )
        options = dict(_CONFIGURATION) | ({} if self._durable else _NOT_DURABLE)
        arguments: list[str | Path] = [self._program("postgres"), "-D", self._data]
        arguments += ["-k", self.host, "-p", _PORT]
        for key, value in options.items():
            arguments += ["-c", f"{key}={value.strip(chr(39))}"]
        self._server = self._supervisor.start(
            "PostgreSQL",
            arguments,
            log=self._log,
            cwd=self.folder,
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": sessions are ended, data is written
            stop_within=30,
        )
        self._server.wait_until(self._answers, within=30)
        self.execute(
            "DO $$ BEGIN CREATE ROLE odoo LOGIN CREATEDB; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def crash(self) -> None:
        """End the server as a power cut would (its "immediate" mode): ``start`` recovers it."""
        if self._server:
            os.kill(self._server.pid, signal.SIGQUIT)
            self._server.wait(within=30)
            self._server.stop()
            self._server = None

    def exists(self, database: str) -> bool:
        return bool(self.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)))

    def databases(self, prefix: str) -> list[str]:
        rows = self.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,)
        )
        return [name for (name,) in rows]

    def create(self, database: str, template: str = "template0") -> None:
        """Create a database, as a copy of ``template`` (which nobody may be connected to)."""
        self.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(database), sql.Identifier(ROLE), sql.Identifier(template)
            )
        )

    def rename(self, database: str, name: str) -> None:
        self.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(database), sql.Identifier(name)
            )
        )

    def drop(self, database: str) -> None:
        """Drop a database if it exists, ending sessions that are connected to it."""
        self.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )

    def execute(
        self, statement: str | sql.Composable, values: tuple = (), database: str = "postgres"
    ) -> list[tuple]:
        """Run one statement as superuser, by itself, and return its rows."""
        connection = psycopg2.connect(
            host=self.host, port=_PORT, user=_SUPERUSER, dbname=database, connect_timeout=10
        )
        with closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    # How the cluster is made -------------------------------------------------------------------

    def _initialise(self) -> None:
        self._own(self._data)
        arguments = [self._program("initdb"), "-D", self._data, "-U", _SUPERUSER]
        # Whoever may enter the socket's folder is trusted: its owner and root.
        arguments += ["--auth-local=trust", "--auth-host=reject"]
        arguments += ["-E", "UTF8", "--locale=C.UTF-8"]
        arguments += [] if self._durable else ["--no-sync"]
        code = self._supervisor.run(
            "initdb", arguments, log=self._log, within=120, user=self._user, cwd=self.folder
        )
        if code != 0:
            raise ProcessError(f"PostgreSQL's initdb failed: see {self._log}")

    def _usable(self) -> bool:
        """Whether the files fit this server and, if not durable, were shut down in order."""
        # The caller holds the lock: a server still there is a dying one's.
        version = (self._data / "PG_VERSION").read_text().strip()
        ours = subprocess.run(
            [self._program("postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout.split()[2]
        if ours.split(".")[0] != version:
            if not self._durable:
                return False
            raise ProcessError(
                f"{self._data} was made by PostgreSQL {version}, this is {ours}: "
                f"set POSTGRES_BIN to that version, or remove {self.folder} to start afresh."
            )
        if self._durable:
            return True
        state = subprocess.run(
            [self._program("pg_controldata"), self._data],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        ).stdout
        return any(
            line.startswith("Database cluster state:") and line.endswith(" shut down")
            for line in state.splitlines()
        )

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _program(self, name: str) -> Path:
        return self._settings.postgres_bin / name

    # Where its files may be --------------------------------------------------------------------

    @staticmethod
    def _server_user() -> str | None:
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError:
            raise ProcessError(
                "PostgreSQL does not run as root and there is no user postgres: "
                "run this as an ordinary user, or install Debian's package postgresql."
            ) from None

    def _find_folder(self) -> Path:
        folder = self._settings.run / self.name
        folder.mkdir(parents=True, exist_ok=True)
        if self._reachable(folder):
            return folder
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        # Its name is known beforehand and anyone may write to /var/tmp: the owner is checked.
        base = Path("/var/tmp") / f"bank-connect-{digest}"  # noqa: S108
        base.mkdir(mode=0o711, exist_ok=True)
        found = base.lstat()
        if base.is_symlink() or found.st_uid != os.geteuid():
            raise ProcessError(f"{base} belongs to someone else: remove it, then try again.")
        folder = base / self.name
        folder.mkdir(mode=0o711, exist_ok=True)
        return folder

    def _reachable(self, folder: Path) -> bool:
        if self._user is None:
            return True
        probe = subprocess.run(
            ["test", "-x", folder],
            user=self._user,
            group=self._user,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return probe.returncode == 0

    def _own(self, folder: Path) -> None:
        """Make a folder that only the server's user may enter."""
        owner = pwd.getpwnam(self._user) if self._user else None
        folder.mkdir(mode=0o700, exist_ok=True)
        expected = {os.geteuid(), owner.pw_uid if owner else os.geteuid()}
        if folder.is_symlink() or folder.lstat().st_uid not in expected:
            raise ProcessError(f"{folder} belongs to someone else: remove it, then try again.")
        folder.chmod(0o700)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
