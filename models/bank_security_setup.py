"""The questions of a security review about connections, keys, tokens and the server."""

from collections import Counter
from datetime import timedelta

from cryptography import x509
from odoo import api, models
from odoo.tools import config

from . import keyring
from .bank_certificate import OURS
from .bank_security_check import Found

EXPIRES = timedelta(days=60)  # banks take weeks to certify a new key
URGENT = timedelta(days=14)
KEY_DAYS_PARAMETER = "account_bank_connect.review_key_days"
KEY_DAYS = 730
TOKEN_OLD = timedelta(days=365)
TOKEN_UNUSED = timedelta(days=90)


class BankSecurityCheck(models.AbstractModel):
    _inherit = "bank.security.check"

    def _checks(self):
        return [
            *super()._checks(),
            self._certificates, self._trust, self._connections, self._keys, self._master_key,
            self._tokens, self._server,
        ]

    @api.model
    def _lines(self, companies):
        """Connections that were taken into use."""
        return self.env["bank.connection"].search(
            [("company_id", "in", companies.ids), ("state", "!=", "draft")]
        )

    # -- connections ----------------------------------------------------------------------------

    @api.model
    def _in_use(self, companies):
        """Our own certificates that a connection uses: list of (connection, certificate)."""
        return [
            (line, certificate)
            for line in self._lines(companies)
            for certificate in dict.fromkeys(line[name] for name in OURS.values())
            if certificate
        ]

    def _certificates(self, companies, _since):
        now, found = self.env.cr.now(), []
        for line, certificate in self._in_use(companies):
            end = certificate.date_end
            if end and end < now + EXPIRES:
                facts = {"connection": line.name, "date": str(end)}
                code = "certificate_ended" if end <= now else "certificate_ends"
                severity = "high" if end < now + URGENT else ""
                key = str(certificate.id)
                found.append(Found(code, line, facts, key=key, severity=severity))
        return found

    def _trust(self, companies, _since):
        now, found = self.env.cr.now(), []
        for line in self._lines(companies):
            try:
                known = x509.load_pem_x509_certificates((line.trusted_certificates or "").encode())
            except ValueError:
                continue  # without a certificate that can be read nothing is sent at all
            for certificate in known:
                end = certificate.not_valid_after_utc.replace(tzinfo=None)
                if end < now + EXPIRES:
                    name = certificate.subject.rfc4514_string()
                    facts = {"connection": line.name, "date": str(end), "name": name}
                    severity = "high" if end < now + URGENT else ""
                    found.append(Found("trust_ends", line, facts, key=name, severity=severity))
        return found

    def _connections(self, companies, _since):
        lines, found = self._lines(companies), []
        real = lines.filtered(lambda line: not line.profile_id.is_sandbox)
        waiting = dict(
            self.env["bank.message"]._read_group(
                [
                    ("connection_id", "in", lines.ids),
                    ("state", "in", ("queued", "sending", "uncertain")),
                ],
                ["connection_id"], ["__count"],
            )
        )
        for line in lines:
            facts = {"connection": line.name}
            if line in real and not line.pinned_fingerprints:
                found.append(Found("connection_unpinned", line, facts))
            if line in real and line.allow_private_address:
                found.append(Found("connection_private", line, facts))
            if line not in real and real and line.state == "active":
                found.append(Found("connection_practice", line, facts))
            if line.state == "suspended" and line in waiting:
                found.append(Found("connection_queue", line, {**facts, "count": waiting[line]}))
            if line.webhook_token and not line.sudo().webhook_sealed:
                found.append(Found("webhook_open", line, facts))
        return found

    # -- keys -----------------------------------------------------------------------------------

    def _keys(self, companies, _since):
        days = self.env["ir.config_parameter"].get_param(KEY_DAYS_PARAMETER, "")
        days = int(days) if days.isdigit() else KEY_DAYS
        oldest, found = self.env.cr.now() - timedelta(days=days), []
        for line, certificate in self._in_use(companies):
            key = certificate.private_key_id
            number = str(key.id)
            if key and not key.bank_sealed:
                facts = {"connection": line.name}
                found.append(Found("key_plain", line, facts, key=number))
            if key and key.create_date < oldest:
                facts = {"connection": line.name, "date": str(key.create_date), "days": days}
                found.append(Found("key_old", line, facts, key=number))
        return found

    def _master_key(self, _companies, _since):
        found = [] if keyring.key_ids() else [Found("master_missing")]
        counts = Counter()
        for line in self.env["bank.sealed"]._standing():
            # A signature of the past can't be made anew: its key stays, as long as it is known.
            if line["what"] == "sealed" and line["known"] and not line["newest"]:
                counts["master_old", line["key"]] += line["count"]
            elif not line["known"]:
                counts["master_unknown", line["key"]] += line["count"]
        found += [
            Found(code, facts={"key": key, "count": count}, key=key)
            for (code, key), count in counts.items()
        ]
        return found

    def _tokens(self, companies, _since):
        now, found = self.env.cr.now(), []
        for token in self.env["bank.monitor.token"].search([("company_ids", "in", companies.ids)]):
            used = token.last_used or token.create_date.date()
            if token.create_date < now - TOKEN_OLD:
                facts = {"token": token.name, "date": str(token.create_date)}
                found.append(Found("token_old", token, facts))
            if used < (now - TOKEN_UNUSED).date():
                found.append(Found("token_unused", token, {"token": token.name, "date": str(used)}))
        return found

    # -- the server -------------------------------------------------------------------------------

    def _server(self, companies, _since):
        """What belongs on a developer's machine, where a real bank is connected."""
        real = self._lines(companies).filtered(lambda line: not line.profile_id.is_sandbox)
        if not real:
            return []
        found = []
        options = [name for name in ("dev_mode", "test_enable") if config[name]]
        if options:
            found.append(Found("server_debug", facts={"options": ", ".join(options)}))
        url = self.env["ir.config_parameter"].get_param("web.base.url", "")
        if not url.startswith("https://"):
            found.append(Found("server_plain_http", facts={"url": url}))
        if config["list_db"]:
            found.append(Found("server_databases"))
            if config.verify_admin_password("admin"):
                found.append(Found("server_admin_password"))
        if self.env["ir.module.module"].search_count([("demo", "=", True)], limit=1):
            found.append(Found("server_demo"))
        return found
