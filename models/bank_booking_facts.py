"""What a booking says that tells what it is for: of an entry as it comes, or of a line kept."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

ZERO = Decimal(0)


@dataclass(slots=True, eq=False)
class Facts:
    """Of a booking, or of one payment inside it.

    - ``amount``, ``currency``: with the account's sign
    - ``text``: all that the payer or the bank wrote
    - ``references``: structured creditor references
    - ``account``, ``name``: of the other side; the account without spaces
    - ``bank_references``: numbers that the bank gave it
    - ``charges``, ``instructed``, ``instructed_currency``: as ``bank_booking_amounts.Terms``
    """

    amount: Decimal
    currency: str
    day: date | None = None
    text: str = ""
    references: tuple = ()
    account: str | None = None
    name: str | None = None
    bank_references: tuple = ()
    charges: Decimal = ZERO
    instructed: Decimal | None = None
    instructed_currency: str | None = None
    known: dict = field(default_factory=dict)  # what matching found out about it


def of_entry(entry):
    """The facts of an entry: one for each payment in it, as far as they make up its amount."""
    amounts = [detail.amount for detail in entry.details]
    if len(entry.details) > 1 and None not in amounts and sum(amounts) == entry.amount:
        return [_of_detail(entry, detail, detail.amount) for detail in entry.details]
    if len(entry.details) == 1:
        return [_of_detail(entry, entry.details[0], entry.amount)]
    return [_of_detail(entry, None, entry.amount)]


def _of_detail(entry, detail, amount):
    alone = len(entry.details) <= 1
    charges = list(entry.charges) if alone else []
    instructed, instructed_currency = entry.instructed_amount, entry.instructed_currency
    facts = Facts(
        amount=amount,
        currency=entry.currency,
        day=entry.booking_date or entry.value_date,
        bank_references=tuple(
            filter(None, (entry.bank_reference, entry.reference) if alone else ())
        ),
    )
    words = [entry.additional_information] if alone else []
    if detail:
        outgoing = amount < 0
        party = detail.creditor if outgoing else detail.debtor
        account = detail.creditor_account if outgoing else detail.debtor_account
        words = [*detail.remittance_unstructured, *detail.referred_documents,
                 detail.additional_information, *words]
        charges = charges or list(detail.charges)
        instructed = detail.instructed_amount or instructed
        instructed_currency = detail.instructed_currency or instructed_currency
        facts.references = tuple(
            detail.creditor_references or filter(None, (detail.creditor_reference,))
        )
        facts.account = sanitised(account and (account.iban or account.other))
        facts.name = party.name if party else None
        facts.bank_references += tuple(
            filter(None, (detail.bank_reference, detail.clearing_reference))
        )
    facts.text = " ".join(word for word in words if word)
    facts.charges = sum(
        (c.amount for c in charges if c.included is not False and c.currency == entry.currency),
        ZERO,
    )
    facts.instructed = abs(instructed) if instructed else None
    facts.instructed_currency = instructed_currency
    return facts


def of_line(line, amount, currency):
    """The facts of a statement line, of which ``amount`` is open; floats and records are Odoo's."""
    said = line.transaction_details if isinstance(line.transaction_details, dict) else {}
    details = [item for item in said.get("details") or () if isinstance(item, dict)]
    detail = details[0] if len(details) == 1 else {}
    charges = ZERO
    for charge in said.get("charges") or ():
        if charge.get("included") is not False and charge.get("currency") == currency.name:
            charges += number(charge.get("amount")) or ZERO
    instructed = said.get("instructed") or {}
    ordered = number(instructed.get("amount"))
    words = [line.payment_ref, *(detail.get("remittance") or ())]
    return Facts(
        amount=Decimal(f"{amount:.{currency.decimal_places}f}"),
        currency=currency.name,
        day=line.bank_booking_date or line.date,
        text=" ".join(dict.fromkeys(word for word in words if word)),
        references=tuple(filter(None, (detail.get("creditor_reference"),))),
        account=sanitised(line.account_number),
        name=line.partner_name or None,
        bank_references=tuple(filter(None, (line.bank_reference,))),
        charges=charges,
        instructed=abs(ordered) if ordered else None,
        instructed_currency=instructed.get("currency"),
    )


def sanitised(account):
    return re.sub(r"\W+", "", account or "").upper() or None


def number(text):
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
