"""Processing: what was received is acted on, apart from receiving it.

A document is one transaction: it is processed whole, or quarantined whole with a reason, and
blocks nothing else. A long account document is judged as a whole first, and then booked in parts
of which each is committed, so that it holds others up for seconds only; whoever comes next, after
a crash too, goes on where the last commit left it.
"""

import io
import logging
import time
import traceback

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import UniqueViolation

from ..connectors.masking import masked_text
from ..formats import detect
from ..formats.account_reports import is_account_report
from ..formats.errors import FormatError
from . import format_texts
from .bank_message_receive import Quarantine
from .bank_message_send import COLLISIONS

_logger = logging.getLogger(__name__)

LAST_TRY = 3  # collisions, after which a document is put aside rather than tried again
# Seconds of one run on one document. Odoo ends a scheduled action that takes two minutes, and
# each run reads what was taken in already once more.
LONGEST = 60


class BankMessage(models.Model):
    _inherit = "bank.message"

    @api.model
    def _cron_process(self):
        """Scheduled action: take stored documents in, oldest first."""
        collisions = 0
        while collisions < 10:
            until = time.monotonic() + LONGEST
            try:
                found = self._process_next(last_try=collisions >= LAST_TRY, until=until)
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
    def _process_next(self, *, last_try, until):
        """Process one document, or a part of a long one, and commit; False when none waits."""
        message = self._take_stored()
        if message:
            message._process_or_quarantine(last_try=last_try, until=until)
            self._commit()
        return bool(message)

    @api.model
    def _take_stored(self):
        """Claim the oldest stored document of a connection that nobody else is processing."""
        self.flush_model(["state", "next_attempt"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT message.id
                  FROM bank_message message
                  JOIN bank_connection connection ON connection.id = message.connection_id
                 WHERE message.state = 'stored'
                   -- Pages wait for the others (`bank_statement_pages`).
                   AND (message.next_attempt IS NULL OR message.next_attempt <= %s)
                   -- One worker for each connection, so that documents keep their order.
                   AND pg_try_advisory_xact_lock(
                        hashtext('bank_message_process'), message.connection_id)
              ORDER BY message.id
                 LIMIT 1
            FOR UPDATE OF message SKIP LOCKED
                """,
                fields.Datetime.now(),
            )
        )
        message = self.browse([row[0] for row in rows])
        message.invalidate_recordset()
        return message._in_company_language()

    def _hold(self):
        """Claim this document again, after a commit; False if another worker went on with it."""
        done = self.entries_done
        rows = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(entries_done, 0) FROM bank_message
                 WHERE id = %s AND state = 'stored'
                   AND pg_try_advisory_xact_lock(hashtext('bank_message_process'), connection_id)
            FOR UPDATE SKIP LOCKED
                """,
                self.id,
            )
        )
        return rows == [(done,)]

    def _process_or_quarantine(self, *, last_try=True, until=float("inf")):
        """Act on the document, or put it aside with the reason.

        :param last_try: put aside as well what another worker's commit may have caused
        :param until: reading of ``time.monotonic`` after which a long document is left for later
        :raises OperationalError: another worker came between, or the database is gone: nothing
            is wrong with the document
        """
        self.ensure_one()
        steps = self._process_steps()
        while self._one_step(steps, last_try):
            self._commit()
            self._forget()
            if time.monotonic() > until or not self._hold():
                return

    def _forget(self):
        """Forget what a step knew, and the environments in which it worked.

        They refer to themselves, by the answers kept in their contexts and by their users and
        companies, so that they would stay: and Odoo looks through all there are for each new one.
        """
        self.env.invalidate_all()
        for env in self.env.transaction.envs:
            env.context.get("bank_bulk", {}).clear()
        self.env.transaction.reset()

    def _one_step(self, steps, last_try):
        """Whether there is more to do after the next step."""
        try:
            with self.env.cr.savepoint():
                ended = next(steps, steps) is steps
                self.env.flush_all()
                return not ended
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
        return False

    def _quarantine(self, reason):
        self.env.invalidate_all()
        if self.entries_done:
            reason = self.env._(
                "%(reason)s\nOf its %(all)s entries %(done)s were taken in before; processed "
                "again, it goes on from there.",
                reason=reason, all=self.entry_count, done=self.entries_done,
            )
        self.write(
            {"state": "quarantined", "error": reason, "processed_date": fields.Datetime.now()}
        )
        self._tell_administrators(reason)

    def _process(self):
        """Read the document and act on it, in one go."""
        for _step in self._process_steps():
            pass

    def _process_steps(self):
        """Read the document and act on it; yields where the caller may commit.

        :raises Quarantine: it can't be understood or concerns nothing here
        """
        content = self._raw()
        kind = detect.detect(content)
        if not kind:
            raise Quarantine(self.env._("This is no document that is known here."))
        self.kind = kind
        stream = io.BytesIO(content)
        if is_account_report(kind):
            notes = yield from self._process_statement(stream)
            if notes is None:
                return
        else:
            reader = {
                "pain.002": self._process_status_report,
                "camt.029": self._process_resolution,
                "pdf": self._process_receipt,
            }.get(".".join(kind.split(".")[:2]))
            if reader is None:
                raise Quarantine(self.env._("Documents of the kind %s are not taken in.", kind))
            notes = reader(stream)
        self._add_notes(notes)
        self.write(
            {
                "state": "processed",
                "processed_date": fields.Datetime.now(),
                "error": False,
                "error_code": False,
            }
        )

    def _add_notes(self, notes):
        """Note what was found and tolerated; what a document repeats is said once."""
        said = (self.note or "").splitlines()
        told = (format_texts.note_text(self.env, note) for note in notes)
        self.note = "\n".join(dict.fromkeys([*said, *told])) or False
