"""Bills, invoices and waiting payments that a booking is for: by reference, text or account."""

from collections import defaultdict

from odoo import api, models

from ..formats import remittance
from .bank_booking_amounts import ZERO, Terms, fit
from .bank_statement_candidates import Candidate, decimal
from .bank_statement_match import Found
from .name_likeness import likeness

INCOMING = ("out_invoice", "out_receipt", "in_refund")  # documents that bring money in
ALIKE = 0.75  # how alike names have to be at least; banks cut and transliterate them


class BankStatementMatch(models.AbstractModel):
    _inherit = "bank.statement.match"

    @api.model
    def _find_open(self, journal, claims, named, match):
        """Match entries by what they say of what they are for.

        :param claims: identity of the entry → its :class:`Facts`, one for each payment in it
        :param named: identity of the entry → payments that it names, though not to the cent
        """
        facts = [one for those in claims.values() for one in those]
        self._know(journal, facts)
        rules = self._rules(journal)
        taken = {("payment", pay.id) for those in match.executed.values() for pay in those}
        decided = {}
        for step in (self._by_named, self._by_reference, self._by_text, self._by_account):
            for key, those in claims.items():
                for one in those:
                    if id(one) in decided:
                        continue
                    payments = named.get(key) if len(those) == 1 else None
                    candidates = step(journal, one, payments)
                    outcome = candidates and self._decide(one, candidates, rules, step)
                    if not outcome and len(candidates) > 1:
                        candidates = self._instalment(one, candidates)
                        outcome = candidates and self._decide(one, candidates, rules, step)
                    if outcome and not any(c.key in taken for c in candidates):
                        decided[id(one)] = candidates, outcome
                        taken.update(c.key for c in candidates)
        for key, those in claims.items():
            if all(id(one) in decided for one in those):
                self._note_found(journal, key, [decided[id(one)] for one in those], rules, match)

    # -- what is known ------------------------------------------------------------------------

    @api.model
    def _know(self, journal, facts):
        """Look up for all facts at once what they name, and whose the accounts are."""
        company = journal.company_id
        texts = [one.text for one in facts]
        texts += [reference for one in facts for reference in one.references]
        by_block = self._documents(company, texts)
        documents = self.env["account.move"].union(
            *(move for those in by_block.values() for _number, move in those)
        )
        open_of = self._open_of_documents(journal, documents)
        partners = self._partners_by_account(
            company, {one.account for one in facts if one.account}
        )
        owners = self.env["res.partner"].union(*partners.values())
        of_amount = {}
        if owners:
            amounts = {one.amount for one in facts if one.account in partners}
            of_amount = self._open_of_amounts(journal, amounts, owners)
        for one in facts:
            one.known = {
                "owners": partners.get(one.account) or self.env["res.partner"],
                "in_text": self._named(one.text, by_block),
                "by_reference": [
                    (number, move)
                    for reference in one.references
                    for number, move in by_block.get(remittance.block(reference), ())
                    if remittance.same_reference(reference, number)
                ],
                "open_of": open_of,
                "of_amount": of_amount,
            }

    def _named(self, text, by_block):
        """Documents that a text names: a list for each place, of (how sure, document)."""
        numbers = defaultdict(list)
        for block in remittance.blocks([text]):
            for number, move in by_block.get(block, ()):
                numbers[number].append(move)
        places = defaultdict(dict)
        for number, mention in remittance.find(text, numbers).items():
            place = places[mention.start, mention.end]
            for move in numbers[number]:
                place[move] = max(mention.strength, place.get(move, mention.strength))
        return [[(strength, move) for move, strength in those.items()] for those in places.values()]

    def _rules(self, journal):
        """What the company allows: a tolerance, and the accounts for charges and differences."""
        company, currency = journal.company_id, journal._bank_currency()
        tolerance = ZERO
        if currency == company.currency_id and company.bank_difference_account_id:
            tolerance = decimal(company.bank_match_tolerance, currency)
        return {
            "tolerance": tolerance,
            "charges": company.bank_charges_account_id,
            "difference": company.bank_difference_account_id,
        }

    # -- steps: each says which candidates a booking is for, or none -----------------------------

    def _by_named(self, _journal, _one, payments):
        """Payments that it names by their own numbers, though the amount is another."""
        candidates = []
        for payment in payments or ():
            outstanding = payment.move_id.line_ids.filtered(
                lambda item, payment=payment: (
                    item.account_id == payment.outstanding_account_id and not item.reconciled
                )
            )
            candidates.append(Candidate(outstanding[:1], payment, self.env["account.move"]))
        return candidates

    def _by_reference(self, _journal, one, _payments):
        documents = self.env["account.move"].union(*(m for _n, m in one.known["by_reference"]))
        return self._single_out(one, [documents]) if documents else []

    def _by_text(self, _journal, one, _payments):
        groups = []
        for place in one.known["in_text"]:
            ours = [move for _strength, move in place if self._is_known_as(one, move)]
            # A short number is anybody's.
            sure = [move for strength, move in place if strength == remittance.Strength.SURE]
            if ours or sure:
                groups.append(ours or sure)
        return self._single_out(one, groups) if groups else []

    def _by_account(self, _journal, one, _payments):
        """Of the partner who has the other side's account, one thing of this amount is open."""
        if one.known["in_text"] or one.references:
            return []  # it says itself what it is for
        found = [
            candidate
            for owner in one.known["owners"]
            for candidate in one.known["of_amount"].get((owner, one.currency, one.amount), ())
        ]
        if len(found) != 1 or remittance.resembles(one.text, found[0].numbers):
            return []  # the next bill of the same payee may not have been entered yet
        return found

    def _single_out(self, one, groups):
        """Candidates of documents that are named, if no doubt is left which ones are meant.

        :param groups: for each number that is named, the documents that have it
        """
        chosen = {}
        for documents in groups:
            fitting = [document for document in documents if self._may_be(one, document)]
            if len(fitting) > 1:
                # One number, given by two: which of them is told by the direction, or not at all.
                incoming = one.amount > 0
                fitting = [d for d in fitting if (d.move_type in INCOMING) == incoming]
            if len(fitting) != 1:
                return []
            for candidate in one.known["open_of"].get(fitting[0], ()):
                chosen[candidate.key] = candidate
        partners = self.env["res.partner"].union(*(c.partner for c in chosen.values()))
        return list(chosen.values()) if len(partners) == 1 else []

    def _instalment(self, one, candidates):
        """Of one bill's instalments the first that is open in the amount."""
        if len({candidate.document for candidate in candidates}) > 1:
            return []
        equal = [candidate for candidate in candidates if candidate.amount == one.amount]
        return sorted(equal, key=lambda c: (str(c.item.date_maturity), c.item.id))[:1]

    def _is_known_as(self, one, document):
        """Whether the other side is known to be the document's partner."""
        partner = document.commercial_partner_id
        if one.known["owners"]:
            return partner in one.known["owners"]
        return bool(one.name) and self._is_alike(one.name, document.partner_id)

    def _may_be(self, one, document):
        """Whether nothing contradicts that the other side is the document's partner."""
        if one.known["owners"] or one.name:
            return self._is_known_as(one, document)
        return True

    def _is_alike(self, name, partner):
        names = {partner.name, partner.commercial_partner_id.name, partner.commercial_company_name}
        return any(likeness(name, other) >= ALIKE for other in names if other)

    # -- decision ---------------------------------------------------------------------------

    def _terms(self, one, rules):
        return Terms(
            one.amount, one.currency, one.charges, one.instructed, one.instructed_currency,
            rules["tolerance"],
        )

    def _decide(self, one, candidates, rules, step):
        """How the amount fits the candidates; None where a person has to decide."""
        outcome = fit(self._terms(one, rules), [c.offer(one.day) for c in candidates])
        if outcome is None:
            return None
        sent = any(candidate.sent for candidate in candidates)
        if outcome.rest and outcome.kind != "difference" and not rules["charges"]:
            return None
        if outcome.kind == "partial":
            # Some of a bill, from or to whoever it is of; what was sent to a bank is booked whole.
            partners = {candidate.partner for candidate in candidates}
            known = partners == set(one.known["owners"])
            return outcome if known and not sent and step != self._by_named else None
        return outcome

    def _note_found(self, journal, key, decided, rules, match):
        """Note what an entry is for."""
        everything = [candidate for candidates, _outcome in decided for candidate in candidates]
        outcomes = [outcome for _candidates, outcome in decided]
        if all(c.sent for c in everything) and {o.kind for o in outcomes} == {"exact"}:
            match.executed[key] = match.none.union(*(c.payment for c in everything))
            return
        parts = [part for outcome in outcomes for part in self._parts(outcome, rules)]
        partners = self.env["res.partner"].union(*(c.partner for c in everything))
        simple = len(parts) == 1 and outcomes[0].kind == "exact" and not everything[0].sent
        match.found[key] = Found(
            parts,
            partners if len(partners) == 1 else partners.browse(),
            everything[0].item if simple else None,
        )

    def _parts(self, outcome, rules):
        """The parts of one outcome, for ``_bank_reconcile``."""
        parts = []
        for share in outcome.shares:
            candidate = share.offer.of
            if candidate.sent:
                part = {"payment_id": candidate.payment.id}
            else:
                part = {"item_id": candidate.item.id, "discount": share.discount}
            if outcome.kind == "exchange":
                part["item_amount"] = str(share.paid)
            parts.append({**part, "amount": str(share.amount)})
        if outcome.rest:
            kind = "difference" if outcome.kind == "difference" else "charges"
            names = {
                "difference": self.env._("Difference within the tolerance"),
                "charges": self.env._("Bank charges"),
            }
            parts.append(
                {
                    "account_id": rules[kind].id,
                    "amount": str(outcome.rest),
                    "name": names[kind],
                }
            )
        return parts
