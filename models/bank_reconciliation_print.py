"""A bank reconciliation statement as people read it: on the screen, on paper, in a spreadsheet."""

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import format_date

PRINTED = 60  # items of a group that are printed; the spreadsheet has them all


class BankReconciliation(models.Model):
    _inherit = "bank.reconciliation"

    clues_text = fields.Html(
        string="Where to look", compute="_compute_clues_text", sanitize=False
    )
    discrepancy_count = fields.Integer(
        string="Open discrepancies", compute="_compute_discrepancy_count"
    )

    # -- the two columns --------------------------------------------------------------------------

    def _columns(self):
        """Both sides of the form, in the order in which they are added up.

        :return: list of sides; each a dict of ``title``, ``balance``, ``groups`` (dicts of
            ``title``, ``kind``, ``count``, ``total``), ``adjusted_title`` and ``adjusted``
        """
        self.ensure_one()
        env = self.env
        titles = {
            "book_receipt": env._("Add: received in the ledger, not yet at the bank"),
            "book_payment": env._("Less: paid in the ledger, not yet at the bank"),
            "bank_receipt": env._("Add: received at the bank, not yet in the ledger"),
            "bank_payment": env._("Less: paid at the bank, not yet in the ledger"),
        }
        sides = [
            ("bank", env._("Bank balance"), env._("Adjusted bank balance"), "book"),
            ("ledger", env._("Ledger balance"), env._("Adjusted ledger balance"), "bank"),
        ]
        return [
            {
                "side": side,
                "title": title,
                "balance": self[f"{side}_balance"],
                "groups": [
                    {
                        "kind": f"{prefix}_{what}",
                        "title": titles[f"{prefix}_{what}"],
                        "count": self[f"{prefix}_{what}_count"],
                        "total": self[f"{prefix}_{what}_total"],
                    }
                    for what in ("receipt", "payment")
                ],
                "adjusted_title": adjusted,
                "adjusted": self[f"{side}_adjusted"],
            }
            for side, title, adjusted, prefix in sides
        ]

    def _printed(self, group):
        """The items of a group that are printed, and what the others come to.

        :return: lines, number of the others, their sum
        """
        shown = self.env["bank.reconciliation.line"].search(
            [("reconciliation_id", "=", self.id), ("kind", "=", group["kind"])],
            order="date, id", limit=PRINTED,
        )
        rest = group["total"] - sum(shown.mapped("amount"))
        return shown, group["count"] - len(shown), self.currency_id.round(rest)

    def _bank_source(self):
        """Where the bank's balance comes from, in a sentence."""
        self.ensure_one()
        env = self.env
        if not self.bank_known:
            return env._("The bank has sent no statement of this account.")
        if not self.statement_date:
            return env._("Opening balance of the bank's first statement, and what it booked since.")
        day = format_date(env, self.statement_date)
        said = env._(
            "Closing balance of the bank's statement %(name)s of %(day)s.",
            name=self.statement_name, day=day,
        )
        if self.coverage == "later":
            return f"{said} " + env._("The bank's next statement confirms the balance of this day.")
        if self.coverage == "open":
            return f"{said} " + env._(
                "No statement covers this day yet; bookings since then: %s.", self.since_count
            )
        return said

    def _signature_lines(self):
        """Who signed: list of (title, name, time, reason)."""
        self.ensure_one()
        sheet = self.sudo()  # sudo: names of those who signed, whoever reads
        rows = [(self.env._("Prepared by"), sheet.prepared_by_id, sheet.prepared_on, "")]
        reviewed = sheet.reviewed_by_id
        rows.append(
            (self.env._("Reviewed by"), reviewed, sheet.reviewed_on,
             sheet.review_reason if reviewed else "")
        )
        return [
            (title, user.name or "", self._time(moment) if user else "", reason or "")
            for title, user, moment, reason in rows
        ]

    def _time(self, moment):
        local = fields.Datetime.context_timestamp(self, moment)
        return f"{format_date(self.env, local.date())} {local:%H:%M %Z}"

    def _shown_account(self):
        """The account's number, as whole as the reader may see it."""
        number = self._fields["account_number"]
        return self.account_number if self._has_field_access(number, "read") else (
            self.account_masked
        )

    # -- where to look ----------------------------------------------------------------------------

    @api.depends("clues")
    @api.depends_context("lang")
    def _compute_clues_text(self):
        for sheet in self:
            rows = Markup("").join(
                Markup("<li>%s <b>%s</b></li>") % (text, sheet.currency_id.format(amount))
                for text, amount in sheet._clue_texts()
            )
            sheet.clues_text = Markup("<ul class='mb-0'>%s</ul>") % rows if rows else False

    def _clue_texts(self):
        """Facts that a difference may come from: list of (sentence, amount)."""
        money = self.currency_id.format
        texts = []
        for clue in self.clues or []:
            amounts = {
                name: money(value) for name, value in clue.items() if isinstance(value, float)
            }
            facts = {**clue, **amounts}
            texts.append((self._clue_text(facts), clue["amount"]))
        return texts

    def _clue_text(self, facts):
        env = self.env
        if facts["code"] == "gap":
            return env._(
                "Statement %(statement)s starts with %(bank)s; %(previous)s before it ended with "
                "%(before)s:",
                statement=facts["statement"], bank=facts["bank"], previous=facts["previous"],
                before=facts["before"],
            )
        if facts["code"] == "sum":
            return env._(
                "By its balances statement %(statement)s moved %(bank)s, its bookings come to "
                "%(booked)s:",
                statement=facts["statement"], bank=facts["bank"], booked=facts["booked"],
            )
        if facts["code"] == "opening":
            return env._(
                "The first statement %(statement)s starts with %(bank)s, the ledger with "
                "%(ledger)s:",
                statement=facts["statement"], bank=facts["bank"], ledger=facts["ledger"],
            )
        return env._(
            "%(count)s bookings are on no statement, although statements cover their days:",
            count=facts["count"],
        )

    # -- what the daily comparison found --------------------------------------------------------

    def _open_discrepancies(self):
        """Discrepancies of the account that nobody has resolved; none where there is no such model.
        """
        if "bank.discrepancy" not in self.env:
            return []
        model = self.env["bank.discrepancy"]
        if not model.has_access("read"):
            return model
        return model.search([("journal_id", "=", self.journal_id.id), ("state", "=", "open")])

    @api.depends("journal_id")
    def _compute_discrepancy_count(self):
        for sheet in self:
            sheet.discrepancy_count = len(sheet._open_discrepancies())

    def action_open_discrepancies(self):
        self.ensure_one()
        found = self._open_discrepancies()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Open discrepancies"),
            "res_model": "bank.discrepancy",
            "view_mode": "list,form",
            "domain": [("id", "in", [each.id for each in found])],
        }

    def action_open_lines(self):
        """All items, to search and group."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Items in transit: %s", self.name),
            "res_model": "bank.reconciliation.line",
            "view_mode": "list",
            "domain": [("reconciliation_id", "=", self.id)],
            "context": {"search_default_by_kind": 1},
        }

    def action_print(self):
        """Open the statement as a PDF: at its own address, which asks no browser for a printer."""
        self.check_access("read")
        report = self.env.ref("account_bank_connect.action_report_reconciliation")
        numbers = ",".join(map(str, self.ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/report/pdf/{report.report_name}/{numbers}",
            "target": "new",
        }

    def action_download(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/bank_connect/reconciliation/{self.id}.xlsx",
            "target": "download",
        }
