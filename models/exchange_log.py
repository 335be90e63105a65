"""Writing the log of exchanges: one insert for each, in a transaction of its own.

A line has to stay whatever becomes of the work it belongs to, and must not hold that work up: it
is committed without waiting for the disk, and a line that can't be written is given up.
"""

import contextlib
import logging
from contextvars import ContextVar
from datetime import timezone
from urllib.parse import urlsplit

from odoo.modules.registry import Registry
from odoo.tools import SQL
from psycopg2 import Error as DatabaseError

_logger = logging.getLogger(__name__)

_speaking = ContextVar("bank_exchange", default=(None, None))


@contextlib.contextmanager
def exchanges_of(purpose, message_id=None):
    """Say what the exchanges within are for.

    :param purpose: one of ``bank_exchange.PURPOSES``
    :param message_id: the number of the ``bank.message`` they are about, if any
    """
    mark = _speaking.set((purpose, message_id))
    try:
        yield
    finally:
        _speaking.reset(mark)


class ExchangeLog:
    """What a connector calls after each exchange; reads nothing from the database.

    :param database: name of the database
    :param level: ``line``, ``headers`` or ``bodies``
    """

    def __init__(self, database, connection_id, level):
        self.database = database
        self.connection_id = connection_id
        self.level = level

    def __call__(self, exchange):
        try:
            with Registry(self.database).cursor() as cr:
                cr.execute("SET LOCAL synchronous_commit TO off")
                values = self._values(exchange)
                cr.execute(
                    SQL(
                        "INSERT INTO bank_exchange (%s) VALUES %s",
                        SQL(", ").join(map(SQL.identifier, values)),
                        tuple(values.values()),
                    ),
                    log_exceptions=False,
                )
        except DatabaseError as error:
            _logger.warning("An exchange could not be logged: %s", type(error).__name__)

    def _values(self, exchange):
        purpose, message_id = _speaking.get()
        parts = urlsplit(exchange.url)
        values = {
            "connection_id": self.connection_id,
            "message_id": message_id,
            "purpose": purpose,
            "date": exchange.started.astimezone(timezone.utc).replace(tzinfo=None),
            "duration": round(exchange.duration * 1000),
            "method": exchange.method,
            "host": parts.netloc.rpartition("@")[2],
            # A query may hold anything: that there was one is enough.
            "path": parts.path + ("?…" if parts.query else ""),
            "status": exchange.status,
            "outcome": self._outcome(exchange),
            "error": exchange.error,
            "correlation_id": exchange.correlation_id,
            "request_size": exchange.request_size,
            "response_size": exchange.response_size,
            "peer_fingerprint": exchange.peer_fingerprint,
            "tls_version": exchange.tls_version,
        }
        if self.level in ("headers", "bodies"):
            values |= {
                "request_headers": _lines(exchange.request_headers),
                "response_headers": _lines(exchange.response_headers),
            }
        if self.level == "bodies":
            values |= {
                "request_body": exchange.request_body or None,
                "response_body": exchange.response_body or None,
            }
        return {
            name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
            for name, value in values.items()
        }

    def _outcome(self, exchange):
        if exchange.error:
            return "failed"
        return "answered" if exchange.status and exchange.status < 400 else "error"


def _lines(headers):
    return "\n".join(f"{name}: {value}" for name, value in headers.items()) or None

