"""A document is known by its content, and the stream is left where it was."""

import io

import pytest

from formats.detect import detect


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (
            b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><F/></Document>',
            "pacs.008.001.08",
        ),
        (b"<Document><BkToCstmrStmt/></Document>", "camt.053"),
        (
            b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrAcctRpt>',
            "camt.052",
        ),
        (
            b'<a:Document xmlns:a="urn:swift:xsd:$pain.002.001.03"><a:CstmrPmtStsRpt>',
            "pain.002.001.03",
        ),
        (
            b'\xef\xbb\xbf\n<Document xmlns="urn:x:camt.054.001.04"><BkToCstmrDbtCdtNtfctn/>',
            "camt.054.001.04",
        ),
        (b"<Document><Other/></Document>", None),
        (b"<html><body>camt.053.001.08</body></html>", None),
        (b":20:START\n:25:123", None),
        (b"%PDF-1.7", "pdf"),
        (b'{"transactions": []}', None),
        (b"", None),
        (b"\x00\x01\x02", None),
        (b"<Document", None),
    ],
)
def test_by_content(document, name):
    """Namespace and first element tell; where they differ, the element does."""
    assert detect(document) == name


def test_the_stream_is_put_back():
    """Whoever reads next begins where detection began."""
    stream = io.BytesIO(b"xx<Document><BkToCstmrStmt/></Document>")
    stream.seek(2)
    assert detect(stream) == "camt.053"
    assert stream.tell() == 2


def test_only_the_beginning_is_read():
    """A long document is not read to its end."""

    class Long(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            self.taken += size
            return b"<Document><BkToCstmrStmt>" + b"<a/>" * (size // 4 - 10)

    stream = Long()
    assert detect(stream) == "camt.053"
    assert stream.taken < 100_000
