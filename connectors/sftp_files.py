"""The bank's folders read as a list of documents."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import paramiko

from .interface import Document, FetchError, RemoteDocument, Unavailable
from .problems import build
from .sftp_profile import UNKNOWN
from .ssh import NO_SUCH_FILE, PERMISSION_DENIED, Client, Status

if TYPE_CHECKING:
    from .sftp import SftpConnector

_PART = 32 * 1024  # what servers send at most in one answer


def entries(client: Client, folder: str, most: int) -> list[paramiko.SFTPAttributes]:
    """Return what is in a folder.

    :raises FetchError: ``listing_endless``
    :raises Status: the server does not show it
    """
    found = []
    for entry in _walk(client, folder):
        found.append(entry)
        if len(found) > most:
            raise build(FetchError, "listing_endless", detail=folder)
    return found


def _walk(client: Client, folder: str) -> Iterator[paramiko.SFTPAttributes]:
    # One request at a time: with more, some servers lose the end of the list.
    yield from client.listdir_iter(folder, read_aheads=1)


def candidates(bank: SftpConnector, client: Client, folder: str, name: str) -> list[str]:
    """Return the paths where a file that was sent may be: its place, and where the bank keeps it.

    In this order, so that a file that is moved meanwhile is still seen.
    """
    found = [f"{folder}/{name}"]
    for text in bank.profile.kept:
        place, _, last = bank.path(text.replace("{name}", glob.escape(name))).rpartition("/")
        try:
            shown = entries(client, place or ".", bank.profile.max_entries)
        except Status as status:
            if status.code == NO_SUCH_FILE:
                continue
            raise
        names = sorted(one.filename for one in shown)
        found += [f"{place}/{one}" for one in names if fnmatch.fnmatchcase(one, last)]
    return found


def same(client: Client, path: str, document: Document) -> bool:
    """Whether a file of the right size holds the message; an unreadable one goes by its name."""
    try:
        with client.open(path, "rb") as file:
            content = file.read(len(document.content) + 1)
    except Status as status:
        if status.code == PERMISSION_DENIED:
            return True
        raise
    return hashlib.sha256(content).hexdigest() == document.sha256


def size(client: Client, path: str) -> int | None:
    """Return a file's size; ``None`` where there is none, or where this cannot be seen."""
    try:
        found = client.stat(path)
    except Status as status:
        if status.code in (NO_SUCH_FILE, PERMISSION_DENIED):
            return None
        raise
    return found.st_size if stat.S_ISREG(found.st_mode or stat.S_IFREG) else None


def listing(
    bank: SftpConnector, kinds: frozenset[str], since: datetime | None
) -> list[RemoteDocument]:
    """List the documents that are complete, oldest first."""

    def work(client: Client) -> list[RemoteDocument]:
        found = _look(bank, client, kinds)
        if found and bank.profile.settle:
            # A file that is still growing looks different the second time, whatever the clocks say.
            time.sleep(bank.profile.settle)
            again = _look(bank, client, kinds)
            found = {path: one for path, one in found.items() if again.get(path) == one}
        documents = [_document(path, *one) for path, one in found.items()]
        if since is not None:
            documents = [one for one in documents if one.created and one.created >= since]
        return sorted(documents, key=lambda one: (str(one.created), one.id))

    return bank.read("LIST", bank.base or ".", work)


def _look(
    bank: SftpConnector, client: Client, kinds: frozenset[str]
) -> dict[str, tuple[str, int, int]]:
    """Return path → (kind, size, time) of the files that fit, each of the first kind it fits."""
    profile = bank.profile
    unfinished = [*profile.unfinished]
    if profile.prefix or profile.suffix:
        unfinished.append(f"{_literal(profile.prefix)}*{_literal(profile.suffix)}")
    folders: dict[str, list[paramiko.SFTPAttributes]] = {}
    found: dict[str, tuple[str, int, int]] = {}
    seen: set[str] = set()
    for kind, patterns in profile.downloads.items():
        for pattern in patterns:
            folder, _, last = bank.path(pattern).rpartition("/")
            folder = folder or ("/" if bank.path(pattern).startswith("/") else ".")
            if folder not in folders:
                folders[folder] = entries(client, folder, profile.max_entries)
            for entry in folders[folder]:
                path = f"{folder}/{entry.filename}"
                if path in seen or not _plain_file(entry, last, unfinished):
                    continue
                seen.add(path)
                if not kinds or kind in kinds or kind == UNKNOWN:
                    found[path] = (kind, entry.st_size, entry.st_mtime)
    return found


def _plain_file(entry: paramiko.SFTPAttributes, pattern: str, unfinished: list[str]) -> bool:
    """Whether it is a regular, complete file of this name; links lead anywhere and are left."""
    name = entry.filename
    return (
        stat.S_ISREG(entry.st_mode or 0)
        and "/" not in name
        and "\0" not in name
        and entry.st_size is not None
        and entry.st_mtime is not None
        and fnmatch.fnmatchcase(name, pattern)
        and not any(fnmatch.fnmatchcase(name, one) for one in unfinished)
    )


def _literal(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _document(path: str, kind: str, size: int, moment: int) -> RemoteDocument:
    return RemoteDocument(
        # A file that is replaced under its name is another document.
        id=f"{path}@{size}@{moment}",
        kind=kind,
        name=path.rpartition("/")[2],
        created=datetime.fromtimestamp(moment, timezone.utc),
        size=size,
        href=path,
    )


def _version(client: Client, path: str) -> str:
    """Return the id that the file at `path` would be listed under now."""
    found = client.stat(path)
    return f"{path}@{found.st_size}@{found.st_mtime}"


def fetch(bank: SftpConnector, remote: RemoteDocument) -> bytes:
    """Read a document whole; one that changed since it was listed is left for the next time."""
    path, expected = _path(remote), remote.size or 0
    limit = bank.profile.max_answer_bytes
    if expected > limit:
        raise build(FetchError, "document_too_large", size=expected, limit=limit)

    def work(client: Client) -> bytes:
        content = bytearray()
        try:
            with client.open(path, "rb") as file:
                while len(content) <= expected and (part := file.read(_PART)):
                    content += part
            after = _version(client, path)
        except Status as status:
            if status.code == NO_SUCH_FILE:
                raise build(FetchError, "document_gone") from None
            raise
        if len(content) != expected or after != remote.id:
            raise build(FetchError, "size_mismatch", size=len(content), announced=expected)
        return bytes(content)

    return bank.read("GET", path, work)


def acknowledge(bank: SftpConnector, remote: RemoteDocument) -> None:
    """Put a document away at the bank, unless somebody did, or it is no longer the same."""
    path, profile = _path(remote), bank.profile
    if profile.acknowledge == "none":
        return

    def work(client: Client) -> None:
        try:
            if _version(client, path) != remote.id:
                return  # another document by now, to be fetched itself
            if profile.acknowledge == "delete":
                client.remove(path)
            else:
                _put_away(client, path, bank.path(profile.archive), remote)
        except Status as status:
            if status.code != NO_SUCH_FILE or _is_there(client, path):
                raise

    bank.read("DELETE" if profile.acknowledge == "delete" else "MOVE", path, work)


def _put_away(client: Client, path: str, archive: str, remote: RemoteDocument) -> None:
    """Move a file into the archive, next to any older one of the same name."""
    name = path.rpartition("/")[2]
    moment = f"{remote.created:%Y%m%dT%H%M%S}" if remote.created else ""
    names = [name, f"{name}.{moment}", *(f"{name}.{moment}.{number}" for number in range(1, 100))]
    for candidate in names:
        if not _is_there(client, f"{archive}/{candidate}"):
            # The drafts' rename, which never replaces a file.
            client.rename(path, f"{archive}/{candidate}")
            return
    raise build(FetchError, "archive_full", detail=archive)


def _is_there(client: Client, path: str) -> bool:
    try:
        client.lstat(path)
    except Status as status:
        if status.code in (NO_SUCH_FILE, PERMISSION_DENIED):
            return False
        raise
    return True


def _path(remote: RemoteDocument) -> str:
    if not remote.href:
        raise build(Unavailable, "document_gone")
    return remote.href
