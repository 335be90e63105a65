"""Payments over REST: submit, ask, cancel."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import sqlite3
from datetime import timedelta

from aiohttp import web

from . import clock, execution, intake, issue_pain002
from .rest_base import FACE, ApiError, Face, apply_faults, contract, request_id, wants_xml

KEY_WINDOW = timedelta(hours=24)
routes = web.RouteTableDef()
IN_FLIGHT = web.AppKey("in_flight", set)


def _check_path(request: web.Request) -> tuple[str, str]:
    service, product = request.match_info["service"], request.match_info["product"]
    if product not in intake.PRODUCTS:
        raise ApiError(404, "PRODUCT_UNKNOWN", f"This bank does not offer {product}")
    return service, product


def _check_headers(request: web.Request) -> None:
    if request.content_type != "application/xml":
        raise ApiError(415, "FORMAT_ERROR", "The body must be application/xml", "Content-Type")
    try:
        ipaddress.ip_address(request.headers.get("PSU-IP-Address", ""))
    except ValueError:
        raise ApiError(400, "FORMAT_ERROR", "PSU-IP-Address must be an IP address",
                       "PSU-IP-Address") from None
    if request.headers.get("PSU-Corporate-ID") != contract(request)["id"]:
        raise ApiError(401, "CORPORATE_ID_INVALID",
                       "PSU-Corporate-ID is not the contract of this certificate",
                       "PSU-Corporate-ID")
    if (request.content_length or 0) > intake.MAX_BYTES:
        raise ApiError(413, "FORMAT_ERROR", f"More than {intake.MAX_BYTES} bytes")


def _check_digest(request: web.Request, body: bytes) -> None:
    digest = request.headers.get("Digest", "")
    if not digest:
        return
    own = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if digest.partition("=")[0].upper() != "SHA-256" or digest.partition("=")[2] != own:
        raise ApiError(400, "FORMAT_ERROR", "The Digest header does not fit the body", "Digest")


def known(connection: sqlite3.Connection, contract_id: str, key: str) -> sqlite3.Row | None:
    """The latest file that came under a key."""
    return connection.execute(
        "SELECT * FROM submission WHERE contract_id = ? AND request_id = ?"
        " ORDER BY seq DESC LIMIT 1", (contract_id, key)).fetchone()


def _replayed(connection: sqlite3.Connection, contract_id: str, key: str,
              body: bytes) -> str | None:
    """The payment id of the same request within the window."""
    old = known(connection, contract_id, key)
    if old is None or clock.parse(old["received_at"]) + KEY_WINDOW < clock.now(connection):
        return None
    if old["sha256"] != hashlib.sha256(body).hexdigest():
        raise ApiError(422, "PARAMETER_NOT_CONSISTENT",
                       "This X-Request-ID was used for another body", "X-Request-ID")
    return old["id"]


def _file(face: Face, contract_id: str, key: str, service: str, product: str,
          head: intake.Head, body: bytes) -> str:
    with face.store.write() as connection:
        replayed = _replayed(connection, contract_id, key, body)
        if replayed:
            return replayed
        return intake.file(connection, contract_id, key, service, product, head, body,
                           clock.now(connection))


def _admit(service: str, body: bytes) -> intake.Head:
    try:
        head = intake.admit(body)
    except intake.Inadmissible as error:
        raise ApiError(400, "FORMAT_ERROR", str(error)) from error
    if service == "payments" and head.transactions > 1:
        raise ApiError(400, "FORMAT_ERROR",
                       "More than one payment: send them to bulk-payments")
    return head


@routes.post("/v1/{service:payments|bulk-payments}/{product}")
async def submit(request: web.Request) -> web.Response:
    """Take a pain.001. What is answered with 201 is stored for good."""
    face, contract_id, key = request.app[FACE], contract(request)["id"], request_id(request)
    service, product = _check_path(request)
    _check_headers(request)
    in_flight = request.app[IN_FLIGHT]
    if (contract_id, key) in in_flight:
        raise ApiError(409, "STATUS_INVALID", "The same request is being worked on",
                       "X-Request-ID")
    in_flight.add((contract_id, key))
    try:
        body = await request.read()
        _check_digest(request, body)
        head = await face.call(_admit, service, body)
        request["message_id"] = head.message_id
        await apply_faults(request, "before_commit")
        payment_id = await face.call(_file, face, contract_id, key, service, product, head, body)
    finally:
        in_flight.discard((contract_id, key))
    face.engine.wake()
    path = f"/v1/{service}/{product}/{payment_id}"
    return web.json_response(
        {"transactionStatus": "RCVD", "paymentId": payment_id,
         "_links": {"self": {"href": path}, "status": {"href": f"{path}/status"}}},
        status=201, headers={"Location": path, "ASPSP-SCA-Approach": "EMBEDDED"})


def _find(request: web.Request) -> sqlite3.Row:
    service, product = _check_path(request)
    row = request.app[FACE].store.read().execute(
        "SELECT * FROM submission WHERE id = ? AND contract_id = ?",
        (request.match_info["payment_id"], contract(request)["id"])).fetchone()
    if row is None or row["service"] != service or row["product"] != product:
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such payment")
    return row


RESOURCE = "/v1/{service:payments|bulk-payments}/{product}/{payment_id}"


@routes.get(RESOURCE + "/status")
async def status(request: web.Request) -> web.Response:
    """The status, as JSON or as a pain.002 that lists every payment."""
    face = request.app[FACE]
    row = await face.call(_find, request)
    if not wants_xml(request):
        return web.json_response({"transactionStatus": row["status"]})

    def report() -> bytes:
        with face.store.write() as connection:
            return issue_pain002.render(connection, row, clock.now(connection))[2]

    return web.Response(body=await face.call(report), content_type="application/xml")


@routes.get(RESOURCE)
async def read(request: web.Request) -> web.Response:
    """The pain.001 as it was received; a summary if the client asks for JSON."""
    row = await request.app[FACE].call(_find, request)
    if "json" in request.headers.get("Accept", ""):
        return web.json_response(_summary(row))
    return web.Response(body=row["body"], content_type="application/xml")


@routes.delete(RESOURCE)
async def cancel(request: web.Request) -> web.Response:
    """Cancel a file of which nothing has been executed."""
    face = request.app[FACE]
    row = await face.call(_find, request)

    def work() -> bool:
        with face.store.write() as connection:
            present = clock.now(connection)
            return execution.cancel(connection, row["id"], present, present)

    if not await face.call(work):
        raise ApiError(405, "CANCELLATION_INVALID",
                       "The payment can't be cancelled: it is not accepted yet, or it is final")
    return web.Response(status=204)


def _summary(row: sqlite3.Row) -> dict:
    return {"paymentId": row["id"], "paymentService": row["service"],
            "paymentProduct": row["product"], "transactionStatus": row["status"],
            "messageId": row["message_id"], "sha256": row["sha256"],
            "receivedAt": row["received_at"] + "Z"}


@routes.get("/v1/submissions/{key}")
async def inquire(request: web.Request) -> web.Response:
    """Do you have it? The latest file that came under a key (not in the Berlin Group's core)."""
    face = request.app[FACE]

    def work() -> sqlite3.Row | None:
        return known(face.store.read(), contract(request)["id"],
                      request.match_info["key"].lower())

    row = await face.call(work)
    if row is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "Nothing was received under this X-Request-ID")
    return web.json_response(_summary(row))
