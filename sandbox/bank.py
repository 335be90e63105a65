"""The bank as a whole: one folder with its books, its certificates and its settings."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from . import clock, customers, kinds, options, soap_contracts, soap_keys, webhook
from .pki import Authority, certificate_files, fingerprint, key_pem, pem_of, write_private
from .store import Store, get_setting, set_setting

NAME = "Sandbox Bank"
BIC = "SNDBDEFFXXX"


class Bank:
    """A bank in a folder; ``create`` first, then any number of processes may open it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.store = Store(self.folder / "bank.sqlite")
        self.authority = Authority(self.folder / "pki")
        self.keys = soap_keys.BankKeys(self.authority, NAME)

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
              empty_statements: bool, terms: soap_contracts.Terms | None = None,
              channel: kinds.Terms | None = None, hook: dict | None = None,
              chosen: dict | None = None) -> dict:
        """Sign a contract, issue a certificate, open accounts, and write the customer's files.

        Enrolling the same contract again issues a further certificate (a renewal) and opens the
        further accounts.

        :param terms: add Bank Web Services, with certificates for signing and encryption.
        :param channel: another kind of REST channel than the Berlin Group's, likewise.
        :param hook: where to call, as the parameters of webhook.add.
        :param chosen: what the contract has otherwise, see options.py.
        :raises ValueError: what is wrong with the contract, the request or an account.
        """
        if channel and terms and terms.transfer:
            raise ValueError("a transfer key is for who signs over SOAP only: leave --kind out")
        certificate, key = self.authority.issue_client(contract_id, customer, csr)
        pem, digest, not_after = certificate_files(certificate)
        with self.store.write() as connection:
            moment = clock.now(connection)
            customers.add_contract(connection, contract_id, customer, moment, camt_version,
                                   empty_statements)
            customers.add_certificate(connection, contract_id, digest, not_after)
            for order in orders:
                customers.add_account(connection, contract_id, order, moment)
            if terms:
                soap_contracts.add(connection, contract_id, terms)
            if channel:
                kinds.add(connection, contract_id, channel)
            if hook:
                webhook.add(connection, contract_id, **hook)
            if chosen:
                options.choose(connection, contract_id, chosen)
        out.mkdir(parents=True, exist_ok=True)
        if terms or channel:
            self._write_soap(contract_id, customer, out)
        elif hook:
            self.keys.create()
            write_private(out / "bank-signing.pem", self.keys.certificate("signing").read_bytes())
        write_private(out / "client.pem", pem)
        if key:
            write_private(out / "client.key", key)
        write_private(out / "ca.pem", self.authority.ca.read_bytes())
        return self.write_contract(contract_id, out)

    def write_contract(self, contract_id: str, out: Path) -> dict:
        """Write contract.json and return its content."""
        connection = self.store.read()
        description = customers.describe(connection, contract_id)
        terms = soap_contracts.find(connection, contract_id)
        if terms:
            description["soap"] = soap_contracts.describe(terms, self._port("soap_port"))
        channel = kinds.find(connection, contract_id)
        if channel:
            own = soap_keys.standing(connection, contract_id, "signing")
            key_id = kinds.thumbprint(own[0].public_bytes(Encoding.DER)) if own else None
            description["channel"] = kinds.describe(channel, key_id, self._port("port"))
        hook = webhook.find(connection, contract_id)
        if hook:
            description["webhook"] = webhook.describe(hook)
        write_private(out / "contract.json", json.dumps(description, indent=2).encode())
        return description

    def _port(self, name: str) -> int | None:
        """The port of a face, if the bank has run."""
        ports = self.folder / "ports.json"
        return json.loads(ports.read_text()).get(name) if ports.exists() else None

    def _write_soap(self, contract_id: str, customer: str, out: Path) -> None:
        """The bank's certificates, and the customer's unless a transfer key fetches them."""
        self.keys.create()
        for kind in soap_keys.KINDS:
            write_private(out / f"bank-{kind}.pem", self.keys.certificate(kind).read_bytes())
        terms = soap_contracts.find(self.store.read(), contract_id)
        if terms and terms["transfer"]:
            return
        for kind in soap_keys.KINDS:
            key = rsa.generate_private_key(65537, 2048)
            with self.store.write() as connection:
                certificate = soap_keys.issue(connection, self.authority, contract_id, customer,
                                              kind, key.public_key())
            write_private(out / f"{kind}.pem", pem_of(certificate))
            write_private(out / f"{kind}.key", key_pem(key))

    def identify(self, certificate_der: bytes | None) -> sqlite3.Row | None:
        """The contract and certificate of a TLS client: contract columns and ``not_after``,
        ``revoked_at``, ``terms`` (of another kind of channel, or None); None when the bank does
        not know the certificate."""
        if not certificate_der:
            return None
        return self.store.read().execute(
            "SELECT contract.*, not_after, revoked_at, channel.terms FROM certificate"
            " JOIN contract ON contract.id = certificate.contract_id"
            " LEFT JOIN channel ON channel.contract_id = contract.id WHERE fingerprint = ?",
            (fingerprint(certificate_der),)).fetchone()
