"""Keys and certificates made for a test."""

from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID


def new_key():
    """A private key and its unencrypted PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key, pem


def certificate_for(key, name="Payer GmbH", days=30):
    """A certificate that the key signed for itself, as PEM; valid for so many days."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


class Issuer:
    """An authority as a bank has one: it answers requests, and knows nothing of private keys."""

    def __init__(self, name="Bank's Customer CA"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(timezone.utc)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=500))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def answer(self, request, days=365):
        """The certificate for a request (PEM), as ``x509.Certificate``.

        :raises AssertionError: the request isn't signed by its own key
        """
        asked = x509.load_pem_x509_csr(request.encode())
        assert asked.is_signature_valid
        return self.issue(asked.subject, asked.public_key(), days)

    def issue(self, subject, public_key, days=365):
        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1 if days > 0 else 400))
            .not_valid_after(now + timedelta(days=days))
            .sign(self.key, hashes.SHA256())
        )

    def packed(self, leaf, form):
        """A certificate with the authority's, in one of the forms that banks send."""
        both = [leaf, self.certificate]
        pem = serialization.Encoding.PEM
        return {
            "pem": lambda: b"".join(each.public_bytes(pem) for each in both),
            # The order is the sender's own.
            "pem_reversed": lambda: b"".join(each.public_bytes(pem) for each in both[::-1]),
            "der": lambda: leaf.public_bytes(serialization.Encoding.DER),
            "p7b": lambda: pkcs7.serialize_certificates(both, serialization.Encoding.DER),
            "p7b_pem": lambda: pkcs7.serialize_certificates(both, pem),
        }[form]()


def pkcs12_of(key, leaf, chain, password):
    return pkcs12.serialize_key_and_certificates(
        b"bank", key, leaf, chain, serialization.BestAvailableEncryption(password.encode())
    )
