"""Transactions as JSON: entries like any others, and no amount by way of a float."""

import io
import json
import time
from datetime import date
from decimal import Decimal

import pytest

from formats import strict_json
from formats.account_reports import account_reports
from formats.detect import detect
from formats.errors import FormatError
from formats.incoming import Balance, Batch, Exchange, TransactionCode
from formats.model import Account, Agent, Party

IBAN, OTHER = "DE89370400440532013000", "NL91ABNA0417164300"
KIND = "berlin.transactions"
PAID = {
    "transactionId": "TX-1",
    "entryReference": "BANK-7",
    "endToEndId": "E2E-1",
    "mandateId": "M-1",
    "checkId": "CH-1",
    "bookingDate": "2026-03-02",
    "valueDate": "2026-03-03",
    "transactionAmount": {"currency": "EUR", "amount": "-100.50"},
    "currencyExchange": [
        {"sourceCurrency": "USD", "exchangeRate": "1.08", "unitCurrency": "EUR",
         "targetCurrency": "EUR", "quotationDate": "2026-03-01", "contractIdentification": "C-1",
         "instructedAmount": {"currency": "USD", "amount": "108.54"}}
    ],
    "creditorName": "Vendor GmbH",
    "creditorAccount": {"iban": OTHER},
    "creditorAgent": "ABNANL2AXXX",
    "ultimateCreditor": "Their Mother",
    "debtorName": "Us Ltd",
    "remittanceInformationUnstructured": "Bill 7",
    "remittanceInformationStructured": {"reference": "RF18539007547034"},
    "additionalInformation": "thank you",
    "purposeCode": "SUPP",
    "bankTransactionCode": "PMNT-ICDT-ESCT",
    "proprietaryBankTransactionCode": "116",
}  # fmt: skip


def page(*booked: dict, pending=(), information=None, account=None, **more) -> dict:
    lists = {"booked": list(booked), "pending": list(pending), "_links": {"account": {"href": "/"}}}
    if information is not None:
        lists["information"] = information
    return {"account": account or {"iban": IBAN, "currency": "EUR"}, "transactions": lists, **more}


def simple(amount: str, **more) -> dict:
    return {
        "transactionAmount": {"currency": "EUR", "amount": amount},
        "bookingDate": "2026-03-02",
        **more,
    }


def balance(kind: str, amount: str, day: str | None = "2026-03-02") -> dict:
    given = {"balanceType": kind, "balanceAmount": {"currency": "EUR", "amount": amount}}
    return {**given, "referenceDate": day} if day else given


def read(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    assert detect(data) == KIND
    return [(report, list(report.entries)) for report in account_reports(io.BytesIO(data), KIND)]


def only(document):
    ((report, entries),) = read(document)
    return report, entries


def test_a_transaction_with_all_that_it_may_say():
    """Amount, days, references, parties, exchange, remittance and codes are found."""
    report, (entry,) = only(page(PAID))
    assert (report.kind, report.final, report.last_page) == (KIND, False, True)
    assert report.account == Account(iban=IBAN, currency="EUR")
    assert (entry.amount, entry.currency, entry.credit_debit) == (Decimal("-100.50"), "EUR", "DBIT")
    assert (entry.status, entry.booking_date, entry.value_date) == (
        "BOOK", date(2026, 3, 2), date(2026, 3, 3),
    )  # fmt: skip
    assert (entry.bank_reference, entry.reference) == ("BANK-7", "BANK-7")
    assert entry.transaction_code == TransactionCode(
        domain="PMNT", family="ICDT", subfamily="ESCT", proprietary="116"
    )
    rate = Exchange(
        rate=Decimal("1.08"), source="USD", target="EUR", unit="EUR", contract="C-1"
    )
    assert (entry.exchange, entry.instructed_amount) == (rate, Decimal("108.54"))
    assert entry.additional_information == "thank you"
    (detail,) = entry.details
    assert (detail.end_to_end_id, detail.transaction_id) == ("E2E-1", "TX-1")
    assert (detail.mandate_id, detail.cheque_number) == ("M-1", "CH-1")
    assert (detail.amount, detail.currency) == (Decimal("-100.50"), "EUR")
    assert (detail.creditor, detail.debtor) == (Party(name="Vendor GmbH"), Party(name="Us Ltd"))
    assert detail.creditor_account == Account(iban=OTHER)
    assert detail.creditor_agent == Agent(bic="ABNANL2AXXX")
    assert detail.ultimate_creditor == Party(name="Their Mother")
    assert detail.remittance_unstructured == ("Bill 7",)
    assert detail.creditor_reference == "RF18539007547034"
    assert detail.purpose == "SUPP"
    assert (report.check(), report.notes) == ([], [])


def test_lists_are_statuses():
    """Booked, pending and information, in this order."""
    standing = simple("-1.00")
    del standing["bookingDate"]
    _report, entries = only(page(simple("1"), pending=[standing], information=[standing]))
    assert [(entry.status, entry.amount) for entry in entries] == [
        ("BOOK", 1), ("PDNG", -1), ("INFO", -1),
    ]  # fmt: skip
    assert [entry.position for entry in entries] == [1, 2, 3]


def test_a_batch_entry_with_its_payments():
    """The payments take the sign of their entry where the bank leaves theirs out."""
    parts = [simple("60.00", endToEndId="E-1"), simple("40.00", endToEndId="E-2")]
    booked = simple(
        "-100.00", batchIndicator=True, batchNumberOfTransactions=2, entryDetails=parts
    )
    report, (entry,) = only(page(booked))
    assert (entry.batch, report.notes) == (Batch(count=2), [])
    assert [(each.end_to_end_id, each.amount) for each in entry.details] == [
        ("E-1", -60), ("E-2", -40),
    ]  # fmt: skip
    parts[0]["transactionAmount"]["amount"] = "61.00"
    report, _entries = only(page(booked))
    assert "do not add up" in report.notes[0]
    del booked["entryDetails"]
    _report, (entry,) = only(page(booked))
    assert (entry.batch, len(entry.details)) == (Batch(count=2), 1)
    foreign = simple("-1.00", transactionAmount={"currency": "USD", "amount": "-108.00"})
    report, (entry,) = only(page(simple("-100.00", entryDetails=[foreign])))
    assert (entry.details[0].amount, report.notes) == (None, [])


def test_remittance_in_every_form():
    """One text or several, given twice or in the wrong field; a reference as text or object."""
    for given, texts in (
        ({"remittanceInformationUnstructuredArray": ["a", "b"]}, ("a", "b")),
        ({"remittanceInformationUnstructured": ["a", "b"]}, ("a", "b")),
        ({"remittanceInformationUnstructured": "a b",
          "remittanceInformationUnstructuredArray": ["a", "b"]}, ("a", "b")),
        ({"remittanceInformationUnstructured": "c",
          "remittanceInformationUnstructuredArray": ["a"]}, ("c", "a")),
        ({"remittanceInformationUnstructured": None}, ()),
        ({"remittanceInformationUnstructured": "货款\u0000\ud800"}, ("货款\ufffd\ufffd",)),
    ):  # fmt: skip
        _report, (entry,) = only(page(simple("1", **given)))
        assert entry.details[0].remittance_unstructured == texts
    given = {
        "remittanceInformationStructured": "RF18539007547034",
        "remittanceInformationStructuredArray": [
            {"reference": "RF18539007547034"}, {"reference": "2"},
        ],
    }
    _report, (entry,) = only(page(simple("1", **given)))
    assert entry.details[0].creditor_references == ("RF18539007547034", "2")


@pytest.mark.parametrize(
    ("account", "wanted"),
    [
        ({"iban": "de89 3704 0044 0532 0130 00"}, Account(iban=IBAN)),
        ({"bban": "370400440532013000"}, Account(other="370400440532013000", other_scheme="BBAN")),
        ({"maskedPan": "1234xxxx1234"}, Account(other="1234xxxx1234", other_scheme="maskedPan")),
        ({"other": {"identification": "S-1"}}, Account(other="S-1")),
        ({"iban": "DE00", "currency": "USD"}, Account(other="DE00", currency="USD")),
    ],
)
def test_accounts_in_every_form(account, wanted):
    report, _entries = only(page(account=account))
    assert report.account == wanted


def test_pages_of_one_account_are_one_report():
    """A list of pages; another account is another report, and what is missing is said."""
    next_link = {"next": {"href": "/more"}}
    first, second = page(simple("1")), page(simple("2"))
    first["transactions"]["_links"] = next_link
    other = page(simple("3"), account={"iban": OTHER}, _links=next_link)
    found = read([first, second, other])
    assert [[entry.amount for entry in entries] for _report, entries in found] == [[1, 2], [3]]
    assert [entry.position for entry in found[0][1]] == [1, 2]
    assert [report.last_page for report, _entries in found] == [True, False]
    assert found[0][1][1].path == "page[2]/transactions/booked[1]"
    # as a connector joins what it fetched; the later page names no account
    del second["account"]
    report, entries = only({"pages": [first, second]})
    assert ([entry.amount for entry in entries], report.last_page) == ([1, 2], True)


def test_balances_are_proven_where_the_list_is_whole():
    """Opening and closing of the period against its booked entries."""
    given = [balance("openingBooked", "10.00"), balance("closingBooked", "12.50"),
             balance("interimAvailable", "99"), balance("expected", "1", day=None)]  # fmt: skip
    report, _entries = only(page(simple("2.50"), pending=[simple("9")], balances=given))
    assert report.balances[:2] == [
        Balance(type="OPBD", amount=Decimal("10.00"), currency="EUR", date=date(2026, 3, 2)),
        Balance(type="CLBD", amount=Decimal("12.50"), currency="EUR", date=date(2026, 3, 2)),
    ]
    assert [item.type for item in report.balances] == ["OPBD", "CLBD", "ITAV"]
    assert report.check() == []
    assert "missing from a balance" in report.notes[0]
    report, _entries = only(page(simple("2.51"), balances=given))
    assert "a difference of -0.01" in report.check()[0]
    part = page(simple("2.51"), balances=given, _links={"next": {"href": "/"}})
    assert only(part)[0].check() == []


def test_signs_that_are_said_apart_or_left_out():
    """A minus, an indicator, or a refusal: a debit is never taken for a credit."""
    for amount, indicator, wanted in (("5", "DBIT", -5), ("-5", "DBIT", -5), ("5", "credit", 5)):
        _report, (entry,) = only(page(simple(amount, creditDebitIndicator=indicator)))
        assert entry.amount == wanted
    to_another = {"creditorName": "V", "creditorAccount": {"iban": OTHER}}
    for given in (
        simple("5", **to_another),
        simple("5", **to_another, bankTransactionCode="PMNT-ICDT-ESCT"),
        simple("-5", creditDebitIndicator="CRDT"),
    ):
        with pytest.raises(FormatError) as caught:
            read(page(given))
        assert caught.value.path == "page[1]/transactions/booked[1]/transactionAmount"
    for given in (
        simple("5", **to_another, debtorName="D"),
        simple("5", **to_another, bankTransactionCode="PMNT-ICDT-RRTN"),
        simple("5", **to_another, bankTransactionCode="PMNT-RCDT-ESCT"),
        simple("5", creditorAccount={"iban": IBAN}),
    ):
        assert only(page(given))[1][0].amount == 5


def test_numbers_that_are_no_texts():
    """A number is taken digit by digit, as it stands, and noted once."""
    data = json.dumps(page(simple("1"), simple("1"))).replace('"amount": "1"', '"amount": 0.10')
    report, entries = only(data.encode())
    assert [str(entry.amount) for entry in entries] == ["0.10", "0.10"]
    (note,) = report.notes
    assert note.endswith("booked[1]: transactionAmount has its amount as a number, not as a text")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('"amount": "1"', '"amount": "1,00"', "is not a number"),
        ('"amount": "1"', '"amount": "1e3"', "is not a number"),
        ('"amount": "1"', '"amount": 1e3', "is not a number"),
        ('"amount": "1"', '"amount": 1.5E-7', "is not a number"),
        ('"amount": "1"', '"amount": NaN', "NaN is no number"),
        ('"amount": "1"', '"amount": -Infinity', "-Infinity is no number"),
        ('"amount": "1"', '"amount": true', "missing or no number"),
        ('"amount": "1"', '"amount": null', "missing or no number"),
        ('"amount": "1"', '"amount": "1", "amount": "2"', "'amount' is given twice"),
        ('"amount": "1"', '"amount": "' + "9" * 40 + '"', "is not a number"),
        ('"currency": "EUR", "amount"', '"currency": "eur", "amount"', "has no currency"),
        ('"currency": "EUR", "amount"', '"currency": 978, "amount"', "has no currency"),
        ('"2026-03-02"', '"02.03.2026"', "is not a date"),
        ('"2026-03-02"', '"2026-02-30"', "is not a date"),
        ('"2026-03-02"', '["2026-03-02"]', "is not a date"),
        ('"2026-03-02"', "null", "neither booking date nor value date"),
        ('"transactionAmount"', '"amount"', "has no amount"),
        ('"booked": [', '"booked": [7, ', "an object is expected"),
        ('"booked": [{', '"information": "x", "booked": [{', "a list is expected"),
        ('"iban": "' + IBAN + '"', '"name": "x"', "names no account"),
        ('"currency": "EUR", "amount": "1"}', '"x": ' + "[" * 60 + "]" * 60 + "}", "deeper than"),
        ('{"account"', '{"account', "not well-formed JSON"),
    ],
)
def test_what_is_refused(old, new, match):
    """What could be another amount, another day or an attack, with the place where there is one."""
    data = json.dumps(page(simple("1")))
    assert old in data
    with pytest.raises(FormatError, match=match):
        for report in account_reports(io.BytesIO(data.replace(old, new, 1).encode()), KIND):
            list(report.entries)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"7", b'"x"', b"[[]]", b"{\xff\xfe", b"\x00\x00\x00", b"[" * 100_000,
     b'{"transactions": []}', b'{"_links": {"download": {"href": "x"}}}', b"1" * 5000],
)  # fmt: skip
def test_documents_that_are_none(data):
    with pytest.raises(FormatError):
        for report in account_reports(io.BytesIO(data), KIND):
            list(report.entries)


def test_the_size_is_bounded():
    with pytest.raises(FormatError, match="larger than"):
        strict_json.read(io.BytesIO(b" " * 101), 100)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_json(encoding):
    document = page(simple("1", creditorName="中国"), simple("1", debtorName="Müller"))
    _report, (one, two) = only(json.dumps(document, ensure_ascii=False).encode(encoding))
    assert (one.details[0].creditor.name, two.details[0].debtor.name) == ("中国", "Müller")


def test_a_text_that_does_not_end_is_refused_at_once():
    """Not looked through again from each of its quotes: a small file would take hours."""
    began = time.process_time()
    with pytest.raises(FormatError):
        strict_json.read(io.BytesIO(b'{"transactions": {"booked": ["' + b'\\"' * 500_000))
    assert time.process_time() - began < 5
