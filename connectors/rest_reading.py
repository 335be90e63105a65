"""The part of a REST profile that says how the bank is asked, and how documents are fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .http import ErrorForm
from .profile_reader import Reader
from .rest_sending import fields
from .templates import FIELD, fields_in

_FORMS = ("base64", "text")


@dataclass(frozen=True)
class Embedded:
    """A document inside an answer: where it is, and how it is written."""

    path: str
    form: str  # "base64" or "text"

    @classmethod
    def read(cls, reader: Reader) -> Embedded | None:
        path = reader.take("content", str, None)
        form = reader.choice("form", _FORMS, "base64") if path else ""
        return cls(path, form) if path else None


@dataclass(frozen=True)
class Ask:
    """A read by path: the status of a payment, or what is known under a key."""

    path: str
    accept: str
    fields: Mapping[str, str]
    embedded: Embedded | None = None
    unknown_status: int = 404
    unknown_codes: tuple[str, ...] = ()
    unknown_where: Mapping[str, tuple[str, ...]] | None = None

    @classmethod
    def status(cls, reader: Reader | None) -> Ask | None:
        """How a payment that the bank has given a number to is followed."""
        if reader is None:
            return None
        unknown = reader.sub("unknown", {})
        path = reader.path("path", set(), {"service", "product", "payment_id", "key", "key_hex"})
        if not {"payment_id", "key", "key_hex"} & set(FIELD.findall(path)):
            raise reader.wrong("path", "must hold {payment_id}, or {key}")
        accept = reader.take("accept", str, "application/json")
        embedded = Embedded.read(reader)
        needed = set() if embedded or "xml" in accept else {"status"}
        ask = cls(path, accept, fields(reader, needed), embedded, unknown.take("status", int, 404))
        unknown.end()
        reader.end()
        return ask

    @classmethod
    def inquiry(cls, reader: Reader | None, given: set[str]) -> Ask | None:
        """How the bank is asked for a message whose receipt is missing."""
        if reader is None:
            return None
        told = reader.sub("unknown", None)
        unknown = told or Reader({})
        path = reader.path("path", set(), {"key", "key_hex"})
        if not ({"key", "key_hex"} | given) & set(FIELD.findall(path)):
            raise reader.wrong("path", "must hold {key}")
        where = None
        if inner := unknown.sub("where", None):
            where = {name: inner.strings(name) for name in sorted(inner.data)}
        ask = cls(
            path,
            reader.take("accept", str, "application/json"),
            reader.texts("fields", {}),
            Embedded.read(reader),
            unknown.take("status", int, 404),
            unknown.strings("codes"),
            where,
        )
        if not {"payment_id", "status"} & set(ask.fields) and not ask.embedded and not where:
            raise reader.wrong("fields", "must name payment_id or status")
        if told is not None and not ask.unknown_codes and not where:
            # Without "unknown" the bank can only say that it has it.  A bare 404 may come from any
            # gateway; "the bank does not know it" frees a payment.
            raise reader.wrong("unknown.codes", "must name the bank's code for an unknown key")
        unknown.end()
        reader.end()
        return ask


@dataclass(frozen=True)
class Paging:
    """How a long answer goes on: a link in the body or the Link header, or a cursor."""

    link: str | None = None  # path to the link in the body
    header: bool = False  # RFC 8288, rel="next"
    cursor: str | None = None  # path to the cursor in the body
    parameter: str | None = None  # of the query, which takes the cursor

    @classmethod
    def read(cls, reader: Reader, key: str = "next") -> Paging | None:
        value = reader.data.get(key)
        if value is None or isinstance(value, str):
            link = reader.take(key, str, None)
            return cls(link=link) if link else None
        inner = reader.sub(key)
        paging = cls(
            link=inner.take("link", str, None),
            header=inner.take("header", bool, False),
            cursor=inner.take("cursor", str, None),
            parameter=inner.take("parameter", str, None),
        )
        if (paging.cursor is None) != (paging.parameter is None):
            raise reader.wrong(key, "must name cursor and parameter together")
        if [paging.link is not None, paging.header, paging.cursor is not None].count(True) != 1:
            raise reader.wrong(key, "must name one of link, header and cursor")
        inner.end()
        return paging


@dataclass(frozen=True)
class Mailbox:
    """Documents that the bank lists, hands out and is told the receipt of."""

    list_path: str
    query: Mapping[str, str]
    items: str  # path to the list; "." where the answer itself is one
    next: Paging | None
    fields: Mapping[str, str]
    kinds: Mapping[str, str]  # the bank's name of a kind → ours
    fetch_path: str
    fetch_accept: str
    embedded: Embedded | None
    acknowledge_path: str | None
    acknowledge_method: str
    acknowledge_body: Any  # JSON template

    @classmethod
    def read(cls, reader: Reader | None) -> Mailbox | None:
        if reader is None:
            return None
        listing, fetch = reader.sub("list"), reader.sub("fetch")
        acknowledge = reader.sub("acknowledge", {})
        mailbox = cls(
            list_path=listing.path("path", set()),
            query=listing.texts("query", {}),
            items=listing.take("items", str),
            next=Paging.read(listing),
            fields=fields(listing, {"id", "kind"}),
            kinds=listing.texts("kinds", {}),
            fetch_path=fetch.path("path", {"id"}),
            fetch_accept=fetch.take("accept", str, "application/xml"),
            embedded=Embedded.read(fetch),
            acknowledge_path=acknowledge.path("path", {"id"}) if acknowledge.data else None,
            acknowledge_method=acknowledge.choice("method", {"DELETE", "POST", "PUT"}, "DELETE"),
            acknowledge_body=acknowledge.take("body", dict, None),
        )
        for part in (listing, fetch, acknowledge, reader):
            part.end()
        return mailbox

    def variables(self) -> set[str]:
        texts = [self.list_path, self.fetch_path, self.acknowledge_path or ""]
        return fields_in([*texts, self.acknowledge_body])


@dataclass(frozen=True)
class StatementKind:
    """How one kind of statement is asked for."""

    accept: str
    query: Mapping[str, str]
    message_name: str | None
    next: Paging | None


@dataclass(frozen=True)
class Statements:
    """Statements read per account and period, for banks without a mailbox."""

    path: str
    query: Mapping[str, str]
    kinds: Mapping[str, StatementKind]
    days: int  # how far back without a `since`
    span: int | None  # the longest period that the bank answers for, in days

    @classmethod
    def read(cls, reader: Reader | None) -> Statements | None:
        if reader is None:
            return None
        kinds = {}
        inner = reader.sub("kinds")
        for name in sorted(inner.data):
            if isinstance(inner.data[name], str):
                kinds[name] = StatementKind(inner.take(name, str), {}, None, None)
                continue
            item = inner.sub(name)
            kinds[name] = StatementKind(
                item.take("accept", str),
                item.texts("query", {}),
                item.take("message_name", str, None),
                Paging.read(item),
            )
            if kinds[name].next and "json" not in kinds[name].accept:
                raise item.wrong("next", "is for JSON: pages of another form cannot be joined")
            item.end()
        statements = cls(
            path=reader.path("path", {"account"}),
            query=reader.texts("query", {}),
            kinds=kinds,
            days=reader.take("days", int, 30),
            span=reader.take("span_days", int, None),
        )
        if statements.span is not None and statements.span < 1:
            raise reader.wrong("span_days", "must be 1 or more")
        reader.end()
        return statements


def error_form(reader: Reader | None) -> ErrorForm | None:
    """Read where this bank puts its errors."""
    if reader is None:
        return None
    form = ErrorForm(
        items=reader.take("items", str, ""),
        code=reader.take("code", str),
        text=reader.take("text", str, ""),
        path=reader.take("path", str, ""),
    )
    reader.end()
    return form
