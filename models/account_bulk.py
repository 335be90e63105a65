"""Asking once what Odoo asks anew for every journal entry.

While many entries are written at once, the context holds ``bank_bulk``: answers that do
not differ between the entries are kept there. The questions stay Odoo's own, so whatever other
modules add to them holds.
"""

from odoo import api, models

# Odoo's synchronisation of entries, wanted after all inside of what :meth:`_bank_quietly` governs.
IN_FULL = {"skip_invoice_sync": False, "skip_account_move_synchronization": False}
# What follows from a journal entry's items; nothing reads it before all is reconciled. (Of bills
# and credit notes the hooks of reconciliation do.)
OF_ENTRIES = (
    "amount_residual",
    "amount_residual_signed",
    "amount_tax",
    "amount_tax_signed",
    "amount_total",
    "amount_total_in_currency_signed",
    "amount_total_signed",
    "amount_untaxed",
    "amount_untaxed_in_currency_signed",
    "amount_untaxed_signed",
    "invoice_date_due",
    "payment_state",
)
OF_LINES = ("amount_residual", "is_reconciled")


class Answers(dict):
    """What was asked once; no other is the same.

    Odoo compares a context with those of all environments of the transaction, again and again,
    and would compare all answers.
    """

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    __hash__ = object.__hash__


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _bank_quietly(self):
        """The context in which many entries are written at once.

        Where law wants every change in the chatter (restrictive audit trail), Odoo tracks as ever.
        """
        return {
            "bank_bulk": Answers(),
            "skip_invoice_sync": True,
            "skip_account_move_synchronization": True,
            "tracking_disable": not self.env.company.restrictive_audit_trail,
        }

    def _compute_name(self):
        if self.env.context.get("bank_bulk") is None:
            return super()._compute_name()
        # What the name is split into is set along with it, not written for each entry anew.
        parts = [self._fields["sequence_prefix"], self._fields["sequence_number"]]
        with self.env.protecting(parts, self):
            return super()._compute_name()

    def _get_next_sequence_format(self):
        # The last number is searched for once. From the first entry's number on, the sequence is
        # locked for this transaction, and Odoo itself counts on in memory.
        answers = self.env.context.get("bank_bulk")
        if answers is None:
            return super()._get_next_sequence_format()
        journal = self.journal_id
        key = (
            "sequence",
            journal,
            self.date,
            self.move_type,
            bool(self.origin_payment_id),
            journal.is_self_billing and self.commercial_partner_id,
        )
        if key not in answers:
            answers[key] = super()._get_next_sequence_format()
        template, values = answers[key]
        return template, dict(values)  # a copy: the caller takes the number out of it


class AccountFiscalPosition(models.Model):
    _inherit = "account.fiscal.position"

    @api.model
    def _get_fiscal_position(self, partner, delivery=None):
        answers = self.env.context.get("bank_bulk")
        if answers is None:
            return super()._get_fiscal_position(partner, delivery=delivery)
        key = ("fiscal position", self.env.company, partner, delivery)
        if key not in answers:
            answers[key] = super()._get_fiscal_position(partner, delivery=delivery)
        return answers[key]

    def search(self, domain, *args, **kwargs):
        answers = self.env.context.get("bank_bulk")
        if answers is None:
            return super().search(domain, *args, **kwargs)
        key = ("fiscal positions", repr((list(domain), args, kwargs)))
        if key not in answers:
            answers[key] = super().search(domain, *args, **kwargs)
        return answers[key]


class AccountAnalyticDistributionModel(models.Model):
    _inherit = "account.analytic.distribution.model"

    @api.model
    def _get_applicable_models(self, vals):
        answers = self.env.context.get("bank_bulk")
        if answers is None:
            return super()._get_applicable_models(vals)
        if ("any distribution",) not in answers:
            # sudo: whether there is any at all; which ones apply stays a question of rights.
            answers["any distribution",] = bool(self.sudo().search([], limit=1))
        if not answers["any distribution",]:
            return self.browse()
        return super()._get_applicable_models(vals)


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _get_outstanding_account(self, payment_type):
        answers = self.env.context.get("bank_bulk")
        if answers is None:
            return super()._get_outstanding_account(payment_type)
        key = ("outstanding account", self.company_id, payment_type)
        if key not in answers:
            answers[key] = super()._get_outstanding_account(payment_type)
        return answers[key]
