"""Requests of a REST contract: headers, identity, signature, and whose the answer is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from .bodies import Wrapper
from .http import Answer, Failure, HttpChannel
from .identity import load_leaf, validity
from .interface import (
    FetchError,
    NotSent,
    Outcome,
    Refused,
    SettingsError,
    Unavailable,
    Uncertain,
)
from .keys import SigningKey, thumbprint
from .oauth import ApiKey, Authenticator, OAuth
from .problems import PROBLEMS, build
from .profiles import profile as built_in
from .rest_answers import data_of, echoed, from_answer, reading_error, reasons
from .rest_profile import RestProfile
from .rest_sending import Rule
from .settings import Settings
from .signing import Signer
from .templates import fill

# What a profile's rule means, as the outcome and its code.
_MEANINGS: dict[str, tuple[type[Outcome], str]] = {
    "refused": (Refused, "refused"),
    "not_sent": (NotSent, "rate_limited"),
    "in_flight": (Uncertain, "in_flight"),
    "key_conflict": (Uncertain, "key_conflict"),
}
# Meanings that are believed of the bank itself only: nothing is done about them later.
_FINAL = ("delivered", "duplicate", "cancelled", "refused")
# Failures of a read that will be the same next time, beside the permanent ones.
_LASTING = ("answer_too_large", "answer_encoded", "protocol")


class RestCalls:
    """One contract's way of asking; what the requests are for is the connector's business."""

    def __init__(self, settings: Settings) -> None:
        """:raises SettingsError: where profile, address, certificates or variables cannot work"""
        data = settings.profile
        self.profile = RestProfile.from_dict(built_in(data) if isinstance(data, str) else data)
        self.base = _base(settings.url)
        self.variables = {**self.profile.defaults, **settings.variables}
        for name in sorted(self.profile.variables()):
            if not self.variables.get(name):
                raise SettingsError("variable", f"This bank needs a value for {name!r}.")
            if not self.variables[name].isprintable():
                raise SettingsError("variable", f"The value for {name!r} has forbidden characters.")
        self.now = settings.now
        if settings.identity is None:
            raise SettingsError("certificate", "This channel needs a client certificate.")
        leaf = load_leaf(settings.identity)
        self.leaf_validity = validity(leaf)
        self.channel = HttpChannel(settings, max_answer=self.profile.max_answer_bytes)
        self.host = self.channel.host
        try:
            key = SigningKey.load(settings.signing or settings.identity)
            self.wrapper = Wrapper(settings, self.variables, key, self.profile.bodies())
            self.signer: Signer | None = None
            if self.profile.signature:
                self.signer = self.profile.signature.build(settings, key, self.variables)
            self.auth = self._authenticator(settings, key, thumbprint(leaf))
        except Exception:
            self.channel.close()
            raise

    def _authenticator(
        self, settings: Settings, key: SigningKey, certificate: str
    ) -> Authenticator:
        auth = self.profile.auth
        if auth is None:
            return Authenticator()
        if auth.kind == "api_key":
            return ApiKey(auth, self.variables)
        try:
            return OAuth(auth, settings, self.base, self.variables, self.channel, key, certificate)
        except ValueError as error:
            raise SettingsError("url", f"The connection cannot be used: {error}.") from None

    # Requests

    def url(self, path: str, values: Mapping[str, str], query: Mapping[str, str] = {}) -> str:
        """Return the full address of a profile's path.

        :raises KeyError: naming a field that has no value
        """
        text = self.base + fill(path, {**self.variables, **values}, url=True)
        return f"{text}?{urlencode(query)}" if query else text

    def headers(
        self, templates: Mapping[str, str], values: Mapping[str, str] = {}
    ) -> dict[str, str]:
        """:raises KeyError: naming a field that has no value"""
        known = {**self.variables, **self.wrapper.key.values, **values}
        return {name: fill(text, known) for name, text in templates.items()}

    def request(
        self,
        method: str,
        url: str,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Make one request, with what shows who we are, and signed where the bank wants it.

        :raises Failure: without a complete answer
        """
        named = {**headers, **self.auth.headers()}
        if self.signer:
            try:
                named |= self.signer.sign(method, url, named, body, self.now())
            except (ValueError, KeyError) as error:
                raise Failure(
                    "request_invalid", sent=False, detail=f"not signed: {error}", host=self.host
                ) from None
        answer = self.channel.exchange(
            method, url, request_id=request_id, headers=named, body=body, fresh=fresh
        )
        return replace(answer, said=self.profile.errors)

    def genuine(self, answer: Answer) -> str | None:
        """Return why an answer is not signed as agreed, or ``None``."""
        if self.signer is None or not self.signer.verifies:
            return None
        return self.signer.check(answer.headers, answer.content)

    # Sending

    def send(
        self,
        method: str,
        url: str,
        key: str,
        headers: Mapping[str, str],
        body: bytes | None,
        rules: Iterable[Rule] = (),
    ) -> Answer:
        """Send what may change something at the bank, once and under `key`.

        Where the bank turns down the token, which the rules must know for "not sent", a fresh one
        is fetched and the request made once more.

        :raises NotSent, Uncertain: without a complete answer
        """
        rules = tuple(rules)
        answer = self._send(method, url, key, headers, body)
        if self._token_rejected(answer, rules):
            self.auth.reject()
            answer = self._send(method, url, key, headers, body)
            if self._token_rejected(answer, rules):
                self.auth.reject()
                raise from_answer(NotSent, "token_rejected", answer, host=self.host)
        return answer

    def _token_rejected(self, answer: Answer, rules: Iterable[Rule]) -> bool:
        """Tell whether this answer, and to this request, turns the token down and nothing else."""
        if answer.status != 401 or not self.auth.renews:
            return False
        mode = "ignored" if self.profile.key.echo == "ignored" else "checked"
        mine = echoed(answer, mode, self.profile.key.request_id)
        return mine and self._means(answer, rules) == "not_sent"

    def _send(
        self, method: str, url: str, key: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        # A key in a header of its own leaves the request's id free to tell attempts apart.
        name = self.profile.key.request_id
        own = self.profile.key.header.lower() == name.lower()
        request_id = key if own else str(uuid.uuid4())
        headers = {
            **self.headers(self.profile.headers),
            name: request_id,
            self.profile.key.header: key,
            **headers,
        }
        try:
            return self.request(method, url, request_id, headers, body, fresh=True)
        except Failure as failure:
            raise failure.outcome(Uncertain if failure.sent else NotSent) from None

    def _means(self, answer: Answer, rules: Iterable[Rule]) -> str:
        codes = {reason.code for reason in reasons(answer)}
        data = data_of(answer)
        return next(
            (r.means for r in rules if r.matches(answer.status, codes, answer.headers, data)),
            "uncertain",
        )

    def meaning(self, answer: Answer, rules: Iterable[Rule]) -> str:
        """Return what a good answer means by the profile's rules; any other is raised."""
        self.expect_echo(answer, Uncertain)
        means = self._means(answer, rules)
        if means in _FINAL and (fault := self.genuine(answer)):
            raise from_answer(Uncertain, "wrong_signature", answer, host=self.host, detail=fault)
        if means in ("delivered", "duplicate", "cancelled"):
            return means
        if means in _MEANINGS:
            kind, code = _MEANINGS[means]
            if answer.status in (401, 403):
                code = "not_authorised"
            elif means == "not_sent" and answer.status != 429:
                code = f"http_{answer.status}"
            raise from_answer(kind, code, answer, host=self.host)
        code = "redirected" if 300 <= answer.status < 400 else f"http_{answer.status}"
        raise from_answer(Uncertain, code, answer, host=self.host)

    def expect_echo(self, answer: Answer, kind: type[Outcome]) -> None:
        """:raises: an outcome of `kind`, where the answer is to another request"""
        key = self.profile.key
        success = 200 <= answer.status < 300
        # A gateway in front of the bank refuses without an echo, but only the bank accepts.
        mode = key.echo if success or key.echo == "ignored" else "checked"
        if not echoed(answer, mode, key.request_id):
            raise from_answer(kind, "wrong_echo", answer, host=self.host)

    # Reading

    def read(
        self,
        path: str,
        values: Mapping[str, str],
        *,
        accept: str,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """Request a path of the profile; an answer to another request is an error."""
        try:
            address = self.url(path, values)
        except KeyError:
            raise build(FetchError, "no_reference") from None
        return self.read_url(address, accept=accept, method=method, body=body)

    def read_url(
        self, address: str, *, accept: str, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        """Request an address that is known to be the bank's own."""
        headers = {
            **self.headers({**self.profile.headers, **self.profile.read_headers}),
            "Accept": accept,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self._read(method, address, headers, body)
        if answer.status == 401 and self.auth.renews:
            self.auth.reject()
            answer = self._read(method, address, headers, body)
            if answer.status == 401:
                self.auth.reject()
        self.expect_echo(answer, FetchError)
        if 200 <= answer.status < 300:
            self.expect_genuine(answer)
        return answer

    def _read(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        request_id = str(uuid.uuid4())
        named = {**headers, self.profile.key.request_id: request_id}
        try:
            return self.request(method, address, request_id, named, body)
        except Failure as failure:
            lasting = PROBLEMS[failure.code].permanent or failure.code in _LASTING
            raise failure.outcome(FetchError if lasting else Unavailable) from None

    def expect_genuine(self, answer: Answer) -> None:
        """:raises FetchError: ``wrong_signature``"""
        if fault := self.genuine(answer):
            raise from_answer(FetchError, "wrong_signature", answer, host=self.host, detail=fault)

    def expect_success(self, answer: Answer) -> None:
        """:raises FetchError: for any status but 200 to 299"""
        if not 200 <= answer.status < 300:
            raise reading_error(answer, self.host)


def _base(url: str) -> str:
    """Return the address without a closing slash.

    :raises SettingsError: ``url``
    """
    try:
        parts = urlsplit(url)
        usable = url.isascii() and url.isprintable() and " " not in url
        usable = usable and parts.scheme == "https" and parts.hostname and (parts.port or 443) > 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise SettingsError("url", "The bank's address must read https://host[:port][/path].")
    return url.rstrip("/")
