"""What the bank said of an entry, as plain data that is kept with the booking (JSON)."""

from __future__ import annotations

from typing import Any

from .incoming import Charge, Entry, Exchange, TransactionCode, TransactionDetails


def entry_details(entry: Entry) -> dict[str, Any]:
    """References, parties, batch, charges and conversion; what is absent is left out."""
    batch = entry.batch
    exchange = entry.exchange or next((d.exchange for d in entry.details if d.exchange), None)
    return _filled(
        details=[found for detail in entry.details if (found := _detail(detail, entry))],
        batch=batch and _filled(
            message_id=batch.message_id,
            payment_information_id=batch.payment_information_id,
            count=batch.count,
        ),
        charges=[_charge(charge) for charge in _charges(entry)],
        instructed=_instructed(entry),
        exchange=exchange and _exchange(exchange),
        code=code_text(entry.transaction_code),
        reversal=entry.reversal or None,
    )


def code_text(code: TransactionCode | None) -> str | None:
    """A bank transaction code in one word: ``PMNT/ICDT/ESCT``, or the bank's own."""
    if not code:
        return None
    parts = [part for part in (code.domain, code.family, code.subfamily) if part]
    return "/".join(parts) or code.proprietary


def _detail(detail: TransactionDetails, entry: Entry) -> dict[str, Any]:
    # On a debit the other side is the creditor, on a credit the debtor.
    debit = entry.amount < 0
    party = detail.creditor if debit else detail.debtor
    account = detail.creditor_account if debit else detail.debtor_account
    reason = detail.return_reason
    return _filled(
        end_to_end_id=detail.end_to_end_id,
        uetr=detail.uetr,
        instruction_id=detail.instruction_id,
        creditor_reference=detail.creditor_reference,
        remittance=list(detail.remittance_unstructured),
        documents=list(detail.referred_documents),
        amount=None if detail.amount is None else str(detail.amount),
        currency=detail.currency,
        name=party and party.name,
        account=account and (account.iban or account.other),
        return_reason=reason and (reason.code or reason.proprietary or "/"),
    )


def _charges(entry: Entry) -> list[Charge]:
    return [*entry.charges, *(charge for detail in entry.details for charge in detail.charges)]


def _charge(charge: Charge) -> dict[str, Any]:
    return _filled(
        amount=str(charge.amount), currency=charge.currency, included=charge.included
    )


def _instructed(entry: Entry) -> dict[str, Any] | None:
    """What was instructed: of the entry, else of its only payment."""
    said: Entry | TransactionDetails = entry
    if entry.instructed_amount is None and len(entry.details) == 1:
        said = entry.details[0]
    if said.instructed_amount is None:
        return None
    return {"amount": str(said.instructed_amount), "currency": said.instructed_currency}


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return _filled(
        rate=str(exchange.rate), source=exchange.source, target=exchange.target,
        unit=exchange.unit, contract=exchange.contract,
    )


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
