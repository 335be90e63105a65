"""The bank as a whole: one folder with its books, its certificates and its settings."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from . import clock, customers
from .pki import Authority, certificate_files, fingerprint, write_private
from .store import Store, get_setting, set_setting

NAME = "Sandbox Bank"
BIC = "SNDBDEFFXXX"


class Bank:
    """A bank in a folder; ``create`` first, then any number of processes may open it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.store = Store(self.folder / "bank.sqlite")
        self.authority = Authority(self.folder / "pki")

    def create(self, seed: int = 0) -> None:
        """Make the folder, the books and the certificates; what is there stays as it is."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.authority.create(NAME)
        self.store.create()
        with self.store.write() as connection:
            for name, value in (("bank_name", NAME), ("bank_bic", BIC), ("seed", str(seed))):
                if not get_setting(connection, name, ""):
                    set_setting(connection, name, value)

    def require(self) -> None:
        """Check that there is a bank in the folder.

        :raises ValueError: there is none.
        """
        if not self.store.path.exists():
            raise ValueError(f"there is no bank in {self.folder}: run 'init' first")
        self.store.create()
        self.authority.create(NAME)

    def enrol(self, contract_id: str, customer: str, out: Path, csr: bytes | None,
              orders: list[customers.AccountOrder], camt_version: str,
              empty_statements: bool) -> dict:
        """Sign a contract, issue a certificate, open accounts, and write the customer's files.

        Enrolling the same contract again issues a further certificate (a renewal) and opens the
        further accounts.

        :raises ValueError: what is wrong with the contract, the request or an account.
        """
        certificate, key = self.authority.issue_client(contract_id, customer, csr)
        pem, digest, not_after = certificate_files(certificate)
        with self.store.write() as connection:
            moment = clock.now(connection)
            customers.add_contract(connection, contract_id, customer, moment, camt_version,
                                   empty_statements)
            customers.add_certificate(connection, contract_id, digest, not_after)
            for order in orders:
                customers.add_account(connection, contract_id, order, moment)
        out.mkdir(parents=True, exist_ok=True)
        write_private(out / "client.pem", pem)
        if key:
            write_private(out / "client.key", key)
        write_private(out / "ca.pem", self.authority.ca.read_bytes())
        return self.write_contract(contract_id, out)

    def write_contract(self, contract_id: str, out: Path) -> dict:
        """Write contract.json and return its content."""
        description = customers.describe(self.store.read(), contract_id)
        write_private(out / "contract.json", json.dumps(description, indent=2).encode())
        return description

    def identify(self, certificate_der: bytes | None) -> sqlite3.Row | None:
        """The contract and certificate of a TLS client: contract columns and ``not_after``,
        ``revoked_at``; None when the bank does not know the certificate."""
        if not certificate_der:
            return None
        return self.store.read().execute(
            "SELECT contract.*, not_after, revoked_at FROM certificate JOIN contract"
            " ON contract.id = contract_id WHERE fingerprint = ?",
            (fingerprint(certificate_der),)).fetchone()
