"""The audit trail of the set-up: connections, profiles, journals, certificates, tokens."""

import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from odoo import api, models

from .bank_certificate import BANKS, OURS

SCOPE = "bank_connect"


def certificate_fingerprints(pem):
    """SHA-256 of each certificate in ``pem`` (bytes), as browsers and OpenSSL show it.

    :return: list of hexadecimal texts; None where it can't be read
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return None
    return [certificate.fingerprint(hashes.SHA256()).hex() for certificate in found]


class BankConnection(models.Model):
    _name = "bank.connection"
    _inherit = ["bank.connection", "bank.audit.mixin"]

    _audit_prefix = "connection"
    _audit_plain = frozenset(
        (
            "name", "company_id", "state", "profile_id", "url", "contract_code", "client_address",
            "pinned_fingerprints", "trusted_certificates", "certificate_id",
            "revocation_list", "tls_revocation_list", "decryption_certificate_id",
            "allow_private_address", "webhook_signature_header", "webhook_timestamp_header",
            "webhook_separator", "webhook_kind", "webhook_keys", "signing_certificate_id",
            "bank_signers", "bank_encryption", "bank_stopped", "bank_stop_reason",
            "soap_sender", "soap_customer", "soap_receiver", "soap_target", "soap_environment",
            "soap_language",
            "log_level", "log_body_days",
        )
    )
    _audit_ignored = frozenset(
        (
            "last_success", "last_error", "last_error_date", "last_fetch", "health",
            "failure_count", "paused_until", "log_bodies_until",
            # It comes and goes with the webhook's secret.
            "webhook_token",
            # The event itself says by whom and when.
            "bank_stop_user_id", "bank_stop_date",
        )
    )

    def _audit_kind(self, changes):
        if "bank_stopped" in changes:
            return "connection_stopped" if self.bank_stopped else "connection_resumed"
        if "state" in changes:
            return {
                "active": "connection_activated", "suspended": "connection_suspended",
            }.get(self.state, "connection_changed")
        if "webhook_sealed" in changes:
            return "webhook_secret" if changes["webhook_sealed"][1] else "webhook_closed"
        return super()._audit_kind(changes)

    def _audit_value(self, name):
        if name in BANKS.values() and self[name]:
            return certificate_fingerprints(self[name].encode()) or super()._audit_value(name)
        if name in OURS.values() and self[name]:
            return self[name]._bank_audit_value()
        return super()._audit_value(name)


class BankConnectionProfile(models.Model):
    _name = "bank.connection.profile"
    _inherit = ["bank.connection.profile", "bank.audit.mixin"]

    _audit_prefix = "profile"
    _audit_plain = frozenset(
        (
            "name", "active", "protocol", "client_certificate", "is_sandbox", "message_version",
            "charset", "batch_booking", "key_window_hours", "max_payments", "document_kinds",
            "poll_status", "answer_days", "booking_days",
        )
    )
    _audit_ignored = frozenset(("sequence", "notes"))


class CertificateCertificate(models.Model):
    _inherit = "certificate.certificate"

    @api.model_create_multi
    def create(self, vals_list):
        certificates = super().create(vals_list)
        ours = certificates.filtered(lambda each: each.scope == SCOPE)
        self.env["bank.audit.event"]._record_each(
            "certificate_imported", [(each, each._bank_audit_value()) for each in ours]
        )
        return certificates

    def write(self, vals):
        if not set(vals) & {"content", "private_key_id", "scope", "active"}:
            return super().write(vals)
        before = {each: (each.scope, each._bank_audit_value()) for each in self}
        result = super().write(vals)
        for each, (scope, old) in before.items():
            if SCOPE in (scope, each.scope):
                self.env["bank.audit.event"]._record(
                    "certificate_changed", each, changes=[old, each._bank_audit_value()]
                )
        return result

    def unlink(self):
        ours = self.filtered(lambda each: each.scope == SCOPE)
        self.env["bank.audit.event"]._record_each(
            "certificate_removed", [(each, each._bank_audit_value()) for each in ours]
        )
        return super().unlink()

    def _bank_audit_value(self):
        # sudo: certificates are the system administrator's; a fingerprint is no secret.
        certificate = self.sudo().with_context(bin_size=False)
        try:
            found = certificate_fingerprints(base64.b64decode(certificate.pem_certificate or b""))
        except binascii.Error:
            found = None
        return {
            "name": certificate.name,
            "sha256": found[0] if found else None,
            "ends": str(certificate.date_end or ""),
            "key": certificate.private_key_id.id or None,
            "active": certificate.active,
        }


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def write(self, vals):
        names = sorted(set(vals) & {"bank_connection_id", "bank_account_id", "bank_book_from"})
        if not names:
            return super().write(vals)
        before = {journal: journal._bank_audit_values(names) for journal in self}
        connected = self.filtered("bank_connection_id")
        result = super().write(vals)
        for journal in connected | self.filtered("bank_connection_id"):
            old, new = before[journal], journal._bank_audit_values(names)
            changes = {name: [old[name], new[name]] for name in names if old[name] != new[name]}
            if changes:
                self.env["bank.audit.event"]._record("journal_changed", journal, changes=changes)
        return result

    def _bank_audit_values(self, names):
        # sudo: see `bank.audit.mixin`.
        journal = self.sudo()
        return {
            name: getattr(journal[name], "display_name", journal[name]) or None for name in names
        }


class BankMonitorToken(models.Model):
    _inherit = "bank.monitor.token"

    @api.model_create_multi
    def create(self, vals_list):
        tokens = super().create(vals_list)
        self.env["bank.audit.event"]._record_each(
            "token_made", [(token, token._bank_audit_value()) for token in tokens]
        )
        return tokens

    def unlink(self):
        self.env["bank.audit.event"]._record_each(
            "token_removed", [(token, token._bank_audit_value()) for token in self]
        )
        return super().unlink()

    def _bank_audit_value(self):
        # sudo: which companies a token opens is told, whichever of them the user may see.
        return {"companies": self.sudo().company_ids.mapped("name")}


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        if "bank_stopped" not in vals:
            return super().write(vals)
        before = {company: company.bank_stopped for company in self}
        result = super().write(vals)
        for company in self.filtered(lambda each: each.bank_stopped != before[each]):
            kind = "company_stopped" if company.bank_stopped else "company_resumed"
            self.env["bank.audit.event"]._record(
                kind, company, company=company, reason=company.bank_stop_reason or None
            )
        return result
