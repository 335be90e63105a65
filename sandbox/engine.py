"""The bank's diary: everything that is due, in the order of its time, each in one transaction.

Kinds of event: ``check`` (a file), ``execute`` (a payment information block), ``pay`` (one
payment that waited), ``return`` (one executed payment), ``noon`` and ``end_of_day`` (a date).
An event is marked done in the transaction that carries it out, so that a kill at any instant
leaves it either wholly done or still due.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import traceback
from datetime import date, datetime

from . import clock, execution, intake, issue_camt
from .calendar import END_OF_DAY, NOON, on_or_after
from .calendar import add_business_days as later
from .pain001_reader import FileFault, Message, read
from .store import Store

POLL_SECONDS = 0.5


class Engine:
    """Runs due events, from a thread of its own and whenever the clock is advanced."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._running = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Make sure that the bank's days go on: order the next noon and end of day."""
        with self.store.write() as connection:
            present = clock.now(connection)
            for kind, limit in (("noon", NOON), ("end_of_day", END_OF_DAY)):
                if connection.execute("SELECT 1 FROM event WHERE kind = ? AND done_at IS NULL",
                                      (kind,)).fetchone():
                    continue
                day = on_or_after(present.date())
                if datetime.combine(day, limit) < present:
                    day = later(day, 1)
                intake.schedule(connection, datetime.combine(day, limit), kind, day)

    def start(self) -> None:
        """Run due events in the background until ``stop``."""
        self._thread = threading.Thread(target=self._loop, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the event under way and end the background thread."""
        self._stopping = True
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=30)

    def wake(self) -> None:
        """Say that something may be due."""
        self._wake.set()

    def _loop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self.run_due()
            except sqlite3.OperationalError:
                traceback.print_exc()
            self._wake.wait(POLL_SECONDS)
        self.store.close()

    def run_due(self) -> int:
        """Carry out everything that is due now; return the number of events."""
        with self._running:
            return self._run_until(clock.now(self.store.read()))

    def advance(self, moment: datetime) -> int:
        """Put the clock forward, carrying out on the way all that falls due, in time order."""
        with self._running:
            done = self._run_until(moment)
            with self.store.write() as connection:
                clock.move_to(connection, moment)
            return done

    def _run_until(self, moment: datetime) -> int:
        done = 0
        while not self._stopping:
            event = self.store.read().execute(
                "SELECT * FROM event WHERE done_at IS NULL AND due_at <= ?"
                " ORDER BY due_at, id LIMIT 1", (clock.stamp(moment),)).fetchone()
            if event is None:
                break
            self._carry_out(event)
            done += 1
        return done

    def _carry_out(self, event: sqlite3.Row) -> None:
        at = clock.parse(event["due_at"])
        try:
            message = self._read_file(event["ref"]) if event["kind"] == "check" else None
            with self.store.write() as connection:
                clock.move_to(connection, at)
                self._handle(connection, event, at, clock.now(connection), message)
                self._finish(connection, event, None)
        except sqlite3.OperationalError:
            raise
        except Exception as error:  # one broken event must not stop the bank
            traceback.print_exc(file=sys.stderr)
            with self.store.write() as connection:
                clock.move_to(connection, at)
                self._finish(connection, event, f"{type(error).__name__}: {error}")
                self._order_next(connection, event)

    @staticmethod
    def _finish(connection: sqlite3.Connection, event: sqlite3.Row, error: str | None) -> None:
        connection.execute("UPDATE event SET done_at = ?, error = ? WHERE id = ?",
                           (clock.stamp(clock.now(connection)), error, event["id"]))

    def _read_file(self, submission_id: str) -> Message | FileFault:
        body = self.store.read().execute(
            "SELECT body FROM submission WHERE id = ?", (submission_id,)).fetchone()["body"]
        try:
            return read(body)
        except FileFault as fault:
            return fault

    def _handle(self, connection: sqlite3.Connection, event: sqlite3.Row, at: datetime,
                created: datetime, message: Message | FileFault | None) -> None:
        kind, ref = event["kind"], event["ref"]
        if kind == "check":
            submission = connection.execute(
                "SELECT * FROM submission WHERE id = ?", (ref,)).fetchone()
            if submission["status"] == "RCVD":
                intake.check(connection, submission, message, at, created)
        elif kind == "execute":
            execution.execute_block(connection, int(ref), at, created)
        elif kind == "pay":
            execution.execute_payment(connection, int(ref), at, created)
        elif kind == "return":
            execution.return_payment(connection, int(ref), at, created)
        elif kind == "noon":
            issue_camt.report_noon(connection, date.fromisoformat(ref), created)
            self._order_next(connection, event)
        elif kind == "end_of_day":
            issue_camt.state(connection, date.fromisoformat(ref), at, created)
            self._order_next(connection, event)

    @staticmethod
    def _order_next(connection: sqlite3.Connection, event: sqlite3.Row) -> None:
        if event["kind"] not in ("noon", "end_of_day"):
            return
        limit = NOON if event["kind"] == "noon" else END_OF_DAY
        day = later(date.fromisoformat(event["ref"]), 1)
        intake.schedule(connection, datetime.combine(day, limit), event["kind"], day)
