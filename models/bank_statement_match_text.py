"""Our own numbers in a booking's words, where the bank has no field of its own for them."""

from dataclasses import dataclass, field

from odoo import models

from ..formats.incoming import TransactionDetails
from ..formats.own_numbers import own_numbers


@dataclass
class Numbered:
    """Payments and batches that a report's bookings may name.

    :ivar said: words of a booking → the numbers like ours in them
    :ivar by_reference: end-to-end number, UETR → payment
    :ivar by_batch: number of a batch or of its payment block → its payments
    :ivar whole: number of a batch → those of its payments that the bank has not refused
    """

    said: dict
    by_reference: dict = field(default_factory=dict)
    by_batch: dict = field(default_factory=dict)
    whole: dict = field(default_factory=dict)

    def payments(self):
        """All numbers in words that may be a payment's."""
        return {number for numbers in self.said.values() for number in numbers.payments}

    def batches(self):
        return {number for numbers in self.said.values() for number in numbers.batches}


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    def _read_numbers(self, entries):
        """What of the entries' words could be numbers of ours."""
        said = {}
        for entry in entries:
            for detail in (None, *entry.details):
                words = self._words(entry, detail)
                if words and words not in said:
                    said[words] = own_numbers(words)
        return Numbered({words: found for words, found in said.items()
                         if found.payments or found.batches})

    def _words(self, entry, detail=None):
        """What the bank wrote of a booking, or of one payment in it; lines may cut a number."""
        words = []
        for each in [detail] if detail else entry.details:
            words += [
                *each.remittance_unstructured, *each.referred_documents,
                each.additional_information, each.payment_information_id, each.message_id,
            ]
        if not detail or len(entry.details) == 1:
            words.append(entry.additional_information)
        return "\n".join(dict.fromkeys(word for word in words if word))

    def _details(self, entry):
        """The payments in a booking; of one that only has words, these."""
        return entry.details or (
            TransactionDetails(additional_information=entry.additional_information),
        )

    def _one_in_words(self, entry, detail, known):
        """The one payment that a detail names in words, or none."""
        return self._payment_in(self._words(entry, detail), known)

    def _payment_in(self, words, known):
        none = self.env["account.payment"]
        numbers = known.said.get(words)
        if not numbers:
            return none
        payments = none.union(
            *(known.by_reference.get(number, none) for number in numbers.payments)
        )
        batches = [known.by_batch[number] for number in numbers.batches if number in known.by_batch]
        # It may name the batch besides, but not another one.
        clear = len(payments) == 1 and all(payments in batch for batch in batches)
        return payments if clear else none

    def _by_words(self, entry, known):
        """Payments that a debit names in words, whole and to the cent; else none."""
        none = self.env["account.payment"]
        if not known.said:
            return none
        payments = self._payment_in(self._words(entry), known)
        if not payments and len(entry.details) > 1:
            each = [self._one_in_words(entry, detail, known) for detail in entry.details]
            if all(each) and len(set(each)) == len(each):
                payments = none.union(*each)
        if payments:
            return payments if self._same(-entry.amount, entry.currency, payments) else none
        return self._batch_in_words(entry, known)

    def _batch_in_words(self, entry, known):
        none = self.env["account.payment"]
        numbers = known.said.get(self._words(entry))
        if not numbers or any(number in known.by_reference for number in numbers.payments):
            return none
        batches = [number for number in numbers.batches if number in known.by_batch]
        if len(batches) != 1:
            return none
        if batches[0] not in known.whole:
            payments = known.by_batch[batches[0]].filtered(
                lambda pay: pay.bank_status not in ("RJCT", "CANC")
            )
            known.whole[batches[0]] = payments, self._total(payments)
        payments, total = known.whole[batches[0]]
        fits = total == -entry.amount and payments[:1].currency_id.name == entry.currency
        return payments if fits else none
