"""How a message is wrapped in an HTTP request body, as a profile says.

In a profile a body is a kind (``"raw_xml"``) or an object with that ``kind`` and its options.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from . import jose
from .interface import Document, NotSent, SettingsError
from .keys import ALGORITHMS, CERTIFICATE_FIELDS, SigningKey, public_keys
from .problems import build
from .profile_reader import Reader
from .settings import Settings
from .templates import fields_in, fill, fill_json, fill_xml
from .xml_data import is_well_formed

# What a template may say of the message itself.
DOCUMENT_FIELDS = frozenset(
    "content content_base64 sha256 sha256_base64 size message_name name transactions control_sum "
    "now key key_hex sealed".split()
)
_MEDIA_TYPES = {
    "raw_xml": "application/xml",
    "multipart": "application/xml",  # of the part
    "xml": "application/xml",
    "json": "application/json",
    "sealed": "application/jose",
}


@dataclass(frozen=True)
class Body:
    """One kind of body, and its options."""

    kind: str
    media_type: str
    template: Any = None  # of XML: a text; of JSON: any value
    part: str = "file"
    file_name: str = "{name}"
    fields: Mapping[str, str] = field(default_factory=dict)  # of a form, beside the file
    algorithm: str | None = None  # of the signature inside a sealed payload; None: unsigned
    members: Mapping[str, str] = field(default_factory=dict)  # of the seal's protected header

    def variables(self) -> set[str]:
        """Return the names of the connection's variables that the body needs."""
        named = fields_in([self.template, self.fields, self.file_name, self.members])
        return named - DOCUMENT_FIELDS - CERTIFICATE_FIELDS


def read_body(reader: Reader, key: str = "body") -> Body:
    """Read a profile's body.

    :raises SettingsError: ``profile``
    """
    if isinstance(reader.data.get(key), Mapping):
        inner = reader.sub(key)
        kind = inner.choice("kind", _MEDIA_TYPES)
    else:
        inner, kind = None, reader.choice(key, _MEDIA_TYPES)
    options = inner or Reader({}, f"{reader.where}.{key}".strip("."))
    usual = _MEDIA_TYPES[kind]
    if kind == "sealed" and "template" in options.data:
        usual = _MEDIA_TYPES["json"]  # the sealed text is a member of it
    media_type = options.take("media_type", str, usual)
    if kind == "raw_xml":
        body = Body(kind, media_type)
    elif kind == "multipart":
        body = Body(
            kind,
            media_type,
            part=options.take("part", str, "file"),
            file_name=options.take("file_name", str, "{name}"),
            fields=options.texts("fields", {}),
        )
    elif kind == "xml":
        template = options.take("template", str)
        if not is_well_formed(fill_xml(template, dict.fromkeys(fields_in(template), "x"))):
            raise options.wrong("template", "must be well-formed XML")
        body = Body(kind, media_type, template=template)
    elif kind == "json":
        template = options.take("template", dict)
        body = Body(kind, media_type, template=template)
    else:
        body = Body(
            kind,
            media_type,
            template=options.take("template", dict, None),
            algorithm=options.choice("sign", ALGORITHMS) if "sign" in options.data else None,
            members=options.texts("members", {}),
        )
        if body.template is not None and "sealed" not in fields_in(body.template):
            raise options.wrong("template", "must hold {sealed}")
        if {"alg", "enc"} & set(body.members):
            raise options.wrong("members", "cannot hold alg or enc, which are written for you")
    if body.kind != "sealed" and "sealed" in fields_in(body.template):
        raise options.wrong("template", "cannot hold {sealed}")
    options.end()
    return body


class Wrapper:
    """Wraps documents under one contract."""

    def __init__(
        self,
        settings: Settings,
        variables: Mapping[str, str],
        key: SigningKey,
        bodies: list[Body],
    ) -> None:
        """:raises SettingsError: where a body needs a key that is missing or cannot be used"""
        self.variables = variables
        self.key = key
        self.now = settings.now
        self.recipient: Any = None
        sealed = [body for body in bodies if body.kind == "sealed"]
        if sealed:
            try:
                self.recipient = public_keys(settings.encrypt_for or b"")[0]
                jose.seal(b"", self.recipient, {})
            except ValueError as error:
                raise SettingsError(
                    "encryption", f"The bank's certificate for sealing cannot be used: {error}."
                ) from None
        for body in sealed:
            if body.algorithm:
                key.demand(body.algorithm)

    def values(self, document: Document, values: Mapping[str, str]) -> dict[str, str]:
        """Return all that templates may say when a message is sent."""
        known = {**self.variables, **self.key.values}
        return {**known, **document_values(document, self.now()), **values}

    def wrap(self, body: Body, document: Document, values: Mapping[str, str]) -> tuple[bytes, str]:
        """Return the request's body and its Content-Type.

        :param values: further fields, such as the key
        :raises NotSent: where the template needs what this message does not have
        """
        try:
            return self._wrap(body, document, self.values(document, values))
        except KeyError as error:
            raise build(NotSent, "template_value", what=error.args[0]) from None
        except ValueError as error:
            raise build(NotSent, "request_invalid", detail=str(error)) from None

    def _wrap(self, body: Body, document: Document, values: dict[str, str]) -> tuple[bytes, str]:
        if body.kind == "raw_xml":
            return document.content, body.media_type
        if body.kind == "multipart":
            return _multipart(body, document, values)
        if body.kind == "xml":
            return fill_xml(body.template, values), body.media_type
        if body.kind == "sealed":
            values["sealed"] = self._seal(body, document, values)
            if body.template is None:
                return values["sealed"].encode(), body.media_type
        return fill_json(body.template, values), body.media_type

    def _seal(self, body: Body, document: Document, values: Mapping[str, str]) -> str:
        members = {name: fill(text, values) for name, text in body.members.items()}
        payload = document.content
        if body.algorithm:
            header = {"x5t#S256": self.key.values["certificate_thumbprint"]}
            payload = jose.sign(payload, self.key, body.algorithm, header).encode()
            members.setdefault("cty", "application/jose")
        return jose.seal(payload, self.recipient, members)


def document_values(document: Document, now: datetime) -> dict[str, str]:
    """Return what templates may say of a document; what it does not know is left out."""
    digest = hashlib.sha256(document.content)
    values = {
        "content_base64": base64.b64encode(document.content).decode(),
        "sha256": digest.hexdigest(),
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
        "size": str(len(document.content)),
        "message_name": document.message_name,
        "now": now.astimezone(timezone.utc).isoformat(timespec="seconds"),
    }
    if document.name:
        values["name"] = document.name
    if document.transactions is not None:
        values["transactions"] = str(document.transactions)
    if document.control_sum is not None:
        values["control_sum"] = format(document.control_sum, "f")
    try:
        values["content"] = document.content.decode()
    except UnicodeDecodeError:
        pass  # only a template that needs it as text misses it
    return values


def key_values(key: str) -> dict[str, str]:
    """Return what templates may say of a message's key."""
    return {"key": key, "key_hex": key.replace("-", "")}


def _multipart(body: Body, document: Document, values: Mapping[str, str]) -> tuple[bytes, str]:
    """Return a form with the file (RFC 7578).

    The boundary follows from content and key, so that every attempt sends the same bytes.
    """
    parts: list[Any] = [(name, fill(text, values)) for name, text in body.fields.items()]
    name = fill(body.file_name, values)
    parts.append((body.part, (name, document.content, body.media_type)))
    boundary = uuid.uuid5(uuid.NAMESPACE_OID, values.get("key", "") + document.sha256).hex
    return encode_multipart_formdata(parts, boundary=boundary)
