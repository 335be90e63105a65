"""Accounts, mailbox and contract over REST."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import date

from aiohttp import web

from . import clock, customers, documents, intake, issue_camt, money
from .calendar import booking_date
from .rest_base import FACE, ApiError, Face, contract, moment_parameter, wants_xml

routes = web.RouteTableDef()
PAGE = 100


def _check_consent(request: web.Request) -> None:
    given = request.headers.get("Consent-ID")
    if not given:
        raise ApiError(400, "FORMAT_ERROR", "Consent-ID is missing", "Consent-ID")
    if given != contract(request)["consent_id"]:
        raise ApiError(403, "CONSENT_UNKNOWN", "This consent is not the contract's", "Consent-ID")


def account_of(face: Face, request: web.Request) -> sqlite3.Row:
    """The account that the path names.

    :raises ApiError: it is not one of the contract's.
    """
    row = face.store.read().execute(
        "SELECT * FROM account WHERE id = ? AND contract_id = ?",
        (request.match_info["account_id"], contract(request)["id"])).fetchone()
    if row is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such account")
    return row


@routes.get("/v1/accounts")
async def accounts(request: web.Request) -> web.Response:
    """The contract's accounts."""
    _check_consent(request)
    face = request.app[FACE]
    found = await face.call(
        lambda: customers.describe(face.store.read(), contract(request)["id"])["accounts"])
    for item in found:
        path = f"/v1/accounts/{item['resourceId']}"
        item["_links"] = {"balances": {"href": f"{path}/balances"},
                          "transactions": {"href": f"{path}/transactions"}}
    return web.json_response({"accounts": found})


def _balances(face: Face, request: web.Request) -> dict:
    account = account_of(face, request)
    connection = face.store.read()
    amount = str(money.to_decimal(account["balance"], account["currency"]))
    day = clock.now(connection).date().isoformat()
    return {"account": {"iban": account["iban"], "currency": account["currency"]},
            "balances": [{"balanceType": kind, "referenceDate": day, "balanceAmount": {
                "currency": account["currency"], "amount": amount}}
                for kind in ("interimBooked", "interimAvailable")]}


@routes.get("/v1/accounts/{account_id}/balances")
async def balances(request: web.Request) -> web.Response:
    """The present balance."""
    _check_consent(request)
    face = request.app[FACE]
    return web.json_response(await face.call(_balances, face, request))


def day_parameter(request: web.Request, name: str, default: date | None) -> date:
    """A date from the query.

    :raises ApiError: it is none, or it is missing without a default.
    """
    value = request.query.get(name)
    try:
        if value:
            return date.fromisoformat(value)
    except ValueError:
        default = None
    if default is None:
        raise ApiError(400, "FORMAT_ERROR", f"{name} must be a date, YYYY-MM-DD", name)
    return default


def _transactions(face: Face, request: web.Request, xml: bool) -> bytes | dict:
    account = account_of(face, request)
    wanted = request.query.get("bookingStatus", "")
    if wanted not in ("booked", "pending", "both"):
        raise ApiError(400, "FORMAT_ERROR", "bookingStatus must be booked, pending or both",
                       "bookingStatus")
    with face.store.write() as connection:
        present = clock.now(connection)
        start = day_parameter(request, "dateFrom", None)
        today = booking_date(present)
        end = day_parameter(request, "dateTo", max(start, today))
        if end < start:
            raise ApiError(400, "FORMAT_ERROR", "dateTo is before dateFrom", "dateTo")
        if xml and start == end == today:
            return issue_camt.report(connection, account["id"], start, present)[1]
        if xml:
            return issue_camt.history(connection, account["id"], start, end, present)[1]
        lists = {}
        if wanted in ("booked", "both"):
            lists["booked"] = [
                booked(row) for details in issue_camt.entries(
                    connection, "entry.account_id = ? AND opening = 0"
                    " AND entry.booking_date BETWEEN ? AND ?",
                    (account["id"], start.isoformat(), end.isoformat())) for row in details]
        if wanted in ("pending", "both"):
            lists["pending"] = [_pending(row) for row in connection.execute(
                "SELECT payment.* FROM payment JOIN block ON block.id = block_id"
                " WHERE account_id = ? AND status IN ('ACCP', 'ACSP', 'PDNG')",
                (account["id"],))]
    lists["_links"] = {"account": {"href": f"/v1/accounts/{account['id']}"}}
    return {"account": {"iban": account["iban"]}, "transactions": lists}


def _pending(row: sqlite3.Row) -> dict:
    return {"endToEndId": row["end_to_end_id"], "creditorName": row["creditor_name"] or "",
            "transactionAmount": {"currency": row["currency"], "amount":
                                  "-" + money.text(row["amount"], row["currency"])}}


def booked(row: sqlite3.Row) -> dict:
    """One transaction of an account in the Berlin Group's words."""
    data = json.loads(row["data"]) if row["data"] else {}
    item = {
        "entryReference": row["reference"],
        "endToEndId": row["end_to_end_id"] or data.get("end_to_end_id"),
        "bookingDate": row["booking_date"], "valueDate": row["value_date"],
        "transactionAmount": {"currency": row["currency"], "amount":
                              str(money.to_decimal(row["amount"], row["currency"]))},
        "creditorName": row["creditor_name"],
        "debtorName": row["debtor_name"] or data.get("name"),
        "remittanceInformationUnstructured": data.get("remittance"),
        "additionalInformation": row["information"],
        "bankTransactionCode": row["code"].replace("/", "-")}
    return {key: value for key, value in item.items() if value}


@routes.get("/v1/accounts/{account_id}/transactions")
async def transactions(request: web.Request) -> web.Response:
    """Booked entries as JSON, or camt.052 (today) and camt.053 (any other span) as XML."""
    _check_consent(request)
    face, xml = request.app[FACE], wants_xml(request)
    answer = await face.call(_transactions, face, request, xml)
    if xml:
        return web.Response(body=answer, content_type="application/xml")
    return web.json_response(answer)


def _list(face: Face, request: web.Request) -> dict:
    wanted = request.query.get("status", "new")
    if wanted not in ("new", "all"):
        raise ApiError(400, "FORMAT_ERROR", "status must be new or all", "status")
    kinds = [kind for kind in request.query.get("kind", "").split(",") if kind]
    try:
        after = int(request.query.get("after", "0"))
        limit = min(max(int(request.query.get("limit", PAGE)), 1), 1000)
    except ValueError:
        raise ApiError(400, "FORMAT_ERROR", "after and limit must be numbers") from None
    rows = documents.find(face.store.read(), contract(request)["id"], kinds=kinds,
                          since=moment_parameter(request, "since"), unread=wanted == "new",
                          after=after, limit=limit + 1)
    answer: dict = {"documents": [
        {"id": row["id"], "kind": row["kind"], "messageName": row["message_name"],
         "name": row["name"], "created": row["created_at"] + "Z", "size": row["size"],
         "sha256": row["sha256"], "status": "acknowledged" if row["acknowledged_at"] else "new",
         "_links": {"self": {"href": f"/v1/documents/{row['id']}"}}}
        for row in rows[:limit]]}
    if len(rows) > limit:
        following = request.rel_url.update_query(after=str(rows[limit - 1]["seq"]))
        answer["_links"] = {"next": {"href": str(following)}}
    return answer


@routes.get("/v1/documents")
async def mailbox(request: web.Request) -> web.Response:
    """What the bank has issued (not in the Berlin Group's core)."""
    face = request.app[FACE]
    return web.json_response(await face.call(_list, face, request))


@routes.get("/v1/documents/{document_id}")
async def document(request: web.Request) -> web.Response:
    """One document's bytes."""
    face = request.app[FACE]
    row = await face.call(lambda: documents.get(
        face.store.read(), contract(request)["id"], request.match_info["document_id"]))
    if row is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such document")
    digest = base64.b64encode(bytes.fromhex(row["sha256"])).decode()
    kind = "xml" if row["content"][:1] == b"<" else "octet-stream"
    return web.Response(body=row["content"], content_type=f"application/{kind}",
                        headers={"Digest": f"SHA-256={digest}"})


@routes.delete("/v1/documents/{document_id}")
async def acknowledge(request: web.Request) -> web.Response:
    """Say that a document has arrived; it stays, and is no longer listed as new."""
    face = request.app[FACE]

    def work() -> bool:
        with face.store.write() as connection:
            return documents.acknowledge(connection, contract(request)["id"],
                                         request.match_info["document_id"],
                                         clock.now(connection))

    if not await face.call(work):
        raise ApiError(404, "RESOURCE_UNKNOWN", "There is no such document")
    return web.Response(status=204)


@routes.get("/v1/contract")
async def show_contract(request: web.Request) -> web.Response:
    """What this contract may do (not in the Berlin Group's core)."""
    face, own = request.app[FACE], contract(request)

    def work() -> dict:
        connection = face.store.read()
        return {**customers.describe(connection, own["id"]),
                "serverTime": clock.stamp(clock.wall()) + "Z",
                "bankTime": clock.stamp(clock.now(connection)) + "Z",
                "products": list(intake.PRODUCTS),
                "limits": {"maxBytes": intake.MAX_BYTES,
                           "maxTransactions": intake.MAX_TRANSACTIONS},
                "certificate": {"notAfter": own["not_after"] + "Z"}}

    return web.json_response(await face.call(work))
