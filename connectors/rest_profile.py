"""What distinguishes one bank's REST API from the next, as data.

A profile is plain JSON (see ``profiles/``).  Everything in it is checked when it is loaded, and
an error names the key, so that a mistake shows in the settings and not in the middle of a payment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .bodies import Body
from .detached_jws import DetachedJwsProfile
from .http import ErrorForm
from .http_signature import HttpSignatureProfile
from .keys import CERTIFICATE_FIELDS
from .oauth import AuthProfile
from .profile_reader import OWN, Reader
from .rest_reading import Ask, Mailbox, Statements, error_form
from .rest_sending import Cancel, Key, Submit
from .templates import FIELD, fields_in

_SIGNATURES: Mapping[str, Any] = {"http": HttpSignatureProfile, "jws": DetachedJwsProfile}
_CHECKS = (
    "json",  # a JSON object and HTTP 2xx
    "success",  # HTTP 2xx
    "token",  # no request of its own: that a token is given is the proof
)


@dataclass(frozen=True)
class RestProfile:
    """One bank's REST API."""

    name: str
    title: str
    headers: Mapping[str, str]
    read_headers: Mapping[str, str]
    defaults: Mapping[str, str]
    secrets: tuple[str, ...]  # variables that are kept sealed
    auth: AuthProfile | None
    signature: HttpSignatureProfile | DetachedJwsProfile | None
    key: Key
    submit: Submit
    cancel: Cancel | None
    status: Ask | None
    inquiry: Ask | None
    mailbox: Mailbox | None
    statements: Statements | None
    check_path: str
    check_expect: str
    errors: ErrorForm | None
    statuses: Mapping[str, str]  # the bank's words → ISO 20022 status
    max_bytes: int | None
    max_answer_bytes: int
    per_minute: int | None  # for the caller to honour

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RestProfile:
        """Read a profile.

        :raises SettingsError: ``profile``; the text names the key
        """
        top = Reader(data)
        top.choice("protocol", {"rest"}, "rest")
        check = top.sub("check")
        limits = top.sub("limits", {})
        auth = top.sub("auth", None)
        expect = check.choice("expect", _CHECKS, "json")
        status = Ask.status(top.sub("status", None))
        by_key = status is not None and "payment_id" not in FIELD.findall(status.path)
        submit = Submit.read(top.sub("submit"), by_key=by_key)
        profile = cls(
            name=top.take("name", str),
            title=top.take("title", str, ""),
            headers=top.texts("headers", {}),
            read_headers=top.texts("read_headers", {}),
            defaults=top.texts("defaults", {}),
            secrets=top.strings("secrets"),
            auth=AuthProfile.read(auth) if auth else None,
            signature=_signature(top.sub("signature", None)),
            key=Key.read(top.sub("key")),
            submit=submit,
            cancel=Cancel.read(top.sub("cancel", None)),
            status=status,
            inquiry=Ask.inquiry(top.sub("inquiry", None), submit.given),
            mailbox=Mailbox.read(top.sub("documents", None)),
            statements=Statements.read(top.sub("statements", None)),
            check_expect=expect,
            check_path="/" if expect == "token" else check.path("path", set()),
            errors=error_form(top.sub("errors", None)),
            statuses=top.texts("statuses", {}),
            max_bytes=limits.take("bytes", int, None),
            max_answer_bytes=limits.take("answer_bytes", int, 64 * 1024 * 1024),
            per_minute=limits.take("per_minute", int, None),
        )
        for reader in (check, limits, top):
            reader.end()
        if expect == "token" and (profile.auth is None or profile.auth.kind != "oauth2"):
            raise check.wrong("expect", "can be token only where auth is oauth2")
        if unknown := set(profile.secrets) - profile.variables():
            raise Reader({}).wrong("secrets", f"names {min(unknown)}, which is used nowhere")
        if exposed := set(profile.secrets) & set(profile.defaults):
            raise Reader({}).wrong("defaults", f"cannot hold the secret {min(exposed)}")
        return profile

    @property
    def can_recall(self) -> bool:
        """Whether the bank takes recalls over this channel."""
        return self.cancel is not None

    def bodies(self) -> list[Body]:
        """Return every form of body that the profile uses."""
        bodies = [self.submit.body, *(step.body for step in self.submit.steps)]
        if self.cancel:
            bodies.append(self.cancel.body)
        return [body for body in bodies if body]

    def variables(self) -> set[str]:
        """Return the names of the variables that headers, paths and bodies need."""
        named = fields_in([dict(self.headers), dict(self.read_headers), self.check_path])
        parts = (self.submit, self.cancel, self.mailbox, self.auth, self.signature)
        for part in parts:
            if part:
                named |= part.variables()
        paths = [part.path for part in (self.status, self.inquiry, self.statements) if part]
        named |= fields_in(paths) - self.submit.given
        return named - OWN - CERTIFICATE_FIELDS


def _signature(reader: Reader | None) -> HttpSignatureProfile | DetachedJwsProfile | None:
    if reader is None:
        return None
    return _SIGNATURES[reader.choice("kind", _SIGNATURES)].read(reader)
