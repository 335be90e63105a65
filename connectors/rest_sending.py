"""The part of a REST profile that says how payments are sent and recalled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .bodies import DOCUMENT_FIELDS, Body, read_body
from .interface import Document
from .keys import CERTIFICATE_FIELDS
from .profile_reader import OWN, Reader
from .rest_answers import pick_text
from .templates import FIELD, fields_in

_STATUS = re.compile(r"[2345]xx")
_STEP = re.compile(r"[a-z][a-z_0-9]*")
_MEANINGS = (
    "delivered",  # the bank has it
    "duplicate",  # the bank says it already had it, which is the same
    "refused",  # the bank will not act on it
    "not_sent",  # the bank took nothing of it
    "in_flight",  # the bank is still working on the first attempt
    "key_conflict",  # the bank knows other content under this key
    "uncertain",
)
_CANCEL_MEANINGS = (*_MEANINGS, "cancelled")  # the payments are cancelled, for good
_STEP_MEANINGS = (
    "done",
    "refused",  # the bank will not act on it
    "not_sent",  # try again later
)


@dataclass(frozen=True)
class Rule:
    """Answers of one HTTP status (and, where given, bank code or header), and their meaning."""

    status: int | str  # 201, or "4xx"
    means: str
    codes: tuple[str, ...] = ()
    needs_header: str | None = None
    where: Mapping[str, tuple[str, ...]] | None = None  # path into the answer → one of texts

    @classmethod
    def read(cls, reader: Reader, meanings: tuple[str, ...] = _MEANINGS) -> Rule:
        status = reader.data.pop("status", None)
        known = isinstance(status, int) and 200 <= status <= 599
        if isinstance(status, bool) or not (known or _STATUS.fullmatch(str(status))):
            raise reader.wrong("status", 'must be an HTTP status such as 201 or "4xx"')
        means = reader.choice("means", meanings)
        good = str(status)[0] == "2"
        if (means in ("delivered", "cancelled") and not good) or (
            means in ("refused", "not_sent") and good and meanings is not _STEP_MEANINGS
        ):
            raise reader.wrong("means", f"cannot be {means} for status {status}")
        where = None
        if inner := reader.sub("where", None):
            where = {name: inner.strings(name) for name in sorted(inner.data)}
        rule = cls(
            status,
            means,
            reader.strings("codes"),
            reader.take("needs_header", str, None),
            where,
        )
        reader.end()
        return rule

    def matches(
        self, status: int, codes: set[str], headers: Mapping[str, str], data: Any = None
    ) -> bool:
        wanted = self.status == status or self.status == f"{status // 100}xx"
        return (
            wanted
            and (not self.codes or not codes.isdisjoint(self.codes))
            and (not self.needs_header or self.needs_header in headers)
            and all(pick_text(data, path) in texts for path, texts in (self.where or {}).items())
        )


@dataclass(frozen=True)
class Product:
    """A product of the bank, and the payments it is for; ``None`` matches all."""

    product: str
    message: str | None = None  # beginning of the message name
    service_level: str | None = None
    instant: bool | None = None

    def suits(self, document: Document) -> bool:
        return (
            (self.message is None or document.message_name.startswith(self.message))
            and (self.service_level is None or self.service_level == document.service_level)
            and (self.instant is None or self.instant == document.instant)
        )


@dataclass(frozen=True)
class Key:
    header: str
    format: str  # "uuid", "hex" (a UUID without hyphens) or "text"
    window: timedelta | None  # how long the bank promises to recognise a key
    echo: str  # of the request's id: "required", "checked" where present, or "ignored"
    request_id: str  # the header with the request's id

    @classmethod
    def read(cls, reader: Reader) -> Key:
        hours = reader.data.pop("window_hours", None)
        if hours is not None and (
            isinstance(hours, bool) or not isinstance(hours, int) or hours <= 0
        ):
            raise reader.wrong("window_hours", "must be a positive number of hours")
        key = cls(
            header=reader.take("header", str),
            format=reader.choice("format", {"uuid", "hex", "text"}, "uuid"),
            window=timedelta(hours=hours) if hours else None,
            echo=reader.choice("echo", {"required", "checked", "ignored"}, "checked"),
            request_id=reader.take("request_id", str, "X-Request-ID"),
        )
        reader.end()
        return key


@dataclass(frozen=True)
class Step:
    """A request before the order: nothing is executed until the order itself."""

    name: str
    method: str
    path: str
    accept: str
    body: Body | None
    headers: Mapping[str, str]
    gives: Mapping[str, str]  # name of a field → where its value is in the answer
    answers: tuple[Rule, ...]

    @classmethod
    def read(cls, reader: Reader, known: set[str]) -> Step:
        """:param known: fields that earlier steps give"""
        method = reader.choice("method", {"GET", "POST", "PUT"}, "POST")
        step = cls(
            name=reader.take("name", str),
            method=method,
            path=reader.path("path", set(), {"service", "product", "key", "key_hex"}),
            accept=reader.take("accept", str, "application/json"),
            body=None if method == "GET" else read_body(reader),
            headers=reader.texts("headers", {}),
            gives=reader.texts("gives", {}),
            answers=tuple(Rule.read(item, _STEP_MEANINGS) for item in reader.items("answers")),
        )
        if not _STEP.fullmatch(step.name):
            raise reader.wrong("name", "must be small letters, digits and underscores")
        taken = OWN | DOCUMENT_FIELDS | CERTIFICATE_FIELDS | known
        for name in step.gives:
            if name in taken or not _STEP.fullmatch(name):
                raise reader.wrong("gives", f"cannot give {name}, which has another meaning")
        reader.end()
        return step

    def variables(self) -> set[str]:
        named = fields_in([self.path, dict(self.headers)]) - DOCUMENT_FIELDS
        return named | (self.body.variables() if self.body else set())


@dataclass(frozen=True)
class Submit:
    method: str
    path: str
    body: Body
    accept: str
    headers: Mapping[str, str]
    messages: tuple[str, ...]  # empty: any
    services: Mapping[str, str]  # "single" and "batch" → path part
    products: tuple[Product, ...]
    fields: Mapping[str, str]  # payment_id, status; "header:X" reads a header of the answer
    answers: tuple[Rule, ...]
    steps: tuple[Step, ...]

    @property
    def given(self) -> set[str]:
        """The fields that the steps give."""
        return {name for step in self.steps for name in step.gives}

    @classmethod
    def read(cls, reader: Reader, *, by_key: bool) -> Submit:
        """:param by_key: the bank is asked by our key, so its own number is not needed"""
        steps: list[Step] = []
        for item in reader.items("steps", []):
            known = {name for step in steps for name in step.gives}
            steps.append(Step.read(item, known))
            if steps[-1].name in {step.name for step in steps[:-1]}:
                raise item.wrong("name", "is used twice")
        submit = cls(
            method=reader.choice("method", {"POST", "PUT"}, "POST"),
            path=reader.path("path", set(), {"service", "product", "key", "key_hex"}),
            body=read_body(reader),
            accept=reader.take("accept", str, "application/json"),
            headers=reader.texts("headers", {}),
            messages=reader.strings("messages"),
            services=reader.texts("services", {}),
            products=tuple(_product(item) for item in reader.items("products", [])),
            fields=fields(reader, set() if by_key else {"payment_id"}),
            answers=tuple(Rule.read(item) for item in reader.items("answers")),
            steps=tuple(steps),
        )
        reader.end()
        return submit

    def variables(self) -> set[str]:
        named = fields_in([self.path, dict(self.headers)]) - DOCUMENT_FIELDS
        named |= self.body.variables()
        for step in self.steps:
            named |= step.variables()
        return named - self.given


def _product(reader: Reader) -> Product:
    product = Product(
        reader.take("product", str),
        reader.take("message", str, None),
        reader.take("service_level", str, None),
        reader.take("instant", bool, None),
    )
    reader.end()
    return product


@dataclass(frozen=True)
class Cancel:
    """How payments that the bank has are recalled."""

    method: str
    path: str
    body: Body | None  # how the cancellation request is wrapped; None: the request has no body
    accept: str
    fields: Mapping[str, str]
    answers: tuple[Rule, ...]

    @classmethod
    def read(cls, reader: Reader | None) -> Cancel | None:
        if reader is None:
            return None
        method = reader.choice("method", {"DELETE", "POST", "PUT"}, "DELETE")
        rules = reader.items("answers")
        cancel = cls(
            method=method,
            path=reader.path("path", set(), {"service", "product", "payment_id"}),
            # Only a resource that is deleted says by its address alone what is to be cancelled.
            body=None if method == "DELETE" else read_body(reader),
            accept=reader.take("accept", str, "application/json"),
            fields=fields(reader, set()),
            answers=tuple(Rule.read(item, _CANCEL_MEANINGS) for item in rules),
        )
        if method == "DELETE" and "payment_id" not in FIELD.findall(cancel.path):
            raise reader.wrong("path", "must hold {payment_id}")
        reader.end()
        return cancel

    def variables(self) -> set[str]:
        return fields_in(self.path) | (self.body.variables() if self.body else set())


def fields(reader: Reader, needed: set[str]) -> dict[str, str]:
    """Take ``fields``: names of ours → where the value is in the bank's answer."""
    found = reader.texts("fields", {})
    if missing := needed - set(found):
        raise reader.wrong("fields", f"must name {', '.join(sorted(missing))}")
    return found
