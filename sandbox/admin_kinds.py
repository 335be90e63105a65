"""The desk's part for the other kinds of REST channel: tokens, consents, webhooks."""

from __future__ import annotations

from aiohttp import web

from . import kind_files, oauth
from .admin_api import order
from .rest_base import FACE, Face

routes = web.RouteTableDef()


def _revoke(face: Face, contract_id: str) -> dict:
    with face.store.write() as connection:
        return {"contract": contract_id, "revoked": oauth.revoke(connection, contract_id)}


@routes.post("/admin/contracts/{contract_id}/revoke-tokens")
async def revoke_tokens(request: web.Request) -> web.Response:
    """``{}``: every token of the contract is void from now on."""
    face = request.app[FACE]
    await order(request)
    return web.json_response(await face.call(
        _revoke, face, request.match_info["contract_id"]))


@routes.get("/admin/consents")
async def consents(request: web.Request) -> web.Response:
    """Every consent to a file."""
    face = request.app[FACE]
    rows = await face.call(lambda: face.store.read().execute(
        "SELECT id, contract_id, status, created_at, changed_at, submission_id FROM consent"
        " ORDER BY created_at, rowid").fetchall())
    return web.json_response({"consents": [
        {"id": row["id"], "contract": row["contract_id"], "status": row["status"],
         "created": row["created_at"] + "Z", "changed": row["changed_at"] + "Z",
         "paymentId": row["submission_id"]} for row in rows]})


def _authorise(face: Face, consent_id: str, agreed: bool) -> dict:
    with face.store.write() as connection:
        return {"id": consent_id, "status": kind_files.approve(connection, consent_id, agreed)}


@routes.post("/admin/consents/{consent_id}/authorise")
async def authorise(request: web.Request) -> web.Response:
    """``{}`` authorises a consent that waits; ``{"outcome": "reject"}`` turns it down."""
    face = request.app[FACE]
    body = await order(request)
    if body.get("outcome", "authorise") not in ("authorise", "reject"):
        raise ValueError("outcome is authorise or reject")
    return web.json_response(await face.call(
        _authorise, face, request.match_info["consent_id"], body.get("outcome") != "reject"))


@routes.get("/admin/notifications")
async def notifications(request: web.Request) -> web.Response:
    """Every call to a customer's webhook, and what came of it."""
    face = request.app[FACE]
    rows = await face.call(lambda: face.store.read().execute(
        "SELECT * FROM notification ORDER BY id").fetchall())
    return web.json_response({"notifications": [
        {"id": row["id"], "contract": row["contract_id"], "document": row["document_id"],
         "tries": row["tries"], "result": row["result"], "done": bool(row["done_at"])}
        for row in rows]})
