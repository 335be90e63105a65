"""``bin/sandbox`` runs the bank with all it needs, wherever it is called from."""

import os
import subprocess
from pathlib import Path

COMMAND = Path(__file__).parents[2] / "bin" / "sandbox"


def _run(folder, *arguments):
    # Nothing of this process's own environment may be what makes it work.
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=given, capture_output=True, text=True, check=True
    ).stdout


def test_a_bank_is_made_beside_where_one_stands(tmp_path):
    assert _run(tmp_path, "iban", "--country", "FR").startswith("FR76")
    _run(tmp_path, "init", "--dir", "bank")
    _run(
        tmp_path, "enrol", "--dir", "bank", "--customer", "Example GmbH", "--contract",
        "CORP-001", "--out", "customer", "--account", ":EUR:100000.00",
    )
    made = {path.name for path in (tmp_path / "customer").iterdir()}
    assert made == {"client.pem", "client.key", "ca.pem", "contract.json"}
