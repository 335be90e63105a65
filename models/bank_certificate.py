"""Every certificate of a connection, ours and the bank's, through all its generations.

What is in force is said by the connection itself (its fields); the rows here follow it, so that
what waits, what was used before and what expires when can be seen in one list.
"""

import logging
from datetime import timedelta

from cryptography import x509
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from . import certificate_files as files

_logger = logging.getLogger(__name__)

ROLES = [("tls", "Connection (TLS)"), ("signing", "Signature"), ("encryption", "Encryption")]
# Where a connection says which certificate is in force, by role.
OURS = {
    "tls": "certificate_id",
    "signing": "signing_certificate_id",
    "encryption": "decryption_certificate_id",
}
BANKS = {
    "tls": "trusted_certificates",
    "signing": "bank_signers",
    "encryption": "bank_encryption",
}
KEEP_OLD_DAYS = 30  # a replaced key stays at least this long; see `_cron_certificates`


class BankCertificate(models.Model):
    _name = "bank.certificate"
    _description = "Certificate of a Bank Connection"
    _order = "connection_id, owner, role, generation desc, id desc"
    _rec_name = "subject"

    connection_id = fields.Many2one(
        "bank.connection", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    owner = fields.Selection(
        [("ours", "Ours"), ("bank", "The bank's")], required=True, readonly=True
    )
    role = fields.Selection(ROLES, string="Used for", required=True, readonly=True)
    # requested ─► next ─► current ─► old ─► destroyed
    #     └─────────────────► discarded    └─► current (used again)
    state = fields.Selection(
        [
            ("requested", "Waits for the bank's answer"),
            ("next", "Ready, not used yet"),
            ("current", "In use"),
            ("old", "Replaced"),
            ("destroyed", "Replaced, key destroyed"),
            ("discarded", "Discarded"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    generation = fields.Integer(readonly=True, aggregator=None)
    certificate_id = fields.Many2one(
        "certificate.certificate", readonly=True, groups="base.group_system", ondelete="set null"
    )
    key_id = fields.Many2one(
        "certificate.key", string="Private key", readonly=True, groups="base.group_system",
        ondelete="set null",
    )
    has_key = fields.Boolean(compute="_compute_has_key")
    request = fields.Text(
        string="Certificate request", readonly=True,
        help="Give it to the bank or to its authority (PKCS#10). It holds no secret.",
    )
    request_file = fields.Binary(compute="_compute_request_file")
    key_fingerprint = fields.Char(
        string="Fingerprint of the key", readonly=True, help="SHA-256 of the public key."
    )
    subject = fields.Char(readonly=True)
    issuer = fields.Char(readonly=True)
    serial = fields.Char(string="Serial number", readonly=True)
    fingerprint = fields.Char(
        readonly=True, help="SHA-256 of the certificate. Read it out to the bank, or compare."
    )
    date_start = fields.Datetime(string="Valid from", readonly=True)
    date_end = fields.Datetime(string="Valid until", readonly=True, index=True)
    days_left = fields.Integer(compute="_compute_days_left", aggregator=None)
    switch_on = fields.Datetime(
        string="In use from", readonly=True, help="When it takes the place of the present one."
    )
    replaced_on = fields.Datetime(readonly=True)

    # A connection uses one certificate of ours for each purpose at a time.
    _one_current = models.UniqueIndex(
        "(connection_id, role) WHERE owner = 'ours' AND state = 'current'"
    )
    _due_idx = models.Index("(switch_on) WHERE state = 'next'")

    def _compute_has_key(self):
        for row in self:
            # sudo: keys are the system administrator's; that there is one is no secret.
            row.has_key = bool(row.sudo().key_id or row.sudo().certificate_id.private_key_id)

    @api.depends("date_end")
    def _compute_days_left(self):
        now = fields.Datetime.now()
        for row in self:
            row.days_left = (row.date_end - now).days if row.date_end else 0

    # -- rights -----------------------------------------------------------------------------

    @api.model
    def _check_administrator(self):
        if not (self.env.su or self.env.user.has_group("account_bank_connect.group_admin")):
            raise AccessError(self.env._("Only a bank administrator may do this."))

    def _engine_row(self):
        """The same row, to be written by its own state machine."""
        self.ensure_one()
        self._check_administrator()
        self.connection_id.check_access("write")
        # sudo: nobody writes these rows but the steps below.
        return self.sudo()

    # -- steps --------------------------------------------------------------------------------

    @api.model
    def _request(self, connection, role, algorithm, subject):
        """Make a key, seal it at once, and write the request for its certificate.

        :param subject: see :func:`.certificate_files.request`
        :return: the new row, waiting for the bank's answer
        """
        self._check_administrator()
        connection.check_access("write")
        if role == "encryption" and algorithm.startswith("ec"):
            raise UserError(self.env._("Banks encrypt for RSA keys: choose one."))
        try:
            key = files.ALGORITHMS[algorithm]()
            request = files.request(key, subject, role)
        except ValueError as error:
            raise UserError(
                self.env._("The request can't be written: %s Check name and country.", error)
            ) from error
        public = files.digest(files.public_der(key.public_key()))
        # sudo: keys are the system administrator's; a bank administrator adds one for a connection.
        stored = self.env["certificate.key"].sudo()._bank_create_sealed(
            files.key_pem(key), name=subject["common_name"], company=connection.company_id
        )
        row = self.sudo().create(
            {
                "connection_id": connection.id,
                "owner": "ours",
                "role": role,
                "state": "requested",
                "generation": self._next_generation(connection, role),
                "key_id": stored.id,
                "request": request.decode(),
                "key_fingerprint": public,
                "subject": x509.load_pem_x509_csr(request).subject.rfc4514_string(),
            }
        )
        self.env["bank.audit.event"]._record(
            "key_made", connection, role=role, algorithm=algorithm, public_key=public
        )
        return row.with_env(self.env)

    @api.model
    def _next_generation(self, connection, role):
        rows = self.sudo().search(
            [("connection_id", "=", connection.id), ("owner", "=", "ours"), ("role", "=", role)],
            order="generation desc", limit=1,
        )
        return rows.generation + 1

    def _answer(self, chain):
        """Put the bank's certificate to the key that waits for it; returns this row, ready."""
        row = self._engine_row()
        certificate = self.env["certificate.certificate"].sudo()._bank_create_for_key(
            chain, row.key_id, row.connection_id
        )
        row.write(
            {
                "state": "next",
                "certificate_id": certificate.id,
                **self._values_of(chain[0]),
            }
        )
        return self

    @api.model
    def _add_next(self, connection, role, certificate):
        """A certificate that came with its key, ready to be used."""
        leaf = x509.load_pem_x509_certificates(certificate._bank_chain())[0]
        return self.sudo().create(
            {
                "connection_id": connection.id,
                "owner": "ours",
                "role": role,
                "state": "next",
                "generation": self._next_generation(connection, role),
                "certificate_id": certificate.id,
                "key_id": certificate.private_key_id.id,
                **self._values_of(leaf),
            }
        ).with_env(self.env)

    def action_switch(self):
        """Use this certificate from now on. The one before is kept, until nothing needs it."""
        for row in self:
            row._engine_row()._switch()
        return True

    def _switch(self):
        self.ensure_one()
        now = fields.Datetime.now()
        if self.owner != "ours" or self.state not in ("next", "old") or not self.has_key:
            raise UserError(self.env._("Only a certificate of ours with its key can be used."))
        if not self.date_start <= now <= self.date_end:
            raise UserError(
                self.env._(
                    "The certificate %(name)s is valid from %(start)s to %(end)s, not now.",
                    name=self.subject, start=self.date_start, end=self.date_end,
                )
            )
        self.connection_id[OURS[self.role]] = self.certificate_id
        self.connection_id.message_post(
            body=self.env._(
                "Certificate in use from now on: %(subject)s, valid until %(end)s, SHA-256 "
                "%(print)s.",
                subject=self.subject, end=self.date_end, print=self.fingerprint,
            )
        )

    def action_discard(self):
        """Give up a key that waits or was never used, and destroy it."""
        for row in self:
            row = row._engine_row()
            if row.state not in ("requested", "next"):
                raise UserError(self.env._("Only what was never used can be discarded."))
            row._destroy("discarded")
        return True

    def _destroy(self, state):
        """Remove the private key for ever; certificate and dates stay."""
        for row in self:
            key = row.key_id | row.certificate_id.private_key_id
            self.env["bank.audit.event"]._record(
                "key_destroyed", row.connection_id, role=row.role,
                certificate=row.fingerprint or None, public_key=row.key_fingerprint or None,
            )
            row.certificate_id.private_key_id = False
            row.write({"state": state, "key_id": False, "switch_on": False})
            key.unlink()

    def _switch_at(self, moment):
        """Use it from a moment on: the scheduled action switches then."""
        row = self._engine_row()
        if moment < fields.Datetime.now() or not row.date_start <= moment <= row.date_end:
            raise UserError(
                self.env._("Choose a time to come, within the validity of the certificate.")
            )
        row.switch_on = moment
        self.env.ref("account_bank_connect.cron_certificates").sudo()._trigger(moment)

    def action_renew(self):
        """A new key and request for the same purpose, filled in from this certificate."""
        self.ensure_one()
        return self.connection_id._action_make_key(self.role, self.subject)

    def action_download_request(self):
        self.ensure_one()
        where = f"/web/content/bank.certificate/{self.id}/request_file/request.csr"
        return {"type": "ir.actions.act_url", "url": f"{where}?download=true", "target": "self"}

    @api.depends("request")
    def _compute_request_file(self):
        for row in self:
            row.request_file = files.base64_of(row.request) if row.request else False

    # -- following the connection -----------------------------------------------------------------

    @api.model
    def _values_of(self, leaf):
        start, end = files.utc(leaf)
        return {
            "subject": leaf.subject.rfc4514_string() or self.env._("(without name)"),
            "issuer": leaf.issuer.rfc4514_string(),
            "serial": f"{leaf.serial_number:X}",
            "fingerprint": files.certificate_digest(leaf),
            "key_fingerprint": files.digest(files.public_der(leaf.public_key())),
            "date_start": start,
            "date_end": end,
        }

    @api.model
    def _follow(self, connection, role):
        """Let the rows say what the connection says about our certificate for a purpose."""
        certificate = connection[OURS[role]]
        rows = self.search([
            ("connection_id", "=", connection.id), ("owner", "=", "ours"), ("role", "=", role)
        ])
        now = fields.Datetime.now()
        current = rows.filtered(lambda row: row.state == "current")
        if current.certificate_id != certificate:
            current.write({"state": "old", "replaced_on": now})
            # The database allows one in use only: the old one makes place first.
            current.flush_recordset()
        elif current:
            return
        if not certificate:
            return
        row = rows.filtered(
            lambda each: each.certificate_id == certificate and each.state in ("next", "old")
        )[:1] or self._add_next(connection, role, certificate)
        row.sudo().write({"state": "current", "switch_on": False, "replaced_on": False})

    @api.model
    def _follow_bank(self, connection, role):
        """The same for what the bank showed or gave us."""
        found = {
            files.certificate_digest(each): each
            for each in connection._bank_certificates(BANKS[role])
        }
        rows = self.search([
            ("connection_id", "=", connection.id), ("owner", "=", "bank"), ("role", "=", role)
        ])
        known = {row.fingerprint: row for row in rows}
        now = fields.Datetime.now()
        for digest, row in known.items():
            state = "current" if digest in found else "old"
            if row.state != state:
                row.write({"state": state, "replaced_on": state == "old" and now})
        self.create(
            [
                {
                    "connection_id": connection.id, "owner": "bank", "role": role,
                    "state": "current", **self._values_of(certificate),
                }
                for digest, certificate in found.items() if digest not in known
            ]
        )

    # -- the scheduled action ---------------------------------------------------------------------

    @api.model
    def _cron_certificates(self):
        """Scheduled action: switch what is due, and destroy old keys that nothing needs."""
        now = fields.Datetime.now()
        for row in self.search([("state", "=", "next"), ("switch_on", "<=", now)]):
            try:
                with self.env.cr.savepoint():
                    row.with_context(lang=row.connection_id._company_language())._switch()
            except UserError as error:
                row.switch_on = False
                row.connection_id._tell_administrators(str(error))
            self.env["ir.cron"]._commit_progress(1)
        for row in self._not_needed(now - timedelta(days=KEEP_OLD_DAYS)):
            row._destroy("destroyed")
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _not_needed(self, before):
        """Old keys that no message may ask for again.

        A message that left under an old certificate is asked about, and answered, under what the
        bank knows; a document may still arrive encrypted for it. Both are over when every message
        first sent before the switch is.
        """
        old = self.search([
            ("owner", "=", "ours"), ("state", "=", "old"), ("replaced_on", "<", before)
        ]).filtered("has_key")
        messages = self.env["bank.message"]
        free = self.browse()
        for row in old:
            open_ones = messages.search_count(
                [
                    ("connection_id", "=", row.connection_id.id),
                    ("direction", "=", "out"),
                    ("first_attempt", "<", row.replaced_on),
                    "|",
                    ("state", "in", ("queued", "sending", "uncertain")),
                    "&", ("state", "=", "delivered"),
                    ("batch_id.state", "in", ("sent", "accepted")),
                ],
                limit=1,
            )
            shared = self.search_count(
                [("certificate_id", "=", row.certificate_id.id), ("id", "!=", row.id),
                 ("state", "in", ("next", "current"))], limit=1,
            )
            if not open_ones and not shared:
                free |= row
        return free
