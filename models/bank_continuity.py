"""Whether the statements of a bank account join, told wherever somebody may ask.

Nothing is kept and nothing is booked to make a balance fit: a gap is there as long as the
statements do not join, and gone when the missing one arrives.
"""

from collections import defaultdict
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL, formatLang

from ..formats import continuity
from ..formats.identity import NEAR
from .bank_statement_pages import PATIENCE

UNCONFIRMED = "unconfirmed"


class AccountJournal(models.Model):
    _inherit = "account.journal"

    bank_gap_count = fields.Integer(
        string="Gaps between statements", compute="_compute_bank_gap_count"
    )

    def _compute_bank_gap_count(self):
        for journal in self:
            journal.bank_gap_count = (
                len(journal._bank_continuity_gaps()) if journal.bank_connection_id else 0
            )

    def _bank_continuity_gaps(self):
        """Where the bank's statements of these accounts do not join.

        :return: list of dicts, by journal and day: ``kind`` (``missing``, ``balance``,
            ``sequence``, ``page``, ``corrected``, ``unconfirmed``), ``journal``, ``from_date``,
            ``to_date``, ``expected``, ``found`` (numbers of the account's currency, or None),
            ``report_id`` and ``report_ids`` (`bank.account.report`), ``statement_ids``,
            ``line_ids`` and a ``sentence`` for people
        """
        found = []
        for journal in self:
            # sudo: whoever may see the account may know that a statement is missing.
            reports = journal.env["bank.account.report"].sudo().search(
                [
                    ("journal_id", "=", journal.id), ("final", "=", True), ("done", "=", True),
                    ("has_balances", "=", True), ("date", "!=", False),
                ],
                order="id",
            )
            found += journal._bank_gaps_between(reports)
            found += journal._bank_unconfirmed(reports)
        return found

    def _bank_gaps_between(self, reports):
        found, recently = [], fields.Datetime.now() - PATIENCE
        for gap in continuity.gaps(self._bank_statements(reports)):
            before, after = reports.browse(gap.before.id), reports.browse(gap.after.id)
            lines = self.env["account.bank.statement.line"]
            if gap.kind == continuity.PAGE and before.create_date > recently:
                continue  # it may be on its way
            if gap.kind == continuity.CORRECTED:
                lines = self._bank_only_told_by(before)
                if not lines:
                    continue  # what is booked is what the bank says last
            values = {
                "kind": gap.kind,
                "journal": self,
                "from_date": before.date,
                "to_date": after.date,
                "expected": float(gap.expected),
                "found": float(gap.found),
                "report_id": after.id,
                "report_ids": list(dict.fromkeys([before.id, after.id])),
                "statement_ids": (before | after).statement_id.ids,
                "line_ids": lines.ids,
            }
            found.append(values | {"sentence": self._bank_gap_sentence(values)})
        return found

    def _bank_statements(self, reports):
        """The reports, as :mod:`formats.continuity` reads them."""
        joined = self._bank_joined(reports)
        return [
            continuity.Statement(
                id=report.id, kind=report._extent().kind, number=report.number or None,
                opening=report._money(report.opening), closing=report._money(report.closing),
                last=report.date, booked=report.booked_count, joined=report.id in joined,
                page=report.page or None, more=(report.page_facts or {}).get("last") is False,
            )
            for report in reports
        ]

    def _bank_joined(self, reports):
        """Reports whose first entry another statement tells too: they begin within that one."""
        firsts = reports.first_line_id.sudo()
        finals = set(reports.ids)
        joined = set()
        for report in reports:
            told = (report.first_line_id & firsts).bank_told or []
            if any(each["r"] in finals and each["r"] != report.id for each in told):
                joined.add(report.id)
        return joined

    def _bank_only_told_by(self, report):
        """Bookings that no statement tells but one that the bank corrected."""
        lines = self.env["account.bank.statement.line"].sudo().search(
            [("bank_report_id", "=", report.id)]
        )
        told = {each["r"] for line in lines for each in line.bank_told or []} - {report.id}
        finals = set(report.browse(told).exists().filtered("final").ids)
        return lines.filtered(
            lambda line: not any(each["r"] in finals for each in line.bank_told or [])
        )

    def _bank_unconfirmed(self, reports):
        """Bookings that an advice told, and no statement although their days are over."""
        if not reports:
            return []
        last = max(reports.mapped("date")) - timedelta(days=NEAR)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id, line.amount, COALESCE(line.bank_booking_date, line.bank_value_date),
                       line.bank_report_id
                  FROM account_bank_statement_line line
                  JOIN bank_account_report report ON report.id = line.bank_report_id
                 WHERE line.journal_id = %s AND line.statement_id IS NULL
                   AND report.final IS NOT TRUE
                   AND COALESCE(line.bank_booking_date, line.bank_value_date) <= %s
              ORDER BY line.internal_index
                """,
                self.id, last,
            )
        )
        days = defaultdict(list)
        for row in rows:
            days[row[2]].append(row)
        found = []
        for day, told in sorted(days.items()):
            values = {
                "kind": UNCONFIRMED, "journal": self, "from_date": day, "to_date": day,
                "expected": 0.0, "found": sum(row[1] for row in told),
                "report_id": told[0][3], "report_ids": sorted({row[3] for row in told}),
                "statement_ids": [], "line_ids": [row[0] for row in told],
            }
            found.append(values | {"sentence": self._bank_gap_sentence(values)})
        return found

    def _bank_gap_sentence(self, gap):
        """What is wrong, and what to do, for a person."""
        currency = self.bank_currency_id
        values = {
            "account": self.display_name,
            "before": gap["from_date"],
            "after": gap["to_date"],
            "expected": formatLang(self.env, gap["expected"], currency_obj=currency),
            "found": formatLang(self.env, gap["found"], currency_obj=currency),
            "count": len(gap["line_ids"]),
        }
        return {
            continuity.MISSING: self.env._(
                "%(account)s: a statement is missing between %(before)s and %(after)s. The one "
                "closes with %(expected)s, the other opens with %(found)s. Ask the bank for it.",
                **values),
            continuity.BALANCE: self.env._(
                "%(account)s: the statement of %(before)s closes with %(expected)s, but the next "
                "one, of %(after)s, opens with %(found)s. Ask the bank.", **values),
            continuity.SEQUENCE: self.env._(
                "%(account)s: the bank's numbers do not follow between the statements of "
                "%(before)s and %(after)s, though the balances do. Ask the bank whether it sent "
                "one that is not here.", **values),
            continuity.PAGE: self.env._(
                "%(account)s: the statement of %(before)s goes on behind its page that closes with "
                "%(expected)s, but the next page is not here. Ask the bank for it.", **values),
            continuity.CORRECTED: self.env._(
                "%(account)s: the bank corrected its statement of %(before)s: it closed with "
                "%(expected)s, and closes with %(found)s now. Bookings that only the first "
                "version tells: %(count)s. Check them, and remove what did not happen.", **values),
            UNCONFIRMED: self.env._(
                "%(account)s: an advice told bookings of %(before)s, together %(found)s, which no "
                "statement tells. Check whether the bank took them back.", **values),
        }[gap["kind"]]

    def action_view_bank_reports(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_account_report"
        )
        return action | {"domain": [("journal_id", "=", self.id)]}
