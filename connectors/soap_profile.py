"""What distinguishes one bank's SOAP channel from the next, as data.

A profile is plain JSON (see ``profiles/``), checked when it is loaded; an error names the key.
Its keys:

``protocol``, ``name``, ``title``
    "soap", the profile's name, and what people see.
``defaults``
    Values of variables where the connection has none.
``operations``
    What the bank serves; some serve no ``deleteFile`` or ``getUserInfo``.
``header``
    ``sender_id``, ``receiver_id`` (texts with variables) and ``language`` (EN, SV or FI).
``request``
    What the ApplicationRequest says: ``customer_id``, ``target_id``, ``service_id``,
    ``environment`` and ``software_id`` (texts with variables; empty ones are left out),
    ``totals`` (true: number and sum of the payments as well) and ``compression_method``.
``uploads``
    Which file type a message goes under: ``message`` (beginning of its name, else pain.001),
    ``service_level``, ``instant``, ``file_type``; the first that suits is taken.
``downloads``
    Document kind → file types to look for.
``list``
    ``status`` (ALL, NEW or DLD) and ``days``, how far back.  ALL is safer: a bank counts a file as
    downloaded when it sent it, not when it arrived here.
``acknowledge``
    "delete": with deleteFile; "none": the bank is told nothing.
``compress``, ``encryption``
    Whether content is gzipped; ``cipher`` and ``key_transport`` where requests are encrypted.
``signatures``
    ``sha1`` (true: take it from this bank), ``signer_names`` (common names that the bank signs
    under) and ``clock_seconds``, by how much the clocks may differ.
``key``
    ``window_days``: how long the bank remembers a RequestId, and answers 31 to a second one.
``inquiry``
    true: downloadFileList shows our own uploads, under the name that we gave them.
``answers``, ``http``, ``faults``
    Deviations from :mod:`.soap_codes`: response code → meaning; HTTP status (4xx) and local name
    of a fault code → "not_sent" or "refused".
``limits``
    ``bytes`` of a message, ``answer_bytes``.
``wsdl``
    The bank's own WSDL, as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .interface import Document
from .profile_reader import FIELD, Reader
from .soap_algorithms import CIPHERS, TRANSPORTS
from .soap_codes import MEANINGS, known
from .soap_encryption import Method

_NEEDED = ("uploadFile", "downloadFileList", "downloadFile")
_OPERATIONS = (*_NEEDED, "deleteFile", "getUserInfo")
_LONGEST_TYPE = 40  # characters of a FileType
_MAX_BYTES = 10 * 1024 * 1024
_HEADER = ("sender_id", "receiver_id")
_REQUEST = ("customer_id", "target_id", "service_id", "environment", "software_id")


@dataclass(frozen=True)
class Upload:
    """A file type of the bank, and the messages it is for; ``None`` matches all."""

    file_type: str
    message: str = "pain.001"  # beginning of the message name
    service_level: str | None = None
    instant: bool | None = None

    def suits(self, document: Document) -> bool:
        return (
            document.message_name.startswith(self.message)
            and (self.service_level is None or self.service_level == document.service_level)
            and (self.instant is None or self.instant == document.instant)
        )


@dataclass(frozen=True)
class SoapProfile:
    """One bank's SOAP channel."""

    name: str
    title: str
    defaults: Mapping[str, str]
    operations: frozenset[str]
    header: Mapping[str, str]
    language: str
    request: Mapping[str, str]
    totals: bool
    compression_method: str | None
    uploads: tuple[Upload, ...]
    downloads: Mapping[str, tuple[str, ...]]
    list_status: str
    list_days: int
    deletes: bool
    compress: bool
    encryption: Method | None
    sha1: bool
    signer_names: tuple[str, ...]
    skew: timedelta
    window: timedelta | None
    inquiry: bool
    answers: Mapping[str, str]
    http: Mapping[int, str]
    faults: Mapping[str, str]
    max_bytes: int
    max_answer_bytes: int
    wsdl: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SoapProfile:
        """Read a profile.

        :raises SettingsError: ``profile``; the text names the key
        """
        top = Reader(data)
        top.choice("protocol", {"soap"})
        header, request = top.sub("header"), top.sub("request")
        listing, signatures = top.sub("list", {}), top.sub("signatures", {})
        key, limits = top.sub("key", {}), top.sub("limits", {})
        operations = frozenset(top.strings("operations") or _OPERATIONS)
        if not set(_NEEDED) <= operations <= set(_OPERATIONS):
            raise top.wrong("operations", f"must hold {', '.join(_NEEDED)} and no unknown one")
        days = _positive(key, "window_days", None)
        profile = cls(
            name=top.take("name", str),
            title=top.take("title", str, ""),
            defaults=top.texts("defaults", {}),
            operations=operations,
            header={part: header.take(part, str) for part in _HEADER},
            language=header.choice("language", {"EN", "SV", "FI"}, "EN"),
            request={part: request.take(part, str, "") for part in _REQUEST},
            totals=request.take("totals", bool, False),
            compression_method=request.take("compression_method", str, None),
            uploads=tuple(_upload(item) for item in top.items("uploads")),
            downloads=_downloads(top.sub("downloads")),
            list_status=listing.choice("status", {"ALL", "NEW", "DLD"}, "ALL"),
            list_days=_positive(listing, "days", 14),
            deletes=top.choice("acknowledge", {"delete", "none"}, "none") == "delete",
            compress=top.take("compress", bool, False),
            encryption=_encryption(top.sub("encryption", None)),
            sha1=signatures.take("sha1", bool, False),
            signer_names=signatures.strings("signer_names"),
            skew=timedelta(seconds=_positive(signatures, "clock_seconds", 300)),
            window=timedelta(days=days) if days else None,
            inquiry=top.take("inquiry", bool, False),
            answers=_answers(top),
            http=_http(top),
            faults=_door(top, "faults"),
            max_bytes=_positive(limits, "bytes", _MAX_BYTES),
            max_answer_bytes=_positive(limits, "answer_bytes", 64 * 1024 * 1024),
            wsdl=top.take("wsdl", str, None),
        )
        if not profile.request["customer_id"]:
            raise request.wrong("customer_id", "is missing")
        if profile.deletes and "deleteFile" not in operations:
            raise top.wrong("acknowledge", "cannot be delete without deleteFile")
        if profile.inquiry and profile.window is None:
            # "Not in the list" frees a message to be sent again under the same RequestId.
            raise top.wrong("inquiry", "needs key.window_days")
        for reader in (header, request, listing, signatures, key, limits, top):
            reader.end()
        return profile

    def variables(self) -> set[str]:
        """Return the names of the variables that the texts need."""
        texts = [*self.header.values(), *self.request.values()]
        return {found for text in texts for found in FIELD.findall(text)}

    def upload_type(self, document: Document) -> str | None:
        """Return the file type for `document`, or ``None`` where the bank takes no such message."""
        return next((one.file_type for one in self.uploads if one.suits(document)), None)

    @property
    def can_recall(self) -> bool:
        """Whether the bank takes recalls (camt.055) over this channel."""
        return any(one.message.startswith("camt.055") for one in self.uploads)

    def kind_of(self, file_type: str) -> str | None:
        """Return the document kind of a file type."""
        return next((kind for kind, types in self.downloads.items() if file_type in types), None)


def _positive(reader: Reader, key: str, default: int | None) -> Any:
    value = reader.take(key, int, default)
    if value is not None and value <= 0:
        raise reader.wrong(key, "must be a positive number")
    return value


def _file_type(reader: Reader, key: str, value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TYPE or ":" in value:
        raise reader.wrong(key, f"must be a file type of 1 to {_LONGEST_TYPE} characters, no colon")
    return value


def _upload(reader: Reader) -> Upload:
    upload = Upload(
        file_type=_file_type(reader, "file_type", reader.take("file_type", str)),
        message=reader.take("message", str, "pain.001"),
        service_level=reader.take("service_level", str, None),
        instant=reader.take("instant", bool, None),
    )
    reader.end()
    return upload


def _downloads(reader: Reader) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind in list(reader.data):
        types = reader.take(kind, list)
        if not types:
            raise reader.wrong(kind, "must name a file type")
        found[kind] = tuple(_file_type(reader, kind, one) for one in types)
    return found


def _encryption(reader: Reader | None) -> Method | None:
    if reader is None:
        return None
    method = Method(reader.choice("cipher", CIPHERS), reader.choice("key_transport", TRANSPORTS))
    reader.end()
    return method


def _answers(top: Reader) -> dict[str, str]:
    answers = top.texts("answers", {})
    for code, means in answers.items():
        if means not in MEANINGS:
            raise top.wrong(f"answers.{code}", f"must be one of {', '.join(MEANINGS)}")
        if means == "delivered" and known(code):
            raise top.wrong(f"answers.{code}", "cannot be delivered")
    return answers


def _door(top: Reader, key: str) -> dict[str, str]:
    found = top.texts(key, {})
    for code, means in found.items():
        if means not in ("not_sent", "refused"):
            raise top.wrong(f"{key}.{code}", "must be not_sent or refused")
    return found


def _http(top: Reader) -> dict[int, str]:
    found = _door(top, "http")
    for status in found:
        if not (status.isascii() and status.isdigit() and 400 <= int(status) <= 499):
            raise top.wrong(f"http.{status}", "must be an HTTP status from 400 to 499")
    return {int(status): means for status, means in found.items()}
