"""One line of the account: field 61 with the fields 86 that follow it."""

import re
from datetime import date
from decimal import Decimal

from ..iban import is_iban
from ..incoming import Batch, Entry, TransactionCode, TransactionDetails
from ..model import Account, Agent, Party
from .details import About, about, known
from .strict import Fields

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_REFERENCE = 16  # signs that SWIFT gives the customer's reference


def entry(fields: Fields, line: str, information: list[str], *, position: int, path: str) -> Entry:
    """The entry of a field 61.

    Raises ``FormatError`` when its amount, sign or date can't be told for certain.
    """
    given = fields.entry(line, *information)
    said = about(given)
    value, currency = given["amount"].amount, given["amount"].currency
    mark = given["status"]
    own, _line, _kref = (given.get("customer_reference") or "").partition("\n")
    if not given.get("bank_reference") and len(own.strip()) > _REFERENCE:
        # without the mark between them, what follows the reference is text
        own, said.posting_text = own[:_REFERENCE], _joined(own[_REFERENCE:], said.posting_text)
    own, theirs = known(own), known(given.get("bank_reference"))
    batch = None
    if said.batch_reference and not said.end_to_end_id:
        # one booking for many payments; whether as message or as block, the bank does not say
        batch = Batch(message_id=said.batch_reference, payment_information_id=said.batch_reference)
    kind = (given.get("id") or "").strip()
    return Entry(
        amount=value,
        currency=currency,
        credit_debit="CRDT" if mark in ("C", "RD") else "DBIT",
        status="PDNG" if given.get("expected") else "BOOK",
        reversal=mark in ("RC", "RD"),
        booking_date=_day(given.get("entry_date")),
        value_date=_day(given["date"]),
        bank_reference=theirs,
        transaction_code=_code(kind, said),
        batch=batch,
        charges=said.charges,
        instructed_amount=said.original[0] if said.original else None,
        instructed_currency=said.original[1] if said.original else None,
        exchange=said.exchange,
        additional_information=said.posting_text,
        details=(_details(said, own, value, currency),),
        position=position,
        path=path,
    )


def _details(said: About, own: str | None, value: Decimal, currency: str) -> TransactionDetails:
    given: dict = {}
    # who is on the other side of the account
    side, us = ("creditor", "debtor") if value < 0 else ("debtor", "creditor")
    name = said.other_name or (said.creditor_name if value < 0 else said.debtor_name)
    given[side] = Party(name=name) if name else None
    ours = said.debtor_name if value < 0 else said.creditor_name
    given[us] = Party(name=ours) if ours else None
    if said.other_account:
        iban = is_iban(said.other_account)
        given[f"{side}_account"] = Account(**{"iban" if iban else "other": said.other_account})
    if bank := (said.other_bank or "").replace(" ", "").upper():
        given[f"{side}_agent"] = (
            Agent(bic=bank) if _BIC.fullmatch(bank) else Agent(member_id=said.other_bank)
        )
    for name in ("ultimate_debtor", "ultimate_creditor"):
        text = getattr(said, name)
        given[name] = Party(name=text) if text else None
    return TransactionDetails(
        end_to_end_id=said.end_to_end_id,
        uetr=said.uetr,
        # what the payer called it: the payment's own number where it is short enough
        instruction_id=own,
        message_id=said.batch_reference,
        bank_reference=said.bank_reference,
        mandate_id=said.mandate_id,
        amount=value,
        currency=currency,
        remittance_unstructured=tuple(said.remittance),
        creditor_reference=said.creditor_reference,
        creditor_references=(said.creditor_reference,) if said.creditor_reference else (),
        return_reason=said.returned,
        purpose=said.purpose,
        **given,
    )


def _code(kind: str, said: About) -> TransactionCode | None:
    """The type of field 61, and the German business code, as camt would carry them."""
    words = [word for word in (kind, said.business_code) if word]
    if said.business_code and said.text_key and said.text_key.isdigit():
        words.append(said.text_key)
    if not words:
        return None
    return TransactionCode(proprietary="+".join(words), issuer="DK" if said.business_code else None)


def _day(value: object) -> date | None:
    # the library's date is a kind of its own
    return date(value.year, value.month, value.day) if isinstance(value, date) else None


def _joined(*texts: str | None) -> str | None:
    return " ".join(" ".join((text or "").split()) for text in texts).strip() or None
