"""What distinguishes one bank's SFTP mailbox from the next, as data.

A profile is plain JSON (see ``profiles/``), checked when it is loaded; an error names the key.
Folders are absolute, or relative to the path in the connection's address and, without one, to the
folder where the login lands.  Texts in braces are variables of the connection.  Its keys:

``protocol``, ``name``, ``title``
    "sftp", the profile's name, and what people see.
``defaults``
    Values of variables where the connection has none.
``uploads``
    Where a message goes: ``message`` (beginning of its name), ``service_level``, ``instant``,
    ``folder`` and ``name``, the file's name, which must hold ``{key}`` or ``{key_hex}``: by it a
    repetition is recognised.  ``{message}`` is the message's name.  The first that suits is taken.
``temporary``
    ``prefix`` and ``suffix`` of the name under which a file is written before it gets its own, in
    the same folder.  Agree with the bank on one that it leaves alone.
``rename``
    "posix" (the OpenSSH extension, atomic) or "standard" (of the SFTP drafts) for servers that
    don't know it.
``kept``
    ``paths`` where the bank puts files that it has taken, such as ``"done/{name}*"``, and for how
    many ``days`` it surely leaves a file there or in place.  Without ``days``, a file that is gone
    proves nothing, and people have to find out.
``downloads``
    Document kind → patterns of paths.  A file that fits several is of the first kind; those of the
    kind "unknown" are listed whichever kinds are asked for.
``unfinished``
    Patterns of the names of files that are still being written, besides the temporary ones.
``settle_seconds``
    A file is listed when its size and time stayed the same for so long.
``acknowledge``, ``archive``
    "archive": the file is moved to the folder ``archive``; "delete"; "none".
``limits``
    ``bytes`` of a message, ``answer_bytes``, ``entries`` of a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .interface import Document, SettingsError
from .profile_reader import FIELD, Reader
from .soap_profile import Upload as _Suiting

UNKNOWN = "unknown"
_MAX_BYTES = 10 * 1024 * 1024
_OWN = {"key", "key_hex", "message", "name"}  # fields that the connector fills itself


@dataclass(frozen=True)
class Upload:
    """A folder of the bank, the messages that go there, and their files' names."""

    suiting: _Suiting
    folder: str
    name: str


@dataclass(frozen=True)
class SftpProfile:
    """One bank's SFTP mailbox."""

    name: str
    title: str
    defaults: Mapping[str, str]
    uploads: tuple[Upload, ...]
    prefix: str
    suffix: str
    atomic: bool
    kept: tuple[str, ...]
    kept_days: int
    downloads: Mapping[str, tuple[str, ...]]
    unfinished: tuple[str, ...]
    settle: float
    acknowledge: str
    archive: str | None
    max_bytes: int
    max_answer_bytes: int
    max_entries: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SftpProfile:
        """Read a profile.

        :raises SettingsError: ``profile``; the text names the key
        """
        top = Reader(data)
        top.choice("protocol", {"sftp"})
        temporary, kept = top.sub("temporary", {}), top.sub("kept", {})
        limits = top.sub("limits", {})
        profile = cls(
            name=top.take("name", str),
            title=top.take("title", str, ""),
            defaults=top.texts("defaults", {}),
            uploads=tuple(_upload(item) for item in top.items("uploads")),
            prefix=temporary.take("prefix", str, "."),
            suffix=temporary.take("suffix", str, ".part"),
            atomic=top.choice("rename", {"posix", "standard"}, "posix") == "posix",
            kept=kept.strings("paths"),
            kept_days=_whole(kept, "days", 0),
            downloads=_downloads(top.sub("downloads")),
            unfinished=top.strings("unfinished"),
            settle=_whole(top, "settle_seconds", 2),
            acknowledge=top.choice("acknowledge", {"archive", "delete", "none"}, "none"),
            archive=top.take("archive", str, None),
            max_bytes=_whole(limits, "bytes", _MAX_BYTES),
            max_answer_bytes=_whole(limits, "answer_bytes", 64 * 1024 * 1024),
            max_entries=_whole(limits, "entries", 20_000),
        )
        for part in (profile.prefix, profile.suffix):
            if "/" in part or "\0" in part:
                raise temporary.wrong("prefix or suffix", "cannot hold a slash")
        if not profile.prefix and not profile.suffix:
            raise temporary.wrong("suffix", "cannot be empty without a prefix")
        if profile.acknowledge == "archive" and not profile.archive:
            raise top.wrong("archive", "is missing")
        for path in profile.kept:
            _check(kept, "paths", path, {"name"})
        if profile.archive:
            _check(top, "archive", profile.archive, set())
        for reader in (temporary, kept, limits, top):
            reader.end()
        return profile

    def variables(self) -> set[str]:
        """Return the names of the variables that the texts need."""
        texts = [*self.kept, self.archive or ""]
        texts += [text for one in self.uploads for text in (one.folder, one.name)]
        texts += [pattern for patterns in self.downloads.values() for pattern in patterns]
        return {found for text in texts for found in FIELD.findall(text)} - _OWN

    def upload(self, document: Document) -> Upload | None:
        """Return where `document` goes, or ``None`` where the bank takes no such message."""
        return next((one for one in self.uploads if one.suiting.suits(document)), None)

    @property
    def can_recall(self) -> bool:
        """Whether the bank takes recalls (camt.055) over this channel."""
        return any((one.suiting.message or "").startswith("camt.055") for one in self.uploads)


def _whole(reader: Reader, key: str, default: int) -> int:
    value = reader.take(key, int, default)
    if value < 0:
        raise reader.wrong(key, "cannot be negative")
    return value


def _check(reader: Reader, key: str, path: str, allowed: set[str]) -> str:
    if not path or "\0" in path or ".." in path.split("/"):
        raise reader.wrong(key, "must be a path without ..")
    if foreign := (_OWN - allowed) & set(FIELD.findall(path)):
        raise reader.wrong(key, f"cannot hold {{{min(foreign)}}}")
    return path


def _upload(reader: Reader) -> Upload:
    name = _check(reader, "name", reader.take("name", str), {"key", "key_hex", "message"})
    if "/" in name or not {"key", "key_hex"} & set(FIELD.findall(name)):
        raise reader.wrong("name", "must hold {key} or {key_hex} and no slash")
    upload = Upload(
        suiting=_Suiting(
            file_type="",
            message=reader.take("message", str, None),
            service_level=reader.take("service_level", str, None),
            instant=reader.take("instant", bool, None),
        ),
        folder=_check(reader, "folder", reader.take("folder", str, "."), set()),
        name=name,
    )
    reader.end()
    return upload


def _downloads(reader: Reader) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind in list(reader.data):
        patterns = reader.strings(kind)
        if not patterns:
            raise reader.wrong(kind, "must name a pattern")
        for pattern in patterns:
            if set("*?[") & set(_check(reader, kind, pattern, set()).rpartition("/")[0]):
                raise reader.wrong(kind, "can have wildcards in the file's name only")
        found[kind] = patterns
    return found


def plain(text: str) -> bool:
    """Whether a text can be part of a name."""
    return bool(text) and "/" not in text and text.isprintable() and text not in (".", "..")


def address(url: str) -> tuple[str, int, str]:
    """Return host, port and folder of ``sftp://host[:port][/folder]``.

    :raises SettingsError: ``url``
    """
    problem = SettingsError("url", "The bank's address must read sftp://host[:port][/folder].")
    try:
        parts = urlsplit(url)
        port = parts.port or 22
    except ValueError:
        raise problem from None
    rest = parts.query or parts.fragment or "@" in parts.netloc
    folder = parts.path.rstrip("/")
    if (
        parts.scheme != "sftp"
        or not parts.hostname
        or rest
        or not url.isprintable()
        or " " in url
        or ".." in folder.split("/")
    ):
        raise problem
    return parts.hostname, port, folder
