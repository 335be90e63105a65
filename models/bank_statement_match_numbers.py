"""Payments that a booking names by the numbers they were sent with, or that the bank gave them."""

from decimal import Decimal

from odoo import api, models

from ..formats.incoming import Batch
from .bank_statement_candidates import decimal

RETURN_CODES = ("RRTN", "RPCR", "RVRS")


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.model
    def _bank_note_references(self, references):
        """Remember the numbers that the bank gave payments, for bookings that name nothing else.

        :param references: payment → the bank's reference; one that is known already stays
        """
        payments = self.browse().union(*references).filtered(lambda pay: not pay.bank_reference)
        if payments:
            payments._write_multi([{"bank_reference": references[pay]} for pay in payments])
            payments.invalidate_recordset(["bank_reference"])


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    @api.model
    def _find_by_numbers(self, journal, entries, match):
        """Match by end-to-end number, UETR, instruction or batch, by the bank's reference, and by
        numbers of ours in the text.

        :return: entry → payments that it names, though not to the cent
        """
        known = self._read_numbers(entries)
        known.by_reference = self._payments_by_reference(journal, entries, known.payments())
        known.by_batch = self._batches_by_reference(journal, entries, known.batches())
        by_bank = self._payments_by_bank_reference(journal, entries)
        taken, back, named = set(), set(), {}
        # Money that comes back left before, maybe on this very statement.
        for entry in sorted(entries, key=lambda entry: entry.amount > 0):
            gone, returned = self._sides(entry, known)
            if returned:
                self._note_return(match, entry, gone, returned, known, taken, back)
                continue
            if entry.amount >= 0:
                continue
            payments = self._payment_of(entry.details, known)
            if not self._same(-entry.amount, entry.currency, payments):
                whole = self._of_batch(entry, known, match.none)
                open_ = whole.filtered(lambda pay: not pay.bank_booked and pay.id not in taken)
                # The details may be of a part of the payments only: then the amount tells.
                if not payments or self._same(-entry.amount, entry.currency, open_):
                    payments = whole
            payments = payments or self._by_bank_reference(entry, by_bank, match.none)
            payments = payments or self._by_words(entry, known)
            payments = payments.filtered(lambda pay: not pay.bank_booked and pay.id not in taken)
            if "draft" in payments.mapped("state") or "approved" in payments.bank_batch_id.mapped(
                "state"
            ):
                continue  # it never left: people are told (`bank_discrepancy_bookings`)
            if any(pay.state in ("rejected", "canceled") for pay in payments):
                match.contradicted[id(entry)] = payments
            elif payments and self._same(-entry.amount, entry.currency, payments):
                match.executed[id(entry)] = payments
                taken.update(payments.ids)
            elif payments:
                named[id(entry)] = payments
        return named

    def _of_batch(self, entry, known, none):
        """The payments of the batches that an entry names, without those the bank refused.

        An entry without a batch of its own may name it with its details, all of them the same.
        """
        found = none
        for batch in _batches(entry):
            found |= known.by_batch.get(
                batch.payment_information_id, known.by_batch.get(batch.message_id, none)
            )
        return found.filtered(lambda pay: pay.bank_status not in ("RJCT", "CANC"))

    # -- returns ----------------------------------------------------------------------------

    def _is_return(self, entry):
        """Whether the bank calls the booking money that came back."""
        if entry.amount <= 0:
            return False
        code = entry.transaction_code
        return (
            entry.reversal
            or (code and code.subfamily in RETURN_CODES)
            or any(detail.return_reason for detail in entry.details)
        )

    def _sides(self, entry, known):
        """Details of payments that left, and of payments that came back, in one booking.

        A credit that carries the end-to-end number of a payment of ours brought it back, whatever
        the bank calls it: nobody else knows the number. Equal amounts say nothing.
        """
        if entry.amount > 0:
            details = self._details(entry)
            ours = [self._brought_back(entry, detail, known) for detail in details]
            if not all(ours):
                return [], []
            booked = all(payment.bank_batch_id for payment in ours)
            return [], list(details) if booked else []
        back = [
            detail for detail in entry.details
            if detail.return_reason and (detail.amount or 0) > 0
        ]
        return [detail for detail in entry.details if detail not in back], back

    def _brought_back(self, entry, detail, known):
        """The payment that a detail brings back: by a number in a field, else in its words."""
        return self._one(detail, known) or self._one_in_words(entry, detail, known)

    def _note_return(self, match, entry, gone, returned, known, taken, back):
        """Note a booking that brings payments back, if it adds up and they had left."""
        payments = [self._brought_back(entry, detail, known) for detail in returned]
        left = self._payment_of(gone, known) if gone else match.none
        explicit = self._is_return(entry) or entry.amount < 0
        fits = all(payments) and len({pay.id for pay in payments}) == len(payments)
        for payment in payments:
            fits = fits and not payment.bank_returned and payment.id not in back
            # What has not left can't come back, unless the bank says so in its own terms.
            left_before = payment.bank_booked or payment.id in taken
            given_up = payment.state in ("rejected", "canceled")
            fits = fits and (left_before or (explicit and not given_up))
        if gone:
            fits = fits and len(left) == len(gone) and not any(
                pay.bank_booked or pay.id in taken or pay.state in ("rejected", "canceled")
                for pay in left
            )
        came = sum(decimal(pay.amount, pay.currency_id) for pay in payments)
        went = sum(decimal(pay.amount, pay.currency_id) for pay in left)
        rest = entry.amount - (came - went)
        if not fits or (rest and not self._is_charge(entry, rest, payments)):
            return
        if any(pay.currency_id.name != entry.currency for pay in left.union(*payments)):
            return
        match.returned[id(entry)] = {
            payment: self._return_reason(entry, detail)
            for payment, detail in zip(payments, returned, strict=True)
        }
        if rest:
            match.charged[id(entry)] = rest
        back.update(payment.id for payment in payments)
        if left:
            match.executed[id(entry)] = left
            taken.update(left.ids)

    def _is_charge(self, entry, rest, payments):
        """Whether what is missing is what the bank says it kept, and there is an account for it."""
        charges = entry.charges or [c for detail in entry.details for c in detail.charges]
        told = sum(
            (c.amount for c in charges if c.included is not False and c.currency == entry.currency),
            Decimal(0),
        )
        return rest < 0 and rest == told and payments[0].company_id.bank_charges_account_id

    def _return_reason(self, entry, detail):
        reason = detail.return_reason
        if reason:
            return reason.code or reason.proprietary, " ".join(reason.additional)
        return None, detail.additional_information or entry.additional_information

    # -- numbers ----------------------------------------------------------------------------

    def _same(self, amount, currency, payments):
        """Whether the payments make up the amount, to the cent and in its currency."""
        return all(pay.currency_id.name == currency for pay in payments) and (
            amount == self._total(payments)
        )

    def _total(self, payments):
        return sum((decimal(pay.amount, pay.currency_id) for pay in payments), Decimal(0))

    def _one(self, detail, known):
        references = (detail.end_to_end_id, detail.uetr, detail.instruction_id)
        return next(
            (known.by_reference[ref] for ref in references if ref in known.by_reference),
            self.env["account.payment"],
        )

    def _payment_of(self, details, known):
        payments = self.env["account.payment"]
        for detail in details:
            found = self._one(detail, known)
            if not found:
                return self.env["account.payment"]
            payments |= found
        return payments

    def _payments_by_reference(self, journal, entries, told):
        references = told | {
            reference
            for entry in entries
            for detail in entry.details
            for reference in (detail.end_to_end_id, detail.uetr, detail.instruction_id)
            if reference
        }
        # A UETR is hexadecimal, and some banks write it in capitals.
        small = {reference.lower() for reference in references}
        payments = self.env["account.payment"].search(
            [
                ("journal_id", "=", journal.id),
                "|", ("end_to_end_id", "in", list(references)),
                ("uetr", "in", list(references | small)),
            ]
        )
        return {
            reference: payment
            for payment in payments
            for reference in (payment.end_to_end_id, payment.uetr, (payment.uetr or "").upper())
            if reference
        }

    def _batches_by_reference(self, journal, entries, told):
        references = told | {
            reference.removesuffix("-1")
            for entry in entries
            for batch in _batches(entry)
            for reference in (batch.message_id, batch.payment_information_id)
            if reference
        }
        batches = self.env["bank.payment.batch"].search(
            [("journal_id", "=", journal.id), ("reference", "in", list(references))]
        )
        found = {}
        for batch in batches:
            found[batch.reference] = found[f"{batch.reference}-1"] = batch.payment_ids
        return found

    # -- the bank's own reference -------------------------------------------------------------

    def _bank_references(self, entry):
        references = [entry.bank_reference, entry.reference]
        for detail in entry.details:
            references += [detail.bank_reference, detail.clearing_reference]
        return [reference for reference in references if reference]

    def _payments_by_bank_reference(self, journal, entries):
        """The bank's number from a receipt or an advice → waiting payments it was given to."""
        references = {
            reference
            for entry in entries
            if entry.amount < 0
            for reference in self._bank_references(entry)
        }
        payments = self.env["account.payment"].search(
            [
                ("journal_id", "=", journal.id),
                ("bank_reference", "in", list(references)),
                ("bank_booked", "=", False),
                ("state", "=", "in_process"),
            ]
        )
        return payments.grouped("bank_reference")

    def _by_bank_reference(self, entry, by_bank, none):
        found = none.union(
            *(by_bank.get(reference, none) for reference in self._bank_references(entry))
        )
        # A bank's number is no end-to-end number: it has to fit to the cent as well.
        return found if self._same(-entry.amount, entry.currency, found) else none


def _batches(entry):
    """What an entry says of batches: itself, else its details if they agree."""
    if entry.batch:
        return (entry.batch, *entry.further_batches)
    told = {(detail.message_id, detail.payment_information_id) for detail in entry.details}
    if len(told) != 1 or not any(*told):
        return ()
    ((message, block),) = told
    return (Batch(message_id=message, payment_information_id=block),)
