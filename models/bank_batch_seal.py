import hashlib
import io
import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import html_escape as escape

from ..formats import pain001
from ..formats.charset import to_charset
from . import bank_payment_seal as seal
from . import format_texts, keyring
from .audit_mask import SEES_ACCOUNTS

PURPOSE = "seal"  # the key of the keyring that seals are signed with
BYTES = "message"  # the one that the bytes made from a seal are signed with


class Altered(UserError):
    """Something was changed behind Odoo's back: nothing of it may leave."""


class BankPaymentBatch(models.Model):
    """What was approved is what leaves: the batch's sealed copy, and whether it still holds.

    The seal is the digest of everything the bank will be told. It is signed, together with who
    prepared the batch and what approvals it needs, under a key that is not in the database: who
    can write to the database can change rows, but can't make a seal for them.
    """

    _inherit = "bank.payment.batch"

    seal_signature = fields.Char(
        readonly=True, copy=False, groups="account_bank_connect.group_auditor",
        help="HMAC-SHA-256 over seal, preparers and required approvals.",
    )
    sealed_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, help="Who sent exactly this to approval."
    )
    seal_broken = fields.Boolean(compute="_compute_seal_changes")
    seal_changes = fields.Html(
        compute="_compute_seal_changes", sanitize=False, groups=SEES_ACCOUNTS,
        help="What changed since the batch was sent to approval, old beside new.",
    )

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"seal_signature", "sealed_by_id"}

    def _people_who_prepared(self):
        # Whoever sealed it again vouches for what it says now.
        return super()._people_who_prepared() | self.sealed_by_id

    @api.depends("state", "seal")
    def _compute_seal_changes(self):
        for batch in self:
            changes = batch._seal_differences() if batch.state == "to_approve" else []
            batch.seal_broken = bool(changes)
            batch.seal_changes = changes and batch._changes_table(changes)

    # -- sealing ----------------------------------------------------------------------------

    def _seal_now(self):
        """Take the copy of the live records that every later step works on."""
        for batch in self:
            text = seal.canonical(seal.content_of(batch))
            batch._engine().write(
                {
                    "sealed_content": text,
                    "seal": seal.digest(text),
                    "sealed_by_id": batch._sealer().id,
                }
            )

    def _sealer(self):
        """Who vouches for what is sealed now."""
        return self.env.user

    def action_seal_again(self):
        """Take the records as they are now, after somebody changed one; all approve anew."""
        self.check_access("write")
        for batch in self:
            batch._lock()
            if batch.state != "to_approve":
                raise UserError(
                    self.env._("%s does not wait for approval any more.", batch.name)
                )
            if not batch._seal_differences():
                raise UserError(self.env._("Nothing of %s has changed.", batch.name))
            batch._engine().activity_unlink(["account_bank_connect.activity_approve"])
            batch._engine().write({"state": "draft"})
            batch.action_submit()
            batch._engine().message_post(
                body=self.env._("Sealed again after a change; earlier approvals don't count.")
            )

    def _sign_seal(self):
        """Sign the seal, once it is settled who has to approve it.

        :raises UserError: without a master key nothing could be proven, so nothing is sent
        """
        for batch in self:
            try:
                signature = keyring.sign(batch._signed_content(), PURPOSE)
            except keyring.KeyringError as error:
                raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
            batch._engine().write({"seal_signature": signature})

    def _signed_content(self):
        """What the signature of a seal covers, as canonical bytes."""
        # sudo: all of the batch is signed, whatever the user may see of it.
        batch = self.sudo()
        return seal.canonical(
            {
                "batch": batch.id,
                "reference": batch.reference,
                "company": batch.company_id.id,
                "seal": batch.seal,
                "prepared_by": sorted(batch._people_who_prepared().ids),
                "required": batch._required_content(),
            }
        ).encode()

    # -- does it still hold -------------------------------------------------------------------

    def _check_sealed(self):
        """Refuse when the sealed copy, or what has to approve it, is not what was sealed.

        :raises Altered: changed in the database, past Odoo
        """
        # sudo: all of the batch is compared, whatever the approver may see of it.
        batch = self.sudo()
        try:
            holds = seal.digest(batch.sealed_content or "") == batch.seal and keyring.verify(
                batch._signed_content(), batch.seal_signature, PURPOSE
            )
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        if not holds:
            raise Altered(
                self.env._(
                    "The sealed content of %s was altered in the database. Nothing of it is sent: "
                    "tell your bank administrator, and let it be prepared again.", self.name,
                )
            )

    def _check_seal(self):
        """Refuse when the sealed copy was altered, or a record changed since."""
        self._check_sealed()
        changes = self._seal_differences()
        if changes:
            sentences = [
                self.env._("%(where)s: %(field)s was %(old)s and is now %(new)s.", **change)
                if change["field"] else f"{change['where']}: {change['new'] or change['old']}"
                for change in self._said(changes)
            ]
            raise UserError(
                self.env._(
                    "%s was changed after it was sent to approval. Reject it, or let its preparer "
                    "seal it again:", self.name,
                )
                + "\n"
                + "\n".join(sentences)
            )

    def _check_before_leaving(self, message):
        """The last look before bytes leave: seal, approvals and bytes say the same.

        :param message: the payment message that is about to be sent
        :raises Altered: they don't, so somebody changed the database
        """
        self._check_sealed()
        self._check_approvals()
        self._check_complete()
        content = message._raw()
        self._compare_with_seal(content, message.charset)
        self._check_bytes(message, content)

    def _sign_bytes(self, connection, key, content):
        """Sign the bytes just made from the seal, with the line and the number they go by.

        The comparison with the seal knows what a payment is; the signature holds every byte, also
        those that nobody thought of comparing: who bears the charges, a bank in between.
        """
        try:
            return keyring.sign(self._signed_bytes(connection, key, content), BYTES)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error

    def _check_bytes(self, message, content):
        """Refuse bytes that are not those which were made from the seal.

        :raises Altered: they, their key or their connection were changed in the database
        """
        signed = self._signed_bytes(message.connection_id, message.key, content)
        try:
            # sudo: the signature is for auditors to see; it holds or not whoever asks.
            signature = message.sudo().content_signature
            holds = bool(signature) and keyring.verify(signed, signature, BYTES)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        if not holds:
            raise Altered(
                self.env._(
                    "The message of %s was altered in the database. Nothing of it is sent: tell "
                    "your bank administrator.", self.name,
                )
            )

    def _signed_bytes(self, connection, key, content):
        return seal.canonical(
            {
                "batch": self.id,
                "seal": self.seal,
                "connection": connection.id,
                "key": key,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        ).encode()

    def _check_approvals(self):
        """Refuse when an approval that counts was not made by Odoo, or one is missing.

        :raises Altered: so somebody changed the database
        """
        # sudo: all decisions count, whatever the user may see of them.
        approvals = self.sudo().approval_ids.filtered(
            lambda approval: approval.decision == "approved" and approval.seal == self.seal
        )
        if not approvals or not all(approval._signature_holds() for approval in approvals):
            raise Altered(
                self.env._(
                    "An approval of %s was altered in the database. Nothing of it is sent: tell "
                    "your bank administrator.", self.name,
                )
            )

    def _compare_with_seal(self, content, charset):
        """Read outgoing bytes back and compare them with what was approved.

        :raises Altered: on the first difference; nothing leaves
        """
        sealed = json.loads(self.sealed_content)
        expected = {payment["end_to_end_id"]: payment for payment in sealed["payments"]}
        head = (
            sealed["execution_date"],
            sealed["account"].get("iban") or sealed["account"].get("other"),
        )
        found = set()
        for block, transfer in pain001.read_transfers(io.BytesIO(content)):
            account = block.debtor_account
            payment = expected.get(transfer.end_to_end_id)
            same = (
                payment
                and transfer.end_to_end_id not in found
                and (str(block.execution_date), account.iban or account.other) == head
                and seal.transfer_says(transfer, payment, lambda text: to_charset(text, charset))
            )
            if not same:
                raise Altered(
                    self.env._(
                        "The message differs from what was approved at payment %s. "
                        "Nothing was sent.",
                        transfer.end_to_end_id,
                    )
                )
            found.add(transfer.end_to_end_id)
        if found != set(expected):
            raise Altered(
                self.env._(
                    "The message lacks payments that were approved: %s. Nothing was sent.",
                    ", ".join(sorted(set(expected) - found)),
                )
            )

    # -- what changed -----------------------------------------------------------------------

    def _seal_differences(self):
        """What the live records say otherwise than the seal; see :func:`.differences`."""
        # sudo: all of the batch is compared, whatever the reader may see of it.
        batch = self.sudo()
        try:
            sealed = json.loads(batch.sealed_content or "")
        except ValueError:
            return []  # altered beyond comparison: `_check_sealed` says so
        current = seal.content_of(batch)
        if seal.canonical(current) == batch.sealed_content:
            return []
        return seal.differences(sealed, current)

    def _said(self, changes):
        """Changes in the reader's words: dicts of ``where``, ``field``, ``old``, ``new``."""
        nothing = self.env._("nothing")
        said = []
        for change in changes:
            where = change["where"]
            if change["path"] is None:
                field = ""
                old = "" if change["new"] else self.env._("This payment was removed.")
                new = self.env._("This payment was added.") if change["new"] else ""
            else:
                field = format_texts.place_name(self.env, change["path"])
                old, new = change["old"] or nothing, change["new"] or nothing
            said.append({"where": where, "field": field, "old": old, "new": new})
        return said

    def _changes_table(self, changes):
        head = "".join(
            f"<th>{escape(text)}</th>"
            for text in (
                self.env._("Payment"), self.env._("Field"), self.env._("Sealed"),
                self.env._("Now"),
            )
        )
        rows = "".join(
            f"<tr><td>{escape(change['where'])}</td><td>{escape(change['field'])}</td>"
            f"<td><s>{escape(str(change['old']))}</s></td>"
            f"<td><b>{escape(str(change['new']))}</b></td></tr>"
            for change in self._said(changes[:100])
        )
        return f'<table class="table table-sm mb-0"><thead><tr>{head}</tr></thead>{rows}</table>'
