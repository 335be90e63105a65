"""How long each kind of document is kept, and what is erased when its time is over.

Bytes go, the proof stays: SHA-256, size, dates, who approved. Nothing is erased that is still
open. The conditions: ``bank_retention_due``.
"""

from collections import defaultdict
from datetime import date

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

# kind: (title, default, shortest)
KINDS = {
    "incoming": ("Documents from the bank", (10, "years"), (5, "years")),
    "outgoing": ("Documents to the bank", (10, "years"), (5, "years")),
    "seal": ("Sealed copies of batches", (10, "years"), (5, "years")),
    "unsent": ("Sealed copies of batches that never left", (12, "months"), (1, "months")),
    "account": ("Changes of payees' accounts", (10, "years"), (5, "years")),
    "discrepancy": ("Discrepancies that are settled", (10, "years"), (5, "years")),
    "alert": ("Alerts that are over", (24, "months"), (1, "months")),
    "pack": ("Evidence packs", (90, "days"), (1, "days")),
    # Error rates look back a day; a notification is refused as a repetition for a day.
    "call": ("Calls to the bank", (2, "days"), (2, "days")),
    "exchange": ("Log of exchanges with banks", (90, "days"), (1, "days")),
    "notification": ("Notifications from the bank", (1, "days"), (1, "days")),
}
LOGS = ("call", "exchange", "notification")  # short-lived; Odoo's daily cleaning removes them
SLICE = 200  # documents erased by one transaction
LOG_SLICE = 5000  # lines of a log removed by one transaction


class BankRetention(models.Model):
    _name = "bank.retention"
    _description = "Retention"
    _order = "kind, company_id"
    _rec_name = "kind"

    kind = fields.Selection([(key, kind[0]) for key, kind in KINDS.items()], required=True)
    company_id = fields.Many2one(
        "res.company", ondelete="cascade", help="Empty: every company without a line of its own."
    )
    number = fields.Integer(string="Keep for", required=True, aggregator=None)
    unit = fields.Selection(
        [("days", "days"), ("months", "months"), ("years", "years")],
        required=True,
        default="years",
        help="Years count from the end of the calendar year, as laws on bookkeeping count them.",
    )

    _one_rule = models.UniqueIndex(
        "(kind, COALESCE(company_id, 0))", "This kind has a line for this company already."
    )

    @api.constrains("kind", "number", "unit")
    def _check_shortest(self):
        titles = dict(self._fields["kind"]._description_selection(self.env))
        units = dict(self._fields["unit"]._description_selection(self.env))
        today = fields.Date.today()
        for line in self:
            number, unit = KINDS[line.kind][2]
            if line.number < 1 or _back(today, line.number, line.unit) > _back(today, number, unit):
                raise ValidationError(
                    self.env._(
                        "%(kind)s: %(number)s %(unit)s is the shortest time.",
                        kind=titles[line.kind],
                        number=number,
                        unit=units[unit],
                    )
                )

    # -- changes are noted ----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        for line in lines:
            line._note("", line._said())
        return lines

    def write(self, vals):
        if set(vals) & {"kind", "company_id"}:
            raise AccessError(self.env._("Make a new line for another kind or company."))
        before = {line: line._said() for line in self}
        result = super().write(vals)
        for line, said in before.items():
            if line._said() != said:
                line._note(said, line._said())
        return result

    def unlink(self):
        for line in self:
            line._note(line._said(), "")
        return super().unlink()

    def _said(self):
        return f"{self.number} {self.unit}"

    def _note(self, old, new):
        self.env["bank.audit.event"]._record(
            "retention_changed", self, document_kind=self.kind, old=old, new=new
        )

    # -- how long -------------------------------------------------------------------------------

    @api.model
    def _cutoffs(self, kind):
        """Until when documents of a kind may go: cutoff (date) → companies.

        :return: dict of date → ``res.company``
        """
        rules = {line.company_id.id: (line.number, line.unit) for line in self.search(
            [("kind", "=", kind)]
        )}
        default = rules.get(False, KINDS[kind][1])
        today = fields.Date.today()
        cutoffs = defaultdict(self.env["res.company"].browse)
        companies = self.env["res.company"].with_context(active_test=False)
        for company in companies.search([]):  # pylint: disable=no-search-all
            cutoffs[_back(today, *rules.get(company.id, default))] |= company
        return cutoffs

    @api.model
    def _keep_until(self, kind, company, day):
        """The last day on which a document of ``day`` is kept."""
        for line in self.search(
            [("kind", "=", kind), ("company_id", "in", (company.id, False))],
            order="company_id NULLS LAST", limit=1,
        ):
            return _forth(day, line.number, line.unit)
        return _forth(day, *KINDS[kind][1])

    @api.model
    def _forget(self, kind, records):
        """Remove entries of a log whose time is over.

        :param records: empty, of a model with ``connection_id`` and ``date``
        :return: (removed, whether there is more), as Odoo's cleaning understands it
        """
        removed = 0
        for cutoff, companies in self._cutoffs(kind).items():
            old = [("date", "<", cutoff), ("connection_id.company_id", "in", companies.ids)]
            found = records.search(old, limit=LOG_SLICE)
            found.unlink()
            removed += len(found)
            if len(found) == LOG_SLICE:
                # Odoo's cleaning commits, and comes back for the rest.
                return removed, 1
        return removed, 0

    # -- erasing --------------------------------------------------------------------------------

    @api.model
    def _cron_erase(self):
        """Scheduled action: erase what is due, slice by slice."""
        for kind in (kind for kind in KINDS if kind not in LOGS):
            for cutoff, companies in self._cutoffs(kind).items():
                while self._erase_slice(kind, companies, cutoff):
                    if not self.env["ir.cron"]._commit_progress(1):
                        self.env.ref("account_bank_connect.cron_retention")._trigger()
                        return

    @api.model
    def _erase_slice(self, kind, companies, cutoff):
        """Erase one slice; returns whether there may be more."""
        records = self.env["bank.retention.due"]._due(kind, companies, cutoff, limit=SLICE)
        if not records:
            return False
        # One event for a slice: what it was is told by kind and numbers, never by name.
        self.env["bank.audit.event"]._record(
            "retention_erased",
            document_kind=kind,
            count=len(records),
            model=records._name,
            numbers=records.ids,
            older_than=cutoff,
        )
        self.env["bank.retention.due"]._erase(kind, records)
        return len(records) == SLICE


def _back(today, number, unit):
    """The first day that is still kept."""
    if unit == "years":
        return date(max(today.year - number, 1), 1, 1)
    return today - relativedelta(**{unit: number})


def _forth(day, number, unit):
    if unit == "years":
        return date(day.year + number, 12, 31)
    return day + relativedelta(**{unit: number})
