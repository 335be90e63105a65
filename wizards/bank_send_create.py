"""From the wizard's lines to payments and batches, in bulk."""

import uuid

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context, split_every

from ..models.account_bulk import Answers
from ..models.engine import ENGINE


class BankSendWizard(models.TransientModel):
    _inherit = "bank.send.wizard"

    def _create_batches(self, lines):
        """Create payments and batches for lines without problems.

        :return: the new batches, drafts
        """
        # sudo: batches are made here only, from lines that were checked; the user stays their
        # preparer.
        batches = self.env["bank.payment.batch"].sudo()
        for (journal, currency, level), group in self._batches(lines).items():
            profile = journal.bank_connection_id.profile_id
            for payments in split_every(profile.max_payments or len(group), self._payments(group)):
                batch = batches.create(
                    {
                        "journal_id": journal.id,
                        "currency_id": currency.id,
                        "execution_date": self.execution_date,
                        "service_level": level,
                        "instant": self.instant,
                        "batch_booking": profile.batch_booking,
                    }
                )
                self._fill(batch, payments)
                batches |= batch
        return batches.sudo(False)

    def _fill(self, batch, payments):
        """Create or take over the payments of one batch.

        :param payments: recordsets of lines, one for each payment
        """
        # Without what the caller's context proposes for fields of Odoo's own.
        plain = self.env["account.payment"].with_context(clean_context(self.env.context))
        engine = plain.with_context(
            bank_engine=ENGINE, bank_bulk=Answers(), tracking_disable=True, mail_create_nolog=True
        )
        numbered = [
            (lines, {**self._identity(batch, number), **self._remittance_values(lines)})
            for number, lines in enumerate(payments, start=1)
        ]
        new = [(lines, values) for lines, values in numbered if not lines.payment_id]
        created = engine.create(
            [self._payment_values(batch, lines) | values for lines, values in new]
        )
        self._create_instalments(zip(created, (lines for lines, _v in new), strict=True))
        for lines, values in numbered:
            if lines.payment_id:
                payment = lines.payment_id.with_context(bank_engine=ENGINE)
                payment.lock_for_update()
                payment.write(values)
                self._adopt_instalments(payment)

    def _identity(self, batch, number):
        return {
            "bank_batch_id": batch.id,
            "end_to_end_id": f"{batch.reference}-{number:05d}",
            "uetr": str(uuid.uuid4()),
        }

    def _remittance_values(self, lines):
        said = lines._remittance()
        return {
            "bank_remittance": said["text"],
            "bank_creditor_reference": said["creditor_reference"],
            "bank_creditor_reference_issuer": said["creditor_reference_issuer"],
            "bank_creditor_reference_type": said["creditor_reference_type"],
        }

    def _payment_values(self, batch, lines):
        line = lines[:1]
        method_line = batch.journal_id._bank_method_line()
        values = {
            "payment_type": "outbound",
            "partner_type": (
                "customer" if line.account_id.account_type == "asset_receivable" else "supplier"
            ),
            "partner_id": line.partner_id.commercial_partner_id.id,
            "partner_bank_id": line.partner_bank_id.id,
            "journal_id": batch.journal_id.id,
            "company_id": batch.company_id.id,
            "payment_method_line_id": method_line.id,
            "amount": sum(lines.mapped("amount")),
            "currency_id": batch.currency_id.id,
            "date": batch.execution_date,
            "memo": ", ".join(filter(None, lines.mapped("reference"))),
            "destination_account_id": line.account_id.id,
            "invoice_ids": [Command.set(lines.move_id.ids)],
        }
        return values

    def _create_instalments(self, pairs):
        # sudo: instalments are made here only; the database refuses one that is paid elsewhere.
        self.env["bank.payment.instalment"].sudo().create(
            [
                {
                    "payment_id": payment.id,
                    "move_line_id": line.move_line_id.id,
                    "amount": line.amount,
                    "discount": line.discount if line._is_whole() else 0.0,
                }
                for payment, lines in pairs
                for line in lines
            ]
        )

    def _adopt_instalments(self, payment):
        """Note which bills a payment made elsewhere pays, from its reconciliation."""
        counterpart = payment.move_id.line_ids.filtered(
            lambda item: item.account_id == payment.destination_account_id
        )
        partials = counterpart.matched_credit_ids
        values = [
            {
                "payment_id": payment.id,
                "move_line_id": partial.credit_move_id.id,
                "amount": partial.credit_amount_currency,
            }
            for partial in partials
            if partial.credit_move_id.move_id.is_invoice(include_receipts=True)
        ]
        if not payment.move_id:
            values = self._open_instalments(payment)
        self.env["bank.payment.instalment"].sudo().create(values)

    def _open_instalments(self, payment):
        """The open instalments of the bills that an unbooked payment names, oldest first."""
        left, values = payment.amount, []
        items = payment.invoice_ids.line_ids.filtered(
            lambda item: item.account_id == payment.destination_account_id and not item.reconciled
        ).sorted(lambda item: (item.date_maturity or item.date, item.id))
        for item in items:
            amount = min(left, -item.amount_residual_currency)
            if payment.currency_id.compare_amounts(amount, 0) > 0:
                values.append({"payment_id": payment.id, "move_line_id": item.id, "amount": amount})
                left -= amount
        if not values and payment.invoice_ids:
            raise UserError(self.env._("The bills of %s are paid already.", payment.display_name))
        return values
