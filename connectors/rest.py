"""Payments and receipts over a REST API of the Berlin Group kind (NextGenPSD2 1.3.11).

What a bank does otherwise is said by its profile (:mod:`.rest_profile`), never by code here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from . import rest_cancel, rest_documents
from .bodies import BODIES
from .health import Judgement, examine
from .http import Answer, Failure, HttpChannel
from .identity import load_leaf, validity
from .interface import (
    Connector,
    Document,
    FetchError,
    Health,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    RemoteDocument,
    SettingsError,
    Unavailable,
    Uncertain,
)
from .problems import PROBLEMS, build
from .profiles import profile as built_in
from .rest_answers import (
    echoed,
    from_answer,
    is_json,
    is_xml,
    json_object,
    pick_text,
    reading_error,
    reasons,
    status_of,
    usable_id,
)
from .rest_profile import Ask, RestProfile, Rule, fill
from .settings import Settings

# What a profile's rule means, as the outcome and its code.
_MEANINGS: dict[str, tuple[type[Outcome], str]] = {
    "refused": (Refused, "refused"),
    "not_sent": (NotSent, "rate_limited"),
    "in_flight": (Uncertain, "in_flight"),
    "key_conflict": (Uncertain, "key_conflict"),
}


# Failures of a read that will be the same next time, beside the permanent ones.
_LASTING = ("answer_too_large", "answer_encoded", "protocol")


class RestConnector(Connector):
    """One contract with one bank over REST."""

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
        self.accounts = dict(settings.accounts)
        self.now = settings.now
        self.leaf_validity = validity(load_leaf(settings.identity))
        self.channel = HttpChannel(settings, max_answer=self.profile.max_answer_bytes)
        self.host = self.channel.host
        self.resend_window = self.profile.key.window
        self.max_bytes = self.profile.max_bytes

    def close(self) -> None:
        self.channel.close()

    # Sending

    def submit(self, document: Document, key: str) -> Receipt:
        if document.message_name.startswith(rest_cancel.REQUEST):
            return rest_cancel.recall(self, document, key)
        submit = self.profile.submit
        self.check_document(document, key)
        where = self._address(document)
        body, content_type = BODIES[submit.body](document)
        headers = {"Accept": submit.accept, "Content-Type": content_type}
        answer = self.send("POST", self.url(submit.path, where), key, headers, body)
        means = self.meaning(answer, submit.answers)
        return self._delivered(answer, key, where, means == "duplicate")

    def check_document(self, document: Document, key: str) -> None:
        """:raises NotSent: where certificate, key or size keep `document` from going out at all"""
        limit = self.profile.max_bytes
        start, end = self.leaf_validity
        if self.now() > end:
            raise build(NotSent, "certificate_expired", detail=f"on {end:%Y-%m-%d %H:%M} UTC")
        if self.now() < start:
            raise build(NotSent, "certificate_not_yet_valid", detail=f"until {start:%Y-%m-%d}")
        if self.profile.key.format == "uuid" and not _is_uuid(key):
            raise build(NotSent, "bad_key")
        if not document.content:
            raise build(NotSent, "empty_content")
        if limit is not None and len(document.content) > limit:
            raise build(NotSent, "too_large", size=len(document.content), limit=limit)

    def _address(self, document: Document) -> dict[str, str]:
        """Return service and product for `document`.

        :raises NotSent: ``no_product``
        """
        submit = self.profile.submit
        service = submit.services.get("batch" if document.batch else "single")
        product = next((p.product for p in submit.products if p.suits(document)), None)
        if submit.messages and document.message_name not in submit.messages:
            product = None
        where = {"service": service, "product": product}
        if not all(where[name] for name in where if f"{{{name}}}" in submit.path):
            what = [document.message_name, document.service_level, document.instant and "instant"]
            raise build(NotSent, "no_product", what=" ".join(str(part) for part in what if part))
        return {name: value for name, value in where.items() if value}

    def send(
        self, method: str, url: str, key: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send what may change something at the bank, once and under `key`.

        :raises NotSent, Uncertain: without a complete answer
        """
        # A key in a header of its own leaves X-Request-ID free to tell attempts apart.
        own = self.profile.key.header.lower() == "x-request-id"
        request_id = key if own else str(uuid.uuid4())
        headers = {
            **self._headers(self.profile.headers),
            "X-Request-ID": request_id,
            self.profile.key.header: key,
            **headers,
        }
        try:
            return self.channel.exchange(
                method, url, request_id=request_id, headers=headers, body=body, fresh=True
            )
        except Failure as failure:
            raise failure.outcome(Uncertain if failure.sent else NotSent) from None

    def meaning(self, answer: Answer, rules: Iterable[Rule]) -> str:
        """Return what a good answer means by the profile's rules; any other is raised."""
        echo = self.profile.key.echo
        success = 200 <= answer.status < 300
        # A gateway in front of the bank refuses without an echo, but only the bank accepts.
        if not echoed(answer, echo if success or echo == "ignored" else "checked"):
            raise from_answer(Uncertain, "wrong_echo", answer, host=self.host)
        said = reasons(answer)
        codes = {reason.code for reason in said}
        rule = next((r for r in rules if r.matches(answer.status, codes, answer.headers)), None)
        means = rule.means if rule else "uncertain"
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

    def _delivered(
        self, answer: Answer, key: str, where: Mapping[str, str], duplicate: bool
    ) -> Receipt:
        fields = self.profile.submit.fields
        data = json_object(answer)
        payment_id = usable_id(pick_text(data, fields["payment_id"]))
        # A bank that calls it a duplicate with an error body may leave out the reference.
        if payment_id is None and not (duplicate and answer.status >= 400):
            if not is_json(answer.content_type):
                raise from_answer(
                    Uncertain, "content_type", answer, host=self.host, expected="JSON"
                )
            raise from_answer(Uncertain, "answer_unreadable", answer, host=self.host)
        reference = dict(where)
        if payment_id is not None:
            reference["payment_id"] = payment_id
        return self.make_receipt(
            answer, key, status_of(pick_text(data, fields.get("status"))), reference, duplicate
        )

    def make_receipt(
        self,
        answer: Answer,
        key: str,
        status: str | None,
        reference: Mapping[str, str],
        duplicate: bool = False,
    ) -> Receipt:
        said = reasons(answer)
        return Receipt(
            key=key,
            status=status,
            bank_reference=reference,
            content=answer.content,
            content_type=answer.content_type,
            received_at=answer.received_at,
            duplicate=duplicate,
            reasons=said,
            text="; ".join(str(reason) for reason in said),
            http_status=answer.status,
        )

    # Asking

    def inquire(self, key: str, document: Document) -> Receipt | None:
        if document.reference.get("payment_id") and self.profile.status:
            return self._ask_status(self.profile.status, key, document.reference)
        if self.profile.inquiry:
            return self._ask_key(self.profile.inquiry, key, document)
        raise build(FetchError, "cannot_inquire")

    def _ask_status(self, ask: Ask, key: str, reference: Mapping[str, str]) -> Receipt:
        if not all(usable_id(value) for value in reference.values()):
            raise build(FetchError, "no_reference")
        answer = self.read(ask.path, reference, accept=ask.accept)
        if answer.status == ask.unknown_status:
            raise from_answer(FetchError, "payment_unknown", answer, host=self.host)
        self.expect_success(answer)
        if is_xml(answer.content_type):
            return self.make_receipt(answer, key, None, dict(reference))
        data = json_object(answer)
        if not is_json(answer.content_type):
            raise from_answer(
                FetchError, "content_type", answer, host=self.host, expected="JSON or XML"
            )
        status = status_of(pick_text(data, ask.fields["status"]))
        if status is None:
            raise from_answer(FetchError, "answer_unreadable", answer, host=self.host)
        return self.make_receipt(answer, key, status, dict(reference))

    def _ask_key(self, ask: Ask, key: str, document: Document) -> Receipt | None:
        answer = self.read(ask.path, {"key": key}, accept=ask.accept)
        said = {reason.code for reason in reasons(answer)}
        if answer.status == ask.unknown_status and not said.isdisjoint(ask.unknown_codes):
            return None
        self.expect_success(answer)
        data = json_object(answer)
        payment_id = usable_id(pick_text(data, ask.fields["payment_id"]))
        if payment_id is None:
            raise from_answer(FetchError, "answer_unreadable", answer, host=self.host)
        held = pick_text(data, ask.fields.get("sha256"))
        if held and held.lower() != document.sha256:
            raise from_answer(FetchError, "inquiry_mismatch", answer, host=self.host)
        reference = {"payment_id": payment_id}
        for name in ("service", "product"):
            if value := usable_id(pick_text(data, ask.fields.get(name))):
                reference[name] = value
        status = status_of(pick_text(data, ask.fields.get("status")))
        return self.make_receipt(answer, key, status, reference)

    # Documents

    def list(self, kinds: Iterable[str], since: datetime | None = None) -> Iterable[RemoteDocument]:
        return rest_documents.listing(self, frozenset(kinds), since)

    def fetch(self, remote: RemoteDocument) -> bytes:
        return rest_documents.fetch(self, remote)

    def acknowledge(self, remote: RemoteDocument) -> None:
        rest_documents.acknowledge(self, remote)

    # Health

    def check(self) -> Health:
        def ask() -> Answer:
            headers = self.profile.headers | self.profile.read_headers
            request_id = str(uuid.uuid4())
            return self.channel.exchange(
                "GET",
                self.url(self.profile.check_path, {}),
                request_id=request_id,
                headers={
                    **self._headers(headers),
                    "X-Request-ID": request_id,
                    "Accept": "application/json",
                },
                fresh=True,
            )

        return examine(ask, self._judge, {"certificate": self.leaf_validity}, self.now())

    def _judge(self, answer: Answer) -> Judgement:
        """Tell whether the connection test was answered as it should be."""
        problem = None
        if not 200 <= answer.status < 300:
            problem = reading_error(answer, self.host)
        elif not echoed(answer, self.profile.key.echo):
            problem = from_answer(FetchError, "wrong_echo", answer, host=self.host)
        elif not is_json(answer.content_type):
            problem = from_answer(
                FetchError, "content_type", answer, host=self.host, expected="JSON"
            )
        elif json_object(answer) is None:
            problem = from_answer(FetchError, "answer_unreadable", answer, host=self.host)
        return Judgement(problem, (json_object(answer) or {}) if problem is None else {})

    # Requests, for this file and for rest_documents

    def url(self, path: str, values: Mapping[str, str], query: Mapping[str, str] = {}) -> str:
        """Return the full address of a profile's path."""
        text = self.base + fill(path, {**self.variables, **values}, url=True)
        return f"{text}?{urlencode(query)}" if query else text

    def read(
        self, path: str, values: Mapping[str, str], *, accept: str, method: str = "GET"
    ) -> Answer:
        """Request a path of the profile; an answer to another request is an error."""
        try:
            address = self.url(path, values)
        except KeyError:
            raise build(FetchError, "no_reference") from None
        return self.read_url(address, accept=accept, method=method)

    def read_url(self, address: str, *, accept: str, method: str = "GET") -> Answer:
        """Request an address that is known to be the bank's own."""
        request_id = str(uuid.uuid4())
        headers = {
            **self._headers({**self.profile.headers, **self.profile.read_headers}),
            "X-Request-ID": request_id,
            "Accept": accept,
        }
        try:
            answer = self.channel.exchange(method, address, request_id=request_id, headers=headers)
        except Failure as failure:
            lasting = PROBLEMS[failure.code].permanent or failure.code in _LASTING
            raise failure.outcome(FetchError if lasting else Unavailable) from None
        echo = self.profile.key.echo
        success = 200 <= answer.status < 300
        if not echoed(answer, echo if success or echo == "ignored" else "checked"):
            raise from_answer(FetchError, "wrong_echo", answer, host=self.host)
        return answer

    def expect_success(self, answer: Answer) -> None:
        """:raises FetchError: for any status but 200 to 299"""
        if not 200 <= answer.status < 300:
            raise reading_error(answer, self.host)

    def _headers(self, templates: Mapping[str, str]) -> dict[str, str]:
        return {name: fill(text, self.variables) for name, text in templates.items()}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


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
