"""Files over SOAP, "Bank Web Services" (interbank description 1.05; SOAP 1.1, WS-Security 1.0).

What a bank does otherwise is said by its profile (:mod:`.soap_profile`), never by code here.
Nothing an answer says is believed before both of its signatures are verified: a refusal without
them leaves the message uncertain, like silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from lxml import etree

from . import soap_files
from .health import Judgement, examine
from .http import Answer, Failure
from .interface import (
    Connector,
    Document,
    FetchError,
    Health,
    NotSent,
    Outcome,
    Reason,
    Receipt,
    Refused,
    RemoteDocument,
    Unavailable,
    Uncertain,
)
from .problems import PROBLEMS, build
from .profiles import profile as built_in
from .settings import Settings
from .soap_answer import ResponseError
from .soap_channel import Reply, SoapChannel, Unbelievable
from .soap_codes import Code, look_up
from .soap_profile import SoapProfile
from .soap_request import compress, fresh_id, request_id, upload_name

_MEANINGS: dict[str, type[Outcome]] = {
    "refused": Refused,
    "not_sent": NotSent,
    "uncertain": Uncertain,
}
# Failures of a read that will be the same next time, beside the permanent ones.
_LASTING = ("answer_too_large", "answer_encoded", "protocol")
_RECALL = "camt.055"
# What can go wrong in making a request out of unusual texts.
_UNBUILDABLE = (ValueError, TypeError, LookupError, etree.LxmlError)


class SoapConnector(Connector):
    """One contract with one bank over SOAP."""

    def __init__(self, settings: Settings) -> None:
        """:raises SettingsError: where profile, address, certificates or variables cannot work"""
        data = settings.profile
        self.profile = SoapProfile.from_dict(built_in(data) if isinstance(data, str) else data)
        self.channel = SoapChannel(settings, self.profile)
        self.now = settings.now
        self.resend_window = self.profile.window
        self.max_bytes = self.profile.max_bytes

    def close(self) -> None:
        self.channel.close()

    # Sending

    def submit(self, document: Document, key: str) -> Receipt:
        values = self._upload(document, key)
        number = request_id(key)
        try:
            envelope = self.channel.request("uploadFile", number, values)
        except _UNBUILDABLE as error:
            raise build(NotSent, "request_invalid", detail=type(error).__name__) from None
        try:
            answer = self.channel.send(envelope, number, fresh=True)
        except Failure as failure:
            raise failure.outcome(Uncertain if failure.sent else NotSent) from None
        try:
            reply = self.channel.read(answer, "uploadFile", number)
        except Unbelievable as doubt:
            raise self._doubtful(doubt) from None
        meaning = look_up(reply.code)
        means = self.profile.answers.get(reply.code, meaning.means)
        if means not in ("delivered", "duplicate"):
            raise self._said(_MEANINGS[means], reply, meaning)
        reference = {"request_id": number}
        files = list(reply.files())
        if any(file.name and file.name != values["UserFilename"] for file in files):
            # The receipt of another message, under this one's number.
            doubt = Unbelievable("wrong_echo", answer, self.channel.host, detail="UserFilename")
            raise self._doubtful(doubt)
        if len(files) == 1:
            reference["file_reference"] = files[0].reference
        return self._receipt(reply, key, "RCVD", reference, means == "duplicate")

    def _upload(self, document: Document, key: str) -> dict[str, object]:
        """Return the ApplicationRequest's values for `document`.

        :raises NotSent: where certificate, key, size or type keep it from going out at all
        """
        for start, end in self.channel.own_validity.values():
            if self.now() > end:
                raise build(NotSent, "certificate_expired", detail=f"on {end:%Y-%m-%d %H:%M} UTC")
            if self.now() < start:
                raise build(NotSent, "certificate_not_yet_valid", detail=f"until {start:%Y-%m-%d}")
        try:
            name = upload_name(key)
        except (ValueError, AttributeError):
            raise build(NotSent, "bad_key") from None
        if not document.content:
            raise build(NotSent, "empty_content")
        if len(document.content) > self.profile.max_bytes:
            limit = self.profile.max_bytes
            raise build(NotSent, "too_large", size=len(document.content), limit=limit)
        file_type = self.profile.upload_type(document)
        if file_type is None and document.message_name.startswith(_RECALL):
            raise build(NotSent, "cannot_recall")
        if file_type is None:
            what = [document.message_name, document.service_level, document.instant and "instant"]
            raise build(NotSent, "no_product", what=" ".join(str(part) for part in what if part))
        content = compress(document.content) if self.profile.compress else document.content
        values: dict[str, object] = {
            "UserFilename": name,
            "Compression": self.profile.compress,
            "FileType": file_type,
            "Content": content,
        }
        if self.profile.compress:
            values["CompressionMethod"] = self.profile.compression_method
        if self.profile.totals:
            values["AmountTotal"] = (
                None if document.control_sum is None else format(document.control_sum, "f")
            )
            values["TransactionCount"] = document.transactions
        return values

    def _doubtful(self, doubt: Unbelievable) -> Outcome:
        """Return what an answer that cannot be believed makes of a submission."""
        means = "uncertain"
        if doubt.code == "soap_fault":
            means = self.profile.faults.get(doubt.reasons[0].code, means)
        elif doubt.status is not None:
            means = self.profile.http.get(doubt.status, means)
        return doubt.outcome(_MEANINGS[means])

    def _said(self, kind: type[Outcome], reply: Reply, meaning: Code) -> Outcome:
        """Return what the bank said by code, as an outcome with its own words."""
        return build(
            kind,
            meaning.problem or "bank_code",
            content=reply.content,
            content_type="application/xml",
            http_status=reply.answer.status,
            reasons=(Reason(reply.code, reply.text),),
            retry_after=reply.answer.retry_after,
            answer=reply.code,
        )

    def refusal(self, reply: Reply) -> FetchError:
        """Return what the bank said instead of giving what was asked for."""
        return self._said(FetchError, reply, look_up(reply.code))

    def _receipt(
        self,
        reply: Reply,
        key: str,
        status: str | None,
        reference: Mapping[str, str],
        duplicate: bool = False,
    ) -> Receipt:
        return Receipt(
            key=key,
            status=status,
            bank_reference=reference,
            content=reply.content,
            content_type="application/xml",
            received_at=reply.answer.received_at,
            duplicate=duplicate,
            reasons=(Reason(reply.code, reply.text),) if duplicate else (),
            text=reply.text,
            http_status=reply.answer.status,
        )

    # Asking

    def inquire(self, key: str, document: Document) -> Receipt | None:
        """Look for the file among our uploads, where the bank shows them."""
        file_type = self.profile.upload_type(document)
        if not self.profile.inquiry or file_type is None:
            raise build(FetchError, "cannot_inquire")
        try:
            name, number = upload_name(key), request_id(key)
        except (ValueError, AttributeError):
            raise build(FetchError, "cannot_inquire") from None
        since = self.now() - self.profile.window
        reply = self.call("downloadFileList", soap_files.period(file_type, "ALL", since))
        given = document.reference.get("file_reference")
        found = [
            file
            for file in ([] if reply.code == "24" else reply.files())
            if file.name == name or (given and file.reference == given)
        ]
        if found:
            reference = {"request_id": number, "file_reference": found[0].reference}
            return self._receipt(reply, key, "RCVD", reference)
        if document.reference:
            raise build(FetchError, "payment_unknown")
        return None

    # Documents

    def list(self, kinds: Iterable[str], since: datetime | None = None) -> Iterable[RemoteDocument]:
        return soap_files.listing(self, frozenset(kinds), since)

    def fetch(self, remote: RemoteDocument) -> bytes:
        return soap_files.fetch(self, remote)

    def acknowledge(self, remote: RemoteDocument) -> None:
        soap_files.acknowledge(self, remote)

    # Health

    def check(self) -> Health:
        # What the bank knows about us, or else the list of today.
        informed = self.channel.serves("getUserInfo")
        operation = "getUserInfo" if informed else "downloadFileList"
        kinds = next(iter(self.profile.downloads.values()))
        today = soap_files.period(kinds[0], "ALL", self.now())
        number = fresh_id()
        values = {} if informed else today

        def ask() -> Answer:
            envelope = self.channel.request(operation, number, values)
            return self.channel.send(envelope, number, fresh=True)

        def judge(answer: Answer) -> Judgement:
            try:
                reply = self.channel.read(answer, operation, number)
                # The list is asked for only to be answered: it may be empty, or of a file type
                # that this bank has not.
                answered = reply.code in ("24", *soap_files.NOT_OFFERED) and not informed
                if not reply.good and not answered:
                    raise self.refusal(reply)
                types = reply.response.user_info() if informed and reply.response else []
                return Judgement(None, {"files": types} if types else {}, reply.signer)
            except Unbelievable as doubt:
                return Judgement(doubt.outcome(FetchError))
            except FetchError as problem:
                return Judgement(problem)
            except ResponseError as error:
                return Judgement(
                    build(
                        FetchError, "answer_unreadable", detail=str(error), host=self.channel.host
                    )
                )

        return examine(ask, judge, self.channel.own_validity, self.now())

    # Calls that move no money, for this file and for soap_files

    def call(
        self, operation: str, values: Mapping[str, object], accepted: Iterable[str] = ("24",)
    ) -> Reply:
        """Ask something, and return the verified answer.

        :param accepted: codes that the caller understands beside success
        :raises FetchError: for anything else
        """
        number = fresh_id()
        try:
            envelope = self.channel.request(operation, number, values)
        except _UNBUILDABLE as error:
            raise build(FetchError, "request_invalid", detail=type(error).__name__) from None
        try:
            answer = self.channel.send(envelope, number)
        except Failure as failure:
            lasting = PROBLEMS[failure.code].permanent or failure.code in _LASTING
            raise failure.outcome(FetchError if lasting else Unavailable) from None
        try:
            reply = self.channel.read(answer, operation, number)
        except Unbelievable as doubt:
            raise doubt.outcome(Unavailable if doubt.passing else FetchError) from None
        if not reply.good and reply.code not in accepted:
            meaning = look_up(reply.code)
            passing = meaning.problem == "bank_technical"
            raise self._said(Unavailable, reply, meaning) if passing else self.refusal(reply)
        return reply
