import json

from odoo import models
from odoo.exceptions import UserError

from . import bank_payment_seal as seal


class BankPaymentBatch(models.Model):
    """What was approved is what leaves: the batch's sealed copy, and whether it still holds."""

    _inherit = "bank.payment.batch"

    def _seal_now(self):
        """Take the copy of the live records that every later step works on."""
        for batch in self:
            text = seal.canonical(seal.content_of(batch))
            batch._engine().write({"sealed_content": text, "seal": seal.digest(text)})

    def _check_seal(self):
        """Refuse when a record changed since the batch was sealed."""
        # sudo: all of the batch is compared, whatever the approver may see of it.
        batch = self.sudo()
        if seal.digest(batch.sealed_content or "") != batch.seal:
            raise UserError(self.env._("The sealed content of %s was altered.", self.name))
        current = seal.content_of(batch)
        if seal.canonical(current) != batch.sealed_content:
            changes = seal.differences(self.env, json.loads(batch.sealed_content), current)
            raise UserError(
                self.env._(
                    "%s was changed after it was sent to approval. Reject it, and let it be "
                    "prepared again:",
                    self.name,
                )
                + "\n"
                + "\n".join(changes)
            )
