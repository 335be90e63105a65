"""What a contract has otherwise than the bank's standard.

``receipts``: ``pdf`` gives a receipt for each executed payment. ``statements``: ``mt940`` gives
MT940 at the end of the day and MT942 at noon, instead of camt.053 and camt.052.
"""

from __future__ import annotations

import sqlite3

CHOICES = {"receipts": ("none", "pdf"), "statements": ("camt", "mt940")}


def choose(connection: sqlite3.Connection, contract_id: str, wanted: dict) -> dict:
    """Agree on options, and return all of the contract's.

    :raises ValueError: there is no such contract, option or choice.
    """
    if not connection.execute("SELECT 1 FROM contract WHERE id = ?", (contract_id,)).fetchone():
        raise ValueError(f"there is no contract {contract_id}")
    for name, value in wanted.items():
        if value not in CHOICES.get(name, ()):
            known = "; ".join(f"{key}: {' or '.join(values)}" for key, values in CHOICES.items())
            raise ValueError(f"{name} {value!r} can't be chosen ({known})")
        connection.execute(
            "INSERT INTO contract_option (contract_id, name, value) VALUES (?, ?, ?)"
            " ON CONFLICT (contract_id, name) DO UPDATE SET value = excluded.value",
            (contract_id, name, value))
    return {name: chosen(connection, contract_id, name) for name in CHOICES}


def chosen(connection: sqlite3.Connection, contract_id: str, name: str) -> str:
    """What a contract has; the first of the choices where nothing was agreed."""
    row = connection.execute(
        "SELECT value FROM contract_option WHERE contract_id = ? AND name = ?",
        (contract_id, name)).fetchone()
    return row["value"] if row else CHOICES[name][0]
