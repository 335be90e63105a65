"""Which booking on a statement is for what, found for all at once.

In this order, each step for all bookings that the steps before left over: the numbers that a
payment was sent with; the bank's own number for it; structured creditor references; numbers of
bills in the text; the other side's account with the amount. Nothing is booked on a guess: what
fits two things, or not to the cent, is left to people, with suggestions.
"""

from dataclasses import dataclass, field

from odoo import api, models

from . import bank_booking_facts, bulk_rows


@dataclass
class Found:
    """What an entry is for, besides payments that were sent to the bank.

    :ivar parts: as ``_bank_reconcile`` takes them
    :ivar partner: whose they are
    :ivar item: the one open item that it pays whole, if it is that simple
    """

    parts: list
    partner: models.Model
    item: models.Model = None


@dataclass
class Match:
    """What was found for the entries of one statement, by the entry's identity (``id()``).

    :ivar executed: entry → payments that it executed
    :ivar returned: entry → the payments that it brought back, and the reason of each
    :ivar contradicted: entry → payments that it executed although they were given up here, after
        the bank's own rejection: nothing is booked for them, people have to look
    :ivar found: entry → a :class:`Found`: bills, invoices, charges
    :ivar charged: entry → what a bank kept of the payments that it brought back
    """

    executed: dict = field(default_factory=dict)
    returned: dict = field(default_factory=dict)
    contradicted: dict = field(default_factory=dict)
    found: dict = field(default_factory=dict)
    charged: dict = field(default_factory=dict)
    none: models.Model = None

    def payments_of(self, entry):
        if id(entry) in self.returned:
            return self.none.union(*self.returned[id(entry)])
        return self.executed.get(id(entry), self.none)

    def partner_of(self, entry):
        """Whose the booking is, where it is one partner's."""
        if id(entry) in self.found:
            return self.found[id(entry)].partner
        partners = self.payments_of(entry).partner_id
        return partners if len(partners) == 1 else partners.browse()

    def counterpart_account(self, entry):
        """The account to book the entry against at once; none where it has to be split."""
        if id(entry) in self.found:
            item = self.found[id(entry)].item
            return item.account_id if item else None
        payments = self.payments_of(entry)
        if id(entry) in self.returned:
            alone = len(payments) == 1 and id(entry) not in self.executed | self.charged
            return payments.destination_account_id if alone else None
        accounts = {pay.outstanding_account_id for pay in payments}
        if len(accounts) != 1:
            return None
        account = accounts.pop()
        if account:
            return account
        # No entry yet: the statement pays the bill itself. Several bills or a discount are split.
        if len(payments) == 1 and not any(payments.bank_instalment_ids.mapped("discount")):
            return payments.destination_account_id
        return None

    def bank_references(self, entries):
        """The bank's own numbers of the payments that these entries executed one by one."""
        found = ((entry, self.executed.get(id(entry), self.none)) for entry in entries)
        return {
            payments: entry.bank_reference
            for entry, payments in found
            if len(payments) == 1 and entry.bank_reference
        }

    def forget(self, key):
        for those in (self.executed, self.returned, self.found, self.charged):
            those.pop(key, None)

    def knows(self, entry):
        return any(
            id(entry) in those
            for those in (self.executed, self.returned, self.contradicted, self.found)
        )


class BankStatementMatch(models.AbstractModel):
    _name = "bank.statement.match"
    _description = "Match of statement and payments"

    @api.model
    def _find(self, journal, entries, sent_only=False):
        """Match entries to what they are for.

        :param entries: :class:`formats.incoming.Entry`, booked
        :param sent_only: look for payments only that were sent to the bank with their numbers
        :return: a :class:`Match`; what fits nothing, or not beyond doubt, is left out
        """
        match = Match(none=self.env["account.payment"])
        named = self._find_by_numbers(journal, entries, match)
        if not sent_only:
            rest = [entry for entry in entries if not match.knows(entry)]
            claims = {
                id(entry): bank_booking_facts.of_entry(entry)
                for entry in rest
                if not self._is_return(entry)
            }
            if claims:
                self._find_open(journal, claims, named, match)
        payments = match.none.union(*match.executed.values())
        bulk_rows.read_at_once(payments, payments.bank_instalment_ids)
        return match
