"""The fault plan: what goes wrong on the way of a request, on purpose.

A rule is a JSON object. When it applies:

- ``point``: ``before_read`` (the request's head has arrived), ``before_commit`` (the body has
  arrived, nothing is stored), ``after_commit`` (stored, not answered);
- ``method``, ``path`` (regular expression), ``request_id``, ``message_id`` (of the pain.001):
  each optional, all must match;
- ``nth`` (only the n-th matching request), ``times`` (at most so often), ``probability`` (0 to
  1, decided by ``seed`` and the count of matching requests: the same in every run).

What it does (``action``): ``drop`` (cut the connection), ``error`` (answer ``status``, 500),
``busy`` (429 with ``retry_after`` seconds), ``delay`` (by ``seconds``, then go on),
``truncate`` (half an answer), ``garbage`` (an HTML page with status 200).
"""

from __future__ import annotations

import json
import random
import re
import threading
from dataclasses import dataclass

from .store import Store

POINTS = ("before_read", "before_commit", "after_commit")
ACTIONS = ("drop", "error", "busy", "delay", "truncate", "garbage")
FIELDS = {"point": str, "action": str, "method": str, "path": str, "request_id": str,
          "message_id": str, "nth": int, "times": int, "probability": (int, float), "seed": int,
          "status": int, "seconds": (int, float), "retry_after": int}


@dataclass(frozen=True)
class Facts:
    """What is known of a request at a point."""

    method: str
    path: str
    request_id: str
    message_id: str | None = None


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
    if rule.get("point") not in POINTS:
        raise ValueError(f"point must be one of {', '.join(POINTS)}")
    if rule.get("action") not in ACTIONS:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
    if rule["action"] in ("truncate", "garbage") and rule["point"] != "after_commit":
        raise ValueError(f"{rule['action']} needs the point after_commit")
    if not 400 <= rule.get("status", 500) <= 599:
        raise ValueError("status must be from 400 to 599")
    try:
        re.compile(rule.get("path", ""))
    except re.error as error:
        raise ValueError(f"path: {error}") from error
    return rule


class FaultPlan:
    """The rules in force. They are kept in the database and survive a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._any: bool | None = None

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
        """All rules with ``id``, ``seen`` (matching requests) and ``fired``."""
        return [{"id": row["id"], **json.loads(row["rule"]), "seen": row["seen"],
                 "fired": row["fired"]}
                for row in self.store.read().execute("SELECT * FROM fault ORDER BY id")]

    def clear(self, number: int | None = None) -> None:
        """Take one rule or all out of force."""
        with self.store.write() as connection:
            if number is None:
                connection.execute("DELETE FROM fault")
            else:
                connection.execute("DELETE FROM fault WHERE id = ?", (number,))
        self._any = None

    def consult(self, point: str, facts: Facts) -> list[dict]:
        """The rules that fire now, in the order in which they were added."""
        if self._any is None:
            self._any = bool(self.list())
        if not self._any:
            return []
        fired = []
        with self._lock:
            for rule in self.list():
                if rule["point"] == point and self._matches(rule, facts):
                    rule["seen"] += 1
                    fires = self._fires(rule)
                    with self.store.write() as connection:
                        connection.execute(
                            "UPDATE fault SET seen = seen + 1, fired = fired + ? WHERE id = ?",
                            (int(fires), rule["id"]))
                    if fires:
                        fired.append(rule)
        return fired

    @staticmethod
    def _matches(rule: dict, facts: Facts) -> bool:
        return (rule.get("method", facts.method) == facts.method
                and rule.get("request_id", facts.request_id) == facts.request_id
                and rule.get("message_id", facts.message_id) == facts.message_id
                and re.search(rule.get("path", ""), facts.path) is not None)

    @staticmethod
    def _fires(rule: dict) -> bool:
        if "times" in rule and rule["fired"] >= rule["times"]:
            return False
        if "nth" in rule and rule["seen"] != rule["nth"]:
            return False
        if "probability" in rule:
            chance = random.Random(f"{rule.get('seed', 0)}:{rule['id']}:{rule['seen']}")  # noqa: S311
            return chance.random() < rule["probability"]
        return True
