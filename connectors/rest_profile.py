"""What distinguishes one bank's REST API from the next, as data.

A profile is plain JSON (see ``profiles/``).  Everything in it is checked when it is loaded, and
an error names the key, so that a mistake shows in the settings and not in the middle of a payment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from .bodies import BODIES
from .interface import Document
from .profile_reader import FIELD, OWN, Reader

_STATUS = re.compile(r"[2345]xx")
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


@dataclass(frozen=True)
class Rule:
    """Answers of one HTTP status (and, where given, bank code or header), and their meaning."""

    status: int | str  # 201, or "4xx"
    means: str
    codes: tuple[str, ...] = ()
    needs_header: str | None = None

    @classmethod
    def read(cls, reader: Reader, meanings: tuple[str, ...] = _MEANINGS) -> Rule:
        status = reader.data.pop("status", None)
        known = isinstance(status, int) and 200 <= status <= 599
        if isinstance(status, bool) or not (known or _STATUS.fullmatch(str(status))):
            raise reader.wrong("status", 'must be an HTTP status such as 201 or "4xx"')
        means = reader.choice("means", meanings)
        good = str(status)[0] == "2"
        if (means in ("delivered", "cancelled") and not good) or (
            means in ("refused", "not_sent") and good
        ):
            raise reader.wrong("means", f"cannot be {means} for status {status}")
        rule = cls(status, means, reader.strings("codes"), reader.take("needs_header", str, None))
        reader.end()
        return rule

    def matches(self, status: int, codes: set[str], headers: Mapping[str, str]) -> bool:
        wanted = self.status == status or self.status == f"{status // 100}xx"
        return (
            wanted
            and (not self.codes or not codes.isdisjoint(self.codes))
            and (not self.needs_header or self.needs_header in headers)
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
    format: str  # "uuid" or "text"
    window: timedelta | None  # how long the bank promises to recognise a key
    echo: str  # of X-Request-ID: "required", "checked" where present, or "ignored"


@dataclass(frozen=True)
class Submit:
    path: str
    body: str
    accept: str
    messages: tuple[str, ...]  # empty: any
    services: Mapping[str, str]  # "single" and "batch" → path part
    products: tuple[Product, ...]
    fields: Mapping[str, str]
    answers: tuple[Rule, ...]


@dataclass(frozen=True)
class Cancel:
    """How payments that the bank has are recalled."""

    method: str
    path: str
    body: str | None  # how the cancellation request is wrapped; None: the request has no body
    accept: str
    fields: Mapping[str, str]
    answers: tuple[Rule, ...]


@dataclass(frozen=True)
class Ask:
    """A read by path: the status of a payment, or what is known under a key."""

    path: str
    accept: str
    fields: Mapping[str, str]
    unknown_status: int = 404
    unknown_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mailbox:
    """Documents that the bank lists, hands out and is told the receipt of."""

    list_path: str
    query: Mapping[str, str]
    items: str
    next: str | None
    fields: Mapping[str, str]
    fetch_path: str
    fetch_accept: str
    acknowledge_path: str | None
    acknowledge_method: str


@dataclass(frozen=True)
class Statements:
    """Statements read per account and period, for banks without a mailbox."""

    path: str
    query: Mapping[str, str]
    kinds: Mapping[str, str]  # document kind → media type to ask for
    days: int  # how far back without a `since`


@dataclass(frozen=True)
class RestProfile:
    """One bank's REST API."""

    name: str
    title: str
    headers: Mapping[str, str]
    read_headers: Mapping[str, str]
    defaults: Mapping[str, str]
    key: Key
    submit: Submit
    cancel: Cancel | None
    status: Ask | None
    inquiry: Ask | None
    mailbox: Mailbox | None
    statements: Statements | None
    check_path: str
    max_bytes: int | None
    max_answer_bytes: int
    per_minute: int | None  # for the caller to honour

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RestProfile:
        """Read a profile.

        :raises SettingsError: ``profile``; the text names the key
        """
        top = Reader(data)
        top.choice("protocol", {"rest"}, "rest")
        check = top.sub("check")
        limits = top.sub("limits", {})
        profile = cls(
            name=top.take("name", str),
            title=top.take("title", str, ""),
            headers=top.texts("headers", {}),
            read_headers=top.texts("read_headers", {}),
            defaults=top.texts("defaults", {}),
            key=_key(top.sub("key")),
            submit=_submit(top.sub("submit")),
            cancel=_cancel(top.sub("cancel", None)),
            status=_ask(top.sub("status", None), {"payment_id"}, {"status"}),
            inquiry=_ask(top.sub("inquiry", None), {"key"}, {"payment_id"}),
            mailbox=_mailbox(top.sub("documents", None)),
            statements=_statements(top.sub("statements", None)),
            check_path=check.path("path", set()),
            max_bytes=limits.take("bytes", int, None),
            max_answer_bytes=limits.take("answer_bytes", int, 64 * 1024 * 1024),
            per_minute=limits.take("per_minute", int, None),
        )
        for reader in (check, limits, top):
            reader.end()
        return profile

    @property
    def can_recall(self) -> bool:
        """Whether the bank takes recalls over this channel."""
        return self.cancel is not None

    def variables(self) -> set[str]:
        """Return the names of the variables that headers and paths need."""
        texts = [*self.headers.values(), *self.read_headers.values()]
        texts += [self.submit.path, self.check_path]
        parts = (self.cancel, self.status, self.inquiry, self.statements)
        texts += [part.path for part in parts if part]
        if box := self.mailbox:
            texts += [box.list_path, box.fetch_path, box.acknowledge_path or ""]
        return {name for text in texts for name in FIELD.findall(text)} - OWN


def _key(reader: Reader) -> Key:
    hours = reader.data.pop("window_hours", None)
    if hours is not None and (isinstance(hours, bool) or not isinstance(hours, int) or hours <= 0):
        raise reader.wrong("window_hours", "must be a positive number of hours")
    key = Key(
        header=reader.take("header", str),
        format=reader.choice("format", {"uuid", "text"}, "uuid"),
        window=timedelta(hours=hours) if hours else None,
        echo=reader.choice("echo", {"required", "checked", "ignored"}, "checked"),
    )
    reader.end()
    return key


def _submit(reader: Reader) -> Submit:
    products = []
    for item in reader.items("products"):
        products.append(
            Product(
                item.take("product", str),
                item.take("message", str, None),
                item.take("service_level", str, None),
                item.take("instant", bool, None),
            )
        )
        item.end()
    submit = Submit(
        path=reader.path("path", set(), {"service", "product"}),
        body=reader.choice("body", BODIES),
        accept=reader.take("accept", str, "application/json"),
        messages=reader.strings("messages"),
        services=reader.texts("services", {}),
        products=tuple(products),
        fields=_fields(reader, {"payment_id"}),
        answers=tuple(Rule.read(item) for item in reader.items("answers")),
    )
    reader.end()
    return submit


def _cancel(reader: Reader | None) -> Cancel | None:
    if reader is None:
        return None
    method = reader.choice("method", {"DELETE", "POST", "PUT"}, "DELETE")
    rules = reader.items("answers")
    cancel = Cancel(
        method=method,
        path=reader.path("path", set(), {"service", "product", "payment_id"}),
        # Only a resource that is deleted says by its address alone what is to be cancelled.
        body=None if method == "DELETE" else reader.choice("body", BODIES),
        accept=reader.take("accept", str, "application/json"),
        fields=_fields(reader, set()),
        answers=tuple(Rule.read(item, _CANCEL_MEANINGS) for item in rules),
    )
    if method == "DELETE" and "payment_id" not in FIELD.findall(cancel.path):
        raise reader.wrong("path", "must hold {payment_id}")
    reader.end()
    return cancel


def _fields(reader: Reader, needed: set[str]) -> dict[str, str]:
    fields = reader.texts("fields", {})
    if missing := needed - set(fields):
        raise reader.wrong("fields", f"must name {', '.join(sorted(missing))}")
    return fields


def _ask(reader: Reader | None, parts: set[str], fields: set[str]) -> Ask | None:
    if reader is None:
        return None
    unknown = reader.sub("unknown", {})
    ask = Ask(
        path=reader.path("path", parts, {"service", "product"} if "payment_id" in parts else None),
        accept=reader.take("accept", str, "application/json"),
        fields=_fields(reader, fields),
        unknown_status=unknown.take("status", int, 404),
        unknown_codes=unknown.strings("codes"),
    )
    if "key" in parts and not ask.unknown_codes:
        # A bare 404 may come from any gateway; "the bank does not know it" frees a payment.
        raise reader.wrong("unknown.codes", "must name the bank's code for an unknown key")
    unknown.end()
    reader.end()
    return ask


def _mailbox(reader: Reader | None) -> Mailbox | None:
    if reader is None:
        return None
    listing, fetch = reader.sub("list"), reader.sub("fetch")
    acknowledge = reader.sub("acknowledge", {})
    mailbox = Mailbox(
        list_path=listing.path("path", set()),
        query=listing.texts("query", {}),
        items=listing.take("items", str),
        next=listing.take("next", str, None),
        fields=_fields(listing, {"id", "kind"}),
        fetch_path=fetch.path("path", {"id"}),
        fetch_accept=fetch.take("accept", str, "application/xml"),
        acknowledge_path=acknowledge.path("path", {"id"}) if acknowledge.data else None,
        acknowledge_method=acknowledge.choice("method", {"DELETE", "POST", "PUT"}, "DELETE"),
    )
    for part in (listing, fetch, acknowledge, reader):
        part.end()
    return mailbox


def _statements(reader: Reader | None) -> Statements | None:
    if reader is None:
        return None
    statements = Statements(
        path=reader.path("path", {"account"}),
        query=reader.texts("query", {}),
        kinds=reader.texts("kinds"),
        days=reader.take("days", int, 30),
    )
    reader.end()
    return statements


def fill(template: str, values: Mapping[str, str], *, url: bool = False) -> str:
    """Put `values` into a template's ``{fields}``, quoted for a path where `url`.

    :raises KeyError: naming a field that has no value
    """

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        return quote(text, safe="") if url else text

    return FIELD.sub(value, template)
