"""Where an MT940 leaves doubt about money it is refused, with the place."""

import io
import logging

import pytest

from formats.account_reports import account_reports
from formats.errors import FormatError
from formats.safety import Limits
from tests_unit.formats import mt_corpus as mt


def read(text: str | bytes, limits: Limits | None = None):
    data = text if isinstance(text, bytes) else text.encode()
    return [
        (report, list(report.entries))
        for report in account_reports(io.BytesIO(data), "mt940", limits)
    ]


@pytest.mark.parametrize(
    "written",
    ["1.000,00", "1,000.00", "1 000,00", "1'000,00", "1.000", "1,2345", "12,345", "12.5",
     "1000.00.00", "-5,00", "", ",", "1e3,00", "١٢,00", "1234567890123456,00"],
)  # fmt: skip
def test_amounts_that_may_be_two(written):
    """Thousands, too many decimals, signs and other digits: each could be another amount."""
    for tag, text in (
        (r":61:[5]", mt.line("5").replace("C5,N", f"C{written}N")),
        (":62F:", mt.balance("62F", "5").replace("EUR5,", f"EUR{written}")),
    ):
        good = [mt.line("1.00")] * 4
        head = mt.message(*good, opening="1.00").removesuffix("-\n")
        with pytest.raises(FormatError) as caught:
            read(f"{head}{text}\n-\n")
        assert caught.value.path == f"message[1]/{tag}"
        assert caught.value.line == 9


@pytest.mark.parametrize(
    ("field", "place"),
    [
        (":61:260302X5,00NTRFNONREF", ":61:[1]"),
        (":61:2603025,00NTRFNONREF", ":61:[1]"),
        (":61:261302C5,00NTRFNONREF", ":61:[1]"),
        (":61:2603320302C5,00NTRFNONREF", ":61:[1]"),
        (":61:2603021302C5,00NTRFNONREF", ":61:[1]"),
        (":61:", ":61:[1]"),
        (":62F:C2603EUR5,00", ":62F:"),
        (":62F:260302EUR5,00", ":62F:"),
        (":62F:C260230EUR5,00", ":62F:"),
        (":62F:C260302EU5,00", ":62F:"),
        (":62F:C260302EUR5,00\nand more", ":62F:"),
        (":64:C260302EUR5,00 about", ":64:"),
        (":62F:C260302EUR5,00\n:62F:C260302EUR6,00", ":62F:"),
        (":60F:C260302EUR5,00", ":60F:"),
        (":62F:C260302EUR1000,\n:60F:C260302EUR5,00", ":60F:"),
        (":61:260302C5,00NTRFX\n:25:" + mt.OTHER, ":25:"),
        (":62F:C260302EUR1000,\n:61:260302C5,00NTRFX", None),
        (":90C:EUR5,00.1", ":90C:"),
    ],
)
def test_fields_of_money_that_are_not_as_defined(field, place):
    """Marks, days, currencies and order: what is not as SWIFT defines it is not guessed at."""
    with pytest.raises(FormatError) as caught:
        read(mt.message(field))
    assert caught.value.path == (f"message[1]/{place}" if place else "message[1]")
    assert caught.value.line


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (mt.of("1.00").replace(f":25:{mt.IBAN}\n", ""), "names no account"),
        (mt.of("1.00", account=" "), "account has no number"),
        (mt.of("1.00").removeprefix(":20:REF-1\n"), "before the first message"),
        (mt.message(mt.line("1.00"), opening=None), "nothing tells the currency"),
        (mt.swift(mt.of("1.00"), "941"), "MT941 are not read"),
        (mt.swift(mt.of("1.00"), "900"), "MT900 are not read"),
        ("", "no message"),
        ("-\n-\n", "no message"),
    ],
)
def test_messages_that_are_none(text, match):
    with pytest.raises(FormatError, match=match):
        read(text)


def test_a_second_message_that_is_wrong_spoils_the_document():
    """The first statement is told; the fault comes when the reading reaches it."""
    reports = account_reports(
        io.BytesIO((mt.of("1.00") + mt.of("2.00").replace("2,00N", "2.0.0N")).encode()),
        "mt940",
    )
    assert len(list(next(reports).entries)) == 1
    with pytest.raises(FormatError, match=":61:"):
        for report in reports:
            list(report.entries)


def test_limits():
    """Size, line and field are bounded."""
    text = mt.message(mt.line("1.00"), ":86:" + "\n".join(["x" * 60] * 50))
    for limits in (Limits(max_bytes=100), Limits(max_text=200)):
        with pytest.raises(FormatError):
            read(text, limits)
    with pytest.raises(FormatError, match="a line is longer"):
        read(":20:" + "x" * 200_000)


def test_nothing_of_a_document_reaches_the_log(caplog):
    """The library would log a field that it can't read, with the account in it."""
    with caplog.at_level(logging.INFO), pytest.raises(FormatError):
        read(mt.message(mt.line("1.00", own=mt.IBAN).replace("1,00", "1.000,00")))
    assert caplog.records == []


def test_no_file_is_opened(tmp_path):
    """The library takes a text that names a file for that file: it is never asked that way."""
    secret = tmp_path / "secret"
    secret.write_text(mt.of("1.00"))
    with pytest.raises(FormatError):
        read(str(secret))
