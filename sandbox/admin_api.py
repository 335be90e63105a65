"""The bank's own desk, as JSON: clock, ledger, payments, faults. On loopback only."""

from __future__ import annotations

import re
import sqlite3
from decimal import Decimal, InvalidOperation

from aiohttp import web

from . import (
    clock,
    customers,
    execution,
    iban,
    issue_camt,
    ledger,
    money,
    soap_keys,
    triggers,
)
from .rest_base import FACE, Face

routes = web.RouteTableDef()
CODE = re.compile(r"[A-Z]{2}\d{2}")
PAYMENTS = """
SELECT payment.id, end_to_end_id, uetr, payment.amount, payment.currency, creditor_name,
    creditor_account, payment.status, payment.reason, payment.information, execution_date,
    submission.contract_id, message_id, submission.id AS submission_id,
    account.iban AS debtor_account,
    (SELECT COUNT(*) FROM entry_detail
     WHERE payment_id = payment.id AND role = 'executed') AS executed,
    (SELECT COUNT(*) FROM entry_detail
     WHERE payment_id = payment.id AND role = 'returned') AS returned
FROM payment
JOIN block ON block.id = block_id
JOIN submission ON submission.id = submission_id
LEFT JOIN account ON account.id = account_id
"""


async def order(request: web.Request) -> dict:
    """The JSON object of an order.

    Only JSON is taken: a page of another site can't make a browser send it here.

    :raises ValueError: it is none.
    """
    if request.content_type != "application/json":
        raise ValueError("send application/json")
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")
    return body


def clock_state(face: Face) -> dict:
    """The bank's time, and what it has to do next."""
    connection = face.store.read()
    due = connection.execute(
        "SELECT kind, due_at FROM event WHERE done_at IS NULL ORDER BY due_at, id LIMIT 1"
    ).fetchone()
    failed = connection.execute(
        "SELECT id, kind, ref, error FROM event WHERE error IS NOT NULL").fetchall()
    return {"now": clock.stamp(clock.now(connection)) + "Z",
            "mode": "real" if clock.is_real(connection) else "simulated",
            "next": {"kind": due["kind"], "due": due["due_at"] + "Z"} if due else None,
            "failedEvents": [dict(row) for row in failed]}


@routes.get("/admin/clock")
async def show_clock(request: web.Request) -> web.Response:
    """The clock."""
    face = request.app[FACE]
    return web.json_response(await face.call(clock_state, face))


def advance(face: Face, body: dict) -> dict:
    """Put the clock forward, doing all that falls due on the way.

    :raises ValueError: the order is wrong.
    """
    # First everything that is due already: it belongs to the time before.
    events = face.engine.run_due()
    if body:
        moment = clock.target(clock.now(face.store.read()), body)
        events += face.engine.advance(moment)
    return {**clock_state(face), "events": events}


@routes.post("/admin/clock")
async def advance_clock(request: web.Request) -> web.Response:
    """Advance; an empty object only carries out what is due now. Answers when all is done."""
    face = request.app[FACE]
    return web.json_response(await face.call(advance, face, await order(request)))


def payments(connection: sqlite3.Connection, condition: str = "1 = 1",
             values: tuple = (), limit: int = 200_000) -> list[dict]:
    """Payments with what became of them; the counts come from the ledger's entries.

    :param condition: SQL with placeholders for ``values``; never from outside.
    """
    rows = connection.execute(
        f"{PAYMENTS} WHERE {condition} ORDER BY payment.id DESC LIMIT ?",
        (*values, limit)).fetchall()
    return [{"id": row["id"], "endToEndId": row["end_to_end_id"], "uetr": row["uetr"],
             "amount": money.text(row["amount"], row["currency"]), "currency": row["currency"],
             "creditorName": row["creditor_name"], "creditorAccount": row["creditor_account"],
             "debtorAccount": row["debtor_account"], "status": row["status"],
             "reason": row["reason"], "information": row["information"],
             "executionDate": row["execution_date"], "contract": row["contract_id"],
             "messageId": row["message_id"], "paymentId": row["submission_id"],
             "executed": row["executed"], "returned": row["returned"]} for row in rows]


@routes.get("/admin/executions/{end_to_end_id}")
async def executions(request: web.Request) -> web.Response:
    """How often was this end-to-end id executed, returned, rejected?"""
    face = request.app[FACE]
    found = await face.call(lambda: payments(
        face.store.read(), "end_to_end_id = ?", (request.match_info["end_to_end_id"],)))
    return web.json_response({
        "endToEndId": request.match_info["end_to_end_id"],
        "executed": sum(item["executed"] for item in found),
        "returned": sum(item["returned"] for item in found),
        "rejected": sum(item["status"] == "RJCT" for item in found), "payments": found})


@routes.get("/admin/payments")
async def list_payments(request: web.Request) -> web.Response:
    """All payments, the newest first; ``contract`` and ``status`` narrow the list."""
    face = request.app[FACE]
    given = request.query.get("contract", ""), request.query.get("status", "")
    found = await face.call(lambda: payments(
        face.store.read(), "? IN ('', submission.contract_id) AND ? IN ('', payment.status)",
        given))
    return web.json_response({"payments": found})


@routes.get("/admin/submissions")
async def list_submissions(request: web.Request) -> web.Response:
    """Every file that came and was stored, in the order of arrival."""
    face = request.app[FACE]

    def work() -> list[dict]:
        return [{"paymentId": row["id"], "contract": row["contract_id"], "key": row["request_id"],
                 "messageId": row["message_id"], "sha256": row["sha256"],
                 "status": row["status"], "receivedAt": row["received_at"] + "Z"}
                for row in face.store.read().execute("SELECT * FROM submission ORDER BY seq")]

    return web.json_response({"submissions": await face.call(work)})


@routes.get("/admin/documents")
async def list_documents(request: web.Request) -> web.Response:
    """Every document ever issued, in the order of issue, and whether it was acknowledged."""
    face = request.app[FACE]

    def work() -> list[dict]:
        return [{"id": row["id"], "contract": row["contract_id"], "kind": row["kind"],
                 "name": row["name"], "sha256": row["sha256"],
                 "acknowledged": row["acknowledged_at"] is not None}
                for row in face.store.read().execute(
                    "SELECT id, contract_id, kind, name, sha256, acknowledged_at FROM document"
                    " ORDER BY seq")]

    return web.json_response({"documents": await face.call(work)})


def release(face: Face, payment_id: int, body: dict) -> dict:
    """Release a held payment, or reject it with a reason.

    :raises ValueError: it is not held, or the reason is no code.
    """
    reason = body.get("reason")
    if body.get("outcome", "execute") not in ("execute", "reject"):
        raise ValueError("outcome is execute or reject")
    if body.get("outcome") == "reject":
        reason = reason or "NARR"
        if reason != "NARR" and not CODE.fullmatch(str(reason)):
            raise ValueError("reason is a code like AC04")
    else:
        reason = None
    with face.store.write() as connection:
        present = clock.now(connection)
        execution.release(connection, payment_id, present, present, reason)
    face.engine.run_due()
    return payments(face.store.read(), "payment.id = ?", (payment_id,))[0]


@routes.post("/admin/payments/{payment_id:\\d+}/release")
async def release_payment(request: web.Request) -> web.Response:
    """``{}`` executes, ``{"outcome": "reject", "reason": "AC06"}`` rejects."""
    face = request.app[FACE]
    return web.json_response(await face.call(
        release, face, int(request.match_info["payment_id"]), await order(request)))


@routes.get("/admin/ledger")
async def show_ledger(request: web.Request) -> web.Response:
    """The trial balance, recomputed from the postings."""
    face = request.app[FACE]
    return web.json_response(await face.call(trial_balance, face))


def trial_balance(face: Face) -> dict:
    """The ledger's trial balance with amounts as text."""
    found = ledger.trial_balance(face.store.read())
    for account in found["accounts"]:
        for name in ("balance", "debits", "credits"):
            account[name] = str(money.to_decimal(account[name], account["currency"]))
    found["sums"] = {currency: str(money.to_decimal(total, currency))
                     for currency, total in found["sums"].items()}
    return found


def book(face: Face, body: dict, sign: int) -> dict:
    """Book an incoming payment (sign 1), or a debit or fee (sign -1), on a customer's account.

    :raises ValueError: unknown account, wrong amount.
    """
    try:
        amount = Decimal(str(body.get("amount", "")))
    except InvalidOperation:
        raise ValueError("amount must be a number") from None
    if not amount.is_finite() or not 0 < amount <= money.MOST:
        raise ValueError(f"amount must be more than zero and at most {money.MOST}")
    data = {name: str(body[key])[:140] for name, key in (
        ("name", "name"), ("iban", "fromIban"), ("remittance", "remittance"),
        ("end_to_end_id", "endToEndId")) if body.get(key)}
    if "iban" in data and not iban.is_valid(data["iban"]):
        raise ValueError(f"{data['iban']} is not a valid IBAN")
    with face.store.write() as connection:
        account = connection.execute(
            "SELECT * FROM account WHERE iban = ?", (str(body.get("iban", "")),)).fetchone()
        if account is None:
            raise ValueError(f"{body.get('iban')!r} is no account of this bank")
        present = clock.now(connection)
        minor = sign * money.to_minor(amount, account["currency"])
        against = "fees" if sign < 0 and body.get("fee", True) else "clearing"
        entry = customers.credit(connection, account["id"], minor, present, against,
                                 str(body.get("remittance") or body.get("text") or "")[:140],
                                 data)
        issue_camt.notify(connection, [entry], present)
        reference = connection.execute(
            "SELECT reference FROM entry WHERE id = ?", (entry,)).fetchone()["reference"]
    return {"reference": reference}


@routes.post("/admin/credit")
async def credit(request: web.Request) -> web.Response:
    """``{"iban", "amount", "name", "fromIban", "remittance", "endToEndId"}``: money comes in."""
    face = request.app[FACE]
    return web.json_response(await face.call(book, face, await order(request), 1))


@routes.post("/admin/debit")
async def debit(request: web.Request) -> web.Response:
    """``{"iban", "amount", "text", "fee": true}``: a fee, or with ``fee`` false a debit."""
    face = request.app[FACE]
    return web.json_response(await face.call(book, face, await order(request), -1))


@routes.get("/admin/triggers")
async def show_triggers(_request: web.Request) -> web.Response:
    """The trigger accounts."""
    return web.json_response({"triggers": [
        {"name": trigger.name, "digits": triggers.mark(trigger), "action": trigger.action,
         "reason": trigger.reason, "text": trigger.text, "example": iban.make("DE", trigger.name)}
        for trigger in triggers.TRIGGERS]})


@routes.get("/admin/faults")
async def show_faults(request: web.Request) -> web.Response:
    """The fault plan."""
    face = request.app[FACE]
    return web.json_response({"faults": await face.call(face.faults.list)})


@routes.get("/admin/faults/counts")
async def count_faults(request: web.Request) -> web.Response:
    """How often each kind of fault has happened."""
    face = request.app[FACE]
    counts = await face.call(face.faults.counts)
    return web.json_response({"total": sum(counts.values()), "kinds": counts})


@routes.post("/admin/faults")
async def add_fault(request: web.Request) -> web.Response:
    """Add a rule or a plan by seed (see faults.py)."""
    face = request.app[FACE]
    number = await face.call(face.faults.add, await order(request))
    return web.json_response({"id": number}, status=201)


@routes.delete("/admin/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Take all rules out of force, or the one named by ``id``."""
    face = request.app[FACE]
    number = request.query.get("id")
    await face.call(face.faults.clear, int(number) if number else None)
    return web.Response(status=204)


@routes.post("/admin/contracts/{contract_id}/revoke-certificate")
async def revoke(request: web.Request) -> web.Response:
    """Revoke every certificate of a contract."""
    face = request.app[FACE]
    await order(request)

    def work() -> int:
        with face.store.write() as connection:
            contract_id = request.match_info["contract_id"]
            return soap_keys.revoke(connection, contract_id) + connection.execute(
                "UPDATE certificate SET revoked_at = ? WHERE contract_id = ?"
                " AND revoked_at IS NULL",
                (clock.stamp(clock.wall()), contract_id)).rowcount

    return web.json_response({"revoked": await face.call(work)})
