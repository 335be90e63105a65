"""XML signatures, verified strictly and made: on lxml's canonicalisation and ``cryptography``.

No library for XML signatures is used here on purpose: the module that the bank judges uses one,
and a mistake in it must not be on both sides.

Source: W3C, XML Signature Syntax and Processing 1.1; Exclusive XML Canonicalization 1.0.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import hmac
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DS + "enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XMLENC = "http://www.w3.org/2001/04/xmlenc#"
# What this bank accepts: no SHA-1, no MAC.
SIGNATURES = {f"{MORE}rsa-sha256": hashes.SHA256, f"{MORE}rsa-sha384": hashes.SHA384,
              f"{MORE}rsa-sha512": hashes.SHA512}
DIGESTS = {f"{XMLENC}sha256": hashlib.sha256, f"{MORE}sha384": hashlib.sha384,
           f"{XMLENC}sha512": hashlib.sha512}
SHA256_RSA, SHA256 = f"{MORE}rsa-sha256", f"{XMLENC}sha256"
NS = {"ds": DS}


class BadSignature(Exception):
    """A signature that the bank does not accept; the text says why."""


@dataclass(frozen=True)
class Signer:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True)
class Canonical:
    """A canonicalisation method: exclusive or inclusive, and the prefixes treated inclusively."""

    exclusive: bool
    prefixes: tuple[str, ...] = ()

    @classmethod
    def read(cls, element: etree._Element, exclusive_only: bool) -> Canonical:
        """From CanonicalizationMethod or Transform.

        Comments are refused in whatever is signed, so with or without them is the same.

        :raises BadSignature: another algorithm, or parameters that are not known.
        """
        name = (element.get("Algorithm") or "").removesuffix("#WithComments")
        name = name.removesuffix("WithComments")
        children = list(element)
        if name == EXCLUSIVE:
            if not children:
                return cls(True)
            if len(children) == 1 and children[0].tag == f"{{{EXCLUSIVE}}}InclusiveNamespaces":
                return cls(True, tuple((children[0].get("PrefixList") or "").split()))
        elif name == INCLUSIVE and not children and not exclusive_only:
            return cls(False)
        raise BadSignature(f"canonicalisation {element.get('Algorithm')!r} is not accepted")

    def octets(self, element: etree._Element) -> bytes:
        """The canonical form of an element, in the context of its document."""
        if not self.exclusive:
            # On a part of a tree libxml2 writes name spaces that are not there: give it a whole
            # document instead, to which lxml copies what is in scope.
            element = etree.fromstring(etree.tostring(element, with_tail=False), parser())
        return etree.tostring(element, method="c14n", exclusive=self.exclusive,
                              with_comments=False,
                              inclusive_ns_prefixes=list(self.prefixes) or None)


def parser() -> etree.XMLParser:
    """A parser that resolves nothing and loads nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False,
                           huge_tree=True, remove_blank_text=False)


def parse(data: bytes) -> etree._Element:
    """A document without anything that could hide from a signature.

    :raises ValueError: not well-formed, not UTF-8, or with a document type, an entity, a comment
        or a processing instruction.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\x00" in data:
        raise ValueError("a document type declaration or an entity is not allowed")
    if re.match(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", data, re.IGNORECASE):
        raise ValueError("the document must be in UTF-8")
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed: {error.msg}") from error
    if root.getprevious() is not None or root.getnext() is not None or next(
            root.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        raise ValueError("comments and processing instructions are not allowed")
    return root


def one(element: etree._Element, path: str, namespaces: dict[str, str] = NS) -> etree._Element:
    """The only element at a path.

    :raises BadSignature: there is none, or more than one.
    """
    found = element.findall(path, namespaces)
    if len(found) != 1:
        raise BadSignature(f"there must be exactly one {path}, not {len(found)}")
    return found[0]


def octets_of(text: str | None) -> bytes:
    """Base64, with white space allowed and nothing else.

    :raises ValueError: it is none.
    """
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error


def check_value(signature: etree._Element, certificate: x509.Certificate,
                exclusive_only: bool) -> list[etree._Element]:
    """Check SignatureValue over SignedInfo, and return the References that it covers.

    :raises BadSignature: a weak or unknown algorithm, or a value that does not fit the key.
    """
    info = one(signature, "ds:SignedInfo")
    method = one(info, "ds:SignatureMethod").get("Algorithm", "")
    if method not in SIGNATURES:
        raise BadSignature(f"signature method {method!r} is not accepted")
    canonical = Canonical.read(one(info, "ds:CanonicalizationMethod"), exclusive_only)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise BadSignature("the key must be RSA of 2048 bits or more")
    try:
        key.verify(octets_of(one(signature, "ds:SignatureValue").text), canonical.octets(info),
                   padding.PKCS1v15(), SIGNATURES[method]())
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature value does not fit") from error
    return info.findall("ds:Reference", NS)


def check_digest(reference: etree._Element, octets: bytes) -> None:
    """Check a Reference's digest.

    :raises BadSignature: another digest, or a weak method.
    """
    method = one(reference, "ds:DigestMethod").get("Algorithm", "")
    if method not in DIGESTS:
        raise BadSignature(f"digest method {method!r} is not accepted")
    try:
        given = octets_of(one(reference, "ds:DigestValue").text)
    except ValueError as error:
        raise BadSignature("DigestValue is not base64") from error
    if not hmac.compare_digest(given, DIGESTS[method](octets).digest()):
        raise BadSignature("the digest does not fit what was signed")


def enveloped_certificate(signature: etree._Element) -> x509.Certificate:
    """The signer's certificate from KeyInfo.

    :raises BadSignature: there is none, or more than one.
    """
    found = one(signature, "ds:KeyInfo/ds:X509Data/ds:X509Certificate")
    try:
        return x509.load_der_x509_certificate(octets_of(found.text))
    except ValueError as error:
        raise BadSignature("X509Certificate holds no certificate") from error


def verify_enveloped(root: etree._Element) -> x509.Certificate:
    """Check the one enveloped signature over a whole document; return who signed.

    :raises BadSignature: anything but exactly that.
    """
    found = list(root.iter(f"{{{DS}}}Signature"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise BadSignature("there must be one signature, directly in the document's root")
    certificate = enveloped_certificate(found[0])
    references = check_value(found[0], certificate, exclusive_only=False)
    if len(references) != 1 or references[0].get("URI") != "":
        raise BadSignature('there must be one reference, with URI=""')
    transforms = references[0].findall("ds:Transforms/ds:Transform", NS)
    if not transforms or transforms[0].get("Algorithm") != ENVELOPED or len(transforms) > 2:
        raise BadSignature("the first transform must be the enveloped signature")
    # What no transform makes canonical is canonicalised inclusively (XML Signature, 4.4.3.2).
    canonical = Canonical.read(transforms[1], False) if len(transforms) == 2 else Canonical(False)
    check_digest(references[0], canonical.octets(without_signature(root)))
    return certificate


def without_signature(root: etree._Element) -> etree._Element:
    """A copy of a document without its signature; the text around it stays."""
    bare = copy.deepcopy(root)
    signature = bare.find("ds:Signature", NS)
    before, tail = signature.getprevious(), signature.tail or ""
    if before is None:
        bare.text = (bare.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    bare.remove(signature)
    return bare


def b64(octets: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(octets).decode()


def signature_of(signer: Signer, references: list[tuple[str, bytes, list[str]]],
                 key_info: str) -> etree._Element:
    """A signature element, with exclusive canonicalisation and SHA-256.

    :param references: URI, canonical octets, and transforms of each.
    :param key_info: the content of KeyInfo, as XML text with its own name spaces.
    """
    written = "".join(
        f'<ds:Reference URI="{uri}"><ds:Transforms>'
        + "".join(f'<ds:Transform Algorithm="{name}"/>' for name in transforms)
        + f'</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>'
        f"{b64(hashlib.sha256(octets).digest())}</ds:DigestValue></ds:Reference>"
        for uri, octets, transforms in references)
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod'
        f' Algorithm="{EXCLUSIVE}"/><ds:SignatureMethod Algorithm="{SHA256_RSA}"/>{written}'
        f"</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo>{key_info}</ds:KeyInfo></ds:Signature>")
    signature[1].text = b64(signer.key.sign(Canonical(True).octets(signature[0]),
                                            padding.PKCS1v15(), hashes.SHA256()))
    return signature


def sign_enveloped(root: etree._Element, signer: Signer) -> None:
    """Put an enveloped signature over a whole document at its end."""
    der = b64(signer.certificate.public_bytes(serialization.Encoding.DER))
    root.append(signature_of(
        signer, [("", Canonical(True).octets(root), [ENVELOPED, EXCLUSIVE])],
        f"<ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data>"))


def spoil_value(signature: etree._Element) -> None:
    """Make a signature wrong without making it look wrong: for the fault plan."""
    value = signature.find("ds:SignatureValue", NS)
    octets = bytearray(octets_of(value.text))
    octets[-1] ^= 1
    value.text = b64(bytes(octets))
