"""The desk's orders about irregularities and options of a contract, as JSON."""

from __future__ import annotations

from aiohttp import web

from . import irregular, options
from .admin_api import order
from .rest_base import FACE, Face

routes = web.RouteTableDef()


def make(face: Face, body: dict) -> dict:
    """Let the bank make a mistake.

    :raises ValueError: the order is wrong.
    """
    with face.store.write() as connection:
        return irregular.make(connection, body)


def ordered(face: Face) -> list[dict]:
    """Mistakes that were ordered for their time, and which were made."""
    return [{"id": row["id"], "kind": row["kind"], "about": row["ref"],
             "done": row["done_at"] is not None}
            for row in face.store.read().execute("SELECT * FROM mistake ORDER BY id")]


@routes.post("/admin/irregularities")
async def irregularity(request: web.Request) -> web.Response:
    """``{"kind": "stray_debit", "iban", "amount"}`` and others: see irregular.py."""
    face = request.app[FACE]
    return web.json_response(await face.call(make, face, await order(request)))


@routes.get("/admin/irregularities")
async def irregularities(request: web.Request) -> web.Response:
    """What was ordered."""
    face = request.app[FACE]
    return web.json_response({"kinds": list(irregular.KINDS),
                              "ordered": await face.call(ordered, face)})


@routes.post("/admin/contracts/{contract_id}/options")
async def option(request: web.Request) -> web.Response:
    """``{"receipts": "pdf", "statements": "mt940"}``: from now on."""
    face, wanted = request.app[FACE], await order(request)

    def work() -> dict:
        with face.store.write() as connection:
            return options.choose(connection, request.match_info["contract_id"], wanted)

    return web.json_response(await face.call(work))
