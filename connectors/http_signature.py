"""HTTP signatures as banks use them: draft-cavage-http-signatures-12 with ``Digest`` (RFC 3230).

Own code, because what is maintained (``http-message-signatures``, ``requests-http-signature``)
writes the later and different RFC 9421, and ``httpsig`` has had no release since 2018.  The
signatures themselves are made by `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from .keys import CERTIFICATE_FIELDS, SigningKey
from .profile_reader import Reader
from .settings import Settings
from .signing import Signer, public_keys_for
from .templates import fields_in, fill

# Name in the Signature header → kind of key, hash, and whether RSA uses PSS.  The draft's
# "hs2019" leaves the algorithm to the key: here RSA-PSS with SHA-512, as it says, or the curve's.
_ALGORITHMS: Mapping[str, tuple[tuple[type, ...], Any, bool]] = {
    "rsa-sha256": ((rsa.RSAPublicKey,), hashes.SHA256(), False),
    "rsa-sha512": ((rsa.RSAPublicKey,), hashes.SHA512(), False),
    "ecdsa-sha256": ((ec.EllipticCurvePublicKey,), hashes.SHA256(), False),
    "hs2019": (
        (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey),
        hashes.SHA512(),
        True,
    ),
}
_DIGESTS = {"SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
_TARGET = "(request-target)"
_NAME = re.compile(r"\(request-target\)|[a-z0-9-]+")
_PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|(\d+))\s*(?:,|$)')
_CERTIFICATE_FORMS = ("base64", "pem")


@dataclass(frozen=True)
class HttpSignatureProfile:
    """What a profile says of HTTP signatures."""

    algorithm: str
    digest: str
    header: str
    headers: tuple[str, ...]  # signed where the request has a body
    read_headers: tuple[str, ...]  # signed where it has none; empty: such are not signed
    key_id: str
    certificate_header: str | None
    certificate_form: str
    verify: tuple[str, ...]  # what the bank's answers must have signed; empty: not verified

    @classmethod
    def read(cls, reader: Reader) -> HttpSignatureProfile:
        profile = cls(
            algorithm=reader.choice("algorithm", _ALGORITHMS, "rsa-sha256"),
            digest=reader.choice("digest", _DIGESTS, "SHA-256"),
            header=reader.take("header", str, "Signature"),
            headers=_names(reader, "headers"),
            read_headers=_names(reader, "read_headers"),
            key_id=reader.take("key_id", str),
            certificate_header=reader.take("certificate_header", str, None),
            certificate_form=reader.choice("certificate_form", _CERTIFICATE_FORMS, "base64"),
            verify=_names(reader, "verify"),
        )
        if "digest" not in profile.headers:
            raise reader.wrong("headers", "must hold digest, or the body would not be signed")
        if profile.verify and "digest" not in profile.verify:
            raise reader.wrong("verify", "must hold digest, or the body would not be signed")
        reader.end()
        return profile

    def variables(self) -> set[str]:
        return fields_in(self.key_id) - CERTIFICATE_FIELDS

    def build(
        self, settings: Settings, key: SigningKey, variables: Mapping[str, str]
    ) -> HttpSignature:
        """:raises SettingsError: where key or the bank's certificate cannot be used"""
        return HttpSignature(self, settings, key, variables)


def _names(reader: Reader, key: str) -> tuple[str, ...]:
    names = reader.strings(key)
    for name in names:
        if not _NAME.fullmatch(name):
            raise reader.wrong(key, f"must hold names in small letters, not {name!r}")
    if len(set(names)) != len(names):
        raise reader.wrong(key, "names a header twice")
    return names


class HttpSignature(Signer):
    """Signs and verifies under one contract."""

    def __init__(
        self,
        profile: HttpSignatureProfile,
        settings: Settings,
        key: SigningKey,
        variables: Mapping[str, str],
    ) -> None:
        self.profile = profile
        self.key = key
        self.key_id = fill(profile.key_id, {**variables, **key.values})
        kinds = _ALGORITHMS[profile.algorithm][0]
        if not isinstance(key.private.public_key(), kinds):
            key.demand(profile.algorithm)  # no JOSE name, so this always raises
        self.verifies = bool(profile.verify)
        self.bank_keys = public_keys_for(settings.signers, self.verifies)

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, now: datetime
    ) -> dict[str, str]:
        profile = self.profile
        names = profile.headers if body is not None else profile.read_headers
        if not names:
            return {}
        added: dict[str, str] = {}
        given = {name.lower(): value for name, value in headers.items()}
        if "digest" in names:
            added["Digest"] = f"{profile.digest}={digest(body or b'', profile.digest)}"
        if "date" in names and "date" not in given:
            added["Date"] = format_datetime(now.astimezone(timezone.utc), usegmt=True)
        if "host" in names:
            added["Host"] = requests.Request(method, url).prepare().url.split("/")[2]
        if profile.certificate_header:
            added[profile.certificate_header] = self._certificate()
        given |= {name.lower(): value for name, value in added.items()}
        text = signing_string(names, given, f"{method.lower()} {target(url)}")
        signature = base64.b64encode(make(self.key.private, profile.algorithm, text)).decode()
        key_id = self.key_id.replace("\\", "\\\\").replace('"', '\\"')
        added[profile.header] = (
            f'keyId="{key_id}",algorithm="{profile.algorithm}",'
            f'headers="{" ".join(names)}",signature="{signature}"'
        )
        return added

    def _certificate(self) -> str:
        text = self.key.values["certificate_base64"]
        if self.profile.certificate_form == "base64":
            return text
        return f"-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----"

    def check(self, headers: Mapping[str, str], body: bytes) -> str | None:
        found = _parameters(headers.get(self.profile.header, ""))
        if found is None:
            return "no signature that can be read"
        # The algorithm is the profile's; a name in the answer may agree, not choose.
        if found.get("algorithm", "hs2019").lower() not in (self.profile.algorithm, "hs2019"):
            return "another algorithm"
        names = found.get("headers", "date").lower().split()
        if missing := set(self.profile.verify) - set(names):
            return f"{', '.join(sorted(missing))} not signed"
        if not _digest_fits(headers.get("Digest", ""), body):
            return "the digest is of another content"
        try:
            text = signing_string(names, {n.lower(): v for n, v in headers.items()}, None)
            signature = base64.b64decode(found["signature"], validate=True)
        except (ValueError, KeyError, binascii.Error):
            return "a signature that cannot be read"
        if any(holds(key, self.profile.algorithm, text, signature) for key in self.bank_keys):
            return None
        return "a signature of somebody else"


def target(url: str) -> str:
    """Return path and query as they go over the wire."""
    prepared = requests.models.PreparedRequest()
    prepared.prepare_url(url, None)
    return prepared.path_url


def signing_string(
    names: tuple[str, ...] | list[str], headers: Mapping[str, str], request_target: str | None
) -> bytes:
    """Return what is signed (draft 12, section 2.3).

    :param headers: by name in small letters
    :raises ValueError: where a header to be signed is not there, or named twice
    """
    if len(set(names)) != len(names):
        raise ValueError("a header is named twice")
    lines = []
    for name in names:
        value = request_target if name == _TARGET else headers.get(name)
        if value is None:
            raise ValueError(f"no header {name}")
        lines.append(f"{name}: {value.strip()}")
    return "\n".join(lines).encode("latin-1")


def digest(body: bytes, name: str) -> str:
    """Return the body's digest, base64."""
    return base64.b64encode(_DIGESTS[name](body).digest()).decode()


def _digest_fits(header: str, body: bytes) -> bool:
    """Tell whether every digest in the header that we know is the body's, and there is one."""
    fits = []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name.upper() in _DIGESTS:
            fits.append(digest(body, name.upper()) == value.strip())
    return bool(fits) and all(fits)


def _parameters(text: str) -> dict[str, str] | None:
    """Read a Signature header; ``None`` where it has another form or a parameter twice."""
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PARAMETER.match(text, place)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[2] if match[2] is not None else match[3]
        place = match.end()
    return found if "signature" in found else None


def _scheme(public: Any, algorithm: str) -> tuple[Any, ...]:
    """Return padding and hash for a key."""
    _, algorithm_hash, pss = _ALGORITHMS[algorithm]
    if isinstance(public, rsa.RSAPublicKey):
        if pss:
            size = padding.PSS.DIGEST_LENGTH
            return padding.PSS(padding.MGF1(algorithm_hash), size), algorithm_hash
        return padding.PKCS1v15(), algorithm_hash
    return (ec.ECDSA(algorithm_hash),) if isinstance(public, ec.EllipticCurvePublicKey) else ()


def make(private: Any, algorithm: str, text: bytes) -> bytes:
    """Sign `text`."""
    return private.sign(text, *_scheme(private.public_key(), algorithm))


def holds(public: Any, algorithm: str, text: bytes, signature: bytes) -> bool:
    """Tell whether `signature` over `text` was made with the key's other half."""
    if not isinstance(public, _ALGORITHMS[algorithm][0]):
        return False
    try:
        public.verify(signature, text, *_scheme(public, algorithm))
    except InvalidSignature:
        return False
    return True
