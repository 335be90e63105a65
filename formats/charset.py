"""Character sets of bank channels, and bringing a text into one without losing a letter.

Transliteration follows the conversion table of the European Payments Council (EPC217-08, "SEPA
requirements for an extended character set"): accents are dropped (``ä`` becomes ``a``), other
letters of the SEPA countries, Greek and Bulgarian Cyrillic included, have fixed Latin spellings,
symbols become the nearest permitted sign. Whatever the table doesn't know (Chinese, Arabic,
emoji) is refused, never dropped. Where the table writes a full stop for a sign that stands for
a letter or a digit (``ª``, ``²``), the letter or digit is kept.
"""

import re
import unicodedata
from functools import lru_cache

from .errors import FormatError

# SEPA Latin (EPC132-08, section 1.4); SWIFT's "x" set is the same but for line breaks
_SEPA = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
# a SEPA identifier or reference must not begin or end with a slash nor hold two in a row
_SLASHES = re.compile(r"^/|/$|//")

CHARSETS = ("sepa", "swift-x", "latin-1", "utf-8")

_LETTERS = {
    **dict.fromkeys("ßſ", "s"),
    "ẞ": "S",
    "Æ": "A", "æ": "a", "Œ": "O", "œ": "o", "Ø": "O", "ø": "o",
    "Ð": "D", "ð": "d", "Đ": "D", "đ": "d", "Þ": "T", "þ": "t",
    "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k", "Ł": "L", "ł": "l",
    "Ŋ": "N", "ŋ": "n", "Ŧ": "T", "ŧ": "t", "Ə": "E", "ə": "e",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th",
    "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p",
    "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps",
    "ω": "o",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z",
    "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
    "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch",
    "ш": "sh", "щ": "sht", "ъ": "a", "ь": "y", "ю": "yu", "я": "ya",
}  # fmt: skip
_SIGNS = {
    **dict.fromkeys("!\"#$%*<=>@^¡¢£¤¥¦§¨©«¬®¯°±¶·¸»×•…", "."),
    **dict.fromkeys("[{", "("), **dict.fromkeys("]}", ")"),
    **dict.fromkeys("_~\u00ad\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("`´‘’‚‛′“”„″", "'"), **dict.fromkeys("\\|", "/"),
    "⁄": "/", "&": "+", ";": ",", "¿": "?", "€": "E", "№": "No", "÷": ":",
    **dict.fromkeys("\t\n\r\u00a0\u2007\u2009\u202f\u3000", " "),
}  # fmt: skip
_TABLE = {**_SIGNS, **_LETTERS}
for _lower, _latin in (_GREEK | _CYRILLIC).items():
    _TABLE[_lower] = _latin
    # a final sigma has the same capital as sigma; both say S
    _TABLE[_lower.upper()] = _latin.upper()


class CharsetError(FormatError):
    """A text holds characters that the channel can't carry.

    - ``text``: the text; ``characters``: those that can't be carried, each once
    """

    def __init__(self, text: str, characters: str, charset: str) -> None:
        self.text = text
        self.characters = characters
        shown = " ".join(characters[:10]) + (" ..." if len(characters) > 10 else "")
        super().__init__(
            f"the bank's character set ({charset}) cannot carry {shown} in {text[:70]!r}:"
            " write it in Latin letters"
        )


def carries(text: str, charset: str) -> bool:
    """Whether the channel carries ``text`` as it stands."""
    if charset in ("sepa", "swift-x"):
        return _SEPA.fullmatch(text) is not None
    if charset == "latin-1":
        return all(" " <= char <= "~" or "\u00a0" <= char <= "\u00ff" for char in text)
    if charset == "utf-8":
        return all(map(_in_xml, text))
    raise ValueError(f"unknown character set {charset!r}: one of {', '.join(CHARSETS)}")


def to_charset(text: str, charset: str) -> str:
    """``text`` as the channel can carry it; raises ``CharsetError`` where it can't.

    No letter or digit is dropped: each yields at least one permitted character. A text that
    the channel carries comes back as it is (``utf-8`` composed to NFC).
    """
    if charset == "utf-8":
        text = unicodedata.normalize("NFC", text)
    if carries(text, charset):
        return text
    missing = unmappable(text, charset)
    if missing:
        raise CharsetError(text, missing, charset)
    return "".join(_mapped(char, charset) or "" for char in unicodedata.normalize("NFC", text))


def unmappable(text: str, charset: str) -> str:
    """The characters of ``text`` that can't be brought into the set, each once, in order."""
    chars = dict.fromkeys(unicodedata.normalize("NFC", text))
    return "".join(char for char in chars if _mapped(char, charset) is None)


def slash_fault(reference: str) -> bool:
    """Whether a SEPA reference breaks the rule on slashes (EPC132-08, section 1.4)."""
    return _SLASHES.search(reference) is not None


@lru_cache(maxsize=4096)
def _mapped(char: str, charset: str) -> str | None:
    if carries(char, charset):
        return char
    if char in _TABLE:
        return _TABLE[char]
    # accents that stand alone, and signs that only steer layout, say nothing by themselves
    if unicodedata.category(char) in ("Mn", "Cf"):
        return ""
    parts = unicodedata.normalize("NFKD", char)
    if parts == char:
        return None
    mapped = [_mapped(part, charset) for part in parts]
    return None if None in mapped else "".join(mapped)


def _in_xml(char: str) -> bool:
    # the Char production of XML 1.0, less the control characters it allows
    return (
        " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or "\U00010000" <= char
    ) and not "\x7f" <= char <= "\x9f"
