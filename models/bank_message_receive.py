"""Receiving: commit, then tell the bank.

A document is stored with its exact bytes and committed before it is acknowledged. It is processed
later and apart: what fails is quarantined whole, with a reason, and blocks nothing else.
"""

import io
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..connectors.interface import FetchError, Unavailable
from ..formats import detect
from ..formats.errors import FormatError
from . import connector_texts

_logger = logging.getLogger(__name__)


class Quarantine(Exception):
    """A document that can't be processed; the text tells a person why."""


class BankMessage(models.Model):
    _inherit = "bank.message"

    # -- fetch ----------------------------------------------------------------------------

    @api.model
    def _cron_fetch(self):
        """Scheduled action: ask about messages, and bring in what waits at each bank."""
        connections = self.env["bank.connection"].search([("state", "=", "active")])
        now = fields.Datetime.now()
        for connection in connections:
            if connection.paused_until and connection.paused_until > now:
                continue
            language = {"lang": connection._company_language()}
            self.with_context(**language)._fetch_from(connection.with_context(**language))
            if not self.env["ir.cron"]._commit_progress(1):
                break
        if self.search_count([("state", "=", "stored")], limit=1):
            self.env.ref("account_bank_connect.cron_process")._trigger()
        self._wake_for_inquiries()

    @api.model
    def _fetch_from(self, connection):
        """One round with one bank; a fault is noted on the connection and harms no other."""
        try:
            with connection._connector() as connector:
                for message in self._due_inquiries(connection):
                    message._inquire(connector)
                broken = self._fetch_documents(connection, connector)
        except UserError as error:
            connection._note_outcome(str(error))
        except FetchError as outcome:
            _logger.info("Fetching over %s failed: %s", connection.name, outcome.code)
            connection._note_outcome(connector_texts.message(self.env, outcome), outcome)
        else:
            fault = connector_texts.message(self.env, broken) if broken else None
            connection._note_outcome(fault)
            if fault:
                connection._tell_administrators(fault)
        self._commit()

    @api.model
    def _fetch_documents(self, connection, connector):
        """Store and acknowledge what waits; return the last fault of a single document."""
        kinds = connection.profile_id._document_kinds()
        self._commit()
        waiting = list(connector.list(kinds))
        connection.last_fetch = fields.Datetime.now()
        broken = None
        for remote in waiting:
            known = self.search(
                [("connection_id", "=", connection.id), ("remote_id", "=", remote.id)], limit=1
            )
            self._commit()
            if not known:
                try:
                    content = connector.fetch(remote)
                except Unavailable:
                    raise
                except FetchError as outcome:
                    # This one can't be had: it stays at the bank, and holds up no other.
                    broken = outcome
                    continue
                self._store(
                    connection,
                    content,
                    name=remote.name or remote.id,
                    kind=remote.message_name,
                    remote_id=remote.id,
                )
                self._commit()
            # Only now, that the bytes are committed here, may the bank put them away.
            connector.acknowledge(remote)
        return broken

    # -- process --------------------------------------------------------------------------

    @api.model
    def _cron_process(self):
        """Scheduled action: take stored documents in, oldest first."""
        while message := self._take_stored():
            message._process_or_quarantine()
            if not self.env["ir.cron"]._commit_progress(1):
                self.env.ref("account_bank_connect.cron_process")._trigger()
                break

    @api.model
    def _take_stored(self):
        """Claim the oldest stored document of a connection that nobody else is processing."""
        self.flush_model(["state"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT message.id
                  FROM bank_message message
                  JOIN bank_connection connection ON connection.id = message.connection_id
                 WHERE message.state = 'stored'
                   -- One worker for each connection, so that documents keep their order.
                   AND pg_try_advisory_xact_lock(
                        hashtext('bank_message_process'), message.connection_id)
              ORDER BY message.id
                 LIMIT 1
            FOR UPDATE OF message SKIP LOCKED
                """
            )
        )
        message = self.browse([row[0] for row in rows])
        message.invalidate_recordset()
        return message._in_company_language()

    def _process_or_quarantine(self):
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._process()
                self.env.flush_all()
        except FormatError as error:
            self._quarantine(self.env._("The document can't be read: %s", error))
        except (Quarantine, UserError, ValidationError) as error:
            self._quarantine(str(error))
        except Exception as error:
            # Whatever it is, the document is kept and the queue goes on; the log has the trace.
            _logger.warning("Document %s was quarantined", self.name, exc_info=True)
            self._quarantine(
                self.env._("An unexpected fault: %s. The server's log has the details.", error)
            )

    def _quarantine(self, reason):
        self.env.invalidate_all()
        self.write(
            {"state": "quarantined", "error": reason, "processed_date": fields.Datetime.now()}
        )
        self._tell_administrators(reason)

    def _process(self):
        """Read the document and act on it.

        :raises Quarantine: it can't be understood or concerns nothing here
        """
        content = self._raw()
        kind = detect.detect(content)
        if not kind:
            raise Quarantine(self.env._("This is no document that is known here."))
        self.kind = kind
        family = ".".join(kind.split(".")[:2])
        reader = {
            "pain.002": self._process_status_report,
            "camt.029": self._process_resolution,
            "camt.052": self._process_advice,
            "camt.053": self._process_statement,
            "camt.054": self._process_advice,
        }.get(family)
        if reader is None:
            raise Quarantine(self.env._("Documents of the kind %s are not taken in.", kind))
        notes = reader(io.BytesIO(content))
        self.write(
            {
                "state": "processed",
                "processed_date": fields.Datetime.now(),
                "note": "\n".join(notes) or self.note,
                "error": False,
                "error_code": False,
            }
        )
