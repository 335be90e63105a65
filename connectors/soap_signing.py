"""Signs what goes to the bank: the ApplicationRequest, and the SOAP envelope around it.

XMLDSig 1.1 with RSA-SHA256 and exclusive canonicalisation; WS-Security X.509 token profile 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from .soap_algorithms import RSA_SHA256, SHA256
from .soap_xml import (
    BASE64,
    DSIG,
    ENVELOPE,
    EXCLUSIVE,
    WSSE,
    WSU,
    X509V3,
    canonical,
    children,
    name,
    only,
)

_ENVELOPED = DSIG + "enveloped-signature"
_ID = name(WSU, "Id")
_LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Signer:
    """Our signing certificate and its RSA key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> str:
        """The certificate, base64 of DER."""
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()

    def sign(self, content: bytes) -> str:
        """Return RSA-SHA256 over `content`, base64."""
        value = self.key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(value).decode()


def _element(
    parent: etree._Element, local: str, text: str = "", **attributes: str
) -> etree._Element:
    child = etree.SubElement(parent, name(DSIG, local), **attributes)
    child.text = text or None
    return child


def _signed_info(parts: list[tuple[str, bytes, tuple[str, ...]]]) -> etree._Element:
    """Return ds:Signature with a SignedInfo over parts of (URI, canonical bytes, transforms)."""
    signature = etree.Element(name(DSIG, "Signature"), nsmap={"ds": DSIG})
    info = _element(signature, "SignedInfo")
    _element(info, "CanonicalizationMethod", Algorithm=EXCLUSIVE)
    _element(info, "SignatureMethod", Algorithm=RSA_SHA256)
    for uri, content, transforms in parts:
        reference = _element(info, "Reference", URI=uri)
        list_ = _element(reference, "Transforms")
        for transform in transforms:
            _element(list_, "Transform", Algorithm=transform)
        _element(reference, "DigestMethod", Algorithm=SHA256)
        value = base64.b64encode(hashlib.sha256(content).digest()).decode()
        _element(reference, "DigestValue", value)
    return signature


def sign_enveloped(root: etree._Element, signer: Signer) -> bytes:
    """Append an enveloped signature over the whole document, and return the document's bytes."""
    signature = _signed_info([("", canonical(root), (_ENVELOPED, EXCLUSIVE))])
    root.append(signature)
    value = _element(signature, "SignatureValue")
    value.text = signer.sign(canonical(only(signature, name(DSIG, "SignedInfo"))))
    data = _element(_element(signature, "KeyInfo"), "X509Data")
    _element(data, "X509Certificate", signer.der)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def sign_envelope(envelope: etree._Element, signer: Signer, now: datetime) -> bytes:
    """Add a WS-Security header with timestamp, certificate and signature; return the bytes."""
    body = only(envelope, name(ENVELOPE, "Body"))
    headers = children(envelope, name(ENVELOPE, "Header"))
    if headers:
        header = headers[0]
    else:
        header = etree.Element(name(ENVELOPE, "Header"))
        envelope.insert(0, header)
    security = etree.SubElement(header, name(WSSE, "Security"), nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(name(ENVELOPE, "mustUnderstand"), "1")
    token_id, time_id, body_id = (f"{kind}-{uuid.uuid4()}" for kind in ("X509", "TS", "Body"))
    token = etree.SubElement(security, name(WSSE, "BinarySecurityToken"))
    token.set("EncodingType", BASE64)
    token.set("ValueType", X509V3)
    token.set(_ID, token_id)
    token.text = signer.der
    stamp = etree.SubElement(security, name(WSU, "Timestamp"))
    stamp.set(_ID, time_id)
    for local, moment in (("Created", now), ("Expires", now + _LIFE)):
        etree.SubElement(stamp, name(WSU, local)).text = _utc(moment)
    body.set(_ID, body_id)
    parts = [(body_id, body), (time_id, stamp)]
    signature = _signed_info([(f"#{id_}", canonical(part), (EXCLUSIVE,)) for id_, part in parts])
    security.append(signature)
    value = _element(signature, "SignatureValue")
    value.text = signer.sign(canonical(only(signature, name(DSIG, "SignedInfo"))))
    pointer = etree.SubElement(_element(signature, "KeyInfo"), name(WSSE, "SecurityTokenReference"))
    etree.SubElement(pointer, name(WSSE, "Reference"), URI=f"#{token_id}", ValueType=X509V3)
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )
