"""What is written obeys the schema and says exactly what was instructed."""

import hashlib
import io
import tracemalloc
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from formats import pain001
from formats.detect import detect
from formats.errors import FormatError
from formats.model import Address, Agent, Party, PaymentBlock, Remittance
from tests_unit.formats import instructions as make
from tests_unit.formats.schemas import assert_valid

both = pytest.mark.parametrize("version", pain001.VERSIONS)


def write(instruction, version, charset="sepa"):
    stream = io.BytesIO()
    summary = pain001.write(instruction, stream, version, charset)
    return stream.getvalue(), summary


def values(document: bytes, tag: str) -> list[str]:
    """Texts of every element of this name, by a parser of its own."""
    return [element.text for element in etree.fromstring(document).iter(f"{{*}}{tag}")]


def without_uetr(transfer):
    return replace(transfer, uetr=None)


@both
@given(instruction=make.instructions())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_right_instruction_is_written_and_read_back(version, instruction):
    """Schema-valid, and every field reads back as the channel carries it."""
    assert pain001.problems(instruction, version) == []
    document, summary = write(instruction, version)
    assert_valid(document, version)
    assert detect(document) == version
    message = pain001.read(io.BytesIO(document))
    found = list(message.transfers)
    carried = pain001.carried(instruction, "sepa")
    assert (message.message_id, message.created) == (instruction.message_id, instruction.created)
    assert message.initiating_party == carried.initiating_party
    expected = [(block, transfer) for block in carried.blocks for transfer in block.transfers]
    if version.endswith(".03"):
        expected = [(block, without_uetr(transfer)) for block, transfer in expected]
    assert [transfer for _block, transfer in found] == [transfer for _block, transfer in expected]
    for (header, _), (block, _) in zip(found, expected, strict=True):
        for name in PaymentBlock.__slots__:
            if name not in ("transfers", "number_of_transactions", "control_sum"):
                assert getattr(header, name) == getattr(block, name), name
    amounts = [transfer.amount for _block, transfer in found]
    assert message.control_sum == summary.control_sum == sum(amounts, Decimal(0))
    assert message.number_of_transactions == summary.count == len(amounts)
    assert summary.sha256 == hashlib.sha256(document).hexdigest()
    assert summary.size == len(document)


@both
def test_totals_are_exact(version):
    """Sums that floats get wrong are right, per block and for the message."""
    tens = [make.transfer(n, amount=Decimal("0.10")) for n in range(3)]
    rest = make.transfer(9, amount=Decimal("999999999.99"))
    instruction = make.instruction(make.block(*tens), make.block(rest, id="PMT-2"))
    document, summary = write(instruction, version)
    assert values(document, "CtrlSum") == ["1000000000.29", "0.30", "999999999.99"]
    assert values(document, "NbOfTxs") == ["4", "3", "1"]
    assert summary.control_sum == Decimal("1000000000.29")


def test_amounts_have_their_currency_s_decimals():
    """Yen without decimals, dinars with three, whatever form the Decimal has."""
    cases = [("JPY", "1E+3", "1000"), ("KWD", "1.5", "1.500"), ("EUR", "7", "7.00")]
    agent = Agent(bic="COBADEFFXXX")
    for currency, given_, written in cases:
        payment = make.transfer(amount=Decimal(given_), currency=currency, creditor_agent=agent)
        instruction = make.instruction(make.block(payment, service_level=None))
        assert values(write(instruction, "pain.001.001.09")[0], "InstdAmt") == [written]


@both
def test_a_missing_bank_is_said_to_be_missing(version):
    """SEPA needs no BIC: the payer's bank is NOTPROVIDED, the payee's left out."""
    document, _summary = write(make.instruction(), version)
    assert_valid(document, version)
    assert "NOTPROVIDED" in values(document, "Id")
    assert values(document, "CdtrAgt") == []


@both
def test_national_references(version):
    """A Swiss QR reference carries its own type, others SCOR."""
    qrr = Remittance(
        creditor_reference="210000000003139471430009017", creditor_reference_type="QRR"
    )
    national = Remittance(creditor_reference="1234561")
    document, _summary = write(
        make.instruction(
            make.block(make.transfer(1, remittance=qrr), make.transfer(2, remittance=national))
        ),
        version,
    )
    assert_valid(document, version)
    assert values(document, "Prtry") == ["QRR"]
    assert values(document, "Ref") == ["210000000003139471430009017", "1234561"]
    assert "SCOR" in values(document, "Cd")


def test_the_unstructured_address_of_version_03():
    """Where the version still takes it, an address may be lines and a country."""
    address = Address(country="DE", lines=("Hauptstr. 1", "10115 Berlin"))
    instruction = make.one(creditor=Party(name="Vendor", address=address))
    document, _summary = write(instruction, "pain.001.001.03")
    assert_valid(document, "pain.001.001.03")
    assert values(document, "AdrLine") == ["Hauptstr. 1", "10115 Berlin"]


@both
def test_chinese_is_kept_where_the_channel_carries_it(version):
    """A Unicode channel gets the name as it is."""
    instruction = make.one(creditor=Party(name="中国石油 Müller"))
    document, _summary = write(instruction, version, "utf-8")
    assert_valid(document, version)
    assert "中国石油 Müller" in values(document, "Nm")
    with pytest.raises(FormatError, match="中 国 石 油"):
        write(instruction, version)


def test_nothing_is_written_unless_all_is_right():
    """One bad payment among many, and not a byte goes out; every fault is told."""
    payments = [make.transfer(n) for n in range(50)]
    payments[30] = make.transfer(30, amount=Decimal(0), creditor=Party(name=" "))
    stream = io.BytesIO()
    with pytest.raises(
        FormatError, match=r"payment E2E-30: the amount .* \(and 1 more\)"
    ) as caught:
        pain001.write(make.instruction(make.block(*payments)), stream, "pain.001.001.09")
    assert stream.getvalue() == b""
    assert [problem.code for problem in caught.value.problems] == ["amount", "empty"]


def test_an_unknown_version_is_a_mistake():
    """A version that can't be written is told at once."""
    with pytest.raises(ValueError, match=r"pain\.001\.001\.03"):
        write(make.instruction(), "pain.001.001.99")


def test_payments_that_change_while_being_written_are_noticed():
    """What was checked is what is written, or nothing is confirmed."""

    class Growing:
        times = 0

        def __iter__(self):
            self.times += 1
            return iter([make.transfer(n) for n in range(self.times)])

    instruction = make.instruction(make.block(transfers=Growing()))
    with pytest.raises(FormatError, match="changed while they were written"):
        write(instruction, "pain.001.001.09")


class Many:
    """Payments that never exist all at once."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self):
        return map(make.transfer, range(self.count))


class Sink(io.RawIOBase):
    def write(self, data) -> int:
        return len(data)


def peak(count: int) -> int:
    instruction = make.instruction(make.block(transfers=Many(count)))
    tracemalloc.start()
    try:
        assert pain001.write(instruction, Sink(), "pain.001.001.09").count == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_by_the_ids_alone():
    """Ten times the payments need little more: each end-to-end id, to find it twice."""
    peak(100)
    few, many = peak(1_000), peak(10_000)
    assert (many - few) / 9_000 < 200, (few, many)
