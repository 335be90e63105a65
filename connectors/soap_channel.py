"""One signed call over SOAP: sign, send, verify, open.

The HTTP side (TLS, pinning, guarded addresses, limits, what was written and what not) is the same
:class:`.http.HttpChannel` that the REST channel uses.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from .http import Answer, HttpChannel
from .identity import load_leaf, load_pair, validity
from .interface import Outcome, Reason, SettingsError
from .problems import build
from .profile_reader import FIELD
from .settings import Identity, Settings, Trust
from .soap_answer import File, Response, ResponseError, fault
from .soap_answer import read as read_response
from .soap_codes import look_up, normal
from .soap_contract import AnswerError, load
from .soap_encryption import EncryptionError, decrypt, encrypt, is_encrypted
from .soap_profile import SoapProfile
from .soap_request import COMMANDS, Stamps
from .soap_request import build as build_request
from .soap_signers import SignerError, Signers
from .soap_signing import Signer, sign_envelope, sign_enveloped
from .soap_verify import Rules, SignatureError, verify_envelope, verify_enveloped
from .soap_xml import XmlError, parse

_logger = logging.getLogger(__name__)

OutcomeType = TypeVar("OutcomeType", bound=Outcome)

_XML = ("text/xml", "application/xml")
_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '""',
    "Accept": "text/xml, application/xml",
}
_AGENT = "account_bank_connect"
_GOOD = ("00", "01")
_LONGEST_CODE = 16  # characters, by the schema
# HTTP statuses that say "later".
_LATER = (408, 429, 500, 502, 503, 504)
# Which variable stands in for one that the connection does not have.
_STAND_IN = (("sender_id", "contract_id"), ("customer_id", "sender_id"))


class Unbelievable(Exception):
    """An answer that is not the bank's verified word on our request.

    :ivar code: a key of :data:`.problems.PROBLEMS`, or ``http_<n>``
    :ivar status: the HTTP status, where it is what is wrong
    :ivar passing: it may be otherwise next time
    """

    def __init__(
        self,
        code: str,
        answer: Answer,
        host: str,
        *,
        detail: str = "",
        reasons: tuple[Reason, ...] = (),
        status: int | None = None,
        expected: str = "XML",
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.answer = answer
        self.detail = detail
        self.reasons = reasons
        self.status = status
        self.passing = status in _LATER or code == "soap_fault"
        self._facts = {"host": host, "expected": expected}

    def outcome(self, kind: type[OutcomeType]) -> OutcomeType:
        """Return the same as an outcome of `kind`, with the answer kept as evidence."""
        return build(
            kind,
            self.code,
            detail=self.detail,
            reasons=self.reasons,
            retry_after=self.answer.retry_after,
            content=self.answer.content,
            content_type=self.answer.content_type,
            http_status=self.answer.status,
            **self._facts,
        )


@dataclass(frozen=True)
class Reply:
    """The bank's verified word."""

    code: str  # normal, e.g. "00"
    text: str
    signer: x509.Certificate  # of the SOAP layer
    answer: Answer = field(repr=False)
    content: bytes = field(repr=False)  # the ApplicationResponse with its signature, or empty
    response: Response | None = field(repr=False)

    @property
    def good(self) -> bool:
        return self.code in _GOOD

    def files(self) -> Iterator[File]:
        """The files that the answer lists; entries that cannot be read are left out."""
        if self.response is not None:
            for entry in self.response.entries():
                try:
                    yield self.response.file(entry)
                except ResponseError:
                    continue


class SoapChannel:
    """Signed calls to one bank address."""

    def __init__(self, settings: Settings, profile: SoapProfile) -> None:
        """:raises SettingsError: where settings and profile cannot work together"""
        self._profile = profile
        self._url = _address(settings.url)
        self._now = settings.now
        self._values = _fill(profile, settings.variables)
        self._contract = load(settings.wsdl, profile.wsdl)
        self._signer = _signer(settings.signing or settings.identity)
        self._rules = Rules(
            Signers(
                _required(settings),
                own=self._signer.certificate,
                now=settings.now,
                crl=settings.crl,
                names=profile.signer_names,
            ).accept,
            settings.now,
            profile.skew,
            profile.sha1,
        )
        self._receiver = _receiver(settings, profile)
        present = _signer(settings.decryption) if settings.decryption else self._signer
        # The bank may take a while to encrypt for a new key, and leave out what it has encrypted.
        self._openers = [present.key, *(_signer(identity).key for identity in settings.retired)]
        self._stamps = Stamps(settings.now)
        # Base64 in base64, and the envelopes around.
        self._http = HttpChannel(settings, max_answer=2 * profile.max_answer_bytes + 1024 * 1024)
        self.host = self._http.host
        self.own_validity = {}
        if settings.identity is not None:
            self.own_validity["certificate"] = validity(load_leaf(settings.identity))
        if settings.signing is not None:
            self.own_validity["signing"] = validity(self._signer.certificate)

    def close(self) -> None:
        """Close all sockets."""
        self._http.close()

    def serves(self, operation: str) -> bool:
        """Tell whether the bank offers an operation."""
        return operation in self._profile.operations & self._contract.operations

    def request(self, operation: str, number: str, values: Mapping[str, object]) -> bytes:
        """Return the signed envelope of a call.

        :param number: the RequestId
        :param values: what the ApplicationRequest says beside who asks
        """
        stamp = self._stamps.next()
        own = {
            "CustomerId": self._values["customer_id"],
            "Command": COMMANDS[operation],
            "Timestamp": stamp,
            "ServiceId": self._values["service_id"],
            "Environment": self._values["environment"],
            "TargetId": self._values["target_id"],
            "SoftwareId": self._values["software_id"],
        }
        method = self._profile.encryption
        if method is not None:
            own |= {"Encryption": True, "EncryptionMethod": method.cipher}
        content = sign_enveloped(build_request({**own, **values}), self._signer)
        if method is not None and self._receiver is not None:
            content = encrypt(content, self._receiver, method)
        header = {
            "SenderId": self._values["sender_id"],
            "RequestId": number,
            "Timestamp": stamp,
            "Language": self._profile.language,
            "UserAgent": _AGENT,
            "ReceiverId": self._values["receiver_id"],
        }
        envelope = self._contract.request(operation, header, content)
        return sign_envelope(envelope, self._signer, self._now())

    def send(self, envelope: bytes, number: str, *, fresh: bool = False) -> Answer:
        """Send a call.

        :raises Failure: without a complete answer
        """
        return self._http.exchange(
            "POST", self._url, request_id=number, headers=_HEADERS, body=envelope, fresh=fresh
        )

    def read(self, answer: Answer, operation: str, number: str) -> Reply:
        """Return what the bank says, once it is verified that the bank says it, and to us.

        :raises Unbelievable: for anything else
        """

        def wrong(code: str, detail: str = "", **options: object) -> Unbelievable:
            return Unbelievable(code, answer, self.host, detail=detail, **options)

        if 300 <= answer.status < 400:
            raise wrong("redirected", status=answer.status)
        # A fault comes with 500; any other status is a gateway's, whatever it brings.
        if answer.status not in (200, 500):
            raise wrong(f"http_{answer.status}", status=answer.status)
        if answer.content_type not in _XML:
            if answer.status == 500:
                raise wrong("http_500", answer.content_type, status=500)
            raise wrong("content_type", expected="XML")
        try:
            root = parse(answer.content)
            if found := fault(root):
                # Faults are rarely signed: what one says is not proven, only that there is one.
                raise wrong("soap_fault", ": ".join(found), reasons=(Reason(*found),))
            if answer.status != 200:
                raise wrong(f"http_{answer.status}", status=answer.status)
            outer = verify_envelope(root, self._rules)
            said = self._contract.answer(operation, outer.element)
            if said.request_id != number:
                raise wrong("wrong_echo", f"RequestId {said.request_id[:40]!r}")
            code = normal(said.code)[:_LONGEST_CODE]
            if not code:
                raise wrong("answer_unreadable", "no ResponseCode")
            content, response = self._open(said.content)
        except XmlError as error:
            raise wrong("answer_unreadable", str(error)) from None
        except SignatureError as error:
            raise wrong("signature_invalid", str(error)) from None
        except SignerError as error:
            raise wrong(error.code, error.detail) from None
        except (AnswerError, ResponseError) as error:
            raise wrong("answer_unreadable", str(error)) from None
        except EncryptionError as error:
            raise wrong("decrypt_failed", str(error)) from None
        except Unbelievable:
            raise
        except Exception as error:
            # The request is written: whatever a library stumbles over must not hide that.
            _logger.exception("Unexpected error in an answer of %s", self.host)
            raise wrong("answer_unreadable", type(error).__name__) from None
        text = said.text
        if response is None:
            if code in _GOOD:
                raise wrong("answer_unreadable", "no ApplicationResponse")
        else:
            # Who is turned away at the door is known there by the sender id alone.
            at_door = code not in _GOOD and look_up(code).means == "not_sent"
            if response.customer_id != self._values["customer_id"] and not at_door:
                raise wrong("wrong_customer")
            if code in _GOOD:
                # Success at the door says nothing about what the bank made of the content.
                code = response.code
            if response.code == code:
                text = response.text or text
        return Reply(code, text, outer.certificate, answer, content, response)

    def _open(self, content: bytes) -> tuple[bytes, Response | None]:
        """Decrypt and verify an ApplicationResponse; nothing, where there is none."""
        if not content:
            return b"", None
        root = parse(content)
        if is_encrypted(root):
            content = self._decrypt(root)
            root = parse(content)
        return content, read_response(verify_enveloped(root, self._rules).element)

    def _decrypt(self, root: etree._Element) -> bytes:
        """Open what is encrypted for our key, or for one of those before it."""
        for key in self._openers[1:]:
            try:
                return decrypt(root, key)
            except EncryptionError:
                continue
        # The present key last: what is wrong is said of it.
        return decrypt(root, self._openers[0])


def _signer(identity: Identity | None) -> Signer:
    if identity is None:
        raise SettingsError("certificate", "This bank needs a signing certificate.")
    leaf, key = load_pair(identity)
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise SettingsError("key", "The signing key must be an RSA key of 2048 bits or more.")
    return Signer(leaf, key)


def _required(settings: Settings) -> Trust:
    if settings.signers is None or not settings.signers.ca_pem.strip():
        raise SettingsError(
            "signers", "The bank's signing certificate, or its authority's, is missing."
        )
    return settings.signers


def _receiver(settings: Settings, profile: SoapProfile) -> x509.Certificate | None:
    """Return the certificate that requests are encrypted for, where they are."""
    if profile.encryption is None:
        return None
    try:
        receiver = x509.load_pem_x509_certificate(settings.encrypt_for or b"")
    except ValueError:
        raise SettingsError(
            "encryption", "This bank wants encrypted files; its encryption certificate is missing."
        ) from None
    key = receiver.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise SettingsError(
            "encryption", "The bank's encryption key must be an RSA key of 2048 bits or more."
        )
    return receiver


def _fill(profile: SoapProfile, given: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of header and request with their variables filled in.

    :raises SettingsError: ``variable``
    """
    values = {**profile.defaults, **{name: text for name, text in given.items() if text}}
    for missing, other in _STAND_IN:
        if not values.get(missing) and values.get(other):
            values[missing] = values[other]
    for name in sorted(profile.variables()):
        text = values.get(name)
        if not text:
            raise SettingsError("variable", f"This bank needs a value for {name!r}.")
        if not text.isprintable():
            raise SettingsError("variable", f"The value for {name!r} has forbidden characters.")
    templates = {**profile.header, **profile.request}
    filled = {
        part: FIELD.sub(lambda match: values[match[1]], text) for part, text in templates.items()
    }
    if filled["environment"] not in ("PRODUCTION", "TEST"):
        raise SettingsError("variable", "The environment must be PRODUCTION or TEST.")
    if not 1 <= len(filled["customer_id"]) <= 16:
        raise SettingsError("variable", "The customer id must have 1 to 16 characters.")
    return filled


def _address(url: str) -> str:
    """Return the address, to which all calls go.

    :raises SettingsError: ``url``
    """
    try:
        parts = urlsplit(url)
        usable = url.isascii() and url.isprintable() and " " not in url
        usable = usable and parts.scheme == "https" and parts.hostname and (parts.port or 443) > 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise SettingsError("url", "The bank's address must read https://host[:port][/path].")
    return url
