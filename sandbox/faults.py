"""The fault plan: what goes wrong on the way of a request or a document, on purpose.

A rule is a JSON object. When it applies:

- ``point``: one of ``fault_kinds.POINTS``;
- ``method``, ``path`` (regular expression), ``request_id``, ``message_id`` (of the pain.001),
  ``document`` (such as ``pain.002``; at the point ``issue``): each optional, all must match;
- ``nth`` (only the n-th match), ``times`` (at most so often), ``probability`` (0 to 1, decided by
  ``seed`` and the count of matches: the same in every run).

What it does is its ``action``, see ``fault_kinds.ACTIONS``, with ``status``, ``retry_after``,
``seconds`` or ``bytes`` where the action takes one.

A rule with ``plan`` instead of point and action is a plan by seed: ``{"plan": {"late": 0.01,
"busy": {"probability": 0.05, "retry_after": 2}}, "seed": 7, "times": 1000}``. Its names are those
of ``fault_kinds.KINDS``, or ``all``. At each point of each request at most one of them is drawn.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sqlite3
import threading
from dataclasses import dataclass

from .fault_kinds import ACTIONS, FIELDS, KINDS, POINTS
from .store import Store


@dataclass(frozen=True)
class Facts:
    """What is known of a request, or of a document, at a point."""

    method: str = ""
    path: str = ""
    request_id: str = ""
    message_id: str | None = None
    document: str = ""


def validate(rule: object) -> dict:
    """Check a rule.

    :raises ValueError: what is wrong with it.
    """
    if not isinstance(rule, dict):
        raise ValueError("a fault rule is a JSON object")
    for name, value in rule.items():
        if name not in FIELDS:
            raise ValueError(f"unknown field {name!r}; there are {', '.join(FIELDS)}")
        if not isinstance(value, FIELDS[name]) or isinstance(value, bool):
            raise ValueError(f"{name}: wrong type")
    if "plan" in rule:
        _validate_plan(rule)
        return rule
    if rule.get("point") not in POINTS:
        raise ValueError(f"point must be one of {', '.join(POINTS)}")
    actions = ACTIONS[rule["point"]]
    if rule.get("action") not in actions:
        raise ValueError(f"at {rule['point']}, action must be one of {', '.join(actions)}")
    if not 400 <= rule.get("status", 500) <= 599:
        raise ValueError("status must be from 400 to 599")
    try:
        re.compile(rule.get("path", ""))
    except re.error as error:
        raise ValueError(f"path: {error}") from error
    return rule


def _validate_plan(rule: dict) -> None:
    if set(rule) - {"plan", "seed", "times"}:
        raise ValueError("a plan has plan, seed and times, nothing else")
    for name, given in rule["plan"].items():
        if name != "all" and name not in KINDS:
            raise ValueError(f"plan: unknown kind {name!r}; there are all, {', '.join(KINDS)}")
        more = given if isinstance(given, dict) else {"probability": given}
        if set(more) - {"probability", "status", "seconds", "retry_after", "bytes"}:
            raise ValueError(f"plan: {name} takes probability, status, seconds, retry_after, bytes")
        chance = more.get("probability")
        if not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise ValueError(f"plan: the probability of {name} must be from 0 to 1")


def drawn(rule: dict, point: str, facts: Facts, number: int) -> dict | None:
    """What a plan by seed does at a point: a rule, or None.

    :param number: which match at this point this is: the same number, the same result.
    """
    mark = random.Random(f"{rule.get('seed', 0)}:{point}:{number}").random()  # noqa: S311
    given = rule["plan"]
    for name, kind in KINDS.items():
        more = given.get(name, given.get("all"))
        if more is None or kind["point"] != point or not _matches(kind, facts):
            continue
        more = more if isinstance(more, dict) else {"probability": more}
        mark -= more["probability"]
        if mark < 0:
            return {**kind, **more, "name": name, "id": rule["id"]}
    return None


def _matches(rule: dict, facts: Facts) -> bool:
    return (rule.get("method", facts.method) == facts.method
            and rule.get("request_id", facts.request_id) == facts.request_id
            and rule.get("message_id", facts.message_id) == facts.message_id
            and rule.get("document", facts.document) == facts.document
            and re.search(rule.get("path", ""), facts.path) is not None)


def _fires(rule: dict) -> bool:
    if "nth" in rule and rule["seen"] != rule["nth"]:
        return False
    if "probability" in rule:
        chance = random.Random(f"{rule.get('seed', 0)}:{rule['id']}:{rule['seen']}")  # noqa: S311
        return chance.random() < rule["probability"]
    return True


def _rules(connection: sqlite3.Connection) -> list[dict]:
    return [{"id": row["id"], **json.loads(row["rule"]), "seen": row["seen"],
             "fired": row["fired"]}
            for row in connection.execute("SELECT * FROM fault ORDER BY id")]


def _choose(rules: list[dict], point: str, facts: Facts,
            number: int) -> tuple[list[dict], list[dict]]:
    """The rules that were seen, and what fires, at a point."""
    seen, fired = [], []
    for rule in rules:
        spent = rule["fired"] >= rule.get("times", rule["fired"] + 1)
        if "plan" in rule:
            found = None if spent else drawn(rule, point, facts, number)
            if found:
                seen.append(rule)
                fired.append(found)
        elif rule["point"] == point and _matches(rule, facts):
            rule["seen"] += 1
            seen.append(rule)
            if not spent and _fires(rule):
                fired.append({"name": rule["action"], **rule})
    return seen, fired


def _note(connection: sqlite3.Connection, seen: list[dict], fired: list[dict]) -> None:
    ids = [rule["id"] for rule in fired]
    for rule in seen:
        connection.execute("UPDATE fault SET seen = seen + 1, fired = fired + ? WHERE id = ?",
                           (ids.count(rule["id"]), rule["id"]))
    for rule in fired:
        connection.execute(
            "INSERT INTO fault_count (name, number) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET number = number + 1", (rule["name"],))


def for_document(connection: sqlite3.Connection, kind: str, number: int,
                 without: set[str]) -> list[dict]:
    """What happens to a document at its issue, within the transaction that issues it.

    :param kind: such as ``pain.002``.
    :param number: how many documents were issued before.
    :param without: actions that make no sense for it.
    """
    seen, fired = _choose(_rules(connection), "issue", Facts(document=kind), number)
    fired = [rule for rule in fired if rule["action"] not in without]
    _note(connection, seen, fired)
    return fired


class FaultPlan:
    """The rules in force. They are kept in the database and survive a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._any: bool | None = None
        self._first = 0
        self._numbers = itertools.count()

    def add(self, rule: object) -> int:
        """Put a rule in force and return its id.

        :raises ValueError: the rule is wrong.
        """
        text = json.dumps(validate(rule))
        with self.store.write() as connection:
            number = connection.execute("INSERT INTO fault (rule) VALUES (?)", (text,)).lastrowid
        self._any = True
        return number

    def list(self) -> list[dict]:
        """All rules with ``id``, ``seen`` (matches; of a plan, what was drawn) and ``fired``."""
        return _rules(self.store.read())

    def counts(self) -> dict[str, int]:
        """How often each kind of fault happened, ever: a plan's names, or a rule's action."""
        return {row["name"]: row["number"] for row in self.store.read().execute(
            "SELECT name, number FROM fault_count ORDER BY name")}

    def clear(self, number: int | None = None) -> None:
        """Take one rule or all out of force; the counts stay."""
        with self.store.write() as connection:
            if number is None:
                connection.execute("DELETE FROM fault")
            else:
                connection.execute("DELETE FROM fault WHERE id = ?", (number,))
        self._any = None

    @property
    def active(self) -> bool:
        """Whether there was any rule when last looked."""
        return bool(self._any)

    def consult(self, point: str, facts: Facts) -> list[dict]:
        """The rules that fire now, in the order in which they were added."""
        if self._any is None:
            # After a restart a plan goes on elsewhere, or it would restart the bank for ever.
            self._first = sum(self.counts().values())
            self._any = bool(self.list())
        if not self._any:
            return []
        with self._lock:
            number = self._first * 1_000_003 + next(self._numbers)
            seen, fired = _choose(self.list(), point, facts, number)
            if seen:
                with self.store.write() as connection:
                    _note(connection, seen, fired)
        return fired
