"""What bookings may be for: open items and waiting payments, fetched for many bookings at once.

Documents are looked up by the digits of their numbers (see ``formats.remittance.block``), payees by
their accounts: both by index, so that a booking costs the same however much is open.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..formats import remittance
from .bank_booking_amounts import Offer

OPEN_TYPES = ("liability_payable", "asset_receivable")
NUMBER_OF = "regexp_replace(%s, '[^1-9]', '', 'g')"  # as formats.remittance.block
NUMBERED = "WHERE state = 'posted' AND move_type <> 'entry'"
NAMES = ("name", "ref", "payment_reference")
SENT = ("sending", "uncertain", "sent", "accepted", "settled")  # states of a batch that left


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a booking may clear.

    - ``item``: an open journal item, or none for a payment without an entry
    - ``payment``: the payment that waits for its booking, if it is one
    - ``document``: the bill or invoice by which it was found, if any
    """

    item: models.Model
    payment: models.Model
    document: models.Model

    @property
    def key(self):
        return ("payment", self.payment.id) if self.payment else ("item", self.item.id)

    @property
    def sent(self):
        """Whether it is a payment that went to the bank from here."""
        return bool(self.payment.bank_batch_id)

    @property
    def partner(self):
        return (self.payment or self.item).partner_id.commercial_partner_id

    @property
    def numbers(self):
        """By which numbers the other side may know it."""
        moves = self.document | self.item.move_id | self.payment.bank_instalment_ids.move_id
        numbers = [move[name] for move in moves for name in NAMES]
        return [number for number in (*numbers, self.payment.memo) if number]

    @property
    def currency(self):
        return self.item.currency_id if self.item else self.payment.currency_id

    @property
    def amount(self):
        if self.item:
            return decimal(self.item.amount_residual_currency, self.currency)
        sign = -1 if self.payment.payment_type == "outbound" else 1
        return sign * decimal(self.payment.amount, self.currency)

    def offer(self, day):
        """What is open of it, on the day of the booking."""
        discounted = None
        move = self.item.move_id
        if move.is_invoice() and move._is_eligible_for_early_payment_discount(self.currency, day):
            discounted = decimal(self.item.discount_amount_currency, self.currency)
        return Offer(self, self.amount, self.currency.name, discounted)


def decimal(amount, currency):
    return Decimal(f"{currency.round(amount):.{currency.decimal_places}f}")


class AccountMove(models.Model):
    _inherit = "account.move"

    _bank_name_idx = models.Index(f"({NUMBER_OF % 'name'}) {NUMBERED}")
    _bank_ref_idx = models.Index(f"({NUMBER_OF % 'ref'}) {NUMBERED}")
    _bank_payment_reference_idx = models.Index(f"({NUMBER_OF % 'payment_reference'}) {NUMBERED}")


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    # -- by number --------------------------------------------------------------------------

    @api.model
    def _documents(self, company, texts):
        """Posted bills and invoices whose number could stand in the texts.

        :return: digits of a number → list of (number, document)
        """
        blocks = remittance.blocks(texts)
        if not blocks:
            return {}
        moves = self.env["account.move"]
        moves.flush_model([*NAMES, "state", "move_type", "company_id"])
        rows = self.env.execute_query(
            SQL(" UNION ").join(
                SQL(
                    """
                    SELECT %(name)s, id FROM account_move
                     WHERE state = 'posted' AND move_type <> 'entry' AND company_id = %(company)s
                       AND regexp_replace(%(name)s, '[^1-9]', '', 'g') = ANY(%(blocks)s)
                    """,
                    name=SQL.identifier(name), company=company.id, blocks=list(blocks),
                )
                for name in NAMES
            )
        )
        found = moves.browse({row[1] for row in rows})
        by_block = defaultdict(list)
        for number, move_id in rows:
            move = moves.browse(move_id).with_prefetch(found._ids)
            by_block[remittance.block(number)].append((number, move))
        return by_block

    @api.model
    def _open_of_documents(self, journal, documents):
        """What of these documents a booking on this journal can clear.

        :return: document → list of :class:`Candidate`; empty where nothing is open
        """
        none = self.env["account.payment"]
        items = self.env["account.move.line"].search(
            [
                ("move_id", "in", documents.ids),
                ("account_id.account_type", "in", OPEN_TYPES),
            ]
        )
        holders = items._bank_holders()
        found = {document: {} for document in documents}
        paid_by = self._payments_of_items(items)
        for item in items:
            document = item.move_id
            if item in holders:
                # On its way to the bank: what is waited for is the payment's booking.
                candidates = self._of_payment(journal, holders[item], document)
            elif not item.reconciled:
                candidates = [Candidate(item, none, document)]
            else:
                candidates = [
                    candidate
                    for payment in paid_by.get(item, none)
                    for candidate in self._of_payment(journal, payment, document)
                ]
            found[document] |= {candidate.key: candidate for candidate in candidates}
        return {document: list(those.values()) for document, those in found.items()}

    def _payments_of_items(self, items):
        """Item → the payments that are reconciled with it."""
        paid = items.filtered("reconciled")
        partials = self.env["account.partial.reconcile"].search(
            ["|", ("debit_move_id", "in", paid.ids), ("credit_move_id", "in", paid.ids)]
        )
        found = defaultdict(lambda: self.env["account.payment"])
        for partial in partials:
            for item, other in (
                (partial.debit_move_id, partial.credit_move_id),
                (partial.credit_move_id, partial.debit_move_id),
            ):
                found[item] |= other.move_id.origin_payment_id
        return found

    def _of_payment(self, journal, payment, document):
        """A payment as a candidate, if it waits for its booking on this journal."""
        payment = payment.with_env(self.env)
        if payment.journal_id != journal or payment.bank_booked or payment.is_matched:
            return []
        if payment.state not in ("in_process", "paid"):
            return []
        nothing = self.env["account.move.line"]
        if payment.bank_batch_id and payment.bank_batch_id.state not in SENT:
            return []
        if not payment.move_id:
            return [Candidate(nothing, payment, document)] if payment.bank_batch_id else []
        return [
            Candidate(item, payment, document)
            for item in payment.move_id.line_ids
            if item.account_id == payment.outstanding_account_id and not item.reconciled
        ]

    # -- by account -------------------------------------------------------------------------

    @api.model
    def _partners_by_account(self, company, accounts):
        """Account number → commercial partners that have it."""
        banks = self.env["res.partner.bank"].search(
            [
                ("sanitized_acc_number", "in", list(accounts)),
                ("company_id", "in", [False, company.id]),
            ]
        )
        found = defaultdict(lambda: self.env["res.partner"])
        for bank in banks:
            found[bank.sanitized_acc_number] |= bank.partner_id.commercial_partner_id
        return found

    @api.model
    def _open_of_amounts(self, journal, amounts, partners=None):
        """What is open in these amounts: (commercial partner, currency, amount) → candidates.

        :param amounts: signed, as bookings have them
        :param partners: commercial partners; None for all
        """
        currency = journal._bank_currency()
        wanted = [float(amount) for amount in set(amounts)]
        of_partner = []
        if partners is not None:
            family = self.env["res.partner"].with_context(active_test=False).search(
                [("commercial_partner_id", "in", partners.ids)]
            )
            of_partner = [("partner_id", "in", family.ids)]
        items = self.env["account.move.line"].search(
            [
                ("company_id", "=", journal.company_id.id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("currency_id", "=", currency.id),
                ("amount_residual_currency", "in", wanted),
                ("statement_line_id", "=", False),
                *of_partner,
                "|",
                "&", ("account_id.account_type", "in", OPEN_TYPES), ("payment_id", "=", False),
                "&", ("payment_id", "!=", False), ("journal_id", "=", journal.id),
            ],
            order="date_maturity, id",
        )
        payments = self.env["account.payment"].search(
            [
                ("journal_id", "=", journal.id),
                ("bank_batch_id.state", "in", SENT),
                ("move_id", "=", False),
                ("state", "=", "in_process"),
                ("bank_booked", "=", False),
                ("currency_id", "=", currency.id),
                ("amount", "in", [abs(amount) for amount in wanted]),
                *of_partner,
            ]
        )
        holders, none = items._bank_holders(), self.env["account.payment"]
        candidates = [
            Candidate(item, item.payment_id, item.move_id)
            for item in items
            if item not in holders
            and (not item.payment_id or item.account_id == item.payment_id.outstanding_account_id)
            and item.payment_id.state not in ("rejected", "canceled")
            and (not item.payment_id.bank_batch_id or item.payment_id.bank_batch_id.state in SENT)
        ]
        candidates += [
            Candidate(self.env["account.move.line"], payment, none.bank_instalment_ids.move_id)
            for payment in payments
        ]
        found = defaultdict(list)
        for candidate in candidates:
            key = candidate.partner, candidate.currency.name, candidate.amount
            found[key].append(candidate)
        return found
