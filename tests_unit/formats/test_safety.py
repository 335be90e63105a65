"""XML from outside can't reach the network or files, nor exhaust memory, nor nest without end."""

import io
import sys
import tracemalloc
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import camt, pain001, pain002
from formats.detect import detect
from formats.errors import FormatError
from formats.safety import Limits, events
from tests_unit.formats import camt_corpus as corpus

NAME = "camt.053.001.08"


def read_camt(document: bytes, limits: Limits | None = None) -> int:
    return sum(
        sum(1 for _ in report.entries) for report in camt.reports(io.BytesIO(document), limits)
    )


READERS = {
    "camt": lambda data: read_camt(data),
    "pain.002": lambda data: pain002.read(io.BytesIO(data)),
    "pain.001": lambda data: list(pain001.read_transfers(io.BytesIO(data))),
    "detect": detect,
}
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE Document>",
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        f'<!DOCTYPE Document [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE Document [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]>',
    ],
    ids=["plain", "external", "file", "laughs", "parameter"],
)
def test_a_document_type_is_refused(reader, doctype):
    """No DTD of any kind, and with it no entity, is accepted by any reader."""
    inside = "&l9;" if "l9" in doctype else "&x;" if " x " in doctype else ""
    document = f"{doctype}<Document><BkToCstmrStmt>{inside}</BkToCstmrStmt></Document>"
    with pytest.raises(FormatError, match="document type"):
        reader(document.encode())


def test_a_document_type_is_refused_in_any_encoding():
    """Another encoding doesn't hide it."""
    text = '<?xml version="1.0" encoding="{}"?><!DOCTYPE Document [<!ENTITY a "b">]><Document/>'
    for encoding in ("utf-16", "utf-16-le", "iso-8859-1"):
        data = text.format(encoding.upper()[:6] if "16" in encoding else encoding)
        with pytest.raises(FormatError, match="document type"):
            read_camt(data.encode(encoding))


def test_an_unknown_entity_is_refused():
    """A reference to an entity that nobody declared is an error, not a blank."""
    with pytest.raises(FormatError, match="undefined entity"):
        read_camt(corpus.full(NAME).replace(b"Vendor", b"&vendor;"))


def test_deep_nesting_is_refused():
    """Elements nested deeper than the limit stop the reading, with the place."""
    deep = "<x>" * 5000 + "</x>" * 5000
    document = corpus.document(NAME, corpus.report(NAME, f"<Ntry>{deep}</Ntry>"))
    with pytest.raises(FormatError, match="deeper than 40") as caught:
        read_camt(document)
    assert "Ntry[1]" in str(caught.value)


def test_size_is_bounded():
    """More bytes, elements or text than allowed are refused."""
    document = corpus.full(NAME)
    assert read_camt(document, Limits(max_bytes=len(document))) == 2
    for limits, word in (
        (Limits(max_bytes=len(document) - 1), "larger than"),
        (Limits(max_elements=50), "more than 50 elements"),
        (Limits(max_text=20), "longer than 20"),
    ):
        with pytest.raises(FormatError, match=word):
            read_camt(document, limits)


def test_an_endless_stream_is_refused():
    """A stream without end is read no further than the limit."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            self.given += size
            return (
                b"<Document><BkToCstmrStmt><Stmt>" if self.given == size else b"<a/>" * (size // 4)
            )

    stream = Endless()
    with pytest.raises(FormatError, match="larger than 1000000"):
        for _report in camt.reports(stream, Limits(max_bytes=1_000_000)):
            pass
    assert stream.given < 1_200_000


def test_text_instead_of_bytes_is_a_mistake_of_the_caller():
    """Encodings are the reader's business, so a text stream is refused."""
    with pytest.raises(TypeError, match="stream of bytes"):
        list(camt.reports(io.StringIO("<Document/>")))


def test_comments_do_not_split_values():
    """A comment inside a value neither shortens nor hides it."""
    document = corpus.full(NAME).replace(b">101.50<", b">1<!-- 0 -->01<?x y?>.5<![CDATA[0]]><")
    report = next(camt.reports(io.BytesIO(document)))
    assert str(next(report.entries).amount) == "-101.50"


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_clear_error(data):
    """Whatever arrives, a reader gives a FormatError, never another failure."""
    for reader in READERS.values():
        try:
            reader(data)
        except FormatError as error:
            assert str(error)


@given(st.data())
def test_a_damaged_document_ends_in_a_clear_error(data):
    """A document with bytes changed, lost or added is read or refused, never worse."""
    document = bytearray(corpus.full(NAME))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(document) - 1))
        document[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        read_camt(bytes(document))
    except FormatError as error:
        assert str(error)


def test_what_surrounds_is_skipped_without_being_kept():
    """Events name their place and namespace."""
    document = b'<E><Document xmlns="urn:n"><A><B>1</B></A></Document></E>'
    found = list(events(io.BytesIO(document), (("Document",), ("A",))))
    assert [(event.kind, event.path) for event in found] == [
        ("start", "Document"),
        ("start", "Document/A"),
        ("node", "Document/A/B[1]"),
        ("end", "Document/A"),
        ("end", "Document"),
    ]
    assert found[0].namespace == "urn:n"


class Repeated(io.RawIOBase):
    """A statement with any number of entries that never exists as a whole."""

    def __init__(self, count: int) -> None:
        header = corpus.balance("OPBD", "0.00") + corpus.balance("CLBD", f"-{count}.00")
        start, end = corpus.document(NAME, corpus.report(NAME, "@", header=header)).split(b"@")
        entry = corpus.entry(NAME, "1.00", "DBIT", "<TxDtls><Refs/></TxDtls>").encode()
        self.pieces = chain((start,), repeat(entry * 10, count // 10), (end,))
        self.rest = b""

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < size and (piece := next(self.pieces, None)) is not None:
            self.rest += piece
        found, self.rest = self.rest[:size], self.rest[size:]
        return found


def peak(count: int) -> int:
    tracemalloc.start()
    try:
        (report,) = camt.reports(Repeated(count))
        assert report.check() == []
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_stays_flat():
    """Six times as many entries need no more memory, and few megabytes at all."""
    peak(100)
    few, many = peak(500), peak(3_000)
    assert many < few * 1.2, (few, many)
    assert many < 8 * 1024 * 1024


def test_no_entry_is_kept():
    """Over twenty thousand entries the number of living objects does not grow."""
    report = next(camt.reports(Repeated(20_000)))
    living = [sys.getallocatedblocks() for entry in report.entries if entry.position % 1000 == 0]
    assert len(living) == 20
    assert max(living[10:]) < max(living[:10]) * 1.1
    assert report.check() == []


def test_a_batch_entry_with_very_many_details():
    """One entry for five thousand payments takes about two kilobytes for each."""
    payment = (
        "<TxDtls><Refs><EndToEndId>E-1</EndToEndId></Refs><RltdPties><Cdtr><Pty><Nm>Vendor</Nm>"
        "</Pty></Cdtr></RltdPties><RmtInf><Ustrd>Bill 7</Ustrd></RmtInf></TxDtls>"
    )
    document = corpus.statement(
        corpus.entry(NAME, "1.00", "DBIT", payment * 5_000), closing="999.00"
    )
    tracemalloc.start()
    try:
        (entry,) = next(camt.reports(io.BytesIO(document))).entries
        _held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(entry.details) == 5_000
    assert most / 5_000 < 2048
