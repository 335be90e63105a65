"""Field 86 in the ways of many countries: references, parties and texts are found."""

import io
from decimal import Decimal

import pytest

from formats import mt94x
from formats.incoming import Batch, Reason, TransactionDetails
from formats.model import Account, Agent, Party
from tests_unit.formats import mt_corpus as mt

IBAN = mt.OTHER


def entry(information: str, value: str = "-1.00", **line):
    text = mt.message(mt.line(value, **line), *([information] if information else []))
    report = next(mt94x.reports(io.BytesIO(text.encode())))
    (found,) = report.entries
    return found


def detail(information: str, value: str = "-1.00", **line) -> TransactionDetails:
    (found,) = entry(information, value, **line).details
    return found


def test_german_parts_and_keywords():
    """Code, posting text, references, remittance over several parts, and the other side."""
    found = entry(
        ":86:116?00SEPA-UEBERWEISUNG?109310?20EREF+E2E-1?21KREF+MSG-1?22MREF+M-1"
        "?23CRED+DE98ZZZ09999999999?24PURP+SUPP?25SVWZ+Rechnung 4711 vom?2601.03.2026 und Rest"
        "\n?27ABWE+Their Mother?30COBADEFFXXX?31DE89370400440532013000?32Vendor GmbH?33Abt. 7"
        "?34997"
    )
    (told,) = found.details
    assert (told.end_to_end_id, told.message_id, told.mandate_id) == ("E2E-1", "MSG-1", "M-1")
    assert told.purpose == "SUPP"
    assert told.remittance_unstructured == ("Rechnung 4711 vom 01.03.2026 und Rest",)
    assert told.creditor == Party(name="Vendor GmbH Abt. 7")
    assert told.creditor_account == Account(iban="DE89370400440532013000")
    assert told.creditor_agent == Agent(bic="COBADEFFXXX")
    assert told.ultimate_creditor == Party(name="Their Mother")
    assert told.debtor is None
    assert (found.transaction_code.proprietary, found.transaction_code.issuer) == (
        "NTRF+116+997", "DK",
    )  # fmt: skip
    assert found.additional_information == "SEPA-UEBERWEISUNG"
    assert found.batch is None


def test_a_reference_cut_in_parts_and_lines_is_whole():
    """Parts of 27 signs and lines of 65 cut references and words anywhere."""
    reference = "E2E-2026-000000000000000000000-0001"
    text = "Rechnung Nr. 2026/000017 vom 1. Maerz 2026, abzueglich 2% Skonto"
    whole = f"EREF+{reference}"
    parts = [whole[:27], whole[27:]] + [f"SVWZ+{text}"[at : at + 27] for at in range(0, 75, 27)]
    body = "116?00UEBERWEISUNG" + "".join(f"?{20 + n}{part}" for n, part in enumerate(parts))
    lines = [f":86:{body}"[:65]] + [f":86:{body}"[at : at + 65] for at in range(65, 250, 65)]
    told = detail("\n".join(line for line in lines if line))
    assert (told.end_to_end_id, told.remittance_unstructured) == (reference, (text,))


@pytest.mark.parametrize(
    ("information", "reference", "text"),
    [
        # other signs, no code, text before the keyword, colons, keywords alone, more parts
        (":86:020~00PRZELEW~20FAKTURA 17~2105/2026~32Vendor~38PL61109010140000071219812874",
         None, "FAKTURA 17 05/2026"),
        (":86:166<00Eingang<20Rechnung<2117", None, "Rechnung 17"),
        (":86:?20EREF+E-1?21SVWZ+Rechnung", "E-1", "Rechnung"),
        (":86:116?20Rechnung 5 EREF+E-1", "E-1", "Rechnung 5"),
        (":86:116?20EREF: E-1?21SVWZ: Rechnung", "E-1", "Rechnung"),
        (":86:EREF+E-1 SVWZ+Rechnung 5", "E-1", "Rechnung 5"),
        (":86:116?20SVWZ+Ist das? Ja 2?29und?60mehr?61davon", None,
         "Ist das? Ja 2 und mehr davon"),
        (":86:116?20SVWZ+100 Stueck ?99 EUR", None, "100 Stueck ?99 EUR"),
        (":86:116?20EREF+NOTPROVIDED?21SVWZ+A+B=C", None, "A+B=C"),
    ],
)  # fmt: skip
def test_variants_of_numbered_parts(information, reference, text):
    """Nothing that a bank writes is lost, however it parts it."""
    told = detail(information)
    assert told.end_to_end_id == reference
    assert " ".join(told.remittance_unstructured) == text


def test_a_collective_booking_names_its_batch():
    """The customer's reference without an end-to-end one: one booking for many payments."""
    found = entry(":86:191?00SAMMELUEBERWEISUNG?20KREF+BATCH-7?21SVWZ+17 Posten")
    assert found.batch == Batch(message_id="BATCH-7", payment_information_id="BATCH-7")
    assert found.details[0].end_to_end_id is None


@pytest.mark.parametrize("cut", [0, 58, 61, 65])
def test_dutch_codes(cut):
    """Slashes, wrapped at any width; who is on the other side goes by the sign."""
    body = (
        f"/TRTP/SEPA OVERBOEKING/IBAN/{IBAN}/BIC/ABNANL2A/NAME/Vendor BV/REMI/Factuur 17"
        "/EREF/E-1/ORDP//ID/12345"
    )
    if cut:
        body = "\n".join(body[at : at + cut] for at in range(0, len(body), cut))
    found = entry(f":86:{body}")
    (told,) = found.details
    assert told.end_to_end_id == "E-1"
    assert (told.creditor, told.creditor_account) == (Party(name="Vendor BV"), Account(iban=IBAN))
    assert told.creditor_agent == Agent(bic="ABNANL2A")
    if cut in (0, 65):
        assert told.remittance_unstructured == ("Factuur 17",)
        assert found.additional_information == "SEPA OVERBOEKING"
    told = detail(f":86:{body}", "1.00")
    assert told.debtor_account == Account(iban=IBAN) and told.creditor is None


def test_dutch_counterparty_and_structured_reference():
    """ING's way: the other side in one code, the remittance's kind inside it."""
    told = detail(
        own="EREF",
        more="/TRCD/00100/",
        information=":86:/EREF/EV12341REP1231456T1234//CNTP/NL91ABNA0417164300/ABNANL2A\n"
        "/VENDOR BV///REMI/STRD/CUR/RF18539007547034//PURP//CD/SUPP/",
    )
    assert told.instruction_id is None
    assert told.end_to_end_id == "EV12341REP1231456T1234"
    assert (told.creditor, told.creditor_account) == (Party(name="VENDOR BV"), Account(iban=IBAN))
    assert (told.creditor_reference, told.purpose) == ("RF18539007547034", "SUPP")
    assert told.remittance_unstructured == ()
    assert detail(":86:/REMI/USTD//Bill 7/").remittance_unstructured == ("Bill 7",)
    assert entry(":86:x", more="/TRCD/00100/").additional_information == "/TRCD/00100/"


def test_swift_codes():
    """SWIFT's own: ordering party, beneficiary, original amount, rate and charges."""
    found = entry(
        ":86:/EREF/E-1/ORDP//NAME/Us Ltd/BENM//NAME/Vendor Inc/REMI/Bill 7"
        "/OCMT/USD108,00/EXCH/1,08/CHGS/EUR1,50/UETR/8a562c67-ca16-48ba-b074-65581be6f001"
    )
    (told,) = found.details
    assert (told.debtor, told.creditor) == (Party(name="Us Ltd"), Party(name="Vendor Inc"))
    assert told.uetr == "8a562c67-ca16-48ba-b074-65581be6f001"
    assert (found.instructed_amount, found.instructed_currency) == (Decimal("108.00"), "USD")
    assert found.exchange.rate == Decimal("1.08")
    ((charge,),) = (found.charges,)
    assert (charge.amount, charge.currency) == (Decimal("-1.50"), "EUR")
    # the same behind field 61
    found = entry("", more="/OCMT/USD108,00//CHGS/EUR1,50/")
    assert (found.instructed_amount, found.charges) == (Decimal("108.00"), (charge,))
    # what can't be read stays out: the entry's own amount does not hang on it
    found = entry(":86:/OCMT/USD1.08.00/CHGS/much/EXCH/one/REMI/Bill")
    assert (found.instructed_amount, found.charges, found.exchange) == (None, (), None)


@pytest.mark.parametrize(
    ("information", "text"),
    [
        (":86:Uw betaling factuur 17", "Uw betaling factuur 17"),
        (":86:货款 发票号 2026-17", "货款 发票号 2026-17"),
        (":86:944 CompanyNet Przelew krajowy; z rach.: 6110901014; tyt.: FV 17/03/2026",
         "944 CompanyNet Przelew krajowy; z rach.: 6110901014; tyt.: FV 17/03/2026"),
        (":86:" + "A" * 61 + "\nB\n12:30 Uhr", "A" * 61 + "B 12:30 Uhr"),
        (":86:line one\n:12: no field of these", "line one :12: no field of these"),
        (":86:see /REMI/ in the middle", "see /REMI/ in the middle"),
        (":86:/UNKNOWN/code", "/UNKNOWN/code"),
        (":86:", ""),
    ],
)  # fmt: skip
def test_free_text_stays_as_it_is(information, text):
    """What follows no convention is the remittance, whole."""
    assert " ".join(detail(information).remittance_unstructured) == text


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("RF18 5390 0754 7034", "RF18539007547034"),
        ("+++090/9337/55493+++", "090933755493"),
        ("210000000003139471430009017", "210000000003139471430009017"),
        ("RF19 5390 0754 7034", None),
        ("Bill RF18539007547034", None),
    ],
)
def test_a_text_that_is_a_creditor_reference(text, reference):
    """A text that is nothing but a reference with right check digits is one."""
    told = detail(f":86:{text}", "1.00")
    assert (told.creditor_reference, told.remittance_unstructured) == (reference, (text,))


@pytest.mark.parametrize(
    ("information", "kind", "reason"),
    [
        (":86:159?00RETOURE?20SVWZ+AC04 KONTO AUFGELOEST?34912", "NTRF",
         Reason(code="AC04", additional=("AC04 KONTO AUFGELOEST",))),
        (":86:159?00RETOURE?20SVWZ+zurueck?34914", "NTRF",
         Reason(proprietary="914", additional=("zurueck",))),
        (":86:/RTRN/MS03/REMI/Bill 7", "NTRF", Reason(code="MS03", additional=("Bill 7",))),
        (":86:sent back", "NRTI", Reason(additional=("sent back",))),
        (":86:166?00GUTSCHRIFT?20SVWZ+AC04", "NTRF", None),
    ],
)  # fmt: skip
def test_returns_say_why(information, kind, reason):
    """A payment that came back, by type, business code or SWIFT's code."""
    assert detail(information, "1.00", kind=kind).return_reason == reason


def test_several_fields_86_are_all_read():
    text = mt.message(mt.line("1.00"), ":86:Bill 7", ":86:and 8", closing="1001.00")
    report = next(mt94x.reports(io.BytesIO(text.encode())))
    (found,) = report.entries
    assert found.details[0].remittance_unstructured == ("Bill 7 and 8",)
