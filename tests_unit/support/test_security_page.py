"""The promise of docs/security.md: each attack of its table is tried by the test it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named_tests() -> list[str]:
    page = (ROOT / "docs" / "security.md").read_text()
    section = page.partition("## Attacks tried\n")[2].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    names = [re.search(r"`(Test\w+\.test_\w+)` \|$", line) for line in lines]
    assert all(names), "each line ends with its test"
    return [name[1] for name in names if name]


def real_tests() -> set[str]:
    """Tests that Odoo runs: in a module that is imported, in a class, with an assertion."""
    imported = (ROOT / "tests" / "__init__.py").read_text()
    found = set()
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        if not re.search(rf"\b{path.stem}\b", imported):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found |= {
                    f"{node.name}.{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef)
                    and re.search(r"assert|self\.(quarantined|refused)", ast.unparse(each))
                }
    return found


def test_every_attack_names_a_test_that_exists() -> None:
    names = named_tests()
    assert len(names) > 25
    assert not set(names) - real_tests()


def test_no_test_is_named_for_two_attacks() -> None:
    names = named_tests()
    assert len(names) == len(set(names))
