"""Files that wait at the bank: list, fetch, put away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .interface import FetchError, RemoteDocument
from .problems import build
from .soap_answer import File, ResponseError
from .soap_channel import Reply

if TYPE_CHECKING:
    from .soap import SoapConnector

_ISO = re.compile(r"[a-z]{4}\.\d{3}\.\d{3}\.\d{2}")
_GONE = "DEL"
# A file type that this bank has not, or not for this contract. 29 blames a parameter without saying
# which: where another file type is listed, it was this one.
NOT_OFFERED = ("20", "25", "29")


def period(file_type: str, status: str, since: datetime) -> dict[str, object]:
    """Return what a list request says.  Days are the bank's, so it begins a day earlier."""
    return {
        "StartDate": (since.astimezone(timezone.utc) - timedelta(days=1)).date(),
        "Status": status,
        "FileType": file_type,
    }


def listing(
    bank: SoapConnector, kinds: frozenset[str], since: datetime | None
) -> Iterator[RemoteDocument]:
    """List the files of `kinds` (empty: all) made since `since` (aware).

    Of the file types that a profile names for a kind (two versions, say) the bank need not offer
    each; where it offers none, that is said after everything else is listed.
    """
    profile = bank.profile
    begin = since or bank.now() - timedelta(days=profile.list_days)
    seen: set[str] = set()
    faults: list[str] = []
    last: Reply | None = None
    missing: Reply | None = None
    for kind, types in profile.downloads.items():
        if kinds and kind not in kinds:
            continue
        offered, turned_away = False, None
        for file_type in types:
            request = period(file_type, profile.list_status, begin)
            last = bank.call("downloadFileList", request, ("24", *NOT_OFFERED))
            if last.code in NOT_OFFERED:
                turned_away = last
                continue
            offered = True
            if last.response is None or last.code == "24":
                continue
            for entry in last.response.entries():
                try:
                    file = last.response.file(entry)
                except ResponseError as error:
                    faults.append(str(error))
                    continue
                # A bank may show more than was asked for.
                if file.file_type != file_type or not _wanted(file, since):
                    continue
                remote = _remote(kind, file)
                if remote.id not in seen:
                    seen.add(remote.id)
                    yield remote
        if not offered:
            missing = missing or turned_away
    if missing is not None:
        raise bank.refusal(missing)
    if faults and last is not None:
        # Said last, so that one broken entry holds up none of the others.
        raise build(
            FetchError,
            "listing_unreadable",
            detail=f"{len(faults)}: {faults[0]}",
            content=last.content,
            content_type="application/xml",
        )


def _wanted(file: File, since: datetime | None) -> bool:
    if file.status == _GONE:
        return False
    if since is None or file.created is None:
        return True
    # A day told without a time begins at its midnight: what came later that day counts too.
    end = file.created + timedelta(days=1) if file.dated else file.created
    return end >= since


def _remote(kind: str, file: File) -> RemoteDocument:
    # The reference alone is not always unique: some banks make it of account and day.
    return RemoteDocument(
        id=f"{file.file_type}:{file.reference}",
        kind=kind,
        message_name=file.file_type if _ISO.fullmatch(file.file_type) else None,
        name=file.name,
        created=file.created,
    )


def _address(bank: SoapConnector, remote: RemoteDocument) -> dict[str, object]:
    file_type, colon, reference = remote.id.partition(":")
    if not colon or bank.profile.kind_of(file_type) is None:
        raise build(FetchError, "no_reference")
    return {"FileReferences": [reference], "FileType": file_type}


def fetch(bank: SoapConnector, remote: RemoteDocument) -> bytes:
    """Return the file's bytes, decompressed where the bank compressed them."""
    address = _address(bank, remote)
    reply = bank.call("downloadFile", address)
    if reply.code == "24":
        raise build(FetchError, "document_gone")
    try:
        if reply.response is None:
            raise ResponseError("no ApplicationResponse")
        shown = [reply.response.file(entry).reference for entry in reply.response.entries()]
        if shown and shown != address["FileReferences"]:
            raise ResponseError("another file than asked for")
        return reply.response.content(bank.profile.max_answer_bytes)
    except ResponseError as error:
        raise build(
            FetchError,
            "answer_unreadable",
            detail=str(error),
            content=reply.content,
            content_type="application/xml",
            host=bank.channel.host,
        ) from None


def acknowledge(bank: SoapConnector, remote: RemoteDocument) -> None:
    """Delete the file at the bank, where the profile says so; else downloading was enough."""
    if bank.profile.deletes and bank.channel.serves("deleteFile"):
        # 24: it is gone already. 27: the bank keeps it, which harms nobody.
        bank.call("deleteFile", _address(bank, remote), accepted=("24", "27"))
