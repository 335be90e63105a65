"""Odoo's public API (JSON-2, ``POST /json/2/<model>/<method>``), called as one user."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import requests

from .progress import DemoError

# Approving a thousand payments is one request.
TIMEOUT = 900  # seconds
CHUNK = 500  # records per reading request


class Refusal(DemoError):
    """Odoo said no; the text is Odoo's own."""


class Person:
    """A user with a bearer key. Amounts come back as Decimal, never as float."""

    def __init__(self, url: str, name: str, login: str, password: str, key: str):
        self.name = name
        self.login = login
        self.password = password
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # loopback: no proxy
        self._session.headers["Authorization"] = f"bearer {key}"

    def call(
        self, model: str, method: str, ids: Sequence[int] | None = None, /, **arguments: Any
    ):
        """Call a public method on records, or on the model itself without ``ids``.

        :raises Refusal: Odoo refused, with its message
        """
        body = arguments if ids is None else {"ids": list(ids), **arguments}
        try:
            answer = self._session.post(
                f"{self._url}/json/2/{model}/{method}",
                data=json.dumps(body, default=float),
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT,
            )
        except requests.RequestException as error:
            raise DemoError(f"Odoo does not answer {model}.{method}: {error}") from error
        try:
            result = json.loads(answer.text, parse_float=Decimal)
        except ValueError:
            raise DemoError(
                f"Odoo answered {model}.{method} with {answer.status_code}, no JSON."
            ) from None
        if answer.status_code != 200:
            said = result.get("message") if isinstance(result, dict) else result
            raise Refusal(f"Odoo refused {self.name} {model}.{method}: {said}")
        return result

    def create(self, model: str, values: list[dict]) -> list[int]:
        return self.call(model, "create", vals_list=values)

    def write(self, model: str, ids: Sequence[int], values: dict) -> None:
        self.call(model, "write", ids, vals=values)

    def search(self, model: str, domain: list, fields: Iterable[str], **more: Any) -> list[dict]:
        """Records that fit ``domain``, as dicts with ``id`` and ``fields``."""
        return self.call(model, "search_read", domain=domain, fields=list(fields), **more)

    def read(self, model: str, ids: Sequence[int], fields: Iterable[str]) -> list[dict]:
        """Records by id, in that order, however many."""
        names, found = list(fields), []
        for start in range(0, len(ids), CHUNK):
            found += self.call(model, "read", list(ids)[start : start + CHUNK], fields=names)
        return found

    def read_one(self, model: str, record: int, fields: Iterable[str]) -> dict:
        return self.read(model, [record], fields)[0]
