"""Answers gone wrong: what the fault plan does to a finished answer on its way out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import uuid

from aiohttp import web

GIB = 1024 ** 3
DRIPS = 50
SIGNATURES = ("Signature", "x-jws-signature", "Signature-Certificate")
FLOOD = b" " * 65536


async def spoil(request: web.Request, response: web.Response,
                rules: list[dict]) -> web.StreamResponse:
    """Carry out what is left of the fault plan once an answer is ready, headers and all.

    :raises ConnectionError: the answer went out broken, and the connection is gone.
    """
    for rule in rules:
        action = rule["action"]
        if action == "garbage":
            response = _like(response, b"<html><body>Maintenance</body></html>", "text/html", 200)
        elif action == "digest":
            wrong = hashlib.sha256(b"something else").digest()
            response.headers["Digest"] = f"SHA-256={base64.b64encode(wrong).decode()}"
        elif action == "media_type":
            response.headers["Content-Type"] = "text/plain; charset=utf-8"
        elif action in ("list_twice", "list_reversed"):
            response = _relist(response, action)
            if "sign" in request:
                request["sign"](response)
        elif action in ("other", "other_number"):
            own = response.headers["X-Request-ID"]
            response = request["other_answer"] or _like(response, _body(response),
                                                        response.content_type, response.status)
            other = response.headers.get("X-Other", str(uuid.uuid4()))
            response.headers["X-Request-ID"] = own if action == "other_number" else other
        elif action == "twice":
            await _twice(request, response)
        elif action == "truncate":
            await _truncate(request, response)
        elif action == "drip":
            await _drip(request, response, rule.get("seconds", 5))
        elif action == "flood":
            await _flood(request, response, rule.get("bytes", 2 * GIB))
    return response


def sign_wrongly(request: web.Request, response: web.Response, rules: list[dict]) -> None:
    """Carry out the part of the fault plan that is about the signature of an answer."""
    sign = request.get("sign")
    for rule in rules if sign else ():
        action = rule["action"]
        if action == "unsigned":
            for name in SIGNATURES:
                response.headers.pop(name, None)
        elif action in ("stranger", "expired_signer"):
            sign(response, "stranger" if action == "stranger" else "signing-expired")
        elif action == "content_signature":
            for name in SIGNATURES[:2]:
                if name in response.headers:
                    response.headers[name] = _other_signature(response.headers[name])


def _other_signature(value: str) -> str:
    """The same length and alphabet, another signature."""
    at = len(value) - 12  # in front of what may be padding
    return f"{value[:at]}{'A' if value[at] != 'A' else 'B'}{value[at + 1:]}"


def remember(request: web.Request, response: web.Response, answers: dict) -> None:
    """Keep an answer, so that it can be given to a later request of the same kind."""
    contract = request.get("contract")
    kind = (contract and contract["id"], request.method,
            getattr(request.match_info.route.resource, "canonical", ""))
    request["other_answer"] = answers.get(kind)
    copy = _like(response, _body(response), response.content_type, response.status)
    copy.headers["X-Other"] = request.headers.get("X-Request-ID", "")
    answers[kind] = copy


def _body(response: web.Response) -> bytes:
    return bytes(response.body or b"")


def _like(response: web.Response, body: bytes, content_type: str, status: int) -> web.Response:
    copy = web.Response(body=body, status=status, content_type=content_type)
    for name in ("X-Request-ID", "Date", "Digest", *SIGNATURES):
        if name in response.headers:
            copy.headers[name] = response.headers[name]
    return copy


def _relist(response: web.Response, action: str) -> web.Response:
    data = json.loads(_body(response))
    listed = data["documents"]
    data["documents"] = listed[::-1] if action == "list_reversed" else [
        item for item in listed for _time in range(2)]
    return _like(response, json.dumps(data).encode(), "application/json", response.status)


async def _open(request: web.Request, response: web.Response,
                length: int | None) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status)
    for name in ("X-Request-ID", "Date", "Content-Type", "Digest", *SIGNATURES):
        if name in response.headers:
            stream.headers[name] = response.headers[name]
    if length is not None:
        stream.content_length = length
    await stream.prepare(request)
    return stream


def _cut(request: web.Request, words: str) -> ConnectionAbortedError:
    if request.transport:
        request.transport.close()
    return ConnectionAbortedError(words)


async def _truncate(request: web.Request, response: web.Response) -> None:
    body = _body(response) or b"{}"
    half = await _open(request, response, len(body))
    await half.write(body[:len(body) // 2])
    raise _cut(request, "cut short by the fault plan")


async def _drip(request: web.Request, response: web.Response, seconds: float) -> None:
    body = _body(response)
    stream = await _open(request, response, len(body))
    step = max(1, len(body) // DRIPS)
    for start in range(0, len(body), step):
        await stream.write(body[start:start + step])
        await asyncio.sleep(seconds * step / max(1, len(body)))
    raise _cut(request, "dripped by the fault plan")


async def _flood(request: web.Request, response: web.Response, size: int) -> None:
    stream = await _open(request, response, None)
    for _chunk in range(0, size, len(FLOOD)):
        await stream.write(FLOOD)
    raise _cut(request, "flooded by the fault plan")


async def _twice(request: web.Request, response: web.Response) -> None:
    """Write the whole answer by hand after the answer itself."""
    body = _body(response)
    await response.prepare(request)
    await response.write_eof()
    head = [f"HTTP/1.1 {response.status} {response.reason}",
            *(f"{name}: {value}" for name, value in response.headers.items()), "", ""]
    if request.transport:
        request.transport.write("\r\n".join(head).encode("latin-1") + body)
