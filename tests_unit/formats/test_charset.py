"""A text reaches the bank with every letter it has, or not at all."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.charset import CHARSETS, CharsetError, carries, slash_fault, to_charset, unmappable

charsets = st.sampled_from(CHARSETS)
LATIN = st.characters(min_codepoint=32, max_codepoint=0x24F)
texts = st.one_of(st.text(max_size=40), st.text(LATIN, max_size=40))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller & Söhne", "Muller + Sohne"),
        ("Straße", "Strase"),
        ("Ærø Ødegård Þór", "Aro Odegard Tor"),
        ("Œuvre Łódź Đorđe", "Ouvre Lodz Dorde"),
        ("Žluťoučký kůň", "Zlutoucky kun"),
        ("İstanbul, ığdır", "Istanbul, igdir"),
        ("Ελλάδα", "Ellada"),
        ("Θεσσαλονίκη Ψ", "THessaloniki PS"),
        ("София Щъркел", "Sofiya SHTarkel"),
        ("50 % @ 3 €", "50 . . 3 E"),
        ("a_b [c] {d} \\e", "a-b (c) (d) /e"),
        ("“quoted” – it’s", "'quoted' - it's"),
        ("line\nbreak\tand\u00a0blank", "line break and blank"),
        ("e\u0301clair", "eclair"),
        ("2\u00b2 m", "22 m"),
    ],
)
def test_the_table(text, expected):
    """The conversion table of the EPC, and letters kept where it would write a full stop."""
    assert to_charset(text, "sepa") == expected


@given(texts, charsets)
def test_the_result_is_always_carried(text, charset):
    """Whatever comes out, the channel takes; whatever is refused is named."""
    try:
        assert carries(to_charset(text, charset), charset)
        assert unmappable(text, charset) == ""
    except CharsetError as error:
        assert error.characters == unmappable(text, charset) != ""
        assert set(error.characters) <= set(unicodedata.normalize("NFC", text))


@given(texts, charsets)
def test_no_letter_or_digit_is_lost(text, charset):
    """Each letter and digit gives at least one letter or digit, in its place."""
    composed = unicodedata.normalize("NFC", text)
    wanted = [char for char in composed if unicodedata.category(char)[0] in "LN"]
    try:
        mapped = [to_charset(char, charset) for char in wanted]
        whole = to_charset(text, charset)
    except CharsetError:
        return
    assert all(any(char.isalnum() for char in piece) for piece in mapped)
    position = 0
    for piece in mapped:
        position = whole.index(piece, position) + len(piece)


@given(texts, charsets)
def test_converting_twice_is_converting_once(text, charset):
    """What was brought into the set stays as it is."""
    try:
        once = to_charset(text, charset)
    except CharsetError:
        return
    assert to_charset(once, charset) == once


@given(st.text(st.sampled_from("abcXYZ019 /-?:().,'+"), max_size=70), charsets)
def test_permitted_text_is_untouched(text, charset):
    """What every channel carries is not changed by any."""
    assert to_charset(text, charset) == text


@pytest.mark.parametrize(
    "text", ["中国银行", "بنك", "בנק", "株式会社", "Ы", "🙂", "ไทย", "a\x00b", "٣"]
)
def test_what_the_table_does_not_know_is_refused(text):
    """Chinese, Arabic, emoji and control characters are refused by name where not carried."""
    for charset in ("sepa", "swift-x", "latin-1"):
        with pytest.raises(CharsetError, match="cannot carry") as caught:
            to_charset(f"Bank {text}", charset)
        assert set(caught.value.characters) <= set(text)
        assert caught.value.text == f"Bank {text}"


def test_unicode_channels_keep_every_script():
    """Where the channel carries it, Chinese stays Chinese; control characters never pass."""
    assert to_charset("中国银行 Müller", "utf-8") == "中国银行 Müller"
    assert to_charset("e\u0301", "utf-8") == "é"
    with pytest.raises(CharsetError):
        to_charset("a\x07b", "utf-8")


def test_latin_1_keeps_its_own_letters():
    """Only what Latin-1 lacks is transliterated."""
    assert to_charset("Müller Łódź", "latin-1") == "Müller Lódz"


def test_an_unknown_character_set_is_a_mistake():
    """A misspelt profile is told at once."""
    with pytest.raises(ValueError, match="unknown character set"):
        to_charset("a", "sepia")


@given(st.text(st.sampled_from("/ab"), max_size=6))
def test_slashes_in_references(text):
    """No slash at either end, no two in a row."""
    assert slash_fault(text) == (re.search(r"^/|/$|//", text) is not None)
