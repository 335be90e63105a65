"""Receiving: commit, then tell the bank.

A document is stored with its exact bytes and committed before it is acknowledged. It is processed
later and apart: what fails is quarantined whole, with a reason, and blocks nothing else.
"""

import io
import logging
import traceback

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import UniqueViolation

from ..connectors.interface import FetchError, Unavailable
from ..connectors.masking import masked_text
from ..formats import detect
from ..formats.errors import FormatError
from . import connector_texts, format_texts
from .bank_message_send import COLLISIONS
from .exchange_log import exchanges_of

_logger = logging.getLogger(__name__)

LAST_TRY = 3  # collisions, after which a document is put aside rather than tried again


class Quarantine(Exception):
    """A document that can't be processed; the text tells a person why."""


class BankMessage(models.Model):
    _inherit = "bank.message"

    # -- fetch ----------------------------------------------------------------------------

    @api.model
    def _cron_fetch(self):
        """Scheduled action: ask about messages, and bring in what waits at each bank."""
        carried = [("state", "=", "active"), ("by_hand", "=", False)]
        for connection in self.env["bank.connection"].search(carried):
            if connection._rests():
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
                    if connection._rests():
                        return
                with exchanges_of("fetch"):
                    fault = self._fetch_documents(connection, connector)
        except UserError as error:
            self._record(connection._note_outcome, str(error))
        except FetchError as outcome:
            _logger.info("Fetching over %s failed: %s", connection.name, outcome.code)
            text = connector_texts.message(self.env, outcome)
            self._record(connection._note_outcome, text, outcome)
        else:
            self._record(self._note_fetch, connection, fault)

    @api.model
    def _note_fetch(self, connection, fault):
        """The line works; ``fault`` is what was wrong with one of the documents, if any."""
        connection._note_outcome()
        values = {"last_fetch": fields.Datetime.now()}
        if fault:
            values |= {"last_error": fault, "last_error_date": fields.Datetime.now()}
            connection._tell_administrators(fault)
        connection.write(values)

    @api.model
    def _fetch_documents(self, connection, connector):
        """Bring in what waits; what can't be fetched stays at the bank and holds up no other.

        :return: a sentence about the first document that could not be fetched, or None
        :raises FetchError: the line failed
        """
        waiting, fault = [], None
        self._commit()
        try:
            for remote in connector.list(connection.profile_id._document_kinds()):
                waiting.append(remote)  # what comes before a fault is kept
        except FetchError as outcome:
            if not waiting:
                raise
            fault = connector_texts.message(self.env, outcome)
        known = self._known_numbers(connection, waiting)
        for remote in waiting:
            try:
                if remote.id in known or self._fetch_one(connection, connector, remote):
                    known.add(remote.id)
                    # Only now, that the bytes are committed here, may the bank put them away.
                    connector.acknowledge(remote)
            except Unavailable:
                raise
            except FetchError as outcome:
                _logger.info("Document %s: %s %s", remote.id, outcome.code, outcome.detail)
                fault = fault or self.env._(
                    "%(document)s can't be fetched: %(error)s",
                    document=remote.name or remote.id,
                    error=connector_texts.message(self.env, outcome),
                )
        return fault

    @api.model
    def _known_numbers(self, connection, waiting):
        """Which of the documents are here already: some banks list them for weeks."""
        numbers = [remote.id for remote in waiting]
        known = self.search_fetch(
            [("connection_id", "=", connection.id), ("remote_id", "in", numbers)], ["remote_id"]
        )
        found = set(known.mapped("remote_id"))
        self._commit()
        return found

    @api.model
    def _fetch_one(self, connection, connector, remote):
        """Bring one document in; whether it is committed."""
        content = connector.fetch(remote)
        return self._record(self._store_remote, connection, content, remote)

    @api.model
    def _store_remote(self, connection, content, remote):
        self._store(
            connection, content, name=remote.name or remote.id, kind=remote.message_name,
            remote_id=remote.id,
        )

    # -- process --------------------------------------------------------------------------

    @api.model
    def _cron_process(self):
        """Scheduled action: take stored documents in, oldest first."""
        collisions = 0
        while collisions < 10:
            try:
                found = self._process_next(last_try=collisions >= LAST_TRY)
            except (*COLLISIONS, UniqueViolation):
                # Another worker came between: the document is as it was.
                self.env.cr.rollback()
                self.env.invalidate_all()
                self._pause_a_little(collisions)
                collisions += 1
                continue
            collisions = 0
            if not found:
                return
            if not self.env["ir.cron"]._commit_progress(1):
                break
        self.env.ref("account_bank_connect.cron_process")._trigger()

    @api.model
    def _process_next(self, *, last_try):
        """Process one document and commit; False when none waits."""
        message = self._take_stored()
        if message:
            message._process_or_quarantine(last_try=last_try)
            self._commit()
        return bool(message)

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

    def _process_or_quarantine(self, *, last_try=True):
        """Act on the document, or put it aside with the reason.

        :param last_try: put aside as well what another worker's commit may have caused
        :raises OperationalError: another worker came between, or the database is gone: nothing
            is wrong with the document
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._process()
                self.env.flush_all()
        except FormatError as error:
            said = format_texts.reading_text(self.env, error)
            self._quarantine(self.env._("The document can't be read: %s", said))
        except (Quarantine, UserError, ValidationError) as error:
            self._quarantine(str(error))
        except (OperationalError, InterfaceError):
            raise
        except UniqueViolation as error:
            if not last_try:
                raise
            self._quarantine(str(error))
        except Exception as error:
            # Whatever it is, the document is kept and the queue goes on; the log has the trace.
            # The fault's text may repeat what the document says: accounts are not for the log.
            trail = "".join(traceback.format_exception(error))
            _logger.warning("Document %s was quarantined\n%s", self.name, masked_text(trail))
            self._quarantine(
                self.env._(
                    "An unexpected fault: %s. The server's log has the details.",
                    masked_text(str(error)),
                )
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
            "mt940": self._process_statement,
            "mt942": self._process_advice,
            "berlin.transactions": self._process_advice,
            "pdf": self._process_receipt,
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
