"""A bank's channel that answers as a test tells it to, and keeps what it was sent."""

import contextlib
import json
from datetime import datetime, timezone
from itertools import count

from odoo.addons.account_bank_connect.connectors.interface import (
    Connector,
    Health,
    Receipt,
    RemoteDocument,
)


class PowerCut(BaseException):
    """The server dies in the middle of a call: nothing after it is done."""


def receipt(key, status="RCVD", **values):
    """The bank has the message."""
    return Receipt(
        key=key,
        status=status,
        bank_reference={"paymentId": f"P-{key}"},
        content=json.dumps({"transactionStatus": status, "paymentId": f"P-{key}"}).encode(),
        content_type="application/json",
        received_at=datetime.now(timezone.utc),
        **values,
    )


class ScriptedConnector(Connector):
    """Each call takes the next answer of its script; without one, the bank takes everything.

    :ivar on_submit: outcomes for ``submit``: an exception is raised, a callable is called with
        document and key, anything else returned
    :ivar on_inquire: the same for ``inquire``
    :ivar submitted: (key, bytes) of every call of ``submit``
    :ivar waiting: number at the bank → bytes, or an exception that fetching it raises
    :ivar acknowledged: numbers that were acknowledged
    """

    def __init__(self):
        self.on_submit, self.on_inquire = [], []
        self.submitted, self.inquired = [], []
        self.waiting, self.acknowledged = {}, []
        self._numbers = count(1)

    def put(self, *documents):
        """Lay documents (bytes, or an exception for a broken one) out to be fetched."""
        numbers = [f"D{next(self._numbers)}" for _document in documents]
        self.waiting.update(zip(numbers, documents, strict=True))
        return numbers

    def check(self):
        return Health()

    def submit(self, document, key):
        self.submitted.append((key, document.content))
        return self._play(self.on_submit, document, key, otherwise=lambda: receipt(key))

    def inquire(self, key, document):
        self.inquired.append(key)
        return self._play(self.on_inquire, document, key, otherwise=lambda: receipt(key))

    def list(self, kinds, since=None):
        return [
            RemoteDocument(id=number, kind="camt.053", name=f"{number}.xml")
            for number in self.waiting
            if number not in self.acknowledged
        ]

    def fetch(self, remote):
        content = self.waiting[remote.id]
        if isinstance(content, BaseException):
            raise content
        return content

    def acknowledge(self, remote):
        self.acknowledged.append(remote.id)

    def _play(self, script, document, key, otherwise):
        if not script:
            return otherwise()
        answer = script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer(document, key) if callable(answer) else answer

    @contextlib.contextmanager
    def opened(self):
        """Stands in for ``bank.connection._connector``."""
        yield self
