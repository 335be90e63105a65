"""The bank's memory: one SQLite file, one transaction for each business step."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")


class Store:
    """Connections to the bank's database, one for each thread.

    Write-ahead logging with ``synchronous=FULL``: a transaction that was committed survives a
    kill of the process and of the machine; one that was not leaves no trace.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._writing = threading.Lock()

    def read(self) -> sqlite3.Connection:
        """This thread's connection, for reading; every statement sees what is committed."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=60)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            self._local.connection = connection
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One business step: all of it is committed at the end, or nothing.

        :raises sqlite3.IntegrityError: a step that leaves a journal unsealed.
        """
        connection = self.read()
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                if connection.execute("SELECT 1 FROM journal WHERE sealed = 0 LIMIT 1").fetchone():
                    raise sqlite3.IntegrityError("a journal was left unsealed")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def create(self) -> None:
        """Make the tables that are not there yet."""
        self.read().executescript(SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def get_setting(connection: sqlite3.Connection, name: str, default: str | None = None) -> str:
    """A setting's value.

    :raises KeyError: it is not set and there is no default.
    """
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    if row:
        return row["value"]
    if default is None:
        raise KeyError(name)
    return default


def set_setting(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Write a setting."""
    connection.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))


def next_number(connection: sqlite3.Connection, name: str) -> int:
    """The next number of a gapless series, within the caller's transaction."""
    number = int(get_setting(connection, name, "0")) + 1
    set_setting(connection, name, str(number))
    return number
