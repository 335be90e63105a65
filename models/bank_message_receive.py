"""Receiving: commit, then tell the bank.

A document is stored with its exact bytes and committed before it is acknowledged. It is processed
later and apart: what fails is quarantined whole, with a reason, and blocks nothing else.
"""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..connectors.interface import FetchError, Unavailable
from . import connector_texts
from .exchange_log import exchanges_of

_logger = logging.getLogger(__name__)


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
