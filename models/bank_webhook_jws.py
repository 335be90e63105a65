"""Notifications that the bank signs with its own key (JWS) instead of a shared secret (HMAC)."""

import logging
import secrets
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..connectors import notification_jws
from ..connectors.keys import public_keys
from ..connectors.notification import BadNotification
from .bank_webhook import TOKEN

_logger = logging.getLogger(__name__)


class BankConnection(models.Model):
    _inherit = "bank.connection"

    webhook_kind = fields.Selection(
        [("hmac", "A shared secret (HMAC)"), ("jws", "The bank's own key (JWS)")],
        string="Signed with", default="hmac", required=True,
    )
    webhook_keys = fields.Text(
        string="Bank's keys for notifications", tracking=False,
        help="The certificates or public keys that the bank signs notifications with, as PEM. "
        "RS256, PS256, ES256 and EdDSA are accepted.",
    )

    @api.constrains("webhook_keys")
    def _check_webhook_keys(self):
        for connection in self:
            connection._check_keys("webhook_keys")

    def action_webhook_open(self):
        """Make the address that the bank calls; with the bank's own key there is no secret."""
        self._check_webhook_right()
        if self.webhook_kind != "jws" or not self.webhook_keys:
            raise UserError(self.env._("Enter the key that the bank signs notifications with."))
        self.webhook_token = self.webhook_token or secrets.token_urlsafe(32)
        self.message_post(body=self.env._("The webhook was opened."))

    @api.model
    def _notified(self, token, headers, body):
        # sudo: the bank logs in nowhere; its signature is what lets it in.
        connection = self.sudo().search(
            [("webhook_token", "=", token if TOKEN.fullmatch(token) else "none"),
             ("state", "=", "active"), ("webhook_kind", "=", "jws")],
            limit=1,
        )
        if not connection:
            return super()._notified(token, headers, body)
        try:
            digest = notification_jws.verify(
                public_keys((connection.webhook_keys or "").encode()),
                headers.get(connection.webhook_signature_header) or "",
                body,
                now=datetime.now(timezone.utc),
                timestamp=headers.get(connection.webhook_timestamp_header) or "",
                separator=connection.webhook_separator or "",
            )
        except (BadNotification, ValueError) as error:
            code = getattr(error, "code", "keys")
            _logger.info("A notification was refused (connection %s: %s)", connection.id, code)
            return "refused"
        return connection._accept_notification(digest)
