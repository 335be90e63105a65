"""Files of payments in three steps: a consent with the file's hash, the file, the order.

Source: Open Banking Read-Write API Specification 4.0, file-payment-consents and file-payments,
and its Data API Profile (idempotency keys are good for 24 hours). What differs: a company's
consent is authorised beforehand, or at the desk, and never by a redirection of a browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import uuid
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from . import clock, intake, jose, kind_bodies
from .clock import stamp
from .kind_payments import SERVICE, admit, key_of, product_of, report_of, within
from .kinds import OBIE, Terms
from .rest_base import FACE, ApiError, Face, apply_faults, contract

CONSENTS, ORDERS = f"{OBIE}/file-payment-consents", f"{OBIE}/file-payments"
routes = web.RouteTableDef()


def _wrong(code: str, text: str, path: str | None = None) -> ApiError:
    return ApiError(400, code, text, path)


def _terms(request: web.Request) -> Terms:
    terms = request["terms"]
    if terms.body != "files":
        raise ApiError(404, "SERVICE_INVALID", "This contract has no file payments")
    return terms


async def _data(request: web.Request) -> dict:
    if request.content_type != "application/json":
        raise ApiError(415, "FORMAT_ERROR", "The body must be application/json", "Content-Type")
    try:
        data = jose.json_object(await request.read(), exact=True).get("Data")
    except jose.BadJose as error:
        raise _wrong("U010", str(error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("Initiation"), dict):
        raise _wrong("U004", "Data.Initiation is missing", "Data.Initiation")
    return data


def _check_initiation(initiation: dict) -> None:
    path = "Data.Initiation."
    for name, pattern in (("FileType", r"[A-Za-z0-9.]{1,100}"),
                          ("FileHash", r"[A-Za-z0-9+/]{43}="),
                          ("NumberOfTransactions", r"[0-9]{1,15}")):
        value = initiation.get(name)
        if value is None:
            # The standard asks for type and hash; this bank also wants what it compares.
            raise _wrong("U004", f"{name} is missing", path + name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _wrong("U002", f"{name} is not of the agreed form", path + name)
    total = initiation.get("ControlSum")
    if total is None:
        raise _wrong("U004", "ControlSum is missing", path + "ControlSum")
    if isinstance(total, bool) or not isinstance(total, int | Decimal):
        raise _wrong("U002", "ControlSum is a number", path + "ControlSum")
    if not re.search(r"pain\.001\.001\.(03|09)$", initiation["FileType"]):
        raise _wrong("U002", "This bank takes pain.001.001.03 and pain.001.001.09",
                     path + "FileType")


def _plain(value: object) -> object:
    """A canonical form to compare by: 10.50 and 10.5 are the same number."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return value


def _text(value: dict) -> str:
    """JSON with numbers as they came, digit by digit; ``json`` itself can't write a Decimal."""
    numbers: list[Decimal] = []
    mark = uuid.uuid4().hex

    def keep(number: object) -> str:
        numbers.append(number)
        return f"{mark}:{len(numbers) - 1}"

    text = json.dumps(value, default=keep)
    return re.sub(rf'"{mark}:(\d+)"', lambda match: str(numbers[int(match[1])]), text)


def _find(connection: sqlite3.Connection, contract_id: str, consent_id: str) -> sqlite3.Row:
    row = connection.execute("SELECT * FROM consent WHERE id = ? AND contract_id = ?",
                             (consent_id, contract_id)).fetchone()
    if row is None:
        raise ApiError(404, "U011", "There is no such consent")
    return row


def _moment(text: str) -> str:
    return text + "+00:00"


def _answer(data: dict, path: str, status: int = 200) -> web.Response:
    # As text: numbers of the customer's go back as they came.
    text = f'{{"Data": {_text(data)}, "Links": {{"Self": {json.dumps(path)}}}, "Meta": {{}}}}'
    return web.Response(text=text, status=status, content_type="application/json")


def _consent(row: sqlite3.Row) -> dict:
    return {"ConsentId": row["id"], "CreationDateTime": _moment(row["created_at"]),
            "Status": row["status"], "StatusUpdateDateTime": _moment(row["changed_at"]),
            "Initiation": jose.json_object(row["initiation"].encode(), exact=True)}


def _set(connection: sqlite3.Connection, consent_id: str, status: str, present: datetime,
         **more: object) -> None:
    values = {"status": status, "changed_at": stamp(present), **more}
    connection.execute(
        f"UPDATE consent SET {', '.join(f'{name} = ?' for name in values)}"  # noqa: S608
        " WHERE id = ?", (*values.values(), consent_id))


def _new_consent(face: Face, contract_id: str, key: str, initiation: dict) -> sqlite3.Row:
    with face.store.write() as connection:
        present = clock.now(connection)
        old = connection.execute(
            "SELECT * FROM consent WHERE contract_id = ? AND request_id = ?"
            " ORDER BY created_at DESC", (contract_id, key)).fetchone()
        if old is not None and within(old, "created_at", present):
            before = jose.json_object(old["initiation"].encode(), exact=True)
            if _plain(before) != _plain(initiation):
                raise _wrong("U006", "This key was used for another consent",
                             "x-idempotency-key")
            return old
        consent_id = f"FPC-{uuid.uuid4()}"
        connection.execute(
            "INSERT INTO consent (id, contract_id, request_id, initiation, status, created_at,"
            " changed_at) VALUES (?, ?, ?, ?, 'AWUP', ?, ?)",
            (consent_id, contract_id, key, _text(initiation), stamp(present), stamp(present)))
        return _find(connection, contract_id, consent_id)


@routes.post(CONSENTS)
async def create(request: web.Request) -> web.Response:
    """A consent that waits for its file."""
    face, key = request.app[FACE], key_of(request, _terms(request))
    initiation = (await _data(request))["Initiation"]
    _check_initiation(initiation)
    await apply_faults(request, "before_commit")
    row = await face.call(_new_consent, face, contract(request)["id"], key, initiation)
    return _answer(_consent(row), f"{CONSENTS}/{row['id']}", 201)


@routes.get(CONSENTS + "/{consent_id}")
async def show(request: web.Request) -> web.Response:
    """The consent as it stands."""
    _terms(request)
    face, consent_id = request.app[FACE], request.match_info["consent_id"]
    row = await face.call(
        lambda: _find(face.store.read(), contract(request)["id"], consent_id))
    return _answer(_consent(row), f"{CONSENTS}/{row['id']}")


def _upload(face: Face, request: web.Request, terms: Terms, key: str, body: bytes) -> None:
    with face.store.write() as connection:
        present = clock.now(connection)
        row = _find(connection, contract(request)["id"], request.match_info["consent_id"])
        if row["file"] is not None and row["file_request_id"] == key:
            if bytes(row["file"]) != body:
                raise _wrong("U006", "This key was used for another file", "x-idempotency-key")
            return
        if row["status"] != "AWUP" or not within(row, "created_at", present):
            raise _wrong("U009", f"The consent does not wait for a file: {row['status']}")
        initiation = jose.json_object(row["initiation"].encode(), exact=True)
        _check_file(initiation, body)
        approved = terms.approval == "none"
        _set(connection, row["id"], "AUTH" if approved else "AWAU", present, file=body,
             file_request_id=key)


def _check_file(initiation: dict, body: bytes) -> None:
    if base64.b64encode(hashlib.sha256(body).digest()).decode() != initiation["FileHash"]:
        raise _wrong("U014", "FileHash is not that of this file", "Data.Initiation.FileHash")
    head = admit(body)
    if not initiation["FileType"].endswith(head.message_name or "?"):
        raise _wrong("U014", f"FileType is not that of this file, {head.message_name}",
                     "Data.Initiation.FileType")
    try:
        count, total = kind_bodies.totals(body)
    except kind_bodies.BadBody as error:
        raise _wrong("U010", str(error)) from error
    if int(initiation["NumberOfTransactions"]) != count:
        raise _wrong("U014", f"NumberOfTransactions is not that of this file, {count}",
                     "Data.Initiation.NumberOfTransactions")
    if Decimal(initiation["ControlSum"]) != total:
        raise _wrong("U014", f"ControlSum is not that of this file, {total}",
                     "Data.Initiation.ControlSum")


@routes.post(CONSENTS + "/{consent_id}/file")
async def upload(request: web.Request) -> web.Response:
    """The file, which must be the one of the consent."""
    terms, face = _terms(request), request.app[FACE]
    key = key_of(request, terms)
    if request.content_type not in ("application/xml", "text/xml"):
        raise ApiError(415, "FORMAT_ERROR", "The file must be application/xml", "Content-Type")
    body = await request.read()
    await apply_faults(request, "before_commit")
    await face.call(_upload, face, request, terms, key, body)
    return web.Response(status=200)


def _order(face: Face, contract_id: str, key: str, data: dict) -> tuple[sqlite3.Row, sqlite3.Row]:
    with face.store.write() as connection:
        present = clock.now(connection)
        row = _find(connection, contract_id, str(data.get("ConsentId", "")))
        if _plain(data["Initiation"]) != _plain(
                jose.json_object(row["initiation"].encode(), exact=True)):
            raise _wrong("U008", "Initiation is not that of the consent", "Data.Initiation")
        used = connection.execute(
            "SELECT consent.id, received_at FROM consent JOIN submission ON submission.id ="
            " submission_id WHERE consent.contract_id = ? AND order_request_id = ?"
            " ORDER BY received_at DESC", (contract_id, key)).fetchone()
        if used is not None and used["id"] != row["id"] and within(used, "received_at", present):
            raise _wrong("U006", "This key was used for another order", "x-idempotency-key")
        if row["submission_id"] is None:
            if row["status"] != "AUTH":
                raise _wrong("U009", f"The consent is not authorised: {row['status']}")
            if not within(row, "created_at", present):
                raise _wrong("U009", "The consent is older than 24 hours")
            content = bytes(row["file"])
            submission = intake.file(connection, contract_id, key, SERVICE, product_of(content),
                                     intake.admit(content), content, present)
            _set(connection, row["id"], "COND", present, submission_id=submission,
                 order_request_id=key)
        elif row["order_request_id"] != key or used is None or \
                not within(used, "received_at", present):
            raise _wrong("U009", "The consent was used for an order before")
        row = _find(connection, contract_id, row["id"])
        return row, connection.execute("SELECT * FROM submission WHERE id = ?",
                                       (row["submission_id"],)).fetchone()


def _file_payment(consent: sqlite3.Row, submission: sqlite3.Row) -> dict:
    return {"FilePaymentId": submission["id"], "ConsentId": consent["id"],
            "CreationDateTime": _moment(submission["received_at"]),
            "Status": submission["status"],
            "StatusUpdateDateTime": _moment(consent["changed_at"]),
            "Initiation": jose.json_object(consent["initiation"].encode(), exact=True)}


@routes.post(ORDERS)
async def order(request: web.Request) -> web.Response:
    """The order: what is answered with 201 will be carried out."""
    face, key = request.app[FACE], key_of(request, _terms(request))
    data = await _data(request)
    await apply_faults(request, "before_commit")
    consent, submission = await face.call(_order, face, contract(request)["id"], key, data)
    face.engine.wake()
    return _answer(_file_payment(consent, submission), f"{ORDERS}/{submission['id']}", 201)


def _ordered(request: web.Request) -> tuple[sqlite3.Row, sqlite3.Row]:
    connection = request.app[FACE].store.read()
    values = (request.match_info["payment_id"], contract(request)["id"])
    consent = connection.execute(
        "SELECT * FROM consent WHERE submission_id = ? AND contract_id = ?", values).fetchone()
    if consent is None:
        raise ApiError(404, "U011", "There is no such file payment")
    return consent, connection.execute("SELECT * FROM submission WHERE id = ?",
                                       values[:1]).fetchone()


@routes.get(ORDERS + "/{payment_id}")
async def read(request: web.Request) -> web.Response:
    """The order with its status."""
    _terms(request)
    consent, submission = await request.app[FACE].call(_ordered, request)
    return _answer(_file_payment(consent, submission), f"{ORDERS}/{submission['id']}")


@routes.get(ORDERS + "/{payment_id}/report-file")
async def report(request: web.Request) -> web.Response:
    """The pain.002 of all payments."""
    _terms(request)
    face = request.app[FACE]
    _consent_row, submission = await face.call(_ordered, request)
    return web.Response(body=await face.call(report_of, face, submission),
                        content_type="application/xml")


def approve(connection: sqlite3.Connection, consent_id: str, agreed: bool) -> str:
    """The desk authorises a consent that waits for it, or turns it down; returns its status.

    :raises ValueError: it does not wait.
    """
    row = connection.execute("SELECT * FROM consent WHERE id = ?", (consent_id,)).fetchone()
    if row is None or row["status"] != "AWAU":
        raise ValueError(f"{consent_id} does not wait to be authorised")
    status = "AUTH" if agreed else "RJCT"
    _set(connection, consent_id, status, clock.now(connection))
    return status
