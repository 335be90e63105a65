"""A sandbox bank in a process of its own, a customer with a certificate, and pain.001 files."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from lxml import etree

from sandbox.bank import Bank
from sandbox.customers import AccountOrder
from sandbox.iban import make

ROOT = Path(__file__).parents[2]
SEPA = "pain.001-sepa-credit-transfers"
MONDAY = "2026-11-23T08:00:00"


def command(*arguments: object) -> str:
    """Run the bank's command line and return what it printed."""
    done = subprocess.run([sys.executable, "-m", "sandbox", *map(str, arguments)], cwd=ROOT,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class RunningBank:
    """The bank's folder and its server process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen | None = None
        Bank(folder).create(seed=7)

    def start(self, clock: str | None = MONDAY, *more: object) -> RunningBank:
        arguments = ["--clock", clock] if clock else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve", "--dir", str(self.folder),
             "--parent-pid", str(os.getpid()), *arguments, *map(str, more)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        self.ports = json.loads(line[6:])
        assert self.ports == json.loads((self.folder / "ports.json").read_text())
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process = None
        return code

    def desk(self, method: str, path: str, expect: int = 200, **options):
        answer = requests.request(
            method, f"http://127.0.0.1:{self.ports['admin_port']}{path}", timeout=120, **options)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def advance(self, **order):
        return self.desk("POST", "/admin/clock", json=order)

    def settle(self):
        """Carry out what is due now."""
        return self.advance()

    def ledger(self):
        found = self.desk("GET", "/admin/ledger")
        assert found["balanced"], found["faults"]
        return found

    def balance(self, iban: str) -> str:
        return next(a["balance"] for a in self.ledger()["accounts"] if a["iban"] == iban)

    def fault(self, **rule):
        return self.desk("POST", "/admin/faults", expect=201, json=rule)["id"]

    def payments(self):
        return {item["endToEndId"]: item
                for item in self.desk("GET", "/admin/payments")["payments"]}


class Customer:
    """A customer's side of the contract, over mutual TLS."""

    def __init__(self, bank: RunningBank, folder: Path) -> None:
        self.bank, self.folder = bank, folder
        self.session = requests.Session()
        self.session.trust_env = False  # neither a proxy nor another authority for loopback
        self.session.cert = (str(folder / "client.pem"), str(folder / "client.key"))
        self.session.verify = str(folder / "ca.pem")
        self.contract = json.loads((folder / "contract.json").read_text())
        self.iban = next((a["iban"] for a in self.contract["accounts"]), None)

    def request(self, method: str, path: str, **options) -> requests.Response:
        headers = {"X-Request-ID": str(uuid.uuid4()), "PSU-IP-Address": "192.0.2.1",
                   "PSU-Corporate-ID": self.contract["contractId"],
                   "Consent-ID": self.contract["consentId"], **options.pop("headers", {})}
        headers = {key: value for key, value in headers.items() if value is not None}
        return self.session.request(
            method, f"https://localhost:{self.bank.ports['port']}{path}", headers=headers,
            timeout=options.pop("timeout", 120), **options)

    def submit(self, body: bytes, key: str | None = None, product: str = SEPA,
               service: str = "bulk-payments", headers: dict | None = None,
               **options) -> requests.Response:
        return self.request(
            "POST", f"/v1/{service}/{product}", data=body, headers={
                "Content-Type": "application/xml", "X-Request-ID": key or str(uuid.uuid4()),
                **(headers or {})}, **options)

    def send(self, body: bytes, **options) -> str:
        """Submit, let the bank work, and return the payment id."""
        answer = self.submit(body, **options)
        assert answer.status_code == 201, answer.text
        self.bank.settle()
        return answer.json()["paymentId"]

    def documents(self, kind: str = "", status: str = "new", acknowledge: bool = True) -> list:
        """Fetch, check the digest of, acknowledge and parse what is in the mailbox."""
        listed = self.request("GET", f"/v1/documents?kind={kind}&status={status}&limit=1000")
        assert listed.status_code == 200, listed.text
        found = []
        for item in listed.json()["documents"]:
            answer = self.request("GET", item["_links"]["self"]["href"])
            digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
            assert answer.headers["Digest"] == f"SHA-256={digest}"
            assert len(answer.content) == item["size"]
            if acknowledge:
                assert self.request("DELETE", item["_links"]["self"]["href"]).status_code == 204
            found.append(Tree(item["messageName"], answer.content))
        return found


class Tree:
    """A document from the bank, read with XPath and no knowledge of how it was written."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content
        self.root = etree.fromstring(content)

    def __call__(self, path: str) -> list:
        """Elements, or texts of a path that ends in text(); ``d`` is not needed in names."""
        parts = [part if part in ("", ".", "..", "*", "text()") or part.startswith("@")
                 else f"d:{part}" for part in path.split("/")]
        namespace = {"d": etree.QName(self.root).namespace}
        return self.root.xpath("/".join(parts), namespaces=namespace)

    def one(self, path: str) -> str:
        found = self(f"{path}/text()")
        assert len(found) == 1, (path, found)
        return str(found[0])

    def texts(self, path: str) -> list[str]:
        return [str(item) for item in self(f"{path}/text()")]


@dataclass
class Pain001:
    """A small pain.001 to send; every value can be made wrong."""

    debtor: str
    transfers: list[tuple]  # end-to-end id, creditor IBAN, amount
    version: str = "03"
    message_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    date: str = "2026-11-23"
    batch: bool | None = None
    count: str | None = None
    total: str | None = None
    block_count: str | None = None
    currency: str = "EUR"
    debtor_currency: str | None = None
    bic: str = "SNDBDEFFXXX"
    method: str = "TRF"
    remittance: str = "<Ustrd>Invoice 4711</Ustrd>"

    def bytes(self) -> bytes:
        total = self.total or str(sum(Decimal(t[2]) for t in self.transfers))
        count = self.count or str(len(self.transfers))
        day = self.date if self.version == "03" else f"<Dt>{self.date}</Dt>"
        bic = "BIC" if self.version == "03" else "BICFI"
        batch = "" if self.batch is None else f"<BtchBookg>{str(self.batch).lower()}</BtchBookg>"
        currency = f"<Ccy>{self.debtor_currency}</Ccy>" if self.debtor_currency else ""
        rows = []
        for reference, iban, amount in self.transfers:
            uetr = "" if self.version == "03" else f"<UETR>{uuid.uuid4()}</UETR>"
            rows.append(
                f"<CdtTrfTxInf><PmtId><InstrId>I-{reference}</InstrId><EndToEndId>{reference}"
                f'</EndToEndId>{uetr}</PmtId><Amt><InstdAmt Ccy="{self.currency}">{amount}'
                f"</InstdAmt></Amt><Cdtr><Nm>Vendor &amp; Söhne</Nm></Cdtr><CdtrAcct><Id><IBAN>"
                f"{iban}</IBAN></Id></CdtrAcct><RmtInf>{self.remittance}</RmtInf></CdtTrfTxInf>")
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.{self.version}">'
            f"<CstmrCdtTrfInitn><GrpHdr><MsgId>{self.message_id}</MsgId>"
            f"<CreDtTm>2026-11-23T07:00:00</CreDtTm><NbOfTxs>{count}</NbOfTxs>"
            f"<CtrlSum>{total}</CtrlSum><InitgPty><Nm>Example</Nm></InitgPty></GrpHdr><PmtInf>"
            f"<PmtInfId>P-{self.message_id[:20]}</PmtInfId><PmtMtd>{self.method}</PmtMtd>{batch}"
            f"<NbOfTxs>{self.block_count or len(self.transfers)}</NbOfTxs>"
            f"<ReqdExctnDt>{day}</ReqdExctnDt><Dbtr><Nm>Example</Nm></Dbtr><DbtrAcct><Id><IBAN>"
            f"{self.debtor}</IBAN></Id>{currency}</DbtrAcct><DbtrAgt><FinInstnId><{bic}>"
            f"{self.bic}</{bic}></FinInstnId></DbtrAgt>{''.join(rows)}</PmtInf>"
            "</CstmrCdtTrfInitn></Document>").encode()


@pytest.fixture
def pain001():
    return Pain001


@pytest.fixture
def cli():
    return command


@pytest.fixture
def iban():
    """Make a valid IBAN, with a trigger's name or without."""
    return make


def enrol_at(bank: RunningBank, contract: str = "CORP-001", accounts=(":EUR:100000.00",),
             camt: str = "08", empty_statements: bool = True) -> Customer:
    """Make a customer with accounts; the folder of the customer is the contract's name."""
    out = bank.folder.parent / contract
    Bank(bank.folder).enrol(contract, "Example GmbH", out, None,
                            [AccountOrder.parse(order) for order in accounts], camt,
                            empty_statements)
    return Customer(bank, out)


@pytest.fixture
def fresh_bank(tmp_path):
    """A bank that is not running yet."""
    bank = RunningBank(tmp_path / "bank")
    yield bank
    if bank.process:
        bank.stop(signal.SIGKILL)


@pytest.fixture
def bank(fresh_bank):
    """A running bank whose clock stands at eight o'clock on Monday, 23 November 2026."""
    return fresh_bank.start()


@pytest.fixture
def enrol():
    return enrol_at


@pytest.fixture
def customer(bank):
    """A customer with 100,000 euros."""
    return enrol_at(bank)


@pytest.fixture(scope="module")
def shared_bank(tmp_path_factory):
    """A running bank for a whole module, for tests that leave its clock alone."""
    bank = RunningBank(tmp_path_factory.mktemp("shared") / "bank").start()
    yield bank
    bank.stop()


@pytest.fixture(scope="module")
def shared_customer(shared_bank):
    return enrol_at(shared_bank)


@pytest.fixture
def wait_until():
    def work(condition, seconds: float = 20.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("it did not happen in time")
    return work
