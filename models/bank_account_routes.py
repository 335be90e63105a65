"""The roundabout ways by which an account's data changes without a word to the account."""

from odoo import models


class ResBank(models.Model):
    """A bank's BIC is where the money goes: changing it changes all accounts kept there."""

    _inherit = "res.bank"

    def write(self, vals):
        if "bic" not in vals:
            return super().write(vals)
        accounts = self._bank_accounts()
        before = accounts._bank_snapshot()
        result = super().write(vals)
        accounts._bank_note_since(before, "bank")
        return result

    def unlink(self):
        accounts = self._bank_accounts()
        before = accounts._bank_snapshot()
        result = super().unlink()
        accounts.invalidate_recordset(["bank_id"])
        accounts._bank_note_since(before, "bank")
        return result

    def _bank_accounts(self):
        # sudo: accounts of every company go to this bank.
        accounts = self.env["res.partner.bank"].sudo().with_context(active_test=False)
        return accounts.search([("bank_id", "in", self.ids)])


class ResPartner(models.Model):
    """A contact that joins another company brings its account along."""

    _inherit = "res.partner"

    def write(self, vals):
        if not {"parent_id", "is_company", "commercial_partner_id"} & vals.keys():
            return super().write(vals)
        accounts = self._bank_accounts_below()
        before = accounts._bank_snapshot()
        result = super().write(vals)
        accounts._bank_note_since(before, "payee")
        return result

    def _bank_accounts_below(self):
        # sudo: contacts may have accounts that the user can't see.
        accounts = self.env["res.partner.bank"].sudo().with_context(active_test=False)
        return accounts.search([("partner_id", "child_of", self.ids)]) if self.ids else accounts


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    def _bank_note_since(self, before, kind):
        accounts = self.exists()
        changes = accounts._bank_differences(before)
        accounts.browse(changes)._bank_put_on_hold(kind, changes)
