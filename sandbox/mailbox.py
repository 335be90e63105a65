"""The mailbox as folders: files picked up from ``in``, documents laid out in ``out``.

For customers who reach the bank over SFTP, or who carry files by hand. Each contract has a folder
of its name with ``in`` (the customer's files), ``done`` and ``refused`` (what became of them),
``out`` (the bank's documents) and ``out/archive`` (where the customer puts what it has taken).
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import threading
import traceback
from pathlib import Path

from . import clock, documents, intake
from .bank import Bank
from .engine import Engine

POLL_SECONDS = 0.5
FOLDERS = ("in", "done", "refused", "out", "out/archive")
# What is still being written, as customers agree it with this bank.
UNFINISHED = (".part", ".tmp", ".filepart")
SERVICE, PRODUCT = "bulk-payments", intake.CROSS_BORDER
KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Mailbox:
    """Carries files between folders and the bank's books, in a thread of its own.

    A file is filed in the books before it is moved, and known again by its name and content: a
    kill at any instant leaves it filed once. A document is laid out whole or not at all.
    """

    def __init__(self, bank: Bank, engine: Engine, root: Path) -> None:
        self.store, self.engine, self.root = bank.store, engine, root
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the folders and begin; they are there when this returns."""
        for contract_id in self._contracts():
            self._folder(contract_id)
        self._thread = threading.Thread(target=self._loop, name="mailbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the file under way."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=30)

    def _loop(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self.run()
            except (OSError, sqlite3.OperationalError):
                traceback.print_exc()
        self.store.close()

    def run(self) -> None:
        """Empty the bank's letter boxes once, and lay out what is new."""
        for contract_id in self._contracts():
            folder = self._folder(contract_id)
            for path in sorted((folder / "in").iterdir()):
                if path.is_file() and not path.is_symlink() and _finished(path.name):
                    self._take(contract_id, folder, path)
            self._lay_out(contract_id, folder)

    def _contracts(self) -> list[str]:
        return [row["id"] for row in self.store.read().execute("SELECT id FROM contract")]

    def _folder(self, contract_id: str) -> Path:
        folder = self.root / contract_id
        if not (folder / FOLDERS[-1]).is_dir():
            for name in FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
        return folder

    def _take(self, contract_id: str, folder: Path, path: Path) -> None:
        body = path.read_bytes()
        place = "done"
        try:
            head = intake.admit(body)
            with self.store.write() as connection:
                place = _file(connection, contract_id, path.name, head, body)
        except intake.Inadmissible:
            place = "refused"
        self.engine.wake()
        os.replace(path, _free(folder / place / path.name))

    def _lay_out(self, contract_id: str, folder: Path) -> None:
        connection = self.store.read()
        laid = {row["document_id"]: row["name"] for row in connection.execute(
            "SELECT document_id, laid_out.name FROM laid_out JOIN document ON id = document_id"
            " WHERE contract_id = ? AND acknowledged_at IS NULL", (contract_id,))}
        for document_id, name in laid.items():
            if not (folder / "out" / name).exists():  # the customer took it away
                with self.store.write() as writing:
                    documents.acknowledge(writing, contract_id, document_id, clock.now(writing))
        for row in documents.find(connection, contract_id, limit=1000):
            if row["id"] in laid:
                continue
            content = documents.get(connection, contract_id, row["id"])["content"]
            path = _free(folder / "out" / row["name"])
            temporary = path.with_name(f".{path.name}.part")
            temporary.write_bytes(content)
            with self.store.write() as writing:
                writing.execute("INSERT INTO laid_out (document_id, name) VALUES (?, ?)",
                                (row["id"], path.name))
                os.replace(temporary, path)


def _file(connection: sqlite3.Connection, contract_id: str, name: str, head: intake.Head,
          body: bytes) -> str:
    """File an upload unless it is known; return the folder where the file goes."""
    found = KEY.search(name)
    key = found.group().lower() if found else name
    known = connection.execute(
        "SELECT sha256 FROM submission WHERE contract_id = ? AND request_id = ?",
        (contract_id, key)).fetchone()
    if known:
        return "done" if known["sha256"] == hashlib.sha256(body).hexdigest() else "refused"
    intake.file(connection, contract_id, key, SERVICE, PRODUCT, head, body, clock.now(connection))
    return "done"


def _finished(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(UNFINISHED)


def _free(path: Path) -> Path:
    """The path, or one beside it where that is taken."""
    number = 1
    candidate = path
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
