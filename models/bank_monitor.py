from odoo import fields, models
from odoo.tools import SQL

#: States in which a message waits for something; the others are final.
WAITING = ("queued", "sending", "uncertain", "stored", "quarantined")


class BankMonitor(models.Model):
    """One line for each connection: how the way to the bank is doing, at this moment.

    A view of the database, so that all lines together cost one query. Its numbers are those of
    the connections.
    """

    _name = "bank.monitor"
    _description = "Bank Monitoring"
    _auto = False
    _rec_name = "connection_id"
    _order = "urgency, company_id, connection_id"
    _depends = {
        "bank.alert": ["closed_on", "connection_id"],
        "bank.certificate": ["certificate_id", "connection_id", "date_end", "owner", "state"],
        "bank.connection": [
            "bank_stopped", "company_id", "failure_count", "last_success",
            "paused_until", "state",
        ],
        "bank.connection.call": ["connection_id", "date", "failed"],
        "bank.discrepancy": ["connection_id", "state"],
        "bank.message": ["connection_id", "state", "uncertain_since"],
        "certificate.certificate": ["date_end"],
        "res.company": ["bank_stopped"],
    }

    connection_id = fields.Many2one("bank.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("suspended", "Suspended")], readonly=True
    )
    light = fields.Selection(
        [
            ("stopped", "All payments stopped"),
            ("resting", "Resting after failures"),
            ("attention", "Needs attention"),
            ("fine", "Fine"),
            ("off", "Not in use"),
        ],
        string="Health", readonly=True,
    )
    urgency = fields.Integer(readonly=True, aggregator=None)
    last_success = fields.Datetime(readonly=True)
    last_error = fields.Char(related="connection_id.last_error")
    failure_count = fields.Integer(string="Failures in a row", readonly=True, aggregator=None)
    paused_until = fields.Datetime(string="Resting until", readonly=True)
    certificate_expires = fields.Datetime(readonly=True)
    alert_count = fields.Integer(string="Alerts", readonly=True)
    discrepancy_count = fields.Integer(string="Discrepancies", readonly=True)
    queued_count = fields.Integer(string="Queued", readonly=True)
    queued_hours = fields.Float(
        string="Oldest queued", readonly=True, aggregator="max", help="Hours and minutes."
    )
    sending_count = fields.Integer(string="Sending", readonly=True)
    uncertain_count = fields.Integer(string="Uncertain", readonly=True)
    uncertain_hours = fields.Float(
        string="Oldest uncertain", readonly=True, aggregator="max", help="Hours and minutes."
    )
    stored_count = fields.Integer(string="To process", readonly=True)
    stored_hours = fields.Float(
        string="Oldest to process", readonly=True, aggregator="max", help="Hours and minutes."
    )
    quarantined_count = fields.Integer(string="Quarantined", readonly=True)
    quarantined_hours = fields.Float(
        string="Oldest quarantined", readonly=True, aggregator="max", help="Hours and minutes."
    )
    calls_hour = fields.Integer(string="Calls, last hour", readonly=True)
    failed_hour = fields.Integer(string="Failed calls, last hour", readonly=True)
    error_rate_hour = fields.Float(string="Errors, last hour", readonly=True, aggregator=None)
    calls_day = fields.Integer(string="Calls, last day", readonly=True)
    failed_day = fields.Integer(string="Failed calls, last day", readonly=True)
    error_rate_day = fields.Float(string="Errors, last day", readonly=True, aggregator=None)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT line.*,
                   CASE light WHEN 'stopped' THEN 0 WHEN 'attention' THEN 1 WHEN 'resting' THEN 2
                              WHEN 'fine' THEN 3 ELSE 4 END AS urgency
              FROM (
                SELECT connection.id, connection.id AS connection_id, connection.company_id,
                       connection.state, connection.last_success, connection.failure_count,
                       CASE WHEN connection.paused_until > %(now)s
                            THEN connection.paused_until END AS paused_until,
                       certificate.expires AS certificate_expires,
                       COALESCE(alert.alert_count, 0) AS alert_count,
                       COALESCE(discrepancy.discrepancy_count, 0) AS discrepancy_count,
                       %(waiting)s,
                       %(calls)s,
                       CASE WHEN (company.bank_stopped OR connection.bank_stopped)
                                 AND connection.state = 'active'
                                 THEN 'stopped'
                            WHEN alert.alert_count > 0 OR message.uncertain_count > 0
                                 OR message.quarantined_count > 0 THEN 'attention'
                            WHEN connection.state <> 'active' THEN 'off'
                            WHEN connection.paused_until > %(now)s THEN 'resting'
                            ELSE 'fine' END AS light
                  FROM bank_connection connection
                  JOIN res_company company ON company.id = connection.company_id
             LEFT JOIN (%(certificate)s) certificate
                    ON certificate.connection_id = connection.id
             LEFT JOIN (%(alert)s) alert ON alert.connection_id = connection.id
             LEFT JOIN (%(discrepancy)s) discrepancy
                    ON discrepancy.connection_id = connection.id
             LEFT JOIN (%(message)s) message ON message.connection_id = connection.id
             LEFT JOIN (%(call)s) call ON call.connection_id = connection.id
                   ) line
            """,
            now=fields.Datetime.now(),
            waiting=SQL(", ").join(
                SQL(
                    "COALESCE(message.%(name)s, 0) AS %(name)s",
                    name=SQL.identifier(f"{state}_{what}"),
                )
                for state in WAITING for what in ("count", "hours")
            ),
            calls=SQL(", ").join(
                SQL(
                    "COALESCE(call.%(calls)s, 0) AS %(calls)s, "
                    "COALESCE(call.%(failed)s, 0) AS %(failed)s, "
                    "COALESCE(call.%(failed)s::float / NULLIF(call.%(calls)s, 0), 0) AS %(rate)s",
                    calls=SQL.identifier(f"calls_{span}"),
                    failed=SQL.identifier(f"failed_{span}"),
                    rate=SQL.identifier(f"error_rate_{span}"),
                )
                for span in ("hour", "day")
            ),
            alert=SQL(
                "SELECT connection_id, count(*) AS alert_count FROM bank_alert "
                "WHERE closed_on IS NULL GROUP BY connection_id"
            ),
            discrepancy=SQL(
                "SELECT connection_id, count(*) AS discrepancy_count FROM bank_discrepancy "
                "WHERE state = 'open' GROUP BY connection_id"
            ),
            message=self._query_messages(),
            call=self._query_calls(),
            certificate=SQL(
                "SELECT used.connection_id, min(COALESCE(certificate.date_end, used.date_end)) "
                "AS expires FROM bank_certificate used LEFT JOIN certificate_certificate "
                "certificate ON certificate.id = used.certificate_id "
                "WHERE used.owner = 'ours' AND used.state = 'current' GROUP BY used.connection_id"
            ),
        )

    def _query_messages(self):
        """How many messages wait in which state, and how long (hours) the oldest has."""
        parts = [
            SQL(
                "count(*) FILTER (WHERE state = %(state)s) AS %(count)s, "
                "EXTRACT(EPOCH FROM %(now)s - min(COALESCE(uncertain_since, create_date)) "
                "FILTER (WHERE state = %(state)s))::float / 3600 AS %(hours)s",
                state=state,
                count=SQL.identifier(f"{state}_count"),
                hours=SQL.identifier(f"{state}_hours"),
                now=fields.Datetime.now(),
            )
            for state in WAITING
        ]
        return SQL(
            "SELECT connection_id, %s FROM bank_message WHERE state IN %s GROUP BY connection_id",
            SQL(", ").join(parts), WAITING,
        )

    def _query_calls(self):
        parts = [
            SQL(
                "count(*) FILTER (WHERE date > %(now)s - %(span)s::interval) AS %(calls)s, "
                "count(*) FILTER (WHERE failed AND date > %(now)s - %(span)s::interval) "
                "AS %(failed)s",
                now=fields.Datetime.now(),
                span=f"1 {span}",
                calls=SQL.identifier(f"calls_{span}"),
                failed=SQL.identifier(f"failed_{span}"),
            )
            for span in ("hour", "day")
        ]
        return SQL(
            "SELECT connection_id, %s FROM bank_connection_call "
            "WHERE date > %s - '1 day'::interval GROUP BY connection_id",
            SQL(", ").join(parts), fields.Datetime.now(),
        )

    # -- on the screen --------------------------------------------------------------------------

    def action_view_connection(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.connection",
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_view_messages(self):
        """The messages behind a figure; the button's context names their state."""
        self.ensure_one()
        return self.connection_id._action_messages(self.env.context.get("message_state"))

    def action_view_alerts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_bank_connect.action_alert")
        return action | {"domain": [("connection_id", "=", self.id)]}

    def action_view_discrepancies(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_discrepancy"
        )
        return action | {"domain": [("connection_id", "=", self.id)]}


class BankConnection(models.Model):
    _inherit = "bank.connection"

    def _action_messages(self, state=None):
        """Open the connection's messages, those of one state where one is named."""
        self.ensure_one()
        domain = [("connection_id", "=", self.id)]
        return self.action_view_messages() | {
            "domain": [*domain, ("state", "=", state)] if state else domain,
            "context": {} if state else {"search_default_by_state": True},
        }
