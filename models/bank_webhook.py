"""The webhook: a bank says that something waits, and the fetch starts at once.

A notification is never believed. Whatever it says, the answer is to look at the bank over the
connection that is verified both ways.
"""

import logging
import os
import re
import secrets
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..connectors import notification
from . import keyring

_logger = logging.getLogger(__name__)

# A notification may be stamped up to one window ahead of our clock, and is good for one after.
REMEMBER = timedelta(days=1)
MOST_PER_MINUTE = 60  # notifications of one connection
TOKEN = re.compile(r"[A-Za-z0-9_-]{40,60}")  # as `secrets.token_urlsafe(32)` makes them
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")  # RFC 9110 token, without its rarities


class BankConnection(models.Model):
    _inherit = "bank.connection"

    webhook_token = fields.Char(
        copy=False, readonly=True, groups="account_bank_connect.group_admin"
    )
    webhook_sealed = fields.Char(copy=False, readonly=True, groups=fields.NO_ACCESS)
    webhook_url = fields.Char(
        string="Webhook address", compute="_compute_webhook_url",
        groups="account_bank_connect.group_admin",
        help="Give it to the bank, together with the secret.",
    )
    webhook_signature_header = fields.Char(
        string="Signature header", default="X-Signature", required=True,
        help="In which header the bank sends its signature: HMAC-SHA-256, hexadecimal or base64.",
    )
    webhook_timestamp_header = fields.Char(
        string="Time header", default="X-Timestamp", required=True,
        help="In which header the bank sends the time of signing: seconds or milliseconds since "
        "1970, or RFC 3339.",
    )
    webhook_separator = fields.Char(
        string="Between time and body", default=".",
        help="What the bank puts between time and body in the text that it signs; may be empty.",
    )
    webhook_last = fields.Datetime(
        string="Last notification", compute="_compute_webhook_last",
        help="Within about the last day.",
    )

    _webhook_token_uniq = models.UniqueIndex("(webhook_token) WHERE webhook_token IS NOT NULL")

    @api.depends("webhook_token")
    def _compute_webhook_url(self):
        for connection in self:
            connection.webhook_url = connection.webhook_token and (
                f"{connection.get_base_url()}/bank_connect/notify/{connection.webhook_token}"
            )

    def _compute_webhook_last(self):
        # sudo: what was notified is remembered for the server's own use; the moment is no secret.
        last = dict(
            self.env["bank.webhook.seen"].sudo()._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["date:max"]
            )
        )
        for connection in self:
            connection.webhook_last = last.get(connection)

    @api.constrains("webhook_signature_header", "webhook_timestamp_header")
    def _check_webhook_headers(self):
        for connection in self:
            for name in (connection.webhook_signature_header, connection.webhook_timestamp_header):
                if not HEADER_NAME.fullmatch(name):
                    raise ValidationError(
                        self.env._("“%s” is no header's name: letters, digits and hyphens.", name)
                    )

    # -- buttons ----------------------------------------------------------------------------

    def action_webhook_secret(self):
        """Make a new secret, and an address where there is none; show the secret this one time."""
        self._check_webhook_right()
        secret = secrets.token_urlsafe(32)
        try:
            sealed = keyring.seal(secret.encode(), self._webhook_purpose())
        except keyring.KeyringError as error:
            raise UserError(self._keyring_message(error)) from error
        self.webhook_token = self.webhook_token or secrets.token_urlsafe(32)
        # sudo: nobody may read or write the sealed secret but this.
        self.sudo().webhook_sealed = sealed
        self.message_post(body=self.env._("A new webhook secret was made; the old one is void."))
        return self.env["bank.secret.wizard"]._show(
            self.env._("New webhook secret"), secret,
            self.env._("Give it to the bank, which signs its notifications with it."),
        )

    def action_webhook_off(self):
        """Close the webhook: its address and secret are forgotten."""
        self._check_webhook_right()
        self.webhook_token = False
        self.sudo().webhook_sealed = False
        self.message_post(body=self.env._("The webhook was closed."))

    def _check_webhook_right(self):
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(self.env._("Only a bank administrator may do this."))

    def _webhook_purpose(self):
        # Bound to the connection: a secret copied to another row does not open there.
        return f"webhook-secret/{self.id}"

    # -- a notification arrives ---------------------------------------------------------------

    @api.model
    def _notified(self, token, headers, body):
        """Wake the fetch, if this notification is the bank's and new.

        :param token: the last part of the address that was called
        :param headers: mapping of the request's headers
        :param bytes body: exactly what was sent
        :return: ``"accepted"``, ``"refused"`` (whatever the cause), or ``"busy"``
        """
        # sudo: the bank logs in nowhere; its signature is what lets it in.
        connection = self.sudo().search(
            [("webhook_token", "=", token if TOKEN.fullmatch(token) else "none"),
             ("state", "=", "active")],
            limit=1,
        )
        secret = connection._webhook_secret()
        try:
            digest = notification.verify(
                secret,
                headers.get(connection.webhook_timestamp_header or "X-Timestamp") or "",
                headers.get(connection.webhook_signature_header or "X-Signature") or "",
                body,
                now=datetime.now(timezone.utc),
                separator=connection.webhook_separator or "",
            )
        except notification.BadNotification as error:
            _logger.info(
                "A notification was refused (connection %s: %s)", connection.id or "?", error.code
            )
            return "refused"
        return connection._accept_notification(digest)

    def _webhook_secret(self):
        """The connection's secret; without one, a secret that nobody has.

        Either way takes the same steps, so that an address can't be guessed by the time it takes.
        """
        sealed = self.webhook_sealed
        try:
            decoy = keyring.seal(os.urandom(32), "webhook-decoy")
            if sealed:
                return keyring.unseal(sealed, self._webhook_purpose())
            return keyring.unseal(decoy, "webhook-decoy")
        except keyring.KeyringError as error:
            _logger.warning(
                "The webhook of connection %s can't work: master key %s", self.id or "?", error.code
            )
            return os.urandom(32)

    def _accept_notification(self, digest):
        seen = self.env["bank.webhook.seen"]
        now = fields.Datetime.now()
        lately = [("connection_id", "=", self.id), ("date", ">", now - timedelta(minutes=1))]
        if seen.search_count(lately, limit=MOST_PER_MINUTE) >= MOST_PER_MINUTE:
            return "busy"
        if not seen._remember(self, digest, now):
            _logger.info("A notification was replayed (connection %s)", self.id)
            return "refused"
        self.env.ref("account_bank_connect.cron_fetch")._trigger()
        return "accepted"


class BankWebhookSeen(models.Model):
    """The notifications of the last day, so that none is accepted twice."""

    _name = "bank.webhook.seen"
    _description = "Notification Seen"
    _log_access = False

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    digest = fields.Char(required=True)
    date = fields.Datetime(required=True)

    _once = models.UniqueIndex("(connection_id, digest)")
    _connection_date_idx = models.Index("(connection_id, date)")

    @api.model
    def _remember(self, connection, digest, now):
        """Note a notification; ``False`` where it is known already.

        The database decides, so that two workers can't both accept the same one.
        """
        return bool(
            self.env.execute_query(
                SQL(
                    "INSERT INTO bank_webhook_seen (connection_id, digest, date) "
                    "VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
                    connection.id, digest, now,
                )
            )
        )

    @api.autovacuum
    def _forget(self):
        return self.env["bank.retention"]._forget("notification", self)
