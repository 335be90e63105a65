"""Answers in several pages, followed on the bank's own address only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from requests.utils import parse_header_links

from .http import Answer
from .interface import FetchError
from .problems import build
from .rest_answers import data_of, pick_text
from .rest_reading import Paging

if TYPE_CHECKING:
    from .rest import RestConnector

_MAX_PAGES = 10_000


def pages(
    bank: RestConnector, address: str, paging: Paging | None, accept: str
) -> Iterator[Answer]:
    """Read page after page.

    :raises FetchError: also ``listing_endless`` and ``foreign_link``
    """
    seen: set[str] = set()
    following: str | None = address
    while following:
        if following in seen or len(seen) >= _MAX_PAGES:
            raise build(FetchError, "listing_endless")
        seen.add(following)
        answer = bank.read_url(following, accept=accept)
        bank.expect_success(answer)
        yield answer
        following = _following(answer, following, paging, bank.base) if paging else None


def _following(answer: Answer, current: str, paging: Paging, base: str) -> str | None:
    """Return the address of the page after this one."""
    if paging.header:
        links = parse_header_links(answer.headers.get("Link", "").strip() or "<>")
        found = [link["url"] for link in links if "next" in link.get("rel", "").lower().split()]
        return own_address(current, found[0], base) if found else None
    data = data_of(answer)
    if paging.cursor:
        cursor = pick_text(data, paging.cursor)
        return _with_query(current, paging.parameter or "", cursor) if cursor else None
    link = pick_text(data, paging.link)
    return own_address(current, link, base) if link else None


def _with_query(address: str, name: str, value: str) -> str:
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    return urlunsplit(parts._replace(query=urlencode([*query, (name, value)])))


def own_address(current: str, link: str, base: str) -> str:
    """Resolve a link; our credentials go to the bank's own origin only.

    :raises FetchError: ``foreign_link``
    """
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
