"""Reading back trusts nothing: counts and sums are compared, and what is missing is an error."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import pain001
from formats.errors import FormatError
from tests_unit.formats import instructions as make


def written(*transfers) -> bytes:
    stream = io.BytesIO()
    pain001.write(make.instruction(make.block(*transfers)), stream, "pain.001.001.09")
    return stream.getvalue()


DOCUMENT = written(make.transfer(1), make.transfer(2))


def read(document: bytes) -> list:
    return list(pain001.read_transfers(io.BytesIO(document)))


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("<NbOfTxs>2<", "<NbOfTxs>3<", "GrpHdr/NbOfTxs", "3 payments are stated, 2 were read"),
        ("<CtrlSum>201.00<", "<CtrlSum>201.01<", "GrpHdr/CtrlSum", "a control sum of 201.01"),
        (">100.50<", ">100.51<", "PmtInf[1]/CtrlSum", "the payments make 201.01"),
        ('Ccy="EUR"', 'Cur="EUR"', "InstdAmt", "no currency"),
        ("<EndToEndId>E2E-1</EndToEndId>", "", "PmtId/EndToEndId", "missing"),
        ("<Cdtr><Nm>Vendor GmbH</Nm></Cdtr>", "", "CdtTrfTxInf[1]", "lacks its creditor"),
        ("<PmtInfId>PMT-1</PmtInfId>", "", "PmtInf[1]", "lacks its id"),
        ("<MsgId>MSG-1</MsgId>", "", "GrpHdr[1]/MsgId", "missing"),
        ("2026-03-02", "2026-3-2", "ReqdExctnDt", "not a date"),
    ],
)
def test_a_message_that_disagrees_with_itself(old, new, place, words):
    """Counts, sums and mandatory fields: the fault and its place are named."""
    text = DOCUMENT.decode()
    assert old in text
    with pytest.raises(FormatError, match=words) as caught:
        read(text.replace(old, new, 1).encode())
    assert place in str(caught.value)


def test_a_block_without_payments_is_refused():
    """A block that pays nobody was not approved by anybody."""
    start, rest = DOCUMENT.split(b"<CdtTrfTxInf>", 1)
    end = rest.rsplit(b"</CdtTrfTxInf>", 1)[1]
    with pytest.raises(FormatError, match="no payments"):
        read(start + end)


def test_fields_behind_the_payments_are_refused():
    """A second debtor account after the payments is no message of ours."""
    late = b"<DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct></PmtInf>"
    with pytest.raises(FormatError, match="follows its payments"):
        read(DOCUMENT.replace(b"</PmtInf>", late))


def test_other_documents_are_refused():
    """A status report, an empty message and no message at all."""
    for document in (
        b"<Document><CstmrPmtStsRpt/></Document>",
        b"<Document><CstmrCdtTrfInitn/></Document>",
        b"<Document/>",
        b"",
        DOCUMENT[:-30],
    ):
        with pytest.raises(FormatError):
            read(document)


@given(st.data())
def test_any_changed_digit_of_an_amount_is_noticed(data):
    """The control sums catch every single digit that differs from what was written."""
    places = [
        place
        for tag in (b'Ccy="EUR">', b"<CtrlSum>", b"<NbOfTxs>")
        for start in _all(DOCUMENT, tag)
        for place in range(start + len(tag), DOCUMENT.index(b"<", start + len(tag)))
        if DOCUMENT[place : place + 1].isdigit()
    ]
    place = data.draw(st.sampled_from(places))
    old = DOCUMENT[place : place + 1]
    new = data.draw(st.sampled_from([b"%d" % d for d in range(10) if b"%d" % d != old]))
    with pytest.raises(FormatError):
        read(DOCUMENT[:place] + new + DOCUMENT[place + 1 :])


def _all(text: bytes, part: bytes) -> list[int]:
    return [place for place in range(len(text)) if text.startswith(part, place)]
