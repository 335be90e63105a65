"""What a customer gets at the desk, and what does not go together."""

import json
import subprocess
import sys

import pytest

from tests_unit.sandbox.conftest import ROOT

ACCOUNT = ("--customer", "Example GmbH", "--account", ":EUR:10")


@pytest.fixture
def enrolled(fresh_bank, cli, tmp_path):
    def work(contract, *options):
        out = tmp_path / contract
        cli("enrol", "--dir", fresh_bank.folder, "--contract", contract, "--out", out, *ACCOUNT,
            *options)
        return json.loads((out / "contract.json").read_text()), {p.name for p in out.iterdir()}
    return work


def test_the_contract_says_what_its_kind_needs(enrolled):
    """And no more: no secret where none is used."""
    secret, files = enrolled("A", "--kind", "xml_base64", "--bearer-seconds", "60",
                             "--duplicate", "same")
    assert secret["channel"]["clientSecret"]
    assert (secret["channel"]["bearerSeconds"], secret["channel"]["duplicate"]) == (60, "same")
    assert {"signing.key", "bank-signing.pem", "bank-encryption.pem"} <= files
    keyed = enrolled("B", "--kind", "json")[0]["channel"]
    assert keyed["apiKey"]["value"]
    assert not {"clientId", "clientSecret", "tokenUrl"} & set(keyed)
    assert enrolled("C", "--kind", "obie")[0]["channel"]["keyId"]
    assert "channel" not in enrolled("D")[0]


def test_a_webhook_is_in_the_contract_too(enrolled):
    told, files = enrolled("E", "--webhook", "https://example.com/x", "--webhook-form", "jws")
    assert told["webhook"]["certificate"] in files
    assert "secret" not in told["webhook"]
    assert len(enrolled("F", "--webhook", "https://example.com/x")[0]["webhook"]["secret"]) > 30


def test_after_its_certificates_are_revoked_a_contract_can_still_be_shown(bank, channel_at, cli):
    client = channel_at(bank, "obie")
    contract = client.contract["contractId"]
    bank.desk("POST", f"/admin/contracts/{contract}/revoke-certificate", json={})
    out = client.folder
    cli("account", "add", "--dir", bank.folder, "--contract", contract, "--account", ":EUR:1",
        "--out", out)
    assert json.loads((out / "contract.json").read_text())["channel"]["keyId"] is None


@pytest.mark.parametrize("options", [
    ("--auth", "tls"), ("--kind", "obie", "--bearer-seconds", "0"),
    ("--kind", "obie", "--page-size", "0"), ("--webhook", "ftp://example.com"),
    ("--kind", "obie", "--soap", "iso", "--transfer-key", "hmac")])
def test_what_does_not_go_together_is_said(fresh_bank, tmp_path, options):
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "enrol", "--dir", str(fresh_bank.folder), "--contract",
         "X", "--out", str(tmp_path / "x"), *ACCOUNT, *options],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("sandbox: ")
    assert not (tmp_path / "x").exists()
