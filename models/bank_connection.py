import contextlib
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import html_escape as escape

from ..connectors import registry
from ..connectors.interface import SettingsError
from ..connectors.settings import Settings, Timeouts, Trust
from . import connector_texts, keyring
from .exchange_log import exchanges_of

_logger = logging.getLogger(__name__)


class BankConnection(models.Model):
    """One contract with one bank: where it is, who we are there, and how the line is doing."""

    _name = "bank.connection"
    _description = "Bank Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "company_id, name"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    # draft ──activate──► active ◄──resume/suspend──► suspended
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("suspended", "Suspended")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    profile_id = fields.Many2one(
        "bank.connection.profile",
        string="Bank profile",
        required=True,
        ondelete="restrict",
        tracking=True,
    )
    protocol = fields.Selection(related="profile_id.protocol")
    url = fields.Char(
        string="Address", required=True, tracking=True, help="https://host[:port][/path]"
    )
    contract_code = fields.Char(
        string="Contract number", tracking=True, help="How the bank knows this company."
    )
    consent_code = fields.Char(
        string="Consent number", tracking=True, help="Where the bank asks for one to read accounts."
    )
    client_address = fields.Char(
        string="Own IP address",
        default="127.0.0.1",
        help="Sent as PSU-IP-Address: the address of the person or server that gives the order.",
    )
    certificate_id = fields.Many2one(
        "certificate.certificate",
        string="Own certificate",
        check_company=True,
        copy=False,
        groups="account_bank_connect.group_admin",
        domain=[("scope", "=", "bank_connect")],
        help="Proves to the bank who we are (mutual TLS). Its private key is kept sealed.",
    )
    trusted_certificates = fields.Text(
        string="Bank's certificates",
        tracking=False,
        help="The bank's certificate authority or its own certificate, as PEM. Nothing else is "
        "trusted on this connection: public authorities are not added.",
    )
    pinned_fingerprints = fields.Char(
        string="Pinned fingerprints",
        help="SHA-256 of the bank's certificate, hexadecimal; several separated by spaces. "
        "Optional: narrows the trust to exactly these.",
    )
    allow_private_address = fields.Boolean(
        string="Allow local addresses",
        tracking=True,
        help="Permit an address on this machine or a private network. Only for a practice bank.",
    )
    journal_ids = fields.One2many("account.journal", "bank_connection_id", string="Bank journals")
    message_count = fields.Integer(compute="_compute_message_count")

    last_success = fields.Datetime(readonly=True, copy=False)
    last_error = fields.Char(readonly=True, copy=False)
    last_error_date = fields.Datetime(readonly=True, copy=False)
    last_fetch = fields.Datetime(readonly=True, copy=False)
    health = fields.Json(readonly=True, copy=False)
    health_html = fields.Html(compute="_compute_health_html", string="Last test")

    _name_company_uniq = models.Constraint(
        "UNIQUE(company_id, name)", "A connection of this name exists already."
    )

    def _compute_message_count(self):
        # sudo: how many there are is no secret; which they are is shown to those who may read them.
        counts = dict(
            self.env["bank.message"].sudo()._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.message_count = counts.get(connection, 0)

    @api.depends("health")
    def _compute_health_html(self):
        marks = {
            True: ("text-success", "✔"),
            False: ("text-danger", "✘"),
            None: ("text-muted", "•"),
        }
        for connection in self:
            rows = []
            for check in (connection.health or {}).get("checks", []):
                css, mark = marks[check["ok"]]
                rows.append(
                    f'<tr><td class="{css}">{mark}</td><td>{escape(check["title"])}</td>'
                    f"<td>{escape(check['detail'])}<br/><em>{escape(check['cure'])}</em></td></tr>"
                )
            connection.health_html = rows and (
                f'<table class="table table-sm"><tbody>{"".join(rows)}</tbody></table>'
            )

    @api.constrains("profile_id", "allow_private_address")
    def _check_private_address(self):
        for connection in self:
            if connection.allow_private_address and not connection.profile_id.is_sandbox:
                raise ValidationError(
                    self.env._("Only a practice bank may be reached at a local address.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [{**vals, "state": "draft"} for vals in vals_list]
        journals = [vals.pop("journal_ids", None) for vals in vals_list]
        connections = super().create(vals_list)
        for connection, commands in zip(connections, journals, strict=True):
            connection._set_journals(commands)
        return connections

    def write(self, vals):
        if "state" in vals and not self.env.su:
            raise AccessError(
                self.env._("A connection is activated and suspended by its buttons only.")
            )
        vals = dict(vals)
        commands = vals.pop("journal_ids", None)
        result = super().write(vals)
        for connection in self:
            connection._set_journals(commands)
        return result

    def _set_journals(self, commands):
        """Connect and disconnect journals, which only accounting managers may edit otherwise."""
        if not commands:
            return
        wanted = self.journal_ids
        for code, *arguments in commands:
            if code == fields.Command.LINK:
                wanted |= wanted.browse(arguments[0])
            elif code == fields.Command.UNLINK:
                wanted -= wanted.browse(arguments[0])
            elif code == fields.Command.SET:
                wanted = wanted.browse(arguments[1])
            elif code == fields.Command.CLEAR:
                wanted = wanted.browse()
            else:
                raise UserError(self.env._("Journals are connected here, not created or changed."))
        # Read as the user first: nobody connects a journal that they can't see.
        wanted.check_access("read")
        before = self.journal_ids
        # sudo: the one field that says over which line a journal speaks is the bank
        # administrator's; everything else of a journal stays the accountants'.
        (before - wanted).sudo().write({"bank_connection_id": False})
        (wanted - before).sudo().write({"bank_connection_id": self.id})
        self.invalidate_recordset(["journal_ids"])

    # -- states ---------------------------------------------------------------------------

    def action_activate(self):
        self.check_access("write")
        for connection in self:
            problems = connection._activation_problems() or connection._settings_problems()
            if problems:
                raise UserError("\n".join(problems))
        # sudo: the state is written here only, after what has to be checked.
        self.sudo().state = "active"

    def action_suspend(self):
        self.check_access("write")
        self.sudo().state = "suspended"

    def _activation_problems(self):
        """Why this connection can't carry messages yet, in sentences."""
        self.ensure_one()
        problems = []
        if not keyring.available():
            problems.append(
                self.env._(
                    "No master key is configured: set BANK_CONNECT_MASTER_KEY on the server. "
                    "Without it private keys can't be kept safe."
                )
            )
        problems += self._certificate_problems()
        problems += self._trust_problems()
        if not self.journal_ids:
            problems.append(self.env._("Choose at least one bank journal."))
        for journal in self.journal_ids:
            if not journal.bank_account_id:
                problems.append(
                    self.env._("The journal %s has no bank account number.", journal.display_name)
                )
        return problems

    def _trust_problems(self):
        """What is missing to know the bank by, in sentences."""
        if self.trusted_certificates:
            return []
        return [self.env._("Add the certificate of the bank or of its authority.")]

    def _settings_problems(self):
        """What the channel itself finds wrong with its settings; no byte is sent."""
        try:
            with self._connector():
                return []
        except UserError as error:
            return [str(error)]

    def _company_language(self):
        """The language of what scheduled actions note down, for the company's people to read."""
        return self.company_id.partner_id.lang or "en_US"

    # -- connector ------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connector(self):
        """A connector for this contract, as a context manager.

        Everything it needs is read here, before the first byte is sent, so that no database row
        is read or locked while the network is at work.
        """
        self.ensure_one()
        settings = self._connector_settings()
        try:
            connector = registry.connect(self.profile_id.protocol, settings)
        except SettingsError as error:
            raise UserError(
                self.env._(
                    "The connection %(name)s can't be used: %(error)s",
                    name=self.display_name,
                    error=connector_texts.settings_error(self.env, error),
                )
            ) from error
        with connector:
            yield connector

    def _connector_settings(self):
        seconds = self.env["bank.message"]._seconds
        return Settings(
            url=self.url,
            profile=self.profile_id._settings(),
            identity=self._tls_identity(),
            trust=Trust(
                ca_pem=(self.trusted_certificates or "").encode(),
                fingerprints=tuple((self.pinned_fingerprints or "").split()),
            ),
            variables={
                "contract_id": self.contract_code or "",
                "consent_id": self.consent_code or "",
                "psu_ip_address": self.client_address or "",
            },
            allow_private=self.allow_private_address and self.profile_id.is_sandbox,
            timeouts=Timeouts(
                read=seconds("read_timeout_seconds").total_seconds(),
                total=seconds("total_timeout_seconds").total_seconds(),
            ),
        )

    @api.model
    def _keyring_message(self, error):
        """What a :class:`.keyring.KeyringError` means, in the user's words."""
        return {
            "missing": self.env._(
                "No master key is configured on this server (BANK_CONNECT_MASTER_KEY)."
            ),
            "malformed": self.env._(
                "The master key configured on this server can't be read: it must be "
                "at least 32 bytes, base64, as “id:key”."
            ),
            "unknown_key": self.env._(
                "This secret was sealed under another master key. Was the database "
                "restored on a server that does not have it?"
            ),
            "damaged": self.env._("This secret is damaged and can't be opened. Import it again."),
        }[error.code]

    def action_test(self):
        """Try the connection and keep the result. Reads only: repeating it is harmless."""
        self.ensure_one()
        self.check_access("write")
        with self._connector() as connector:
            with exchanges_of("test"):
                result = connector.check()
        checks = []
        for check in result.checks:
            title, detail, cure = connector_texts.check(self.env, check)
            checks.append(
                {"code": check.code, "ok": check.ok, "title": title, "detail": detail, "cure": cure}
            )
        # sudo: the result is the system's finding, not the user's to edit.
        self.sudo().health = {
            "tested": fields.Datetime.to_string(fields.Datetime.now()),
            "clock_skew": result.clock_skew,
            "checks": checks,
        }
        self._note_outcome(None if result.ok else self.env._("The connection test failed."))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if result.ok else "danger",
                "title": self.env._("Connection test"),
                "message": self.env._("Everything works.")
                if result.ok
                else "\n".join(
                    f"{check['title']}: {check['detail']}"
                    for check in checks
                    if check["ok"] is False
                ),
                "sticky": not result.ok,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # -- buttons for the impatient ------------------------------------------------------------

    def action_send_now(self):
        self.env["bank.message"]._wake_senders()
        return self._run_soon("account_bank_connect.cron_send", self.env._("Sending starts now."))

    def action_fetch_now(self):
        return self._run_soon("account_bank_connect.cron_fetch", self.env._("Fetching starts now."))

    def action_process_now(self):
        return self._run_soon(
            "account_bank_connect.cron_process", self.env._("Processing starts now.")
        )

    @api.model
    def _run_soon(self, xml_id, message):
        """Wake a scheduled action.

        The network is never called here: Odoo repeats a request after a serialization failure,
        and a message would leave twice.
        """
        # sudo: scheduled actions are the administrator's; waking ours changes none of them.
        self.env.ref(xml_id).sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "info", "message": message, "sticky": False},
        }

    def action_view_messages(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Messages"),
            "res_model": "bank.message",
            "view_mode": "list,form",
            "domain": [("connection_id", "=", self.id)],
        }
