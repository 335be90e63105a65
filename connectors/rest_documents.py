"""Documents over REST: a mailbox where the bank has one, else statements per account."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from .http import Answer
from .interface import FetchError, RemoteDocument
from .problems import build
from .rest_answers import (
    announced_sha256,
    from_answer,
    is_xml,
    json_object,
    moment,
    pick,
    pick_text,
    usable_id,
)
from .rest_profile import Mailbox, Statements, fill

if TYPE_CHECKING:
    from .rest import RestConnector

_MAX_PAGES = 10_000


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
    values = {"kinds": ",".join(sorted(kinds))} if kinds else {}
    if since:
        values["since"] = since.astimezone(timezone.utc).isoformat()
    address: str | None = bank.url(box.list_path, {}, _query(box.query, values))
    seen: set[str] = set()
    faults: list[str] = []
    last: Answer | None = None
    while address:
        if address in seen or len(seen) >= _MAX_PAGES:
            raise build(FetchError, "listing_endless")
        seen.add(address)
        last = bank.read_url(address, accept="application/json")
        bank.expect_success(last)
        data = json_object(last)
        items = pick(data, box.items)
        if not isinstance(items, list):
            raise from_answer(FetchError, "listing_unreadable", last)
        for number, item in enumerate(items):
            remote = _remote(item, box)
            if remote is None:
                faults.append(f"page {len(seen)}, item {number + 1}")
            elif not kinds or remote.kind in kinds:
                yield remote
        address = _next(address, pick_text(data, box.next), bank.base)
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


def _next(current: str, link: str | None, base: str) -> str | None:
    """Resolve the link to the next page; our credentials go to the bank's own origin only."""
    if link is None:
        return None
    try:
        address = urljoin(current, link)
        there, here = urlsplit(address), urlsplit(base)
        same = (there.scheme, there.hostname, there.port or 443, there.username) == (
            here.scheme,
            here.hostname,
            here.port or 443,
            None,
        )
    except ValueError:
        same = False
    if not same:
        raise build(FetchError, "foreign_link", detail=link[:200])
    return address


def _statements(
    bank: RestConnector, offer: Statements, kinds: frozenset[str], since: datetime | None
) -> Iterator[RemoteDocument]:
    """Make one entry per account and kind: from the day of `since` to today."""
    today = bank.now().astimezone(timezone.utc).date()
    start = since.astimezone(timezone.utc).date() if since else today - timedelta(days=offer.days)
    period = {"date_from": start.isoformat(), "date_to": today.isoformat()}
    for kind, media_type in sorted(offer.kinds.items()):
        if kinds and kind not in kinds:
            continue
        for iban, account in sorted(bank.accounts.items()):
            query = urlencode(_query(offer.query, {**period, "account": account}))
            path = bank.url(offer.path, {"account": account})
            yield RemoteDocument(
                id=f"{kind}/{account}/{start}/{today}",
                kind=kind,
                name=f"{kind}_{iban}_{start}_{today}",
                href=f"{path}?{query}" if query else path,
                media_type=media_type,
            )


def fetch(bank: RestConnector, remote: RemoteDocument) -> bytes:
    """Return the document's bytes after checking type, size and digest."""
    box = bank.profile.mailbox
    if box:
        accept = box.fetch_accept
        answer = bank.read(box.fetch_path, {"id": remote.id}, accept=accept)
    elif bank.profile.statements and remote.href:
        accept = remote.media_type or "application/xml"
        answer = bank.read_url(_next(bank.base, remote.href, bank.base), accept=accept)
    else:
        raise build(FetchError, "not_offered", what="documents")
    if answer.status in (404, 410):
        raise from_answer(FetchError, "document_gone", answer)
    bank.expect_success(answer)
    expected_xml = accept.endswith("xml")
    octets = answer.content_type == "application/octet-stream"
    fits = is_xml(answer.content_type) if expected_xml else answer.content_type == accept
    if not (fits or octets):
        raise from_answer(FetchError, "content_type", answer, host=bank.host, expected=accept)
    size = len(answer.content)
    if remote.size is not None and remote.size != size:
        raise build(FetchError, "size_mismatch", size=size, announced=remote.size)
    digest = hashlib.sha256(answer.content).hexdigest()
    for announced in (remote.sha256, announced_sha256(answer.headers)):
        if announced and announced != digest:
            raise build(FetchError, "digest_mismatch", detail=f"got {digest}, not {announced}")
    return answer.content


def acknowledge(bank: RestConnector, remote: RemoteDocument) -> None:
    """Tell the bank that we have it.  A document already gone counts as acknowledged."""
    box = bank.profile.mailbox
    if box is None or box.acknowledge_path is None:
        return
    answer = bank.read(
        box.acknowledge_path,
        {"id": remote.id},
        accept="application/json",
        method=box.acknowledge_method,
    )
    if answer.status not in (404, 410):
        bank.expect_success(answer)
