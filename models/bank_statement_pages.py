"""Statements that a bank delivers in pages, in one document or in several.

A page whose own balances prove it is taken in at once. One that can be proven only together with
the others waits for them: nothing of it is booked before all are there and add up, in whatever
order they come. Then each page gets the balances between which its entries stand, and is a link of
the chain like any statement.
"""

from dataclasses import replace
from datetime import timedelta

from odoo import fields, models

from ..formats import pages
from . import format_texts

PATIENCE = timedelta(hours=3)  # for pages that are on their way
MEMORY = timedelta(days=30)  # in which pages of one number belong together


class BankAccountReport(models.Model):
    _inherit = "bank.account.report"

    page = fields.Integer(
        string="Statement page", readonly=True, aggregator=None,
        help="Which page of a statement it is, where the bank delivers it in several.",
    )
    # What a page tells, for proving it with the others (``formats.pages``).
    page_facts = fields.Json(readonly=True, prefetch=False)
    waiting = fields.Boolean(
        string="Waits for pages", readonly=True,
        help="It can be proven only together with other pages, which are not here yet.",
    )

    _page_idx = models.Index("(journal_id, number) WHERE page > 0")

    def _pages(self):
        """First and last page that it holds; None for a whole statement."""
        return (self.page_facts["first"], self.page_facts["number"]) if self.page_facts else None

    def _extent(self):
        return replace(super()._extent(), pages=self._pages())

    def _page_siblings(self):
        """All pages of its statement that are here, in whatever version, as they came."""
        same = [("number", "=", self.number)] if self.number else [("name", "=", self.name)]
        return self.search(
            [
                *same, ("journal_id", "=", self.journal_id.id), ("kind", "=", self.kind),
                ("page", ">", 0), ("create_date", ">", self.create_date - MEMORY),
            ],
            order="id",
        )

    def _join_pages(self):
        """Prove a page together with the others, if they are here.

        :return: what is missing or wrong, as a sentence or None, and whether it is wrong
        """
        siblings = self._page_siblings()
        held = siblings.filtered("waiting").message_id - self.message_id
        # The last version of each page, but this one itself.
        chosen = {report.page: report for report in siblings} | {self.page: self}
        reports = sorted(chosen.values(), key=lambda report: report.page)
        facts = [pages.Page.from_json(report.page_facts) for report in reports]
        if missing := pages.missing(facts):
            reason = self.env._(
                "Page %(page)s of statement %(statement)s can be proven only together with the "
                "other pages of it. Not here: page %(missing)s. When it comes, this one is taken "
                "in as well; if it does not, ask the bank for it.",
                page=self.page, statement=self.number or self.name,
                missing=", ".join(str(number) for number in missing),
            )
            return reason, False
        if faults := pages.faults(facts):
            said = format_texts.faults_text(self.env, faults)
            return self.env._("The statement does not add up: %s", said), True
        for report, (_page, opening, closing) in zip(
            reports, pages.balances(facts), strict=True
        ):
            if report.waiting:
                report.write(
                    {
                        "opening": float(opening), "closing": float(closing),
                        "has_balances": True, "waiting": False,
                        "date": reports[-1].date or report.date,
                    }
                )
        held._wake_waiting()
        return None, False


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _waits_for_pages(self):
        """Whether pages of other documents have to come first; people are told if they don't."""
        for record in self._records().filtered("waiting"):
            if not record.waiting:
                continue  # proven with one before it
            reason, wrong = record._join_pages()
            if not reason:
                continue
            if wrong or self.next_attempt:
                self._quarantine(reason)
            else:
                due = fields.Datetime.now() + PATIENCE
                self.write({"next_attempt": due, "error": reason})
            return True
        self.next_attempt = False
        return False

    def _wake_waiting(self):
        """Let documents go on whose other pages have come."""
        self.filtered(lambda message: message.state in ("stored", "quarantined")).write(
            {"state": "stored", "next_attempt": False, "error": False, "error_code": False}
        )
