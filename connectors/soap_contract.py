"""Serialises calls and answers after the WSDL, with ``zeep``.

zeep sees no network: it gets the WSDL as bytes, makes the request's envelope, and reads an answer
that has been verified before.  Sending, signing and verifying are not its business here.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import zeep
import zeep.exceptions
from lxml import etree
from zeep.transports import Transport

from .interface import SettingsError
from .soap_xml import ENVELOPE, SERVICE, XmlError, name, parse
from .wsdl import contract

_MAX_WSDL = 2 * 1024 * 1024


class AnswerError(Exception):
    """An answer does not have the form that the WSDL says; the text says what is wrong."""


class _NoNetwork(Transport):
    """Loads and sends nothing: a WSDL that points elsewhere is not followed."""

    def _refuse(self, *_args: object, **_options: object) -> Any:
        raise zeep.exceptions.Error("a WSDL may not load other documents")

    load = get = post = post_xml = _refuse


@dataclass(frozen=True)
class Answer:
    """What the SOAP envelope of an answer says."""

    request_id: str
    code: str
    text: str
    content: bytes  # the ApplicationResponse as sent; empty where there is none


class Contract:
    """The operations of one WSDL."""

    def __init__(self, wsdl: bytes) -> None:
        """:raises SettingsError: ``wsdl``"""
        try:
            if len(wsdl) > _MAX_WSDL:
                raise XmlError(f"more than {_MAX_WSDL} bytes")
            # Comments are harmless in a WSDL and usual; what else is refused stays refused.
            parse(_without_comments(wsdl))
            settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True)
            self._client = zeep.Client(
                io.BytesIO(_without_comments(wsdl)), transport=_NoNetwork(), settings=settings
            )
            self._binding = self._client.service._binding
            self.operations = frozenset(self._binding._operations)
        except (XmlError, zeep.exceptions.Error, etree.LxmlError) as error:
            raise SettingsError("wsdl", f"The bank's WSDL is not usable: {error}.") from None
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # What zeep raises at a malformed WSDL.
            raise SettingsError(
                "wsdl", f"The bank's WSDL is not usable: {type(error).__name__}."
            ) from None
        if not {"uploadFile", "downloadFileList", "downloadFile"} <= self.operations:
            raise SettingsError("wsdl", "The bank's WSDL lacks uploading or downloading.")

    def request(
        self, operation: str, header: Mapping[str, str | datetime], content: bytes
    ) -> etree._Element:
        """Return the envelope of a call.

        :param header: the RequestHeader's elements
        :param content: the ApplicationRequest, signed
        """
        return self._client.create_message(
            self._client.service,
            operation,
            RequestHeader=dict(header),
            ApplicationRequest=content,
        )

    def answer(self, operation: str, body: etree._Element) -> Answer:
        """Read the verified Body of an answer.

        :raises AnswerError:
        """
        expected = name(SERVICE, f"{operation}out")
        if [child.tag for child in body] != [expected]:
            raise AnswerError(f"the Body does not hold exactly one {operation}out")
        envelope = etree.Element(name(ENVELOPE, "Envelope"))
        envelope.append(body)
        try:
            said = self._binding.get(operation).process_reply(envelope)
            header = said.ResponseHeader
            request_id, code, text = header.RequestId, header.ResponseCode, header.ResponseText
            content = said.ApplicationResponse
        except (zeep.exceptions.Error, ValueError, TypeError, AttributeError, LookupError) as error:
            raise AnswerError(f"not as the WSDL says: {error}") from None
        if not isinstance(content, bytes | None):
            raise AnswerError("the ApplicationResponse is not base64")
        return Answer(
            (request_id or "").strip(), (code or "").strip(), (text or "").strip(), content or b""
        )


def _without_comments(wsdl: bytes) -> bytes:
    """Return a WSDL without comments and processing instructions.

    :raises XmlError: where it is not well-formed
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    if b"<!DOCTYPE" in wsdl or b"<!ENTITY" in wsdl or b"\x00" in wsdl:
        raise XmlError("a document type definition is not allowed")
    try:
        return etree.tostring(etree.fromstring(wsdl, parser), encoding="UTF-8")
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlError(f"not well-formed: {error}") from None


@functools.lru_cache(maxsize=16)
def _cached(wsdl: bytes) -> Contract:
    return Contract(wsdl)


def load(own: str | None, text: str | None) -> Contract:
    """Return the contract: a bank's own, else ours.

    :param own: WSDL as text, or the path of a file, from the connection's settings
    :param text: WSDL as text, from the profile; never a path, since profiles are typed by people
    :raises SettingsError: ``wsdl``
    """
    if own and not own.lstrip("\ufeff \r\n\t").startswith("<"):
        try:
            return _cached(Path(own).read_bytes())
        except OSError as error:
            raise SettingsError(
                "wsdl", f"The bank's WSDL cannot be read: {error.strerror}."
            ) from None
    wsdl = own or text
    return _cached(wsdl.encode() if wsdl else contract())
