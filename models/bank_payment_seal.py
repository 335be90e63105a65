"""The seal: what exactly was approved.

When a batch goes to approval, everything the bank will be told about each payment is written
once in a canonical form: JSON (RFC 8259) in UTF-8 with sorted keys, no spaces, amounts as
decimal strings. Its SHA-256 is what an approver approves. The message is made from this copy,
never again from live records; and before it is queued its bytes are read back and compared.
"""

import hashlib
import json
from datetime import date
from decimal import Decimal

from odoo import fields

from ..formats.model import (
    Account,
    Address,
    Agent,
    CreditTransfer,
    Instruction,
    Party,
    PaymentBlock,
    Remittance,
)


def canonical(content):
    """The canonical text of a seal's content (a dict)."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text):
    """SHA-256 of a canonical text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(batch):
    """What a batch would tell the bank, read from its live records.

    :return: a dict of plain values, ready for :func:`canonical`
    """
    account = batch.journal_id.bank_account_id
    return {
        "reference": batch.reference,
        "debtor": _party(batch.company_id.partner_id),
        "account": _account(account),
        "bic": _bic(account),
        "currency": batch.currency_id.name,
        "execution_date": fields.Date.to_string(batch.execution_date),
        "service_level": batch.service_level or None,
        "instant": batch.instant,
        "batch_booking": batch.batch_booking,
        "payments": [_payment(payment) for payment in batch.payment_ids.sorted("id")],
    }


def instruction_from(content, created):
    """The message to write, from a seal's content.

    :param content: the dict that was sealed
    :param created: aware datetime, the message's creation time
    :return: a :class:`formats.model.Instruction`
    """
    return Instruction(
        message_id=content["reference"],
        created=created,
        initiating_party=Party(name=content["debtor"]["name"]),
        blocks=[
            PaymentBlock(
                id=f"{content['reference']}-1",
                execution_date=date.fromisoformat(content["execution_date"]),
                debtor=_read_party(content["debtor"]),
                debtor_account=Account(**content["account"], currency=content["currency"]),
                debtor_agent=Agent(bic=content["bic"]) if content["bic"] else None,
                transfers=[_transfer(payment, content) for payment in content["payments"]],
                service_level=content["service_level"],
                local_instrument="INST" if content["instant"] else None,
                batch_booking=content["batch_booking"],
                charge_bearer="SLEV" if content["service_level"] == "SEPA" else "SHAR",
            )
        ],
    )


def differences(sealed, current):
    """What changed between two seal contents.

    :return: list of dicts: ``where`` (an end-to-end id, or the batch's reference), ``path`` (names
        that lead to the value; None for a payment as a whole), ``old`` and ``new`` (True for a
        payment that is there, None for nothing)
    """
    before = {payment["end_to_end_id"]: payment for payment in sealed["payments"]}
    after = {payment["end_to_end_id"]: payment for payment in current["payments"]}
    changes = [
        {"where": key, "path": None, "old": key in before or None, "new": key in after or None}
        for key in sorted(before.keys() ^ after.keys())
    ]
    for key in sorted(before.keys() & after.keys()):
        changes += _changed_values(key, before[key], after[key])
    head = {key: value for key, value in sealed.items() if key != "payments"}
    head_now = {key: value for key, value in current.items() if key != "payments"}
    return changes + _changed_values(sealed["reference"], head, head_now)


def _changed_values(where, before, after):
    before, after = _flat(before), _flat(after)
    return [
        {"where": where, "path": path, "old": before.get(path), "new": after.get(path)}
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _flat(content, path=()):
    """A seal's nested values by their path: ``("payee", "address", "town")``."""
    values = {}
    for key, value in content.items():
        if isinstance(value, dict):
            values |= _flat(value, (*path, key))
        else:
            values[(*path, key)] = value
    return values


def _payment(payment):
    account = payment.partner_bank_id
    return {
        "end_to_end_id": payment.end_to_end_id,
        "uetr": payment.uetr,
        "amount": amount_text(payment.amount, payment.currency_id),
        "currency": payment.currency_id.name,
        "payee": _party(account.partner_id or payment.partner_id, account.acc_holder_name),
        "account": _account(account),
        "bic": _bic(account),
        "text": payment.bank_remittance or None,
        "creditor_reference": payment.bank_creditor_reference or None,
        "creditor_reference_issuer": payment.bank_creditor_reference_issuer or None,
        "creditor_reference_type": payment.bank_creditor_reference_type or None,
    }


def amount_text(amount, currency):
    """An Odoo amount as exact decimal text with the currency's decimals."""
    return f"{currency.round(amount):.{currency.decimal_places}f}"


def _party(partner, name=None):
    country = partner.country_id.code
    return {
        "name": (name or partner.commercial_partner_id.name or partner.name or "")[:70],
        "address": {
            "country": country or None,
            "town": partner.city or None,
            "post_code": partner.zip or None,
            "street": " ".join(filter(None, (partner.street, partner.street2))) or None,
        }
        if country
        else None,
    }


def _account(account):
    number = account.sanitized_acc_number or ""
    return {"iban": number} if account.acc_type == "iban" else {"other": number}


def _bic(account):
    return (account.bank_id.bic or "").replace(" ", "").upper() or None


def _read_party(content):
    address = content["address"]
    return Party(name=content["name"], address=Address(**address) if address else None)


def _transfer(payment, content):
    # SEPA transfers inside the area need no address, and some banks refuse one.
    payee = dict(payment["payee"])
    if content["service_level"] == "SEPA":
        payee["address"] = None
    return CreditTransfer(
        end_to_end_id=payment["end_to_end_id"],
        instruction_id=payment["end_to_end_id"],
        uetr=payment["uetr"],
        amount=Decimal(payment["amount"]),
        currency=payment["currency"],
        creditor=_read_party(payee),
        creditor_account=Account(**payment["account"]),
        creditor_agent=Agent(bic=payment["bic"]) if payment["bic"] else None,
        remittance=_remittance(payment),
    )


def _remittance(payment):
    if payment["creditor_reference"]:
        return Remittance(
            creditor_reference=payment["creditor_reference"],
            creditor_reference_issuer=payment["creditor_reference_issuer"],
            creditor_reference_type=payment["creditor_reference_type"],
        )
    return Remittance(unstructured=payment["text"]) if payment["text"] else None


def transfer_says(transfer, payment, carried):
    """Whether a transfer read from outgoing bytes says what the seal says of this payment.

    :param transfer: :class:`formats.model.CreditTransfer`, read back
    :param payment: the payment's dict in the seal
    :param carried: maps a text to what the bank's character set makes of it
    """
    remittance = transfer.remittance or Remittance()
    account = transfer.creditor_account
    agent = transfer.creditor_agent
    said = (
        transfer.amount,
        transfer.currency,
        transfer.creditor.name,
        account.iban or account.other,
        (agent.bic if agent else None) or None,
        remittance.creditor_reference,
        remittance.unstructured,
        # The UETR does not exist before version .09.
        transfer.uetr or payment["uetr"],
    )
    reference = payment["creditor_reference"]
    text = None if reference else payment["text"]
    sealed = (
        Decimal(payment["amount"]),
        payment["currency"],
        carried(payment["payee"]["name"]),
        payment["account"].get("iban") or payment["account"].get("other"),
        payment["bic"],
        reference or None,
        carried(text) if text else None,
        payment["uetr"],
    )
    return said == sealed
