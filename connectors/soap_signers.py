"""Whose signature counts: the bank's signing certificates, their validity and revocation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from .identity import fingerprints, validity
from .interface import SettingsError
from .settings import Trust

_MIN_RSA_BITS = 2048
# What the library raises at a certificate that it cannot read.
_UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
_PEM_CRL = b"-----BEGIN X509 CRL-----"


class SignerError(Exception):
    """A certificate may not sign for the bank.

    :ivar code: ``signer_untrusted``, ``signer_expired``, ``signer_not_yet_valid``,
        ``signer_revoked``, ``signer_pin`` or ``crl_outdated``
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Return all certificates of a PEM bundle.

    :raises ValueError: where there is none, or one that cannot be read
    """
    mark = b"-----BEGIN CERTIFICATE-----"
    parts = pem.split(mark)[1:]
    if not parts:
        raise ValueError("no PEM certificate")
    return [x509.load_pem_x509_certificate(mark + part) for part in parts]


def load_revocations(content: bytes) -> list[x509.CertificateRevocationList]:
    """Return the revocation lists in `content`: one in DER, or any number in PEM.

    :raises ValueError: where they cannot be read
    """
    if _PEM_CRL not in content:
        return [x509.load_der_x509_crl(content)]
    return [x509.load_pem_x509_crl(_PEM_CRL + part) for part in content.split(_PEM_CRL)[1:]]


def _public(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _moments(revocations: x509.CertificateRevocationList) -> tuple[datetime, datetime | None]:
    """Return when the list was made and when the next is due, aware UTC."""
    if hasattr(revocations, "last_update_utc"):  # cryptography 42 and later
        return revocations.last_update_utc, revocations.next_update_utc
    made, due = revocations.last_update, revocations.next_update
    return made.replace(tzinfo=timezone.utc), due.replace(tzinfo=timezone.utc) if due else None


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject or not _is_authority(issuer):
        return False
    key, digest = issuer.public_key(), certificate.signature_hash_algorithm
    if isinstance(digest, hashes.SHA1 | hashes.MD5 | None):
        return False
    signature, content = certificate.signature, certificate.tbs_certificate_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey):
            parameters = getattr(certificate, "signature_algorithm_parameters", None)
            scheme = parameters if isinstance(parameters, padding.PSS) else padding.PKCS1v15()
            key.verify(signature, content, scheme, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not basic.ca:
            return False
    except x509.ExtensionNotFound:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_cert_sign


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


@dataclass(frozen=True)
class _Parts:
    anchors: tuple[x509.Certificate, ...]
    pins: frozenset[str]
    revocations: tuple[x509.CertificateRevocationList, ...]


class Signers:
    """Decides which certificates may sign for the bank.

    A certificate may where it is itself among the trusted ones, or issued by one of them that is
    an authority; fingerprints and names narrow this.  Each certificate of the bundle is an anchor:
    where the bank's authority has intermediate ones, they belong into the bundle.
    """

    def __init__(
        self,
        trust: Trust,
        *,
        own: x509.Certificate,
        now: Callable[[], datetime],
        crl: bytes | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """Read whom to trust.

        :param own: our signing certificate, which the bank's authority may have issued as well
        :param crl: revocation lists (DER or PEM); with them every certificate needs a current one
        :param names: common names that the bank signs under; empty: any
        :raises SettingsError: ``signers``
        """
        try:
            anchors = tuple(load_certificates(trust.ca_pem))
        except ValueError:
            raise SettingsError(
                "signers", "The bank's signing certificate is not a PEM certificate."
            ) from None
        try:
            revocations = tuple(load_revocations(crl)) if crl else ()
        except ValueError:
            raise SettingsError(
                "signers", "The bank's revocation list is not a certificate revocation list."
            ) from None
        self._parts = _Parts(anchors, fingerprints(trust), revocations)
        self._own = _public(own)
        self._now = now
        self._names = frozenset(names)

    def accept(self, der: bytes) -> x509.Certificate:
        """Return the certificate in `der` if it may sign for the bank now.

        :raises SignerError:
        """
        try:
            certificate = x509.load_der_x509_certificate(der)
            return self._accept(certificate)
        except _UNREADABLE as error:
            raise SignerError("signer_untrusted", f"unreadable: {error}") from None

    def _accept(self, certificate: x509.Certificate) -> x509.Certificate:
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _MIN_RSA_BITS:
            raise SignerError("signer_untrusted", f"not an RSA key of {_MIN_RSA_BITS} bits")
        # Customers may have certificates of the same authority: first of all, ours.
        if _public(certificate) == self._own:
            raise SignerError("signer_untrusted", "our own certificate")
        chain = self._chain(certificate)
        if not _may_sign(certificate):
            raise SignerError("signer_untrusted", "its key usage does not allow signatures")
        named = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if self._names and not {attribute.value for attribute in named} & self._names:
            raise SignerError("signer_untrusted", certificate.subject.rfc4514_string())
        pins = self._parts.pins
        fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        if pins and fingerprint not in pins:
            raise SignerError("signer_pin", f"presented {fingerprint}")
        for member in chain:
            self._check_dates(member)
        if len(chain) == 2:
            self._check_revoked(*chain)
        return certificate

    def _chain(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the certificate and its issuer; alone, where only it is trusted itself."""
        trusted = certificate in self._parts.anchors
        issuers = [one for one in self._parts.anchors if _signed_by(certificate, one)]
        if not issuers and trusted:
            return (certificate,)
        if not issuers:
            raise SignerError("signer_untrusted", certificate.subject.rfc4514_string())
        if _is_authority(certificate) and not trusted:
            raise SignerError("signer_untrusted", "an authority's certificate signs certificates")
        # An authority may have renewed its certificate: the one that lasts longest counts.
        return certificate, max(issuers, key=lambda one: validity(one)[1])

    def _check_dates(self, certificate: x509.Certificate) -> None:
        start, end = validity(certificate)
        now = self._now()
        if now > end:
            raise SignerError("signer_expired", f"on {end:%Y-%m-%d %H:%M} UTC")
        if now < start:
            raise SignerError("signer_not_yet_valid", f"until {start:%Y-%m-%d %H:%M} UTC")

    def _check_revoked(self, certificate: x509.Certificate, issuer: x509.Certificate) -> None:
        if not self._parts.revocations:
            return
        now = self._now()
        current = False
        for revocations in self._parts.revocations:
            if revocations.issuer != issuer.subject:
                continue
            if not revocations.is_signature_valid(issuer.public_key()):
                continue
            # Once on a list, always revoked, however old the list is.
            if revocations.get_revoked_certificate_by_serial_number(certificate.serial_number):
                raise SignerError("signer_revoked", f"serial {certificate.serial_number:x}")
            made, due = _moments(revocations)
            current = current or (made <= now and (due is None or now <= due))
        if not current:
            raise SignerError("crl_outdated", issuer.subject.rfc4514_string())
