"""Payments over the other kinds of REST channel: one request with a file in some form."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
import uuid
from datetime import datetime

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from . import clock, execution, intake, issue_pain002, jose, kind_bodies, kinds, oauth
from .kinds import Terms
from .rest_base import FACE, ApiError, Face, apply_faults, contract
from .rest_payments import IN_FLIGHT, KEY_WINDOW, known
from .xmltext import leaf, tag

SERVICE = "bulk-payments"
routes = web.RouteTableDef()


def product_of(content: bytes) -> str:
    """The product is not named on these channels: the message says what it wants."""
    return intake.INSTANT if b"<Cd>INST</Cd>" in content else intake.CROSS_BORDER


def key_of(request: web.Request, terms: Terms) -> str:
    """The idempotency key; a new one where the bank knows none.

    :raises ApiError: it is missing or not well formed.
    """
    if not terms.key:
        return str(uuid.uuid4())
    values = request.headers.getall(terms.key, [])
    if not values:
        raise ApiError(400, "HEADER_MISSING", f"{terms.key} is missing", terms.key)
    limit = terms.key_length
    if len(values) > 1 or not re.fullmatch(rf"[A-Za-z0-9._:-]{{1,{limit}}}", values[0]):
        raise ApiError(400, "HEADER_INVALID",
                       f"{terms.key} must be 1 to {limit} letters, digits, - _ . or :", terms.key)
    return values[0].lower()


def within(row: sqlite3.Row, name: str, present: datetime) -> bool:
    """Whether a moment of a row is not further away than the window of a key."""
    return clock.parse(row[name]) + KEY_WINDOW >= present


def admit(content: bytes) -> intake.Head:
    """:raises ApiError: what no bank could file."""
    try:
        return intake.admit(content)
    except intake.Inadmissible as error:
        raise ApiError(400, "FORMAT_ERROR", str(error)) from error


def _unseal(face: Face, own: sqlite3.Row):
    bank = face.bank.keys.load("encryption")
    kid = kinds.thumbprint(bank.certificate.public_bytes(Encoding.DER))

    def work(token: str) -> bytes:
        _header, inner = jose.unseal(token, bank.key, kid)
        keys = oauth.signing_keys(face.store.read(), own["id"])
        return jose.verify(inner.decode("latin-1"), keys)[1]

    return work


def _open(face: Face, request: web.Request, terms: Terms, body: bytes) -> bytes:
    if request.content_type not in kind_bodies.media_types(terms.body):
        raise ApiError(415, "FORMAT_ERROR",
                       f"The body must be {kind_bodies.media_types(terms.body)[0]}",
                       "Content-Type")
    try:
        return kind_bodies.open_body(
            terms.body, request.content_type, request.headers["Content-Type"], body,
            _unseal(face, contract(request)))
    except kind_bodies.BadBody as error:
        raise ApiError(400, "FORMAT_ERROR", str(error)) from error


def _file(face: Face, contract_id: str, terms: Terms, key: str, head: intake.Head,
          content: bytes) -> str:
    """Store a file, or find it by its key."""
    with face.store.write() as connection:
        present = clock.now(connection)
        old = known(connection, contract_id, key) if terms.key else None
        if old is not None and within(old, "received_at", present):
            if terms.duplicate == "refuse":
                raise ApiError(409, "DUPLICATE", f"This {terms.key} was used before: payment "
                               f"{old['id']}", terms.key)
            if old["sha256"] != hashlib.sha256(content).hexdigest():
                raise ApiError(422, "KEY_CONFLICT",
                               f"This {terms.key} was used for another content", terms.key)
            return old["id"]
        return intake.file(connection, contract_id, key, SERVICE, product_of(content), head,
                           content, present)


def show(terms: Terms, status: int, told: dict, headers: dict | None = None) -> web.Response:
    """An answer in JSON or XML, as the kind has it."""
    if terms.errors != "xml":
        return web.json_response(told, status=status, headers=headers)
    text = tag("Response", *(leaf(name[0].upper() + name[1:], value)
                             for name, value in told.items() if value is not None))
    return web.Response(text=text, status=status, headers=headers,
                        content_type="application/xml")


@routes.post("/api/payments")
async def submit(request: web.Request) -> web.Response:
    """Take a file. What is answered with 201 is stored for good."""
    face, terms, contract_id = request.app[FACE], request["terms"], contract(request)["id"]
    if terms.body == "files":
        raise ApiError(404, "SERVICE_INVALID", "On this channel a file needs a consent")
    key = key_of(request, terms)
    in_flight = request.app[IN_FLIGHT]
    if (contract_id, key) in in_flight:
        raise ApiError(409, "STATUS_INVALID", "The same request is being worked on", terms.key)
    in_flight.add((contract_id, key))
    try:
        content = await face.call(_open, face, request, terms, await request.read())
        head = await face.call(admit, content)
        request["message_id"] = head.message_id
        await apply_faults(request, "before_commit")
        payment_id = await face.call(_file, face, contract_id, terms, key, head, content)
    finally:
        in_flight.discard((contract_id, key))
    face.engine.wake()
    return show(terms, 201, {"paymentId": payment_id, "transactionStatus": "RCVD"},
                {"Location": f"/api/payments/{payment_id}"})


def _find(request: web.Request) -> sqlite3.Row:
    row = request.app[FACE].store.read().execute(
        "SELECT * FROM submission WHERE id = ? AND contract_id = ?",
        (request.match_info["payment_id"], contract(request)["id"])).fetchone()
    if row is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such payment")
    return row


def report_of(face: Face, row: sqlite3.Row) -> bytes:
    """The pain.002 of a file as it stands, with every payment."""
    with face.store.write() as connection:
        return issue_pain002.render(connection, row, clock.now(connection))[2]


def _summary(row: sqlite3.Row) -> dict:
    return {"paymentId": row["id"], "transactionStatus": row["status"],
            "messageId": row["message_id"], "sha256": row["sha256"],
            "receivedAt": row["received_at"] + "Z"}


@routes.get("/api/payments/{payment_id}")
async def read(request: web.Request) -> web.Response:
    """What is known of a file."""
    row = await request.app[FACE].call(_find, request)
    return show(request["terms"], 200, _summary(row))


@routes.get("/api/payments/{payment_id}/status")
async def status(request: web.Request) -> web.Response:
    """The status: a pain.002 for who accepts XML, else one word; where files travel as base64,
    both in one answer."""
    face, terms = request.app[FACE], request["terms"]
    row = await face.call(_find, request)
    told = {"paymentId": row["id"], "transactionStatus": row["status"]}
    packed = terms.body in ("xml_base64", "json")
    if not packed and "xml" not in request.headers.get("Accept", ""):
        return show(terms, 200, told)
    report = await face.call(report_of, face, row)
    if packed:
        return show(terms, 200, {**told, "report": base64.b64encode(report).decode()})
    return web.Response(body=report, content_type="application/xml")


@routes.get("/api/keys/{key}")
async def inquire(request: web.Request) -> web.Response:
    """Do you have it? The latest file that came under a key."""
    face, terms = request.app[FACE], request["terms"]
    if not terms.key:
        raise ApiError(404, "SERVICE_INVALID", "This bank knows no keys")
    row = await face.call(lambda: known(face.store.read(), contract(request)["id"],
                                        request.match_info["key"].lower()))
    if row is None:
        raise ApiError(404, "PAYMENT_UNKNOWN", f"Nothing was received under this {terms.key}")
    return show(terms, 200, _summary(row))


@routes.delete("/api/payments/{payment_id}")
async def cancel(request: web.Request) -> web.Response:
    """Cancel a file of which nothing has been executed."""
    face = request.app[FACE]
    row = await face.call(_find, request)

    def work() -> bool:
        with face.store.write() as connection:
            present = clock.now(connection)
            return execution.cancel(connection, row["id"], present, present)

    if not await face.call(work):
        raise ApiError(409, "CANCELLATION_INVALID",
                       "The payment can't be cancelled: it is not accepted yet, or it is final")
    return web.Response(status=204)
