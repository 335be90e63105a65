"""OCA's checks of a module's manifest, XML and CSV files."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..settings import MODULE

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "bench", "docs", "sandbox", "tests_unit")
_DISABLED = (
    "prefer-readme-rst",  # README.md, not OCA's generated README.rst
    # Odoo's own files do not keep these:
    "xml-header-wrong",  # single quotes, capitals
    "xml-field-numeric-without-eval",  # <field name="sequence">10</field>
    "xml-tag-position",  # the order of attributes
)


def command(tools: Path, repo: Path, scratch: Path) -> list[str | Path]:
    """Copy the module to ``scratch`` and return the command that checks the copy.

    The tool looks for the manifest between the folder it is given and the root of the Git
    repository, exclusively; where the module is the root it finds none, and has no complaint.
    """
    copy = scratch / MODULE
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(repo, copy, ignore=_LEFT_OUT)
    return [tools / "oca-checks-odoo-module", f"--disable={','.join(_DISABLED)}", copy]
