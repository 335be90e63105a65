"""Make the calls to a customer's address when a document has been issued.

Signed with a shared secret, ``X-Signature: hex(HMAC-SHA-256(secret, timestamp + "." + body))`` and
``X-Timestamp`` in seconds, or with the bank's key: ``X-JWS-Signature``, a detached JWS (RFC 7515,
appendix F) whose header bears ``iat`` and ``jti``. A call is tried again while its answer is not
2xx. Redirections are not followed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import ssl
import time
import uuid

import aiohttp
from cryptography.hazmat.primitives.serialization import Encoding

from . import clock, jose, kinds
from .faults import Facts
from .rest_base import Face

MOST_TRIES = 8
TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.5
STALE_SECONDS = 3600


def _body(row: sqlite3.Row) -> bytes:
    return json.dumps({"event": "document.issued", "contractId": row["contract_id"],
                       "documentId": row["document_id"], "kind": row["kind"],
                       "issued": row["created_at"] + "Z"}).encode()


def headers_for(face: Face, row: sqlite3.Row, body: bytes, moment: int,
                stranger: bool = False) -> dict[str, str]:
    """The headers of a call.

    :param stranger: signed by somebody else.
    """
    headers = {"Content-Type": "application/json", **json.loads(row["headers"])}
    if row["form"] == "hmac":
        secret = "of somebody else" if stranger else row["secret"]
        mark = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return {**headers, "X-Timestamp": str(moment), "X-Signature": mark.hexdigest()}
    right = face.bank.keys.load("signing")
    signer = face.bank.keys.load("stranger") if stranger else right
    kid = kinds.thumbprint(right.certificate.public_bytes(Encoding.DER))
    return {**headers, "X-JWS-Signature": jose.sign(
        body, signer.key, {"kid": kid, "iat": moment, "jti": str(uuid.uuid4())}, detached=True)}


class Caller:
    """Makes the calls, as a task of the server's event loop."""

    def __init__(self, face: Face) -> None:
        self.face = face

    async def run(self) -> None:
        """Call until the task is cancelled."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                for row in await self.face.call(self._due):
                    await self._call(session, row)
                await asyncio.sleep(PAUSE_SECONDS)

    def _due(self) -> list[sqlite3.Row]:
        return self.face.store.read().execute(
            "SELECT notification.*, webhook.*, document.kind, document.created_at"
            " FROM notification JOIN webhook USING (contract_id)"
            " JOIN document ON document.id = document_id"
            " WHERE done_at IS NULL AND due <= ? ORDER BY notification.id LIMIT 20",
            (time.time(),)).fetchall()

    async def _call(self, session: aiohttp.ClientSession, row: sqlite3.Row) -> None:
        body, moment = _body(row), int(time.time())
        facts = Facts("POST", row["url"], document=row["kind"])
        rules = await self.face.call(self.face.faults.consult, "notify", facts)
        actions = {rule["action"] for rule in rules}
        if "lose" in actions:
            await self.face.call(self._note, row, "lost by the fault plan", True)
            return
        if "stale" in actions:
            moment -= STALE_SECONDS
        headers = await self.face.call(headers_for, self.face, row, body, moment,
                                       "forge" in actions)
        if "alter" in actions:
            body = body.replace(b"document.issued", b"document.edited")
        result = await self._post(session, row, headers, body)
        if "replay" in actions:
            result += f", again {await self._post(session, row, headers, body)}"
        await self.face.call(self._note, row, result, result.startswith("2"))

    async def _post(self, session: aiohttp.ClientSession, row: sqlite3.Row,
                    headers: dict[str, str], body: bytes) -> str:
        try:
            context = ssl.create_default_context(cadata=row["ca"]) if row["ca"] else True
            async with session.post(row["url"], data=body, headers=headers, ssl=context,
                                    allow_redirects=False) as answer:
                return str(answer.status)
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError, OSError) as error:
            return f"{type(error).__name__}: {error}"[:200]

    def _note(self, row: sqlite3.Row, result: str, done: bool) -> None:
        tries = row["tries"] + 1
        done = done or tries >= MOST_TRIES
        with self.face.store.write() as connection:
            connection.execute(
                "UPDATE notification SET tries = ?, result = ?, due = ?, done_at = ?"
                " WHERE id = ?",
                (tries, result, time.time() + 2 ** row["tries"],
                 clock.stamp(clock.wall()) if done else None, row["id"]))
