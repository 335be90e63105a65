"""Field 86 in numbered parts, as German, Austrian, Polish and Czech banks write it.

``166?00GUTSCHRIFT?20EREF+E-1?21SVWZ+Bill 7?31DE89...?32Vendor GmbH``: a business transaction code,
then parts of 27 signs. Some write ``~`` or ``<`` for the question mark, leave the code out, put
free text before the first keyword or a question mark into a text: what the library would drop is
brought here into the form that it keeps.
"""

import re
from itertools import pairwise
from typing import Any

from mt940.processors import GVC_KEYS

_BEGINS = re.compile(r"([0-9]{3})?\s*([?~<^@|])(?=[0-9]{2})")
_PARTS = frozenset(
    ["00", "10", "38"]
    + [f"{number}" for number in (*range(20, 30), *range(30, 37), *range(60, 66))]
)
_KEYWORDS = [key for key in GVC_KEYS if key.strip()]
_KEYWORD = re.compile("(?:" + "|".join(_KEYWORDS) + r")\+")
# "EREF: E-1" at the beginning of a part means the same
_COLON = re.compile("(" + "|".join(_KEYWORDS) + r"): ?")
# a part that is shorter was ended on purpose, so that a blank belongs behind it
_FULL = 27
# signs in a line of field 86; some banks count its name in
_LINE = 65
NO_CODE = "999"
# private signs, unknown to any bank: a blank that is no part of a reference; a mere question mark
SOFT, LITERAL = "\ue000", "\ue001"


def prepared(_collection: Any, _tag: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Rewrite a field 86 in numbered parts as the library expects it; leave others alone."""
    given["transaction_details"] = normal(given["transaction_details"] or "")
    return given


def normal(text: str) -> str:
    """``text`` as the library expects it where it is in numbered parts, else as it is."""
    begins = _BEGINS.match(text)
    joined = unfolded(text, SOFT, begins.group(2) if begins else "")
    if begins is None:
        if not _KEYWORD.match(joined):
            return text
        # keywords without numbered parts
        return f"{NO_CODE}?20" + joined.replace("?", LITERAL)
    code, sign = begins.group(1) or NO_CODE, begins.group(2)
    # a line may end amid the number of a part
    cut = f"({re.escape(sign)}){SOFT}?([0-9]){SOFT}?([0-9]){SOFT}?"
    joined = re.sub(cut, r"\1\2\3", joined)
    parts: dict[str, str] = {}
    purpose = ""
    _before, *found = re.split(re.escape(sign) + "([0-9]{2})", joined[begins.start(2) :])
    last = "20"
    for number, value in zip(found[::2], found[1::2], strict=True):
        if number not in _PARTS:
            # just a sign in a text
            value, number = sign + number + value, last
            if number[0] in "26":
                purpose = purpose.removesuffix(SOFT) + value
                continue
            parts[number] = parts.get(number, "") + value
            continue
        last = number
        if number[0] in "26":
            purpose += _COLON.sub(r"\1+", value, count=1) if _COLON.match(value) else value
            if 0 < len(value) < _FULL:
                purpose += SOFT
        else:
            number = "31" if number == "38" else number
            name_ends = number == "32" and 0 < len(value) < _FULL
            parts[number] = parts.get(number, "") + value + (SOFT if name_ends else "")
    return f"{code}?" + "?".join(
        number + value.replace("?", LITERAL)
        for number, value in (*_purpose(purpose), *parts.items())
    )


def unfolded(text: str, blank: str, *starts: str) -> str:
    """The lines of a field as one; ``blank`` where a line was ended before it was full.

    None before a line that begins with one of ``starts``: it is a part of its own.
    """
    lines = text.split("\n")
    joined = lines[0]
    width = _LINE - len(":86:")
    for before, line in pairwise(lines):
        full = len(before) >= width or before.endswith((" ", "/"))
        begins = any(start and line.startswith(start) for start in starts)
        joined += line if full or begins else blank + line
        width = _LINE
    return joined


def _purpose(text: str) -> list[tuple[str, str]]:
    # the library drops what stands before the first keyword: it goes into another part
    found = _KEYWORD.search(text)
    if found is None or not text[: found.start()].strip(f" {SOFT}"):
        return [("20", text)]
    return [("60", text[: found.start()]), ("20", text[found.start() :])]


def plain(text: str | None) -> str | None:
    """A text as the bank meant it, in single blanks."""
    if not text:
        return None
    return " ".join(text.replace(SOFT, " ").replace(LITERAL, "?").split()) or None


def reference(text: str | None) -> str | None:
    """A reference, which a bank may have cut in two."""
    if not text:
        return None
    return text.replace(SOFT, "").replace(LITERAL, "?").strip() or None
