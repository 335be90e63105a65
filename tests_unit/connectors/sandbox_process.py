"""The sandbox bank in a process of its own, for the tests that run a connector against it."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.request import Request, urlopen

from connectors import Document, Identity, Settings, Timeouts, Trust

ROOT = Path(__file__).parents[2]


def sandbox(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Bank:
    """A running sandbox bank and one customer's folder.

    :param more: further contracts: id → options of ``enrol``; each has a folder of its own
    :param serve: further options of ``serve``
    """

    def __init__(self, folder, more=None, serve=()):
        self.folder, self.options = folder, serve
        bank, customer = folder / "bank", folder / "customer"
        sandbox("init", "--dir", bank)
        sandbox(
            *("enrol", "--dir", bank, "--customer", "Example GmbH", "--contract", "CORP-001"),
            *("--account", ":EUR:100000.00", "--out", customer),
        )
        for name, options in (more or {}).items():
            sandbox(
                *("enrol", "--dir", bank, "--customer", f"{name} GmbH", "--contract", name),
                *("--account", ":EUR:100000.00", "--out", folder / name, *options),
            )
        self.contract = json.loads((customer / "contract.json").read_text())
        self.identity = Identity(
            (customer / "client.pem").read_bytes(), (customer / "client.key").read_bytes()
        )
        self.trust = Trust((customer / "ca.pem").read_bytes())
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox", "serve", "--dir", str(self.folder / "bank")),
                *("--clock", "2026-11-23T08:00:00", "--parent-pid", str(os.getpid())),
                *map(str, self.options),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        ports = json.loads(line.removeprefix("ready "))
        self.url = f"https://localhost:{ports['port']}"
        self.soap_url = f"https://localhost:{ports['soap_port']}"
        self.admin_url = f"http://127.0.0.1:{ports['admin_port']}"

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()

    def admin(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            self.admin_url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def settings(self, **changes):
        values = {
            "url": self.url,
            "profile": "sandbox",
            "identity": self.identity,
            "trust": self.trust,
            "variables": {
                "contract_id": self.contract["contractId"],
                "consent_id": self.contract["consentId"],
            },
            "allow_private": True,
            "timeouts": Timeouts(connect=5, read=20, total=30),
        }
        return Settings(**{**values, **changes})

    def message(self, end_to_end="E2E-1", trigger=None, contract=None):
        """Return a pain.001.001.09 with one payment of 12.50 EUR."""
        contract = contract or self.contract
        today = self.admin("GET", "/admin/clock")["now"][:10]
        options = ("--trigger", trigger) if trigger else ()
        creditor = re.search(r"DE\d{20}", sandbox("iban", "--country", "DE", *options))[0]
        debtor = contract["accounts"][0]["iban"]
        bic = contract["bank"]["bic"]
        content = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>{uuid.uuid4().hex}</MsgId><CreDtTm>2026-11-23T08:00:00</CreDtTm>
<NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum><InitgPty><Nm>Example GmbH</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>B1</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum>
<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>{today}</Dt></ReqdExctnDt>
<Dbtr><Nm>Example GmbH</Nm></Dbtr><DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
<CdtTrfTxInf><PmtId><EndToEndId>{end_to_end}</EndToEndId></PmtId>
<Amt><InstdAmt Ccy="EUR">12.50</InstdAmt></Amt><Cdtr><Nm>Vendor</Nm></Cdtr>
<CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct></CdtTrfTxInf></PmtInf>
</CstmrCdtTrfInitn></Document>"""
        return Document(content.encode(), "pain.001.001.09", service_level="SEPA")

    def executed(self, end_to_end):
        return self.admin("GET", f"/admin/executions/{end_to_end}")["executed"]
