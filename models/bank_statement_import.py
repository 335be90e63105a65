"""Account documents, taken in: statements, intraday reports and advices of every format.

A document is read three times. First everything is judged, and nothing booked: the accounts are
known, the sums add up, all money is certain; else the whole document is put aside. Then, if it is
long, the bookings are found that its entries speak of by a reference or a balance. Then it is
booked in slices; the caller commits after each, and after a crash it goes on from there.
"""

from decimal import Decimal
from itertools import islice

from odoo import models

from ..formats.account_reports import account_reports
from ..formats.iban import is_account
from ..formats.identity import Recogniser, mention
from ..formats.notes import Notes
from ..formats.pages import is_page_of_advice, may_be_proven_together, page_of
from . import format_texts
from .bank_message_receive import Quarantine

SLICE = 500  # entries booked, and committed, at a time


class BankMessage(models.Model):
    _inherit = "bank.message"

    def _process_statement(self, stream):
        """Take in every report of an account document; yields where the caller may commit.

        :return: no more notes; None where the document has to wait for others
        :raises Quarantine: an account is unknown, or a report does not add up
        """
        if not self.report_ids:
            self._add_notes(self._check_reports(stream))
        if self._waits_for_pages():
            return None
        if self.entry_count > SLICE and not self.entries_done:
            self._reserve(stream)
            yield
        yield from self._book_reports(stream)
        return []

    # -- the first reading ------------------------------------------------------------------

    def _check_reports(self, stream):
        """Judge the whole document, and note down which reports it has."""
        notes, values, entries = Notes(), [], 0
        for position, report in enumerate(self._reports(stream), 1):
            journal = self._journal_of(report.account)
            count, booked, total = 0, 0, Decimal(0)
            for entry in report.entries:
                count += 1
                if entry.status == "BOOK":
                    booked += 1
                    total += entry.amount
            faults, page = report.check(), page_of(report)
            waits = bool(faults and page and may_be_proven_together(faults))
            if faults and not waits and not is_page_of_advice(report, faults):
                said = format_texts.faults_text(self.env, faults)
                raise Quarantine(self.env._("The statement does not add up: %s", said))
            notes += report.notes
            entries += count
            values.append(
                self._report_values(report, journal)
                | {"position": position, "booked_count": booked, "booked_sum": float(total)}
                | {
                    "page": page.number if page else 0,
                    "page_facts": page.as_json() if page else False,
                    "waiting": waits,
                }
                # The balances of the others are not its own.
                | ({"opening": 0.0, "closing": 0.0, "has_balances": False} if waits else {})
            )
        self.entry_count = entries
        # sudo: reports are written by the engine only.
        self.env["bank.account.report"].sudo().create(values)
        return notes

    def _reports(self, stream):
        stream.seek(0)
        return account_reports(stream, self.kind)

    def _report_values(self, report, journal):
        opening, closing = report.opening, report.closing
        last = closing.date if closing else report.to
        return {
            "name": report.id,
            "message_id": self.id,
            "journal_id": journal.id,
            "kind": report.message_name or report.kind,
            "final": report.final,
            "number": report.electronic_sequence or report.legal_sequence or 0,
            "copy_duplicate": report.copy_duplicate,
            "date": last,
            "has_balances": bool(opening and closing),
            "opening": float(opening.amount) if opening else 0.0,
            "closing": float(closing.amount) if closing else 0.0,
        }

    def _journal_of(self, account):
        """The journal that keeps the bank's account.

        :raises Quarantine: none does
        """
        journal = self.connection_id.journal_ids.filtered(
            lambda journal: is_account(account, journal.bank_account_id.acc_number or "")
        )
        if len(journal) != 1:
            raise Quarantine(
                self.env._("The document speaks of account %s, which belongs to no journal of this "
                  "connection.", account.iban or account.other)
            )
        currency = journal._bank_currency().name
        if account.currency and account.currency != currency:
            raise Quarantine(
                self.env._("The document is in %(theirs)s, but the journal %(journal)s is kept in "
                  "%(ours)s.", theirs=account.currency, journal=journal.display_name,
                  ours=currency)
            )
        return journal

    # -- the second -------------------------------------------------------------------------

    def _reserve(self, stream):
        """Let no entry take a booking that a later one speaks of with more certainty."""
        for record, report in zip(self._records(), self._reports(stream), strict=True):
            recogniser = self._recogniser(record)
            for entries in _slices(self._told(record, report), SLICE):
                if mentions := [each for _entry, each in entries if each]:
                    positions = [entry.position for entry, each in entries if each]
                    recogniser.reserve(mentions, positions)
            if recogniser.reserved:
                record.reserved = {str(key): line for key, line in recogniser.reserved.items()}

    def _records(self):
        # sudo: reports are written by the engine only.
        return self.report_ids.sudo().sorted("position")

    def _recogniser(self, record):
        reserved = {int(key): line for key, line in (record.reserved or {}).items()}
        lookup = self.env["bank.statement.known"]._lookup_of(record)
        return Recogniser(record._extent(), lookup, reserved)

    def _told(self, record, report):
        """Each entry with what it says of a booking; with None where it speaks of none yet."""
        extent = record._extent()
        found = extent.opening if extent.final else None
        for entry in report.entries:
            if entry.status != "BOOK":
                yield entry, None
                continue
            yield entry, mention(entry, extent, found)
            found = None if found is None else found + entry.amount

    # -- the third --------------------------------------------------------------------------

    def _book_reports(self, stream):
        """Book what is new, slice by slice."""
        for record, report in zip(self._records(), self._reports(stream), strict=True):
            if record.done:
                continue
            recogniser, last_keys = self._recogniser(record), {}
            entries = islice(self._told(record, report), record.done_count, None)
            for slice_ in _slices(entries, SLICE):
                self._add_notes(self._book_slice(record, recogniser, slice_, last_keys))
                record.done_count += len(slice_)
                self.entries_done += len(slice_)
                if self.entries_done < self.entry_count:
                    yield
            self._add_notes(self._finish_report(record))


def _slices(entries, size):
    entries = iter(entries)
    while slice_ := list(islice(entries, size)):
        yield slice_
