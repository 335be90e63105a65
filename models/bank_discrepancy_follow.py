"""What was found, followed: new discrepancies opened, known ones renewed, reopened and closed.

Nothing is counted twice: a discrepancy is inserted by its key, which the database keeps unique, so
that two workers which find the same thing make one record.
"""

import hashlib
import json
from collections import namedtuple

from odoo import api, fields, models
from odoo.tools import SQL

from .discrepancy_texts import CATALOGUE, DEADLINES

#: One thing that is wrong. ``refs``: values of the discrepancy's links. ``facts``: ``values`` of
#: the sentence and ``rows`` of the table. ``mark``: what makes an explanation void when it changes.
Found = namedtuple("Found", "key code since refs facts mark", defaults=("",))


class BankDiscrepancy(models.Model):
    _inherit = "bank.discrepancy"

    @api.model
    def _follow(self, company, found, codes, subject=None, ids=None):
        """Bring the discrepancies of a company in line with what was found.

        :param found: list of :class:`Found`
        :param codes: what was looked for; what is known of these and was not found is over
        :param subject: name of a link (``payment_id``, ``line_id``), where only some were looked at
        :param ids: these
        :return: the discrepancies that are news, and how many were closed
        """
        engine = self._engine()
        found = {each.key: each for each in found}
        domain = [
            ("company_id", "=", company.id), ("code", "in", list(codes)),
            "|", ("state", "=", "open"), ("present", "=", True),
        ]
        if subject:
            domain.append((subject, "in", list(ids)))
        looked_at = engine.search(domain)
        known = looked_at | engine.search([("key", "in", list(found))])
        by_key = {each.key: each for each in known}
        news = engine._insert(company, [each for key, each in found.items() if key not in by_key])
        for key, each in by_key.items():
            if key in found and each._renew(found[key]):
                news |= each
        gone = looked_at.filtered(lambda each: each.key not in found)
        gone.filtered(lambda each: each.state != "open").write({"present": False})
        over = gone.filtered(lambda each: each.state == "open")
        over._close()
        return news, len(over)

    def _insert(self, company, found):
        """Open new ones; what another worker opened meanwhile is left out."""
        if not found:
            return self.browse()
        self.flush_model()
        now = fields.Datetime.now()
        links = ("connection_id", "journal_id", "batch_id", "payment_id", "message_id", "line_id",
                 "move_id", "owner_id")
        columns = ("key", "code", "kind", "severity", "company_id", "state", "present", "facts",
                   "mark", "since", "found_on", "deadline", "reopened", *links,
                   "create_uid", "create_date", "write_uid", "write_date")
        deadlines = {
            severity: self._deadline_in(days) for severity, days in DEADLINES.items()
        }
        rows = []
        for each in found:
            entry = CATALOGUE[each.code]
            rows.append(
                (
                    each.key, each.code, entry.kind, entry.severity, company.id, "open", True,
                    json.dumps(each.facts), each.mark or self._digest(each), each.since, now,
                    deadlines[entry.severity], 0, *(each.refs.get(name) or None for name in links),
                    self.env.uid, now, self.env.uid, now,
                )
            )
        ids = []
        for start in range(0, len(rows), 500):
            made = self.env.execute_query(
                SQL(
                    "INSERT INTO bank_discrepancy (%s) VALUES %s ON CONFLICT (key) DO NOTHING "
                    "RETURNING id",
                    SQL(", ").join(SQL.identifier(name) for name in columns),
                    SQL(", ").join(SQL("%s", row) for row in rows[start : start + 500]),
                )
            )
            ids += [row[0] for row in made]
        self.invalidate_model()
        records = self.browse(ids)
        self.env["bank.audit.event"]._record_each(
            "discrepancy_found", [(each, each._audit_details()) for each in records]
        )
        return records

    @api.model
    def _digest(self, found):
        """What an explanation was about: the figures in which the sides differ."""
        rows = [row for row in found.facts.get("rows") or [] if row.get("differs")]
        said = json.dumps(rows, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _renew(self, found):
        """It is still, or again, there.

        :return: whether that is news
        """
        self.ensure_one()
        mark = found.mark or self._digest(found)
        values = {}
        if not self.present:
            values["present"] = True
        if self.facts != found.facts:
            values["facts"] = found.facts
        if self.state == "open":
            if self.mark != mark:
                values["mark"] = mark
            if values:
                self.write(values)
            return False
        came_back = not self.present or self.state == "closed"
        if not came_back and self.mark == mark:
            if values:
                self.write(values)
            return False
        self.write({**values, "mark": mark, "since": found.since if came_back else self.since})
        self._open_again(
            self.env._("It came back.") if came_back
            else self.env._("The figures changed since it was explained.")
        )
        return True

    def _open_again(self, why):
        """Open what was settled; the earlier explanation stays in the history."""
        if not self:
            return
        for each in self:
            each.write(
                {
                    "state": "open",
                    "reopened": each.reopened + 1,
                    "deadline": self._deadline_in(DEADLINES[each.severity]),
                    "verdict": False,
                    "reason": False,
                    "resolver_id": False,
                    "resolved_on": False,
                }
            )
        self._note_each(self.env._("Open again: %s", why))
        self.env["bank.audit.event"]._record_each(
            "discrepancy_reopened",
            [(each, {**each._audit_details(), "reason": why}) for each in self],
        )

    def _close(self):
        """Their cause is gone."""
        if not self:
            return
        self.write(
            {"state": "closed", "present": False, "resolved_on": fields.Datetime.now()}
        )
        self._note_each(self.env._("The verification does not find it any more."))
        self._end_tasks()
        self.env["bank.audit.event"]._record_each(
            "discrepancy_closed", [(each, each._audit_details()) for each in self]
        )

    def _note_each(self, text, author=None):
        """Write a sentence into the history of each, in one go."""
        # sudo: whoever may press the button may leave its trace.
        self.sudo()._message_log_batch(
            bodies=dict.fromkeys(self.ids, text), **({"author_id": author.id} if author else {})
        )
