"""A passkey without a browser, for tests of who confirms their identity with one."""

import base64
import hashlib
import json
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from odoo.tools import SQL


class Passkey:
    """An authenticator as WebAuthn Level 2 describes it, with a P-256 key (COSE -7)."""

    def __init__(self, origin, name=b"passkey"):
        self.origin, self.name = origin, name
        self.key = ec.generate_private_key(ec.SECP256R1())

    def enrol(self, user):
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        # CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        public = bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y
        record = user.env["auth.passkey.key"].with_user(user).sudo().create(
            {"name": "phone", "credential_identifier": _url64(self.name)}
        )
        record.env.cr.execute(
            SQL(
                "UPDATE auth_passkey_key SET public_key = %s WHERE id = %s",
                base64.urlsafe_b64encode(public).decode(), record.id,
            )
        )

    def answer(self, challenge):
        client = json.dumps(
            {"type": "webauthn.get", "challenge": challenge, "origin": self.origin}
        ).encode()
        host = urlsplit(self.origin).hostname
        # Present and verified; never counted.
        data = hashlib.sha256(host.encode()).digest() + b"\x05" + bytes(4)
        signature = self.key.sign(
            data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        return json.dumps(
            {
                "id": _url64(self.name),
                "rawId": _url64(self.name),
                "type": "public-key",
                "response": {
                    "clientDataJSON": _url64(client),
                    "authenticatorData": _url64(data),
                    "signature": _url64(signature),
                },
            }
        )


def _url64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
