"""People who press the buttons: at once, twice, and again when Odoo does not answer.

Two accountants send the same bills in the same moment, two managers approve the same batch, a
clerk pays bills by Odoo's own payment wizard meanwhile, and somebody presses "now" all the time.
All of it goes over Odoo's public API, to both servers.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import requests

from support.demo.api import Person, Refusal
from support.demo.progress import DemoError

from .company import Company

TOGETHER = 0.35  # of the lots are sent by both accountants at once
PAID_BY_HAND = 0.03  # of the bills the clerk tries to pay himself
TRIES = 60  # of one thing, while servers come and go


@dataclass
class Deeds:
    """What people did, as they saw it themselves."""

    counts: Counter = field(default_factory=Counter)
    approved: set[int] = field(default_factory=set)  # batches for which Odoo said: done
    faults: list[str] = field(default_factory=list)  # what a person should never see
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1


class People:
    """Threads, one for each person; ``start``, then ``busy`` until all is sent and approved."""

    def __init__(self, company: Company, day: date, seed: int) -> None:
        self._company = company
        self._day = day
        self._seed = seed
        self.deeds = Deeds()
        self._stop = threading.Event()
        self._sent = threading.Event()
        self._threads: list[threading.Thread] = []
        chance = random.Random(f"lots {seed}")  # noqa: S311
        self._lots = list(self._make_lots(chance))
        self.batches_expected = len(self._lots)
        self._queue: queue.Queue = queue.Queue()
        for lot in self._lots:
            self._queue.put(lot)
        self._pair: dict[str, queue.Queue] = {"anna": queue.Queue(), "boris": queue.Queue()}

    def _make_lots(self, chance: random.Random):
        """Lots of bills as a person would choose them: mostly small, some large."""
        left = list(self._company.bills)
        sizes = [1, 1, 2, 3, 5, 8, 12, 20, 30, 60]
        if len(left) > 2000:
            sizes += [80, 100]
        chance.shuffle(left)
        while left:
            size = chance.choice(sizes)
            lot, left = left[:size], left[size:]
            journal = chance.choice(sorted(self._company.found["journals"].values()))
            yield lot, journal, chance.random() < TOGETHER

    def start(self) -> None:
        for name, work in (
            ("anna", self._accountant), ("boris", self._accountant), ("marc", self._manager),
            ("mia", self._manager), ("carla", self._clerk), ("tessa", self._impatient),
        ):
            thread = threading.Thread(target=self._run, args=(name, work), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=120)

    @property
    def busy(self) -> bool:
        """Whether an accountant or a manager is still at work."""
        return any(thread.is_alive() for thread in self._threads[:4])

    @property
    def waiting(self) -> int:
        """Lots that nobody has begun to send."""
        return self._queue.qsize()

    def _run(self, name: str, work: Callable) -> None:
        try:
            work(name, random.Random(f"{name} {self._seed}"))  # noqa: S311
        except Exception as error:
            with self.deeds.lock:
                self.deeds.faults.append(f"{name} gave up: {type(error).__name__}: {error}")

    def _ask(self, name: str, chance: random.Random, work: Callable[[Person], object]):
        """Do something at one of the servers; again, at another, while none answers."""
        for _try in range(TRIES):
            if self._stop.is_set():
                return None
            try:
                return work(self._company.person(name, chance.randrange(100)))
            except Refusal as refusal:
                if not _passing(str(refusal)):
                    raise
            except (DemoError, requests.RequestException):
                pass
            self.deeds.count("no answer, tried again")
            time.sleep(chance.uniform(0.2, 1.5))
        raise DemoError("Odoo did not answer for a long time.")

    # Accountants ---------------------------------------------------------------------------------

    def _accountant(self, name: str, chance: random.Random) -> None:
        other = self._pair["boris" if name == "anna" else "anna"]
        while not self._stop.is_set():
            try:
                lot, journal, together = self._pair[name].get_nowait()
            except queue.Empty:
                try:
                    lot, journal, together = self._queue.get_nowait()
                except queue.Empty:
                    break
                if together:
                    other.put((lot, journal, False))
            self._send(name, chance, lot, journal)
        if self._queue.empty():
            self._sent.set()

    def _send(self, name: str, chance: random.Random, bills: list[int], journal: int) -> None:
        for _try in range(TRIES):
            if self._stop.is_set():
                return
            try:
                done = self._ask(name, chance, lambda person: self._wizard(person, bills, journal))
            except Refusal as refusal:
                self.deeds.count(f"send refused: {_kind(str(refusal))}")
                time.sleep(chance.uniform(0.05, 0.4))
                continue
            self.deeds.count("lots sent" if done else "lots found sent or paid already")
            return

    def _wizard(self, person: Person, bills: list[int], journal: int) -> bool:
        """Open the wizard, leave out what has a problem, send; False if nothing is left."""
        wizard = person.call("account.move", "action_send_to_bank", bills)["res_id"]
        person.write("bank.send.wizard", [wizard],
                     {"execution_date": str(self._day), "journal_id": journal})
        lines = person.search("bank.send.wizard.line", [["wizard_id", "=", wizard]],
                              ["problem", "selected"])
        bad = [line["id"] for line in lines if line["problem"]]
        if bad:
            person.write("bank.send.wizard.line", bad, {"selected": False})
        if len(bad) == len(lines):
            return False
        person.call("bank.send.wizard", "action_send", [wizard])
        return True

    # Managers ------------------------------------------------------------------------------------

    def _manager(self, name: str, chance: random.Random) -> None:
        empty = 0
        while not self._stop.is_set() and empty < 3:
            waiting = self._ask(name, chance, lambda person: person.search(
                "bank.payment.batch", [["state", "=", "to_approve"]], ["id"], limit=3,
                order="id"))
            if not waiting:
                empty += 1 if self._sent.is_set() else 0
                time.sleep(1)
                continue
            empty = 0
            try:
                self._ask(name, chance, self._confirm_accounts)
            except Refusal as refusal:  # the other manager was faster
                self.deeds.count(f"account refused: {_kind(str(refusal))}")
            batch = waiting[0]["id"]  # the first: the other manager takes the same
            try:
                done = self._ask(name, chance, lambda person, batch=batch: person.call(
                    "bank.payment.batch", "action_approve", [batch]) or True)
            except Refusal as refusal:
                self.deeds.count(f"approval refused: {_kind(str(refusal))}")
                continue
            if done:
                self.deeds.count("approvals")
                with self.deeds.lock:
                    self.deeds.approved.add(batch)

    @staticmethod
    def _confirm_accounts(person: Person) -> bool:
        """What the bank sent back put accounts on hold; the manager knows that they are right."""
        pending = person.search("bank.account.change",
                                [["state", "=", "pending"], ["own", "=", False]], ["id"])
        if pending:
            person.call("bank.account.change", "action_confirm", [row["id"] for row in pending],
                        method="call", note="The payee says that the account is right.")
        return True

    # The others ----------------------------------------------------------------------------------

    def _clerk(self, name: str, chance: random.Random) -> None:
        """Pays bills by Odoo's own wizard, whether they are on their way or not."""
        tries = int(len(self._company.bills) * PAID_BY_HAND)
        for _number in range(tries):
            if self._stop.is_set() or self._sent.is_set():
                return
            bill = chance.choice(self._company.bills)
            try:
                self._ask(name, chance, lambda person, bill=bill: self._register(person, bill))
                self.deeds.count("bills paid by hand")
            except Refusal as refusal:
                self.deeds.count(f"by hand refused: {_kind(str(refusal))}")
            time.sleep(chance.uniform(0.1, 1.0))

    def _register(self, person: Person, bill: int) -> None:
        context = {"active_model": "account.move", "active_ids": [bill]}
        journal = self._company.found["cash"]
        made = person.call("account.payment.register", "create", context=context,
                           vals_list=[{"journal_id": journal}])
        person.call("account.payment.register", "action_create_payments", made, context=context)

    def _impatient(self, name: str, chance: random.Random) -> None:
        """Presses “now”, asks the bank about everything uncertain, processes again."""
        connection = [self._company.found["connection"]]
        while not self._stop.is_set():
            button = chance.choice(("action_fetch_now", "action_send_now", "action_process_now",
                                    "action_fetch_now", "ask", "again", "action_test"))
            try:
                self._ask(name, chance, lambda person, button=button: self._press(
                    person, button, connection))
            except Refusal as refusal:
                self.deeds.count(f"button refused: {_kind(str(refusal))}")
            time.sleep(chance.uniform(0.5, 2))

    @staticmethod
    def _press(person: Person, button: str, connection: list[int]) -> None:
        if button in ("ask", "again"):
            states, action = {"ask": (["uncertain", "delivered"], "action_ask_bank"),
                              "again": (["quarantined"], "action_process_again")}[button]
            found = person.search("bank.message", [["state", "in", states]], ["id"], limit=40,
                                  order="state desc, id desc")
            if found:
                person.call("bank.message", action, [row["id"] for row in found])
            return
        person.call("bank.connection", button, connection)


def _passing(text: str) -> bool:
    """Whether Odoo speaks of its database, which was just killed, and not of the request."""
    return any(word in text for word in (
        "server closed the connection", "terminating connection", "could not connect",
        "connection to server", "the database system is", "cursor already closed",
        "connection already closed", "could not serialize", "deadlock detected",
        "connection pointer is NULL", "SSL SYSCALL",
    ))


def _kind(text: str) -> str:
    """The beginning of a refusal, without numbers, to count it."""
    words = text.split(": ", 1)[-1].splitlines()[0]
    return "".join("#" if char.isdigit() else char for char in words)[:70]
