"""The bank's receipt for a payment (PDF): kept as it came, and found at the payment.

Which payment it is for is said by the file's name or by the text in it; where neither does, a
person says it.
"""

import base64
import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..formats import pdf_text
from ..formats.errors import FormatError
from . import format_texts
from .audit_mask import ROLES
from .bank_message_receive import Quarantine

KIND = "pdf"
SORTERS = "account_bank_connect.group_preparer,account_bank_connect.group_admin"
LONGEST_NAME = 255


class BankMessage(models.Model):
    _inherit = "bank.message"

    receipt_payment_id = fields.Many2one(
        "account.payment",
        string="Receipt for",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The payment for which this is the bank's receipt.",
    )

    # -- processing -------------------------------------------------------------------------------

    def _process_receipt(self, stream):
        """Find the payment that a PDF is the receipt for.

        :return: notes
        :raises Quarantine: it names none, or several
        """
        payment, how = self._payment_of_receipt(stream.read())
        self._attach_receipt(payment)
        return [how]

    def _attach_receipt(self, payment):
        self.write({"receipt_payment_id": payment.id, "batch_id": payment.bank_batch_id.id})
        # sudo: waking a scheduled action of ours changes nothing in it.
        self.env.ref("account_bank_connect.cron_advice").sudo()._trigger()

    def _payment_of_receipt(self, content):
        """The payment, and how it was found.

        :raises Quarantine: see above
        """
        named = self._names_in_file_name()
        payment = self._payment_named(self.connection_id, named)
        if len(payment) == 1:
            return payment, self.env._("The file's name names the payment.")
        try:
            said = pdf_text.text(content)
        except FormatError as error:
            raise Quarantine(
                self.env._(
                    "The file's name names no payment of this connection, and what is in it can't "
                    "be read: %s. Look at it, and say which payment it is for.",
                    format_texts.reading_text(self.env, error),
                )
            ) from error
        payment = self._payment_named(self.connection_id, pdf_text.references(said))
        if len(payment) == 1:
            return payment, self.env._("The text of the receipt names the payment.")
        if payment:
            raise Quarantine(
                self.env._(
                    "The receipt names several payments: %s. Say which one it is for.",
                    ", ".join(sorted(payment.mapped("end_to_end_id"))[:5]),
                )
            )
        raise Quarantine(
            self.env._(
                "The receipt names no payment of this connection. Look at it, and say which "
                "payment it is for."
            )
        )

    def _names_in_file_name(self):
        name = (self.name or "")[:LONGEST_NAME]
        pattern = self.connection_id.profile_id.receipt_pattern
        if pattern:
            found = re.search(pattern, name)
            return [each for each in found.groups() if each] if found else []
        return pdf_text.references(name.removesuffix(".pdf").removesuffix(".PDF"))

    @api.model
    def _payment_named(self, connection, names):
        """Payments of a connection that one of these references belongs to.

        The end-to-end number and the UETR are ours and unmistakable; a reference of the bank's
        own counts where they say nothing.
        """
        payments = self.env["account.payment"]
        if not names:
            return payments
        ours = [("journal_id", "in", connection.journal_ids.ids)]
        found = payments.search(
            [*ours, "|", ("end_to_end_id", "in", names), ("uetr", "in", _uetrs(names))], limit=6
        )
        if found:
            return found
        found = payments.search(
            [*ours, ("bank_batch_id", "!=", False), ("bank_reference", "in", names)], limit=6
        )
        lines = self.env["account.bank.statement.line"].search(
            [*ours, ("bank_reference", "in", names), ("amount", "<", 0)], limit=6
        )
        return found | lines.bank_payment_ids[:6]

    def _quarantine(self, reason):
        # Putting aside undoes what was found out; that it is a receipt is needed to assign it.
        result = super()._quarantine(reason)
        start = base64.b64decode((self.with_context(bin_size=False).content or b"")[:2000])
        if b"%PDF-" in start:
            self.kind = KIND
        return result

    # -- by hand ----------------------------------------------------------------------------------

    def action_assign_receipt(self):
        """Ask which payment a receipt is for."""
        self.ensure_one()
        self._check_sorter()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Which payment is it for?"),
            "res_model": "bank.receipt.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_message_id": self.id},
        }

    def _assign_receipt(self, payment):
        """A person says which payment this is the receipt for."""
        self.ensure_one()
        self._check_sorter()
        payment.check_access("read")
        if self.kind != KIND or self.state != "quarantined":
            raise UserError(self.env._("Only a receipt that was put aside is assigned by hand."))
        if payment.journal_id not in self.connection_id.journal_ids or not payment.bank_batch_id:
            raise UserError(
                self.env._("%s was not paid over this connection.", payment.display_name)
            )
        # sudo: messages are written by the engine only; who may do this was checked.
        message = self.sudo()
        message._attach_receipt(payment)
        message.write(
            {
                "state": "processed",
                "processed_date": fields.Datetime.now(),
                "error": False,
                "error_code": False,
                "note": self.env._("Assigned by %s.", self.env.user.name),
            }
        )
        self.env["bank.audit.event"]._record(
            "receipt_assigned", message, payment=payment.end_to_end_id, sha256=self.sha256
        )

    def _check_sorter(self):
        self.check_access("read")
        if not self.env.user.has_groups(SORTERS):
            raise UserError(self.env._("Only a preparer or a bank administrator may do this."))

    # -- reading ----------------------------------------------------------------------------------

    def _as_attachments(self):
        """Copies for a mail. Only who may read the document opens them from the chatter."""
        return self.env["ir.attachment"].create(
            [
                {
                    "name": message.name if message.name.lower().endswith(".pdf")
                    else f"{message.name}.pdf",
                    "raw": message._raw(),
                    "mimetype": "application/pdf",
                    "res_model": self._name,
                    "res_id": message.id,
                }
                for message in self if not message.erased_date
            ]
        )

    def _erase_bytes(self):
        # The copies in the vendor's mails end with the document itself.
        self.env["ir.attachment"].search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        ).unlink()
        return super()._erase_bytes()

    @api.depends("kind")
    def _compute_preview(self):
        papers = self.filtered(lambda message: message.kind == KIND)
        papers.preview = self.env._("A receipt (PDF): download it to see it.")
        papers.preview_is_part = False
        return super(BankMessage, self - papers)._compute_preview()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # Receipts show whole account numbers, ours and the payee's.
    bank_receipt_ids = fields.One2many(
        "bank.message", "receipt_payment_id", string="Bank's receipts", readonly=True, groups=ROLES
    )
    bank_receipt_count = fields.Integer(
        string="Number of bank's receipts", compute="_compute_bank_receipt_count", groups=ROLES
    )

    @api.depends("bank_receipt_ids")
    def _compute_bank_receipt_count(self):
        for payment in self:
            payment.bank_receipt_count = len(payment.bank_receipt_ids)

    def action_view_bank_receipts(self):
        """Open the receipt; a list where the bank gave several."""
        self.ensure_one()
        self.env["bank.message"].check_access("read")
        receipts = self.bank_receipt_ids
        if len(receipts) == 1:
            return receipts.action_download()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bank's receipts"),
            "res_model": "bank.message",
            "view_mode": "list,form",
            "domain": [("id", "in", receipts.ids)],
        }


class BankConnectionProfile(models.Model):
    _inherit = "bank.connection.profile"

    receipt_pattern = fields.Char(
        string="Name of receipts",
        help="A regular expression that finds the payment's reference in the name of a receipt "
        "(PDF), in brackets: RCPT_([A-Z0-9-]+)_. Empty: every word of the name and of the text is "
        "compared.",
    )

    @api.constrains("receipt_pattern")
    def _check_receipt_pattern(self):
        for profile in self.filtered("receipt_pattern"):
            try:
                groups = re.compile(profile.receipt_pattern).groups
            except re.error as error:
                raise ValidationError(
                    self.env._("This is no regular expression: %s", error)
                ) from error
            if not groups:
                raise ValidationError(
                    self.env._("The expression needs brackets around the payment's reference.")
                )


def _uetrs(names):
    return [name.lower() for name in names if name.count("-") == 4]
