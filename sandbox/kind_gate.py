"""The door to the other kinds of REST channel: who may, with what signed; how errors look; the
bank's own signature.

Sources: RFC 9457 (problem details); Open Banking Read-Write API Profile 4.0 (errors, message
signing: ``x-jws-signature`` with the claims iat, iss and tan in ``crit``).
"""

from __future__ import annotations

import base64
import email.utils
import json
import time
import uuid
from collections.abc import Callable

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from . import http_signature, jose, kinds, oauth, soap_keys
from .kinds import Terms
from .rest_base import FACE, ApiError, Face, contract
from .xmltext import leaf, tag

CLAIMS = {name: f"http://openbanking.org.uk/{name}" for name in ("iat", "iss", "tan")}
IAT_SECONDS = 300
SIGNED_ANSWER = ["digest", "x-request-id", "date"]
SIGNATURE_HEADERS = ("Digest", "Signature", "Signature-Certificate", "x-jws-signature")
# The codes of version 4.0 for what this bank calls otherwise on its other channels.
OBIE_CODES = {
    "FORMAT_ERROR": "U010", "HEADER_INVALID": "U006", "HEADER_MISSING": "U007",
    "RESOURCE_UNKNOWN": "U011", "SIGNATURE_INVALID": "U015", "SIGNATURE_CLAIM": "U016",
    "SIGNATURE_CLAIM_MISSING": "U017", "SIGNATURE_MALFORMED": "U018", "SIGNATURE_MISSING": "U019",
    "STATUS_INVALID": "U009"}


@web.middleware
async def gate(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Let a contract through to its own kind of channel only, and sign what it is answered."""
    own, on_channel = contract(request), request.path.startswith(kinds.PREFIXES)
    if on_channel != bool(own["terms"]):
        raise ApiError(403, "SERVICE_BLOCKED", "This contract is for "
                       + ("another channel" if own["terms"] else "the Berlin Group's interface"))
    if not on_channel or request.path.startswith("/oauth2/"):
        return await handler(request)
    terms = request["terms"] = kinds.read(own["terms"])
    face = request.app[FACE]
    try:
        body = await request.read()
        await face.call(_judge, face, request, terms, body)
        response = await handler(request)
    except ApiError as error:
        response = error_answer(terms, error)
    except web.HTTPRequestEntityTooLarge:
        response = error_answer(terms, ApiError(413, "FORMAT_ERROR", "The body is too large"))
    except web.HTTPNotFound:
        response = error_answer(terms, ApiError(404, "SERVICE_INVALID", "There is nothing here"))
    except web.HTTPMethodNotAllowed:
        response = error_answer(terms, ApiError(405, "SERVICE_INVALID", "Not offered here"))
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID") or str(uuid.uuid4())
    response.headers["Date"] = email.utils.formatdate(usegmt=True)
    interaction = request.headers.get("x-fapi-interaction-id")
    if interaction:
        response.headers["x-fapi-interaction-id"] = interaction
    if terms.signature != "none":
        request["sign"] = lambda answer, signer="signing": _sign(face, terms, answer, signer)
        await face.call(request["sign"], response)
    return response


def _judge(face: Face, request: web.Request, terms: Terms, body: bytes) -> None:
    connection, own = face.store.read(), contract(request)
    channel = kinds.find(connection, own["id"])
    if terms.oauth:
        oauth.check_token(face, request, terms)
    elif terms.auth == "api_key":
        oauth.check_api_key(request, channel)
    if terms.signature == "http":
        certificates = soap_keys.standing(connection, own["id"], "signing")
        try:
            http_signature.verify(request.method, request.raw_path, request.headers, body,
                                  certificates)
        except http_signature.BadSignature as error:
            code = "SIGNATURE_MISSING" if error.missing else "SIGNATURE_INVALID"
            raise ApiError(401, code, str(error), "Signature") from error
    elif terms.signature == "jws" and body:
        _judge_jws(request.headers.getall("x-jws-signature", []), body,
                   oauth.signing_keys(connection, own["id"]), channel["client_id"])


def _judge_jws(values: list[str], body: bytes, keys: dict, issuer: str) -> None:
    if not values:
        raise ApiError(400, "SIGNATURE_MISSING", "x-jws-signature is missing", "x-jws-signature")
    if len(values) > 1:
        raise ApiError(400, "SIGNATURE_MALFORMED", "x-jws-signature is there more than once")
    try:
        header, _payload = jose.verify(values[0], keys, detached=body, need_kid=True,
                                       understood=("b64", *CLAIMS.values()),
                                       algorithms=("PS256",))
        for name in CLAIMS.values():
            if name not in header or name not in header.get("crit", []):
                raise jose.BadJose("missing", f"{name} must be there, and in crit")
        moment = header[CLAIMS["iat"]]
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise jose.BadJose("claim", f"{CLAIMS['iat']} must be a number")
        if abs(time.time() - moment) > IAT_SECONDS:
            raise jose.BadJose("claim", f"{CLAIMS['iat']} is more than five minutes off")
        if header[CLAIMS["iss"]] != issuer:
            raise jose.BadJose("claim", f"{CLAIMS['iss']} must be {issuer}")
        if header[CLAIMS["tan"]] != kinds.TRUST_ANCHOR:
            raise jose.BadJose("claim", f"{CLAIMS['tan']} must be {kinds.TRUST_ANCHOR}")
    except jose.BadJose as error:
        code = {"malformed": "SIGNATURE_MALFORMED", "missing": "SIGNATURE_CLAIM_MISSING",
                "claim": "SIGNATURE_CLAIM", "invalid": "SIGNATURE_INVALID"}[error.code]
        raise ApiError(400, code, str(error), "x-jws-signature") from error


def error_answer(terms: Terms, error: ApiError) -> web.Response:
    """An error in the form of the kind."""
    if terms.errors == "tpp":
        return error.response()
    text, headers = error.text[:500], error.headers
    if terms.errors == "xml":
        content = tag("Errors", tag("Error", leaf("Code", error.code), leaf("Text", text)))
        return web.Response(text=content, status=error.status, headers=headers,
                            content_type="application/xml")
    if terms.errors == "problem":
        return web.Response(
            text=json.dumps({"type": "about:blank", "title": error.code, "detail": text,
                             "status": error.status, "code": error.code}),
            status=error.status, headers=headers, content_type="application/problem+json")
    item = {"ErrorCode": OBIE_CODES.get(error.code, error.code), "Message": text}
    if error.path:
        item["Path"] = error.path
    return web.json_response(
        {"Code": f"{error.status}", "Id": str(uuid.uuid4()), "Message": text, "Errors": [item]},
        status=error.status, headers=headers)


def _sign(face: Face, terms: Terms, response: web.Response, name: str) -> None:
    """Sign an answer with one of the bank's certificates (see soap_keys.BankKeys.load)."""
    signer, body = face.bank.keys.load(name), bytes(response.body or b"")
    der = signer.certificate.public_bytes(Encoding.DER)
    if terms.signature == "jws":
        if body:
            response.headers["x-jws-signature"] = jose.sign(body, signer.key, {
                "kid": kinds.thumbprint(der), CLAIMS["iat"]: int(time.time()),
                CLAIMS["iss"]: kinds.TRUST_ANCHOR, CLAIMS["tan"]: kinds.TRUST_ANCHOR,
                "crit": list(CLAIMS.values())}, detached=True)
        return
    response.headers["Digest"] = http_signature.digest(body)
    response.headers["Signature"] = http_signature.sign(
        SIGNED_ANSWER, response.headers, signer.certificate, signer.key)
    response.headers["Signature-Certificate"] = base64.b64encode(der).decode()
