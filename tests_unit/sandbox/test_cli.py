"""The command line: what it makes, and what it says when it can't."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.triggers import find

ROOT = Path(__file__).parents[2]
WEAK_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505


def request_of(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone else")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_a_customer_brings_an_own_key(cli, tmp_path):
    """The certificate is for that key and for the contract, whatever name was asked for."""
    cli("init", "--dir", tmp_path / "bank")
    cli("init", "--dir", tmp_path / "bank")
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "request.pem").write_bytes(request_of(key))
    cli("enrol", "--dir", tmp_path / "bank", "--customer", "ACME", "--contract", "C1",
        "--out", tmp_path / "c1", "--csr", tmp_path / "request.pem", "--account", ":USD:7.5")
    certificate = x509.load_pem_x509_certificate((tmp_path / "c1/client.pem").read_bytes())
    assert certificate.public_key() == key.public_key()
    assert "CN=C1" in certificate.subject.rfc4514_string()
    assert not (tmp_path / "c1/client.key").exists()
    added = json.loads(cli("account", "add", "--dir", tmp_path / "bank", "--contract", "C1",
                           "--account", "DE89370400440532013000:EUR", "--out", tmp_path / "c1"))
    contract = json.loads((tmp_path / "c1/contract.json").read_text())
    assert contract["accounts"][1] == added
    assert [a["currency"] for a in contract["accounts"]] == ["USD", "EUR"]


def test_ibans_are_printed_for_triggers(cli):
    lines = cli("iban", "--country", "FR", "--trigger", "closed", "--count", 3).split()
    assert len(set(lines)) == 3
    assert {find(line).name for line in lines} == {"closed"}
    assert find(cli("iban", "--country", "FR").strip()) is None


@pytest.mark.parametrize(("arguments", "words"), [
    (["serve", "--dir", "nowhere"], "run 'init' first"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "a b", "--out", "o"],
     "contract id"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "A", "--out", "o",
      "--account", "DE00:EUR"], "not a valid IBAN"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "A", "--out", "o",
      "--account", ":EUR:x"], "not an amount"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "A", "--out", "o",
      "--account", ":EUR:1.001"], "decimals"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "A", "--out", "o",
      "--csr", "weak.pem"], "2048"),
    (["enrol", "--dir", "b", "--customer", "A", "--contract", "A", "--out", "o",
      "--csr", "none.pem"], "none.pem"),
    (["account", "add", "--dir", "b", "--contract", "nobody", "--account", ":EUR"],
     "no contract nobody"),
    (["serve", "--dir", "b", "--clock", "yesterday"], "yesterday"),
])
def test_a_mistake_is_explained_in_one_line(tmp_path, arguments, words):
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    (tmp_path / "weak.pem").write_bytes(request_of(WEAK_KEY))
    start = [sys.executable, "-m", "sandbox"]
    if "b" in arguments:
        subprocess.run([*start, "init", "--dir", "b"], cwd=tmp_path, env=environment, check=True,
                       capture_output=True)
    done = subprocess.run([*start, *arguments], cwd=tmp_path, env=environment, check=False,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
