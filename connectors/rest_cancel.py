"""Recalls over REST: the payment's resource is deleted, or a cancellation request is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bodies import key_values
from .interface import Document, NotSent, Receipt
from .problems import build
from .rest_answers import data_of, usable_id, value_of

if TYPE_CHECKING:
    from .rest import RestConnector

REQUEST = "camt.055"  # customer payment cancellation request


def recall(bank: RestConnector, document: Document, key: str) -> Receipt:
    """Ask the bank to cancel the message that `document.reference` names.

    :return: a receipt with status "CANC" where the bank has cancelled the payments; otherwise it
        has the request, and its decision follows
    :raises NotSent: also ``cannot_recall`` and ``no_reference``
    :raises Refused: the payments stay
    :raises Uncertain: anything else
    """
    cancel = bank.profile.cancel
    if cancel is None:
        raise build(NotSent, "cannot_recall")
    bank.check_document(document, key)
    reference = dict(document.reference)
    try:
        address = bank.url(cancel.path, reference)
    except KeyError:
        raise build(NotSent, "no_reference") from None
    if not all(usable_id(value) for value in reference.values()):
        raise build(NotSent, "no_reference")
    headers, body = {"Accept": cancel.accept}, None
    if cancel.body:
        values = {**reference, **key_values(key)}
        body, headers["Content-Type"] = bank.wrapper.wrap(cancel.body, document, values)
    answer = bank.send(
        cancel.method, address, bank.key_sent(key), headers, body, rules=cancel.answers
    )
    means = bank.meaning(answer, cancel.answers)
    said = bank.status_in(value_of(answer, data_of(answer), cancel.fields.get("status")))
    return bank.make_receipt(
        answer, key, "CANC" if means == "cancelled" else said, reference, means == "duplicate"
    )
