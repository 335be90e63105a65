"""SOAP 1.1 envelopes with WS-Security: taken apart strictly, and made.

A request is taken only if it has one header with one security block, one timestamp, one token,
one signature, one body, and if the signature covers exactly that body and that timestamp.

Source: OASIS, Web Services Security: SOAP Message Security 1.1; X.509 Certificate Token Profile.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from . import xmlsig
from .xmlsig import BadSignature, Canonical, Signer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = _OASIS + "wssecurity-secext-1.0.xsd"
WSU = _OASIS + "wssecurity-utility-1.0.xsd"
X509V3 = _OASIS + "x509-token-profile-1.0#X509v3"
BASE64 = _OASIS + "soap-message-security-1.0#Base64Binary"
NS = {"s": SOAP, "wsse": WSSE, "wsu": WSU, "ds": xmlsig.DS}
SKEW = timedelta(minutes=5)
ID = f"{{{WSU}}}Id"
ID_NAMES = (ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id", "AssertionID")


class NoEnvelope(Exception):
    """What came is no SOAP 1.1 request with one operation."""


@dataclass(frozen=True)
class Envelope:
    """A SOAP request: header (or None), body, and the one element in the body."""

    header: etree._Element | None
    body: etree._Element
    operation: etree._Element


def read(data: bytes) -> Envelope:
    """Take an envelope apart.

    :raises NoEnvelope: it is none, or has more than one header, body or operation.
    """
    try:
        root = xmlsig.parse(data)
    except ValueError as error:
        raise NoEnvelope(str(error)) from error
    if root.tag != f"{{{SOAP}}}Envelope":
        raise NoEnvelope("not a SOAP 1.1 envelope")
    names = [etree.QName(child).localname for child in root
             if etree.QName(child).namespace == SOAP]
    if len(names) != len(root) or names not in (["Body"], ["Header", "Body"]):
        raise NoEnvelope("an envelope has at most one header and then one body")
    body = root[-1]
    if len(body) != 1:
        raise NoEnvelope("the body must hold one operation")
    return Envelope(root[0] if len(root) == 2 else None, body, body[0])


def _ids(element: etree._Element) -> dict[str, etree._Element]:
    """Every element that has an id.

    :raises BadSignature: an id is there more than once, under whatever name.
    """
    found: dict[str, etree._Element] = {}
    for node in element.iter():
        for name in ID_NAMES:
            value = node.get(name)
            if value is None:
                continue
            if value in found:
                raise BadSignature(f"the id {value!r} is there more than once")
            found[value] = node
    return found


def verify(envelope: Envelope, present: datetime) -> x509.Certificate:
    """Check the security header; return the certificate of who signed.

    :param present: the real time in UTC, without time zone.
    :raises BadSignature: anything but one signature over this body and a fresh timestamp.
    """
    if envelope.header is None:
        raise BadSignature("there is no security header")
    if any(child.tag != f"{{{WSSE}}}Security" for child in envelope.header
           if child.get(f"{{{SOAP}}}mustUnderstand") == "1"):
        raise BadSignature("a header that must be understood is not")
    security = xmlsig.one(envelope.header, "wsse:Security", NS)
    root = envelope.body.getparent()
    if len(list(root.iter(f"{{{WSSE}}}Security"))) != 1:
        raise BadSignature("there is more than one security header")
    token = xmlsig.one(security, "wsse:BinarySecurityToken", NS)
    moment = xmlsig.one(security, "wsu:Timestamp", NS)
    signature = xmlsig.one(security, "ds:Signature", NS)
    ids = _ids(root)
    if token.get("ValueType") != X509V3:
        raise BadSignature("the security token must be one X509v3 certificate")
    try:
        certificate = x509.load_der_x509_certificate(xmlsig.octets_of(token.text))
    except ValueError as error:
        raise BadSignature("the security token holds no certificate") from error
    named = xmlsig.one(signature, "ds:KeyInfo/wsse:SecurityTokenReference/wsse:Reference", NS)
    if _target(named, ids) is not token:
        raise BadSignature("the key is not the security token")
    covered = []
    for reference in xmlsig.check_value(signature, certificate, exclusive_only=True):
        target = _target(reference, ids)
        # By identity, not by name: a signed copy elsewhere does not make this body signed.
        if not any(target is part for part in (envelope.body, moment, token)) or any(
                target is part for part in covered):
            raise BadSignature("a reference to something else than body and timestamp")
        transforms = reference.findall("ds:Transforms/ds:Transform", NS)
        if len(transforms) != 1:
            raise BadSignature("a reference must have one transform")
        xmlsig.check_digest(reference, Canonical.read(transforms[0], True).octets(target))
        covered.append(target)
    for part, name in ((envelope.body, "body"), (moment, "timestamp")):
        if not any(part is target for target in covered):
            raise BadSignature(f"the {name} is not signed")
    _check_fresh(moment, present)
    return certificate


def _target(reference: etree._Element, ids: dict[str, etree._Element]) -> etree._Element:
    uri = reference.get("URI", "")
    if not uri.startswith("#") or uri[1:] not in ids:
        raise BadSignature(f"reference {uri!r} leads nowhere")
    return ids[uri[1:]]


def _check_fresh(moment: etree._Element, present: datetime) -> None:
    created = _time(xmlsig.one(moment, "wsu:Created", NS).text)
    if created > present + SKEW:
        raise BadSignature("the timestamp is in the future")
    expires = moment.findall("wsu:Expires", NS)
    if len(expires) > 1:
        raise BadSignature("there is more than one expiry")
    limit = _time(expires[0].text) if expires else created + SKEW
    # A client that lets its messages live for days does not make the bank accept old ones.
    if min(limit, created + timedelta(hours=1)) + SKEW < present:
        raise BadSignature("the timestamp is out of date")


def _time(text: str | None) -> datetime:
    try:
        return moment_of(text or "")
    except ValueError as error:
        raise BadSignature("the timestamp is no time") from error


def moment_of(text: str) -> datetime:
    """An xs:dateTime in UTC, without time zone, to the microsecond; without zone it is UTC.

    :raises ValueError: it is none.
    """
    # By hand: Python 3.10 reads neither a Z nor seven digits of a second.
    given = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?",
                         text.strip(), re.ASCII)
    if not given:
        raise ValueError("not a date and time")
    whole = datetime.fromisoformat(given[1] + (given[3] or "Z").replace("Z", "+00:00"))
    micro = int((given[2] or "").ljust(6, "0")[:6])
    return whole.astimezone(timezone.utc).replace(microsecond=micro, tzinfo=None)


def write(content: str, signer: Signer | None, present: datetime,
          spoiled: bool = False) -> bytes:
    """An envelope around the content of a body, signed over body and timestamp.

    :param content: XML text with its own name spaces.
    :param signer: None leaves the envelope without security.
    :param spoiled: make the signature's value wrong.
    """
    if signer is None:
        return _document(f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{content}</s:Body></s:Envelope>')
    body, moment, token = (f"{name}-{uuid.uuid4().hex}" for name in ("B", "TS", "X509"))
    der = xmlsig.b64(signer.certificate.public_bytes(serialization.Encoding.DER))
    root = etree.fromstring(
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><wsse:Security xmlns:wsse="{WSSE}"'
        f' xmlns:wsu="{WSU}" s:mustUnderstand="1"><wsse:BinarySecurityToken wsu:Id="{token}"'
        f' EncodingType="{BASE64}" ValueType="{X509V3}">{der}</wsse:BinarySecurityToken>'
        f'<wsu:Timestamp wsu:Id="{moment}"><wsu:Created>{_stamp(present)}</wsu:Created>'
        f"<wsu:Expires>{_stamp(present + SKEW)}</wsu:Expires></wsu:Timestamp></wsse:Security>"
        f'</s:Header><s:Body xmlns:wsu="{WSU}" wsu:Id="{body}">{content}</s:Body></s:Envelope>',
        xmlsig.parser())
    security = root[0][0]
    references = [(f"#{name}", Canonical(True).octets(element), [xmlsig.EXCLUSIVE])
                  for name, element in ((moment, security[1]), (body, root[1]))]
    signature = xmlsig.signature_of(signer, references, (
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference URI="#{token}"'
        f' ValueType="{X509V3}"/></wsse:SecurityTokenReference>'))
    if spoiled:
        xmlsig.spoil_value(signature)
    security.append(signature)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(text: str) -> bytes:
    return b"<?xml version='1.0' encoding='UTF-8'?>\n" + text.encode()
