import json

from odoo import api, fields, models
from odoo.exceptions import UserError

from .engine import ENGINE


class BankMessage(models.Model):
    """A document whose retention has ended: its bytes are gone, the proof of them stays."""

    _inherit = "bank.message"

    erased_date = fields.Datetime(
        string="Erased on",
        readonly=True,
        help="When the bytes were erased, after the time they have to be kept. Their SHA-256, "
        "size and dates stay: whoever has a copy can prove that it is this document.",
    )

    def _erase_bytes(self):
        self.write({"content": False, "erased_date": fields.Datetime.now()})

    def _raw(self):
        """:raises UserError: also when the bytes were erased"""
        self.ensure_one()
        if self.erased_date:
            raise UserError(self._erased_sentence())
        return super()._raw()

    def _erased_sentence(self):
        return self.env._(
            "The content of %(name)s was erased on %(date)s, when its retention ended. Its "
            "SHA-256 is %(sha256)s.",
            name=self.name,
            date=fields.Date.to_string(self.erased_date),
            sha256=self.sha256,
        )

    def action_download(self):
        if self.erased_date:
            raise UserError(self._erased_sentence())
        return super().action_download()

    @api.depends("erased_date")
    def _compute_preview(self):
        erased = self.filtered("erased_date")
        for message in erased:
            message.preview = message._erased_sentence()
            message.preview_is_part = False
        return super(BankMessage, self - erased)._compute_preview()


class BankPaymentBatch(models.Model):
    """A batch whose sealed copy is gone: its digest, who approved it and when stay."""

    _inherit = "bank.payment.batch"

    sealed_erased_date = fields.Datetime(
        string="Sealed copy erased on", readonly=True, copy=False
    )

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"sealed_erased_date"}

    def _erase_sealed(self):
        """Erase the sealed copies, the texts on their payments and what was said of them.

        Digests, decisions and their signatures stay.
        """
        self._engine().write(
            {"sealed_content": False, "sealed_erased_date": fields.Datetime.now()}
        )
        payments = self._engine().payment_ids.with_context(tracking_disable=True)
        payments._bank_erase_texts()
        flags = self.env["bank.payment.flag"].sudo().search([("batch_id", "in", self.ids)])
        flags.with_context(bank_engine=ENGINE).unlink()

    def _sealed_payments(self):
        """What was sealed of each payment; empty where the copy is gone."""
        self.ensure_one()
        return json.loads(self.sealed_content)["payments"] if self.sealed_content else []

    def _check_sealed(self):
        for batch in self:
            if batch.sealed_erased_date:
                raise UserError(
                    self.env._(
                        "The sealed copy of %(batch)s was erased on %(date)s, when its retention "
                        "ended. Its digest is %(digest)s.",
                        batch=batch.name,
                        date=fields.Date.to_string(batch.sealed_erased_date),
                        digest=batch.seal,
                    )
                )
        return super()._check_sealed()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_erase_texts(self):
        """Forget what was written to the payee; called by the engine, on payments that are over."""
        self.write(
            {
                "bank_remittance": False,
                "bank_creditor_reference": False,
                "bank_creditor_reference_issuer": False,
                "bank_creditor_reference_type": False,
                "bank_reason_text": False,
            }
        )
