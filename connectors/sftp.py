"""Files over SFTP: a mailbox of folders at the bank.

A message is written under a temporary name and then renamed, so that the bank sees it whole or not
at all.  Before the rename nothing was sent; a rename whose answer is missing leaves the message
uncertain.  Its name holds the message's key, so that a repetition is recognised.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from . import sftp_files
from .health import steps
from .interface import (
    Connector,
    Document,
    FetchError,
    Health,
    NotSent,
    Outcome,
    Reason,
    Receipt,
    RemoteDocument,
    SettingsError,
    Unavailable,
    Uncertain,
)
from .problems import PROBLEMS, build
from .profiles import profile as built_in
from .settings import Settings
from .sftp_profile import SftpProfile, Upload, address, plain
from .ssh import BROKEN, NO_SUCH_FILE, PERMISSION_DENIED, UNSUPPORTED, Call, Client, Line, Status
from .ssh_log import Log
from .templates import fill
from .trace import TransportError

OutcomeType = TypeVar("OutcomeType", bound=Outcome)
Result = TypeVar("Result")

_PART = 32 * 1024
_RECALL = "camt.055"
_TEMPORARY = "temporary"  # in a message's reference: what a doubtful attempt wrote
# Steps of the connection test, in order: by the mark that a success leaves.
_MARKS = {
    "resolved": "name",
    "connected": "reach",
    "secured": "host",
    "answered": "login",
    "folders": "folders",
}
_CODES = {NO_SUCH_FILE: "folder_missing", PERMISSION_DENIED: "folder_denied"}


class SftpConnector(Connector):
    """One contract with one bank over SFTP.

    The host keys to believe are in ``settings.trust``: as lines of known_hosts in ``ca_pem``, as
    fingerprints, or both.  The login is the variable ``user_name`` (or ``contract_id``) with the
    identity's private key, the variable ``password``, or both.
    """

    def __init__(self, settings: Settings) -> None:
        """:raises SettingsError: where profile, address, keys or variables cannot work"""
        data = settings.profile
        self.profile = SftpProfile.from_dict(built_in(data) if isinstance(data, str) else data)
        host, port, self.base = address(settings.url)
        given = {name: value for name, value in settings.variables.items() if value}
        self.values = {**self.profile.defaults, **given}
        password = self.values.pop("password", "")
        user = self.values.get("user_name") or self.values.get("contract_id", "")
        for name in self.profile.variables():
            if not plain(self.values.get(name, "")):
                text = f"A value without slashes is needed for {name} in the bank's paths."
                raise SettingsError("variable", text)
        self.line = Line(settings, host, port, user, password)
        self.log = Log(settings, host, port)
        self.now = settings.now
        self.max_bytes = self.profile.max_bytes

    def close(self) -> None:
        self.line.close()

    def path(self, text: str, **values: str) -> str:
        """Fill a path of the profile, and put it below the address's own."""
        path = fill(text, {**self.values, **values})
        return path if path.startswith("/") or not self.base else f"{self.base}/{path}"

    # Sending

    def submit(self, document: Document, key: str) -> Receipt:
        folder, name = self._place(document, key)
        path, temporary = f"{folder}/{name}", self._temporary(folder, name)
        stale = document.reference.get(_TEMPORARY)
        size = len(document.content)
        with self.log.entry("PUT", path, key, sent=size) as entry, self.line.call() as call:
            client = self._open(call, NotSent, NotSent)
            entry.fingerprint = self.line.shown
            known = self._before_renaming(call, client, lambda: self._known(client, key, document))
            if known:
                return self._receipt(key, known, duplicate=True)
            if stale:
                # It proved that an earlier attempt came to nothing; of this one it proves nothing.
                self._before_renaming(call, client, lambda: self._remove(client, stale))
            self._before_renaming(
                call, client, lambda: self._write(client, temporary, document.content), temporary
            )
            rename = client.posix_rename if self.profile.atomic else client.rename
            try:
                rename(temporary, path)
            except Status as status:
                raise self._not_renamed(call, client, temporary, document, status) from None
            except BROKEN as error:
                # The request may have been on its way.
                self.line.close()
                doubt = self._broken(call, Uncertain, error)
                doubt.bank_reference = {_TEMPORARY: temporary}
                raise doubt from None
        return self._receipt(key, path)

    def _place(self, document: Document, key: str) -> tuple[str, str]:
        """Return folder and name of a message's file.

        :raises NotSent: where key, size or kind keep it from going out at all
        """
        if not document.content:
            raise build(NotSent, "empty_content")
        if len(document.content) > self.profile.max_bytes:
            size, limit = len(document.content), self.profile.max_bytes
            raise build(NotSent, "too_large", size=size, limit=limit)
        try:
            place = self._named(document, key)
        except ValueError:
            raise build(NotSent, "bad_key") from None
        if place is None and document.message_name.startswith(_RECALL):
            raise build(NotSent, "cannot_recall")
        if place is None:
            what = [document.message_name, document.service_level, document.instant and "instant"]
            raise build(NotSent, "no_product", what=" ".join(str(part) for part in what if part))
        return place

    def _named(self, document: Document, key: str) -> tuple[str, str] | None:
        """:raises ValueError: the key is no UUID, or the message's name is no part of a name"""
        number = uuid.UUID(key)
        upload: Upload | None = self.profile.upload(document)
        if upload is None:
            return None
        if not plain(document.message_name):
            raise ValueError("message_name")
        values = {"key": str(number), "key_hex": number.hex, "message": document.message_name}
        return self.path(upload.folder), fill(upload.name, {**self.values, **values})

    def _temporary(self, folder: str, name: str) -> str:
        """Return a new name: no two attempts write to one file."""
        token = uuid.uuid4().hex[:8]
        return f"{folder}/{self.profile.prefix}{name}.{token}{self.profile.suffix}"

    def _write(self, client: Client, temporary: str, content: bytes) -> None:
        """Write the temporary file and make sure that it is whole."""
        with client.open(temporary, "wb") as file:
            for start in range(0, len(content), _PART):
                file.write(content[start : start + _PART])  # each part is confirmed
            client.sync(file)
        try:
            size = client.stat(temporary).st_size
        except Status as status:
            if status.code != PERMISSION_DENIED:
                raise
            return  # a folder to write into only; every part was confirmed
        if size != len(content):
            raise build(NotSent, "upload_incomplete", size=size, sent=len(content))

    def _before_renaming(
        self, call: Call, client: Client, work: Callable[[], str | None], leave: str | None = None
    ) -> str | None:
        """Do what comes before the rename: whatever fails there, nothing was sent.

        :param leave: the temporary file to take away then, as far as that is possible
        """
        try:
            return work()
        except (Status, Outcome) as error:
            if leave:
                self._tidy(client, leave)
            if isinstance(error, Status):
                raise self._said(NotSent, error, leave or "") from None
            if isinstance(error, FetchError):
                raise build(NotSent, error.code, detail=error.detail, **error.facts) from None
            raise
        except BROKEN as error:
            self.line.close()
            raise self._broken(call, NotSent, error) from None

    def _not_renamed(
        self, call: Call, client: Client, temporary: str, document: Document, status: Status
    ) -> Outcome:
        """Return what a refused rename means: certain only while the temporary file is there."""
        try:
            there = client.stat(temporary).st_size == len(document.content)
        except BROKEN:
            there = False
        if not there:
            self.line.close()
            return self._said(Uncertain, status)
        self._tidy(client, temporary)
        if status.code == UNSUPPORTED and self.profile.atomic:
            return build(NotSent, "rename_unsupported", detail=status.text)
        return self._said(NotSent, status)

    def _tidy(self, client: Client, temporary: str) -> None:
        with contextlib.suppress(*BROKEN):
            client.remove(temporary)

    def _remove(self, client: Client, path: str) -> None:
        try:
            client.remove(path)
        except Status as status:
            if status.code != NO_SUCH_FILE:
                raise

    def _receipt(self, key: str, path: str, duplicate: bool = False) -> Receipt:
        return Receipt(
            key=key,
            status="RCVD",
            bank_reference={"path": path},
            content=b"",
            content_type="",
            received_at=self.now(),
            duplicate=duplicate,
        )

    # Asking

    def inquire(self, key: str, document: Document) -> Receipt | None:
        """Look for the file in its place, and where the bank keeps what it has taken."""
        try:
            place = self._named(document, key)
        except ValueError:
            place = None
        if place is None:
            raise build(FetchError, "cannot_inquire")
        folder, name = place
        path = f"{folder}/{name}"

        def work(client: Client) -> Receipt | None:
            known = self._known(client, key, document)
            if known:
                return self._receipt(key, known)
            if "path" in document.reference:
                raise build(FetchError, "payment_unknown")
            # What the doubtful attempt wrote was never renamed if it is still there, and a bank
            # that keeps its files would show this one.
            temporary = document.reference.get(_TEMPORARY) if self.profile.atomic else None
            never = bool(temporary) and sftp_files.size(client, temporary) is not None
            if never or self._keeps(document):
                return None
            raise build(FetchError, "cannot_inquire")

        return self.read("STAT", path, work, key)

    def _keeps(self, document: Document) -> bool:
        """Whether the bank would surely still show this message if it had it."""
        if not self.profile.kept_days or document.first_sent is None:
            return False
        return self.now() - document.first_sent < timedelta(days=self.profile.kept_days)

    def _known(self, client: Client, key: str, document: Document) -> str | None:
        """Return the path where the bank has this message, if it has it.

        :raises Outcome: ``inquiry_mismatch``: there is something else under its name
        """
        folder, name = self._named(document, key) or ("", "")
        for path in sftp_files.candidates(self, client, folder, name):
            size = sftp_files.size(client, path)
            if size is None:
                continue
            if size != len(document.content) or not sftp_files.same(client, path, document):
                raise build(Uncertain, "key_conflict", detail=path)
            return path
        return None

    # Documents

    def list(self, kinds: Iterable[str], since: datetime | None = None) -> Iterable[RemoteDocument]:
        return sftp_files.listing(self, frozenset(kinds), since)

    def fetch(self, remote: RemoteDocument) -> bytes:
        return sftp_files.fetch(self, remote)

    def acknowledge(self, remote: RemoteDocument) -> None:
        sftp_files.acknowledge(self, remote)

    # Health

    def check(self) -> Health:
        folders = {self.path(one.folder) for one in self.profile.uploads}
        folders |= {self.path(one).rpartition("/")[0] or "." for one in self.downloads()}
        if self.profile.archive:
            folders.add(self.path(self.profile.archive))

        problem: FetchError | None = None
        with self.line.call() as call:
            try:
                client = self._open(call, FetchError, Unavailable)
                for folder in sorted(folders):
                    self._look(call, client, folder)
                call.trace.marks.append("folders")
            except FetchError as found:
                problem = found
        return Health(
            checks=tuple(steps(tuple(call.trace.marks), problem, _MARKS)),
            peer_fingerprint=self.line.shown,
        )

    def _look(self, call: Call, client: Client, folder: str) -> None:
        try:
            client.stat(folder)
        except Status as status:
            raise self._said(FetchError, status, folder) from None
        except BROKEN as error:
            self.line.close()
            raise self._broken(call, Unavailable, error) from None

    def downloads(self) -> list[str]:
        """Return all patterns of documents."""
        return [one for patterns in self.profile.downloads.values() for one in patterns]

    # Calls that move no money, for this file and for sftp_files

    def read(
        self, method: str, path: str, work: Callable[[Client], Result], key: str = ""
    ) -> Result:
        """Do `work` on the line, and return what it returns.

        :raises FetchError: for anything that goes wrong with it
        """
        with self.log.entry(method, path, key) as entry, self.line.call() as call:
            client = self._open(call, FetchError, Unavailable)
            entry.fingerprint = self.line.shown
            try:
                result = work(client)
            except Status as status:
                raise self._said(FetchError, status, path) from None
            except Uncertain as doubt:
                raise build(FetchError, "inquiry_mismatch", detail=doubt.detail) from None
            except BROKEN as error:
                self.line.close()
                raise self._broken(call, Unavailable, error) from None
            entry.received = len(result) if isinstance(result, bytes) else 0
            return result

    # How things fail

    def _open(self, call: Call, kind: type[Outcome], passing: type[Outcome]) -> Client:
        """Return the client, or raise what is wrong with the line, as the one kind or the other."""
        try:
            return self.line.open(call)
        except TransportError as error:
            lasting = PROBLEMS[error.code].permanent
            raise build(
                kind if lasting else passing,
                error.code,
                detail=self.log.mask(error.detail),
                host=self.line.host,
                **error.facts,
            ) from None

    def _broken(self, call: Call, kind: type[OutcomeType], error: Exception) -> OutcomeType:
        """Return what a broken line makes of a call."""
        code = "read_timeout" if isinstance(error, TimeoutError) else "reset"
        code = "total_timeout" if call.expired else code
        detail = self.log.mask(f"{type(error).__name__}: {error}")
        return build(kind, code, detail=detail, host=self.line.host)

    def _said(self, kind: type[OutcomeType], status: Status, path: str = "") -> OutcomeType:
        """Return what the server said no to, as an outcome with its own words."""
        code = _CODES.get(status.code, "server_failed")
        reason = Reason(f"SFTP {status.code}", status.text[:200], path)
        return build(kind, code, detail=path, reasons=(reason,), path=path)
