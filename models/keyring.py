"""The keyring: every secret this module keeps is sealed under a key that is not in the database.

One master key, given by whoever runs the server, is stretched by HKDF (RFC 5869, SHA-256) into
one key for each purpose, so that a leak of one says nothing of another. Secrets are sealed with
AES-256-GCM (NIST SP 800-38D), bound to their purpose as associated data.

The master key comes from the environment variable ``BANK_CONNECT_MASTER_KEY`` or, in the server's
configuration file, from ``master_key`` in a section ``[bank_connect]``. Either holds one or more
keys, newest first, separated by commas: ``id:base64`` of at least 32 bytes. The first one seals;
all of them open, so a new key can be put in front of an old one. ``openssl rand -base64 32``
makes one.
"""

import base64
import binascii
import configparser
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from odoo.tools import config

ENVIRONMENT_VARIABLE = "BANK_CONNECT_MASTER_KEY"
SECTION, OPTION = "bank_connect", "master_key"
FORMAT = "bc1"  # leads every sealed text, so that a later format can be told apart
NONCE_SIZE = 12  # bytes; the size AES-GCM is defined for


class KeyringError(Exception):
    """The keyring can't do what was asked; ``code`` says why, for a message in the user's words.

    Codes: ``missing`` (no master key is configured), ``malformed`` (it can't be read),
    ``unknown_key`` (sealed under a key that is not configured here), ``damaged`` (not a sealed
    text, or altered since).
    """

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def available():
    """Whether a usable master key is configured."""
    try:
        return bool(_master_keys())
    except KeyringError:
        return False


def seal(secret, purpose):
    """Seal ``secret`` (bytes) for ``purpose`` (a label such as ``"private-key"``).

    :return: ``bc1.<key id>.<base64>`` as text
    :raises KeyringError: ``missing`` or ``malformed``
    """
    key_id, master = next(iter(_master_keys().items()))
    nonce = os.urandom(NONCE_SIZE)
    sealed = AESGCM(_derive(master, purpose)).encrypt(nonce, secret, _bound(key_id, purpose))
    return f"{FORMAT}.{key_id}.{base64.b64encode(nonce + sealed).decode()}"


def unseal(text, purpose):
    """Open what :func:`seal` made for the same ``purpose``.

    :return: the secret, as bytes
    :raises KeyringError: any of its codes
    """
    try:
        marker, key_id, payload = text.split(".", 2)
        raw = base64.b64decode(payload, validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise KeyringError("damaged") from None
    if marker != FORMAT or len(raw) <= NONCE_SIZE:
        raise KeyringError("damaged")
    master = _master_keys().get(key_id)
    if master is None:
        raise KeyringError("unknown_key")
    cipher = AESGCM(_derive(master, purpose))
    try:
        return cipher.decrypt(raw[:NONCE_SIZE], raw[NONCE_SIZE:], _bound(key_id, purpose))
    except InvalidTag:
        raise KeyringError("damaged") from None


def key_ids():
    """The names of the keys configured here, newest first; empty where there is none to use."""
    try:
        return list(_master_keys())
    except KeyringError:
        return []


def key_id_of(text):
    """The name of the key that a text was sealed under, read from the text alone.

    :return: the name, or ``None`` where this is no sealed text
    """
    marker, separator, rest = (text or "").partition(".")
    key_id, dot, _payload = rest.partition(".")
    return key_id if marker == FORMAT and separator and dot else None


def sign(message, purpose):
    """Sign ``message`` (bytes) with an HMAC-SHA-256 under the newest key.

    :return: ``<key id>:<hexadecimal digest>``
    """
    key_id, master = next(iter(_master_keys().items()))
    digest = hmac.new(_derive(master, purpose), message, hashlib.sha256).hexdigest()
    return f"{key_id}:{digest}"


def verify(message, signature, purpose):
    """Whether ``signature`` was made by :func:`sign` for the same message and purpose."""
    key_id, _sep, digest = (signature or "").partition(":")
    master = _master_keys().get(key_id)
    if master is None:
        raise KeyringError("unknown_key")
    expected = hmac.new(_derive(master, purpose), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, digest)


def signing_key(purpose):
    """The newest key to sign with for people who don't have the master key (Ed25519, RFC 8032).

    :return: ``(key id, private key)``
    """
    key_id, master = next(iter(_master_keys().items()))
    return key_id, _signing_key(master, purpose)


def public_keys(purpose):
    """What such signatures are verified with: key id to 32 bytes, newest first."""
    return {
        key_id: _signing_key(master, purpose).public_key().public_bytes_raw()
        for key_id, master in _master_keys().items()
    }


def fingerprint(public_key):
    """SHA-256 of a public key, in groups of four digits that can be read out on the telephone."""
    digest = hashlib.sha256(public_key).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def _signing_key(master, purpose):
    # A label of its own: the same purpose never gives a signing and a symmetric key alike.
    return Ed25519PrivateKey.from_private_bytes(_derive(master, f"signing/{purpose}"))


def _bound(key_id, purpose):
    return f"{FORMAT}.{key_id}.{purpose}".encode()


@lru_cache(maxsize=32)
def _derive(master, purpose):
    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=b"bank-connect/" + purpose.encode()
    ).derive(master)


def _master_keys():
    """Key id to key bytes, newest first."""
    keys = _parse(os.environ.get(ENVIRONMENT_VARIABLE) or _from_file(config["config"]))
    if not keys:
        raise KeyringError("missing")
    return keys


@lru_cache(maxsize=1)
def _from_file(path):
    # Odoo reads the section [options] only; a section of our own spares the server a warning
    # about an option that it does not know.
    if not path:
        return ""
    parser = configparser.RawConfigParser()
    try:
        parser.read([path])
    except configparser.Error:
        return ""
    return parser.get(SECTION, OPTION, fallback="")


@lru_cache(maxsize=4)
def _parse(text):
    keys = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        key_id, separator, encoded = item.rpartition(":")
        key_id = key_id.strip() if separator else "1"
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except (ValueError, binascii.Error):
            raise KeyringError("malformed") from None
        if len(key) < 32 or not key_id or "." in key_id:
            raise KeyringError("malformed")
        keys[key_id] = key
    return keys
