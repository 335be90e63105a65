"""Creating many journal entries of one kind in one go (see ``bulk_rows``).

Entries of one kind differ in payee, text and amount only. They are created as drafts; Odoo posts
them, with all its checks.
"""

import json
from collections import defaultdict

from odoo import api, models
from odoo.fields import Command
from odoo.tools import float_repr

from . import bulk_rows
from .account_bulk import IN_FULL

# What may differ between entries, and between journal items, of one kind.
OWN = {"ref", "partner_id", "partner_bank_id", "origin_payment_id", "line_ids"}
OWN_OF_ITEM = {"name", "partner_id", "amount_currency", "debit", "credit"}


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _bank_create_entries(self, vals_list):
        """Create draft entries, as ``create`` does.

        :param vals_list: values of entries of one company with their ``line_ids``
        :return: the entries, in the order of ``vals_list``
        """
        alone = [vals for vals in vals_list if self._bank_kind(vals) is None]
        alike = [vals for vals in vals_list if self._bank_kind(vals) is not None]
        synced = self.with_context(**IN_FULL)
        entries = iter(self._bank_copy_entries(alike)), iter(synced.create(alone))
        return self.concat(
            *(next(entries[self._bank_kind(vals) is None]) for vals in vals_list)
        ).with_env(self.env)

    @api.model
    def _bank_copy_entries(self, vals_list):
        kinds = bulk_rows.Kinds(self._bank_kind(vals) for vals in vals_list)
        partners = self.env["res.partner"].browse(
            {vals["partner_id"] for vals in vals_list if vals.get("partner_id")}
        )
        if not (
            kinds.worthwhile
            and bulk_rows.may_copy(self, self.env["account.move.line"])
            and self._bank_may_copy(partners)
        ):
            return self.with_context(**IN_FULL).create(vals_list).with_env(self.env)

        def make_samples():
            moves = self.with_context(**IN_FULL).create(
                [vals_list[position] for position in kinds.samples]
            )
            return [moves, moves.line_ids]

        patterns, item_patterns = bulk_rows.trial(self.env, make_samples)
        of_partner = self._bank_partner_columns(partners)
        entries = []
        for vals, kind in zip(vals_list, kinds.numbers, strict=True):
            columns = {
                "ref": vals.get("ref") or None,
                "origin_payment_id": vals.get("origin_payment_id") or None,
                "partner_bank_id": vals.get("partner_bank_id") or None,
                **of_partner.get(vals.get("partner_id"), {}),
            }
            entries.append((kind, columns, [command[2] for command in vals["line_ids"]]))
        rows, item_rows = self._bank_entry_rows(patterns, item_patterns, entries)
        moves = bulk_rows.insert(self, patterns, rows)
        items = bulk_rows.insert(self.env["account.move.line"], item_patterns, item_rows)
        bulk_rows.settle(moves, items)
        return moves

    @api.model
    def _bank_kind(self, vals):
        """What entries of one kind have in common; None for an entry that can't be copied."""
        kind = [item for item in vals.items() if item[0] not in OWN]
        kind.append(("partner", bool(vals.get("partner_id"))))
        for command in vals["line_ids"]:
            item = command[2]
            if (
                command[0] != Command.CREATE
                or item.get("partner_id") != vals.get("partner_id")
                or not {"debit", "credit", "amount_currency"} <= item.keys()
            ):
                return None
            kind += [pair for pair in item.items() if pair[0] not in OWN_OF_ITEM]
            # Residual amounts and taxes follow the side of an item.
            kind.append((bool(item.get("debit")), bool(item.get("credit"))))
        return bulk_rows.hashable(kind)

    @api.model
    def _bank_may_copy(self, partners):
        """Whether entries with these partners can be copied in this database."""
        if self.env.company.restrictive_audit_trail:
            return False
        # sudo: only asks whether there is anything that would have to be found for each entry.
        if self.env["account.analytic.distribution.model"].sudo().search_count([], limit=1):
            return False
        domain = partners._check_company_domain(self.env.company)
        return not domain or partners == partners.filtered_domain(domain)

    @api.model
    def _bank_entry_rows(self, patterns, item_patterns, entries):
        """The rows of draft entries, for :func:`bulk_rows.insert`.

        :param patterns: rows of sample entries, one of each kind
        :param item_patterns: rows of the samples' journal items
        :param entries: (kind, own columns of the entry, values of its journal items)
        :return: rows of entries and of journal items
        """
        samples = [json.loads(row) for row in patterns]
        of_sample = defaultdict(list)
        for number, row in enumerate(item_patterns):
            of_sample[json.loads(row)["move_id"]].append((number, json.loads(row)))
        move_ids = bulk_rows.new_ids(self, len(entries))
        rows, item_rows = [], []
        for move_id, (kind, columns, items) in zip(move_ids, entries, strict=True):
            rows.append(
                (kind, {"id": move_id, **columns, **self._bank_total_columns(samples[kind], items)})
            )
            pairs = zip(of_sample[samples[kind]["id"]], items, strict=True)
            for (number, pattern), item in pairs:
                item_columns = self._bank_item_columns(pattern, item)
                item_rows.append(
                    (
                        number,
                        {
                            "move_id": move_id,
                            "ref": columns["ref"],
                            "partner_id": columns.get("partner_id"),
                            "payment_id": columns.get("origin_payment_id"),
                            "statement_line_id": columns.get("statement_line_id"),
                            **item_columns,
                        },
                    )
                )
        item_ids = bulk_rows.new_ids(self.env["account.move.line"], len(item_rows))
        for item_id, (_number, columns) in zip(item_ids, item_rows, strict=True):
            columns["id"] = item_id
        return rows, item_rows

    # -- columns, as Odoo computes them for an entry -----------------------------------------

    def _bank_total_columns(self, sample, items):
        """Of a journal entry Odoo's totals are those of its debits (``_compute_amount``)."""
        debits = [item for item in items if item["debit"]]
        total = self._bank_number(
            sum(item["amount_currency"] for item in debits), sample["currency_id"]
        )
        return {
            "amount_total": total,
            "amount_total_in_currency_signed": total.removeprefix("-"),
            "amount_total_signed": self._bank_number(
                sum(item["debit"] for item in debits), self.env.company.currency_id.id
            ),
        }

    def _bank_item_columns(self, pattern, item):
        company_currency = pattern["company_currency_id"]
        debit, credit = item["debit"] or 0.0, item["credit"] or 0.0
        balance = self._bank_number(debit - credit, company_currency)
        amount = self._bank_number(item["amount_currency"], pattern["currency_id"])
        columns = {
            "name": item["name"] or None,
            "debit": self._bank_number(debit, company_currency),
            "credit": self._bank_number(credit, company_currency),
            "balance": balance,
            "amount_currency": amount,
            "price_subtotal": amount,
            "price_total": amount,
        }
        # Only accounts that are reconciled have residual amounts.
        if pattern["amount_residual"]:
            columns["amount_residual"] = balance
        if pattern["amount_residual_currency"]:
            columns["amount_residual_currency"] = amount
        return columns

    def _bank_number(self, amount, currency_id):
        currency = self.env["res.currency"].browse(currency_id)
        return float_repr(currency.round(amount), currency.decimal_places)

    def _bank_partner_columns(self, partners):
        """Columns of an entry that follow its partner: partner's id → columns."""
        company = self.env.company
        positions = self.env["account.fiscal.position"].with_company(company)
        # Looking for a delivery address takes a query for each partner: only where there are any.
        with_addresses = set(
            self.env["res.partner"].search([("parent_id", "in", partners.ids)]).parent_id.ids
        )
        columns = {}
        for partner in partners:
            delivery = partner
            if partner.parent_id or partner.id in with_addresses:
                delivery = partner.browse(partner.address_get(["delivery"])["delivery"])
            own = partner.with_company(company)
            columns[partner.id] = {
                "partner_id": partner.id,
                "commercial_partner_id": partner.commercial_partner_id.id,
                "invoice_partner_display_name": partner.display_name,
                "fiscal_position_id": positions._get_fiscal_position(partner, delivery=delivery).id
                or None,
                "preferred_payment_method_line_id": (
                    own.property_outbound_payment_method_line_id.id or None
                ),
            }
        return columns
