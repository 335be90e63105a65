"""A recall says exactly which payments are to be cancelled and why, or is not written at all."""

import hashlib
import io
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from formats import camt055
from formats.cancellation import CancellationRequest, CancelledBlock, CancelledTransfer
from formats.detect import detect
from formats.errors import FormatError
from formats.model import Agent, Party
from tests_unit.formats.definitions import assert_defined

UETR = "8a562c67-ca16-48ba-b074-65581be6f001"

WHOLE = CancellationRequest(
    id="BC-1-R1",
    created=datetime(2026, 11, 23, 9, 30, tzinfo=timezone.utc),
    requester=Party(name="Müller GmbH"),
    agent=Agent(bic="COBADEFFXXX"),
    original_message_id="BC-1",
    original_message_name="pain.001.001.09",
    reason="DUPL",
    note="Paid by cheque",
    number_of_transactions=2,
    control_sum=Decimal("30.50"),
)
TRANSFER = CancelledTransfer(
    id="C-1",
    end_to_end_id="E-1",
    instruction_id="I-1",
    uetr=UETR,
    amount=Decimal("10.5"),
    currency="EUR",
    execution_date=date(2026, 11, 24),
)
PART = replace(
    WHOLE,
    number_of_transactions=None,
    control_sum=None,
    blocks=[
        CancelledBlock(
            original_id="BC-1-1",
            transfers=[TRANSFER, replace(TRANSFER, id="C-2", end_to_end_id="E-2", uetr=None)],
        )
    ],
)

HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.055.001.08"><CstmrPmtCxlReq>'
    "<Assgnmt><Id>BC-1-R1</Id><Assgnr><Pty><Nm>Muller GmbH</Nm></Pty></Assgnr>"
    "<Assgne><Agt><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></Agt></Assgne>"
    "<CreDtTm>2026-11-23T09:30:00+00:00</CreDtTm></Assgnmt>"
)
WHY = "<CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn><AddtlInf>Paid by cheque</AddtlInf></CxlRsnInf>"
TAIL = "</Undrlyg></CstmrPmtCxlReq></Document>"


def write(request, charset="sepa"):
    stream = io.BytesIO()
    summary = camt055.write(request, stream, charset)
    return stream.getvalue(), summary


def test_a_whole_message_is_recalled():
    """To the letter: the message's id and name, count, sum, and one reason for all."""
    document, summary = write(WHOLE)
    assert document.decode() == (
        f"{HEAD}<CtrlData><NbOfTxs>2</NbOfTxs><CtrlSum>30.50</CtrlSum></CtrlData><Undrlyg>"
        "<OrgnlGrpInfAndCxl><OrgnlMsgId>BC-1</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><NbOfTxs>2</NbOfTxs>"
        f"<CtrlSum>30.50</CtrlSum><GrpCxl>true</GrpCxl>{WHY}</OrgnlGrpInfAndCxl>{TAIL}"
    )
    assert (summary.count, summary.control_sum) == (2, Decimal("30.50"))
    assert (summary.sha256, summary.size) == (hashlib.sha256(document).hexdigest(), len(document))


def test_single_payments_are_recalled():
    """Each by all its references, with amount, date and reason; counted and summed."""
    document, summary = write(PART)
    assert document.decode() == (
        f"{HEAD}<CtrlData><NbOfTxs>2</NbOfTxs><CtrlSum>21.0</CtrlSum></CtrlData><Undrlyg>"
        "<OrgnlGrpInfAndCxl><OrgnlMsgId>BC-1</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndCxl>"
        "<OrgnlPmtInfAndCxl><OrgnlPmtInfId>BC-1-1</OrgnlPmtInfId>"
        "<TxInf><CxlId>C-1</CxlId><OrgnlInstrId>I-1</OrgnlInstrId>"
        f"<OrgnlEndToEndId>E-1</OrgnlEndToEndId><OrgnlUETR>{UETR}</OrgnlUETR>"
        '<OrgnlInstdAmt Ccy="EUR">10.50</OrgnlInstdAmt>'
        f"<OrgnlReqdExctnDt><Dt>2026-11-24</Dt></OrgnlReqdExctnDt>{WHY}</TxInf>"
        "<TxInf><CxlId>C-2</CxlId><OrgnlInstrId>I-1</OrgnlInstrId>"
        '<OrgnlEndToEndId>E-2</OrgnlEndToEndId><OrgnlInstdAmt Ccy="EUR">10.50</OrgnlInstdAmt>'
        f"<OrgnlReqdExctnDt><Dt>2026-11-24</Dt></OrgnlReqdExctnDt>{WHY}</TxInf>"
        f"</OrgnlPmtInfAndCxl>{TAIL}"
    )
    assert (summary.count, summary.control_sum) == (2, Decimal("21.0"))


@pytest.mark.parametrize(
    "request_",
    [
        WHOLE,
        PART,
        replace(WHOLE, agent=None, note=None, number_of_transactions=None, control_sum=None),
        replace(WHOLE, agent=Agent(clearing_system="USABA", member_id="021000021")),
        replace(WHOLE, agent=Agent(name="Our Bank"), note="x" * 300),
    ],
)
def test_the_standard_s_definition_is_obeyed(request_):
    """Every element is the standard's, in its place, and no mandatory one is missing."""
    document, _ = write(request_)
    assert_defined(document, camt055.VERSION)
    assert detect(document) == camt055.VERSION


def test_the_definition_would_notice():
    """An element out of place, a strange one and a missing one are each found."""
    document = write(WHOLE)[0].decode()
    name = "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
    for wrong in (
        document.replace(name, "").replace("<NbOfTxs>2</NbOfTxs><CtrlSum>30", name + "<CtrlSum>30"),
        document.replace("<GrpCxl>true</GrpCxl>", "").replace(WHY, f"{WHY}<GrpCxl>true</GrpCxl>"),
        document.replace("GrpCxl>", "Cancel>"),
        document.replace("<OrgnlMsgId>BC-1</OrgnlMsgId>", ""),
    ):
        assert wrong != document
        try:
            assert_defined(wrong.encode(), camt055.VERSION)
        except Exception:  # whatever the generated classes raise
            continue
        pytest.fail("not noticed")


def test_a_long_note_is_told_in_parts():
    """Nothing of it is lost."""
    note = "".join(f"{number:04}" for number in range(60))
    document, _ = write(replace(WHOLE, note=note))
    parts = document.decode().split("<AddtlInf>")[1:]
    texts = [part.split("</AddtlInf>")[0] for part in parts]
    assert [len(text) for text in texts] == [105, 105, 30]
    assert "".join(texts) == note


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"id": ""}, "id", "empty"),
        ({"id": "x" * 36}, "id", "too_long"),
        ({"created": datetime(2026, 11, 23)}, "created", "time_zone"),
        ({"requester": Party()}, "requester.name", "empty"),
        ({"agent": Agent(bic="COBA")}, "agent.bic", "bic"),
        ({"original_message_id": None}, "original_message_id", "empty"),
        ({"original_message_name": ""}, "original_message_name", "empty"),
        ({"reason": ""}, "reason", "code"),
        ({"reason": "BECAUSE"}, "reason", "code"),
        ({"note": "误付"}, "note", "charset"),
        ({"note": "x" * 1051}, "note", "too_long"),
    ],
)
def test_a_fault_of_the_request_is_named(changes, path, code):
    assert (path, code) in [(p.path, p.code) for p in camt055.problems(replace(WHOLE, **changes))]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"end_to_end_id": ""}, "end_to_end_id", "empty"),
        ({"id": " "}, "id", "empty"),
        ({"instruction_id": "a//b"}, "instruction_id", "slash"),
        ({"uetr": UETR.upper()}, "uetr", "uetr"),
        ({"amount": Decimal(0)}, "amount", "amount"),
        ({"amount": 10.5}, "amount", "amount"),
        ({"amount": Decimal("NaN")}, "amount", "amount"),
        ({"amount": Decimal("1.005")}, "amount", "decimals"),
        ({"currency": "euro"}, "amount", "currency"),
        ({"execution_date": datetime(2026, 11, 24)}, "execution_date", "date"),
    ],
)
def test_a_fault_of_a_payment_is_named(changes, field, code):
    block = CancelledBlock(original_id="B", transfers=[TRANSFER, replace(TRANSFER, **changes)])
    (problem,) = camt055.problems(replace(PART, blocks=[block]))
    assert (problem.path, problem.code) == (f"blocks[0].transfers[1].{field}", code)


def test_an_empty_block_is_no_recall():
    block = CancelledBlock(original_id="B", transfers=[])
    (problem,) = camt055.problems(replace(PART, blocks=[block]))
    assert (problem.path, problem.code) == ("blocks[0].transfers", "empty")


def test_nothing_is_written_of_a_wrong_request():
    """Not a byte, and the error holds every fault."""
    stream = io.BytesIO()
    with pytest.raises(FormatError, match=r"the recall's id is empty \(and 1 more\)") as caught:
        camt055.write(replace(WHOLE, id="", reason="NO GOOD"), stream)
    assert stream.getvalue() == b""
    assert [problem.code for problem in caught.value.problems] == ["empty", "code"]
