"""The desk of the sandbox bank: its clock and its ledger, over documented HTTP on loopback."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from .progress import DemoError


class Desk:
    """What somebody at the bank's counter could do and see; it never speaks to Odoo."""

    def __init__(self, url: str):
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # loopback: no proxy

    def now(self) -> datetime:
        """The bank's time, UTC."""
        return datetime.fromisoformat(self._ask("GET", "clock")["now"].removesuffix("Z"))

    def catch_up(self) -> None:
        """Wait until the bank has done all that is due now."""
        self._advance({})

    def end_of_day(self) -> date:
        """Go on to the end of this banking day, or of the next; the day it was."""
        self._advance({"end_of_day": True})
        return self.now().date()

    def next_morning(self) -> None:
        """Go on to the opening at 08:00 on the next calendar day."""
        tomorrow = self.now().date() + timedelta(days=1)
        self._advance({"advance_to": f"{tomorrow}T08:00:00"})

    def payments(self, contract: str) -> list[dict]:
        """Every payment of a contract; ``executed`` and ``returned`` are counted in the ledger."""
        return self._ask("GET", "payments", params={"contract": contract})["payments"]

    def executions(self, end_to_end_id: str) -> dict:
        """How often the ledger executed, returned, and how often the bank rejected a payment."""
        return self._ask("GET", f"executions/{end_to_end_id}")

    def ledger(self) -> dict:
        """The trial balance recomputed from the postings; amounts are text."""
        return self._ask("GET", "ledger")

    def choose(self, contract: str, **options: str) -> None:
        """Agree with the bank on options of a contract, such as receipts."""
        self._ask("POST", f"contracts/{contract}/options", json=options)

    def irregular(self, kind: str, **order: str) -> dict:
        """Let the bank do something wrong."""
        return self._ask("POST", "irregularities", json={"kind": kind, **order})

    def credit(self, iban: str, amount: Decimal, *, name: str, remittance: str) -> None:
        """Money comes in on an account."""
        self._ask("POST", "credit", json={
            "iban": iban, "amount": str(amount), "name": name, "remittance": remittance})

    def _advance(self, order: dict) -> None:
        state = self._ask("POST", "clock", json=order)
        if state["failedEvents"]:
            raise DemoError(f"The bank failed at its own work: {state['failedEvents']}")

    def _ask(self, method: str, path: str, **more: Any) -> dict:
        try:
            answer = self._session.request(
                method, f"{self.url}/admin/{path}", timeout=600, **more
            )
        except requests.RequestException as error:
            raise DemoError(f"The bank's desk does not answer: {error}") from error
        if answer.status_code != 200:
            raise DemoError(f"The bank's desk refused {path}: {answer.text[:300]}")
        return json.loads(answer.text, parse_float=Decimal)
