"""Which algorithms sign and encrypt on the SOAP channel, by their names in XML.

A name that is not here does not exist for this channel: no HMAC (anyone who verifies could sign),
no MD5, no "none", no triple DES, no RSA key transport of PKCS #1 v1.5.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

from .soap_xml import DSIG, XENC, XENC11

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"

RSA_SHA256 = _MORE + "rsa-sha256"
SHA256 = XENC + "sha256"

# RSA with PKCS #1 v1.5 padding (RFC 6931, section 2.3), the only one that these banks use.
SIGNATURES: dict[str, type[hashes.HashAlgorithm]] = {
    RSA_SHA256: hashes.SHA256,
    _MORE + "rsa-sha384": hashes.SHA384,
    _MORE + "rsa-sha512": hashes.SHA512,
}
DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256,
    _MORE + "sha384": hashes.SHA384,
    XENC + "sha512": hashes.SHA512,
}
# What recordings of some banks still show; read only where a profile says so, never written.
LEGACY_SIGNATURES = {DSIG + "rsa-sha1": hashes.SHA1}
LEGACY_DIGESTS = {DSIG + "sha1": hashes.SHA1}

# Name in a profile → (name in XML, bytes of the key, "cbc" or "gcm").
CIPHERS = {
    "aes128-cbc": (XENC + "aes128-cbc", 16, "cbc"),
    "aes256-cbc": (XENC + "aes256-cbc", 32, "cbc"),
    "aes128-gcm": (XENC11 + "aes128-gcm", 16, "gcm"),
    "aes256-gcm": (XENC11 + "aes256-gcm", 32, "gcm"),
}
# RSA-OAEP with SHA-1 in its mask (what "mgf1p" means; unharmed by SHA-1's collisions), or SHA-256.
OAEP_MGF1P = XENC + "rsa-oaep-mgf1p"
OAEP_11 = XENC11 + "rsa-oaep"
MGF1_SHA256 = XENC11 + "mgf1sha256"
TRANSPORTS = {"rsa-oaep-mgf1p": OAEP_MGF1P, "rsa-oaep": OAEP_11}
