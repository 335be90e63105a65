"""Accounts and the mailbox over the other kinds of REST channel, page by page.

Source for the three ways to a next page: RFC 8288 (``Link``), the Berlin Group's ``_links.next``,
and a cursor that the customer sends back.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from datetime import date

from aiohttp import web

from . import clock, customers, documents, issue_camt, kind_payments, mt940_writer
from .calendar import booking_date
from .kinds import Terms
from .rest_accounts import account_of, booked, day_parameter
from .rest_base import FACE, ApiError, Face, contract

routes = web.RouteTableDef()
MEDIA = (("application/xml", "camt"), ("text/plain", "mt940"), ("application/json", "json"))


def _after(request: web.Request, terms: Terms) -> int:
    """Where a page begins: behind the entry or document with this number."""
    name = "cursor" if terms.paging == "cursor" else "after"
    value = request.query.get(name, "")
    if not value:
        return 0
    try:
        if terms.paging == "cursor":
            value = base64.urlsafe_b64decode(value).decode().removeprefix("after:")
        return int(value)
    except (ValueError, binascii.Error):
        raise ApiError(400, "FORMAT_ERROR", f"{name} is not one of this bank's", name) from None


def _turn(request: web.Request, terms: Terms, body: dict, last: int | None) -> web.Response:
    """A page, with the way to the next one.

    :param last: the number of the last item, if there are more.
    """
    headers = {}
    if last is not None and terms.paging == "cursor":
        body["nextCursor"] = base64.urlsafe_b64encode(f"after:{last}".encode()).decode()
    elif last is not None:
        target = str(request.rel_url.update_query(after=str(last)))
        if terms.paging == "link":
            headers["Link"] = f'<{target}>; rel="next"'
        else:
            body["_links"] = {**body.get("_links", {}), "next": {"href": target}}
    return web.json_response(body, headers=headers)


def _list(face: Face, request: web.Request, terms: Terms) -> tuple[dict, int | None]:
    kinds = [kind for kind in request.query.get("kind", "").split(",") if kind]
    rows = documents.find(face.store.read(), contract(request)["id"], kinds=kinds,
                          unread=request.query.get("status", "new") != "all",
                          after=_after(request, terms), limit=terms.page_size + 1)
    listed = [{"id": row["id"], "kind": row["kind"], "messageName": row["message_name"],
               "name": row["name"], "created": row["created_at"] + "Z", "size": row["size"],
               "sha256": row["sha256"]} for row in rows[:terms.page_size]]
    more = len(rows) > terms.page_size
    # The fault plan turns lists round: it finds them by this name.
    return {"documents": listed}, rows[terms.page_size - 1]["seq"] if more else None


@routes.get("/api/reports")
async def mailbox(request: web.Request) -> web.Response:
    """What the bank has issued and the customer has not acknowledged."""
    face, terms = request.app[FACE], request["terms"]
    body, last = await face.call(_list, face, request, terms)
    return _turn(request, terms, body, last)


@routes.get("/api/reports/{document_id}")
async def document(request: web.Request) -> web.Response:
    """One document; as base64 where files travel so."""
    face, terms = request.app[FACE], request["terms"]
    row = await face.call(lambda: documents.get(
        face.store.read(), contract(request)["id"], request.match_info["document_id"]))
    if row is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such document")
    if terms.body in ("xml_base64", "json"):
        return kind_payments.show(terms, 200, {
            "id": row["id"], "messageName": row["message_name"], "sha256": row["sha256"],
            "content": base64.b64encode(row["content"]).decode()})
    kind = "xml" if row["content"][:1] == b"<" else "octet-stream"
    return web.Response(body=row["content"], content_type=f"application/{kind}")


@routes.delete("/api/reports/{document_id}")
async def acknowledge(request: web.Request) -> web.Response:
    """Say that a document has arrived; it stays, and is no longer listed."""
    face = request.app[FACE]

    def work() -> bool:
        with face.store.write() as connection:
            return documents.acknowledge(connection, contract(request)["id"],
                                         request.match_info["document_id"],
                                         clock.now(connection))

    if not await face.call(work):
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such document")
    return web.Response(status=204)


@routes.get("/api/accounts")
async def accounts(request: web.Request) -> web.Response:
    """The contract's accounts."""
    face = request.app[FACE]
    found = await face.call(
        lambda: customers.describe(face.store.read(), contract(request)["id"])["accounts"])
    return web.json_response({"accounts": found})


def _wanted(request: web.Request) -> str:
    accept = request.headers.get("Accept", "*/*")
    for name, form in MEDIA:
        if name in accept:
            return form
    if "*/*" in accept:
        return "json"
    raise ApiError(406, "REQUESTED_FORMATS_INVALID", "There are application/json, application/xml"
                   " (camt) and text/plain (MT940)", "Accept")


def _page(connection: sqlite3.Connection, account: sqlite3.Row, terms: Terms, start: date,
          end: date, after: int) -> tuple[dict, int | None]:
    found, last = [], None
    ids = [row["id"] for row in connection.execute(
        "SELECT id FROM entry WHERE account_id = ? AND opening = 0 AND id > ?"
        " AND booking_date BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (account["id"], after, start.isoformat(), end.isoformat(), terms.page_size + 1))]
    if len(ids) > terms.page_size:
        ids.pop()
        last = ids[-1]
    if ids:
        found = [booked(row) for details in issue_camt.entries(
            connection, "entry.account_id = ? AND opening = 0 AND entry.id BETWEEN ? AND ?"
            " AND entry.booking_date BETWEEN ? AND ?",
            (account["id"], ids[0], ids[-1], start.isoformat(), end.isoformat()))
            for row in details]
    return {"account": {"iban": account["iban"]}, "transactions": {"booked": found}}, last


def _statement(connection: sqlite3.Connection, account: sqlite3.Row, start: date,
               end: date) -> bytes:
    opening = issue_camt.balance_before(connection, account["id"], start)
    # The number is that of the last day in its year: asked again, the same.
    return mt940_writer.write(
        connection, account, end.timetuple().tm_yday, start, end, opening,
        issue_camt.entries(connection, "entry.account_id = ? AND opening = 0"
                           " AND entry.booking_date BETWEEN ? AND ?",
                           (account["id"], start.isoformat(), end.isoformat())))


def _transactions(face: Face, request: web.Request, form: str) -> bytes | tuple[dict, int | None]:
    account = account_of(face, request)
    with face.store.write() as connection:
        present = clock.now(connection)
        today = booking_date(present)
        start = day_parameter(request, "dateFrom", None)
        end = day_parameter(request, "dateTo", max(start, today))
        if end < start:
            raise ApiError(400, "FORMAT_ERROR", "dateTo is before dateFrom", "dateTo")
        if form == "json":
            return _page(connection, account, request["terms"], start, end,
                         _after(request, request["terms"]))
        if form == "mt940":
            return _statement(connection, account, start, end)
        if start == end == today:
            return issue_camt.report(connection, account["id"], start, present)[1]
        return issue_camt.history(connection, account["id"], start, end, present)[1]


@routes.get("/api/accounts/{account_id}/transactions")
async def transactions(request: web.Request) -> web.Response:
    """Booked entries: JSON in pages, camt.052 (today) or camt.053, or MT940, by ``Accept``."""
    face, form = request.app[FACE], _wanted(request)
    found = await face.call(_transactions, face, request, form)
    if form == "json":
        return _turn(request, request["terms"], *found)
    if form == "mt940":
        return web.Response(body=found, content_type="text/plain", charset="us-ascii")
    return web.Response(body=found, content_type="application/xml")
