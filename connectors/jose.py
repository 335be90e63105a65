"""Signed (JWS, RFC 7515 and 7797) and sealed (JWE, RFC 7516) contents, with `joserfc`.

What is allowed is listed here and never taken from a message: no "none", no HMAC, and keys from
the settings only (a header's ``jwk``, ``jku``, ``x5c`` and ``x5u`` are not looked at).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from .keys import ALGORITHMS, SigningKey, fits, jose_key

KEY_WRAP, CONTENT_CIPHER = "RSA-OAEP-256", "A256GCM"  # RFC 7518, 4.3 and 5.3
_MAX_HEADER = 16 * 1024
_MAX_PAYLOAD = 64 * 1024 * 1024


class BadSignature(Exception):
    """Not signed by whom it should be, or not in an allowed way; ``args[0]`` says which."""


def _registry(algorithms: Iterable[str], claims: Iterable[str]) -> JWSRegistry:
    extra = {name: HeaderParameter(name, lambda value: None) for name in claims}
    registry = JWSRegistry(extra, algorithms=list(algorithms), strict_check_header=False)
    # The library's own limits are for web tokens; these headers hold names of certificates.
    registry.max_header_length = _MAX_HEADER
    registry.max_payload_length = _MAX_PAYLOAD
    return registry


def sign(
    payload: bytes,
    key: SigningKey,
    algorithm: str,
    header: Mapping[str, Any],
    *,
    detached: bool = False,
) -> str:
    """Return `payload` as compact JWS; where `detached`, without the payload (RFC 7515, F).

    :param header: further protected members; ``{"b64": False, "crit": ["b64"]}`` signs the
        payload's bytes as they are (RFC 7797)
    :raises ValueError: where the payload cannot be signed
    """
    protected = {"alg": algorithm, **header}
    try:
        text = jws.serialize_compact(
            protected, payload, key.jose, registry=_registry([algorithm], header)
        )
    except JoseError as error:
        raise ValueError(str(error)) from None
    return _detach(text, protected) if detached else text


def _detach(text: str, protected: Mapping[str, Any]) -> str:
    # An unencoded payload may itself hold full stops, so both ends are cut off.
    return f"{text.partition('.')[0]}..{text.rpartition('.')[2]}"


def verify(
    text: str,
    keys: Iterable[Any],
    algorithms: Iterable[str] = tuple(ALGORITHMS),
    *,
    payload: bytes | None = None,
    claims: Iterable[str] = (),
) -> tuple[dict[str, Any], bytes]:
    """Check a compact JWS, and return its protected header and its payload.

    :param keys: the public keys of `cryptography`, any of which may have signed
    :param payload: what a detached JWS signs
    :param claims: members that may be critical, beside ``b64``
    :raises BadSignature:
    """
    claims = frozenset(claims)
    try:
        raw = text.encode("ascii")
        signed = jws.extract_compact(raw, payload, _registry(algorithms, claims))
        header = signed.headers()
        algorithm = header["alg"]
        if len(raw.split(b".")) != 3 or (payload is not None and raw.split(b".")[1]):
            raise BadSignature("form")
        if algorithm not in set(algorithms) or algorithm not in ALGORITHMS:
            raise BadSignature("algorithm")
        critical = header.get("crit", ["b64"])
        if not isinstance(critical, list) or not critical or set(critical) - {"b64", *claims}:
            raise BadSignature("crit")
        for key in keys:
            if fits(algorithm, key) and jws.validate_compact(
                signed, jose_key(key), registry=_registry([algorithm], claims)
            ):
                return header, signed.payload
    except BadSignature:
        raise
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadSignature(type(error).__name__) from None
    raise BadSignature("key")


def unverified_claims(token: str) -> dict[str, Any] | None:
    """Read the claims of a JWT that was issued to us; ``None`` where it is no JWT.

    Only the server that the token is for can verify it.  We look whom it is bound to.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        signed = jws.extract_compact(token.encode("ascii"), None, _registry(ALGORITHMS, ()))
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def seal(payload: bytes, recipient: Any, header: Mapping[str, Any]) -> str:
    """Return `payload` as compact JWE that `recipient` alone can open.

    :param recipient: the bank's public RSA key
    :raises ValueError: where the key is of another kind
    """
    if not isinstance(recipient, rsa.RSAPublicKey):
        raise ValueError("the bank's certificate for sealing holds no RSA key")
    protected = {"alg": KEY_WRAP, "enc": CONTENT_CIPHER, **header}
    return jwe.encrypt_compact(
        protected, payload, jose_key(recipient), algorithms=[KEY_WRAP, CONTENT_CIPHER]
    )
