"""What is wrong with a document has a code, for which Odoo has a sentence in every language."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def table(name: str) -> set[str]:
    """The keys of a table in ``models/format_texts.py``, which needs Odoo to be imported."""
    tree = ast.parse((ROOT / "models" / "format_texts.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return {key.value for key in node.value.keys}
    raise AssertionError(name)


def calls(*names: str):
    for path in (ROOT / "formats").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if called in names:
                    yield path, node


def test_every_fault_of_reading_has_a_sentence():
    """A code that Odoo doesn't know would be told in English to everyone."""
    writing = {"model.py", "charset.py", "camt055.py", "cancellation.py"}
    codes = set()
    for path, node in calls("FormatError", "UnsafeError"):
        if path.parent.name == "pain001" or path.name in writing:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "code" not in given:
            assert path.name == "pdf_text.py" or "problems" in given, (path.name, node.lineno)
            continue
        codes.add(given["code"].value)
    assert codes == table("READING")


def test_every_fault_of_adding_up_has_a_sentence():
    codes = set()
    for _path, node in calls("of"):
        if ast.unparse(node.func) != "Fault.of":
            continue
        code = ast.unparse(node.args[0]).removeprefix("f").strip("'\"")
        sides = ("opening", "closing") if code.startswith("no_") else ("all", "credit", "debit")
        codes |= {re.sub(r"\{.*\}", side, code) for side in sides}
    assert codes == table("FAULTS")
