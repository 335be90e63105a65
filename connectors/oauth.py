"""Who we are to the bank, beside our TLS certificate: OAuth 2.0 tokens and API keys.

Client credentials (RFC 6749, 4.4) with the secret in a header or in the form, by mutual TLS
(RFC 8705) or by a signed assertion (RFC 7523).  Requests and answers of the token endpoint are
written and read by `oauthlib`; they travel over the same guarded channel as payments, so the
certificate that a token is bound to is the one that uses it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

from . import jose
from .http import Answer, Failure, HttpChannel
from .keys import ALGORITHMS, CERTIFICATE_FIELDS, SigningKey
from .profile_reader import Reader
from .settings import Settings
from .templates import FIELD, fields_in, fill
from .tokens import Busy, MemoryTokens, Token, TokenStore

_logger = logging.getLogger(__name__)

_CLIENTS = ("secret_basic", "secret_post", "tls", "private_key_jwt")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY = timedelta(seconds=30)  # a token is not begun with when it is about to end
_LONGEST = timedelta(days=1)
_DONE = ("resolved", "connected", "secured")


@dataclass(frozen=True)
class AuthProfile:
    """What a profile says of it."""

    kind: str  # "oauth2" or "api_key"
    header: str
    value: str = ""  # of an API key
    client: str = "tls"
    token: str = ""  # a path at the bank's address, or an address of its own
    client_id: str = "{client_id}"
    client_secret: str = "{client_secret}"  # noqa: S105 - the name of the variable
    scope: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    lifetime: timedelta = timedelta(minutes=5)  # where the bank does not tell
    bound: bool = False  # the token must name our certificate
    algorithm: str = "PS256"
    key_id: str = ""
    audience: str = ""  # empty: the token endpoint's address
    thumbprint: bool = False

    @classmethod
    def read(cls, reader: Reader) -> AuthProfile:
        """:raises SettingsError: ``profile``"""
        if reader.choice("kind", ("oauth2", "api_key")) == "api_key":
            profile = cls("api_key", reader.take("header", str), reader.take("value", str))
            reader.end()
            return profile
        client = reader.choice("client", _CLIENTS)
        token = reader.take("token", str)
        if not token.startswith(("/", "https://")) and not FIELD.fullmatch(token):
            raise reader.wrong("token", "must be a path, an https address, or one {variable}")
        if token.startswith("//"):
            raise reader.wrong("token", "must start with one slash")
        assertion = reader.sub("assertion", {})
        if assertion.data and client != "private_key_jwt":
            raise reader.wrong("assertion", "is for private_key_jwt only")
        lifetime = reader.take("lifetime_seconds", int, 300)
        profile = cls(
            "oauth2",
            "Authorization",
            client=client,
            token=token,
            client_id=reader.take("client_id", str, "{client_id}"),
            client_secret=reader.take("client_secret", str, "{client_secret}"),
            scope=reader.take("scope", str, ""),
            form=reader.texts("form", {}),
            lifetime=timedelta(seconds=max(lifetime, 1)),
            bound=reader.take("bound", bool, False),
            algorithm=assertion.choice("algorithm", ALGORITHMS, "PS256"),
            key_id=assertion.take("key_id", str, ""),
            audience=assertion.take("audience", str, ""),
            thumbprint=assertion.take("thumbprint", bool, False),
        )
        assertion.end()
        reader.end()
        return profile

    def variables(self) -> set[str]:
        texts = [self.value]
        if self.kind == "oauth2":
            texts = [self.token, self.client_id, self.scope, self.key_id, self.audience]
            texts += self.form.values()
            if self.client.startswith("secret"):
                texts.append(self.client_secret)
        return fields_in(texts) - CERTIFICATE_FIELDS


class Authenticator:
    """Adds to requests what shows who we are; without a profile, nothing beside TLS."""

    renews = False
    """Whether a fresh attempt may help where the bank answers 401."""

    def headers(self) -> dict[str, str]:
        """:raises Failure: certain that nothing of the request itself was sent"""
        return {}

    def reject(self) -> None:
        """Forget what the bank did not accept."""

    def prove(self) -> Answer:
        """Show afresh who we are, and return the answer, which is not to be kept.

        :raises Failure: as :meth:`headers`
        """
        raise NotImplementedError


class ApiKey(Authenticator):
    """A key in a header."""

    def __init__(self, profile: AuthProfile, variables: Mapping[str, str]) -> None:
        self._headers = {profile.header: fill(profile.value, variables)}

    def headers(self) -> dict[str, str]:
        return dict(self._headers)


class OAuth(Authenticator):
    """Bearer tokens, kept in the store until they end."""

    renews = True

    def __init__(
        self,
        profile: AuthProfile,
        settings: Settings,
        base: str,
        variables: Mapping[str, str],
        channel: HttpChannel,
        key: SigningKey,
        certificate: str,
    ) -> None:
        """
        :param key: signs the assertion
        :param certificate: thumbprint of the certificate that TLS shows
        """
        if profile.client == "private_key_jwt":
            key.demand(profile.algorithm)
        values = {**variables, **key.values}
        self.profile = profile
        self.channel = channel
        self.key = key
        self.now = settings.now
        self.certificate = certificate
        self.url = token_address(base, fill(profile.token, variables))
        self.client_id = fill(profile.client_id, variables)
        self.secret = ""
        if profile.client.startswith("secret"):
            self.secret = fill(profile.client_secret, variables)
        self.scope = fill(profile.scope, variables)
        self.form = {name: fill(text, values) for name, text in profile.form.items()}
        self.key_id = fill(profile.key_id, values)
        self.audience = fill(profile.audience, values) or self.url
        self.store: TokenStore = settings.token_store or MemoryTokens()
        # A renewed certificate, another client or another scope never meets an older token.
        told = json.dumps([self.url, self.client_id, self.scope, self.form, certificate])
        self.name = hashlib.sha256(told.encode()).hexdigest()
        self.token: Token | None = None

    def headers(self) -> dict[str, str]:
        self.token = self._current()
        self.channel.hide(self.token.value)
        return {"Authorization": f"Bearer {self.token.value}"}

    def reject(self) -> None:
        if self.token:
            self._kept("drop", self.name, self.token.value)

    def _current(self) -> Token:
        if token := self._usable():
            return token
        try:
            with self.store.alone(self.name):
                # Whoever was let in before may have brought it.
                if token := self._usable():
                    return token
                return self._fetch()[0]
        except Busy:
            raise self._failure("token_busy") from None

    def _usable(self) -> Token | None:
        token = self._kept("get", self.name)
        return token if token and token.expires - self.now() > _EARLY else None

    def _kept(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self.store, method)(*arguments)
        except Exception:
            _logger.exception("The store of access tokens failed")
            return None

    # The token endpoint

    def prove(self) -> Answer:
        return self._fetch()[1]

    def _fetch(self) -> tuple[Token, Answer]:
        client = BackendApplicationClient(self.client_id)
        extra = dict(self.form)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if self.profile.client == "secret_basic":
            # Both halves are form-encoded first (RFC 6749, 2.3.1), so that a colon divides.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}".encode()
            encoded = base64.b64encode(pair).decode()
            self.channel.hide(encoded)
            headers["Authorization"] = f"Basic {encoded}"
        elif self.profile.client == "secret_post":
            extra["client_secret"] = self.secret
        elif self.profile.client == "private_key_jwt":
            assertion = self._assertion()
            self.channel.hide(assertion)
            extra |= {"client_assertion_type": _ASSERTION, "client_assertion": assertion}
        body = client.prepare_request_body(
            scope=self.scope or None,
            include_client_id=self.profile.client != "secret_basic",
            **extra,
        )
        try:
            answer = self.channel.exchange(
                "POST",
                self.url,
                request_id=str(uuid.uuid4()),
                headers=headers,
                body=body.encode(),
                fresh=True,
            )
        except Failure as failure:
            # However far this came, the request that needs the token was not made.
            failure.sent = False
            raise
        token = self._read(client, answer)
        self._kept("put", self.name, token)
        return token, answer

    def _assertion(self) -> str:
        now = int(self.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        }
        header: dict[str, Any] = {"typ": "JWT"}
        if self.key_id:
            header["kid"] = self.key_id
        if self.profile.thumbprint:
            header["x5t#S256"] = self.key.values["certificate_thumbprint"]
        return jose.sign(json.dumps(claims).encode(), self.key, self.profile.algorithm, header)

    def _read(self, client: BackendApplicationClient, answer: Answer) -> Token:
        if answer.status == 429 or answer.status >= 500:
            raise self._failure("token_later", answer)
        if answer.status != 200 and not 400 <= answer.status < 500:
            raise self._failure("token_unusable", answer)
        try:
            found = client.parse_request_body_response(answer.content.decode(), scope=None)
        except OAuth2Error as error:
            code = "token_refused" if 400 <= answer.status < 500 else "token_unusable"
            said = f"{error.error}: {error.description or ''}".strip(": ")
            raise self._failure(code, answer, detail=said[:500]) from None
        except (ValueError, TypeError, AttributeError, RecursionError, Warning) as error:
            raise self._failure("token_unusable", answer, detail=type(error).__name__) from None
        value = found.get("access_token")
        kind = found.get("token_type")
        if answer.status != 200 or not isinstance(kind, str) or kind.lower() != "bearer":
            raise self._failure("token_unusable", answer)
        usable = isinstance(value, str) and value and value.isascii() and value.isprintable()
        if not usable:
            raise self._failure("token_unusable", answer)
        self.channel.hide(value)
        self._check_bound(value, answer)
        return Token(value, self._end(found.get("expires_in")))

    def _end(self, seconds: Any) -> datetime:
        try:
            lifetime = min(timedelta(seconds=float(seconds)), _LONGEST)
        except (TypeError, ValueError, OverflowError):
            lifetime = self.profile.lifetime
        return self.now() + lifetime

    def _check_bound(self, value: str, answer: Answer) -> None:
        """A token bound to another certificate than ours would never be accepted."""
        claims = jose.unverified_claims(value)
        confirmation = (claims or {}).get("cnf")
        named = confirmation.get("x5t#S256") if isinstance(confirmation, Mapping) else None
        if named is None and (not self.profile.bound or claims is None):
            return  # an opaque token keeps its binding at the bank
        if named != self.certificate:
            raise self._failure("token_unbound", answer)

    def _failure(self, code: str, answer: Answer | None = None, detail: str = "") -> Failure:
        # The answer itself is left out: it may hold a token.
        return Failure(
            code,
            sent=False,
            detail=self.channel.mask(detail),
            status=answer.status if answer else None,
            marks=_DONE if answer else (),
            peer=answer.peer if answer else None,
            retry_after=answer.retry_after if answer else None,
            host=urlsplit(self.url).netloc,
        )


def token_address(base: str, text: str) -> str:
    """Return the token endpoint's address.

    :raises ValueError: where it is not one
    """
    url = base + text if text.startswith("/") else text
    parts = urlsplit(url)
    good = parts.scheme == "https" and parts.hostname and parts.username is None
    if not good or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("the token endpoint's address must read https://host[:port]/path")
    return url
