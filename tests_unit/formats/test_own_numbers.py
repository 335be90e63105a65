"""Our own numbers are found in what banks leave of them, and no piece of a longer one."""

import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from formats.own_numbers import own_numbers

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
batches = st.builds(
    "BC{:06d}-{}".format, st.integers(0, 999999), st.text(ALPHABET, min_size=8, max_size=8)
)
payments = st.builds("{}-{:05d}".format, batches, st.integers(1, 250_000)) | st.builds(
    lambda number: str(uuid.UUID(int=number, version=4)), st.integers(0, 2**128 - 1)
)
BEFORE = ["", "EREF+", "EREF", "Ref. ", "/EREF/", "Zahlung an Müller 4711 ", "E2E:", "(", "UETR "]
AFTER = ["", " SVWZ+Miete", "+SVWZ+Miete", "/URI/", ") danke", ", 4711", ".\n", "//CNTP/x"]


@st.composite
def noisy(draw, number):
    """A number as it arrives: other case, dashes lost or replaced, cut anywhere, words around."""
    text = draw(st.sampled_from([number, number.lower(), number.upper()]))
    text = text.replace("-", draw(st.sampled_from(["-", "", " ", ".", "/", " - "])))
    for _cut in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(["\n", " ", "\r\n", "-"])) + text[place:]
    return draw(st.sampled_from(BEFORE)) + text + draw(st.sampled_from(AFTER))


@given(st.data(), payments)
def test_a_payment_is_found_through_the_noise(data, number):
    assert number in own_numbers(data.draw(noisy(number))).payments


@given(st.data(), batches, st.sampled_from(["", "-1"]))
def test_a_batch_and_its_block(data, batch, block):
    assert batch in own_numbers(data.draw(noisy(batch + block))).batches


@given(st.data(), payments | batches, st.sampled_from("0123456789abcdefXYZ"))
def test_a_number_is_whole(data, number, more):
    """One more letter or digit, before, after or inside, makes another number."""
    place = data.draw(st.integers(0, len(number)))
    longer = number[:place] + more + number[place:]
    assume(longer.upper() not in (f"{number}1".upper(), f"{number}-1".upper()))
    text = data.draw(st.sampled_from(BEFORE)) + longer + data.draw(st.sampled_from(AFTER))
    found = own_numbers(text)
    assert number not in found.payments | found.batches


@given(st.data(), payments | batches)
def test_a_piece_is_no_number(data, number):
    """What was cut off at the end of a text names nothing of this number's kind."""
    cut = data.draw(st.integers(0, len(number) - 1))
    found = own_numbers(number[:cut])
    assert number not in found.payments | found.batches
    assert not found.payments or len(number) > 28  # a place of six digits or more, cut to five


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    found = own_numbers(text)
    assert all(number in own_numbers(number).payments for number in found.payments)
    assert all(number in own_numbers(number).batches for number in found.batches)


@pytest.mark.parametrize(
    ("text", "payments", "batches"),
    [
        ("BC261129-KD7QXM4T-00001", {"00001"}, False),
        ("erefbc261129kd7qxm4t00001svwz", {"00001"}, False),
        ("BC261129-KD7QXM4T", set(), True),
        ("BC261129-KD7QXM4T-1", set(), True),
        # what may be read in two ways
        ("BC261129-KD7QXM4T 00001", {"00001"}, True),
        ("BC261129-KD7QXM4T-10000 1", {"10000", "100001"}, False),
        ("BC261129-KD7QXM4T-00001 2", {"00001"}, False),
        # pieces of something longer, and what is none of ours
        ("BC261129-KD7QXM4T-000012", set(), False),
        ("BC261129-KD7QXM4T-0000", set(), False),
        ("BC261129-KD7QXM4T-2", set(), False),
        ("BC261129-KD7QXM4TX", set(), False),
        ("BC261129-KD7QXM4T-00001X", set(), False),
        ("ABC261129-KD7QXM4T-00001", set(), False),
        ("1BC261129-KD7QXM4T-00001", set(), False),
        ("BC261129-KD7QXM4O-00001", set(), False),
        (None, set(), False),
    ],
)
def test_what_is_read(text, payments, batches):
    found = own_numbers(text)
    assert found.payments == {f"BC261129-KD7QXM4T-{number}" for number in payments}
    assert bool(found.batches) == batches
