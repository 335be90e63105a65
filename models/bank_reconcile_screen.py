"""What the reconciliation screen shows: bookings, and what they might be for.

The screen asks in few questions: one for a page of bookings, one for the suggestions of those that
it shows. Every method here is called by RPC, and asks for rights itself.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .audit_mask import SEES_ACCOUNTS, masked
from .bank_reconcile_partner import ends

PAGE = 40  # bookings on one page
MOST = 200  # that may be asked for at once
PRESETS = 9  # rules offered as presets of a write-off


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    bank_reconciled_at = fields.Datetime(string="Reconciled at", readonly=True, copy=False)
    bank_reconciled_by_id = fields.Many2one(
        "res.users", string="Reconciled by", readonly=True, copy=False
    )

    _bank_reconciled_at_idx = models.Index(
        "(bank_reconciled_at) WHERE bank_reconciled_at IS NOT NULL"
    )


class BankReconcileScreen(models.AbstractModel):
    _name = "bank.reconcile.screen"
    _description = "Reconciliation Screen"

    # -- rights -----------------------------------------------------------------------------

    @api.model
    def _may_reconcile(self):
        return self.env.su or self.env.user.has_group("account.group_account_invoice")

    def _check_may(self):
        """
        :raises AccessError: the user only looks
        """
        if not self._may_reconcile():
            raise AccessError(
                self.env._("You see the bank's bookings; reconciling them is for those who may "
                  "invoice.")
            )

    def _lines(self, line_ids):
        """Statement lines that the user may see.

        :raises AccessError: one of them is none of the user's business
        """
        numbers = [int(number) for number in line_ids[:MOST]]
        lines = self.env["account.bank.statement.line"].browse(numbers).exists()
        lines.check_access("read")
        return lines

    def _sees_accounts(self):
        return any(self.env.user.has_group(group) for group in SEES_ACCOUNTS.split(","))

    # -- loading ----------------------------------------------------------------------------

    @api.model
    def load_page(self, domain, offset=0, limit=PAGE):
        """One page of bookings, newest first.

        :param domain: on statement lines, of the search bar
        :return: dict: ``lines``, ``total``, ``may``, ``presets``; ``elsewhere`` is the action of
            another screen that is installed, which takes the place of this one
        """
        elsewhere = self._elsewhere()
        if elsewhere:
            return {"elsewhere": elsewhere}
        model = self.env["account.bank.statement.line"]
        model.check_access("read")
        domain = Domain(domain)
        lines = model.search(domain, offset=int(offset), limit=min(int(limit), MOST))
        total = len(lines) + int(offset)
        if len(lines) == limit or (offset and not lines):
            total = model.search_count(domain)
        return {
            "lines": self._rows(lines),
            "total": total,
            "may": self._may_reconcile(),
            "presets": self._presets(),
            "elsewhere": False,
        }

    @api.model
    def read_lines(self, line_ids):
        """The bookings as they are now, with what they are booked on."""
        return self._rows(self._lines(line_ids), booked=True)

    def _rows(self, lines, booked=False):
        """Statement lines as the screen shows them."""
        # sudo: who may read the lines may read what they are booked on, and where; read at once.
        items = lines.sudo().move_id.line_ids
        items.fetch(["account_id", "amount_currency", "partner_id", "name", "currency_id"])
        whole = self._sees_accounts()
        return [self._row(line, whole, booked) for line in lines]

    def _row(self, line, whole, booked):
        currency = line.foreign_currency_id or line.currency_id
        partner = line.partner_id.sudo()  # sudo: the name of a partner of a booking one may read
        row = {
            "id": line.id,
            "stamp": self._stamp(line),
            "date": fields.Date.to_string(line.date),
            "value_date": fields.Date.to_string(line.bank_value_date) or False,
            "journal": line.journal_id.sudo().name,
            "company_id": line.company_id.id,
            "partner": {"id": partner.id, "name": partner.display_name} if partner else False,
            "name": masked(line.partner_name or "") or False,
            "account": (
                line.account_number if whole else ends(line.account_number)
            ) or False,
            "text": masked(line.payment_ref or ""),
            "code": line.transaction_type or False,
            "reference": line.bank_reference or False,
            "amount": self._text(line.amount, line.currency_id),
            "currency_id": line.currency_id.id,
            "open": line._bank_open_text(),
            "open_currency_id": currency.id,
            "digits": currency.decimal_places,
            "done": line.is_reconciled,
            "said": self._said(line),
        }
        _liquidity, _suspense, others = line.sudo()._seek_for_lines()
        row["partly"] = bool(others) and not line.is_reconciled
        if booked or row["partly"] or line.is_reconciled:
            row["booked"] = [
                {
                    "id": item.id,
                    "account": item.account_id.display_name,
                    "partner": item.partner_id.display_name or False,
                    "label": masked(item.name or ""),
                    "amount": self._text(-item.amount_currency, item.currency_id),
                    "currency_id": item.currency_id.id,
                    "matched": self._matched(item),
                }
                for item in others
            ]
        return row

    def _matched(self, item):
        """Names of the entries that a journal item of a booking is reconciled with."""
        others = item.matched_debit_ids.debit_move_id | item.matched_credit_ids.credit_move_id
        return ", ".join(name for name in others.mapped("move_name") if name) or False

    def _said(self, line):
        """What the bank told beyond text and amount, for people: list of (kind, text)."""
        told = line.transaction_details
        if not isinstance(told, dict):
            return []
        said = []
        for detail in (told.get("details") or [])[:5]:
            for kind in ("end_to_end_id", "creditor_reference", "return_reason", "name"):
                value = detail.get(kind)
                if value and value not in (line.payment_ref, line.partner_name, "NOTPROVIDED"):
                    said.append((kind, masked(str(value))))
        if len(told.get("details") or []) > 1:
            said.append(("payments", str(len(told["details"]))))
        batch = told.get("batch") or {}
        if batch.get("payment_information_id") or batch.get("message_id"):
            said.append(
                ("batch", str(batch.get("payment_information_id") or batch["message_id"]))
            )
        for charge in (told.get("charges") or [])[:3]:
            said.append(("charge", f"{charge.get('amount')} {charge.get('currency') or ''}"))
        instructed = told.get("instructed") or {}
        if instructed.get("amount"):
            said.append(
                ("instructed", f"{instructed['amount']} {instructed.get('currency') or ''}")
            )
        return said

    def _stamp(self, line):
        """What a booking stands at: a person decides about this, and nothing else."""
        return f"{line._bank_open_text()}|{int(line.is_reconciled)}|{len(line.sudo().line_ids)}"

    @staticmethod
    def _text(amount, currency):
        return f"{currency.round(amount):.{currency.decimal_places}f}"

    # -- presets ----------------------------------------------------------------------------

    def _presets(self):
        """Rules as presets: what one would write off to most."""
        rules = self.env["bank.reconcile.rule"].search(
            [("company_id", "parent_of", self.env.companies.ids)], limit=PRESETS
        )
        return [
            {
                "id": rule.id,
                "name": rule.name,
                "company_id": rule.company_id.id,
                **self._named_part(rule, rule.label),
            }
            for rule in rules
        ]

    def _named_part(self, rule, label):
        return {
            "account": {"id": rule.account_id.id, "name": rule.account_id.display_name},
            "taxes": [{"id": tax.id, "name": tax.name} for tax in rule.tax_ids],
            "analytic_distribution": rule.analytic_distribution or False,
            "partner_id": rule.partner_id.id or False,
            "label": label or False,
        }
