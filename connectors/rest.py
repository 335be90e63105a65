"""Payments and receipts over REST: the Berlin Group's kind (NextGenPSD2 1.3.11) and its relatives.

What a bank does otherwise is said by its profile (:mod:`.rest_profile`), never by code here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from . import rest_cancel, rest_documents, rest_steps
from .bodies import key_values
from .health import Judgement, examine
from .http import Answer
from .interface import (
    Connector,
    Document,
    FetchError,
    Health,
    NotSent,
    Outcome,
    Receipt,
    RemoteDocument,
    Uncertain,
)
from .problems import build
from .rest_answers import (
    data_of,
    embedded,
    from_answer,
    is_json,
    is_xml,
    json_object,
    pick_text,
    reading_error,
    reasons,
    status_of,
    usable_id,
    value_of,
)
from .rest_calls import RestCalls
from .rest_reading import Ask
from .settings import Settings


class RestConnector(RestCalls, Connector):
    """One contract with one bank over REST."""

    def __init__(self, settings: Settings) -> None:
        """:raises SettingsError: where profile, address, certificates or variables cannot work"""
        super().__init__(settings)
        self.accounts = dict(settings.accounts)
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
        key_sent = self.key_sent(key)
        where = self._address(document)
        progress: dict[str, str] = {}
        if submit.steps:
            progress = rest_steps.prepare(self, document, key, where)
        values = {**where, **progress, **key_values(key)}
        try:
            headers = self.headers(submit.headers, self.wrapper.values(document, values))
            address = self.url(submit.path, {**values, "key": key_sent})
        except KeyError as error:
            raise build(NotSent, "template_value", what=error.args[0]) from None
        try:
            body, content_type = self.wrapper.wrap(submit.body, document, values)
            headers |= {"Accept": submit.accept, "Content-Type": content_type}
            answer = self.send(
                submit.method, address, key_sent, headers, body, rules=submit.answers
            )
            means = self.meaning(answer, submit.answers)
            return self._delivered(answer, key, {**where, **progress}, means == "duplicate")
        except Outcome as outcome:
            outcome.bank_reference = {**where, **progress} if progress else {}
            raise

    def key_sent(self, key: str) -> str:
        """Return the key as this bank wants it written."""
        return uuid.UUID(key).hex if self.profile.key.format == "hex" else key

    def check_document(self, document: Document, key: str) -> None:
        """:raises NotSent: where certificate, key or size keep `document` from going out at all"""
        limit = self.profile.max_bytes
        start, end = self.leaf_validity
        if self.now() > end:
            raise build(NotSent, "certificate_expired", detail=f"on {end:%Y-%m-%d %H:%M} UTC")
        if self.now() < start:
            raise build(NotSent, "certificate_not_yet_valid", detail=f"until {start:%Y-%m-%d}")
        if self.profile.key.format != "text" and not _is_uuid(key):
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
        where = {"service": service, "product": product}
        foreign = submit.messages and document.message_name not in submit.messages
        if foreign or not all(where[name] for name in where if f"{{{name}}}" in submit.path):
            what = [document.message_name, document.service_level, document.instant and "instant"]
            raise build(NotSent, "no_product", what=" ".join(str(part) for part in what if part))
        return {name: value for name, value in where.items() if value}

    def _delivered(
        self, answer: Answer, key: str, where: Mapping[str, str], duplicate: bool
    ) -> Receipt:
        fields = self.profile.submit.fields
        data = data_of(answer)
        payment_id = usable_id(value_of(answer, data, fields.get("payment_id")))
        # A bank that calls it a duplicate with an error body may leave out the reference.
        if (
            payment_id is None
            and "payment_id" in fields
            and not (duplicate and answer.status >= 400)
        ):
            if data is None and not is_json(answer.content_type):
                raise from_answer(
                    Uncertain, "content_type", answer, host=self.host, expected="JSON"
                )
            raise from_answer(Uncertain, "answer_unreadable", answer, host=self.host)
        # A bank that is asked by our key gives no number: then the key is the reference.
        reference = {**where, **({} if "payment_id" in fields else {"key": key})}
        if payment_id is not None:
            reference["payment_id"] = payment_id
        status = self.status_in(value_of(answer, data, fields.get("status")))
        return self.make_receipt(answer, key, status, reference, duplicate)

    def status_in(self, text: str | None) -> str | None:
        """Return the ISO 20022 status for the bank's word."""
        return status_of(self.profile.statuses.get(text or "", text))

    def make_receipt(
        self,
        answer: Answer,
        key: str,
        status: str | None,
        reference: Mapping[str, str],
        duplicate: bool = False,
        content: bytes | None = None,
    ) -> Receipt:
        """:param content: a document inside the answer, which is XML"""
        said = reasons(answer)
        return Receipt(
            key=key,
            status=status,
            bank_reference=reference,
            content=answer.content if content is None else content,
            content_type=answer.content_type if content is None else "application/xml",
            received_at=answer.received_at,
            duplicate=duplicate,
            reasons=said,
            text="; ".join(str(reason) for reason in said),
            http_status=answer.status,
        )

    # Asking

    def inquire(self, key: str, document: Document) -> Receipt | None:
        reference, status = document.reference, self.profile.status
        if status and (reference.get("payment_id") or reference.get("key") == key):
            return self._ask_status(status, key, reference)
        if self.profile.inquiry:
            return self._ask_key(self.profile.inquiry, key, document)
        raise build(FetchError, "cannot_inquire")

    def _ask_status(self, ask: Ask, key: str, reference: Mapping[str, str]) -> Receipt:
        if not all(usable_id(value) for value in reference.values()):
            raise build(FetchError, "no_reference")
        values = {**reference, **key_values(key), "key": self.key_sent(key)}
        answer = self.read(ask.path, values, accept=ask.accept)
        if answer.status == ask.unknown_status:
            raise from_answer(FetchError, "payment_unknown", answer, host=self.host)
        self.expect_success(answer)
        data = data_of(answer)
        status = self.status_in(value_of(answer, data, ask.fields.get("status")))
        if ask.embedded and (inside := embedded(data, ask.embedded)) is not None:
            return self.make_receipt(answer, key, status, dict(reference), content=inside)
        if is_xml(answer.content_type) and status is None:
            # An ISO 20022 document, which the caller reads.
            return self.make_receipt(answer, key, None, dict(reference))
        if data is None and not is_json(answer.content_type):
            raise from_answer(
                FetchError, "content_type", answer, host=self.host, expected="JSON or XML"
            )
        if status is None:
            raise from_answer(FetchError, "answer_unreadable", answer, host=self.host)
        return self.make_receipt(answer, key, status, dict(reference))

    def _ask_key(self, ask: Ask, key: str, document: Document) -> Receipt | None:
        known = {**document.reference, **key_values(key), "key": self.key_sent(key)}
        try:
            self.url(ask.path, known)
        except KeyError:
            # The step that would have named it to the bank never ended: there is nothing to ask.
            raise build(FetchError, "cannot_inquire") from None
        answer = self.read(ask.path, known, accept=ask.accept)
        said = {reason.code for reason in reasons(answer)}
        if answer.status == ask.unknown_status and not said.isdisjoint(ask.unknown_codes):
            # This frees the payments to be sent again, so it must be the bank's own word.
            self.expect_genuine(answer)
            return None
        self.expect_success(answer)
        data = data_of(answer)
        if ask.unknown_where and all(
            pick_text(data, path) in texts for path, texts in ask.unknown_where.items()
        ):
            return None
        payment_id = usable_id(value_of(answer, data, ask.fields.get("payment_id")))
        status = self.status_in(value_of(answer, data, ask.fields.get("status")))
        inside = embedded(data, ask.embedded) if ask.embedded else None
        if payment_id is None and ("payment_id" in ask.fields or not (status or inside)):
            raise from_answer(FetchError, "answer_unreadable", answer, host=self.host)
        held = pick_text(data, ask.fields.get("sha256"))
        if held and held.lower() != document.sha256:
            raise from_answer(FetchError, "inquiry_mismatch", answer, host=self.host)
        reference = {"payment_id": payment_id} if payment_id else {"key": key}
        for name in ("service", "product"):
            if value := usable_id(pick_text(data, ask.fields.get(name))):
                reference[name] = value
        return self.make_receipt(answer, key, status, reference, content=inside)

    # Documents

    def list(self, kinds: Iterable[str], since: datetime | None = None) -> Iterable[RemoteDocument]:
        return rest_documents.listing(self, frozenset(kinds), since)

    def fetch(self, remote: RemoteDocument) -> bytes:
        return rest_documents.fetch(self, remote)

    def acknowledge(self, remote: RemoteDocument) -> None:
        rest_documents.acknowledge(self, remote)

    # Health

    def check(self) -> Health:
        profile = self.profile

        def ask() -> Answer:
            if profile.check_expect == "token":
                return self.auth.prove()
            request_id = str(uuid.uuid4())
            headers = {
                **self.headers({**profile.headers, **profile.read_headers}),
                profile.key.request_id: request_id,
                "Accept": "application/json" if profile.check_expect == "json" else "*/*",
            }
            address = self.url(profile.check_path, {})
            answer = self.request("GET", address, request_id, headers, fresh=True)
            if answer.status == 401 and self.auth.renews:
                self.auth.reject()
                answer = self.request("GET", address, request_id, headers, fresh=True)
            return answer

        return examine(ask, self._judge, {"certificate": self.leaf_validity}, self.now())

    def _judge(self, answer: Answer) -> Judgement:
        """Tell whether the connection test was answered as it should be."""
        if not 200 <= answer.status < 300:
            return Judgement(reading_error(answer, self.host))
        # A token endpoint neither echoes nor signs, and its answer is not to be kept.
        if self.profile.check_expect == "token":
            return Judgement()
        try:
            self.expect_echo(answer, FetchError)
            self.expect_genuine(answer)
        except FetchError as problem:
            return Judgement(problem)
        if self.profile.check_expect == "success":
            return Judgement()
        if not is_json(answer.content_type):
            return Judgement(
                from_answer(FetchError, "content_type", answer, host=self.host, expected="JSON")
            )
        found = json_object(answer)
        if found is None:
            return Judgement(from_answer(FetchError, "answer_unreadable", answer, host=self.host))
        return Judgement(permissions=found)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
