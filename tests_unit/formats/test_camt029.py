"""A bank's answer to a recall says the same in every version, and nothing in it is guessed."""

import io
from datetime import datetime, timezone

import pytest

from formats import camt029
from formats.detect import detect
from formats.errors import FormatError
from formats.incoming import Reason
from tests_unit.formats.definitions import assert_defined

VERSIONS = [f"camt.029.001.{number:02}" for number in range(3, 15)]
UETR = "8a562c67-ca16-48ba-b074-65581be6f001"


def document(name: str, body: str) -> bytes:
    bic = "BICFI" if int(name[-2:]) >= 4 else "BIC"
    agent = f"<Agt><FinInstnId><{bic}>COBADEFFXXX</{bic}></FinInstnId></Agt>"
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><RsltnOfInvstgtn><Assgnmt>'
        f"<Id>A-1</Id><Assgnr>{agent}</Assgnr><Assgne><Pty><Nm>Us Ltd</Nm></Pty></Assgne>"
        f"<CreDtTm>2026-11-23T10:00:00Z</CreDtTm></Assgnmt>{body}</RsltnOfInvstgtn></Document>"
    ).encode()


def conf(code: str) -> str:
    return f"<Sts><Conf>{code}</Conf></Sts>"


def group(inside: str = "") -> str:
    return (
        "<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{inside}</OrgnlGrpInfAndSts>"
    )


def full(name: str) -> bytes:
    """Of a message, one payment is cancelled, one is not, and one stands under no block."""
    modern = int(name[-2:]) >= 9
    uetr = [f"<{tag}>{UETR}</{tag}>" if modern else "" for tag in ("UETR", "OrgnlUETR")]
    return document(
        name,
        "<RslvdCase><Id>K-1</Id><Cretr><Pty><Nm>Us Ltd</Nm></Pty></Cretr></RslvdCase>"
        + conf("PECR")
        + "<CxlDtls>"
        + group("<OrgnlNbOfTxs>3</OrgnlNbOfTxs><GrpCxlSts>PACR</GrpCxlSts>")
        + "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P-1</OrgnlPmtInfId><PmtInfCxlSts>PACR</PmtInfCxlSts>"
        "<CxlStsRsnInf><AddtlInf>see below</AddtlInf></CxlStsRsnInf>"
        "<TxInfAndSts><CxlStsId>S-1</CxlStsId><OrgnlInstrId>I-1</OrgnlInstrId>"
        f"<OrgnlEndToEndId>E-1</OrgnlEndToEndId>{uetr[0]}<TxCxlSts>ACCR</TxCxlSts></TxInfAndSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E-2</OrgnlEndToEndId><TxCxlSts>RJCR</TxCxlSts>"
        "<CxlStsRsnInf><Orgtr><Nm>Their Bank</Nm></Orgtr><Rsn><Cd>LEGL</Cd></Rsn>"
        "<AddtlInf>court</AddtlInf><AddtlInf>order</AddtlInf></CxlStsRsnInf></TxInfAndSts>"
        "</OrgnlPmtInfAndSts>"
        f"<TxInfAndSts><OrgnlEndToEndId>E-3</OrgnlEndToEndId>{uetr[1]}"
        "<TxCxlSts>PDCR</TxCxlSts></TxInfAndSts></CxlDtls>",
    )


def read(data: bytes):
    return camt029.read(io.BytesIO(data))


@pytest.mark.parametrize("name", VERSIONS[:-1])
def test_the_corpus_obeys_the_standard_s_definition(name):
    """What the reader is tried on is what banks may really send."""
    assert_defined(full(name), name)


@pytest.mark.parametrize("name", VERSIONS)
def test_every_level_is_read(name):
    """Case, message, block and payment: statuses, reasons and references."""
    answer = read(full(name))
    assert detect(full(name)) == answer.message_name == name
    assert (answer.id, answer.case_id, answer.confirmation) == ("A-1", "K-1", "PECR")
    assert answer.created == datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
    (details,) = answer.details
    assert (details.original_message_id, details.status) == ("M-1", "PACR")
    (block,) = details.blocks
    assert (block.original_id, block.status) == ("P-1", "PACR")
    assert block.reasons == (Reason(additional=("see below",)),)
    cancelled, refused = block.transactions
    assert (cancelled.status, cancelled.original_end_to_end_id) == ("ACCR", "E-1")
    assert cancelled.original_instruction_id == "I-1"
    assert (refused.status, refused.original_end_to_end_id) == ("RJCR", "E-2")
    assert refused.reasons == (
        Reason(code="LEGL", additional=("court", "order"), originator="Their Bank"),
    )
    (pending,) = details.transactions
    assert (pending.status, pending.original_end_to_end_id) == ("PDCR", "E-3")
    uetr = UETR if int(name[-2:]) >= 9 else None
    assert (cancelled.original_uetr, pending.original_uetr) == (uetr, uetr)
    assert answer.notes == ()


@pytest.mark.parametrize("status", ["ACCR", "RJCR", "PDCR", "PACR"])
def test_a_message_as_a_whole(status):
    inside = f"<GrpCxlSts>{status}</GrpCxlSts><CxlStsRsnInf><Rsn><Prtry>X9</Prtry></Rsn>"
    body = conf("CNCL") + f"<CxlDtls>{group(inside + '</CxlStsRsnInf>')}</CxlDtls>"
    (details,) = read(document("camt.029.001.09", body)).details
    assert (details.status, details.blocks, details.transactions) == (status, (), ())
    assert details.reasons == (Reason(proprietary="X9"),)


def test_a_confirmation_alone():
    """Some banks answer by the case only."""
    answer = read(document("camt.029.001.09", conf("RJCR")))
    assert (answer.confirmation, answer.details) == ("RJCR", ())


def test_the_message_is_known_by_its_payments_too():
    """Where no group is named, a block or a payment names the message; never two of them."""
    block = (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><OrgnlGrpInf><OrgnlMsgId>M-2"
        "</OrgnlMsgId><OrgnlMsgNmId>x</OrgnlMsgNmId></OrgnlGrpInf></OrgnlPmtInfAndSts>"
    )
    payment = (
        "<TxInfAndSts><OrgnlGrpInf><OrgnlMsgId>M-3</OrgnlMsgId><OrgnlMsgNmId>x</OrgnlMsgNmId>"
        "</OrgnlGrpInf><OrgnlEndToEndId>E</OrgnlEndToEndId></TxInfAndSts>"
    )
    for inside, name in ((block, "M-2"), (payment, "M-3")):
        body = conf("CNCL") + f"<CxlDtls>{inside}</CxlDtls>"
        (details,) = read(document("camt.029.001.09", body)).details
        assert details.original_message_id == name
    body = conf("CNCL") + f"<CxlDtls>{block}{payment}</CxlDtls>"
    with pytest.raises(FormatError, match="names several messages: M-2, M-3"):
        read(document("camt.029.001.09", body))


def test_several_messages_keep_their_answers():
    details = "".join(
        f"<CxlDtls>{group(f'<GrpCxlSts>{status}</GrpCxlSts>').replace('M-1', name)}</CxlDtls>"
        for name, status in (("M-1", "ACCR"), ("M-2", "RJCR"))
    )
    answer = read(document("camt.029.001.09", conf("PECR") + details))
    assert [(item.original_message_id, item.status) for item in answer.details] == [
        ("M-1", "ACCR"),
        ("M-2", "RJCR"),
    ]


def test_an_unknown_status_is_refused():
    """A word that ISO 20022 doesn't know could mean anything: the place is named."""
    for old in (b"<GrpCxlSts>PACR", b"<PmtInfCxlSts>PACR", b"<TxCxlSts>RJCR"):
        data = full("camt.029.001.09").replace(old, old[:-4] + b"DONE")
        with pytest.raises(FormatError, match="'DONE' is not an ISO 20022 cancellation status"):
            read(data)


def test_an_answer_that_says_nothing_is_refused():
    with pytest.raises(FormatError, match="says nothing about a cancellation"):
        read(document("camt.029.001.09", "<Sts><AssgnmtCxlConf>true</AssgnmtCxlConf></Sts>"))


def test_other_documents_are_refused():
    """A statement, two documents in one, and a cut document are no answer to a recall."""
    one = full("camt.029.001.09")
    camt = b"<Document><BkToCstmrStmt/></Document>"
    for data in (camt, b"<E>" + one + one + b"</E>", one[:-40], b"", b"<Document/>"):
        with pytest.raises(FormatError):
            read(data)
