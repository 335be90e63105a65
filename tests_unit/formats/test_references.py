"""Structured references are recognised by form and check digits, and never by chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import references
from formats.references import Reference, recognise


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        (
            "RF18 5390 0754 7034",
            None,
            Reference(reference="RF18539007547034", scheme="RF", issuer="ISO"),
        ),
        (
            "rf18539007547034",
            "FI",
            Reference(reference="RF18539007547034", scheme="RF", issuer="ISO"),
        ),
        (
            "+++090/9337/55493+++",
            None,
            Reference(reference="090933755493", scheme="OGM", issuer="BBA"),
        ),
        (
            "***090/9337/55493***",
            "FR",
            Reference(reference="090933755493", scheme="OGM", issuer="BBA"),
        ),
        ("090933755493", "BE", Reference(reference="090933755493", scheme="OGM", issuer="BBA")),
        (
            "21 00000 00003 13947 14300 09017",
            "CH",
            Reference(reference="210000000003139471430009017", scheme="QRR", type="QRR"),
        ),
        ("SI12 1234567890120", "SI", Reference(reference="SI121234567890120", scheme="SI")),
        ("HR01 12-345-678", None, Reference(reference="HR0112-345-678", scheme="HR")),
        ("1234561", "FI", Reference(reference="1234561", scheme="FI")),
        ("1234567897", "SE", Reference(reference="1234567897", scheme="OCR")),
        ("2345676", "NO", Reference(reference="2345676", scheme="KID")),
    ],
)
def test_known_references(text, country, expected):
    """Published examples are recognised with scheme and issuer."""
    assert recognise(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("RF19539007547034", None),  # wrong check digits
        ("+++090/9337/55494+++", None),
        ("090933755493", None),  # bare digits: of no country
        ("090933755493", "DE"),
        ("1234561", None),
        ("1234562", "FI"),
        ("210000000003139471430009018", "CH"),
        ("SI99", "SI"),  # model 99 means: no reference
        ("HR0012-345-678", "SI"),
        ("Bill 2026/17", "BE"),
        ("", None),
        ("0000", "FI"),
    ],
)
def test_what_is_no_reference(text, country):
    """Wrong check digits, another country or plain text give none."""
    assert recognise(text, country) is None


CHECKS = {
    "is_rf": "RF18539007547034",
    "is_ogm": "090933755493",
    "is_qrr": "210000000003139471430009017",
    "is_finnish": "1234561",
    "is_ocr": "1234567897",
}


@given(st.sampled_from(sorted(CHECKS)), st.data())
def test_one_wrong_digit_is_found(name, data):
    """A single mistyped digit never passes."""
    good = CHECKS[name]
    check = getattr(references, name)
    assert check(good)
    place = data.draw(st.integers(2 if name == "is_rf" else 0, len(good) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != good[place]]))
    assert not check(good[:place] + other + good[place + 1 :])


def test_norwegian_check_digits():
    """A KID ends in a digit by modulo 10 or 11, or in a hyphen for 10."""
    assert references.is_kid("2345676")  # modulo 10
    assert references.is_kid("12345678903")  # modulo 10
    eleven = [text for text in (f"123{d}" for d in "0123456789-") if references.is_kid(text)]
    assert eleven == ["1230", "1236"]
    assert not references.is_kid("7")
