"""The desk's part for Bank Web Services: lock a contract, renew the bank's signing certificate."""

from __future__ import annotations

from aiohttp import web

from . import soap_contracts
from .admin_api import order
from .rest_base import FACE, Face
from .soap_codes import STATES

routes = web.RouteTableDef()


def set_state(face: Face, contract_id: str, body: dict) -> dict:
    """Refuse everything of a contract with a code, or nothing any more.

    :raises ValueError: an unknown contract, or a code that is no state of a contract.
    """
    state = body.get("state")
    if state != "" and state not in STATES:
        raise ValueError(f"state is empty, or one of {', '.join(STATES)}")
    with face.store.write() as connection:
        if soap_contracts.find(connection, contract_id) is None:
            raise ValueError(f"{contract_id} has no Bank Web Services")
        connection.execute("UPDATE soap_contract SET state = ? WHERE contract_id = ?",
                           (state, contract_id))
    return {"contract": contract_id, "state": state}


@routes.post("/admin/contracts/{contract_id}/soap")
async def contract_state(request: web.Request) -> web.Response:
    """``{"state": "08"}`` locks the sender; ``{"state": ""}`` lets everything in again."""
    face = request.app[FACE]
    return web.json_response(await face.call(
        set_state, face, request.match_info["contract_id"], await order(request)))


def renew(face: Face) -> dict:
    """A new signing certificate for the bank; the old one is on the revocation list."""
    with face.store.write() as connection:
        return {"pem": face.bank.keys.renew(connection).decode()}


@routes.post("/admin/signing-certificate")
async def renew_signing(request: web.Request) -> web.Response:
    """``{}``: the bank signs with a new certificate, and its old one is revoked."""
    face = request.app[FACE]
    await order(request)
    return web.json_response(await face.call(renew, face))
