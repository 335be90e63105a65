"""The roads between Odoo and the sandbox bank: what each one is told, and nothing else differs.

A further channel is one more class, and a name in :data:`CHANNELS`.
"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from .. import sshd
from ..bank import Bank
from . import cast
from .progress import DemoError

if TYPE_CHECKING:
    from .api import Person

MODULE = "account_bank_connect"


class Channel:
    """One way to the bank, for one run.

    :ivar works: what a successful connection test shows; empty where there is nothing to test
    :ivar terms: further options of the bank's command ``enrol``
    :ivar mailbox: the bank's folders, for a channel that has some
    """

    name = ""
    works = ""
    terms: tuple[str, ...] = ()
    has_folders = False

    def __init__(self, mailbox: Path):
        self.mailbox = mailbox

    @property
    def serving(self) -> list[str | Path]:
        """Further options of the bank's command ``serve``."""
        return ["--mailbox", self.mailbox] if self.has_folders else []

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        """What ``foundation.py`` makes a connection of.

        :param contract: the bank's contract.json
        :param customer: the folder with the files that the bank handed out
        :return: ``profile`` (XML id), ``values`` of fields, ``texts`` (field → file) and
            ``certificates`` (field → files of certificate and key)
        """
        raise NotImplementedError

    def today(self, bank: Bank, treasurer: Person, connection: int) -> dict:
        """What the treasurer enters each time, since servers open on other ports."""
        raise NotImplementedError

    def hand_over(self, accountant: Person, batches: list[int]) -> None:
        """Carry messages to the bank, where people have to."""

    def fetch(self, accountant: Person, connection: int) -> None:
        """Press “Fetch now”, as an impatient person would."""
        accountant.call("bank.connection", "action_fetch_now", [connection])

    def close(self) -> None:
        """Stop what was started for this run."""


class Rest(Channel):
    """Berlin Group REST over mutual TLS."""

    name = "rest"
    works = "mutual TLS works"

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        return {
            "profile": f"{MODULE}.profile_sandbox",
            "values": {
                "url": bank.url,
                "allow_private_address": True,
                "contract_code": contract["contractId"],
                "consent_code": contract["consentId"],
            },
            "texts": {"trusted_certificates": str(customer / "ca.pem")},
            "certificates": {"certificate_id": _pair(customer, "client")},
        }

    def today(self, bank: Bank, treasurer: Person, connection: int) -> dict:
        return {"url": bank.url}


class Soap(Channel):
    """Bank Web Services: signed files, and no certificate of ours in TLS."""

    name = "soap"
    works = "the bank's signature verifies, and it knows ours"
    terms = ("--soap", "iso", "--environment", "PRODUCTION")

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        soap = contract["soap"]
        return {
            "profile": f"{MODULE}.profile_sandbox_soap",
            "values": {
                "url": self._address(bank),
                "allow_private_address": True,
                "contract_code": contract["contractId"],
                "soap_sender": soap["senderId"],
                "soap_customer": soap["customerId"],
                "soap_receiver": soap["receiverId"],
                "soap_environment": soap["environment"],
            },
            "texts": {
                "trusted_certificates": str(customer / "ca.pem"),
                "bank_signers": str(customer / "bank-signing.pem"),
            },
            "certificates": {"signing_certificate_id": _pair(customer, "signing")},
        }

    def today(self, bank: Bank, treasurer: Person, connection: int) -> dict:
        return {"url": self._address(bank)}

    def _address(self, bank: Bank) -> str:
        return f"https://localhost:{bank.soap_port}/ws/CorporateFileService"


class Sftp(Channel):
    """Folders at the bank, behind a real OpenSSH server."""

    name = "sftp"
    works = "the host key is the bank's, and the bank knows ours"
    has_folders = True

    def __init__(self, mailbox: Path):
        super().__init__(mailbox)
        self._server: sshd.Sshd | None = None

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        return {
            "profile": f"{MODULE}.profile_sandbox_sftp",
            # Its port is known once it runs, and it runs once it knows our key.
            "values": {"url": "sftp://127.0.0.1", "allow_private_address": True},
            "texts": {},
            "certificates": {},
        }

    def today(self, bank: Bank, treasurer: Person, connection: int) -> dict:
        if sshd.find() is None:
            raise DemoError("There is no OpenSSH server (sshd) on this machine: run bin/setup.")
        key = self._public_key(treasurer, connection)
        if not key:
            treasurer.call("bank.connection", "action_make_ssh_key", [connection])
            key = self._public_key(treasurer, connection)
        self._server = sshd.Sshd([key], self.mailbox / cast.CONTRACT).start()
        return {
            "url": self._server.url,
            "contract_code": self._server.user,
            "ssh_host_keys": self._server.host_key,
        }

    def _public_key(self, treasurer: Person, connection: int) -> str:
        shown = treasurer.read_one("bank.connection", connection, ["ssh_public_key"])
        return shown["ssh_public_key"] or ""

    def close(self) -> None:
        if self._server:
            self._server.stop()


class ByHand(Channel):
    """No channel: the accountant carries files to the bank's folder, and its answers back."""

    name = "file"
    has_folders = True

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        return {
            "profile": f"{MODULE}.profile_by_hand",
            "values": {"contract_code": contract["contractId"]},
            "texts": {},
            "certificates": {},
        }

    def today(self, bank: Bank, treasurer: Person, connection: int) -> dict:
        return {}

    @property
    def _folder(self) -> Path:
        return self.mailbox / cast.CONTRACT

    def hand_over(self, accountant: Person, batches: list[int]) -> None:
        queued = accountant.search(
            "bank.message",
            [["batch_id", "in", batches], ["direction", "=", "out"], ["state", "=", "queued"]],
            ["name"],
        )
        for message in queued:
            accountant.call("bank.message", "action_download", [message["id"]])
            content = accountant.read_one("bank.message", message["id"], ["content"])["content"]
            part = self._folder / "in" / f".{message['name']}"
            part.write_bytes(base64.b64decode(content))
            part.rename(part.with_name(message["name"]))
            accountant.call("bank.message", "action_handed_over", [message["id"]])

    def fetch(self, accountant: Person, connection: int) -> None:
        found = sorted(path for path in (self._folder / "out").iterdir() if path.is_file())
        if not found:
            return
        attachments = accountant.create(
            "ir.attachment",
            [{"name": path.name, "datas": base64.b64encode(path.read_bytes()).decode()}
             for path in found],
        )
        accountant.call(
            "bank.message", "create_document_from_attachment", attachment_ids=attachments
        )
        archive = self._folder / "out" / "archive"
        archive.mkdir(exist_ok=True)
        for path in found:
            # The bank may have laid the same file out anew meanwhile.
            with contextlib.suppress(FileNotFoundError):
                path.rename(archive / path.name)


def _pair(customer: Path, name: str) -> list[str]:
    return [str(customer / f"{name}.pem"), str(customer / f"{name}.key")]


CHANNELS: dict[str, type[Channel]] = {kind.name: kind for kind in (Rest, Soap, Sftp, ByHand)}
