"""Access tokens, shared by all workers: one fetches, the others wait for it and use the same."""

import contextlib
import hashlib
import logging
from datetime import timezone

from odoo import api, fields, models
from odoo.modules.registry import Registry
from odoo.tools import SQL
from psycopg2.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from ..connectors.tokens import Busy, Token
from . import keyring

_logger = logging.getLogger(__name__)

PATIENCE = 60  # seconds to wait for another worker's fetch
COLLISIONS = (SerializationFailure, DeadlockDetected, LockNotAvailable)


class BankConnectionToken(models.Model):
    """A token that a bank gave, sealed. Written by :class:`DatabaseTokens` only."""

    _name = "bank.connection.token"
    _description = "Access Token"
    _log_access = False

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    name = fields.Char(required=True, groups=fields.NO_ACCESS)
    sealed = fields.Char(required=True, groups=fields.NO_ACCESS)
    expires = fields.Datetime(required=True)

    _name_uniq = models.UniqueIndex("(connection_id, name)")

    @api.autovacuum
    def _forget_ended(self):
        self.search([("expires", "<", fields.Datetime.now())]).unlink()


class DatabaseTokens:
    """The connectors' token store, in the database.

    Each step is a short transaction of its own, so that a token is there for others at once, and
    no lock of a business transaction is held while the bank is asked for one.
    """

    def __init__(self, database, connection_id, patience=PATIENCE):
        self.database = database
        self.connection_id = connection_id
        self.patience = patience

    @contextlib.contextmanager
    def _cursor(self):
        with Registry(self.database).cursor() as cursor:
            yield cursor

    def get(self, name):
        with self._cursor() as cursor:
            cursor.execute(
                SQL(
                    "SELECT sealed, expires FROM bank_connection_token "
                    "WHERE connection_id = %s AND name = %s",
                    self.connection_id,
                    name,
                )
            )
            row = cursor.fetchone()
        try:
            value = row and keyring.unseal(row[0], self._purpose(name)).decode()
        except keyring.KeyringError as error:
            _logger.info("A kept token can't be opened (%s); another is fetched", error.code)
            return None
        return Token(value, row[1].replace(tzinfo=timezone.utc)) if row else None

    def put(self, name, token):
        sealed = keyring.seal(token.value.encode(), self._purpose(name))
        expires = token.expires.astimezone(timezone.utc).replace(tzinfo=None)
        self._change(
            SQL(
                "INSERT INTO bank_connection_token (connection_id, name, sealed, expires) "
                "VALUES (%s, %s, %s, %s) ON CONFLICT (connection_id, name) "
                "DO UPDATE SET sealed = EXCLUDED.sealed, expires = EXCLUDED.expires",
                self.connection_id,
                name,
                sealed,
                expires,
            )
        )

    def drop(self, name, value):
        # Compared with what is opened: each sealing of the same token reads differently.
        token = self.get(name)
        if token and token.value == value:
            self._change(
                SQL(
                    "DELETE FROM bank_connection_token WHERE connection_id = %s AND name = %s",
                    self.connection_id,
                    name,
                )
            )

    def _change(self, statement):
        try:
            with self._cursor() as cursor:
                cursor.execute(statement, log_exceptions=False)
        except COLLISIONS:
            # Another worker changed it in the same moment: what it wrote is as good.
            _logger.info("Another worker changed a token (connection %s)", self.connection_id)

    @contextlib.contextmanager
    def alone(self, name):
        digest = hashlib.sha256(f"bank-token/{self.connection_id}/{name}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        with self._cursor() as cursor:
            try:
                limit = f"{self.patience * 1000:.0f}ms"
                cursor.execute(SQL("SELECT set_config('lock_timeout', %s, true)", limit))
                # Held until this transaction ends; it holds nothing else.
                taken = SQL("SELECT pg_advisory_xact_lock(%s)", number)
                cursor.execute(taken, log_exceptions=False)
            except LockNotAvailable:
                raise Busy from None
            yield

    def _purpose(self, name):
        return f"access-token/{self.connection_id}/{name}"
