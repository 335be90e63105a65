"""The token endpoint: OAuth 2.0 client credentials, and tokens bound to the TLS certificate.

Sources: RFC 6749 (sections 2.3, 4.4, 5), RFC 6750 (section 3), RFC 7523 (section 3: assertions),
RFC 8705 (sections 2 and 3: mutual TLS), RFC 9068 (a token that is a JWT).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import sqlite3
import uuid
from datetime import timedelta, timezone
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from . import clock, jose, kinds, soap_keys
from .rest_base import FACE, ApiError, Face, contract

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_SECONDS = 60
LONGEST_ASSERTION_SECONDS = 3600
SCOPES = ("accounts", "payments")
routes = web.RouteTableDef()


class Refused(Exception):
    """An error of RFC 6749, section 5.2."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def signing_keys(connection: sqlite3.Connection, contract_id: str) -> dict:
    """The public keys that sign for a contract, by ``x5t#S256`` of their certificates."""
    return {kinds.thumbprint(certificate.public_bytes(Encoding.DER)): certificate.public_key()
            for certificate in soap_keys.standing(connection, contract_id, "signing")}


def _form(request: web.Request, body: bytes) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused("invalid_request", "send application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise Refused("invalid_request", "the form is malformed") from error
    if len({name for name, _value in pairs}) != len(pairs):
        raise Refused("invalid_request", "a parameter is there twice")
    return {name: value for name, value in pairs if value}


def _basic(request: web.Request) -> tuple[str, str] | None:
    """Client id and secret, each form-encoded before they were put together (section 2.3.1)."""
    value = request.headers.get("Authorization", "")
    if not value:
        return None
    scheme, _space, text = value.partition(" ")
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise Refused("invalid_client", "the Authorization header is malformed") from error
    if scheme.lower() != "basic" or not colon:
        raise Refused("invalid_client", "the Authorization header is not Basic")
    return unquote_plus(user), unquote_plus(password)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _authenticate(connection: sqlite3.Connection, terms: kinds.Terms, channel: sqlite3.Row,
                  basic: tuple[str, str] | None, form: dict[str, str],
                  audiences: tuple[str, ...]) -> None:
    """The client shows who it is in the one way that is agreed.

    :raises Refused: in another way, in two, or wrongly.
    """
    ways = [name for name, there in (
        ("secret_basic", basic), ("secret_post", "client_secret" in form),
        ("private_key_jwt", "client_assertion" in form)) if there]
    if len(ways) > 1:
        raise Refused("invalid_request", "one way to authenticate the client, not two")
    if (ways or ["tls"])[0] != terms.auth:
        raise Refused("invalid_client", f"this client authenticates by {terms.auth}")
    client = channel["client_id"]
    if form.get("client_id", client) != client:
        raise Refused("invalid_client", "client_id is not that of this certificate's contract")
    if terms.auth == "secret_basic":
        if not (_same(basic[0], client) and _same(basic[1], channel["client_secret"])):
            raise Refused("invalid_client", "client id or secret is wrong")
    elif terms.auth == "secret_post":
        if "client_id" not in form or not _same(form["client_secret"], channel["client_secret"]):
            raise Refused("invalid_client", "client id or secret is wrong")
    elif terms.auth == "tls":
        if "client_id" not in form:  # RFC 8705, section 2: always there
            raise Refused("invalid_client", "client_id is missing")
    else:
        _check_assertion(connection, channel, form, audiences)


def _check_assertion(connection: sqlite3.Connection, channel: sqlite3.Row,
                     form: dict[str, str], audiences: tuple[str, ...]) -> None:
    if form.get("client_assertion_type") != ASSERTION:
        raise Refused("invalid_client", f"client_assertion_type must be {ASSERTION}")
    keys = signing_keys(connection, channel["contract_id"])
    try:
        _header, payload = jose.verify(form["client_assertion"], keys)
        claims = jose.json_object(payload)
    except jose.BadJose as error:
        raise Refused("invalid_client", f"client_assertion: {error}") from error
    client, present = channel["client_id"], clock.wall()
    if claims.get("iss") != client or claims.get("sub") != client:
        raise Refused("invalid_client", "client_assertion: iss and sub must be the client id")
    named = claims.get("aud")
    if not {*(named if isinstance(named, list) else [named])} & {*audiences}:
        raise Refused("invalid_client", f"client_assertion: aud must be {audiences[0]}")
    now = present.replace(tzinfo=timezone.utc).timestamp()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, None if name == "exp" else now)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("invalid_client", f"client_assertion: {name} is missing or no number")
        if name == "exp" and not now - LEEWAY_SECONDS < value <= now + LONGEST_ASSERTION_SECONDS:
            raise Refused("invalid_client", "client_assertion: expired, or good for too long")
        if name != "exp" and value > now + LEEWAY_SECONDS:
            raise Refused("invalid_client", f"client_assertion: {name} lies ahead")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise Refused("invalid_client", "client_assertion: jti is missing")
    try:
        connection.execute("INSERT INTO assertion (client_id, jti, received_at) VALUES (?, ?, ?)",
                           (client, jti, clock.stamp(present)))
    except sqlite3.IntegrityError as error:
        raise Refused("invalid_client", "client_assertion: it was used before") from error


def _moment(connection: sqlite3.Connection, terms: kinds.Terms):
    return clock.wall() if terms.bearer_clock == "real" else clock.now(connection)


def _grant(face: Face, own: sqlite3.Row, terms: kinds.Terms, basic: tuple[str, str] | None,
           form: dict[str, str], bound: str, audiences: tuple[str, ...]) -> dict:
    with face.store.write() as connection:
        channel = kinds.find(connection, own["id"])
        _authenticate(connection, terms, channel, basic, form, audiences)
        if form.get("grant_type") != "client_credentials":
            raise Refused("unsupported_grant_type", "grant_type must be client_credentials")
        scope = form.get("scope", " ".join(SCOPES))
        if not {*scope.split(" ")} <= {*SCOPES}:
            raise Refused("invalid_scope", f"there are: {', '.join(SCOPES)}")
        present = _moment(connection, terms)
        until = present + timedelta(seconds=terms.bearer_seconds)
        token = secrets.token_urlsafe(32)
        if terms.bearer_form == "jwt":
            signer = face.bank.keys.load("signing")
            epoch = [int(m.replace(tzinfo=timezone.utc).timestamp())
                     for m in (present, until)]
            token = jose.sign(json.dumps({
                "iss": audiences[-1], "sub": channel["client_id"], "aud": audiences[-1],
                "client_id": channel["client_id"], "scope": scope, "iat": epoch[0],
                "exp": epoch[1], "jti": str(uuid.uuid4()), "cnf": {"x5t#S256": bound},
            }).encode(), signer.key, {
                "typ": "at+jwt",
                "kid": kinds.thumbprint(signer.certificate.public_bytes(Encoding.DER))})
        connection.execute(
            "INSERT INTO token (sha256, contract_id, thumbprint, scope, expires_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (hashlib.sha256(token.encode()).hexdigest(), own["id"], bound, scope,
             clock.stamp(until)))
    return {"access_token": token, "token_type": "Bearer", "expires_in": terms.bearer_seconds,
            "scope": scope}


@routes.post("/oauth2/token")
async def token(request: web.Request) -> web.Response:
    """A token for client credentials."""
    face, own = request.app[FACE], contract(request)
    terms = kinds.read(own["terms"])
    if not terms.oauth:
        raise ApiError(404, "RESOURCE_UNKNOWN", "This contract needs no token")
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    base = f"https://{request.host}"
    try:
        form = _form(request, await request.read())
        answer = await face.call(_grant, face, own, terms, _basic(request), form,
                                 request["thumbprint"], (base + "/oauth2/token", base))
    except Refused as error:
        status = 401 if error.code == "invalid_client" else 400
        if status == 401 and "Authorization" in request.headers:
            headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        return web.json_response({"error": error.code, "error_description": str(error)},
                                 status=status, headers=headers)
    return web.json_response(answer, headers=headers)


def _unauthorised(code: str, text: str) -> ApiError:
    challenge = 'Bearer realm="sandbox"'
    if code != "TOKEN_MISSING":
        challenge += f', error="invalid_token", error_description="{text}"'
    return ApiError(401, code, text, "Authorization", {"WWW-Authenticate": challenge})


def check_token(face: Face, request: web.Request, terms: kinds.Terms) -> None:
    """A resource is for who has a token, on the certificate for which it was issued.

    :raises ApiError: 401 with a challenge; 403 for a scope that it does not have.
    """
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if not value or scheme.lower() != "bearer":
        raise _unauthorised("TOKEN_MISSING", "A bearer token is needed")
    connection = face.store.read()
    row = connection.execute(
        "SELECT * FROM token WHERE sha256 = ?",
        (hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest(),)).fetchone()
    if row is None or row["contract_id"] != contract(request)["id"]:
        raise _unauthorised("TOKEN_UNKNOWN", "The token is not one of this contract")
    if row["thumbprint"] != request["thumbprint"]:
        raise _unauthorised("TOKEN_INVALID", "The token is bound to another certificate")
    if row["revoked_at"]:
        raise _unauthorised("TOKEN_INVALID", "The token was revoked")
    if row["expires_at"] <= clock.stamp(_moment(connection, terms)):
        raise _unauthorised("TOKEN_EXPIRED", "The token has expired")
    needed = "accounts" if request.path.startswith(("/api/accounts", "/api/reports")) \
        else "payments"
    if needed not in row["scope"].split(" "):
        raise ApiError(403, "SCOPE_INVALID", f"The token has not the scope {needed}", headers={
            "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'})


def check_api_key(request: web.Request, channel: sqlite3.Row) -> None:
    """:raises ApiError: 401 for another key."""
    if not _same(request.headers.get("X-Api-Key", ""), channel["api_key"]):
        raise ApiError(401, "API_KEY_INVALID", "The API key is missing or wrong", "X-Api-Key")


def revoke(connection: sqlite3.Connection, contract_id: str) -> int:
    """Revoke all tokens of a contract; return how many."""
    return connection.execute(
        "UPDATE token SET revoked_at = ? WHERE contract_id = ? AND revoked_at IS NULL",
        (clock.stamp(clock.wall()), contract_id)).rowcount
