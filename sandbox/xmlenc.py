"""XML encryption of a whole document: AES under a fresh key, that key under RSA-OAEP.

Source: W3C, XML Encryption Syntax and Processing 1.1. No 3DES and no PKCS#1 1.5.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from . import xmlsig

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
NS = {"xenc": XENC, "xenc11": XENC11, "ds": xmlsig.DS}
TAG = f"{{{XENC}}}EncryptedData"
CBC = {f"{XENC}aes128-cbc": 16, f"{XENC}aes192-cbc": 24, f"{XENC}aes256-cbc": 32}
GCM = {f"{XENC11}aes128-gcm": 16, f"{XENC11}aes192-gcm": 24, f"{XENC11}aes256-gcm": 32}
OAEP, OAEP11 = f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep"
HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    f"{xmlsig.DS}sha1": hashes.SHA1, f"{XENC}sha256": hashes.SHA256,
    f"{xmlsig.MORE}sha384": hashes.SHA384, f"{XENC}sha512": hashes.SHA512}
MASKS = {f"{XENC11}mgf1sha1": hashes.SHA1, f"{XENC11}mgf1sha256": hashes.SHA256,
         f"{XENC11}mgf1sha384": hashes.SHA384, f"{XENC11}mgf1sha512": hashes.SHA512}
METHOD = f"{XENC}aes256-cbc"


class Undecipherable(Exception):
    """What came can't be decrypted. It never says why: that would help who guesses."""


def decrypt(root: etree._Element, key: rsa.RSAPrivateKey) -> bytes:
    """The octets inside an EncryptedData element.

    :raises Undecipherable: another key, another algorithm, or broken data.
    """
    try:
        wrapped = xmlsig.one(root, ".//xenc:EncryptedKey", NS)
        content_key = key.decrypt(_value(wrapped), _oaep(_method(wrapped)))
        return _decipher(_method(root).get("Algorithm", ""), content_key, _value(root))
    except Exception as error:
        raise Undecipherable from error


def _method(element: etree._Element) -> etree._Element:
    return xmlsig.one(element, "xenc:EncryptionMethod", NS)


def _value(element: etree._Element) -> bytes:
    return xmlsig.octets_of(xmlsig.one(element, "xenc:CipherData/xenc:CipherValue", NS).text)


def _oaep(method: etree._Element) -> padding.OAEP:
    if method.get("Algorithm") not in (OAEP, OAEP11):
        raise ValueError("only RSA-OAEP")
    named = method.find("ds:DigestMethod", NS)
    digest = HASHES[named.get("Algorithm")]() if named is not None else hashes.SHA1()  # noqa: S303
    mask = method.find("xenc11:MGF", NS)
    mgf = MASKS[mask.get("Algorithm")]() if mask is not None else hashes.SHA1()  # noqa: S303
    return padding.OAEP(padding.MGF1(mgf), digest, None)


def _decipher(method: str, key: bytes, data: bytes) -> bytes:
    if len(key) != CBC.get(method, GCM.get(method)):
        raise ValueError("another algorithm")
    if method in GCM:
        return AESGCM(key).decrypt(data[:12], data[12:], None)
    plain = Cipher(algorithms.AES(key), modes.CBC(data[:16])).decryptor()
    octets = plain.update(data[16:]) + plain.finalize()
    if not 1 <= octets[-1] <= 16:
        raise ValueError("wrong padding")
    return octets[:-octets[-1]]


def encrypt(document: bytes, certificate: x509.Certificate) -> bytes:
    """An EncryptedData document around a document: AES-256-CBC and RSA-OAEP with SHA-1 as mask.

    :param document: without XML declaration, for its type is an element.
    """
    key, start = os.urandom(32), os.urandom(16)
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("the certificate's key must be RSA")
    fill = 16 - len(document) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    data = cipher.update(document + bytes(fill - 1) + bytes([fill])) + cipher.finalize()
    # The digest and mask that rsa-oaep-mgf1p stands for when nothing is said.
    sha1 = hashes.SHA1()  # noqa: S303
    wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(sha1), sha1, None))
    der = xmlsig.b64(certificate.public_bytes(serialization.Encoding.DER))
    return (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{METHOD}"/>'
        f'<ds:KeyInfo xmlns:ds="{xmlsig.DS}"><xenc:EncryptedKey>'
        f'<xenc:EncryptionMethod Algorithm="{OAEP}"/>'
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data>"
        f"</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{xmlsig.b64(wrapped)}"
        "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{xmlsig.b64(start + data)}</xenc:CipherValue>"
        "</xenc:CipherData></xenc:EncryptedData>").encode()
