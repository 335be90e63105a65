"""Numbers of bills are found in what banks leave of a text, and no others."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from formats import remittance
from formats.remittance import Strength, block, find, same_reference

SURE, WEAK = Strength.SURE, Strength.WEAK

odoo_names = st.builds(
    lambda prefix, year, month, number: "/".join(
        part for part in (prefix, str(year), month, number) if part
    ),
    st.sampled_from(["INV", "BILL", "RE", "FACTU"]),
    st.integers(2015, 2035),
    st.sampled_from(["", "01", "09", "11", "12"]),
    st.integers(1, 99999).map("{:05d}".format) | st.integers(1, 9999).map("{:04d}".format),
)
words = st.lists(
    st.sampled_from(["Rechnung", "thank you", "Zahlung", "facture", "für", "payment", "Nr."]),
    max_size=3,
).map(" ".join)


@st.composite
def noisy(draw, number):
    """A number as it arrives: other case and separators, cut anywhere, words around it."""
    text = draw(st.sampled_from([number, number.lower(), number.title()]))
    separator = draw(st.sampled_from(["/", "-", " ", ".", " / ", "_"]))
    text = text.replace("/", separator)
    cut = draw(st.integers(0, len(text)))
    text = text[:cut] + draw(st.sampled_from(["", "\n", " "])) + text[cut:]
    return f"{draw(words)} {text} {draw(words)}"


@given(st.data(), odoo_names)
def test_a_number_is_found_through_the_noise(data, number):
    text = data.draw(noisy(number))
    assert find(text, [number])[number].strength is SURE
    assert block(number) in remittance.blocks([text])


@given(st.data(), odoo_names, st.lists(odoo_names, max_size=30))
def test_no_other_number_is_found(data, number, others):
    """Of any numbers, similar ones too, only the one that was written is named."""
    others = [other for other in others if other != number]
    # Those that say the same without their prefix are told apart by it, if it is written.
    text = data.draw(noisy(number))
    named = find(text, [number, *others])
    assert set(named) == {number}


@given(odoo_names, st.sampled_from("0123456789"), st.data())
def test_a_number_is_whole(number, digit, data):
    """One more digit, before, after or inside, makes another number."""
    digits = [i for i, char in enumerate(number) if char.isdigit()]
    place = data.draw(st.sampled_from([*digits, len(number)]))
    longer = number[:place] + digit + number[place:]
    assume(_plain(longer) != _plain(number))
    assert find(longer, [number]) == {}


def _plain(number):
    """Without the zeros that people leave away."""
    return [part.lstrip("0") for part in re.findall("[A-Z]+|[0-9]+", number)]


@given(st.text(max_size=200), odoo_names)
def test_any_text_is_read(text, number):
    for mention in find(text, [number, text]).values():
        assert mention.strength in (SURE, WEAK)


@given(odoo_names, odoo_names)
def test_two_numbers_next_to_each_other(one, other):
    assume(one != other)
    assert set(find(f"{one}, {other}", [one, other])) == {one, other}
    assert set(find(f"{one} {other}", [one, other])) == {one, other}


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("INV/2026/00042", "INV/2026/00042", SURE),
        ("Invoice 2026-00042", "INV/2026/00042", SURE),
        ("SVWZ+INV202600042", "INV/2026/00042", SURE),
        ("2026/42", "INV/2026/00042", SURE),
        ("INV 0000042", "INV42", WEAK),
        ("4711", "4711", WEAK),
        ("Kd 12 34 56", "123456", WEAK),
        ("R-17", "R-17", WEAK),
        ("/ROC/RE-2026-0815/URI/x", "RE-2026-0815", SURE),
        # pieces of something longer, or of somebody else's numbering
        ("ABC/2026/00042", "INV/2026/00042", None),
        ("INV/2026/00042/3", "INV/2026/00042", None),
        ("INV/2026/00042-B", "INV/2026/00042", None),
        ("1INV/2026/00042", "INV/2026/00042", None),
        ("DE89 3704 0044 0532 0130 00", "370400", None),
        ("", "INV/2026/00042", None),
        ("no digits at all", "no digits", None),
    ],
)
def test_what_is_a_number(text, number, expected):
    found = find(text, [number]).get(number)
    assert (found and found.strength) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("RF18 5390 0754 7034", "rf18539007547034", True),
        ("RF08 1232", "0000 1232", True),  # Finland: the same in either form
        ("00 00082 07791 22585 74212 86694", "820779122585742128 6694", True),
        ("+++090/9337/55493+++", "090933755493", True),
        ("1232", "1233", False),
        ("", "", False),
        (None, "1232", False),
        ("000", "0", False),
    ],
)
def test_structured_references(one, other, same):
    assert same_reference(one, other) is same
    assert same_reference(other, one) is same


@given(st.data(), odoo_names, st.integers(1, 900))
def test_the_next_number_resembles_it(data, number, step):
    """Another number of the same make is no sign that this one is meant."""
    head, last = number.rsplit("/", 1)
    other = f"{head}/{int(last) + step:0{len(last)}d}"
    assume(len(other) == len(number))
    text = data.draw(noisy(other))
    assert remittance.resembles(text, [number])
    assert remittance.resembles(f"{head} {int(last) + step}", [number])
    assert not remittance.resembles("rent for our office", [number])
