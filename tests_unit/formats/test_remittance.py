"""The text of a payment for several bills names what fits and says how many more."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.pain001 import remittance_text

references = st.lists(
    st.text(st.sampled_from("ABC0123456789/-"), min_size=1, max_size=30), min_size=1, max_size=40
)


@given(references, st.integers(60, 200))
def test_every_bill_is_named_or_counted(bills, limit):
    """The named and the counted bills are all bills, in their order, within the limit."""
    text = remittance_text(bills, limit)
    assert len(text) <= limit
    match = re.search(r"(?:^| )\+(\d+)$", text)
    left_out = int(match.group(1)) if match else 0
    named = bills[: len(bills) - left_out]
    assert text == " ".join([*named, f"+{left_out}"] if left_out else named)
    if left_out:
        one_more = " ".join(bills[: len(named) + 1])
        rest = left_out - 1
        assert len(f"{one_more} +{rest}" if rest else one_more) > limit


def test_blanks_and_empty_references():
    """References that say nothing take no room."""
    assert remittance_text(["BILL/1", "", "  ", " BILL/2 "]) == "BILL/1 BILL/2"
    assert remittance_text([]) == ""


def test_words_of_one_s_own():
    """The closing words are the caller's."""
    assert remittance_text(["A" * 100, "B" * 100], more="and {n} more") == "A" * 100 + " and 1 more"


def test_a_reference_is_never_cut():
    """Rather an error than half a reference."""
    with pytest.raises(ValueError, match="too long for 140"):
        remittance_text(["A" * 141])
