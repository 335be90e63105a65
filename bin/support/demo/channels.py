"""The roads between Odoo and the sandbox bank: what each one is told, and nothing else differs.

A further channel is one more class here, and a name in :data:`CHANNELS`.
"""

from __future__ import annotations

from pathlib import Path

from ..bank import Bank


class Rest:
    """Berlin Group REST over mutual TLS."""

    name = "rest"
    works = "mutual TLS works"
    # Further options of the bank's command ``enrol``.
    terms: tuple[str, ...] = ()

    def address(self, bank: Bank) -> str:
        """Where the bank is today; it opens on another port each time."""
        return bank.url

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        """What ``foundation.py`` makes a connection of.

        :param contract: the bank's contract.json
        :param customer: the folder with the files that the bank handed out
        :return: ``profile`` (XML id), ``values`` of fields, ``texts`` (field → file) and
            ``certificates`` (field → files of certificate and key)
        """
        return {
            "profile": "account_bank_connect.profile_sandbox",
            "values": {
                "url": self.address(bank),
                "contract_code": contract["contractId"],
                "consent_code": contract["consentId"],
            },
            "texts": {"trusted_certificates": str(customer / "ca.pem")},
            "certificates": {"certificate_id": _pair(customer, "client")},
        }


class Soap(Rest):
    """Bank Web Services: signed files, and no certificate of ours in TLS."""

    name = "soap"
    works = "the bank's signature verifies, and it knows ours"
    terms = ("--soap", "iso", "--environment", "PRODUCTION")
    _path = "/ws/CorporateFileService"

    def address(self, bank: Bank) -> str:
        return f"https://localhost:{bank.soap_port}{self._path}"

    def connection(self, bank: Bank, contract: dict, customer: Path) -> dict:
        soap = contract["soap"]
        return {
            "profile": "account_bank_connect.profile_sandbox_soap",
            "values": {
                "url": self.address(bank),
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


def _pair(customer: Path, name: str) -> list[str]:
    return [str(customer / f"{name}.pem"), str(customer / f"{name}.key")]


CHANNELS: dict[str, Rest] = {channel.name: channel for channel in (Rest(), Soap())}
