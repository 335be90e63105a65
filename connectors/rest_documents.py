"""Documents over REST: a mailbox where the bank has one, else statements per account."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .http import Answer
from .interface import FetchError, RemoteDocument
from .problems import build
from .rest_answers import (
    announced_sha256,
    data_of,
    embedded,
    from_answer,
    is_json,
    is_xml,
    moment,
    pick,
    pick_text,
    usable_id,
)
from .rest_paging import own_address, pages
from .rest_reading import Mailbox, Paging, Statements
from .templates import fill, fill_json

if TYPE_CHECKING:
    from .rest import RestConnector


def listing(
    bank: RestConnector, kinds: frozenset[str], since: datetime | None
) -> Iterator[RemoteDocument]:
    """List documents of `kinds` (empty: all) made since `since` (aware)."""
    if bank.profile.mailbox:
        yield from _mailbox(bank, bank.profile.mailbox, kinds, since)
    elif bank.profile.statements:
        yield from _statements(bank, bank.profile.statements, kinds, since)
    else:
        raise build(FetchError, "not_offered", what="documents")


def _mailbox(
    bank: RestConnector, box: Mailbox, kinds: frozenset[str], since: datetime | None
) -> Iterator[RemoteDocument]:
    theirs = {ours: name for name, ours in box.kinds.items()}
    values = {"kinds": ",".join(sorted(theirs.get(kind, kind) for kind in kinds))} if kinds else {}
    if since:
        values["since"] = since.astimezone(timezone.utc).isoformat()
        values["since_date"] = values["since"][:10]
    faults: list[str] = []
    last: Answer | None = None
    address = bank.url(box.list_path, {}, _query(box.query, {**bank.variables, **values}))
    for number, last in enumerate(pages(bank, address, box.next, "application/json"), 1):
        items = pick(data_of(last), box.items)
        if not isinstance(items, list):
            raise from_answer(FetchError, "listing_unreadable", last)
        for place, item in enumerate(items, 1):
            remote = _remote(item, box)
            if remote is None:
                faults.append(f"page {number}, item {place}")
            elif not kinds or remote.kind in kinds:
                yield remote
    # One spoilt line hides no other, but is not passed over in silence either.
    if faults:
        raise build(
            FetchError, "listing_unreadable", detail="; ".join(faults[:20]), content=last.content
        )


def _query(templates: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Fill a query, leaving out what has no value."""
    query = {}
    for name, template in templates.items():
        try:
            query[name] = fill(template, values)
        except KeyError:
            continue
    return query


def _remote(item: Any, box: Mailbox) -> RemoteDocument | None:
    def text(name: str) -> str | None:
        return pick_text(item, box.fields.get(name))

    identifier, kind = usable_id(text("id")), text("kind")
    if identifier is None or kind is None:
        return None
    kind = box.kinds.get(kind, kind)
    size = text("size")
    return RemoteDocument(
        id=identifier,
        kind=kind,
        message_name=text("message_name"),
        name=text("name"),
        created=moment(text("created")),
        size=int(size) if size and size.isascii() and size.isdigit() else None,
        sha256=(text("sha256") or "").lower() or None,
        media_type=box.fetch_accept,
    )


def _statements(
    bank: RestConnector, offer: Statements, kinds: frozenset[str], since: datetime | None
) -> Iterator[RemoteDocument]:
    """Make one entry per account and kind: from the day of `since` to today."""
    today = bank.now().astimezone(timezone.utc).date()
    start = since.astimezone(timezone.utc).date() if since else today - timedelta(days=offer.days)
    for kind, how in sorted(offer.kinds.items()):
        if kinds and kind not in kinds:
            continue
        for iban, account in sorted(bank.accounts.items()):
            for first, last in _spans(start, today, offer.span):
                period = {"date_from": first.isoformat(), "date_to": last.isoformat()}
                values = {**bank.variables, **period, "account": account}
                query = urlencode(_query({**offer.query, **how.query}, values))
                path = bank.url(offer.path, {"account": account})
                yield RemoteDocument(
                    id=f"{kind}/{account}/{first}/{last}",
                    kind=kind,
                    message_name=how.message_name,
                    name=f"{kind}_{iban}_{first}_{last}",
                    href=f"{path}?{query}" if query else path,
                    media_type=how.accept,
                )


def _spans(start: date, end: date, longest: int | None) -> Iterator[tuple[date, date]]:
    """Divide a period into parts of at most `longest` days, oldest first."""
    while longest is not None and (end - start).days >= longest:
        yield start, start + timedelta(days=longest - 1)
        start += timedelta(days=longest)
    yield start, end


def fetch(bank: RestConnector, remote: RemoteDocument) -> bytes:
    """Return the document's bytes after checking type, size and digest."""
    box, offer = bank.profile.mailbox, bank.profile.statements
    if box:
        accept = box.fetch_accept
        answer = bank.read(box.fetch_path, {"id": remote.id}, accept=accept)
        _expect(bank, answer, accept)
    elif offer and remote.href:
        accept = remote.media_type or "application/xml"
        address = own_address(bank.base, remote.href, bank.base)
        how = offer.kinds.get(remote.kind)
        if how and how.next:
            return _joined(bank, address, how.next, accept)
        answer = bank.read_url(address, accept=accept)
        _expect(bank, answer, accept)
    else:
        raise build(FetchError, "not_offered", what="documents")
    content = answer.content
    if box and box.embedded:
        inside = embedded(data_of(answer), box.embedded)
        if inside is None:
            raise from_answer(FetchError, "answer_unreadable", answer, host=bank.host)
        content = inside
    size = len(content)
    if remote.size is not None and remote.size != size:
        raise build(FetchError, "size_mismatch", size=size, announced=remote.size)
    # What the answer's own header announces is the digest of the whole answer.
    for announced, part in (
        (remote.sha256, content),
        (announced_sha256(answer.headers), answer.content),
    ):
        digest = hashlib.sha256(part).hexdigest()
        if announced and announced != digest:
            raise build(FetchError, "digest_mismatch", detail=f"got {digest}, not {announced}")
    return content


def _expect(bank: RestConnector, answer: Answer, accept: str) -> None:
    """:raises FetchError: where the answer is no document of the type asked for"""
    if answer.status in (404, 410):
        raise from_answer(FetchError, "document_gone", answer)
    bank.expect_success(answer)
    media_type = accept.partition(";")[0].strip().lower()
    octets = answer.content_type == "application/octet-stream"
    if media_type.endswith("xml"):
        fits = is_xml(answer.content_type)
    elif media_type.endswith("json"):
        fits = is_json(answer.content_type)
    else:
        fits = answer.content_type == media_type
    if not (fits or octets):
        raise from_answer(FetchError, "content_type", answer, host=bank.host, expected=accept)


def _joined(bank: RestConnector, address: str, paging: Paging, accept: str) -> bytes:
    """Return all pages of a JSON statement as ``{"pages": [...]}``, each exactly as it was sent."""
    found, size = [], 0
    for page in pages(bank, address, paging, accept):
        _expect(bank, page, accept)
        if data_of(page) is None:
            raise from_answer(FetchError, "answer_unreadable", page, host=bank.host)
        size += len(page.content)
        if size > bank.profile.max_answer_bytes:
            limit = bank.profile.max_answer_bytes
            raise build(FetchError, "answer_too_large", host=bank.host, limit=limit)
        found.append(page.content.strip())
    return b'{"pages":[' + b",".join(found) + b"]}"


def acknowledge(bank: RestConnector, remote: RemoteDocument) -> None:
    """Tell the bank that we have it.  A document already gone counts as acknowledged."""
    box = bank.profile.mailbox
    if box is None or box.acknowledge_path is None:
        return
    body = None
    if box.acknowledge_body is not None:
        body = fill_json(box.acknowledge_body, {**bank.variables, "id": remote.id})
    answer = bank.read(
        box.acknowledge_path,
        {"id": remote.id},
        accept="application/json",
        method=box.acknowledge_method,
        body=body,
    )
    if answer.status not in (404, 410):
        bank.expect_success(answer)
