"""Documents that people bring in: answers and statements, from wherever the bank shows them.

Each is stored raw, like one that came over the channel, and processed afterwards by the same
scheduled action. Which connection it belongs to is read from the document itself.
"""

import io

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..formats import detect, pain002
from ..formats.account_reports import account_reports, is_account_report
from ..formats.errors import FormatError
from ..formats.iban import is_account
from ..models.bank_message_file import CARRIERS

LARGEST = 64 * 1024 * 1024  # bytes, as over the channels


class BankUpload(models.TransientModel):
    """What became of each file that was brought in together."""

    _name = "bank.upload"
    _description = "Documents brought in"

    line_ids = fields.One2many("bank.upload.line", "upload_id", readonly=True)

    @api.model
    def _take_in(self, attachments):
        """Store the documents, and say of each what is done with it.

        :param attachments: the user's own new uploads; removed afterwards
        """
        if not self.env.user.has_groups(CARRIERS):
            raise AccessError(
                self.env._("Only a preparer or a bank administrator may bring documents in.")
            )
        attachments.check_access("read")
        if attachments.create_uid - self.env.user or any(attachments.mapped("res_model")):
            raise AccessError(self.env._("Bring in your own files, not other people's documents."))
        upload = self.create(
            {"line_ids": [
                fields.Command.create({"name": each.name, **self._take_in_one(each)})
                for each in attachments
            ]}
        )
        attachments.unlink()
        # sudo: waking a scheduled action of ours changes nothing in it.
        self.env.ref("account_bank_connect.cron_process").sudo()._trigger()
        return upload

    def _take_in_one(self, attachment):
        content = attachment.raw or b""
        if not content or len(content) > LARGEST:
            return {"said": self.env._("Not taken in: the file is empty or larger than 64 MB.")}
        try:
            kind = detect.detect(content)
        except FormatError:
            kind = None
        if not kind:
            return {"said": self.env._("Not taken in: this is no document of a bank that is known "
                                       "here (ISO 20022: pain.002, camt.029, 052, 053, 054; "
                                       "SWIFT: MT940, MT942; Berlin Group: transactions in JSON; "
                                       "receipts in PDF).")}
        connection = self._connection_of(content, kind)
        if not connection:
            return {"said": self.env._("Not taken in: no connection of yours has its account or "
                                       "its message. Upload it from the connection's own page to "
                                       "have it looked at there.")}
        return self._store(connection, content, attachment.name, kind)

    def _store(self, connection, content, name, kind):
        # sudo: documents are stored by the engine only; who may bring them in was checked.
        messages = self.env["bank.message"].sudo()
        before = messages.search([("connection_id", "=", connection.id)], order="id desc", limit=1)
        message = messages._store(connection, content, name=name, kind=kind)
        known = message.id <= before.id
        if known:
            said = self.env._("Here already, as %s: nothing is done a second time.", message.name)
        else:
            message.uploaded_by_id = self.env.uid
            said = self.env._("Taken in for %s.", connection.name)
        self.env["bank.audit.event"]._record(
            "document_uploaded", message, file=name, known=known, sha256=message.sha256
        )
        return {"said": said, "message_id": message.id}

    # -- whose it is ------------------------------------------------------------------------

    def _connections(self):
        return self.env["bank.connection"].search(
            [("state", "!=", "draft"), ("company_id", "in", self.env.companies.ids)]
        )

    def _connection_of(self, content, kind):
        """The connection that a document belongs to: by its account, or the message it answers.

        Without either, the one whose page the user came from, or the only one there is: what is
        wrong with the document is then said where it is processed.
        """
        connections = self._connections()
        try:
            found = self._named_in(io.BytesIO(content), kind, connections)
        except FormatError:
            found = connections.browse()
        if len(found) == 1:
            return found
        given = self.env.context.get("bank_upload_connection_id")
        if given:
            return connections.filtered(lambda each: each.id == given)
        return connections if len(connections) == 1 else connections.browse()

    def _named_in(self, stream, kind, connections):
        if kind.startswith("pain.002"):
            reference = pain002.read(stream).original_message_id
            return self.env["bank.payment.batch"].search(
                [("reference", "=", reference), ("connection_id", "in", connections.ids)]
            ).connection_id
        if is_account_report(kind):
            account = next(account_reports(stream, kind)).account
            return connections.journal_ids.filtered(
                lambda journal: is_account(account, journal.bank_account_id.acc_number or "")
            ).bank_connection_id
        return connections.browse()

    # -- screen -----------------------------------------------------------------------------

    def action_refresh(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents brought in"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }


class BankUploadLine(models.TransientModel):
    _name = "bank.upload.line"
    _description = "Document brought in"

    upload_id = fields.Many2one("bank.upload", required=True, ondelete="cascade")
    name = fields.Char(string="File", readonly=True)
    said = fields.Char(string="What is done with it", readonly=True)
    message_id = fields.Many2one("bank.message", string="Document", readonly=True)
    connection_id = fields.Many2one(related="message_id.connection_id")
    kind = fields.Char(related="message_id.kind")
    state = fields.Selection(related="message_id.state")
    error = fields.Text(related="message_id.error")


class BankMessage(models.Model):
    _inherit = "bank.message"

    def create_document_from_attachment(self, attachment_ids):
        """What the list's “Upload” and its drop zone call, as elsewhere in Odoo."""
        attachments = self.env["ir.attachment"].browse(attachment_ids).exists()
        if not attachments:
            raise UserError(self.env._("No file was given."))
        return self.env["bank.upload"]._take_in(attachments).action_refresh()
