"""What is wrong, or will soon be, on the way between Odoo and the banks.

Everything is found by one query for each kind of trouble, whatever the number of connections.
"""

import logging
from collections import defaultdict, namedtuple
from datetime import datetime, time, timedelta

from dateutil.easter import easter
from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# Hours before something is worth a person's time; system parameters of these names, led by
# "account_bank_connect.", override them, and 0 switches one off.
DEFAULTS = {
    "alert_uncertain_hours": 4,
    "alert_queued_hours": 2,
    "alert_unanswered_hours": 24,
    "alert_quarantined_hours": 0.25,
    "alert_silent_hours": 6,
    "alert_statement_days": 2,  # business days
    "alert_discrepancy_hours": 24,
    "alert_remind_hours": 24,
}
CERTIFICATE_DAYS = (7, 14, 30, 60)

#: One kind of trouble on one connection. ``level``: the smaller, the more urgent (days left, for a
#: certificate). ``count``: how many messages. ``since``: when the oldest began, or when the
#: certificate ends.
Finding = namedtuple("Finding", "connection_id code level count since")


class BankWatch(models.AbstractModel):
    _name = "bank.watch"
    _description = "Watch over Bank Connections"

    @api.model
    def _limit(self, name):
        """A threshold, as a number; 0: switched off."""
        # sudo: thresholds are the system administrator's to set, and no secret.
        value = self.env["ir.config_parameter"].sudo().get_param(f"account_bank_connect.{name}")
        try:
            return float(value) if value else DEFAULTS[name]
        except ValueError:
            _logger.warning("account_bank_connect.%s is no number: %r", name, value)
            return DEFAULTS[name]

    @api.model
    def _findings(self):
        """Everything that is wrong now.

        :return: list of :class:`Finding`, at most one for each connection and code
        """
        self.env.flush_all()
        now = fields.Datetime.now()
        findings = []
        for code, query in (
            ("uncertain", self._query_uncertain),
            ("queued", self._query_queued),
            ("unanswered", self._query_unanswered),
            ("quarantined", self._query_quarantined),
            ("silent", self._query_silent),
        ):
            hours = self._limit(f"alert_{code}_hours")
            if hours > 0:
                rows = self.env.execute_query(query(now - timedelta(hours=hours)))
                findings += [Finding(row[0], code, 0, row[1], row[2]) for row in rows]
        return [
            *findings,
            *self._certificates(now),
            *self._missing_statements(now),
            *self._gaps(),
            *self._lost_keys(now),
        ]

    def _query_uncertain(self, before):
        return SQL(
            """
            SELECT connection_id, count(*), min(uncertain_since)
              FROM bank_message
             WHERE state = 'uncertain' AND uncertain_since < %s
          GROUP BY connection_id
            """,
            before,
        )

    def _query_queued(self, before):
        # What somebody stopped or suspended waits on purpose.
        return SQL(
            """
            SELECT message.connection_id, count(*), min(message.create_date)
              FROM bank_message message
              JOIN bank_connection connection ON connection.id = message.connection_id
              JOIN res_company company ON company.id = connection.company_id
             WHERE message.state = 'queued' AND message.create_date < %s
               AND connection.state = 'active' AND company.bank_stopped IS NOT TRUE
               AND connection.bank_stopped IS NOT TRUE
          GROUP BY message.connection_id
            """,
            before,
        )

    def _query_unanswered(self, before):
        # A batch is “sent” until the bank says more than that it has the file.
        return SQL(
            """
            SELECT message.connection_id, count(*), min(message.sent_date)
              FROM bank_payment_batch batch
              JOIN bank_message message ON message.batch_id = batch.id
              JOIN bank_connection connection ON connection.id = message.connection_id
             WHERE batch.state = 'sent' AND message.direction = 'out'
               AND message.purpose = 'payment'
               AND message.state = 'delivered' AND message.sent_date < %s
               AND connection.state = 'active'
          GROUP BY message.connection_id
            """,
            before,
        )

    def _query_quarantined(self, before):
        return SQL(
            """
            SELECT connection_id, count(*), min(create_date)
              FROM bank_message
             WHERE state = 'quarantined' AND processed_date < %s
          GROUP BY connection_id
            """,
            before,
        )

    def _query_silent(self, before):
        return SQL(
            """
            SELECT id, 0, COALESCE(last_success, create_date)
              FROM bank_connection
             WHERE state = 'active' AND COALESCE(last_success, create_date) < %s
            """,
            before,
        )

    @api.model
    def _certificates(self, now):
        """Certificates in use that expire soon; the level is the smallest term they fall in."""
        soon = now + timedelta(days=max(CERTIFICATE_DAYS))
        rows = [
            (code, *row)
            for code, query in (
                ("certificate", self._query_own_certificates),
                ("bank_certificate", self._query_bank_certificates),
            )
            for row in self.env.execute_query(query(soon))
        ]
        return [
            Finding(
                connection, code,
                0 if end <= now else min(
                    days for days in CERTIFICATE_DAYS if end < now + timedelta(days=days)
                ),
                0, end,
            )
            for code, connection, end in rows
        ]

    def _query_own_certificates(self, before):
        # One that is to be replaced in time, on a day that is set, is nobody's worry.
        return SQL(
            """
            SELECT used.connection_id, min(COALESCE(certificate.date_end, used.date_end))
              FROM bank_certificate used
              JOIN bank_connection connection ON connection.id = used.connection_id
         LEFT JOIN certificate_certificate certificate ON certificate.id = used.certificate_id
             WHERE used.owner = 'ours' AND used.state = 'current' AND connection.state = 'active'
               AND COALESCE(certificate.date_end, used.date_end) < %(before)s
               AND NOT EXISTS (
                    SELECT 1 FROM bank_certificate next
                     WHERE next.connection_id = used.connection_id AND next.role = used.role
                       AND next.state = 'next' AND next.switch_on < used.date_end
                       AND next.date_end > used.date_end)
          GROUP BY used.connection_id
            """,
            before=before,
        )

    def _query_bank_certificates(self, before):
        # Where the bank's old and new certificates are both trusted, the last one counts.
        return SQL(
            """
            SELECT connection_id, min(last)
              FROM (SELECT certificate.connection_id, max(certificate.date_end) AS last
                      FROM bank_certificate certificate
                      JOIN bank_connection connection
                        ON connection.id = certificate.connection_id
                     WHERE certificate.owner = 'bank' AND certificate.state = 'current'
                       AND connection.state = 'active'
                  GROUP BY certificate.connection_id, certificate.role) role
             WHERE last < %(before)s
          GROUP BY connection_id
            """,
            before=before,
        )

    @api.model
    def _lost_keys(self, now):
        """Active connections whose keys no master key of this server opens."""
        connections = self.env["bank.connection"].search([("state", "=", "active")])
        lost = connections.filtered("key_trouble")
        for connection in lost:
            _logger.warning("%s: %s", connection.name, connection.key_trouble)
        return [Finding(connection.id, "master_key", 0, 0, now) for connection in lost]

    @api.model
    def _missing_statements(self, now):
        """Connections that brought no statement although banks worked meanwhile."""
        limit = self._limit("alert_statement_days")
        if limit <= 0:
            return []
        rows = self.env.execute_query(
            SQL(
                """
                SELECT connection.id, COALESCE(
                           (SELECT max(message.create_date) FROM bank_message message
                             WHERE message.connection_id = connection.id
                               AND message.direction = 'in'
                               AND left(message.kind, 8) IN ('camt.053', 'mt940')),
                           connection.create_date)
                  FROM bank_connection connection
                  JOIN bank_connection_profile profile ON profile.id = connection.profile_id
                 WHERE connection.state = 'active'
                   AND profile.document_kinds ~ 'camt[.]053|mt940'
                """
            )
        )
        findings = []
        for connection, last in rows:
            days = business_days_between(last.date(), now.date())
            if days >= limit:
                findings.append(Finding(connection, "statement", 0, days, last))
        return findings


    @api.model
    def _gaps(self):
        """Connections with accounts whose statements do not join, and since when."""
        days = defaultdict(list)
        journals = self.env["account.journal"].search(
            [("bank_connection_id.state", "=", "active")]
        )
        for gap in journals._bank_continuity_gaps():
            days[gap["journal"].bank_connection_id.id].append(gap["from_date"])
        return [
            Finding(connection, "gap", 0, len(found), datetime.combine(min(found), time.min))
            for connection, found in days.items()
        ]


class BankMessage(models.Model):
    _inherit = "bank.message"

    # The last statement is looked for at every health check, however many messages there are.
    _statement_idx = models.Index(
        "(connection_id, create_date)"
        " WHERE direction = 'in' AND left(kind, 8) IN ('camt.053', 'mt940')"
    )


def business_days_between(first, last):
    """Days after ``first`` and before ``last`` on which euro payments are settled.

    Mondays to Fridays but for the closing days of TARGET, the Eurosystem's settlement system
    (ECB decision of 14 December 2000, in force since 2002).
    """
    count = 0
    for number in range(1, min((last - first).days, 60)):
        day = first + timedelta(days=number)
        sunday = easter(day.year)
        closed = (
            (day.month, day.day) in ((1, 1), (5, 1), (12, 25), (12, 26))
            or day in (sunday - timedelta(days=2), sunday + timedelta(days=1))
        )
        count += day.weekday() < 5 and not closed
    return count
