"""What an entry is about: field 86 and the end of field 61, in whatever way the bank writes it."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..iban import is_iban
from ..incoming import Charge, Exchange, Reason
from ..reasons import REASONS
from ..references import recognise
from .slashes import codes, remittance
from .structured import NO_CODE, plain, reference, unfolded

# what banks write when there is no reference to give
NO_REFERENCE = frozenset({"NONREF", "NOTPROVIDED", "NOT PROVIDED", "KEINEANGABE"})
# what stands in field 61 where field 86 gives the reference, as its code there
_IN_TEXT = frozenset({"EREF", "KREF", "MARF", "PREF"})
_OF_AMOUNTS = frozenset({"OCMT", "EXCH", "CHGS"})
_MONEY = re.compile(r"([A-Z]{3})([0-9]{1,15}(?:,[0-9]{0,5})?)", re.ASCII)
_RATE = re.compile(r"[0-9]{1,12}(?:[,.][0-9]{0,11})?", re.ASCII)
_REASON = re.compile(r"\b([A-Z]{2}[0-9]{2})\b", re.ASCII)
# German business transaction codes of credit transfers and direct debits that came back
_RETURNED = frozenset({"108", "109", "159"})
_RETURNED_TYPE = "RTI"  # of field 61: a returned item
_UETR = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


@dataclass(slots=True)
class About:
    """What field 86 says.

    - ``other_*``: who is on the other side; ``debtor``, ``creditor``: ordering party and
      beneficiary where the bank tells which is which
    - ``batch_reference``: the customer's reference of what was sent (``KREF``)
    - ``returned``: a return's reason, or any sign that it is one
    """

    end_to_end_id: str | None = None
    uetr: str | None = None
    batch_reference: str | None = None
    bank_reference: str | None = None
    mandate_id: str | None = None
    purpose: str | None = None
    business_code: str | None = None
    text_key: str | None = None
    posting_text: str | None = None
    other_name: str | None = None
    other_account: str | None = None
    other_bank: str | None = None
    debtor_name: str | None = None
    creditor_name: str | None = None
    ultimate_debtor: str | None = None
    ultimate_creditor: str | None = None
    remittance: list[str] = field(default_factory=list)
    creditor_reference: str | None = None
    original: tuple[Decimal, str] | None = None
    exchange: Exchange | None = None
    charges: tuple[Charge, ...] = ()
    returned: Reason | None = None


def about(given: dict[str, Any]) -> About:
    """What the library read of an entry, ``given``, brought into one form."""
    found = About()
    extra = unfolded(given.get("extra_details") or "", "")
    if "posting_text" in given:
        _numbered(given, found)
    elif text := given.get("transaction_details"):
        said = codes(unfolded(text, " ", "/"))
        if said:
            _coded(said, found)
        else:
            found.remittance = [plain(unfolded(text, " "))]
    said = codes(extra) or {}
    _amounts(said, found)
    if extra.strip() and not said.keys() & _OF_AMOUNTS:
        found.posting_text = " ".join(filter(None, (found.posting_text, plain(extra))))
    found.remittance = [text for text in found.remittance if text]
    _recognise(given, found)
    return found


def known(text: str | None) -> str | None:
    """A reference, unless it is a word for none."""
    text = (text or "").strip()
    return text if text and text.upper() not in NO_REFERENCE | _IN_TEXT else None


def _numbered(given: dict[str, Any], found: About) -> None:
    """A field 86 in numbered parts, under the names that the library gives them."""
    code = given.get("transaction_code")
    found.business_code = code if code != NO_CODE else None
    found.text_key = plain(given.get("return_debit_notes"))
    found.posting_text = plain(given.get("posting_text"))
    found.end_to_end_id = known(reference(given.get("end_to_end_reference")))
    # the library puts it behind field 61's own customer's reference
    _own, _line, batch = (given.get("customer_reference") or "").partition("\n")
    found.batch_reference = known(reference(batch))
    found.mandate_id = known(reference(given.get("additional_position_reference")))
    found.purpose = plain(given.get("purpose_code"))
    found.other_name = plain(given.get("applicant_name"))
    found.other_account = reference(given.get("applicant_iban") or given.get("gvc_applicant_iban"))
    found.other_bank = reference(given.get("applicant_bin") or given.get("gvc_applicant_bin"))
    found.ultimate_debtor = plain(given.get("deviate_applicant"))
    found.ultimate_creditor = plain(given.get("deviate_recipient"))
    found.remittance = [plain(given.get(key)) for key in ("additional_purpose", "purpose")]


def _coded(said: dict[str, str], found: About) -> None:
    """A field 86 in codes between slashes."""
    found.end_to_end_id = known(_value(said, "EREF"))
    found.batch_reference = known(_value(said, "KREF") or _value(said, "PREF"))
    found.bank_reference = known(_value(said, "IREF"))
    found.mandate_id = known(_value(said, "MARF"))
    found.purpose = (_value(said, "PURP") or "").removeprefix("CD/") or None
    found.posting_text = _value(said, "TRTP") or _value(said, "TRCD")
    if uetr := _UETR.fullmatch(_value(said, "UETR") or ""):
        found.uetr = uetr.group().lower()
    other = (said.get("CNTP") or "").split("/")
    found.other_account, found.other_bank, found.other_name = (
        part.strip() or None for part in (*other, "", "", "")[:3]
    )
    found.other_name = found.other_name or _value(said, "NAME")
    found.other_account = found.other_account or _value(said, "IBAN") or _value(said, "ACCW")
    found.other_bank = found.other_bank or _value(said, "BIC")
    found.debtor_name = _value(said, "ORDP NAME") or _value(said, "ORDP")
    found.creditor_name = _value(said, "BENM NAME") or _value(said, "BENM")
    for party in ("ORDP", "BENM"):
        found.other_account = found.other_account or _value(said, f"{party} IBAN")
        found.other_bank = found.other_bank or _value(said, f"{party} BIC")
    found.ultimate_debtor = _value(said, "ULTD")
    found.ultimate_creditor = _value(said, "ULTB") or _value(said, "ULTC")
    text, found.creditor_reference = remittance(said.get("REMI", ""))
    found.creditor_reference = found.creditor_reference or known(_value(said, "CREF"))
    found.remittance = [plain(text)]
    if "RTRN" in said:
        found.returned = _reason(_value(said, "RTRN"), found.remittance)
    _amounts(said, found)


def _value(said: dict[str, str], code: str) -> str | None:
    return plain(said.get(code, "").strip("/ "))


def _amounts(said: dict[str, str], found: About) -> None:
    """Original amount, charges and rate; what can't be read stays out, for nothing hangs on it."""
    if money := _MONEY.fullmatch(said.get("OCMT", "").strip("/ ")):
        found.original = (_decimal(money.group(2)), money.group(1))
    if rate := _RATE.fullmatch(said.get("EXCH", "").strip("/ ")):
        found.exchange = Exchange(rate=_decimal(rate.group()))
    if charge := _MONEY.fullmatch(said.get("CHGS", "").strip("/ ")):
        value = _decimal(charge.group(2))
        found.charges = (Charge(amount=-value if value else value, currency=charge.group(1)),)


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _recognise(given: dict[str, Any], found: About) -> None:
    """What the texts show beyond what they are marked as."""
    if not found.creditor_reference and len(found.remittance) == 1:
        structured = recognise(found.remittance[0])
        found.creditor_reference = structured.reference if structured else None
    returned = found.business_code in _RETURNED or str(given.get("id"))[1:] == _RETURNED_TYPE
    if found.returned is None and returned:
        found.returned = _reason(found.text_key, found.remittance)
    if found.other_account:
        account = found.other_account.replace(" ", "").upper()
        found.other_account = account if is_iban(account) else found.other_account


def _reason(given: str | None, texts: list[str | None]) -> Reason:
    """A return's reason: ISO's code where one is named, else what the bank gives for it."""
    words = tuple(text for text in texts if text)
    named = _REASON.findall(" ".join((given or "", *words)))
    code = next((item for item in named if item in REASONS), None)
    return Reason(code=code, proprietary=None if code else given, additional=words)
