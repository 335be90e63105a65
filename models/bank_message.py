import base64
import hashlib
import io
import json
import uuid
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..formats import pain001
from ..formats.errors import FormatError
from . import bank_payment_seal as seal
from . import format_texts


class BankMessage(models.Model):
    """Every document exchanged with a bank, either way: its exact bytes and what became of it.

    The bytes are kept in the database itself, so that they are committed, backed up and restored
    together with the state that speaks of them.
    """

    _name = "bank.message"
    _description = "Bank Message"
    _inherit = ["bank.engine.mixin"]
    _order = "id desc"
    _rec_name = "name"

    name = fields.Char(required=True, readonly=True)
    connection_id = fields.Many2one(
        "bank.connection", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    direction = fields.Selection(
        [("out", "To the bank"), ("in", "From the bank")], required=True, readonly=True
    )
    kind = fields.Char(
        string="Format", readonly=True, help="ISO 20022 message name, found in the content itself."
    )
    charset = fields.Char(
        readonly=True, help="What the texts of the payments were written in for this bank."
    )
    purpose = fields.Selection(
        [("payment", "Payment"), ("recall", "Recall")],
        default="payment",
        readonly=True,
        help="What a message to the bank asks for: to pay, or to cancel a batch it already has.",
    )
    # out:  queued ◄─► sending ─► delivered | refused
    #         │           └─► uncertain ─► delivered | queued | refused
    #         └─► withdrawn
    # in:   stored ─► processed | quarantined ─► (process again) stored
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sending", "Sending"),
            ("delivered", "Delivered"),
            ("refused", "Refused"),
            ("uncertain", "Uncertain"),
            ("withdrawn", "Withdrawn"),
            ("stored", "Stored"),
            ("processed", "Processed"),
            ("quarantined", "Quarantined"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    # Not required: a bank's empty document is kept too, and does not hold up the next one.
    content = fields.Binary(attachment=False, readonly=True)
    sha256 = fields.Char(string="SHA-256", readonly=True, index=True)
    size = fields.Integer(string="Size (bytes)", readonly=True)
    content_signature = fields.Char(
        readonly=True, copy=False, groups="account_bank_connect.group_auditor",
        help="HMAC-SHA-256 over these bytes, their key and connection, and the seal they were "
        "made from.",
    )
    batch_id = fields.Many2one(
        "bank.payment.batch", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    parent_id = fields.Many2one(
        "bank.message",
        string="Answer to",
        readonly=True,
        index="btree_not_null",
        help="The message that this one is the bank's answer to.",
    )
    answer_ids = fields.One2many("bank.message", "parent_id", string="Answers", readonly=True)
    key = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="The same on every attempt, so that the bank can recognise a repetition.",
    )
    remote_id = fields.Char(
        string="Number at the bank", readonly=True, help="How the bank names the document."
    )
    bank_reference = fields.Json(readonly=True)
    attempts = fields.Integer(readonly=True)
    next_attempt = fields.Datetime(readonly=True, index="btree_not_null")
    first_attempt = fields.Datetime(readonly=True)
    last_attempt = fields.Datetime(readonly=True)
    doubt = fields.Boolean(
        readonly=True, help="An attempt ended without anybody knowing whether the bank has it."
    )
    uncertain_since = fields.Datetime(readonly=True)
    lease_until = fields.Datetime(
        readonly=True, help="A message still “sending” after this was left by a crash."
    )
    sent_date = fields.Datetime(string="Delivered on", readonly=True)
    processed_date = fields.Datetime(readonly=True)
    error_code = fields.Char(readonly=True)
    error = fields.Text(string="What happened", readonly=True)
    note = fields.Text(readonly=True, help="What was found in the document and tolerated.")

    _key_uniq = models.UniqueIndex(
        "(connection_id, key) WHERE key IS NOT NULL", "This key was used before."
    )
    _remote_uniq = models.UniqueIndex(
        "(connection_id, remote_id) WHERE remote_id IS NOT NULL",
        "This document was fetched before.",
    )
    _due_idx = models.Index("(state, next_attempt) WHERE state IN ('queued', 'uncertain')")

    # -- outgoing -------------------------------------------------------------------------

    @api.model
    def _create_for_batch(self, batch):
        """Freeze the bytes of an approved batch and queue them.

        :raises UserError: the bytes can't be written, or say something else than was approved
        """
        sealed = json.loads(batch.sealed_content)
        profile = batch.connection_id.profile_id
        stream = io.BytesIO()
        try:
            pain001.write(
                seal.instruction_from(sealed, datetime.now(timezone.utc).replace(microsecond=0)),
                stream,
                version=profile.message_version,
                charset=profile.charset,
            )
        except FormatError as error:
            raise UserError(
                self.env._(
                    "The message for %(batch)s can't be written: %(error)s",
                    batch=batch.name,
                    error=format_texts.error_text(self.env, error),
                )
            ) from error
        content = stream.getvalue()
        batch._compare_with_seal(content, profile.charset)
        key = str(uuid.uuid4())
        return self.create(
            {
                "name": f"{batch.reference}.xml",
                "connection_id": batch.connection_id.id,
                "direction": "out",
                "kind": profile.message_version,
                "charset": profile.charset,
                "state": "queued",
                "batch_id": batch.id,
                "key": key,
                "content_signature": batch._sign_bytes(batch.connection_id, key, content),
                "next_attempt": fields.Datetime.now(),
                **self._content_values(content),
            }
        )

    # -- incoming -------------------------------------------------------------------------

    @api.model
    def _store(self, connection, content, *, name, kind=None, remote_id=None, parent=None):
        """Keep an incoming document, raw. The caller commits before the bank is told.

        :param bytes content: exactly what the bank sent
        :return: the new message; the earlier one where the same document is here already
        """
        digest = hashlib.sha256(content).hexdigest()
        known = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "in"),
                ("parent_id", "=", parent.id if parent else False),
                ("sha256", "=", digest),
            ],
            limit=1,
        )
        if known and not remote_id:
            return known
        values = {
            "name": name,
            "connection_id": connection.id,
            "direction": "in",
            "kind": kind,
            "state": "stored",
            "remote_id": remote_id,
            "parent_id": parent.id if parent else False,
            "batch_id": parent.batch_id.id if parent else False,
            **self._content_values(content),
        }
        if known:
            # The bank lists the same bytes under another number: kept, but not counted again.
            values.update(
                state="processed",
                processed_date=fields.Datetime.now(),
                note=self.env._("The same document as %s; not processed again.", known.name),
            )
        return self.create(values)

    @api.model
    def _content_values(self, content):
        return {
            "content": base64.b64encode(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }

    def _raw(self):
        """The exact bytes.

        :raises UserError: they are not the bytes that were stored
        """
        self.ensure_one()
        content = base64.b64decode(self.with_context(bin_size=False).content or b"")
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise UserError(self.env._("The content of %s was altered in the database.", self.name))
        return content

    def action_download(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/bank.message/{self.id}/content/{self.name}?download=true",
            "target": "download",
        }

    def action_process_again(self):
        """Take a quarantined document out, for another try."""
        if not self.env.user.has_groups(
            "account_bank_connect.group_admin,account_bank_connect.group_preparer"
        ):
            raise UserError(self.env._("Only a preparer or a bank administrator may do this."))
        quarantined = self.filtered(lambda message: message.state == "quarantined")
        # sudo: messages are written by the engine only.
        quarantined.sudo().write({"state": "stored", "error": False, "error_code": False})
        return self.env["bank.connection"]._run_soon(
            "account_bank_connect.cron_process", self.env._("Processing starts now.")
        )
