"""The promise of bin/support/checks/oca.py: OCA's tool really looks at the module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.checks import oca

pytest.importorskip("oca_pre_commit_hooks")
GOOD = '<?xml version="1.0" encoding="utf-8"?>\n<odoo>\n</odoo>\n'


@pytest.fixture
def judge(tmp_path):
    def work(**files: str) -> subprocess.CompletedProcess:
        # As here: the repository's root is the module, and the copy lies within.
        repo = tmp_path / "checkout"
        for folder in (".git", "views", ".run"):
            (repo / folder).mkdir(parents=True)
        (repo / "__init__.py").touch()
        (repo / "__manifest__.py").write_text('{"name": "A", "data": ["views/a.xml"]}')
        for name, text in files.items():
            (repo / "views" / f"{name}.xml").write_text(text)
        command = oca.command(Path(sys.executable).parent, repo, repo / ".run")
        return subprocess.run(
            command, cwd=repo, capture_output=True, text=True, timeout=60, check=False
        )

    return work


def test_a_sound_module_passes(judge):
    done = judge(a=GOOD)
    assert done.returncode == 0, done.stdout


def test_broken_xml_fails(judge):
    done = judge(a="<odoo><record")
    assert done.returncode == 1
    assert "xml-syntax-error" in done.stdout


def test_a_view_that_the_manifest_forgot_fails(judge):
    done = judge(a=GOOD, b=GOOD)
    assert done.returncode == 1
    assert "file-not-used" in done.stdout
