"""Instructions to write: one that is right, and hypothesis strategies for any that are."""

import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import strategies as st
from stdnum import iban

from formats.currency import decimals
from formats.model import (
    Account,
    Address,
    Agent,
    CreditTransfer,
    Instruction,
    Party,
    PaymentBlock,
    Remittance,
)

IBAN = "DE89370400440532013000"
RF = "RF18539007547034"


def transfer(number: int = 1, **changes) -> CreditTransfer:
    """A right SEPA payment."""
    fields = {
        "end_to_end_id": f"E2E-{number}",
        "amount": Decimal("100.50"),
        "currency": "EUR",
        "creditor": Party(name="Vendor GmbH"),
        "creditor_account": Account(iban=IBAN),
    }
    return CreditTransfer(**fields | changes)


def block(*transfers: CreditTransfer, **changes) -> PaymentBlock:
    """A right block over these payments, SEPA unless said otherwise."""
    fields = {
        "id": "PMT-1",
        "execution_date": date(2026, 3, 2),
        "debtor": Party(name="Us Ltd"),
        "debtor_account": Account(iban=IBAN),
        "transfers": transfers or (transfer(),),
        "service_level": "SEPA",
    }
    return PaymentBlock(**fields | changes)


def instruction(*blocks: PaymentBlock, **changes) -> Instruction:
    """A right message."""
    fields = {
        "message_id": "MSG-1",
        "created": datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc),
        "initiating_party": Party(name="Us Ltd"),
        "blocks": blocks or (block(),),
    }
    return Instruction(**fields | changes)


def one(version: str = "", **changes) -> Instruction:
    """A message with one SEPA payment that differs in ``changes``."""
    return instruction(block(transfer(**changes)))


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def text(most: int) -> st.SearchStrategy[str]:
    """A free text that SEPA carries, with letters to be transliterated one for one."""
    return (
        st.text(st.sampled_from(_LETTERS + " -?:().,'+/äöüéèñçßŁčžø&@"), min_size=1, max_size=most)
        .map(str.strip)
        .filter(bool)
    )


def identifier(most: int = 35) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(_LETTERS + "-"), min_size=1, max_size=most)


def code(most: int = 4) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), min_size=1, max_size=most)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


countries = st.sampled_from(["DE", "FR", "SE", "US", "CN"])
bics = st.sampled_from(["COBADEFFXXX", "BNPAFRPP", "DNBANOKK", "CHASUS33"])
ibans = st.sampled_from(["DE", "FI"]).flatmap(
    lambda country: st.text("0123456789", min_size=18, max_size=18).map(
        lambda digits: _iban(country, digits if country == "DE" else digits[:14])
    )
)


def _iban(country: str, rest: str) -> str:
    return country + iban.calc_check_digits(f"{country}00{rest}") + rest


accounts = st.one_of(
    st.builds(Account, iban=ibans, currency=maybe(st.sampled_from(["EUR", "USD"]))),
    st.builds(Account, other=identifier(34), other_scheme=maybe(st.sampled_from(["BBAN", "OURS"]))),
)
addresses = st.builds(
    Address,
    country=countries,
    town=text(35),
    post_code=maybe(text(16)),
    street=maybe(text(70)),
    building=maybe(text(16)),
    subdivision=maybe(text(35)),
    lines=st.lists(text(70), max_size=2).map(tuple),
)
parties = st.builds(
    Party,
    name=text(70),
    address=addresses,
    organisation_id=maybe(identifier()),
    organisation_id_scheme=st.none(),
) | st.builds(
    Party,
    name=text(70),
    address=addresses,
    organisation_id=identifier(),
    organisation_id_scheme=st.sampled_from(["BANK", "TXID", "OURS"]),
)
agents = st.one_of(
    st.builds(Agent, bic=bics),
    st.builds(
        Agent,
        bic=maybe(bics),
        name=text(70),
        clearing_system=maybe(st.sampled_from(["USABA", "GBDSC"])),
        member_id=identifier(),
        address=maybe(addresses),
    ),
)


def amounts(currency: str) -> st.SearchStrategy[Decimal]:
    return st.integers(1, 10**11).map(lambda units: Decimal(units).scaleb(-decimals(currency)))


remittances = st.builds(
    Remittance,
    unstructured=maybe(text(140)),
    creditor_reference=st.just(RF),
    creditor_reference_issuer=st.just("ISO"),
) | st.builds(Remittance, unstructured=text(140))


@st.composite
def transfers(draw, number: int, bearer_in_block: bool) -> CreditTransfer:
    """Any payment that is right outside SEPA."""
    currency = draw(st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"]))
    bearers = st.sampled_from(["SHAR", "DEBT", "CRED", "SLEV"])
    return CreditTransfer(
        end_to_end_id=f"{draw(identifier(30))}{number}",
        instruction_id=draw(maybe(identifier())),
        uetr=draw(maybe(st.uuids(version=4).map(str))),
        amount=draw(amounts(currency)),
        currency=currency,
        creditor=draw(parties),
        creditor_account=draw(accounts),
        creditor_agent=draw(agents),
        ultimate_debtor=draw(maybe(parties)),
        ultimate_creditor=draw(maybe(parties)),
        purpose=draw(maybe(code())),
        charge_bearer=None if bearer_in_block else draw(maybe(bearers)),
        remittance=draw(maybe(remittances)),
        regulatory_code=draw(maybe(code(10))),
        regulatory_text=draw(maybe(text(35))),
        regulatory_country=draw(maybe(countries)),
    )


@st.composite
def blocks(draw, number: int) -> PaymentBlock:
    """Any block that is right outside SEPA."""
    bearer = draw(maybe(st.sampled_from(["SHAR", "DEBT"])))
    count = draw(st.integers(1, 3))
    return PaymentBlock(
        id=f"{draw(identifier(30))}{number}",
        execution_date=draw(st.dates(date(2020, 1, 1), date(2090, 1, 1))),
        debtor=draw(parties),
        debtor_account=draw(accounts),
        debtor_agent=draw(agents),
        transfers=[draw(transfers(number * 10 + i, bearer is not None)) for i in range(count)],
        service_level=draw(st.sampled_from([None, "URGP", "NURG"])),
        local_instrument=draw(maybe(code(35))),
        category_purpose=draw(maybe(code())),
        batch_booking=draw(st.sampled_from([None, True, False])),
        charge_bearer=bearer,
    )


@st.composite
def instructions(draw) -> Instruction:
    """Any message that is right."""
    zone = timezone(timedelta(minutes=draw(st.integers(-12, 14)) * 60))
    return Instruction(
        message_id=draw(identifier()),
        created=draw(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1))).replace(
            microsecond=0, tzinfo=zone
        ),
        initiating_party=draw(parties),
        blocks=[draw(blocks(number)) for number in range(1, draw(st.integers(2, 3)))],
    )


def new_uetr() -> str:
    return str(uuid.uuid4())
