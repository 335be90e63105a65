"""The promise of bin/support/checks/imports.py: no room learns of one it must not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import imports

ROOT = Path(__file__).parents[2]
ROOMS = ("formats", "connectors", "sandbox", "models", "tests", "tests_unit", "bin")


def judge(folder: Path, place: str, source: str) -> list[str]:
    for room in ROOMS:
        (folder / room).mkdir()
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return imports.problems(folder)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("formats/iban.py", "import odoo"),
        ("formats/iban.py", "from odoo.tools import float_round"),
        ("formats/iban.py", "from .. import connectors"),
        ("formats/iban.py", "from ..connectors import http"),
        ("formats/iban.py", "from ..connectors.http import Answer"),
        ("formats/iban.py", "from .. import models"),
        ("formats/iban.py", "from formats import codes"),
        ("formats/iban.py", "import formats.codes"),
        ("formats/iban.py", "from odoo.addons.account_bank_connect.formats import codes"),
        ("formats/iban.py", "def late():\n    import odoo"),
        ("formats/iban.py", "if True:\n    try:\n        import odoo\n    except ImportError: ..."),
        ("formats/iban.py", "import importlib\nimportlib.import_module('odoo.tools')"),
        ("formats/iban.py", "from importlib import import_module as f\n__import__('connectors')"),
        ("formats/camt/entry.py", "from ...connectors import http"),
        ("formats/camt/entry.py", "from ... import account_move"),
        ("connectors/http.py", "from ..formats import codes"),
        ("connectors/http.py", "import formats"),
        ("connectors/http.py", "import sandbox"),
        ("connectors/http.py", "import account_bank_connect"),
        ("sandbox/bank.py", "import odoo"),
        ("sandbox/bank.py", "from ..formats import codes"),
        ("sandbox/bank.py", "import connectors.http"),
        ("sandbox/bank.py", "from odoo.addons.account_bank_connect import models"),
        ("models/a.py", "from .. import sandbox"),
        ("models/a.py", "from ..sandbox.bank import Bank"),
        ("tests/test_a.py", "from odoo.addons.account_bank_connect.sandbox import bank"),
        ("tests_unit/connectors/test_a.py", "from sandbox.bank import Bank"),
        ("tests_unit/sandbox/test_a.py", "from formats import pain001"),
        ("bin/support/bank.py", "import sandbox.bank"),
        ("hooks.py", "from . import sandbox"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path, place, source):
    (problem,) = judge(tmp_path, place, source)
    assert problem.startswith(f"{place}:")
    assert "import" in problem


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("formats/iban.py", "import re\nfrom lxml import etree\nfrom . import codes"),
        ("formats/camt/entry.py", "from ..errors import FormatError\nfrom .money import amount"),
        ("connectors/profiles/__init__.py", "from ..interface import Receipt"),
        ("sandbox/bank.py", "import sqlite3\nfrom . import clock\nfrom sandbox import pki"),
        ("models/a.py", "import odoo\nfrom ..formats import codes\nfrom .. import connectors"),
        ("tests/test_a.py", "from odoo.addons.account_bank_connect.connectors import http"),
        ("tests_unit/sandbox/test_a.py", "from sandbox.bank import Bank"),
        ("tests_unit/formats/test_a.py", "from formats import pain001"),
        ("__init__.py", "from . import models, wizards"),
        (".run/left.py", "import sandbox"),
    ],
)
def test_an_allowed_import_is_left_alone(tmp_path, place, source):
    assert judge(tmp_path, place, source) == []


def test_a_file_that_cannot_be_read_as_python_is_named(tmp_path):
    (problem,) = judge(tmp_path, "formats/iban.py", "import (")
    assert problem.startswith("formats/iban.py: ")


def test_an_import_from_above_the_repository_is_named(tmp_path):
    (problem,) = judge(tmp_path, "formats/iban.py", "from .... import x")
    assert "above the repository" in problem


def test_this_repository_keeps_the_rules():
    assert imports.problems(ROOT) == []
