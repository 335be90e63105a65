"""What a security review looks at: one method for each question, none of which changes anything."""

import logging
from collections import namedtuple
from datetime import timedelta

from odoo import api, models

_logger = logging.getLogger(__name__)

WEEK = timedelta(days=7)


class Found(
    namedtuple("Found", "code record facts people key severity", defaults=(None, None, (), "", ""))
):
    """Something that was found.

    :ivar code: of ``security_texts.CATALOGUE``
    :ivar record: what it is about, if it is about one record
    :ivar facts: plain values of the sentence
    :ivar people: numbers of the users whom it concerns: they can't accept it
    :ivar key: tells apart what has the same code and record
    :ivar severity: where it is another than the catalogue's
    """

    def identity(self):
        about = f"{self.record._name},{self.record.id}" if self.record else ""
        return f"{self.code}/{about}/{self.key}"


class BankSecurityCheck(models.AbstractModel):
    _name = "bank.security.check"
    _description = "What a Security Review Looks At"

    @api.model
    def _look(self, company, since):
        """Ask every question about a company and its branches.

        :param since: from when on what was done is told
        :return: list of :class:`Found`
        """
        # sudo: a review sees everything, whoever asked for it.
        self = self.sudo()
        companies = self.env["res.company"].search([("id", "child_of", company.id)])
        found = []
        for check in self._checks():
            try:
                with self.env.cr.savepoint():
                    found += check(companies, since)
            except Exception:  # what can't be looked at is a finding, not an end of looking
                name = check.__name__.lstrip("_")
                _logger.exception("The security review could not look at %s", name)
                found.append(Found("check_failed", facts={"name": name}, key=name))
        return found

    @api.model
    def _checks(self):
        """Methods of ``(companies, since)`` that return lists of :class:`Found`."""
        return [self._rules, self._step_up, self._accounts]

    @api.model
    def _connected(self, companies):
        """Those of the companies that pay over a bank connection."""
        return self.env["account.journal"].search(
            [("company_id", "in", companies.ids), ("bank_connection_id", "!=", False)]
        ).company_id

    # -- rules ----------------------------------------------------------------------------------

    def _rules(self, companies, _since):
        rules = self.env["bank.approval.rule"]
        return [
            Found(
                "rule_gap" if each["kind"] == "gap" else "rule_people", company,
                {"text": each["text"]},
                key="/".join(str(each[name]) for name in ("kind", "journal", "currency", "from"))
                + "/".join(each["rules"]),
            )
            for company in self._connected(companies)
            for each in rules._gaps(company)
            if each["kind"] != "overlap"
        ]

    def _step_up(self, companies, _since):
        rules = self.env["bank.approval.rule"]
        return [
            Found("step_up_off", company, {"company": company.name})
            for company in self._connected(companies)
            if not company.bank_step_up
            and not any(rules._of_company(company).mapped("step_up"))
        ]

    # -- payees' accounts -----------------------------------------------------------------------

    def _accounts(self, companies, _since):
        found = [
            Found("account_control_off", company, {"company": company.name})
            for company in self._connected(companies)
            if not company.bank_account_control
        ]
        week_ago = self.env.cr.now() - WEEK
        [(count, since)] = self.env["bank.account.change"]._read_group(
            [
                ("state", "=", "pending"),
                ("own", "=", False),
                ("date", "<", week_ago),
                ("company_id", "in", [False, *companies.ids]),
            ],
            [],
            ["account_id:count_distinct", "date:min"],
        )
        if count:
            found.append(Found("account_unconfirmed", None, {"count": count, "since": str(since)}))
        return found
