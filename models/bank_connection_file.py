"""A connection as a file without secrets: to keep, to compare, to set up again elsewhere.

Of keys and certificates the file holds fingerprints only, ours and the bank's: whoever reads it in
decides anew whom to trust, and brings keys of their own.
"""

import base64
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .audit_mask import masked

FORMAT = "bank-connect-connection"
VERSION = 1
LARGEST = 1024 * 1024  # bytes
# What a connection says in plain words. Numbers of consents are left out: they open accounts.
PLAIN = (
    "name", "url", "contract_code", "client_address", "allow_private_address",
    "webhook_kind", "webhook_signature_header", "webhook_timestamp_header", "webhook_separator",
    "log_level", "log_body_days",
    "soap_sender", "soap_customer", "soap_receiver", "soap_target", "soap_environment",
    "soap_language",
)
PROFILE = (
    "name", "protocol", "client_certificate", "settings", "is_sandbox", "message_version",
    "charset", "batch_booking", "key_window_hours", "max_payments", "document_kinds", "poll_status",
)
PARTS = {"format", "version", "connection", "profile", "values", "certificates", "accounts"}


class BankConnection(models.Model):
    _inherit = "bank.connection"

    @api.model
    def _check_file_right(self):
        if not (self.env.su or self.env.user.has_group("account_bank_connect.group_admin")):
            raise AccessError(self.env._("Only a bank administrator may do this."))

    def _as_file(self):
        """The connection as plain values for JSON, without any secret."""
        self.ensure_one()
        self._check_file_right()
        # sudo: of secrets it is told that they are there, of certificates the fingerprints.
        connection = self.sudo().with_context(lang=None)
        return {
            "format": FORMAT,
            "version": VERSION,
            "connection": {name: connection[name] or None for name in PLAIN},
            "profile": {name: connection.profile_id[name] or None for name in PROFILE},
            "values": {
                line.name: {"secret": True, "there": line.is_set}
                if line.is_secret
                else {"secret": False, "value": line.value or None}
                for line in connection.variable_ids
            },
            "certificates": [
                {
                    "owner": row.owner, "role": row.role, "subject": row.subject,
                    "sha256": row.fingerprint, "until": str(row.date_end or ""),
                }
                for row in connection.bank_certificate_ids.sorted("id")
                if row.state == "current"
            ],
            "accounts": sorted(
                masked(journal.bank_account_id.sanitized_acc_number or "")
                for journal in connection.journal_ids
            ),
        }

    def action_export(self):
        """Hand the connection out as a file."""
        self.ensure_one()
        self._check_file_right()
        self.env["bank.audit.event"]._record("connection_exported", self)
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/bank.connection/{self.id}/file/connection.json?download=true",
            "target": "self",
        }

    file = fields.Binary(
        compute="_compute_file", groups="account_bank_connect.group_admin", exportable=False
    )

    def _compute_file(self):
        for connection in self:
            text = json.dumps(connection._as_file(), indent=2, ensure_ascii=False)
            connection.file = base64.b64encode(text.encode())

    # -- reading one in -------------------------------------------------------------------------

    @api.model
    def _from_file(self, content, company):
        """Make a draft connection of a file.

        :param bytes content: the file
        :return: the connection, without keys, secrets, trust and accounts
        :raises UserError: the file is none, or not of a version known here; what is wrong is named
        """
        self._check_file_right()
        said = self._read_file(content)
        values = {name: value for name, value in said["connection"].items() if value is not None}
        taken = self.search_count([("name", "=", values["name"]), ("company_id", "=", company.id)])
        if taken:
            raise UserError(
                self.env._("A connection of the name “%s” exists already.", values["name"])
            )
        profile = self._profile_from_file(said["profile"])
        connection = self.create(
            {**values, "company_id": company.id, "profile_id": profile.id}
        )
        lines = {line.name: line for line in connection.variable_ids}
        for name, told in said["values"].items():
            line = lines.get(name)
            if line and not told.get("secret") and not line.is_secret and told.get("value"):
                line.value = told["value"]
        self.env["bank.audit.event"]._record("connection_imported", connection)
        return connection

    @api.model
    def _read_file(self, content):
        if len(content) > LARGEST:
            raise UserError(self.env._("The file is too large for a connection."))
        try:
            said = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise UserError(self.env._("The file is no JSON: %s", error)) from error
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise UserError(self.env._("This is no file with a bank connection."))
        if said.get("version") != VERSION:
            raise UserError(
                self.env._(
                    "The file is of version %(theirs)s; version %(ours)s is read here. Export it "
                    "again with the same version of Bank Connect.",
                    theirs=said.get("version"), ours=VERSION,
                )
            )
        if missing := {"connection", "profile", "values"} - set(said):
            raise UserError(self.env._("The file lacks: %s.", ", ".join(sorted(missing))))
        if unknown := set(said) - PARTS:
            raise UserError(
                self.env._("The file says what is not known here: %s.", ", ".join(sorted(unknown)))
            )
        self._check_part("connection", said["connection"], self, PLAIN)
        self._check_part("profile", said["profile"], self.env["bank.connection.profile"], PROFILE)
        values = said["values"]
        if not isinstance(values, dict) or not all(
            isinstance(told, dict) and isinstance(told.get("value") or "", str)
            for told in values.values()
        ):
            raise UserError(self.env._("The part “%s” of the file can't be read.", "values"))
        return said

    @api.model
    def _check_part(self, part, said, model, known):
        if not isinstance(said, dict):
            raise UserError(self.env._("The part “%s” of the file can't be read.", part))
        if unknown := set(said) - set(known):
            raise UserError(
                self.env._(
                    "The file says what is not known here: %s.",
                    ", ".join(f"{part}.{name}" for name in sorted(unknown)),
                )
            )
        kinds = {"boolean": bool, "integer": int}
        for name, value in said.items():
            kind = kinds.get(model._fields[name].type, str)
            required = model._fields[name].required and name in ("name", "url", "settings")
            if value is None and not required:
                continue
            fits = type(value) is kind
            selection = model._fields[name].type == "selection" and fits
            if selection:
                fits = value in dict(model._fields[name]._description_selection(self.env))
            if not fits:
                raise UserError(
                    self.env._("“%(name)s” in the file can't be used.", name=f"{part}.{name}")
                )
        if missing := {"name"} - set(said):
            raise UserError(self.env._("The file lacks: %s.", f"{part}.{missing.pop()}"))

    @api.model
    def _profile_from_file(self, said):
        """The profile that says the same as the file's, or a new one."""
        profiles = self.env["bank.connection.profile"]
        same = profiles.search(
            [("protocol", "=", said.get("protocol")), ("settings", "=", said.get("settings"))]
        ).filtered(
            lambda profile: all(
                (profile.with_context(lang=None)[name] or None) == said.get(name)
                for name in PROFILE if name != "name"
            )
        )
        return same[:1] or profiles.create(
            {name: value for name, value in said.items() if value is not None}
        )

    # -- comparing and copying ------------------------------------------------------------------

    def _differences(self, other):
        """Where two connections differ: list of (name, here, there), as text."""
        here, there = _flat(self._as_file()), _flat(other._as_file())
        return [
            (name, here.get(name, ""), there.get(name, ""))
            for name in sorted(here | there)
            if here.get(name, "") != there.get(name, "")
        ]

    def _copy_to_test(self, url):
        """A draft beside this one for the bank's test system. It shares no key and no secret."""
        self.ensure_one()
        self._check_file_right()
        self.check_access("read")
        values = {
            "name": self.env._("%s (test)", self.name),
            "url": url,
            # The test system shows certificates of its own.
            "trusted_certificates": False,
            "pinned_fingerprints": False,
            "bank_signers": False,
            "bank_encryption": False,
            "revocation_list": False,
            "tls_revocation_list": False,
            "consent_code": False,
        }
        if self.protocol == "soap":
            values["soap_environment"] = "TEST"
        return self.copy(values)


def _flat(value, name=""):
    """Nested values as a dict of dotted name → text; lists are told apart by what they hold."""
    if isinstance(value, dict):
        flat = {}
        for part, inner in value.items():
            flat |= _flat(inner, f"{name}.{part}" if name else part)
        return flat
    if isinstance(value, list):
        flat = {}
        for each in value:
            mark = f"{each['owner']}.{each['role']}" if isinstance(each, dict) else "number"
            text = each["sha256"] if isinstance(each, dict) else each
            known = flat.get(f"{name}.{mark}")
            flat[f"{name}.{mark}"] = f"{known}, {text}" if known else str(text or "")
        return flat
    return {name: "" if value is None else str(value)}
