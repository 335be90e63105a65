"""Mistakes that the desk has ordered, and the bank makes when their time comes.

What is asked for while the bank works (``take``) is apart from what makes mistakes at once
(``irregular.py``), which needs everything that the bank can do.
"""

from __future__ import annotations

import sqlite3

from . import clock


def order(connection: sqlite3.Connection, kind: str, ref: str, value: int = 0) -> int:
    """Order a mistake of a kind about an account or a payment; returns its number."""
    return connection.execute(
        "INSERT INTO mistake (kind, ref, value, ordered_at) VALUES (?, ?, ?, ?)",
        (kind, ref, value, clock.stamp(clock.now(connection)))).lastrowid


def take(connection: sqlite3.Connection, kind: str, ref: str) -> sqlite3.Row | None:
    """The mistake to make now, if one was ordered; it is made once."""
    row = connection.execute(
        "SELECT * FROM mistake WHERE kind = ? AND ref = ? AND done_at IS NULL ORDER BY id",
        (kind, ref)).fetchone()
    if row:
        connection.execute("UPDATE mistake SET done_at = ? WHERE id = ?",
                           (clock.stamp(clock.now(connection)), row["id"]))
    return row
