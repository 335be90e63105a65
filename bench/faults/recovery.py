"""The faults end; what was interrupted finishes; the bank's days go by."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from support.demo.api import Refusal
from support.demo.progress import DemoError

from .company import Company
from .stage import Stage

KINDS = ("pain.002", "camt.054", "camt.053")  # what the connection's profile fetches
DAYS = 2  # ends of day: what is slow or comes back does so on the next banking day

_WAITING = """
SELECT direction || ' ' || state, count(*) FROM bank_message
 WHERE state IN ('queued', 'sending', 'uncertain', 'stored') GROUP BY 1
 UNION ALL
SELECT 'batch ' || state, count(*) FROM bank_payment_batch
 WHERE state IN ('draft', 'approved', 'sending', 'uncertain') GROUP BY 1
"""


class Recovery:
    def __init__(self, stage: Stage, company: Company, within: float) -> None:
        self._stage = stage
        self._company = company
        self._within = within
        self.left: dict[str, int] = {}  # what still waited when the time was over

    def faults_off(self) -> dict[str, int]:
        """End the fault plan and see that everything runs; how often each fault happened."""
        self._stage.mend_bank()
        desk = self._stage.desk.url
        counts = requests.get(f"{desk}/admin/faults/counts", timeout=60).json()["kinds"]
        requests.delete(f"{desk}/admin/faults", timeout=60).raise_for_status()
        self._stage.mend_servers()
        return counts

    def run(self) -> None:
        """Until nothing waits; then to the end of the bank's day, several times."""
        self._until(dict)
        self._stage.desk.catch_up()
        self._until(self._unread)
        for _day in range(DAYS):
            self._stage.desk.end_of_day()
            self._until(self._unread)

    def _until(self, more: Callable[[], dict[str, int]]) -> None:
        deadline = time.monotonic() + self._within
        while True:
            self.left = dict(self._stage.rows(_WAITING)) | more()
            if not self.left or time.monotonic() > deadline:
                return
            self._nudge()
            time.sleep(1)

    def _unread(self) -> dict[str, int]:
        """Documents that the bank has issued and Odoo has not acknowledged."""
        answer = requests.get(f"{self._stage.desk.url}/admin/documents", timeout=120).json()
        count = sum(item["kind"] in KINDS and not item["acknowledged"]
                    for item in answer["documents"])
        return {"documents at the bank": count} if count else {}

    def _nudge(self) -> None:
        """Press the buttons that a person would, instead of waiting for the schedule."""
        tessa = self._company.person("tessa", 0)
        connection = [self._company.found["connection"]]
        try:
            for button in ("action_send_now", "action_fetch_now", "action_process_now"):
                tessa.call("bank.connection", button, connection)
            stuck = tessa.search("bank.message", [["state", "=", "quarantined"]], ["id"])
            if stuck:
                tessa.call("bank.message", "action_process_again", [row["id"] for row in stuck])
        except (Refusal, DemoError):
            return
