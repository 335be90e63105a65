"""A status report says the same in every version, and nothing in it is guessed."""

import io
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from formats import pain002
from formats.detect import detect
from formats.errors import FormatError
from formats.incoming import Reason
from formats.model import Account
from tests_unit.formats.schemas import assert_valid

VERSIONS = [f"pain.002.001.{number:02}" for number in range(3, 16)]
UETR = "8a562c67-ca16-48ba-b074-65581be6f001"
IBAN = "DE89370400440532013000"


def document(name: str, body: str) -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><CstmrPmtStsRpt><GrpHdr>'
        "<MsgId>R-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>"
        f"{body}</CstmrPmtStsRpt></Document>"
    ).encode()


def group(inside: str = "") -> str:
    return (
        "<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{inside}</OrgnlGrpInfAndSts>"
    )


def full(name: str) -> bytes:
    """Two payments of a batch of three: one rejected, one settled."""
    number = int(name[-2:])
    uetr = f"<OrgnlUETR>{UETR}</OrgnlUETR>" if number >= 10 else ""
    creditor = "<Nm>Vendor GmbH</Nm>"
    if number >= 9:
        creditor = f"<Pty>{creditor}</Pty>"
    return document(
        name,
        group(
            "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><OrgnlCtrlSum>60.30</OrgnlCtrlSum><GrpSts>PART</GrpSts>"
        )
        + "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P-1</OrgnlPmtInfId><OrgnlNbOfTxs>3</OrgnlNbOfTxs>"
        "<OrgnlCtrlSum>60.30</OrgnlCtrlSum><PmtInfSts>PART</PmtInfSts>"
        "<TxInfAndSts><StsId>S-1</StsId><OrgnlInstrId>I-1</OrgnlInstrId>"
        f"<OrgnlEndToEndId>E-1</OrgnlEndToEndId>{uetr}<TxSts>RJCT</TxSts><StsRsnInf><Orgtr>"
        "<Nm>Their Bank</Nm></Orgtr><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>account</AddtlInf>"
        "<AddtlInf>closed in May</AddtlInf></StsRsnInf></TxInfAndSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
        "<AccptncDtTm>2026-03-02T09:59:58.123Z</AccptncDtTm><AcctSvcrRef>B-2</AcctSvcrRef>"
        "<ClrSysRef>C-2</ClrSysRef><OrgnlTxRef><IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt>"
        "</OrgnlTxRef></TxInfAndSts><TxInfAndSts><OrgnlEndToEndId>E-3</OrgnlEndToEndId>"
        "<TxSts>PDNG</TxSts><OrgnlTxRef>"
        '<Amt><InstdAmt Ccy="EUR">20.10</InstdAmt></Amt>'
        f"<Cdtr>{creditor}</Cdtr><CdtrAcct><Id><IBAN>{IBAN}</IBAN></Id></CdtrAcct>"
        "</OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts>",
    )


def read(data: bytes):
    return pain002.read(io.BytesIO(data))


@pytest.mark.parametrize("name", [f"pain.002.001.{number}" for number in ("03", "12", "14", "15")])
def test_the_corpus_obeys_the_official_schema(name):
    """What the reader is tried on is what banks may really send."""
    assert_valid(full(name), name)


@pytest.mark.parametrize("name", VERSIONS)
def test_every_level_is_read(name):
    """Group, block and payment: statuses, reasons, references and amounts."""
    report = read(full(name))
    assert detect(full(name)) == report.message_name == name
    assert (report.message_id, report.original_message_id) == ("R-1", "M-1")
    assert report.created == datetime(2026, 3, 2, 10, tzinfo=timezone.utc)
    assert report.original_message_name == "pain.001.001.09"
    assert (report.group_status, report.number_of_transactions) == ("PART", 3)
    assert report.control_sum == Decimal("60.30")
    (block,) = report.blocks
    assert (block.original_id, block.status, block.control_sum) == ("P-1", "PART", Decimal("60.30"))
    rejected, settled, pending = block.transactions
    assert (rejected.status, rejected.original_end_to_end_id) == ("RJCT", "E-1")
    assert (rejected.original_instruction_id, rejected.status_id) == ("I-1", "S-1")
    assert rejected.original_uetr == (UETR if int(name[-2:]) >= 10 else None)
    assert rejected.reasons == (
        Reason(code="AC04", additional=("account", "closed in May"), originator="Their Bank"),
    )
    assert (settled.bank_reference, settled.clearing_reference) == ("B-2", "C-2")
    assert settled.accepted_at.microsecond == 123000
    assert settled.executed_on == date(2026, 3, 2)
    assert (pending.amount, pending.currency) == (Decimal("20.10"), "EUR")
    assert pending.creditor_name == "Vendor GmbH"
    assert pending.creditor_account == Account(iban=IBAN)
    assert report.notes == ()


def test_a_group_status_alone():
    """A bank may answer for the message as a whole."""
    reason = "<StsRsnInf><Rsn><Prtry>X99</Prtry></Rsn></StsRsnInf>"
    report = read(document("pain.002.001.03", group(f"<GrpSts>RJCT</GrpSts>{reason}")))
    assert (report.group_status, report.blocks) == ("RJCT", ())
    assert report.reasons == (Reason(proprietary="X99"),)


def test_several_blocks_keep_their_payments():
    """Each payment stays in the block under which the bank lists it."""
    block = (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P-{0}</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>"
        "E-{0}</OrgnlEndToEndId><TxSts>ACCP</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"
    )
    report = read(document("pain.002.001.10", group() + "".join(map(block.format, range(3)))))
    assert [
        (item.original_id, [payment.original_end_to_end_id for payment in item.transactions])
        for item in report.blocks
    ] == [("P-0", ["E-0"]), ("P-1", ["E-1"]), ("P-2", ["E-2"])]
    assert {item.status for item in report.blocks} == {None}


def test_the_first_release():
    """Its element is called as the message is, and its payments stand in no block."""
    payment = (
        "<TxInfAndSts><OrgnlPmtInfId>P-{0}</OrgnlPmtInfId><OrgnlEndToEndId>E-{1}</OrgnlEndToEndId>"
        "<TxSts>RJCT</TxSts><StsRsnInf><StsOrgtr><Nm>Their Bank</Nm></StsOrgtr><StsRsn>"
        "<Cd>AC04</Cd></StsRsn><AddtlStsRsnInf>closed</AddtlStsRsnInf></StsRsnInf></TxInfAndSts>"
    )
    name = "pain.002.001.02"
    body = group("<GrpSts>PART</GrpSts>") + payment.format(1, 1) + payment.format(1, 2)
    data = document(name, body + payment.format(2, 3)).replace(b"CstmrPmtStsRpt", name.encode())
    for variant in (data, data.replace(b"urn:iso:std:iso:20022:tech:xsd:" + name.encode(), b"x")):
        report = read(variant)
        assert detect(variant) == report.message_name == name
        assert (report.original_message_id, report.group_status) == ("M-1", "PART")
        assert [
            (block.original_id, [item.original_end_to_end_id for item in block.transactions])
            for block in report.blocks
        ] == [("P-1", ["E-1", "E-2"]), ("P-2", ["E-3"])]
        assert report.blocks[0].transactions[0].reasons == (
            Reason(code="AC04", additional=("closed",), originator="Their Bank"),
        )
        assert report.notes == ()


def test_payments_outside_any_block():
    """A later release written like the first: the payments are not lost."""
    payment = "<TxInfAndSts><OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
    (block,) = read(document("pain.002.001.03", group() + payment)).blocks
    assert (block.original_id, block.transactions[0].status) == (None, "ACSC")


def test_an_unknown_status_is_refused():
    """A word that ISO 20022 doesn't know could mean anything: the place is named."""
    for old in (b"<GrpSts>PART", b"<PmtInfSts>PART", b"<TxSts>RJCT"):
        data = full("pain.002.001.03").replace(old, old[:-4] + b"DONE")
        with pytest.raises(FormatError, match="'DONE' is not an ISO 20022 payment status"):
            read(data)


def test_a_report_that_answers_nothing_is_refused():
    """Without the original message's id nothing can be matched."""
    with pytest.raises(FormatError, match="which message it answers"):
        read(document("pain.002.001.03", group().replace("M-1", " ")))
    with pytest.raises(FormatError, match="which message it answers"):
        read(document("pain.002.001.03", ""))


def test_other_documents_are_refused():
    """An account report, two documents in one, and a cut document are no status report."""
    camt = b"<Document><BkToCstmrStmt/></Document>"
    one = full("pain.002.001.03")
    for data in (camt, b"<E>" + one + one + b"</E>", one[:-40], b"", b"<Document/>"):
        with pytest.raises(FormatError):
            read(data)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-02T10:00:00Z", "9999-12-31T24:00:00"])
def test_a_time_that_cannot_be_read_is_noted(text):
    """No money hangs on when a report was made."""
    report = read(full("pain.002.001.03").replace(b"2026-03-02T10:00:00Z", text.encode()))
    assert report.created is None
    assert text in report.notes[0]
