"""Verifies what a bank signed (XMLDSig 1.1; WS-Security X.509 token profile 1.0).

Both signatures of this contract have one fixed shape.  Instead of following whatever references a
document holds, which is how signature wrapping works, the verifier looks at the place where each
part has to be, demands that the signature names exactly that part, and hands back nothing but the
canonical bytes that were signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from dateutil.parser import isoparse
from lxml import etree

from .soap_algorithms import (
    DIGESTS,
    LEGACY_DIGESTS,
    LEGACY_SIGNATURES,
    SIGNATURES,
)
from .soap_xml import (
    BASE64,
    DATA,
    DSIG,
    ENVELOPE,
    EXCLUSIVE,
    INCLUSIVE,
    WSSE,
    WSU,
    X509V3,
    XmlError,
    canonical,
    children,
    name,
    only,
    parse,
)

_ENVELOPED = DSIG + "enveloped-signature"
_ID = name(WSU, "Id")
_LIFE = timedelta(minutes=5)  # where a bank names no end
_LONGEST = timedelta(hours=1)  # a bank's Expires beyond this is cut
# Attributes that some reader might take for an identifier.
_IDS = (_ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id", "AssertionID")


class SignatureError(Exception):
    """A signature is missing, malformed, weak, wrong, or too old; the text says which."""


@dataclass(frozen=True)
class Rules:
    """What a bank's signature has to satisfy.

    ``accept`` takes a certificate in DER and returns it if it may sign for the bank
    (:meth:`.soap_signers.Signers.accept`).
    """

    accept: Callable[[bytes], x509.Certificate]
    now: Callable[[], datetime]
    skew: timedelta  # by how much the clocks may differ
    sha1: bool = False  # take SHA-1 from this bank


@dataclass(frozen=True)
class Verified:
    """What was signed, and by whom."""

    element: etree._Element  # read from the signed bytes
    certificate: x509.Certificate


def verify_envelope(root: etree._Element, rules: Rules) -> Verified:
    """Verify a SOAP answer's signature over Body and Timestamp, and return the Body.

    :raises SignatureError: where anything is not as it has to be
    :raises SignerError: where the certificate may not sign for the bank
    """
    try:
        return _verify_envelope(root, rules)
    except XmlError as error:
        raise SignatureError(str(error)) from None


def _verify_envelope(root: etree._Element, rules: Rules) -> Verified:
    if root.tag != name(ENVELOPE, "Envelope"):
        raise SignatureError("not a SOAP 1.1 envelope")
    if [child.tag for child in root] != [name(ENVELOPE, "Header"), name(ENVELOPE, "Body")]:
        raise SignatureError("an envelope holds one Header and one Body, and nothing else")
    header, body = root
    security = only(header, name(WSSE, "Security"))
    signature = only(security, name(DSIG, "Signature"))
    token = only(security, name(WSSE, "BinarySecurityToken"))
    stamp = only(security, name(WSU, "Timestamp"))
    for part in (signature, token, stamp, security, body):
        if sum(1 for _ in root.iter(part.tag)) != 1:
            raise SignatureError(f"more than one {etree.QName(part).localname}")
    _unique_ids(root)
    _plain_signature(signature)
    allowed = {_own_id(part): part for part in (body, stamp)}
    if len(allowed) != 2:
        raise SignatureError("Body and Timestamp have the same id")
    if token.get(_ID):
        allowed[token.get(_ID)] = token
    info = only(signature, name(DSIG, "SignedInfo"))
    signed: dict[str, bytes] = {}
    for reference in _references(info):
        uri = reference.get("URI", "")
        part = allowed.get(uri.removeprefix("#")) if uri.startswith("#") else None
        if part is None:
            raise SignatureError("the signature points elsewhere than at Body and Timestamp")
        if uri in signed:
            raise SignatureError("the signature names a part twice")
        signed[uri] = _check_reference(reference, part, (EXCLUSIVE,), rules)
    for part in (body, stamp):
        if f"#{_own_id(part)}" not in signed:
            raise SignatureError(f"the {etree.QName(part).localname} is not signed")
    certificate = rules.accept(_token(signature, token))
    _check_value(signature, info, certificate, rules)
    _check_time(parse(signed[f"#{_own_id(stamp)}"]), rules)
    return Verified(parse(signed[f"#{_own_id(body)}"]), certificate)


def verify_enveloped(root: etree._Element, rules: Rules) -> Verified:
    """Verify the enveloped signature of an ApplicationResponse; return it without the signature.

    :raises SignatureError: where anything is not as it has to be
    :raises SignerError: where the certificate may not sign for the bank
    """
    try:
        return _verify_enveloped(root, rules)
    except XmlError as error:
        raise SignatureError(str(error)) from None


def _verify_enveloped(root: etree._Element, rules: Rules) -> Verified:
    if root.tag != name(DATA, "ApplicationResponse"):
        raise SignatureError("not an ApplicationResponse")
    if sum(1 for _ in root.iter(name(DSIG, "Signature"))) != 1:
        raise SignatureError("an ApplicationResponse holds one signature")
    signature = only(root, name(DSIG, "Signature"))
    _plain_signature(signature)
    _unique_ids(root)
    info = only(signature, name(DSIG, "SignedInfo"))
    references = _references(info)
    if len(references) != 1 or references[0].get("URI") != "":
        raise SignatureError("the signature does not cover the whole ApplicationResponse")
    data = only(only(signature, name(DSIG, "KeyInfo")), name(DSIG, "X509Data"))
    shown = children(data, name(DSIG, "X509Certificate"))
    if not shown:
        raise SignatureError("no certificate")
    signed_info = _canonical_info(info)  # before the signature leaves the document
    content = etree.fromstring(etree.tostring(root), _plain())
    _remove(only(content, name(DSIG, "Signature")))
    signed = _check_reference(references[0], content, (_ENVELOPED, EXCLUSIVE, INCLUSIVE), rules)
    certificate = rules.accept(_base64(shown[0].text))
    _check_value(signature, info, certificate, rules, signed_info)
    return Verified(parse(signed), certificate)


def _plain() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def _remove(element: etree._Element) -> None:
    """Take an element out and leave the text that follows it."""
    parent, before = element.getparent(), element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)


def _plain_signature(signature: etree._Element) -> None:
    """Refuse a signature that carries more than itself, such as the document it was made for."""
    parts = ("SignedInfo", "SignatureValue", "KeyInfo")
    if [child.tag for child in signature] != [name(DSIG, part) for part in parts]:
        raise SignatureError("the signature holds unexpected parts")


def _unique_ids(root: etree._Element) -> None:
    seen: set[str] = set()
    for element in root.iter():
        for value in {element.get(key) for key in _IDS} - {None}:
            if value in seen:
                raise SignatureError("an id is used twice")
            seen.add(value)


def _own_id(part: etree._Element) -> str:
    value = part.get(_ID)
    if not value:
        raise SignatureError(f"{etree.QName(part).localname} has no id")
    return value


def _references(info: etree._Element) -> list[etree._Element]:
    tags = [etree.QName(child).localname for child in info]
    if tags[:2] != ["CanonicalizationMethod", "SignatureMethod"] or set(tags[2:]) != {"Reference"}:
        raise SignatureError("SignedInfo is malformed")
    return children(info, name(DSIG, "Reference"))


def _prefixes(method: etree._Element) -> tuple[str, ...]:
    """Return the PrefixList of an exclusive canonicalisation; nothing else may be in it."""
    if not len(method):
        return ()
    inclusive = only(method, name(EXCLUSIVE, "InclusiveNamespaces"))
    if len(method) != 1:
        raise SignatureError("a canonicalisation with unknown parameters")
    return tuple(part for part in inclusive.get("PrefixList", "").split() if part != "#default")


def _canonical_info(info: etree._Element) -> bytes:
    method = only(info, name(DSIG, "CanonicalizationMethod"))
    # Documents with comments are refused, so that both forms are the same.
    algorithm = _without_comments(method.get("Algorithm", ""))
    if algorithm not in (EXCLUSIVE, INCLUSIVE):
        raise SignatureError(f"canonicalisation {algorithm[:80]}")
    return canonical(info, algorithm, _prefixes(method))


def _without_comments(algorithm: str) -> str:
    bare = algorithm.removesuffix("WithComments")
    return bare if bare == EXCLUSIVE else bare.removesuffix("#")


def _check_reference(
    reference: etree._Element, part: etree._Element, allowed: tuple[str, ...], rules: Rules
) -> bytes:
    """Compare a reference's digest with the part it names, and return the part's bytes."""
    form, prefixes = INCLUSIVE, ()  # what applies where no transform says otherwise
    transforms: list[etree._Element] = []
    for list_ in children(reference, name(DSIG, "Transforms")):
        transforms += list_
    found = [_without_comments(one.get("Algorithm", "")) for one in transforms]
    if _ENVELOPED in allowed and found[:1] != [_ENVELOPED]:
        raise SignatureError("the signature is not an enveloped one")
    for transform, algorithm in list(zip(transforms, found, strict=True))[_ENVELOPED in allowed :]:
        if algorithm not in allowed or algorithm == _ENVELOPED:
            raise SignatureError(f"transform {algorithm[:80]}")
        form, prefixes = algorithm, _prefixes(transform)
    if len(found) > 1 + (_ENVELOPED in allowed) or form not in allowed:
        raise SignatureError("unexpected transforms")
    method = only(reference, name(DSIG, "DigestMethod")).get("Algorithm", "")
    known = {**DIGESTS, **(LEGACY_DIGESTS if rules.sha1 else {})}
    if method not in known:
        raise SignatureError(f"digest {method[:80]} is not allowed")
    content = canonical(part, form, prefixes)
    expected = _base64(only(reference, name(DSIG, "DigestValue")).text)
    if expected != _digest(known[method], content):
        raise SignatureError(f"the {etree.QName(part).localname} was changed after it was signed")
    return content


def _digest(algorithm: type[hashes.HashAlgorithm], content: bytes) -> bytes:
    digest = hashes.Hash(algorithm())
    digest.update(content)
    return digest.finalize()


def _token(signature: etree._Element, token: etree._Element) -> bytes:
    """Return the certificate that the signature points at, in DER."""
    pointer = only(only(signature, name(DSIG, "KeyInfo")), name(WSSE, "SecurityTokenReference"))
    target = only(pointer, name(WSSE, "Reference"))
    if not token.get(_ID) or target.get("URI") != f"#{token.get(_ID)}":
        raise SignatureError("the signature does not point at the certificate")
    if token.get("ValueType") != X509V3 or token.get("EncodingType", BASE64) != BASE64:
        raise SignatureError("the security token is not an X.509 certificate")
    return _base64(token.text)


def _check_value(
    signature: etree._Element,
    info: etree._Element,
    certificate: x509.Certificate,
    rules: Rules,
    content: bytes | None = None,
) -> None:
    method = only(info, name(DSIG, "SignatureMethod"))
    algorithm = method.get("Algorithm", "")
    known = {**SIGNATURES, **(LEGACY_SIGNATURES if rules.sha1 else {})}
    if algorithm not in known or len(method):
        raise SignatureError(f"algorithm {algorithm[:80]} is not allowed")
    value = _base64(only(signature, name(DSIG, "SignatureValue")).text)
    try:
        certificate.public_key().verify(
            value,
            _canonical_info(info) if content is None else content,
            padding.PKCS1v15(),
            known[algorithm](),
        )
    except (InvalidSignature, UnsupportedAlgorithm):
        raise SignatureError("the signature is wrong") from None


def _base64(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("not base64") from None


def _check_time(stamp: etree._Element, rules: Rules) -> None:
    """Refuse an answer from the past: someone may have kept it."""
    now = rules.now()
    created = _instant(only(stamp, name(WSU, "Created")).text)
    ends = children(stamp, name(WSU, "Expires"))
    expires = _instant(ends[0].text) if ends else created + _LIFE
    if created > now + rules.skew:
        raise SignatureError(f"signed in the future, at {created:%Y-%m-%d %H:%M:%S} UTC")
    if min(expires, created + _LONGEST) < now - rules.skew:
        raise SignatureError(f"signed too long ago, at {created:%Y-%m-%d %H:%M:%S} UTC")


def _instant(text: str | None) -> datetime:
    try:
        moment = isoparse((text or "").strip())
    except (ValueError, OverflowError):
        raise SignatureError("the signature's time cannot be read") from None
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
