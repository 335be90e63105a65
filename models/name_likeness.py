"""How alike two names of a payee are: the vendor's, and that of the account's holder.

Plain Python. Names are compared without case, accents, punctuation, legal form and order of words:
"MUELLER + SOEHNE" is "Müller & Söhne GmbH". What is left is compared with ``difflib``. Chinese,
Japanese and Korean names have no words to sort: they are compared character by character, without
the words for a company.
"""

import re
import unicodedata
from difflib import SequenceMatcher

# Words that say what kind of company it is, folded (see _fold), dots removed.
LEGAL_FORMS = frozenset(
    """
    ab ag aktiengesellschaft and as asa aps bhd bv bvba co company corp corporation cv doo dd ek eg
    ev eu gbr gesellschaft gmbh haftung inc incorporated kft kg kgaa limited llc llp lp ltd ltda
    mbh mit beschrankter beschraenkter nv ohg oo oy oyj partg pj pjsc plc pt pte pty pvt
    sa sab sapi sarl sas sasu sau scs sdn se sl slu snc sp spa spzoo srl sro sti the tbk und ug et
    """.split()
)
# Longest first: each is cut out wherever it stands.
CJK_FORMS = re.compile(
    "股份有限公司|有限责任公司|有限責任公司|株式会社|株式會社|合同会社|有限会社|주식회사|유한회사"
    "|有限公司|分公司|总公司|總公司|公司|集团|集團"
)
# Ideographs, kana and hangul.
CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
NO_DECOMPOSITION = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th"})
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def likeness(one: str, other: str) -> float:
    """How alike two names are.

    :param one: a name, as written
    :param other: another one
    :return: from 0.0 (nothing in common, or nothing to compare) to 1.0 (the same)
    """
    if CJK.search(one + other):
        return _likeness_of_characters(_characters(one), _characters(other))
    # A German umlaut is written with an e, or without its dots, where a system has none.
    return max(
        _likeness_of_words(_words(one, first), _words(other, second))
        for first, second in ((False, False), (True, False), (False, True))
    )


def _likeness_of_words(one, other):
    if not one or not other:
        return 0.0
    # One says more than the other: "Deutsche Telekom" and "Deutsche Telekom Bonn". A single word
    # is too little: "Müller" is not "Müller Bau".
    shared = set(one) & set(other)
    if len(shared) >= 2 and len(shared) in (len(set(one)), len(set(other))):
        return 1.0
    return max(
        _ratio(" ".join(one), " ".join(other)),
        _ratio(" ".join(sorted(one)), " ".join(sorted(other))),
        _ratio("".join(one), "".join(other)),
    )


def _likeness_of_characters(one, other):
    if not one or not other:
        return 0.0
    shorter, longer = sorted((one, other), key=len)
    # People's names have two or three characters, and one may begin another.
    if len(shorter) >= 4 and shorter in longer:
        return 1.0
    return _ratio(one, other)


def _ratio(one, other):
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(name, umlauts):
    """The name's words without legal form; with it where nothing else is left."""
    folded = _fold(name, umlauts)
    # "S.A.R.L." and "A/S" are one word each.
    folded = re.sub(r"\b(?:[^\W\d_][./]){2,}", lambda found: re.sub("[./]", "", found[0]), folded)
    folded = re.sub(r"\b([^\W\d_])/([^\W\d_])\b", r"\1\2", folded)
    folded = re.sub(r"\bsp\.? z ?o\.?o\b", "spzoo", folded)
    words = re.findall(r"[^\W_]+", folded)
    return [word for word in words if word not in LEGAL_FORMS] or words


def _characters(name):
    folded = "".join(re.findall(r"[^\W_]+", _fold(name, umlauts=False)))
    return CJK_FORMS.sub("", folded) or folded


def _fold(name, umlauts):
    text = unicodedata.normalize("NFKC", name).casefold()
    if umlauts:
        text = text.translate(UMLAUTS)
    text = unicodedata.normalize("NFKD", text.translate(NO_DECOMPOSITION))
    # Composed again, for the syllables of Korean.
    return unicodedata.normalize(
        "NFC", "".join(char for char in text if not unicodedata.combining(char))
    )
