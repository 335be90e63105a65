"""The bank's own desk, as web pages for people who learn."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from lxml import etree

from . import admin_api, admin_irregular, iban, irregular, issue_camt, money, triggers
from .rest_base import FACE, Face

routes = web.RouteTableDef()
TOKEN = secrets.token_urlsafe(24)
LATEST = 200
templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
                               " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@web.middleware
async def guard(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Answer errors in JSON; refuse a foreign name for this host (DNS rebinding)."""
    if request.host.rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
        return web.json_response({"error": "unknown host"}, status=421)
    try:
        response = await handler(request)
    except (ValueError, KeyError) as error:
        return web.json_response({"error": str(error)}, status=400)
    response.headers.update(SECURITY_HEADERS)
    return response


def page(name: str, face: Face, **values: Any) -> web.Response:
    """One page from its template."""
    html = templates.get_template(name).render(
        state=admin_api.clock_state(face), token=TOKEN, **values)
    return web.Response(text=html, content_type="text/html")


def _amount(minor: int, currency: str) -> str:
    return f"{money.to_decimal(minor, currency):,}"


@routes.get("/")
async def home(request: web.Request) -> web.Response:
    """Customers, accounts, the latest messages and payments, the clock."""
    face = request.app[FACE]

    def work() -> web.Response:
        connection = face.store.read()
        accounts = [{**dict(row), "amount": _amount(row["balance"], row["currency"])}
                    for row in connection.execute(
                        "SELECT * FROM account ORDER BY kind DESC, contract_id, rowid")]
        received = connection.execute(
            "SELECT id, contract_id, message_id, message_name, status, reason, received_at,"
            " transactions FROM submission ORDER BY seq DESC LIMIT ?", (LATEST,)).fetchall()
        issued = connection.execute(
            "SELECT id, contract_id, name, message_name, created_at, size, acknowledged_at"
            " FROM document ORDER BY seq DESC LIMIT ?", (LATEST,)).fetchall()
        return page("home.html", face, accounts=accounts, received=received, issued=issued,
                    payments=admin_api.payments(connection, limit=LATEST),
                    faults=face.faults.list(), irregular=irregular.KINDS,
                    ordered=admin_irregular.ordered(face), ledger=admin_api.trial_balance(face))

    return await face.call(work)


@routes.get("/accounts/{account_id}")
async def account(request: web.Request) -> web.Response:
    """One account's entries."""
    face = request.app[FACE]

    def work() -> web.Response:
        connection = face.store.read()
        row = connection.execute("SELECT * FROM account WHERE id = ?",
                                 (request.match_info["account_id"],)).fetchone()
        if row is None:
            raise web.HTTPNotFound
        entries = [{"first": details[0], "details": details[:LATEST], "number": len(details),
                    "amount": _amount(details[0]["entry_amount"], row["currency"]),
                    "data": json.loads(details[0]["data"] or "{}")}
                   for details in issue_camt.entries(
                       connection, "entry.account_id = ? AND entry.id IN (SELECT id FROM entry"
                       " WHERE account_id = ? ORDER BY id DESC LIMIT ?)",
                       (row["id"], row["id"], LATEST))]
        return page("account.html", face, account=row, entries=entries[::-1],
                    balance=_amount(row["balance"], row["currency"]))

    return await face.call(work)


def _pretty(content: bytes) -> str:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True,
                                 remove_blank_text=True)
        return etree.tostring(etree.fromstring(content, parser), pretty_print=True).decode()
    except etree.XMLSyntaxError:
        return content.decode("utf-8", "replace")


@routes.get("/messages/{kind:received|issued}/{message_id}")
async def message(request: web.Request) -> web.Response:
    """One message, set out for reading; ``?raw=1`` gives its exact bytes."""
    face, kind = request.app[FACE], request.match_info["kind"]
    sql = {"received": "SELECT body AS content, message_name, sha256 FROM submission WHERE id = ?",
           "issued": "SELECT content, message_name, sha256 FROM document WHERE id = ?"}[kind]

    def work() -> web.Response:
        row = face.store.read().execute(sql, (request.match_info["message_id"],)).fetchone()
        if row is None:
            raise web.HTTPNotFound
        if request.query.get("raw"):
            form = "xml" if row["content"][:1] == b"<" else "octet-stream"
            return web.Response(body=row["content"], content_type=f"application/{form}")
        shown = row["content"][:1_000_000]
        return page("message.html", face, row=row, kind=kind,
                    xml=_pretty(row["content"]) if len(shown) == len(row["content"])
                    else shown.decode("utf-8", "replace"))

    return await face.call(work)


@routes.get("/triggers")
async def show_triggers(request: web.Request) -> web.Response:
    """The trigger accounts, with an example for each country."""
    face = request.app[FACE]

    def work() -> web.Response:
        rows = [{"trigger": trigger, "digits": triggers.mark(trigger),
                 "examples": [iban.make(country, trigger.name) for country in
                              ("DE", "FR", "NL", "ES", "IT", "BE", "GB")]}
                for trigger in triggers.TRIGGERS]
        return page("triggers.html", face, rows=rows)

    return await face.call(work)


@routes.post("/desk/{action:clock|release|credit|irregular}")
async def desk(request: web.Request) -> web.Response:
    """The forms of the pages; each carries the token of this process."""
    face = request.app[FACE]
    form = dict(await request.post())
    if not secrets.compare_digest(str(form.pop("token", "")), TOKEN):
        raise web.HTTPForbidden(text="The page is older than the server: load it again.")
    action = request.match_info["action"]
    if action == "clock":
        await face.call(admin_api.advance, face, form)
    elif action == "credit":
        await face.call(admin_api.book, face, form, 1)
    elif action == "irregular":
        await face.call(admin_irregular.make, face, form)
    else:
        await face.call(admin_api.release, face, int(str(form.pop("payment"))), form)
    raise web.HTTPSeeOther("/")
