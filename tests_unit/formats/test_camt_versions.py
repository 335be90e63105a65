"""Every published version of camt.052, camt.053 and camt.054 says the same thing."""

import io
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from formats import camt
from formats.detect import detect
from formats.incoming import Reason, TransactionCode
from formats.model import Account
from tests_unit.formats import camt_corpus as corpus
from tests_unit.formats.schemas import assert_valid


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_the_corpus_obeys_the_official_schema(name):
    """What the reader is tried on is what banks may really send."""
    assert_valid(corpus.full(name), name)


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_the_message_is_known_by_its_content(name):
    """Detection and reader agree on the message's name."""
    document = corpus.full(name)
    assert detect(document) == name
    (report,) = camt.reports(io.BytesIO(document))
    assert (report.kind, report.message_name) == (name[:8], name)


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_the_header_is_read(name):
    """Account, sequence, period, owner and bank are known before the first entry."""
    report = next(camt.reports(io.BytesIO(corpus.full(name))))
    zone = timezone(timedelta(hours=1))
    assert report.message_id == "M-1"
    assert report.id == "S-1"
    assert report.created == report.message_created == datetime(2026, 3, 3, 6, tzinfo=zone)
    assert (report.electronic_sequence, report.legal_sequence) == (17, 3)
    assert (report.from_, report.to) == (date(2026, 3, 2), date(2026, 3, 2))
    assert report.account == Account(iban=corpus.IBAN, currency="EUR")
    assert report.account_owner.name == "Us Ltd"
    assert report.servicer.bic == "COBADEFFXXX"


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_a_payment_is_read_with_all_its_references(name):
    """Amount, sign, dates, references, parties, charges, exchange and remittance are found."""
    report = next(camt.reports(io.BytesIO(corpus.full(name))))
    paid, _returned = report.entries
    assert paid.amount == Decimal("-101.50")
    assert (paid.currency, paid.credit_debit, paid.status) == ("EUR", "DBIT", "BOOK")
    assert (paid.booking_date, paid.value_date) == (date(2026, 3, 2), date(2026, 3, 3))
    assert paid.reference == ("N-1" if name[-2:] != "01" else None)
    assert paid.bank_reference == "BANK-ENTRY-7"
    assert paid.additional_information == "entry text"
    assert paid.transaction_code == TransactionCode(domain="PMNT", family="ICDT", subfamily="ESCT")
    (detail,) = paid.details
    assert detail.end_to_end_id == "E2E-1"
    assert detail.instruction_id == "INS-1"
    assert detail.message_id == "MSG-1"
    assert detail.payment_information_id == ("PMT-1" if name[-2:] != "01" else None)
    assert detail.transaction_id == "TX-1"
    assert detail.bank_reference == "BANK-7"
    assert detail.uetr == (corpus.UETR if int(name[-2:]) >= 8 else None)
    assert (detail.amount, detail.currency) == (Decimal("-100.00"), "EUR")
    assert (detail.instructed_amount, detail.instructed_currency) == (Decimal("108.00"), "USD")
    assert (detail.exchange.rate, detail.exchange.source) == (Decimal("1.08"), "USD")
    (charge,) = detail.charges
    assert (charge.amount, charge.currency, charge.bearer) == (Decimal("-1.50"), "EUR", "DEBT")
    assert (detail.debtor.name, detail.creditor.name) == ("Us Ltd", "Vendor GmbH")
    assert detail.creditor_account.iban == corpus.IBAN
    assert detail.creditor_agent.bic == "COBADEFFXXX"
    assert detail.remittance_unstructured == ("Bill 7", "and 8")
    assert detail.creditor_reference == "RF18539007547034"
    assert detail.referred_documents == ("BILL/7",)
    assert detail.purpose == "SUPP"
    assert detail.additional_information == "thank you"


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_a_return_is_read_with_its_reason(name):
    """Who returned it, the code and the words; a reference that is none is not one."""
    report = next(camt.reports(io.BytesIO(corpus.full(name))))
    _paid, returned = report.entries
    assert returned.amount == Decimal("40.00")
    assert returned.transaction_code.subfamily == "RRTN"
    (detail,) = returned.details
    assert detail.end_to_end_id is None
    assert detail.amount == (Decimal("40.00") if int(name[-2:]) >= 3 else None)
    assert detail.return_reason == Reason(
        code="AC04", additional=("closed",), originator="Their Bank"
    )


@pytest.mark.parametrize("name", corpus.VERSIONS)
def test_what_adds_up_has_no_faults(name):
    """The reference document is without faults and nothing had to be tolerated."""
    (report,) = camt.reports(io.BytesIO(corpus.full(name)))
    assert report.check() == []
    assert report.notes == []
