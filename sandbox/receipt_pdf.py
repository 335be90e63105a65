"""Write a page of text as PDF.

Source: ISO 32000-1 (PDF 1.7), 7.5 (file structure), 9.4 (text); the standard font Helvetica in
WinAnsiEncoding, so that nothing is embedded.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

LEFT, TOP, LEADING = 56, 770, 18


def write(title: str, rows: Iterable[tuple[str, str]]) -> bytes:
    """One page in A4: a title, and rows of a label and a text."""
    drawn = [f"BT /F1 16 Tf {LEFT} {TOP} Td ({_text(title)}) Tj ET"]
    for number, (label, text) in enumerate(rows, 2):
        height = TOP - number * LEADING
        drawn.append(f"BT /F1 10 Tf {LEFT} {height} Td ({_text(label)}) Tj ET")
        drawn.append(f"BT /F1 10 Tf {LEFT + 150} {height} Td ({_text(text)}) Tj ET")
    page = zlib.compress("\n".join(drawn).encode("cp1252"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    content, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + (b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                      % (len(objects) + 1, start))


def _text(value: str) -> str:
    """As a literal string; what the font has no sign for becomes a question mark."""
    known = str(value).encode("cp1252", "replace").decode("cp1252")
    for sign in ("\\", "(", ")"):
        known = known.replace(sign, "\\" + sign)
    return " ".join(known.split())
