"""Write a customer statement as MT940, or an interim report as MT942.

Source: SWIFT Standards, Category 9, MT 940 (fields 20, 25, 28C, 60F, 61, 86, 62F, 64), with
field 86 structured as German banks do (DFÜ-Abkommen, annex 3, chapter 8: business transaction
code, then ``?00`` and so on; ``EREF+`` and ``SVWZ+`` in ``?20`` to ``?29``).
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

from . import money
from .store import get_setting

# The transaction type identification of field 61, and the business transaction code of field 86.
CODES = {"PMNT/ICDT": ("NTRF", "116", "SEPA-UEBERWEISUNG"),
         "PMNT/RCDT": ("NTRF", "166", "GUTSCHRIFT"),
         "PMNT/IRCT": ("NTRF", "118", "ECHTZEIT-UEBERWEISUNG"),
         "PMNT/IDDT": ("NDDT", "105", "LASTSCHRIFT"),
         "ACMT/MDOP": ("NCHG", "808", "GEBUEHREN")}
RETURN = ("NRTI", "159", "RETOURE")
OTHER = ("NMSC", "835", "SONSTIGE BUCHUNG")
SPELLED = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "ä": "ae", "ö": "oe", "ü": "ue",
                         "ß": "ss", "&": "+"})
SUBFIELD, NAME = 27, 27


def write(connection: sqlite3.Connection, account: sqlite3.Row, number: int, start: date,
          end: date, opening: int, entries: Iterable[list[sqlite3.Row]]) -> bytes:
    """One statement.

    :param number: its number, for field 28C.
    :param opening: the balance before ``start``, minor units.
    :param entries: as issue_camt.entries gives them.
    """
    lines = [f":20:{end:%y%m%d}{number:08d}", f":25:{account['iban']}",
             f":28C:{number:05d}/00001", _balance("60F", opening, start, account["currency"])]
    closing = opening
    for details in entries:
        closing += details[0]["entry_amount"]
        lines += _entry(details, account["currency"])
    lines += [_balance("62F", closing, end, account["currency"]),
              _balance("64", closing, end, account["currency"]), "-"]
    bic = get_setting(connection, "bank_bic").ljust(12, "X")
    head = f"{{1:F01{bic}0000000000}}{{2:I940{bic}N}}{{4:\r\n"
    return (head + "\r\n".join(lines) + "}\r\n").encode("ascii")


def interim(connection: sqlite3.Connection, account: sqlite3.Row, number: int,
            moment: datetime, entries: Iterable[list[sqlite3.Row]]) -> bytes:
    """One interim report (MT942: fields 20, 25, 28C, 34F, 13D, 61, 86, 90D, 90C)."""
    currency = account["currency"]
    lines = [f":20:{moment:%y%m%d}{number:08d}", f":25:{account['iban']}",
             f":28C:{number:05d}/00001", f":34F:{currency}{_amount(0, currency)}",
             f":13D:{moment:%y%m%d%H%M}+0000"]
    sums = {"D": [0, 0], "C": [0, 0]}
    for details in entries:
        amount = details[0]["entry_amount"]
        total = sums["C" if amount >= 0 else "D"]
        total[0], total[1] = total[0] + 1, total[1] + abs(amount)
        lines += _entry(details, currency)
    lines += [f":90{mark}:{count}{currency}{_amount(total, currency)}"
              for mark, (count, total) in sums.items()]
    bic = get_setting(connection, "bank_bic").ljust(12, "X")
    head = f"{{1:F01{bic}0000000000}}{{2:I942{bic}N}}{{4:\r\n"
    return (head + "\r\n".join([*lines, "-"]) + "}\r\n").encode("ascii")


def _amount(minor: int, currency: str) -> str:
    whole, _point, fraction = money.text(minor, currency).partition(".")
    return f"{whole},{fraction}"


def _balance(field: str, minor: int, day: date, currency: str) -> str:
    mark = "C" if minor >= 0 else "D"
    return f":{field}:{mark}{day:%y%m%d}{currency}{_amount(minor, currency)}"


def plain(value: object) -> str:
    """Text in the character set that SWIFT allows; what it has no sign for becomes a dot."""
    text = unicodedata.normalize("NFKD", str(value or "").translate(SPELLED))
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    return re.sub(r"[^A-Za-z0-9/\-(),.'+ ]", ".", " ".join(text.split()))


def _entry(details: list[sqlite3.Row], currency: str) -> list[str]:
    first = details[0]
    family, _slash, sub_family = first["code"].rpartition("/")
    kind, code, text = RETURN if sub_family == "RRTN" else CODES.get(family, OTHER)
    value, booked = (date.fromisoformat(first[name]) for name in ("value_date", "booking_date"))
    amount, single = first["entry_amount"], len(details) == 1
    reference = _reference(first) if single else plain(first["payment_information_id"])
    # SB, the day, a number of ten digits, C or D: without the day it is short enough for 16.
    own = "SB" + first["reference"][8:]
    lines = [f":61:{value:%y%m%d}{booked:%m%d}{'C' if amount >= 0 else 'D'}"
             f"{_amount(amount, currency)}{kind}{(reference or 'NONREF')[:16]}//{own}"]
    about = f"{code}?00{text}" + _remittance(first, single)
    return lines + _fold(f":86:{about}", 4)


def _fold(text: str, first: int) -> list[str]:
    """Six lines of 65 signs, the field's name on the first; none begins with a hyphen, which is
    how a message ends."""
    lines, size = [], 65 + first
    while text and len(lines) < 6:
        cut = size
        while text[cut:cut + 1] == "-":
            cut -= 1
        lines.append(text[:cut])
        text, size = text[cut:], 65
    return lines


def _data(row: sqlite3.Row) -> dict:
    return json.loads(row["data"]) if row["data"] else {}


def _reference(row: sqlite3.Row) -> str:
    # Slashes at either end, and two in a row, would end the field.
    name = plain(row["end_to_end_id"] or _data(row).get("end_to_end_id")).strip("/")
    return "" if "//" in name or len(name) > 16 else name


def _remittance(row: sqlite3.Row, single: bool) -> str:
    data = _data(row)
    told = re.sub(r"<[^>]+>", " ", row["remittance"] or data.get("remittance") or "")
    end_to_end = row["end_to_end_id"] or data.get("end_to_end_id") or "NOTPROVIDED"
    parts = []
    if single and row["role"] != "other":
        parts.append(f"EREF+{plain(end_to_end)}")
    elif not single:
        parts.append(f"KREF+{plain(row['message_id'])}")
    parts.append(f"SVWZ+{plain(told or row['information'])}")
    chunks = [part[at:at + SUBFIELD] for part in parts
              for at in range(0, len(part), SUBFIELD)][:10]
    text = "".join(f"?{20 + place}{chunk}" for place, chunk in enumerate(chunks))
    if not single:
        return text
    if row["instructed"] is not None:
        account, name = row["creditor_account"], row["creditor_name"]
    else:
        account, name = data.get("iban"), data.get("name")
    text += f"?31{plain(account)[:34]}" if account else ""
    name = plain(name)
    return text + "".join(f"?{32 + place}{name[at:at + NAME]}" for place, at in enumerate(
        range(0, min(len(name), 2 * NAME), NAME)))
