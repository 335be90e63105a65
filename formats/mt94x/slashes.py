"""Field 86 in codes between slashes: SWIFT's own, and those of Dutch and other banks.

``/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/NAME/Vendor/REMI/Bill 7/EREF/E-1``
"""

import re

_CODES = (
    "ACCW ADDR BENM BIC CHGS CNTP CREF CSID EREF EXCH IBAN INIT IREF ISDT KREF MARF NAME OCMT"
    " ORDP PREF PURP REMI RTRN SVCL TRCD TRTP ULTB ULTC ULTD UETR VACC"
).split()
# the slash behind a code may be the one before the next
_CODE = re.compile("/(" + "|".join(_CODES) + ")(?=/)")
_PARTIES = ("ORDP", "BENM")
_OF_PARTY = ("NAME", "ADDR", "IBAN", "BIC", "ACCW")


def codes(text: str) -> dict[str, str] | None:
    """What stands behind each code; None where the text doesn't begin with one.

    A name of the ordering party or the beneficiary is under ``ORDP NAME``, ``BENM NAME``. Of a
    code that comes twice the first counts, but texts (``REMI``) are put together.
    """
    found = list(_CODE.finditer(text))
    if not found or text[: found[0].start()].strip():
        return None
    given: dict[str, str] = {}
    party = ""
    ends = [item.start() for item in found[1:]] + [len(text)]
    for item, end in zip(found, ends, strict=True):
        code, value = item.group(1), text[item.end() + 1 : end].strip()
        if code in _PARTIES:
            party = code
        elif code not in _OF_PARTY:
            party = ""
        elif party:
            code = f"{party} {code}"
        if code == "REMI" and code in given:
            given[code] = f"{given[code]} {value}"
        elif value.strip("/") and code not in given:
            given[code] = value
    return given


def remittance(text: str) -> tuple[str | None, str | None]:
    """Free text and creditor reference of a ``REMI``: ``USTD//text``, ``STRD/CUR/reference``."""
    text = text.strip("/ ")
    kind, _slash, rest = text.partition("/")
    rest = rest.strip("/ ")
    if kind == "USTD":
        return rest or None, None
    if kind == "STRD":
        scheme, slash, number = rest.partition("/")
        return None, (number.strip("/ ") if slash and scheme else rest) or None
    return text or None, None
