"""Which approval rules apply, and which people they ask for."""

from odoo import api, models

from .approval_matching import Step


class BankApprovalRule(models.Model):
    _inherit = "bank.approval.rule"

    @api.model
    def _matching(self, facts):
        """All rules that apply to a batch.

        :param facts: :class:`approval_facts.Facts`
        """
        return self._of_company(facts.company).filtered(lambda rule: rule._applies(facts))

    @api.model
    def _of_company(self, company):
        # sudo: a rule holds for whoever prepares, whether they may read it or not.
        return self.sudo().search(
            ["|", ("company_id", "=", False), ("company_id", "parent_of", company.id)]
        )

    def _applies(self, facts):
        """Whether all conditions of the rule are true. Those about a payee, of the same payee."""
        self.ensure_one()
        return (
            (not self.journal_ids or facts.journal in self.journal_ids)
            and (not self.currency_ids or facts.currency in self.currency_ids)
            and self._in_range(facts, facts.total, self.amount_from, self.amount_below)
            and self._in_range(facts, facts.largest, self.payment_from, self.payment_below)
            and (not self.urgent or facts.urgent)
            and (
                not self._asks_about_payee()
                or any(self._applies_to_payee(payee) for payee in facts.payees)
            )
        )

    def _in_range(self, facts, amount, low, below):
        compare = facts.company.currency_id.compare_amounts
        return compare(amount, low) >= 0 and (not below or compare(amount, below) < 0)

    def _asks_about_payee(self):
        return bool(
            self.new_payee or self.account_days or self.account_changed or self.country_ids
        )

    def _applies_to_payee(self, payee):
        fresh = bool(self.account_days) and payee.account_days < self.account_days
        changed = self.account_changed and payee.account_changed
        countries = set(self.country_ids.mapped("code"))
        return (
            (not self.new_payee or payee.first)
            and (not (self.account_days or self.account_changed) or fresh or changed)
            and (not countries or bool(payee.countries & countries))
        )

    # -- what they ask for ------------------------------------------------------------------

    def _levels(self):
        """The levels of these rules, each with its place.

        :return: list of (:class:`approval_matching.Step`, level), numbered from 1
        """
        found = []
        for chain, rule in enumerate(self):
            for position, level in enumerate(rule.level_ids.sorted(lambda row: row.sequence)):
                step = Step(
                    number=len(found) + 1,
                    need=level.people,
                    chain=chain,
                    position=position if rule.in_order else 0,
                )
                found.append((step, level))
        return found


class BankApprovalLevel(models.Model):
    _inherit = "bank.approval.level"

    def _people(self, company):
        """Who may approve on this level: approvers of the company in its group or named.

        :return: users
        """
        # sudo: who may approve is no secret, but users and groups are the administrator's.
        level = self.sudo()
        return self._people_of(level.group_id, level.user_ids, company)

    @api.model
    def _people_of(self, group, users, company):
        """Approvers of a company who are in a group or named; both read by the module."""
        return self._approvers(company) & (group.all_user_ids | users)

    @api.model
    def _approvers(self, company):
        """Everybody who may approve anything of a company, without OdooBot."""
        # sudo: as above.
        group = self.env.ref("account_bank_connect.group_approver").sudo()
        robot = self.env.ref("base.user_root")
        return group.all_user_ids.filtered(
            lambda user: user.active and company in user.company_ids and user != robot
        )
