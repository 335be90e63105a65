"""Turn certificates and keys given as PEM into one strict TLS client context."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from .interface import SettingsError
from .settings import Identity, Trust

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """Return (not before, not after), aware UTC."""
    if hasattr(certificate, "not_valid_after_utc"):  # cryptography 42 and later
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (
        certificate.not_valid_before.replace(tzinfo=timezone.utc),
        certificate.not_valid_after.replace(tzinfo=timezone.utc),
    )


def load_leaf(identity: Identity | None) -> x509.Certificate:
    """Return our leaf certificate after checking that the private key opens and belongs to it.

    :raises SettingsError: ``certificate``, ``key``, ``key_password`` or ``key_mismatch``
    """
    return load_pair(identity)[0]


def load_pair(identity: Identity | None) -> tuple[x509.Certificate, PrivateKeyTypes]:
    """Return our leaf certificate and its private key.

    :raises SettingsError: as :func:`load_leaf`
    """
    if identity is None:
        raise SettingsError("certificate", "This bank needs a client certificate.")
    try:
        leaf = x509.load_pem_x509_certificate(identity.certificate)
    except ValueError:
        raise SettingsError(
            "certificate", "The client certificate is not a PEM certificate."
        ) from None
    password = identity.password.encode() if identity.password else None
    try:
        key = load_pem_private_key(identity.private_key, password)
    except TypeError:
        text = (
            "The private key is encrypted, and no password is set."
            if password is None
            else "A password is set, but the private key is not encrypted."
        )
        raise SettingsError("key_password", text) from None
    except UnsupportedAlgorithm:
        raise SettingsError("key", "The private key is of an unsupported kind.") from None
    except ValueError:
        if password:
            raise SettingsError(
                "key_password", "The password does not open the private key."
            ) from None
        raise SettingsError("key", "The private key is not a PEM private key.") from None

    def public(part: object) -> bytes:
        return part.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    if public(key) != public(leaf):
        raise SettingsError(
            "key_mismatch", "The private key does not belong to the client certificate."
        )
    return leaf, key


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """Offer `content` to OpenSSL under a path: in memory where the system can, and briefly."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("identity", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as stream:
                stream.write(content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, path = tempfile.mkstemp()  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        yield path
    finally:
        os.unlink(path)


def client_context(identity: Identity | None, trust: Trust) -> ssl.SSLContext:
    """Return a context that trusts `trust` alone and presents `identity`, if any.

    TLS 1.2 or later (RFC 9325), host name checked, no renegotiation.  A connector whose bank
    knows us by the TLS certificate asks for one before (:func:`load_leaf`).

    :raises SettingsError: for a certificate, key or CA that cannot be used
    """
    if identity is not None:
        load_leaf(identity)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificate required, host name checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without renegotiation an alert about our certificate can only belong to the first handshake.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # Early releases of Python 3.10 and 3.11 have OpenSSL 3 take a connection that breaks off for
    # one that TLS closed: an answer cut in the middle would pass for a whole one.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    # Lets the bank's own certificate, rather than its CA, be the anchor.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=trust.ca_pem.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise SettingsError(
            "trust", "The bank's CA certificate is not a PEM certificate."
        ) from None
    if trust.crl:
        _add_revocations(context, trust.crl)
    if identity is None:
        return context
    pem = identity.certificate.rstrip() + b"\n" + identity.private_key
    # A password is always given: OpenSSL would otherwise ask for one on the terminal.
    with _readable(pem) as path:
        try:
            context.load_cert_chain(path, password=identity.password or "")
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "unreadable"
            raise SettingsError(
                "certificate", f"The client certificate cannot be used for TLS ({reason})."
            ) from None
    return context


def _add_revocations(context: ssl.SSLContext, crl: bytes) -> None:
    """Have `context` refuse servers whose certificate is on the list.

    :raises SettingsError: ``trust``
    """
    try:
        x509.load_pem_x509_crl(crl)
        with _readable(crl) as path:
            context.load_verify_locations(cafile=path)
    except (ssl.SSLError, ValueError):
        raise SettingsError("trust", "The bank's revocation list is not readable PEM.") from None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def fingerprints(trust: Trust) -> frozenset[str]:
    """Return the pinned SHA-256 fingerprints as lower-case hex without separators.

    :raises SettingsError: ``trust``
    """
    pins = {pin.replace(":", "").replace(" ", "").lower() for pin in trust.fingerprints}
    for pin in pins:
        if len(pin) != 64 or set(pin) - set("0123456789abcdef"):
            raise SettingsError(
                "trust", "A pinned fingerprint is not a SHA-256 in hexadecimal (64 digits)."
            )
    return frozenset(pins)
