"""XML encryption of whole documents (XML Encryption 1.1), for banks that want it.

The document is encrypted under a fresh AES key, and that key under the receiver's RSA key with
OAEP.  Encryption proves no origin: what comes out is XML like any other, to be verified next.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from .soap_algorithms import CIPHERS, MGF1_SHA256, OAEP_11, OAEP_MGF1P, SHA256, TRANSPORTS
from .soap_xml import DSIG, XENC, XENC11, XmlError, children, name, only

_ELEMENT = XENC + "Element"
_SHA1 = DSIG + "sha1"
_NONCE = 12  # bytes of AES-GCM, section 5.2.4
_BLOCK = 16
_BY_NAME = {uri: (size, mode) for uri, size, mode in CIPHERS.values()}


class EncryptionError(Exception):
    """A document cannot be decrypted.

    The text names a malformed structure; a wrong key and wrong padding read alike, so that
    nobody learns from our answers.
    """


@dataclass(frozen=True)
class Method:
    """A bank's algorithms: keys of ``CIPHERS`` and ``TRANSPORTS``."""

    cipher: str
    transport: str


def is_encrypted(root: etree._Element) -> bool:
    return root.tag == name(XENC, "EncryptedData")


def encrypt(content: bytes, receiver: x509.Certificate, method: Method) -> bytes:
    """Return `content` (an XML document) as an EncryptedData document for `receiver`."""
    # What is encrypted is an element, to take the place of EncryptedData: no XML declaration.
    if content.startswith(b"<?xml"):
        content = content.partition(b"?>")[2].lstrip()
    uri, size, mode = CIPHERS[method.cipher]
    key = os.urandom(size)
    data = etree.Element(name(XENC, "EncryptedData"), nsmap={"xenc": XENC, "ds": DSIG})
    data.set("Type", _ELEMENT)
    etree.SubElement(data, name(XENC, "EncryptionMethod"), Algorithm=uri)
    wrapped = etree.SubElement(
        etree.SubElement(data, name(DSIG, "KeyInfo")), name(XENC, "EncryptedKey")
    )
    transport = TRANSPORTS[method.transport]
    how = etree.SubElement(wrapped, name(XENC, "EncryptionMethod"), Algorithm=transport)
    digest: hashes.HashAlgorithm = hashes.SHA1()  # noqa: S303 - the mask of OAEP, not a signature
    if transport == OAEP_11:
        digest = hashes.SHA256()
        etree.SubElement(how, name(DSIG, "DigestMethod"), Algorithm=SHA256)
        etree.SubElement(how, name(XENC11, "MGF"), Algorithm=MGF1_SHA256)
    else:
        etree.SubElement(how, name(DSIG, "DigestMethod"), Algorithm=_SHA1)
    info = etree.SubElement(wrapped, name(DSIG, "KeyInfo"))
    shown = etree.SubElement(info, name(DSIG, "X509Data"))
    certificate = etree.SubElement(shown, name(DSIG, "X509Certificate"))
    certificate.text = base64.b64encode(receiver.public_bytes(Encoding.DER)).decode()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    _cipher_value(wrapped, receiver.public_key().encrypt(key, oaep))
    if mode == "gcm":
        nonce = os.urandom(_NONCE)
        _cipher_value(data, nonce + AESGCM(key).encrypt(nonce, content, None))
    else:
        start = os.urandom(_BLOCK)
        fill = _BLOCK - len(content) % _BLOCK
        encryptor = Cipher(AES(key), CBC(start)).encryptor()
        padded = content + os.urandom(fill - 1) + bytes([fill])  # section 5.2.1
        _cipher_value(data, start + encryptor.update(padded) + encryptor.finalize())
    return etree.tostring(data, encoding="UTF-8", xml_declaration=True)


def _cipher_value(parent: etree._Element, content: bytes) -> None:
    data = etree.SubElement(parent, name(XENC, "CipherData"))
    value = etree.SubElement(data, name(XENC, "CipherValue"))
    value.text = base64.b64encode(content).decode()


def decrypt(root: etree._Element, key: rsa.RSAPrivateKey) -> bytes:
    """Return the document in an EncryptedData.

    :raises EncryptionError:
    """
    try:
        algorithm = only(root, name(XENC, "EncryptionMethod")).get("Algorithm", "")
        if algorithm not in _BY_NAME:
            raise EncryptionError(f"cipher {algorithm[:80]} is not allowed")
        size, mode = _BY_NAME[algorithm]
        wrapped = only(only(root, name(DSIG, "KeyInfo")), name(XENC, "EncryptedKey"))
        method = only(wrapped, name(XENC, "EncryptionMethod"))
        oaep = _oaep(method)
        secret, content = _value(wrapped), _value(root)
    except XmlError as error:
        raise EncryptionError(str(error)) from None
    try:
        aes = key.decrypt(secret, oaep)
        if len(aes) != size:
            raise ValueError("size of the key")
        return _open(content, aes, mode)
    except (ValueError, InvalidTag):
        raise EncryptionError("it is not encrypted for our key, or damaged") from None


def _oaep(method: etree._Element) -> padding.OAEP:
    algorithm = method.get("Algorithm", "")
    digests = [one.get("Algorithm") for one in children(method, name(DSIG, "DigestMethod"))]
    masks = [one.get("Algorithm") for one in children(method, name(XENC11, "MGF"))]
    known = {_SHA1: hashes.SHA1, SHA256: hashes.SHA256, None: hashes.SHA1}
    digest = known.get(digests[0] if digests else None)
    mask: type[hashes.HashAlgorithm] | None = hashes.SHA1
    if algorithm == OAEP_11 and masks:
        mask = hashes.SHA256 if masks == [MGF1_SHA256] else None
    if algorithm not in (OAEP_MGF1P, OAEP_11) or digest is None or mask is None:
        raise EncryptionError(f"key transport {algorithm[:80]} is not allowed")
    return padding.OAEP(padding.MGF1(mask()), digest(), None)


def _value(parent: etree._Element) -> bytes:
    value = only(only(parent, name(XENC, "CipherData")), name(XENC, "CipherValue"))
    try:
        return base64.b64decode("".join((value.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise EncryptionError("not base64") from None


def _open(content: bytes, key: bytes, mode: str) -> bytes:
    if mode == "gcm":
        return AESGCM(key).decrypt(content[:_NONCE], content[_NONCE:], None)
    if len(content) < 2 * _BLOCK or len(content) % _BLOCK:
        raise ValueError("length")
    decryptor = Cipher(AES(key), CBC(content[:_BLOCK])).decryptor()
    padded = decryptor.update(content[_BLOCK:]) + decryptor.finalize()
    fill = padded[-1]
    if not 1 <= fill <= _BLOCK:
        raise ValueError("padding")
    return padded[:-fill]
