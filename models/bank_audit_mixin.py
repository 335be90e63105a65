import hashlib

from odoo import api, models


class BankAuditMixin(models.AbstractModel):
    """Configuration whose every change is recorded, old and new.

    A field is recorded as its SHA-256 unless it is named as plain, so that a secret which is added
    one day is not told by the trail.
    """

    _name = "bank.audit.mixin"
    _description = "Audited Configuration"

    _audit_prefix = None  # of the kinds: ``<prefix>_created``, ``_changed``, ``_removed``
    _audit_plain = frozenset()  # fields recorded as they are
    _audit_ignored = frozenset()  # what the engine keeps in the same row

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        names = sorted(self._audit_plain)
        self.env["bank.audit.event"]._record_each(
            f"{self._audit_prefix}_created",
            [(record, {"values": record._audit_values(names)}) for record in records],
        )
        return records

    def write(self, vals):
        names = sorted(set(vals) - self._audit_ignored)
        names = [name for name in names if name in self._fields and self._fields[name].store]
        if not names:
            return super().write(vals)
        before = {record: record._audit_values(names) for record in self}
        result = super().write(vals)
        for record, old in before.items():
            new = record._audit_values(names)
            changes = {name: [old[name], new[name]] for name in names if old[name] != new[name]}
            if changes:
                record.env["bank.audit.event"]._record(
                    record._audit_kind(changes), record, changes=changes
                )
        return result

    def unlink(self):
        self.env["bank.audit.event"]._record_each(
            f"{self._audit_prefix}_removed", [(record, {}) for record in self]
        )
        return super().unlink()

    def _audit_kind(self, _changes):
        return f"{self._audit_prefix}_changed"

    def _audit_values(self, names):
        # sudo: what a change was has to be known, whatever whoever makes it may read.
        record = self.sudo().with_context(bin_size=False, lang=None)
        return {name: record._audit_value(name) for name in names}

    def _audit_value(self, name):
        """One field, as plain value."""
        value = self[name]
        if isinstance(value, models.BaseModel):
            value = sorted(value.mapped("display_name"))
            if self._fields[name].type == "many2one":
                value = value[0] if value else None
        if not value and not isinstance(value, int | float):
            return None
        return value if name in self._audit_plain else fingerprint(value)


def fingerprint(value):
    """SHA-256 of a text, bytes or plain value, as ``sha256:…``."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
