"""What an open booking may be for, with a score and the reasons in words. Nothing is booked."""

from dataclasses import dataclass, field

from odoo import api, models

from ..formats.own_numbers import own_numbers
from ..formats.remittance import Strength
from . import bank_booking_facts
from .bank_booking_amounts import ZERO, fit

MOST_OF_AMOUNT = 20  # things of one amount that are looked at for one booking
MOST_OF_BATCH = 500  # payments of a batch that one suggestion takes together
# How much each kind of evidence says.
REFERENCE, IN_TEXT, SHORT_IN_TEXT, OF_OWNER, SAME_AMOUNT = 80, 70, 50, 60, 35
FITS = {"exact": 10, "discount": 8, "exchange": 8, "charges": 5, "difference": 5, "partial": 0}


@dataclass
class Idea:
    """Candidates that a booking may be for, and what speaks for them."""

    candidates: list
    score: int
    reasons: list = field(default_factory=list)


class BankStatementSuggest(models.AbstractModel):
    _name = "bank.statement.suggest"
    _description = "Suggestions for open bookings"

    @api.model
    def _suggest(self, lines, limit=5):
        """Find what each line may be for.

        :param lines: open statement lines
        :return: line id → list of suggestions, the best first: dicts with ``score`` (0 to 100),
            ``reasons``, ``item_ids``, ``payment_ids``, ``write_off``, ``partner_id``, ``rule_id``;
            ``discounted``: what closes an item with its early-payment discount, by the item's id
        """
        found = {line.id: [] for line in lines}
        match = self.env["bank.statement.match"]
        for journal, those in lines.grouped("journal_id").items():
            facts = {}
            for line in those:
                currency, left = self._left(line)
                if not currency.is_zero(left):
                    facts[line] = bank_booking_facts.of_line(line, left, currency)
            if not facts:
                continue
            match._know(journal, list(facts.values()))
            self._know_sent(journal, list(facts.values()))
            of_amount = {}
            amounts = {one.amount for one in facts.values()}
            for key, candidates in match._open_of_amounts(journal, amounts).items():
                of_amount.setdefault(key[1:], []).extend(candidates)
            rules = match._rules(journal)
            back = self._may_have_come_back(journal, facts)
            for line, one in facts.items():
                more = back.get(line, [])
                found[line.id] = self._of_line(line, one, of_amount, rules, more)[:limit]
        return found

    def _left(self, line):
        """What of the line is open, in its currency and with its sign."""
        _liquidity, suspense, _others = line._seek_for_lines()
        currency = suspense.currency_id or line.foreign_currency_id or line.currency_id
        return currency, -sum(suspense.mapped("amount_currency"))

    def _know_sent(self, journal, facts):
        """Look up what waits of the payments and batches whose numbers the bookings name.

        A batch's debit may have come before the bank's word on what it left out of it.
        """
        match, none = self.env["bank.statement.match"], self.env["account.move"]
        said = {one: own_numbers(one.text) for one in facts if one.amount < 0}
        payments = match._payments_by_reference(
            journal, [], {number for numbers in said.values() for number in numbers.payments}
        )
        batches = match._batches_by_reference(
            journal, [], {number for numbers in said.values() for number in numbers.batches}
        )
        for one in facts:
            numbers, sent = said.get(one, own_numbers(None)), {}
            for number in sorted(numbers.payments & set(payments)):
                sent[number] = payments[number]
            for number in sorted(numbers.batches & set(batches)) if not sent else ():
                if len(batches[number]) <= MOST_OF_BATCH:
                    sent[number] = batches[number].filtered(
                        lambda payment: payment.bank_status not in ("RJCT", "CANC")
                    )
            one.known["sent"] = {
                number: [c for payment in those for c in match._of_payment(journal, payment, none)]
                for number, those in sent.items()
            }

    def _of_line(self, line, one, of_amount, rules, more=()):
        suggestions = [
            self._weighed(line, idea, one, rules)
            for idea in self._ideas(line, one, of_amount)
        ]
        suggestions += more
        suggestions.sort(key=lambda suggestion: -suggestion["score"])
        if len(suggestions) > 1 and suggestions[0]["score"] == suggestions[1]["score"]:
            for suggestion in suggestions:
                if suggestion["score"] == suggestions[0]["score"]:
                    suggestion["reasons"].append(self.env._("Something else fits as well."))
        return suggestions

    # -- ideas ------------------------------------------------------------------------------

    def _ideas(self, line, one, of_amount):
        """All that the booking may be for, each once, with the best evidence for it."""
        ideas = {}

        def note(candidates, score, reason):
            if candidates:
                key = frozenset(candidate.key for candidate in candidates)
                idea = ideas.setdefault(key, Idea(candidates, score))
                idea.score = max(idea.score, score)
                if reason not in idea.reasons:
                    idea.reasons.append(reason)

        open_of, named = one.known["open_of"], []
        for number, candidates in one.known["sent"].items():
            reason = self.env._("The reference %s is the same.", number)
            note(candidates, REFERENCE, reason)
        for number, move in one.known["by_reference"]:
            reason = self.env._("The reference %s is the same.", number)
            note(open_of.get(move, []), REFERENCE, reason)
        for place in one.known["in_text"]:
            for strength, move in place:
                score = IN_TEXT if strength == Strength.SURE else SHORT_IN_TEXT
                reason = self.env._("The text names %s.", move.display_name)
                note(open_of.get(move, []), score, reason)
            if len(place) == 1:
                named += open_of.get(place[0][1], [])
        if len({candidate.key for candidate in named}) > 1:
            note(named, IN_TEXT + 5, self.env._("The text names them all."))
        for candidate in of_amount.get((one.currency, one.amount), ())[:MOST_OF_AMOUNT]:
            known = candidate.partner and candidate.partner in one.known["owners"]
            ours = line.partner_id.commercial_partner_id
            known = known or (ours and candidate.partner == ours)
            reason = self.env._("The amount is the same.")
            note([candidate], OF_OWNER if known else SAME_AMOUNT, reason)
        return ideas.values()

    # -- weight -----------------------------------------------------------------------------

    def _weighed(self, line, idea, one, rules):
        """An idea as a suggestion."""
        terms = self.env["bank.statement.match"]._terms(one, rules)
        outcome = fit(terms, [candidate.offer(one.day) for candidate in idea.candidates])
        score, reasons = idea.score, list(idea.reasons)
        score += self._weigh_amount(line, idea, one, outcome, rules, reasons)
        partners = {candidate.partner for candidate in idea.candidates}
        partner = partners.pop() if len(partners) == 1 else self.env["res.partner"]
        score += self._weigh_partner(line, partner, one, reasons)
        return {
            "score": max(0, min(score, 99)),
            "reasons": reasons,
            "item_ids": [c.item.id for c in idea.candidates if c.item],
            "payment_ids": [c.payment.id for c in idea.candidates if not c.item],
            "write_off": self._write_off(outcome, rules),
            "discounted": self._discounted(outcome),
            "partner_id": partner.id or False,
            "rule_id": False,
        }

    def _weigh_amount(self, line, idea, one, outcome, rules, reasons):
        currency = idea.candidates[0].currency
        total = sum((candidate.amount for candidate in idea.candidates), ZERO)
        if outcome is None:
            if currency.name == one.currency:
                reasons.append(
                    self.env._(
                        "Open is %(open)s, the booking is %(booked)s.",
                        open=currency.format(float(total)),
                        booked=currency.format(float(one.amount)),
                    )
                )
            return -25
        words = {
            "exact": self.env._("The amount is the same."),
            "discount": self.env._("It is the amount less the early-payment discount."),
            "exchange": self.env._("The amount that was ordered is the same."),
            "charges": self.env._("The rest is what a bank charged."),
            "difference": self.env._("The difference is within the tolerance."),
            "partial": self.env._(
                "It is a part of %(open)s.", open=currency.format(float(abs(total)))
            ),
        }
        if words[outcome.kind] not in reasons:
            reasons.append(words[outcome.kind])
        if outcome.rest and outcome.kind != "difference" and not rules["charges"]:
            reasons.append(self.env._("No account for bank charges is set."))
        return FITS[outcome.kind]

    def _weigh_partner(self, line, partner, one, reasons):
        match = self.env["bank.statement.match"]
        if not partner:
            return 0
        if one.known["owners"]:
            if partner in one.known["owners"]:
                reasons.append(self.env._("The account is one of %s.", partner.display_name))
                return 10
            reasons.append(self.env._("The account belongs to somebody else."))
            return -30
        if line.partner_id:
            if line.partner_id.commercial_partner_id == partner:
                reasons.append(self.env._("The partner is %s.", partner.display_name))
                return 10
            return -15
        if one.name:
            if match._is_alike(one.name, partner):
                reasons.append(self.env._("The name is like that of %s.", partner.display_name))
                return 8
            return -10
        return 0

    def _discounted(self, outcome):
        """The share of each item that is closed with its early-payment discount."""
        return {
            share.offer.of.item.id: str(share.amount)
            for share in (outcome.shares if outcome else ())
            if share.discount and not share.offer.of.payment
        }

    def _write_off(self, outcome, rules):
        """What remains beside the items, as parts for accounts."""
        if outcome is None:
            return []
        parts = []
        if outcome.rest:
            kind = "difference" if outcome.kind == "difference" else "charges"
            names = {
                "difference": self.env._("Difference within the tolerance"),
                "charges": self.env._("Bank charges"),
            }
            parts.append((rules[kind], outcome.rest, names[kind]))
        return [
            {
                "account_id": account.id,
                "amount": str(amount),
                "name": name,
                "tax_ids": [],
                "analytic_distribution": False,
            }
            for account, amount, name in parts
            if account
        ]
