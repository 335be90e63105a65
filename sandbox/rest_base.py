"""What every answer of the REST face has in common: identity, errors, headers, faults.

Source: Berlin Group, NextGenPSD2 XS2A Framework 1.3.11, OpenAPI file: headers and
``tppMessages``.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import sqlite3
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from . import clock, kinds
from .bank import Bank
from .engine import Engine
from .fault_answers import remember, sign_wrongly, spoil
from .faults import Facts, FaultPlan

T = TypeVar("T")
KILLED = 86  # the exit code of a process that the fault plan ended


class ApiError(Exception):
    """An error that is answered as ``tppMessages``.

    :ivar path: the header or parameter at fault.
    """

    def __init__(self, status: int, code: str, text: str, path: str | None = None,
                 headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.path = status, code, text, path
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The answer."""
        message = {"category": "ERROR", "code": self.code, "text": self.text[:500]}
        if self.path:
            message["path"] = self.path
        return web.json_response({"tppMessages": [message]}, status=self.status,
                                 headers=self.headers)


class Face:
    """Everything that the handlers need; one for each server process."""

    def __init__(self, bank: Bank, engine: Engine, faults: FaultPlan) -> None:
        self.bank, self.engine, self.faults = bank, engine, faults
        self.store = bank.store
        self.answers: dict = {}  # the last answer of each kind, for a fault that mixes them up
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="request")

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run blocking work (the database, parsing) outside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, function, *arguments)

    def close(self) -> None:
        """Wait for work under way."""
        self._pool.shutdown()


FACE = web.AppKey("face", Face)


def contract(request: web.Request) -> sqlite3.Row:
    """The contract on whose behalf the request comes."""
    return request["contract"]


def request_id(request: web.Request) -> str:
    """The request's key.

    :raises ApiError: X-Request-ID is missing or no UUID.
    """
    value = request.headers.get("X-Request-ID", "")
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise ApiError(400, "FORMAT_ERROR", "X-Request-ID must be a UUID",
                       "X-Request-ID") from None


def moment_parameter(request: web.Request, name: str) -> datetime | None:
    """A date and time from the query.

    :raises ApiError: it is none.
    """
    value = request.query.get(name)
    if not value:
        return None
    try:
        # A plus sign of a time zone arrives as a space when the client did not quote it.
        return clock.parse(value.replace(" ", "+"))
    except ValueError:
        raise ApiError(400, "FORMAT_ERROR", f"{name} must be an ISO 8601 date and time",
                       name) from None


def wants_xml(request: web.Request) -> bool:
    """Whether the client asks for XML rather than JSON.

    :raises ApiError: it accepts neither.
    """
    accept = request.headers.get("Accept", "*/*")
    if "application/xml" in accept:
        return True
    if "json" in accept or "*/*" in accept or "application/*" in accept:
        return False
    raise ApiError(406, "REQUESTED_FORMATS_INVALID",
                   "This bank answers in application/json or application/xml", "Accept")


async def apply_faults(request: web.Request, point: str,
                       message_id: str | None = None) -> list[dict]:
    """Carry out the fault plan at a point; return the rules left for the answer.

    :raises ApiError: the plan says to answer with an error.
    :raises ConnectionAbortedError: the plan cut the connection.
    """
    face = request.app[FACE]
    facts = request.get("facts") or Facts(
        request.method, request.path,
        request.headers.get(request.get("key_header", "X-Request-ID"), ""),
        message_id or request.get("message_id"))
    left = []
    for rule in await face.call(face.faults.consult, point, facts):
        action = rule["action"]
        if action == "delay":
            await asyncio.sleep(rule.get("seconds", 1))
        elif action == "drop":
            if request.transport:
                request.transport.abort()
            raise ConnectionAbortedError("dropped by the fault plan")
        elif action == "error":
            raise ApiError(rule.get("status", 500), "INTERNAL_SERVER_ERROR",
                           "An error ordered by the fault plan")
        elif action == "busy":
            raise ApiError(429, "ACCESS_EXCEEDED", "Too many requests",
                           headers={"Retry-After": str(rule.get("retry_after", 1))})
        elif action == "exit":
            os._exit(KILLED)
        else:
            left.append(rule)
    return left


async def _identify(request: web.Request) -> None:
    face = request.app[FACE]
    tls = request.transport.get_extra_info("ssl_object") if request.transport else None
    der = tls.getpeercert(binary_form=True) if tls else None
    found = await face.call(face.bank.identify, der)
    if found is None:
        raise ApiError(401, "CERTIFICATE_INVALID", "The certificate belongs to no contract")
    if found["revoked_at"]:
        raise ApiError(401, "CERTIFICATE_REVOKED",
                       f"The certificate was revoked at {found['revoked_at']}Z")
    request["contract"], request["thumbprint"] = found, kinds.thumbprint(der)
    if found["terms"]:
        request["key_header"] = kinds.read(found["terms"]).key or "X-Request-ID"


async def _answer(request: web.Request, handler: Callable) -> web.StreamResponse:
    await _identify(request)
    await apply_faults(request, "before_read")
    if not contract(request)["terms"]:
        request_id(request)
    response = await handler(request)
    request["spoil"] = await apply_faults(request, "after_commit")
    return response


@web.middleware
async def envelope(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Identify the customer, carry out the fault plan, and give every answer its headers."""
    try:
        response = await _answer(request, handler)
    except ApiError as error:
        response = error.response()
    except web.HTTPRequestEntityTooLarge:
        response = ApiError(413, "FORMAT_ERROR", "The document is too large").response()
    except web.HTTPMethodNotAllowed:
        response = ApiError(405, "SERVICE_INVALID",
                            f"{request.method} is not offered here").response()
    except web.HTTPNotFound:
        response = ApiError(404, "RESOURCE_UNKNOWN", "There is nothing here").response()
    except ConnectionAbortedError:
        return web.Response(status=500)
    except Exception:
        traceback.print_exc()
        response = ApiError(500, "INTERNAL_SERVER_ERROR", "The bank had a fault").response()
    # What a kind of channel has signed stays as it is.
    response.headers.setdefault("X-Request-ID", request.headers.get("X-Request-ID", ""))
    response.headers.setdefault("Date", email.utils.formatdate(usegmt=True))
    face = request.app[FACE]
    if face.faults.active:
        remember(request, response, face.answers)
    try:
        rules = request.get("spoil", [])
        await face.call(sign_wrongly, request, response, rules)
        return await spoil(request, response, rules)
    except ConnectionError:
        return web.Response(status=500)


def json_body(data: bytes) -> Any:
    """JSON from a body.

    :raises ApiError: it is none.
    """
    try:
        return json.loads(data or b"{}")
    except ValueError as error:
        raise ApiError(400, "FORMAT_ERROR", f"Not JSON: {error}") from error
