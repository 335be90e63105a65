"""What is wrong with a document has a code, for which Odoo has a sentence in every language."""

import ast
import re
from pathlib import Path

from formats.notes import Note, Notes

ROOT = Path(__file__).parents[2]


def table(name: str) -> set[str]:
    """The keys of a table in ``models/format_texts.py``, which needs Odoo to be imported."""
    tree = ast.parse((ROOT / "models" / "format_texts.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return {key.value for key in node.value.keys}
    raise AssertionError(name)


def texts(name: str) -> dict[str, str]:
    """The sentences of a table there."""
    tree = ast.parse((ROOT / "models" / "format_texts.py").read_text())
    node = next(
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == name
    )
    return {
        key.value: value.args[0].value
        for key, value in zip(node.value.keys, node.value.values, strict=True)
    }


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
            assert "problems" in given, (path.name, node.lineno)
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


def test_every_note_has_a_sentence():
    """What was tolerated is read by people, too: each note has a code, and names its facts."""
    codes = {}
    for path, node in calls("of", "odd"):
        if ast.unparse(node.func) in ("Note.of", "item.odd", "self.odd"):
            facts = {keyword.arg for keyword in node.keywords} - {"line", "path"}
            facts = {"key"} if ast.unparse(node.func) != "Note.of" else facts
            if isinstance(node.args[0], ast.Constant):
                codes.setdefault(node.args[0].value, facts)
                assert codes[node.args[0].value] == facts, (path.name, node.lineno)
    assert codes.keys() == table("NOTES")
    for code, sentence in texts("NOTES").items():
        assert set(re.findall(r"%\((\w+)\)s", sentence)) == codes[code], code


def test_nothing_is_noted_without_a_code():
    """A mere text would be told in English to everyone."""
    for path, node in calls("append"):
        if "note" in ast.unparse(node.func) or "shared" in ast.unparse(node.func):
            said = ast.unparse(node.args[0])
            assert said.startswith(("Note.of(", "unnamed(", "_")) or path.name == "notes.py", said


def test_a_document_that_repeats_a_note_is_not_a_list_without_end():
    """Twenty of a kind say what is wrong; a kind that is rare is told among thousands."""
    notes = Notes(Note.of("count", f"{number} is odd") for number in range(100_000))
    notes += [Note.of("blank", "blank")]
    assert len(notes) == 22
    assert notes[20].code == "more" and notes[20].facts == {"of": "20 is odd"}
    assert notes[21] == "blank"


def test_the_place_of_a_note_is_in_its_words():
    assert Note.of("count", "odd", "Stmt[1]/Ntry[2]") == "Stmt[1]/Ntry[2]: odd"
    assert Note.of("count", "odd", line=7) == "line 7: odd"
