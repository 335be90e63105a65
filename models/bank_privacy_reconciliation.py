from odoo import api, models

from .evidence_plain import plain

ITEM = ("reconciliation_id", "kind", "date", "label", "partner_name", "amount", "currency_id")


class BankPrivacy(models.AbstractModel):
    """A person's items on bank reconciliation statements."""

    _inherit = "bank.privacy"

    @api.model
    def _in_transit(self, partner):
        # sudo: who asks for a person's data was checked; statements are the engine's.
        payments = self.env["account.payment"].sudo().search(
            [("partner_id", "child_of", partner.ids),
             ("company_id", "in", self.env.companies.ids)]
        )
        bookings = self.env["account.bank.statement.line"].sudo().search(
            [("partner_id", "child_of", partner.ids),
             ("company_id", "in", self.env.companies.ids)]
        )
        return self.env["bank.reconciliation.line"].sudo().search(
            ["|", ("payment_number", "in", payments.ids), ("line_number", "in", bookings.ids)],
            order="id",
        )

    @api.model
    def _held(self, partner):
        held = super()._held(partner)
        held["in_transit"] = [plain(item, ITEM) for item in self._in_transit(partner)]
        return held

    @api.model
    def _what_stays(self, partner, batches):
        told = super()._what_stays(partner, batches)
        items = self._in_transit(partner)
        if items:
            told.append(
                self.env._(
                    "Kept: items on bank reconciliation statements, %s. They are the company's "
                    "books.",
                    len(items),
                )
            )
        return told
