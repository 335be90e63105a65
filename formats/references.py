"""Structured creditor references: which form a text is, and whether its check digits hold.

RF (ISO 11649) and the national forms of Belgium, Croatia, Finland, Norway, Slovenia, Sweden and
Switzerland. A form made of digits alone (Finland, Norway, Sweden) is recognised only for a payee
of that country: any number might pass its check by chance.
"""

import re
from dataclasses import dataclass

from stdnum import iso11649

_WEIGHTS = (7, 3, 1)
_CARRY = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A recognised reference.

    - ``reference``: without spaces and ornaments, as ``CdtrRefInf/Ref`` carries it
    - ``scheme``: ``RF``, ``OGM`` (Belgium), ``QRR`` (Switzerland), ``SI``, ``HR``, ``FI``,
      ``KID`` (Norway) or ``OCR`` (Sweden)
    - ``issuer``: ``CdtrRefInf/Tp/Issr``: ``ISO`` for RF, ``BBA`` for OGM, else None
    - ``type``: ``CdtrRefInf/Tp/CdOrPrtry/Prtry`` where the country wants one (``QRR``);
      None for the ISO code ``SCOR``
    """

    reference: str
    scheme: str
    issuer: str | None = None
    type: str | None = None


def recognise(text: str, country: str | None = None) -> Reference | None:
    """The structured reference in ``text`` for a payee of ``country`` (ISO 3166), or None."""
    compact = re.sub(r"\s", "", text).upper()
    if compact.startswith("RF"):
        return Reference(reference=compact, scheme="RF", issuer="ISO") if is_rf(compact) else None
    digits = re.fullmatch(r"(?:\+{3}|\*{3})(\d{3})/?(\d{4})/?(\d{5})(?:\+{3}|\*{3})", compact)
    if digits or (country == "BE" and re.fullmatch(r"\d{12}", compact)):
        number = "".join(digits.groups()) if digits else compact
        if is_ogm(number):
            return Reference(reference=number, scheme="OGM", issuer="BBA")
        return None
    if re.fullmatch(r"\d{27}", compact) and is_qrr(compact) and country in (None, "CH", "LI"):
        return Reference(reference=compact, scheme="QRR", type="QRR")
    for scheme in ("SI", "HR"):
        if country in (None, scheme) and re.fullmatch(rf"{scheme}\d\d[\d-]{{0,22}}", compact):
            return _modelled(compact, scheme)
    checks = {"FI": ("FI", is_finnish), "NO": ("KID", is_kid), "SE": ("OCR", is_ocr)}
    if country in checks:
        scheme, check = checks[country]
        if check(compact):
            return Reference(reference=compact, scheme=scheme)
    return None


def is_rf(reference: str) -> bool:
    """An RF creditor reference (ISO 11649) in electronic form, check digits right."""
    return reference.isascii() and reference.isupper() and iso11649.is_valid(reference)


def is_ogm(digits: str) -> bool:
    """A Belgian structured communication: ten digits, and their remainder by 97 (97 for 0)."""
    if not re.fullmatch(r"\d{12}", digits, re.ASCII):
        return False
    return int(digits[10:]) == (int(digits[:10]) % 97 or 97)


def is_qrr(digits: str) -> bool:
    """A Swiss QR reference: 27 digits, the last by modulo 10, recursive."""
    if not re.fullmatch(r"\d{27}", digits, re.ASCII) or not int(digits):
        return False
    carry = 0
    for digit in digits[:-1]:
        carry = _CARRY[(carry + int(digit)) % 10]
    return (10 - carry) % 10 == int(digits[-1])


def is_finnish(digits: str) -> bool:
    """A Finnish reference: 4 to 20 digits, the last by weights 7, 3, 1 from the right."""
    if not re.fullmatch(r"\d{4,20}", digits, re.ASCII) or not int(digits):
        return False
    total = sum(int(d) * _WEIGHTS[i % 3] for i, d in enumerate(reversed(digits[:-1])))
    return (10 - total % 10) % 10 == int(digits[-1])


def is_kid(text: str) -> bool:
    """A Norwegian KID: 2 to 25 digits, the last by modulo 10 (Luhn) or modulo 11 (``-`` for 10)."""
    if not re.fullmatch(r"\d{1,24}[\d-]", text, re.ASCII):
        return False
    if text[-1] != "-" and _luhn(text):
        return True
    weights = (2, 3, 4, 5, 6, 7)
    total = sum(int(d) * weights[i % 6] for i, d in enumerate(reversed(text[:-1])))
    check = -total % 11
    return text[-1] == ("-" if check == 10 else str(check))


def is_ocr(digits: str) -> bool:
    """A Swedish OCR reference: 2 to 25 digits, the last by modulo 10 (Luhn)."""
    return re.fullmatch(r"\d{2,25}", digits, re.ASCII) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _modelled(compact: str, scheme: str) -> Reference | None:
    # model 99 means: no reference; the check digits of the others depend on the model,
    # which is the payee's affair, so only the form is judged here
    model, rest = compact[2:4], compact[4:]
    parts = rest.split("-")
    if model == "99" or not rest or len(parts) > (3 if scheme == "SI" else 4) or "" in parts:
        return None
    return Reference(reference=compact, scheme=scheme)
