"""Evidence packs: everything about a batch or a period in one signed ZIP, for an auditor.

A pack is asked for by a person, made by a scheduled action in one snapshot of the database, kept
in pieces, and handed out by ``controllers/evidence.py``, which notes who took it.
"""

import hashlib
import logging
import tempfile
from datetime import timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from psycopg2 import InterfaceError, OperationalError

from . import keyring
from .evidence_zip import EvidenceZip

_logger = logging.getLogger(__name__)

PURPOSE = "evidence"  # the keyring's label of the signing key
PIECE = 8 << 20  # bytes of a pack that are in memory at a time


class BankEvidencePack(models.Model):
    _name = "bank.evidence.pack"
    _description = "Evidence Pack"
    _order = "id desc"

    name = fields.Char(compute="_compute_name", store=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    batch_id = fields.Many2one(
        "bank.payment.batch", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    date_from = fields.Date(string="First day", readonly=True)
    date_to = fields.Date(string="Last day", readonly=True)
    purpose = fields.Char(readonly=True, help="What the evidence is wanted for.")
    user_id = fields.Many2one(
        "res.users", string="Asked for by", required=True, readonly=True, ondelete="restrict"
    )
    # waiting ─► ready
    #     └────► failed
    state = fields.Selection(
        [("waiting", "Being made"), ("ready", "Ready"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    ready_date = fields.Datetime(string="Made on", readonly=True)
    erased_date = fields.Datetime(
        string="Erased on", readonly=True, help="The file is gone; its SHA-256 and size stay."
    )
    size = fields.Float(string="Size (bytes)", digits=(16, 0), readonly=True, aggregator=None)
    sha256 = fields.Char(string="SHA-256", readonly=True)
    file_count = fields.Integer(string="Files", readonly=True, aggregator=None)
    key_fingerprint = fields.Char(
        string="Fingerprint of the signing key",
        readonly=True,
        help="Read it out to the auditor over another channel than the pack: the verifier "
        "compares it with the key that signed.",
    )
    error = fields.Text(string="What happened", readonly=True)

    @api.depends("batch_id", "date_from", "date_to", "company_id")
    def _compute_name(self):
        for pack in self:
            # sudo: a name of its own company's batch; the reader may see the pack.
            what = pack.sudo().batch_id.name or f"{pack.date_from} – {pack.date_to}"
            pack.name = f"{what}, {pack.sudo().company_id.name}"

    def _day_after(self):
        """The day after the period: what happened at a time is before it."""
        return fields.Date.add(self.date_to, days=1)

    # -- asking for one -------------------------------------------------------------------------

    @api.model
    def _request(self, company, *, batch=None, date_from=None, date_to=None, purpose=None):
        """Ask for a pack of a batch, or of a company's period; it is made right afterwards.

        :raises AccessError: the user is neither auditor nor bank administrator, or of another
            company
        :raises UserError: there is no master key, so that it could not be signed
        """
        self._check_right(company)
        try:
            keyring.signing_key(PURPOSE)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
        scope = {
            "company_id": company.id,
            "batch_id": batch.id if batch else False,
            "date_from": date_from,
            "date_to": date_to,
            "user_id": self.env.user.id,
        }
        # sudo: packs are made here only, so that nobody asks in somebody else's name.
        packs = self.sudo()
        domain = [("state", "=", "waiting"), *((name, "=", scope[name]) for name in scope)]
        pack = packs.search(domain, limit=1)
        if not pack:
            pack = packs.create({**scope, "purpose": purpose})
            pack._note_access("evidence_requested", purpose=purpose or "")
        # sudo: scheduled actions are the administrator's; waking ours changes none of them.
        self.env.ref("account_bank_connect.cron_evidence").sudo()._trigger()
        return pack.with_env(self.env)

    @api.model
    def _check_right(self, company):
        if not self.env.user.has_groups(
            "account_bank_connect.group_auditor,account_bank_connect.group_admin"
        ):
            raise AccessError(
                self.env._("Only an auditor or a bank administrator may take evidence out.")
            )
        if company not in self.env.companies:
            raise AccessError(self.env._("This is another company's evidence."))

    def _note_access(self, kind, **details):
        """Evidence holds everything about everybody: who asks for it and takes it is noted."""
        self.env["bank.audit.event"]._record(kind, self, company=self.company_id, **details)

    # -- making it ------------------------------------------------------------------------------

    @api.model
    def _cron_make(self):
        """Scheduled action: make the packs that wait, one after the other."""
        while pack := self.search([("state", "=", "waiting")], order="id", limit=1):
            pack._make_or_fail()
            if not self.env["ir.cron"]._commit_progress(1):
                break
        if self.search_count([("state", "=", "waiting")], limit=1):
            self.env.ref("account_bank_connect.cron_evidence")._trigger()

    def _make_or_fail(self):
        try:
            with self.env.cr.savepoint(), tempfile.TemporaryFile() as file:
                self._write_pack(file)
                self._keep(file)
        except UserError as error:
            self.write({"state": "failed", "error": str(error)})
        except keyring.KeyringError as error:
            text = self.env["bank.connection"]._keyring_message(error)
            self.write({"state": "failed", "error": text})
        except (OperationalError, InterfaceError):
            raise  # the database's trouble, not the pack's: tried again
        except Exception as error:
            # Whatever it is, the packs of others go on; the log has the trace.
            _logger.warning("Evidence pack %s can't be made", self.id, exc_info=True)
            self.env.invalidate_all()
            self.write(
                {"state": "failed", "error": self.env._("It could not be made: %s", error)}
            )

    def _write_pack(self, file):
        """Write the ZIP.

        :param file: a seekable binary file
        """
        key_id, key = keyring.signing_key(PURPOSE)
        public_key = keyring.public_keys(PURPOSE)[key_id]
        now = fields.Datetime.now()
        pack = EvidenceZip(file)
        # Raw values only: what a pack says does not depend on anybody's language.
        content = self.env["bank.evidence.content"].with_context(lang="en_US")
        head = content._write(pack, self)
        pack.finish(
            {
                **head,
                "exported": now.replace(tzinfo=timezone.utc).isoformat(),
                "exported_for": {"id": self.user_id.id, "name": self.user_id.name},
            },
            lambda manifest: {
                "algorithm": "Ed25519",
                "key_id": key_id,
                "public_key": public_key.hex(),
                "fingerprint": keyring.fingerprint(public_key),
                "signature": key.sign(manifest).hex(),
            },
        )
        self.write(
            {
                "ready_date": now,
                "file_count": pack.file_count,
                "key_fingerprint": keyring.fingerprint(public_key),
            }
        )

    def _keep(self, file):
        """Keep the file in pieces, so that neither storing nor reading it takes its size."""
        digest, size = hashlib.sha256(), 0
        file.seek(0)
        attachments = self.env["ir.attachment"]
        for number, piece in enumerate(iter(lambda: file.read(PIECE), b"")):
            digest.update(piece)
            size += len(piece)
            attachments.create(
                {
                    "name": f"evidence-{self.id}-{number:06d}",
                    "res_model": self._name,
                    "res_id": self.id,
                    # Of no field that exists: the way to it is the download, which is noted.
                    "res_field": "piece",
                    "mimetype": "application/octet-stream",
                    "raw": piece,
                }
            )
            self.env.invalidate_all()
        self.write({"state": "ready", "sha256": digest.hexdigest(), "size": size})

    def _pieces(self):
        # sudo: the pieces are nobody's to read but through the download.
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("res_field", "=", "piece"),
                ],
                order="name",
            )
        )

    # -- taking it ------------------------------------------------------------------------------

    def action_download(self):
        self.ensure_one()
        self._check_download()
        return {
            "type": "ir.actions.act_url",
            "url": f"/bank_connect/evidence/{self.id}",
            "target": "self",
        }

    def _check_download(self):
        self.check_access("read")
        self._check_right(self.company_id)
        if self.state != "ready":
            raise UserError(self.env._("The pack is not ready yet."))
        if self.erased_date:
            raise UserError(
                self.env._(
                    "The file was erased on %s, as packs are after a while. Ask for a new one.",
                    fields.Date.to_string(self.erased_date),
                )
            )

    def _file_name(self):
        what = self.batch_id.reference or f"{self.date_from}-{self.date_to}"
        return f"evidence-{what}-{self.id}.zip"

    def _hand_out(self, file):
        """Write the pack to ``file``, and note who takes it."""
        self._check_download()
        digest = hashlib.sha256()
        for piece in self._pieces():
            content = piece.raw
            digest.update(content)
            file.write(content)
            piece.invalidate_recordset()
        if digest.hexdigest() != self.sha256:
            raise UserError(
                self.env._("The file was altered after it was made. Ask for a new one.")
            )
        # sudo: noting an access needs no right of its own.
        self.sudo()._note_access("evidence_downloaded", sha256=self.sha256)

    def _erase(self):
        """Remove the files; who asked for them, their SHA-256 and their size stay."""
        self._pieces().unlink()
        self.write({"erased_date": fields.Datetime.now()})

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Who took evidence out is kept; erase the file instead."))
