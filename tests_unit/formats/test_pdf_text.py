"""What a PDF says is read within bounds, whatever the file does."""

import time

import pytest

from formats import pdf_child, pdf_text
from formats.errors import FormatError

SMALL = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R"
    b"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 43>>stream\nBT /F 9 Tf 9 9 Td (Reference E2E-77/A) Tj ET\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF"
)


def test_a_small_one():
    assert pdf_text.text(SMALL).strip() == "Reference E2E-77/A"


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"%PDF-1.4", b"%PDF-1.4\ntrailer<</Root 9 0 R>>", SMALL[:300]]
)
def test_what_is_none_is_refused(content):
    try:
        said = pdf_text.text(content)
    except FormatError:
        return
    assert said.strip() == ""


def test_one_that_never_ends(monkeypatch, tmp_path):
    """A reader that loops is stopped; whoever called it goes on."""
    child = tmp_path / "child.py"
    child.write_text("while True: pass\n")
    monkeypatch.setattr(pdf_text, "_CHILD", child)
    monkeypatch.setattr(pdf_text, "SECONDS", 1)
    started = time.monotonic()
    with pytest.raises(FormatError, match="reasonable time"):
        pdf_text.text(SMALL)
    assert time.monotonic() - started < 10


def test_one_that_eats_memory(monkeypatch, tmp_path):
    """The child's own bounds, with a reader that asks for more than they allow."""
    child = tmp_path / "child.py"
    source = open(pdf_child.__file__).read()
    child.write_text(source.replace("from pypdf import PdfReader", "b' ' * (4 * 1024 ** 3)"))
    monkeypatch.setattr(pdf_text, "_CHILD", child)
    with pytest.raises(FormatError, match="MemoryError"):
        pdf_text.text(SMALL)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("RCPT_BC261129-6XXFF6CK-00001_20261123", "BC261129-6XXFF6CK-00001"),
        ("receipt-BC261129-6XXFF6CK-00001-copy", "BC261129-6XXFF6CK-00001"),
        ("Reference: BC261129-6XXFF6CK-00001.", "BC261129-6XXFF6CK-00001"),
        ("No.SB26112300000042D/1", "SB26112300000042D"),
        ("uetr 7a562c67-ca16-48ba-b074-65581be6f001", "7a562c67-ca16-48ba-b074-65581be6f001"),
    ],
)
def test_references(said, wanted):
    assert wanted in pdf_text.references(said)


def test_references_of_a_flood():
    """A text made to cost time: what is looked at is bounded."""
    started = time.monotonic()
    assert len(pdf_text.references("a-b-c-d-e-f-g-h " * 100_000)) < 1000
    pdf_text.references("A" * 5_000_000 + "-B" * 5_000_000)
    assert time.monotonic() - started < 20
