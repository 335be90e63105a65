"""What is sealed under which master key, and how it comes under the newest one.

A key is changed in four steps: the new one is put in front in the server's configuration; the
server restarts, and everything new is sealed under it; everything old is sealed anew, here; and
the old key is dropped, once nothing needs it.
"""

import base64
import logging
from collections import Counter

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from . import certificate, keyring

_logger = logging.getLogger(__name__)

# Columns that hold ``<key id>:<signature>``. A signature can't be made anew: the past would be
# signed today. So the key that made it stays known for as long as it has to be verified.
SIGNATURES = (
    ("bank.payment.batch", "seal_signature"),
    ("bank.approval", "signature"),
    ("bank.audit.event", "content_mac"),
    ("bank.audit.event", "chain_mac"),
)


class BankSealed(models.AbstractModel):
    _name = "bank.sealed"
    _description = "What Is Sealed under the Master Key"

    @api.model
    def _stores(self):
        """Where sealed texts are: (model, domain, field, purpose of a record).

        Whoever adds a field of sealed text adds it here.
        """
        return [
            (
                "certificate.key", [("bank_sealed", "=", True)], "content",
                lambda _record: certificate.PURPOSE,
            ),
            (
                "bank.connection", [("webhook_sealed", "!=", False)], "webhook_sealed",
                lambda connection: connection._webhook_purpose(),
            ),
            (
                "bank.connection.variable", [("sealed", "!=", False)], "sealed",
                lambda variable: variable._purpose(),
            ),
            (
                "bank.connection.token", [], "sealed",
                lambda token: f"access-token/{token.connection_id.id}/{token.name}",
            ),
        ]

    @api.model
    def _records(self, model, domain):
        # sudo: what is sealed is nobody's to read; it is only wrapped anew, or counted.
        # Archived keys open what is old, and have to follow as well.
        records = self.env[model].sudo().with_context(active_test=False, bin_size=False)
        return records.search(domain)

    @api.model
    def _text(self, record, name):
        value = record[name]
        if record._fields[name].type == "binary":
            return base64.b64decode(value or b"").decode(errors="replace")
        return value or ""

    @api.model
    def _standing(self):
        """How much is sealed or signed under which key.

        :return: list of dicts: ``key``, ``model``, ``what`` (``sealed`` or ``signed``), ``count``,
            ``known`` (this server has the key), ``newest``
        """
        known = keyring.key_ids()
        counts = Counter()
        for model, domain, name, _purpose in self._stores():
            for record in self._records(model, domain):
                counts[keyring.key_id_of(self._text(record, name)), model, "sealed"] += 1
        for model, name in SIGNATURES:
            self.env[model].flush_model([name])
            rows = self.env.execute_query(
                SQL(
                    "SELECT split_part(%(column)s, ':', 1), count(*) FROM %(table)s "
                    "WHERE %(column)s IS NOT NULL GROUP BY 1",
                    column=SQL.identifier(name), table=SQL.identifier(self.env[model]._table),
                )
            )
            for key, count in rows:
                counts[key, model, "signed"] += count
        return [
            {
                "key": key or "?", "model": model, "what": what, "count": count,
                "known": key in known, "newest": bool(known) and key == known[0],
            }
            for (key, model, what), count in sorted(
                counts.items(), key=lambda item: tuple(map(str, item[0]))
            )
        ]

    @api.model
    def _reseal(self):
        """Seal everything under the newest key.

        :return: dict of ``done`` and ``lost``: how many texts were sealed anew, and how many no
            key of this server opens
        :raises UserError: no key is configured
        """
        known = keyring.key_ids()
        if not known:
            raise UserError(
                self.env["bank.connection"]._keyring_message(keyring.KeyringError("missing"))
            )
        done = lost = 0
        for model, domain, name, purpose in self._stores():
            for record in self._records(model, domain):
                text = self._text(record, name)
                if keyring.key_id_of(text) == known[0]:
                    continue
                try:
                    sealed = keyring.seal(
                        keyring.unseal(text, purpose(record)), purpose(record)
                    )
                except keyring.KeyringError as error:
                    _logger.warning(
                        "%s %s can't be opened with the master keys of this server: %s",
                        model, record.id, error.code,
                    )
                    lost += 1
                    continue
                self._keep(record, name, sealed)
                done += 1
        if done or lost:
            self.env["bank.audit.event"]._record(
                "master_key_rotated", newest=known[0], resealed=done, lost=lost
            )
        return {"done": done, "lost": lost}

    @api.model
    def _keep(self, record, name, sealed):
        if record._fields[name].type == "binary":
            record[name] = base64.b64encode(sealed.encode())
        else:
            # Past the models' own `write`: what is sealed stays the same secret, which is no
            # change of a secret to them nor to the audit trail.
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s",
                    SQL.identifier(record._table), SQL.identifier(name), sealed, record.id,
                )
            )
            record.invalidate_recordset([name])
        if "bank_master_key" in record._fields:
            record.bank_master_key = keyring.key_id_of(sealed)

    @api.model
    def _check_administrator(self):
        if not (self.env.su or self.env.user.has_group("account_bank_connect.group_admin")):
            raise AccessError(self.env._("Only a bank administrator may do this."))

    # -- a restored database without its key ------------------------------------------------------

    def _register_hook(self):
        """Say in the log, when a server starts, that it can't open what the database holds."""
        super()._register_hook()
        connections = self.env["bank.connection"].search([("state", "=", "active")])
        for connection in connections.filtered("key_trouble"):
            _logger.warning("%s: %s", connection.name, connection.key_trouble)
