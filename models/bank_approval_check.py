"""Do the approval rules leave anything out? A check that people and the self-audit can ask for."""

from decimal import Decimal

from odoo import api, models

from .approval_matching import short_of_people
from .approval_ranges import cover


class BankApprovalRule(models.Model):
    _inherit = "bank.approval.rule"

    @api.model
    def action_check(self):
        """Check the rules, and show what is found."""
        return self.env["bank.approval.check"].action_check()

    @api.model
    def _gaps(self, company):
        """Where amounts have no rule, several, or rules that too few people could satisfy.

        Only rules without a condition on payees, urgency or the largest payment are relied on:
        the others may ask for more, but can't be counted on to apply.

        :param company: one company
        :return: list of dicts: ``kind`` (``gap``: nothing can be sent; ``people``: too few people,
            so nothing can be sent either; ``overlap``: several rules apply, for information),
            ``company``, ``journal`` and ``currency`` (names; currency ``None``: every other one),
            ``from`` and ``below`` (decimal text in the company's currency, ``None``: no limit),
            ``rules`` (names) and ``text`` (a sentence)
        """
        rules = self._of_company(company)
        lasting = rules.filtered(lambda rule: rule._always_applies())
        # sudo: every connected account counts, whatever the reader may see.
        journals = self.env["account.journal"].sudo().search(
            [("company_id", "=", company.id), ("bank_connection_id", "!=", False)]
        )
        found = []
        for journal in journals:
            own = journal.currency_id or company.currency_id
            named = lasting.currency_ids
            others = self.env["res.currency"]  # none: any currency that no rule names
            for currency in [*(own | named), others]:
                here = lasting.filtered(
                    lambda rule, journal=journal, currency=currency: (
                        (not rule.journal_ids or journal in rule.journal_ids)
                        and (not rule.currency_ids or (currency and currency in rule.currency_ids))
                    )
                )
                found += self._gaps_of(company, journal, currency, here)
        return found + self._rules_short_of_people(company, rules - lasting)

    def _always_applies(self):
        """Whether it depends on nothing but company, account, currency and total."""
        return not (
            self.payment_from or self.payment_below or self.urgent or self._asks_about_payee()
        )

    def _gaps_of(self, company, journal, currency, rules):
        ranges = [
            (
                Decimal(str(rule.amount_from)),
                Decimal(str(rule.amount_below)) if rule.amount_below else None,
                rule.id,
            )
            for rule in rules
        ]
        found = []
        for low, below, ids in cover(ranges):
            here = rules.filtered(lambda rule, ids=ids: rule.id in ids)
            place = {
                "company": company.name,
                "journal": journal.display_name,
                "currency": currency.name or None,
                "from": str(low),
                "below": None if below is None else str(below),
                "rules": here.mapped("name"),
            }
            words = self._place_words(company, journal, currency, low, below)
            if not here:
                text = self.env._(
                    "%s: no rule. Such batches can't be sent to approval.", words
                )
                found.append({"kind": "gap", **place, "text": text})
                continue
            names = ", ".join(place["rules"])
            for lacking in here._lacking_people(company):
                text = self.env._("%(place)s: %(lacking)s", place=words, lacking=lacking)
                found.append({"kind": "people", **place, "text": text})
            if len(here) > 1:
                text = self.env._(
                    "%(place)s: several rules ask for approval: %(rules)s.",
                    place=words, rules=names,
                )
                found.append({"kind": "overlap", **place, "text": text})
        return found

    def _rules_short_of_people(self, company, rules):
        """Rules that apply at times, and could then not be satisfied even alone."""
        return [
            {
                "kind": "people", "company": company.name, "journal": None, "currency": None,
                "from": None, "below": None, "rules": rule.mapped("name"),
                "text": self.env._("“%(rule)s”: %(lacking)s", rule=rule.name, lacking=lacking),
            }
            for rule in rules
            for lacking in rule._lacking_people(company)
        ]

    def _lacking_people(self, company):
        """What these rules together lack: sentences; empty when there are enough people."""
        levels = self._levels()
        people = {}
        for step, level in levels:
            for user in level._people(company):
                people.setdefault(user, set()).add(step.number)
        names = {step.number: f"“{level.name}”" for step, level in levels}
        need = {step.number: step.need for step, _level in levels}
        found = short_of_people(
            [step for step, _level in levels],
            [(user, frozenset(numbers)) for user, numbers in people.items()],
        )
        return [
            self.env._(
                "%(levels)s needs %(need)s different people. There are: %(people)s.",
                levels=", ".join(names[number] for number in sorted(numbers)),
                need=sum(need[number] for number in numbers),
                people=", ".join(sorted(user.name for user in users)) or self.env._("none"),
            )
            for numbers, users in dict.fromkeys(found)
        ]

    def _place_words(self, company, journal, currency, low, below):
        own = company.currency_id
        low_text = own.format(float(low))
        if below is None:
            amounts = self.env._("from %s", low_text)
        else:
            amounts = self.env._(
                "from %(low)s to below %(below)s", low=low_text, below=own.format(float(below))
            )
        return self.env._(
            "%(journal)s, %(currency)s, %(amounts)s",
            journal=journal.display_name,
            currency=currency.name or self.env._("other currencies"),
            amounts=amounts,
        )
