"""Every fault of an instruction is found before a byte is written, in words and with its place."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from formats import pain001
from formats.model import Account, Address, Agent, Party, Remittance
from tests_unit.formats import instructions as make

NINE = "pain.001.001.09"
PAYMENT = "blocks[0].transfers[0]"


def found(instruction, version=NINE, charset="sepa"):
    return [(item.path, item.code) for item in pain001.problems(instruction, version, charset)]


def test_a_right_instruction_has_no_problems():
    """The instruction from which the others differ is right."""
    for version in pain001.VERSIONS:
        assert found(make.instruction(), version) == []


RIGHT = Address(country="DE", town="Berlin")


@pytest.mark.parametrize(
    ("changes", "field", "code", "words"),
    [
        ({"amount": Decimal("0")}, "amount", "amount", "above zero"),
        ({"amount": Decimal("-1")}, "amount", "amount", "above zero"),
        ({"amount": Decimal("NaN")}, "amount", "amount", "not a decimal number"),
        ({"amount": 12.5}, "amount", "amount", "not a decimal number"),
        ({"amount": Decimal("1.005")}, "amount", "decimals", "more than the 2 decimals"),
        ({"amount": Decimal("1000000000.00")}, "amount", "amount", "at most 999999999.99"),
        ({"currency": "USD"}, "amount", "currency", "in EUR, not in USD"),
        ({"currency": "euro"}, "amount", "currency", "not a currency code"),
        ({"end_to_end_id": ""}, "end_to_end_id", "empty", "end-to-end id is empty"),
        ({"end_to_end_id": "x" * 36}, "end_to_end_id", "too_long", "36 characters"),
        ({"end_to_end_id": "/a"}, "end_to_end_id", "slash", "slash"),
        ({"end_to_end_id": "a//b"}, "end_to_end_id", "slash", "slash"),
        ({"end_to_end_id": "Zürich"}, "end_to_end_id", "charset", "does not take"),
        ({"instruction_id": " "}, "instruction_id", "empty", "instruction id is empty"),
        ({"uetr": "ABC"}, "uetr", "uetr", "UETR"),
        ({"uetr": "8a562c67-ca16-18ba-b074-65581be6f001"}, "uetr", "uetr", "version 4"),
        ({"creditor": Party(name="")}, "creditor.name", "empty", "payee's name is empty"),
        ({"creditor": Party()}, "creditor.name", "empty", "payee's name is empty"),
        ({"creditor": Party(name="x" * 71)}, "creditor.name", "too_long", "70 are allowed"),
        ({"creditor": Party(name="Θ" * 40)}, "creditor.name", "too_long", "80 characters"),
        ({"creditor": Party(name="中国")}, "creditor.name", "charset", "(中 国)"),
        ({"creditor_account": Account()}, "creditor_account", "account", "missing"),
        (
            {"creditor_account": Account(iban="DE88370400440532013000")},
            "creditor_account.iban",
            "iban",
            "not a valid IBAN",
        ),
        (
            {"creditor_account": Account(iban="DE89 3704 0044 0532 0130 00")},
            "creditor_account.iban",
            "iban",
            "not a valid IBAN",
        ),
        (
            {"creditor_account": Account(iban=make.IBAN, other="1")},
            "creditor_account",
            "account",
            "another number",
        ),
        ({"creditor_agent": Agent(bic="COBADEF")}, "creditor_agent.bic", "bic", "not valid"),
        ({"creditor_agent": Agent()}, "creditor_agent", "bic", "neither BIC"),
        ({"purpose": "TOOLONG"}, "purpose", "code", "1 to 4"),
        ({"charge_bearer": "OUR"}, "charge_bearer", "charge_bearer", "not one of"),
        (
            {"creditor": Party(name="V", address=Address(town="Berlin"))},
            "creditor.address.country",
            "country",
            "no country",
        ),
        (
            {"creditor": Party(name="V", address=replace(RIGHT, country="Germany"))},
            "creditor.address.country",
            "country",
            "two letters",
        ),
        (
            {"creditor": Party(name="V", address=replace(RIGHT, town=None))},
            "creditor.address.town",
            "town",
            "no town",
        ),
        (
            {"creditor": Party(name="V", address=replace(RIGHT, lines=("a", "b", "c")))},
            "creditor.address.lines",
            "too_long",
            "3 lines, 2 are allowed",
        ),
        (
            {"creditor": Party(name="V", address=replace(RIGHT, lines=("x" * 71,)))},
            "creditor.address.lines[0]",
            "too_long",
            "70 are allowed",
        ),
        (
            {"remittance": Remittance(unstructured="x" * 141)},
            "remittance.unstructured",
            "too_long",
            "140 are allowed",
        ),
        (
            {
                "remittance": Remittance(
                    creditor_reference="RF19539007547034", creditor_reference_issuer="ISO"
                )
            },
            "remittance.creditor_reference",
            "reference",
            "check digits",
        ),
        (
            {"remittance": Remittance(creditor_reference="x" * 36)},
            "remittance.creditor_reference",
            "too_long",
            "35 are allowed",
        ),
        (
            {"remittance": Remittance(creditor_reference="1234561", unstructured="Bill 1")},
            "remittance",
            "remittance",
            "not both",
        ),
    ],
)
def test_a_fault_of_a_payment(changes, field, code, words):
    """The fault is named with its field and the payment it belongs to, and no other."""
    (problem,) = pain001.problems(make.one(**changes), NINE)
    assert (problem.path, problem.code) == (f"{PAYMENT}.{field}", code)
    assert words in problem.message
    assert problem.end_to_end_id == changes.get("end_to_end_id", "E2E-1")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"message_id": "x" * 36}, ("message_id", "too_long")),
        ({"created": datetime(2026, 3, 1)}, ("created", "time_zone")),
        ({"initiating_party": Party()}, ("initiating_party.name", "empty")),
        ({"blocks": [make.block(id="")]}, ("blocks[0].id", "empty")),
        (
            {"blocks": [make.block(execution_date=datetime(2026, 3, 1))]},
            ("blocks[0].execution_date", "date"),
        ),
        ({"blocks": [make.block(debtor=Party())]}, ("blocks[0].debtor.name", "empty")),
        (
            {"blocks": [make.block(debtor_account=Account(other="123"))]},
            ("blocks[0].debtor_account.iban", "iban"),
        ),
        ({"blocks": [make.block(transfers=[])]}, ("blocks[0].transfers", "empty")),
        (
            {"blocks": [make.block(number_of_transactions=2)]},
            ("blocks[0].number_of_transactions", "count"),
        ),
        (
            {"blocks": [make.block(control_sum=Decimal("100.49"))]},
            ("blocks[0].control_sum", "control_sum"),
        ),
        (
            {"blocks": [make.block(charge_bearer="SHAR")]},
            ("blocks[0].charge_bearer", "charge_bearer"),
        ),
        (
            {"blocks": [make.block(local_instrument="IN ST")]},
            ("blocks[0].local_instrument", "code"),
        ),
    ],
)
def test_a_fault_of_the_message_or_a_block(changes, expected):
    """The fault is named, and belongs to no payment."""
    (problem,) = pain001.problems(make.instruction(**changes), NINE)
    assert (problem.path, problem.code) == expected
    assert problem.end_to_end_id is None


def test_an_empty_message():
    """A message without blocks pays nobody."""
    instruction = replace(make.instruction(), blocks=())
    assert found(instruction) == [("blocks", "empty")]


def test_identifiers_are_unique():
    """Two payments, or two blocks, with one id could not be told apart afterwards."""
    twice = make.block(make.transfer(1), make.transfer(1))
    assert found(make.instruction(twice)) == [("blocks[0].transfers[1].end_to_end_id", "duplicate")]
    other = make.block(make.transfer(2))
    assert found(make.instruction(make.block(), other)) == [("blocks[1].id", "duplicate")]


def test_all_faults_are_found_at_once():
    """Nobody has to correct one fault to learn of the next."""
    bad = make.transfer(1, amount=Decimal(0), creditor=Party(name=""), uetr="x")
    worse = make.transfer(2, creditor_account=Account())
    instruction = make.instruction(make.block(bad, worse), message_id="")
    assert found(instruction) == [
        ("message_id", "empty"),
        (f"{PAYMENT}.uetr", "uetr"),
        (f"{PAYMENT}.amount", "amount"),
        (f"{PAYMENT}.creditor.name", "empty"),
        ("blocks[0].transfers[1].creditor_account", "account"),
    ]


def test_the_unstructured_address_is_gone_from_version_09():
    """Since November 2026 the town must have its own field; version .03 knows no such rule."""
    address = Address(country="DE", lines=("Hauptstr. 1", "10115 Berlin"))
    instruction = make.one(creditor=Party(name="Vendor", address=address))
    assert found(instruction) == [(f"{PAYMENT}.creditor.address.town", "town")]
    assert found(instruction, "pain.001.001.03") == []


def abroad(**changes):
    payment = make.transfer(**{"currency": "USD"} | changes)
    return make.instruction(make.block(payment, service_level="NURG"))


def test_a_payment_to_another_country_needs_an_address():
    """Outside SEPA the payee's town and country must be known."""
    iban = "FR1420041010050500013M02606"
    assert found(abroad(creditor_account=Account(iban=iban))) == [
        (f"{PAYMENT}.creditor.address", "address")
    ]
    there = Party(name="Vendor SA", address=Address(country="FR", town="Paris"))
    assert found(abroad(creditor_account=Account(iban=iban), creditor=there)) == []
    assert found(abroad()) == []


def test_an_account_number_needs_its_bank():
    """Without an IBAN the payee's bank can't be told from the account."""
    home = Party(name="Vendor Inc", address=Address(country="US", town="New York"))
    bare = {"creditor": home, "creditor_account": Account(other="12345678")}
    assert found(abroad(**bare)) == [(f"{PAYMENT}.creditor_agent", "bic")]
    assert found(abroad(**bare, creditor_agent=Agent(bic="CHASUS33"))) == []
    clearing = Agent(clearing_system="USABA", member_id="021000021")
    assert found(abroad(**bare, creditor_agent=clearing)) == []


def test_sepa_shares_charges_and_needs_ibans():
    """What the SEPA rulebook fixes can't be asked for otherwise."""
    assert found(make.one(charge_bearer="DEBT")) == [(f"{PAYMENT}.charge_bearer", "charge_bearer")]
    assert found(make.one(charge_bearer="SLEV")) == []
    agent = Agent(bic="COBADEFFXXX")
    other = make.one(creditor_account=Account(other="123"), creditor_agent=agent)
    assert found(other) == [(f"{PAYMENT}.creditor_account.iban", "iban")]


def test_the_charge_bearer_is_given_once():
    """For the block or for the payment, not for both."""
    payment = make.transfer(charge_bearer="SHAR")
    block = make.block(payment, charge_bearer="SHAR", service_level=None)
    assert found(make.instruction(block)) == [(f"{PAYMENT}.charge_bearer", "charge_bearer")]
