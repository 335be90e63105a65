"""What a booking might be for: suggestions, and open items found by searching."""

import re
from decimal import Decimal

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .audit_mask import masked

FOUND = 25  # items in one answer
_NUMBER = re.compile(r"^[+-]?\d{1,3}(?:[.,'’ ]?\d{3})*(?:[.,]\d{1,3})?$|^[+-]?\d+(?:[.,]\d{1,3})?$")


class BankReconcileScreen(models.AbstractModel):
    _inherit = "bank.reconcile.screen"

    # -- suggestions ------------------------------------------------------------------------

    @api.model
    def suggest(self, line_ids):
        """What each of these bookings might be for, best first, ready to show and to confirm.

        :return: dict: statement line's id (as text, for it travels as JSON) → list of dicts
        """
        lines = self._lines(line_ids).filtered(lambda line: not line.is_reconciled)
        found = self._suggestions(lines)
        items = self.env["account.move.line"].browse(
            {item for some in found.values() for one in some for item in one["item_ids"]}
        )._filtered_access("read")
        payments = self.env["account.payment"].browse(
            {pay for some in found.values() for one in some for pay in one["payment_ids"]}
        )._filtered_access("read")
        self._fetch_items(items)
        by_id = {line.id: line for line in lines}
        return {
            str(line_id): [
                self._shown(by_id[line_id], one, items, payments)
                for one in some
                if set(one["item_ids"]) <= set(items.ids)
                and set(one["payment_ids"]) <= set(payments.ids)
            ]
            for line_id, some in found.items()
        }

    def _suggestions(self, lines, limit=5):
        """Suggestions from matching and from rules, best first."""
        # sudo: what fits is looked for among all open items of the booking's company; what the
        # user may not read is left out before anything is shown or booked.
        suggest = self.env["bank.statement.suggest"].sudo()
        found = {}
        for some in lines.sudo().grouped("company_id").values():
            found |= suggest._suggest(some, limit=limit)
        rules = self.env["bank.reconcile.rule"]._suggest(lines)
        together = {}
        for line in lines:
            known = found.get(line.id, [])
            ruled = {one["rule_id"] for one in known if one.get("rule_id")}
            more = [one for one in rules.get(line.id, []) if one["rule_id"] not in ruled]
            some = sorted([*known, *more], key=lambda one: -one["score"])[:limit]
            if some:
                together[line.id] = some
        return together

    def _shown(self, line, suggestion, items, payments):
        """A suggestion with its parts, as the screen shows and sends them back."""
        chosen = items.browse(suggestion["item_ids"])
        discounted = suggestion.get("discounted", {})
        parts = [self._item_part(line, item) for item in chosen]
        for part in parts:
            if part["id"] in discounted:
                part |= {"amount": discounted[part["id"]], "discount": True}
        parts += [
            self._payment_part(line, pay) for pay in payments.browse(suggestion["payment_ids"])
        ]
        parts += [self._account_part(line, part) for part in suggestion["write_off"]]
        return {
            "score": suggestion["score"],
            "reasons": [masked(str(reason)) for reason in suggestion["reasons"]],
            "partner_id": suggestion["partner_id"] or False,
            "rule_id": suggestion["rule_id"] or False,
            "parts": self._capped(line, parts),
        }

    def _capped(self, line, parts):
        """Parts of no more than the booking covers: the last items are paid in part, if need be."""
        left = Decimal(line._bank_open_text())
        over = sum(Decimal(part["amount"]) for part in parts) - left
        for part in reversed(parts):
            amount = Decimal(part["amount"])
            if part["kind"] == "item" and min(over * left, amount * left) > 0:
                cut = min(abs(over), abs(amount)).copy_sign(over)
                part |= {"amount": str(amount - cut), "changed": True, "discount": False}
                over -= cut
        return [part for part in parts if Decimal(part["amount"])]

    # -- parts ------------------------------------------------------------------------------

    def _fetch_items(self, items):
        """Read what is shown of open items, for all at once."""
        items.fetch(
            ["move_name", "ref", "name", "date", "date_maturity", "partner_id", "account_id",
             "amount_residual", "amount_residual_currency", "currency_id", "move_id"]
        )

    def _item_part(self, line, item):
        move = item.move_id
        return {
            "kind": "item",
            "id": item.id,
            "title": item.move_name or item.name or "/",
            "hint": masked(move.ref or move.payment_reference or item.name or ""),
            "partner": item.partner_id.sudo().display_name or False,  # sudo: the name alone
            "date": str(item.date_maturity or item.date or ""),
            "account": item.account_id.display_name,
            "move_id": move.id,
            "amount": self._in_line_currency(line, item),
            "residual": self._text(item.amount_residual_currency, item.currency_id),
            "currency_id": item.currency_id.id,
        }

    def _payment_part(self, line, payment):
        sign = -1 if payment.payment_type == "outbound" else 1
        if payment.bank_booked and not payment.bank_returned and line.amount * sign < 0:
            sign = -sign  # it left before, and may have come back
        return {
            "kind": "payment",
            "id": payment.id,
            "title": payment.name or payment.end_to_end_id or "/",
            "hint": masked(payment.memo or payment.end_to_end_id or ""),
            "partner": payment.partner_id.sudo().display_name or False,  # sudo: the name alone
            "date": str(payment.date or ""),
            "account": payment.destination_account_id.display_name,
            "amount": self._text(sign * payment.amount, payment.currency_id),
            "residual": self._text(sign * payment.amount, payment.currency_id),
            "currency_id": payment.currency_id.id,
        }

    def _account_part(self, line, part):
        account = self.env["account.account"].browse(part["account_id"])
        taxes = self.env["account.tax"].browse(part.get("tax_ids") or [])
        partner = self.env["res.partner"].browse(part.get("partner_id") or []).sudo()  # the name
        return {
            "kind": "account",
            "id": account.id,
            "title": account.display_name,
            "label": part.get("name") or "",
            "partner_id": partner.id or False,
            "partner": partner.display_name or False,
            "taxes": [{"id": tax.id, "name": tax.name} for tax in taxes],
            "analytic_distribution": part.get("analytic_distribution") or False,
            "amount": part["amount"],
        }

    def _in_line_currency(self, line, item):
        """What is open of an item, in the booking's currency and with its sign."""
        currency = line.foreign_currency_id or line.currency_id
        _liquidity, suspense, _others = line.sudo()._seek_for_lines()
        amount = line.sudo()._bank_rated(
            item.amount_residual_currency, item.currency_id, suspense[:1], item
        )
        return self._text(amount, currency)

    # -- searching --------------------------------------------------------------------------

    @api.model
    def search_items(self, line_id, text="", offset=0, limit=FOUND):
        """Open items and waiting payments that a text finds; those that fit best come first.

        :return: dict: ``parts``, and whether there is ``more``
        """
        line = self._lines([line_id])
        offset, limit = max(int(offset), 0), min(int(limit), 4 * FOUND)
        words = (text or "")[:100].split()[:6]
        payments = self._found_payments(line, words) if not offset else []
        items = self._found_items(line, words, offset, limit + 1)
        parts = [self._payment_part(line, payment) for payment in payments]
        parts += [self._item_part(line, item) for item in items[:limit]]
        return {"parts": parts, "more": len(items) > limit}

    def _found_items(self, line, words, offset, limit):
        domain = Domain(line.sudo()._get_default_amls_matching_domain())
        for word in words:
            domain &= self._word_in_items(word)
        model = self.env["account.move.line"]
        query = model._search(domain, offset=offset, limit=limit)
        amount = float(line._bank_open_text())
        residual = SQL.identifier(query.table, "amount_residual_currency")
        query.order = SQL(
            "(%(residual)s = %(amount)s) DESC, (%(partner)s = %(of)s) DESC NULLS LAST, "
            "(sign(%(residual)s) = sign(%(amount)s)) DESC, %(due)s, %(id)s",
            residual=residual,
            amount=amount,
            partner=SQL.identifier(query.table, "partner_id"),
            of=line.partner_id.commercial_partner_id.id or 0,
            due=SQL.identifier(query.table, "date_maturity"),
            id=SQL.identifier(query.table, "id"),
        )
        items = model.browse(list(query))
        self._fetch_items(items)
        return items

    def _word_in_items(self, word):
        domain = Domain.OR(
            Domain(name, "ilike", word)
            for name in ("move_name", "ref", "name", "partner_id.name",
                         "move_id.payment_reference")
        )
        domain |= Domain("account_id.code", "=like", f"{word}%")
        amounts = [value for number in read_amounts(word) for value in (number, -number)]
        if amounts:
            domain |= Domain("amount_residual_currency", "in", amounts)
            domain |= Domain("balance", "in", amounts)
        return domain

    def _found_payments(self, line, words):
        """Payments without an entry of their own, which wait for the bank's booking."""
        domain = Domain(
            [
                ("journal_id", "=", line.journal_id.id),
                ("move_id", "=", False),
                ("state", "=", "in_process"),
                ("bank_booked", "=", False),
                ("payment_type", "=", "outbound" if line.amount < 0 else "inbound"),
            ]
        )
        for word in words:
            some = Domain.OR(
                Domain(name, "ilike", word)
                for name in ("name", "memo", "end_to_end_id", "partner_id.name")
            )
            amounts = [abs(number) for number in read_amounts(word)]
            domain &= some | Domain("amount", "in", amounts) if amounts else some
        return self.env["account.payment"].search(domain, order="date, id", limit=FOUND)


def read_amounts(word):
    """The amounts that a word may mean: 1,234.50 and 1.234,50 are one, 1.234 may be two."""
    if not _NUMBER.match(word):
        return set()
    bare = re.sub(r"['’ ]", "", word)
    last = max(bare.rfind("."), bare.rfind(","))
    found = set()
    if last >= 0 and not ("." in bare and "," in bare) and len(bare) - last == 4:
        found.add(float(re.sub("[.,]", "", bare)))  # thousands, perhaps
    if last < 0:
        return {float(bare)}
    if bare.count(bare[last]) == 1:
        whole = re.sub("[.,]", "", bare[:last])
        found.add(float(f"{whole}.{bare[last + 1:]}"))
    return found
