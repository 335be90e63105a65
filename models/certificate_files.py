"""Certificate files as banks and authorities hand them out, and the requests they answer. No Odoo.

Read: PEM (RFC 7468), DER, PKCS#12 (RFC 7292) and certificate-only PKCS#7 (RFC 2315), with whatever
else they hold. Written: certificate signing requests, PKCS#10 (RFC 2986).
"""

import base64
import re
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What banks' authorities sign; NIST SP 800-57 part 1 holds each good beyond 2030.
ALGORITHMS = {
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa4096": lambda: rsa.generate_private_key(65537, 4096),
    "ec256": lambda: ec.generate_private_key(ec.SECP256R1()),
}
_PEM_PKCS7 = re.compile(rb"-----BEGIN PKCS7-----.+?-----END PKCS7-----", re.S)
_PEM_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.S
)
LARGEST = 1024 * 1024  # bytes: no certificate file is larger, and some parsers are slow


class FileError(Exception):
    """``code``: ``unreadable``, ``password`` or ``empty``."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Bundle(NamedTuple):
    certificates: list  # of x509.Certificate, as they stood in the file
    key: object  # a private key, or None


def read(content, password=None):
    """Everything that one file holds.

    :param bytes content: the file
    :param password: opens it where it is encrypted (text)
    :raises FileError: it is none of the known forms, or the password is wrong
    """
    if not content:
        raise FileError("empty")
    if len(content) > LARGEST:
        raise FileError("unreadable")
    if b"-----BEGIN" in content:
        return _read_pem(content, password)
    for reader in (_read_der, _read_pkcs7, _read_key):
        try:
            return reader(content, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    try:
        bundle = pkcs12.load_pkcs12(content, password.encode() if password else None)
    except (ValueError, UnsupportedAlgorithm):
        # The library does not tell a wrong password from a file that is none.
        raise FileError("password" if content[:1] == b"\x30" else "unreadable") from None
    found = [bundle.cert, *bundle.additional_certs] if bundle.cert else bundle.additional_certs
    return Bundle([item.certificate for item in found], bundle.key)


def _read_pem(content, password):
    certificates, key = [], None
    try:
        for block in _PEM_PKCS7.findall(content):
            certificates += pkcs7.load_pem_pkcs7_certificates(block)
        if b"-----BEGIN CERTIFICATE-----" in content:
            certificates += x509.load_pem_x509_certificates(content)
    except (ValueError, UnsupportedAlgorithm):
        raise FileError("unreadable") from None
    if block := _PEM_KEY.search(content):
        key = load_key(block.group(), password)
    if not certificates and key is None:
        raise FileError("unreadable")
    return Bundle(certificates, key)


def _read_der(content, _password):
    return Bundle([x509.load_der_x509_certificate(content)], None)


def _read_pkcs7(content, _password):
    return Bundle(pkcs7.load_der_pkcs7_certificates(content), None)


def _read_key(content, password):
    secret = password.encode() if password else None
    return Bundle([], serialization.load_der_private_key(content, secret))


def load_key(content, password=None):
    """A private key, PEM or DER.

    :raises FileError: ``password`` or ``unreadable``
    """
    load = (
        serialization.load_pem_private_key
        if content.lstrip().startswith(b"-----")
        else serialization.load_der_private_key
    )
    try:
        return load(content, password.encode() if password else None)
    except TypeError:
        if not password:
            raise FileError("password") from None
        # A password for a key that needs none does no harm.
        return load_key(content)
    except ValueError:
        raise FileError("password" if password else "unreadable") from None
    except UnsupportedAlgorithm:
        raise FileError("unreadable") from None


def chain_of(public_key, certificates):
    """The certificate of a key, followed by those that signed it, as far as they are there.

    :return: list of certificates, leaf first; empty where none belongs to the key
    """
    wanted = public_der(public_key)
    leaf = next((each for each in certificates if public_der(each.public_key()) == wanted), None)
    chain = [leaf] if leaf else []
    while chain and chain[-1].issuer != chain[-1].subject:
        issuer = next((each for each in certificates if _issued(each, chain[-1])), None)
        if issuer is None or issuer in chain:
            break
        chain.append(issuer)
    return chain


def _issued(issuer, certificate):
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def public_der(public_key):
    """The public key as SubjectPublicKeyInfo (RFC 5280), DER."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def digest(content):
    """SHA-256 in lower-case hexadecimal."""
    sha256 = hashes.Hash(hashes.SHA256())
    sha256.update(content)
    return sha256.finalize().hex()


def certificate_digest(certificate):
    """SHA-256 of the whole certificate, as browsers and OpenSSL show it."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def spoken(text):
    """A fingerprint in groups of four, to be read out on the telephone."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4)).upper()


def plain_digits(text):
    """A fingerprint as somebody typed it, without what stands between the digits."""
    return re.sub(r"[\s:.-]", "", text or "").lower()


def pem_of(certificates):
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def base64_of(text):
    """A text as Odoo's binary fields hold it."""
    return base64.b64encode(text.encode())


def key_pem(key):
    """A private key, unencrypted: for sealing it in the next moment."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def request(key, subject, role):
    """A certificate signing request.

    :param subject: dict of ``common_name``, ``organization``, ``country``, ``serial_number``;
        empty ones are left out
    :param role: ``tls``, ``signing`` or ``encryption``: what the key is to be used for
    :return: PEM bytes
    """
    places = {
        "country": NameOID.COUNTRY_NAME,
        "organization": NameOID.ORGANIZATION_NAME,
        "common_name": NameOID.COMMON_NAME,
        "serial_number": NameOID.SERIAL_NUMBER,
    }
    name = x509.Name(
        x509.NameAttribute(place, subject[part])
        for part, place in places.items()
        if subject.get(part)
    )
    agrees = isinstance(key, rsa.RSAPrivateKey)
    usage = x509.KeyUsage(
        digital_signature=role != "encryption",
        content_commitment=role == "signing",
        key_encipherment=agrees and role in ("encryption", "tls"),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_extension(usage, critical=True)
    if role == "tls":
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def utc(certificate):
    """(not before, not after) as naive UTC, the way Odoo keeps time."""
    if hasattr(certificate, "not_valid_after_utc"):  # cryptography 42 and later
        pair = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return tuple(moment.replace(tzinfo=None) for moment in pair)
    return certificate.not_valid_before, certificate.not_valid_after
