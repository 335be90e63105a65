"""Detached JWS in a header (RFC 7515 appendix F, RFC 7797), as UK Open Banking writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import jose
from .keys import ALGORITHMS, CERTIFICATE_FIELDS, SigningKey
from .profile_reader import Reader
from .settings import Settings
from .signing import Signer, public_keys_for
from .templates import fields_in, fill_json

_OWN = {"now"}  # seconds since 1970


@dataclass(frozen=True)
class DetachedJwsProfile:
    """What a profile says of detached JWS."""

    algorithm: str
    header: str
    encoded: bool  # the payload is base64 before it is signed; False: ``b64`` of RFC 7797
    key_id: str
    members: Mapping[str, Any]  # further members of the protected header, as templates
    critical: tuple[str, ...]
    verify: bool

    @classmethod
    def read(cls, reader: Reader) -> DetachedJwsProfile:
        profile = cls(
            algorithm=reader.choice("algorithm", ALGORITHMS, "PS256"),
            header=reader.take("header", str, "x-jws-signature"),
            encoded=reader.take("b64", bool, True),
            key_id=reader.take("key_id", str),
            members=reader.take("members", dict, {}),
            critical=reader.strings("critical"),
            verify=reader.take("verify", bool, False),
        )
        if clash := {"alg", "b64", "crit", "kid"} & set(profile.members):
            raise reader.wrong("members", f"cannot hold {min(clash)}, which is written for you")
        if unknown := set(profile.critical) - set(profile.members):
            raise reader.wrong("critical", f"names {min(unknown)}, which is not in members")
        reader.end()
        return profile

    def variables(self) -> set[str]:
        return fields_in([self.key_id, self.members]) - CERTIFICATE_FIELDS - _OWN

    def build(
        self, settings: Settings, key: SigningKey, variables: Mapping[str, str]
    ) -> DetachedJws:
        """:raises SettingsError: where key or the bank's certificate cannot be used"""
        return DetachedJws(self, settings, key, variables)


class DetachedJws(Signer):
    """Signs and verifies under one contract.  What has no body is not signed."""

    signs_nothing = False

    def __init__(
        self,
        profile: DetachedJwsProfile,
        settings: Settings,
        key: SigningKey,
        variables: Mapping[str, str],
    ) -> None:
        key.demand(profile.algorithm)
        self.profile = profile
        self.key = key
        self.variables = {**variables, **key.values}
        self.verifies = profile.verify
        self.bank_keys = public_keys_for(settings.signers, self.verifies)

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, now: datetime
    ) -> dict[str, str]:
        if body is None:
            return {}
        profile = self.profile
        values = {**self.variables, "now": str(int(now.timestamp()))}
        filled = json.loads(fill_json({"kid": profile.key_id, **profile.members}, values))
        critical = [*([] if profile.encoded else ["b64"]), *profile.critical]
        if not profile.encoded:
            filled["b64"] = False
        if critical:
            filled["crit"] = critical
        signature = jose.sign(body, self.key, profile.algorithm, filled, detached=True)
        return {profile.header: signature}

    def check(self, headers: Mapping[str, str], body: bytes) -> str | None:
        text = headers.get(self.profile.header)
        if not text:
            return "no signature"
        try:
            jose.verify(
                text.strip(),
                self.bank_keys,
                [self.profile.algorithm],
                payload=body,
                claims=self.profile.members,
            )
        except jose.BadSignature as error:
            return f"a signature that does not hold ({error.args[0]})"
        return None
